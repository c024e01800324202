"""Findings of several nations beside each other: who judged what, and where they disagree.

What one calls pending or not tested and another could judge is as that one judged it. Where two judged and disagree,
both are named, and it is no success.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from aldis.apps.experiments.cases.findings import Findings, Verdict

__all__ = ["Joined", "joined"]

_WORST: tuple[Verdict, ...] = ("interoperability issue", "limited success", "success", "pending", "not tested")


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one cell or test case: the verdict, whose it is by node, and whether they disagree."""

    what: str
    verdict: Verdict
    by: Mapping[str, Verdict]
    disagree: bool


def joined(findings: Sequence[Findings]) -> Sequence[Joined]:
    """Cells, then test cases, each with the verdict of every node that has one."""
    cells = _by(findings, lambda one: one.cells, lambda one: (one.source, one.target, one.message))
    cases = _by(findings, lambda one: one.outcomes, lambda one: (one.case, one.case_digest))
    named = [(f"{source} to {target}, {message}", by) for (source, target, message), by in sorted(cells.items())]
    named += [(f"test case {case}", by) for (case, _), by in sorted(cases.items())]
    return [_joined(what, by) for what, by in named]


def _by(
    findings: Sequence[Findings], some: Callable[[Findings], Iterable[Any]], name: Callable[[Any], Any]
) -> Mapping[Any, dict[str, Verdict]]:
    found: dict[Hashable, dict[str, Verdict]] = {}
    for one in findings:
        for part in some(one):
            found.setdefault(name(part), {})[one.node] = part.verdict
    return found


def _joined(what: str, by: dict[str, Verdict]) -> Joined:
    judged = {one for one in by.values() if one not in ("pending", "not tested")}
    verdict = min(by.values(), key=_WORST.index)
    return Joined(what=what, verdict=verdict, by=dict(sorted(by.items())), disagree=len(judged) > 1)
