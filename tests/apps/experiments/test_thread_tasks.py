"""A drifting raft: sighted by Britain, reported, shared with Australia, which asks for the boat of the USA."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from recorded import MARKING, START_US
from thread_scene import SECOND, Nation

import aldis.apps.experiments
from aldis.apps.experiments.cases import Cell, Findings, Outcome, find, read_case
from aldis.apps.experiments.entity import Decoded, Entity, Ledger, Point, Position, Report, Task, Track
from aldis.apps.experiments.gateways.registry import offered

os.environ["MAVLINK20"] = "1"
from pymavlink.dialects.v20 import common  # type: ignore[import-untyped]

EXAMPLES = Path(aldis.apps.experiments.__file__).parent / "examples" / "cases"
RAFT, BOAT = "trk-raft", "trk-boat"
GOAL = Point(lat_deg=60.1, lon_deg=24.905)
RATIO = 1e7


@dataclass
class Search:
    """How it goes: which states of the task come, how far the boat moves, and whether it was somebody else's before."""

    folder: Path
    states: tuple[str, ...] = ("accepted", "executing", "completed")
    moves: bool = True
    ask: bool = True
    told: bool = True
    reason: str | None = None
    held: bool = False
    released: bool = True
    cut: bool = False

    def play(self) -> list[Path]:
        self.gbr, self.usa, self.aus = (Nation(node, self.folder / node) for node in ("gbr", "usa", "aus"))
        self._boat(0, 30, still=True)
        self._sighted()
        if self.held:
            self._hold()
        if self.ask:
            self._asked()
        self._boat(31, 60, still=not self.moves)
        return [nation.close() for nation in (self.gbr, self.usa, self.aus)]

    def _boat(self, first: int, last: int, *, still: bool) -> None:
        """Heartbeats and places of the boat every 3 s, by MAVLink, to the east, towards the goal."""
        mav = common.MAVLink(None, srcSystem=1, srcComponent=1)
        for second in range(first, last, 3):
            east = 24.9 if still else min(24.9 + (second - first) * 0.0002, GOAL.lon_deg)
            heard = [
                mav.heartbeat_encode(11, 3, 0x81, 15, 4).pack(mav),
                mav.global_position_int_encode(
                    second * 1000, round(60.1 * RATIO), round(east * RATIO), 0, 0, 0, 500, 0, 9000
                ).pack(mav),
            ]
            at = START_US + second * SECOND
            for data in heard:
                gateway = self.usa.gateways.setdefault("boat", offered("mavlink").open())
                self.usa.taps.native("boat", MARKING, "mavlink", bytes(data), at, "127.0.0.1:14550")
                for decoded in gateway.feed(bytes(data), at):
                    if isinstance(decoded.entity, Track):
                        self.usa.taps.entity("boat", MARKING, decoded, at, record=BOAT)

    def _sighted(self) -> None:
        """The lookout sees a raft and says so; Australia gets both."""
        at, cot = START_US + 5 * SECOND, offered("cot").open()
        raft = Track(key="cot:raft", position=Position(lat_deg=60.1, lon_deg=24.905, at=at // 1000))
        words = Report(key="cot:words", text="Raft, two persons", about=RAFT, severity="emergency")
        for message in cot.encode(raft, at).messages:
            self.gbr.taps.native("lookout", MARKING, "cot", message, at, "127.0.0.1:8087")
            for decoded in self.gbr.gateways.setdefault("lookout", offered("cot").open()).feed(message, at):
                self.gbr.taps.entity("lookout", MARKING, decoded, at, record=RAFT)
        self.gbr.taps.entity("lookout", MARKING, Decoded(words, Ledger()), at + 2 * SECOND, record="rpt-1")
        things: list[tuple[str, Entity]] = [(RAFT, msgspec.structs.replace(raft, key=RAFT)), ("rpt-1", words)]
        for record, thing in things:
            self.gbr.left("aus", thing, at + 2 * SECOND + 1000, record)
            self.aus.arrived("gbr", thing, at + 2 * SECOND + 3000, record)
            self.aus.sent("ops", "cot", msgspec.structs.replace(thing, key=record), at + 2 * SECOND + 4000)

    def _hold(self) -> None:
        """The boat's own nation had asked it to do something, and lets it go, or not."""
        own = Task(key="task-0", verb="hold", assignee=BOAT, issued_by="usa", request="usa/task-0")
        self._state("usa", own, "task-0", "accepted", 8)
        if self.released:
            self._state("usa", own, "task-0", "cancelled", 12, "handed to another")

    def _asked(self) -> None:
        order = Task(
            key="task-1",
            verb="go to",
            assignee=BOAT,
            issued_by="aus",
            request="usa/task-1",
            points=[GOAL],
            state="issued",
        )
        at = START_US + 10 * SECOND
        self.aus.left("usa", order, at, "task-1")
        self.usa.arrived("aus", order, at + 3000, "task-1")
        for number, state in enumerate(self.states):
            if state == "accepted":
                self._told_to_boat(order, START_US + 15 * SECOND)
            self._state("usa", order, "task-1", state, (15, 34, 58)[number], self.reason)
            if self.told:
                self._state("aus", order, "task-1", state, (15, 34, 58)[number], self.reason, "node:usa")

    def _told_to_boat(self, order: Task, at: int) -> None:
        native = msgspec.structs.replace(order, assignee="mavlink:1/1")
        messages = self.usa.gateways["boat"].encode(native, at).messages
        self.usa.taps.egress("boat", MARKING, order, at, protocol="mavlink", messages=messages, record="task-1")

    def _state(
        self, node: str, order: Task, record: str, state: str, second: int, reason: str | None = None, tap: str = "boat"
    ) -> None:
        said = msgspec.structs.replace(order, state=state, reason=reason)
        nation = {"usa": self.usa, "aus": self.aus}[node]
        nation.taps.entity(tap, MARKING, Decoded(said, Ledger()), START_US + second * SECOND + 500, record=record)


def found_in(files: list[Path]) -> tuple[Outcome, Cell, Findings]:
    case = read_case(EXAMPLES / "raft-search.toml")
    found = find([case], files, None, experiment="raft", node="aus", party="AUS")
    (cell,) = [one for one in found.cells if (one.source, one.target, one.message) == ("aus", "usa/boat", "tasking")]
    return found.outcomes[0], cell, found


def not_met(outcome: Outcome) -> dict[str, tuple[str, ...]]:
    return {f"{one.step} {one.criterion}": one.reasons for one in outcome.measures if one.met is not True}


def test_the_thread_from_the_sighting_to_the_word_that_it_is_done(tmp_path: Path) -> None:
    outcome, cell, _ = found_in(Search(tmp_path, held=True).play())
    assert not_met(outcome) == {}
    assert outcome.verdict == "success"
    assert [(mark.rung, mark.outcome) for mark in cell.marks] == [
        (rung, "met") for rung in ("bytes", "decoded", "fidelity", "executed", "state")
    ]  # fmt: skip
    assert cell.verdict == "success", cell
    assert all(one.evidence for one in outcome.measures)


def test_what_was_accepted_and_did_not_move_is_a_limited_success_at_best(tmp_path: Path) -> None:
    outcome, cell, _ = found_in(Search(tmp_path, held=True, moves=False).play())
    assert not_met(outcome)["moves moved_m"] == ("accepted but did not move",)
    executed = next(mark for mark in cell.marks if mark.rung == "executed")
    assert (executed.outcome, executed.reasons) == ("partly", ("accepted but did not move",))
    assert outcome.verdict == cell.verdict == "limited success"


def test_the_nations_own_word_that_it_did_not_move_counts_the_same(tmp_path: Path) -> None:
    search = Search(tmp_path, states=("accepted", "failed"), moves=False, reason="accepted but did not move", held=True)
    outcome, cell, _ = found_in(search.play())
    assert not_met(outcome)["done confirmed"] == ("accepted but did not move",)
    assert outcome.verdict == cell.verdict == "limited success"


@pytest.mark.parametrize(
    ("states", "reason", "why"),
    [
        ((), None, "not acknowledged"),
        (("failed",), "the operator refused", "refused"),
        (("failed",), "lent to another", "no lease"),
        (("accepted", "failed"), "failed", "failed"),
        (("accepted", "cancelled"), "the lease expired", "no lease"),
    ],
)
def test_a_task_that_came_to_nothing_says_why(
    tmp_path: Path, states: tuple[str, ...], reason: str | None, why: str
) -> None:
    outcome, cell, _ = found_in(Search(tmp_path, states=states, reason=reason, moves=False).play())
    assert outcome.verdict == cell.verdict == "interoperability issue"
    assert (why,) in [*not_met(outcome).values(), *(mark.reasons for mark in cell.marks)]


def test_what_was_never_asked_is_nothing_sent(tmp_path: Path) -> None:
    outcome, cell, _ = found_in(Search(tmp_path, ask=False).play())
    assert not_met(outcome)["asked issued"] == ("nothing sent",)
    assert outcome.verdict == "interoperability issue"
    assert cell.verdict == "not tested"


def test_a_completion_that_the_asker_never_heard_of_is_not_confirmed(tmp_path: Path) -> None:
    outcome, _, _ = found_in(Search(tmp_path, held=True, told=False).play())
    assert not_met(outcome) == {"done confirmed": ("not acknowledged",)}


def test_a_vehicle_that_its_holder_did_not_let_go_was_not_handed_over(tmp_path: Path) -> None:
    outcome, _, _ = found_in(Search(tmp_path, held=True, released=False).play())
    assert not_met(outcome) == {"asked handover_s": ("no lease",)}


def test_without_the_recording_of_the_vehicles_nation_it_is_pending(tmp_path: Path) -> None:
    files = Search(tmp_path, held=True).play()
    outcome, cell, _ = found_in([path for path in files if not path.name.startswith("usa")])
    assert outcome.verdict == cell.verdict == "pending"
