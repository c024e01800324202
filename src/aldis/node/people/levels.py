"""The working level of a session: one rung per policy, never above the clearance or what the node may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aldis.kernel.errors import NeedsPerson, RefusedByPolicy, UnknownTerm
from aldis.kernel.policies import Policies

if TYPE_CHECKING:
    from aldis.node.core import Core
    from aldis.node.people.accounts import Account

__all__ = ["check_level", "first_level", "level_in_force"]


def first_level(core: Core, account: Account | None) -> dict[str, str]:
    """Where a session at the pages begins: at the routine level, or the highest allowed below it.

    For a name that nobody has (None), what anybody could choose.
    """
    rules = core.policies.policy(core.config.policy)
    clearance = account.clearance[rules.name] if account else rules.routine
    return {rules.name: min((rules.routine, clearance, core.config.ceiling), key=rules.rank)}


def level_in_force(
    clearance: Mapping[str, str], chosen: Mapping[str, str], policy: str, ceiling: str, policies: Policies, at: int
) -> dict[str, str]:
    """A rung for every policy of the clearance: what was chosen, as far as clearance and node allow now.

    The rung in the node's own `policy` limits those of all others: each is at most what that one counts as there, and
    the lowest where no equivalence says.
    """
    own = _lowest(policy, (clearance[policy], ceiling, chosen.get(policy, clearance[policy])), policies)
    level = {policy: own}
    for name, rung in clearance.items():
        if name != policy:
            level[name] = _lowest(
                name, (rung, _counts(policy, own, name, policies, at), chosen.get(name, rung)), policies
            )
    return level


def check_level(
    clearance: Mapping[str, str], chosen: Mapping[str, str], policy: str, ceiling: str, policies: Policies, at: int
) -> None:
    """Return if a person with this clearance may work at the chosen level here.

    Raises:
        UnknownTerm: a policy that the person is not cleared in, or a classification that nobody defined.
        RefusedByPolicy: above the clearance, or above the ceiling of the node.
    """
    for name, rung in chosen.items():
        ladder = policies.policy(name)
        if name not in clearance:
            raise UnknownTerm(f"no clearance in {name}", fix=f"Choose a level in: {', '.join(sorted(clearance))}")
        if ladder.rank(rung) > ladder.rank(clearance[name]):
            raise RefusedByPolicy(
                f"{name} {rung} is above the clearance, {clearance[name]}", fix="Choose a lower level"
            )
        limit = _counts(policy, ceiling, name, policies, at)
        if ladder.rank(rung) > ladder.rank(limit):
            raise RefusedByPolicy(f"{name} {rung} is above this node's ceiling, {limit}", fix="Choose a lower level")


def _counts(policy: str, rung: str, other: str, policies: Policies, at: int) -> str:
    try:
        return policies.clearance_counts_as(policy, rung, other, at)
    except NeedsPerson:
        return policies.policy(other).lowest.classification


def _lowest(policy: str, rungs: tuple[str, ...], policies: Policies) -> str:
    return min(rungs, key=policies.policy(policy).rank)
