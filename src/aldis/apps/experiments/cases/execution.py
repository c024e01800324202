"""Whether what was asked of a system was done, as its motion shows."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.apps.experiments.cases.clocks import Clocks
from aldis.apps.experiments.cases.findings import Evidence, Mark, Reason
from aldis.apps.experiments.cases.tasking import Moved, Tasking, moved, taskings
from aldis.apps.experiments.cases.way import Way, split

__all__ = ["MOVED_M", "asked", "ended_badly", "executed"]

MOVED_M = 10.0
"""From how far on a vehicle counts as having moved, where no case says otherwise."""
_NO_LEASE = ("lease", "lent")


def asked(way: Way, clocks: Clocks) -> Sequence[Tasking]:
    """The tasks that the source, or its node, asked of the target, in order."""
    node, system = split(way.source)
    there, vehicle = split(way.target)
    found = []
    for record, one in sorted(taskings(way.taken, clocks, node).items()):
        from_here = any(
            (place == (node, "entity", system) if system else place[0] == node) for place in one.places
        ) or (not system and one.task.issued_by == node)
        if from_here and _is_for(way, one, there, vehicle) and (way.only is None or record in way.only):
            found.append(one)
    return found


def _is_for(way: Way, one: Tasking, there: str, vehicle: str) -> bool:
    """Whether a task is for a system, or for any of a node."""
    if any(place[0] == there and place[1] == "egress" and place[2] == vehicle for place in one.places):
        return True
    return any(
        (node, tap, kind) == (there, "entity", "track") and vehicle in ("", name)
        for (node, tap, name, kind), stream in way.taken.streams.items()
        if one.task.assignee in stream.keys
    )


def executed(way: Way, clocks: Clocks) -> Mark:
    """The mark at the rung `executed`: that of the task which fared worst."""
    tasks = asked(way, clocks)
    if not tasks:
        return Mark(rung="executed", outcome="failed", reasons=("nothing sent",), text="nothing was asked")
    node = split(way.source)[0]
    marks = [_mark(way, one, moved(way.taken, clocks, one, MOVED_M, node)) for one in tasks]
    order = ("met", "partly", "unknown", "failed")
    return max(marks, key=lambda one: order.index(one.outcome))


def _mark(way: Way, one: Tasking, way_of: Moved | None) -> Mark:
    evidence = evidence_of(way, one, way_of)
    bad = ended_badly(one)
    if bad:
        return Mark(rung="executed", outcome="failed", reasons=bad, text=_told(one), evidence=evidence)
    if one.first("accepted", "executing", "completed") is None:
        return Mark(
            rung="executed", outcome="failed", reasons=("not acknowledged",), text="it was never accepted",
            evidence=evidence,
        )  # fmt: skip
    if one.task.verb != "hold" and (way_of is None or way_of.farthest_m < MOVED_M):
        far = way_of.farthest_m if way_of else None
        text = f"seen to move by {far:g} m" if far is not None else "not seen after it was accepted"
        return Mark(
            rung="executed", outcome="partly", reasons=("accepted but did not move",), text=text, value=far,
            limit=MOVED_M, unit="m", evidence=evidence,
        )  # fmt: skip
    done = one.first("completed") is not None
    far = way_of.farthest_m if way_of else None
    return Mark(
        rung="executed", outcome="met" if done else "partly", reasons=() if done else ("incomplete",),
        text=_told(one), value=far, limit=MOVED_M, unit="m", evidence=evidence,
    )  # fmt: skip


def ended_badly(one: Tasking) -> tuple[Reason, ...]:
    """Why a task came to nothing; empty where it did not."""
    failed, accepted = one.first("failed", "cancelled"), one.first("accepted", "executing", "completed")
    if failed is None or one.first("completed") is not None:
        return ()
    why = (failed.task.reason or "").lower()
    if accepted is None:
        return ("no lease",) if any(word in why for word in _NO_LEASE) else ("refused",)
    return ("accepted but did not move",) if "did not move" in why else ("failed",)


def evidence_of(way: Way, one: Tasking, way_of: Moved | None) -> tuple[Evidence, ...]:
    """Where its states, and the vehicle's motion, stand."""
    found = [
        way.taken.evidence(doing.stream, doing.seen) for doing in sorted(one.states.values(), key=lambda d: d.at_us)
    ]
    if way_of is not None:
        found.append(way.taken.evidence(way_of.stream, way_of.seen))
    return tuple(found[:8])


def _told(one: Tasking) -> str:
    states = sorted(one.states.items(), key=lambda item: item[1].at_us)
    first = states[0][1].at_us
    return ", ".join(f"{name} after {(doing.at_us - first) / 1e6:.1f} s" for name, doing in states)
