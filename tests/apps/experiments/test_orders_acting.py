"""Who may ask, accept and lend, what each nation gets to see of it, and what a node does after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aldis.app import Query, System
from aldis.apps.experiments.app import ExperimentsApp
from aldis.apps.experiments.entity import Decoded, Ledger, Point, Position, Sensor, Task, Track
from aldis.apps.experiments.gateways.mavlink.frames import Parser
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox
from aldis.apps.experiments.kinds import TASKING
from aldis.apps.experiments.orders import acting, driver, papers
from aldis.apps.experiments.orders.acting import accept, ask, cancel, lend, refuse, take_back
from aldis.apps.experiments.orders.drafts import answer_draft, lease_draft, marks, tasking_draft
from aldis.apps.experiments.orders.driver import Orders
from aldis.apps.experiments.orders.kinds import ANSWER, LEASE, Answer, Tasked, Terms
from aldis.apps.experiments.orders.papers import read, request_of
from aldis.apps.experiments.orders.shown import TaskShown, leases, tasks
from aldis.apps.experiments.plot import Plot
from aldis.apps.experiments.tape import Tape
from aldis.kernel.authority import Role
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, Unavailable, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, make_record
from aldis.node.config import Config
from aldis.node.people import Account, Person
from aldis.testing import Coalition

REL, OURS = "OFFICIAL//REL AUS/USA", "SECRET//AGAO"
LABELS = {
    "track": {"header": REL, "position": REL, "sensor": OURS},
    "answer": {"header": REL, "answer": REL, "progress": OURS, "remarks": OURS},
    "lease": {"header": REL},
}
FOR_AUS, FOR_ALL = "CONFIDENTIAL//REL TO USA, AUS", "CONFIDENTIAL//REL TO USA, AUS, GBR"
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
HOME, THERE = Point(lat_deg=60.1, lon_deg=24.9), Point(lat_deg=60.101, lon_deg=24.9)
BOAT = System(name="boat", address="mavlink+udp://127.0.0.1:14550", tasking=True)
KEYS = {"boat": "mavlink:1/1@boat", "ship": "mmsi:503000001"}


class Sea:
    """Three nations; Australia has a boat and a ship on record, and its node steps as a running one does."""

    def __init__(self, world: Coalition) -> None:
        self.world = world
        self.outbox, self.sent = Outbox(), list[int]()
        self.restart()
        self.boat, self.ship = (self.plot.id_of("track", key) for key in KEYS.values())

    @classmethod
    def made(cls) -> Coalition:
        """The nations once they have agreed, with the tracks on record."""
        configs: dict[str, str | Config] = {
            "aus": Config(node="aus", party="AUS", policy="AUS", ceiling="SECRET", project="SEA", labels=LABELS),
            "gbr": "GBR",
            "usa": "USA",
        }
        world = Coalition.of(configs, memory=True, apps=_apps())
        world.pair_all()
        world.arrange(SEA)
        context = world["aus"].context
        plot = Plot(context, "SEA")
        for key in KEYS.values():
            position = Position(lat_deg=HOME.lat_deg, lon_deg=HOME.lon_deg)
            sensor = Sensor(protocol="mavlink", received_ms=context.now())
            plot.take(Decoded(Track(key=key, position=position, sensor=sensor), Ledger()), "boat")
        plot.flush(context.now())
        world.settle()
        return world

    @property
    def aus(self) -> Any:
        return self.world["aus"].context

    @property
    def usa(self) -> Any:
        return self.world["usa"].context

    @property
    def gbr(self) -> Any:
        return self.world["gbr"].context

    def restart(self, *systems: System) -> None:
        """What the node's app has in memory is made anew."""
        context = self.aus
        self.plot = Plot(context, "SEA")
        self.orders = Orders(context, "SEA", Tape(context, ""), systems or [BOAT])
        pilot = self.orders.pilot(BOAT)
        assert pilot is not None
        self.pilot = pilot

    def hear(self, point: Point = HOME, mode: int = 15) -> None:
        """The boat is heard at a place, in a mode."""
        now = self.aus.now() * 1000
        track = Track(key=KEYS["boat"], position=Position(lat_deg=point.lat_deg, lon_deg=point.lon_deg))
        self.pilot.knows(self.boat, track, "peer", "mavlink", now)
        beat = {"type": 11, "autopilot": 3, "base_mode": 129, "custom_mode": mode, "system_status": 4}
        lat, lon = round(point.lat_deg * 1e7), round(point.lon_deg * 1e7)
        for name, values in (("HEARTBEAT", beat), ("GLOBAL_POSITION_INT", {"lat": lat, "lon": lon})):
            self.pilot.hear("peer", self.outbox.frame(name, (1, 1), now, **values), now)

    def step(self, ms: int = 100) -> None:
        """Time passes, what was said goes round, and the boat acknowledges what it is told."""
        self.world.clock.advance(ms)
        self.pilot.tick(self.aus.now() * 1000)
        self.orders.step()
        for frame in self.pilot.frames():
            message = Parser().feed(frame)[0][0]
            command = int.from_bytes(message.payload[28:30], "little")
            self.sent.append(command)
            now = self.aus.now() * 1000
            ack = self.outbox.frame("COMMAND_ACK", (1, 1), now, command=command, result=0)
            self.pilot.hear("peer", ack, now)
        self.orders.step()
        self.world.settle()

    def doing(self) -> str:
        """What the boat was told last."""
        return {176: "HOLD"}.get(self.sent[-1], str(self.sent[-1]))

    def ask(self, verb: Any = "go to", track: str = "", marking: str = FOR_AUS, **more: Any) -> str:
        made = ask(self.usa, track or self.boat, verb, [THERE], marking=marking, **more)
        self.world.settle()
        return made.header.id

    def seen(self, task: str, node: str = "usa") -> TaskShown:
        return next(one for one in tasks(self.world[node].context) if one.id == task)

    def go(self, task: str) -> None:
        """The boat is seen on its way to where the task is."""
        for step in range(4):
            self.world.clock.advance(1_000)
            self.hear(Point(lat_deg=60.1 + step * 0.0001, lon_deg=24.9))
            self.step()
        assert self.seen(task).state == "executing"


def _apps() -> dict[str, Any]:
    return {"experiments": ExperimentsApp()}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sea")
    with Sea.made() as world:
        world.save(folder)
    return folder


@pytest.fixture
def sea(saved: Path) -> Iterator[Sea]:
    with Coalition.load(saved, memory=True, apps=_apps()) as world:
        yield Sea(world)


def test_the_third_nation_sees_neither_task_nor_answer_nor_lease_not_even_an_id(sea: Sea) -> None:
    sea.hear()
    lend(sea.aus, sea.boat, "usa", sea.aus.now() + 60_000)
    task = sea.ask(remarks="a raft was seen there")
    sea.step()
    assert sea.seen(task).by == "lease"
    sea.go(task)
    take_back(sea.aus, sea.boat, "the harbour is closed")
    sea.step()
    ended = sea.seen(task)
    assert (ended.state, ended.why, ended.remarks) == ("cancelled", "taken back", "")
    assert sea.seen(task, "aus").remarks == "the harbour is closed", "there was something to withhold"
    assert [one.why for one in leases(sea.usa)] == ["taken back"]
    assert not tasks(sea.gbr) and not leases(sea.gbr)
    assert all(sea.world["gbr"].records.count(kind=kind) == 0 for kind in ("track", "tasking", "answer", "lease"))
    held = [one.record.header.id for one in sea.aus.standing("SEA", ["answer", "lease", "tasking"])]
    went = dict.fromkeys(("gbr", "usa"), b"")
    for sent in sea.world.archive.bundles.values():
        if sent.receiver in went:
            went[sent.receiver] += b"".join(item.record for item in sent.bundle.items)
    ids = [word.encode() for word in (task, sea.boat, *held)]
    assert sum(word in went["usa"] for word in ids) >= 3, "the ids could be found"
    assert not any(word in went["gbr"] for word in ids)


def test_no_position_goes_with_a_state_to_whom_the_position_does_not(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    sea.world.clock.advance(70_000)
    sea.step()
    assert sea.seen(task, "aus").remarks.startswith("stopped 78 m short")
    assert (sea.seen(task).state, sea.seen(task).why, sea.seen(task).remarks) == ("failed", "stopped short", "")


def test_a_system_that_was_not_opened_to_tasks_is_given_none(sea: Sea) -> None:
    closed = msgspec.structs.replace(BOAT, tasking=False)
    orders = Orders(sea.aus, "SEA", Tape(sea.aus, ""), [closed])
    assert orders.pilot(closed) is None
    task = sea.ask()
    orders.step()
    sea.world.settle()
    assert (sea.seen(task).state, sea.seen(task).why) == ("refused", "cannot be tasked")
    with pytest.raises(InvalidInput, match="it was answered: refused"):
        accept(sea.aus, task)


def test_what_speaks_no_protocol_of_tasks_is_refused_and_what_is_not_heard_too(sea: Sea) -> None:
    sea.pilot.knows(sea.ship, Track(key=KEYS["ship"], position=Position(lat_deg=1, lon_deg=1)), "peer", "nmea0183", 0)
    task, lost = sea.ask(track=sea.ship), sea.ask()
    sea.step()
    assert (sea.seen(task).state, sea.seen(task).why) == ("refused", "cannot be tasked")
    assert sea.seen(lost).state == "issued"
    sea.step(61_000)
    assert (sea.seen(lost).state, sea.seen(lost).why) == ("refused", "not heard")


def test_nothing_is_sent_before_its_nation_accepts_and_a_refusal_says_why(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    for _ in range(5):
        sea.step()
    assert sea.sent == [] and sea.seen(task).state == "issued"
    refuse(sea.aus, task, "not today")
    sea.step()
    assert (sea.seen(task).state, sea.seen(task).why) == ("refused", "the operator refused")
    late = sea.ask(until_ms=sea.aus.now() + 2_000)
    sea.step(3_000)
    assert (sea.seen(late).state, sea.seen(late).why) == ("refused", "its time ran out")
    assert sea.sent == []


def test_beyond_the_terms_of_a_lease_a_task_waits_and_others_are_not_accepted(sea: Sea) -> None:
    sea.hear()
    lend(sea.aus, sea.boat, "usa", sea.aus.now() + 60_000, ["hold"])
    beyond, other = sea.ask("go to"), ask(sea.aus, sea.boat, "hold", marking=REL).header.id
    sea.step()
    assert sea.seen(beyond).state == "issued"
    assert (sea.seen(other, "aus").state, sea.seen(other, "aus").why) == ("refused", "lent to another")
    accept(sea.aus, beyond)
    sea.step()
    assert (sea.seen(beyond).state, sea.seen(beyond).by) == ("accepted", "operator")
    lend(sea.aus, sea.boat, "gbr", sea.aus.now() + 60_000)
    sea.step()
    assert (sea.seen(beyond).state, sea.seen(beyond).why) == ("cancelled", "lent to another")
    assert [one.holder for one in leases(sea.aus) if one.state == "in force"] == ["gbr"]
    assert len(leases(sea.aus)) == 1, "one record, and in it one holder"
    late = sea.ask("hold")
    sea.step()
    assert sea.seen(late).state == "issued"
    with pytest.raises(InvalidInput, match="lent to gbr: take it back first"):
        accept(sea.aus, late)


def test_a_third_nations_word_on_a_task_counts_for_nothing(sea: Sea) -> None:
    task = sea.ask(marking=FOR_ALL)
    record = sea.gbr.get(task, originator="usa")
    tasking = Tasked(node="usa", id=task, digest=record.digest.hex())
    for state in ("accepted", "completed"):
        forged = Answer(tasking=tasking, state=state, by="operator", accepted_ms=1)
        labels = marks(sea.gbr, ANSWER, "SECRET – AUS/UK/US EYES ONLY")
        sea.gbr.put(answer_draft(sea.gbr, forged, "SEA", "x", labels, record_id=f"forged-{state}"))
    sea.world.settle()
    assert sea.world["usa"].records.count(kind="answer") == 2, "they came"
    assert sea.seen(task).state == "issued" and sea.seen(task, "aus").state == "issued"
    assert not tasks(sea.gbr), "it is not asked of them"


def test_who_may_command_is_of_the_nation_itself_and_may_write(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    people = {
        "guest": Account(id="guest", name="g", nationality="AUS", clearance={"AUS": "SECRET"}, roles=[Role.GUEST]),
        "foreign": Account(id="foreign", name="f", nationality="USA", clearance={"AUS": "SECRET"},
                           projects=["SEA"], roles=[Role.ORIGINATOR]),
        "reader": Account(id="reader", name="r", nationality="AUS", clearance={"AUS": "SECRET"}, projects=["SEA"]),
        "officer": Account(id="officer", name="o", nationality="AUS", clearance={"AUS": "SECRET"},
                           projects=["SEA"], roles=[Role.RELEASE_OFFICER]),
    }  # fmt: skip
    for account in people.values():
        context = sea.aus.bound(Person(account, account.clearance))
        acts: list[Callable[[], object]] = [
            partial(accept, context, task),
            partial(refuse, context, task, "no"),
            partial(lend, context, sea.boat, "usa", sea.aus.now() + 1_000),
            partial(take_back, context, sea.boat),
        ]
        for act in acts:
            with pytest.raises(RefusedByPolicy, match="does not command systems of AUS"):
                act()
    other = Account(id="other", name="x", nationality="AUS", clearance={"AUS": "SECRET"}, projects=["LAND"],
                    roles=[Role.ORIGINATOR])  # fmt: skip
    with pytest.raises(UnknownTerm):
        accept(sea.aus.bound(Person(other, other.clearance)), task)
    captain = Account(id="captain", name="c", nationality="AUS", clearance={"AUS": "SECRET"}, projects=["SEA"],
                      roles=[Role.ORIGINATOR])  # fmt: skip
    context = sea.aus.bound(Person(captain, captain.clearance))
    assert accept(context, task).header.author == "captain"
    sea.step()
    sea.go(task)
    lend(context, sea.boat, "usa", sea.aus.now() + 60_000)
    assert len(take_back(context, sea.boat, "enough")) == 2
    sea.step()
    assert sea.seen(task).why == "taken back"


def test_after_a_restart_a_way_to_one_place_is_watched_on_and_nothing_is_sent_again(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    sent = list(sea.sent)
    sea.restart()
    sea.step()
    assert sea.seen(task).state == "executing", "it is not known to be otherwise"
    sea.hear(Point(lat_deg=60.1008, lon_deg=24.9))
    sea.step()
    sea.hear(THERE)
    sea.step()
    assert sea.seen(task).state == "completed"
    assert sea.sent == sent


def test_after_a_restart_a_system_that_is_not_heard_has_not_done_anything(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    sea.restart()
    sea.step(30_000)
    assert sea.seen(task).state == "executing"
    sea.step(31_000)
    assert (sea.seen(task).state, sea.seen(task).why) == ("failed", "its node was restarted")


def test_what_was_taken_back_while_the_node_was_down_is_told_to_hold_when_it_is_heard(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    take_back(sea.aus, sea.boat)
    sea.restart()
    sea.sent.clear()
    sea.step(5_000)
    assert sea.sent == []
    sea.hear()
    sea.step()
    assert sea.sent == [176], "MAV_CMD_DO_SET_MODE"
    sea.step()
    assert sea.sent == [176]


def test_a_mode_that_somebody_else_sets_ends_the_task_and_nothing_is_sent_after_it(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    sent = list(sea.sent)
    for step in range(4):
        sea.world.clock.advance(1_000)
        sea.hear(Point(lat_deg=60.1004 + step * 0.0001, lon_deg=24.9), mode=0)
        sea.step()
    assert (sea.seen(task).state, sea.seen(task).why) == ("failed", "operator took over")
    assert sea.sent == sent


def test_a_later_task_takes_the_place_of_the_one_before(sea: Sea) -> None:
    sea.hear()
    one, other = sea.ask(), sea.ask("hold")
    accept(sea.aus, one)
    sea.step()
    accept(sea.aus, other)
    sea.step()
    sea.step()
    assert (sea.seen(one).state, sea.seen(one).why) == ("cancelled", "replaced by a later task")
    assert sea.seen(other).state == "accepted"
    cancel(sea.usa, other)
    sea.world.settle()
    sea.step()
    assert sea.seen(other).why == "cancelled by the asker"


def test_what_cannot_be_asked_is_told_at_once(sea: Sea) -> None:
    with pytest.raises(UnknownTerm):
        sea.ask(track="trk-none")
    with pytest.raises(InvalidInput, match="a spacing of -1 cannot be"):
        sea.ask("survey", spacing_m=-1)
    with pytest.raises(InvalidInput, match="its time is over"):
        sea.ask(until_ms=1)
    with pytest.raises(UnknownTerm):
        cancel(sea.aus, sea.ask())
    with pytest.raises(InvalidInput, match="is not lent, and has no task"):
        take_back(sea.aus, sea.boat)
    with pytest.raises(InvalidInput, match="within 30 days"):
        lend(sea.aus, sea.boat, "usa", sea.aus.now())
    with pytest.raises(UnknownTerm, match="no partner 'nobody'"):
        lend(sea.aus, sea.boat, "nobody", sea.aus.now() + 1_000)
    with pytest.raises(UnknownTerm, match="no track"):
        lend(sea.usa, sea.boat, "gbr", sea.usa.now() + 1_000)


def test_what_its_asker_deletes_is_cancelled(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    sea.world["usa"].records.delete(task, "captain")
    sea.world.settle()
    sea.step(4_000)
    (answer,) = (one for one, _ in read(sea.aus, "SEA").answers.values())
    assert (answer.state, answer.why) == ("cancelled", "cancelled by the asker")
    assert sea.doing() == "HOLD"


def test_a_flood_of_papers_stops_neither_the_override_nor_what_goes_on(
    sea: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    sea.hear()
    lend(sea.aus, sea.boat, "usa", sea.aus.now() + 600_000)
    task = sea.ask()
    sea.step()
    for _ in range(6):
        sea.ask("hold", sea.ship)
    sea.go(task)
    monkeypatch.setattr("aldis.node.records._STANDING", 4)
    sea.step(6_000)
    assert sea.seen(task, "aus").state == "executing"
    sea.hear(Point(lat_deg=60.1004, lon_deg=24.9))
    more = sea.ask("hold")
    sea.step()
    take_back(sea.aus, sea.boat, "enough")
    sea.step()
    assert sea.doing() == "HOLD"
    monkeypatch.undo()
    assert sea.seen(task).why == "taken back"
    assert sea.seen(more).state == "issued", "nothing new was taken on"


def test_what_a_foreign_national_writes_by_another_way_commands_nothing(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    asked = read(sea.aus, "SEA").asked["usa", task]
    said = Answer(
        tasking=Tasked(node="usa", id=task, digest=asked.digest), state="accepted", by="operator", accepted_ms=1
    )
    account = Account(id="other", name="f", nationality="USA", clearance={"AUS": "SECRET"}, projects=["SEA"],
                      roles=[Role.ORIGINATOR])  # fmt: skip
    context = sea.aus.bound(Person(account, account.clearance))
    labels = marks(sea.aus, ANSWER, REL)
    with pytest.raises(RefusedByPolicy, match="for people of AUS to write"):
        context.put(answer_draft(context, said, "SEA", "other", labels, record_id=context.issue()))
    sea.step()
    assert sea.sent == [] and sea.seen(task).state == "issued"


def test_a_system_commands_no_other_by_what_it_says(sea: Sea) -> None:
    sea.hear()
    task = Task(key="cot:x", verb="go to", assignee=KEYS["boat"], points=[THERE])
    sea.plot.take(
        Decoded(msgspec.structs.replace(task, request=request_of("aus", sea.plot.id_of("tasking", "cot:x"))), Ledger()),
        "tablet",
    )
    sea.plot.flush(sea.aus.now())
    sea.step()
    assert (
        sea.aus.find(Query(kind="tasking", originator="aus")).records
        and sea.sent == []
        and not read(sea.aus, "SEA").answers
    )


def test_what_is_taken_back_while_its_link_is_down_is_told_to_hold_once_it_is_heard_again(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    sea.world.clock.advance(20_000)
    take_back(sea.aus, sea.boat)
    sea.sent.clear()
    sea.orders.step()
    sea.pilot.drop()  # as a connection does that is opened again
    sea.step()
    assert sea.sent == [], "nothing is sent to one that is not there"
    sea.hear()
    sea.step()
    assert sea.sent == [176]


def test_a_task_under_a_lease_whose_terms_are_others_now_ends(sea: Sea) -> None:
    sea.hear()
    lend(sea.aus, sea.boat, "usa", sea.aus.now() + 600_000)
    task = sea.ask()
    sea.step()
    sea.go(task)
    lend(sea.aus, sea.boat, "usa", sea.aus.now() + 600_000, ["hold"])
    sea.step()
    assert (sea.seen(task).state, sea.seen(task).why) == ("cancelled", "outside the lease")
    assert sea.doing() == "HOLD"


def test_what_cannot_be_written_of_one_task_stops_no_other(sea: Sea, monkeypatch: pytest.MonkeyPatch) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    late = sea.ask("hold", until_ms=sea.aus.now() + 1_000)

    def unmarked(*_: object) -> Any:
        raise UnknownTerm("a marking for nothing", fix="Mend it")

    monkeypatch.setattr(driver, "marks", unmarked)
    sea.step(1_500)
    take_back(sea.aus, sea.boat)
    sea.step()
    assert sea.seen(late).state == "issued", "it cannot be answered"
    assert sea.doing() == "HOLD"


def test_what_was_seen_while_nothing_could_be_written_is_written_later(
    sea: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)

    def full(*_: object, **__: object) -> Any:
        raise Unavailable("the disk is full", fix="Make room")

    with monkeypatch.context() as patched:
        patched.setattr(driver, "answer_draft", full)
        sea.hear(THERE)
        sea.step()
    assert sea.seen(task).state == "executing"
    sea.step()
    assert sea.seen(task).state == "completed"


def test_the_override_goes_through_while_the_node_writes_too(sea: Sea, monkeypatch: pytest.MonkeyPatch) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    endings, times = acting._endings, list[int]()

    def overtaken(*given: Any) -> Any:
        found = endings(*given)
        if not times:
            sea.go(task)
        times.append(len(found))
        return found

    monkeypatch.setattr(acting, "_endings", overtaken)
    take_back(sea.aus, sea.boat, "enough")
    sea.step()
    assert times == [1, 1] and sea.seen(task).why == "taken back" and sea.doing() == "HOLD"


def test_of_two_answers_at_once_the_one_that_does_not_count_is_refused(
    sea: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    sea.hear()
    lend(sea.aus, sea.boat, "usa", sea.aus.now() + 600_000)
    captain = Account(id="captain", name="c", nationality="AUS", clearance={"AUS": "SECRET"}, projects=["SEA"],
                      roles=[Role.ORIGINATOR])  # fmt: skip
    person = sea.aus.bound(Person(captain, captain.clearance))
    for context, words in ((sea.aus, "has a record"), (person, "it was answered meanwhile: accepted")):
        task = sea.ask("hold")
        before = acting._asked(sea.aus, task, "")
        sea.step()
        assert sea.seen(task).by == "lease"
        with monkeypatch.context() as patched:
            patched.setattr(acting, "_asked", lambda *_, before=before: before)
            with pytest.raises(InvalidInput, match=words):
                refuse(context, task, "no")
        assert sea.seen(task).state == "accepted"


def test_many_taskings_of_a_partner_are_read_seldom_and_the_override_is_as_quick_as_ever(
    sea: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    for _ in range(4):
        sea.ask("hold", sea.ship)
    times = list[bool]()

    def counted(*given: Any, whole: bool) -> Any:
        times.append(whole)
        return read(*given, whole=whole)

    monkeypatch.setattr(driver, "_MANY", 3)
    monkeypatch.setattr(driver, "_REST_MS", 10_000)
    monkeypatch.setattr(driver, "read", counted)
    sea.step(10)
    for _ in range(10):
        sea.ask("hold", sea.ship)
        sea.step(10)
    assert times.count(True) == 1 and times.count(False) >= 10
    take_back(sea.aus, sea.boat)
    sea.step(10)
    assert sea.doing() == "HOLD" and sea.seen(task).why == "taken back"
    late = sea.ask(until_ms=sea.aus.now() + 10)
    sea.step(100_000)
    assert sea.seen(late).state == "refused"


def test_an_order_that_names_another_record_is_none(sea: Sea) -> None:
    sea.hear()
    lend(sea.aus, sea.boat, "usa", sea.aus.now() + 600_000)
    made = Task(key="mine", verb="go to", assignee=sea.boat, points=[THERE], request=request_of("aus", "theirs"))
    labels = marks(sea.usa, TASKING, FOR_AUS)
    sea.usa.put(tasking_draft(sea.usa, made, "SEA", "x", labels))
    sea.world.settle()
    sea.step()
    assert sea.sent == [] and not read(sea.aus, "SEA").asked


def test_an_answer_to_what_nobody_asked_so_counts_for_nothing(sea: Sea) -> None:
    task = sea.ask()
    said = Answer(tasking=Tasked(node="usa", id=task, digest="0" * 64), state="accepted", by="operator", accepted_ms=1)
    labels = marks(sea.aus, ANSWER, REL)
    sea.aus.put(answer_draft(sea.aus, said, "SEA", "x", labels, record_id="other"))
    sea.world.settle()
    assert sea.world["usa"].records.count(kind="answer") == 1, "it came"
    assert sea.seen(task).state == "issued"


def test_nobody_lends_what_is_anothers(sea: Sea) -> None:
    sea.hear()
    now = sea.usa.now()
    terms = Terms(track=sea.boat, holder="usa", verbs=["go to"], from_ms=now, until_ms=now + 600_000)
    labels = marks(sea.usa, LEASE, FOR_AUS)
    sea.usa.put(lease_draft(sea.usa, terms, "SEA", "x", labels, record_id="forged"))
    sea.world.settle()
    assert sea.world["aus"].records.count(kind="lease") == 1, "it came"
    task = sea.ask()
    sea.step()
    assert sea.sent == [] and sea.seen(task).state == "issued"


def test_a_lease_whose_area_cannot_be_read_is_none_rather_than_one_without_bounds() -> None:
    terms = Terms(track="trk-1", holder="usa", verbs=["go to"], from_ms=1, until_ms=2)
    label = Label("AUS", "OFFICIAL")
    for area, count in ((None, 1), ({"points": [{"lat_deg": 1, "lon_deg": 1}] * 3}, 1), ({"polygon": []}, 0)):
        portions = [DraftPortion("lease", label, msgspec.to_builtins(terms))]
        portions += [DraftPortion("area", label, area)] if area else []
        held = papers.Papers("aus")
        draft = Draft("lease", "l-1", "aus", "x", 1, label, portions, project="SEA")
        papers._take_lease(held, make_record(draft, bytes))
        assert len(held.leases) == count


def test_a_task_under_a_lease_ends_with_it_and_the_operators_own_stays_before_the_holders(sea: Sea) -> None:
    sea.hear()
    lend(sea.aus, sea.boat, "usa", sea.aus.now() + 8_000)
    task = sea.ask()
    sea.step()
    sea.go(task)
    sea.step(8_000)
    assert (sea.seen(task).state, sea.seen(task).why) == ("cancelled", "the lease expired")
    sea.hear()
    lend(sea.aus, sea.boat, "usa", sea.aus.now() + 60_000, ["hold"])
    first = sea.ask()
    accept(sea.aus, first)
    sea.step()
    second = sea.ask("hold")
    sea.step()
    assert (sea.seen(first).state, sea.seen(second).why) == ("accepted", "busy")


def test_what_its_asker_changes_after_it_was_accepted_is_not_done(sea: Sea) -> None:
    sea.hear()
    task = sea.ask()
    accept(sea.aus, task)
    sea.step()
    sea.go(task)
    papers = read(sea.usa, "SEA")
    elsewhere = msgspec.structs.replace(papers.mine[task], points=[Point(lat_deg=61, lon_deg=24.9)])
    before = papers.taskings["usa", task]
    sea.usa.put(tasking_draft(sea.usa, elsewhere, "SEA", "x", marks(sea.usa, TASKING, FOR_AUS), before))
    sea.world.settle()
    sea.step()
    assert (sea.seen(task).state, sea.seen(task).why) == ("cancelled", "changed by the asker")
    assert sea.doing() == "HOLD"


def test_what_is_asked_waits_for_those_who_may_accept_it_until_they_have(sea: Sea) -> None:
    def waits(**fields: Any) -> list[str]:
        given: dict[str, Any] = {"id": "one", "name": "One", "nationality": "AUS", "clearance": {"AUS": "SECRET"},
                                 "projects": ["SEA"], "roles": [Role.ORIGINATOR]}  # fmt: skip
        account = Account(**given | fields)
        return [one.words for one in ExperimentsApp().waiting(sea.aus.bound(Person(account, account.clearance)))]

    task = sea.ask()
    assert waits() == ["asked by USA usa"]
    assert [one.labels for one in ExperimentsApp().waiting(sea.aus)] != [[]]
    others: list[dict[str, Any]] = [
        {"projects": []}, {"roles": [Role.RELEASE_OFFICER]}, {"nationality": "USA"},
        {"clearance": {"AUS": "UNOFFICIAL"}},
    ]  # fmt: skip
    for who in others:
        assert waits(**who) == [], who
    assert list(ExperimentsApp().waiting(sea.usa)) == []
    accept(sea.aus, task)
    assert waits() == []
    late = sea.ask(until_ms=sea.aus.now() + 10_000)
    assert late and waits() == ["asked by USA usa"]
    sea.world.clock.advance(20_000)
    assert waits() == [] and sea.seen(late, "aus").state == "issued"
