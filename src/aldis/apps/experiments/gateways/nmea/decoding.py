"""AIS messages (ITU-R M.1371-5, Annex 8) to the model: where vessels, aircraft and stations are and how they move."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from aldis.apps.experiments.entity import (
    Decoded,
    Identity,
    Ledger,
    Motion,
    Original,
    Position,
    Status,
    Timing,
    Track,
    Type,
)
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.sentences import Message
from aldis.apps.experiments.gateways.nmea.told import told
from aldis.apps.experiments.gateways.nmea.values import FIXES, NAV_STATUS, SPEEDS, TURNS, Station, station_of

__all__ = ["PLACE_FIXES", "SECOND_US", "class_a", "kind_of", "reported", "source_of", "valid_mmsi"]

SECOND_US = 288_675
"""Standard uncertainty of a time in whole seconds: 1 s / sqrt(12)."""
PLACE_FIXES = {61: "manual", 62: "dead reckoning", 63: "inoperative"}
"""What a UTC second above 60 says of the position."""

_FLAGS = (
    "status", "turn", "turn>motion.turning", "speed", "lat", "course", "heading", "second", "second>sensor.fix",
    "manoeuvre",
)  # fmt: skip
_LEDGERS: dict[int, Ledger] = {}
_KINDS: dict[str, Station | None] = {
    "base": "base station",
    "aircraft": "aircraft",
    "class B": "class B",
    "class B extended": "class B",
    "aid": "aid to navigation",
    "long range": None,  # sent by more than one kind
}
_CLASS_A = Type(station="class A")
_TYPES: dict[Station | None, Type] = {}


def valid_mmsi(mmsi: int) -> int:
    """`mmsi`, of at most nine digits.

    Raises:
        Damaged: it is none.
    """
    if not 0 < mmsi <= 999_999_999:
        raise Damaged("invalid mmsi")
    return mmsi


def kind_of(mmsi: int, kind: Station | None) -> Type | None:
    """The type that says `kind` alone."""
    station = station_of(mmsi, kind)
    if station is None:
        return None
    known = _TYPES.get(station)
    if known is None:
        known = _TYPES[station] = Type(station=station)
    return known


def source_of(second: int, received_ms: int) -> int:
    """The time (µs) whose UTC second is `second`, of the minute before `received_ms`; clocks may differ by 5 s."""
    whole = received_ms // 1000
    return (whole + (second - whole + 55) % 60 - 55) * 1_000_000


def class_a(message: Message) -> Decoded:
    """Messages 1, 2 and 3; by far the most frequent, so every field is taken out by hand."""
    bits, sensor = message.bits >> (message.size - 168), message.sensor
    first, last = bits >> 107, bits & 0xFFFFFFFFFFFFF  # small numbers are quicker taken apart
    mmsi = first >> 23 & 0x3FFFFFFF
    if not 0 < mmsi <= 999_999_999:
        raise Damaged("invalid mmsi")
    flags = 0
    lon, lat, second = bits >> 79 & 0xFFFFFFF, bits >> 52 & 0x7FFFFFF, last >> 25 & 63
    received_ms = at = sensor.received_ms
    source_us = None
    if second < 60:
        at = received_ms // 1000
        at = (at + (second - at + 55) % 60 - 55) * 1000  # as `source_of`
        source_us = at * 1000
    else:
        flags = 128 if second == 60 else 256
    position = None
    if lon == 108_600_000 or lat == 54_600_000:
        flags |= 16
    else:
        north = lat - 134_217_728 if lat > 67_108_863 else lat
        east = lon - 268_435_456 if lon > 134_217_727 else lon
        if not (-54_000_000 <= north <= 54_000_000 and -108_000_000 <= east <= 108_000_000):
            raise Damaged("out of range")
        position = Position(lat_deg=north / 600_000, lon_deg=east / 600_000, at=at, accurate=first & 1 == 1)
    code = first >> 11 & 255
    turn = TURNS[(code + 128) & 255]
    turning = None
    if turn is None:
        flags |= 2 if code == 128 else 4
        turning = "starboard" if code == 127 else "port" if code == 129 else None
    speed, course, heading = first >> 1 & 1023, last >> 40, last >> 31 & 511
    flags |= (speed == 1023) << 3 | (course >= 3600) << 5 | (heading >= 360) << 6
    status, manoeuvre = first >> 19 & 15, last >> 23 & 3
    flags |= (status == 15) | (manoeuvre in (0, 3)) << 9
    motion = None
    if flags & 0b1101010 != 0b1101010 or turning:
        known = flags & 8 == 0
        motion = Motion(
            at=at,
            speed_mps=SPEEDS[speed] if known else None,
            course_deg=None if flags & 32 else course / 10,
            heading_deg=None if flags & 64 else float(heading),
            turn_deg_per_min=turn,
            turning=turning,  # type: ignore[arg-type]
            frame="course" if known else None,
        )
    ledger = _LEDGERS.get(flags)
    if ledger is None:
        ledger = _LEDGERS[flags] = told("class A", _unknown(flags))
    if flags & 256:
        sensor = replace(sensor, fix=PLACE_FIXES[second])
    track = Track(
        key=f"mmsi:{mmsi}",
        position=position,
        motion=motion,
        identity=Identity(mmsi=mmsi),
        type=_CLASS_A if mmsi < 970_000_000 and mmsi // 1_000_000 != 111 else kind_of(mmsi, "class A"),
        status=None
        if status == 15 and flags & 512
        else Status(at=at, nav_status=NAV_STATUS[status], special_manoeuvre=None if flags & 512 else manoeuvre == 2),
        sensor=sensor,
        timing=Timing(
            source_us=source_us,
            source_uncertainty_us=None if source_us is None else SECOND_US,
            received_us=message.at_us,
            clock=None if source_us is None else "second",
        ),
    )
    return Decoded(track, ledger)


def _unknown(flags: int) -> tuple[str, ...]:
    names = [name for bit, name in enumerate(_FLAGS) if flags >> bit & 1]
    return (*names, "lon", "accuracy") if "lat" in names else tuple(names)


def reported(layout: str, said: dict[str, Any], message: Message, unknown: list[str]) -> dict[str, Any]:
    """The groups of any other message that says where its sender is; what is unknown is added to `unknown`."""
    mmsi, sensor = valid_mmsi(said["mmsi"]), message.sensor
    at, timing = _time(layout, said, message, unknown)
    second, epfd = said.get("second", 0), said.get("epfd", 0)
    more: dict[str, Any] = {}
    if second > 60:
        more["fix"] = PLACE_FIXES.get(second)
    if epfd in FIXES:
        more["modality"] = FIXES[epfd]
    elif "epfd" in said:
        unknown.append("epfd")
    if more:
        sensor = replace(sensor, **more)
    groups: dict[str, Any] = {
        "key": f"mmsi:{mmsi}",
        "identity": Identity(mmsi=mmsi),
        "type": kind_of(mmsi, _KINDS[layout]),
        "sensor": sensor,
        "timing": timing,
        "position": _place(layout, said, at, unknown),
        "motion": _motion(layout, said, at, unknown),
    }
    if layout == "long range":
        if (status := NAV_STATUS[said["status"]]) is None:
            unknown.append("status")
        else:
            groups["status"] = Status(at=at, nav_status=status)
    return groups


def _time(layout: str, said: dict[str, Any], message: Message, unknown: list[str]) -> tuple[int, Timing]:
    """When it was so (ms), and the stamps."""
    received_ms = message.sensor.received_ms
    if layout == "base":
        year, month, day, hour, minute, second = (said[n] for n in ("year", "month", "day", "hour", "minute", "second"))
        try:
            source_us = round(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1_000_000
        except ValueError:
            unknown.extend(("year", "month", "day", "hour", "minute", "second"))
            return received_ms, Timing(received_us=message.at_us)
        stamps = Timing(source_us=source_us, source_uncertainty_us=SECOND_US, received_us=message.at_us, clock="utc")
        return source_us // 1000, stamps
    second = said.get("second", 60)
    if second < 60:
        source_us = source_of(second, received_ms)
        stamps = Timing(source_us=source_us, source_uncertainty_us=SECOND_US, received_us=message.at_us, clock="second")
        return source_us // 1000, stamps
    if "second" in said:
        unknown.append("second" if second == 60 else "second>sensor.fix")
    return received_ms, Timing(received_us=message.at_us)


def _place(layout: str, said: dict[str, Any], at: int, unknown: list[str]) -> Position | None:
    scale = 600 if layout == "long range" else 600_000
    lat, lon = said["lat"], said["lon"]
    height = said.get("altitude", 4095)
    if height == 4095 and "altitude" in said:
        unknown.append("altitude")
    if lat == 91 * scale or lon == 181 * scale:
        unknown.extend(("lat", "lon", "accuracy", *(["altitude"] if height != 4095 else [])))
        return None
    if not (-90 * scale <= lat <= 90 * scale and -180 * scale <= lon <= 180 * scale):
        raise Damaged("out of range")
    place = (lat / scale, lon / scale)
    original = None
    if height != 4095:
        original = Original(frame="msl", datum="WGS-84, height as the aircraft says it", values=(*place, float(height)))
    return Position(lat_deg=place[0], lon_deg=place[1], at=at, accurate=said["accuracy"] == 1, original=original)


def _motion(layout: str, said: dict[str, Any], at: int, unknown: list[str]) -> Motion | None:
    knots = layout in ("aircraft", "long range")  # whole ones
    none = {"aircraft": 1023, "long range": 63}.get(layout, 1023)
    full = 360 if layout == "long range" else 3600
    speed, course, heading = said.get("speed", none), said.get("course", full), said.get("heading", 511)
    missing = (("speed", speed >= none), ("course", course >= full), ("heading", heading >= 360))
    lost = [name for name, absent in missing if absent]
    unknown.extend(name for name in lost if name in said)
    if len(lost) == 3:
        return None
    metres = None if speed >= none else round(speed * 1852 / 3600, 3) if knots else SPEEDS[speed]
    return Motion(
        at=at,
        speed_mps=metres,
        course_deg=None if course >= full else course * 360 / full,
        heading_deg=None if heading >= 360 else float(heading),
        frame=None if metres is None else "course",
    )
