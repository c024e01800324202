"""What becomes of each field of an AIS message in the model; ledgers are made once for each shape of message."""

from __future__ import annotations

from functools import lru_cache

from aldis.apps.experiments.entity import Carried, Dropped, Ledger, Reason
from aldis.apps.experiments.gateways.nmea.layouts import LAYOUTS

__all__ = ["told"]

_TARGETS = {
    "mmsi": "identity.mmsi",
    "imo": "identity.imo",
    "name": "identity.name",
    "name_extension": "identity.name",
    "callsign": "identity.callsign",
    "status": "status.nav_status",
    "manoeuvre": "status.special_manoeuvre",
    "turn": "motion.turn_deg_per_min",
    "speed": "motion.speed_mps",
    "course": "motion.course_deg",
    "heading": "motion.heading_deg",
    "accuracy": "position.accurate",
    "lon": "position.lon_deg",
    "lat": "position.lat_deg",
    "altitude": "position.original",
    "second": "timing.source_us",
    "minute": "timing.source_us",
    "hour": "timing.source_us",
    "day": "timing.source_us",
    "month": "timing.source_us",
    "year": "timing.source_us",
    "epfd": "sensor.modality",
    "ship_type": "type.ship_type",
    "aid_type": "type.aid_type",
    "to_bow": "type.bow_m",
    "to_stern": "type.length_m",
    "to_port": "type.beam_m",
    "to_starboard": "type.starboard_m",
    "draught": "voyage.draught_m",
    "destination": "voyage.destination",
    "off_position": "status.state",
    "virtual": "status.mode",
    "text": "report.text",
    "destination_mmsi": "report.to",
}
_OWN: dict[str, dict[str, str]] = {
    "static": dict.fromkeys(("month", "day", "hour", "minute"), "voyage.eta"),
    "text": {"mmsi": "report.author"},
    "addressed text": {"mmsi": "report.author"},
    "weather": {
        "mmsi": "environment.key",
        **dict.fromkeys(("lon", "lat"), "environment.position"),
        "accuracy": "environment.position",
        **dict.fromkeys(("day", "hour", "minute"), "environment.at"),
        "wind_speed": "environment.wind_mps",
        "gust": "environment.gust_mps",
        "wind_from": "environment.wind_from_deg",
        "air_temperature": "environment.air_temperature_c",
        "humidity": "environment.humidity_percent",
        "pressure": "environment.pressure_hpa",
        "visibility": "environment.visibility_m",
        "current_speed": "environment.current_mps",
        "current_to": "environment.current_to_deg",
        "wave_height": "environment.wave_height_m",
        "wave_period": "environment.wave_period_s",
        "water_temperature": "environment.water_temperature_c",
        "salinity": "environment.salinity_psu",
    },
}
_DROPS: dict[str, Reason] = dict.fromkeys(
    ("type", "repeat", "radio", "part", "sequence", "retransmit", "dac", "function"), "made anew"
)


@lru_cache(maxsize=4096)
def told(layout: str, unknown: tuple[str, ...] = ()) -> Ledger:
    """The ledger of a message whose fields `unknown` say that nothing is known.

    `field>group.field` in `unknown` says that the value went there instead, `field!detail` that it has no code here.
    """
    own = _OWN.get(layout, {})
    moved = dict(item.split(">", 1) for item in unknown if ">" in item)
    odd = dict(item.split("!", 1) for item in unknown if "!" in item)
    entries: list[Carried | Dropped] = []
    names = [name for name, *_ in LAYOUTS[layout].fields]
    for name in (*names, *filter(None, [LAYOUTS[layout].tail])):
        native, target = f"ais.{name}", own.get(name) or _TARGETS.get(name)
        if name in unknown:
            entries.append(Dropped(native, "unknown value"))
        elif name in odd:
            entries.append(Dropped(native, "no code", odd[name]))
        elif name in moved:
            entries.append(Carried(native, moved[name]))
        elif target:
            entries.append(Carried(native, target))
        else:
            entries.append(Dropped(native, _DROPS.get(name, "no field")))
    return Ledger(tuple(entries))
