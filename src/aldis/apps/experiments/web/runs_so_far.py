"""What a case and a cell come to while the run still goes on: nothing is held against what may yet come. Pure.

What was seen is seen, and stays; a leak, a value that changed and a refusal stay too. All else that is not met is
pending: more may come that meets it. That the recording is not closed lowers nothing, since nobody has stopped it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from aldis.apps.experiments.cases.findings import Cell, Findings, Mark, Measure, Outcome, Reason
from aldis.apps.experiments.cases.verdict import verdict_of, verdict_of_case

__all__ = ["FINAL", "said_of", "so_far"]

FINAL: frozenset[Reason] = frozenset(
    {"field not permitted", "field changed", "identity switched", "refused", "no lease", "failed"}
)
"""Reasons that no later message takes away."""
_OPEN = "recording incomplete"


def said_of(found: Findings, *, growing: bool) -> Findings:
    """Findings as they may be said now."""
    return so_far(found) if growing else found


def so_far(found: Findings) -> Findings:
    """The findings of a recording under way, as they may be said now."""
    return msgspec.structs.replace(
        found, cells=tuple(map(_cell, found.cells)), outcomes=tuple(map(_outcome, found.outcomes))
    )


def _outcome(one: Outcome) -> Outcome:
    measures = tuple(
        _measure(part) for part in one.measures if (part.criterion, part.reasons) != ("recording", (_OPEN,))
    )
    tried = one.verdict != "not tested" and any(part.evidence or part.reasons for part in measures)
    reasons = sorted({reason for part in measures for reason in part.reasons})
    return msgspec.structs.replace(
        one,
        measures=measures,
        verdict=verdict_of_case(measures) if tried else "not tested",
        reasons=tuple(reasons) if tried else (),
    )


def _measure(one: Measure) -> Measure:
    reasons = tuple(reason for reason in one.reasons if reason != _OPEN)
    if one.met is not False or _final(reasons):
        return msgspec.structs.replace(one, reasons=reasons)
    return msgspec.structs.replace(one, met=None, reasons=(), text=_yet(reasons, one.text))


def _cell(one: Cell) -> Cell:
    marks = tuple(map(_mark, one.marks))
    return msgspec.structs.replace(one, marks=marks, verdict=verdict_of(marks))


def _mark(one: Mark) -> Mark:
    reasons = tuple(reason for reason in one.reasons if reason != _OPEN)
    if one.outcome != "failed" and not set(reasons) & {"incomplete"}:
        return msgspec.structs.replace(one, reasons=reasons)
    if _final(reasons):
        return msgspec.structs.replace(one, reasons=reasons)
    return msgspec.structs.replace(one, outcome="unknown", reasons=(), text=_yet(reasons, one.text))


def _final(reasons: Sequence[Reason]) -> bool:
    return bool(FINAL & set(reasons))


def _yet(reasons: Sequence[Reason], text: str) -> str:
    return "; ".join(["not so far", *reasons, *([text] if text else [])])
