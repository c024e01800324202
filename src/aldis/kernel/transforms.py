"""Transforms of a portion on its way out: coarsen, delay, pseudonymise. A closed set; nothing is ever added.

A shape that a transform does not know is withheld, never passed on as it is. The shapes are in `spec/release.md`:
a position is an object with `lat_deg` and `lon_deg` (WGS-84) and perhaps `at` in ms since 1970 UTC; an identity is
a text, a whole number, or an object that has such. Every other field is left out.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from aldis.kernel.encoding import b64
from aldis.kernel.instruments import Action, Transform

__all__ = ["Transformed", "Withheld", "apply_transforms", "describe", "not_before"]

_METRES_PER_DEGREE = 111_319.490793
"""Of a great circle of radius 6 378 137 m, the WGS-84 semi-major axis (NIMA TR8350.2)."""
_DECIMALS = 7
_PSEUDONYM_BYTES = 16
_CONTEXT = b"aldis/pseudonym/1"


@dataclass(frozen=True, slots=True)
class Transformed:
    """A JSON value that may go, and what was done to it."""

    value: Any
    transforms: tuple[Transform, ...]

    @property
    def words(self) -> str:
        """What was done to it, in words."""
        return ", ".join(map(describe, self.transforms))


@dataclass(frozen=True, slots=True)
class Withheld:
    """The value may not go, and why."""

    reason: str


def describe(transform: Transform) -> str:
    """A transform in words, such as `coarsen 1000 m` or `delay 3600 s`."""
    amounts = [f"{transform.grid_m} m"] * bool(transform.grid_m) + [f"{transform.seconds} s"] * bool(transform.seconds)
    return " ".join([transform.action.value, *amounts])


def not_before(transforms: Sequence[Transform], created: int) -> int:
    """The first instant, in ms since 1970 UTC, at which a portion created at `created` may go."""
    delays = (transform.seconds for transform in transforms if transform.action is Action.DELAY)
    return created + 1000 * max(delays, default=0)


def apply_transforms(
    transforms: Sequence[Transform], value: Any, *, secret: bytes, partner: str
) -> Transformed | Withheld:
    """The value after every transform, or why it is withheld; a delay changes nothing here (`not_before`).

    Args:
        transforms: what the clause asks of this portion, in its order.
        value: the portion's JSON value, decoded.
        secret: at least 16 bytes that only the originator holds; pseudonyms are made with it.
        partner: the node that the value goes to: two partners cannot link their pseudonyms.
    """
    for transform in transforms:
        if transform.action is Action.COARSEN:
            value = _coarsen(value, transform)
        elif transform.action is Action.PSEUDONYMISE:
            value = _pseudonymise(value, secret, partner)
        if isinstance(value, Withheld):
            return value
    return Transformed(value, tuple(transforms))


def _coarsen(value: Any, transform: Transform) -> dict[str, float | int] | Withheld:
    """The centre of the grid cell, and the time rounded down."""
    if not isinstance(value, dict):
        return Withheld("coarsen needs an object with lat_deg and lon_deg")
    lat, lon, at = _degrees(value, "lat_deg", 90), _degrees(value, "lon_deg", 180), value.get("at")
    if lat is None or lon is None:
        return Withheld("coarsen needs lat_deg and lon_deg in degrees")
    if at is not None and (not isinstance(at, int) or isinstance(at, bool)):
        return Withheld("coarsen needs `at` in whole milliseconds")
    grid = max(transform.grid_m, _grid(value))
    if transform.grid_m:
        lat, lon = _cell_centre(lat, lon, transform.grid_m)
    kept: dict[str, float | int] = {"lat_deg": lat, "lon_deg": lon}
    if grid:
        kept["grid_m"] = grid
    if at is not None:
        kept["at"] = at - at % (1000 * transform.seconds) if transform.seconds else at
    return kept


def _grid(value: dict[str, Any]) -> int:
    """The grid that the value was coarsened to before, in metres."""
    known = value.get("grid_m")
    return known if isinstance(known, int) and not isinstance(known, bool) else 0


def _degrees(value: dict[str, Any], key: str, limit: int) -> float | None:
    angle = value.get(key)
    if not (type(angle) is float or type(angle) is int) or not abs(angle) <= limit:
        return None
    return angle


def _cell_centre(lat: float, lon: float, grid_m: int) -> tuple[float, float]:
    """Rows of equal latitude no lower than the grid; in each, as many equal cells as fit around the parallel."""
    rows = max(1, math.floor(180 * _METRES_PER_DEGREE / grid_m))
    row = min(rows - 1, math.floor((lat + 90) / 180 * rows))
    middle = (row + 0.5) / rows * 180 - 90
    around = 360 * _METRES_PER_DEGREE * math.cos(math.radians(middle))
    columns = max(1, math.floor(around / grid_m))
    column = math.floor((lon + 180) / 360 * columns) % columns
    return round(middle, _DECIMALS), round((column + 0.5) / columns * 360 - 180, _DECIMALS)


def _pseudonymise(value: Any, secret: bytes, partner: str) -> Any:
    """Texts and whole numbers as keyed digests of partner, field and value (HMAC-SHA256, RFC 2104, 16 bytes)."""
    if _nameable(value):
        return _pseudonym("", value, secret, partner)
    if not isinstance(value, dict):
        return Withheld("pseudonymise needs a text, a whole number, or an object that has such")
    fields = {key: item for key, item in value.items() if _nameable(item) and key != "at"}
    if not fields:
        return Withheld("pseudonymise needs an object with a text or a whole number")
    return {key: _pseudonym(key, item, secret, partner) for key, item in fields.items()}


def _nameable(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _pseudonym(field: str, value: str | int, secret: bytes, partner: str) -> str:
    if len(secret) < _PSEUDONYM_BYTES:
        raise ValueError(f"a pseudonym secret of {len(secret)} bytes; it takes at least {_PSEUDONYM_BYTES}")
    message = _CONTEXT + b"\x00" + msgspec.json.encode([partner, field, value])
    return b64(hmac.digest(secret, message, "sha256")[:_PSEUDONYM_BYTES])
