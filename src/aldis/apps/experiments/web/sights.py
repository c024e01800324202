"""The tracks that one person may see, each portion as it was said last: by its record, or live since then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aldis.app import Context, Live, Query
from aldis.apps.experiments.entity import GROUPS, Track
from aldis.apps.experiments.kinds import TRACK
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["MOST", "Key", "Part", "Sight", "Sights", "one"]

MOST = 2_000
"""Tracks that a picture shows: those whose records came last."""
_PAGE = 200
_VALUES = 6
_AGAIN_MS = 2_000
Key = tuple[str, str]
"""The node that says it, and the id that it gives it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A portion: its value in the entity model, its label, the node it came from, and when that node said it."""

    value: Any
    label: Label
    node: str
    at: int
    live: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """One track as far as it may be seen; `header` is the label of its existence."""

    key: Key
    header: Label
    parts: Mapping[str, Part]

    @property
    def labels(self) -> Iterable[Label]:
        """The label of everything in it."""
        return (self.header, *(part.label for part in self.parts.values()))

    @property
    def track(self) -> Track:
        """What it says, as the entity model has it."""
        return Track(key=self.key[1], **{name: part.value for name, part in self.parts.items()})


@dataclass(slots=True)
class _Held:
    """What is known of one track: its record's portions, and by portion the live values that may be seen."""

    header: Label | None = None
    created: int = 0
    recorded: dict[str, Part] = field(default_factory=dict)
    live: dict[str, tuple[Live, Part | None]] = field(default_factory=dict)
    record: Record | None = None

    def take(self, record: Record) -> None:
        """Hold this version."""
        self.record, self.header, self.created = record, record.label, record.header.created
        self.recorded = dict(_parts(record))

    def sight(self, key: Key) -> Sight | None:
        """Its portions as they were said last."""
        if self.header is None:
            return None
        parts = dict(self.recorded)
        for name, (live, part) in self.live.items():
            if live.update.at >= self.created and part is not None:  # else the record knows better, were it by silence
                parts[name] = part
        return Sight(key, self.header, {name: parts[name] for name in GROUPS if name in parts})


class Sights:
    """What somebody sees, looked at again and again: live values each time, records every two seconds.

    Live values stand before those of a record that is older. Of nothing that may not be seen is anything kept.
    """

    def __init__(self) -> None:
        self._held: dict[Key, _Held] = {}
        self._read_at = 0
        self._moves = -1
        self.read = 0
        """How often the records were read."""

    def look(self, ctx: Context) -> set[Key]:
        """Take in what may be seen by now, and return which tracks came, changed or went."""
        now, changed = ctx.now(), set[Key]()
        if not self.read or not 0 <= now - self._read_at < _AGAIN_MS:
            self._read_at = now
            self._read(ctx, changed)
            self._moves = -1
        moves = ctx.moves
        if moves != self._moves:
            self._moves = moves
            self._hear(ctx, changed)
        return changed

    def get(self, key: Key) -> Sight | None:
        """A track as it is by now; None where there is none to be seen."""
        held = self._held.get(key)
        return held.sight(key) if held is not None else None

    def _read(self, ctx: Context, changed: set[Key]) -> None:
        self.read += 1
        found: dict[Key, Record] = {}
        cursor = ""
        while len(found) < MOST:
            page = ctx.find(Query(kind=TRACK.name, limit=_PAGE, cursor=cursor))
            for record in page.records:
                found[record.header.originator, record.header.id] = record
            cursor = page.next
            if not cursor:
                break
        for key, held in list(self._held.items()):
            if key not in found and held.record is not None:
                held.record, held.recorded, held.created = None, {}, 0
                changed.add(key)
                if not held.live:
                    del self._held[key]
        for key, record in found.items():
            held = self._held.setdefault(key, _Held())
            if held.record is None or not _same(held.record, record):
                held.take(record)
                changed.add(key)

    def _hear(self, ctx: Context, changed: set[Key]) -> None:
        told: defaultdict[Key, dict[str, Live]] = defaultdict(dict)
        node = ctx.node
        for live in ctx.latest(TRACK.name, "", MOST * _VALUES):
            update = live.update
            told[live.source or node, update.id][update.portion] = live
        for key, held in list(self._held.items()):
            if held.live and key not in told:
                held.live.clear()
                changed.add(key)
                if held.record is None:
                    del self._held[key]
        for key, values in told.items():
            if key not in self._held:
                self._held[key] = _Held()
            held = self._held[key]
            before = held.live
            after: dict[str, tuple[Live, Part | None]] = {}
            for name, live in values.items():
                was = before.get(name)
                if was is not None and was[0].update is live.update and was[0].label == live.label:
                    after[name] = was
                else:
                    after[name] = (live, _heard(key[0], live))
                    changed.add(key)
            if held.record is None:
                held.header = live.header
            if len(after) != len(before):
                changed.add(key)
            held.live = after


def one(ctx: Context, key: Key) -> Sight | None:
    """One track as it may be seen now; None where there is none or it may not be known of."""
    held = _Held()
    with suppress(UnknownTerm):
        record = ctx.get(key[1], originator=key[0])
        if record.header.kind == TRACK.name:
            held.take(record)
    for live in ctx.latest(TRACK.name, "", MOST * _VALUES):
        if (live.source or ctx.node, live.update.id) == key and live.update.portion not in held.live:
            held.live[live.update.portion] = (live, _heard(key[0], live))
            held.header = held.header or live.header
    return held.sight(key)


def _same(one: Record, other: Record) -> bool:
    """Whether it is the same version, with the same portions in sight."""
    return one.digest == other.digest and [part.name for part in one.portions] == [part.name for part in other.portions]


def _parts(record: Record) -> Iterable[tuple[str, Part]]:
    header = record.header
    for portion in record.portions:
        value = _read(portion.name, portion.value)
        if value is not None:
            yield portion.name, Part(value, portion.label, header.originator, header.created, live=False)


def _heard(node: str, live: Live) -> Part | None:
    value = _read(live.update.portion, live.update.value)
    return Part(value, live.label, node, live.update.at, live=True) if value is not None else None


def _read(name: str, value: Any) -> Any:
    """A group of the entity model; None for what another version of this program wrote."""
    if name not in GROUPS:
        return None
    try:
        return msgspec.convert(value, GROUPS[name])
    except msgspec.ValidationError:
        return None
