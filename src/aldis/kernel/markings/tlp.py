"""Traffic Light Protocol markings: `TLP:AMBER+STRICT`. Source: TLP 2.0 (FIRST, August 2022), sections 2 and 3."""

from __future__ import annotations

from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Access, Label
from aldis.kernel.markings.tokens import open_marking, wrap
from aldis.kernel.policies import Policies

__all__ = ["parse", "write"]

_PREFIX = "TLP:"


def parse(text: str, *, at: int, policies: Policies, portion: bool = False) -> Label:
    """The label that a TLP 2.0 marking states; UnknownTerm where it is none, such as the WHITE of TLP 1."""
    del at
    policy = policies.policy("TLP")
    names = {_PREFIX + rung.name: rung.name for rung in policy.ladder}
    token = open_marking(text, portion)
    if token.text not in names:
        raise token.unknown("a TLP 2.0 marking", names)
    return Label(policy.name, names[token.text])


def write(label: Label, *, at: int, policies: Policies, portion: bool = False) -> str:
    """The TLP marking of `label`; InvalidInput where the label also says to whom it is releasable."""
    del at
    if label.releasable.access is not Access.UNMARKED:
        raise InvalidInput("a TLP marking cannot say to whom it is releasable", fix="Leave releasability unmarked")
    return wrap(_PREFIX + policies.policy("TLP").rung(label.classification).name, portion)
