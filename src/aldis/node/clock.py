"""The node's clock: the one place where the time of day comes in."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> int:
        """Milliseconds since 1970 UTC."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> int:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000
