"""Named units, and what they come to in the unit that stands in the name of a field of the model."""

from __future__ import annotations

import math

from aldis.kernel.errors import InvalidInput, UnknownTerm

__all__ = ["UNITS", "conversion", "unit_of"]

_FOOT = 0.3048
_MILE = 1852.0
UNITS: dict[str, tuple[str, float, float]] = {
    "m": ("length", 1, 0),
    "km": ("length", 1000, 0),
    "cm": ("length", 0.01, 0),
    "mm": ("length", 0.001, 0),
    "ft": ("length", _FOOT, 0),
    "yd": ("length", 3 * _FOOT, 0),
    "fathom": ("length", 6 * _FOOT, 0),
    "nmi": ("length", _MILE, 0),
    "m/s": ("speed", 1, 0),
    "mm/s": ("speed", 0.001, 0),
    "cm/s": ("speed", 0.01, 0),
    "km/h": ("speed", 1 / 3.6, 0),
    "kn": ("speed", _MILE / 3600, 0),
    "ft/s": ("speed", _FOOT, 0),
    "ft/min": ("speed", _FOOT / 60, 0),
    "m/s2": ("acceleration", 1, 0),
    "g": ("acceleration", 9.80665, 0),
    "deg": ("angle", 1, 0),
    "rad": ("angle", math.degrees(1), 0),
    "mil": ("angle", 360 / 6400, 0),
    "turn": ("angle", 360, 0),
    "deg/min": ("rate of turn", 1, 0),
    "deg/s": ("rate of turn", 60, 0),
    "rad/s": ("rate of turn", math.degrees(60), 0),
    "degC": ("temperature", 1, 0),
    "K": ("temperature", 1, -273.15),
    "degF": ("temperature", 5 / 9, -160 / 9),
    "hPa": ("pressure", 1, 0),
    "Pa": ("pressure", 0.01, 0),
    "kPa": ("pressure", 10, 0),
    "inHg": ("pressure", 33.86389, 0),
    "percent": ("share", 1, 0),
    "ratio": ("share", 100, 0),
    "V": ("voltage", 1, 0),
    "mV": ("voltage", 0.001, 0),
    "A": ("current", 1, 0),
    "mA": ("current", 0.001, 0),
    "us": ("time", 1, 0),
    "ns": ("time", 0.001, 0),
    "ms": ("time", 1000, 0),
    "s": ("time", 1_000_000, 0),
    "min": ("time", 60_000_000, 0),
    "h": ("time", 3_600_000_000, 0),
}
"""Each unit's dimension, and factor and offset to the first unit of that dimension. ISO 80000; BIPM, 9th edition."""
_NAMED = {
    "deg_per_min": "deg/min",
    "mps2": "m/s2",
    "mps": "m/s",
    "deg": "deg",
    "percent": "percent",
    "hpa": "hPa",
    "us": "us",
    "ms": "ms",
    "c": "degC",
    "v": "V",
    "a": "A",
    "m": "m",
    "s": "s",
}
"""The endings of the model's names, the longer first."""


def unit_of(path: str) -> str:
    """The unit in the name of a field of the model; empty for one without."""
    if path.endswith(".at"):
        return "ms"
    return next((unit for ending, unit in _NAMED.items() if path.endswith(f"_{ending}")), "")


def conversion(unit: str, path: str) -> tuple[float, float]:
    """Factor and offset from a unit to that of a field.

    Raises:
        UnknownTerm: no such unit.
        InvalidInput: the field is of another dimension.
    """
    if unit not in UNITS:
        raise UnknownTerm(f"the unit {unit!r} is not known", fix=f"Write one of {', '.join(UNITS)}")
    target = unit_of(path)
    dimension, factor, offset = UNITS[unit]
    if not target or UNITS[target][0] != dimension:
        raise InvalidInput(f"{path!r} cannot be given in {unit!r}, a unit of {dimension}", fix="Leave the unit out")
    _, least, zero = UNITS[target]
    return factor / least, (offset - zero) / least
