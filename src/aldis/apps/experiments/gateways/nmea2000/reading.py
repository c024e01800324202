"""Values of a message's fields: numbers, codes, texts, angles and places."""

from __future__ import annotations

from collections.abc import Mapping
from math import degrees, tau

from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea2000.pgns import Value

__all__ = ["Said", "code", "degrees_of", "number", "place_of", "text"]

Said = Mapping[str, Value]


def number(said: Said, *names: str) -> float | None:
    """The number of the first of `names` that says one."""
    for name in names:
        value = said.get(name)
        if isinstance(value, (int, float)):
            return value
    return None


def code(said: Said, name: str) -> int:
    """A code; -1 where the message was too short for it."""
    value = said.get(name, -1)
    return value if isinstance(value, int) else -1


def text(said: Said, *names: str) -> str | None:
    """The text of the first of `names` that has one."""
    return next((str(said[name]) for name in names if said.get(name)), None)


def degrees_of(value: float | None) -> float | None:
    """Degrees of an angle in [0, tau) rad, None of any other."""
    return None if value is None or not 0 <= value < tau else round(degrees(value), 6)


def place_of(said: Said) -> tuple[float, float] | None:
    """Latitude and longitude; None where either is not available (91, 181).

    Raises:
        Damaged: there is no such place.
    """
    lat, lon = number(said, "latitude"), number(said, "longitude")
    if lat is None or lon is None or round(lat, 3) == 91 or round(lon, 3) == 181:
        return None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Damaged("out of range")
    return lat, lon
