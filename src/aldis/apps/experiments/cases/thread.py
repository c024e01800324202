"""A test case held against what was recorded: step by step along its thread, criterion by criterion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from aldis.apps.experiments.cases.asking import acted, confirmed, tasked
from aldis.apps.experiments.cases.case import Act, Case, Confirm, Report, Sense, Share, Step, Task
from aldis.apps.experiments.cases.clocks import Clocks
from aldis.apps.experiments.cases.evidence import NODE, Stream, Taken
from aldis.apps.experiments.cases.findings import Measure, Outcome
from aldis.apps.experiments.cases.measuring import Known, absent, within
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.cases.sharing import shared
from aldis.apps.experiments.cases.verdict import verdict_of_case
from aldis.apps.experiments.cases.way import Way, split
from aldis.apps.experiments.entity import Report as Words

__all__ = ["outcome_of"]


def outcome_of(case: Case, taken: Taken, clocks: Clocks) -> Outcome:
    """What became of one case."""
    known = Known()
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


def _measures(case: Case, step: Step, taken: Taken, clocks: Clocks, known: Known) -> Sequence[Measure]:
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
            only = _only(step, taken, known) if step.what != "*" else None
            return tasked(step, taken, clocks, known, only)
        case Act():
            return acted(step, taken, clocks, known)
        case Confirm():
            return confirmed(step, taken, clocks, known)


def _only(step: Step, taken: Taken, known: Known) -> frozenset[str] | None:
    """The records that a step is about; None for all."""
    some = known.records.get(step.of) if step.of else None
    if some is not None and isinstance(step, Share) and step.kind == "report":
        some |= _words_about(some, taken)
    if step.what == "*":
        return some
    fits = frozenset(
        record
        for stream in taken.streams.values()
        for record, keys in stream.keys.items()
        if any(_fits(step.what, key) for key in (record, *keys))
    )
    return fits if some is None else fits & some


def _words_about(some: frozenset[str], taken: Taken) -> frozenset[str]:
    """The reports that are about some records."""
    return frozenset(
        seen.record
        for stream in taken.streams.values()
        for seen, thing in stream.things
        if isinstance(thing, Words) and thing.about in some
    )


def _fits(pattern: str, key: str) -> bool:
    """Whether a key is meant, with or without what stands behind `@`: whose link an id is of."""
    return fnmatchcase(key, pattern) or fnmatchcase(key.partition("@")[0], pattern)


def _said(taken: Taken, who: str, kind: str, only: frozenset[str] | None) -> tuple[list[Stream], list[Seen]]:
    node, system = split(who)
    found = taken.stream(node, "entity", system, kind)
    if found is None:
        return [], []
    return [found], [one for one in found.seen if only is None or one.record in only]


def _sense(step: Sense, taken: Taken, known: Known) -> Sequence[Measure]:
    only = _only(step, taken, known)
    streams, seen = _said(taken, step.who, step.kind, only)
    known.records[step.name] = frozenset(one.record for one in seen)
    if not seen:
        return [absent("updates", step, taken, "nothing sent", "nothing of it was said", step.who)]
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


def _report(step: Report, taken: Taken, known: Known) -> Sequence[Measure]:
    only = known.records.get(step.of) if step.of else None
    node, system = split(step.who)
    stream = taken.stream(node, "entity", system, "report")
    fits = [
        (seen, thing)
        for seen, thing in (stream.things if stream is not None else ())
        if isinstance(thing, Words)
        and (_fits(step.what, thing.key) or _fits(step.what, seen.record))
        and (only is None or not thing.about or thing.about in only)
    ]
    known.records[step.name] = frozenset(seen.record for seen, _ in fits)
    if stream is None or not fits:
        return [absent("reported", step, taken, "nothing sent", "nobody put it in words", step.who)]
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
            found.append(within("within_s", step, first.at_us - sight, step.within_s, evidence=evidence))
    return found
