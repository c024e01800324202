"""A node's whole road: AIS decoded, decided for three partners, encoded for a console, and recorded.

    python -m benchmarks.pipeline [--quick]

A thousand vessels report by AIS message 1, ten times a second each; time is stepped, so that no value is left out for
being late. Of each input: the bytes and what they say go onto the tape; the picture takes it in; each portion that
changed is labelled, decided for three partners with different rights (one has all but what is national, one no
identity, one the position alone, coarsened), and sealed in a signed frame for each, every 100 ms; the same track is
encoded as CoT for a console whose account may see it, and that goes onto the tape too; every five seconds each entity
becomes a signed, labelled record with its ledger leaf. The code is that of a running node, without its sockets.

The rate is inputs a second of CPU time, of all threads of the process. The peer does what a script would: pyais decodes
the sentence, its fields become JSON for a console and for each of three partners, and a row in SQLite, one commit each
100 ms. It labels, decides, signs and fuses nothing, and its table is no evidence.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pyais

from aldis.app import System
from aldis.apps.experiments.app import ExperimentsApp
from aldis.apps.experiments.entity import Identity, Motion, Position, Timing, Track, Type
from aldis.apps.experiments.gateways.cot import OFFERED as COT
from aldis.apps.experiments.gateways.nmea import NmeaGateway
from aldis.apps.experiments.kinds import TRACK
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.plot import Plot
from aldis.apps.experiments.systems import Connection
from aldis.apps.experiments.tape import Tape
from aldis.node.node import Node
from aldis.node.people import Account
from aldis.testing import VirtualClock
from benchmarks.coalition import PROJECT, Coalition
from benchmarks.report import median_spread, report

VESSELS = 1_000
STEP_MS = 100
STEPS = 1000 // STEP_MS
SETTLE_STEPS = 3
TARGET = 10_000
BREATH = 64
PEER = "192.0.2.1:4001"
PARTNERS = ("gbr", "usa", "nzl")
LABELS = {
    "track": {
        "header": "OFFICIAL//REL AUS/GBR/NZL/USA",
        "position": "OFFICIAL//REL AUS/GBR/NZL/USA",
        "motion": "OFFICIAL//REL AUS/GBR/USA",
        "identity": "PROTECTED//REL AUS/USA",
        "type": "PROTECTED//REL AUS/USA",
        "status": "PROTECTED//REL AUS/GBR/USA",
        "sensor": "SECRET//AGAO",
    }
}
COARSER = """
to = ["GBR", "USA"]
[[clause]]
id = "4.2"
kinds = ["track"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
to = ["NZL"]
ceiling = { AUS = "SECRET", NZL = "SECRET" }
transforms = [{ portion = "position", action = "coarsen", grid_m = 1000 }]
"""


def vessel(number: int, step: int, at_ms: int) -> Track:
    """A vessel under way, a little further at each step."""
    return Track(
        key=f"mmsi:{230_000_000 + number}",
        identity=Identity(mmsi=230_000_000 + number, name=f"VESSEL {number}", callsign=f"OH{number:04}"),
        type=Type(ship_type=70 + number % 10),
        position=Position(lat_deg=59 + number / 1009 + step * 2e-5, lon_deg=24 + number / 1013, at=at_ms),
        motion=Motion(speed_mps=5 + number % 50 / 10, course_deg=float((number + step) % 360)),
        timing=Timing(source_us=at_ms * 1000, clock="second"),
    )


def sentences(steps: int, began_ms: int) -> tuple[list[bytes], list[list[bytes]]]:
    """Who they are, and message 1 of each at each step."""
    gateway = NmeaGateway()
    names: list[bytes] = []
    told: list[list[bytes]] = []
    for step in range(steps):
        at_ms, told_now = began_ms + step * STEP_MS, list[bytes]()
        for number in range(VESSELS):
            made = gateway.encode(vessel(number, step, at_ms), at_ms * 1000).messages
            told_now += [one for one in made if pyais_type(one) <= 3]
            if step == 0:
                names += [one for one in made if pyais_type(one) > 3]
        told.append(told_now)
    return names, told


def pyais_type(sentence: bytes) -> int:
    """The number of the message: of one in several parts, of the first; the parts after it count as of no position."""
    _, total, number, *_ = sentence.split(b",")
    return ord(sentence.split(b",")[5][:1]) - 48 if total == b"1" or number == b"1" else 99


class Road:
    """A node, an AIS receiver and a console, without sockets."""

    def __init__(self, node: Node, clock: VirtualClock) -> None:
        self.node, self.clock = node, clock
        self.plot = Plot(node.context, PROJECT)
        self.tape = Tape(node.context, self.plot.highest())
        self.receiver = self._connected(System(name="ais", address="nmea0183+udp://127.0.0.1:1"))
        self.console = self._connected(System(name="console", address="cot+udp://127.0.0.1:2", person="console"))
        self.speaker = COT.open()
        self.sent = self.framed = 0

    def _connected(self, system: System) -> Connection:
        return Connection(self.node.context, self.plot, self.tape, system)

    async def begin(self, names: Sequence[bytes]) -> None:
        """Hear who the vessels are."""
        self.watching = asyncio.create_task(self.console._watch(TRACK.name))
        await asyncio.sleep(0)
        await self.step(names, 0)

    async def step(self, heard: Sequence[bytes], number: int) -> None:
        """What a node does in a tenth of a second."""
        self.clock.advance(STEP_MS)
        at_us = self.clock.now() * 1000
        for place, sentence in enumerate(heard):
            for decoded in self.receiver._heard(Piece(sentence, PEER), at_us):
                self.receiver._take(decoded, PEER, at_us)
            if place % BREATH == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.show()
        for partner in PARTNERS:
            self.framed += len(self.node.live_out.frame(partner, 1) or b"")
        if number % SETTLE_STEPS == 0:
            self.plot.settle(self.clock.now())

    def show(self) -> None:
        """Encode what changed for the console."""
        for slot in self.console._cadence.due(self.clock.now() / 1000):
            self.sent += sum(map(len, self.console._said(self.speaker, slot)))

    async def end(self) -> None:
        """Seal the tape."""
        self.watching.cancel()
        self.tape.close()


class Script:
    """The peer."""

    def __init__(self, folder: Path) -> None:
        self._base = sqlite3.connect(folder / "peer.db", isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("CREATE TABLE heard (at INTEGER, mmsi INTEGER, body TEXT)")

    def step(self, heard: Sequence[bytes], number: int) -> None:
        """What it does in a tenth of a second."""
        self._base.execute("BEGIN")
        queues: list[list[str]] = [[] for _ in PARTNERS]
        for sentence in heard:
            said = pyais.decode(sentence).asdict()
            body = json.dumps(said, default=str)
            for queue in queues:
                queue.append(json.dumps({name: said[name] for name in ("mmsi", "lat", "lon", "speed", "course")}))
            self._base.execute("INSERT INTO heard VALUES (?, ?, ?)", (number, said["mmsi"], body))
        self._base.execute("COMMIT")

    def close(self) -> None:
        """Close its file."""
        self._base.close()


async def measured(road: Road, script: Script, told: Sequence[Sequence[bytes]]) -> tuple[list[float], list[float]]:
    """Inputs a second of CPU time, of each second of the road's own time, and of the peer's after it."""
    own, other = [], []
    for start in range(0, len(told), STEPS):
        steps = list(enumerate(told[start : start + STEPS], start))
        count = sum(len(heard) for _, heard in steps)
        began = time.process_time()
        for number, heard in steps:
            await road.step(heard, number)
        own.append(count / (time.process_time() - began))
        began = time.process_time()
        for number, heard in steps[:2]:
            script.step(heard, number)
        other.append(sum(len(heard) for _, heard in steps[:2]) / (time.process_time() - began))
    return own, other


async def ours(
    node: Node, clock: VirtualClock, script: Script, names: Sequence[bytes], told: Sequence[Sequence[bytes]]
) -> tuple[list[float], list[float]]:
    """Both, in turn."""
    road = Road(node, clock)
    await road.begin(names)
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as `aldis up` does
    try:
        return await measured(road, script, told)
    finally:
        await road.end()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three seconds of traffic, not ten")
    steps = 30 if parser.parse_args().quick else 100
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = Coalition.make(
            folder, "aus", *PARTNERS, terms=COARSER, live_bytes=1024 * 1024, labels=LABELS, project=PROJECT, record=True
        )
        clock = VirtualClock(time.time_ns() // 1_000_000)
        names, told = sentences(steps, clock.now())
        apps = {"experiments": ExperimentsApp()}
        with Node.open(world.folder / "aus", environment={}, clock=clock, apps=apps) as node:
            clearance = {"AUS": "SECRET"}
            node.people.add(
                Account(id="console", name="console", nationality="AUS", clearance=clearance, projects=[PROJECT])
            )
            script = Script(folder)
            own, other = asyncio.run(ours(node, clock, script, names, told))
            script.close()
    rate, spread = median_spread(own)
    ratio = rate / median_spread(other)[0]
    report(
        "pipeline", "pyais, json and sqlite3; nothing labelled, decided, signed or fused", ratio, f">= {TARGET}/s",
        rate >= TARGET, rate, "inputs/s of one core", spread,
    )  # fmt: skip


if __name__ == "__main__":
    main()
