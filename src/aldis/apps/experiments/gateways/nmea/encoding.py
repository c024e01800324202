"""The model to AIS messages (ITU-R M.1371-5, Annex 8). Numbers are rounded to the nearest that the message has."""

from __future__ import annotations

import math

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.nmea.decoding import PLACE_FIXES
from aldis.apps.experiments.gateways.nmea.layouts import LAYOUTS
from aldis.apps.experiments.gateways.nmea.values import AVAILABLE_TURNS, FIXES, KNOT, NAV_CODES, TURNS

__all__ = ["DYNAMIC", "LAT_ERROR_M", "LON_ERROR_M", "TIMES", "class_a", "dynamic", "modality", "second_of"]

LAT_ERROR_M, LON_ERROR_M = 0.0931, 0.0928  # half of 1/10,000 min on WGS-84 where it is longest: poles, equator
TENTHS = 10 / KNOT
_OLDEST_MS, _NEWEST_MS = -55_000, 5_000  # as `source_of` reads it
_SECONDS = {text: code for code, text in PLACE_FIXES.items()}
_EPFD = {text: code for code, text in FIXES.items()}
_TURN_RATES = sorted(AVAILABLE_TURNS)
_SPEED = Approximated("motion.speed_mps", "ais.speed", 0.0258, "m/s")
_COMMON: dict[str, Entry] = {
    "position.lat_deg": Approximated("position.lat_deg", "ais.lat", LAT_ERROR_M, "m"),
    "position.lon_deg": Approximated("position.lon_deg", "ais.lon", LON_ERROR_M, "m"),
    "position.accurate": Carried("position.accurate", "ais.accuracy"),
    "motion.speed_mps": _SPEED,
    "motion.course_deg": Approximated("motion.course_deg", "ais.course", 0.05, "deg"),
    "motion.heading_deg": Approximated("motion.heading_deg", "ais.heading", 0.5, "deg"),
    "identity.mmsi": Carried("identity.mmsi", "ais.mmsi"),
    "sensor.channel": Carried("sensor.channel", "sentence.channel"),
    "sensor.own": Carried("sensor.own", "sentence.own"),
    "type.station": Carried("type.station", "ais.type"),
    "motion.frame": Carried("motion.frame", "ais.course"),
}
_TIMES = ("position.at", "motion.at", "status.at", "timing.source_us")
_SAID: dict[str, Entry] = {name: Approximated(name, "ais.second", 1.0, "s") for name in _TIMES}
_OTHER = [
    _SAID
    | {n: Dropped(n, "no field", "the position's time is said") for bit, n in enumerate(_TIMES[1:]) if which >> bit & 1}
    for which in range(8)
]
_LATE: dict[str, Entry] = {name: Dropped(name, "out of range", "not of the last minute") for name in _TIMES}
_FIX: dict[str, Entry] = {name: Dropped(name, "no field") for name in _TIMES}
_FIX["sensor.fix"] = Carried("sensor.fix", "ais.second")
TIMES = (*_OTHER, _LATE, _FIX)
"""What becomes of the model's times, by the number that `second_of` gives."""
_STATUS: dict[str, Entry] = {
    "status.nav_status": Carried("status.nav_status", "ais.status"),
    "status.special_manoeuvre": Carried("status.special_manoeuvre", "ais.manoeuvre"),
}
_TURN: dict[str, Entry] = {
    "motion.turn_deg_per_min": Approximated("motion.turn_deg_per_min", "ais.turn", 5.65, "deg/min"),
    "motion.turning": Carried("motion.turning", "ais.turn"),
}
DYNAMIC: dict[str, dict[str, Entry]] = {
    "class A": _COMMON | _STATUS | _TURN,
    "class B": _COMMON,
    "aircraft": _COMMON,
    "aid": _COMMON,
    "base": _COMMON,
}
"""What becomes of the fields that a position report says, second aside."""


def second_of(track: Track, at_us: int) -> tuple[int, int]:
    """The UTC second of a position report, and which of `TIMES` tells what it says of the model's times.

    A time that is not of the last minute cannot be said: a receiver would take it for another minute's.
    """
    position, motion, status = track.position, track.motion, track.status
    sensor, timing = track.sensor, track.timing
    if sensor is not None and sensor.fix in _SECONDS:
        return _SECONDS[sensor.fix], 9
    source = timing.source_us // 1000 if timing is not None and timing.source_us is not None else None
    at = position.at if position is not None and position.at is not None else source
    if at is None or not _OLDEST_MS <= at - at_us // 1000 < _NEWEST_MS:
        return 60, 8
    which = 0
    if motion is not None and motion.at is not None and abs(motion.at - at) > 1000:
        which = 1
    if status is not None and status.at is not None and abs(status.at - at) > 1000:
        which |= 2
    if source is not None and abs(source - at) > 1000:
        which |= 4
    return at // 1000 % 60, which


def class_a(track: Track, mmsi: int, second: int, odd: dict[str, Entry]) -> int:
    """The 168 bits of message 1; what cannot be said as `DYNAMIC` tells is added to `odd`."""
    lat, lon, accurate = _place(track)
    speed = course = heading = None
    turn = -128
    if (motion := track.motion) is not None:
        speed, course, heading = motion.speed_mps, motion.course_deg, motion.heading_deg
        if motion.frame is not None and motion.frame != "course":
            odd["motion.frame"] = Dropped("motion.frame", "no field")
        if motion.turn_deg_per_min is not None:
            turn = AVAILABLE_TURNS.get(motion.turn_deg_per_min, 128)
            if turn == 128:
                turn = _turn(motion.turn_deg_per_min, odd)
        elif motion.turning is not None:
            turn = 127 if motion.turning == "starboard" else -127
    nav, manoeuvre = 15, 0
    if (status := track.status) is not None:
        if status.nav_status is not None:
            nav = NAV_CODES.get(status.nav_status, 15)
            if nav == 15:
                odd["status.nav_status"] = Dropped("status.nav_status", "no code", status.nav_status)
        if status.special_manoeuvre is not None:
            manoeuvre = 2 if status.special_manoeuvre else 1
    knots = 1023
    if speed is not None:
        knots = round(speed * TENTHS)
        if not 0 <= knots <= 1022:
            knots = _knots(speed, 1022, TENTHS, odd)
    course10 = 3600 if course is None else round(course * 10) % 3600
    degrees = 511 if heading is None else round(heading) % 360
    first = 1 << 55 | mmsi << 23 | nav << 19 | (turn & 255) << 11 | knots << 1 | accurate
    last = course10 << 40 | degrees << 31 | second << 25 | manoeuvre << 23
    return first << 107 | (lon & 0xFFFFFFF) << 79 | (lat & 0x7FFFFFF) << 52 | last


def dynamic(kind: str, track: Track, mmsi: int, second: int, odd: dict[str, Entry]) -> dict[str, int | str]:
    """The fields of message 9 or 18, or of that part of 4 and 21 which says where the sender is."""
    lat, lon, accurate = _place(track)
    motion = track.motion
    values: dict[str, int | str] = {"mmsi": mmsi, "lat": lat, "lon": lon, "accuracy": accurate, "second": second}
    speed = motion.speed_mps if motion else None
    course = motion.course_deg if motion else None
    heading = motion.heading_deg if motion else None
    if motion is not None and motion.frame not in (None, "course"):
        odd["motion.frame"] = Dropped("motion.frame", "no field")
    if kind == "aircraft":
        values["speed"] = 1023 if speed is None else _knots(speed, 1022, 1 / KNOT, odd)
        if speed is not None and "motion.speed_mps" not in odd:
            odd["motion.speed_mps"] = Approximated("motion.speed_mps", "ais.speed", 0.258, "m/s")
        _altitude(track, values, odd)
    else:
        values["speed"] = 1023 if speed is None else _knots(speed, 1022, TENTHS, odd)
    values["course"] = 3600 if course is None else round(course * 10) % 3600
    values["heading"] = 511 if heading is None else round(heading) % 360
    if track.status is not None and track.status.at is not None:
        odd["status.at"] = Dropped("status.at", "no field")
    names = {name for name, *_ in LAYOUTS[kind].fields}
    if "course" not in names and motion is not None and motion.frame is not None:
        odd["motion.frame"] = Dropped("motion.frame", "no field")
    for name in ("speed", "course", "heading"):
        path = f"motion.{name}_{'mps' if name == 'speed' else 'deg'}"
        if name not in names and values.pop(name) not in (None, 1023, 3600, 511):
            odd[path] = Dropped(path, "no field")
    if "epfd" in names and track.sensor is not None and track.sensor.modality is not None:
        values["epfd"], odd["sensor.modality"] = modality(track.sensor.modality)
    return values


def modality(said: str) -> tuple[int, Entry]:
    """The code of a kind of positioning, 0 where it has none, and what became of it."""
    if said in _EPFD:
        return _EPFD[said], Carried("sensor.modality", "ais.epfd")
    return 0, Dropped("sensor.modality", "no code", said)


def _place(track: Track) -> tuple[int, int, int]:
    position = track.position
    if position is None:
        return 54_600_000, 108_600_000, 0
    return round(position.lat_deg * 600_000), round(position.lon_deg * 600_000), position.accurate is True


def _knots(speed: float, most: int, scale: float, odd: dict[str, Entry]) -> int:
    value = round(speed * scale)
    if 0 <= value <= most:
        return value
    if value < 0:
        odd["motion.speed_mps"] = Dropped("motion.speed_mps", "out of range")
        return most + 1
    odd["motion.speed_mps"] = Approximated("motion.speed_mps", "ais.speed", round(speed - most / scale, 3), "m/s")
    return most


def _turn(rate: float, odd: dict[str, Entry]) -> int:
    code = min(126, round(4.733 * math.sqrt(abs(rate))))
    said = TURNS[code + 128] or 0.0
    if abs(abs(rate) - said) > 5.65:
        path = "motion.turn_deg_per_min"
        odd[path] = Approximated(path, "ais.turn", round(abs(rate) - said, 3), "deg/min")
    return code if rate >= 0 else -code


def _altitude(track: Track, values: dict[str, int | str], odd: dict[str, Entry]) -> None:
    """Of an aircraft: above the sea where the source said so, else above the ellipsoid, which is within 107 m of it."""
    position = track.position
    height = path = None
    values["altitude"] = 4095
    if position is None:
        return
    if (original := position.original) is not None and original.frame == "msl" and len(original.values) == 3:
        height, path, error = original.values[2], "position.original", 0.5
        if position.height_m is not None:
            odd["position.height_m"] = Dropped("position.height_m", "no field", "the height above the sea is said")
    elif position.height_m is not None:
        height, path, error = position.height_m, "position.height_m", 107.5
    if height is None or path is None:
        return
    raw = round(height)
    if 0 <= raw <= 4094:
        values["altitude"] = raw
        odd[path] = Approximated(path, "ais.altitude", error, "m")
    elif raw > 4094:
        values["altitude"] = 4094
        odd[path] = Approximated(path, "ais.altitude", round(raw - 4094 + error, 1), "m")
    else:
        odd[path] = Dropped(path, "out of range")
