"""What a vehicle says of others: AIS_VESSEL and ADSB_VEHICLE, as tracks of contacts."""

from __future__ import annotations

from aldis.apps.experiments.entity import (
    Entity,
    Identity,
    Ledger,
    Motion,
    Original,
    Position,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
)  # fmt: skip
from aldis.apps.experiments.gateways.mavlink.fates import Changes, reading
from aldis.apps.experiments.gateways.mavlink.messages import Row
from aldis.apps.experiments.gateways.mavlink.places import place
from aldis.apps.experiments.gateways.mavlink.sender import PROTOCOL, Sender
from aldis.apps.experiments.gateways.mavlink.vehicles import Read
from aldis.apps.experiments.gateways.nmea.values import nav_status_text

__all__ = ["CONTACT_READERS", "AdsbFlag", "AisFlag"]


class AisFlag:
    """AIS_FLAGS of common.xml."""

    ACCURATE, COG, VELOCITY, FAST, TURN, TURN_SIGN, DIMENSIONS = 1, 2, 4, 8, 16, 32, 64
    CALLSIGN, NAME = 2048, 4096


class AdsbFlag:
    """ADSB_FLAGS of common.xml."""

    COORDS, ALTITUDE, HEADING, VELOCITY, CALLSIGN, SQUAWK, CLIMB = 1, 2, 4, 8, 16, 32, 128


_RELAY = {"header.system": "sensor.station", "header.component": "sensor.station"}
_AGE = ("timing.source_us", 1_000_000.0, "us")
_AIS = reading(
    301,
    {
        "MMSI": "identity.mmsi", "lat": "position.lat_deg", "lon": "position.lon_deg", "COG": "motion.course_deg",
        "heading": "motion.heading_deg", "velocity": "motion.speed_mps", "dimension_bow": "type.bow_m",
        "dimension_stern": "type.length_m", "dimension_port": "type.beam_m", "tslc": _AGE,
        "dimension_starboard": "type.starboard_m", "flags": "-made anew: tells which fields are valid",
        "turn_rate": "motion.turn_deg_per_min", "navigational_status": "status.nav_status",
        "type": "type.ship_type", "callsign": "identity.callsign", "name": "identity.name",
    },
    _RELAY,
)  # fmt: skip
_SIZES = ("dimension_bow", "dimension_stern", "dimension_port", "dimension_starboard")


def _vessel(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    mmsi, lat, lon, cog, heading, velocity, bow, stern, age, flags, turn, nav, kind, port, starboard, call, name = row
    unknown: list[str] = []

    def known(bit: int, *fields: str) -> bool:
        if not flags & bit:
            unknown.extend(fields)
        return bool(flags & bit)

    source_us = at_us - age * 1_000_000
    at = source_us // 1000
    where = None
    if place(lat, lon):
        where = Position(lat_deg=lat / 1e7, lon_deg=lon / 1e7, at=at, accurate=bool(flags & AisFlag.ACCURATE))
    else:
        unknown += ["lat", "lon"]
    if heading >= 36_000:
        unknown.append("heading")
    status = nav_status_text(nav)
    if status is None:
        unknown.append("navigational_status")
    if not kind:
        unknown.append("type")
    fast = bool(flags & AisFlag.FAST)  # 52.5765 m/s or more: the field then holds no speed
    moves = known(AisFlag.VELOCITY, "velocity") and not fast
    turns = known(AisFlag.TURN, "turn_rate")
    sign_only = turns and bool(flags & AisFlag.TURN_SIGN)
    sized = known(AisFlag.DIMENSIONS, *_SIZES)
    motion = Motion(
        at=at,
        speed_mps=velocity / 100 if moves else None,
        course_deg=cog / 100 if known(AisFlag.COG, "COG") and cog < 36_000 else None,
        heading_deg=heading / 100 if heading < 36_000 else None,
        turn_deg_per_min=turn * 6.0 if turns and not sign_only else None,
        turning=("starboard" if turn > 0 else "port") if sign_only and turn else None,
    )
    track = Track(
        key=f"mmsi:{mmsi:09d}",
        position=where,
        motion=motion,
        identity=Identity(
            mmsi=mmsi,
            name=(name.strip() or None) if known(AisFlag.NAME, "name") else None,
            callsign=(call.strip() or None) if known(AisFlag.CALLSIGN, "callsign") else None,
        ),
        type=Type(
            nature="contact",
            ship_type=kind or None,
            length_m=float(bow + stern) if sized else None,
            beam_m=float(port + starboard) if sized else None,
            bow_m=float(bow) if sized else None,
            starboard_m=float(starboard) if sized else None,
        ),
        status=Status(at=at, nav_status=status) if status else None,
        sensor=Sensor(protocol=PROTOCOL, received_ms=at_us // 1000, station=sender.key),
        timing=Timing(source_us=source_us, source_uncertainty_us=1_000_000, received_us=at_us, clock="second"),
    )
    changes: Changes = tuple((field, "-unknown value") for field in unknown)
    if fast:
        changes += (("velocity", "-out of range: 52.5765 m/s or more"),)
    if sign_only:
        changes += (("turn_rate", "motion.turning"),)
    return track, _AIS.ledger(mask, changes)


_ADSB = reading(
    246,
    {
        "ICAO_address": "identity.native_id", "lat": "position.lat_deg", "lon": "position.lon_deg",
        "altitude": "position.original", "altitude_type": "position.original", "heading": "motion.course_deg",
        "hor_velocity": "motion.speed_mps", "ver_velocity": "motion.climb_mps", "callsign": "identity.callsign",
        "flags": "-made anew: tells which fields are valid", "tslc": _AGE,
    },
    _RELAY,
)  # fmt: skip


def _aircraft(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    icao, lat, lon, altitude, heading, speed, climb, flags, _, reference, callsign, _, age = row
    unknown: list[str] = []

    def known(bit: int, *fields: str) -> bool:
        if not flags & bit:
            unknown.extend(fields)
        return bool(flags & bit)

    source_us = at_us - age * 1_000_000
    at = source_us // 1000
    high = known(AdsbFlag.ALTITUDE, "altitude", "altitude_type")
    where = None
    if known(AdsbFlag.COORDS, "lat", "lon") and place(lat, lon):
        values = (lat / 1e7, lon / 1e7, altitude / 1000) if high else (lat / 1e7, lon / 1e7)
        datum = ("geometric" if reference else "pressure") if high else "WGS-84"
        where = Position(
            lat_deg=lat / 1e7, lon_deg=lon / 1e7, at=at, original=Original(frame="msl", datum=datum, values=values)
        )
    elif high:
        unknown += ["altitude", "altitude_type"]
    moves = known(AdsbFlag.VELOCITY, "hor_velocity")
    turned = known(AdsbFlag.HEADING, "heading") and heading < 36_000
    climbs = known(AdsbFlag.CLIMB, "ver_velocity")
    native = f"icao:{icao:06x}"
    track = Track(
        key=native,
        position=where,
        motion=Motion(
            at=at,
            speed_mps=speed / 100 if moves else None,
            course_deg=heading / 100 if turned else None,
            climb_mps=climb / 100 if climbs else None,
        ),
        identity=Identity(
            native_id=native,
            callsign=(callsign.strip() or None) if known(AdsbFlag.CALLSIGN, "callsign") else None,
        ),
        type=Type(nature="contact", station="aircraft"),
        sensor=Sensor(protocol=PROTOCOL, received_ms=at_us // 1000, station=sender.key),
        timing=Timing(source_us=source_us, source_uncertainty_us=1_000_000, received_us=at_us, clock="second"),
    )
    return track, _ADSB.ledger(mask, tuple((field, "-unknown value") for field in unknown))


CONTACT_READERS: dict[int, Read] = {246: _aircraft, 301: _vessel}
