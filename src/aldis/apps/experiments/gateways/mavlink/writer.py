"""What becomes of each entity on its way to MAVLink systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from aldis.apps.experiments.entity import Area, Encoded, Entity, Environment, Report, Task, Track
from aldis.apps.experiments.gateways.mavlink.fates import Fate, writing
from aldis.apps.experiments.gateways.mavlink.outbox import STATION, Ids, Outbox, Source, named
from aldis.apps.experiments.gateways.mavlink.places import Undulation
from aldis.apps.experiments.gateways.mavlink.plan import Target
from aldis.apps.experiments.gateways.mavlink.requests import Assignee, Requests
from aldis.apps.experiments.gateways.mavlink.say_contact import icao_of, mmsi_of, say_aircraft, say_vessel
from aldis.apps.experiments.gateways.mavlink.say_others import say_area, say_environment, say_report, say_task
from aldis.apps.experiments.gateways.mavlink.say_vehicle import say_vehicle
from aldis.apps.experiments.gateways.mavlink.saying import Starts

__all__ = ["Style", "Writer"]

Style = Literal["by type", "vehicles", "contacts"]
"""How tracks are said: as vehicles of their own, as contacts (AIS_VESSEL, ADSB_VEHICLE) where they have a name for it,
or as contacts unless they are vehicles with a MAVLink id."""

_NO_IDS = writing({})


class Writer:
    """Says entities, and keeps which system ids they are shown under."""

    def __init__(
        self,
        outbox: Outbox,
        requests: Requests,
        target_of: Callable[[Source], Target],
        undulation: Undulation | None,
        style: Style,
    ) -> None:
        self._outbox, self._requests, self._target_of = outbox, requests, target_of
        self._undulation, self._style = undulation, style
        self._ids = Ids()
        self._kinds: dict[int, tuple[int, int]] = {}
        self._starts = Starts()
        self._texts = 0

    def heard(self, system: int) -> None:
        """A system at the other end has this id."""
        self._ids.heard(system)

    def is_heard(self, system: int) -> bool:
        """Whether a system at the other end has this id."""
        return self._ids.is_heard(system)

    def shown(self, system: int) -> Assignee | None:
        """The track that is shown under an id."""
        key = self._ids.key(system)
        return None if key is None else Assignee(key, self._kinds.get(system))

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """The messages that say `entity`."""
        match entity:
            case Track():
                return self._track(entity, at_us)
            case Report():
                self._texts = self._texts % 65_535 + 1
                source = self._source(entity.author or "", at_us)
                return say_report(entity, source, self._texts, self._outbox, at_us)
            case Environment():
                source = self._source(entity.key.removesuffix("/pressure 2"), at_us)
                return say_environment(entity, source, self._outbox, self._starts, at_us)
            case Area():
                return say_area(entity, self._source(entity.key.removesuffix("/home"), at_us), self._outbox, at_us)
            case Task():
                return say_task(entity, self._outbox, self._requests, self._target_of, at_us)

    def _track(self, track: Track, at_us: int) -> Encoded:
        name = track.identity.mavlink_id if track.identity is not None else None
        vehicle = track.type is not None and track.type.nature == "vehicle" and name is not None
        if self._style == "contacts" or (self._style == "by type" and not vehicle):
            icao, mmsi = icao_of(track), mmsi_of(track)
            if icao is not None:
                return say_aircraft(track, icao, self._outbox, at_us)
            if mmsi is not None:
                return say_vessel(track, mmsi, self._outbox, at_us)
        source = self._ids.of(track.key, name, at_us)
        if source is None:
            no_id = "-out of range: all 254 system ids are taken"
            return Encoded((), _NO_IDS.ledger(track, tuple((path, no_id) for path in _paths(track))))
        if track.type is not None and track.type.mav_type is not None:
            self._kinds[source[0]] = track.type.mav_autopilot or 0, track.type.mav_type
        told: dict[str, Fate] = {}
        own = named(name)
        if name is not None and own is None:
            numbers = all(part.isdigit() for part in name.split("/", 1))
            told["identity.mavlink_id"] = "-out of range: ids have 8 bits" if numbers else "-not text of this protocol"
        elif own is not None and own != source:
            told["identity.mavlink_id"] = "-no code: taken here by another"
        return say_vehicle(track, source, self._outbox, self._starts, self._undulation, at_us, told)

    def _source(self, key: str, at_us: int) -> Source:
        """Who says what is said by `key`: the system that it is shown under, or the ground station."""
        own = named(key.removeprefix("mavlink:")) if key.startswith("mavlink:") else None
        if own is None:
            return STATION
        return self._ids.of(key, f"{own[0]}/{own[1]}", at_us) or STATION


def _paths(track: Track) -> list[str]:
    groups = [(name, getattr(track, name)) for name in track.__struct_fields__ if name != "key"]
    return [f"{name}.{field}" for name, group in groups if group is not None for field in group.__struct_fields__]
