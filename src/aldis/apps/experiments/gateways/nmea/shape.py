"""Which fields of an entity say something, and the ledger of sending it; ledgers are made once for each shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from operator import is_

from msgspec.structs import astuple

from aldis.apps.experiments.entity import GROUPS, Dropped, Ledger, Reason, Track
from aldis.apps.experiments.entity.losses import Entity, Entry

__all__ = ["Accounts", "ledger_of", "paths", "shape_of"]

_absent = partial(is_, None)
_groups = tuple(GROUPS)
_MAX = 4096
_MADE_ANEW: dict[str, Reason] = dict.fromkeys(
    ("timing.received_us", "timing.clock", "timing.source_uncertainty_us", "sensor.protocol", "sensor.received_ms"),
    "made anew",
)


def shape_of(track: Track) -> tuple[tuple[bool, ...] | None, ...]:
    """Which fields of which groups are absent: equal for tracks that say the same kinds of things."""
    return tuple(
        [
            None if group is None else tuple(map(_absent, astuple(group)))
            for group in (
                track.position,
                track.motion,
                track.identity,
                track.type,
                track.status,
                track.voyage,
                track.sensor,
                track.timing,
                track.residue,
            )
        ]
    )


def paths(entity: Entity) -> list[str]:
    """Every field that says something, `group.field` of a track, `kind.field` of another entity."""
    if not isinstance(entity, Track):
        kind = type(entity).__name__.lower()
        names = [name for name in entity.__struct_fields__ if name != "key"]
        return [f"{kind}.{name}" for name in names if getattr(entity, name) is not None]
    found = []
    for group in _groups:
        values = getattr(entity, group)
        if values is not None:
            names = values.__struct_fields__
            found += [f"{group}.{name}" for name in names if getattr(values, name) is not None]
    return found


def ledger_of(entity: Entity, said: Mapping[str, Entry]) -> Ledger:
    """The ledger in which every field of `entity` is named: as in `said`, or as dropped."""
    return Ledger(tuple(said.get(path) or Dropped(path, _MADE_ANEW.get(path, "no field")) for path in paths(entity)))


class Accounts:
    """Ledgers by what was sent and by shape; at most 4,096 are kept."""

    def __init__(self) -> None:
        self._made: dict[object, Ledger] = {}

    def of(self, key: object, entity: Entity, said: Callable[[], Mapping[str, Entry]]) -> Ledger:
        """The ledger of `entity`, whose shape is part of `key`."""
        ledger = self._made.get(key)
        if ledger is None:
            if len(self._made) >= _MAX:
                self._made.clear()
            ledger = self._made[key] = ledger_of(entity, said())
        return ledger
