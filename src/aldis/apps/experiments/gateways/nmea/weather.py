"""Meteorological and hydrographic data in AIS message 8: IMO SN.1/Circ.289, DAC 1, function 31."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aldis.apps.experiments.entity import (
    Approximated,
    Decoded,
    Dropped,
    Environment,
    Ledger,
    Position,
    Timing,
)
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.sentences import Message
from aldis.apps.experiments.gateways.nmea.told import told
from aldis.apps.experiments.gateways.nmea.values import KNOT

__all__ = ["weather", "weather_values"]


@dataclass(frozen=True, slots=True)
class _Row:
    """value = (raw + base) * unit for raw in [least, most]; `none` says that it is not available."""

    native: str
    field: str
    unit: float
    least: int
    most: int
    none: int
    base: int = 0
    digits: int = 3


_ROWS = (
    _Row("wind_speed", "wind_mps", KNOT, 0, 126, 127),
    _Row("gust", "gust_mps", KNOT, 0, 126, 127),
    _Row("wind_from", "wind_from_deg", 1, 0, 359, 360),
    _Row("air_temperature", "air_temperature_c", 0.1, -600, 600, -1024, digits=1),
    _Row("humidity", "humidity_percent", 1, 0, 100, 101),
    _Row("pressure", "pressure_hpa", 1, 1, 401, 511, 799),
    _Row("visibility", "visibility_m", 185.2, 0, 126, 127, digits=1),
    _Row("current_speed", "current_mps", KNOT / 10, 0, 250, 255),
    _Row("current_to", "current_to_deg", 1, 0, 359, 360),
    _Row("wave_height", "wave_height_m", 0.1, 0, 250, 255, digits=1),
    _Row("wave_period", "wave_period_s", 1, 0, 60, 63),
    _Row("water_temperature", "water_temperature_c", 0.1, -100, 500, 501, digits=1),
    _Row("salinity", "salinity_psu", 0.1, 0, 500, 510, digits=1),
)
_NONE = {row.native: row.none for row in _ROWS} | {
    "lon": 181 * 60_000,
    "lat": 91 * 60_000,
    "hour": 24,
    "minute": 60,
    "gust_from": 360,
    "dew_point": 501,
    "pressure_tendency": 3,
    "water_level": 4001,
    "level_trend": 3,
    "current2_speed": 255,
    "current2_to": 360,
    "current2_depth": 31,
    "current3_speed": 255,
    "current3_to": 360,
    "current3_depth": 31,
    "wave_from": 360,
    "swell_height": 255,
    "swell_period": 63,
    "swell_from": 360,
    "sea_state": 13,
    "precipitation": 7,
    "ice": 3,
}


def weather(said: dict[str, Any], message: Message) -> Decoded:
    """What it is like where a station is.

    Raises:
        Damaged: there is no such place.
    """
    if not 0 < said["mmsi"] <= 999_999_999:
        raise Damaged("invalid mmsi")
    unknown: list[str] = []
    at = _at(said, message.sensor.received_ms)
    if at is None:
        unknown.extend(("day", "hour", "minute"))
    lat, lon = said["lat"], said["lon"]
    position = None
    if lat == _NONE["lat"] or lon == _NONE["lon"]:
        unknown.extend(("lat", "lon", "accuracy"))
    elif abs(lat) > 5_400_000 or abs(lon) > 10_800_000:
        raise Damaged("out of range")
    else:
        position = Position(lat_deg=lat / 60_000, lon_deg=lon / 60_000, accurate=said["accuracy"] == 1)
    values: dict[str, Any] = {}
    for row in _ROWS:
        raw = said[row.native]
        if row.least <= raw <= row.most:
            values[row.field] = round((raw + row.base) * row.unit, row.digits)
        else:
            unknown.append(row.native)
    unknown.extend(name for name, none in _NONE.items() if said[name] == none and name not in unknown)
    environment = Environment(
        key=f"mmsi:{said['mmsi']}:weather",
        position=position,
        at=at,
        timing=Timing(
            source_us=None if at is None else at * 1000,
            source_uncertainty_us=None if at is None else 17_320_508,
            received_us=message.at_us,
            clock=None if at is None else "utc",
        ),
        **values,
    )
    return Decoded(environment, told("weather", tuple(unknown)))


def _at(said: dict[str, Any], received_ms: int) -> int | None:
    """The time of day and day of month nearest to when it was received; ms."""
    day, hour, minute = said["day"], said["hour"], said["minute"]
    if day == 0 or hour > 23 or minute > 59:
        return None
    received = datetime.fromtimestamp(min(max(received_ms, 0), 4_000_000_000_000) / 1000, UTC)
    for off in (0, 1, -1, 2, -2, *(-n for n in range(3, 31))):
        moment = received + timedelta(days=off)
        if moment.day == day:
            return round(moment.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp()) * 1000
    return None


def weather_values(environment: Environment) -> tuple[dict[str, int | str], Ledger]:
    """The fields of message 8 that say `environment`, and what became of each of its fields."""
    mmsi = int(environment.key.split(":")[1])
    values: dict[str, int | str] = {"type": 8, "mmsi": mmsi, "dac": 1, "function": 31, **_NONE}
    entries: list[Entry] = []
    for name in environment.__struct_fields__:
        value = getattr(environment, name)
        if value is None or name == "key":
            continue
        path = f"environment.{name}"
        row = next((row for row in _ROWS if row.field == name), None)
        if row is not None:
            raw = round(value / row.unit) - row.base
            if row.unit == 1 and row.most == 359:
                raw %= 360
            if row.least <= raw <= row.most:
                values[row.native] = raw
                entries.append(Approximated(path, f"ais.{row.native}", round(row.unit / 2, 4), _unit(name)))
            else:
                entries.append(Dropped(path, "out of range"))
        elif name == "position":
            values |= {
                "lat": round(value.lat_deg * 60_000),
                "lon": round(value.lon_deg * 60_000),
                "accuracy": int(value.accurate is True),
            }
            entries.append(Approximated(path, "ais.lat", 1.31, "m"))
        elif name == "at":
            moment = datetime.fromtimestamp(min(max(value, 0), 4_000_000_000_000) / 1000, UTC)
            values |= {"day": moment.day, "hour": moment.hour, "minute": moment.minute}
            entries.append(Approximated(path, "ais.minute", 60.0, "s"))
        else:
            entries.append(Dropped(path, "made anew" if name == "timing" else "no field"))
    return values, Ledger(tuple(entries))


def _unit(name: str) -> str:
    unit = name.rsplit("_", 1)[1]
    return {"mps": "m/s", "percent": "%"}.get(unit, unit)
