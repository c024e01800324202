"""From marks and measures to a verdict: a total function of their outcomes and reasons.

The verdicts are those of NATO's interoperability exercise CWIX, in its own words: success, limited success,
interoperability issue, not tested, pending. A verdict is the worst of what its marks come to, and a reason may hold it
lower than the outcome beside it does: what was accepted and did not move is never a success, nor is what rests on half
a recording. So nothing that turns worse ever makes a verdict better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aldis.apps.experiments.cases.findings import Mark, Measure, Reason, Verdict

__all__ = ["AT_MOST", "ORDER", "verdict_of", "verdict_of_case"]

ORDER: Sequence[Verdict] = ("success", "limited success", "pending", "interoperability issue")
"""From the best to the worst; `not tested` is beside them, for where there is nothing to judge."""

AT_MOST: Mapping[Reason, Verdict] = {
    "nothing sent": "interoperability issue",
    "nothing arrived": "interoperability issue",
    "not recognised": "interoperability issue",
    "messages damaged": "limited success",
    "not sayable": "interoperability issue",
    "field dropped": "limited success",
    "field changed": "interoperability issue",
    "field not permitted": "interoperability issue",
    "too late": "limited success",
    "too old": "limited success",
    "incomplete": "limited success",
    "wrong place": "interoperability issue",
    "identity switched": "interoperability issue",
    "not acknowledged": "interoperability issue",
    "refused": "interoperability issue",
    "no lease": "interoperability issue",
    "accepted but did not move": "limited success",
    "failed": "interoperability issue",
    "lost and not back": "interoperability issue",
    "clock wrong": "limited success",
    "recording incomplete": "limited success",
    "recording missing": "pending",
}
"""The best that is left where a reason stands; those that no instrument's intention is, such as what a label withholds,
are not among them."""

_OF_MARK: Mapping[str, Verdict] = {
    "met": "success", "partly": "limited success", "unknown": "pending", "failed": "interoperability issue",
}  # fmt: skip


def verdict_of(marks: Iterable[Mark]) -> Verdict:
    """What the marks of a cell come to; of none, `not tested`."""
    found = [one for mark in marks for one in (_OF_MARK[mark.outcome], *_held(mark.reasons))]
    return _worst(found)


def verdict_of_case(measures: Iterable[Measure]) -> Verdict:
    """What the measures of a case come to; of none, `not tested`.

    A criterion that was not met is as bad as its reasons say, and no success without any; one that could not be
    measured leaves the case pending.
    """
    found: list[Verdict] = []
    for one in measures:
        held = _held(one.reasons)
        if one.met is None:
            held = [*held, "pending"]
        elif not one.met:
            held = [*held, "limited success"]
        found += ["success", *held]
    return _worst(found)


def _held(reasons: Iterable[Reason]) -> list[Verdict]:
    return [AT_MOST[reason] for reason in reasons if reason in AT_MOST]


def _worst(found: Sequence[Verdict]) -> Verdict:
    return max(found, key=ORDER.index) if found else "not tested"
