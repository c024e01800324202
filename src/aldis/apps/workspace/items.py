"""Items: a record as a project shows it, with just the portions that one may see. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from aldis.apps.workspace.kinds import ABOUT, About, Plan, Progress, Ref, Time, by_name
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["Item", "Part", "about_of", "instant", "item_of"]

_Value = TypeVar("_Value")
_END_MS = 253_402_300_799_000
_REMEMBERED, _SMALL = 8_192, 8 * 1024


class Part(msgspec.Struct, frozen=True):
    """One portion in sight: text, or what else its kind says."""

    name: str
    label: Label
    value: Any


class Item(msgspec.Struct, frozen=True):
    """The newest version in sight of one record; `created` is its author's word, in ms since 1970 UTC."""

    ref: Ref
    kind: str
    project: str
    version: int
    created: int
    author: str
    digest: bytes
    label: Label
    parts: tuple[Part, ...]

    @property
    def key(self) -> tuple[int, str, str]:
        """Where it stands in time: the same at every node."""
        return (self.created, self.ref.node, self.ref.id)

    @property
    def title(self) -> str:
        """What people know it by; its id where the title is not in sight."""
        return self.text("title") or ("Members" if self.kind == "membership" else self.ref.id)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels of all that is in sight of it."""
        return (self.label, *(part.label for part in self.parts))

    @property
    def plan(self) -> Plan:
        """The plan of a task or milestone; an empty one where it is not in sight."""
        return self.part("plan", Plan) or Plan()

    @property
    def time(self) -> Time | None:
        """When an event is, where that is in sight."""
        return self.part("time", Time)

    def text(self, name: str) -> str:
        """The text of a portion; empty where it is not in sight."""
        part = self.seen(name)
        return part.value if part is not None and isinstance(part.value, str) else ""

    def part(self, name: str, of: type[_Value]) -> _Value | None:
        """The value of a portion, where it is in sight and of that type."""
        part = self.seen(name)
        return part.value if part is not None and isinstance(part.value, of) else None

    def seen(self, name: str) -> Part | None:
        """A portion in sight."""
        return next((part for part in self.parts if part.name == name), None)


_known: dict[tuple[bytes, ...], Item] = {}


def item_of(record: Record) -> Item:
    """The item that a record of one of the project kinds is; a portion that is not of its type is left out.

    Those of small records are remembered by what they hold.

    Raises:
        InvalidInput: a record of another kind.
    """
    if sum(len(portion.data) for portion in record.portions) > _SMALL:
        return _made(record)
    key = (record.digest, *(portion.digest for portion in record.portions))
    found = _known.get(key)
    if found is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        found = _known[key] = _made(record)
    return found


def _made(record: Record) -> Item:
    header = record.header
    kind = by_name(header.kind)
    parts = []
    for portion in sorted(record.portions, key=lambda portion: list(kind.portions).index(portion.name)):
        try:
            value = msgspec.json.decode(portion.raw_value, type=kind.portions[portion.name])
        except (msgspec.MsgspecError, RecursionError, ValueError):
            continue
        parts.append(Part(portion.name, portion.label, value))
    return Item(
        ref=Ref(header.originator, header.id),
        kind=header.kind,
        project=header.project,
        version=header.version,
        created=header.created,
        author=header.author,
        digest=record.digest,
        label=record.label,
        parts=tuple(parts),
    )


def instant(at: int) -> datetime:
    """The instant of ms since 1970 UTC; what a partner wrote may lie beyond all calendars, and is the last of them."""
    return datetime.fromtimestamp(min(at, _END_MS) // 1000, UTC)


def about_of(item: Item) -> Ref | None:
    """What an item is about, where it is about another one and that is in sight."""
    said = item.seen(ABOUT.get(item.kind, ""))
    value = said.value if said is not None else None
    return value.about if isinstance(value, About | Progress) else None
