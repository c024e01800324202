"""The record kind of a vessel's track: four portions, so that who it is and who heard it can be withheld apart.

Positions are WGS-84, bearings true, times in milliseconds since 1970 UTC; what is unknown is absent.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from aldis.kernel.records import Kind

__all__ = ["TRACK", "TRACK_PORTIONS"]

_Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
_Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where it is and how it moves; `accurate` means within 10 m, `suspect` a jump that no vessel makes.

    A position coarsened on its way out is the centre of a cell of `grid_m` metres.
    """

    lat_deg: _Latitude
    lon_deg: _Longitude
    at: int | None = None
    accurate: bool | None = None
    suspect: bool | None = None
    grid_m: int | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    heading_deg: float | None = None
    turn_deg_per_min: float | None = None
    nav_status: str | None = None


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What it is; `other_names` were heard under the same MMSI before. A pseudonym stands as text in any field."""

    at: int | None = None
    mmsi: int | str | None = None
    kind: str | None = None
    name: str | None = None
    other_names: list[str] | None = None
    callsign: str | None = None
    imo: int | str | None = None
    ship_type: int | str | None = None
    ship_type_text: str | None = None
    length_m: float | None = None
    beam_m: float | None = None
    bow_m: float | None = None
    starboard_m: float | None = None


class Voyage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where it is bound; AIS sends no year with `eta`."""

    at: int | None = None
    destination: str | None = None
    eta: str | None = None
    draught_m: float | None = None


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who heard it, over which protocol and channel."""

    protocol: str
    received_ms: int
    station: str | None = None
    stations: list[str] | None = None
    country: int | None = None
    region: int | None = None
    channel: str | None = None
    reports: int | None = None
    own: bool | None = None


TRACK_PORTIONS = {"position": Position, "identity": Identity, "voyage": Voyage, "sensor": Sensor}
TRACK = Kind("track", TRACK_PORTIONS, text=("identity", "voyage"), title="identity")
