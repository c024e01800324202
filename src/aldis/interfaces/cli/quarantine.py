"""`aldis quarantine`: what arrived and was not believed, or may not be held here."""

from __future__ import annotations

from typing import Any

import click

from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.session import BECAUSE, Session, pass_session
from aldis.interfaces.cli.text import count, listed, moment
from aldis.kernel.admission import read_set_aside
from aldis.kernel.errors import AldisError, UnknownTerm
from aldis.kernel.labels import decode_label
from aldis.kernel.records import read_header
from aldis.node.node import Node
from aldis.node.store import Quarantined

__all__ = ["quarantine"]

_PAGE, _MOST = 100, 10_000
_NUMBER = click.argument("number", type=int, metavar="N")


@click.group("quarantine")
def quarantine() -> None:
    """What arrived and was set aside, each with its reason; nothing in it is shown to anyone else."""


@quarantine.command("list")
@click.option("--after", type=click.IntRange(0), default=0, metavar="N", help="Only those after entry N.")
@click.option("--limit", type=click.IntRange(1, _MOST), default=_PAGE, show_default=True, metavar="N", help="How many.")
@pass_session
def list_(session: Session, after: int, limit: int) -> None:
    """List what was set aside, oldest first."""
    found = session.node.core.store.quarantine.all(after, limit + 1)
    entries, more = found[:limit], len(found) > limit
    rows = [(str(one.id), one.source, one.code, one.text, moment(one.at)) for one in entries]
    data = {"entries": [_data(one) for one in entries], "next": entries[-1].id if more else None}
    session.out.table(data, ("n", "from", "code", "why", "when"), rows)
    if more:
        total = count(session.node.core.store.quarantine.count(), "entry", "entries")
        rest = f"aldis quarantine list --after {data['next']} --limit {limit}"
        session.out.say(f"There are {total} in all.")
        session.out.next(f"`{rest}` lists more")
    if entries:
        session.out.next(f"`aldis quarantine show {entries[0].id}`, then retry or drop it")
    else:
        session.out.say("Nothing is in quarantine.")


@quarantine.command("show")
@_NUMBER
@pass_session
def show(session: Session, number: int) -> None:
    """Show entry N: why it is here and what it claims to be, but nothing of its content."""
    node = session.node
    found = node.core.store.quarantine.get(number)
    if found is None:
        raise UnknownTerm(f"no entry {number} in quarantine", fix="`aldis quarantine list` names them")
    entry, data = found
    claims = _claims(node, data)
    rows = [
        ("from", entry.source),
        ("when", moment(entry.at)),
        ("code", entry.code),
        ("why", entry.text),
        *((name, str(value)) for name, value in claims.items()),
        ("size", count(entry.size, "byte")),
        ("digest", entry.digest.hex()),
    ]
    session.out.data({**_data(entry), "claims": claims}, grid(rows))
    session.out.next(
        f"`aldis quarantine retry {number}` if what stood against it is gone, or"
        f" `aldis quarantine drop {number} --because TEXT`"
    )


@quarantine.command("retry")
@_NUMBER
@pass_session
def retry(session: Session, number: int) -> None:
    """Judge entry N again, and admit it if nothing stands against it any more."""
    node = session.node
    found = node.core.store.quarantine.get(number)
    record = node.inbound.retry(number)
    row = node.core.store.records.by_digest(record.digest)
    lacking = [one.attachment.name for one in node.attachments.of(row) if not one.whole] if row else []
    data = {"id": record.header.id, "version": record.header.version, "digest": record.digest.hex(), "lacking": lacking}
    session.out.data(data, f"Admitted {record.header.id}, version {record.header.version}.")
    session.out.next(f"`aldis get {record.header.id}`")
    if lacking and found is not None:
        session.out.next(_asks(node, found[0].source, record.header.id, lacking))


@quarantine.command("drop")
@_NUMBER
@BECAUSE
@pass_session
def drop(session: Session, number: int, because: str) -> None:
    """Throw entry N away; the ledger keeps its digest and the reason."""
    session.node.inbound.drop(number, because)
    session.out.data({"number": number, "dropped": True, "because": because}, f"Dropped {number}.")


def _asks(node: Node, source: str, record_id: str, lacking: list[str]) -> str:
    """What is to be done for the files of a record that are not here yet."""
    files = f"{listed(lacking)} {'is' if len(lacking) == 1 else 'are'} not here yet:"
    if source not in node.core.config.feeds and not node.partners.below(source):
        return f"{files} {source} sends within a minute or two what it has not sent"
    again = f"`aldis attachments retry {record_id} --to {node.name}`"
    return f"{files} take the files in again that wait in the folder, else ask the operator of {source} to run {again}"


def _claims(node: Node, data: bytes) -> dict[str, Any]:
    """What the header of an item says of itself; nothing for a bundle that was kept whole."""
    try:
        header = read_header(read_set_aside(data).item.record)
        label = Marks.of(node).write(decode_label(header.label), header.created)
    except AldisError:
        return {}
    return {
        "record": header.id, "version": header.version, "kind": header.kind, "originator": header.originator,
        "marking": label,
    }  # fmt: skip


def _data(entry: Quarantined) -> dict[str, Any]:
    return {
        "number": entry.id, "from": entry.source, "code": entry.code, "why": entry.text, "size": entry.size,
        "at": entry.at, "digest": entry.digest.hex(),
    }  # fmt: skip
