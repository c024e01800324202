"""What several messages say of one thing, as one entity: later words replace earlier ones, field by field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from aldis.apps.experiments.entity import Decoded, Entity, Residue

__all__ = ["fused", "merged"]

T = TypeVar("T", bound=msgspec.Struct)


def merged(old: T, new: T) -> T:
    """`old` with every field that `new` knows; groups are merged field by field, residue is gathered."""
    changed = {}
    for name in new.__struct_fields__:
        value, before = getattr(new, name), getattr(old, name)
        if value is None or value == before:
            continue
        if isinstance(value, Residue) and isinstance(before, Residue):
            value = Residue(parts=[*before.parts, *(part for part in value.parts if part not in before.parts)])
        elif isinstance(value, msgspec.Struct) and type(value) is type(before) and name != "original":
            value = merged(before, value)
        changed[name] = value
    return msgspec.structs.replace(old, **changed) if changed else old


def fused(decoded: Iterable[Decoded]) -> list[Entity]:
    """One entity for each kind and key, in the order in which they were first spoken of."""
    found: dict[tuple[type, str], Entity] = {}
    for one in decoded:
        name = (type(one.entity), one.entity.key)
        known = found.get(name)
        found[name] = one.entity if known is None else merged(known, one.entity)
    return list(found.values())
