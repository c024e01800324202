"""Places, velocities and attitudes between ECEF, as DIS has them, and north-east-down, as the model has them.

The same as `entity.geodesy`, which is the tests' reference, with what a PDU needs together computed together: sines
and cosines are taken from the place once, and an attitude turns from one frame into the other in one step.
Angles are radians, but for latitudes, longitudes and bearings, which are degrees.
"""

from __future__ import annotations

from math import atan2, cos, pi, sin, sqrt

__all__ = [
    "DEGREE",
    "Place",
    "attitude_of",
    "bearing",
    "body_of_ned",
    "ecef_of_ned",
    "geodetic",
    "ned_of_body",
    "ned_of_ecef",
    "orientation_of",
    "place_of",
    "point_of",
]

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Place = tuple[float, float, float, float]
"""Sine and cosine of the latitude, sine and cosine of the longitude."""

DEGREE = pi / 180
_A = 6_378_137.0  # WGS-84, NGA.STND.0036
_F = 1 / 298.257223563
_B = _A * (1 - _F)
_E2 = _F * (2 - _F)
_EP2B = _E2 / (1 - _E2) * _B
_E2A = _E2 * _A
_UPRIGHT = 1e-9  # of a unit vector, off the earth's axis
_LOW, _HIGH = -12_000.0, 15_000.0  # heights between which one round of Bowring's formula is exact to 2e-6 m


def geodetic(x: float, y: float, z: float) -> tuple[float, float, float, Place]:
    """Latitude, longitude and height of a point, and the sines and cosines (Bowring 1976; two rounds far away)."""
    p = sqrt(x * x + y * y)
    s, c = z * _A, p * _B
    for _ in (1, 2):
        q = (s * s + c * c) ** -1.5
        up, out = z + _EP2B * s * s * s * q, p - _E2A * c * c * c * q
        n = 1 / sqrt(up * up + out * out)
        slat, clat = up * n, out * n
        height = p * clat + z * slat - _A * sqrt(1 - _E2 * slat * slat)
        if _LOW < height < _HIGH:
            break
        s, c = (1 - _F) * slat, clat
    place = (slat, clat, y / p, x / p) if p else (slat, clat, 0.0, 1.0)
    return atan2(up, out) / DEGREE, atan2(y, x) / DEGREE, height, place


def place_of(lat_deg: float, lon_deg: float) -> Place:
    """Sines and cosines of a place."""
    lat, lon = lat_deg * DEGREE, lon_deg * DEGREE
    return sin(lat), cos(lat), sin(lon), cos(lon)


def point_of(place: Place, height_m: float) -> Vector:
    """ECEF coordinates of a place and a height."""
    slat, clat, slon, clon = place
    normal = _A / sqrt(1 - _E2 * slat * slat)
    around = (normal + height_m) * clat
    return around * clon, around * slon, (normal * (1 - _E2) + height_m) * slat


def bearing(north: float, east: float) -> float:
    """In degrees, in [0, 360)."""
    angle = atan2(east, north) / DEGREE
    return angle if angle >= 0 else angle % 360 % 360


def ned_of_ecef(x: float, y: float, z: float, place: Place) -> Vector:
    """An ECEF vector as north, east, down."""
    slat, clat, slon, clon = place
    out = clon * x + slon * y
    return clat * z - slat * out, clon * y - slon * x, -clat * out - slat * z


def ecef_of_ned(north: float, east: float, down: float, place: Place) -> Vector:
    """A north, east, down vector as ECEF."""
    slat, clat, slon, clon = place
    out = -slat * north - clat * down
    return clon * out - slon * east, slon * out + clon * east, clat * north - slat * down


def ned_of_body(x: float, y: float, z: float, attitude: Quaternion) -> Vector:
    """A vector of the body's frame as north, east, down."""
    w, i, j, k = attitude
    a, b, c = j * z - k * y, k * x - i * z, i * y - j * x
    return (
        x + 2 * (w * a + j * c - k * b),
        y + 2 * (w * b + k * a - i * c),
        z + 2 * (w * c + i * b - j * a),
    )


def body_of_ned(north: float, east: float, down: float, attitude: Quaternion) -> Vector:
    """A north, east, down vector in the body's frame."""
    w, i, j, k = attitude
    return ned_of_body(north, east, down, (w, -i, -j, -k))


def attitude_of(psi: float, theta: float, phi: float, lat_deg: float, lon_deg: float) -> Quaternion:
    """The attitude (body to north-east-down) of DIS Euler angles (ECEF to body: psi about z, theta, phi; 6.2.33).

    North-east-down is ECEF turned about z by the longitude, then about y by -(latitude + 90 degrees); undoing that and
    turning by the angles leaves four turns in a row, y z y x, of which the two about z are one.
    """
    m, t, f = (psi - lon_deg * DEGREE) / 2, theta / 2, phi / 2
    n = (lat_deg + 90) * (DEGREE / 2)
    cm, sm, cf, sf = cos(m), sin(m), cos(f), sin(f)
    w, x, y, z = cm * cos(n + t), sm * sin(n - t), cm * sin(n + t), sm * cos(n - t)
    return w * cf - x * sf, x * cf + w * sf, y * cf + z * sf, z * cf - y * sf


def orientation_of(attitude: Quaternion, place: Place, lon_deg: float) -> Vector:
    """The DIS Euler angles of an attitude, psi and phi in [-pi, pi]; the inverse of `attitude_of`."""
    w, x, y, z = attitude
    slat, clat, _, _ = place
    north, east, down = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)
    out = -slat * north - clat * down  # away from the earth's axis
    level = sqrt(east * east + out * out)
    if level > _UPRIGHT:
        psi = lon_deg * DEGREE + atan2(east, out)
        right = clat * 2 * (x * y - w * z) - slat * 2 * (y * z + w * x)
        under = clat * 2 * (x * z + w * y) - slat * (1 - 2 * (x * x + y * y))
        phi = atan2(right, under)
    else:  # along the earth's axis only psi and phi together are determined: by where the starboard side is
        out = -slat * 2 * (x * y - w * z) - clat * 2 * (y * z + w * x)
        psi, phi = lon_deg * DEGREE + atan2(-out, 1 - 2 * (x * x + z * z)), 0.0
    psi = psi - 2 * pi if psi > pi else psi + 2 * pi if psi < -pi else psi
    return psi, atan2(slat * down - clat * north, level), phi
