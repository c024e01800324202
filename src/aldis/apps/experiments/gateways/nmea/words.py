"""The fields of sentences that are not AIS, and what becomes of each in the model (IEC 61162-1, 7.3)."""

from __future__ import annotations

from functools import lru_cache

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Ledger, Reason
from aldis.apps.experiments.entity.losses import Entry

__all__ = ["FIELDS", "account", "named"]

_NO: Reason = "no field"
_ANEW: Reason = "made anew"
_SPEC = {
    "GGA": "time=timing.source_us lat=position.lat_deg ns=position.lat_deg lon=position.lon_deg ew=position.lon_deg "
    "quality=sensor.fix satellites=sensor.satellites hdop=sensor.hdop altitude=position.original "
    "altitude_unit=position.original separation=position.height_m separation_unit=position.height_m age station",
    "RMC": "time=timing.source_us status=position lat=position.lat_deg ns=position.lat_deg lon=position.lon_deg "
    "ew=position.lon_deg speed=motion.speed_mps course=motion.course_deg date=timing.source_us variation "
    "variation_ew mode nav_status",
    "GLL": "lat=position.lat_deg ns=position.lat_deg lon=position.lon_deg ew=position.lon_deg time=timing.source_us "
    "status=position mode",
    "VTG": "course=motion.course_deg course_t=motion.course_deg course_magnetic course_m speed=motion.speed_mps "
    "speed_n=motion.speed_mps speed_kmh=motion.speed_mps speed_k=motion.speed_mps mode",
    "HDT": "heading=motion.heading_deg heading_t=motion.heading_deg",
    "HDG": "heading deviation deviation_ew variation variation_ew",
    "ROT": "rate=motion.turn_deg_per_min status=motion.turn_deg_per_min",
    "ZDA": "time=timing.source_us day=timing.source_us month=timing.source_us year=timing.source_us zone_hours "
    "zone_minutes",
    "VHW": "heading=motion.heading_deg heading_t=motion.heading_deg heading_magnetic heading_m "
    "speed=motion.water_speed_mps speed_n=motion.water_speed_mps speed_kmh=motion.water_speed_mps "
    "speed_k=motion.water_speed_mps",
    "MWV": "angle reference speed=environment.wind_mps unit=environment.wind_mps status=environment.wind_mps",
    "MWD": "direction=environment.wind_from_deg direction_t=environment.wind_from_deg direction_magnetic direction_m "
    "speed_kn=environment.wind_mps speed_n=environment.wind_mps speed=environment.wind_mps "
    "speed_m=environment.wind_mps",
    "MTW": "temperature=environment.water_temperature_c unit=environment.water_temperature_c",
    "DPT": "depth=environment.water_depth_m offset range",
    "DBT": "feet feet_f metres=environment.water_depth_m metres_m=environment.water_depth_m fathoms fathoms_f",
    "TTM": "number=identity.native_id distance=sensor.range_m bearing=sensor.azimuth_deg "
    "bearing_t=sensor.azimuth_deg speed=motion.speed_mps course=motion.course_deg course_t=motion.course_deg cpa tcpa "
    "unit=sensor.range_m name=identity.name status=status.state reference time=timing.source_us acquisition",
    "TLL": "number=identity.native_id lat=position.lat_deg ns=position.lat_deg lon=position.lon_deg "
    "ew=position.lon_deg name=identity.name time=timing.source_us status=status.state reference",
    "TXT": "total number identifier text=report.text",
    "WPL": "lat=area.points ns=area.points lon=area.points ew=area.points name=area.name",
}  # fmt: skip
FIELDS = {kind: tuple(item.partition("=")[0] for item in spec.split()) for kind, spec in _SPEC.items()}
"""Names of the fields of each sentence, in their order."""
_TARGETS = {
    f"{kind}.{name}": target
    for kind, spec in _SPEC.items()
    for name, _, target in (item.partition("=") for item in spec.split())
}
_REASONS: dict[str, Reason] = {
    "TXT.total": _ANEW,
    "TXT.number": _ANEW,
    "TXT.identifier": _NO,
    "RMC.mode": _ANEW,
    "GLL.mode": _ANEW,
    "VTG.mode": _ANEW,
    "RMC.status": _ANEW,
    "GLL.status": _ANEW,
}


def named(words: list[str]) -> dict[str, str]:
    """The fields that say something, by name; the address goes first in `words`."""
    kind = words[0][-3:]
    if kind == "XDR":
        groups = zip(words[1::4], words[2::4], words[3::4], words[4::4], strict=False)
        return {f"XDR.{name}": value for _, value, _, name in groups if value and name}
    return {f"{kind}.{name}": value for name, value in zip(FIELDS.get(kind, ()), words[1:], strict=False) if value}


@lru_cache(maxsize=4096)
def account(present: tuple[str, ...], odd: tuple[Entry, ...] = ()) -> Ledger:
    """The ledger of a sentence in which the fields `present` say something; `odd` goes before what is usual."""
    special = {entry.field: entry for entry in odd}
    entries: list[Carried | Approximated | Dropped] = []
    for name in present:
        if name in special:
            entries.append(special[name])
        elif name in _REASONS or not _TARGETS.get(name):
            entries.append(Dropped(name, _REASONS.get(name, _NO)))
        else:
            entries.append(Carried(name, _TARGETS[name]))
    return Ledger(tuple(entries))
