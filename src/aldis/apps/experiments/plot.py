"""The plot: from what gateways decode to labelled records and live values, portion by portion.

Live values go out as they come; a durable version of each entity is written now and then. An entity's id is opaque, so
that it tells no vessel's number to a partner from whom the identity is withheld.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aldis.app import Context
from aldis.apps.experiments.entity import Decoded, Entity, Report, Task, Track
from aldis.apps.experiments.kinds import GATEWAY, KINDS, TRACK, kind_of, portion_of
from aldis.apps.experiments.picture import Picture
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Record, next_version

__all__ = ["Plot", "labels_of"]

RECORD_EVERY_MS = 5_000
"""A durable version is written at most this often; between versions changes are live only."""
_LIMIT = 20_000
_AT_ONCE = 1_000
_PORTIONS = {kind.name: tuple(kind.portions) for kind in KINDS}
_PLACES = tuple((name, Track.__struct_fields__.index(name)) for name in TRACK.portions)
_ALIKE = 256
_PREFIX = {"track": "trk-", "area": "area-", "tasking": "task-", "report": "rpt-", "environment": "env-"}
_PASSING = frozenset({"sensor", "timing"})
"""Portions that differ with every report; alone they make no new version, but for a doubt."""


@dataclass(slots=True)
class _Kept:
    """An entity as it is, under which labels, its newest record, and when that was written or found to say the same."""

    id: str
    entity: Entity
    systems: tuple[str, ...]
    words: tuple[str, ...]
    labels: Mapping[str, Label]
    known: set[str] = field(default_factory=set)
    """The portions of which something is known."""
    banner: str = ""
    record: Record | None = None
    at: int = 0


class Plot:
    """What one node's gateways make out, at most `limit` entities of all kinds but tracks, and as many tracks."""

    def __init__(
        self, context: Context, project: str, *, record_every_ms: int = RECORD_EVERY_MS, limit: int = _LIMIT
    ) -> None:
        self.picture = Picture(limit)
        self.recorded = 0
        self.refused = 0
        self._context = context
        self._banners: dict[tuple[tuple[tuple[str, Label], ...], tuple[str, ...]], str] = {}
        self._alike: dict[tuple[str, tuple[tuple[str, Label], ...]], Mapping[str, Label]] = {}
        for kind in KINDS:  # a marking that cannot be is told of before anything is heard
            labels_of(context, kind.name, context.labels(kind.name))
        self._project = project
        self._every = record_every_ms
        self._limit = 2 * limit
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._due: dict[tuple[str, str], None] = {}

    def take(self, decoded: Decoded, reporter: str = "") -> str:
        """Publish what something decoded changes, and return its record's id; `settle` records it.

        `reporter` is the system that said it, and after a slash the peer of its link.
        """
        seen, system = decoded.entity, reporter.partition("/")[0]
        kind = kind_of(seen)
        slot = (kind.name, seen.key)
        kept = self._kept.get(slot)
        if kept is None:
            if len(self._kept) >= self._limit:
                self._forget()
            words = _foreign_words(seen)
            labels = self._marked(*slot, (system,), words)
            kept = self._kept[slot] = _Kept(self.id_of(*slot), seen, (system,), words, labels)
            before = None
        else:
            before = kept.entity
        if isinstance(seen, Track):
            kept.entity = self.picture.update(seen, reporter)
        else:
            kept.entity = self._referring(seen)
        words = _foreign_words(kept.entity)
        if system not in kept.systems or words != kept.words:
            kept.systems, kept.words = (*dict.fromkeys((*kept.systems, system)),), words
            kept.labels, kept.banner = self._marked(*slot, kept.systems, words), ""
        self._publish(kind.name, kept, _changed(kind.portions, before, kept.entity))
        self._due[slot] = None
        return kept.id

    def settle(self, now: int) -> None:
        """Record what has changed and was not recorded lately, in one transaction."""
        self._record(self._ripe(now), now)

    async def settle_beside(self, now: int) -> None:
        """As `settle`, but the disk is waited for in a thread, and what is heard meanwhile goes on; one at a time."""
        drafts = self._drafts(self._ripe(now), now)
        if not drafts:
            return
        putting = asyncio.ensure_future(asyncio.to_thread(lambda: list(self._put(drafts))))
        try:
            await asyncio.shield(putting)
        finally:  # what has begun ends, also where nobody waits for it any more
            self._hold(await putting)

    def _ripe(self, now: int) -> list[tuple[str, str]]:
        due: list[tuple[str, str]] = []
        for slot in self._due:
            kept = self._kept.get(slot)
            if kept is None or kept.record is None or now - kept.at >= self._every:
                due.append(slot)
                if len(due) == _AT_ONCE:
                    break
        return due

    def flush(self, now: int) -> None:
        """Record everything that has changed since it was recorded."""
        while self._due:
            self._record(list(self._due)[:_AT_ONCE], now)

    def id_of(self, kind: str, key: str) -> str:
        """The opaque id of an entity's record."""
        return _PREFIX[kind] + self._context.opaque(key)

    def marking(self, kind: str, key: str) -> str:
        """The banner of all that is known of an entity."""
        kept = self._kept[kind, key]
        if not kept.banner:
            alike = (tuple(kept.labels.items()), tuple(name for name in _PORTIONS[kind] if name in kept.known))
            if alike not in self._banners:
                if len(self._banners) >= _ALIKE:
                    self._banners.clear()
                roll_up = self._context.banner([kept.labels["header"], *(kept.labels[name] for name in alike[1])])
                self._banners[alike] = self._context.marking(roll_up)
            kept.banner = self._banners[alike]
        return kept.banner

    def highest(self) -> str:
        """The banner of whatever a gateway may put, of every kind and however it is marked."""
        labels = [label for kind in KINDS for label in self._context.every_label(kind.name)]
        return self._context.marking(self._context.banner(labels))

    def _marked(self, kind: str, key: str, systems: Sequence[str], words: Sequence[str]) -> Mapping[str, Label]:
        """The labels of one entity: of what several systems spoke of, the join of what each is marked.

        Words of the source about who may have it are joined to them; those that the settings do not know hold it back.
        """
        each = [self._labels_of(kind, system, key) for system in systems]
        if len(each) == 1 and not words:
            return each[0]
        said = [self._context.foreign(one) for one in words]
        more = [label for label in said if label is not None]
        if len(more) < len(said):
            more = [label for labels in each for label in labels.values()]
        return {name: self._context.banner([*(labels[name] for labels in each), *more]) for name in each[0]}

    def _labels_of(self, kind: str, system: str, key: str) -> Mapping[str, Label]:
        """As `labels_of`, worked out once for all that is marked alike."""
        stated = self._context.labels(kind, system, key)
        alike = (kind, tuple(stated.items()))
        if alike not in self._alike:
            if len(self._alike) >= _ALIKE:
                self._alike.clear()
            self._alike[alike] = labels_of(self._context, kind, stated)
        return self._alike[alike]

    def _referring(self, entity: Entity) -> Entity:
        """The entity with the records' ids in place of the keys of tracks, which would name them."""
        if isinstance(entity, Task):
            by = self.id_of(TRACK.name, entity.issued_by) if entity.issued_by else None
            return msgspec.structs.replace(entity, assignee=self.id_of(TRACK.name, entity.assignee), issued_by=by)
        if isinstance(entity, Report) and entity.about:
            return msgspec.structs.replace(entity, about=self.id_of(TRACK.name, entity.about))
        return entity

    def _publish(self, kind: str, kept: _Kept, portions: Iterable[str]) -> None:
        labels, at = kept.labels, _moment(kept.entity) or self._context.now()
        values: list[tuple[Label, Update]] = []
        for portion in portions:
            value = portion_of(kept.entity, portion)
            if (value is not None) is not (portion in kept.known):
                kept.known ^= {portion}
                kept.banner = ""
            if value is not None:
                values.append((labels[portion], Update(kept.id, kind, portion, at, value)))
        self._context.publish_all(labels["header"], self._project, values)

    def _record(self, due: Iterable[tuple[str, str]], now: int) -> None:
        self._hold(self._put(self._drafts(due, now)))

    def _drafts(self, due: Iterable[tuple[str, str]], now: int) -> dict[tuple[str, str], Draft]:
        """What there is to record of what is due, which then counts as recorded."""
        drafts = dict[tuple[str, str], Draft]()
        for slot in due:
            self._due.pop(slot, None)
            kept = self._kept.get(slot)
            if kept is not None:
                kept.at = now
                draft = self._draft(slot[0], kept, now)
                if draft is not None:
                    drafts[slot] = draft
        return drafts

    def _hold(self, made: Iterable[tuple[tuple[str, str], Record]]) -> None:
        for slot, record in made:
            self.recorded += 1
            if (kept := self._kept.get(slot)) is not None and kept.id == record.header.id:
                kept.record = record

    def _draft(self, kind: str, kept: _Kept, now: int) -> Draft | None:
        """The next version of an entity's record; None where it says what the one before said."""
        labels, held = kept.labels, kept.record or self._context.newest(kept.id)
        values = {name: portion_of(kept.entity, name) for name in kind_of(kept.entity).portions}
        if kept.record is not None and all(_same(kept.record, name, value) for name, value in values.items()):
            return None
        draft = Draft(
            kind=kind,
            id=kept.id,
            originator=self._context.node,
            author=GATEWAY,
            created=now,
            label=labels["header"],
            project=self._project,
            portions=[DraftPortion(name, labels[name], value) for name, value in values.items() if value is not None],
        )
        return next_version(held, draft) if held else draft

    def _put(self, drafts: Mapping[tuple[str, str], Draft]) -> Iterable[tuple[tuple[str, str], Record]]:
        """The records, all at once; where one of them cannot be, each by itself, and that one is counted."""
        if not drafts:
            return
        try:
            yield from zip(drafts, self._context.put_all(list(drafts.values())), strict=True)
        except InvalidInput:
            for slot, draft in drafts.items():
                try:
                    yield slot, self._context.put(draft)
                except InvalidInput:
                    self.refused += 1

    def _forget(self) -> None:
        """Let the entity that was first made out go; its record stays."""
        slot = next(iter(self._kept))
        del self._kept[slot]
        self._due.pop(slot, None)


def labels_of(context: Context, kind: str, stated: Mapping[str, Label]) -> Mapping[str, Label]:
    """The label of each portion of a kind, and of `header`, where the settings state some.

    What has no marking of its own, and in any case `residue`, since nobody knows what it says, goes under the join of
    all markings of its kind; a kind without any, under the join of a track's.

    Raises:
        InvalidInput: a track has no marking for `header` or `position`.
        UnknownTerm: a marking for a portion that the kind has not.
    """
    portions = _PORTIONS[kind]
    missing = {"header", "position"} - stated.keys() if kind == TRACK.name else set()
    if missing:
        raise InvalidInput(
            f"no marking for {', '.join(sorted(missing))} of a track",
            fix=f"Write one for each in aldis.toml, under [labels.{TRACK.name}]",
        )
    unknown = stated.keys() - {"header", *portions}
    if unknown:
        raise UnknownTerm(
            f"a marking for {', '.join(sorted(unknown))}, which no {kind} has",
            fix=f"Under [labels.{kind}] of aldis.toml write header, {', '.join(portions)}",
        )
    highest = context.banner((stated or context.labels(TRACK.name)).values())
    return {**{name: stated.get(name, highest) for name in ("header", *portions)}, "residue": highest}


def _foreign_words(entity: Entity) -> tuple[str, ...]:
    """What the source wrote about who may have it, as the settings name it; CoT's "Undefined" says nothing."""
    markings = getattr(entity, "markings", None)
    if markings is None:
        return ()
    words = {"access": markings.access, "caveat": markings.caveat, "releasableTo": markings.releasable_to}
    return tuple(f"{name}={text}" for name, text in words.items() if text and text.lower() != "undefined")


def _changed(portions: Iterable[str], before: Entity | None, after: Entity) -> list[str]:
    if type(after) is not Track or before is None:
        return list(portions)
    was, now = msgspec.structs.astuple(before), msgspec.structs.astuple(after)
    return [name for name, place in _PLACES if now[place] is not was[place]]


def _moment(entity: Entity) -> int:
    """When it was heard of, in ms; 0 where that is unknown."""
    if type(entity) is Track and entity.sensor is not None:
        return entity.sensor.received_ms
    if entity.timing is not None and entity.timing.received_us is not None:
        return entity.timing.received_us // 1000
    return 0


def _same(record: Record, name: str, value: Any) -> bool:
    portion = record.portion(name)
    if portion is None or value is None:
        return portion is None and value is None
    if name in _PASSING:
        return bool(portion.value.get("doubts") == value.get("doubts"))
    return msgspec.json.encode(value) == portion.raw_value
