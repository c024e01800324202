"""What became of a task: when it was issued, accepted, begun and done, who held the vehicle, and whether it moved.

A task is known by its record, and its states by the reports of it at any tap of any node. That it is carried out counts
only where the vehicle was seen to move: an acceptance is a word, and so is a completion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aldis.apps.experiments.cases.clocks import Clocks
from aldis.apps.experiments.cases.evidence import NODE, Stream, Taken
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.cases.way import split
from aldis.apps.experiments.entity import Task
from aldis.apps.experiments.entity.geodesy import distance_m

__all__ = ["STATES", "Doing", "Moved", "Tasking", "given_up", "held_before", "moved", "taskings"]

STATES = ("issued", "accepted", "executing", "completed", "failed", "cancelled")
_ENDED = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class Doing:
    """When a task was first seen in a state, by the clock of the issuer's node, and where that stands."""

    at_us: int
    stream: Stream
    seen: Seen
    task: Task


@dataclass(frozen=True)
class Moved:
    """How the vehicle moved after the acceptance.

    `farthest_m` from where it then was, `nearest_m` to any of the points it was to go to, `started_us` after the
    acceptance it had moved by as much as was asked.
    """

    farthest_m: float
    nearest_m: float | None
    started_us: int | None
    stream: Stream
    seen: Seen


@dataclass(slots=True)
class Tasking:
    """One task over all taps: its states in the order in which they were first seen, each with where."""

    record: str
    task: Task
    states: dict[str, Doing] = field(default_factory=dict)
    places: set[tuple[str, str, str]] = field(default_factory=set)
    """Node, tap and name of the streams that have it."""

    @property
    def holder(self) -> str:
        """Who asked for it, and so holds the vehicle while it is carried out."""
        return self.task.issued_by or ""

    def first(self, *states: str) -> Doing | None:
        """The first of some states."""
        return min((self.states[one] for one in states if one in self.states), key=_when, default=None)

    def at(self, who: str, state: str) -> tuple[Stream, Seen] | None:
        """Where a node, or one system of it, first had word of a state."""
        return self.heard.get((who, state)) or next(
            (found for (place, one), found in self.heard.items() if one == state and split(place)[0] == who), None
        )

    heard: dict[tuple[str, str], tuple[Stream, Seen]] = field(default_factory=dict)


def taskings(taken: Taken, clocks: Clocks, node: str) -> Mapping[str, Tasking]:
    """Every task by its record's id; times are by the clock of `node`."""
    found: dict[str, Tasking] = {}
    every = [
        (seen.at_us - clocks.between(node, stream.place[0]).offset_us, stream, seen, thing)
        for stream in taken.streams.values()
        for seen, thing in stream.things
        if isinstance(thing, Task)
    ]
    for at_us, stream, seen, task in sorted(every, key=lambda one: (one[0], one[1].place, one[2].sequence)):
        tasking = found.setdefault(seen.record, Tasking(seen.record, task))
        if task.points and not tasking.task.points:
            tasking.task = task
        state = task.state or "issued"
        tasking.states.setdefault(state, Doing(at_us, stream, seen, task))
        where, tap, name, _ = stream.place
        tasking.places.add((where, tap, name))
        tasking.heard.setdefault((f"{where}/{name}", state), (stream, seen))
    return found


def moved(taken: Taken, clocks: Clocks, tasking: Tasking, by_m: float, node: str) -> Moved | None:
    """How the vehicle moved after it accepted, as its own node saw it; None where it was never seen then.

    Where several systems saw it, the one that saw it move the farthest counts. `node` is whose clock times are by.
    """
    accepted = tasking.first("accepted", "executing", "completed")
    if accepted is None:
        return None
    found = []
    for (where, tap, name, kind), stream in taken.streams.items():
        if tap == "entity" and kind == "track" and not name.startswith(NODE) and tasking.task.assignee in stream.keys:
            shift = clocks.between(node, where).offset_us
            way = _way(stream, tasking, accepted.at_us + shift, by_m)
            if way is not None:
                found.append(way)
    return max(found, key=lambda one: (one.farthest_m, one.stream.place), default=None)


def _way(stream: Stream, tasking: Tasking, since_us: int, by_m: float) -> Moved | None:
    own = [one for one in stream.seen if one.record == tasking.task.assignee and one.where is not None]
    before = [one for one in own if one.at_us <= since_us]
    after = [one for one in own if one.at_us > since_us]
    start = (before or after)[-1 if before else 0] if own else None
    if start is None or start.where is None or not after:
        return None
    farthest, nearest, started, last = 0.0, None, None, after[-1]
    for one in after:
        if one.where is None:
            continue
        far = distance_m(start.where[0], start.where[1], one.where[0], one.where[1])
        if far > farthest:
            farthest, last = far, one
        if started is None and far >= by_m:
            started = one.at_us - since_us
        for point in tasking.task.points or ():
            near = distance_m(point.lat_deg, point.lon_deg, one.where[0], one.where[1])
            nearest = near if nearest is None else min(nearest, near)
    return Moved(round(farthest, 6), None if nearest is None else round(nearest, 6), started, stream, last)


def held_before(every: Sequence[Tasking], tasking: Tasking) -> Tasking | None:
    """The task of another holder that the vehicle had accepted before this one was issued, the last of them."""
    issued = tasking.first(*STATES)
    found = []
    for one in every:
        accepted = one.first("accepted", "executing")
        if (
            one.record != tasking.record
            and one.task.assignee == tasking.task.assignee
            and one.holder != tasking.holder
            and accepted is not None
            and issued is not None
            and accepted.at_us <= issued.at_us
        ):
            found.append((accepted.at_us, one.record, one))
    return max(found, key=lambda one: one[:2])[2] if found else None


def given_up(tasking: Tasking) -> Doing | None:
    """When the one who held the vehicle before let it go: its task ended."""
    return tasking.first(*_ENDED)


def _when(doing: Doing) -> int:
    return doing.at_us
