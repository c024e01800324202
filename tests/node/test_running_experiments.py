"""Nations whose nodes run and record: instruments that change, systems that fail, and a node that is killed."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest
from nations import WATCH
from test_systems import LABELS, Site, free_port, until

from aldis.app import System, find_apps
from aldis.apps.experiments import systems
from aldis.apps.experiments.entity import Entity, Track
from aldis.apps.experiments.gateways.nmea.synthetic import generate
from aldis.apps.experiments.links.address import Address
from aldis.apps.experiments.links.link import Link
from aldis.apps.experiments.links.opening import open_link
from aldis.apps.experiments.recorder import gaps, messages, read_native, read_told, recorded, segments_of, verify
from aldis.apps.experiments.replay import Replay
from aldis.kernel.instruments import Effect
from aldis.node.checks import run_checks
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.service import Service

COARSE = WATCH + 'transforms = [{ portion = "position", action = "coarsen", grid_m = 2000 }]\n'
SOON_S = 1.0
HEARD = """\
case = "heard"
title = "Ships are heard"

[[step]]
name = "heard"
does = "sense"
who = "aus/radio"
updates = 100
decoded_share = 0.9
"""


def typed(home: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aldis", "--home", str(home), "experiment", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class Watch:
    """The vessel reports ten times a second, and all that is sent to the partner's console is kept with its time."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.said: list[float] = []
        self.shown: list[tuple[float, dict[str, Any]]] = []

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._report()), asyncio.create_task(self._read())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _report(self) -> None:
        while True:
            self.said.append(59.9 + len(self.said) / 1e5)
            self.site.report(self.said[-1])
            await asyncio.sleep(0.1)

    async def _read(self) -> None:
        console = await self.site.console("gbr")
        while True:
            feature = await console.next()
            self.shown.append((time.time(), feature))

    def precise(self, feature: dict[str, Any]) -> bool:
        return round(feature["geometry"]["coordinates"][1], 6) in {round(lat, 6) for lat in self.said}


@pytest.mark.slow
def test_a_change_of_an_instrument_acts_within_a_second_and_both_nations_recorded_the_same(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path)
    watch = Watch(site)
    changes: list[tuple[float, float, str]] = []

    async def settle(kind: str, act: Callable[[], object]) -> None:
        """Make a change, and let what is allowed then go on for a while."""
        before = time.time()
        await asyncio.to_thread(act)
        changes.append((before, time.time(), kind))
        await asyncio.sleep(SOON_S + 1.2)

    async def sign(text: str) -> Callable[[], object]:
        """The amendment as the partner has signed it; it is in force once this node signs too."""
        aus, gbr = site.nodes["aus"], site.nodes["gbr"]
        version = aus.register.amend(text, "officer").header.version
        await until(lambda: gbr.epochs.current().instruments.versions("pa-watch")[-1].version == version)
        gbr.register.sign("pa-watch", "officer")
        await until(lambda: aus.register.status("pa-watch").missing == ("AUS",))
        return lambda: aus.register.sign("pa-watch", "officer")

    async def act(site: Site) -> None:
        await site.agree()
        aus = site.nodes["aus"]
        async with watch.going():
            await until(lambda: any(watch.precise(one) for _, one in watch.shown))
            (record,) = [row.record().header.id for row in aus.records.page(kind="track").rows]
            await settle("none", lambda: aus.desk.hold(record, "a doubt", "officer"))
            await settle("precise", lambda: aus.desk.lift(record, "no doubt", "officer"))
            await settle("coarse", await sign(COARSE))
            await settle("precise", await sign(WATCH))
            await settle(
                "none", lambda: aus.register.end("pa-watch", Effect.TERMINATE, aus.core.clock.now(), "officer")
            )

    site.run(act)
    left = [
        (message.log_ns / 1e9, read_told(message).entity)
        for message in site.recorded("aus", "egress")
        if message.topic == "/egress/node:gbr/track"
    ]
    ends = [*(at for at, _, _ in changes[1:]), float("inf")]
    for (_, began, kind), end in zip(changes, ends, strict=True):
        late = [entity for at, entity in left if began + SOON_S < at < end]
        seen = [one for at, one in watch.shown if began + SOON_S + 0.3 < at < end]
        assert {_kind(entity) for entity in late} == ({kind} if kind != "none" else set()), (kind, len(late))
        assert bool(seen) is (kind != "none"), kind
        assert {watch.precise(one) for one in seen} <= {kind == "precise"}, kind
        if kind != "none":
            assert any(began - 1 <= at <= began + SOON_S and _kind(entity) == kind for at, entity in left), "soon"
    assert not [entity for _, entity in left if b"AUTO" in json.dumps(str(entity)).encode()], "never released"
    _agree_and_replay(site, tmp_path)


def _kind(entity: Entity) -> str:
    assert isinstance(entity, Track) and entity.position is not None
    return "coarse" if entity.position.grid_m else "precise"


def _agree_and_replay(site: Site, folder: Path) -> None:
    """What one recorded as it left, the other recorded as it arrived; and each recording decodes to itself."""
    files = {name: next((folder / name / "recordings").glob("*.mcap")) for name in site.nodes}
    done = typed(folder / "aus", "agree", files["aus"], "--with", files["gbr"], "--sealed-by", "aus", "--sealed-by",
                 "gbr", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    way = next(one for one in json.loads(done.stdout)["ways"] if one["from"] == "aus")
    assert way["alike"] > 20
    assert (way["altered"], way["never_left"]) == (0, 0)
    assert way["digests"][0] == way["digests"][1]
    assert {one.topic for one in site.recorded("gbr", "entity")} >= {"/entity/node:aus/track"}
    for name, file in files.items():
        done = typed(folder / name, "replay", file, "--sealed-by", name, "--json")
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["digests"].keys() >= {"console"}


def nation(folder: Path, *systems: System) -> Config:
    config = Config(
        node="aus", party="AUS", policy="AUS", ceiling="SECRET", labels=LABELS, project="WATCH",
        listen=f"127.0.0.1:{free_port()}", systems=list(systems), record=True,
    )  # fmt: skip
    make_home(folder / "aus", config, now=time.time_ns() // 1_000_000)
    return config


def test_a_system_whose_address_is_taken_is_told_of_and_comes_back_while_others_go_on(tmp_path: Path) -> None:
    """Somebody else has its port for a while; the other system of the node is heard all the time."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    ports = {"bad": taken.getsockname()[1], "good": free_port()}
    nation(tmp_path, *(System(name=name, address=f"nmea0183+udp://127.0.0.1:{port}") for name, port in ports.items()))
    sentences = list(generate(seed=5, vessels=60, seconds=3, start_ms=time.time_ns() // 1_000_000))

    def told(node: Node) -> str:
        found = [check for check in run_checks(node, quick=True) if check.name == "app experiments"]
        return found[0].cause if found and found[0].ok is False else ""

    async def act() -> None:
        with Node.open(tmp_path / "aus", environment={}, apps=find_apps()) as node:
            service = Service(node)
            await service.start()
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:

                    def say(name: str, some: Sequence[bytes]) -> None:
                        for sentence in some:
                            radio.sendto(sentence, ("127.0.0.1", ports[name]))

                    await until(lambda: "system bad: cannot listen" in told(node))
                    say("good", sentences[:30])
                    await until(lambda: node.records.count(kind="track") > 0)
                    assert "system bad" in told(node)
                    taken.close()
                    await until(lambda: not told(node))
                    heard = node.records.count(kind="track")
                    say("bad", sentences[30:])
                    await until(lambda: node.records.count(kind="track") > heard)
            finally:
                await service.stop()

    asyncio.run(act())


def test_a_link_that_fails_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port, links = free_port(), list[Any]()

    async def open_kept(address: Address) -> Link:
        links.append(await open_link(address))
        return cast("Link", links[-1])

    monkeypatch.setattr(systems, "open_link", open_kept)
    nation(tmp_path, System(name="radio", address=f"udp://127.0.0.1:{port}"))
    sentences = list(generate(seed=5, vessels=60, seconds=3, start_ms=time.time_ns() // 1_000_000))

    async def act() -> None:
        with Node.open(tmp_path / "aus", environment={}, apps=find_apps()) as node:
            service = Service(node)
            await service.start()
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
                    radio.bind(("127.0.0.1", 0))
                    await until(lambda: len(links) == 1)
                    radio.sendto(sentences[0], ("127.0.0.1", port))
                    await until(lambda: node.records.count(kind="track") == 1)
                    links[0]._transport.abort()
                    await until(lambda: len(links) == 2)
                    for sentence in sentences:
                        radio.sendto(sentence, ("127.0.0.1", port))
                    await until(lambda: node.records.count(kind="track") > 1)
            finally:
                await service.stop()

    asyncio.run(act())
    (file,) = (tmp_path / "aus" / "recordings").glob("*.mcap")
    some = list(recorded(file, verify(file).covered))
    began = [one for one in some if one.about["tap"] == "native" and read_native(one).begins]
    assert len(began) == 2, "the same peer, heard anew"
    made = Replay()
    assert [made.take(one) for one in some] == some
    made.end(closed=True)


@pytest.mark.slow
def test_a_recording_node_that_is_killed_loses_nothing_that_was_sealed_and_goes_on(tmp_path: Path) -> None:
    port = free_port()
    nation(tmp_path, System(name="radio", address=f"nmea0183+udp://127.0.0.1:{port}"))
    home = tmp_path / "aus"
    folder = home / "recordings"
    sentences = list(generate(seed=5, vessels=200, seconds=60, start_ms=time.time_ns() // 1_000_000))
    sent: list[tuple[float, bytes]] = []

    def up() -> subprocess.Popen[bytes]:
        log = (home / "up.log").open("ab")
        with log:
            return subprocess.Popen([sys.executable, "-m", "aldis", "--home", str(home), "up"], stdout=log, stderr=log)

    def say(holds: Callable[[], bool]) -> None:
        """Send sentences, a few hundred a second, until something holds."""
        end = time.monotonic() + 120
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
            while not holds():
                assert time.monotonic() < end, "it did not come about"
                sentence = sentences[len(sent) % len(sentences)]
                with suppress(OSError):
                    radio.sendto(sentence, ("127.0.0.1", port))
                sent.append((time.time(), sentence))
                time.sleep(0.003)

    def state(number: int) -> tuple[str, int]:
        paths = sorted(folder.glob("*.mcap")) if folder.exists() else []
        if len(paths) < number:
            return "", 0
        found = verify(paths[number - 1])
        return found.state, found.messages

    running = up()
    try:
        say(lambda: state(1)[1] > 300)
        _, promised = state(1)
        say(lambda: state(1)[1] > promised + 200)
        running.send_signal(signal.SIGKILL)
        running.wait()
        killed = time.time()
    finally:
        running.kill()
    (first,) = folder.glob("*.mcap")
    with Node.open(home, environment={}, apps=find_apps()) as node:
        key = node.core.signer.public
    found = verify(first, key)
    assert (found.state, found.vouched) == ("incomplete", True)
    assert found.messages > promised
    some = [one for one in messages(first, found.covered) if one.about["tap"] == "native"]
    kept = {read_native(one).data for one in some}
    began = some[0].log_ns / 1e9
    lost = [at for at, data in sent if began + 0.1 < at < killed - 0.5 and data not in kept]
    assert not lost, "what came half a second before the kill, or earlier, is there"
    assert typed(home, "verify", first, "--sealed-by", "aus").returncode == 1
    done = typed(home, "replay", first, "--sealed-by", "aus", "--json")
    assert (done.returncode, json.loads(done.stdout)["complete"]) == (1, False), "never a success"
    running = up()
    try:
        say(lambda: state(2)[1] > 200)
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
    finally:
        running.kill()
    files = segments_of(folder, first.stem[: -len("-0001")])
    again = [verify(path, key) for path in files]
    assert [one.state for one in again] == ["incomplete", "intact"]
    assert gaps(again) == [], "the next run goes on from the last seal"
    assert typed(home, "verify", *files, "--sealed-by", "aus").returncode == 0
    done = typed(home, "replay", *files, "--sealed-by", "aus", "--json")
    assert (done.returncode, json.loads(done.stdout)["complete"]) == (1, False), "what was between them is not there"
    assert json.loads(done.stdout)["entities"] > 200
    case = tmp_path / "heard.toml"
    case.write_text(HEARD)
    tested = [word for path in files for word in ("--recording", path)]
    done = typed(home, "test", case, *tested, "--sealed-by", "aus", "--json")
    (outcome,) = json.loads(done.stdout)["outcomes"]
    assert (done.returncode, outcome["verdict"], outcome["reasons"]) == (1, "limited success", ["recording incomplete"])
    met = {one["criterion"]: one["met"] for one in outcome["measures"]}
    assert met == {"recording": False, "updates": True, "decoded_share": True}, "all else about it was a success"
