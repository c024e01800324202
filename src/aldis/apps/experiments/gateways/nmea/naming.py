"""The model to AIS messages that say who and what a vessel is and where it is bound: 5, or 24 in its two parts."""

from __future__ import annotations

from collections.abc import Iterator

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.nmea.encoding import modality
from aldis.apps.experiments.gateways.nmea.values import eta_parts, hull_parts, ship_type_text

__all__ = ["IDENTIFIED", "described", "hull_of", "sixbit", "statics"]

IDENTIFIED: dict[str, Entry] = {
    "identity.mmsi": Carried("identity.mmsi", "ais.mmsi"),
    "sensor.channel": Carried("sensor.channel", "sentence.channel"),
    "sensor.own": Carried("sensor.own", "sentence.own"),
    "type.station": Carried("type.station", "ais.type"),
}
"""What becomes of who it is in messages that do not say where it is."""
_HULL = ("length_m", "beam_m", "bow_m", "starboard_m")
_NATIVE = {"length_m": "to_stern", "beam_m": "to_port", "bow_m": "to_bow", "starboard_m": "to_starboard"}
_Values = dict[str, int | str]


def described(track: Track, kind: str) -> bool:
    """Whether it says something that only these messages have."""
    if kind in ("base", "aid"):
        return False
    if track.voyage is not None and kind in ("class A", "aircraft"):
        return True
    identity, what = track.identity, track.type
    if identity is not None and (identity.name or identity.callsign or identity.imo):
        return True
    return what is not None and not (what.ship_type is None and what.length_m is None and what.beam_m is None)


def statics(
    track: Track, kind: str, mmsi: int, said: dict[str, Entry], odd: dict[str, Entry]
) -> Iterator[tuple[str, _Values]]:
    """The layouts and fields of the messages; what became of the model's fields is added to `said` or `odd`."""
    values: _Values = {"mmsi": mmsi}
    _names(track, values, said, odd)
    hull_of(track, values, odd)
    if track.sensor is not None and track.sensor.modality is not None and "sensor.modality" not in odd:
        values["epfd"], odd["sensor.modality"] = modality(track.sensor.modality)
    if kind in ("class A", "aircraft"):
        _imo(track, values, odd)
        _voyage(track, values, odd)
        yield "static", values | {"type": 5}
        return
    if "name" in values:
        yield "name", values | {"type": 24}
    if values.keys() & {"callsign", "ship_type", "to_bow"}:
        tender = mmsi // 10_000_000 == 98
        if tender:
            for name in _HULL:
                if f"type.{name}" in odd:
                    odd[f"type.{name}"] = Dropped(f"type.{name}", "no field", "a tender says its mothership instead")
        yield "static of a tender" if tender else "static B", values | {"type": 24, "part": 1}


def sixbit(path: str, text: str, count: int, native: str) -> tuple[str, Entry]:
    """`text` as six-bit text of at most `count` characters, and what became of it."""
    sent = "".join(c if " " <= c <= "_" and c != "@" else "?" for c in text.upper()).strip()
    if len(sent) > count:
        return sent[:count].rstrip(), Dropped(path, "too long", f"cut to {count} characters: {sent[:count]}")
    if sent != text:
        return sent, Dropped(path, "not text of this protocol", f"sent as {sent}")
    return sent, Carried(path, native)


def _names(track: Track, values: _Values, said: dict[str, Entry], odd: dict[str, Entry]) -> None:
    identity, what = track.identity, track.type
    if identity is not None:
        for field, count in (("name", 20), ("callsign", 7)):
            text = getattr(identity, field)
            if text is not None:
                path = f"identity.{field}"
                values[field], entry = sixbit(path, text, count, f"ais.{field}")
                (said if isinstance(entry, Carried) else odd)[path] = entry
    if what is not None and what.ship_type is not None:
        if 0 < what.ship_type <= 255:
            values["ship_type"] = what.ship_type
            said["type.ship_type"] = Carried("type.ship_type", "ais.ship_type")
            if what.ship_type_text == ship_type_text(what.ship_type):
                said["type.ship_type_text"] = Carried("type.ship_type_text", "ais.ship_type")
        else:
            odd["type.ship_type"] = Dropped("type.ship_type", "out of range")


def hull_of(track: Track, values: _Values, odd: dict[str, Entry]) -> None:
    """The four distances, whole metres."""
    what = track.type
    if what is None or (what.length_m is None and what.beam_m is None):
        return
    parts = hull_parts(what.length_m, what.beam_m, what.bow_m, what.starboard_m)
    values |= dict(zip(("to_bow", "to_stern", "to_port", "to_starboard"), parts, strict=True))
    bow, stern, port, starboard = parts
    told = {"length_m": bow + stern, "beam_m": port + starboard, "bow_m": bow, "starboard_m": starboard}
    for name, sent in told.items():
        value = getattr(what, name)
        if value is not None:
            path, error = f"type.{name}", abs(value - sent)
            native = f"ais.{_NATIVE[name]}"
            odd[path] = Approximated(path, native, round(error, 3), "m") if error else Carried(path, native)


def _imo(track: Track, values: _Values, odd: dict[str, Entry]) -> None:
    imo = track.identity.imo if track.identity else None
    if imo is None:
        return
    text = str(imo)
    if text.isascii() and text.isdigit() and 1_000_000 <= int(text) <= 9_999_999:
        values["imo"] = int(text)
        odd["identity.imo"] = Carried("identity.imo", "ais.imo")
    else:
        odd["identity.imo"] = Dropped("identity.imo", "out of range")


def _voyage(track: Track, values: _Values, odd: dict[str, Entry]) -> None:
    values |= {"hour": 24, "minute": 60}
    voyage = track.voyage
    if voyage is None:
        return
    if voyage.destination is not None:
        path = "voyage.destination"
        values["destination"], odd[path] = sixbit(path, voyage.destination, 20, "ais.destination")
    if voyage.eta is not None:
        parts = eta_parts(voyage.eta)
        if parts is None:
            odd["voyage.eta"] = Dropped("voyage.eta", "not text of this protocol", voyage.eta)
        else:
            values |= dict(zip(("month", "day", "hour", "minute"), parts, strict=True))
            odd["voyage.eta"] = Carried("voyage.eta", "ais.minute")
    if voyage.draught_m is not None:
        raw = round(voyage.draught_m * 10)
        if 0 < raw <= 255:
            values["draught"] = raw
            odd["voyage.draught_m"] = Approximated("voyage.draught_m", "ais.draught", 0.05, "m")
        else:
            odd["voyage.draught_m"] = Dropped("voyage.draught_m", "out of range")
