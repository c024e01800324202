"""A track as a contact that a vehicle is told of: AIS_VESSEL for a craft with an MMSI, ADSB_VEHICLE for an aircraft."""

from __future__ import annotations

import re

from aldis.apps.experiments.entity import Encoded, Identity, Motion, Status, Track, Type
from aldis.apps.experiments.gateways.mavlink.contacts import AdsbFlag, AisFlag
from aldis.apps.experiments.gateways.mavlink.fates import writing
from aldis.apps.experiments.gateways.mavlink.outbox import STATION, Outbox
from aldis.apps.experiments.gateways.mavlink.saying import Told
from aldis.apps.experiments.gateways.mavlink.scales import fitted, place_e7
from aldis.apps.experiments.gateways.nmea.values import nav_status_text

__all__ = ["icao_of", "mmsi_of", "say_aircraft", "say_vessel"]

_NAV_STATUS = {text: code for code in range(15) if (text := nav_status_text(code)) is not None}
_NO_PLACE = {"lat": 910_000_000, "lon": 1_810_000_000}
"""What AIS sends for 'not available' (ITU-R M.1371-5, table 48); common.xml has nothing for it."""
_NO_HEADING = 51_100

_AIS = writing(
    {
        "position.lat_deg": ("AIS_VESSEL.lat", 5e-8, "deg"), "position.lon_deg": ("AIS_VESSEL.lon", 5e-8, "deg"),
        "position.at": ("AIS_VESSEL.tslc", 501.0, "ms"),  # half a second, and down to a whole ms
        "position.accurate": "AIS_VESSEL.flags",
        "motion.at": "-no field: the position's time stands for both", "status.at": "-no field",
        "motion.speed_mps": ("AIS_VESSEL.velocity", 0.005, "m/s"),
        "motion.course_deg": ("AIS_VESSEL.COG", 0.005, "deg"),
        "motion.heading_deg": ("AIS_VESSEL.heading", 0.005, "deg"),
        "motion.turn_deg_per_min": ("AIS_VESSEL.turn_rate", 3.0, "deg/min"),
        "motion.turning": "AIS_VESSEL.turn_rate", "identity.mmsi": "AIS_VESSEL.MMSI",
        "type.nature": "-made anew: whoever it tells of is a contact", "type.ship_type": "AIS_VESSEL.type",
        "status.nav_status": "-no code", "sensor.protocol": "-made anew", "sensor.received_ms": "-made anew",
        "timing.source_us": ("AIS_VESSEL.tslc", 500_000.0, "us"), "timing.received_us": "-made anew",
        "timing.clock": "-made anew",
    }
)  # fmt: skip
_SIZES = {
    "type.bow_m": ("AIS_VESSEL.dimension_bow", 0.5, "m"), "type.length_m": ("AIS_VESSEL.dimension_stern", 1.0, "m"),
    "type.starboard_m": ("AIS_VESSEL.dimension_starboard", 0.5, "m"),
    "type.beam_m": ("AIS_VESSEL.dimension_port", 1.0, "m"),
}  # fmt: skip
_NO_SIZES = dict.fromkeys(_SIZES, "-no code: only all four sizes together")


def mmsi_of(track: Track) -> int | None:
    """Its MMSI, where it is a number of nine digits at most; a pseudonym is none."""
    mmsi = track.identity.mmsi if track.identity is not None else None
    if isinstance(mmsi, str):
        mmsi = int(mmsi) if mmsi.isascii() and mmsi.isdigit() and len(mmsi) <= 9 else None
    return mmsi if mmsi is not None and 0 < mmsi <= 999_999_999 else None


def icao_of(track: Track) -> int | None:
    """Its ICAO address of 24 bits, where its native id is one: `icao:4ca123`."""
    native = track.identity.native_id if track.identity is not None else None
    found = re.fullmatch(r"icao:([0-9a-f]{6})", native or "")
    return int(found[1], 16) if found else None


def say_vessel(track: Track, mmsi: int, outbox: Outbox, at_us: int) -> Encoded:
    """AIS_VESSEL of `track`, whose MMSI is `mmsi`."""
    told: Told = {}
    flags = 0
    position, motion = track.position, track.motion or Motion()
    identity, kind, status = track.identity or Identity(), track.type or Type(), track.status or Status()
    where = dict(_NO_PLACE)
    if position is not None:
        where = dict(zip(("lat", "lon"), place_e7(position, "AIS_VESSEL", told), strict=True))
        flags |= AisFlag.ACCURATE if position.accurate else 0
    velocity = fitted(motion.speed_mps, 100, 0, 5257, "motion.speed_mps", told)
    flags |= AisFlag.VELOCITY if velocity is not None else 0
    flags |= AisFlag.COG if motion.course_deg is not None else 0
    turn_flags, turn = _turn(motion, told)
    size_flags, sizes = _sizes(kind, told)
    ship_type = fitted(kind.ship_type, 1, 1, 255, "type.ship_type", told)
    navigation = 15 if status.nav_status is None else _NAV_STATUS.get(status.nav_status, 15)
    if navigation != 15:
        told["status.nav_status"] = "AIS_VESSEL.navigational_status"
    name_flag, name = _text(identity.name, 20, "identity.name", "AIS_VESSEL.name", AisFlag.NAME, told)
    call_flag, call = _text(identity.callsign, 7, "identity.callsign", "AIS_VESSEL.callsign", AisFlag.CALLSIGN, told)
    frame = outbox.frame(
        "AIS_VESSEL", STATION, at_us, MMSI=mmsi, **where, velocity=velocity, type=ship_type, name=name, callsign=call,
        COG=None if motion.course_deg is None else round(motion.course_deg % 360 * 100) % 36_000,
        heading=_NO_HEADING if motion.heading_deg is None else round(motion.heading_deg % 360 * 100) % 36_000,
        turn_rate=turn, navigational_status=navigation, tslc=_age_s(track, at_us, 65_535, told), **sizes,
        flags=flags | turn_flags | size_flags | name_flag | call_flag,
    )  # fmt: skip
    return Encoded((frame,), _AIS.ledger(track, tuple(told.items())))


def _turn(motion: Motion, told: Told) -> tuple[int, int]:
    if motion.turn_deg_per_min is not None:
        rate = fitted(motion.turn_deg_per_min, 1 / 6, -127, 127, "motion.turn_deg_per_min", told)
        if rate is not None:
            if motion.turning is not None:
                told["motion.turning"] = "-other message: the rate says it"
            return AisFlag.TURN, rate
    if motion.turning is not None:
        return AisFlag.TURN | AisFlag.TURN_SIGN, 1 if motion.turning == "starboard" else -1
    return 0, 0


def _sizes(kind: Type, told: Told) -> tuple[int, dict[str, int]]:
    length, beam, bow, starboard = kind.length_m, kind.beam_m, kind.bow_m, kind.starboard_m
    if length is None or beam is None or bow is None or starboard is None:
        told |= _NO_SIZES
        return 0, {}
    ahead, right = round(bow), round(starboard)
    behind, left = round(length) - ahead, round(beam) - right
    if not (0 <= ahead <= 65_535 and 0 <= behind <= 65_535 and 0 <= right <= 255 and 0 <= left <= 255):
        told |= dict.fromkeys(_SIZES, "-out of range")
        return 0, {}
    told |= _SIZES
    return AisFlag.DIMENSIONS, {
        "dimension_bow": ahead, "dimension_stern": behind, "dimension_port": left, "dimension_starboard": right,
    }  # fmt: skip


def _text(text: str | None, most: int, path: str, to: str, flag: int, told: Told) -> tuple[int, str | None]:
    """A text of at most `most` ASCII characters; what does not fit or is not ASCII stays behind."""
    if text is None:
        return 0, None
    if not text.isascii() or "\0" in text or text != text.strip() or not text:
        told[path] = "-not text of this protocol"
        return 0, None
    told[path] = to if len(text) <= most else f"-too long: cut after {most} characters"
    return flag, text[:most]


def _age_s(track: Track, at_us: int, most: int, told: Told) -> int:
    timing, position = track.timing, track.position
    source_us = timing.source_us if timing is not None else None
    if source_us is None and position is not None and position.at is not None:
        source_us = position.at * 1000
    if source_us is None:
        return 0
    age = round((at_us - source_us) / 1e6)
    if not 0 <= age <= most:
        told["timing.source_us"] = told["position.at"] = "-out of range"
        return max(0, min(most, age))
    return age


_ADSB = writing(
    {
        "position.lat_deg": ("ADSB_VEHICLE.lat", 5e-8, "deg"), "position.lon_deg": ("ADSB_VEHICLE.lon", 5e-8, "deg"),
        "position.at": ("ADSB_VEHICLE.tslc", 501.0, "ms"),
        "motion.at": "-no field: the position's time stands for both",
        "motion.speed_mps": ("ADSB_VEHICLE.hor_velocity", 0.005, "m/s"),
        "motion.course_deg": ("ADSB_VEHICLE.heading", 0.005, "deg"),
        "motion.climb_mps": ("ADSB_VEHICLE.ver_velocity", 0.005, "m/s"),
        "identity.native_id": "ADSB_VEHICLE.ICAO_address",
        "type.nature": "-made anew: whoever it tells of is a contact", "type.station": "-no code",
        "sensor.protocol": "-made anew", "sensor.received_ms": "-made anew",
        "timing.source_us": ("ADSB_VEHICLE.tslc", 500_000.0, "us"), "timing.received_us": "-made anew",
        "timing.clock": "-made anew",
    }
)  # fmt: skip


def say_aircraft(track: Track, icao: int, outbox: Outbox, at_us: int) -> Encoded:
    """ADSB_VEHICLE of `track`, whose ICAO address is `icao`."""
    told: Told = {}
    flags = 0
    position, motion, identity = track.position, track.motion or Motion(), track.identity or Identity()
    where: dict[str, int] = {}
    if position is not None:
        flags |= AdsbFlag.COORDS
        where = dict(zip(("lat", "lon"), place_e7(position, "ADSB_VEHICLE", told), strict=True))
        original = position.original
        if original is not None and original.frame == "msl" and len(original.values) == 3:
            altitude = fitted(original.values[2], 1000, -(1 << 31), (1 << 31) - 1, "position.original", told)
            if altitude is not None:
                flags |= AdsbFlag.ALTITUDE
                where |= {"altitude": altitude, "altitude_type": int(original.datum != "pressure")}
                told["position.original"] = ("ADSB_VEHICLE.altitude", 0.0005, "m")
    speed = fitted(motion.speed_mps, 100, 0, 65_535, "motion.speed_mps", told)
    climb = fitted(motion.climb_mps, 100, -32_768, 32_767, "motion.climb_mps", told)
    flags |= AdsbFlag.VELOCITY if speed is not None else 0
    flags |= AdsbFlag.CLIMB if climb is not None else 0
    flags |= AdsbFlag.HEADING if motion.course_deg is not None else 0
    if track.type is not None and track.type.station == "aircraft":
        told["type.station"] = "ADSB_VEHICLE.ICAO_address"
    call_flag, call = _text(identity.callsign, 8, "identity.callsign", "ADSB_VEHICLE.callsign", AdsbFlag.CALLSIGN, told)
    frame = outbox.frame(
        "ADSB_VEHICLE", STATION, at_us, ICAO_address=icao, **where, hor_velocity=speed, ver_velocity=climb,
        heading=None if motion.course_deg is None else round(motion.course_deg % 360 * 100) % 36_000, callsign=call,
        tslc=_age_s(track, at_us, 255, told), flags=flags | call_flag,
    )  # fmt: skip
    return Encoded((frame,), _ADSB.ledger(track, tuple(told.items())))
