"""Leases: who holds a system now, and whether a task is within what was agreed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aldis.apps.experiments.entity import Point, Task
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.orders.kinds import Terms

__all__ = ["Lease", "beyond", "in_force"]

_Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as its owner recorded it: the id of its record, when that version was written, its terms and area."""

    id: str
    written: int
    terms: Terms
    area: tuple[Point, ...] = ()

    def holds(self, now: int) -> bool:
        """Whether it is in force at a time of the owner's clock, in ms."""
        return self.terms.ended_ms is None and self.terms.from_ms <= now < self.terms.until_ms


def in_force(leases: Iterable[Lease], track: str, now: int) -> Lease | None:
    """The one lease of a system that counts: of several, the one that was written last."""
    holding = [one for one in leases if one.terms.track == track and one.holds(now)]
    return max(holding, key=lambda one: (one.written, one.id), default=None)


def beyond(lease: Lease, task: Task) -> str:
    """What of a task is outside the terms of a lease; "" where all is within them.

    With an area, every place of the task, the ways between them and the whole of a circle must be inside.
    """
    if task.verb not in lease.terms.verbs:
        return f"the lease is not for {task.verb}"
    if not lease.area:
        return ""
    if task.verb == "come home":
        return "home may be outside the area of the lease"
    points = list(task.points or [])
    inside = all(_inside(point, lease.area) for point in points)
    crossing = any(_crosses(one, other, lease.area) for one, other in pairwise([*points, *points[:1]]))
    if not inside or crossing or (task.radius_m and any(_near(one, task.radius_m, lease.area) for one in points)):
        return "outside the area of the lease"
    return ""


def _flat(point: Point, origin: Point) -> _Place:
    return math.remainder(point.lon_deg - origin.lon_deg, 360), point.lat_deg


def _edges(area: Sequence[Point]) -> list[tuple[_Place, _Place]]:
    places = [_flat(point, area[0]) for point in area]
    return list(pairwise([*places, places[0]]))


def _inside(point: Point, area: Sequence[Point]) -> bool:
    x, y = _flat(point, area[0])
    odd = False
    for (x1, y1), (x2, y2) in _edges(area):
        if (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * (y - y1) / (y2 - y1):
            odd = not odd
    return odd


def _crosses(one: Point, other: Point, area: Sequence[Point]) -> bool:
    a, b = _flat(one, area[0]), _flat(other, area[0])
    return any(_side(c, d, a) * _side(c, d, b) < 0 and _side(a, b, c) * _side(a, b, d) < 0 for c, d in _edges(area))


def _side(a: _Place, b: _Place, c: _Place) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _near(point: Point, radius_m: float, area: Sequence[Point]) -> bool:
    """Whether an edge is nearer than the radius."""
    x, y = _flat(point, area[0])
    scale = math.cos(math.radians(point.lat_deg)) or 1e-9
    for (x1, y1), (x2, y2) in _edges(area):
        dx, dy = (x2 - x1) * scale, y2 - y1
        length = dx * dx + dy * dy
        share = max(0.0, min(1.0, (((x - x1) * scale) * dx + (y - y1) * dy) / length)) if length else 0.0
        east, north = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
        if distance_m(point.lat_deg, 0.0, max(-90.0, min(90.0, north)), math.remainder(east - x, 360)) < radius_m:
            return True
    return False
