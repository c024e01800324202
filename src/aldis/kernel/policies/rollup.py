"""The banner over portions of one policy: the join, then that policy's own rules.

Source: ADatP-4774.1 section 4.4; for the US, the precedence rules for banner lines of the IC Markings System Register
and Manual and rules ISM-ID-00088 (REL), 00132 (RELIDO), 00169 and 00320 (DISPLAY ONLY) of IC ISM.XML.
"""

from __future__ import annotations

from collections.abc import Sequence

from aldis.kernel.labels import REFUSED, Access, CategoryType, Label, Releasability, join_all
from aldis.kernel.policies.policy import Category, Policy, RollUp, Unmarked

__all__ = ["banner"]


def banner(portions: Sequence[Label], policy: Policy) -> Label:
    """The label of all `portions` together, each already of `policy`.

    1. Join: highest classification, common audience, united restrictions.
    2. A list beside a portion that only a person may release, or with nobody on it, is a refusal.
    3. An informative value goes where the policy's rule for it says so.

    Raises:
        InvalidInput: no portion was given, or the portions cannot be together.
    """
    joined = join_all(portions, policy)
    joined = joined.narrowed(releasable=_releasability(joined, portions, policy))
    kept = []
    for tag, names in joined.categories:
        category = policy.category(tag)
        if category.type is CategoryType.INFORMATIVE:
            names = frozenset(name for name in names if _stays(name, category, joined, portions, policy))
        if names or category.type is CategoryType.PERMISSIVE:
            kept.append((tag, names))
    rolled = joined.narrowed(categories=tuple(kept))
    policy.check(rolled)
    return rolled


def _releasability(joined: Label, portions: Sequence[Label], policy: Policy) -> Releasability:
    said = joined.releasable
    if said.access is not Access.LISTED:
        return said
    nobody = not (said.parties or said.display)
    return REFUSED if nobody or any(policy.unmarked(portion) for portion in portions) else said


def _stays(name: str, category: Category, joined: Label, portions: Sequence[Label], policy: Policy) -> bool:
    value, said = category.value(name), joined.releasable
    if value.highest and policy.rank(joined.classification) > policy.rank(value.highest):
        return False
    if "refused" in value.not_with and said.access is Access.REFUSED:
        return False
    if "display" in value.not_with and said.display:
        return False
    carry = [portion for portion in portions if name in (portion.values(category.tag) or ())]
    match category.roll_up:
        case RollUp.EVERY:
            return all(portion in carry for portion in portions if _speaks(portion, policy))
        case RollUp.ALONE:
            return not any(policy.category_type(tag) is CategoryType.RESTRICTIVE for tag, _ in joined.categories)
        case RollUp.SAME_ORIGINS:
            return len(carry) == len(portions) and len({portion.origins for portion in portions}) == 1
        case RollUp.UNION:
            return True


def _speaks(portion: Label, policy: Policy) -> bool:
    classified = policy.rung(portion.classification).unmarked is Unmarked.PERSON
    return classified or portion.releasable.access is Access.LISTED
