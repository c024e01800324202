"""The clock of a MAVLink system: its word for UTC (SYSTEM_TIME) against its answer to a question of ours (TIMESYNC).

Both are told by what its clock counts since its start, which falls out. Source: common.xml, messages 2 and 111.
"""

from __future__ import annotations

from typing import Any

from aldis.apps.experiments.entity import Decoded, Timing, Track
from aldis.apps.experiments.participants.clock import ClockFilter

__all__ = ["Asked"]

_MOST = 256
_RESOLUTION_US = 1000  # SYSTEM_TIME counts from the start in milliseconds


class Asked:
    """What each system said its UTC is, and what it answered."""

    def __init__(self, clock: ClockFilter) -> None:
        self._clock = clock
        self._told: dict[str, int] = {}
        self._answered: dict[str, tuple[int, int]] = {}

    def hear(self, one: Decoded) -> None:
        """Take in one message, if it is one of the two."""
        track, timing = one.entity, one.entity.timing
        if not isinstance(track, Track) or timing is None or not _of_time_alone(track, timing):
            return
        assert timing.offset_us is not None and timing.source_us is not None and timing.received_us is not None
        if any(entry.field.startswith("SYSTEM_TIME.") for entry in one.ledger.entries):
            self._keep(self._told, track.key, timing.offset_us)
            self._clock.one_way(timing.source_us, timing.received_us, _RESOLUTION_US)
        else:
            self._keep(self._answered, track.key, (timing.offset_us, timing.source_uncertainty_us or 0))
        if track.key in self._told and track.key in self._answered:
            offset, half = self._answered[track.key]
            trip = 2 * (half + _RESOLUTION_US)
            self._clock.two_way(self._told[track.key] - offset, trip, timing.received_us)

    @staticmethod
    def _keep(held: dict[str, Any], key: str, value: Any) -> None:
        if len(held) >= _MOST:
            held.clear()
        held[key] = value


def _of_time_alone(track: Track, timing: Timing) -> bool:
    return (
        timing.offset_us is not None
        and timing.source_us is not None
        and not (track.position or track.motion or track.type or track.status)
    )
