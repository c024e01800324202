"""What is not a track: areas, tasks, reports, and what the surroundings are like.

Units, frames and times as in `track`: WGS-84, degrees true, metres, `at` in ms and `_us` in microseconds since 1970.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from aldis.apps.experiments.entity.track import Markings, Position, Residue, Timing

__all__ = ["Area", "Environment", "Point", "Report", "Task"]


class _Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, gc=False):
    key: str
    timing: Timing | None = None
    markings: Markings | None = None
    residue: Residue | None = None


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, gc=False):
    """A place; `height_m` above the ellipsoid, `depth_m` below the surface of the water."""

    lat_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    height_m: float | None = None
    depth_m: float | None = None


class Area(_Thing, frozen=True, kw_only=True):
    """A place, line or area; a `polygon` closes itself, a `circle` has one point and `radius_m`.

    `floor_m` and `ceiling_m` are heights above the ellipsoid.
    """

    shape: Literal["point", "line", "polygon", "circle"]
    points: list[Point]
    radius_m: float | None = None
    floor_m: float | None = None
    ceiling_m: float | None = None
    name: str | None = None
    purpose: str | None = None
    cot: str | None = None


class Task(_Thing, frozen=True, kw_only=True):
    """What one party asks another's system to do, or how far it is with it.

    `issued_by` and `assignee` are the keys of who asks and whose system is to do it. `request` is the id by which an
    acknowledgement is matched; `points` is the place to go to, the way, or the outline of the area.
    """

    verb: Literal["go to", "survey", "search", "patrol", "hold", "come home"]
    assignee: str
    issued_by: str | None = None
    request: str | None = None
    points: list[Point] | None = None
    radius_m: float | None = None
    speed_mps: float | None = None
    spacing_m: float | None = None
    until_us: int | None = None
    state: Literal["issued", "accepted", "executing", "completed", "failed", "cancelled"] | None = None
    progress_percent: float | None = None
    reason: str | None = None
    remarks: str | None = None


class Report(_Thing, frozen=True, kw_only=True):
    """Words of a person or a system; `about` is the key of what they are about, `to` whom they are for.

    `cot` is the CoT type of the event that said it.
    """

    text: str
    author: str | None = None
    to: list[str] | None = None
    about: str | None = None
    severity: Literal["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"] | None = None
    position: Position | None = None
    cot: str | None = None


class Environment(_Thing, frozen=True, kw_only=True):
    """What it is like at a place. Winds come from, currents and waves go to, their bearing; `_c` is degrees Celsius."""

    position: Position | None = None
    at: int | None = None
    wind_from_deg: float | None = None
    wind_mps: float | None = None
    gust_mps: float | None = None
    current_to_deg: float | None = None
    current_mps: float | None = None
    air_temperature_c: float | None = None
    water_temperature_c: float | None = None
    pressure_hpa: float | None = None
    humidity_percent: float | None = None
    wave_height_m: float | None = None
    wave_period_s: float | None = None
    visibility_m: float | None = None
    water_depth_m: float | None = None
    salinity_psu: float | None = None
    water_speed_mps: float | None = None
