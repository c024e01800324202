"""How late, how old and how complete: exact, in whole microseconds.

A quantile q of something is the least value that a share of at least q of it does not exceed. Age of information:
Kaul, Yates and Gruteser, "Real-time status: how often should one update?", INFOCOM 2012: at any time, how long ago the
newest update that has arrived was true; it grows with time and falls when a newer update arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

__all__ = ["MEDIAN", "P95", "P99", "Ages", "ages", "completeness", "quantile"]

MEDIAN, P95, P99 = Fraction(1, 2), Fraction(95, 100), Fraction(99, 100)


def quantile(values: Iterable[int | float], share: Fraction) -> int | float | None:
    """The least of `values` that at least this share of them does not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -(-share.numerator * len(ordered) // share.denominator) - 1)] if ordered else None


class Ages:
    """Ages over time, as pieces of (age at the start, how long it then grows), in µs."""

    def __init__(self, pieces: Iterable[tuple[int, int]]) -> None:
        self._pieces = sorted(piece for piece in pieces if piece[1] > 0)
        self.lasted_us = sum(length for _, length in self._pieces)

    @classmethod
    def joined(cls, several: Iterable[Ages]) -> Ages:
        """All of them, as if one came after the other."""
        return cls(piece for one in several for piece in one._pieces)

    def share_within(self, limit_us: int) -> Fraction | None:
        """Freshness: the share of the time at which the age is at most `limit_us`; None of no time."""
        fresh = sum(min(max(0, limit_us - start), length) for start, length in self._pieces)
        return Fraction(fresh, self.lasted_us) if self.lasted_us else None

    def quantile(self, share: Fraction) -> int | None:
        """The least age that is not exceeded for this share of the time, in whole µs; None of no time."""
        if not self.lasted_us:
            return None
        turns: dict[int, int] = {}
        for start, length in self._pieces:
            turns[start] = turns.get(start, 0) + 1
            turns[start + length] = turns.get(start + length, 0) - 1
        wanted = share * self.lasted_us
        slope = age = done = 0
        for turn, change in sorted(turns.items()):
            more = slope * (turn - age)
            if slope and done + more >= wanted:
                return age + -((done - wanted) // slope)
            done, age, slope = done + more, turn, slope + change
        return age


def ages(updates: Iterable[tuple[int, int]], end_us: int) -> Ages:
    """The age of one track's information, from its first update's arrival to `end_us`.

    Args:
        updates: of each update, the time that it is true of and the time at which it arrived, in any order.
        end_us: when to stop looking.
    """
    pieces = []
    newest: int | None = None
    since = 0
    for arrived, true_of in sorted((arrived, true_of) for true_of, arrived in updates if arrived <= end_us):
        if newest is None or true_of > newest:
            if newest is not None:
                pieces.append((since - newest, arrived - since))
            newest, since = true_of, arrived
    if newest is not None:
        pieces.append((since - newest, end_us - since))
    return Ages(pieces)


def completeness(expected: Sequence[int], seen: Sequence[int], within_us: int = 0) -> int:
    """How many of the expected updates were seen: pairs of times at most `within_us` apart, each used once.

    Taking them in order is the most that can be had, since all have one tolerance.
    """
    wanted, had, count, at = sorted(expected), sorted(seen), 0, 0
    for time in wanted:
        while at < len(had) and had[at] < time - within_us:
            at += 1
        if at < len(had) and had[at] <= time + within_us:
            count, at = count + 1, at + 1
    return count
