"""One entity of each kind with every field known and told apart: what formats for the whole model are measured with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from aldis.apps.experiments.entity import (
    Area,
    Entity,
    Environment,
    Hop,
    Identity,
    Mapped,
    Markings,
    Motion,
    Original,
    Point,
    Position,
    Remainder,
    Report,
    Residue,
    Sensor,
    Status,
    Task,
    Timing,
    Track,
    Type,
    Voyage,
)
from aldis.apps.experiments.entity.geodesy import quaternion_of
from aldis.apps.experiments.gateways.gateway import Gateway, Specimen
from aldis.apps.experiments.gateways.layout import kind_of

__all__ = ["EXEMPLARS", "specimens"]

_AT = 1_790_000_000_123
_US = 1_790_000_000_123_456
_POSITION = Position(
    lat_deg=-33.8567844,
    lon_deg=151.2152967,
    at=_AT,
    height_m=22.5,
    above_home_m=1.5,
    accuracy_m=4.5,
    height_accuracy_m=6.75,
    accurate=True,
    suspect=False,
    grid_m=100,
    original=Original(frame="msl", datum="WGS-84", values=(-33.8567844, 151.2152967, 0.25)),
)
_TIMING = Timing(
    source_us=_US,
    source_uncertainty_us=1500,
    received_us=_US + 250_000,
    received_uncertainty_us=90,
    simulation_us=_US - 3_600_000_000,
    simulation_uncertainty_us=17,
    start_us=_US - 1_000_000,
    stale_us=_US + 60_000_000,
    clock="utc",
    offset_us=-2_000_000,
)
_RESIDUE = Residue(parts=[Remainder(protocol="dis", field="padding", data="AAEC")])
_MARKINGS = Markings(access="Restricted", caveat="FOUO", releasable_to="FVEY", qos="1-r-c", opex="e-exercise")
_OUTLINE = [
    Point(lat_deg=54.1, lon_deg=7.2),
    Point(lat_deg=54.1, lon_deg=7.9, height_m=12.5),
    Point(lat_deg=54.6, lon_deg=7.8, height_m=14.0, depth_m=30.25),
]

_TRACK = Track(
    key="mmsi:230123456",
    position=_POSITION,
    motion=Motion(
        at=_AT + 5,
        speed_mps=7.25,
        course_deg=211.5,
        climb_mps=-0.5,
        heading_deg=214.75,
        turn_deg_per_min=12.5,
        water_speed_mps=6.5,
        acceleration_mps2=(0.25, -0.125, 0.0625),
        attitude=quaternion_of(math.radians(4.5), math.radians(-2.25), math.radians(214.75)),
        rates_rad_s=(0.01, -0.02, 0.03),
        speed_accuracy_mps=0.375,
        dead_reckoning=4,
        frame="course",
    ),
    identity=Identity(
        at=_AT + 10,
        mmsi=230123456,
        imo=9_074_729,
        name="SUOMENLINNA II",
        callsign="OJ1234",
        dis_id="17:4:260",
        mavlink_id="42/1",
        cot_uid="ALDIS-7f3a",
        umaa_id="0b0c3a5e-7b0e-4f8e-9d5f-0c3f2b6c1a11",
        native_id="T-0815",
        team="Cyan",
        role="Team Lead",
        phone="+35844321",
        email="ops@example.org",
        contact="+35812345",
        other_names=["SUOMENLINNA", "=SUM(A1)"],
    ),
    type=Type(
        nature="vehicle",
        siso="1.3.225.61.3.7.2",
        alternative_siso="1.3.225.61.0.0.0",
        cot="a-f-S-X-M",
        ship_type=60,
        ship_type_text="passenger ship",
        aid_type=17,
        mav_type=11,
        mav_autopilot=3,
        sidc="SFSPXM---------",
        umaa="SURFACE",
        station="class A",
        affiliation="friend",
        mapped=[Mapped(scheme="cot", code="a-f-S-X-M", confidence=0.75)],
        length_m=33.8,
        beam_m=8.25,
        bow_m=11.5,
        starboard_m=4.125,
    ),
    status=Status(
        at=_AT + 15,
        nav_status="under way using engine",
        special_manoeuvre=False,
        landed="in air",
        mode="AUTO",
        mode_code=10,
        armed=True,
        state="active",
        health="sound",
        readiness=True,
        battery_percent=81.5,
        battery_v=24.75,
        battery_a=11.25,
        link_percent=93.0,
        appearance=2_097_152,
        capabilities=5,
        remarks="-40 % of fuel",
    ),
    voyage=Voyage(at=_AT + 20, destination="HELSINKI", eta="09-21T14:30", draught_m=2.75),
    sensor=Sensor(
        protocol="ais",
        received_ms=_AT + 250,
        station="r:FI01",
        stations=["r:FI01", "r:FI02"],
        country=230,
        region=3,
        channel="A",
        reports=2,
        own=True,
        how="m-g",
        modality="ais",
        fix="3d",
        altitude_fix="DTED0",
        device="Tablet",
        platform="ATAK-CIV",
        os="34",
        software="5.1.0",
        doubts=["a clock that is wrong"],
        satellites=11,
        hdop=0.9,
        vdop=1.4,
        azimuth_deg=45.5,
        elevation_deg=-3.25,
        fov_deg=60.5,
        vertical_fov_deg=34.5,
        range_m=1250.5,
        chain=[Hop(by="fin-low", protocol="ais", received_us=_US + 240_000)],
    ),
    timing=_TIMING,
    markings=_MARKINGS,
    residue=_RESIDUE,
)

_DIVER = Track(
    key="dis:17:4:261",
    position=Position(lat_deg=54.25, lon_deg=7.5, at=_AT, depth_m=3.25, accuracy_m=12.5),
    motion=Motion(at=_AT, speed_mps=1.25, course_deg=75.5, turning="starboard"),
    identity=Identity(at=_AT, dis_id="17:4:261", name="GLIDER 3"),
    sensor=Sensor(protocol="dis", received_ms=_AT + 300),
    timing=Timing(source_us=_US, received_us=_US + 300_000),
)
"""What is known in place of other things: a depth, not a height, and which way it turns, not how fast."""

_AREA = Area(
    key="area:box-7",
    timing=_TIMING,
    markings=_MARKINGS,
    residue=_RESIDUE,
    shape="polygon",
    points=_OUTLINE,
    floor_m=-20.5,
    ceiling_m=300.25,
    name="Box 7",
    purpose="search",
    cot="u-d-f",
)
_CIRCLE = Area(key="area:circle-3", timing=_TIMING, shape="circle", points=_OUTLINE[2:], radius_m=926.5, name="Datum")
_LINE = Area(key="area:line-1", timing=_TIMING, shape="line", points=_OUTLINE, name="Cable")

_TASK = Task(
    key="task:88",
    timing=_TIMING,
    markings=_MARKINGS,
    residue=_RESIDUE,
    verb="survey",
    assignee="mavlink:42/1",
    issued_by="cot:ALDIS-7f3a",
    request="88",
    points=_OUTLINE,
    radius_m=50.5,
    speed_mps=2.25,
    spacing_m=35.5,
    until_us=_US + 3_600_000_000,
    state="executing",
    progress_percent=37.5,
    reason="wind",
    remarks="@home by dusk",
)

_REPORT = Report(
    key="report:5",
    timing=_TIMING,
    markings=_MARKINGS,
    residue=_RESIDUE,
    text='Raft sighted, "two" persons\r\nHeading north',
    author="cot:ALDIS-7f3a",
    cot="b-t-f",
    to=["cot:ALL", "cot:BRAVO"],
    about="mmsi:230123456",
    severity="notice",
    position=_POSITION,
)

_ENVIRONMENT = Environment(
    key="environment:buoy-4",
    timing=_TIMING,
    markings=_MARKINGS,
    residue=_RESIDUE,
    position=_POSITION,
    at=_AT + 30,
    wind_from_deg=225.5,
    wind_mps=9.5,
    gust_mps=13.25,
    current_to_deg=75.5,
    current_mps=0.625,
    air_temperature_c=-2.5,
    water_temperature_c=4.75,
    pressure_hpa=1013.25,
    humidity_percent=87.5,
    wave_height_m=1.75,
    wave_period_s=6.5,
    visibility_m=8000.0,
    water_depth_m=42.5,
    salinity_psu=7.125,
    water_speed_mps=0.875,
)

EXEMPLARS: Sequence[Entity] = (_TRACK, _DIVER, _AREA, _CIRCLE, _LINE, _TASK, _REPORT, _ENVIRONMENT)
"""Together they have every field of the model."""


def specimens(open_: Callable[[], Gateway]) -> Sequence[Specimen]:
    """The exemplars, as a format for the whole model writes them."""
    return [Specimen(f"{kind_of(one)} {one.key}", open_().encode(one, _US).messages) for one in EXEMPLARS]
