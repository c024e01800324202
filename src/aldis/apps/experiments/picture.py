"""The picture that partial reports add up to: one track for each key, with the latest known value of everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aldis.apps.experiments.doubts import WRONG_CLOCK, Doubts
from aldis.apps.experiments.entity import GROUPS, Identity, Remainder, Residue, Sensor, Track, Type
from aldis.apps.experiments.entity.schemes import complete, moves

__all__ = ["Picture"]

_LATE_MS = 600_000  # a report that seems older by more than this means that a clock was wrong before
_HOLD_MS = 60_000  # and so does one that still seems older when nothing newer has come for this long
_BEHIND_MS, _AHEAD_MS = 600_000, 10_000  # a source's clock that differs by more from ours is wrong
_LAPSE_MS = 60_000  # of a moving thing, a value that is not repeated for this long is no longer known
_MANY = 8
_PARTS, _DATA = 16, 128 * 1024

_DATE = ("at",)
_PASSING = {
    "position": ("at", "accurate", "grid_m", "original", "suspect"),
    "sensor": ("chain", "channel", "country", "own", "region", "station"),
}
"""What is said of one report alone, and does not outlive it; of any other group, its time."""
_INSTEAD = {
    "position": {"height_m": "depth_m", "depth_m": "height_m"},
    "motion": {"turn_deg_per_min": "turning", "turning": "turn_deg_per_min"},
    "type": {"ship_type": "ship_type_text"},
}
"""What a new value ends, beside the value before it."""
_LAPSING = ("position", "motion")
_WHOLE = ("timing", "markings")
_NAMES = {name: tuple(one.name for one in msgspec.structs.fields(group)) for name, group in GROUPS.items()}
_DATED = frozenset(name for name, names in _NAMES.items() if "at" in names)
_FUSED = tuple(
    (name, place)
    for place, name in enumerate(Track.__struct_fields__)
    if name in GROUPS and name not in ("sensor", "residue")
)
_REPEATED = frozenset(name for name, _ in _FUSED if name not in (*_LAPSING, *_WHOLE))
"""What is often said again word for word, but for its time, which then stands first."""


@dataclass(slots=True)
class _Known:
    """A track, when each group was last learnt (by its source and on receipt, ms), and what was not repeated since.

    `again` holds the words of a group's last report, without their time, and the group to which they added nothing.
    """

    track: Track
    learnt: dict[str, tuple[int, int]] = field(default_factory=dict)
    said: dict[tuple[str, str], int] = field(default_factory=dict)
    again: dict[str, tuple[tuple[Any, ...], Any]] = field(default_factory=dict)


class Picture:
    """Tracks by key, at most `limit`: beyond it the one not heard for the longest is forgotten."""

    def __init__(self, limit: int = 20_000) -> None:
        self.forgotten = 0
        self.impossible = 0
        self._limit = limit
        self._known: dict[str, _Known] = {}
        self._doubts = Doubts(_domain)

    def __len__(self) -> int:
        """The number of tracks."""
        return len(self._known)

    def __iter__(self) -> Iterator[Track]:
        """The tracks, the one heard last at the end."""
        return iter([known.track for known in self._known.values()])

    def get(self, key: str) -> Track | None:
        """The track of that key."""
        known = self._known.get(key)
        return known.track if known else None

    def update(self, seen: Track, reporter: str = "") -> Track:
        """Take in what a report says, by whichever link or peer, and return the track as it is now.

        A group that comes up to ten minutes late leaves what is known as it is. A time that its source cannot have
        meant is kept in `timing` as it was said, and the time of receipt stands in for it.
        """
        known = self._known.pop(seen.key, None)
        if known is None:
            if len(self._known) >= self._limit:
                gone = next(iter(self._known))
                del self._known[gone]
                self._doubts.forget(gone)
                self.forgotten += 1
            known = _Known(Track(key=seen.key))
        self._known[seen.key] = known
        received = _received(seen)
        source_us = seen.timing.source_us if seen.timing is not None else None
        stated = received if source_us is None else source_us // 1000
        changes: dict[str, Any] = {}
        groups = msgspec.structs.astuple(seen)
        for name, place in _FUSED:
            group = groups[place]
            if group is not None:
                self._fuse(known, name, group, (stated, received), reporter, changes)
        if "type" in changes or "identity" in changes:
            self._complete(known.track, seen.type, changes)
        if seen.residue is not None:
            changes["residue"] = _gathered(known.track.residue, seen.residue)
        renamed = "type" in changes or "identity" in changes
        track = msgspec.structs.replace(known.track, **changes) if renamed else known.track
        sensor = _heard(known, seen.sensor, self._doubts.of(track, received))
        if sensor is not None:
            changes["sensor"] = sensor
        known.track = msgspec.structs.replace(known.track, **changes)
        return known.track

    def _fuse(
        self, known: _Known, name: str, group: Any, heard: tuple[int, int], reporter: str, changes: dict[str, Any]
    ) -> None:
        """Put the group as it is now into `changes`, where the report says more than is known.

        `heard` is when its source says that the report was made, and when it was received.
        """
        placed = name == "position"
        if placed and not (abs(group.lat_deg) <= 90 and abs(group.lon_deg) <= 180):
            self.impossible += 1
            return
        stated, received = heard
        key = known.track.key
        dated = name in _DATED
        at = group.at if dated and group.at is not None else stated
        if name == "timing":
            at = received
        elif not -_BEHIND_MS <= at - received <= _AHEAD_MS:
            self._doubts.note(key, WRONG_CLOCK, received)
            at = received
        jumped = placed and self._doubts.place(known.track, group, at, reporter)
        last = known.learnt.get(name)
        if last is not None and 0 < last[0] - at <= _LATE_MS and received - last[1] <= _HOLD_MS:
            return
        known.learnt[name] = (at, received)
        before = getattr(known.track, name)
        if name == "identity":
            self._doubts.hear(key, group, at, reporter)
        words = _words(name, group) if name in _REPEATED else None
        if words is not None and _again(known, name, words, before):
            if dated and before.at != at:
                fused = msgspec.structs.replace(before, at=at)
                changes[name], known.again[name] = fused, (words, fused)
            return
        fixed = _fixed(known, name, group, (at, last), before) if name not in _WHOLE else {}
        if jumped:
            fixed["suspect"] = True
        fused = msgspec.structs.replace(group, **fixed) if fixed else group
        if fused != before:
            changes[name] = fused
        elif words is not None:
            known.again[name] = (words, before)

    @staticmethod
    def _complete(before: Track, seen: Type | None, changes: dict[str, Any]) -> None:
        """Put what follows from its codes into its type, where they or its MMSI have changed."""
        number = before.identity.mmsi if before.identity else None
        who: Identity | None = changes.get("identity")
        kind: Type | None = changes.get("type")
        if kind is None and (who is None or who.mmsi == number):
            return
        said = msgspec.structs.replace(kind or before.type or Type(), mapped=seen.mapped if seen else None)
        made = complete(said, who.mmsi if who else number)
        if made != before.type and (kind is not None or made != Type()):
            changes["type"] = made
        else:
            changes.pop("type", None)


def _domain(track: Track) -> str:
    """Where it moves; what no code tells is at sea if its key is an MMSI, and otherwise may be in the air."""
    number = track.identity.mmsi if track.identity else None
    return moves(track.type, number) or ("sea" if track.key.startswith("mmsi:") else "air")


def _received(seen: Track) -> int:
    if seen.sensor is not None:
        return seen.sensor.received_ms
    if seen.timing is not None and seen.timing.received_us is not None:
        return seen.timing.received_us // 1000
    return max((at for name in _DATED if (group := getattr(seen, name)) and (at := group.at)), default=0)


def _fixed(
    known: _Known, name: str, group: Any, moment: tuple[int, tuple[int, int] | None], before: Any
) -> dict[str, Any]:
    """What of a group is to be otherwise than a report says it: its time, and what it does not say and is known."""
    at, last = moment
    fixed = _kept(name, before, group) if before is not None else {}
    if last is not None and name in _LAPSING:
        _lapse(known.said, name, fixed, last[0], at)
    if name in _DATED and group.at != at:
        fixed["at"] = at
    if name == "identity":
        names = _other_names(before, group)
        if names != group.other_names:
            fixed["other_names"] = names
        else:
            fixed.pop("other_names", None)
    return fixed


def _again(known: _Known, name: str, words: tuple[Any, ...], before: Any) -> bool:
    """Whether a group is said word for word as last, and added nothing to what is known of it then."""
    said = known.again.get(name)
    return said is not None and said[1] is before and said[0] == words


def _words(name: str, group: Any) -> tuple[Any, ...]:
    words = msgspec.structs.astuple(group)
    return words[1:] if name in _DATED else words


def _kept(name: str, before: Any, group: Any) -> dict[str, Any]:
    """What a group does not say and what was known before."""
    was, now = msgspec.structs.astuple(before), msgspec.structs.astuple(group)
    kept = {
        one: said for one, said, new in zip(_NAMES[name], was, now, strict=True) if new is None and said is not None
    }
    if kept:
        for one in _PASSING.get(name, _DATE):
            kept.pop(one, None)
        for one, other in _INSTEAD.get(name, {}).items():
            if other in kept and getattr(group, one) is not None:
                del kept[other]
    return kept


def _lapse(said: dict[tuple[str, str], int], name: str, kept: dict[str, Any], last: int, at: int) -> None:
    """Let go of what was said too long ago; `said` holds since when what is kept was not repeated."""
    if not kept and not said:
        return
    for one in _NAMES[name]:
        if one not in kept:
            said.pop((name, one), None)
        elif at - said.setdefault((name, one), last) > _LAPSE_MS:
            del kept[one], said[name, one]


def _other_names(before: Identity | None, group: Identity) -> list[str] | None:
    """The names heard before the latest, the last few only."""
    heard = [*(before.other_names or ()), *([before.name] if before.name else ())] if before else []
    latest = group.name or (before.name if before else None)
    return [name for name in dict.fromkeys(heard) if name != latest][-_MANY:] or None


def _heard(known: _Known, seen: Sensor | None, doubts: list[str] | None) -> Sensor | None:
    """Who heard it last, how often it was heard, and by which stations."""
    before = known.track.sensor
    if seen is None:
        return msgspec.structs.replace(before, doubts=doubts) if before is not None else None
    if before is None:
        stations = [seen.station] if seen.station else None
        return msgspec.structs.replace(seen, reports=1, stations=stations, doubts=doubts)
    late = 0 < before.received_ms - seen.received_ms <= _LATE_MS
    protocol, received, *more = msgspec.structs.astuple(seen)
    words, reports = (protocol, *more), (before.reports or 0) + 1
    if not late and _again(known, "sensor", words, before):
        fused = msgspec.structs.replace(before, received_ms=received, reports=reports, doubts=doubts)
        known.again["sensor"] = (words, fused)
        return fused
    heard = [one for one in before.stations or () if one != seen.station]
    stations = [*heard, seen.station][-_MANY:] if seen.station else before.stations
    now = {"reports": reports, "stations": stations, "doubts": doubts}
    if late:
        return msgspec.structs.replace(before, **now)
    fused = msgspec.structs.replace(seen, **{**_kept("sensor", before, seen), **now})
    known.again["sensor"] = (words, fused)
    return fused


def _gathered(before: Residue | None, seen: Residue) -> Residue:
    """The latest bytes of each place in a protocol, those heard last and no more than a bound."""
    parts: dict[tuple[str, str], Remainder] = {}
    for part in [*(before.parts if before else ()), *seen.parts]:
        parts.pop((part.protocol, part.field), None)
        parts[part.protocol, part.field] = part
    kept, size = list[Remainder](), 0
    for part in reversed(parts.values()):
        if size + len(part.data) <= _DATA and len(kept) < _PARTS:
            size += len(part.data)
            kept.append(part)
    return Residue(parts=kept[::-1])
