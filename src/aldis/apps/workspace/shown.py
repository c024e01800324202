"""What the HTTP API answers: items with their markings in words, for whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from aldis.app import Context
from aldis.apps.workspace.agenda import Slot
from aldis.apps.workspace.board import Card
from aldis.apps.workspace.feed import Entry
from aldis.apps.workspace.items import Item
from aldis.apps.workspace.papers import Marker
from aldis.kernel.labels import Label
from aldis.kernel.preview import Preview

__all__ = [
    "BriefShown",
    "CardShown",
    "DayShown",
    "EntryShown",
    "GainShown",
    "ItemShown",
    "PortionShown",
    "ReplyShown",
    "Shower",
    "WordShown",
    "brief_labels",
]


class PortionShown(msgspec.Struct, frozen=True):
    """One portion: its marking, and what it says."""

    marking: str
    value: Any


class ItemShown(msgspec.Struct, frozen=True):
    """One record; `marking` is that of its existence, `banner` the roll-up of all that is shown; times in ms."""

    node: str
    id: str
    party: str
    kind: str
    version: int
    author: str
    created: int
    marking: str
    banner: str
    portions: dict[str, PortionShown]


class WordShown(msgspec.Struct, frozen=True):
    """What one nation says of where an item stands."""

    state: str
    item: ItemShown


class ReplyShown(msgspec.Struct, frozen=True):
    """A post of a thread; `depth` 1 answers the item itself."""

    depth: int
    item: ItemShown


class CardShown(msgspec.Struct, frozen=True):
    """An item with every nation's word and the whole thread."""

    item: ItemShown
    state: str
    said: list[WordShown]
    replies: list[ReplyShown]
    banner: str


class BriefShown(msgspec.Struct, frozen=True):
    """An item as a list has it; `differs` where nations do not agree on where it stands."""

    node: str
    id: str
    party: str
    kind: str
    state: str
    differs: bool
    title: str
    owner: str
    due: date | None
    banner: str


class EntryShown(msgspec.Struct, frozen=True):
    """Something that happened, when it came here (ms), and the item that it is about."""

    at: int
    verb: str
    state: str
    about: BriefShown
    item: ItemShown


class DayShown(msgspec.Struct, frozen=True):
    """Something on the calendar; `at` is when it begins (ms) where it is not all day."""

    first: date
    last: date
    at: int | None
    item: BriefShown


class GainShown(msgspec.Struct, frozen=True):
    """What one node would newly get: ids of records, and of those that a release officer would decide on.

    Another node's record is named as NODE/ID.
    """

    node: str
    party: str
    records: list[str]
    referred: list[str]


class Shower:
    """Shows items to whoever a context is bound to."""

    def __init__(self, ctx: Context) -> None:
        self._marker = Marker(ctx)
        self._parties: Mapping[str, str] = ctx.parties()

    def banner(self, labels: Iterable[Label]) -> str:
        """The roll-up in words."""
        return self._marker.banner(frozenset(labels))

    def item(self, item: Item) -> ItemShown:
        """One record."""
        return ItemShown(
            node=item.ref.node,
            id=item.ref.id,
            party=self._parties.get(item.ref.node, ""),
            kind=item.kind,
            version=item.version,
            author=item.author,
            created=item.created,
            marking=self._marker.show(item.label),
            banner=self.banner(item.labels),
            portions={
                part.name: PortionShown(self._marker.show(part.label), msgspec.to_builtins(part.value, str_keys=True))
                for part in item.parts
            },
        )

    def card(self, card: Card) -> CardShown:
        """An item with all that was said about it."""
        return CardShown(
            item=self.item(card.item),
            state=card.state,
            said=[WordShown(said.state, self.item(said.item)) for said in card.said],
            replies=[ReplyShown(reply.depth, self.item(reply.item)) for reply in card.replies],
            banner=self.banner(card.labels),
        )

    def brief(self, card: Card) -> BriefShown:
        """An item of a list."""
        item = card.item
        return BriefShown(
            node=item.ref.node,
            id=item.ref.id,
            party=self._parties.get(item.ref.node, ""),
            kind=item.kind,
            state=card.state,
            differs=card.differs,
            title=item.title,
            owner=item.plan.owner or "",
            due=item.plan.due,
            banner=self.banner(brief_labels(card)),
        )

    def entry(self, entry: Entry) -> EntryShown:
        """Something that happened."""
        return EntryShown(entry.at, entry.verb, entry.said, self.brief(Card(entry.about)), self.item(entry.item))

    def day(self, slot: Slot) -> DayShown:
        """Something on the calendar."""
        return DayShown(slot.first, slot.last, slot.at, self.brief(slot.card))

    def gains(self, preview: Preview) -> list[GainShown]:
        """What a preview says."""
        return [GainShown(gain.node, gain.party, [*gain.records], [*gain.referred]) for gain in preview.gains]


def brief_labels(card: Card) -> list[Label]:
    """The labels of what a list shows of a card: that it is there, its title and plan, and where it stands."""
    parts = [card.item.seen(name) for name in ("title", "plan", "time")]
    words = [part.label for said in card.said for part in said.item.parts if part.name == "progress"]
    return [card.item.label, *(part.label for part in parts if part is not None), *words]
