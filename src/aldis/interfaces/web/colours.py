"""The colours of banners: those that an authority of the policy uses, else neutral ones.

A colour never stands alone: the banner says in words what it means. No authority here prescribes a screen's colours but
that of TLP; where the others print or paint, the hue is theirs and the shade ours, of a contrast of at least 4.5 to 1
(WCAG 2.2, 1.4.3).
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
        # labels SF 706 to SF 710 (32 CFR 2001.80), of CUI SF 902; hues after Astro UXDS, "Classification Markings"
        "US": {
            "UNCLASSIFIED": "green", "CUI": "purple", "CONFIDENTIAL": "blue", "SECRET": "red", "TOP SECRET": "orange",
        },
        # as cables are coloured: ISM-1718 SECRET salmon pink, ISM-1719 TOP SECRET red; below, neither (ISM-0926): ours
        "AUS": {"PROTECTED": "blue", "SECRET": "salmon", "TOP SECRET": "red"},
        # FIRST, TLP 2.0, "TLP-designations: colour-coding": on black, #FFFFFF, #33FF00, #FFC000 (both), #FF2B2B
        "TLP": {"CLEAR": "white", "GREEN": "lime", "AMBER": "amber", "AMBER+STRICT": "amber", "RED": "crimson"},
    }
)  # fmt: skip


def colour(policy: str, classification: str, policies: Policies) -> str:
    """The name of the colour, a class of the stylesheet; a policy without one of its own gets greys, darker above."""
    named = _NAMED.get(policy, {}).get(classification)
    if named:
        return named
    rules = policies.policy(policy)
    return "grey" if rules.rank(classification) <= rules.rank(rules.unclassified) else "dark"
