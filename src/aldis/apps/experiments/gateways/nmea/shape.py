"""Which fields of an entity say something, and the ledger of sending it; ledgers are made once for each shape."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import to_builtins
from msgspec.structs import astuple

from aldis.apps.experiments.entity import (
    GROUPS,
    Dropped,
    Identity,
    Ledger,
    Motion,
    Position,
    Reason,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
)
from aldis.apps.experiments.entity.losses import Entity, Entry

__all__ = ["keep", "ledger_of", "paths", "shape_of"]

_groups = tuple(GROUPS)
_MAX = 4096
# fields beyond those that `_usual` looks at and those that are never absent
_USUAL = (Position, Motion, Identity, Type, Sensor, Timing)
_OTHERS = sum(len(group.__struct_fields__) for group in _USUAL) - 17 - 4
_UNUSUAL = len(GROUPS) - 7  # groups
_STATES = len(Status.__struct_fields__) - 3
_MADE_ANEW: dict[str, Reason] = dict.fromkeys(
    ("timing.received_us", "timing.clock", "timing.source_uncertainty_us", "sensor.protocol", "sensor.received_ms"),
    "made anew",
)


def shape_of(track: Track) -> tuple[object, ...]:
    """Which fields of which groups there are: equal for tracks that say the same kinds of things."""
    return _usual(track) or tuple((name, tuple(group)) for name, group in to_builtins(track).items() if name != "key")


def _usual(track: Track) -> tuple[object, ...] | None:
    """A quick shape, of tracks that say no more than position reports do; None of others.

    What is looked at are the fields of such reports; that no others are there is seen from the number of fields that
    are not.
    """
    p, m, i, t, s, o, c = (
        track.position, track.motion, track.identity, track.type, track.status, track.sensor, track.timing
    )  # fmt: skip
    if p is None or m is None or i is None or t is None or o is None or c is None:
        return None
    if astuple(track).count(None) != _UNUSUAL + (s is None):
        return None
    absent = (
        p.at is None,
        p.accurate is None,
        m.at is None,
        m.speed_mps is None,
        m.course_deg is None,
        m.heading_deg is None,
        m.turn_deg_per_min is None,
        m.turning is None,
        m.frame is None,
        i.mmsi is None,
        t.station is None,
        o.channel is None,
        o.own is None,
        c.source_us is None,
        c.source_uncertainty_us is None,
        c.received_us is None,
        c.clock is None,
    )
    others = (
        astuple(p).count(None)
        + astuple(m).count(None)
        + astuple(i).count(None)
        + astuple(t).count(None)
        + astuple(o).count(None)
        + astuple(c).count(None)
        - absent.count(True)
    )
    if s is None:
        return absent if others == _OTHERS else None
    state = (s.at is None, s.nav_status is None, s.special_manoeuvre is None)
    others += astuple(s).count(None) - state.count(True)
    return (*absent, *state) if others == _OTHERS + _STATES else None


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


def keep(made: dict[object, Ledger], key: object, ledger: Ledger) -> None:
    """Keep `ledger` for what has the same `key`, with at most 4,096 others."""
    if len(made) >= _MAX:
        made.clear()
    made[key] = ledger
