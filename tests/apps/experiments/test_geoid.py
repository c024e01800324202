import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import RectBivariateSpline  # type: ignore[import-untyped]

from aldis.apps.experiments.entity import geoid
from aldis.apps.experiments.entity.geoid import ERROR_M, ellipsoidal_m, msl_m, undulation_m
from aldis.kernel.errors import VerificationFailed

LAT, LON = st.floats(-90, 90), st.floats(-720, 720)
NGA = (
    (38.6281550, 269.7791550, -31.628),
    (-14.6212170, 305.0211140, -2.969),
    (46.8743190, 102.4487290, -43.575),
    (-23.6174460, 133.8747120, 15.871),
    (38.6254730, 359.9995000, 50.066),
    (-0.4667440, 0.0023000, 17.329),
)
"""Input and result of the NGA's program INTPT: INPUT.DAT and OUTINTPT.DAT, as its README.TXT of EGM96 prints them."""


@pytest.mark.parametrize(("lat", "lon", "undulation"), NGA)
def test_the_points_that_the_nga_publishes_are_met(lat: float, lon: float, undulation: float) -> None:
    assert undulation_m(lat, lon) == pytest.approx(undulation, abs=0.02)


def test_nowhere_is_it_further_from_a_spline_through_the_grid_than_is_said() -> None:
    grid = np.array(geoid._grid()).reshape(geoid.ROWS, geoid.COLUMNS) / 100
    around = np.concatenate([grid[:, -20:], grid, grid[:, :20]], axis=1)
    spline = RectBivariateSpline(np.arange(geoid.ROWS), np.arange(-20, geoid.COLUMNS + 20), around)
    chance = np.random.default_rng(96)
    down, east = chance.uniform(2, geoid.ROWS - 3, 20_000), chance.uniform(0, geoid.COLUMNS, 20_000)
    ours = [undulation_m(90 - row / 4, column / 4) for row, column in zip(down, east, strict=True)]
    assert np.abs(spline.ev(down, east) - ours).max() < ERROR_M


@given(st.integers(0, geoid.ROWS - 1), st.integers(0, geoid.COLUMNS - 1))
def test_at_a_point_of_the_grid_its_own_value_is_met(row: int, column: int) -> None:
    assert undulation_m(90 - row / 4, column / 4) == pytest.approx(geoid._grid()[row * geoid.COLUMNS + column] / 100)


@given(LAT, LON)
def test_it_is_finite_and_smooth_everywhere_and_the_same_after_a_turn(lat: float, lon: float) -> None:
    here = undulation_m(lat, lon)
    assert -107.5 < here < 86
    assert undulation_m(lat, lon + 360) == pytest.approx(here, abs=1e-6)
    beside = undulation_m(max(-90.0, min(90.0, lat + 1e-6)), lon + 1e-6)
    assert beside == pytest.approx(here, abs=1e-3)


@given(LAT, LON, st.floats(-11_000, 100_000))
def test_a_height_comes_back(lat: float, lon: float, height: float) -> None:
    assert msl_m(lat, lon, ellipsoidal_m(lat, lon, height)) == pytest.approx(height, abs=1e-9)


@pytest.mark.parametrize("lat", [90.0, -90.0])
def test_a_pole_is_one_point(lat: float) -> None:
    assert len({round(undulation_m(lat, lon), 9) for lon in (-180.0, -1e-15, 0.0, 77.7, 359.99)}) == 1


def test_the_file_is_small_is_the_pinned_grid_and_is_made_again_alike() -> None:
    data = Path(geoid.__file__).with_name(geoid.FILE).read_bytes()
    assert len(data) < 600_000
    grid = geoid.unpack(data)
    assert geoid.unpack(geoid.pack(grid)) == grid
    for damaged in (data[:-9], b"", bytes([*data[:-1], data[-1] ^ 1]), geoid.pack(grid[2:] + grid[:2])):
        with pytest.raises(VerificationFailed, match=r"egm96-15\.bin"):
            geoid.unpack(damaged)


def test_it_is_read_once_and_quickly() -> None:
    began = time.perf_counter()
    geoid._grid.cache_clear()
    undulation_m(59.9, 24.5)
    assert time.perf_counter() - began < 1
    assert geoid._grid() is geoid._grid()
