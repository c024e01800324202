"""Classification policies as data: ladders, categories, groups by date, equivalences, each row with its source.

`builtin()` holds the tables that come with Aldis; `Policies.from_tables` reads a nation's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from aldis.kernel.policies.catalogue import Policies
from aldis.kernel.policies.equivalences import Direction, Equivalence
from aldis.kernel.policies.groups import Group, Membership
from aldis.kernel.policies.policy import Category, Policy, RollUp, Rung, Unmarked, Value

__all__ = [
    "Category",
    "Direction",
    "Equivalence",
    "Group",
    "Membership",
    "Policies",
    "Policy",
    "RollUp",
    "Rung",
    "Unmarked",
    "Value",
    "builtin",
    "builtin_tables",
]


@cache
def builtin() -> Policies:
    """The policies that come with Aldis."""
    return Policies.from_tables(builtin_tables())


@cache
def builtin_tables() -> Mapping[str, bytes]:
    """Their tables by name: the kernel's one read, of its own package data."""
    tables = (entry for entry in (files("aldis.kernel.policies") / "data").iterdir() if entry.name.endswith(".toml"))
    return MappingProxyType({entry.name.removesuffix(".toml"): entry.read_bytes() for entry in tables})
