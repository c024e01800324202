"""A test case held against what was recorded: step by step along its thread, criterion by criterion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from aldis.apps.experiments.cases.case import Act, Case, Confirm, Report, Sense, Share, Step, Task
from aldis.apps.experiments.cases.clocks import Clocks
from aldis.apps.experiments.cases.evidence import NODE, Stream, Taken
from aldis.apps.experiments.cases.execution import asked, ended_badly, evidence_of
from aldis.apps.experiments.cases.findings import Measure, Outcome, Reason
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.cases.sharing import shared
from aldis.apps.experiments.cases.tasking import Tasking, given_up, held_before, moved, taskings
from aldis.apps.experiments.cases.verdict import verdict_of_case
from aldis.apps.experiments.cases.way import Way, split
from aldis.apps.experiments.entity import Report as Words

__all__ = ["outcome_of"]

_ACCEPTED = ("accepted", "executing", "completed")


@dataclass(slots=True)
class _Known:
    """What the steps so far are about: records by step, tasks by step, and whether anything was seen at all."""

    records: dict[str, frozenset[str] | None] = field(default_factory=dict)
    tasks: dict[str, Sequence[Tasking]] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)


def outcome_of(case: Case, taken: Taken, clocks: Clocks) -> Outcome:
    """What became of one case."""
    known = _Known()
    measures: list[Measure] = [*_recordings(case, taken)]
    for step in case.steps:
        measures += _measures(case, step, taken, clocks, known)
    tried = any(one.evidence for one in measures)
    waits = any("recording missing" in one.reasons for one in measures)
    reasons = sorted({reason for one in measures for reason in one.reasons})
    return Outcome(
        case=case.name, title=case.title, case_digest=case.digest, measures=tuple(measures),
        verdict=verdict_of_case(measures) if tried or waits else "not tested",
        reasons=tuple(reasons) if tried or waits else (),
    )  # fmt: skip


def _recordings(case: Case, taken: Taken) -> Iterator[Measure]:
    """Whether the recordings of all whom the case names are there, and whole."""
    nodes = sorted({split(who)[0] for step in case.steps for who in (step.who, getattr(step, "to", step.who))})
    for node in nodes:
        if node not in taken.nodes:
            yield Measure(
                criterion="recording", met=None, reasons=("recording missing",), text=f"there is none of {node}"
            )
        elif node in taken.lacking:
            yield Measure(
                criterion="recording", met=False, reasons=("recording incomplete",), text=f"that of {node} is not whole"
            )


def _measures(case: Case, step: Step, taken: Taken, clocks: Clocks, known: _Known) -> Sequence[Measure]:
    match step:
        case Sense():
            return _sense(step, taken, known)
        case Report():
            return _report(step, taken, known)
        case Share():
            way = Way(taken, step.who, step.to, step.kind, _only(step, taken, known))
            known.records[step.name] = way.records
            return shared(way, step, clocks, case.cutoff_m)
        case Task():
            return _task(step, taken, clocks, known)
        case Act():
            return _act(step, taken, clocks, known)
        case Confirm():
            return _confirm(step, taken, clocks, known)


def _only(step: Step, taken: Taken, known: _Known) -> frozenset[str] | None:
    """The records that a step is about; None for all."""
    some = known.records.get(step.of) if step.of else None
    if step.what == "*":
        return some
    fits = frozenset(
        record
        for stream in taken.streams.values()
        for record, keys in stream.keys.items()
        if fnmatchcase(record, step.what) or any(fnmatchcase(key, step.what) for key in keys)
    )
    return fits if some is None else fits & some


def _said(taken: Taken, who: str, kind: str, only: frozenset[str] | None) -> tuple[list[Stream], list[Seen]]:
    node, system = split(who)
    found = taken.stream(node, "entity", system, kind)
    if found is None:
        return [], []
    return [found], [one for one in found.seen if only is None or one.record in only]


def _missing(taken: Taken, *some: str) -> tuple[Reason, ...]:
    return ("recording missing",) if {split(who)[0] for who in some} - taken.nodes else ()


def _absent(criterion: str, step: Step, taken: Taken, reason: Reason, text: str, *some: str) -> Measure:
    """What was to be seen and was not; unknown where a recording that would show it is missing."""
    missing = _missing(taken, *some)
    lacking: tuple[Reason, ...] = (
        ("recording incomplete",) if {split(who)[0] for who in some} & taken.lacking else ()
    )  # fmt: skip
    met = None if missing or lacking else False
    return Measure(criterion=criterion, step=step.name, met=met, reasons=missing or lacking or (reason,), text=text)


def _sense(step: Sense, taken: Taken, known: _Known) -> Sequence[Measure]:
    only = _only(step, taken, known)
    streams, seen = _said(taken, step.who, step.kind, only)
    known.records[step.name] = frozenset(one.record for one in seen)
    if not seen:
        return [_absent("updates", step, taken, "nothing sent", "nothing of it was said", step.who)]
    enough = len(seen) >= step.updates
    way = Way(taken, step.who, step.who, step.kind)
    evidence = way.evidence(streams, seen[0], seen[-1])
    found = [
        Measure(
            criterion="updates", step=step.name, met=enough, value=float(len(seen)), limit=float(step.updates),
            unit="updates", reasons=() if enough else ("incomplete",), evidence=evidence,
        )
    ]  # fmt: skip
    if step.decoded_share is not None:
        found.append(_conformance(step, taken, step.decoded_share))
    return found


def _conformance(step: Sense, taken: Taken, limit: float) -> Measure:
    node, system = split(step.who)
    reading = taken.readings.get((node, system))
    good, every = reading.counts if reading is not None else (0, 0)
    if reading is None or not every:
        text = f"no gateway here for {', '.join(sorted(reading.unknown))}" if reading else "no bytes were recorded"
        return Measure(criterion="decoded_share", step=step.name, met=None, limit=limit, unit="share", text=text)
    share = round(good / every, 6)
    streams, seen = _said(taken, step.who, step.kind, None)
    return Measure(
        criterion="decoded_share", step=step.name, met=share >= limit, value=share, limit=limit, unit="share",
        reasons=() if share >= limit else ("messages damaged",),
        text="; ".join(f"{count} {reason}" for reason, count in sorted(reading.dropped.items())),
        evidence=Way(taken, step.who, step.who, step.kind).evidence(streams, *seen[:1]),
    )  # fmt: skip


def _report(step: Report, taken: Taken, known: _Known) -> Sequence[Measure]:
    only = known.records.get(step.of) if step.of else None
    node, system = split(step.who)
    stream = taken.stream(node, "entity", system, "report")
    fits = [
        (seen, thing)
        for seen, thing in (stream.things if stream is not None else ())
        if isinstance(thing, Words)
        and (step.what == "*" or fnmatchcase(thing.key, step.what) or fnmatchcase(seen.record, step.what))
        and (only is None or not thing.about or thing.about in only)
    ]
    known.records[step.name] = frozenset(seen.record for seen, _ in fits)
    if stream is None or not fits:
        return [_absent("reported", step, taken, "nothing sent", "nobody put it in words", step.who)]
    first = fits[0][0]
    evidence = (taken.evidence(stream, first),)
    found = [Measure(criterion="reported", step=step.name, met=True, evidence=evidence)]
    if step.within_s is not None:
        sight = min(
            (one.at_us for other in taken.streams.values() if other.place[:2] == (node, "entity")
             and not other.place[2].startswith(NODE) for one in other.seen if only is not None and one.record in only),
            default=None,
        )  # fmt: skip
        if sight is None:
            text = "nothing says when it was first seen: give `of` a step that does `sense` at the same node"
            found.append(
                Measure(criterion="within_s", step=step.name, met=None, limit=step.within_s, unit="s", text=text)
            )
        else:
            found.append(_within("within_s", step, first.at_us - sight, step.within_s, evidence=evidence))
    return found


def _within(criterion: str, step: Step, took_us: int, limit: float, *, evidence: tuple[object, ...]) -> Measure:
    took = round(took_us / 1e6, 6)
    return Measure(
        criterion=criterion, step=step.name, met=took <= limit, value=took, limit=limit, unit="s",
        reasons=() if took <= limit else ("too late",), evidence=evidence,  # type: ignore[arg-type]
    )  # fmt: skip


def _task(step: Task, taken: Taken, clocks: Clocks, known: _Known) -> Sequence[Measure]:
    way = Way(taken, step.who, step.to, "tasking", _only(step, taken, known) if step.what != "*" else None)
    tasks = asked(way, clocks)
    if step.of and (some := known.records.get(step.of)):
        tasks = [one for one in tasks if one.task.assignee in some] or tasks
    known.tasks[step.name], known.ways[step.name] = tasks, way
    known.records[step.name] = frozenset(one.record for one in tasks)
    if not tasks:
        return [_absent("issued", step, taken, "nothing sent", "nothing was asked", step.who, step.to)]
    one = tasks[0]
    evidence = evidence_of(way, one, None)
    found = [Measure(criterion="issued", step=step.name, met=True, evidence=evidence[:1], text=one.task.verb)]
    accepted, issued = one.first(*_ACCEPTED), one.first("issued") or min(one.states.values(), key=lambda d: d.at_us)
    if accepted is None:
        bad = ended_badly(one) or ("not acknowledged",)
        return [*found, Measure(criterion="accepted", step=step.name, met=False, reasons=bad, evidence=evidence)]
    took = accepted.at_us - issued.at_us
    found.append(Measure(criterion="accepted", step=step.name, met=True, evidence=evidence))
    if step.accepted_s is not None:
        found.append(_within("accepted_s", step, took, step.accepted_s, evidence=evidence))
    if step.handover_s is not None:
        found.append(_handover(step, one, way, clocks))
    return found


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
    return _within("handover_s", step, max(accepted.at_us, ended.at_us) - issued.at_us, limit or 0.0, evidence=evidence)


def _act(step: Act, taken: Taken, clocks: Clocks, known: _Known) -> Sequence[Measure]:
    tasks, way = known.tasks.get(step.of, ()), known.ways[step.of]
    if not tasks:
        return [_absent("moved_m", step, taken, "nothing sent", "nothing was asked", step.who)]
    one = tasks[0]
    motion = moved(taken, clocks, one, step.moved_m, split(way.source)[0])
    evidence = evidence_of(way, one, motion)
    accepted = one.first(*_ACCEPTED) is not None
    bad: Reason = "accepted but did not move" if accepted else "not acknowledged"
    if motion is None:
        if _missing(taken, step.who):
            return [_absent("moved_m", step, taken, bad, "its nation's recording would show it", step.who)]
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
        found.append(_within("starts_s", step, motion.started_us, step.starts_s, evidence=evidence))
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


def _confirm(step: Confirm, taken: Taken, clocks: Clocks, known: _Known) -> Sequence[Measure]:
    tasks, way = known.tasks.get(step.of, ()), known.ways[step.of]
    one = tasks[0] if tasks else None
    heard = one.at(step.to, "completed") if one is not None else None
    if one is None or heard is None:
        bad = ended_badly(one) if one is not None else ()
        reason: Reason = bad[0] if bad else "not acknowledged"
        return [_absent("confirmed", step, taken, reason, "word that it was done did not come", step.who, step.to)]
    stream, seen = heard
    evidence = (taken.evidence(stream, seen),)
    found = [Measure(criterion="confirmed", step=step.name, met=True, evidence=evidence)]
    accepted = one.first(*_ACCEPTED)
    if step.within_s is not None and accepted is not None:
        shift = clocks.between(split(way.source)[0], stream.place[0]).offset_us
        found.append(_within("within_s", step, seen.at_us - shift - accepted.at_us, step.within_s, evidence=evidence))
    return found
