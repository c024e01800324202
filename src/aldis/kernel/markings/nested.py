"""Control systems with compartments: `SI-G ABCD DEFG-MMM` stands for a system, its compartments and theirs.

Source: IC Markings System Register and Manual, sections 4 and 5: a hyphen before each compartment, a space before
each sub-compartment, all in order.
"""

from __future__ import annotations

from collections.abc import Iterable

from aldis.kernel.markings.tokens import Token
from aldis.kernel.policies import Category

__all__ = ["read_nested", "write_nested"]


def read_nested(token: Token, category: Category) -> frozenset[str]:
    """The values that one written system stands for, parents included; UnknownTerm where the policy has no such."""
    system, *compartments = token.text.split("-")
    found = [system]
    for compartment in compartments:
        name, *subs = compartment.split(" ")
        found += [f"{system}-{name}", *(f"{system}-{name} {sub}" for sub in subs)]
    for name in found:
        if name not in category.values and not (category.pattern and category.pattern.fullmatch(name)):
            raise token.unknown(f"a value of {category.tag}", category.values)
    return category.closed(found)


def write_nested(values: Iterable[str]) -> list[str]:
    """The systems among `values`, in order, each with its compartments and theirs."""
    systems: dict[str, dict[str, list[str]]] = {}
    for value in sorted(values):
        system, _, path = value.partition("-")
        compartments = systems.setdefault(system, {})
        if path:
            name, _, sub = path.partition(" ")
            compartments.setdefault(name, []).extend([sub] if sub else [])
    return [_written(system, compartments) for system, compartments in systems.items()]


def _written(system: str, compartments: dict[str, list[str]]) -> str:
    return "-".join([system, *(" ".join([name, *subs]) for name, subs in compartments.items())])
