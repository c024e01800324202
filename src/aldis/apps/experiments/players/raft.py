"""A simulated life raft whose AIS-SART says where it drifts: messages 1 and 14 of ITU-R M.1371-5, in NMEA 0183.

A real one says eight of them once a minute (IEC 61097-14), four on each channel; this one says one every two seconds,
since a demonstration has no minutes to wait.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from aldis.apps.experiments.entity import Motion, Position, Report, Status, Timing, Track
from aldis.apps.experiments.gateways.nmea import OFFERED
from aldis.apps.experiments.players.sea import Place, Sea, moved

__all__ = ["BEACON", "Raft"]

BEACON = "mmsi:970000001"
"""970, then two digits for a manufacturer, of whom none has 00, and four for the unit (ITU-R M.585-9, Annex 2)."""
_ACTIVE = "AIS-SART, MOB or EPIRB active"
_EVERY_US, _WORDS_US = 2_000_000, 20_000_000


class Raft:
    """It drifts with wind and water from where it is dropped; it hears nothing."""

    def __init__(self, place: Place, sea: Sea, began_us: int) -> None:
        self.place = place
        self.told: list[str] = []
        self._sea = sea
        self._gateway = OFFERED.open()
        self._now_us = self._due_us = self._words_us = began_us

    def advance(self, at_us: int) -> Sequence[bytes]:
        """Drift on to `at_us`, and say what is due."""
        seconds = max(0, at_us - self._now_us) / 1e6
        north, east = self._sea.drift
        self.place = moved(self.place, north * seconds, east * seconds)
        self._now_us = max(self._now_us, at_us)
        said: list[bytes] = []
        if at_us >= self._due_us:
            self._due_us = at_us + _EVERY_US
            track = Track(
                key=BEACON,
                position=Position(lat_deg=self.place[0], lon_deg=self.place[1], at=at_us // 1000, accurate=True),
                motion=Motion(
                    speed_mps=math.hypot(north, east), course_deg=math.degrees(math.atan2(east, north)) % 360
                ),
                status=Status(nav_status=_ACTIVE),
                timing=Timing(source_us=at_us),
            )
            said += self._gateway.encode(track, at_us).messages
        if at_us >= self._words_us:
            self._words_us = at_us + _WORDS_US
            words = Report(key=f"{BEACON}/text", text="SART ACTIVE", author=BEACON)
            said += self._gateway.encode(words, at_us).messages
        return said

    def hear(self, data: bytes, at_us: int) -> Sequence[bytes]:  # noqa: ARG002  it has no receiver
        """Nothing reaches it."""
        return ()
