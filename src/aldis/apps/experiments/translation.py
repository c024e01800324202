"""What becomes of each field of a protocol on its way through another: A, model, B, model, A.

The ledgers along the way are held against what came back: a field that came back otherwise, or not, must have an entry
that says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aldis.apps.experiments.entity import Approximated, Carried, Decoded, Dropped, Entity, Ledger, joined
from aldis.apps.experiments.fusing import fused
from aldis.apps.experiments.gateways.gateway import Native, Offered, Specimen
from aldis.apps.experiments.gateways.layout import flat, kind_of
from aldis.apps.experiments.tolerance import among, distance, factor, noise, plain, related, ways

__all__ = ["AT_US", "FATES", "Crossing", "Fate", "Loss", "Losses", "losses"]

AT_US = 1_790_000_000_500_000
"""When the specimens arrive: 21 September 2026, half a second after what they tell of."""
Fate = Literal["carried", "approximated", "dropped", "unexplained"]
FATES: Sequence[Fate] = ("carried", "approximated", "dropped", "unexplained")
_Entry = Carried | Approximated | Dropped
_Model = Mapping[tuple[str, str], Any]
_OWN_ID = "made anew: a protocol names things by ids of its own"
_ELSEWHERE = "said by another field"
_NO_MESSAGE = "no field: there is no such message"


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
    if exactly:
        return [entry for entry in ledger.entries if entry.field in names]
    every = frozenset(names)
    return [entry for entry in ledger.entries if entry.field in names or among(plain(entry.field), every)]


def _ways(entries: Iterable[_Entry]) -> set[str]:
    return {way for entry in entries if not isinstance(entry, Dropped) for way in ways(entry.to)}


def _difference(trail: _Trail, leg: _Leg) -> tuple[float, float, str, bool]:
    """How far the model's values are apart, what is stated, in which unit, and whether that explains all of it."""
    worst, stated, unit = 0.0, 0.0, ""
    spoken = {name: old for name, old in leg.before.items() if among(name[1], trail.paths)}
    within = bool(spoken)
    for (kind, path), old in spoken.items():
        new = leg.after.get((kind, path))
        bound = _bound(path, trail, leg)
        error = distance(path, old, new)
        if error is None:
            roughly = any(isinstance(entry, Approximated) for entry in trail.entries)
            within = within and new is not None and (old == new or roughly)
            continue
        within = within and error <= bound * (1 + 1e-6) + noise(old)
        if error >= worst:
            worst, stated, unit = error, bound, _unit(path)
    return worst, stated, unit, within


def _bound(path: str, trail: _Trail, leg: _Leg) -> float:
    """The sum of all errors stated for a path; the last reading adds its own as the first did."""
    total = 0.0
    lat = next((value for (_, one), value in leg.before.items() if one == "position.lat_deg"), 0.0)
    for entry in (*trail.entries, *leg.read.approximated):
        if isinstance(entry, Approximated) and (related(plain(entry.field), path) or path in ways(entry.to)):
            total += entry.error * factor(entry.unit, path, lat)
    return total


def _unit(path: str) -> str:
    _, line, unit = path.rpartition("_")
    return {"mps": "m/s", "at": "ms"}.get(unit, unit) if line else "ms" if path.endswith(".at") else ""


def _alike(before: Native, after: Native) -> bool:
    return before == after and isinstance(before, bool) == isinstance(after, bool)
