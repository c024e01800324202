"""`aldis inquiry`: everything that concerns one record or one partner, as files that anybody can verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from aldis.interfaces.cli.session import Session, operator, pass_session
from aldis.interfaces.cli.text import count, moment
from aldis.kernel.encoding import unb64
from aldis.kernel.signatures import Key, algorithm_named
from aldis.node.config import FILE
from aldis.node.inquiry import Head, read_head, verify_inquiry

if TYPE_CHECKING:
    from aldis.node.node import Node

__all__ = ["inquiry"]

_OUTPUT = click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    required=True,
    help="The new folder to write to.",
)


@click.group("inquiry")
def inquiry() -> None:
    """Everything that concerns one record or one partner, as files that anybody can read and verify."""


@inquiry.command("record")
@click.argument("id_", metavar="ID")
@_OUTPUT
@pass_session
def record(session: Session, id_: str, folder: Path) -> None:
    """Write all there is on record ID, its content too: versions, decisions, releases, receipts, proofs."""
    _said(session, session.node.inquiry.record(id_, folder, operator()), folder)


@inquiry.command("partner")
@click.argument("name", metavar="NODE")
@_OUTPUT
@pass_session
def partner(session: Session, name: str, folder: Path) -> None:
    """Write all there is on partner NODE, without the content of records."""
    _said(session, session.node.inquiry.partner(name, folder, operator()), folder)


@inquiry.command("verify")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@pass_session
def verify(session: Session, folder: Path) -> None:
    """Verify the files in DIR; no node is needed. At one that knows their maker, its pinned keys must have signed."""
    head = read_head(folder)
    pinned = _pinned(session, head)
    found = verify_inquiry(folder, pinned)
    leaves = count(found.leaves, "leaf", "leaves")
    held = f"{count(found.records, 'version')}, {count(found.releases, 'release')}, {leaves}"
    key = Key(algorithm_named(head.algorithm), unb64(head.key)).id
    data = {**msgspec.to_builtins(head), "records": found.records, "releases": found.releases,
            "leaves": found.leaves, "pinned": pinned is not None}  # fmt: skip
    [(word, name)] = head.about.items()
    lines = [f"All holds: {held} on the {word} {name}, by {head.node} of {head.party}, {moment(head.made)}."]
    session.out.lines(data, [*lines, f"Signed with key {key}."])
    if pinned is None:
        session.out.say(f"Nobody here vouches for that key: compare it with what {head.party} says its key is.")


def _pinned(session: Session, head: Head) -> tuple[Key, bytes] | None:
    """The keys that this node has of the maker, where there is a node here and it knows the maker."""
    if not (session.place / FILE).exists():
        return None
    node: Node = session.node
    if head.node == node.name:
        return node.core.signer.public, node.core.note_signer.public
    known = next((one for one in node.partners.all() if one.node == head.node), None)
    return (known.sheet.pinned, unb64(known.sheet.ledger_key)) if known else None


def _said(session: Session, head: Head, folder: Path) -> None:
    session.out.data({**msgspec.to_builtins(head), "folder": str(folder)}, str(folder))
    session.out.say(f"{count(len(head.files), 'file')}; begin with {folder / 'README.txt'}.")
    session.out.next(f"`aldis inquiry verify {folder}`, here or anywhere", here=False)
