"""Points of the model as coordinates of GeoJSON (RFC 7946, section 3.1), and back, exactly.

A position is longitude, latitude and, where known, height above the ellipsoid. A polygon's ring is closed and runs
counterclockwise; one that the model has clockwise is turned, which the property `clockwise` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aldis.apps.experiments.entity import Point
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["Shape", "drawn", "place", "points_of", "position"]

Shape = Literal["Point", "LineString", "Polygon"]
_RING = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """A geometry, and what it cannot say: depths in the order of the coordinates, and whether a ring was turned."""

    geometry: dict[str, Any]
    depths: list[float | None] | None
    clockwise: bool


def position(lat: float, lon: float, height: float | None) -> list[float]:
    """A position (3.1.1)."""
    return [lon, lat] if height is None else [lon, lat, height]


def drawn(shape: Shape, points: Sequence[Point]) -> Drawn | None:
    """The points as a geometry; None where it would be none of the shape."""
    least = {"Point": 1, "LineString": 2, "Polygon": 3}[shape]
    if len(points) < least or (shape == "Point" and len(points) > 1):
        return None
    clockwise = shape == "Polygon" and _turns_right(points)
    ordered = [points[0], *reversed(points[1:])] if clockwise else points
    places = [position(one.lat_deg, one.lon_deg, one.height_m) for one in ordered]
    depths = [one.depth_m for one in ordered]
    coordinates: Any = places[0] if shape == "Point" else places
    if shape == "Polygon":
        coordinates = [[*places, places[0]]]
    known = any(depth is not None for depth in depths)
    return Drawn({"type": shape, "coordinates": coordinates}, depths if known else None, clockwise)


def _turns_right(points: Sequence[Point]) -> bool:
    following = [*points[1:], points[0]]
    return sum((b.lon_deg - a.lon_deg) * (b.lat_deg + a.lat_deg) for a, b in zip(points, following, strict=True)) > 0


def place(value: Any) -> dict[str, Any]:
    """The fields of a position; further numbers in it are ignored, as section 3.1.1 says.

    Raises:
        Damaged: no position.
    """
    if not isinstance(value, list) or len(value) < 2:
        raise Damaged("not a geometry")
    found = {"lat_deg": value[1], "lon_deg": value[0]}
    if len(value) > 2:
        found["height_m"] = value[2]
    return found


def points_of(shape: str, coordinates: Any, depths: Any, clockwise: Any) -> tuple[list[dict[str, Any]], Sequence[Any]]:
    """The points that `drawn` drew, and the rings of holes, which the model has not.

    Raises:
        Damaged: no such geometry.
    """
    holes: Sequence[Any] = ()
    if shape == "Point":
        places = [place(coordinates)]
    elif shape == "LineString":
        places = [place(one) for one in _listed(coordinates)]
    elif shape == "Polygon":
        ring, *holes = _listed(coordinates)
        places = [place(one) for one in _listed(ring)]
        if len(places) < _RING or places[0] != places[-1]:
            raise Damaged("a ring is not closed")
        places.pop()
    else:
        raise Damaged("a geometry of another kind")
    if depths is not None:
        if not isinstance(depths, list) or len(depths) != len(places):
            raise Damaged("a value cannot be")
        for one, depth in zip(places, depths, strict=True):
            if depth is not None:
                one["depth_m"] = depth
    if clockwise is True:
        places[1:] = reversed(places[1:])
    return places, holes


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Damaged("not a geometry")
    return value
