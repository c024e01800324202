"""The sea that players are on: one wind and one current, and places on it a few metres apart.

Leeway is that of a life raft with deep ballast, capacity and loading unknown (LIFE-RAFT-DB-10): 3.52 % of the wind less
2.5 cm/s, downwind. Source: A. Allen and J. V. Plourde, Review of Leeway, US Coast Guard CG-D-08-99 (1999), as tabled
for Ø. Breivik and A. Allen, An operational search and rescue model, J. Marine Systems 69 (2008). The crosswind part and
the spread of the regression are left out: a simulated raft drifts straight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from aldis.apps.experiments.entity import Point

__all__ = ["Place", "Sea", "moved", "offset_m"]

Place = tuple[float, float]
"""Latitude and longitude in degrees."""

_SLOPE, _OFFSET_MPS = 0.0352, -0.025
_DEGREE_M = math.radians(6_371_008.8)  # of a great circle on the sphere of `geodesy.distance_m`


@dataclass(frozen=True, slots=True)
class Sea:
    """The wind comes from, and the current goes to, its bearing."""

    wind_from_deg: float = 225.0
    wind_mps: float = 9.0
    current_to_deg: float = 80.0
    current_mps: float = 0.2

    @property
    def current(self) -> tuple[float, float]:
        """Metres a second north and east, of the water."""
        return _vector(self.current_to_deg, self.current_mps)

    @property
    def drift(self) -> tuple[float, float]:
        """Metres a second north and east, of a raft."""
        leeway = max(0.0, _SLOPE * self.wind_mps + _OFFSET_MPS)
        north, east = _vector(self.wind_from_deg + 180.0, leeway)
        return north + self.current[0], east + self.current[1]

    def datum(self, lat_deg: float, lon_deg: float, seconds: float) -> Point:
        """Where a raft that was there drifts to in that time."""
        north, east = self.drift
        lat, lon = moved((lat_deg, lon_deg), north * seconds, east * seconds)
        return Point(lat_deg=lat, lon_deg=lon)


def moved(place: Place, north_m: float, east_m: float) -> Place:
    """A place so many metres away; for some kilometres, away from the poles."""
    lat, lon = place
    return lat + north_m / _DEGREE_M, lon + east_m / (_DEGREE_M * math.cos(math.radians(lat)))


def offset_m(start: Place, goal: Place) -> tuple[float, float]:
    """Metres north and east from one place to another."""
    scale = _DEGREE_M * math.cos(math.radians(start[0]))
    return (goal[0] - start[0]) * _DEGREE_M, math.remainder(goal[1] - start[1], 360) * scale


def _vector(bearing_deg: float, length: float) -> tuple[float, float]:
    bearing = math.radians(bearing_deg)
    return length * math.cos(bearing), length * math.sin(bearing)
