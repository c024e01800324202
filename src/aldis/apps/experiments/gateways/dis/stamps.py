"""DIS timestamps: 31 bits of an hour and a bit that says whose hour (IEEE 1278.1-2012, 6.2.88).

A unit is 3600/2^31 s, about 1.7 microseconds. With the last bit 1 the hour is that of UTC; with 0 it is one of the
sender's own clock, which is not tied to anything.
"""

from __future__ import annotations

__all__ = ["HOUR_US", "STAMP_US", "absolute", "past_hour_us", "relative", "source_us"]

HOUR_US = 3_600_000_000
STAMP_US = 1
"""By how much a time comes back otherwise: half a unit, rounded to microseconds."""
_HALF = HOUR_US // 2


def past_hour_us(stamp: int) -> int:
    """Microseconds past the hour, rounded; coming back from it gives the same 31 bits."""
    return ((stamp >> 1) * HOUR_US + (1 << 30)) >> 31


def source_us(stamp: int, at_us: int) -> int:
    """The time of an absolute stamp that is nearest to `at_us`: right for clocks less than half an hour apart."""
    late = (at_us - past_hour_us(stamp)) % HOUR_US
    return at_us - (late if late < _HALF else late - HOUR_US)


def absolute(us: int) -> int:
    """The stamp of a time in UTC."""
    return relative(us) | 1


def relative(us: int) -> int:
    """The stamp of a time past an hour of a clock of one's own."""
    return ((((us % HOUR_US) << 31) + _HALF) // HOUR_US & 0x7FFFFFFF) << 1
