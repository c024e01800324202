"""Tracks at common instants, so that two pictures of them can be compared.

A track has a place at an instant only where the stream itself gave one: at a report's own time, or between two of its
reports that are no further apart than `gap_us`, on the straight way between them. Nothing is ever carried on beyond a
report, nor taken from another stream: what was withheld from a picture is not put back into it by comparing it.
Positions between reports: interpolation of the n-vector (Gade, "A non-singular horizontal position representation",
Journal of Navigation 63, 2010), which has no seam at 180 degrees and none at the poles.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from aldis.apps.experiments.entity.geodesy import Vector, ecef_of
from aldis.apps.experiments.scoring.streams import Report

__all__ = ["Place", "Trajectory", "frames", "instants"]

Place = tuple[float, float, float | None]
"""Latitude and longitude in degrees, and height above the ellipsoid in metres where both neighbours say one."""


class Trajectory:
    """The places of one track over time. Of several reports of one time, the one received last counts."""

    def __init__(self, reports: Iterable[Report]) -> None:
        places: dict[int, Place] = {}
        for report in sorted(reports, key=lambda one: (one.at_us, one.received_us)):
            if report.place is not None:
                places[report.at_us] = report.place
        self.times = list(places)
        self._places = list(places.values())
        self._normals = [_normal(place) for place in self._places]

    def at(self, at_us: int, gap_us: int) -> Place | None:
        """The place at an instant, None where the track has none then."""
        after = bisect_left(self.times, at_us)
        if after == len(self.times):
            return None
        if self.times[after] == at_us:
            return self._places[after]
        if not after or self.times[after] - self.times[after - 1] > gap_us:
            return None
        return self._between(after, (at_us - self.times[after - 1]) / (self.times[after] - self.times[after - 1]))

    def _between(self, after: int, share: float) -> Place:
        (ax, ay, az), (bx, by, bz) = self._normals[after - 1 : after + 1]
        x, y, z = ax + (bx - ax) * share, ay + (by - ay) * share, az + (bz - az) * share
        below, above = self._places[after - 1][2], self._places[after][2]
        height = None if below is None or above is None else below + (above - below) * share
        return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)), height


def instants(trajectories: Iterable[Trajectory], step_us: int) -> range:
    """Every multiple of `step_us` from the first report to the last, both included."""
    times = [time for one in trajectories if one.times for time in (one.times[0], one.times[-1])]
    if not times:
        return range(0)
    return range(-(-min(times) // step_us) * step_us, max(times) + 1, step_us)


def frames(
    tracks: Mapping[str, Trajectory], at: Sequence[int], gap_us: int
) -> Sequence[Mapping[str, tuple[Place, Vector]]]:
    """For each instant, the tracks that have a place then, by key in order: the place, and it in ECEF at height 0.

    Heights are left out of the points, since not every source knows one; they are compared apart.
    """
    made: list[dict[str, tuple[Place, Vector]]] = [{} for _ in at]
    for key in sorted(tracks):
        track = tracks[key]
        if not track.times:
            continue
        for frame, instant in zip(made, at, strict=True):
            if track.times[0] <= instant <= track.times[-1]:
                place = track.at(instant, gap_us)
                if place is not None:
                    frame[key] = place, ecef_of(place[0], place[1], 0.0)
    return made


def _normal(place: Place) -> Vector:
    lat, lon = math.radians(place[0]), math.radians(place[1])
    cos = math.cos(lat)
    return cos * math.cos(lon), cos * math.sin(lon), math.sin(lat)
