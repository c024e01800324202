"""Parallel legs over an outline, as a mower goes: everything inside is within half a spacing of a leg."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from aldis.apps.experiments.entity import Point

__all__ = ["MOST", "circle", "legs"]

MOST = 400
"""Legs of one area; autopilots keep some hundred items."""

_DEGREE_M = 111_319.49  # of a great circle on a sphere with the equator's radius
_CORNERS = 64

_Place = tuple[float, float]


def circle(centre: Point, radius_m: float) -> list[Point]:
    """Its outline: a polygon of 32 corners that encloses it, at latitudes below 89 degrees."""
    count = 32
    out = radius_m / math.cos(math.pi / count) / _DEGREE_M
    east = out / math.cos(math.radians(min(89.0, abs(centre.lat_deg))))
    turns = [math.tau * corner / count for corner in range(count)]
    return [
        Point(
            lat_deg=max(-90.0, min(90.0, centre.lat_deg + out * math.cos(turn))),
            lon_deg=math.remainder(centre.lon_deg + east * math.sin(turn), 360),
        )
        for turn in turns
    ]


def legs(outline: Sequence[Point], spacing_m: float) -> list[Point]:
    """Waypoints, two for each leg, over the inside of `outline`, which closes itself and does not cross itself.

    Legs run along that edge across which the area is narrowest, at most `spacing_m` apart. Where the outline bends
    inwards a strip has several legs; a leg leaves the area by no more than its strip is wide.

    Raises:
        ValueError: fewer than 3 corners, more than 64, no inside, or more than 400 legs.
    """
    if not 3 <= len(outline) <= _CORNERS:
        raise ValueError(f"an area to survey has 3 to {_CORNERS} corners: this one has {len(outline)}")
    if not spacing_m > 0:
        raise ValueError("legs have a spacing above 0 m")
    first = outline[0]
    scale = math.cos(math.radians(sum(point.lat_deg for point in outline) / len(outline)))
    flat = [
        (
            math.remainder(point.lon_deg - first.lon_deg, 360) * _DEGREE_M * scale,
            (point.lat_deg - first.lat_deg) * _DEGREE_M,
        )
        for point in outline
    ]
    along = _direction(flat)
    turned = [_turn(place, (along[0], -along[1])) for place in flat]
    low, high = min(y for _, y in turned), max(y for _, y in turned)
    count = math.ceil((high - low) / spacing_m - 1e-9)
    if count < 1:
        raise ValueError("the area has no inside: give corners that do not lie on one line")
    if count > MOST:
        raise ValueError(f"{count} legs are more than {MOST}: make the spacing wider or the area smaller")
    width = (high - low) / count
    way: list[_Place] = []
    for strip in range(count):
        bottom = low + strip * width
        pieces = _pieces(turned, bottom, bottom + width)
        if strip % 2:
            pieces = [(right, left) for left, right in reversed(pieces)]
        way += [(x, bottom + width / 2) for piece in pieces for x in piece]
    if len(way) > 2 * MOST:
        raise ValueError(f"more than {MOST} legs: make the spacing wider or the area smaller")
    return [_point(_turn(place, along), first, scale) for place in way]


def _turn(place: _Place, by: _Place) -> _Place:
    return place[0] * by[0] - place[1] * by[1], place[0] * by[1] + place[1] * by[0]


def _direction(flat: Sequence[_Place]) -> _Place:
    """The unit vector of the edge across which the outline is narrowest."""
    best: tuple[float, _Place] | None = None
    for (x1, y1), (x2, y2) in zip(flat, [*flat[1:], flat[0]], strict=True):
        length = math.hypot(x2 - x1, y2 - y1)
        if length > 0:
            unit = ((x2 - x1) / length, (y2 - y1) / length)
            across = [y * unit[0] - x * unit[1] for x, y in flat]
            extent = max(across) - min(across)
            if best is None or extent < best[0] - 1e-9:
                best = extent, unit
    if best is None:
        raise ValueError("the area has no inside: its corners are one point")
    return best[1]


def _pieces(flat: Sequence[_Place], bottom: float, top: float) -> list[_Place]:
    """From where to where the area reaches within a strip, each connected piece of it, left to right."""
    levels = sorted({bottom, top, *(y for _, y in flat if bottom < y < top)})
    spans: list[_Place] = []
    for low, high in pairwise(levels):
        crossing = []
        for (x1, y1), (x2, y2) in zip(flat, [*flat[1:], flat[0]], strict=True):
            if min(y1, y2) <= low and max(y1, y2) >= high and y1 != y2:
                at_low, at_high = (x1 + (x2 - x1) * (level - y1) / (y2 - y1) for level in (low, high))
                crossing.append((at_low + at_high, min(at_low, at_high), max(at_low, at_high)))
        crossing.sort()
        spans += [(left[1], right[2]) for left, right in zip(crossing[::2], crossing[1::2], strict=False)]
    pieces: list[_Place] = []
    for left, right in sorted(spans):
        if pieces and left <= pieces[-1][1]:
            pieces[-1] = pieces[-1][0], max(pieces[-1][1], right)
        else:
            pieces.append((left, right))
    return pieces


def _point(place: _Place, first: Point, scale: float) -> Point:
    return Point(
        lat_deg=max(-90.0, min(90.0, first.lat_deg + place[1] / _DEGREE_M)),
        lon_deg=math.remainder(first.lon_deg + place[0] / (_DEGREE_M * scale), 360),
    )
