"""A simulated search helicopter of a DIS 7 exercise: it flies an expanding square about a datum.

The pattern is that of IAMSAR Manual, Volume III, section 3 (expanding square search): legs of one, one, two, two, three
spacings, each turned 90 degrees to starboard.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from aldis.apps.experiments.entity import Identity, Motion, Position, Timing, Track, Type
from aldis.apps.experiments.gateways.dis import OFFERED
from aldis.apps.experiments.players.sea import Place, moved, offset_m

__all__ = ["Helicopter"]

_EVERY_US = 1_000_000
_SPEED_MPS, _HEIGHT_M, _SPACING_M = 36.0, 90.0, 150.0
_GEOID_M = 17.0  # of the sea off Porkkala above the ellipsoid, by EGM96
_ID = "44:1:1"
_SISO = "1.2.224.22.0.0.0"  # platform, air, United Kingdom, a helicopter (SISO-REF-010)
_LEGS = 12


class Helicopter:
    """It begins at the datum, and again once its twelve legs are flown."""

    def __init__(self, datum: Place, began_us: int) -> None:
        self.place = datum
        self.told: list[str] = []
        self._datum = datum
        self._legs = self._square()
        self._goal = next(self._legs)
        self._velocity = (0.0, 0.0)
        self._gateway = OFFERED.open()
        self._now_us = self._due_us = began_us

    def advance(self, at_us: int) -> Sequence[bytes]:
        """Fly on to `at_us`, and say what is due."""
        left = max(0, at_us - self._now_us) / 1e6 * _SPEED_MPS
        self._now_us = max(self._now_us, at_us)
        while left > 0:
            north, east = offset_m(self.place, self._goal)
            far = math.hypot(north, east)
            if far <= left:
                self.place, left = self._goal, left - far
                self._goal = next(self._legs)
                continue
            self._velocity = (_SPEED_MPS * north / far, _SPEED_MPS * east / far)
            self.place = moved(self.place, north * left / far, east * left / far)
            left = 0.0
        if at_us < self._due_us:
            return ()
        self._due_us = at_us + _EVERY_US
        return self._gateway.encode(self._itself(at_us), at_us).messages

    def hear(self, data: bytes, at_us: int) -> Sequence[bytes]:  # noqa: ARG002  its exercise is its own
        """It does not listen."""
        return ()

    def _itself(self, at_us: int) -> Track:
        north, east = self._velocity
        return Track(
            key=f"dis:{_ID}",
            position=Position(
                lat_deg=self.place[0], lon_deg=self.place[1], at=at_us // 1000, height_m=_HEIGHT_M + _GEOID_M
            ),
            motion=Motion(
                at=at_us // 1000,
                speed_mps=_SPEED_MPS,
                course_deg=math.degrees(math.atan2(east, north)) % 360,
                climb_mps=0.0,
                dead_reckoning=2,
            ),
            identity=Identity(dis_id=_ID, name="RESCUE SIM"),
            type=Type(siso=_SISO, affiliation="friend"),
            timing=Timing(source_us=at_us, clock="utc"),
        )

    def _square(self) -> Iterator[Place]:
        while True:
            place = self._datum
            yield place
            for leg in range(_LEGS):
                length, bearing = _SPACING_M * (leg // 2 + 1), math.radians(90 * leg)
                place = moved(place, length * math.cos(bearing), length * math.sin(bearing))
                yield place
