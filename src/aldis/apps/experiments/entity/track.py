"""A track: everything said of one vehicle or contact, in groups that are released apart.

Each group is a portion of the record kind `track`. Units and frames stand in the names; what nobody said is None,
never a zero. Positions are WGS-84; bearings are degrees true, clockwise; `at` is in ms since 1970 UTC, so that the
transforms of a release find it; every other time is in microseconds since 1970 UTC and stands in `Timing` alone,
so that a time made coarse is not given away beside it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

__all__ = [
    "GROUPS",
    "Hop",
    "Identity",
    "Mapped",
    "Markings",
    "Motion",
    "Original",
    "Position",
    "Remainder",
    "Residue",
    "Sensor",
    "Status",
    "Timing",
    "Track",
    "Type",
    "Voyage",
]

_Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
_Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, gc=False):
    """Closed: an unknown field in what a partner sent is refused. None holds itself: none is looked at as garbage."""


class Original(_Group, frozen=True, kw_only=True):
    """The coordinates as the source wrote them.

    `geodetic`: latitude and longitude in degrees, height above the ellipsoid in m. `ecef`: X, Y, Z in m (WGS-84,
    earth-centred, earth-fixed). `msl`: latitude, longitude, height above mean sea level. `home`: as `msl`, but above
    where the vehicle was launched. A source without a height gives two values.
    """

    frame: Literal["geodetic", "ecef", "msl", "home"]
    datum: str
    values: tuple[float, ...]


class Position(_Group, frozen=True, kw_only=True):
    """Where it is; `accurate` means within 10 m (AIS), `suspect` a jump that nothing makes.

    `height_m` is above the ellipsoid, `above_home_m` above where the vehicle was launched, `depth_m` below the surface
    of the water. `accuracy_m` and `height_accuracy_m` are one standard deviation. A position coarsened on its way out
    is the centre of a cell of `grid_m` metres.
    """

    lat_deg: _Latitude
    lon_deg: _Longitude
    at: int | None = None
    height_m: float | None = None
    above_home_m: float | None = None
    depth_m: float | None = None
    accuracy_m: float | None = None
    height_accuracy_m: float | None = None
    accurate: bool | None = None
    suspect: bool | None = None
    grid_m: int | None = None
    original: Original | None = None


class Motion(_Group, frozen=True, kw_only=True):
    """How it moves. Speed and course are over ground; `climb_mps` is up; `heading_deg` is where the bow points.

    `attitude` is the unit quaternion (w, x, y, z) that turns vectors from the body frame (x forward, y right, z down)
    into north-east-down at its position; `rates_rad_s` are about the body's x, y, z; `acceleration_mps2` is north,
    east, down. `turn_deg_per_min` is positive to starboard; `turning` says which way where no rate is known.
    `water_speed_mps` is through the water or the air. `frame` is that in which the source gave its velocity.
    """

    at: int | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    climb_mps: float | None = None
    heading_deg: float | None = None
    turn_deg_per_min: float | None = None
    turning: Literal["port", "starboard"] | None = None
    water_speed_mps: float | None = None
    acceleration_mps2: tuple[float, float, float] | None = None
    attitude: tuple[float, float, float, float] | None = None
    rates_rad_s: tuple[float, float, float] | None = None
    speed_accuracy_mps: float | None = None
    dead_reckoning: int | None = None
    frame: Literal["course", "ned", "ecef", "body"] | None = None


class Identity(_Group, frozen=True, kw_only=True):
    """Who it is, by each scheme at once; flat, so that each name can be made a pseudonym, which is text.

    `dis_id` is site:application:entity (IEEE 1278.1-2012, 6.2.28), `mavlink_id` system/component, `cot_uid` the uid of
    its events. `other_names` were heard under the same number before. `contact` is the network address at which it
    answers, `role` what it does in its `team`.
    """

    at: int | None = None
    mmsi: int | str | None = None
    imo: int | str | None = None
    name: str | None = None
    callsign: str | None = None
    dis_id: str | None = None
    mavlink_id: str | None = None
    cot_uid: str | None = None
    umaa_id: str | None = None
    native_id: str | None = None
    team: str | None = None
    role: str | None = None
    contact: str | None = None
    phone: str | None = None
    email: str | None = None
    other_names: list[str] | None = None


class Mapped(_Group, frozen=True, kw_only=True):
    """A code that nobody said, but that follows from one said, with the probability that it is right (0 to 1)."""

    scheme: str
    code: str
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Type(_Group, frozen=True, kw_only=True):
    """What it is. Each scheme's code as it was said; `mapped` are those that follow.

    `siso` is the seven numbers of SISO-REF-010 joined by dots, `cot` a CoT type, `ship_type` of AIS (ITU-R M.1371-5,
    table 53), `aid_type` of its aids to navigation (table 74), `mav_type` of MAV_TYPE, `sidc` of MIL-STD-2525 or APP-6
    (15 letters or 20 to 30 digits).
    `affiliation` is the source's word and relative to it. `bow_m` and `starboard_m` are the distances from there to
    the reported position.
    """

    nature: Literal["vehicle", "contact"] | None = None
    siso: str | None = None
    alternative_siso: str | None = None
    cot: str | None = None
    ship_type: int | None = None
    ship_type_text: str | None = None
    mav_type: int | None = None
    mav_autopilot: int | None = None
    sidc: str | None = None
    umaa: str | None = None
    station: (
        Literal[
            "class A", "class B", "base station", "aid to navigation", "aircraft", "AIS-SART", "man overboard", "EPIRB"
        ]
        | None
    ) = None
    aid_type: int | None = None
    affiliation: (
        Literal["pending", "unknown", "assumed friend", "friend", "neutral", "suspect", "hostile", "other"] | None
    ) = None
    mapped: list[Mapped] | None = None
    length_m: float | None = None
    beam_m: float | None = None
    bow_m: float | None = None
    starboard_m: float | None = None


class Status(_Group, frozen=True, kw_only=True):
    """What state it is in. `mode` and `readiness` are the source's words; `appearance` and `capabilities` DIS bits.

    `special_manoeuvre` is that of inland waters (AIS).
    """

    at: int | None = None
    nav_status: str | None = None
    special_manoeuvre: bool | None = None
    mode: str | None = None
    mode_code: int | None = None
    armed: bool | None = None
    state: str | None = None
    landed: Literal["on ground", "in air", "taking off", "landing"] | None = None
    health: str | None = None
    readiness: bool | None = None
    battery_percent: float | None = None
    battery_v: float | None = None
    battery_a: float | None = None
    link_percent: float | None = None
    appearance: int | None = None
    capabilities: int | None = None
    remarks: str | None = None


class Voyage(_Group, frozen=True, kw_only=True):
    """Where it is bound; `eta` is `MM-DDThh:mm` or `MM-DD` in UTC: AIS sends no year."""

    at: int | None = None
    destination: str | None = None
    eta: str | None = None
    draught_m: float | None = None


class Hop(_Group, frozen=True, kw_only=True):
    """One step of a source chain: the node or system that passed it on, in which protocol, and when it got it."""

    by: str
    protocol: str
    received_us: int


class Sensor(_Group, frozen=True, kw_only=True):
    """Who sensed it, how well, and by whom it came here.

    `country` is the maritime identification digits (ITU-R M.585) of the network that heard it; `own` marks what the
    receiving station sent itself; `how` is CoT's; azimuths are degrees true, fields of view degrees. `fix` and
    `altitude_fix` say what the place and the height come from; `device`, `platform`, `os` and `software` what runs at
    the source. `doubts` are in words what speaks against its being one thing that says the truth; they name no other
    track.
    """

    protocol: str
    received_ms: int
    station: str | None = None
    stations: list[str] | None = None
    country: int | None = None
    region: int | None = None
    channel: str | None = None
    reports: int | None = None
    own: bool | None = None
    how: str | None = None
    modality: str | None = None
    fix: str | None = None
    altitude_fix: str | None = None
    device: str | None = None
    platform: str | None = None
    os: str | None = None
    software: str | None = None
    satellites: int | None = None
    hdop: float | None = None
    vdop: float | None = None
    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    fov_deg: float | None = None
    vertical_fov_deg: float | None = None
    range_m: float | None = None
    chain: list[Hop] | None = None
    doubts: list[str] | None = None


class Timing(_Group, frozen=True, kw_only=True):
    """The three stamps, each with its standard uncertainty: at the source, on receipt here, and in the simulation.

    `start_us` and `stale_us` bound the time for which the source holds it true; `clock` says what its clock counts
    from; `offset_us` is what was added to its stamps to come to UTC.
    """

    source_us: int | None = None
    source_uncertainty_us: int | None = None
    received_us: int | None = None
    received_uncertainty_us: int | None = None
    simulation_us: int | None = None
    simulation_uncertainty_us: int | None = None
    start_us: int | None = None
    stale_us: int | None = None
    clock: Literal["utc", "hour", "boot", "second"] | None = None
    offset_us: int | None = None


class Markings(_Group, frozen=True, kw_only=True):
    """What a foreign system wrote about who may have it and how to handle it, in its own words; it is no label here."""

    access: str | None = None
    caveat: str | None = None
    releasable_to: str | None = None
    qos: str | None = None
    opex: str | None = None


class Remainder(_Group, frozen=True, kw_only=True):
    """Bytes that nothing here understands, in base64, kept as they came; `field` is their place in the protocol."""

    protocol: str
    field: str
    data: str


class Residue(_Group, frozen=True, kw_only=True):
    """Whatever was not decoded; it goes under the most restrictive label of its track."""

    parts: list[Remainder]


class Track(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One report of a vehicle or contact, or all that is known of it; groups that nobody spoke of are None.

    `key` is the id that its source gives it, with its scheme: `mmsi:230123456`, `dis:1:2:3`, `mavlink:1/1`, `cot:UID`.
    """

    key: str
    position: Position | None = None
    motion: Motion | None = None
    identity: Identity | None = None
    type: Type | None = None
    status: Status | None = None
    voyage: Voyage | None = None
    sensor: Sensor | None = None
    timing: Timing | None = None
    markings: Markings | None = None
    residue: Residue | None = None


GROUPS: dict[str, type[_Group]] = {
    "position": Position,
    "motion": Motion,
    "identity": Identity,
    "type": Type,
    "status": Status,
    "voyage": Voyage,
    "sensor": Sensor,
    "timing": Timing,
    "markings": Markings,
    "residue": Residue,
}
"""The portions of the kind `track` and their types, in the order in which they are shown."""
