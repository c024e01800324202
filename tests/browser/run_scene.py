"""A node that records runs of two systems, at two levels, with people; findings and participants of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from web_scene import AUSTRALIAN, OFFICIAL, Scene, hire

from aldis.apps.experiments.app import ExperimentsApp
from aldis.apps.experiments.entity import Decoded, Identity, Motion, Position, Track
from aldis.apps.experiments.gateways.gateway import Gateway
from aldis.apps.experiments.gateways.registry import offered
from aldis.apps.experiments.participants.kind import PARTICIPANT
from aldis.apps.experiments.picture import Picture
from aldis.apps.experiments.recorder import Recorder, Taps
from aldis.kernel.authority import Role
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.people import Cost, Passwords
from aldis.testing.clock import VirtualClock as Clock

PROJECT = "SEA-TRIAL"
LOW, HIGH = "OFFICIAL//REL AUS/GBR", "SECRET//AGAO"
SECOND = 1_000_000
CASE = """\
case = "own-picture"
title = "The sea picture at our own terminal"

[[step]]
name = "heard"
does = "sense"
who = "aus/sea"
what = "mmsi:*"
updates = 8

[[step]]
name = "shown"
does = "share"
who = "aus/sea"
to = "aus/tak"
of = "heard"
permitted = ["position", "motion", "identity", "type"]
needed = ["position.lat_deg", "position.lon_deg"]
latency_p95_s = 2
"""


class Tape:
    """A recording that is being made: a receiver hears a ship, and a terminal is sent what it said."""

    def __init__(self, made: Scene, run: str, marking: str = LOW, system: str = "sea") -> None:
        place = made.node.context.recordings
        assert place is not None
        Path(place.folder).mkdir(exist_ok=True)
        self.began = made.clock.now() * 1000
        self.recorder = Recorder(
            Path(place.folder), run, place.signer, node="aus", run=run, marking=marking, began_ms=made.clock.now()
        )
        self.taps, self.marking, self.system = Taps(self.recorder), marking, system
        self.gateways: dict[str, Gateway] = {}
        self.picture, self.second = Picture(), 0
        self.heard: list[Decoded] = []

    def go_on(self, seconds: int) -> None:
        for _ in range(seconds):
            at_us = self.began + self.second * SECOND
            data = self._said(at_us)
            self.taps.native(self.system, self.marking, "nmea0183", data, at_us, "127.0.0.1:9000")
            for decoded in self._gateway("nmea0183").feed(data, at_us):
                self.heard.append(decoded)
                record = f"trk-{decoded.entity.key[5:]}"
                self.taps.entity(self.system, self.marking, decoded, at_us, record=record)
                if isinstance(decoded.entity, Track):
                    self._show(decoded, record, at_us + 1000)
            self.second += 1

    def _show(self, decoded: Decoded, record: str, at_us: int) -> None:
        track = msgspec.structs.replace(self.picture.update(decoded.entity, self.system), key=record)  # type: ignore[arg-type]
        shown = Track(key=record, position=track.position, motion=track.motion, identity=track.identity)
        sent = self._gateway("cot").encode(shown, at_us).messages
        self.taps.egress("tak", self.marking, shown, at_us, protocol="cot", messages=sent, record=record)

    def _gateway(self, protocol: str) -> Gateway:
        return self.gateways.setdefault(protocol, offered(protocol).open())

    def _said(self, at_us: int) -> bytes:
        track = Track(
            key="mmsi:503000001",
            position=Position(lat_deg=59.9, lon_deg=24.5 + self.second * 0.0001, at=at_us // 1000),
            motion=Motion(speed_mps=5.0, course_deg=90.0, at=at_us // 1000),
            identity=Identity(mmsi=503000001, name="GREYLADY", at=at_us // 1000),
        )
        return b"".join(offered("nmea0183").open().encode(track, at_us).messages)

    def close(self) -> Path:
        self.recorder.close()
        return self.recorder.segments[0]


def participant(made: Scene, name: str, label: Label, state: str = "joined") -> None:
    """A system on the roll."""
    now = made.clock.now()
    said = {"system": name, "state": state, "since": now - 5000, "protocol": "nmea0183"}
    parts = {
        "state": said,
        "clock": {"low_us": 100_000, "high_us": 150_000, "basis": "two-way"},
        "traffic": {"heard": 12, "damaged": 1, "last": now - 500, "heard_per_s": 1.5},
    }
    made.node.context.put(
        Draft(
            kind=PARTICIPANT.name, id=f"ptc-{name}", originator="aus", author="gateway", created=now, label=label,
            project=PROJECT, portions=[DraftPortion(part, label, value) for part, value in parts.items()],
        )
    )  # fmt: skip


@contextmanager
def run_scene(folder: Path) -> Iterator[Scene]:
    """AUS, which records: a closed run that may go to partners, and one at SECRET with a system named in secret."""
    clock = Clock()
    labels = {"track": {"header": LOW}, "lease": {"header": LOW}, "answer": {"header": LOW}, "tasking": {"header": LOW}}
    config = Config(
        node="aus", party="AUS", policy="AUS", ceiling="SECRET", project=PROJECT, record=True, labels=labels
    )
    home = folder / "aus"
    make_home(home, config, now=clock.now())
    with Node.open(home, clock=clock, environment={}, apps={"experiments": ExperimentsApp()}) as node:
        node.people.passwords = Passwords(node.core.random, Cost(32, 1, 4))
        hire(node, "alice", name="Originator One", roles=[Role.ORIGINATOR])
        hire(node, "bob", name="Reader Two", clearance={"AUS": "OFFICIAL"}, roles=[Role.AUDITOR])
        hire(node, "carol", name="Reader Three", projects=[PROJECT], roles=[Role.AUDITOR])
        hire(node, "grace", name="Liaison Four", nationality="GBR", roles=[Role.AUDITOR])
        hire(node, "gail", name="Guest Five", clearance={"AUS": "OFFICIAL"}, roles=[Role.GUEST], projects=[PROJECT],
             kinds=["findings", "participant", "track"], organisation="Example University")  # fmt: skip
        made = Scene(node, clock)
        low = Tape(made, "20261101-080000")
        low.go_on(12)
        low.close()
        high = Tape(made, "20261102-080000", HIGH, "violetsonar")
        high.go_on(3)
        high.close()
        participant(made, "sea", OFFICIAL)
        participant(made, "violetsonar", AUSTRALIAN, "silent")
        yield made
