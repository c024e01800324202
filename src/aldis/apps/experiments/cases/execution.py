"""Whether what was asked of a system was done, as its motion shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aldis.apps.experiments.cases.clocks import Clocks
from aldis.apps.experiments.cases.evidence import NODE
from aldis.apps.experiments.cases.findings import Evidence, Mark, Reason
from aldis.apps.experiments.cases.tasking import Moved, Tasking, moved, taskings
from aldis.apps.experiments.cases.way import Way, split

__all__ = ["MOVED_M", "asked", "ended_badly", "evidence_of", "executed", "farthest"]

MOVED_M = 10.0
"""From how far on a vehicle counts as having moved, where no case says otherwise."""
_WHY: Mapping[str, Reason] = {
    "did not move": "accepted but did not move",
    "not acknowledged": "not acknowledged",
    "refused": "refused",
    "lease": "no lease",
    "lent": "no lease",
    "taken back": "no lease",
    "handed to another": "no lease",
}
"""What words of a task's reason come to."""


def asked(way: Way, clocks: Clocks) -> Sequence[Tasking]:
    """The tasks that the source, or people at its node, asked of the target, in the order in which they were issued."""
    node, system = split(way.source)
    every = taskings(way.taken, clocks, node).values()
    found = [
        one for one in every
        if _from(one, node, system) and _is_for(way, one) and (way.only is None or one.record in way.only)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (min(doing.at_us for doing in one.states.values()), one.record))


def _from(one: Tasking, node: str, system: str) -> bool:
    """Whether a task is a system's, or else a node's: one says so in it, or it left there."""
    if system:
        return (node, "entity", system) in one.places and "issued" in one.states
    if one.task.issued_by:
        return one.task.issued_by == node
    return any(place[:2] == (node, "egress") and place[2].startswith(NODE) for place in one.places)


def _is_for(way: Way, one: Tasking) -> bool:
    """Whether a task is for the target: it was sent it, or is the vehicle that the task names."""
    there, vehicle = split(way.target)
    if any(place[:2] == (there, "egress") and place[2] == vehicle for place in one.places):
        return True
    return any(
        (node, tap, kind) == (there, "entity", "track") and vehicle in ("", name) and not name.startswith(NODE)
        for (node, tap, name, kind), stream in way.taken.streams.items()
        if one.task.assignee in stream.keys
    )


def executed(way: Way, clocks: Clocks, tasks: Sequence[Tasking]) -> Mark:
    """The mark at the rung `executed`: that of the task which fared worst, of one at least.

    Those that were called off count only where there are no others.
    """
    node = split(way.source)[0]
    judged = [one for one in tasks if "cancelled" not in one.states] or tasks
    marks = [_mark(way, one, moved(way.taken, clocks, one, MOVED_M, node)) for one in judged]
    order = ("met", "partly", "unknown", "failed")
    return max(marks, key=lambda one: order.index(one.outcome))


def _mark(way: Way, one: Tasking, way_of: Moved | None) -> Mark:
    evidence = evidence_of(way, one, way_of)
    bad = ended_badly(one)
    if bad:
        still = bad == ("accepted but did not move",)
        return Mark(
            rung="executed", outcome="partly" if still else "failed", reasons=bad, text=_told(one), evidence=evidence
        )
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


def farthest(tasks: Sequence[Tasking]) -> Tasking:
    """Of some tasks the one that came farthest, and of several such the first."""
    order = ("completed", "executing", "accepted")
    return min(tasks, key=lambda one: next((at for at, state in enumerate(order) if state in one.states), len(order)))


def ended_badly(one: Tasking) -> tuple[Reason, ...]:
    """Why a task came to nothing; empty where it did not."""
    failed, accepted = one.first("failed", "cancelled"), one.first("accepted", "executing", "completed")
    if failed is None or one.first("completed") is not None:
        return ()
    why = (failed.task.reason or "").lower()
    for words, reason in _WHY.items():
        if words in why:
            return (reason,)
    return ("refused",) if accepted is None else ("failed",)


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
