"""Values of CoT: taken from what an event says, and given as an event says them.

To take a value gives None where it says that it is not known, and raises `ValueError` where it says nothing of its
kind. To give one raises `Unsaid` where CoT cannot say it. Both take numbers as well as text: TAK protobuf has numbers.
"""

from __future__ import annotations

import math
import sys

from aldis.apps.experiments.entity import Point, Reason
from aldis.apps.experiments.gateways.cot.scanner import ILLEGAL
from aldis.apps.experiments.gateways.cot.times import LAST_US, date_text

__all__ = [
    "BOUNDS",
    "GIVEN",
    "MAX_TEXT",
    "UNKNOWN_M",
    "Native",
    "Unsaid",
    "flag",
    "give_bearing",
    "give_flag",
    "give_latitude",
    "give_longitude",
    "give_metres",
    "give_number",
    "give_percent",
    "give_point",
    "give_text",
    "give_time",
    "height",
    "latitude",
    "longitude",
    "number",
    "percent",
    "place",
    "positive",
]

Native = str | int | float | bool

UNKNOWN_M = 9_999_999.0
"""What `hae`, `ce` and `le` say where they are not known (CoT 2.0, Event-PUBLIC.xsd); TAK protobuf writes 999999."""

MAX_TEXT = 8192
"""Characters of a text that an event is given."""


class Unsaid(Exception):
    """CoT has no way to say this value; the reason, and words on it."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


def _real(said: Native) -> float:
    if isinstance(said, str) and "_" in said:
        raise ValueError("no number")
    return float(said)


def number(said: Native) -> float | None:
    """A finite number."""
    value = _real(said)
    if not math.isfinite(value):
        raise ValueError("no number")
    return value


def height(said: Native) -> float | None:
    """Metres above the ellipsoid."""
    value = _real(said)
    if not -UNKNOWN_M < value < 999_999.0:
        if value in (999_999.0, UNKNOWN_M):
            return None
        raise ValueError("no height")
    return value


def positive(said: Native) -> float | None:
    """An error of one standard deviation in metres; 0 claims none, and is not believed."""
    value = _real(said)
    if not 0.0 < value < 999_999.0:
        if value in (0.0, 999_999.0, UNKNOWN_M):
            return None
        raise ValueError("no error")
    return value


def latitude(said: Native) -> float | None:
    """Degrees north."""
    value = _real(said)
    if not -90.0 <= value <= 90.0:
        raise ValueError("no latitude")
    return value


def longitude(said: Native) -> float | None:
    """Degrees east."""
    value = _real(said)
    if not -180.0 <= value <= 180.0:
        raise ValueError("no longitude")
    return value


def percent(said: Native) -> float | None:
    """Per cent."""
    value = _real(said)
    if not 0.0 <= value <= 100.0:
        raise ValueError("no percentage")
    return value


def flag(said: Native) -> bool | None:
    """`true` or `false`."""
    if said in ("true", "1"):
        return True
    if said in ("false", "0"):
        return False
    raise ValueError("neither true nor false")


_HUGE = sys.float_info.max
BOUNDS: dict[object, tuple[float, float]] = {
    number: (-_HUGE, _HUGE),
    height: (-999_998.0, 999_998.0),
    positive: (1e-9, 999_998.0),
    latitude: (-90.0, 90.0),
    longitude: (-180.0, 180.0),
    percent: (0.0, 100.0),
}
"""Within which a number of a kind needs no further look."""


def place(said: Native) -> Point | None:
    """`lat,lon` or `lat,lon,hae`."""
    parts = str(said).split(",")
    if not 2 <= len(parts) <= 3:
        raise ValueError("no point")
    lat, lon = latitude(parts[0]), longitude(parts[1])
    assert lat is not None
    assert lon is not None
    return Point(lat_deg=lat, lon_deg=lon, height_m=height(parts[2]) if len(parts) == 3 else None)


def give_text(value: object) -> str:
    """Text; numbers (a pseudonym may stand for one) as text too."""
    text = value if isinstance(value, str) else str(value)
    if not text.isprintable() and ILLEGAL.search(text):
        raise Unsaid("not text of this protocol", "a character that XML does not have")
    if not text:
        raise Unsaid("unknown value", "an empty text")
    if len(text) > MAX_TEXT:
        raise Unsaid("too long", f"more than {MAX_TEXT} characters")
    return text


def give_number(value: float) -> float:
    """A finite number."""
    if not math.isfinite(value):
        raise Unsaid("out of range", "not a finite number")
    return float(value)


def give_latitude(value: float) -> float:
    """Degrees north."""
    return _between(value, -90.0, 90.0)


def give_longitude(value: float) -> float:
    """Degrees east."""
    return _between(value, -180.0, 180.0)


def give_metres(value: float) -> float:
    """Metres, less than what says that they are not known."""
    return _between(value, -999_998.0, 999_998.0)


def give_bearing(value: float) -> float:
    """Degrees, as they are."""
    return _between(value, -360.0, 360.0)


def give_percent(value: float) -> int:
    """Whole per cent, as TAK has it."""
    return round(_between(value, 0.0, 100.0))


def give_flag(value: bool) -> bool:
    """A truth value."""
    return value


def give_time(value: int) -> int:
    """Microseconds that fit a date."""
    try:
        date_text(value)
    except ValueError as error:
        raise Unsaid("out of range", str(error)) from error
    return value


GIVEN: dict[object, tuple[float, float]] = {
    give_number: (-_HUGE, _HUGE),
    give_latitude: (-90.0, 90.0),
    give_longitude: (-180.0, 180.0),
    give_metres: (-999_998.0, 999_998.0),
    give_bearing: (-360.0, 360.0),
    give_time: (0, LAST_US),
}
"""Within which a number of a kind is given as it is."""


def give_point(point: Point) -> str:
    """`lat,lon`, or `lat,lon,hae`; a depth has no place there."""
    height_m = "" if point.height_m is None else f",{point.height_m!r}"
    return f"{point.lat_deg!r},{point.lon_deg!r}{height_m}"


def _between(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise Unsaid("out of range", f"not from {low:g} to {high:g}")
    return float(value)
