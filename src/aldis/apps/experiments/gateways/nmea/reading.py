"""Fields of sentences as numbers, places and text (IEC 61162-1, 7.1 and 7.2)."""

from __future__ import annotations

import re

from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["STATES", "number_of", "place_of", "unescaped"]

STATES = {"L": "lost", "Q": "acquiring", "T": "tracking"}
"""A radar target's status in words."""
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{0,9})?")
_PLACE = re.compile(r"(\d{2,3})(\d\d(?:\.\d{0,9})?)")
_ESCAPE = re.compile(r"\^([0-9A-F]{2})")


def number_of(text: str | None, least: float = -1e9, most: float = 1e9) -> float | None:
    """The number that a field holds.

    Raises:
        Damaged: it holds none, or one out of range.
    """
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or not least <= float(text) <= most:
        raise Damaged("out of range" if _NUMBER.fullmatch(text) else "undecodable")
    return float(text)


def unescaped(text: str) -> str:
    """Text in which `^hh` stands for a character that sentences reserve (IEC 61162-1, 7.1.4)."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def place_of(get: dict[str, str]) -> tuple[float, float] | None:
    """Latitude and longitude in degrees.

    Raises:
        Damaged: there is no such place.
    """
    if "lat" not in get or "lon" not in get:
        return None
    values = []
    for name, side, negative, limit in (("lat", "ns", "S", 90), ("lon", "ew", "W", 180)):
        found = _PLACE.fullmatch(get[name])
        if not found or get.get(side, "") not in ("N", "S", "E", "W"):
            raise Damaged("undecodable")
        value = int(found[1]) + float(found[2]) / 60
        if value > limit or float(found[2]) >= 60:
            raise Damaged("out of range")
        values.append(-value if get[side] == negative else value)
    return values[0], values[1]
