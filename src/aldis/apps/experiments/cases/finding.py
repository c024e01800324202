"""Findings from test cases and recordings: a pure function of their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from aldis.apps.experiments.cases.case import Case, Share, Task
from aldis.apps.experiments.cases.cells import Wanted, cell_of
from aldis.apps.experiments.cases.clocks import Clocks
from aldis.apps.experiments.cases.crossing import scored
from aldis.apps.experiments.cases.evidence import NODE, Taken, Told, take
from aldis.apps.experiments.cases.findings import Cell, Findings, Measure, Outcome
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.cases.thread import outcome_of
from aldis.apps.experiments.cases.way import split
from aldis.apps.experiments.entity import Task as Asked
from aldis.apps.experiments.scoring import Score
from aldis.kernel.errors import InvalidInput
from aldis.kernel.signatures import Key

__all__ = ["find"]

_Pair = tuple[str, str, str]
_CUTOFF_M = 100.0


def find(
    cases: Sequence[Case],
    files: Sequence[Path],
    keys: Mapping[str, Key] | Key | None,
    *,
    experiment: str,
    node: str,
    party: str,
    offsets: Mapping[str, int] | None = None,
    told: Told | None = None,
) -> Findings:
    """What recordings show of test cases; the same files give the same bytes, in whatever order they are named.

    Args:
        cases: the cases; without any, there are cells alone.
        files: the recordings of any number of nations.
        keys: with which each node is to have sealed its own; one for all; None to believe what the files say.
        experiment: its name.
        node: whose findings these are.
        party: whose node that is.
        offsets: by how many µs the clock of each node is ahead of UTC, where that was found out.
        told: is told how many messages were read, and of how many.

    Raises:
        VerificationFailed: a recording is altered, or sealed with another key.
        InvalidInput: two cases have one name, or a recording cannot be read.
        TooLarge: more than can be held at once.
        OSError: a file cannot be read.
    """
    ordered = sorted({case.data: case for case in cases}.values(), key=lambda case: (case.name, case.data))
    for one, other in pairwise(ordered):
        if one.name == other.name:
            raise InvalidInput(f"two different cases are named {one.name!r}", fix="Name one of them otherwise")
    taken = take(files, keys, told)
    clocks = Clocks(taken, offsets)
    outcomes = tuple(outcome_of(case, taken, clocks) for case in ordered)
    return Findings(
        experiment=experiment, node=node, party=party,
        marking="; ".join(sorted({banner for one in taken.files for banner in one.marking.split("; ")})),
        began_us=taken.began_us, ended_us=taken.ended_us, recordings=tuple(taken.files),
        cells=tuple(_cells(taken, clocks, _wanted(ordered, outcomes))), outcomes=outcomes,
        scores=_scores(taken),
    )  # fmt: skip


def _cells(taken: Taken, clocks: Clocks, wanted: Mapping[_Pair, Wanted]) -> Iterable[Cell]:
    """One for each ordered pair of systems and class of which the source said anything, or that a case names."""
    sources, targets = set[tuple[str, str]](), set[str]()
    for node, tap, name, kind in taken.streams:
        if not name.startswith(NODE):
            targets.add(f"{node}/{name}")
            if tap == "entity" and not taken.streams[node, tap, name, kind].concluded:
                sources.add((f"{node}/{name}", kind))
    targets |= {f"{node}/{name}" for node, name in taken.readings}
    pairs = {(source, target, kind) for source, kind in sources for target in targets if source != target}
    for source, target, kind in sorted(pairs | wanted.keys() | _ordered(taken)):
        yield cell_of(taken, clocks, source, target, kind, wanted.get((source, target, kind), Wanted()))


def _ordered(taken: Taken) -> set[_Pair]:
    """Which node asked which system to do something."""
    return {
        (thing.issued_by, f"{node}/{name}", kind)
        for (node, tap, name, kind), stream in taken.streams.items()
        for _, thing in stream.things
        if tap == "egress" and not name.startswith(NODE) and isinstance(thing, Asked) and thing.issued_by in taken.nodes
    }


def _wanted(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> Mapping[_Pair, Wanted]:
    """What the cases ask of each cell: all that any of them needs, and whatever any found that it does not permit."""
    found: dict[_Pair, Wanted] = {}
    for case, outcome in zip(cases, outcomes, strict=True):
        for step in case.steps:
            if isinstance(step, Share):
                name = (step.who, step.to, step.kind)
                before = found.get(name, Wanted())
                forbidden = next((one for one in outcome.measures if _forbids(one, step.name)), before.forbidden)
                found[name] = Wanted(True, _both(before.needed, step.needed), forbidden)
            elif isinstance(step, Task):
                found.setdefault((step.who, step.to, "tasking"), Wanted(asked=True))
    return found


def _forbids(one: Measure, step: str) -> bool:
    return one.step == step and one.criterion == "permitted" and one.met is False


def _both(one: Sequence[str] | None, other: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if one is None and other is None else tuple(sorted({*(one or ()), *(other or ())}))


def _scores(taken: Taken) -> Mapping[str, Score]:
    """How well each view, of a system or of what left for a node, shows what the systems of all nations said."""
    truth: dict[str, Sequence[Seen]] = {}
    views: dict[str, list[Seen]] = {}
    for (node, tap, name, kind), stream in taken.streams.items():
        if kind != "track":
            continue
        if tap == "egress":
            view = f"egress {name.removeprefix(NODE)}" if name.startswith(NODE) else f"{node}/{name}"
            views.setdefault(view, []).extend(stream.seen)
        elif not name.startswith(NODE):
            truth[f"{node}/{name}"] = stream.seen
    return {
        view: scored([one for who in sorted(truth) if _other(who, view) for one in truth[who]], views[view], _CUTOFF_M)
        for view in sorted(views)
    }


def _other(who: str, view: str) -> bool:
    """Whether a system is another than the view's own: none is sent what it said itself, nor a node."""
    return who != view and (not view.startswith("egress ") or split(who)[0] != view.removeprefix("egress "))
