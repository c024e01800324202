"""A simulated coastguard lookout with a Cursor-on-Target device: it says where it is, and what its screen shows."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.apps.experiments.entity import Identity, Position, Report, Sensor, Timing, Track, Type
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.gateways.cot import OFFERED
from aldis.apps.experiments.players.raft import BEACON
from aldis.apps.experiments.players.sea import Place

__all__ = ["Observer"]

_EVERY_US = 2_000_000
_LATELY_US = 10_000_000
_NEAR_M = 25.0
_UID = "LOOKOUT-1"
_MOST = 5_000


class Observer:
    """It stands still. Once its screen shows something within 25 m of the raft's beacon, it reports that."""

    def __init__(self, place: Place, began_us: int) -> None:
        self.told: list[str] = []
        self._place = place
        self._gateway = OFFERED.open()
        self._due_us = began_us
        self._screen: dict[str, tuple[Place, int]] = {}
        self._beacon = ""
        self._reported = False

    @property
    def shown(self) -> int:
        """How many tracks it has been sent."""
        return len(self._screen)

    def advance(self, at_us: int) -> Sequence[bytes]:
        """What it says at `at_us`."""
        if at_us < self._due_us:
            return ()
        self._due_us = at_us + _EVERY_US
        lat, lon = self._place
        itself = Track(
            key=f"cot:{_UID}",
            position=Position(lat_deg=lat, lon_deg=lon, at=at_us // 1000),
            identity=Identity(callsign="LOOKOUT 1", cot_uid=_UID),
            type=Type(cot="a-f-G-U-C"),
            sensor=Sensor(protocol="cot", received_ms=at_us // 1000, how="h-e"),
            timing=Timing(source_us=at_us),
        )
        return (*self._gateway.encode(itself, at_us).messages, *self._seen(at_us))

    def hear(self, data: bytes, at_us: int) -> Sequence[bytes]:
        """What its node sends it goes onto its screen."""
        for decoded in self._gateway.feed(data, at_us):
            entity = decoded.entity
            if not isinstance(entity, Track) or entity.position is None or len(self._screen) >= _MOST:
                continue
            if entity.key not in self._screen:
                self._say(entity)
            self._screen[entity.key] = (entity.position.lat_deg, entity.position.lon_deg), at_us
        return ()

    def _say(self, track: Track) -> None:
        mmsi = str(track.identity.mmsi) if track.identity and track.identity.mmsi else ""
        if f"mmsi:{mmsi}" == BEACON or track.key.endswith(BEACON.removeprefix("mmsi:")):
            self._beacon = track.key
            self.told.append("a distress beacon is on the screen")

    def _seen(self, at_us: int) -> Sequence[bytes]:
        if self._reported or self._beacon not in self._screen:
            return ()
        raft, _ = self._screen[self._beacon]
        near = [
            distance_m(*raft, *place)
            for key, (place, heard_us) in self._screen.items()
            if key != self._beacon and at_us - heard_us <= _LATELY_US
        ]
        if not near or min(near) > _NEAR_M:
            return ()
        self._reported = True
        text = f"A vessel is {min(near):.0f} m from the raft"
        self.told.append(text)
        words = Report(
            key=f"cot:{_UID}.{at_us // 1000}",
            text=text,
            author=f"cot:{_UID}",
            cot="b-t-f",
            position=Position(lat_deg=raft[0], lon_deg=raft[1], at=at_us // 1000),
            timing=Timing(source_us=at_us),
        )
        return self._gateway.encode(words, at_us).messages
