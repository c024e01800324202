"""Events to tracks. What to do with an event depends on its names alone: it is planned once for each set of names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aldis.apps.experiments.entity import (
    Approximated,
    Carried,
    Decoded,
    Dropped,
    Identity,
    Ledger,
    Markings,
    Motion,
    Position,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
)
from aldis.apps.experiments.gateways.cot.event import Event
from aldis.apps.experiments.gateways.cot.quick import Quick, climb
from aldis.apps.experiments.gateways.cot.residue import kept
from aldis.apps.experiments.gateways.cot.rows import AFFILIATIONS, STAMPS, TRACK, Table
from aldis.apps.experiments.gateways.cot.things import read_thing
from aldis.apps.experiments.gateways.cot.values import Native
from aldis.apps.experiments.gateways.cot.vessels import claimed
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["Plan", "Reader"]

_SLOPE_DEG = 1e-9  # a slope, to a climb rate and back
_LIMIT = 512
_USUAL = 100  # fields of an event whose plan is worth keeping
_LEDGERS = 64
_FINE: frozenset[str] = frozenset()
_Taken = tuple[str, Callable[[Any], Any] | None, int, int]


@dataclass(slots=True)
class Plan:
    """For one set of names: the fields of each group, from which value; what is kept aside; and the ledgers.

    `quick` does the same at once where every value is well, which is the usual case.
    """

    names: tuple[str, ...]
    rest: tuple[str, ...]
    groups: tuple[tuple[str, tuple[_Taken, ...]], ...]
    spare: tuple[tuple[str, int], ...]
    place: int
    quick: Quick
    ledgers: dict[int, Ledger] = field(default_factory=dict)


class Reader:
    """Reads events that came by one protocol, whose own name for a field is `spell(name)`."""

    def __init__(self, protocol: str, spell: Callable[[str], str]) -> None:
        self._protocol = protocol
        self._spell = spell
        self._plans: dict[tuple[object, ...], Plan] = {}

    def read(self, event: Event, table: Table, at_us: int) -> Decoded:
        """What `event` says, which came at `at_us`.

        Raises:
            Damaged: it lacks what an event must have.
        """
        if table is not TRACK:
            return read_thing(event, table, at_us, self._spell)
        rest = tuple([place for place, _ in (*event.rest, *event.wire)]) if event.rest or event.wire else ()
        return self.track(self.plan(event.names, rest), event, at_us)

    def plan(self, names: tuple[str, ...], rest: tuple[str, ...], bad: frozenset[str] = _FINE) -> Plan:
        """How to read a track of these names; the values of those in `bad` are not understood."""
        made = self._plans.get((names, rest, bad))
        if made is None:
            made = _planned(self._protocol, names, rest, bad)
            if len(self._plans) >= _LIMIT:
                self._plans.clear()
            if len(names) + len(rest) <= _USUAL:
                self._plans[names, rest, bad] = made
        return made

    def track(self, plan: Plan, event: Event, at_us: int) -> Decoded:
        """The track that `event` says by `plan`."""
        track = plan.quick.track(event, at_us)
        if track is not None:
            if plan.spare or plan.rest:
                track = msgspec.structs.replace(track, residue=kept(plan.spare, event))
            return self.told(plan, track)
        try:
            groups, unknown = _groups(plan, event.values)
        except (ValueError, OverflowError):
            return self.track(self.plan(plan.names, plan.rest, _bad(plan, event.values)), event, at_us)
        place = groups["position"]
        if len(place) == 2 and not (place["lat_deg"] or place["lon_deg"]):
            place = {}  # no fix: 0, 0 and nothing known of height and errors
            unknown |= plan.place
        uid = groups["identity"].get("cot_uid")
        if uid is None:
            raise Damaged("no uid")
        timing = groups["timing"]
        at = timing.get("source_us", at_us) // 1000
        residue = kept(plan.spare, event) if plan.spare or plan.rest else None
        kind = groups["type"]
        if (affiliation := AFFILIATIONS.get(kind["cot"][2:3])) and kind["cot"][3:4] in ("-", ""):
            kind["affiliation"] = affiliation
        return self.told(
            plan,
            Track(
                key=f"cot:{uid}",
                position=Position(at=at, **place) if place else None,
                motion=Motion(at=at, **motion) if (motion := groups.get("motion")) else None,
                identity=Identity(at=at, **groups["identity"]),
                type=Type(**kind),
                status=Status(at=at, **status) if (status := groups.get("status")) else None,
                sensor=Sensor(protocol=self._protocol, received_ms=at_us // 1000, **groups["sensor"]),
                timing=Timing(received_us=at_us, **timing),
                markings=Markings(**markings) if (markings := groups.get("markings")) else None,
                residue=residue,
            ),
            unknown,
        )

    def told(self, plan: Plan, track: Track, unknown: int = 0) -> Decoded:
        """What a track read by `plan` says, with the MMSI of its uid; the bits in `unknown` were not known."""
        identity = track.identity
        assert identity is not None
        mmsi = claimed(identity.cot_uid or "")
        if mmsi is not None:
            track = msgspec.structs.replace(track, identity=msgspec.structs.replace(identity, mmsi=mmsi))
            unknown |= 1 << len(plan.names)
        return Decoded(track, plan.ledgers.get(unknown) or self.ledger(plan, unknown))

    def ledger(self, plan: Plan, unknown: int) -> Ledger:
        """The fate of every field of a track read by `plan`, of which the bits in `unknown` were not known.

        The bit beyond them tells of a uid that has an MMSI.
        """
        spare = {name for name, _ in plan.spare}
        entries: list[Carried | Approximated | Dropped] = []
        for index, name in enumerate(plan.names):
            said = self._spell(name)
            if name in STAMPS:
                entries.append(Dropped(said, "made anew"))
            elif name in spare:
                entries.append(Dropped(said, "not decoded", "kept as residue"))
            elif unknown >> index & 1:
                entries.append(Dropped(said, "unknown value"))
            elif name == "event@uid" and unknown >> len(plan.names):
                entries.append(Carried(said, "identity.cot_uid, identity.mmsi"))
            elif name == "detail/track@slope":
                entries.append(Approximated(said, "motion.climb_mps", _SLOPE_DEG, "deg"))
            else:
                entries.append(Carried(said, TRACK.native[name].model))
        entries += [Dropped(self._spell(place), "not decoded", "kept as residue") for place in plan.rest]
        if len(plan.ledgers) >= _LEDGERS:
            plan.ledgers.clear()
        ledger = plan.ledgers[unknown] = Ledger(tuple(entries))
        return ledger


def _planned(protocol: str, names: tuple[str, ...], rest: tuple[str, ...], bad: frozenset[str]) -> Plan:
    for needed in ("event@uid", "event@type", "point@lat", "point@lon"):
        if needed not in names:
            raise Damaged("no " + needed.split("@")[1])
    groups: dict[str, list[_Taken]] = {}
    spare = []
    for index, name in enumerate(names):
        row = TRACK.native.get(name)
        if row is not None and name not in bad:
            group, target = row.model.split(".")
            groups.setdefault(group, []).append((target, row.take, index, 1 << index))
        elif name not in STAMPS:
            spare.append((name, index))
    place = 1 << names.index("point@lat") | 1 << names.index("point@lon")
    quick = Quick(protocol, {name: [row[:3] for row in rows] for name, rows in groups.items()}, len(names))
    return Plan(names, rest, tuple((name, tuple(rows)) for name, rows in groups.items()), tuple(spare), place, quick)


def _groups(plan: Plan, values: Sequence[Native]) -> tuple[dict[str, dict[str, Any]], int]:
    """The values of each group, one by one, and which of them are not known."""
    unknown = 0
    groups: dict[str, dict[str, Any]] = {"position": {}, "timing": {}, "sensor": {}}
    for name, rows in plan.groups:
        found = groups[name] = {}
        for target, take, index, bit in rows:
            value = values[index] if take is None else take(values[index])
            if value or (value is not None and value != ""):
                found[target] = value
            else:
                unknown |= bit
    if "climb_mps" in groups.get("motion", ()):
        climb(groups["motion"])
    return groups, unknown


def _bad(plan: Plan, values: Sequence[Native]) -> frozenset[str]:
    """The names whose values are not what they should be."""
    found = {name for name, _ in plan.spare if name in TRACK.native}
    for _, rows in plan.groups:
        for _, take, index, _ in rows:
            try:
                if take is not None:
                    take(values[index])
            except (ValueError, OverflowError):
                found.add(plan.names[index])
    if not found.isdisjoint(("point@lat", "point@lon")):
        raise Damaged("out of range")
    if len(found) == len([name for name, _ in plan.spare if name in TRACK.native]):
        found.add("detail/track@slope")
    return frozenset(found)
