"""Players: simulated, but held to the libraries of the protocols that they speak, and to how such things move."""

import math
import socket
import threading
import time
from typing import Any

import pyais
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import common  # type: ignore[import-untyped]

from aldis.apps.experiments.commands.playing import play as play_command
from aldis.apps.experiments.entity import Identity, Point, Position, Report, Task, Track
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.gateways.cot import OFFERED as COT
from aldis.apps.experiments.gateways.dis import OFFERED as DIS
from aldis.apps.experiments.gateways.mavlink.tasking import Tasking
from aldis.apps.experiments.links.address import read_address
from aldis.apps.experiments.players import Helicopter, Observer, Raft, Sea, Usv
from aldis.apps.experiments.players.hull import Hull
from aldis.apps.experiments.players.running import play
from aldis.apps.experiments.players.sea import moved, offset_m
from aldis.kernel.errors import AldisError, InvalidInput, Unavailable

BEGAN = 1_790_000_000_000_000
HERE = (59.9, 24.4)
STILL = Sea(wind_mps=0.0, current_mps=0.0)


class Station:
    """A ground station by pymavlink, beside a simulated boat whose clock it drives."""

    def __init__(self, usv: Usv) -> None:
        self.usv = usv
        self.now = BEGAN
        self.mav: Any = common.MAVLink(None, srcSystem=255, srcComponent=190)
        self.reader: Any = common.MAVLink(None)
        self.heard: list[Any] = []

    def say(self, message: Any) -> None:
        self._read(self.usv.hear(message.pack(self.mav), self.now))

    def wait(self, seconds: float, step: float = 0.1) -> None:
        for _ in range(round(seconds / step)):
            self.now += round(step * 1e6)
            self._read(self.usv.advance(self.now))

    def last(self, kind: str) -> Any:
        return next(message for message in reversed(self.heard) if message.get_type() == kind)

    def command(self, number: int, *params: float) -> int:
        """What is answered to a command of seven parameters."""
        seven = (*params, *[0.0] * (7 - len(params)))
        self.say(self.mav.command_long_encode(1, 1, number, 0, *seven))
        answer = self.last("COMMAND_ACK")
        assert answer.command == number
        return int(answer.result)

    def go(self, place: tuple[float, float], speed: float = -1.0) -> int:
        lat, lon = (round(value * 1e7) for value in place)
        self.say(self.mav.command_int_encode(1, 1, 6, 192, 0, 0, speed, 1, 0, math.nan, lat, lon, 0))
        return int(self.last("COMMAND_ACK").result)

    def _read(self, frames: Any) -> None:
        for frame in frames:
            self.heard += self.reader.parse_buffer(frame) or []


def far(place: tuple[float, float], other: tuple[float, float]) -> float:
    return distance_m(*place, *other)


def test_pymavlink_sees_an_armed_boat_go_there_and_stay() -> None:
    station, there = Station(Usv(HERE, Sea(), BEGAN)), moved(HERE, 60.0, -80.0)
    station.wait(2)
    beat = station.last("HEARTBEAT")
    assert (beat.type, beat.autopilot, beat.base_mode & 0x80, beat.custom_mode) == (11, 3, 0x80, 4)
    assert station.go(there) == 0
    station.wait(30)
    fix = station.last("GLOBAL_POSITION_INT")
    assert far((fix.lat / 1e7, fix.lon / 1e7), there) < 3
    assert station.last("HEARTBEAT").custom_mode == 15
    assert station.last("SYSTEM_TIME").time_unix_usec == pytest.approx(station.now, abs=1_100_000)
    assert 90 < station.last("SYS_STATUS").battery_remaining < 97


def test_an_unarmed_boat_accepts_and_drifts_with_the_water() -> None:
    station = Station(Usv(HERE, STILL, BEGAN, armed=False))
    assert station.go(moved(HERE, 200.0, 0.0)) == 0
    station.wait(10)
    assert far(station.usv.hull.place, HERE) < 0.01
    assert station.command(400, 1) == 0
    station.wait(10)
    assert far(station.usv.hull.place, HERE) > 20


def test_it_holds_comes_home_and_tells_where_that_is() -> None:
    station = Station(Usv(HERE, STILL, BEGAN))
    station.go(moved(HERE, 150.0, 0.0))
    station.wait(8)
    assert station.command(176, 1, 4) == 0
    held = station.usv.hull.place
    station.wait(20)
    assert far(station.usv.hull.place, held) < 1
    assert station.command(512, 242) == 0
    assert station.last("HOME_POSITION").latitude == round(HERE[0] * 1e7)
    assert station.command(20) == 0
    station.wait(25)
    assert far(station.usv.hull.place, HERE) < 2


def test_it_refuses_what_it_has_not_and_what_is_for_others() -> None:
    station = Station(Usv(HERE, STILL, BEGAN))
    assert station.command(22) == 3
    assert station.command(176, 1, 99) == 2
    assert station.command(300) == 4, "there is no mission"
    heard = len(station.heard)
    station.say(station.mav.command_long_encode(7, 1, 20, 0, *[0.0] * 7))
    station.say(station.mav.heartbeat_encode(6, 8, 0, 0, 4))
    assert len(station.heard) == heard


def test_it_tells_its_clock() -> None:
    station = Station(Usv(HERE, STILL, BEGAN))
    station.now += 5_000_000
    station.say(station.mav.timesync_encode(0, 77))
    answer = station.last("TIMESYNC")
    assert (answer.tc1, answer.ts1) == (5_000_000_000, 77)


def test_it_takes_a_mission_and_goes_along_it() -> None:
    way = [HERE, moved(HERE, 40.0, 0.0), moved(HERE, 40.0, 40.0)]
    station = Station(Usv(HERE, STILL, BEGAN))
    station.say(station.mav.mission_count_encode(1, 1, len(way), 0))
    for seq, place in enumerate(way):
        assert station.last("MISSION_REQUEST_INT").seq == seq
        lat, lon = (round(value * 1e7) for value in place)
        station.say(station.mav.mission_item_int_encode(1, 1, seq, 6, 16, 0, 1, 0, 0, 0, 0, lat, lon, 0, 0))
    assert station.last("MISSION_ACK").type == 0
    assert station.command(300) == 0
    station.wait(25)
    reached = [message.seq for message in station.heard if message.get_type() == "MISSION_ITEM_REACHED"]
    assert reached == [1, 2]
    assert far(station.usv.hull.place, way[-1]) < 4


def test_a_task_of_ours_is_seen_through_by_it() -> None:
    usv, tasking, states = Usv(HERE, Sea(), BEGAN), Tasking("mavlink:1/1"), list[str | None]()
    lat, lon = moved(HERE, 50.0, 50.0)
    task = Task(key="t", verb="go to", assignee="mavlink:1/1", points=[Point(lat_deg=lat, lon_deg=lon)])
    for now in range(BEGAN, BEGAN + 30_000_000, 100_000):
        frames = list(usv.advance(now))
        progress = [tasking.issue(task, now)] if now == BEGAN + 2_000_000 else []
        progress += [tasking.feed(frame, now) for frame in frames] + [tasking.tick(now)]
        for one in progress:
            states += [told.state for told in one.tasks]
            for frame in one.send:
                for answer in usv.hear(frame, now):
                    states += [told.state for told in tasking.feed(answer, now).tasks]
    assert states == ["issued", "accepted", "executing", "completed"]


@given(st.floats(-300, 300), st.floats(-300, 300), st.floats(0, 360), st.floats(0, 1))
def test_a_hull_changes_its_speed_and_heading_no_faster_than_it_can(
    north: float, east: float, heading: float, current: float
) -> None:
    sea = Sea(current_mps=current)
    hull, goal = Hull(HERE, sea, heading_deg=heading), moved(HERE, north, east)
    for _ in range(60):
        before = hull.water_mps, hull.heading_deg
        hull.step(0.5, goal)
        assert abs(hull.water_mps - before[0]) <= hull.gain_mps2 * 0.5 + 1e-9
        assert abs(math.remainder(hull.heading_deg - before[1], 360)) <= hull.turn_deg_s * 0.5 + 1e-9
        assert math.hypot(*hull.velocity) <= hull.cruise_mps + 2 * current + 1e-6
    assert hull.left_m(goal) < max(5.0, math.hypot(north, east) - 60)


def test_a_raft_drifts_as_its_source_says_and_is_heard_as_a_distress_beacon() -> None:
    sea = Sea(wind_from_deg=270.0, wind_mps=10.0, current_to_deg=0.0, current_mps=0.5)
    assert sea.drift == pytest.approx((0.5, 0.327)), "3.52 % of the wind less 2.5 cm/s, downwind, and the water"
    assert Sea(wind_mps=0.1, current_mps=0.0).drift == (0.0, 0.0)
    raft = Raft(HERE, sea, BEGAN)
    said = [line for now in range(BEGAN, BEGAN + 60_000_001, 500_000) for line in raft.advance(now)]
    messages: list[Any] = [pyais.decode(line) for line in said]
    fixes = [message for message in messages if message.msg_type == 1]
    assert {(str(one.mmsi), int(one.status)) for one in fixes} == {("970000001", 14)}
    assert offset_m(HERE, raft.place) == pytest.approx((30.0, 19.62), abs=0.01)
    assert far((fixes[-1].lat, fixes[-1].lon), raft.place) < 1.5
    assert any(message.msg_type == 14 for message in messages)
    datum = sea.datum(*HERE, 60.0)
    assert far((datum.lat_deg, datum.lon_deg), raft.place) < 0.01


def test_a_lookout_reports_once_when_something_is_beside_the_beacon() -> None:
    lookout, screen = Observer(HERE, BEGAN), COT.open()

    def shown(key: str, place: tuple[float, float], mmsi: int | None = None) -> None:
        position = Position(lat_deg=place[0], lon_deg=place[1], at=BEGAN // 1000)
        track = Track(key=key, position=position, identity=Identity(mmsi=mmsi))
        for message in screen.encode(track, BEGAN).messages:
            lookout.hear(message, BEGAN)

    def said(at_us: int) -> list[Any]:
        heard = [one for message in lookout.advance(at_us) for one in COT.open().feed(message, at_us)]
        return [one.entity for one in heard if isinstance(one.entity, Report)]

    shown("trk-1", moved(HERE, 5.0, 0.0))
    assert not said(BEGAN), "nothing in distress is on its screen"
    shown("trk-2", HERE, 970_000_001)
    [report] = said(BEGAN + 3_000_000)
    assert report.text == "A vessel is 5 m from the raft"
    assert not said(BEGAN + 6_000_000)
    assert lookout.told[0] == "a distress beacon is on the screen"
    assert lookout.shown == 2


def test_a_helicopter_flies_its_square_at_its_speed() -> None:
    helicopter, gateway = Helicopter(HERE, BEGAN), DIS.open()
    places, away = [HERE], 0.0
    for now in range(BEGAN + 1_000_000, BEGAN + 200_000_000, 1_000_000):
        [pdu] = helicopter.advance(now)
        [one] = gateway.feed(pdu, now)
        assert isinstance(one.entity, Track) and one.entity.position is not None
        places.append((one.entity.position.lat_deg, one.entity.position.lon_deg))
        assert far(places[-1], places[-2]) < 36.2
        away = max(away, far(places[-1], HERE))
    assert 450 < away < 800


def test_on_real_sockets_a_lost_connection_is_made_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        address = read_address(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        usv = Usv(HERE, STILL, time.time_ns() // 1000)
        work = threading.Thread(target=play, args=(usv, address, time.monotonic() + 1.0, lambda _: None))
        work.start()
        for _ in range(2):
            link, _ = server.accept()
            link.settimeout(5)
            with link:
                assert link.recv(4096)[0] == 0xFD
        work.join(5)


def test_the_command_speaks_to_a_udp_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
        node.bind(("127.0.0.1", 0))
        node.settimeout(5)
        to = f"udp://127.0.0.1:{node.getsockname()[1]}"
        done = CliRunner().invoke(play_command, ["raft", "--to", to, "--seconds", "0.2"], catch_exceptions=False)
        assert done.exit_code == 0
        assert node.recv(4096).startswith(b"!AIVDM,1,1,,A,1>")


@pytest.mark.parametrize(("to", "error"), [("dds://0", InvalidInput), ("tcp://127.0.0.1:9", Unavailable)])
def test_an_address_that_cannot_be_is_told(to: str, error: type[AldisError]) -> None:
    done = CliRunner().invoke(play_command, ["raft", "--to", to, "--seconds", "0.2"])
    assert isinstance(done.exception, error)
