"""How far a system's clock is ahead of this node's, as bounds that hold whatever the delays were.

A message that was stamped `S` by its source and received at `R` was under way for `d >= 0`, so that the offset is
`S - R + d`, at least `S - R`: of a window the greatest counts, that of the message that was the least delayed. An
answer to a question of ours bounds it on both sides: half the round trip beside the middle. The idea, and that of
stages which age, is the clock filter of NTP (RFC 5905, section 10), which takes the sample of least delay; here all
samples' bounds are intersected, so that nothing is assumed of how delays are distributed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

import msgspec

__all__ = ["ClockFilter", "Offset"]

_STAGE_US = 8_000_000
_STAGES = 8  # as in RFC 5905
_DRIFT = 1e-4
"""How fast two clocks of ordinary crystals may part; RFC 5905 has 15e-6 (PHI), for clocks that are disciplined."""
_RUN = 8  # messages in a row that nothing but a clock that was set explains
_JUMP_US = 500_000
_SECOND_US = 1_000_000  # a stamp of whole seconds may lie so far back, and seem to jump by as much
_FURTHEST_US = 10 * 365 * 86_400_000_000


class Offset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has to be taken from a system's clock to come to the node's, in microseconds: at least, and at most.

    `high_us` is None where nothing was asked both ways. `jumps` counts how often the clock was set since it was heard.
    """

    low_us: int
    high_us: int | None = None
    basis: Literal["one-way", "two-way"] = "one-way"
    jumps: int = 0

    @property
    def middle_us(self) -> int | None:
        """The best guess, where there are two bounds; it is off by at most `uncertainty_us`."""
        return None if self.high_us is None else (self.low_us + self.high_us) // 2

    @property
    def uncertainty_us(self) -> int | None:
        """Half of what lies between the bounds, rounded up."""
        return None if self.high_us is None else (self.high_us - self.low_us + 1) // 2


@dataclass(slots=True)
class _Stage:
    """The tightest bounds of some seconds, when each was found, and the loosest lower one."""

    began_us: int
    low_us: int | None = None
    low_at: int = 0
    worst_us: int = 0
    high_us: int | None = None
    high_at: int = 0


class ClockFilter:
    """The last 64 s of one clock; times are microseconds since 1970 by either clock."""

    def __init__(self) -> None:
        self.jumps = 0
        self._stages: deque[_Stage] = deque(maxlen=_STAGES)
        self._run: list[int] = []
        self._samples = 0

    def one_way(self, source_us: int, received_us: int, uncertainty_us: int = 0) -> None:
        """A message with a stamp that is off by at most `uncertainty_us`."""
        low = source_us - received_us - uncertainty_us
        last = self._stages[-1] if self._stages else None
        if (
            last is not None
            and last.low_us is not None
            and last.worst_us <= low <= last.low_us
            and 0 <= received_us - last.began_us < _STAGE_US
        ):  # as most are: it tells nothing that this stage has not seen
            self._samples += 1
            self._run.clear()
            return
        if abs(low) > _FURTHEST_US:
            return
        held = self.bounds(received_us)
        if held is not None and self._samples >= _RUN:
            spread = self._spread(held.low_us) + (_SECOND_US if source_us % _SECOND_US == 0 else 0)
            if low < held.low_us - spread:
                self._run.append(low)
                if len(self._run) < _RUN:
                    return
                self._forget()
                low = max(self._run)
            elif low > held.low_us + spread:
                self.jumps += 1
                self._stages.clear()
        self._run.clear()
        self._put_low(low, received_us)

    def two_way(self, offset_us: int, trip_us: int, at_us: int) -> None:
        """An answer that says how far the clock is ahead, after a round trip of that length."""
        half = (trip_us + 1) // 2
        if trip_us < 0 or abs(offset_us) > _FURTHEST_US:
            return
        held = self.bounds(at_us)
        if held is not None:
            above = held.high_us is not None and offset_us - half > held.high_us
            if above or offset_us + half < held.low_us:
                self._forget()
        self._put_low(offset_us - half, at_us)
        stage = self._stage(at_us)
        if stage.high_us is None or offset_us + half < stage.high_us:
            stage.high_us, stage.high_at = offset_us + half, at_us

    def bounds(self, at_us: int) -> Offset | None:
        """The bounds at an instant, None before anything was heard; older ones are wider by what clocks drift."""
        lows = [one.low_us - _aged(at_us, one.low_at) for one in self._stages if one.low_us is not None]
        highs = [one.high_us + _aged(at_us, one.high_at) for one in self._stages if one.high_us is not None]
        if not lows:
            return None
        low, high = max(lows), min(highs, default=None)
        if high is not None and high < low:  # a stamp later than the last answer allows: it was set meanwhile
            return Offset(low_us=low, jumps=self.jumps)
        return Offset(low_us=low, high_us=high, basis="one-way" if high is None else "two-way", jumps=self.jumps)

    def _put_low(self, low: int, at_us: int) -> None:
        stage = self._stage(at_us)
        self._samples += 1
        if stage.low_us is None:
            stage.worst_us = low
        if stage.low_us is None or low > stage.low_us:
            stage.low_us, stage.low_at = low, at_us
        stage.worst_us = min(stage.worst_us, low)

    def _stage(self, at_us: int) -> _Stage:
        if not self._stages or not 0 <= at_us - self._stages[-1].began_us < _STAGE_US:
            self._stages.append(_Stage(at_us))
        return self._stages[-1]

    def _spread(self, low: int) -> int:
        """By how much messages differ that no clock was set between, twice over."""
        worst = min((one.worst_us for one in self._stages if one.low_us is not None), default=low)
        return max(_JUMP_US, 2 * (low - worst))

    def _forget(self) -> None:
        self.jumps += 1
        self._stages.clear()
        self._samples = 0


def _aged(at_us: int, then_us: int) -> int:
    return int(abs(at_us - then_us) * _DRIFT) + 1
