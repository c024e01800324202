"""What becomes of each field of a protocol on its way through another: A, model, B, model, A.

The ledgers along the way are held against what came back: a field that came back otherwise, or not, must have an entry
that says so.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aldis.apps.experiments.entity import Approximated, Carried, Decoded, Dropped, Entity, Ledger, joined
from aldis.apps.experiments.fusing import fused
from aldis.apps.experiments.gateways.gateway import Native, Offered, Specimen
from aldis.apps.experiments.gateways.layout import flat, kind_of

__all__ = ["AT_US", "FATES", "Crossing", "Fate", "Loss", "Losses", "losses"]

AT_US = 1_790_000_000_500_000
"""When the specimens arrive: 21 September 2026, half a second after what they tell of."""
Fate = Literal["carried", "approximated", "dropped", "unexplained"]
FATES: Sequence[Fate] = ("carried", "approximated", "dropped", "unexplained")
_Entry = Carried | Approximated | Dropped
_Model = Mapping[tuple[str, str], Any]
_SEVERAL = re.compile(r"[,;\s]+")
_SHARED = re.compile(r"(?:area|task|report|environment)\.(?=(?:key|position|timing|markings|residue)\b)")
_OWN_ID = "made anew: a protocol names things by ids of its own"
_ELSEWHERE = "said by another field"
_NO_MESSAGE = "no field: there is no such message"
_METRES_A_DEGREE = 111_000.0
_IN_MICROSECONDS = {"s": 1e6, "ms": 1e3, "us": 1.0, "µs": 1.0, "ns": 1e-3, "min": 6e7, "h": 3.6e9}
_RELATIVE = 1e-9
_CIRCLE = ("lon_deg", "course_deg", "heading_deg", "azimuth_deg", "from_deg", "to_deg")


@dataclass(frozen=True, slots=True)
class Loss:
    """A field of A, its value before and after, and what the ledgers say of it.

    `error` is by how much the model's values differ, in `unit`, of the `bound` that the ledgers state.
    """

    field: str
    fate: Fate
    before: Native
    after: Native | None
    reasons: tuple[str, ...] = ()
    error: float = 0.0
    bound: float = 0.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Crossing:
    """One specimen of A that went through B."""

    specimen: str
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class Losses:
    """All that is lost from A through B."""

    a: str
    b: str
    crossings: tuple[Crossing, ...]

    def counts(self) -> Mapping[Fate, int]:
        """How many fields, over all specimens, met which fate."""
        found = Counter(loss.fate for crossing in self.crossings for loss in crossing.losses)
        return {fate: found[fate] for fate in FATES}


@dataclass(frozen=True, slots=True)
class _Leg:
    """The way of one entity: the four ledgers, what the model held before and after, and A's fields that came back."""

    read: Ledger
    written: Ledger
    read_there: Ledger
    written_back: Ledger
    before: _Model
    after: _Model
    natives: Mapping[str, Native]


def losses(a: Offered, b: Offered) -> Losses:
    """Every specimen of A, through B and back."""
    return Losses(a.protocol, b.protocol, tuple(_crossing(a, b, specimen) for specimen in a.specimens()))


def _crossing(a: Offered, b: Offered, specimen: Specimen) -> Crossing:
    decoded = _heard(a, specimen.messages, AT_US)
    at_us = _arrival(decoded)
    if at_us != AT_US:
        decoded = _heard(a, specimen.messages, at_us)
    legs = []
    for entity in fused(decoded):
        name = type(entity), entity.key
        read = joined(one.ledger for one in decoded if (type(one.entity), one.entity.key) == name)
        legs.append(_leg(a, b, entity, read, at_us))
    natives = a.fields(specimen.messages)
    return Crossing(specimen.name, tuple(_best(name, value, legs) for name, value in natives.items()))


def _arrival(decoded: Sequence[Decoded]) -> int:
    """When the messages arrive: half a second after the time that they tell, where they do."""
    times = (one.entity.timing.source_us for one in decoded if one.entity.timing is not None)
    return next((at + 500_000 for at in times if at is not None), AT_US)


def _leg(a: Offered, b: Offered, entity: Entity, read: Ledger, at_us: int) -> _Leg:
    there = b.open().encode(entity, at_us)
    heard = _heard(b, there.messages, at_us)
    gateway = a.open()
    back = [gateway.encode(one, at_us) for one in fused(heard)]
    messages = [message for one in back for message in one.messages]
    return _Leg(
        read,
        there.ledger,
        joined(one.ledger for one in heard),
        joined(one.ledger for one in back),
        _flat([entity]),
        _flat(fused(_heard(a, messages, at_us))),
        a.fields(messages),
    )


def _heard(offered: Offered, messages: Iterable[bytes], at_us: int) -> list[Decoded]:
    gateway = offered.open()
    return [one for message in messages for one in gateway.feed(message, at_us)]


def _flat(entities: Iterable[Entity]) -> _Model:
    return {(kind_of(entity), path): value for entity in entities for path, value in flat(entity).items()}


def _best(name: str, before: Native, legs: Sequence[_Leg]) -> Loss:
    """The fate of a field, with the entity that it speaks of; of several, with that which keeps it best."""
    naming = [leg for leg in legs if any(entry.field == name for entry in leg.read.entries)]
    found = [_loss(name, before, leg) for leg in naming or legs]
    return min(found, key=lambda loss: FATES.index(loss.fate), default=Loss(name, "unexplained", before, None))


def _loss(name: str, before: Native, leg: _Leg) -> Loss:
    after = leg.natives.get(name)
    if after is not None and _alike(before, after):
        return Loss(name, "carried", before, after)
    trail = _trail(name, leg)
    reasons = tuple(dict.fromkeys(_reason(entry) for entry in trail.entries if isinstance(entry, Dropped)))
    if not reasons and trail.paths == {"key"}:
        reasons = (_NO_MESSAGE if after is None else _OWN_ID,)
    error, bound, unit, within = _difference(trail, leg)
    if within and (after is not None or not reasons):
        stated = any(isinstance(entry, Approximated) for entry in trail.entries)
        reasons = reasons if after is not None else (_ELSEWHERE,)
        return Loss(name, "approximated" if stated else "carried", before, after, reasons, error, bound, unit)
    return Loss(name, "dropped" if reasons else "unexplained", before, after, reasons, error, bound, unit)


def _reason(entry: Dropped) -> str:
    return f"{entry.reason}: {entry.detail}" if entry.detail else entry.reason


@dataclass(frozen=True, slots=True)
class _Trail:
    """The entries that speak of a field, and the paths in the model that it went by."""

    entries: tuple[_Entry, ...]
    paths: frozenset[str]


def _trail(name: str, leg: _Leg) -> _Trail:
    """Follows a native field through the ledgers by what each entry says it went over `to`."""
    first = _speaking(leg.read, {name}, exactly=True)
    paths = _ways(first)
    second = _speaking(leg.written, paths)
    third = _speaking(leg.read_there, _ways(second))
    fourth = _speaking(leg.written_back, paths | _ways(third))
    return _Trail((*first, *second, *third, *fourth), frozenset(paths))


def _speaking(ledger: Ledger, names: set[str], *, exactly: bool = False) -> list[_Entry]:
    return [
        entry
        for entry in ledger.entries
        if entry.field in names or (not exactly and any(_within(_plain(entry.field), name) for name in names))
    ]


def _ways(entries: Iterable[_Entry]) -> set[str]:
    return {way for entry in entries if not isinstance(entry, Dropped) for way in _split(entry.to)}


def _split(to: str) -> list[str]:
    """Where an entry says that a field went, which may be several places."""
    return [_plain(way) for way in _SEVERAL.split(to) if way]


def _plain(path: str) -> str:
    """A path of what other entities share with tracks, as a track's."""
    return _SHARED.sub("", path)


def _within(one: str, other: str) -> bool:
    """Whether one name is that of a part of the other."""
    short, long = sorted((one, other), key=len)
    return long == short or (long.startswith(short) and long[len(short)] in "./@[")


def _difference(trail: _Trail, leg: _Leg) -> tuple[float, float, str, bool]:
    """How far the model's values are apart, what is stated, in which unit, and whether that explains all of it."""
    worst, stated, unit = 0.0, 0.0, ""
    spoken = {name: old for name, old in leg.before.items() if any(_within(name[1], way) for way in trail.paths)}
    within = bool(spoken)
    for (kind, path), old in spoken.items():
        new = leg.after.get((kind, path))
        bound = _bound(path, trail, leg)
        error = _distance(path, old, new)
        if error is None:
            roughly = any(isinstance(entry, Approximated) for entry in trail.entries)
            within = within and new is not None and (old == new or roughly)
            continue
        within = within and error <= bound * (1 + 1e-6) + _noise(old)
        if error >= worst:
            worst, stated, unit = error, bound, _unit(path)
    return worst, stated, unit, within


def _bound(path: str, trail: _Trail, leg: _Leg) -> float:
    """The sum of all errors stated for a path; the last reading adds its own as the first did."""
    total = 0.0
    for entry in (*trail.entries, *leg.read.approximated):
        if isinstance(entry, Approximated) and (_within(_plain(entry.field), path) or path in _split(entry.to)):
            total += entry.error * _factor(entry.unit, path, leg)
    return total


def _factor(unit: str, path: str, leg: _Leg) -> float:
    """What an error's unit comes to in the unit of a path."""
    if path.endswith("_us") and unit in _IN_MICROSECONDS:
        return _IN_MICROSECONDS[unit]
    if path.endswith((".at", "_ms")):
        return _IN_MICROSECONDS.get(unit, 1e3) / 1e3
    if path.endswith("_deg") and unit == "rad":
        return math.degrees(1)
    if path.endswith(".lat_deg") and unit == "m":
        return 1 / _METRES_A_DEGREE
    if path.endswith(".lon_deg") and unit == "m":
        lat = next((value for (_, one), value in leg.before.items() if one == "position.lat_deg"), 0.0)
        return 1 / (_METRES_A_DEGREE * max(0.01, math.cos(math.radians(lat))))
    return 1.0


def _unit(path: str) -> str:
    _, line, unit = path.rpartition("_")
    return {"mps": "m/s", "at": "ms"}.get(unit, unit) if line else "ms" if path.endswith(".at") else ""


def _numbers(value: Any) -> list[float] | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return [float(value)]
    if isinstance(value, list | tuple) and value and all(isinstance(one, int | float) for one in value):
        return [float(one) for one in value]
    return None


def _noise(value: Any) -> float:
    """What computing with floats may do to a value."""
    if isinstance(value, int):
        return 0.0
    return _RELATIVE * max((abs(one) for one in _numbers(value) or [0.0]), default=0.0)


def _distance(path: str, old: Any, new: Any) -> float | None:
    """By how much two numbers, or lists of them, differ; None where they are none."""
    a, b = _numbers(old), _numbers(new)
    if a is None or b is None or len(a) != len(b):
        return None
    apart = max(abs(x - y) for x, y in zip(a, b, strict=True))
    if path.endswith(_CIRCLE):
        return min(apart, abs(360 - apart))
    if path.endswith("attitude"):  # a quaternion and its negative are one attitude
        return min(apart, max(abs(x + y) for x, y in zip(a, b, strict=True)))
    return apart


def _alike(before: Native, after: Native) -> bool:
    return before == after and isinstance(before, bool) == isinstance(after, bool)
