"""How a small fast boat moves: it gathers way, turns and stops in its own time, in water that moves too."""

from __future__ import annotations

import math

from aldis.apps.experiments.players.sea import Place, Sea, moved, offset_m

__all__ = ["Hull"]

_GAIN = 0.4  # of the distance left, in a second: how it slows down towards a place, and how it keeps its station


class Hull:
    """A boat of about 7 m; `cruise_mps` is what it goes at if nobody says otherwise, `velocity` is over ground.

    Its speed through the water changes by at most `gain_mps2`, its heading by `turn_deg_s`; it makes way only as far as
    it heads where it wants to go.
    """

    gain_mps2 = 2.0
    turn_deg_s = 40.0

    def __init__(self, place: Place, sea: Sea, cruise_mps: float = 12.0, heading_deg: float = 0.0) -> None:
        self.place = place
        self.cruise_mps = cruise_mps
        self.heading_deg = heading_deg
        self.water_mps = 0.0
        self.velocity = sea.current
        self._sea = sea

    def step(self, seconds: float, goal: Place | None, speed_mps: float | None = None) -> None:
        """Time goes by; without a goal it drifts with the water."""
        north, east = self._wanted(goal, speed_mps or self.cruise_mps)
        wanted = math.hypot(north, east)
        if wanted > 0.05:
            off = math.remainder(math.degrees(math.atan2(east, north)) - self.heading_deg, 360)
            turn = max(-self.turn_deg_s * seconds, min(self.turn_deg_s * seconds, off))
            self.heading_deg = (self.heading_deg + turn) % 360
            wanted *= max(0.0, math.cos(math.radians(off - turn)))
        most = self.gain_mps2 * seconds
        self.water_mps += max(-most, min(most, wanted - self.water_mps))
        heading, current = math.radians(self.heading_deg), self._sea.current
        self.velocity = (
            self.water_mps * math.cos(heading) + current[0],
            self.water_mps * math.sin(heading) + current[1],
        )
        self.place = moved(self.place, self.velocity[0] * seconds, self.velocity[1] * seconds)

    def left_m(self, goal: Place) -> float:
        """How far it has yet to go."""
        return math.hypot(*offset_m(self.place, goal))

    def _wanted(self, goal: Place | None, most_mps: float) -> tuple[float, float]:
        """The velocity through the water that takes it there and lets it stop."""
        if goal is None:
            return 0.0, 0.0
        north, east = offset_m(self.place, goal)
        left = math.hypot(north, east)
        speed = min(most_mps, math.sqrt(1.6 * self.gain_mps2 * left), _GAIN * left + 0.2)
        share, current = speed / left if left > 0.1 else 0.0, self._sea.current
        return north * share - current[0], east * share - current[1]
