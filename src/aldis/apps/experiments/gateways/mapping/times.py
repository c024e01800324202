"""Times as messages write them, in microseconds since 1970 UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["PARTS", "clock_of", "clock_text", "iso_of", "iso_text", "joined_parts", "parts_of"]

PARTS = ("year", "month", "day", "hour", "minute", "second", "nanosecond")
"""A time may stand in parts; `nanosecond` may be negative, and may be left out."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000
_CLOCK = re.compile(r"([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:\.([0-9]{1,6}))?")


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def iso_of(text: str) -> int:
    """A date and time of ISO 8601; one without an offset is UTC.

    Raises:
        Damaged: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
        return _microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise Damaged("a time cannot be") from error


def iso_text(at_us: int) -> str:
    """A date and time with microseconds and `Z`.

    Raises:
        ValueError: after the year 9999.
    """
    return _moment(at_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(at_us: int) -> datetime:
    try:
        moment = _EPOCH + timedelta(microseconds=at_us)
    except OverflowError as error:
        raise ValueError(at_us) from error
    if moment.year < 1000:
        raise ValueError(at_us)
    return moment


def clock_of(text: str, at_us: int) -> int:
    """A time of day, `hhmmss` with or without colons and a fraction, on the day that brings it nearest to `at_us`.

    Raises:
        Damaged: it is none.
    """
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise Damaged("a time cannot be")
    hour, minute, second = (int(part) for part in found.groups()[:3])
    if hour > 23 or minute > 59 or second > 60:
        raise Damaged("a time cannot be")
    of_day = (hour * 3600 + minute * 60 + second) * 1_000_000 + int((found[4] or "").ljust(6, "0"))
    at = at_us - at_us % _DAY + of_day
    return min((at - _DAY, at, at + _DAY), key=lambda one: abs(one - at_us))


def clock_text(at_us: int, digits: int) -> str:
    """The time of day as `hhmmss`, with as many digits of the second."""
    unit = 10 ** (6 - min(digits, 6))
    whole = (at_us + unit // 2) // unit * unit % _DAY
    seconds, fraction = divmod(whole, 1_000_000)
    text = f"{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"
    return f"{text}.{fraction:06}"[: 7 + min(digits, 6)] if digits else text


def joined_parts(parts: Mapping[str, int]) -> int:
    """The time that its parts come to.

    Raises:
        Damaged: there is none such.
    """
    try:
        second = min(parts.get("second", 0), 59)
        moment = datetime(
            parts["year"],
            parts["month"],
            parts["day"],
            parts.get("hour", 0),
            parts.get("minute", 0),
            second,
            tzinfo=UTC,
        )
    except (ValueError, OverflowError, KeyError) as error:
        raise Damaged("a time cannot be") from error
    return (
        _microseconds(moment) + (parts.get("second", 0) - second) * 1_000_000 + round(parts.get("nanosecond", 0) / 1000)
    )


def parts_of(at_us: int, *, whole: bool) -> dict[str, int]:
    """The parts of a time; where it is to be `whole`, the nearest second.

    Raises:
        ValueError: before the year 1000 or after 9999.
    """
    moment = _moment(at_us + 500_000 if whole else at_us)
    found = {name: getattr(moment, name) for name in PARTS[:-1]}
    return found | {"nanosecond": 0 if whole else moment.microsecond * 1000}
