"""How a track moves, as an Entity State PDU says it (IEEE 1278.1-2012, Annex E; SISO-REF-010, UID 44)."""

from __future__ import annotations

from math import cos, sin

from aldis.apps.experiments.entity import Motion
from aldis.apps.experiments.gateways.dis.decoding import MAX_VECTOR
from aldis.apps.experiments.gateways.dis.frames import (
    DEGREE,
    Place,
    Quaternion,
    Vector,
    body_of_ned,
    ecef_of_ned,
    orientation_of,
)
from aldis.apps.experiments.gateways.dis.wire import BODY

__all__ = ["Moving", "moving"]

_ZERO: Vector = (0.0, 0.0, 0.0)
_LIMIT = MAX_VECTOR**2
_FINE_VELOCITY, _FINE = 1024.0**2, 64.0**2
_FAINT = 1e-30  # m/s: what a float of 32 bits can still turn
_BOUNDS = {True: "fine", False: "coarse"}
_V, _A, _R, _Q = 1, 2, 4, 8  # velocity, acceleration, rates, attitude
_NEEDS = {1: 0, 2: _V, 3: _V | _R, 4: _V | _A | _R, 5: _V | _A,
          6: _V | _Q, 7: _V | _R | _Q, 8: _V | _A | _R | _Q, 9: _V | _A | _Q}  # fmt: skip
_CHOICE = (4, 5, 3, 2)  # of algorithms in the world's frame, the richest that is fed

Moving = tuple[int, Vector, Vector, Vector, Vector, tuple[str, ...]]
"""Algorithm, velocity, orientation, acceleration, rates, and how each was said."""


def moving(motion: Motion, place: Place, lon_deg: float, restored: bool) -> Moving:
    """What stands in the PDU; `restored` says that the velocity's bytes are put back as they came."""
    attitude = motion.attitude
    orientation, facing, pointing = _orientation(attitude, motion.heading_deg, place, lon_deg)
    velocity, going, fine = _velocity(motion)
    acceleration, gaining, fine = _bounded(motion.acceleration_mps2, "acceleration out of range", fine)
    rates, spinning, fine = _bounded(motion.rates_rad_s, "rates out of range", fine)
    have = (
        (velocity is not None and _V)
        | (acceleration is not None and _A)
        | (rates is not None and _R)
        | (attitude is not None and _Q)
    )
    algorithm, chosen = _algorithm(motion.dead_reckoning, have, restored or velocity == _ZERO)
    frame = "ecef"
    if algorithm in BODY and attitude is not None:
        frame = "body"
        velocity = body_of_ned(*velocity, attitude) if velocity else velocity
        acceleration = body_of_ned(*acceleration, attitude) if acceleration else acceleration
    else:
        velocity = ecef_of_ned(*velocity, place) if velocity else velocity
        acceleration = ecef_of_ned(*acceleration, place) if acceleration else acceleration
    framed = "frame kept" if motion.frame == frame else "frame chosen"
    states = (facing, pointing, "" if restored else going, gaining, spinning, chosen, framed, _BOUNDS[fine])
    return algorithm, velocity or _ZERO, orientation, acceleration or _ZERO, rates or _ZERO, states


def _orientation(
    attitude: Quaternion | None, heading: float | None, place: Place, lon_deg: float
) -> tuple[Vector, str, str]:
    """Euler angles, how the attitude was said, and how the heading."""
    if attitude is not None:
        pointing = "" if heading is None else "heading same" if _same(attitude, heading) else "heading other"
        return orientation_of(attitude, place, lon_deg), "attitude given", pointing
    if heading is None:
        return _ZERO, "attitude unknown", ""
    half = heading * DEGREE / 2
    return orientation_of((cos(half), 0.0, 0.0, sin(half)), place, lon_deg), "attitude level", ""


def _same(attitude: Quaternion, heading: float) -> bool:
    """Whether the bow of this attitude points there."""
    w, x, y, z = attitude
    north, east, angle = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), heading * DEGREE
    c, s = cos(angle), sin(angle)
    return abs(east * c - north * s) < 1e-6 and north * c + east * s >= 0


def _velocity(motion: Motion) -> tuple[Vector | None, str, bool]:
    """North, east, down; how it was said; and whether floats of 32 bits hold speed and course finely."""
    speed, course, climb = motion.speed_mps, motion.course_deg, motion.climb_mps
    if speed is None or (course is None and speed):
        return None, "velocity unknown", True
    up = climb or 0.0
    square = speed * speed + up * up
    if not square < _LIMIT:
        return None, "velocity unknown", True
    fine = square < _FINE_VELOCITY and (course is None or (10 * speed > abs(up) and speed > _FAINT))
    angle = (course or 0.0) * DEGREE
    return (speed * cos(angle), speed * sin(angle), -up), "" if climb is not None else "climb unknown", fine


def _bounded(vector: Vector | None, beyond: str, fine: bool) -> tuple[Vector | None, str, bool]:
    if vector is None:
        return None, "", fine
    x, y, z = vector
    square = x * x + y * y + z * z
    return (vector, "", fine and square < _FINE) if square < _LIMIT else (None, beyond, fine)


def _algorithm(given: int | None, have: int, any_frame: bool) -> tuple[int, str]:
    """The source's algorithm where what it works on is known; else one that claims no more than that."""
    if given is not None and 0 <= given <= 255:
        needs = _NEEDS.get(given)
        if any_frame if needs is None else not needs & ~have:
            return given, "algorithm kept"
    fed = have if have & _Q else have & ~_R
    return next((code for code in _CHOICE if not _NEEDS[code] & ~fed), 1), "algorithm chosen"
