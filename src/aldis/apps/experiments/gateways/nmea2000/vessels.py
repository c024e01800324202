"""AIS messages of NMEA 2000 to the model: PGNs 129038 to 129041, 129793, 129794, 129798, 129809 and 129810."""

from __future__ import annotations

from datetime import UTC, datetime
from math import degrees
from typing import Any

from aldis.apps.experiments.entity import (
    Decoded,
    Identity,
    Motion,
    Original,
    Position,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
    Voyage,
)
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.decoding import PLACE_FIXES, SECOND_US, source_of
from aldis.apps.experiments.gateways.nmea.values import (
    FIXES,
    NAV_STATUS,
    Station,
    eta_text,
    hull,
    ship_type_text,
    station_of,
)
from aldis.apps.experiments.gateways.nmea2000.frames import Message
from aldis.apps.experiments.gateways.nmea2000.pgns import PGNS
from aldis.apps.experiments.gateways.nmea2000.reading import Said, code, degrees_of, number, place_of, text
from aldis.apps.experiments.gateways.nmea2000.told import told

__all__ = ["AIRCRAFT_MPS", "KINDS", "PROTOCOL", "VESSEL_MPS", "vessel"]

AIRCRAFT_MPS, VESSEL_MPS = 526.0, 52.6
"""From which speeds on AIS says that it is not available: 1,023 knots and 102.3."""

PROTOCOL = "nmea2000"
KINDS: dict[int, Station | None] = {
    129038: "class A",
    129039: "class B",
    129040: "class B",
    129041: "aid to navigation",
    129793: "base station",
    129794: "class A",
    129798: "aircraft",
    129809: None,  # either class may send its name so
    129810: "class B",
}
_TURN_LIMIT = 0.2  # rad/s; transceivers write "turning, no rate" as 0.2055 and more
_CHANNELS = {0: "A", 1: "B", 2: "A", 3: "B"}


def vessel(message: Message, at_us: int) -> Decoded:
    """What an AIS message says.

    Raises:
        Damaged: it says nothing usable.
    """
    said = PGNS[message.pgn].unpack(message.data)
    mmsi = said.get("userId")
    if not isinstance(mmsi, int) or not 0 < mmsi <= 999_999_999:
        raise Damaged("invalid mmsi")
    unknown: list[str] = []
    received_ms = round(message.heard_us / 1000)
    at, timing = _time(said, at_us, received_ms, unknown)
    kind = station_of(mmsi, KINDS[message.pgn])
    track = Track(
        key=f"mmsi:{mmsi}",
        position=_position(message.pgn, said, at, unknown),
        motion=_motion(message.pgn, said, at, unknown),
        identity=_identity(message.pgn, mmsi, said, received_ms, unknown),
        type=_type(kind, said, unknown),
        status=_status(message.pgn, said, at, unknown),
        voyage=_voyage(said, received_ms, unknown) if message.pgn == 129794 else None,
        sensor=_sensor(message, said, received_ms, unknown),
        timing=timing,
    )
    return Decoded(track, told(message.pgn, tuple(said), tuple(unknown)))


def _time(said: Said, at_us: int, received_ms: int, unknown: list[str]) -> tuple[int, Timing]:
    day, time = number(said, "positionDate"), number(said, "positionTime")
    if day is not None and time is not None and time < 86_401:
        source_us = round(day) * 86_400_000_000 + round(time * 1_000_000)
        stamps = Timing(source_us=source_us, source_uncertainty_us=SECOND_US, received_us=at_us, clock="utc")
        return source_us // 1000, stamps
    unknown.extend(name for name in ("positionDate", "positionTime") if name in said)
    second = code(said, "timeStamp")
    if 0 <= second < 60:
        source_us = source_of(second, received_ms)
        stamps = Timing(source_us=source_us, source_uncertainty_us=SECOND_US, received_us=at_us, clock="second")
        return source_us // 1000, stamps
    if second == 60:
        unknown.append("timeStamp")
    elif second > 60:
        unknown.append("timeStamp>sensor.fix")
    return received_ms, Timing(received_us=at_us)


def _position(pgn: int, said: Said, at: int, unknown: list[str]) -> Position | None:
    place = place_of(said)
    height = number(said, "altitude")
    if place is None:
        unknown.extend(("latitude", "longitude", "positionAccuracy", "altitude"))
        return None
    original = None
    if height is not None and pgn == 129798:
        original = Original(frame="msl", datum="WGS-84, height as the aircraft says it", values=(*place, height))
    accurate = code(said, "positionAccuracy")
    return Position(
        lat_deg=place[0], lon_deg=place[1], at=at, accurate=None if accurate < 0 else accurate == 1, original=original
    )


def _motion(pgn: int, said: Said, at: int, unknown: list[str]) -> Motion | None:
    speed, turn = number(said, "sog"), number(said, "rateOfTurn")
    if speed is not None and not 0 <= speed < (AIRCRAFT_MPS if pgn == 129798 else VESSEL_MPS):
        speed = None
        unknown.append("sog")
    course = degrees_of(number(said, "cog"))
    heading = degrees_of(number(said, "heading", "trueHeading"))
    if course is None:
        unknown.append("cog")
    if heading is None:
        unknown.extend(("heading", "trueHeading"))
    if turn is not None and abs(turn) > _TURN_LIMIT:
        turn = None
        unknown.append("rateOfTurn")
    rate = None if turn is None else round(degrees(turn) * 60, 3)
    if speed is None and course is None and heading is None and rate is None:
        return None
    return Motion(
        at=at,
        speed_mps=speed,
        course_deg=course,
        heading_deg=heading,
        turn_deg_per_min=rate,
        frame=None if speed is None else "course",
    )


def _identity(pgn: int, mmsi: int, said: Said, received_ms: int, unknown: list[str]) -> Identity:
    name, callsign = text(said, "name", "atonName"), text(said, "callsign")
    imo = said.get("imoNumber")
    if isinstance(imo, int) and not 1_000_000 <= imo <= 9_999_999:
        imo = None
        unknown.append("imoNumber")
    static = pgn in (129040, 129041, 129794, 129809, 129810)
    return Identity(
        at=received_ms if static else None,
        mmsi=mmsi,
        imo=imo if isinstance(imo, int) else None,
        name=name,
        callsign=callsign,
    )


def _type(kind: Station | None, said: Said, unknown: list[str]) -> Type | None:
    ship_type = code(said, "typeOfShip")
    aid_type = code(said, "atonType")
    if ship_type in (0, 255):
        unknown.append("typeOfShip")
        ship_type = 0
    if aid_type == 0:
        unknown.append("atonType")
    known: dict[str, Any] = {}
    if "length" in said or "lengthDiameter" in said or "beam" in said or "beamDiameter" in said:
        length = number(said, "length", "lengthDiameter") or 0.0
        beam = number(said, "beam", "beamDiameter") or 0.0
        bow = number(said, "positionReferenceFromBow", "positionReferenceFromTrueNorthFacingEdge") or 0.0
        starboard = number(said, "positionReferenceFromStarboard", "positionReferenceFromStarboardEdge") or 0.0
        known = hull(bow, length - bow, beam - starboard, starboard)
    for field, names in _HULL.items():
        if known.get(field) is None:
            unknown.extend(names)
    ship = ship_type if ship_type > 0 else None
    made = Type(
        station=kind,
        ship_type=ship,
        ship_type_text=ship_type_text(ship),
        aid_type=aid_type if aid_type > 0 else None,
        **known,
    )
    return None if made == Type() else made


_HULL = {
    "length_m": ("length", "lengthDiameter"),
    "beam_m": ("beam", "beamDiameter"),
    "bow_m": ("positionReferenceFromBow", "positionReferenceFromTrueNorthFacingEdge"),
    "starboard_m": ("positionReferenceFromStarboard", "positionReferenceFromStarboardEdge"),
}


def _status(pgn: int, said: Said, at: int, unknown: list[str]) -> Status | None:
    nav = code(said, "navStatus")
    words = NAV_STATUS[nav] if nav >= 0 else None
    if words is None:
        unknown.append("navStatus")
    special = code(said, "specialManeuverIndicator")
    if special not in (1, 2):
        unknown.append("specialManeuverIndicator")
    state = mode = None
    if pgn == 129041:
        off = code(said, "offPositionIndicator")
        if code(said, "timeStamp") < 60 and off >= 0:
            state = "off position" if off else "on position"
        else:
            unknown.append("offPositionIndicator")
        if (virtual := code(said, "virtualAtonFlag")) >= 0:
            mode = "virtual aid" if virtual else "physical aid"
    if words is None and special not in (1, 2) and state is None and mode is None:
        return None
    return Status(
        at=at,
        nav_status=words,
        special_manoeuvre=special == 2 if special in (1, 2) else None,
        state=state,
        mode=mode,
    )


def _voyage(said: Said, received_ms: int, unknown: list[str]) -> Voyage | None:
    day, time = number(said, "etaDate"), number(said, "etaTime")
    eta = None
    if day is not None:
        moment = datetime.fromtimestamp(round(day) * 86_400, UTC)
        minute = 24 * 60 if time is None else int(time // 60)
        # a transceiver that turns month 0, day 0 ("not available") into a date arrives at 30 November, 00:00
        if (moment.month, moment.day, minute) != (11, 30, 0):
            eta = eta_text(moment.month, moment.day, minute // 60, minute % 60)
    if eta is None:
        unknown.extend(("etaDate", "etaTime"))
    elif "T" not in eta:
        unknown.append("etaTime")
    draught = number(said, "draft") or None
    if draught is not None and not 0 <= draught < 25.6:
        draught = None
    if draught is None:
        unknown.append("draft")
    destination = text(said, "destination")
    if eta is None and draught is None and destination is None:
        return None
    return Voyage(at=received_ms, destination=destination, eta=eta, draught_m=draught)


def _sensor(message: Message, said: Said, received_ms: int, unknown: list[str]) -> Sensor:
    transceiver = code(said, "aisTransceiverInformation")
    if transceiver == 4:
        unknown.append("aisTransceiverInformation>sensor.own")
    elif transceiver not in _CHANNELS:
        unknown.append("aisTransceiverInformation")
    epfd = code(said, "gnssType") if "gnssType" in said else code(said, "positionFixingDeviceType")
    if epfd not in FIXES:
        unknown.extend(("gnssType", "positionFixingDeviceType"))
    return Sensor(
        protocol=PROTOCOL,
        received_ms=received_ms,
        station=f"device {message.source}",
        channel=_CHANNELS.get(transceiver),
        own=True if transceiver in (2, 3, 4) else None,
        modality=FIXES.get(epfd),
        fix=PLACE_FIXES.get(code(said, "timeStamp")),
    )
