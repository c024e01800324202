"""Frames of reference: WGS-84 geodetic and earth-centred earth-fixed (ECEF), north-east-down, and attitudes.

Constants and names as in NGA.STND.0036 (WGS-84). Quaternions are (w, x, y, z), unit, and turn vectors from the body
into the named frame. All angles here are radians, but for latitudes and longitudes, which are degrees.
"""

from __future__ import annotations

import math

__all__ = [
    "Quaternion",
    "Vector",
    "course",
    "distance_m",
    "ecef_attitude",
    "ecef_of",
    "ecef_to_ned",
    "ecef_vector",
    "euler_of",
    "geodetic_of",
    "ned_vector",
    "quaternion_of",
]

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

_A = 6_378_137.0
_F = 1 / 298.257223563
_B = _A * (1 - _F)
_E2 = _F * (2 - _F)
_EP2 = _E2 / (1 - _E2)
_MEAN_M = 6_371_008.8  # radius of the sphere in `distance_m`, IUGG


def ecef_of(lat_deg: float, lon_deg: float, height_m: float) -> Vector:
    """ECEF coordinates in metres of a geodetic place."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    sin, cos = math.sin(lat), math.cos(lat)
    normal = _A / math.sqrt(1 - _E2 * sin * sin)
    around = (normal + height_m) * cos
    return around * math.cos(lon), around * math.sin(lon), (normal * (1 - _E2) + height_m) * sin


def geodetic_of(x: float, y: float, z: float) -> Vector:
    """Latitude, longitude (degrees) and height (m) of an ECEF point more than 1 km from the earth's centre.

    Bowring's formula (1976), repeated once: exact to below 1e-9 degrees and 1e-6 m from -10 km to 1,000 km of height.
    """
    p = math.hypot(x, y)
    beta = math.atan2(z * _A, p * _B)
    lat = 0.0
    for _ in range(2):
        sin, cos = math.sin(beta), math.cos(beta)
        lat = math.atan2(z + _EP2 * _B * sin * sin * sin, p - _E2 * _A * cos * cos * cos)
        beta = math.atan2((1 - _F) * math.sin(lat), math.cos(lat))
    sin, cos = math.sin(lat), math.cos(lat)
    height = p * cos + z * sin - _A * math.sqrt(1 - _E2 * sin * sin)
    return math.degrees(lat), math.degrees(math.atan2(y, x)), height


def ned_vector(vector: Vector, lat_deg: float, lon_deg: float) -> Vector:
    """An ECEF vector (a velocity, not a place) as north, east, down at a place."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    slat, clat, slon, clon = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    x, y, z = vector
    out = clon * x + slon * y
    return clat * z - slat * out, clon * y - slon * x, -clat * out - slat * z


def ecef_vector(vector: Vector, lat_deg: float, lon_deg: float) -> Vector:
    """A north-east-down vector at a place as ECEF; the inverse of `ned_vector`."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    slat, clat, slon, clon = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    north, east, down = vector
    out = -slat * north - clat * down
    return clon * out - slon * east, slon * out + clon * east, clat * north - slat * down


def course(north: float, east: float) -> tuple[float, float | None]:
    """Speed, and course in degrees true in [0, 360): None where the speed is 0."""
    speed = math.hypot(north, east)  # the remainder of a tiny negative angle is 360.0, hence twice
    return speed, math.degrees(math.atan2(east, north)) % 360 % 360 if speed else None


def quaternion_of(roll: float, pitch: float, yaw: float) -> Quaternion:
    """The attitude of Tait-Bryan angles: yaw about z, then pitch about y, then roll about x."""
    sr, cr = math.sin(roll / 2), math.cos(roll / 2)
    sp, cp = math.sin(pitch / 2), math.cos(pitch / 2)
    sy, cy = math.sin(yaw / 2), math.cos(yaw / 2)
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )


def euler_of(attitude: Quaternion) -> Vector:
    """Roll, pitch and yaw; at a pitch of 90 degrees roll is 0."""
    w, x, y, z = attitude
    sine = max(-1.0, min(1.0, 2 * (w * y - z * x)))
    if abs(sine) > 1 - 1e-12:
        yaw = -math.copysign(2.0, sine) * math.atan2(x, w)
        return 0.0, math.copysign(math.pi / 2, sine), math.remainder(yaw, math.tau)
    return (
        math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
        math.asin(sine),
        math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
    )


def ecef_attitude(attitude: Quaternion, lat_deg: float, lon_deg: float) -> Quaternion:
    """An attitude given in north-east-down as one given in ECEF, as DIS has it; see `ecef_to_ned`."""
    return _product(_ned_in_ecef(lat_deg, lon_deg), attitude)


def ecef_to_ned(attitude: Quaternion, lat_deg: float, lon_deg: float) -> Quaternion:
    """An attitude given in ECEF as one given in north-east-down at a place."""
    w, x, y, z = _ned_in_ecef(lat_deg, lon_deg)
    return _product((w, -x, -y, -z), attitude)


def _ned_in_ecef(lat_deg: float, lon_deg: float) -> Quaternion:
    """Turns north-east-down vectors into ECEF: about z by the longitude, then about y by -(latitude + 90 degrees)."""
    lon, tilt = math.radians(lon_deg) / 2, -(math.radians(lat_deg) + math.pi / 2) / 2
    about_z = (math.cos(lon), 0.0, 0.0, math.sin(lon))
    about_y = (math.cos(tilt), 0.0, math.sin(tilt), 0.0)
    return _product(about_z, about_y)


def _product(a: Quaternion, b: Quaternion) -> Quaternion:
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def distance_m(lat1_deg: float, lon1_deg: float, lat2_deg: float, lon2_deg: float) -> float:
    """Great-circle distance in metres (haversine on a sphere; within 0.6 % of the ellipsoid)."""
    lat1, lat2 = math.radians(lat1_deg), math.radians(lat2_deg)
    half = math.radians(lon2_deg - lon1_deg) / 2
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half) ** 2
    return 2 * _MEAN_M * math.asin(math.sqrt(min(1.0, h)))
