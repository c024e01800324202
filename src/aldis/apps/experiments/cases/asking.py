"""The steps of a thread in which one nation's system does what another asked: task, act, confirm."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.apps.experiments.cases.case import Act, Confirm, Task
from aldis.apps.experiments.cases.clocks import Clocks
from aldis.apps.experiments.cases.evidence import Taken
from aldis.apps.experiments.cases.execution import asked, ended_badly, evidence_of, farthest
from aldis.apps.experiments.cases.findings import Measure, Reason
from aldis.apps.experiments.cases.measuring import Known, absent, missing, within
from aldis.apps.experiments.cases.tasking import Tasking, given_up, held_before, moved, taskings
from aldis.apps.experiments.cases.way import Way, split

__all__ = ["acted", "confirmed", "tasked"]

_ACCEPTED = ("accepted", "executing", "completed")


def tasked(step: Task, taken: Taken, clocks: Clocks, known: Known, only: frozenset[str] | None) -> Sequence[Measure]:
    """That it was asked and accepted, in time, and the vehicle handed over; `only` tasks of these records."""
    way = Way(taken, step.who, step.to, "tasking", only)
    tasks = asked(way, clocks)
    if step.of and (some := known.records.get(step.of)):
        tasks = [one for one in tasks if one.task.assignee in some] or tasks
    known.ways[step.name] = way
    known.records[step.name] = frozenset(one.record for one in tasks)
    if not tasks:
        return [absent("issued", step, taken, "nothing sent", "nothing was asked", step.who, step.to)]
    one = farthest(tasks)
    known.tasks[step.name] = one
    evidence = evidence_of(way, one, None)
    found = [Measure(criterion="issued", step=step.name, met=True, evidence=evidence[:1], text=_count(one, tasks))]
    accepted, issued = one.first(*_ACCEPTED), one.first("issued") or min(one.states.values(), key=lambda d: d.at_us)
    if accepted is None:
        bad = ended_badly(one) or ("not acknowledged",)
        return [*found, Measure(criterion="accepted", step=step.name, met=False, reasons=bad, evidence=evidence)]
    took = accepted.at_us - issued.at_us
    found.append(Measure(criterion="accepted", step=step.name, met=True, evidence=evidence))
    if step.accepted_s is not None:
        found.append(within("accepted_s", step, took, step.accepted_s, evidence=evidence))
    if step.handover_s is not None:
        found.append(_handover(step, one, way, clocks))
    return found


def _count(one: Tasking, tasks: Sequence[Tasking]) -> str:
    return one.task.verb + (f", the one of {len(tasks)} that came farthest" if len(tasks) > 1 else "")


def _handover(step: Task, one: Tasking, way: Way, clocks: Clocks) -> Measure:
    """From the new holder's asking to the acceptance, once the one who held it before has let it go."""
    before = held_before(list(taskings(way.taken, clocks, split(step.who)[0]).values()), one)
    limit = step.handover_s
    if before is None:
        return Measure(
            criterion="handover_s", step=step.name, met=None, limit=limit, unit="s",
            text="nobody else held it before: there was nothing to hand over",
        )  # fmt: skip
    ended, accepted, issued = given_up(before), one.first(*_ACCEPTED), one.first("issued", *_ACCEPTED)
    evidence = (*evidence_of(way, before, None)[-2:], *evidence_of(way, one, None)[:3])
    if ended is None or accepted is None or issued is None:
        return Measure(
            criterion="handover_s", step=step.name, met=False, limit=limit, unit="s", reasons=("no lease",),
            text="the one who held it before did not let it go", evidence=evidence,
        )  # fmt: skip
    return within("handover_s", step, max(accepted.at_us, ended.at_us) - issued.at_us, limit or 0.0, evidence=evidence)


def acted(step: Act, taken: Taken, clocks: Clocks, known: Known) -> Sequence[Measure]:
    """That the vehicle moved, soon enough and near enough."""
    one, way = known.tasks.get(step.of), known.ways[step.of]
    if one is None:
        return [absent("moved_m", step, taken, "nothing sent", "nothing was asked", step.who)]
    motion = moved(taken, clocks, one, step.moved_m, split(way.source)[0])
    evidence = evidence_of(way, one, motion)
    accepted = one.first(*_ACCEPTED) is not None
    bad: Reason = "accepted but did not move" if accepted else "not acknowledged"
    if motion is None:
        if missing(taken, step.who):
            return [absent("moved_m", step, taken, bad, "its nation's recording would show it", step.who)]
        text = "not seen after it was accepted" if accepted else "it was never accepted"
        return [Measure(criterion="moved_m", step=step.name, met=False, limit=step.moved_m, unit="m",
                        reasons=(bad,), text=text, evidence=evidence)]  # fmt: skip
    far = motion.farthest_m >= step.moved_m
    found = [
        Measure(
            criterion="moved_m", step=step.name, met=far, value=motion.farthest_m, limit=step.moved_m, unit="m",
            reasons=() if far else (bad,), evidence=evidence,
        )
    ]  # fmt: skip
    if step.starts_s is not None and motion.started_us is not None:
        found.append(within("starts_s", step, motion.started_us, step.starts_s, evidence=evidence))
    if step.near_m is not None:
        near = motion.nearest_m
        wrong = near is not None and near > step.near_m
        found.append(
            Measure(
                criterion="near_m", step=step.name, met=None if near is None else not wrong, value=near,
                limit=step.near_m, unit="m", reasons=("wrong place" if far else bad,) if wrong else (),
                text="the task names no place" if near is None else "", evidence=evidence,
            )
        )  # fmt: skip
    return found


def confirmed(step: Confirm, taken: Taken, clocks: Clocks, known: Known) -> Sequence[Measure]:
    """That whoever asked had word that it was done, in time."""
    one, way = known.tasks.get(step.of), known.ways[step.of]
    heard = one.at(step.to, "completed") if one is not None else None
    if one is None or heard is None:
        bad = ended_badly(one) if one is not None else ()
        reason: Reason = bad[0] if bad else "not acknowledged"
        return [absent("confirmed", step, taken, reason, "word that it was done did not come", step.who, step.to)]
    stream, seen = heard
    evidence = (taken.evidence(stream, seen),)
    found = [Measure(criterion="confirmed", step=step.name, met=True, evidence=evidence)]
    accepted = one.first(*_ACCEPTED)
    if step.within_s is not None and accepted is not None:
        shift = clocks.between(split(way.source)[0], stream.place[0]).offset_us
        found.append(within("within_s", step, seen.at_us - shift - accepted.at_us, step.within_s, evidence=evidence))
    return found
