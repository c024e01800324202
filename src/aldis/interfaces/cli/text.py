"""Words for times, counts and values, and text made safe for a terminal."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from aldis.kernel.errors import InvalidInput
from aldis.node.amounts import count, size

__all__ = ["DAY_MS", "ago", "clean", "count", "day", "listed", "midnight", "moment", "one_line", "size", "words"]

_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
"""Characters that turn the direction of text, and so can make it read as what it is not."""
_UNSAFE = ("Cc", "Cs")
DAY_MS = 86_400_000
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_FIRST, _AFTER = -30_610_224_000_000, 253_402_300_800_000
"""The years 1000 to 9999, in ms since 1970 UTC."""


def clean(text: str) -> str:
    """`text` with each control or direction character, line ends and tabs apart, made visible as U+FFFD."""
    return "".join(
        char if char in "\n\t" or (unicodedata.category(char) not in _UNSAFE and char not in _TURNS) else "\ufffd"
        for char in text
    )


def one_line(text: str) -> str:
    """`text` on one line, without tabs."""
    return " ".join(text.split())


def moment(at: int) -> str:
    """An instant (ms since 1970 UTC) to the minute; what no calendar here has, as its number."""
    found = _instant(at)
    return f"{found:%Y-%m-%d %H:%M} UTC" if found else f"{at} ms"


def ago(at: int, now: int) -> str:
    """How long before `now` an instant was, in its greatest unit: `4 minutes ago`."""
    seconds = (now - at) // 1000
    if seconds < 0:
        return "in the future"
    unit, length = next((pair for pair in _UNITS if seconds >= pair[1]), ("", 0))
    return f"{count(seconds // length, unit)} ago" if length else "less than a minute ago"


def day(at: int) -> str:
    """The UTC day of an instant; see `moment`."""
    found = _instant(at)
    return found.date().isoformat() if found else f"{at} ms"


def _instant(at: int) -> datetime | None:
    """The instant, where its year has four digits: a partner's record may give any number."""
    return datetime.fromtimestamp(at / 1000, UTC) if _FIRST <= at < _AFTER else None


def midnight(text: str) -> int:
    """The first instant, in ms since 1970 UTC, of a day such as 2026-01-31.

    Raises:
        InvalidInput: no such day.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is not a day", fix="Write it as 2026-01-31") from error
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp()) * 1000


def listed(names: Iterable[str], most: int = 0) -> str:
    """Names with commas; of more than `most`, how many are left out."""
    every = list(names)
    shown = every[:most] if most else every
    more = f" and {len(every) - len(shown):,} more" if len(shown) < len(every) else ""
    return ", ".join(shown) + more


def words(value: Any) -> str:
    """A portion's value for people: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
