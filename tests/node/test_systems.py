"""Systems on real sockets at running nodes: each speaks its own protocol, and is sent what its account may see."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from nations import WATCH
from structlog.testing import capture_logs

from aldis.app import System, find_apps
from aldis.apps.experiments.entity import Area, Entity, Point, Position, Sensor, Task, Timing, Track
from aldis.apps.experiments.gateways.geojson import OFFERED as GEOJSON
from aldis.apps.experiments.gateways.nmea.synthetic import generate
from aldis.apps.experiments.hearing import qualified, received
from aldis.apps.experiments.recorder import Message, messages, read_native, read_told, verify
from aldis.interfaces.cli.main import cli
from aldis.kernel.errors import InvalidInput
from aldis.kernel.signatures import Key
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.people import Account
from aldis.node.service import Service

LABELS = {
    "track": {
        "header": "OFFICIAL//REL AUS/GBR",
        "position": "OFFICIAL//REL AUS/GBR",
        "motion": "OFFICIAL//REL AUS/GBR",
        "identity": "PROTECTED//REL AUS/GBR",
        "status": "SECRET//AGAO",
    }
}
CLEARED = {"AUS": {"AUS": "PROTECTED"}, "GBR": {"UK": "SECRET"}}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """Two nations' running nodes: at one a sensor that says GeoJSON by UDP, at each a console that reads it by TCP."""

    def __init__(self, folder: Path, speaks: str = "geojson") -> None:
        self.folder = folder
        self.sensor, self.consoles = free_port(), {"aus": free_port(), "gbr": free_port()}
        self.nodes: dict[str, Node] = {}
        self.keys: dict[str, Key] = {}
        self._writers: list[asyncio.StreamWriter] = []
        for name, party, policy in (("aus", "AUS", "AUS"), ("gbr", "GBR", "UK")):
            systems = [
                System(
                    name="console",
                    address=f"{speaks}+tcp-listen://127.0.0.1:{self.consoles[name]}",
                    person="console",
                    reckon=name == "gbr",
                )
            ]
            if name == "aus":
                systems.append(System(name="sensor", address=f"udp://127.0.0.1:{self.sensor}", person="sensor"))
            config = Config(
                node=name,
                party=party,
                policy=policy,
                ceiling="SECRET",
                listen=f"127.0.0.1:{free_port()}",
                project="WATCH",
                labels=LABELS if name == "aus" else {"track": {"header": "OFFICIAL", "position": "OFFICIAL"}},
                systems=systems,
                record=True,
            )
            make_home(folder / name, config, now=time.time_ns() // 1_000_000)
            node = self.nodes[name] = Node.open(folder / name, environment={}, apps=find_apps())
            self.keys[name] = node.core.signer.public
            for account in ("console", "sensor"):
                node.people.add(
                    Account(
                        id=account,
                        name=account,
                        nationality=party,
                        clearance=CLEARED[party],
                        projects=["WATCH"],
                    )
                )
        aus, gbr = self.nodes["aus"], self.nodes["gbr"]
        _, reply = gbr.partners.join(aus.partners.invite("GBR"), lambda *_: True)
        assert reply is not None
        aus.partners.join(reply, lambda *_: True)
        aus.register.draft(WATCH, "officer")

    def run(self, act: Callable[[Site], Awaitable[None]]) -> None:
        async def run() -> None:
            services = [Service(node) for node in self.nodes.values()]
            for service in services:
                await service.start()
            try:
                await asyncio.wait_for(act(self), 40)
            finally:
                for writer in self._writers:
                    writer.close()
                for service in services:
                    await service.stop()
                for node in self.nodes.values():
                    node.close()

        asyncio.run(run())

    def recorded(self, name: str, tap: str) -> list[Message]:
        """What a node recorded at one tap; the recording verifies, whole, with the node's key."""
        (file,) = (self.folder / name / "recordings").glob("*.mcap")
        findings = verify(file, self.keys[name])
        assert findings.state == "intact" and findings.vouched, findings
        return [message for message in messages(file, findings.covered) if message.about.get("tap") == tap]

    async def agree(self) -> None:
        aus, gbr = self.nodes["aus"], self.nodes["gbr"]
        await until(lambda: "pa-watch" in gbr.epochs.current().instruments.ids())
        for node in (aus, gbr):
            node.register.sign("pa-watch", "officer")
        await until(lambda: aus.register.status("pa-watch").state.value == "in force")

    def report(self, lat: float) -> None:
        """The sensor reports a vessel, from a port of its own."""
        feature = {
            "type": "Feature",
            "id": "vessel-1",
            "geometry": {"type": "Point", "coordinates": [24.5, lat]},
            "properties": {
                "entity": "track",
                "identity.name": "PETREL",
                "status.mode": "AUTO",
                "motion.speed_mps": 4.5,
            },
        }
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sensor:
            sensor.sendto(json.dumps(feature).encode() + b"\n", ("127.0.0.1", self.sensor))

    async def console(self, node: str) -> Console:
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.consoles[node])
                self._writers.append(writer)
                return Console(reader)
            await asyncio.sleep(0.02)


class Console:
    """Somebody's own screen: it reads features from its socket."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def next(self) -> dict[str, Any]:
        line = await self._reader.readline()
        return dict(json.loads(line.lstrip(b"\x1e")))

    async def quiet(self, seconds: float) -> bool:
        try:
            return not await asyncio.wait_for(self._reader.read(1), seconds)
        except TimeoutError:
            return True


async def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.02)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def shown(site: Site, console: Console, lat: float) -> dict[str, Any]:
    """What the console is shown of the report with this latitude, which is repeated until it is shown."""
    wanted = round(lat, 6)
    stop = time.monotonic() + 15

    async def say() -> None:
        while time.monotonic() < stop:
            site.report(lat)
            await asyncio.sleep(0.15)

    saying = asyncio.create_task(say())
    try:
        while True:
            feature = await asyncio.wait_for(console.next(), 15)
            if feature["geometry"] and round(feature["geometry"]["coordinates"][1], 6) == wanted:
                return feature
    finally:
        saying.cancel()


def test_each_console_is_shown_what_its_account_and_the_instruments_let_it_see(site: Site, tmp_path: Path) -> None:
    async def act(site: Site) -> None:
        await site.agree()
        aus, gbr = await site.console("aus"), await site.console("gbr")
        own = await shown(site, aus, 59.9)
        assert own["properties"]["identity.name"] == "PETREL"
        assert own["properties"]["motion.speed_mps"] == 4.5
        assert "SECRET" not in json.dumps(own)
        assert "AUTO" not in json.dumps(own), "above the console's clearance"
        await until(lambda: site.nodes["gbr"].records.count(kind="track") == 1)
        partner = await shown(site, gbr, 59.95)
        assert partner["properties"]["identity.name"] == "PETREL"
        assert "AUTO" not in json.dumps(partner), "never released"
        assert "vessel-1" not in json.dumps(partner), "the sensor's own id tells nothing"
        accounts = site.nodes["aus"].people
        accounts.set(msgspec.structs.replace(accounts.get("console"), clearance={"AUS": "OFFICIAL"}))
        await asyncio.sleep(1)
        while not await aus.quiet(0.3):
            pass
        low = await shown(site, aus, 60.1)
        assert "PETREL" not in json.dumps(low), "no longer cleared for who it is"
        accounts.suspend("console", "sold")
        await asyncio.sleep(1)
        while not await aus.quiet(0.3):
            pass
        site.report(60.2)
        assert await aus.quiet(0.6), "a suspended account is shown nothing"

    site.run(act)
    native, entities, sent = (site.recorded("aus", tap) for tap in ("native", "entity", "egress"))
    assert b"PETREL" in read_native(native[0]).data
    assert {message.about["marking"] for message in native} == {"SECRET//AGAO"}, "nobody knows yet what bytes say"
    tracks = [read_told(message).entity for message in entities if message.about["kind"] == "track"]
    assert {track.key for track in tracks} == {"vessel-1@sensor"}
    assert sent and not [message for message in sent if b"AUTO" in message.data], "what was withheld is not in it"
    assert {message.about["marking"] for message in sent} <= {"PROTECTED//REL AUS/GBR", "OFFICIAL//REL AUS/GBR"}
    (file,) = (tmp_path / "aus" / "recordings").glob("*.mcap")
    for who, by, code in (("gbr", "aus", 0), ("aus", "aus", 0), ("aus", "gbr", 4), ("gbr", "usa", 2)):
        words = ["--home", str(tmp_path / who), "experiment", "verify", str(file), "--sealed-by", by]
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == code, done.stderr
    assert site.recorded("gbr", "native") == []
    assert not [message for message in site.recorded("gbr", "egress") if b"AUTO" in message.data]


def test_a_system_does_not_hear_itself_and_strange_bytes_are_only_counted(site: Site) -> None:
    async def act(site: Site) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sensor:
            sensor.bind(("127.0.0.1", 0))
            sensor.settimeout(0.5)
            sensor.sendto(b"\x00\x01 nothing that anybody speaks", ("127.0.0.1", site.sensor))
            feature = (
                b"""{"type": "Feature", "id": "v", "properties": {"entity": "track"},
                "geometry": {"type": "Point", "coordinates": [1, 2]}}""".replace(b"\n", b"")
                + b"\n"
            )
            end = time.monotonic() + 10
            while site.nodes["aus"].records.count(kind="track") == 0:
                assert time.monotonic() < end
                sensor.sendto(feature, ("127.0.0.1", site.sensor))
                await asyncio.sleep(0.1)
            for _ in range(5):
                sensor.sendto(feature, ("127.0.0.1", site.sensor))
                await asyncio.sleep(0.1)
            with pytest.raises(TimeoutError):
                await asyncio.to_thread(sensor.recv, 65_536)

    with capture_logs() as logs:
        site.run(act)
    ended = next(entry for entry in logs if entry["event"] == "system ended" and entry["system"] == "sensor")
    assert ended["sent"] == 0
    assert ended["heard"] > 5


def test_ids_that_count_on_one_link_alone_are_told_apart() -> None:
    order = Task(key="mavlink:255/190:1", verb="go to", assignee="mavlink:1/1", issued_by="cot:TAK-1")
    here, there = (qualified(order, name) for name in ("boat-1", "boat-2"))
    assert isinstance(here, Task) and isinstance(there, Task)
    assert (here.key, here.assignee) != (there.key, there.assignee)
    assert here.issued_by == there.issued_by == "cot:TAK-1", "a uid is one thing everywhere"
    assert qualified(Track(key="mmsi:230123456"), "boat-1").key == "mmsi:230123456"


def test_what_seals_recordings_signs_nothing_else(site: Site) -> None:
    place = site.nodes["aus"].context.recordings
    assert place is not None
    with pytest.raises(ValueError, match="signs nothing"):
        place.signer.sign(b"aldis/bundle/1", b"anything")
    for node in site.nodes.values():
        node.close()


def test_a_recording_that_speaks_nothing_known_is_named(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("dear diary\n" * 60)
    config = Config(
        node="aus", party="AUS", policy="AUS", ceiling="SECRET", labels=LABELS, project="WATCH", listen="127.0.0.1:0"
    )
    make_home(tmp_path / "aus", config, now=time.time_ns() // 1_000_000)
    with Node.open(tmp_path / "aus", environment={}, apps=find_apps()) as node:
        running = node.apps["experiments"].run(node.context, [System(name="notes", address=str(notes))])
        with pytest.raises(InvalidInput, match=r"notes\.txt speaks no protocol known here"):
            asyncio.run(running)


@pytest.mark.slow
def test_a_ship_heard_by_ais_at_one_nation_stands_on_a_tak_screen_at_another(tmp_path: Path) -> None:
    pytak = pytest.importorskip("pytak")

    async def act(site: Site) -> None:
        await site.agree()
        heard = generate(seed=3, vessels=8, seconds=20, start_ms=time.time_ns() // 1_000_000)
        ship = next(line for line in heard)
        _, _, sentence = ship.rpartition(b"\\")
        config = {"COT_URL": f"tcp://127.0.0.1:{site.consoles['gbr']}"}
        reader, writer = await pytak.protocol_factory(config)
        site._writers.append(writer)
        screen = pytak.RXWorker(asyncio.Queue(), config, reader)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
            while True:
                radio.sendto(sentence, ("127.0.0.1", site.sensor))
                with suppress(TimeoutError):
                    event = await asyncio.wait_for(screen.readcot(), 0.5)
                    break
        assert b"<event" in event and b"<point" in event
        assert b'uid="MMSI-' in event, "who it is was released, and its uid says so"

    Site(tmp_path, "cot").run(act)


def test_nothing_that_a_system_would_act_on_is_sent_to_it_with_the_picture(tmp_path: Path) -> None:
    """A fence and an order that another system of the nation gave; the ship beside them is shown."""
    port = free_port()
    systems = [
        System(name="boat", address=f"mavlink+udp://127.0.0.1:{free_port()}?to=127.0.0.1:{port}", person="boat"),
        System(name="chart", address=f"geojson+udp://127.0.0.1:{(chart := free_port())}"),
    ]
    config = Config(
        node="aus", party="AUS", policy="AUS", ceiling="SECRET", labels=LABELS, project="WATCH", listen="127.0.0.1:0",
        systems=systems,
    )  # fmt: skip
    make_home(tmp_path / "aus", config, now=time.time_ns() // 1_000_000)
    said = GEOJSON.open()
    here = [Point(lat_deg=59.9 + step / 100, lon_deg=24.5) for step in range(3)]
    now = time.time_ns() // 1000
    things: list[Entity] = [
        Area(key="area:f", shape="polygon", points=here, purpose="keep in"),
        Task(key="task:t", verb="go to", assignee="mavlink:1/1", points=here[:1]),
        Track(key="mmsi:230123456", position=Position(lat_deg=59.9, lon_deg=24.5)),
    ]

    async def act() -> set[int]:
        node = Node.open(tmp_path / "aus", environment={}, apps=find_apps())
        node.people.add(
            Account(id="boat", name="boat", nationality="AUS", clearance={"AUS": "SECRET"}, projects=["WATCH"])
        )
        service = Service(node)
        await service.start()
        ids = set[int]()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as boat:
            boat.bind(("127.0.0.1", port))
            boat.setblocking(False)
            end, heard = time.monotonic() + 10, False
            while time.monotonic() < end:
                if not heard and ids & {33, 301}:  # the rest, said at the same time, would come within the next second
                    end, heard = time.monotonic() + 1, True
                for thing in things:
                    for message in said.encode(thing, now).messages:
                        boat.sendto(message, ("127.0.0.1", chart))
                await asyncio.sleep(0.2)
                with suppress(BlockingIOError):
                    while True:
                        frame = boat.recv(2048)
                        ids.add(int.from_bytes(frame[7:10], "little"))
        await service.stop()
        node.close()
        return ids

    ids = asyncio.run(act())
    assert ids & {33, 301}, "the ship is shown"
    assert not ids & {75, 76, 44, 73, 242}, "no command, no mission, no fence, no home"


@pytest.mark.slow
def test_a_system_hears_of_nothing_that_it_may_not_see_and_another_where_things_are_by_now(site: Site) -> None:
    """What is above them changes again and again: one console is sent nothing, the other what follows from before."""
    at = 0

    def report(mode: str) -> None:
        said = {
            "entity": "track", "status.mode": mode, "position.at": at, "motion.at": at, "motion.speed_mps": 20.0,
            "motion.course_deg": 0.0,
        }  # fmt: skip
        feature = {"type": "Feature", "id": "vessel-1", "geometry": {"type": "Point", "coordinates": [24.5, 59.9]}}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sensor:
            sensor.sendto(json.dumps(feature | {"properties": said}).encode() + b"\n", ("127.0.0.1", site.sensor))

    async def act(site: Site) -> None:
        nonlocal at
        await site.agree()
        aus, gbr = await site.console("aus"), await site.console("gbr")
        first = asyncio.create_task(gbr.next())
        while not first.done():
            at = time.time_ns() // 1_000_000
            report("AUTO")
            await asyncio.sleep(0.2)
        assert not await aus.quiet(1)
        while not await aus.quiet(1):
            pass
        for number in range(12):
            report(f"MODE-{number}")
            assert await aus.quiet(0.2), "nor is it told that there was something"
        seen = [await asyncio.wait_for(gbr.next(), 10) for _ in range(6)]
        ahead = [one for one in seen if one["properties"].get("sensor.how") == "m-p"]
        assert len(ahead) >= 3 and all(one["properties"]["sensor.fix"] == "dead reckoning" for one in ahead)
        places = [one["geometry"]["coordinates"][1] for one in ahead]
        assert places == sorted(places) and places[-1] - places[0] > 0.0003
        times = [one["properties"]["position.at"] for one in ahead]
        assert all(900 <= later - before <= 1_600 for before, later in pairwise(times)), times

    site.run(act)


def test_a_live_system_cannot_say_when_it_was_heard() -> None:
    now = 1_790_000_000_000
    lied = Track(
        key="mmsi:1",
        sensor=Sensor(protocol="csv", received_ms=now + 3_600_000),
        timing=Timing(received_us=(now - 3_600_000) * 1000, source_us=1),
    )
    heard = received(lied, now)
    assert isinstance(heard, Track) and heard.sensor is not None and heard.timing is not None
    assert (heard.sensor.received_ms, heard.timing.received_us, heard.timing.source_us) == (now, now * 1000, 1)
    relayed = Track(key="mmsi:1", sensor=Sensor(protocol="nmea0183", received_ms=now - 20_000))
    assert received(relayed, now) is relayed, "a base station heard it before"
