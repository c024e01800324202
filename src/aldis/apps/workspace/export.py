"""A project as plain files: Markdown for what people write, CSV for tasks, iCalendar for days. Nobody is locked in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aldis.apps.workspace.agenda import icalendar_of
from aldis.apps.workspace.board import Card
from aldis.apps.workspace.items import Item, instant
from aldis.apps.workspace.markdown import write_markdown
from aldis.apps.workspace.papers import Marker, paper_of
from aldis.apps.workspace.project import Project
from aldis.apps.workspace.tables import write_rows, write_tasks

__all__ = ["CALENDAR", "TASKS", "WORDS", "export"]

TASKS, WORDS, CALENDAR = "tasks.csv", "words.csv", "calendar.ics"
_WORDS = ("item", "node", "state", "note", "at", "marking", "banner")


def export(project: Project) -> Mapping[str, str]:
    """The files by path, of all that whoever asks may see, each with its banner; what they may not see is not there.

    `words.csv` holds each nation's word on each item, and `calendar.ics` the days: both are for people and other
    programs, and are not read back. Files are numbered by time, for a title in a file's name would lose its marking.

    Raises:
        Unavailable: the extra `workspace` is not installed.
    """
    marker = Marker(project.ctx)
    charter = project.board.charter
    files = dict(_markdown(project, marker))
    tasks = project.board.of("task")
    banner = marker.banner(frozenset(label for card in tasks for label in card.labels))
    files[TASKS] = write_tasks([paper_of(card, marker, _when) for card in tasks], banner)
    files[WORDS] = _words(project, marker)
    title = (charter.text("title") if charter else "") or project.name
    files[CALENDAR] = icalendar_of(project.board, title, marker)
    return files


def _markdown(project: Project, marker: Marker) -> Iterator[tuple[str, str]]:
    counts: dict[str, int] = {}
    posts = [reply.item for card in project.board.cards for reply in card.replies]
    cards: list[Card | Item] = [card for card in project.board.cards if card.item.kind != "task"]
    for one in [*cards, *sorted(posts, key=lambda item: item.key)]:
        item = one.item if isinstance(one, Card) else one
        counts[item.kind] = counts.get(item.kind, 0) + 1
        shown = {part.name: marker.show(part.label, portion=True) for part in item.parts}
        yield f"{item.kind}/{counts[item.kind]:05}.md", write_markdown(paper_of(one, marker, _when), shown)


def _words(project: Project, marker: Marker) -> str:
    words = [(card, said) for card in project.board.cards for said in card.said]
    banner = marker.banner(frozenset(label for _, said in words for label in said.item.labels))
    rows = [
        {
            "item": str(card.item.ref),
            "node": said.item.ref.node,
            "state": said.state,
            "note": said.item.text("note"),
            "at": _when(said.item.created),
            "marking": marker.write(said.item.label, said.item.ref.node),
            "banner": banner,
        }
        for card, said in words
    ]
    return write_rows(_WORDS, rows)


def _when(at: int) -> str:
    return instant(at).strftime("%Y-%m-%dT%H:%M:%SZ")
