"""Heights above mean sea level and above the WGS-84 ellipsoid: the geoid EGM96, offline.

The grid is `WW15MGH.GRD` of the NGA (a work of the United States, public domain): the undulation at every 15 minutes
of latitude and longitude, here to the centimetre; `python -m tests.geoid` makes the file that is shipped. Between its
points a cubic convolution over the 16 nearest is taken (Keys 1981, a = -1/2): at the six points of the NGA's own test
data within 0.02 m of its results, and anywhere within 0.1 m of the spline that its program takes, 0.004 m on average.
"""

from __future__ import annotations

import zlib
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import VerificationFailed

__all__ = ["ERROR_M", "ellipsoidal_m", "msl_m", "pack", "undulation_m", "unpack"]

ERROR_M = 0.1
"""The greatest difference to the NGA's own interpolation; EGM96 itself is within about 1 m of mean sea level."""
FILE = "egm96-15.bin"
ROWS, COLUMNS = 721, 1440
_STEPS = 4  # a degree
_SHA256 = "9dcaf4efd6857aaa2e1e2e2c574d3f5264eacf47024cdcd5291c40ddad5e5acc"
"""Of the grid as NGA has it: rows from north to south, from 0 degrees eastwards, big-endian int16 centimetres."""

_Cell = tuple[float, ...]


def undulation_m(lat_deg: float, lon_deg: float) -> float:
    """How far the geoid lies above the ellipsoid, in metres, for a latitude in [-90, 90] and any longitude."""
    down, east = (90 - lat_deg) * _STEPS, lon_deg % 360 * _STEPS
    row, column = min(int(down), ROWS - 2), int(east)
    cell = _cell(row, column % COLUMNS)
    a, b, c, d = _weights(east - column)
    w = _weights(down - row)
    return (
        w[0] * (a * cell[0] + b * cell[1] + c * cell[2] + d * cell[3])
        + w[1] * (a * cell[4] + b * cell[5] + c * cell[6] + d * cell[7])
        + w[2] * (a * cell[8] + b * cell[9] + c * cell[10] + d * cell[11])
        + w[3] * (a * cell[12] + b * cell[13] + c * cell[14] + d * cell[15])
    )


def ellipsoidal_m(lat_deg: float, lon_deg: float, msl: float) -> float:
    """The height above the ellipsoid of what is `msl` metres above mean sea level."""
    return msl + undulation_m(lat_deg, lon_deg)


def msl_m(lat_deg: float, lon_deg: float, height_m: float) -> float:
    """The height above mean sea level of what is `height_m` above the ellipsoid."""
    return height_m - undulation_m(lat_deg, lon_deg)


def pack(grid: bytes) -> bytes:
    """NGA's grid as it is shipped: second differences along rows and columns, low bytes before high ones, deflated."""
    left = np.frombuffer(grid, ">i2").reshape(ROWS, COLUMNS).astype(np.uint16)
    for axis in (0, 0, 1, 1):
        left = np.diff(left, axis=axis, prepend=np.zeros_like(left[:1] if axis == 0 else left[:, :1]))
    folded = (left << np.uint16(1)) ^ (left.astype(np.int16) >> 15).astype(np.uint16)
    halves = [(folded & 0xFF).astype(np.uint8), (folded >> 8).astype(np.uint8)]
    return zlib.compress(b"".join(half.tobytes() for half in halves), 9)


def unpack(data: bytes) -> bytes:
    """The grid as NGA has it, of what `pack` made.

    Raises:
        VerificationFailed: it is another, or damaged.
    """
    try:
        low, high = np.frombuffer(zlib.decompress(data), np.uint8).reshape(2, ROWS, COLUMNS).astype(np.uint16)
    except (zlib.error, ValueError) as error:
        raise VerificationFailed(f"{FILE} is damaged", fix="Install aldis again") from error
    folded = low | high << np.uint16(8)
    grid = (folded >> np.uint16(1)) ^ (np.uint16(0) - (folded & np.uint16(1)))
    for axis in (1, 1, 0, 0):
        grid = np.cumsum(grid, axis=axis, dtype=np.uint16)
    found = grid.astype(np.int16).astype(">i2").tobytes()
    if sha256(found).hex() != _SHA256:
        raise VerificationFailed(f"{FILE} is not the grid pinned here", fix="Install aldis again")
    return found


@cache
def _grid() -> memoryview:
    """The grid in memory, row by row."""
    data = unpack((files("aldis.apps.experiments.entity") / FILE).read_bytes())
    return memoryview(np.frombuffer(data, ">i2").astype(np.int16).tobytes()).cast("h")


@lru_cache(maxsize=4096)
def _cell(row: int, column: int) -> _Cell:
    """The undulations (m) at the 16 points around a cell; beyond a pole lies the meridian opposite."""
    grid, found = _grid(), list[float]()
    for at in range(row - 1, row + 3):
        over = at < 0 or at >= ROWS
        line = (-at if at < 0 else 2 * (ROWS - 1) - at) if over else at
        first = column - 1 + (COLUMNS // 2 if over else 0)
        found += [grid[line * COLUMNS + (first + step) % COLUMNS] / 100 for step in range(4)]
    return tuple(found)


def _weights(t: float) -> tuple[float, float, float, float]:
    """Keys' weights of the points at -1, 0, 1, 2 for a place `t` between 0 and 1."""
    s = 1 - t
    return -t * s * s / 2, 1 - t * t * (5 - 3 * t) / 2, 1 - s * s * (5 - 3 * s) / 2, -s * t * t / 2
