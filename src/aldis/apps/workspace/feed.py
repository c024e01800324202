"""What happened in a project, and what of it concerns whoever looks: computed from what they may see as they look."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

import msgspec

from aldis.app import Arrived
from aldis.apps.workspace.board import Board, Card
from aldis.apps.workspace.items import Item
from aldis.apps.workspace.kinds import Ref
from aldis.kernel.labels import Label

__all__ = ["Entry", "Mark", "concerns", "feed", "mark_of", "unread"]

_DAY_MS = 86_400_000
_SOON_DAYS = 7
_DONE = ("done", "dropped")
_PREFIX = 8
_EDGE = 4096


class Entry(msgspec.Struct, frozen=True):
    """One thing that happened: `at` is when it came to this node (ms since 1970 UTC), `about` the card it is on.

    `verb` is one of: added, revised, replied, said, assigned, due, overdue.
    """

    at: int
    verb: str
    item: Item
    about: Item
    said: str = ""

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels of what it shows: the item, and the title of the card."""
        return (*self.item.labels, *self.about.labels)


class Mark(msgspec.Struct, frozen=True):
    """Up to where somebody has read: the newest arrival that they were shown, and what came in that very instant."""

    at: int = 0
    edge: tuple[bytes, ...] = ()


def feed(board: Board, arrivals: Iterable[Arrived]) -> list[Entry]:
    """All that happened on a board, the newest arrival first."""
    at = {Ref(one.record.header.originator, one.record.header.id): one.at for one in arrivals}
    found = [entry for card in board.cards for entry in _of_card(card, at)]
    return sorted(found, key=lambda entry: (entry.at, entry.item.key), reverse=True)


def unread(entries: Iterable[Entry], mark: Mark) -> list[Entry]:
    """The entries that came after the mark."""
    edge = frozenset(mark.edge)
    return [
        entry
        for entry in entries
        if entry.at > mark.at or (entry.at == mark.at and entry.item.digest[:_PREFIX] not in edge)
    ]


def mark_of(entries: Sequence[Entry]) -> Mark:
    """The mark of somebody who was shown these entries."""
    at = max((entry.at for entry in entries), default=0)
    return Mark(at, tuple(sorted(entry.item.digest[:_PREFIX] for entry in entries if entry.at == at)[:_EDGE]))


def concerns(board: Board, fresh: Iterable[Entry], names: Collection[str], node: str, now: int) -> list[Entry]:
    """What concerns somebody of these names (id and name): answers to what they wrote here, what they are given to do,

    and what of that is due within a week, or overdue.
    """
    mine = {item.ref for item in board.items if item.ref.node == node and item.author in names}
    found = []
    for entry in fresh:
        if entry.item.ref in mine:
            continue
        if entry.about.plan.person in names and entry.verb in ("added", "revised"):
            found.append(msgspec.structs.replace(entry, verb="assigned"))
        elif entry.verb in ("replied", "said") and entry.about.ref in mine:
            found.append(entry)
    today = datetime.fromtimestamp(now // 1000, UTC).date()
    for card in board.of("task", "milestone"):
        verb = _urgency(card, today) if card.item.plan.person in names and names else ""
        if verb:
            found.append(Entry(now, verb, card.item, card.item))
    return found


def _urgency(card: Card, today: date) -> str:
    due = card.item.plan.due
    if due is None or card.state in _DONE:
        return ""
    days = (due - today).days
    return "overdue" if days < 0 else "due" if days <= _SOON_DAYS else ""


def _of_card(card: Card, at: Mapping[Ref, int]) -> Iterable[Entry]:
    yield _entry("revised" if card.item.version > 1 else "added", card.item, card.item, at)
    for said in card.said:
        yield _entry("said", said.item, card.item, at, said.state)
    for reply in card.replies:
        yield _entry("replied", reply.item, card.item, at)


def _entry(verb: str, item: Item, about: Item, at: Mapping[Ref, int], said: str = "") -> Entry:
    return Entry(at.get(item.ref, item.created), verb, item, about, said)
