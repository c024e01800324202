"""`aldis list`: what is here, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from aldis.interfaces.cli.filtering import filters_of, narrowing
from aldis.interfaces.cli.kinds import title
from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import day, listed
from aldis.interfaces.cli.viewers import viewer_named
from aldis.kernel.labels import Label
from aldis.node.instruments import KINDS
from aldis.node.node import Node
from aldis.node.partners import Known
from aldis.node.sheets import SHEET
from aldis.node.store import Row

__all__ = ["labels", "list_", "more", "summary"]

_AGREEING = frozenset({SHEET, *(kind.name for kind in KINDS)})


@click.command("list")
@narrowing
@click.option("--all", "every", is_flag=True, help="Instruments, signatures and notices too.")
@pass_session
def list_(session: Session, /, viewer: str, cursor: str, limit: int, every: bool, **given: Any) -> None:
    """List the newest version of each record, the newest arrival first.

    Where stdout is no terminal, each record is a line of id, version, kind, project, banner, originator, day and
    title, with tabs between them. At a node paired with others of its party, a line also says, before the title,
    through which node the record came and how high that one is, and the marking of all that is listed stands above.
    """
    node, filters = session.node, filters_of(session, given)
    page = node.records.page(
        cursor=cursor,
        limit=limit,
        viewer=viewer_named(session, viewer) if viewer else "",
        without=() if every or filters.kinds else _AGREEING,
        filters=filters,
    )
    found = [summary(node, row) for row in page.rows]
    banner = Marks.of(node).roll_up([label for row in page.rows for label in labels(row)], node.core.clock.now())
    inside = {known.node: known for known in node.partners.all() if known.party == node.core.party}
    headings: tuple[str, ...] = ("id", "v", "kind", "project", "banner", "from", "written", "title")
    rows: list[tuple[str, ...]] = [
        (one["id"], str(one["version"]), one["kind"], one["project"], one["banner"], one["originator"],
         day(one["created"]), one["title"])
        for one in found
    ]  # fmt: skip
    optional = ("project", "v", "written", "kind", "from")
    if inside:
        headings = (*headings[:-1], "level", headings[-1])
        rows = [(*row[:-1], _level(node, inside, one["source"]), row[-1]) for row, one in zip(rows, found, strict=True)]
        if banner:
            session.out.say(f"{banner}\n")
    session.out.table({"banner": banner, "records": found, "next": page.next}, headings, rows, optional)
    more(session, found, page.next, "`aldis put --help` shows how to store one")


def summary(node: Node, row: Row) -> dict[str, Any]:
    """A row in a few fields."""
    record = row.record()
    return {
        "id": row.id, "version": row.version, "kind": row.kind, "project": row.project,
        "banner": Marks.of(node).banner(labels(row), row.created), "originator": row.originator,
        "created": row.created, "title": title(node, record), "digest": row.digest.hex(), "source": row.source,
    }  # fmt: skip


def labels(row: Row) -> list[Label]:
    """The labels of a row's header and portions."""
    record = row.record()
    return [record.label, *(part.label for part in record.portions)]


def _level(node: Node, inside: Mapping[str, Known], source: str) -> str:
    """Through which node of this party a record came, and how high that one is."""
    if source in inside:
        return f"{source} ({listed(inside[source].sheet.ceiling.values())})"
    return f"{node.name} ({node.core.config.ceiling})"


def more(session: Session, found: list[dict[str, Any]], cursor: str | None, otherwise: str) -> None:
    """Say that there is nothing, or how to go on."""
    if not found:
        session.out.say("Nothing found.")
        session.out.next(otherwise)
    elif cursor:
        session.out.say(f"More: the same command with --cursor {cursor}")
