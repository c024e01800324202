"""Tasks of a boat that speaks through pymavlink on a real socket: what is said of them is what is seen of them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from aldis.apps.experiments.entity import Point, Task, Track
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.gateways.mavlink import MavlinkGateway
from aldis.apps.experiments.gateways.mavlink.frames import Parser
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox
from aldis.apps.experiments.gateways.mavlink.tasking import Progress, Tasking
from aldis.apps.experiments.gateways.mavlink.watch import Limits, Way

BOAT = "mavlink:1/1"
HOME = Point(lat_deg=60.1, lon_deg=24.9)
THERE = Point(lat_deg=60.1005, lon_deg=24.9005)
HURRY = Limits(
    answer_us=60_000, retries=15, move_us=500_000, stall_us=400_000, still_us=200_000, noise_m=3.0, acceptance_m=5.0
)
ENDS = ("completed", "failed", "cancelled")


class Session:
    """A ground station on a socket: tasks in, states out, and the picture that a gateway has meanwhile."""

    def __init__(self, link: socket.socket, limits: Limits = HURRY) -> None:
        self.link = link
        self.peer: tuple[str, int] | None = None
        self.tasking = Tasking(BOAT, limits=limits)
        self.gateway = MavlinkGateway()
        self.states: list[Task] = []
        self.track: Track | None = None

    def step(self) -> None:
        try:
            data, self.peer = self.link.recvfrom(65_536)
        except TimeoutError:
            data = b""
        at_us = time.time_ns() // 1000
        if data:
            for decoded in self.gateway.feed(data, at_us):
                if isinstance(decoded.entity, Track) and decoded.entity.position is not None:
                    self.track = decoded.entity
            self.take(self.tasking.feed(data, at_us))
        self.take(self.tasking.tick(at_us))

    def take(self, progress: Progress) -> None:
        self.states += progress.tasks
        for frame in progress.send:
            assert self.peer is not None
            self.link.sendto(frame, self.peer)

    def until(self, done: Callable[[], bool], seconds: float = 25.0) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, [(task.state, task.reason) for task in self.states]
            self.step()

    def issue(self, task: Task) -> None:
        self.until(lambda: self.track is not None or (self.peer is not None and self.gateway.tally.seen > 4))
        self.take(self.tasking.issue(task, time.time_ns() // 1000))

    def see_through(self, task: Task) -> list[str | None]:
        """The states of `task` from issue to end, repetitions left out."""
        begin = len(self.states)
        self.issue(task)
        self.until(lambda: any(told.state in ENDS and told.key == task.key for told in self.states[begin:]))
        told = [told.state for told in self.states[begin:] if told.key == task.key]
        return [state for place, state in enumerate(told) if place == 0 or state != told[place - 1]]


@contextmanager
def boat(*arguments: str, version: str = "2") -> Iterator[Session]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        link.settimeout(0.05)
        program = Path(__file__).with_name("mav_boat.py")
        command = [sys.executable, "-W", "ignore", str(program), str(link.getsockname()[1]), *arguments]
        environment = os.environ | {"MAVLINK_DIALECT": "common"} | ({"MAVLINK20": "1"} if version == "2" else {})
        with subprocess.Popen(command, env=environment) as process:
            try:
                yield Session(link)
            finally:
                process.kill()


def go_to(point: Point = THERE, **more: object) -> Task:
    return Task(key="task:1", verb="go to", assignee=BOAT, points=[point], **more)  # type: ignore[arg-type]


def away(session: Session, point: Point) -> float:
    position = session.track.position if session.track is not None else None
    assert position is not None
    return distance_m(position.lat_deg, position.lon_deg, point.lat_deg, point.lon_deg)


def test_go_there_is_executing_when_seen_to_move_and_completed_when_seen_there() -> None:
    with boat("--armed") as session:
        assert session.see_through(go_to()) == ["issued", "accepted", "executing", "completed"]
        assert away(session, THERE) < 6


def test_come_home_is_completed_when_seen_at_home() -> None:
    with boat("--armed", "--away") as session:
        assert session.see_through(Task(key="task:2", verb="come home", assignee=BOAT)) == [
            "issued", "accepted", "executing", "completed",
        ]  # fmt: skip
        assert away(session, HOME) < 6


def test_an_unarmed_boat_accepts_and_does_not_move_which_is_a_failure() -> None:
    with boat() as session:
        assert session.see_through(go_to()) == ["issued", "accepted", "failed"]
        assert session.states[-1].reason == "accepted but did not move"


OUTLINE = [
    HOME,
    Point(lat_deg=60.1, lon_deg=24.9008),
    Point(lat_deg=60.10025, lon_deg=24.9008),
    Point(lat_deg=60.10025, lon_deg=24.9),
]


def test_survey_this_goes_along_all_legs() -> None:
    task = Task(key="task:1", verb="survey", assignee=BOAT, points=OUTLINE, spacing_m=14.0)
    with boat("--armed", "--speed", "150") as session:
        assert session.see_through(task) == ["issued", "accepted", "executing", "completed"]
        progress = [told.progress_percent for told in session.states if told.progress_percent is not None]
        assert progress == sorted(progress)
        assert progress[-1] == 100
        assert len(progress) > 3


_LOSSY = [
    Task(key="task:1", verb="patrol", assignee=BOAT, points=[THERE, HOME], speed_mps=3.0),
    Task(key="task:2", verb="go to", assignee=BOAT, points=[THERE]),
]


@pytest.mark.parametrize(("seed", "task"), [("1", _LOSSY[0]), ("2", _LOSSY[0]), ("3", _LOSSY[1])])
def test_frames_that_are_lost_or_doubled_are_asked_for_again(seed: str, task: Task) -> None:
    with boat("--armed", "--loss", "0.3", "--seed", seed, "--speed", "120") as session:
        assert session.see_through(task) == ["issued", "accepted", "executing", "completed"]


def test_answers_to_others_are_not_taken_for_ours() -> None:
    with boat("--armed", "--stray") as session:
        assert session.see_through(go_to()) == ["issued", "accepted", "executing", "completed"]


def test_a_boat_of_version_1_is_tasked_alike() -> None:
    with boat("--armed", "--speed", "120", version="1") as session:
        task = Task(key="task:1", verb="patrol", assignee=BOAT, points=[THERE])
        assert session.see_through(task) == ["issued", "accepted", "executing", "completed"]


def test_a_late_answer_to_an_earlier_request_is_not_taken_for_the_next_ones() -> None:
    def answer(command: int) -> bytes:
        return Outbox().frame("COMMAND_ACK", (1, 1), 0, command=command, result=0)

    tasking = Tasking(BOAT)
    assert len(tasking.issue(go_to(), 0).send) == 1
    assert len(tasking.tick(1_500_000).send) == 1  # asked twice, so two answers may come
    assert [told.state for told in tasking.feed(answer(192), 1_600_000).tasks] == ["accepted"]
    second = msgspec.structs.replace(go_to(HOME), key="task:2")
    issued = tasking.issue(second, 1_700_000)
    assert issued.send == ()
    assert [(told.key, told.state) for told in issued.tasks] == [("task:2", "issued"), ("task:1", "cancelled")]
    assert tasking.feed(answer(192), 1_800_000) == Progress()
    assert len(tasking.tick(3_200_000).send) == 1
    assert [told.state for told in tasking.feed(answer(192), 3_300_000).tasks] == ["accepted"]


def test_an_earlier_missions_acknowledgement_is_not_taken_for_this_ones() -> None:
    tasking = Tasking(BOAT)
    tasking.issue(Task(key="task:1", verb="patrol", assignee=BOAT, points=[THERE, HOME]), 0)
    outbox = Outbox()
    assert tasking.feed(outbox.frame("MISSION_ACK", (1, 1), 0, type=0), 1_000) == Progress()
    for seq in (0, 0, 1):
        (item,) = tasking.feed(outbox.frame("MISSION_REQUEST_INT", (1, 1), 0, seq=seq), 2_000).send
        assert Parser().feed(item)[0][0].message == 73
    assert tasking.feed(outbox.frame("MISSION_REQUEST_INT", (1, 1), 0, seq=7), 3_000) == Progress()
    (start,) = tasking.feed(outbox.frame("MISSION_ACK", (1, 1), 0, type=0), 4_000).send
    assert Parser().feed(start)[0][0].message == 76


def test_the_word_of_a_vehicle_that_it_is_there_does_not_complete_a_task() -> None:
    way = Way([THERE, HOME], Limits(), 0)
    assert way.place(60.2, 24.9, 1_000_000) is None
    way.reached(2)
    assert way.place(60.2, 24.9, 2_000_000) is None
    seen = way.tick(40_000_000)
    assert seen is not None
    assert (seen.state, seen.reason) == ("failed", "accepted but did not move")


def test_drifting_slowly_towards_a_place_is_not_going_there() -> None:
    way = Way([HOME], Limits(), 0)
    for second in range(30):  # 0.15 m/s, 4.4 m in all: more than the noise, but no speed of a vehicle under way
        assert way.place(60.101 - second * 0.15 / 111_319, 24.9, second * 1_000_000) is None
    seen = way.tick(31_000_000)
    assert seen is not None
    assert seen.reason == "accepted but did not move"


def test_whoever_is_there_already_completes_without_having_moved() -> None:
    seen = Way([HOME], Limits(), 0).place(60.1, 24.9, 1)
    assert seen is not None
    assert (seen.state, seen.reason) == ("completed", "was there already")


def test_what_is_denied_has_failed() -> None:
    with boat("--armed", "--deny", "192") as session:
        assert session.see_through(go_to()) == ["issued", "failed"]
        assert session.states[-1].reason == "denied"


def test_without_an_answer_a_task_times_out() -> None:
    with boat("--armed", "--loss", "1") as session:
        session.tasking = Tasking(BOAT, limits=Limits(answer_us=50_000, retries=3))
        assert session.see_through(go_to()) == ["issued", "failed"]
        assert session.states[-1].reason == "timed out: no acknowledgement"
        mission = Task(key="task:2", verb="patrol", assignee=BOAT, points=[THERE])
        assert session.see_through(mission) == ["issued", "failed"]
        assert session.states[-1].reason == "timed out: the mission was not taken"


def test_whoever_stops_short_has_failed_by_how_much() -> None:
    with boat("--armed", "--short") as session:
        assert session.see_through(go_to()) == ["issued", "accepted", "executing", "failed"]
        assert session.states[-1].reason is not None
        assert session.states[-1].reason.startswith(("stopped 19 m short", "stopped 20 m short", "stopped 21 m short"))


def test_nobody_is_believed_to_move_who_does_not_tell_where_it_is() -> None:
    with boat("--armed", "--deaf") as session:
        assert session.see_through(go_to()) == ["issued", "accepted", "failed"]
        assert session.states[-1].reason == "accepted, but where it is was not heard"


def test_a_later_task_replaces_the_one_under_way_and_hold_is_seen_to_hold() -> None:
    far = Point(lat_deg=60.2, lon_deg=24.9)
    with boat("--armed") as session:
        session.issue(go_to(far))
        session.until(lambda: session.states[-1].state == "executing")
        until_us = time.time_ns() // 1000 + 700_000
        hold = Task(key="task:2", verb="hold", assignee=BOAT, until_us=until_us)
        assert session.see_through(hold) == ["issued", "accepted", "executing", "completed"]
        assert [told.state for told in session.states if told.key == "task:1"][-1] == "cancelled"


def test_what_cannot_be_said_fails_at_once() -> None:
    tasking = Tasking(BOAT)
    for task, reason in (
        (Task(key="1", verb="survey", assignee=BOAT, points=OUTLINE), "a survey needs a spacing of its legs"),
        (Task(key="2", verb="go to", assignee=BOAT), "a 'go to' needs one point"),
        (Task(key="3", verb="survey", assignee=BOAT, points=OUTLINE, spacing_m=0.01), "make the spacing wider"),
        (Task(key="4", verb="go to", assignee="mavlink:2/1", points=[HOME]), "for another system"),
    ):
        told = tasking.issue(task, 1).tasks[-1]
        assert told.state == "failed"
        assert reason in (told.reason or "")


def test_a_key_that_is_no_system_is_refused() -> None:
    with pytest.raises(ValueError, match="no MAVLink system"):
        Tasking("mmsi:230123456")
    with pytest.raises(ValueError, match="no MAVLink system"):
        Tasking("mavlink:300/1")
