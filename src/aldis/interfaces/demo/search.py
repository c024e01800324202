"""The search: from the cry for help to the vessel beside the raft, as it is seen at the nodes of three nations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from aldis.apps.experiments.entity import Point
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.orders.acting import accept, ask
from aldis.apps.experiments.orders.kinds import ENDED, Answer
from aldis.apps.experiments.orders.papers import read
from aldis.apps.experiments.players.raft import BEACON
from aldis.interfaces.demo.cast import SEA, Cast
from aldis.interfaces.demo.nations import NATIONS
from aldis.interfaces.demo.pictures import seen_of, values_of
from aldis.interfaces.demo.shares import PROJECT
from aldis.node.node import Node
from aldis.node.store import Row

__all__ = ["Event", "Search"]

_POLL_S = 0.1
_PATIENCE_S = {"sense": 60.0, "share": 30.0, "task": 30.0, "act": 75.0, "confirm": 30.0}
_CRUISE_MPS, _LEAD_S = 11.0, 6.0  # to foresee when the vessel will be there
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Event:
    """What was seen at which nation, how many seconds after the raft was dropped; `done` is False where it was not."""

    at_s: float
    step: str
    who: str
    text: str
    done: bool = True


class Search:
    """One search over the running nodes; `raft`, `vessel` and `task` are ids of records, `events` what came about."""

    def __init__(self, nodes: Mapping[str, Node], said: Callable[[str], None]) -> None:
        self.events: list[Event] = []
        self.raft = self.vessel = self.task = ""
        self._nodes, self._said = nodes, said
        self._began = time.monotonic()

    def run(self, cast: Cast) -> None:
        """Each step waits for the one before; where one does not come about, the search ends there and says so."""
        self._began = time.monotonic()
        cast.drop_raft()
        steps = (self._sense, self._share, self._ask, self._act, self._confirm)
        for step in steps:
            if not step():
                break

    def _sense(self) -> bool:
        row = self._until("sense", "AUS", "the beacon was not heard", partial(self._find, "aus", _is_beacon))
        if row is None:
            return False
        self.raft = row.id
        lat, lon = _place(values_of(row))
        self._tell("sense", "AUS", f"its radio hears the distress beacon {BEACON[5:]} (AIS) at {lat:.4f} {lon:.4f}")
        return True

    def _share(self) -> bool:
        for node in ("gbr", "usa"):
            seen = self._until(
                "share", NATIONS[node][0], "the raft did not arrive", partial(self._held, node, self.raft)
            )
            if seen is None:
                return False
            withheld = ", ".join(sorted(seen_of(self._nodes["aus"], self.raft).keys() - seen.keys())) or "nothing"
            exact = "exact" if "grid_m" not in seen.get("position", {}) else "coarse"
            self._tell("share", f"AUS → {NATIONS[node][0]}", f"the raft, its position {exact}; withheld: {withheld}")
        return True

    def _ask(self) -> bool:
        row = self._until("task", "AUS", "no vessel is on its picture", partial(self._find, "aus", _is_vessel))
        if row is None:
            return False
        self.vessel = row.id
        raft, vessel = (seen_of(self._nodes["aus"], one) for one in (self.raft, self.vessel))
        lead = _LEAD_S + distance_m(*_place(raft), *_place(vessel)) / _CRUISE_MPS
        datum = SEA.datum(*_place(raft), lead)
        self.task = ask(self._nodes["aus"].context, self.vessel, "go to", [_rounded(datum)]).header.id
        away = distance_m(*_place(raft), datum.lat_deg, datum.lon_deg)
        words = f"go to the datum: {away:.0f} m on, where the raft drifts to in {lead:.0f} s"
        self._tell("task", "AUS → USA", words)
        return self._accept()

    def _accept(self) -> bool:
        """The operator of the vessel's nation accepts what has arrived."""
        here = self._nodes["usa"]
        there = self._until("task", "USA", "the task did not arrive", partial(self._held, "usa", self.task))
        if there is None:
            return False
        accept(here.context, self.task, node="aus")
        self._tell("task", "USA", "its operator accepts, and the vessel is told over MAVLink")
        return True

    def _act(self) -> bool:
        told: set[str] = set()
        words = {
            "executing": "executing: it is seen to move as asked",
            "completed": "completed: it is seen to be there",
        }

        def answer() -> Answer | None:
            found = read(self._nodes["aus"].context, PROJECT).told.get(self.task)
            if found is None:
                return None
            state = found[0].state
            if state in words and state not in told and state != "completed":
                told.add(state)
                self._tell("act", "USA → AUS", words[state])
            return found[0] if state in ENDED else None

        last = self._until("act", "USA", "the task did not end", answer)
        if last is None:
            return False
        done = last.state == "completed"
        self._tell("act", "USA → AUS", words.get(last.state, f"{last.state}: {last.why}"), done=done)
        return done

    def _confirm(self) -> bool:
        text = self._until("confirm", "GBR", "its lookout reported nothing", self._reported)
        if text is None:
            return False
        self._tell("confirm", "GBR → AUS", f"its lookout (Cursor-on-Target) reports: “{text}”")
        return True

    def _reported(self) -> str | None:
        for row in self._rows("aus", "report"):
            if row.source == "gbr":
                return str(values_of(row).get("text", {}).get("text") or "") or None
        return None

    def _held(self, node: str, record: str) -> dict[str, dict[str, Any]] | None:
        return seen_of(self._nodes[node], record) or None

    def _find(self, node: str, fits: Callable[[Row, dict[str, dict[str, Any]]], bool]) -> Row | None:
        return next((row for row in self._rows(node, "track") if fits(row, values_of(row))), None)

    def _rows(self, node: str, kind: str) -> Iterator[Row]:
        """The newest of them."""
        yield from self._nodes[node].records.page(kind=kind, limit=200).rows

    def _until(self, step: str, who: str, otherwise: str, look: Callable[[], _Found | None]) -> _Found | None:
        end = time.monotonic() + _PATIENCE_S[step]
        while (found := look()) is None:
            if time.monotonic() > end:
                self._tell(step, who, otherwise, done=False)
                return None
            time.sleep(_POLL_S)
        return found

    def _tell(self, step: str, who: str, text: str, *, done: bool = True) -> None:
        self.events.append(Event(round(time.monotonic() - self._began, 1), step, who, text, done))
        self._said(f"{who}: {text}")


def _is_beacon(_: Row, seen: dict[str, dict[str, Any]]) -> bool:
    return str(seen.get("identity", {}).get("mmsi")) == BEACON[5:] and "position" in seen


def _is_vessel(row: Row, seen: dict[str, dict[str, Any]]) -> bool:
    return row.source == "usa" and "mavlink_id" in seen.get("identity", {}) and "position" in seen


def _place(seen: dict[str, dict[str, Any]]) -> tuple[float, float]:
    return seen["position"]["lat_deg"], seen["position"]["lon_deg"]


def _rounded(point: Point) -> Point:
    """To what MAVLink can say: units of 1e-7 degrees."""
    return Point(lat_deg=round(point.lat_deg, 7), lon_deg=round(point.lon_deg, 7))
