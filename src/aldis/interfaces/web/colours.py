"""The colours of banners: those that are customary where a policy is used, else neutral ones.

A colour never stands alone: the banner says in words what it means. The shades are ours, dark or light enough for a
contrast of 4.5 to 1 (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aldis.kernel.policies import Policies

__all__ = ["MIXED", "colour"]

MIXED = "mixed"
"""What no rule rolls up into one marking."""
_NAMED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        # customary: as cover sheets and labels are printed
        "US": {
            "UNCLASSIFIED": "green", "CUI": "purple", "CONFIDENTIAL": "blue", "SECRET": "red", "TOP SECRET": "orange",
        },
        # customary; the ISM keeps salmon pink and red off cables of PROTECTED and below (control ISM-0926)
        "AUS": {"PROTECTED": "blue", "SECRET": "salmon", "TOP SECRET": "red"},
        # FIRST, Traffic Light Protocol 2.0
        "TLP": {"CLEAR": "white", "GREEN": "lime", "AMBER": "amber", "AMBER+STRICT": "amber", "RED": "red"},
    }
)  # fmt: skip


def colour(policy: str, classification: str, policies: Policies) -> str:
    """The name of the colour, a class of the stylesheet; a policy without one of its own gets greys, darker above."""
    named = _NAMED.get(policy, {}).get(classification)
    if named:
        return named
    rules = policies.policy(policy)
    return "grey" if rules.rank(classification) <= rules.rank(rules.unclassified) else "dark"
