"""What a vehicle is seen to do, whatever it says: on its way, there, stopped short, or not moving at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aldis.apps.experiments.entity import Point
from aldis.apps.experiments.entity.geodesy import distance_m

__all__ = ["Limits", "Seen", "Still", "Watch", "Way"]

_KEPT = 512


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, and what counts as motion.

    An answer is waited for `answer_us` and asked for again `retries` times (mavlink.io/en/services/command.html).
    A vehicle moves if it comes closer by more than `noise_m`, at no less than `closing_mps`, within `move_us` of its
    word; it is there within `acceptance_m`; it is stuck if it came no closer for `stall_us`. It holds if it stays
    within `drift_m` for `still_us`. It is its operator's again if it is in another mode for `left_us`.
    """

    answer_us: int = 1_500_000
    retries: int = 4
    busy_us: int = 60_000_000
    noise_m: float = 3.0
    closing_mps: float = 0.25
    move_us: int = 30_000_000
    acceptance_m: float = 5.0
    stall_us: int = 60_000_000
    still_us: int = 10_000_000
    drift_m: float = 5.0
    left_us: int = 2_500_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What it was seen to come to, why, and how far it is on its way."""

    state: Literal["executing", "completed", "failed"]
    reason: str | None = None
    progress_percent: float | None = None


class Way:
    """Whether a vehicle goes along `points`, one after the other; it accepted at `at_us`.

    Without points it is asked whether it moves at all, until `towards` tells where it should go.
    """

    def __init__(self, points: Sequence[Point], limits: Limits, at_us: int, until_us: int | None = None) -> None:
        self._points = list(points)
        self._limits = limits
        self._accepted_us = at_us
        self._until_us = until_us
        self._next = 0
        self._moving = False
        self._heard = False
        self._far: tuple[float, int] | None = None
        self._best: tuple[float, int] | None = None
        self._left_m: float | None = None

    def towards(self, points: Sequence[Point]) -> None:
        """Where it should go, if that was not known before."""
        if not self._points:
            self._points = list(points)

    def reached(self, count: int) -> None:
        """It says that it has passed `count` points; the last has to be seen."""
        passed = min(count, len(self._points) - 1)
        if passed > self._next:
            self._next = passed
            self._far = self._best = None

    def place(self, lat_deg: float, lon_deg: float, at_us: int) -> Seen | None:
        """It is there now."""
        first = not self._heard
        self._heard = True
        passed = False
        while self._next < len(self._points):
            left_m = self._left_m = self._distance(lat_deg, lon_deg)
            if left_m > self._limits.acceptance_m:
                return self._closing(left_m, at_us, passed)
            self._next += 1
            self._far = self._best = None
            passed = True
        if not self._points:
            return None
        return Seen("completed", "was there already" if first else None, 100.0)

    def tick(self, at_us: int) -> Seen | None:
        """Time goes by."""
        limits = self._limits
        if self._until_us is not None and at_us > self._until_us:
            return Seen("failed", "its time ran out")
        if not self._moving:
            if at_us - self._accepted_us <= limits.move_us:
                return None
            if not self._heard:
                return Seen("failed", "accepted, but where it is was not heard")
            if not self._points:
                return Seen("failed", "accepted, but where its home is was not heard")
            return Seen("failed", "accepted but did not move")
        if self._best is not None and at_us - self._best[1] > limits.stall_us:
            return Seen("failed", f"stopped {self._best[0]:.0f} m short of point {self._next + 1}")
        return None

    def _distance(self, lat_deg: float, lon_deg: float) -> float:
        point = self._points[self._next]
        return distance_m(lat_deg, lon_deg, point.lat_deg, point.lon_deg)

    def _closing(self, left_m: float, at_us: int, passed: bool) -> Seen | None:
        limits = self._limits
        if self._far is None or left_m >= self._far[0]:
            self._far = left_m, at_us
        if self._best is None or left_m < self._best[0] - limits.noise_m / 2:
            self._best = left_m, at_us
        closer, seconds = self._far[0] - left_m, (at_us - self._far[1]) / 1e6
        began = not self._moving and closer > limits.noise_m and closer >= limits.closing_mps * seconds
        if began:
            self._moving = True
        if began or (passed and self._moving):
            return Seen("executing", progress_percent=100.0 * self._next / len(self._points))
        return None


class Still:
    """Whether a vehicle stays where it is, until `until_us`; it accepted at `at_us`."""

    def __init__(self, limits: Limits, at_us: int, until_us: int | None = None) -> None:
        self._limits = limits
        self._accepted_us = at_us
        self._until_us = until_us
        self._recent: deque[tuple[int, float, float]] = deque(maxlen=_KEPT)
        self._held: tuple[float, float] | None = None

    def reached(self, count: int) -> None:
        """A mission's word, which is nothing to it."""

    def towards(self, points: Sequence[Point]) -> None:
        """A home, which is nothing to it."""

    def place(self, lat_deg: float, lon_deg: float, at_us: int) -> Seen | None:
        """It is there now."""
        limits = self._limits
        if self._held is not None:
            away = distance_m(lat_deg, lon_deg, *self._held)
            return Seen("failed", f"went {away:.0f} m off") if away > 3 * limits.drift_m else None
        recent = self._recent
        recent.append((at_us, lat_deg, lon_deg))
        while len(recent) > 1 and recent[1][0] <= at_us - limits.still_us:
            recent.popleft()
        if at_us - recent[0][0] < limits.still_us:
            return None
        if any(distance_m(lat_deg, lon_deg, lat, lon) > limits.drift_m for _, lat, lon in recent):
            return None
        self._held = lat_deg, lon_deg
        return Seen("executing")

    def tick(self, at_us: int) -> Seen | None:
        """Time goes by."""
        if self._held is not None:
            return Seen("completed") if self._until_us is not None and at_us >= self._until_us else None
        if at_us - self._accepted_us <= self._limits.move_us:
            return None
        return Seen(
            "failed", "accepted but did not stop" if self._recent else "accepted, but where it is was not heard"
        )


Watch = Way | Still
