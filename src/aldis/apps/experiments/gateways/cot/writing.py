"""Tracks to events. What becomes of a field depends on which fields there are: it is planned once for each set."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aldis.apps.experiments.entity import GROUPS, Approximated, Carried, Dropped, Entity, Ledger, Track
from aldis.apps.experiments.gateways.cot.event import Event
from aldis.apps.experiments.gateways.cot.plainly import Plainly
from aldis.apps.experiments.gateways.cot.quick import Given
from aldis.apps.experiments.gateways.cot.residue import Room, residue_entry, said_again
from aldis.apps.experiments.gateways.cot.rows import AFFILIATIONS, TRACK
from aldis.apps.experiments.gateways.cot.saying import NO_POINT, stale_of, uid_of, write_thing
from aldis.apps.experiments.gateways.cot.times import LAST_US
from aldis.apps.experiments.gateways.cot.values import Native, Unsaid
from aldis.apps.experiments.gateways.cot.vessels import claimed

__all__ = ["Writer"]

_RELAYED, _UNKNOWN_TYPE = "m-r", "a-u"
"""How a thing is known that another system passed on, and what it is where nobody said (MITRE, CoTtypes.xml)."""

_LETTERS = {word: letter for letter, word in AFFILIATIONS.items() if letter != "x"}
_BATTERY, _MMSI = "status.battery_percent", "identity.mmsi"
_LIMIT = 512
_MADE_ANEW = frozenset({"sensor.protocol", "sensor.received_ms", "timing.received_us"})
_ALWAYS = frozenset({f"event@{name}" for name in ("uid", "type", "how", "time", "start", "stale")} | set(NO_POINT))
_INDIRECT = frozenset({"motion.climb_mps", "residue.parts"})
_WHOLE = frozenset(row.model for row in TRACK.rows if row.native in _ALWAYS and row.native not in NO_POINT)
_TIMES = frozenset({"event@time", "event@start", "event@stale"})
_Entry = Carried | Approximated | Dropped
_Said = dict[str, dict[str, Any]]


@dataclass(slots=True)
class _Plan:
    """For one set of fields: the names of the event's values, from which field each comes, and the ledgers."""

    names: tuple[str, ...]
    sources: tuple[tuple[str, str, Callable[[Any], Native]], ...]
    fates: dict[str, _Entry]
    clocks: tuple[str, ...]
    whole: bool
    quick: Given
    plainly: Plainly | None
    ledgers: dict[tuple[str, ...], Ledger] = field(default_factory=dict)


class Writer:
    """Writes events for one protocol: `spell` is its own name for a field, `ms` whether its times are whole ms."""

    def __init__(self, spell: Callable[[str], str], room: Room, *, ms: bool) -> None:
        self._spell = spell
        self._room = room
        self._ms = ms
        self._plans: dict[tuple[tuple[str, ...], ...], _Plan] = {}
        self._odd: dict[str, _Entry] = {
            **{f"{group}.at": Dropped(f"{group}.at", "no field", "an event has one time") for group in GROUPS},
            _MMSI: Dropped(_MMSI, "no field", "the uid is another"),
            "type.affiliation": Dropped("type.affiliation", "no code", "the type says otherwise"),
            "type.mapped": Dropped("type.mapped", "no field"),
            _BATTERY: Approximated(_BATTERY, spell("detail/status@battery"), 0.5, "%"),
        }

    def write(self, entity: Entity, at_us: int) -> tuple[Event | None, Ledger]:
        """The event that says `entity`, sent at `at_us`, and what became of its fields; None where none can."""
        if not isinstance(entity, Track):
            return write_thing(entity, at_us, self._spell, self._room, ms=self._ms)
        said = msgspec.to_builtins(entity)
        return self._event(entity, said, said.pop("key"), at_us)

    def text(self, entity: Track, at_us: int) -> tuple[str | Event, Ledger]:
        """As `write`, of a track; the event as XML where nothing of it needs a closer look."""
        said = msgspec.to_builtins(entity)
        key = said.pop("key")
        if entity.residue is None:
            plan = self._plan(said)
            if plan.plainly is not None:
                whole = said if plan.whole else _completed(said, key, at_us)
                text = plan.plainly.text(whole)
                if text is not None:
                    return text, self._ledger(plan, _odd(plan, said, whole))
        return self._event(entity, said, key, at_us)

    def _event(self, entity: Track, said: _Said, key: str, at_us: int) -> tuple[Event, Ledger]:
        lost = _without_slope(said["motion"]) if "climb_mps" in said.get("motion", ()) else ()
        while True:
            plan = self._plan(said)
            try:
                event, ledger = self._filled(plan, said, key, at_us)
                break
            except Unsaid:
                lost = (*lost, *_without_unsaid(plan, said))
        if entity.residue is not None:
            event, left = said_again(entity.residue, event, self._room)
            lost = (*lost, residue_entry(left, self._spell("detail")))
        return event, Ledger((*ledger.entries, *lost)) if lost else ledger

    def _plan(self, said: _Said) -> _Plan:
        shape = (tuple(said), *map(tuple, said.values()))
        plan = self._plans.get(shape)
        if plan is None:
            if len(self._plans) >= _LIMIT:
                self._plans.clear()
            plan = self._plans[shape] = self._planned(said)
        return plan

    def _planned(self, said: _Said) -> _Plan:
        present = {f"{group}.{name}" for group, fields in said.items() for name in fields}
        placed = {"position.lat_deg", "position.lon_deg"} <= present
        names = ["event@version"]
        sources: list[tuple[str, str, Callable[[Any], Native]]] = [("", "event@version", _same)]
        fates: dict[str, _Entry] = {}
        for row in TRACK.rows:
            usable = row.model in present and (placed or not row.native.startswith("point@"))
            if usable:
                fates[row.model] = self._fate(row.model, row.native)
            if usable or (row.native in _ALWAYS and row.native not in NO_POINT):
                group, target = row.model.split(".")
                sources.append((group, target, row.give))
            elif row.native in NO_POINT:
                sources.append(("", row.native, _same))
            else:
                continue
            names.append(row.native)
        told = {"identity", *(path.partition(".")[0] for path in fates)}
        for path in sorted(present - fates.keys() - {"residue.parts"}):
            fates[path] = self._unwritten(path, said, told)
        clocks = tuple(group for group in said if f"{group}.at" in present)
        whole = present >= _WHOLE
        example = said if whole else _completed(said, "", 0)
        plainly = None if _INDIRECT & present else Plainly(names, sources, example, _CONSTANTS)
        return _Plan(tuple(names), tuple(sources), fates, clocks, whole, Given(sources), plainly)

    def _fate(self, path: str, native: str) -> _Entry:
        if native in _TIMES and self._ms:
            return Approximated(path, self._spell(native), 1.0, "ms")
        if path == "motion.climb_mps":
            return Approximated(path, self._spell(native), 1e-9, "m/s")
        return Carried(path, self._spell(native))

    def _unwritten(self, path: str, said: _Said, told: Collection[str]) -> _Entry:
        if path in _MADE_ANEW:
            return Dropped(path, "made anew")
        if path.endswith(".at"):
            if path[:-3] in told:
                return Carried(path, self._spell("event@time"))
            return Dropped(path, "no field", "nothing is said of which it is the time")
        if path == _MMSI:
            return Carried(path, self._spell("event@uid"))
        if path == "type.affiliation" or (path == "type.mapped" and "cot" not in said["type"]):
            return Carried(path, self._spell("event@type"))
        return Dropped(path, "no field")

    def _filled(self, plan: _Plan, said: _Said, key: str, at_us: int) -> tuple[Event, Ledger]:
        whole = {**(said if plan.whole else _completed(said, key, at_us)), "": _CONSTANTS}
        values = plan.quick.values(whole)
        plain = values is not None
        if values is None:
            values = [give(whole[group][name]) for group, name, give in plan.sources]
        event = Event(plan.names, values, usual=True, plain=plain)
        return event, self._ledger(plan, _odd(plan, said, whole))

    def _ledger(self, plan: _Plan, odd: tuple[str, ...]) -> Ledger:
        ledger = plan.ledgers.get(odd)
        if ledger is None:
            if len(plan.ledgers) >= _LIMIT:
                plan.ledgers.clear()
            ledger = plan.ledgers[odd] = Ledger(tuple((plan.fates | {path: self._odd[path] for path in odd}).values()))
        return ledger


def _completed(said: _Said, key: str, at_us: int) -> _Said:
    """`said` with what every event must say: known by its key, relayed, of an unknown type, now, for a while."""
    timing = said.get("timing", {})
    kind = said.get("type", {})
    placed_us = said.get("position", {}).get("at", -1) * 1000
    time_us: int = timing.get("source_us", placed_us if 0 <= placed_us <= LAST_US else at_us)
    start_us: int = timing.get("start_us", time_us)
    whole = dict(said)
    whole["timing"] = {"stale_us": stale_of(start_us), **timing, "source_us": time_us, "start_us": start_us}
    if "cot_uid" not in said.get("identity", ()):
        whole["identity"] = {**said.get("identity", {}), "cot_uid": uid_of(key, said.get("identity", {}).get("mmsi"))}
    if "cot" not in kind:
        whole["type"] = {**kind, "cot": _derived(kind)}
    if "how" not in said.get("sensor", ()):
        whole["sensor"] = {**said.get("sensor", {}), "how": _RELAYED}
    return whole


def _derived(kind: Mapping[str, Any]) -> str:
    """The likeliest type that was mapped; otherwise an atom of which only the affiliation may be known."""
    mapped = [one for one in kind.get("mapped", ()) if one["scheme"] == "cot" and one["code"].startswith("a-")]
    letter = _LETTERS.get(kind.get("affiliation", ""))
    if mapped:
        code = str(max(mapped, key=_confidence)["code"])
        return f"a-{letter}{code[3:]}" if letter and code[3:4] in ("-", "") else code
    return f"a-{letter}" if letter else _UNKNOWN_TYPE


def _confidence(one: Mapping[str, Any]) -> float:
    return float(one["confidence"])


def _odd(plan: _Plan, said: _Said, whole: _Said) -> tuple[str, ...]:
    """The fields whose values, as they are, do not share the fate of their kind."""
    at = whole["timing"]["source_us"] // 1000
    odd = [f"{group}.at" for group in plan.clocks if said[group]["at"] != at]
    kind = said.get("type")
    if kind is not None:
        letter = whole["type"]["cot"][2:3]
        if "affiliation" in kind and AFFILIATIONS.get(letter) != kind["affiliation"]:
            odd.append("type.affiliation")
        if "mapped" in kind and "cot" not in kind and not any(one["scheme"] == "cot" for one in kind["mapped"]):
            odd.append("type.mapped")
    if _MMSI in plan.fates and claimed(whole["identity"]["cot_uid"]) != said["identity"]["mmsi"]:
        odd.append(_MMSI)
    if _BATTERY in plan.fates and said["status"]["battery_percent"] % 1:
        odd.append(_BATTERY)
    return tuple(odd)


def _without_slope(motion: dict[str, Any]) -> tuple[_Entry, ...]:
    """Put the slope in place of the climb rate; without a speed there is none."""
    climb, speed = motion["climb_mps"], motion.get("speed_mps", 0.0)
    if speed > 0:
        motion["climb_mps"] = math.degrees(math.atan2(climb, speed))
        return ()
    del motion["climb_mps"]
    return (Dropped("motion.climb_mps", "no field", "a slope says nothing without a speed"),)


def _without_unsaid(plan: _Plan, said: _Said) -> list[_Entry]:
    """Take the values that CoT cannot say out of `said`."""
    lost: list[_Entry] = []
    for group, name, give in plan.sources:
        if name not in said.get(group, ()):
            continue
        try:
            give(said[group][name])
        except Unsaid as reason:
            del said[group][name]
            lost.append(Dropped(f"{group}.{name}", reason.reason, reason.detail))
    return lost


def _same(value: Native) -> Native:
    return value


_CONSTANTS: dict[str, Any] = {"event@version": "2.0", **NO_POINT}
