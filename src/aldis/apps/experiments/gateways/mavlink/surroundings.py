"""Wind, pressure and home: what a vehicle says of where it is, as environment and as an area."""

from __future__ import annotations

from aldis.apps.experiments.entity import Area, Entity, Environment, Ledger, Point
from aldis.apps.experiments.entity.geodesy import course
from aldis.apps.experiments.gateways.mavlink.fates import Changes, reading
from aldis.apps.experiments.gateways.mavlink.messages import Row
from aldis.apps.experiments.gateways.mavlink.places import Undulation, place
from aldis.apps.experiments.gateways.mavlink.sender import Sender
from aldis.apps.experiments.gateways.mavlink.vehicles import Read

__all__ = ["surroundings_readers"]

_WEATHER = {
    "time_boot_ms": "timing.source_us", "press_abs": "environment.pressure_hpa",
    "temperature": "environment.air_temperature_c",
}  # fmt: skip
_SAID_BY = {"header.system": "environment.key", "header.component": "environment.key"}
_PRESSURES = {29: reading(29, _WEATHER, _SAID_BY), 137: reading(137, _WEATHER, _SAID_BY)}
_COLDEST = -27_315
_NO_TEMPERATURE: Changes = (("temperature", "-unknown value: below absolute zero"),)
_BOOT: Changes = (("time_boot_ms", "-no field: counts from the start, and the system has not told UTC"),)


def _pressure(number: int) -> Read:
    ledgers = _PRESSURES[number]
    suffix = "" if number == 29 else "/pressure 2"

    def read(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
        boot_ms, pressure, _, temperature, _ = row
        source_us = sender.clock.utc(boot_ms * 1000)
        environment = Environment(
            key=sender.key + suffix,
            at=(at_us if source_us is None else source_us) // 1000,
            pressure_hpa=pressure,
            air_temperature_c=temperature / 100 if temperature >= _COLDEST else None,
            timing=sender.timing(source_us, at_us),
        )
        return environment, ledgers.ledger(
            mask, (_BOOT if source_us is None else ()) + (() if temperature >= _COLDEST else _NO_TEMPERATURE)
        )

    return read


_BLOWS = ("environment.wind_from_deg", 1e-4, "deg")
_WIND = reading(
    231,
    {"time_usec": "timing.source_us", "wind_x": _BLOWS, "wind_y": ("environment.wind_mps", 1e-5, "m/s")},
    _SAID_BY,
)
_CALM: Changes = tuple((field, "-unknown value") for field in ("wind_x", "wind_y"))
_STAMP: Changes = (("time_usec", "-no field: counts from the start, and the system has not told UTC"),)


def _wind(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    stamp, north, east, *_ = row
    source_us = None if stamp is None else sender.clock.utc_of_either(stamp)
    changes: Changes = _STAMP if source_us is None and stamp is not None else ()
    speed = bearing = None
    if north is None or east is None:
        changes += _CALM
    else:
        speed, bearing = course(-north, -east)  # it blows towards (north, east), and is named after where it is from
    environment = Environment(
        key=sender.key,
        at=(at_us if source_us is None else source_us) // 1000,
        wind_from_deg=bearing,
        wind_mps=speed,
        timing=sender.timing(source_us, at_us),
    )
    return environment, _WIND.ledger(mask, changes)


_HOME = reading(
    242,
    {"latitude": "area.points", "longitude": "area.points", "time_usec": "timing.source_us"},
    {"header.system": "area.key", "header.component": "area.key"},
)
_NO_HEIGHT: Changes = (("altitude", "-no field: above mean sea level, and nothing tells where that lies"),)
_HEIGHT: Changes = (("altitude", "area.points"),)


def surroundings_readers(undulation: Undulation | None) -> dict[int, Read]:
    """How each message is read; `undulation` makes heights above the ellipsoid of those above mean sea level."""

    def home(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
        lat, lon, alt, stamp = row[0], row[1], row[2], row[-1]
        if not place(lat, lon):
            nowhere: Changes = tuple((name, "-unknown value") for name in ("latitude", "longitude", "altitude"))
            return None, _HOME.ledger(mask, nowhere)
        separation = sender.separation_m
        if separation is None and undulation is not None:
            separation = undulation(lat / 1e7, lon / 1e7)
        height = None if separation is None else round(alt / 1000 + separation, 6)
        source_us = None if stamp is None else sender.clock.utc_of_either(stamp)
        area = Area(
            key=f"{sender.key}/home",
            shape="point",
            points=[Point(lat_deg=lat / 1e7, lon_deg=lon / 1e7, height_m=height)],
            purpose="home",
            timing=sender.timing(source_us, at_us),
        )
        changes = _NO_HEIGHT if height is None else _HEIGHT
        return area, _HOME.ledger(mask, changes + (_STAMP if source_us is None and stamp is not None else ()))

    return {29: _pressure(29), 137: _pressure(137), 231: _wind, 242: home}
