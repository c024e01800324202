"""Time that passes only when told to; each node may be wrong about it in its own way."""

from __future__ import annotations

__all__ = ["START", "NodeClock", "VirtualClock"]

START = 1_790_000_000_000
"""Where a virtual clock begins: 21 September 2026, in milliseconds since 1970 UTC."""


class VirtualClock:
    """The true time of a simulation, in milliseconds since 1970 UTC."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def now(self) -> int:
        """What time it is."""
        return self.at

    def advance(self, ms: int) -> None:
        """Let `ms` milliseconds pass."""
        self.at += ms


class NodeClock:
    """One node's own clock: `skew` milliseconds ahead of the true time (behind, if negative)."""

    def __init__(self, true: VirtualClock, skew: int = 0) -> None:
        self._true = true
        self.skew = skew

    def now(self) -> int:
        """What time the node believes it is."""
        return self._true.now() + self.skew
