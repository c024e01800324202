"""Tasks between three running nations, and a boat that speaks through pymavlink: what is said is what is seen."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aldis.app import System
from aldis.apps.experiments.app import ExperimentsApp
from aldis.apps.experiments.cases import find, read_case
from aldis.apps.experiments.entity import Point, Task
from aldis.apps.experiments.gateways.mavlink.watch import Limits
from aldis.apps.experiments.orders.acting import accept, ask, cancel, lend, take_back
from aldis.apps.experiments.orders.shown import TaskShown, leases, tasks
from aldis.apps.experiments.recorder import messages, read_told, recorded, verify
from aldis.apps.experiments.replay import Replay
from aldis.kernel.signatures import Key
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.service import Service

pytest.importorskip("pymavlink")

HURRY = Limits(
    answer_us=100_000, retries=12, move_us=900_000, stall_us=900_000, still_us=200_000, noise_m=3.0, acceptance_m=5.0
)
NATIONS = {"aus": ("AUS", "AUS"), "gbr": ("GBR", "UK"), "usa": ("USA", "US")}
REL = "OFFICIAL//REL AUS/USA"
LABELS = {"track": {"header": REL, "position": REL}, "answer": {"header": REL}, "lease": {"header": REL}}
ITS_OWN = {"track": {"header": "UNCLASSIFIED", "position": "UNCLASSIFIED"}}
FOR_AUS = "CONFIDENTIAL//REL TO USA, AUS"
SEA = """\
instrument = "arrangement"
id = "pa-sea"
title = "Sea"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2035-12-31

[[clause]]
id = "1"
kinds = ["track", "tasking", "answer", "lease"]
projects = ["SEA"]
purposes = ["search and rescue"]
ceiling = { AUS = "SECRET", UK = "SECRET", US = "SECRET" }
"""
CASE = """\
case = "{name}"
title = "Go there"

[[step]]
name = "asked"
does = "task"
who = "usa"
to = "aus/boat"
what = "{task}"

[[step]]
name = "moves"
does = "act"
who = "aus/boat"
of = "asked"
moved_m = 10

[[step]]
name = "told"
does = "confirm"
who = "aus/boat"
to = "usa"
of = "asked"
"""
THERE, FAR = Point(lat_deg=60.1005, lon_deg=24.9005), Point(lat_deg=60.5, lon_deg=24.9)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sea:
    """Three nations; Australia has a boat, which the United States see, and the United Kingdom nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.nodes: dict[str, Node] = {}
        boat = System(name="boat", address=f"mavlink+udp://127.0.0.1:{self.port}", tasking=True)
        for name, (party, policy) in NATIONS.items():
            mine = name == "aus"
            config = Config(
                node=name, party=party, policy=policy, ceiling="SECRET", listen=f"127.0.0.1:{free_port()}",
                project="SEA", labels=LABELS if mine else ITS_OWN, systems=[boat] if mine else [], record=name != "gbr",
            )  # fmt: skip
            make_home(folder / name, config, now=time.time_ns() // 1_000_000)
            self.open(name)
        names = list(NATIONS)
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                _, reply = self.nodes[other].partners.join(
                    self.nodes[one].partners.invite(NATIONS[other][0]), lambda *_: True
                )
                assert reply is not None
                self.nodes[one].partners.join(reply, lambda *_: True)
        self.nodes["aus"].register.draft(SEA, "officer")

    def open(self, name: str) -> Node:
        from aldis.apps.workspace import app as workspace

        apps: dict[str, Any] = {"experiments": ExperimentsApp(HURRY), "workspace": workspace}
        self.nodes[name] = Node.open(self.folder / name, environment={}, apps=apps)
        return self.nodes[name]

    def run(self, act: Callable[[Sea], Awaitable[None]]) -> None:
        async def run() -> None:
            services = [Service(node) for node in self.nodes.values()]
            for service in services:
                await service.start()
            try:
                await asyncio.wait_for(act(self), 60)
            finally:
                for service in services:
                    await service.stop()
                for node in self.nodes.values():
                    node.close()

        asyncio.run(run())

    async def agree(self) -> None:
        everywhere = [self.nodes["gbr"], self.nodes["usa"]]
        await until(lambda: all("pa-sea" in node.epochs.current().instruments.ids() for node in everywhere))
        for node in self.nodes.values():
            node.register.sign("pa-sea", "officer")
        await until(lambda: all(n.register.status("pa-sea").state.value == "in force" for n in self.nodes.values()))

    async def track(self) -> str:
        """The id under which the United States see the boat."""
        usa = self.nodes["usa"]
        await until(lambda: usa.records.count(kind="track") > 0)
        return usa.records.page(kind="track").rows[0].id

    def ask(self, track: str, point: Point, **more: Any) -> str:
        return ask(self.nodes["usa"].context, track, "go to", [point], marking=FOR_AUS, **more).header.id

    def seen(self, name: str, task: str) -> TaskShown | None:
        return next((one for one in tasks(self.nodes[name].context) if one.id == task), None)

    async def stands(self, task: str, state: str, name: str = "usa", seconds: float = 15) -> TaskShown:
        """The task as a nation sees it, once it is in a state."""
        await until(lambda: (one := self.seen(name, task)) is not None and one.state == state, seconds,
                    lambda: str(self.seen(name, task)))  # fmt: skip
        found = self.seen(name, task)
        assert found is not None
        return found


async def until(holds: Callable[[], object], seconds: float = 15, told: Callable[[], str] = str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"it did not come about: {told()}"
        await asyncio.sleep(0.03)


@contextmanager
def boat(port: int, *arguments: str) -> Iterator[None]:
    program = Path(__file__).with_name("mav_boat.py")
    command = [sys.executable, "-W", "ignore", str(program), str(port), *arguments]
    with subprocess.Popen(command, env=os.environ | {"MAVLINK_DIALECT": "common", "MAVLINK20": "1"}) as process:
        try:
            yield
        finally:
            process.kill()


@pytest.mark.slow
def test_what_one_nation_asks_another_accepts_and_the_boats_motion_proves(tmp_path: Path) -> None:
    ids: dict[str, str] = {}

    async def act(sea: Sea) -> None:
        await sea.agree()
        aus, usa = sea.nodes["aus"].context, sea.nodes["usa"].context
        with boat(sea.port, "--armed", "--speed", "40"):
            track = await sea.track()
            task = ids["done"] = sea.ask(track, THERE)
            await sea.stands(task, "issued", "aus")
            await asyncio.sleep(0.6)
            assert sea.seen("aus", task).state == "issued"  # type: ignore[union-attr]
            accept(aus, task)
            await sea.stands(task, "executing")
            done = await sea.stands(task, "completed")
            assert done.by == "operator"
            order = [done.asked_ms, done.accepted_ms, done.acknowledged_ms, done.executing_ms, done.ended_ms]
            assert order == sorted(order, key=lambda at: at or 0), order

            lease = lend(aus, track, "usa", aus.now() + 600_000, ["go to", "hold"])
            await until(lambda: any(one.state == "in force" for one in leases(usa)))
            task = ids["taken"] = sea.ask(track, FAR)
            assert (await sea.stands(task, "executing")).by == "lease"
            take_back(aus, track, "the harbour is closed")
            ended = await sea.stands(task, "cancelled")
            assert (ended.why, ended.remarks) == ("taken back", "the harbour is closed")
            await until(lambda: aus.newest(lease.header.id).portion("lease").value.get("why") == "taken back")  # type: ignore[union-attr]

            lend(aus, track, "usa", aus.now() + 2_500, ["go to", "hold"])
            task = ids["expired"] = sea.ask(track, FAR)
            await sea.stands(task, "executing")
            assert (await sea.stands(task, "cancelled")).why == "the lease expired"

            task = sea.ask(track, FAR)
            await sea.stands(task, "issued", "aus")
            cancel(usa, task)
            await until(lambda: sea.seen("usa", task).why == "cancelled by the asker")  # type: ignore[union-attr]

        with boat(sea.port):
            await until(lambda: aus.newest(track).portion("position").value["lat_deg"] == 60.1)  # type: ignore[union-attr]
            task = ids["still"] = sea.ask(track, THERE)
            await sea.stands(task, "issued", "aus")
            accept(aus, task)
            failed = await sea.stands(task, "failed")
            assert (failed.why, failed.executing_ms) == ("accepted but did not move", None)
            assert failed.acknowledged_ms is not None, "it said yes to everything"
        gbr = sea.nodes["gbr"]
        for kind in ("track", "tasking", "answer", "lease"):
            assert gbr.records.count(kind=kind) == 0, "the third nation is told of nothing"
        assert not tasks(gbr.context) and not leases(gbr.context)
        store = b"".join(path.read_bytes() for path in (sea.folder / "gbr").glob("store*"))
        assert ids["done"].encode() not in store and track.encode() not in store

    sea = Sea(tmp_path)
    key = sea.nodes["aus"].core.signer.public
    sea.run(act)
    (file,) = (tmp_path / "aus" / "recordings").glob("*.mcap")
    found = verify(file, key)
    told = [
        (message.topic, read_told(message))
        for message in messages(file, found.covered)
        if message.topic.endswith("/task")
    ]
    states: dict[str, list[str]] = {}
    for topic, one in told:
        if topic == "/entity/boat/task":
            assert isinstance(one.entity, Task)
            states.setdefault(one.record, []).append(str(one.entity.state))
    assert list(dict.fromkeys(states[ids["done"]])) == ["accepted", "executing", "completed"]
    assert states[ids["taken"]][-1] == "cancelled"
    assert any(topic == "/egress/boat/task" for topic, _ in told)
    assert any(topic == "/entity/node:usa/task" for topic, _ in told)
    made = Replay()
    for message in recorded(file, found.covered):
        made.take(message)
    made.end(closed=True)
    _judged(tmp_path, key, ids)


def _judged(folder: Path, key: Key, ids: Mapping[str, str]) -> None:
    """What the recordings alone show of two of the tasks: one was carried out, of the other nothing was seen."""
    files = [path for name in ("aus", "usa") for path in (folder / name / "recordings").glob("*.mcap")]
    cases = []
    for name in ("done", "still"):
        path = folder / f"{name}.toml"
        path.write_text(CASE.format(name=name, task=ids[name]))
        cases.append(read_case(path))
    found = find(cases, files, {"aus": key}, experiment="sea", node="aus", party="AUS")
    done, still = found.outcomes
    assert done.verdict == "success", done
    assert still.verdict not in ("success", "not tested", "pending"), still
    moves = next(one for one in still.measures if one.criterion == "moved_m")
    assert (moves.met, moves.reasons) == (False, ("accepted but did not move",))
    assert moves.evidence
    (cell,) = [one for one in found.cells if (one.source, one.target, one.message) == ("usa", "aus/boat", "tasking")]
    assert cell.verdict != "success", cell


@pytest.mark.slow
def test_a_node_killed_while_a_task_is_executed_says_nothing_untrue_and_watches_on(tmp_path: Path) -> None:
    port, home = free_port(), tmp_path / "aus"
    config = Config(
        node="aus", party="AUS", policy="AUS", ceiling="SECRET", listen=f"127.0.0.1:{free_port()}", project="SEA",
        labels=LABELS, systems=[System(name="boat", address=f"mavlink+udp://127.0.0.1:{port}", tasking=True)],
    )  # fmt: skip
    make_home(home, config, now=time.time_ns() // 1_000_000)
    command = [sys.executable, "-m", "aldis", "--home", str(home), "up"]

    def stands(node: Node) -> str:
        return tasks(node.context)[0].state

    @contextmanager
    def up() -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    async def act(node: Node) -> None:
        with boat(port, "--armed", "--speed", "16"):
            with up() as first:
                await until(lambda: node.records.count(kind="track") > 0, 30)
                track = node.records.page(kind="track").rows[0].id
                ask(node.context, track, "go to", [Point(lat_deg=60.1025, lon_deg=24.9)])
                await until(lambda: stands(node) == "executing", 30)
                first.send_signal(signal.SIGKILL)
                first.wait()
            assert stands(node) == "executing", "it was, and nobody has seen anything since"
            with up():
                await until(lambda: stands(node) != "executing", 40)
                found = tasks(node.context)[0]
                assert (found.state, found.why) == ("completed", ""), found

    with Node.open(home, environment={}) as node:
        asyncio.run(act(node))
