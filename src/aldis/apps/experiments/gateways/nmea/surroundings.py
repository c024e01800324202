"""Sentences that say what it is like around a vessel: wind, water, air (IEC 61162-1, 7.3: MWV, MWD, MTW, DPT, XDR)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aldis.apps.experiments.entity import Approximated, Carried, Dropped
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.values import KNOT

__all__ = ["SURROUNDINGS", "surroundings"]

SURROUNDINGS = ("MWV", "MWD", "MTW", "DPT", "DBT", "XDR")
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{0,9})?")
_SPEEDS = {"N": KNOT, "M": 1.0, "K": 1 / 3.6, "S": 1609.344 / 3600}
_WATER = re.compile(r"WATER|SEA", re.IGNORECASE)
_AIR = re.compile(r"AIR|OUT", re.IGNORECASE)
_Values = dict[str, float]


def surroundings(
    kind: str, get: Mapping[str, str], words: list[str], heading_deg: float | None, odd: list[Entry]
) -> _Values:
    """The fields of an `Environment`; what does not go over as usual is added to `odd`.

    Raises:
        Damaged: nothing is said.
    """
    if kind == "XDR":
        values = _transducers(words, odd)
    elif kind == "MWV":
        values = _wind(get, heading_deg, odd)
    elif kind == "MWD":
        values = _true_wind(get)
    elif kind == "MTW":
        values = _only("water_temperature_c", _number(get.get("temperature")))
    else:
        values = _depth(kind, get, odd)
    if not values:
        raise Damaged("nothing said")
    return values


def _number(text: str | None) -> float | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise Damaged("undecodable")
    return float(text)


def _only(field: str, value: float | None) -> _Values:
    return {} if value is None else {field: value}


def _wind(get: Mapping[str, str], heading_deg: float | None, odd: list[Entry]) -> _Values:
    """True wind, whose angle is from the bow: its bearing follows where the heading is known."""
    if get.get("reference") != "T" or get.get("status") == "V":
        return {}
    speed, angle = _number(get.get("speed")), _number(get.get("angle"))
    scale = _SPEEDS.get(get.get("unit", ""))
    if speed is None or scale is None:
        return {}
    values = {"wind_mps": round(speed * scale, 5)}
    if angle is not None and heading_deg is not None:
        values["wind_from_deg"] = round((angle + heading_deg) % 360, 4)
    odd += [Dropped("MWV.angle", "no field", "from the bow"), Dropped("MWV.reference", "no field")]
    return values


def _true_wind(get: Mapping[str, str]) -> _Values:
    speed, knots = _number(get.get("speed")), _number(get.get("speed_kn"))
    if speed is None and knots is not None:
        speed = round(knots * KNOT, 5)
    direction = _number(get.get("direction"))
    bearing = None if direction is None or not 0 <= direction <= 360 else direction % 360
    return _only("wind_from_deg", bearing) | _only("wind_mps", speed)


def _depth(kind: str, get: Mapping[str, str], odd: list[Entry]) -> _Values:
    depth = _number(get.get("depth" if kind == "DPT" else "metres"))
    offset = _number(get.get("offset")) if kind == "DPT" else None
    if depth is not None and offset is not None and offset > 0:
        odd.append(Approximated("DPT.depth", "environment.water_depth_m", offset, "m"))
        depth = round(depth + offset, 6)
    return _only("water_depth_m", depth)


def _transducers(words: list[str], odd: list[Entry]) -> _Values:
    values: _Values = {}
    for kind, text, unit, name in zip(words[1::4], words[2::4], words[3::4], words[4::4], strict=False):
        value = _number(text)
        if value is None or not name:
            continue
        field = _field(kind, unit, name)
        if field is None or field in values:
            odd.append(Dropped(f"XDR.{name}", "no code", f"{kind}, {unit}"))
            continue
        values[field] = round(value * (1000.0 if unit == "B" else 0.01), 5) if field == "pressure_hpa" else value
        odd.append(Carried(f"XDR.{name}", f"environment.{field}"))
    return values


def _field(kind: str, unit: str, name: str) -> str | None:
    """The field of an `Environment` that a transducer measures, told from its type, unit and name."""
    if kind == "P" and unit in ("B", "P"):
        return "pressure_hpa"
    if kind == "H" and unit == "P":
        return "humidity_percent"
    if kind == "C" and unit == "C":
        if _WATER.search(name):
            return "water_temperature_c"
        return "air_temperature_c" if _AIR.search(name) else None
    return None
