"""Radar contacts, waypoints and words to the model (IEC 61162-1, 7.3: TTM, TLL, WPL, TXT)."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, radians, sin

from msgspec.structs import replace

from aldis.apps.experiments.entity import (
    Area,
    Dropped,
    Identity,
    Motion,
    Point,
    Position,
    Report,
    Status,
    Timing,
    Track,
    Type,
)
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.reading import STATES, Known, number_of, place_of, unescaped
from aldis.apps.experiments.gateways.nmea.sentences import Words

__all__ = ["target", "text", "waypoint"]

_FRESH_US = 10_000_000
_EARTH_M = 6_371_008.8
_MINUTE_M = 1852.0


def target(own: Known, get: dict[str, str], heard: Words) -> Track:
    """TTM and TLL: a contact; of TTM the place follows where the vessel's own is known."""
    at, timing = own.timing(get, heard)
    number = get.get("number", "")
    if not number.isascii() or not number.isdigit() or len(number) > 4:
        raise Damaged("undecodable")
    sensor, place, motion = heard.sensor, place_of(get), None
    if "distance" in get:
        scale = {"K": 1000.0, "S": 1609.344}.get(get.get("unit", "N"), _MINUTE_M)
        distance, bearing = number_of(get["distance"], 0, 999), number_of(get.get("bearing"), 0, 360)
        if bearing is not None and get.get("bearing_t") == "R":
            own.odd += [Dropped(f"TTM.{name}", "no field", "relative to the bow") for name in ("bearing", "bearing_t")]
            fresh = own.heading_deg is not None and abs(heard.at_us - own.heading_us) < _FRESH_US
            bearing = (bearing + (own.heading_deg or 0)) % 360 if fresh else None
        range_m = None if distance is None else round(distance * scale, 3)
        sensor = replace(sensor, range_m=range_m, azimuth_deg=bearing)
        if own.place and abs(heard.at_us - own.place_us) < _FRESH_US and range_m is not None and bearing is not None:
            place = _beyond(own.place, range_m, bearing)
        motion = _motion_of_target(own, get, at, scale)
    state = STATES.get(get.get("status", ""))
    return Track(
        key=f"nmea:{own.name}:target:{int(number)}",
        position=Position(lat_deg=place[0], lon_deg=place[1], at=at) if place else None,
        motion=motion,
        identity=Identity(native_id=str(int(number)), name=unescaped(get.get("name", "")) or None),
        type=Type(nature="contact"),
        status=Status(at=at, state=state) if state else None,
        sensor=replace(sensor, modality="radar"),
        timing=timing,
    )


def _motion_of_target(own: Known, get: dict[str, str], at: int, scale: float) -> Motion | None:
    speed, course = number_of(get.get("speed"), 0, 9999), number_of(get.get("course"), 0, 360)
    if get.get("course_t") == "R":
        own.odd += [Dropped(f"TTM.{name}", "no field", "relative to the bow") for name in ("course", "course_t")]
        course = None
    if speed is None and course is None:
        return None
    metres = None if speed is None else round(speed * scale / 3600, 5)
    turned = None if course is None else course % 360
    return Motion(at=at, speed_mps=metres, course_deg=turned, frame="course")


def _beyond(place: tuple[float, float], range_m: float, bearing_deg: float) -> tuple[float, float]:
    """The place at a range and true bearing (on a sphere, as `geodesy.distance_m`)."""
    lat, lon, bearing, arc = radians(place[0]), radians(place[1]), radians(bearing_deg), range_m / _EARTH_M
    sine = sin(lat) * cos(arc) + cos(lat) * sin(arc) * cos(bearing)
    east = atan2(sin(bearing) * sin(arc) * cos(lat), cos(arc) - sin(lat) * sine)
    return degrees(asin(max(-1.0, min(1.0, sine)))), (degrees(lon + east) + 180) % 360 - 180


def text(own: Known, get: dict[str, str], heard: Words) -> Report:
    """TXT."""
    said = unescaped(get.get("text", ""))
    if not said.isprintable() or not said:
        raise Damaged("no words")
    part = f"{get.get('identifier', '')}:{get.get('number', '1')}"
    return Report(
        key=f"nmea:{own.name}:text:{part}:{heard.sensor.received_ms}",
        text=said,
        author=f"nmea:{own.name}",
        timing=Timing(received_us=heard.at_us),
    )


def waypoint(own: Known, get: dict[str, str], heard: Words) -> Area:
    """WPL."""
    place = place_of(get)
    if place is None:
        raise Damaged("nothing said")
    name = unescaped(get.get("name", "")) or None
    return Area(
        key=f"nmea:{own.name}:waypoint:{name}",
        shape="point",
        points=[Point(lat_deg=place[0], lon_deg=place[1])],
        name=name,
        timing=Timing(received_us=heard.at_us),
    )
