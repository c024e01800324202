"""Times of CoT: W3C XML Schema `dateTime` in UTC, as microseconds since 1970 UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

__all__ = ["LAST_US", "date_text", "micros"]

_FORM = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_LAST_S = 253_402_300_799  # 9999-12-31T23:59:59Z
LAST_US = _LAST_S * 1_000_000
"""The last second that a date of four digits can say."""


def micros(said: str | int) -> int:
    """Microseconds of a `dateTime`, cut where it has more digits; one without a zone is taken as UTC.

    A number is one already.

    Raises:
        ValueError: it is no such time.
    """
    if isinstance(said, int):
        if not 0 <= said <= LAST_US:
            raise ValueError("no time")
        return said
    if (
        len(said) == 27
        and said[26] == "Z"
        and said[19] == "."
        and (fraction := said[20:26]).isdecimal()
        and said.isascii()
    ):
        return _seconds(said[:19]) * 1_000_000 + int(fraction)
    found = _FORM.fullmatch(said)
    if found is None:
        raise ValueError("no time")
    return (_seconds(found[1]) - _zone(found[3])) * 1_000_000 + int((found[2] or "").ljust(6, "0")[:6])


@lru_cache(4096)
def _seconds(text: str) -> int:
    if len(text) != 19 or not text.isascii():
        raise ValueError("no time")
    seconds = int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp())
    if seconds < 0:
        raise ValueError("before 1970")
    return seconds


def _zone(text: str | None) -> int:
    if text is None or text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[4:])
    if hours > 14 or minutes > 59:
        raise ValueError("no time")
    return (-1 if text[0] == "-" else 1) * (hours * 3600 + minutes * 60)


def date_text(us: int) -> str:
    """`us` as CoT writes it, with six digits of a second.

    Raises:
        ValueError: it is before 1970 or after 9999.
    """
    seconds, fraction = divmod(us, 1_000_000)
    return f"{_date(seconds)}.{str(1_000_000 + fraction)[1:]}Z"


@lru_cache(4096)
def _date(seconds: int) -> str:
    if not 0 <= seconds <= _LAST_S:
        raise ValueError("no time of CoT")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
