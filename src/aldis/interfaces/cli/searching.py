"""`aldis search`: records by their words, or by what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from aldis.interfaces.cli.filtering import filters_of, narrowing
from aldis.interfaces.cli.listing import more, summary
from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import count
from aldis.interfaces.cli.viewers import viewer_named
from aldis.kernel.errors import InvalidInput
from aldis.node.node import Node
from aldis.node.store import Hit

__all__ = ["HEADINGS", "OPTIONAL", "found_rows", "found_values", "search"]

HEADINGS = ("id", "v", "portion", "mark", "words")
OPTIONAL = ("v",)


@click.command("search")
@click.argument("text", nargs=-1)
@click.option("--meaning", is_flag=True, help="By what TEXT means, the most alike first.")
@click.option("--index", is_flag=True, help="Index by meaning what is here, and keep it so from then on.")
@narrowing
@pass_session
def search(
    session: Session, /, text: tuple[str, ...], meaning: bool, index: bool, viewer: str, cursor: str, limit: int,
    **given: Any,
) -> None:  # fmt: skip
    """Find records with a portion that has all the words of TEXT, the newest arrival first.

    With --meaning, records with a portion that says much the same in whatever words, as an embedding model on this
    machine has it; run `aldis search --index` once before.

    Where stdout is no terminal, each hit is a line of id, version, portion, its mark and the words around, with tabs
    between them; and with --meaning, `close`, `near` or `loose` before the words.
    """
    node = session.node
    if index:
        if text:
            raise InvalidInput("--index takes no TEXT", fix="Index first, then search")
        _index(session)
        return
    seen_by, filters, words = (
        viewer_named(session, viewer) if viewer else "",
        filters_of(session, given),
        " ".join(text),
    )
    look = node.records.alike if meaning else node.records.search
    hits = look(words, cursor=cursor, limit=limit, viewer=seen_by, filters=filters)
    if meaning and not viewer and (waiting := node.meaning.state().waiting):
        session.out.say(f"{count(waiting, 'record')} not indexed yet: `aldis up` or `aldis search --index` goes on.")
    found = found_values(node, hits.hits)
    headings = (*HEADINGS[:4], "like", "words") if meaning else HEADINGS
    session.out.table({"records": found, "next": hits.next}, headings, found_rows(found, meaning), OPTIONAL)
    more(session, found, hits.next, "try other words, or `aldis list`")


def found_values(node: Node, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Hits as data."""
    marks, found = Marks.of(node), list[dict[str, Any]]()
    for hit in hits:
        part = hit.row.record().portion(hit.portion)
        mark = marks.write(part.label, hit.row.created, portion=True) if part else ""
        like = {"closeness": hit.closeness} if hit.closeness else {}
        found.append({**summary(node, hit.row), "portion": hit.portion, "mark": mark, "snippet": hit.snippet, **like})
    return found


def found_rows(found: Sequence[dict[str, Any]], meaning: bool = False) -> list[tuple[str, ...]]:
    """Hits as the rows of a table."""
    return [
        (one["id"], str(one["version"]), one["portion"], one["mark"],
         *((one["closeness"],) if meaning else ()), one["snippet"] or one["title"])
        for one in found
    ]  # fmt: skip


def _index(session: Session) -> None:
    """Bring the index by meaning up to date; Ctrl-C stops it, and it goes on where it was."""
    meaning = session.node.meaning
    meaning.begin()
    waiting = meaning.state().waiting
    with session.out.progress("indexing") as told:
        while meaning.step():
            told(waiting - min(meaning.state().waiting, waiting), waiting)
    state = meaning.state()
    done = {"indexed": state.windows, "waiting": state.waiting}
    session.out.data(done, f"{count(state.windows, 'passage')} indexed by meaning.")
    session.out.next("`aldis search --meaning TEXT`; `aldis up` keeps the index as records arrive")
