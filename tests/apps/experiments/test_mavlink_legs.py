"""Legs over an area: everything inside is within half a spacing of one."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.entity import Point
from aldis.apps.experiments.gateways.mavlink.legs import circle, legs

METRES = 111_319.49


def at(lat: float, lon: float) -> Point:
    return Point(lat_deg=lat, lon_deg=lon)


def flat(points: list[Point], origin: Point) -> list[tuple[float, float]]:
    scale = math.cos(math.radians(origin.lat_deg))
    return [
        (math.remainder(p.lon_deg - origin.lon_deg, 360) * METRES * scale, (p.lat_deg - origin.lat_deg) * METRES)
        for p in points
    ]


def inside(x: float, y: float, outline: list[tuple[float, float]]) -> bool:
    odd = False
    for (x1, y1), (x2, y2) in zip(outline, outline[1:] + outline[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * (y - y1) / (y2 - y1):
            odd = not odd
    return odd


def away(x: float, y: float, leg: tuple[tuple[float, float], tuple[float, float]]) -> float:
    (x1, y1), (x2, y2) = leg
    length = (x2 - x1) ** 2 + (y2 - y1) ** 2
    share = max(0.0, min(1.0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length)) if length else 0.0
    return math.hypot(x - x1 - share * (x2 - x1), y - y1 - share * (y2 - y1))


def uncovered(outline: list[Point], spacing_m: float, seed: int = 1) -> float:
    """The greatest distance of 150 random places inside from the nearest leg."""
    way = legs(outline, spacing_m)
    origin = outline[0]
    corners, places = flat(outline, origin), flat(way, origin)
    pairs = list(zip(places[::2], places[1::2], strict=True))
    chance = random.Random(seed)
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    worst = 0.0
    for _ in range(150):
        x, y = chance.uniform(min(xs), max(xs)), chance.uniform(min(ys), max(ys))
        if inside(x, y, corners):
            worst = max(worst, min(away(x, y, pair) for pair in pairs))
    return worst


@st.composite
def outlines(draw: st.DrawFn) -> list[Point]:
    """Stars: corners in turn around a middle, as far out as it happens, so often with bays."""
    lat, lon = draw(st.floats(-70, 70)), draw(st.floats(-180, 180))
    count = draw(st.integers(3, 12))
    points = []
    for corner in range(count):
        turn, out = math.tau * corner / count, draw(st.floats(50, 500)) / METRES
        east = out * math.sin(turn) / math.cos(math.radians(lat))
        points.append(at(lat + out * math.cos(turn), math.remainder(lon + east, 360)))
    return points


@given(outlines(), st.floats(10, 200))
def test_everything_inside_is_within_half_a_spacing_of_a_leg(outline: list[Point], spacing_m: float) -> None:
    assert uncovered(outline, spacing_m) <= spacing_m / 2 * 1.001 + 0.01


def test_a_square_is_gone_over_there_and_back() -> None:
    side = 100 / METRES
    way = legs([at(0, 0), at(0, 2 * side), at(side, 2 * side), at(side, 0)], 25)
    assert len(way) == 8
    lats = [round(point.lat_deg / side, 3) for point in way]
    assert lats == [0.125, 0.125, 0.375, 0.375, 0.625, 0.625, 0.875, 0.875]
    assert [round(point.lon_deg / side / 2) for point in way] == [0, 1, 1, 0, 0, 1, 1, 0]


def test_a_circle_has_an_outline_that_holds_it() -> None:
    centre = at(60, 179.999)
    corners = flat(circle(centre, 300), centre)
    assert all(inside(299.9 * math.cos(turn), 299.9 * math.sin(turn), corners) for turn in range(100))
    assert uncovered(circle(centre, 300), 40) <= 20.1


def test_what_is_no_area_is_refused() -> None:
    line = [at(0, 0), at(0, 1), at(0, 2)]
    for outline, spacing, wrong in (
        (line[:2], 10, "3 to 64 corners"),
        (line, 10, "no inside"),
        ([at(0, 0)] * 3, 10, "one point"),
        ([at(0, 0), at(0, 1), at(1, 0)], 10, "wider"),
        ([at(0, 0), at(0, 1), at(1, 0)], 0, "above 0"),
        ([at(0, 0), at(0, 1), at(1, 0)], math.nan, "above 0"),
    ):
        with pytest.raises(ValueError, match=wrong):
            legs(outline, spacing)
