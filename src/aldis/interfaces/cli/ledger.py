"""`aldis ledger`: verify, prove and replay what this node did."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from aldis.interfaces.cli.cosigning import Cosigned, cosigned
from aldis.interfaces.cli.exits import UNVERIFIED
from aldis.interfaces.cli.files import read_whole, write_whole
from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import DAY_MS, count, listed, midnight, moment
from aldis.kernel.encoding import unb64
from aldis.kernel.errors import InvalidInput
from aldis.kernel.ledger import Leaf, LeafType, decode_leaf
from aldis.node.audit import Proof, check_proof, cosigners
from aldis.node.core import ledger_name
from aldis.node.leaves import LeafFilter
from aldis.node.node import Node

__all__ = ["ledger"]

_LARGEST = 1024 * 1024
_TYPES = click.Choice([str(word) for word in get_args(LeafType)])


@click.group("ledger")
def ledger() -> None:
    """The tamper-evident log of every label, decision, release and admission at this node."""


@ledger.command("verify")
@pass_session
def verify(session: Session) -> None:
    """Compute the whole ledger anew and hold it against every checkpoint and every partner's cosignature."""
    node = session.node
    with session.out.progress("Verifying"):
        leaves, checkpoints = node.audit.verify()
        found = [cosigned(node, known) for known in node.partners.all()]
    lines = [f"{count(leaves, 'leaf', 'leaves')} and {count(checkpoints, 'checkpoint')} hold."]
    lines += [_cosigned_line(one) for one in found]
    data = {"leaves": leaves, "checkpoints": checkpoints, "partners": [msgspec.to_builtins(one) for one in found]}
    session.out.lines(data, lines)
    session.out.next("`aldis ledger replay` decides every release again and compares")


@ledger.command("prove")
@click.argument("index", type=click.IntRange(0))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it.  [default: stdout]"
)
@pass_session
def prove(session: Session, index: int, output: Path | None) -> None:
    """Write the proof that leaf INDEX stands in the ledger; whoever has this node's key can check it offline."""
    proof = session.node.audit.prove(index)
    own = ledger_name("")
    names = [name.removeprefix(own) for name in cosigners(proof.checkpoint.encode(), ledger_name(proof.node))]
    data = msgspec.json.format(msgspec.json.encode(proof)) + b"\n"
    if output is None:
        click.echo(data, nl=False)
        _say_cosigned(session, names)
        return
    write_whole(output, data)
    made = {"file": str(output), "node": proof.node, "index": index, "cosigned": names}
    session.out.data(made, str(output))
    _say_cosigned(session, names)
    session.out.next(f"a partner of {proof.node} checks it: `aldis ledger check {output.name}`", here=False)


@ledger.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def check(session: Session, file: Path) -> None:
    """Check a proof from this node or a partner, with the key that was pinned when you paired."""
    try:
        proof = msgspec.json.decode(read_whole(file, _LARGEST), type=Proof)
    except msgspec.MsgspecError as error:
        raise InvalidInput(
            f"{file} is no proof: {error}", fix="Make one with `aldis ledger prove INDEX -o FILE`"
        ) from error
    found = check_proof(proof, _ledger_key(session.node, proof.node))
    leaf = decode_leaf(proof.leaf.encode())
    data = {"node": proof.node, "index": proof.index, "size": found.size, "leaf": msgspec.to_builtins(leaf)}
    size = count(found.size, "leaf", "leaves")
    head = f"Leaf {proof.index:,} stands in the ledger of {proof.node}, as it was signed at {size}."
    session.out.data(data, head, grid(_rows(leaf)))


@ledger.command("replay")
@pass_session
def replay(session: Session) -> None:
    """Decide every release again from the inputs and policies that were kept, and compare.

    Exit code 4 where one comes out otherwise.
    """
    with session.out.progress("Deciding again") as told:
        number, differences = session.node.replay.run(told)
    data = {
        "decisions": number,
        "differences": [
            {"index": one.index, "subject": one.leaf.subject, "was": one.leaf.verdict, "now": one.now}
            for one in differences
        ],
    }
    lines = [
        f"leaf {one.index:,}, for {one.leaf.subject}: was {one.leaf.verdict}; now {one.now}" for one in differences
    ]
    outcome = f"{len(differences):,} come out otherwise" if differences else "every one comes out the same"
    total = f"{count(number, 'decision')}, {outcome}."
    session.out.lines(data, [*lines, total])
    if differences:
        session.out.next("`aldis ledger prove INDEX` for each, and `aldis doctor`: the store or the rules were changed")
        click.get_current_context().exit(UNVERIFIED)


@ledger.command("show")
@click.option("--type", "type_", type=_TYPES, metavar="TYPE", help=f"Only leaves of a type: {listed(_TYPES.choices)}.")
@click.option("--record", default="", metavar="ID", help="Only what concerns a record.")
@click.option("--partner", default="", metavar="NODE", help="Only what concerns a partner.")
@click.option("--person", default="", metavar="PERSON", help="Only what concerns a person, or what they did.")
@click.option("--since", default="", metavar="DAY", help="Only from this day (UTC) on.")
@click.option("--until", default="", metavar="DAY", help="Only to the end of this day.")
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="How many.")
@pass_session
def show(session: Session, /, type_: LeafType | None, last: int, since: str, until: str, **concerning: str) -> None:
    """Show the newest leaves, oldest first."""
    asked = LeafFilter(
        type=type_,
        since=midnight(since) if since else 0,
        until=midnight(until) + DAY_MS if until else 0,
        **concerning,
    )
    found = _last(session.node, asked, last)
    rows = [
        (str(index), moment(leaf.at), leaf.type, leaf.subject[:24], leaf.verdict, listed(leaf.reasons, 4))
        for index, leaf in found
    ]
    data = {"leaves": [{"index": index, **msgspec.to_builtins(leaf)} for index, leaf in found]}
    session.out.table(data, ("leaf", "when", "type", "subject", "verdict", "reasons"), rows, ("when",))
    if not found:
        session.out.say("There is no such leaf.")


def _last(node: Node, asked: LeafFilter, last: int) -> list[tuple[int, Leaf]]:
    """The newest leaves that are asked for, oldest first, read back from the end."""
    found, before = list[tuple[int, Leaf]](), 0
    while True:
        page = node.leaves.newest(asked, "", before, last - len(found))
        found, before = [*found, *page.leaves], page.before
        if not before or len(found) >= last:
            return found[::-1]


def _ledger_key(node: Node, name: str) -> bytes:
    if name == node.name:
        return node.core.note_signer.public
    return unb64(node.partners.get(name).sheet.ledger_key)


def _say_cosigned(session: Session, names: list[str]) -> None:
    if names:
        session.out.say(f"Its checkpoint is cosigned by {listed(names)}.")
    else:
        session.out.say("Its checkpoint is not cosigned yet: nobody but this node vouches for it.")
        session.out.next("`aldis up` has partners cosign the ledger; then prove it again")


def _cosigned_line(one: Cosigned) -> str:
    ours = (
        f"cosigned it at {count(one.size, 'leaf', 'leaves')}, {moment(one.at)}"
        if one.size
        else "has not cosigned it yet"
    )
    theirs = f"; its own, at {count(one.theirs, 'leaf', 'leaves')}, is cosigned here" if one.theirs else ""
    return f"{one.node} {ours}{theirs}."


def _rows(leaf: Leaf) -> list[tuple[str, str]]:
    rows: dict[str, Any] = {
        "type": leaf.type, "when": moment(leaf.at), "subject": leaf.subject, "verdict": leaf.verdict,
        "reasons": listed(leaf.reasons), "actor": leaf.actor, "input": leaf.input, "policy epoch": leaf.epoch,
    }  # fmt: skip
    return [(name, value) for name, value in rows.items() if value]
