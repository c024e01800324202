"""What is said of a track's fields in a sample, and what became of each of them, and of a task's."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from aldis.apps.experiments.entity import GROUPS, Approximated, Carried, Dropped, Encoded, Ledger, Reason, Task, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.umaa.fates import ANGLE, VARIANCE
from aldis.apps.experiments.gateways.umaa.idl import ENUMS, types
from aldis.apps.experiments.gateways.umaa.wire import date_time, guid, sayable, written

__all__ = ["UNKNOWN", "Writing", "own_id", "task_written"]

UNKNOWN = math.nan
"""A number that must be there and is not known."""
_IDS = {"assignee": "umaa:", "issued_by": "umaa:", "request": ""}
"""The ids of a task that UMAA says as UUIDs, and what stands before those when they are read."""
_MADE_ANEW = frozenset({"sensor.protocol", "sensor.received_ms", "timing.received_us"})


class Writing:
    """What became of each field of an entity; those not named are dropped, as UMAA has no field for them."""

    def __init__(self, track: Track, at_us: int) -> None:
        self.track, self.at_us = track, at_us
        self.fates: dict[str, Entry] = {}
        self._stamps: dict[str, int] = {}

    def carry(self, field: str, to: str) -> None:
        """It went over whole."""
        self.fates[field] = Carried(field, to)

    def near(self, field: str, to: str, error: float, unit: str) -> None:
        """It went over nearly."""
        self.fates[field] = Approximated(field, to, error, unit)

    def drop(self, field: str, reason: Reason, detail: str = "") -> None:
        """It did not."""
        self.fates[field] = Dropped(field, reason, detail)

    def within(self, group: str, field: str, to: str, least: float = -math.inf, most: float = math.inf) -> float | None:
        """The number of a field, where it has one and UMAA admits it."""
        value = getattr(getattr(self.track, group), field, None)
        if value is None:
            return None
        if not least <= value <= most:
            self.drop(f"{group}.{field}", "out of range")
            return None
        self.carry(f"{group}.{field}", to)
        return float(value)

    def angle(self, field: str, to: str) -> float:
        """A bearing as radians from -pi to pi."""
        value = getattr(self.track.motion, field, None)
        if value is None:
            return UNKNOWN
        self.near(f"motion.{field}", to, ANGLE, "deg")
        return math.remainder(math.radians(value), math.tau)

    def code(self, group: str, field: str, kind: str, to: str, otherwise: str | None) -> Any:
        """A word as a code of UMAA."""
        word = getattr(getattr(self.track, group), field, None)
        if word in ENUMS[kind]:
            self.carry(f"{group}.{field}", to)
        else:
            if word is not None:
                self.drop(f"{group}.{field}", "no code")
            word = otherwise
        return None if word is None else types()[kind][word]

    def text(self, group: str, field: str, to: str, longest: int = 1023) -> str | None:
        """Words, where UMAA's strings can hold them."""
        value = getattr(getattr(self.track, group), field, None)
        if value is None:
            return None
        text = f"{value:09d}" if isinstance(value, int) else str(value)
        if len(text.encode("utf-8", "replace")) > longest:
            self.drop(f"{group}.{field}", "too long")
            return None
        if not text:
            self.drop(f"{group}.{field}", "unknown value")
            return None
        if "\0" in text or not text.isprintable():
            self.drop(f"{group}.{field}", "not text of this protocol")
            return None
        self.carry(f"{group}.{field}", to)
        return text

    def stamp(self, to: str, *groups: str) -> Any:
        """When the groups in a sample hold: at the source's time where that is the same millisecond, else at their own.

        That is the time of the first group that has one; those that hold at another go without.
        """
        times: dict[str, int | None] = {name: getattr(getattr(self.track, name), "at", None) for name in groups}
        at = next((time for time in times.values() if time is not None and sayable(time * 1000)), None)
        for name, time in times.items():
            if time is not None and time == at:
                self.carry(f"{name}.at", to)
        source_us = self.track.timing.source_us if self.track.timing else None
        if source_us is not None and sayable(source_us) and (at is None or source_us // 1000 == at):
            stamp = source_us
        else:
            stamp = self.at_us if at is None else at * 1000
        self._stamps[to] = stamp
        return date_time(stamp)

    def _source(self) -> None:
        """What became of the source's time: each sample has a time of its own, which may be another."""
        source_us = self.track.timing.source_us if self.track.timing else None
        if source_us is None or not self._stamps:
            return
        error = max(abs(source_us - stamp) for stamp in self._stamps.values())
        if not sayable(source_us):
            self.drop("timing.source_us", "out of range")
        elif error:
            self.near("timing.source_us", ", ".join(self._stamps), error, "us")
        else:
            self.carry("timing.source_us", ", ".join(self._stamps))

    def place(self, msl: str, to: str) -> dict[str, Any]:
        """The members on where it is, alike for a vehicle and a contact."""
        position = self.track.position
        if position is None:
            return {}
        self.carry("position.lat_deg", f"{to}.position.geodeticLatitude")
        self.carry("position.lon_deg", f"{to}.position.geodeticLongitude")
        made = types()
        height = None
        if (original := position.original) and original.frame == "msl" and len(original.values) == 3:
            height = original.values[2] if original.values[2] >= 0 else None
            if height is None:
                self.drop("position.original", "out of range")
            elif original.datum == "WGS-84" and original.values[:2] == (position.lat_deg, position.lon_deg):
                self.carry("position.original", f"{to}.{msl}")
            else:
                self.drop("position.original", "no field", "its height is sent alone")
        covariance = None
        if position.accuracy_m is not None:
            square, up = position.accuracy_m**2, position.height_accuracy_m
            self.near("position.accuracy_m", f"{to}.positionCovariance.pnPn", VARIANCE, "m")
            if up is not None:
                self.near("position.height_accuracy_m", f"{to}.positionCovariance.pdPd", VARIANCE, "m")
            covariance = made["CovariancePositionNEDType"](
                pdPd=None if up is None else up**2, pePd=None, pePe=square, pnPd=None, pnPe=None, pnPn=square
            )
        return {
            msl: height,
            "altitudeAGL": None,
            "altitudeASF": None,
            "altitudeGeodetic": self.within("position", "height_m", f"{to}.altitudeGeodetic", -10_000, 700_000),
            "depth": self.within("position", "depth_m", f"{to}.depth", 0, 10_000),
            "position": made["GeoPosition2D"](geodeticLatitude=position.lat_deg, geodeticLongitude=position.lon_deg),
            "positionCovariance": covariance,
        }

    def encoded(self, messages: list[bytes], reason: Reason = "no field") -> Encoded:
        """With an entry for every field that is there."""
        self._source()
        entries: list[Entry] = []
        for name in GROUPS:
            group = getattr(self.track, name)
            for field in () if group is None else group.__struct_fields__:
                if getattr(group, field) is not None:
                    path = f"{name}.{field}"
                    otherwise: Reason = "made anew" if path in _MADE_ANEW else reason
                    entries.append(self.fates.get(path) or Dropped(path, otherwise))
        return Encoded(tuple(messages), Ledger(tuple(entries)))

    def id(self) -> UUID:
        """Its GUID."""
        said = self.track.identity.umaa_id if self.track.identity else None
        if said is not None and str(written(said)) == said:
            self.carry("identity.umaa_id", "source")
        else:
            self.drop("identity.umaa_id", "no code")
        return own_id(self.track)


def own_id(track: Track) -> UUID:
    """The id that UMAA gave it, or one that follows from its key."""
    said = track.identity.umaa_id if track.identity else None
    return (written(said) if said else None) or guid(track.key)


def task_written(task: Task, messages: list[bytes], to: dict[str, str], otherwise: Reason) -> Encoded:
    """The messages of a task, with an entry for every field that is there: it went `to`, or not."""
    present = [name for name in task.__struct_fields__ if name != "key" and getattr(task, name) is not None]
    entries: list[Entry] = []
    for name in present:
        if name in ("timing", "markings", "residue"):
            group = getattr(task, name)
            for inner in group.__struct_fields__:
                if getattr(group, inner) is not None:
                    path = f"{name}.{inner}"
                    sayable_ = inner != "source_us" or sayable(group.source_us)
                    reason: Reason = "made anew" if inner == "received_us" else "no field"
                    entries.append(Carried(path, to[path]) if path in to and sayable_ else Dropped(path, reason))
        else:
            entries.append(_fate(task, name, to.get(name), otherwise))
    return Encoded(tuple(messages), Ledger(tuple(entries)))


def _fate(task: Task, name: str, to: str | None, otherwise: Reason) -> Entry:
    path, value = f"task.{name}", getattr(task, name)
    if to is None:
        return Dropped(path, otherwise)
    if name in _IDS and value != f"{_IDS[name]}{guid(value)}":
        return Dropped(path, "made anew", "a UUID that follows from it is sent")
    if name == "points" and any((point.height_m is None) == (point.depth_m is None) for point in value):
        return Dropped(path, "no code", "a point has one of height and depth: the depth is sent, or 0 m")
    return Carried(path, to)
