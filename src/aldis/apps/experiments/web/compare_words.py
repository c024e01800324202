"""The values of a track's portions in words, short enough for a cell of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["MARKED", "in_words"]

MARKED = 160
_UNITS = {"_mps": "m/s", "_deg": "°", "_m": "m", "_percent": "%", "_v": "V", "_a": "A"}
_LEFT_OUT = frozenset({"at", "original", "received_ms"})


def in_words(portion: str, value: Any) -> str:
    """A portion's value; whatever it is, at most `MARKED` characters."""
    said = _position(value) if portion == "position" else ""
    text = said or _plainly(value)
    return text if len(text) <= MARKED else f"{text[:MARKED]}…"


def _position(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    lat, lon, grid = value.get("lat_deg"), value.get("lon_deg"), value.get("grid_m")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return ""
    more = {name: one for name, one in value.items() if name not in {*_LEFT_OUT, "lat_deg", "lon_deg", "grid_m"}}
    place = f"{abs(lat):.5f} {'N' if lat >= 0 else 'S'} {abs(lon):.5f} {'E' if lon >= 0 else 'W'}"
    return ", ".join([place, *([f"grid of {grid} m"] if grid else []), *([_plainly(more)] if more else [])])


def _plainly(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_named(str(name), one) for name, one in value.items() if name not in _LEFT_OUT)
    if isinstance(value, list | tuple):
        return "; ".join(_plainly(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _named(name: str, value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    for end, unit in _UNITS.items() if number else ():
        if name.endswith(end):
            return f"{name.removesuffix(end).replace('_', ' ')} {_plainly(value)} {unit}"
    return f"{name.replace('_', ' ')} {_plainly(value)}"
