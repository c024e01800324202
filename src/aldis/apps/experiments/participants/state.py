"""One participant: whether it is there. Pure: times come in, nothing goes out."""

from __future__ import annotations

from collections import deque
from typing import Literal

from aldis.apps.experiments.participants.heartbeats import heartbeat_of

__all__ = ["Participant", "State"]

State = Literal["waiting", "joined", "silent", "returned", "ended", "failed"]
"""`waiting`: not heard yet; `silent`: for longer than its protocol allows; `ended`: it closed, or a recording is over;
`failed`: its address cannot be had. Whoever is heard after one of the last three has `returned`."""
_WINDOW_MS = 10_000
_LONGEST_STALE_MS = 600_000
_SECOND = 1000


class Participant:
    """A system, from when it is expected; `before` says that it had joined in an earlier run of this node."""

    def __init__(self, at: int, *, before: bool = False) -> None:
        self.state: State = "waiting"
        self.since = at
        self.protocol = ""
        self.reason = ""
        self.heard = self.damaged = self.unfamiliar = 0
        self.last: int | None = None
        self.absences = int(before)
        self._began = at
        self._stale = 0
        self._seconds: deque[list[int]] = deque()

    def hear(self, at: int, protocol: str, messages: int = 1, damaged: int = 0, stale: int | None = None) -> None:
        """Messages came, some of them damaged; `stale` is until when what they said holds, where they said it."""
        self.protocol = protocol
        self.last = at
        self.heard += messages
        self.damaged += damaged
        if stale is not None:
            self._stale = min(max(stale, self._stale), at + _LONGEST_STALE_MS)
        self._count(at, messages, damaged, 0)
        if self.state not in ("joined", "returned"):
            self._become("returned" if self.absences else "joined", at)

    def puzzle(self, at: int) -> None:
        """Something came in which no protocol was recognised."""
        self.unfamiliar += 1
        self._count(at, 0, 0, 1)

    def tick(self, at: int) -> None:
        """Time passes."""
        if self.state in ("joined", "returned") and at >= self.silent_at:
            self.absences += 1
            self._become("silent", at, f"not heard for {(at - (self.last or at)) / 1000:.0f} s")

    @property
    def silent_at(self) -> int:
        """When it counts as silent if nothing is heard until then, in ms since 1970."""
        return max((self.last or self.since) + heartbeat_of(self.protocol).silent_ms, self._stale)

    def end(self, at: int) -> None:
        """It closed the connection, or the recording is over."""
        if self.state not in ("ended", "failed"):
            self.absences += self.heard > 0
            self._become("ended", at)

    def fail(self, at: int, reason: str) -> None:
        """It cannot be connected to; the reason is in words that partners may read."""
        if (self.state, self.reason) != ("failed", reason):
            self.absences += self.heard > 0
            self._become("failed", at, reason)

    def rates(self, at: int) -> tuple[float, float, float]:
        """Messages heard, damaged and pieces not recognised, per second over the last ten, or since it is expected."""
        self._drop(at)
        first = (at // _SECOND + 1) * _SECOND - _WINDOW_MS
        span = max(at - max(first, self._began), _SECOND) / 1000
        heard, damaged, unfamiliar = (sum(one[i] for one in self._seconds) / span for i in (1, 2, 3))
        return heard, damaged, unfamiliar

    def _become(self, state: State, at: int, reason: str = "") -> None:
        self.state, self.since, self.reason = state, at, reason

    def _count(self, at: int, heard: int, damaged: int, unfamiliar: int) -> None:
        second = at // _SECOND
        if not self._seconds or self._seconds[-1][0] != second:
            self._drop(at)
            self._seconds.append([second, 0, 0, 0])
        last = self._seconds[-1]
        last[1] += heard
        last[2] += damaged
        last[3] += unfamiliar

    def _drop(self, at: int) -> None:
        while self._seconds and not 0 <= at // _SECOND - self._seconds[0][0] < _WINDOW_MS // _SECOND:
            self._seconds.popleft()
