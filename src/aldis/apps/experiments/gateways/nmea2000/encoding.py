"""The model to AIS messages of NMEA 2000."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import radians

from msgspec.structs import replace

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Track
from aldis.apps.experiments.gateways.nmea.encoding import TIMES, second_of
from aldis.apps.experiments.gateways.nmea.naming import described
from aldis.apps.experiments.gateways.nmea.sending import kind_of_track
from aldis.apps.experiments.gateways.nmea.values import FIXES, NAV_CODES, eta_parts, ship_type_text
from aldis.apps.experiments.gateways.nmea2000.parts import Draft, Said
from aldis.apps.experiments.gateways.nmea2000.vessels import AIRCRAFT_MPS, VESSEL_MPS

__all__ = ["vessel_messages"]

_EPFD = {text: code for code, text in FIXES.items()}
_DAY_S = 86_400
_LAST_US = 5_600_000_000_000_000  # days count to 65,533
_PLACED = {"class A": 129038, "class B": 129039, "aircraft": 129798, "base": 129793, "aid": 129041}
_IDS = {129038: 1, 129039: 18, 129040: 19, 129041: 21, 129793: 4, 129794: 5, 129798: 9, 129809: 24, 129810: 24}
_POLE = 0.0111319  # m of 1e-7 degrees


def vessel_messages(track: Track, mmsi: int, at_us: int) -> tuple[list[tuple[int, bytes]], Said]:
    """PGNs and bytes of what says `track`, and what became of its fields."""
    said: Said = {}
    kind = kind_of_track(track)
    drafts: list[Draft] = []

    def draft(pgn: int) -> Draft:
        made = Draft(pgn, said, {"messageId": _IDS[pgn], "userId": mmsi, "aisTransceiverInformation": 0})
        said["identity.mmsi"] = Carried("identity.mmsi", f"{pgn}.userId")
        said["type.station"] = Carried("type.station", f"{pgn}.messageId")
        _transceiver(track, made)
        drafts.append(made)
        return made

    many = described(track, kind)
    moving = track.position is not None or track.motion is not None or track.status is not None
    if kind in ("base", "aid") or (kind in _PLACED and moving):
        made = draft(_PLACED[kind])
        _place(track, made)
        _moves(track, made, at_us)
        if kind == "aid":
            _aid(track, made)
        if kind == "class B" and many:
            extended = draft(129040)
            _place(track, extended)
            _moves(track, extended, at_us)
            _static(track, extended)
    if many and kind in ("class A", "aircraft"):
        made = draft(129794)
        _static(track, made)
        _voyage(track, made)
    elif many:
        if track.identity is not None and track.identity.name is not None:
            draft(129809).text("identity.name", "name", track.identity.name, 20)
        made = Draft(129810, said)
        _static(track, made)
        if made.values:
            made.values |= draft(129810).values
            drafts[-1] = made
    return [made.message() for made in drafts], said


def _transceiver(track: Track, draft: Draft) -> None:
    sensor = track.sensor
    if sensor is None:
        return
    value = {"A": 0, "B": 1}.get(sensor.channel or "", 0)
    if sensor.channel in ("A", "B"):
        draft.said["sensor.channel"] = Carried("sensor.channel", f"{draft.pgn}.aisTransceiverInformation")
    if sensor.own:
        draft.said["sensor.own"] = Carried("sensor.own", f"{draft.pgn}.aisTransceiverInformation")
        value = 4 if sensor.channel is None else value + 2
    elif sensor.own is not None:
        draft.said["sensor.own"] = Dropped("sensor.own", "no code")
    draft.values["aisTransceiverInformation"] = value


def _place(track: Track, draft: Draft) -> None:
    position = track.position
    if position is None:
        return
    draft.put("position.lat_deg", "latitude", position.lat_deg, "m", _POLE / 1e-7)
    draft.put("position.lon_deg", "longitude", position.lon_deg, "m", _POLE / 1e-7)
    if position.accurate is not None:
        draft.code("position.accurate", "positionAccuracy", int(position.accurate))
    if draft.pgn != 129798:
        return
    original = position.original
    if original is not None and original.frame == "msl" and len(original.values) == 3:
        draft.put("position.original", "altitude", original.values[2], "m")
        if position.height_m is not None:
            draft.said["position.height_m"] = Dropped(
                "position.height_m", "no field", "the height above the sea is said"
            )
    elif position.height_m is not None:
        draft.put("position.height_m", "altitude", position.height_m, "m")
        if "altitude" in draft.values:
            path = "position.height_m"
            draft.said[path] = Approximated(path, "129798.altitude", 107.0, "m")


def _moves(track: Track, draft: Draft, at_us: int) -> None:
    motion, sensor = track.motion, track.sensor
    if draft.pgn == 129793:
        _clock(track, draft)
    else:
        second, times = second_of(track, at_us)
        draft.values["timeStamp"] = second
        for path, entry in TIMES[times].items():
            if path == "status.at" and draft.pgn != 129038:
                draft.said[path] = Dropped(path, "no field")
            else:
                native = f"{draft.pgn}.timeStamp"
                draft.said[path] = entry if isinstance(entry, Dropped) else replace(entry, to=native)
    if sensor is not None and sensor.modality is not None and draft.pgn in (129040, 129041, 129793):
        _modality(sensor.modality, draft)
    if motion is not None and draft.pgn not in (129793, 129041):
        _speed(motion.speed_mps, draft)
        draft.angle("motion.course_deg", "cog", motion.course_deg)
        if motion.frame == "course" and "sog" in draft.values:
            draft.said["motion.frame"] = Carried("motion.frame", f"{draft.pgn}.cog")
        if draft.pgn != 129798:
            draft.angle("motion.heading_deg", "trueHeading" if draft.pgn == 129040 else "heading", motion.heading_deg)
    if draft.pgn == 129038:
        _class_a(track, draft)


def _speed(speed_mps: float | None, draft: Draft) -> None:
    limit, digits = (AIRCRAFT_MPS, 1) if draft.pgn == 129798 else (VESSEL_MPS, 2)
    if speed_mps is None or 0 <= round(speed_mps, digits) < limit:
        draft.put("motion.speed_mps", "sog", speed_mps, "m/s")
    else:
        draft.said["motion.speed_mps"] = Dropped("motion.speed_mps", "out of range")


def _class_a(track: Track, draft: Draft) -> None:
    motion, status = track.motion, track.status
    if motion is not None and motion.turn_deg_per_min is not None:
        rate = radians(motion.turn_deg_per_min / 60)
        if abs(rate) <= 0.2:
            draft.put("motion.turn_deg_per_min", "rateOfTurn", rate, "deg/min", 3437.75)
        else:
            draft.said["motion.turn_deg_per_min"] = Dropped("motion.turn_deg_per_min", "out of range")
    draft.values["navStatus"] = 15
    if status is not None:
        if status.nav_status in NAV_CODES:
            draft.code("status.nav_status", "navStatus", NAV_CODES[status.nav_status])
        elif status.nav_status is not None:
            draft.said["status.nav_status"] = Dropped("status.nav_status", "no code", status.nav_status)
        if status.special_manoeuvre is not None:
            value = 2 if status.special_manoeuvre else 1
            draft.code("status.special_manoeuvre", "specialManeuverIndicator", value)


def _modality(said: str, draft: Draft) -> None:
    name = "positionFixingDeviceType" if draft.pgn == 129041 else "gnssType"
    if said in _EPFD:
        draft.code("sensor.modality", name, _EPFD[said])
    else:
        draft.said["sensor.modality"] = Dropped("sensor.modality", "no code", said)


def _clock(track: Track, draft: Draft) -> None:
    timing = track.timing
    if timing is None or timing.source_us is None or not 0 <= timing.source_us < _LAST_US:
        return
    days, since_us = divmod(timing.source_us, _DAY_S * 1_000_000)
    draft.values |= {"positionDate": days, "positionTime": since_us / 1_000_000}
    draft.said["timing.source_us"] = Approximated("timing.source_us", "129793.positionTime", 0.00005, "s")
    draft.said["timing.clock"] = Carried("timing.clock", "129793.positionTime")
    if track.position is not None and track.position.at == timing.source_us // 1000:
        draft.said["position.at"] = Carried("position.at", "129793.positionTime")


def _static(track: Track, draft: Draft) -> None:
    """Name, callsign, type and size, as far as the message has them."""
    identity, what = track.identity, track.type
    if identity is not None:
        if draft.pgn in (129794, 129040):
            draft.text("identity.name", "name", identity.name, 20)
        if draft.pgn in (129794, 129810):
            draft.text("identity.callsign", "callsign", identity.callsign, 7)
        if draft.pgn == 129794 and identity.imo is not None:
            digits = str(identity.imo)
            if digits.isascii() and digits.isdigit() and 1_000_000 <= int(digits) <= 9_999_999:
                draft.code("identity.imo", "imoNumber", int(digits))
            else:
                draft.said["identity.imo"] = Dropped("identity.imo", "out of range")
    if what is not None and what.ship_type is not None and 0 < what.ship_type < 255:
        draft.code("type.ship_type", "typeOfShip", what.ship_type)
        if what.ship_type_text == ship_type_text(what.ship_type):
            path = "type.ship_type_text"
            draft.said[path] = Carried(path, f"{draft.pgn}.typeOfShip")
    if track.sensor is not None and track.sensor.modality is not None and draft.values:
        _modality(track.sensor.modality, draft)
    _hull(track, draft, "", "FromStarboard", "FromBow")


def _hull(track: Track, draft: Draft, suffix: str, starboard: str, bow: str) -> None:
    what = track.type
    if what is not None and (what.length_m is not None or what.beam_m is not None):
        draft.put("type.length_m", f"length{suffix}", what.length_m, "m")
        draft.put("type.beam_m", f"beam{suffix}", what.beam_m, "m")
        draft.put("type.starboard_m", f"positionReference{starboard}", what.starboard_m, "m")
        draft.put("type.bow_m", f"positionReference{bow}", what.bow_m, "m")


def _voyage(track: Track, draft: Draft) -> None:
    voyage = track.voyage
    if voyage is None:
        return
    draft.text("voyage.destination", "destination", voyage.destination, 20)
    draft.put("voyage.draught_m", "draft", voyage.draught_m, "m")
    if voyage.eta is None:
        return
    parts = eta_parts(voyage.eta)
    at = voyage.at or (track.sensor.received_ms if track.sensor else 0)
    days = _day_of(parts[0], parts[1], at) if parts else None
    if parts is None or days is None:
        draft.said["voyage.eta"] = Dropped("voyage.eta", "not text of this protocol", voyage.eta)
        return
    draft.values["etaDate"] = days
    if parts[2] < 24:
        draft.values["etaTime"] = parts[2] * 3600 + parts[3] * 60
    draft.said["voyage.eta"] = Carried("voyage.eta", "129794.etaDate")


def _day_of(month: int, day: int, at_ms: int) -> int | None:
    """Days from 1970 to the next such date; the model says no year."""
    now = datetime.fromtimestamp(min(max(at_ms, 0), _LAST_US // 1000) / 1000, UTC).date()
    for year in range(now.year, now.year + 9):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if (found - now).days >= -31:
            return (found - date(1970, 1, 1)).days
    return None


def _aid(track: Track, draft: Draft) -> None:
    what, status = track.type, track.status
    if what is not None and what.aid_type is not None and 0 < what.aid_type < 32:
        draft.code("type.aid_type", "atonType", what.aid_type)
    if track.identity is not None:
        draft.text("identity.name", "atonName", track.identity.name, 34)
    _hull(track, draft, "Diameter", "FromStarboardEdge", "FromTrueNorthFacingEdge")
    if status is not None:
        for text, name, words in (
            (status.state, "offPositionIndicator", ("on position", "off position")),
            (status.mode, "virtualAtonFlag", ("physical aid", "virtual aid")),
        ):
            path = "status.state" if name == "offPositionIndicator" else "status.mode"
            if text in words:
                draft.code(path, name, words.index(text))
            elif text is not None:
                draft.said[path] = Dropped(path, "no code", text)
