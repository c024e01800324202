"""Everything that a hostile partner tries; `ATTACKS` names each, with the error that it must meet."""

from __future__ import annotations

from aldis.testing.attacks import answers, bundles, frames, grants, greetings, items, policy
from aldis.testing.hostile import Attack

__all__ = ["ATTACKS"]

ATTACKS: tuple[Attack, ...] = tuple(
    attack for module in (bundles, items, grants, policy, greetings, frames, answers) for attack in module.ATTACKS
)
"""Everything that a hostile partner tries, each with the error that it must meet."""
