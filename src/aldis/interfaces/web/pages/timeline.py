"""A time line of instruments: years, bars and today's line, in percent of the width and in pixels of the height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Bar", "Line", "Span", "timeline"]

_BACK, _AHEAD = 4, 9
_ROW, _TOP, _MARKS = 40, 26, 8


@dataclass(frozen=True, slots=True)
class Span:
    """An instrument: its name, first instant and the first no longer covered, and the class of its colour.

    `ended` is the instant from which a party's notice ends it, if any.
    """

    name: str
    start: int
    end: int
    tone: str
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: where the name and the bar stand, what of the bar is void after a notice, and whether it goes on."""

    name: str
    tone: str
    y: int
    left: float
    width: float
    void_left: float
    void_width: float
    goes_on: bool


@dataclass(frozen=True, slots=True)
class Line:
    """The whole picture: height, the bars, the years with their places, and the place of today."""

    height: int
    bars: tuple[Bar, ...]
    years: tuple[tuple[int, float], ...]
    today: float


def timeline(spans: Sequence[Span], now: int) -> Line:
    """The picture of some instruments around `now`: from up to four years back to at most nine ahead."""
    first = min([now, *(span.start for span in spans)])
    last = max([now, *(span.end for span in spans)])
    start = _new_year(max(_year(first), _year(now) - _BACK))
    end = _new_year(min(_year(last), _year(now) + _AHEAD) + 1)

    def place(at: int) -> float:
        return round(100 * (min(max(at, start), end) - start) / (end - start), 2)

    bars = []
    for row, span in enumerate(spans):
        left, stop = place(span.start), place(span.end)
        void = place(max(span.ended, span.start)) if 0 < span.ended < span.end else stop
        bars.append(
            Bar(
                span.name,
                span.tone,
                _TOP + row * _ROW,
                left,
                max(round(void - left, 2), 0.4),
                void,
                round(stop - void, 2),
                span.end > end,
            )
        )
    years = range(_year(start), _year(end - 1) + 1)
    step = max(1, -(-len(years) // _MARKS))
    marks = tuple((year, place(_new_year(year))) for year in years if (year - years[0]) % step == 0)
    return Line(_TOP + _ROW * len(bars) + 20, tuple(bars), marks, place(now))


def _year(at: int) -> int:
    """The UTC year of an instant; far off ones count as the first or last that a calendar has."""
    return datetime.fromtimestamp(min(max(at, -60_000_000_000_000), 250_000_000_000_000) / 1000, UTC).year


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000
