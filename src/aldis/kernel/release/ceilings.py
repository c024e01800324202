"""Check 2, without the clause it rests on: is a classification mapped, and within a ceiling?

A clause's ceiling limits information, so a label of another policy is mapped up to it (`protect_as`). A node's
ceiling is a clearance, so it is mapped down to the label's policy (`clearance_counts_as`); where only the way up has a
row, what it maps to above the ceiling is refused all the same. What has no row in the equivalence tables is referred to
a person, never mapped sideways.
"""

from __future__ import annotations

from collections.abc import Callable

from aldis.kernel.errors import NeedsPerson, UnknownTerm
from aldis.kernel.labels import Label, rung_text
from aldis.kernel.policies import Policies
from aldis.kernel.release.decisions import Outcome

__all__ = ["Finding", "clause_ceiling", "node_ceiling"]

Finding = tuple[Outcome, str, str]
"""Outcome, code and text."""

_Ceiling = tuple[tuple[str, str], ...]


def clause_ceiling(ceiling: _Ceiling, label: Label, policies: Policies, at: int) -> Finding:
    """Whether a clause's ceiling covers the label's classification; every rung that it maps to must be covered."""

    def compare(policy: str, highest: str) -> bool:
        mapped = label if policy == label.policy else policies.protect_as(_bare(label), policy, at)
        return _at_most(mapped.classification, highest, policy, policies)

    found = _compare(ceiling, label, policies, compare)
    if isinstance(found, tuple):
        return found
    limits = _words(ceiling)
    if not found:
        return Outcome.REFER, "unmapped", f"{_said(label)} has no equivalent in the clause's ceiling ({limits})"
    if not all(found):
        return Outcome.FAIL, "above-clause-ceiling", f"{_said(label)} is above the clause's ceiling ({limits})"
    return Outcome.PASS, "within-ceilings", f"{_said(label)} is within the clause's ceiling ({limits})"


def node_ceiling(ceiling: _Ceiling, label: Label, policies: Policies, at: int) -> Finding:
    """Whether a recipient's ceiling covers the label's classification; one of its clearances must."""

    def compare(policy: str, highest: str) -> bool:
        if policy == label.policy:
            return _at_most(label.classification, highest, policy, policies)
        try:
            counted = policies.clearance_counts_as(policy, highest, label.policy, at)
        except NeedsPerson:
            if _at_most(policies.protect_as(_bare(label), policy, at).classification, highest, policy, policies):
                raise
            return False
        return _at_most(label.classification, counted, label.policy, policies)

    found = _compare(ceiling, label, policies, compare)
    if isinstance(found, tuple):
        return found
    limits = _words(ceiling)
    if not found:
        return Outcome.REFER, "unmapped", f"the recipient's ceiling ({limits}) has no equivalent for {_said(label)}"
    if not any(found):
        return Outcome.FAIL, "above-node-ceiling", f"{_said(label)} is above the recipient's ceiling ({limits})"
    return Outcome.PASS, "within-ceilings", f"{_said(label)} is within the recipient's ceiling ({limits})"


def _compare(
    ceiling: _Ceiling, label: Label, policies: Policies, compare: Callable[[str, str], bool]
) -> list[bool] | Finding:
    """The answer of the row of the label's own policy, or else of every row that maps."""
    try:
        policies.policy(label.policy).rank(label.classification)
        rows = [row for row in ceiling if row[0] == label.policy] or ceiling
        answers = []
        for policy, highest in rows:
            try:
                answers.append(compare(policy, highest))
            except NeedsPerson:
                continue
    except UnknownTerm as error:
        return Outcome.FAIL, "unknown-classification", f"nobody defined {_said(label)}: {error}"
    return answers


def _at_most(classification: str, highest: str, policy: str, policies: Policies) -> bool:
    ladder = policies.policy(policy)
    return ladder.rank(classification) <= ladder.rank(highest)


def _bare(label: Label) -> Label:
    return Label(label.policy, label.classification)


def _said(label: Label) -> str:
    return rung_text(label.policy, label.classification)


def _words(ceiling: _Ceiling) -> str:
    return ", ".join(rung_text(policy, rung) for policy, rung in ceiling) or "none"
