"""`aldis backup` and `aldis restore`: a node in one encrypted file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.passphrase import PASSPHRASE, passphrase
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import count, moment
from aldis.node.backup import Contents, back_up
from aldis.node.backup import restore as make_folder
from aldis.node.backup import verify as read_through
from aldis.node.clock import SystemClock

__all__ = ["backup", "restore"]

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")


@click.command("backup")
@_FILE
@click.option("--verify", is_flag=True, help="Make none: read FILE through, and say what it holds.")
@PASSPHRASE
@pass_session
def backup(session: Session, file: Path, verify: bool, passphrase_file: Path | None) -> None:
    """Write settings, keys and store to FILE, encrypted under a passphrase; the node may run meanwhile.

    Whoever has FILE and the passphrase is this node: keep the two apart.
    """
    if verify:
        words = passphrase(passphrase_file)
        with session.out.progress("Reading") as told:
            head = read_through(file, words, told)
        session.out.data(_data(file, head), f"Every byte of {file} is authentic.", grid(_rows(head)))
        return
    node = session.node
    words = passphrase(passphrase_file, new=True)
    with session.out.progress("Writing") as told:
        head = back_up(node.core, node.audit, file, words, told)
    session.out.data(_data(file, head), str(file))
    session.out.say(f"{count(head.size, 'byte')} of {head.node}, encrypted.")
    session.out.next(f"`aldis backup --verify {file}`, then take it to another place", here=False)


@click.command("restore")
@_FILE
@PASSPHRASE
@pass_session
def restore(session: Session, file: Path, passphrase_file: Path | None) -> None:
    """Make the node's folder, which must be empty or not there, from the backup in FILE.

    The node then knows that it was restored, and sends nothing before `aldis doctor --new-epoch all`.
    """
    words = passphrase(passphrase_file)
    with session.out.progress("Restoring") as told:
        head = make_folder(file, session.place, words, told, now=SystemClock().now())
    node = session.node
    partners = [known.node for known in node.partners.all() if known.active]
    session.out.data({**_data(file, head), "home": str(session.place), "partners": partners}, str(session.place))
    session.out.say(f"{head.node} is as it was at {moment(head.made)}. What it wrote and took in since is not in it.")
    if partners:
        session.out.say(
            "Partners will notice: its ledger is shorter than the one they cosigned, and its cursors went back."
            " Until then and the next step nothing leaves it."
        )
    session.out.next("see that no other copy of this node runs, then `aldis doctor --new-epoch all`")
    for one in partners:
        theirs = f"`aldis partner accept-ledger {head.node} --because TEXT`, then `aldis doctor` and what it names"
        session.out.next(f"ask the operator of {one} for {theirs}", here=False)


def _rows(head: Contents) -> list[tuple[str, str]]:
    return [
        ("node", f"{head.node} of {head.party}"),
        ("made", moment(head.made)),
        ("holds", count(head.size, "byte")),
    ]


def _data(file: Path, head: Contents) -> dict[str, Any]:
    return {"file": str(file), "node": head.node, "party": head.party, "made": head.made, "size": head.size}
