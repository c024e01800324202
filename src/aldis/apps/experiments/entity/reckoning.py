"""Dead reckoning: where a track is by now, from what the one who looks was given of it, and of nothing else.

It comes after release, and is a pure function of the values released: what was withheld cannot come back by it. A
prediction is shown, and told to systems whose protocol can say that it is one; it is no record and goes to no partner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from aldis.apps.experiments.entity.losses import Carried, Ledger
from aldis.apps.experiments.entity.schemes import moves
from aldis.apps.experiments.entity.track import Motion, Position, Sensor, Timing, Track
from aldis.kernel.instruments import Action, Transform
from aldis.kernel.transforms import Transformed, apply_transforms

__all__ = ["FIX", "HOW", "Reckoned", "bound_ms", "predicted", "reckoned", "says_so"]

HOW, FIX = "m-p", "dead reckoning"
"""CoT's `how` of a prediction by a machine (MITRE, Event-PUBLIC.xsd), and the fix that AIS's time stamp 62 tells of
(ITU-R M.1371-5, table 48)."""
_BOUNDS_MS = {"sea": 180_000, "land": 60_000, "air": 30_000, None: 30_000}
"""How long a thing is reckoned on from its last position. What is in orbit keeps no course: it is not here."""
_SWERVES_MPS2 = {"sea": 0.1, "land": 1.0, "air": 3.0, None: 3.0}
"""The acceleration that a thing is taken to be capable of without a word, one standard deviation."""
_PLACE_M, _CLOSE_M = 50.0, 10.0
"""The error of a position of which nobody said how good it is, and of one that is `accurate`: 10 m (AIS)."""
_SPEED_SHARE, _SPEED_MPS = 0.1, 0.25
"""The error of a speed of which nobody said how good it is: the greater of a share of it and this."""
_FASTEST_MPS, _STEEPEST_MPS, _TIGHTEST_DEG_PER_MIN = 3_000.0, 500.0, 3_600.0
_USELESS_M = 100_000.0
_POLAR_DEG = 89.0  # beyond it a course is no direction for long
_GRAINS_MS = (3_600_000, 600_000, 60_000, 10_000, 1_000)
_A, _E2 = 6_378_137.0, 0.00669437999014  # WGS-84 (NGA.STND.0036): semi-major axis, first eccentricity squared
_RADIUS = (
    2.45  # of the circle that holds 95 % of a circular normal distribution, in standard deviations: sqrt(-2 ln 0.05)
)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A track as it is reckoned to be; its `sensor` says that it is, and its position's `accuracy_m` how well.

    `since_ms` is when it was where it was last known to be, `radius_m` that of the circle which holds it in 95 of 100
    cases, as long as it does nothing out of the ordinary.
    """

    track: Track
    since_ms: int
    radius_m: float


def bound_ms(track: Track) -> int:
    """For how long after its last position a track is reckoned on, in ms; 0 where it is not at all."""
    return _BOUNDS_MS.get(_domain(track), 0)


def reckoned(track: Track, at_ms: int) -> Reckoned | None:
    """The track at `at_ms`; None where nothing is known to reckon with, or nothing that would be worth it.

    It goes on along its course, or around the turn that it is in, and climbs as it did. A position that is `suspect`, a
    track with doubts, and one whose last position is older than the bound, are not reckoned. What was coarsened comes
    out on the same grid.
    """
    place, motion = track.position, track.motion
    if place is None or motion is None or place.at is None or place.suspect:
        return None
    if (track.sensor is not None and track.sensor.doubts) or not _usable(place, motion):
        return None
    age_ms, bound = at_ms - place.at, bound_ms(track)
    if not 0 < age_ms <= bound or (motion.at is not None and abs(motion.at - place.at) > bound):
        return None
    seconds = age_ms / 1000
    north, east, course = _gone(motion, seconds)
    moved = _moved(place, north, east)
    if moved is None:
        return None
    sigma = _sigma(track, place, motion, seconds)
    if not sigma < _USELESS_M:
        return None
    said = replace(
        track,
        position=replace(moved, at=at_ms, accuracy_m=round(sigma, 1), **_height(place, motion, seconds)),
        motion=_turned(motion, course, at_ms),
        sensor=_told(track.sensor, at_ms),
        timing=Timing(source_us=at_ms * 1000, stale_us=(place.at + bound) * 1000),
        residue=None,
    )
    return Reckoned(said, place.at, round(_RADIUS * sigma, 1))


def predicted(entity: object) -> bool:
    """Whether it says of itself that it was reckoned; no report that anything is judged by."""
    sensor = entity.sensor if isinstance(entity, Track) else None
    return sensor is not None and (sensor.how, sensor.fix) == (HOW, FIX)


def says_so(ledger: Ledger) -> bool:
    """Whether what was encoded tells whoever reads it that the position is a prediction."""
    return any(isinstance(one, Carried) and one.field in ("sensor.how", "sensor.fix") for one in ledger.entries)


def _domain(track: Track) -> str | None:
    number = track.identity.mmsi if track.identity is not None else None
    return moves(track.type, number)


def _usable(place: Position, motion: Motion) -> bool:
    speed, turn, climb = motion.speed_mps, motion.turn_deg_per_min or 0.0, motion.climb_mps or 0.0
    if speed is None or not 0 <= speed <= _FASTEST_MPS or abs(place.lat_deg) > _POLAR_DEG:
        return False
    if speed and (motion.course_deg is None or not abs(motion.course_deg) <= 360):
        return False
    if place.grid_m is not None and place.grid_m < 1:
        return False
    return abs(turn) <= _TIGHTEST_DEG_PER_MIN and abs(climb) <= _STEEPEST_MPS


def _gone(motion: Motion, seconds: float) -> tuple[float, float, float]:
    """Metres to the north and to the east, and the course in the end: a straight line, or an arc at constant speed."""
    speed, course = motion.speed_mps or 0.0, math.radians(motion.course_deg or 0.0)
    rate = math.radians(motion.turn_deg_per_min or 0.0) / 60
    turned = rate * seconds
    if abs(turned) < 1e-9:
        return speed * seconds * math.cos(course), speed * seconds * math.sin(course), math.degrees(course) % 360
    radius, end = speed / rate, course + turned
    north, east = radius * (math.sin(end) - math.sin(course)), radius * (math.cos(course) - math.cos(end))
    return north, east, math.degrees(end) % 360


def _moved(place: Position, north: float, east: float) -> Position | None:
    """Some way off on the ellipsoid by the rhumb line, on the grid of what it began with, and without its details."""
    radians = math.radians(place.lat_deg)
    flat = 1 - _E2 * math.sin(radians) ** 2
    lat = place.lat_deg + math.degrees(north * flat**1.5 / (_A * (1 - _E2)))
    if abs(lat) > _POLAR_DEG:
        return None
    middle = math.radians((place.lat_deg + lat) / 2)
    along = _A / math.sqrt(1 - _E2 * math.sin(middle) ** 2) * math.cos(middle)
    lon = (place.lon_deg + math.degrees(east / along) + 180) % 360 - 180
    if place.grid_m is None:
        return Position(lat_deg=lat, lon_deg=lon)
    grid = Transform(portion="position", action=Action.COARSEN, grid_m=place.grid_m)
    cell = apply_transforms([grid], {"lat_deg": lat, "lon_deg": lon}, secret=b"", partner="")
    return msgspec.convert(cell.value, Position) if isinstance(cell, Transformed) else None


def _height(place: Position, motion: Motion, seconds: float) -> dict[str, float]:
    """Heights and depth, as they were or on the way up or down; nothing is above the surface by its depth."""
    up = (motion.climb_mps or 0.0) * seconds
    found = {name: value + up for name in ("height_m", "above_home_m") if (value := getattr(place, name)) is not None}
    return found if place.depth_m is None else {**found, "depth_m": max(0.0, place.depth_m - up)}


def _sigma(track: Track, place: Position, motion: Motion, seconds: float) -> float:
    """One standard deviation of the place in metres, of what adds up independently."""
    speed, domain, at = motion.speed_mps or 0.0, _domain(track), place.at or 0
    stated, known = place.accuracy_m, motion.speed_accuracy_mps
    start = stated if stated is not None and 0 <= stated < math.inf else _CLOSE_M if place.accurate else _PLACE_M
    if place.grid_m is not None:
        start = place.grid_m / math.sqrt(3)  # within its cell, and once more as it is put onto the grid
    faulty = known if known is not None and 0 <= known < math.inf else max(_SPEED_SHARE * speed, _SPEED_MPS)
    grain = (
        next((one for one in _GRAINS_MS if at % one == 0), 0) / 1000
    )  # a time that was rounded is no finer than that
    parts = (
        start,
        faulty * seconds,
        _SWERVES_MPS2[domain] * seconds**2 / 2,
        speed * min(grain, seconds) / math.sqrt(3),
    )
    return math.hypot(*parts)


def _turned(motion: Motion, course: float, at_ms: int) -> Motion:
    """How it moves by then; what a turn changes otherwise is not known."""
    if not motion.turn_deg_per_min:
        return replace(motion, at=at_ms)
    return replace(
        motion, at=at_ms, course_deg=course, heading_deg=None, attitude=None, rates_rad_s=None, acceleration_mps2=None
    )


def _told(sensor: Sensor | None, at_ms: int) -> Sensor:
    """That it was reckoned, in place of what a fix says of itself."""
    made = sensor if sensor is not None else Sensor(protocol="reckoned", received_ms=at_ms)
    return replace(made, received_ms=at_ms, how=HOW, fix=FIX, altitude_fix=None, satellites=None, hdop=None, vdop=None)
