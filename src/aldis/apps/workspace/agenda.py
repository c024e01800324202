"""The calendar of a project: events, and when milestones and tasks are due; also as iCalendar (RFC 5545)."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from types import ModuleType
from typing import Any

import msgspec

from aldis.apps.workspace.board import Board, Card
from aldis.apps.workspace.items import Item, instant
from aldis.apps.workspace.papers import Marker
from aldis.kernel.errors import InvalidInput, Unavailable
from aldis.kernel.labels import Label

__all__ = ["Slot", "agenda", "icalendar_of", "month", "month_named"]

_DATED = ("event", "milestone", "task")
_DONE = ("done", "dropped")
_LAST = date.max - timedelta(days=1)
_CRLF_FREE = str.maketrans({"\r": " ", "\n": " "})


class Slot(msgspec.Struct, frozen=True):
    """Something on a calendar: from its first to its last UTC day.

    `at` is when it begins, in ms since 1970, where it is not all day.
    """

    first: date
    last: date
    card: Card
    at: int | None = None

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels of what it shows."""
        return self.card.item.labels


def agenda(board: Board) -> list[Slot]:
    """All that has a day, in its order."""
    slots = [slot for card in board.of(*_DATED) if (slot := _slot(card)) is not None]
    return sorted(slots, key=lambda slot: (slot.first, slot.at or 0, slot.card.item.key))


def month(slots: Iterable[Slot], year: int, number: int) -> list[list[tuple[date, tuple[Slot, ...]]]]:
    """The weeks of a month, Monday first, each day with what is on it; days of the months beside it fill the weeks."""
    weeks = calendar.Calendar().monthdatescalendar(year, number)
    first, last = weeks[0][0], weeks[-1][-1]
    here = [slot for slot in slots if slot.first <= last and slot.last >= first]
    return [[(day, tuple(slot for slot in here if slot.first <= day <= slot.last)) for day in week] for week in weeks]


def month_named(name: str, now: int) -> tuple[int, int]:
    """The year and month of `YYYY-MM`, or of the instant `now` (ms since 1970 UTC) where the name is empty.

    Raises:
        InvalidInput: no month from year 1900 to 2999.
    """
    if not name:
        today = instant(now)
        return today.year, today.month
    year, _, number = name.partition("-")
    if not (len(year) == 4 and year.isdecimal() and len(number) == 2 and number.isdecimal()):
        raise InvalidInput(f"{name[:20]!r} is no month", fix="Write it as 2026-10")
    if not (1900 <= int(year) <= 2999 and 1 <= int(number) <= 12):
        raise InvalidInput(f"{name[:20]!r} is no month from 1900 to 2999", fix="Write it as 2026-10")
    return int(year), int(number)


def icalendar_of(board: Board, title: str, marker: Marker) -> str:
    """The calendar as RFC 5545: VEVENT for events and milestones, VTODO for tasks, each marked; lines end in CRLF.

    A UID is made of the item's id and node, so it stays the same wherever and however often it is exported.

    Raises:
        Unavailable: the extra `workspace` is not installed.
    """
    library = _library()
    made = library.Calendar()
    made.add("prodid", "-//Aldis//workspace//EN")
    made.add("version", "2.0")
    slots = agenda(board)
    labels = frozenset(label for slot in slots for label in slot.labels) | frozenset(_title_labels(board))
    made.add("x-wr-calname", title)
    made.add("x-aldis-banner", marker.banner(labels).translate(_CRLF_FREE))
    for slot in slots:
        made.add_component(_component(library, slot, marker))
    for card in board.of("task"):
        if card.item.plan.due is None:
            made.add_component(_component(library, Slot(date.min, date.min, card), marker))
    return bytes(made.to_ical()).decode()


def _slot(card: Card) -> Slot | None:
    item = card.item
    if item.kind != "event":
        due = item.plan.due
        return Slot(due, due, card) if due is not None else None
    time = item.time
    if time is None:
        return None
    return Slot(_day(time.start), _day(time.end), card, None if time.all_day else time.start)


def _component(library: ModuleType, slot: Slot, marker: Marker) -> Any:
    item, time = slot.card.item, slot.card.item.time
    made = library.Todo() if item.kind == "task" else library.Event()
    made.add("uid", f"{item.ref.id}.{item.ref.node}@aldis.invalid")
    made.add("dtstamp", instant(item.created))
    made.add("summary", _marked(item, "title", marker) or f"{item.kind} {item.ref.id}")
    for name, portion in (("description", "details"), ("location", "place")):
        if text := _marked(item, portion, marker):
            made.add(name, text)
    banner = marker.banner(frozenset(item.labels))
    made.add("class", "CONFIDENTIAL")
    made.add("x-aldis-marking", banner.translate(_CRLF_FREE))
    made.add("sequence", item.version - 1)
    if item.kind == "task":
        made.add("status", _status(slot.card))
        if item.plan.due is not None:
            made.add("due", item.plan.due)
    elif slot.at is not None and time is not None:
        made.add("dtstart", instant(time.start))
        made.add("dtend", instant(time.end))
    else:
        made.add("dtstart", slot.first)
        made.add("dtend", min(slot.last, _LAST) + timedelta(days=1))
    return made


def _marked(item: Item, portion: str, marker: Marker) -> str:
    """A text with its portion mark before it; empty where it is not in sight."""
    part = item.seen(portion)
    return f"{marker.show(part.label, portion=True)} {part.value}" if part is not None and part.value else ""


def _status(card: Card) -> str:
    if card.state == "dropped":
        return "CANCELLED"
    return "COMPLETED" if card.state in _DONE else "IN-PROCESS" if card.state == "doing" else "NEEDS-ACTION"


def _title_labels(board: Board) -> Sequence[Label]:
    """The labels of tasks without a day, and of the charter, whose title the calendar bears."""
    cards = [card for card in board.of("task") if card.item.plan.due is None]
    charter = board.charter
    return [
        label for item in [*(card.item for card in cards), *([charter] if charter else [])] for label in item.labels
    ]


def _day(at: int) -> date:
    return instant(at).date()


def _library() -> ModuleType:
    try:
        import icalendar  # noqa: PLC0415 - an optional extra, slow to import
    except ImportError as error:
        raise Unavailable("calendars need the package icalendar", fix="Install aldis[workspace]") from error
    return icalendar
