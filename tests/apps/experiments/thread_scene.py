"""Recordings of two nations, for tests of cases: real bytes, real gateways, sealed with real keys.

Australia's `sea` hears ships by AIS. What it may release goes to Britain, whose `tak` is sent it as Cursor-on-Target.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from recorded import MARKING, START_US, signer

from aldis.apps.experiments.entity import (
    Decoded,
    Entity,
    Identity,
    Ledger,
    Motion,
    Point,
    Position,
    Report,
    Task,
    Track,
)
from aldis.apps.experiments.gateways.gateway import Gateway
from aldis.apps.experiments.gateways.registry import offered
from aldis.apps.experiments.picture import Picture
from aldis.apps.experiments.recorder import Recorder, Taps
from aldis.kernel.signatures import Key
from aldis.node.keys import NodeSigner

SECOND = 1_000_000
SHIPS = (230_000_001, 230_000_002)
Change = Callable[[Track], Track | None]
GROUPS = ("position", "motion", "identity")


def same(track: Track) -> Track | None:
    return track


@dataclass
class Nation:
    """A node that records."""

    node: str
    folder: Path
    by: NodeSigner = field(default_factory=signer)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.recorder = Recorder(
            self.folder, self.node, self.by, node=self.node, run="raft", marking=MARKING, began_ms=START_US // 1000
        )
        self.taps = Taps(self.recorder)
        self.gateways: dict[str, Gateway] = {}
        self.picture = Picture()

    def heard(self, system: str, protocol: str, data: bytes, at_us: int) -> list[Track]:
        """Bytes of a system, decoded and put on the tape; its tracks as they are now known."""
        gateway = self.gateways.setdefault(system, offered(protocol).open())
        self.taps.native(system, MARKING, protocol, data, at_us, "127.0.0.1:9000")
        found = []
        for decoded in gateway.feed(data, at_us):
            record = record_of(decoded.entity.key)
            self.taps.entity(system, MARKING, decoded, at_us, record=record)
            if isinstance(decoded.entity, Track):
                found.append(msgspec.structs.replace(self.picture.update(decoded.entity, system), key=record))
        return found

    def left(self, partner: str, entity: Entity, at_us: int, record: str = "") -> None:
        self.taps.egress(
            f"node:{partner}", MARKING, entity, at_us, protocol="aldis-frame/1", record=record or entity.key
        )

    def arrived(self, partner: str, entity: Entity, at_us: int, record: str = "") -> None:
        self.taps.entity(f"node:{partner}", MARKING, Decoded(entity, Ledger()), at_us, record=record or entity.key)

    def sent(self, system: str, protocol: str, entity: Entity, at_us: int) -> None:
        gateway = self.gateways.setdefault(system, offered(protocol).open())
        messages = gateway.encode(entity, at_us).messages
        if messages:
            self.taps.egress(
                system, MARKING, entity, at_us, protocol=gateway.protocol, messages=messages, record=entity.key
            )

    def close(self) -> Path:
        self.recorder.close()
        (path,) = self.recorder.segments
        return path


def record_of(key: str) -> str:
    return "trk-" + key.replace(":", "").replace("/", "-")[::-1]


def released(track: Track, groups: tuple[str, ...] = GROUPS) -> Track:
    """The track with nothing but some groups."""
    return Track(key=track.key, **{name: getattr(track, name) for name in groups})


@dataclass
class Scene:
    """What happens, and how it is broken: each is a function of a track on its way, None to drop it."""

    folder: Path
    seconds: int = 12
    protocol: str = "cot"
    release: tuple[str, ...] = GROUPS
    out: Change = same
    arriving: Change = same
    shown: Change = same
    late_us: int = 0
    ahead_us: int = 0
    lost: range = range(0)
    say: bool = True

    def play(self) -> tuple[list[Path], Mapping[str, Key]]:
        """The recordings, and the keys of who made them."""
        aus, gbr = self.nation("aus"), self.nation("gbr")
        for second in range(self.seconds if self.say else 0):
            at = START_US + second * SECOND
            for ship in SHIPS:
                for track in aus.heard("sea", "nmea0183", ais(ship, second), at):
                    self._share(aus, gbr, track, at, second)
            for track in gbr.heard("tak", "cot", own(second), at):
                gbr.left("aus", track, at + 2000 + self.ahead_us)
                aus.arrived("gbr", track, at + 4000)
        self.more(aus, gbr)
        return [aus.close(), gbr.close()], {"aus": aus.by.public, "gbr": gbr.by.public}

    def nation(self, node: str) -> Nation:
        """One of the two."""
        return Nation(node, self.folder / node)

    def more(self, aus: Nation, gbr: Nation) -> None:
        """What else happens."""

    def _share(self, aus: Nation, gbr: Nation, track: Track, at: int, second: int) -> None:
        out = self.out(released(track, self.release))
        if out is None:
            return
        aus.left("gbr", out, at + 1000)
        there = at + 3000 + self.late_us + self.ahead_us
        came = None if second in self.lost else self.arriving(out)
        if came is None:
            return
        gbr.arrived("aus", came, there)
        shown = self.shown(came)
        if shown is not None:
            gbr.sent("tak", self.protocol, shown, there + 1000)


@functools.cache
def ais(ship: int, second: int) -> bytes:
    """What a ship says: its place and way, and its name."""
    at_us = START_US + second * SECOND
    number = SHIPS.index(ship)
    track = Track(
        key=f"mmsi:{ship}",
        position=Position(lat_deg=59.9 + number * 0.05, lon_deg=24.5 + second * 0.0001, at=at_us // 1000),
        motion=Motion(speed_mps=5.0, course_deg=90.0, at=at_us // 1000),
        identity=Identity(mmsi=ship, name=f"SHIP {number}", callsign=f"OJ{number}", at=at_us // 1000),
    )
    return b"".join(offered("nmea0183").open().encode(track, at_us).messages)


@functools.cache
def own(second: int) -> bytes:
    """What the British terminal says of itself."""
    at_us = START_US + second * SECOND
    track = Track(key="cot:tak-1", position=Position(lat_deg=50.0, lon_deg=0.0, at=at_us // 1000))
    return b"".join(offered("cot").open().encode(track, at_us).messages)


def edited(name: str, /, **changes: Any) -> Change:
    """A change of one group of every track."""

    def change(track: Track) -> Track | None:
        group = getattr(track, name)
        if group is None:
            return track
        return msgspec.structs.replace(track, **{name: msgspec.structs.replace(group, **changes)})

    return change


__all__ = [
    "SECOND",
    "SHIPS",
    "Nation",
    "Point",
    "Report",
    "Scene",
    "Task",
    "ais",
    "edited",
    "record_of",
    "released",
    "same",
]
