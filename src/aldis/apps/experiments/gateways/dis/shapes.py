"""Which fields of a track's groups are there, found without asking each of a hundred.

A group whose fields are those that our own decoder gives is told from all others by how many are None, and that those
few are not. Any other is asked field by field.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter, is_
from typing import Any

from msgspec.structs import astuple

from aldis.apps.experiments.entity import (
    GROUPS,
    Identity,
    Motion,
    Position,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
)

__all__ = ["NO_GROUP", "Shape", "named", "shape_of", "shapes"]

Shape = int | tuple[bool, ...]
"""For each field of a group in turn, whether it is None; or the number of a shape that is often met."""

_NONES = (None,) * 64
_often: list[tuple[bool, ...]] = [()]
NO_GROUP = 0


def _met_often(kind: type[Any], *names: str) -> tuple[int, int]:
    """The number of a shape, and how many of its fields are None."""
    absent = tuple(name not in names for name in kind.__struct_fields__)
    _often.append(absent)
    return len(_often) - 1, sum(absent)


_MOVING = ("at", "speed_mps", "course_deg", "climb_mps", "heading_deg", "attitude", "dead_reckoning", "frame")
_PLACED, _PLACED_NONES = _met_often(Position, "lat_deg", "lon_deg", "at", "height_m", "original")
_TURNING, _TURNING_NONES = _met_often(Motion, *_MOVING, "acceleration_mps2", "rates_rad_s")
_STEADY, _STEADY_NONES = _met_often(Motion, *_MOVING)
_NAMED, _NAMED_NONES = _met_often(Identity, "at", "dis_id", "name")
_LOOKING, _LOOKING_NONES = _met_often(Status, "at", "appearance", "capabilities")
_HEARD, _HEARD_NONES = _met_often(Sensor, "protocol", "received_ms")
_TIMED, _TIMED_NONES = _met_often(Timing, "source_us", "source_uncertainty_us", "received_us", "clock")


_OFTEN = ("position", "motion", "identity", "type", "status", "sensor", "timing")
_SELDOM = tuple(name for name in GROUPS if name not in _OFTEN)
_seldom = attrgetter(*_SELDOM)
_NO_SELDOM, _NO_GROUPS = (None,) * len(_SELDOM), (NO_GROUP,) * len(_SELDOM)


def shape_of(group: Type | None) -> Shape:
    """The shape of a group that is kept beside something else that follows from the group."""
    return _asked(group)


def shapes(track: Track, type_shape: Shape) -> tuple[Shape, ...]:
    """The shapes of a track's groups, those that are often there first."""
    p, m, i, s, h, t = track.position, track.motion, track.identity, track.status, track.sensor, track.timing
    seldom = _seldom(track)
    often = (
        _PLACED
        if p is not None and p.at is not None and p.height_m is not None and p.original is not None
        and astuple(p).count(None) == _PLACED_NONES
        else _asked(p),
        _moving(m) if m is not None and m.attitude is not None and m.heading_deg is not None else _asked(m),
        _NAMED
        if i is not None and i.at is not None and i.dis_id is not None and i.name is not None
        and astuple(i).count(None) == _NAMED_NONES
        else _asked(i),
        type_shape,
        _LOOKING
        if s is not None and s.at is not None and s.appearance is not None and s.capabilities is not None
        and astuple(s).count(None) == _LOOKING_NONES
        else _asked(s),
        _HEARD if h is not None and astuple(h).count(None) == _HEARD_NONES else _asked(h),
        _TIMED
        if t is not None and t.source_us is not None and t.received_us is not None and t.clock is not None
        and t.source_uncertainty_us is not None and astuple(t).count(None) == _TIMED_NONES
        else _asked(t),
    )  # fmt: skip
    return often + (_NO_GROUPS if seldom == _NO_SELDOM else tuple(map(_asked, seldom)))


def _moving(group: Motion) -> Shape:
    if (
        group.speed_mps is None or group.course_deg is None or group.climb_mps is None or group.at is None
        or group.dead_reckoning is None or group.frame is None
    ):  # fmt: skip
        return _asked(group)
    nones = astuple(group).count(None)
    if nones == _TURNING_NONES and group.acceleration_mps2 is not None and group.rates_rad_s is not None:
        return _TURNING
    return _STEADY if nones == _STEADY_NONES else _asked(group)


def _asked(group: object | None) -> Shape:
    return tuple(map(is_, astuple(group), _NONES)) if group is not None else NO_GROUP  # type: ignore[arg-type]


def named(found: tuple[Shape, ...]) -> Iterator[str]:
    """The fields that are there, by their paths."""
    for group, shape in zip(_OFTEN + _SELDOM, found, strict=True):
        absences = _often[shape] if isinstance(shape, int) else shape
        for name, absent in zip(GROUPS[group].__struct_fields__, absences, strict=False):
            if not absent:
                yield f"{group}.{name}"
