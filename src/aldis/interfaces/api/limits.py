"""Limits: what one caller may ask of the node, and how fast."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

__all__ = ["Buckets", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the port bears: counts, seconds, bytes; a rate is requests a second, a burst how many at once before it.

    `person_*` is for each person who is signed in; `stranger_*` for each address, of requests that name no session.
    """

    connections: int = 1024
    connections_per_address: int = 512
    head_bytes: int = 16 * 1024
    head_s: float = 10
    idle_s: float = 30
    body_s: float = 30
    answer_s: float = 60
    person_rate: float = 50
    person_burst: float = 200
    stranger_rate: float = 5
    stranger_burst: float = 40
    streams_per_person: int = 8
    transfers_per_person: int = 8
    transfer_s: float = 3_600
    threads: int = 8
    slow_threads: int = 2


class Buckets:
    """Token buckets by caller; those of callers not heard of for long are full again, and forgotten."""

    def __init__(self, rate: float, burst: float, *, most: int = 10_000, clock: Callable[[], float] = time.monotonic):
        self._rate, self._burst, self._most, self._clock = rate, burst, most, clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, caller: str) -> float:
        """How many seconds until the caller may ask; 0 for now."""
        held, _ = self._now(caller)
        return 0.0 if held >= 1 else (1 - held) / self._rate

    def take(self, caller: str) -> float:
        """As `wait`, and count the request where it may go on."""
        with self._lock:
            held, now = self._now(caller)
            if held < 1:
                return (1 - held) / self._rate
            self._held[caller] = held - 1, now
            self._held.move_to_end(caller)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
            return 0.0

    def _now(self, caller: str) -> tuple[float, float]:
        now = self._clock()
        held, at = self._held.get(caller, (self._burst, now))
        return min(self._burst, held + (now - at) * self._rate), now
