"""Fields of sentences as numbers, places, text and times (IEC 61162-1, 7.1 and 7.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from aldis.apps.experiments.entity import Timing, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.sentences import Words

__all__ = ["STATES", "Known", "number_of", "place_of", "unescaped"]

STATES = {"L": "lost", "Q": "acquiring", "T": "tracking"}
"""A radar target's status in words."""
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{0,9})?")
_PLACE = re.compile(r"(\d{2,3})(\d\d(?:\.\d{0,9})?)")
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(?:\.(\d{0,6}))?")
_DAY_US = 86_400_000_000
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


@dataclass(slots=True)
class Known:
    """What a stream has said that later sentences are read with: how far its clock is ahead, where she is and heads."""

    name: str
    ahead_us: int = 0
    place: tuple[float, float] | None = None
    place_us: int = 0
    heading_deg: float | None = None
    heading_us: int = 0
    odd: list[Entry] = field(default_factory=list)

    def own(self, heard: Words, timing: Timing | None = None, **groups: Any) -> Track:
        """A report of the vessel that the instruments belong to."""
        if all(group is None for group in groups.values()) and (timing is None or timing.source_us is None):
            raise Damaged("nothing said")
        timing = timing or Timing(received_us=heard.at_us)
        return Track(key=f"nmea:{self.name}", **{"sensor": heard.sensor, "timing": timing} | groups)

    def timing(self, get: dict[str, str], heard: Words, day: date | None = None) -> tuple[int, Timing]:
        """When it was so (ms), and the stamps.

        The day is the one said with it; else that which comes nearest to the clock of what was said with a day before,
        or to the time of receipt.
        """
        if "time" not in get:
            return heard.sensor.received_ms, Timing(received_us=heard.at_us)
        found = _TIME.fullmatch(get["time"])
        if not found or not (int(found[1]) < 24 and int(found[2]) < 60 and int(found[3]) < 61):
            raise Damaged("undecodable")
        digits = found[4] or ""
        seconds = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])
        since_us = seconds * 1_000_000 + int(digits.ljust(6, "0"))
        received_us = heard.sensor.received_ms * 1000
        if day is not None:
            source_us = (day - date(1970, 1, 1)).days * _DAY_US + since_us
            self.ahead_us = source_us - received_us
        else:
            expected = received_us + self.ahead_us
            source_us = expected + (since_us - expected + _DAY_US // 2) % _DAY_US - _DAY_US // 2
        stamps = Timing(
            source_us=source_us,
            source_uncertainty_us=max(1, round(288_675 / 10 ** len(digits))),
            received_us=heard.at_us,
            clock="utc",
        )
        return source_us // 1000, stamps
