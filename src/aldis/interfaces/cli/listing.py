"""`aldis list` and `aldis search`: what is here, newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

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

__all__ = ["list_", "search", "summary"]

_AGREEING = frozenset({SHEET, *(kind.name for kind in KINDS)})
_Command = Callable[..., None]


def _narrowing(command: _Command) -> _Command:
    """The options that a list and a search have in common."""
    for option in (
        click.option(
            "--as",
            "viewer",
            metavar="WHO",
            default="",
            help="Only what a partner, or a signed-in person:ID, may see.",
        ),
        click.option("--cursor", metavar="C", default="", help="Go on where the page before ended."),
        click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="Records in a page."),
        click.option("--project", metavar="P", default="", help="Only of this project."),
        click.option("--kind", metavar="KIND", default="", help="Only of this kind; `aldis apps` lists them."),
    ):
        command = option(command)
    return command


@click.command("list")
@_narrowing
@click.option("--all", "every", is_flag=True, help="Instruments, signatures and notices too.")
@pass_session
def list_(session: Session, viewer: str, cursor: str, limit: int, project: str, kind: str, every: bool) -> None:
    """List the newest version of each record, the newest arrival first.

    Where stdout is no terminal, each record is a line of id, version, kind, project, banner, originator, day and
    title, with tabs between them. At a node paired with others of its party, a line also says, before the title,
    through which node the record came and how high that one is, and the marking of all that is listed stands above.
    """
    node = session.node
    page = node.records.page(
        kind=kind,
        project=project,
        cursor=cursor,
        limit=limit,
        viewer=viewer_named(session, viewer) if viewer else "",
        without=() if every or kind else _AGREEING,
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
    _more(session, found, page.next, "`aldis put --help` shows how to store one")


@click.command("search")
@click.argument("text", nargs=-1, required=True)
@_narrowing
@pass_session
def search(
    session: Session, text: tuple[str, ...], viewer: str, cursor: str, limit: int, project: str, kind: str
) -> None:
    """Find records with a portion that has all the words of TEXT, the newest arrival first.

    Where stdout is no terminal, each hit is a line of id, version, portion, its mark and the words around, with tabs
    between them.
    """
    node = session.node
    seen_by = viewer_named(session, viewer) if viewer else ""
    hits = node.records.search(" ".join(text), kind=kind, project=project, cursor=cursor, limit=limit, viewer=seen_by)
    marks, found = Marks.of(node), list[dict[str, Any]]()
    for hit in hits.hits:
        part = hit.row.record().portion(hit.portion)
        mark = marks.write(part.label, hit.row.created, portion=True) if part else ""
        found.append({**summary(node, hit.row), "portion": hit.portion, "mark": mark, "snippet": hit.snippet})
    rows = [(one["id"], str(one["version"]), one["portion"], one["mark"], one["snippet"]) for one in found]
    session.out.table({"records": found, "next": hits.next}, ("id", "v", "portion", "mark", "words"), rows, ("v",))
    _more(session, found, hits.next, "try fewer words, or `aldis list`")


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


def _more(session: Session, found: list[dict[str, Any]], cursor: str | None, otherwise: str) -> None:
    if not found:
        session.out.say("Nothing found.")
        session.out.next(otherwise)
    elif cursor:
        session.out.say(f"More: the same command with --cursor {cursor}")
