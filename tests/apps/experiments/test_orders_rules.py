"""Laws of tasks and leases, against whatever nations, operators, clocks, systems and crashes do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from aldis.apps.experiments.entity import Point, Task
from aldis.apps.experiments.orders.kinds import ENDED, VERBS, Answer, State, Terms
from aldis.apps.experiments.orders.rules import (
    Asked,
    Begin,
    Book,
    Close,
    Fit,
    Hold,
    Ref,
    Resume,
    Say,
    due,
    first,
    hindrance,
    moved,
)
from aldis.apps.experiments.orders.terms import Lease, beyond, in_force

HERE, TRACKS, NODES = "aus", ("trk-1", "trk-2"), ("usa", "gbr", "aus")
RANK = {"accepted": 0, "executing": 1, "refused": 2, "completed": 2, "failed": 2, "cancelled": 2}


def point(lat: float, lon: float) -> Point:
    return Point(lat_deg=lat, lon_deg=lon)


def asked(node: str, number: int, track: str = "trk-1", verb: Any = "go to", until: int | None = None) -> Asked:
    task = Task(key=str(number), verb=verb, assignee=track, points=[point(0, 0)], until_us=until and until * 1000)
    return Asked((node, str(number)), f"{number:064x}", task)


def lease(number: int, track: str, holder: str, now: int, ms: int, verbs: Any = VERBS) -> Lease:
    terms = Terms(track=track, holder=holder, verbs=list(verbs), from_ms=now, until_ms=now + ms)
    return Lease(f"lease-{number}", now, terms)


class Orders(RuleBasedStateMachine):
    """A node whose records, systems and clock are ours; `due` says what it does."""

    tasks: Bundle[Ref] = Bundle("tasks")

    @initialize()
    def begin(self) -> None:
        self.now, self.number = 1_000, 0
        self.asked: dict[Ref, Asked] = {}
        self.answers: dict[Ref, Answer] = {}
        self.leases: dict[str, Lease] = {}
        self.fits: dict[str, Fit] = dict.fromkeys(TRACKS, "ready")
        self.under_way: dict[str, Ref] = {}
        self.doing: dict[str, Ref | str] = {}
        self.by_operator: set[Ref] = set()
        self.taken_back: dict[str, int] = {}

    def book(self) -> Book:
        return Book(
            HERE, dict(self.asked), dict(self.answers), tuple(self.leases.values()), dict(self.fits),
            dict(self.under_way),
        )  # fmt: skip

    def write(self, ref: Ref, answer: Answer) -> None:
        before = self.answers.get(ref)
        assert ref in self.asked, "every answer refers to a tasking that there is"
        if before is not None:
            assert RANK[answer.state] >= RANK[before.state], "states only go forward"
            assert before.state not in ENDED or answer.state == before.state, "what ended stays as it ended"
            assert answer.tasking == before.tasking
        else:
            assert answer.tasking.digest == self.asked[ref].digest, "matched to the version that was asked"
        self.answers[ref] = answer

    def settle(self) -> None:
        for _ in range(12):
            effects = due(self.book(), self.now)
            if not effects:
                return
            for effect in effects:
                match effect:
                    case Say(ref, answer):
                        if ref not in self.answers and answer.state == "accepted":
                            self.check_acceptance(ref)
                        self.write(ref, answer)
                    case Begin(track, ref):
                        assert self.answers[ref].state == "accepted" and self.answers[ref].begun_ms is not None
                        assert self.fits[track] == "ready" and self.asked[ref].task.assignee == track
                        self.under_way[track] = self.doing[track] = ref
                    case Resume(track, ref):
                        self.under_way[track] = ref
                    case Hold(track, _):
                        self.under_way.pop(track, None)
                        self.doing[track] = "hold"
                    case Close(held, why):
                        terms = msgspec.structs.replace(held.terms, ended_ms=self.now, why=why)
                        self.leases[held.id] = Lease(held.id, held.written, terms, held.area)
        raise AssertionError("it never comes to rest")

    def check_acceptance(self, ref: Ref) -> None:
        """Accepted without the operator: it is the nation's own, or the holder's within a lease that is in force."""
        task = self.asked[ref].task
        held = in_force(self.leases.values(), task.assignee, self.now)
        if ref[0] == HERE:
            assert held is None
        else:
            assert held is not None and held.terms.holder == ref[0] and not beyond(held, task)
            assert held.terms.from_ms <= self.now < held.terms.until_ms, "nothing is accepted for a lease that is over"

    @rule(target=tasks, node=st.sampled_from(NODES), track=st.sampled_from([*TRACKS, "trk-theirs"]),
          verb=st.sampled_from(VERBS), last=st.none() | st.integers(1, 5_000))  # fmt: skip
    def ask(self, node: str, track: str, verb: str, last: int | None) -> Ref:
        self.number += 1
        one = asked(node, self.number, track, verb, last and self.now + last)
        self.asked[one.ref] = one
        self.settle()
        return one.ref

    @rule(ref=tasks)
    def accept(self, ref: Ref) -> None:
        _, words = hindrance(self.book(), ref, self.now)
        if not words:
            held = in_force(self.leases.values(), self.asked[ref].task.assignee, self.now)
            assert held is None or held.terms.holder == ref[0], "not while it is lent to another"
            self.write(ref, first(self.asked[ref], "accepted", self.now, by="operator"))
            self.by_operator.add(ref)
            self.settle()

    @rule(ref=tasks)
    def refuse(self, ref: Ref) -> None:
        if ref not in self.answers:
            self.write(ref, first(self.asked[ref], "refused", self.now, "the operator refused"))
            self.settle()

    @rule(ref=tasks)
    def cancel(self, ref: Ref) -> None:
        self.asked[ref] = Asked(ref, "f" * 64, self.asked[ref].task, cancelled=True)
        self.settle()
        if ref in self.answers:
            assert self.answers[ref].state in ENDED

    @rule(ref=tasks)
    def change(self, ref: Ref) -> None:
        one = self.asked[ref]
        if not one.cancelled and ref in self.answers:
            task = msgspec.structs.replace(one.task, points=[point(1, 1)])
            self.asked[ref] = Asked(ref, "e" * 64, task)
            self.settle()
            assert self.answers[ref].state in ENDED, "what was accepted was another task"

    @rule(track=st.sampled_from(TRACKS), holder=st.sampled_from(NODES[:2]), ms=st.integers(1, 4_000),
          verbs=st.sets(st.sampled_from(VERBS), min_size=1), anew=st.booleans())  # fmt: skip
    def lend(self, track: str, holder: str, ms: int, verbs: set[str], anew: bool) -> None:
        """As a new version of the track's lease, or, as two processes at once may, as a record of its own."""
        self.number += 1
        made = lease(self.number, track, holder, self.now, ms, sorted(verbs))
        held = [one for one in self.leases.values() if one.terms.track == track]
        if held and not anew:
            made = Lease(max(held, key=lambda one: one.written).id, made.written, made.terms)
        self.leases[made.id] = made
        self.settle()

    @rule(track=st.sampled_from(TRACKS))
    def take_back(self, track: str) -> None:
        for one in list(self.leases.values()):
            if one.terms.track == track and one.terms.ended_ms is None:
                terms = msgspec.structs.replace(one.terms, ended_ms=self.now, why="taken back")
                self.leases[one.id] = Lease(one.id, one.written, terms)
        given = self.under_way.get(track)
        for ref in self.book().running(track):
            ended = moved(self.answers[ref], "cancelled", self.now, "taken back")
            assert ended is not None, "the operator's override always wins"
            self.write(ref, ended)
        self.settle()
        assert in_force(self.leases.values(), track, self.now) is None
        assert not [ref for ref in self.book().running(track) if ref[0] != HERE], "nothing of a partner's goes on"
        if given is not None and self.fits[track] == "ready":
            assert self.doing[track] == "hold", "and the vehicle is told"

    @rule(ms=st.integers(1, 3_000))
    def wait(self, ms: int) -> None:
        self.now += ms
        self.settle()

    @rule(ref=tasks, state=st.sampled_from(["executing", "completed", "failed"]))
    def see(self, ref: Ref, state: State) -> None:
        """The system is seen to do something of a task that is under way."""
        track = self.asked[ref].task.assignee
        if self.under_way.get(track) == ref and self.answers[ref].state not in ENDED:
            after = moved(self.answers[ref], state, self.now, "failed" if state == "failed" else None)
            assert after is not None
            self.write(ref, after)
            if state != "executing":
                del self.under_way[track]
            self.settle()

    @rule(track=st.sampled_from(TRACKS), fit=st.sampled_from(["ready", "unheard", "gone", "cannot"]))
    def restart(self, track: str, fit: Fit) -> None:
        """The node is killed and comes back: what it only remembered is gone."""
        self.under_way.clear()
        self.fits[track] = fit
        self.settle()

    @invariant()
    def one_holder_and_one_task(self) -> None:
        for track in TRACKS:
            holders = {
                one.terms.holder for one in self.leases.values() if one.terms.track == track and one.holds(self.now)
            }
            assert len(holders) <= 1, "never two holders"
            assert len(self.book().running(track)) <= 1, "one task at a time"

    @invariant()
    def nothing_is_done_that_nobody_accepted(self) -> None:
        for ref, answer in self.answers.items():
            if answer.begun_ms is not None or answer.state in ("executing", "completed"):
                assert answer.accepted_ms is not None and answer.by is not None
                assert answer.by == "lease" or ref in self.by_operator or ref[0] == HERE
            if answer.state not in ENDED and ref[0] != HERE:
                held = in_force(self.leases.values(), self.asked[ref].task.assignee, self.now)
                assert held is None or held.terms.holder == ref[0]
                assert answer.by == "operator" or held is not None, "no task outlives its lease"
        assert not [ref for ref in self.answers if self.asked[ref].task.assignee == "trk-theirs" and ref not in
                    self.by_operator and self.answers[ref].state != "refused"]  # fmt: skip


TestOrders = Orders.TestCase
TestOrders.settings = settings(max_examples=40, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow])


def test_handing_over_is_one_version_in_which_there_is_never_no_owner_nor_two_holders() -> None:
    before, after = lease(1, "trk-1", "usa", 0, 100), lease(1, "trk-1", "gbr", 10, 100)
    running = first(asked("usa", 1), "accepted", 1, by="lease")
    book = Book(HERE, {("usa", "1"): asked("usa", 1)}, {("usa", "1"): running}, (after,), {"trk-1": "ready"})
    assert in_force([before], "trk-1", 10).terms.holder == "usa"  # type: ignore[union-attr]
    effects = due(book, 10)
    assert [(type(one), one.answer.why) for one in effects if isinstance(one, Say)] == [(Say, "handed to another")]


def test_the_newer_of_two_leases_counts_and_the_other_is_closed() -> None:
    old, new = lease(1, "trk-1", "usa", 0, 100), lease(2, "trk-1", "gbr", 5, 100)
    book = Book(HERE, leases=(old, new))
    assert due(book, 10) == [Close(old, "handed to another")]


def test_a_lease_is_over_at_its_last_millisecond() -> None:
    one = lease(1, "trk-1", "usa", 0, 100)
    assert in_force([one], "trk-1", 99) is one
    assert in_force([one], "trk-1", 100) is None


SQUARE = (point(60, 179.9), point(60, -179.9), point(60.1, -179.9), point(60.1, 179.9))


@pytest.mark.parametrize(
    ("task", "wrong"),
    [
        (Task(key="1", verb="go to", assignee="t", points=[point(60.05, 179.95)]), ""),
        (Task(key="1", verb="go to", assignee="t", points=[point(60.05, -179.95)]), ""),
        (Task(key="1", verb="go to", assignee="t", points=[point(60.2, 180)]), "outside"),
        (Task(key="1", verb="search", assignee="t", points=[point(60.05, 180)], radius_m=1_000), ""),
        (Task(key="1", verb="search", assignee="t", points=[point(60.05, 180)], radius_m=9_000), "outside"),
        (Task(key="1", verb="patrol", assignee="t", points=[point(60.05, 180)]), "not for patrol"),
        (Task(key="1", verb="come home", assignee="t"), "home may be outside"),
        (Task(key="1", verb="hold", assignee="t"), ""),
    ],
)
def test_a_task_is_within_a_lease_with_all_its_places(task: Task, wrong: str) -> None:
    terms = Terms(track="t", holder="usa", verbs=["go to", "search", "hold", "come home"], from_ms=0, until_ms=1)
    found = beyond(Lease("1", 0, terms, SQUARE), task)
    assert wrong in found and bool(wrong) == bool(found)


def test_a_way_does_not_lead_out_of_the_area_and_in_again() -> None:
    bay = (point(0, 0), point(0, 3), point(3, 3), point(3, 2), point(1, 1.5), point(3, 1), point(3, 0))
    terms = Terms(track="t", holder="usa", verbs=["patrol"], from_ms=0, until_ms=1)
    across = Task(key="1", verb="patrol", assignee="t", points=[point(2.5, 0.5), point(2.5, 2.5)])
    round_it = Task(key="1", verb="patrol", assignee="t", points=[point(0.5, 0.5), point(0.5, 2.5)])
    assert beyond(Lease("1", 0, terms, bay), across) and not beyond(Lease("1", 0, terms, bay), round_it)
