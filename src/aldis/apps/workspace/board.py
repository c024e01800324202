"""The board of a project: a pure fold over the records that one may see.

Its laws: whatever the order of arrival, and whichever records come twice, the board is that of the set of records; who
sees the same records has the same board, byte for byte. A record that is not in sight leaves no trace: what is about it
is not on the board either, nor in any count. Nothing that two nations wrote at once is lost: each said it in a record
of its own, and both are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from aldis.apps.workspace.items import Item, about_of, item_of
from aldis.apps.workspace.kinds import COLUMNS, About, Progress, Ref
from aldis.kernel.encoding import sha256
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["Board", "Card", "Reply", "Said", "fold"]

_RESPONSES = ("progress", "post")
_REMEMBERED = 32


class Said(msgspec.Struct, frozen=True):
    """What one nation says of where something stands."""

    state: str
    item: Item


class Reply(msgspec.Struct, frozen=True):
    """A post below what it is about; `depth` is 1 for an answer to the card itself."""

    depth: int
    item: Item


class Card(msgspec.Struct, frozen=True):
    """Something with all that was said about it: newest word first, replies in the order of their thread.

    `state` is the latest word, by the time that its author gives it and then by node; "" where the kind has no states.
    """

    item: Item
    state: str = ""
    said: tuple[Said, ...] = ()
    replies: tuple[Reply, ...] = ()

    def __contains__(self, ref: Ref) -> bool:
        """Whether an item is this one, or about it."""
        items = (self.item, *(said.item for said in self.said), *(reply.item for reply in self.replies))
        return any(item.ref == ref for item in items)

    @property
    def differs(self) -> bool:
        """Whether nations say different things of where it stands."""
        return len({said.state for said in self.said}) > 1

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels of all that is in sight of it."""
        more = (*(said.item for said in self.said), *(reply.item for reply in self.replies))
        return (*self.item.labels, *(label for item in more for label in item.labels))


class Board(msgspec.Struct, frozen=True):
    """A project as somebody sees it; cards by time, oldest first."""

    cards: tuple[Card, ...]
    _by_ref: dict[Ref, Card] = msgspec.field(default_factory=dict)

    def of(self, *kinds: str) -> tuple[Card, ...]:
        """The cards of these kinds."""
        return tuple(card for card in self.cards if card.item.kind in kinds)

    def get(self, ref: Ref) -> Card | None:
        """The card of an item that is no response."""
        return self._by_ref.get(ref)

    @property
    def charter(self) -> Item | None:
        """The first charter; where several nations wrote one, the others stand beside it."""
        return next((card.item for card in self.cards if card.item.kind == "charter"), None)

    @property
    def items(self) -> tuple[Item, ...]:
        """Every item on it, responses too."""
        return tuple(
            item
            for card in self.cards
            for item in (card.item, *(said.item for said in card.said), *(reply.item for reply in card.replies))
        )

    def columns(self, kind: str) -> Mapping[str, tuple[Card, ...]]:
        """The cards of a kind by state, those first that are due first."""
        cards = sorted(self.of(kind), key=lambda card: (_due(card), card.item.key))
        return {state: tuple(card for card in cards if card.state == state) for state in COLUMNS[kind]}


_known: dict[bytes, Board] = {}


def fold(records: Iterable[Record]) -> Board:
    """The board of these records of one project, all of its kinds and as one person may see them.

    A few boards are remembered, each by all that is in it: it answers for the very same records alone.
    """
    given = list(records)
    held = (
        (len(record.portions).to_bytes(2), record.digest, *(one.digest for one in record.portions)) for record in given
    )
    key = sha256(b"".join(part for parts in held for part in parts))
    board = _known.get(key)
    if board is None:
        for old in list(_known)[: len(_known) + 1 - _REMEMBERED]:
            _known.pop(old, None)
        board = _known[key] = _folded(given)
    return board


def _content(record: Record) -> Iterable[bytes]:
    """What commits to a record and to the portions in sight of it."""
    return (len(record.portions).to_bytes(2), record.digest, *(portion.digest for portion in record.portions))


def _folded(records: Iterable[Record]) -> Board:
    items = _newest(records)
    about: defaultdict[Ref, list[Item]] = defaultdict(list)
    for item in items.values():
        target = about_of(item) if item.kind in _RESPONSES else None
        if target is not None:
            about[target].append(item)
    roots = [item for item in items.values() if _stands_alone(item)]
    cards = tuple(_card(item, about) for item in sorted(roots, key=lambda item: item.key))
    return Board(cards, {card.item.ref: card for card in cards})


def _newest(records: Iterable[Record]) -> dict[Ref, Item]:
    """The newest version of each record that was not deleted; of one version, the copy that shows most."""
    newest: dict[tuple[str, str], Record] = {}
    for record in records:
        header = record.header
        held = newest.get((header.originator, header.id))
        if held is None or _order(record) > _order(held):
            newest[header.originator, header.id] = record
    items = (item_of(record) for record in newest.values() if not record.header.deleted)
    return {item.ref: item for item in items}


def _order(record: Record) -> tuple[int, bytes, int, list[bytes]]:
    shown = sorted(portion.digest for portion in record.portions)
    return (record.header.version, record.digest, len(shown), shown)


def _stands_alone(item: Item) -> bool:
    """Whether it is a card: of a post only where it is in sight that it answers nothing."""
    return item.kind not in _RESPONSES or (item.part("thread", About) is not None and about_of(item) is None)


def _card(item: Item, about: Mapping[Ref, list[Item]]) -> Card:
    said = [
        Said(progress.state, one) for one in about.get(item.ref, ()) if (progress := one.part("progress", Progress))
    ]
    said = _each_nation(said)
    states = COLUMNS.get(item.kind, ())
    known = (one.state for one in said if one.state in states)
    return Card(item, next(known, states[0] if states else ""), tuple(said), tuple(_thread(item.ref, about)))


def _each_nation(said: list[Said]) -> list[Said]:
    """The last word of each node, the newest first."""
    last: dict[str, Said] = {}
    for one in sorted(said, key=lambda one: one.item.key):
        last[one.item.ref.node] = one
    return sorted(last.values(), key=lambda one: one.item.key, reverse=True)


def _thread(root: Ref, about: Mapping[Ref, list[Item]]) -> Iterable[Reply]:
    """Replies, each below what it answers, oldest first. A ring of posts hangs on nothing and is never reached."""
    waiting = [(1, root, iter(_posts(root, about)))]
    while waiting:
        depth, _, posts = waiting[-1]
        post = next(posts, None)
        if post is None:
            waiting.pop()
        else:
            yield Reply(depth, post)
            waiting.append((depth + 1, post.ref, iter(_posts(post.ref, about))))


def _posts(ref: Ref, about: Mapping[Ref, list[Item]]) -> list[Item]:
    return sorted((item for item in about.get(ref, ()) if item.kind == "post"), key=lambda item: item.key)


def _due(card: Card) -> str:
    due = card.item.plan.due
    return due.isoformat() if due else "9999-99-99"
