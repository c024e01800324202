"""Entity State PDU to track, with its ledger (IEEE 1278.1-2012, 7.2.2; frames of its vectors: Annex E).

Read with care where the standard has no code for "unknown": a location of zeros, an entity type of zeros and an
orientation of zeros (where the velocity does not rest on it) say nothing; neither do an acceleration or a rate of zeros
with an algorithm that uses none. A velocity is one where it is zero, whatever the algorithm.
"""

from __future__ import annotations

from math import pi, sqrt

from aldis.apps.experiments.entity import (
    Decoded,
    Identity,
    Ledger,
    Motion,
    Original,
    Position,
    Remainder,
    Residue,
    Sensor,
    Status,
    Timing,
    Track,
)
from aldis.apps.experiments.gateways.dis.frames import (
    Place,
    Quaternion,
    Vector,
    attitude_of,
    bearing,
    geodetic,
    ned_of_body,
    ned_of_ecef,
)
from aldis.apps.experiments.gateways.dis.names import fixed_of, marking_of, remainder
from aldis.apps.experiments.gateways.dis.said import Said, said
from aldis.apps.experiments.gateways.dis.stamps import past_hour_us, source_us
from aldis.apps.experiments.gateways.dis.wire import BODY, ENTITY_STATE_LENGTH, PROTOCOL, STATE

__all__ = ["DATUM", "MAX_VECTOR", "decoded"]

DATUM = "WGS-84"
MAX_VECTOR = 1e6
"""Greatest velocity (m/s), acceleration (m/s2) and rate (rad/s) that is believed."""

_unpack = STATE.unpack_from
_NEAR, _FAR = 6.25e6**2, 1e9**2  # from 100 km below the ellipsoid to beyond the moon
_LIMIT = MAX_VECTOR**2
_WORLD = frozenset((1, 2, 3, 4, 5))
_ACCELERATED = frozenset((4, 5, 8, 9))  # algorithms that use acceleration
_TURNING = frozenset((3, 4, 7, 8))  # algorithms that use the rates
_HALF_TURN = 3.1415928  # pi and half of it as a float of 32 bits, which is greater
_QUARTER = 1.5707964
_VERTICAL = 1e-6
_TURN_AND_MORE = 2 * pi + 1e-6
_NO_PARAMETERS = bytes(15)
_MAX_KEPT = 4096
_How = tuple[int, int, int, str, tuple[bool, bool], str, str, str, str, str, str, bool, bool]
_Ledger = tuple[Ledger, tuple[tuple[str, int, int | None], ...]]
_ledgers: dict[_How, _Ledger] = {}
_STILL: Vector = (0.0, 0.0, 0.0)


def decoded(data: bytes, start: int, end: int, at_us: int) -> Decoded:
    """The track that the PDU at `start` reports; its length is right."""
    (version, _, _, _, stamp, _, state, fixed_bytes, vx, vy, vz, x, y, z, psi, theta, phi, appearance, algorithm,
     parameters, ax, ay, az, rx, ry, rz, marking_bytes, capabilities) = _unpack(data, start)  # fmt: skip
    fixed, marking = fixed_of(fixed_bytes), marking_of(marking_bytes)
    if stamp & 1:
        source = source_us(stamp, at_us)
        at = source // 1000
        timing = Timing(source_us=source, source_uncertainty_us=1, received_us=at_us, clock="utc")
    else:
        at = at_us // 1000
        timing = Timing(simulation_us=past_hour_us(stamp), simulation_uncertainty_us=1, received_us=at_us, clock="hour")
    position, place, lat, lon, where = None, None, 0.0, 0.0, "zeros"
    if _NEAR < x * x + y * y + z * z < _FAR:
        lat, lon, height, place = geodetic(x, y, z)
        original = Original(frame="ecef", datum=DATUM, values=(x, y, z))
        position = Position(lat_deg=lat, lon_deg=lon, at=at, height_m=height, original=original)
        where = "whole"
    elif x or y or z:
        where = "out of range"
    attitude, heading, facing = None, None, "zeros"
    if psi or theta or phi or algorithm in BODY:
        attitude, heading, facing = _attitude(psi, theta, phi, lat, lon, place)
    velocity, going = _turned(vx, vy, vz, algorithm, place, attitude)
    acceleration, gaining, rates, spinning = None, "unsaid", None, "unsaid"
    if ax or ay or az or algorithm in _ACCELERATED:
        acceleration, gaining = _turned(ax, ay, az, algorithm, place, attitude)
    if rx or ry or rz or algorithm in _TURNING:
        rates, spinning = ((rx, ry, rz), "whole") if rx * rx + ry * ry + rz * rz < _LIMIT else (None, "out of range")
    speed, course, climb = None, None, None
    if velocity is not None:
        north, east, down = velocity
        speed, climb = sqrt(north * north + east * east), 0.0 - down
        course = bearing(north, east) if speed else None
    how = (
        version, stamp & 1, state if version > 6 else 0, fixed.force, fixed.known, marking.read, where, going, facing,
        gaining, spinning, parameters != _NO_PARAMETERS, end - start > ENTITY_STATE_LENGTH,
    )  # fmt: skip
    ledger, kept = _ledgers.get(how) or _ledger(how)
    track = Track(
        key=fixed.key,
        position=position,
        motion=Motion(
            at=at,
            speed_mps=speed,
            course_deg=course,
            climb_mps=climb,
            heading_deg=heading,
            acceleration_mps2=acceleration,
            attitude=attitude,
            rates_rad_s=rates,
            dead_reckoning=algorithm,
            frame="body" if algorithm in BODY else "ecef" if velocity is not None else None,
        ),
        identity=Identity(at=at, dis_id=fixed.dis_id, name=marking.text),
        type=fixed.type,
        status=Status(at=at, appearance=appearance, capabilities=capabilities),
        sensor=Sensor(protocol=PROTOCOL, received_ms=at_us // 1000),
        timing=timing,
        residue=_residue(kept, data[start:end]) if kept else None,
    )
    return Decoded(track, ledger)


def _ledger(how: _How) -> _Ledger:
    """The ledger for PDUs read in this way, and what their residue keeps; remembered."""
    if len(_ledgers) >= _MAX_KEPT:
        _ledgers.clear()
    found = _ledgers[how] = said(Said(*how))
    return found


def _attitude(
    psi: float, theta: float, phi: float, lat: float, lon: float, place: Place | None
) -> tuple[Quaternion | None, float | None, str]:
    """Attitude, heading where there is one, and how whole: angles beyond the standard's ranges come back within."""
    if place is None:
        return None, None, "bytes"
    how = "whole"
    if not (-_HALF_TURN < psi < _HALF_TURN and -_QUARTER < theta < _QUARTER and -_HALF_TURN < phi < _HALF_TURN):
        if not max(abs(psi), abs(theta), abs(phi)) <= _TURN_AND_MORE or psi + theta + phi != psi + theta + phi:
            return None, None, "out of range"
        how = "turned"
    attitude = attitude_of(psi, theta, phi, lat, lon)
    w, x, y, z = attitude
    north, east = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z)
    upright = abs(north) + abs(east) > _VERTICAL
    return attitude, bearing(north, east) if upright else None, how


def _turned(
    x: float, y: float, z: float, algorithm: int, place: Place | None, attitude: Quaternion | None
) -> tuple[Vector | None, str]:
    """A vector as north, east, down, and how whole; an algorithm without a frame, or no place, leaves its bytes."""
    if not (x or y or z):
        return _STILL, "whole"
    if not x * x + y * y + z * z < _LIMIT:
        return None, "out of range"
    if place is not None and algorithm in _WORLD:
        return ned_of_ecef(x, y, z, place), "whole"
    if attitude is not None and algorithm in BODY:
        return ned_of_body(x, y, z, attitude), "whole"
    return None, "bytes"


def _residue(kept: tuple[tuple[str, int, int | None], ...], pdu: bytes) -> Residue:
    parts: list[Remainder] = [remainder(field, pdu[first:last]) for field, first, last in kept]
    return Residue(parts=parts)
