"""Ledgers of MAVLink, made once for each shape of a message or an entity and shared.

A fate is written short: `"position.lat_deg"` went there whole, `("motion.speed_mps", 0.005, "m/s")` nearly, and
`"-no field"` or `"-no code: why"` not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import repeat
from operator import is_
from typing import cast

import msgspec

from aldis.apps.experiments.entity import GROUPS, Approximated, Carried, Dropped, Entity, Ledger, Reason, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.mavlink.messages import BY_ID

__all__ = ["Changes", "Fate", "Fates", "listed", "reading", "writing"]

Fate = str | tuple[str, float, str]
Fates = Mapping[str, Fate]
Changes = tuple[tuple[str, Fate], ...]
"""Where this message or entity fares otherwise than others of its shape."""

_Shape = tuple[tuple[str, type, bytes], ...]
_NONE = repeat(None)
_UNKNOWN = "-unknown value"
_HEADER: Fates = {"header.system": "key", "header.component": "key", "header.sequence": "-made anew"}


def entry(field: str, fate: Fate) -> Entry:
    """The entry that a fate stands for."""
    if not isinstance(fate, str):
        return Approximated(field, *fate)
    if not fate.startswith("-"):
        return Carried(field, fate)
    reason, _, detail = fate[1:].partition(": ")
    return Dropped(field, cast("Reason", reason), detail)


def listed(fates: Fates) -> Ledger:
    """A ledger of just these."""
    return Ledger(tuple(entry(field, fate) for field, fate in fates.items()))


class Reading:
    """The ledgers of one message's decoding: `fates` by the name of its field, the rest has no place in the model."""

    def __init__(self, message: int, fates: Fates, header: Fates = _HEADER) -> None:
        self._layout = BY_ID[message]
        self._fates = dict(fates)
        self._header = header
        unknown = set(fates) - set(self._layout.names)
        if unknown:
            raise TypeError(f"{self._layout.name} has no {unknown}")
        self._made = lru_cache(maxsize=256)(self._make)

    def ledger(self, mask: int, changes: Changes = ()) -> Ledger:
        """The ledger of a message in which the fields in `mask` say 'unknown'."""
        return self._made(mask, changes)

    def _make(self, mask: int, changes: Changes) -> Ledger:
        fates: dict[str, Fate] = dict(self._header)
        fates |= self.named(mask, changes)
        return listed(fates)

    def named(self, mask: int, changes: Changes = (), prefix: str = "") -> dict[str, Fate]:
        """The fates of its fields, without those of its header."""
        own = self._fates | dict(changes)
        fates: dict[str, Fate] = {}
        for place, name in enumerate(self._layout.names):
            fate = _UNKNOWN if mask >> place & 1 else own.get(name, "-no field")
            fates[f"{prefix or self._layout.name}.{name}"] = fate
        return fates


def reading(message: int, fates: Fates, header: Fates | None = None) -> Reading:
    """The ledgers of one message's decoding; `header` are further fields of its frame, or other fates of them."""
    return Reading(message, fates, dict(_HEADER) | dict(header or {}))


class Writing:
    """The ledgers of encoding: `fates` by the path of a model's field, and what becomes of the rest."""

    def __init__(self, fates: Fates, otherwise: Fate) -> None:
        self._fates = dict(fates)
        self._otherwise = otherwise
        self._made = lru_cache(maxsize=1024)(self._make)

    def ledger(self, entity: Entity, changes: Changes = ()) -> Ledger:
        """The ledger of an entity with the fields that it has."""
        return self._made(_shape(entity), changes)

    def _make(self, shape: _Shape, changes: Changes) -> Ledger:
        own = self._fates | dict(changes)
        fates: dict[str, Fate] = {}
        for prefix, kind, absent in shape:
            names = cast("type[msgspec.Struct]", kind).__struct_fields__
            for name, missing in zip(names, absent, strict=True):
                path = f"{prefix}.{name}"
                if not missing and (prefix in GROUPS or name not in GROUPS):
                    fates[path] = own.get(path, self._otherwise)
        return listed(fates)


def writing(fates: Fates, otherwise: Fate = "-no field") -> Writing:
    """The ledgers of one way to say an entity; groups that all entities may have stand by themselves, as a track's."""
    return Writing(fates, otherwise)


def _shape(entity: Entity) -> _Shape:
    groups = [(name, getattr(entity, name, None)) for name in GROUPS]
    shape = [(name, type(group), _absent(group)) for name, group in groups if group is not None]
    if not isinstance(entity, Track):
        shape.append((type(entity).__name__.lower(), type(entity), _absent(entity)))
    return tuple(shape)


def _absent(group: msgspec.Struct) -> bytes:
    """For each of its fields 1 where it is absent."""
    return bytes(map(is_, msgspec.structs.astuple(group), _NONE))
