"""The pages of projects that are read, at `/workspace`; the forms on them are in `forms`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from aldis.app import Context, Page, Shown
from aldis.apps.workspace.agenda import agenda, month, month_named
from aldis.apps.workspace.board import Card
from aldis.apps.workspace.enlisting import ENLISTING
from aldis.apps.workspace.feed import Entry
from aldis.apps.workspace.forms import FORMS
from aldis.apps.workspace.imports import IMPORTS
from aldis.apps.workspace.kinds import COLUMNS, PLAIN, Charter, Ref
from aldis.apps.workspace.project import Project, charters, writes
from aldis.apps.workspace.shown import brief_labels
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.labels import Label

__all__ = ["PAGES"]

_COLUMN = 100
_FEED = 200


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project."""

    name: str


class _Of(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project, and which of its items."""

    name: str
    kind: str = "task"
    state: str = ""


class _At(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item."""

    name: str
    node: str
    id: str


class _Month(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project, and a month as `2026-10`."""

    name: str
    month: str = ""


def _projects(ctx: Context, _asked: _Nothing) -> Shown:
    rows, labels = [], list[Label]()
    for item in charters(ctx):
        terms = item.part("charter", Charter)
        shown = [part for part in item.parts if part.name in ("title", "charter")]
        rows.append({"item": item, "parties": terms.parties if terms else [], "title": item.seen("title")})
        labels += [item.label, *(part.label for part in shown)]
    return Shown({"rows": rows, "writes": writes(ctx)}, labels)


def _home(ctx: Context, asked: _Named) -> Shown:
    project = Project.open(ctx, asked.name)
    charter, members = project.board.charter, project.board.of("membership")
    counts = {
        kind: {state: len(cards) for state, cards in project.board.columns(kind).items() if cards} for kind in COLUMNS
    }
    plain = {kind.name: len(project.board.of(kind.name)) for kind in PLAIN}
    news, concerns = project.news(), project.concerns()
    labels = [*(charter.labels if charter else ()), *(label for card in members for label in card.item.labels)]
    labels += _entry_labels([*news[:10], *concerns])
    counted = (card for card in project.board.of(*COLUMNS, *plain))
    labels += [label for card in counted for label in brief_labels(card)]
    values = {
        "charter": charter,
        "members": members,
        "counts": counts,
        "plain": plain,
        "news": news,
        "concerns": concerns,
    }
    own = charter is not None and charter.ref.node == ctx.node
    return _shown(project, values | {"extends": own and writes(ctx)}, labels)


def _board(ctx: Context, asked: _Of) -> Shown:
    project = Project.open(ctx, asked.name)
    if asked.kind not in COLUMNS or asked.state not in ("", *COLUMNS[asked.kind]):
        raise UnknownTerm("no such board", fix=f"There are boards of: {', '.join(COLUMNS)}")
    columns = project.board.columns(asked.kind)
    if asked.state:
        columns = {asked.state: columns[asked.state]}
    else:
        columns = {state: cards for state, cards in columns.items() if cards or state == "open"}
    most = None if asked.state else _COLUMN
    shown = {state: cards[:most] for state, cards in columns.items()}
    labels = [label for cards in columns.values() for card in cards for label in brief_labels(card)]
    more = {state: len(cards) - len(shown[state]) for state, cards in columns.items()}
    values = {"kind": asked.kind, "kinds": [*COLUMNS], "columns": shown, "more": more, "state": asked.state}
    return _shown(project, values, labels)


def _item(ctx: Context, asked: _At) -> Shown:
    project = Project.open(ctx, asked.name)
    card = project.home_of(Ref(asked.node, asked.id))
    states = COLUMNS.get(card.item.kind, ())
    milestone = project.board.get(card.item.plan.milestone) if card.item.plan.milestone else None
    labels = [*card.labels, *(brief_labels(milestone) if milestone else ())]
    return _shown(project, {"card": card, "states": states, "milestone": milestone}, labels)


def _members(ctx: Context, asked: _Named) -> Shown:
    project = Project.open(ctx, asked.name)
    members = project.board.of("membership")
    values = {"members": members, "here": ctx.node}
    return _shown(project, values, [label for card in members for label in card.item.labels])


def _listed(heading: str, *kinds: str) -> Callable[[Context, _Named], Shown]:
    """A page that lists the items of some kinds, those that are new last."""

    def handler(ctx: Context, asked: _Named) -> Shown:
        project = Project.open(ctx, asked.name)
        cards = project.board.of(*kinds)
        values = {"cards": cards, "heading": heading, "kinds": kinds}
        return _shown(project, values, [label for card in cards for label in brief_labels(card)])

    return handler


def _activity(ctx: Context, asked: _Named) -> Shown:
    project = Project.open(ctx, asked.name)
    entries, fresh, concerns = project.feed()[:_FEED], project.news(), project.concerns()
    values = {"entries": entries, "concerns": concerns, "any_new": bool(fresh), "fresh": fresh[:_FEED]}
    return _shown(project, values, _entry_labels([*entries, *concerns]))


def _calendar(ctx: Context, asked: _Month) -> Shown:
    project = Project.open(ctx, asked.name)
    year, number = month_named(asked.month, ctx.now())
    weeks = month(agenda(project.board), year, number)
    slots = {id(slot): slot for week in weeks for _, here in week for slot in here}
    first = date(year, number, 1)
    values = {
        "weeks": weeks,
        "first": first,
        "slots": sorted(slots.values(), key=lambda slot: (slot.first, slot.card.item.key)),
        "before": _month_of(year, number - 1),
        "after": _month_of(year, number + 1),
    }
    return _shown(project, values, [label for slot in slots.values() for label in brief_labels(slot.card)])


def _shown(project: Project, values: Mapping[str, Any], labels: Sequence[Label]) -> Shown:
    return Shown(
        {"project": project.name, "parties": project.ctx.parties(), "writes": writes(project.ctx), **values},
        [*project.known_by, *labels],
    )


def _entry_labels(entries: Iterable[Entry]) -> list[Label]:
    """The labels of what a line of activity shows: what it is about, and the word or post itself."""
    return [
        label
        for entry in entries
        for label in (
            *brief_labels(Card(entry.about)),
            *(entry.item.labels if entry.item.ref != entry.about.ref else ()),
        )
    ]


def _month_of(year: int, number: int) -> str:
    year, number = (year - 1, 12) if number == 0 else (year + 1, 1) if number == 13 else (year, number)
    return f"{year:04}-{number:02}"


_READ: Sequence[Page] = (
    Page("GET", "/", "Projects", _Nothing, _projects, "projects.html"),
    Page("GET", "/{name}/board", "Board", _Of, _board, "board.html"),
    Page("GET", "/{name}/items/{node}/{id}", "Item", _At, _item, "item.html"),
    Page("GET", "/{name}/members", "Members", _Named, _members, "members.html"),
    Page(
        "GET", "/{name}/documents", "Documents", _Named, _listed("Documents", "document", "technical-data"), "list.html"
    ),
    Page("GET", "/{name}/discussions", "Discussions", _Named, _listed("Discussions", "post"), "list.html"),
    Page("GET", "/{name}/files", "Files", _Named, _listed("Files", "file"), "list.html"),
    Page("GET", "/{name}/activity", "Activity", _Named, _activity, "activity.html"),
    Page("GET", "/{name}/calendar", "Calendar", _Month, _calendar, "calendar.html"),
)
PAGES: Sequence[Page] = (
    *_READ,
    *ENLISTING,
    *IMPORTS,
    *FORMS,
    Page("GET", "/{name}", "Project", _Named, _home, "project.html"),
)
"""In this order: what names a fixed word comes before what names any project."""
