"""Sentences of a vessel's own instruments and radar to the model (IEC 61162-1, 7.3)."""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec.structs import replace

from aldis.apps.experiments.entity import (
    Decoded,
    Dropped,
    Environment,
    Motion,
    Original,
    Position,
    Timing,
    Track,
)
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.contacts import target, text, waypoint
from aldis.apps.experiments.gateways.nmea.reading import Known, number_of, place_of
from aldis.apps.experiments.gateways.nmea.sentences import Words
from aldis.apps.experiments.gateways.nmea.surroundings import SURROUNDINGS, surroundings
from aldis.apps.experiments.gateways.nmea.values import KNOT
from aldis.apps.experiments.gateways.nmea.words import FIELDS, account, named

__all__ = ["FIXES", "Instruments"]

FIXES = ("none", "GPS", "DGPS", "PPS", "RTK", "RTK float", "dead reckoning", "manual", "simulator")
"""GGA's quality in words."""
_FRESH_US = 10_000_000


class Instruments(Known):
    """The instruments of one vessel."""

    def decode(self, heard: Words) -> Decoded:
        """What a sentence says.

        Raises:
            Damaged: it says nothing usable, or is none that is known here.
        """
        kind = heard.words[0][-3:]
        said = named(heard.words)
        if kind not in FIELDS and kind != "XDR":
            raise Damaged("unsupported sentence")
        get = {name.partition(".")[2]: value for name, value in said.items()} if kind != "XDR" else said
        self.odd = []
        if kind in SURROUNDINGS:
            timing = Timing(received_us=heard.at_us)
            at = heard.sensor.received_ms
            heading = self.heading_deg if abs(heard.at_us - self.heading_us) < _FRESH_US else None
            values: dict[str, Any] = surroundings(kind, get, heard.words, heading, self.odd)
            key = f"nmea:{self.name}:environment"
            return Decoded(Environment(key=key, at=at, timing=timing, **values), account(tuple(said), tuple(self.odd)))
        entity = _KINDS[kind](self, get, heard)
        return Decoded(entity, account(tuple(said), tuple(self.odd)))


def _void(own: Instruments, kind: str, get: dict[str, str]) -> None:
    own.odd += [Dropped(f"{kind}.{name}", "unknown value") for name in ("lat", "ns", "lon", "ew") if name in get]


def _keep(own: Instruments, place: tuple[float, float], heard: Words) -> None:
    own.place, own.place_us = place, heard.at_us


def _gga(own: Instruments, get: dict[str, str], heard: Words) -> Track:
    at, timing = own.timing(get, heard)
    place = place_of(get)
    quality = int(number_of(get.get("quality"), 0, 99) or 0)
    height, separation = number_of(get.get("altitude")), number_of(get.get("separation"))
    position = None
    if place is None or quality == 0:
        _void(own, "GGA", get)
        names = ("altitude", "altitude_unit", "separation", "separation_unit", "quality")
        own.odd += [Dropped(f"GGA.{name}", "unknown value") for name in names if name in get]
    else:
        _keep(own, place, heard)
        msl = (
            None
            if height is None
            else Original(frame="msl", datum="WGS-84, geoid of the receiver", values=(*place, height))
        )
        both = None if height is None or separation is None else round(height + separation, 6)
        if height is None and separation is not None:
            own.odd.append(Dropped("GGA.separation", "no field"))
        position = Position(lat_deg=place[0], lon_deg=place[1], at=at, height_m=both, original=msl)
    if quality >= len(FIXES):
        own.odd.append(Dropped("GGA.quality", "no code"))
    satellites = number_of(get.get("satellites"), 0, 99)
    sensor = replace(
        heard.sensor,
        fix=FIXES[quality] if 0 < quality < len(FIXES) else None,
        satellites=None if satellites is None else int(satellites),
        hdop=number_of(get.get("hdop"), 0, 1000),
    )
    return own.own(heard, timing, position=position, sensor=sensor)


def _rmc(own: Instruments, get: dict[str, str], heard: Words) -> Track:
    said = get.get("date")
    at, timing = own.timing(get, heard, _date(said[4:], said[2:4], said[:2]) if said else None)
    place = place_of(get)
    if get.get("status") == "V" or place is None:
        _void(own, "RMC", get)
        own.odd += [Dropped(f"RMC.{name}", "unknown value") for name in ("speed", "course") if name in get]
        return own.own(heard, timing, position=None)
    _keep(own, place, heard)
    position = Position(lat_deg=place[0], lon_deg=place[1], at=at)
    return own.own(heard, timing, position=position, motion=_over_ground(get, at))


def _over_ground(get: dict[str, str], at: int) -> Motion | None:
    speed, course = number_of(get.get("speed"), 0, 9999), number_of(get.get("course"), 0, 360)
    if speed is None and course is None:
        return None
    metres = None if speed is None else round(speed * KNOT, 5)
    turned = None if course is None else course % 360
    return Motion(at=at, speed_mps=metres, course_deg=turned, frame=None if metres is None else "course")


def _date(year: str, month: str, day: str) -> date:
    try:
        century = 0 if len(year) == 4 else 2000 if int(year) < 80 else 1900
        return date(century + int(year), int(month), int(day))
    except ValueError as error:
        raise Damaged("undecodable") from error


def _gll(own: Instruments, get: dict[str, str], heard: Words) -> Track:
    at, timing = own.timing(get, heard)
    place = place_of(get)
    if place is None or get.get("status") == "V":
        _void(own, "GLL", get)
        return own.own(heard, timing, position=None)
    _keep(own, place, heard)
    return own.own(heard, timing, position=Position(lat_deg=place[0], lon_deg=place[1], at=at))


def _vtg(own: Instruments, get: dict[str, str], heard: Words) -> Track:
    if "speed" not in get and (kmh := number_of(get.get("speed_kmh"), 0, 9999)) is not None:
        get = get | {"speed": f"{kmh / 1.852:.6f}"}
    return own.own(heard, motion=_over_ground(get, heard.sensor.received_ms))


def _zda(own: Instruments, get: dict[str, str], heard: Words) -> Track:
    whole = all(name in get for name in ("year", "month", "day"))
    return own.own(heard, own.timing(get, heard, _date(get["year"], get["month"], get["day"]) if whole else None)[1])


def _heading(own: Instruments, get: dict[str, str], heard: Words) -> Track:
    """HDT, HDG and VHW; a magnetic heading counts where the variation is said beside it."""
    heading = number_of(get.get("heading"), 0, 360)
    if "variation" in get:
        signs = {name: -1 if get.get(f"{name}_ew") == "W" else 1 for name in ("deviation", "variation")}
        heading = (
            None
            if heading is None
            else heading + sum(sign * (number_of(get.get(name), 0, 180) or 0) for name, sign in signs.items())
        )
    elif heard.words[0].endswith("HDG"):
        heading = None
    speed = number_of(get.get("speed"), 0, 9999)
    if heading is not None:
        heading = round(heading % 360, 4)
        own.heading_deg, own.heading_us = heading, heard.at_us
    if heading is None and speed is None:
        raise Damaged("nothing said")
    water = None if speed is None else round(speed * KNOT, 5)
    return own.own(heard, motion=Motion(at=heard.sensor.received_ms, heading_deg=heading, water_speed_mps=water))


def _rot(own: Instruments, get: dict[str, str], heard: Words) -> Track:
    rate = number_of(get.get("rate"), -9999, 9999)
    if rate is None or get.get("status") == "V":
        raise Damaged("nothing said")
    return own.own(heard, motion=Motion(at=heard.sensor.received_ms, turn_deg_per_min=rate))


_KINDS: dict[str, Any] = {
    "GGA": _gga, "RMC": _rmc, "GLL": _gll, "VTG": _vtg, "ZDA": _zda, "HDT": _heading, "HDG": _heading,
    "VHW": _heading, "ROT": _rot, "TTM": target, "TLL": target, "TXT": text, "WPL": waypoint,
}  # fmt: skip
