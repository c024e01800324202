"""Transforms never add information: a coarser value is a function of less."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldis.kernel.instruments import Action, Transform
from aldis.kernel.transforms import Transformed, Withheld, apply_transforms, describe, not_before

SECRET = b"0123456789abcdef"
latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
grids = st.sampled_from([1, 50, 1000, 5000, 100_000, 30_000_000])
EARTH_M = 6_378_137.0


def applied(value: Any, *transforms: Transform, partner: str = "gbr-low", secret: bytes = SECRET) -> Any:
    return apply_transforms(transforms, value, secret=secret, partner=partner)


def coarse(lat: float, lon: float, grid: int) -> dict[str, Any]:
    found = applied({"lat_deg": lat, "lon_deg": lon}, Transform("position", Action.COARSEN, grid_m=grid))
    assert isinstance(found, Transformed)
    return found.value  # type: ignore[no-any-return]


def distance_m(a: dict[str, Any], b: dict[str, Any]) -> float:
    lat1, lat2 = math.radians(a["lat_deg"]), math.radians(b["lat_deg"])
    half = math.sin(math.radians(b["lon_deg"] - a["lon_deg"]) / 2) ** 2
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * half
    return 2 * EARTH_M * math.asin(math.sqrt(min(1, h)))


@settings(deadline=None)
@given(latitudes, longitudes, grids)
def test_coarsening_again_changes_nothing(lat: float, lon: float, grid: int) -> None:
    once = coarse(lat, lon, grid)
    assert coarse(once["lat_deg"], once["lon_deg"], grid) == once


@settings(deadline=None)
@given(latitudes, longitudes, grids, st.floats(-0.4, 0.4), st.floats(-0.4, 0.4))
def test_every_point_of_a_cell_becomes_the_same_point(
    lat: float, lon: float, grid: int, up: float, east: float
) -> None:
    cell = coarse(lat, lon, grid)
    rows = max(1, math.floor(math.pi * EARTH_M / grid))
    around = 2 * math.pi * EARTH_M * math.cos(math.radians(cell["lat_deg"]))
    columns = max(1, math.floor(around / grid))
    near = coarse(
        max(-90, min(90, cell["lat_deg"] + up * 180 / rows)),
        max(-180, min(180, cell["lon_deg"] + east * 360 / columns)),
        grid,
    )
    assert near == cell


@settings(deadline=None)
@given(st.floats(-80, 80), longitudes, st.sampled_from([50, 1000, 5000]))
def test_a_cell_is_no_finer_than_its_grid_and_holds_its_points(lat: float, lon: float, grid: int) -> None:
    cell = coarse(lat, lon, grid)
    assert cell["grid_m"] == grid
    assert distance_m(cell, {"lat_deg": lat, "lon_deg": lon}) <= grid
    north = coarse(min(90, cell["lat_deg"] + 180 * grid / (math.pi * EARTH_M)), cell["lon_deg"], grid)
    assert north == cell or distance_m(cell, {**cell, "lat_deg": north["lat_deg"]}) >= 0.999 * grid


@settings(deadline=None)
@given(latitudes, longitudes, st.dictionaries(st.text(max_size=8), st.integers()))
def test_coarsening_leaves_out_every_other_field(lat: float, lon: float, others: dict[str, int]) -> None:
    value = {
        **others,
        "speed_mps": 7.5,
        "course_deg": 12.0,
        "name": "AURORA",
        "lat_deg": lat,
        "lon_deg": lon,
        "at": 1234,
    }
    found = applied(value, Transform("position", Action.COARSEN, grid_m=1000))
    assert set(found.value) <= {"lat_deg", "lon_deg", "grid_m", "at"}


def test_a_coarse_time_is_rounded_down() -> None:
    found = applied({"lat_deg": 0, "lon_deg": 0, "at": 123_456}, Transform("p", Action.COARSEN, seconds=60))
    assert found.value == {"lat_deg": 0, "lon_deg": 0, "at": 120_000}
    assert found.words == "coarsen 60 s"


def test_a_value_once_coarse_does_not_claim_to_be_finer() -> None:
    found = applied({"lat_deg": 1, "lon_deg": 2, "grid_m": 5000}, Transform("p", Action.COARSEN, grid_m=100))
    assert found.value["grid_m"] == 5000


@pytest.mark.parametrize(
    "value",
    [None, 3, "60N 25E", [60.0, 25.0], {}, {"lat_deg": 60}, {"lat_deg": "60", "lon_deg": 25}, {"lat": 60, "lon": 25},
     {"lat_deg": math.nan, "lon_deg": 0}, {"lat_deg": 91, "lon_deg": 0}, {"lat_deg": True, "lon_deg": 0},
     {"lat_deg": 0, "lon_deg": 0, "at": "noon"}],
)  # fmt: skip
def test_a_shape_that_coarsening_does_not_know_is_withheld(value: Any) -> None:
    found = applied(value, Transform("position", Action.COARSEN, grid_m=1000))
    assert isinstance(found, Withheld)
    assert "coarsen" in found.reason


IDENTITY = {"mmsi": 230_123_456, "name": "AURORA", "length_m": 92.5, "other_names": ["DAWN"], "own": True, "at": 99}


def test_a_pseudonym_replaces_every_text_and_number_and_the_rest_is_left_out() -> None:
    found = applied(IDENTITY, Transform("identity", Action.PSEUDONYMISE))
    assert set(found.value) == {"mmsi", "name"}
    assert not {"AURORA", "230123456", "DAWN"} & set(found.value.values())
    assert all(len(pseudonym) == 22 for pseudonym in found.value.values())


def test_a_pseudonym_is_the_same_for_one_partner_and_different_for_another() -> None:
    mask = Transform("identity", Action.PSEUDONYMISE)
    assert applied(IDENTITY, mask) == applied({**IDENTITY, "at": 100}, mask)
    others = [
        applied(IDENTITY, mask).value["mmsi"],
        applied(IDENTITY, mask, partner="usa-low").value["mmsi"],
        applied(IDENTITY, mask, secret=SECRET[::-1]).value["mmsi"],
        applied({**IDENTITY, "mmsi": 230_123_457}, mask).value["mmsi"],
        applied({"imo": 230_123_456}, mask).value["imo"],
    ]
    assert len(set(others)) == 5


@pytest.mark.parametrize("value", [None, 1.5, True, [], ["AURORA"], {}, {"length_m": 9.5}, {"who": {"name": "AURORA"}}])
def test_a_shape_that_pseudonymising_does_not_know_is_withheld(value: Any) -> None:
    assert isinstance(applied(value, Transform("identity", Action.PSEUDONYMISE)), Withheld)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        applied("AURORA", Transform("identity", Action.PSEUDONYMISE), secret=b"short")


def test_a_delay_says_when_and_changes_nothing() -> None:
    wait = Transform("position", Action.DELAY, seconds=60)
    found = applied({"any": ["shape"]}, wait)
    assert (found.value, found.words) == ({"any": ["shape"]}, "delay 60 s")
    assert not_before((wait, Transform("position", Action.DELAY, seconds=90)), 1000) == 91_000
    assert not_before((), 1000) == 1000


def test_transforms_apply_in_their_order_and_say_so() -> None:
    both = (Transform("p", Action.COARSEN, grid_m=1000), Transform("p", Action.DELAY, seconds=60))
    assert applied({"lat_deg": 60, "lon_deg": 25}, *both).words == "coarsen 1000 m, delay 60 s"
    assert describe(Transform("p", Action.COARSEN, grid_m=10, seconds=5)) == "coarsen 10 m 5 s"
    masked = (Transform("p", Action.PSEUDONYMISE), Transform("p", Action.COARSEN, grid_m=1000))
    assert isinstance(applied({"lat_deg": 60, "lon_deg": 25}, *masked), Withheld)
