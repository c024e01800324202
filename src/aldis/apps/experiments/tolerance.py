"""How far two values of one field of the model are apart, and how far what ledgers state allows them to be."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

__all__ = ["among", "distance", "factor", "noise", "numbers", "plain", "related", "ways"]

_SEVERAL = re.compile(r"[,;\s]+")
_SHARED = re.compile(r"(?:area|task|report|environment)\.(?=(?:key|position|timing|markings|residue)\b)")
_METRES_A_DEGREE = 111_000.0
_IN_MICROSECONDS = {"s": 1e6, "ms": 1e3, "us": 1.0, "µs": 1.0, "ns": 1e-3, "min": 6e7, "h": 3.6e9}
_RELATIVE = 1e-9
_CIRCLE = ("lon_deg", "course_deg", "heading_deg", "azimuth_deg", "from_deg", "to_deg")


def ways(to: str) -> Sequence[str]:
    """Where an entry of a ledger says that a field went, which may be several places."""
    return [plain(way) for way in _SEVERAL.split(to) if way]


@lru_cache(maxsize=8_192)
def plain(path: str) -> str:
    """A path of what other entities share with tracks, as a track's."""
    return _SHARED.sub("", path)


def related(one: str, other: str) -> bool:
    """Whether one name is that of a part of the other."""
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    return long == short or (long.startswith(short) and long[len(short)] in "./@[")


@lru_cache(maxsize=65_536)
def among(name: str, others: frozenset[str]) -> bool:
    """Whether a name is related to one of others."""
    return any(related(name, one) for one in others)


def distance(path: str, old: Any, new: Any) -> float | None:
    """By how much two numbers, or lists of them, differ; None where they are none."""
    a, b = numbers(old), numbers(new)
    if a is None or b is None or len(a) != len(b):
        return None
    apart = max(abs(x - y) for x, y in zip(a, b, strict=True))
    if path.endswith(_CIRCLE):
        return min(apart, abs(360 - apart))
    if path.endswith("attitude"):  # a quaternion and its negative are one attitude
        return min(apart, max(abs(x + y) for x, y in zip(a, b, strict=True)))
    return apart


def noise(value: Any) -> float:
    """What computing with floats may do to a value."""
    if isinstance(value, int):
        return 0.0
    return _RELATIVE * max((abs(one) for one in numbers(value) or [0.0]), default=0.0)


def factor(unit: str, path: str, lat_deg: float) -> float:
    """What an error's unit comes to in the unit of a path, at a latitude."""
    if path.endswith("_us") and unit in _IN_MICROSECONDS:
        return _IN_MICROSECONDS[unit]
    if path.endswith((".at", "_ms")):
        return _IN_MICROSECONDS.get(unit, 1e3) / 1e3
    if path.endswith("_deg") and unit == "rad":
        return math.degrees(1)
    if path.endswith(".lat_deg") and unit == "m":
        return 1 / _METRES_A_DEGREE
    if path.endswith(".lon_deg") and unit == "m":
        return 1 / (_METRES_A_DEGREE * max(0.01, math.cos(math.radians(lat_deg))))
    return 1.0


def numbers(value: Any) -> list[float] | None:
    """A number, or several, as floats; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return [float(value)]
    if isinstance(value, list | tuple) and value and all(isinstance(one, int | float) for one in value):
        return [float(one) for one in value]
    return None
