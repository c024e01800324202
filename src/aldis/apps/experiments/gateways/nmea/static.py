"""AIS messages (ITU-R M.1371-5, Annex 8) to the model: who and what a vessel is, where it is bound, words, weather."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from msgspec.structs import replace

from aldis.apps.experiments.entity import (
    Carried,
    Decoded,
    Dropped,
    Identity,
    Ledger,
    Remainder,
    Report,
    Residue,
    Status,
    Timing,
    Track,
    Type,
    Voyage,
)
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.decoding import class_a, kind_of, reported, valid_mmsi
from aldis.apps.experiments.gateways.nmea.layouts import layout_of
from aldis.apps.experiments.gateways.nmea.sentences import PROTOCOL, Message
from aldis.apps.experiments.gateways.nmea.told import told
from aldis.apps.experiments.gateways.nmea.values import FIXES, clean_text, eta_text, hull, ship_type_text, station_of
from aldis.apps.experiments.gateways.nmea.weather import weather

__all__ = ["decode"]

_BINARY = (6, 8, 25, 26)
_UNDECODED = Ledger(
    (
        Dropped("ais.type", "made anew"),
        Dropped("ais.repeat", "made anew"),
        Carried("ais.mmsi", "identity.mmsi"),
        Dropped("ais.data", "not decoded"),
    )
)


def decode(message: Message) -> Decoded:
    """What an AIS message says.

    Raises:
        Damaged: it is of a type that says nothing here, too short, or says what cannot be.
    """
    bits, size = message.bits, message.size
    if size >= 168 and 0 < bits >> (size - 6) < 4:
        return class_a(message)
    layout = layout_of(bits, size)
    if layout is None:
        return _residue(message)
    if size < layout.least:
        raise Damaged("undecodable")
    said: dict[str, Any] = layout.unpack(bits, size)
    if layout.name in ("text", "addressed text"):
        return _report(layout.name, said, message)
    if layout.name == "weather":
        return weather(said, message)
    unknown: list[str] = []
    if "lat" in said:
        groups = reported(layout.name, said, message, unknown)
    else:
        mmsi = valid_mmsi(said["mmsi"])
        groups = {
            "key": f"mmsi:{mmsi}",
            "sensor": message.sensor,
            "timing": Timing(received_us=message.at_us),
            "type": kind_of(mmsi, "class A" if layout.name == "static" else None),
        }
    if "name" in said or "ship_type" in said:
        _static(layout.name, said, groups, message, unknown)
    track = Track(**groups)
    return Decoded(track, told(layout.name, tuple(unknown)))


def _static(layout: str, said: dict[str, Any], groups: dict[str, Any], message: Message, unknown: list[str]) -> None:
    """Add who and what it is, and where it is bound."""
    at = message.sensor.received_ms
    imo = said.get("imo")
    if imo is not None and not 1_000_000 <= imo <= 9_999_999:
        unknown.append("imo!no number of the IMO" if imo else "imo")
        imo = None
    name = clean_text(said.get("name", "") + said.get("name_extension", ""))
    callsign = clean_text(said.get("callsign", ""))
    for field, value in (("name", name), ("callsign", callsign)):
        if field in said and value is None:
            unknown.append(field)
    if "name_extension" in said and not clean_text(said["name_extension"]):
        unknown.append("name_extension")
    groups["identity"] = Identity(at=at, mmsi=said["mmsi"], imo=imo, name=name, callsign=callsign)
    groups["type"] = _type(said, groups["type"], unknown)
    if layout == "static":
        groups["voyage"] = _voyage(said, at, unknown)
    if layout != "aid" and "epfd" in said and "lat" not in said:
        _fix(said["epfd"], groups, unknown)
    if layout == "aid":
        known = said["second"] < 60
        if not known:
            unknown.append("off_position")
        state = ("off position" if said["off_position"] else "on position") if known else None
        groups["status"] = Status(at=at, state=state, mode="virtual aid" if said["virtual"] else "physical aid")


def _fix(epfd: int, groups: dict[str, Any], unknown: list[str]) -> None:
    if epfd not in FIXES:
        unknown.append("epfd")
        return
    groups["sensor"] = replace(groups["sensor"], modality=FIXES[epfd])


def _type(said: dict[str, Any], kind: Type | None, unknown: list[str]) -> Type | None:
    known: dict[str, Any] = {"station": station_of(said["mmsi"], kind.station if kind else None)}
    if "ship_type" in said:
        code = said["ship_type"] or None
        known |= {"ship_type": code, "ship_type_text": ship_type_text(code)}
        if code is None:
            unknown.append("ship_type")
    if "aid_type" in said:
        known["aid_type"] = said["aid_type"] or None
        if not said["aid_type"]:
            unknown.append("aid_type")
    if "to_bow" in said:
        size = hull(said["to_bow"], said["to_stern"], said["to_port"], said["to_starboard"])
        known |= size
        if size["length_m"] is None:
            unknown.extend(("to_bow", "to_stern"))
        elif size["bow_m"] is None:
            unknown.append("to_bow")
        if size["beam_m"] is None:
            unknown.extend(("to_port", "to_starboard"))
        elif size["starboard_m"] is None:
            unknown.extend(("to_port", "to_starboard>type.beam_m"))
    made = Type(**known)
    return None if made == Type() else made


def _voyage(said: dict[str, Any], at: int, unknown: list[str]) -> Voyage | None:
    eta = eta_text(said["month"], said["day"], said["hour"], said["minute"])
    if eta is None:
        unknown.extend(("month", "day", "hour", "minute"))
    elif "T" not in eta:
        unknown.extend(("hour", "minute"))
    destination = clean_text(said["destination"])
    if destination is None:
        unknown.append("destination")
    if not said["draught"]:
        unknown.append("draught")
    if eta is None and destination is None and not said["draught"]:
        return None
    return Voyage(at=at, destination=destination, eta=eta, draught_m=said["draught"] / 10 or None)


def _report(layout: str, said: dict[str, Any], message: Message) -> Decoded:
    """Messages 12 and 14: words."""
    mmsi = valid_mmsi(said["mmsi"])
    text = clean_text(said["text"])
    if text is None:
        raise Damaged("no words")
    to = said.get("destination_mmsi")
    report = Report(
        key=f"mmsi:{mmsi}:text:{message.sensor.received_ms}",
        text=text,
        author=f"mmsi:{mmsi}",
        to=None if to is None else [f"mmsi:{valid_mmsi(to)}"],
        timing=Timing(received_us=message.at_us),
    )
    return Decoded(report, told(layout))


def _residue(message: Message) -> Decoded:
    """Binary messages that nothing here understands, kept as they came."""
    bits, size = message.bits, message.size
    kind = bits >> (size - 6) if size >= 6 else 0
    if kind not in _BINARY or size < 40:
        raise Damaged(f"unsupported type {kind}" if size >= 6 else "undecodable")
    mmsi = valid_mmsi(bits >> (size - 38) & 0x3FFFFFFF)
    left = size - 38
    data = ((bits & ((1 << left) - 1)) << (-left % 8)).to_bytes((left + 7) // 8, "big")
    part = Remainder(protocol=PROTOCOL, field=f"ais.{kind}:{left}", data=b64encode(data).decode("ascii"))
    track = Track(
        key=f"mmsi:{mmsi}",
        identity=Identity(mmsi=mmsi),
        sensor=message.sensor,
        timing=Timing(received_us=message.at_us),
        residue=Residue(parts=[part]),
    )
    return Decoded(track, _UNDECODED)
