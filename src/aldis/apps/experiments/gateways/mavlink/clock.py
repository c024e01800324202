"""The clock of one MAVLink system: it counts from its start, and now and then says what that is in UTC.

Sources: SYSTEM_TIME and TIMESYNC of common.xml; mavlink.io/en/services/timesync.html.
"""

from __future__ import annotations

__all__ = ["BACK_US", "Clock"]

_UNIX_US = 1_000_000_000_000_000  # a stamp beyond September 2001 counts from 1970, one below from the start
_SLOWEST_US = 10_000_000
BACK_US = 10_000_000
"""A stamp that is further back than this is of a system that started anew."""


class Clock:
    """What has to be added to a system's stamps to come to UTC, and how well that is known."""

    def __init__(self) -> None:
        self.offset_us: int | None = None
        self.uncertainty_us: int | None = None
        self._latest_us = 0

    def told(self, unix_us: int, boot_us: int) -> bool:
        """SYSTEM_TIME: what UTC the system takes it to be; False where it does not know."""
        if unix_us < _UNIX_US:
            return False
        self._seen(boot_us)
        if self.uncertainty_us is None or self.uncertainty_us >= 1000:
            self.offset_us, self.uncertainty_us = unix_us - boot_us, 1000
        return True

    def synced(self, remote_us: int, sent_us: int, received_us: int) -> bool:
        """TIMESYNC: an answer to a question of ours; False where it answers none."""
        trip = received_us - sent_us
        if not 0 <= trip <= _SLOWEST_US or remote_us < 0:
            return False
        self._seen(remote_us)
        self.offset_us, self.uncertainty_us = sent_us + trip // 2 - remote_us, max(1, trip // 2)
        return True

    def utc(self, boot_us: int) -> int | None:
        """That stamp in microseconds since 1970, or None where the system has not told."""
        self._seen(boot_us)
        return None if self.offset_us is None else boot_us + self.offset_us

    def utc_of_either(self, stamp_us: int) -> int | None:
        """As `utc`, for a field that counts from 1970 or from the start, as its size tells."""
        return stamp_us if stamp_us >= _UNIX_US else self.utc(stamp_us)

    def _seen(self, boot_us: int) -> None:
        if boot_us < self._latest_us - BACK_US:  # it started anew: what it told before no longer holds
            self.offset_us = self.uncertainty_us = None
            self._latest_us = boot_us
        elif boot_us > self._latest_us:
            self._latest_us = boot_us
