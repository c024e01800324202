"""MAVLink to the model and back: what changes has an entry, what is unknown stays so, what is promised is kept."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.entity import (
    GROUPS,
    Approximated,
    Area,
    Carried,
    Decoded,
    Dropped,
    Encoded,
    Entity,
    Environment,
    Identity,
    Ledger,
    Mapped,
    Motion,
    Original,
    Point,
    Position,
    Report,
    Sensor,
    Status,
    Task,
    Timing,
    Track,
    Type,
)  # fmt: skip
from aldis.apps.experiments.entity.geodesy import ecef_of, quaternion_of
from aldis.apps.experiments.gateways.exemplars import EXEMPLARS
from aldis.apps.experiments.gateways.gateway import Specimen
from aldis.apps.experiments.gateways.mavlink import OFFERED, MavlinkGateway
from aldis.apps.experiments.gateways.mavlink.frames import Parser
from aldis.apps.experiments.gateways.mavlink.messages import BY_ID
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox

AT = 1_700_000_000_000_000
BOAT = (7, 1)


def frame(name: str, source: tuple[int, int] = BOAT, **values: Any) -> bytes:
    return Outbox().frame(name, source, AT, **values)


def read(*messages: bytes, gateway: MavlinkGateway | None = None) -> list[Decoded]:
    gateway = gateway or MavlinkGateway()
    found = [decoded for message in messages for decoded in gateway.feed(message, AT)]
    tally = gateway.tally
    assert tally.seen == tally.carried + tally.dropped.total() + tally.waiting
    return found


def track(*messages: bytes) -> Track:
    entity = fused(read(*messages))[0]
    assert isinstance(entity, Track)
    return entity


def fused(found: list[Decoded]) -> list[Entity]:
    """What is known of each thing in the end, field by field."""
    things: dict[tuple[type, str], Any] = {}
    for decoded in found:
        entity: Any = decoded.entity
        known = things.get((type(entity), entity.key))
        things[type(entity), entity.key] = entity if known is None else _over(known, entity)
    return list(things.values())


def _over(old: Any, new: Any) -> Any:
    if not isinstance(old, Track | Environment) and type(old) not in GROUPS.values():
        return new
    values = {}
    for name in old.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        deep = name in GROUPS and before is not None and after is not None
        values[name] = _over(before, after) if deep else before if after is None else after
    return type(old)(**values)


def names(message: bytes) -> dict[str, Any]:
    return dict(OFFERED.fields([message]))


SPECIMENS = {specimen.name: specimen for specimen in OFFERED.specimens()}


@pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
def test_a_field_that_comes_back_otherwise_has_an_entry(specimen: Specimen) -> None:
    found = read(*specimen.messages)
    fates = {entry.field: entry for decoded in found for entry in decoded.ledger.entries}
    native = OFFERED.fields(specimen.messages)
    assert set(native) <= set(fates)
    other = MavlinkGateway()
    said = [other.encode(entity, AT) for entity in fused(found)]
    back = OFFERED.fields([message for encoded in said for message in encoded.messages])
    lost = {entry.field for encoded in said for entry in encoded.ledger.dropped}
    for name, value in native.items():
        fate = fates[name]
        if not isinstance(fate, Dropped) and fate.to not in lost:
            if isinstance(fate, Carried):
                assert back.get(name) == value, name
            else:
                assert float(back[name]) == pytest.approx(float(value), abs=2 * fate.error), name


@pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
def test_every_field_of_an_entity_is_named_once(specimen: Specimen) -> None:
    for entity in fused(read(*specimen.messages)):
        assert_named_once(entity, MavlinkGateway().encode(entity, AT))


@pytest.mark.parametrize("entity", EXEMPLARS, ids=[entity.key for entity in EXEMPLARS])
def test_every_field_of_the_whole_model_is_named_once(entity: Entity) -> None:
    assert_named_once(entity, MavlinkGateway().encode(entity, AT))


def paths(entity: Entity) -> set[str]:
    prefixed: list[tuple[str, Any]] = [(name, getattr(entity, name, None)) for name in GROUPS]
    if not isinstance(entity, Track):
        prefixed.append((type(entity).__name__.lower(), entity))
    return {
        f"{prefix}.{name}"
        for prefix, group in prefixed
        if group is not None
        for name in group.__struct_fields__
        if getattr(group, name) is not None and (prefix in GROUPS or name not in GROUPS)
    }


def assert_named_once(entity: Entity, encoded: Encoded) -> None:
    named = [entry.field for entry in encoded.ledger.entries]
    assert len(named) == len(set(named))
    assert set(named) == paths(entity)


@pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
def test_specimens_have_values_that_tell(specimen: Specimen) -> None:
    assert all(OFFERED.familiar(message) for message in specimen.messages if "parameter" not in specimen.name)
    for message in specimen.messages:
        assert OFFERED.fields([message])


def test_together_the_specimens_have_every_message_that_maps() -> None:
    told = {name.split(".")[0].split(" ")[0] for s in SPECIMENS.values() for m in s.messages for name in names(m)}
    steps = {
        "MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_REQUEST_LIST", "MISSION_ACK", "MISSION_CLEAR_ALL",
        "MISSION_CURRENT", "MISSION_ITEM_REACHED", "COMMAND_ACK", "TIMESYNC", "SCALED_PRESSURE2",
        "SET_POSITION_TARGET_GLOBAL_INT",
    }  # fmt: skip
    opaque = {layout.name for layout in BY_ID.values() if layout.names == ("data",)}
    assert {layout.name for layout in BY_ID.values()} - opaque - steps == told - {"header"} - opaque


# What is unknown


def test_sentinels_and_no_fix_are_unknown() -> None:
    found = track(
        frame("SYS_STATUS"), frame("GPS_RAW_INT", fix_type=1), frame("GLOBAL_POSITION_INT"), frame("HEARTBEAT"),
        frame("ATTITUDE", roll=math.nan, pitch=0.1, yaw=0.2),
    )  # fmt: skip
    assert found.position is None
    assert found.status is not None
    assert found.motion is not None
    assert found.sensor is not None
    unknown = (
        found.status.battery_v, found.status.battery_a, found.status.battery_percent, found.status.mode,
        found.status.state, found.motion.heading_deg and None, found.motion.attitude, found.sensor.satellites,
        found.sensor.hdop, found.timing and found.timing.source_us,
    )  # fmt: skip
    assert unknown == (None,) * len(unknown)
    for decoded in read(frame("SYS_STATUS"), frame("GLOBAL_POSITION_INT")):
        assert "unknown value" in {entry.reason for entry in decoded.ledger.dropped}


def test_height_above_the_ellipsoid_is_the_gpss_or_the_geoids_or_unknown() -> None:
    gps = frame("GPS_RAW_INT", lat=600_000_000, lon=250_000_000, alt=10_000, alt_ellipsoid=27_500, fix_type=3)
    place = frame("GLOBAL_POSITION_INT", lat=600_000_000, lon=250_000_000, alt=12_000, relative_alt=2_000)
    for messages, gateway, height in (
        ((place,), MavlinkGateway(), None),
        ((gps, place), MavlinkGateway(), 29.5),
        ((place,), MavlinkGateway(undulation=lambda lat, lon: 16.0), 28.0),
    ):
        entity = read(*messages, gateway=gateway)[-1].entity
        assert isinstance(entity, Track)
        assert entity.position is not None
        assert entity.position.height_m == height
        assert entity.position.above_home_m == 2.0
        assert entity.position.original == Original(frame="msl", datum="WGS-84", values=(60.0, 25.0, 12.0))


def test_stamps_since_boot_are_joined_with_what_the_system_tells_of_utc() -> None:
    gateway = MavlinkGateway()
    place: dict[str, Any] = {"lat": 600_000_000, "lon": 250_000_000}
    (first,) = read(frame("GLOBAL_POSITION_INT", time_boot_ms=5_000, **place), gateway=gateway)
    assert isinstance(first.entity, Track)
    assert first.entity.timing == Timing(received_us=AT, clock="boot")
    utc_us = AT - 250_000
    read(frame("SYSTEM_TIME", time_unix_usec=utc_us, time_boot_ms=5_100), gateway=gateway)
    (second,) = read(frame("GLOBAL_POSITION_INT", time_boot_ms=5_200, **place), gateway=gateway)
    assert isinstance(second.entity, Track)
    assert second.entity.timing is not None
    assert second.entity.timing.source_us == utc_us + 100_000
    assert second.entity.timing.source_uncertainty_us == 1_000
    sent_us = AT - 600
    read(frame("TIMESYNC", tc1=5_300_000_000, ts1=sent_us * 1000), gateway=gateway)
    (third,) = read(frame("GLOBAL_POSITION_INT", time_boot_ms=5_300, **place), gateway=gateway)
    assert isinstance(third.entity, Track)
    assert third.entity.timing is not None
    assert (third.entity.timing.source_us, third.entity.timing.source_uncertainty_us) == (AT - 300, 300)
    (fourth,) = read(frame("GLOBAL_POSITION_INT", time_boot_ms=5_250, **place), gateway=gateway)  # out of order
    assert isinstance(fourth.entity, Track)
    assert fourth.entity.timing is not None
    assert fourth.entity.timing.source_us is not None


def test_a_system_that_starts_anew_is_not_given_its_old_clock() -> None:
    gateway = MavlinkGateway()
    place: dict[str, Any] = {"lat": 600_000_000, "lon": 250_000_000}
    read(frame("SYSTEM_TIME", time_unix_usec=AT, time_boot_ms=3_600_000), gateway=gateway)
    (found,) = read(frame("GLOBAL_POSITION_INT", time_boot_ms=900, **place), gateway=gateway)
    assert isinstance(found.entity, Track)
    assert found.entity.timing is not None
    assert found.entity.timing.source_us is None


def test_what_is_verified_but_has_no_place_is_kept_as_residue() -> None:
    found = track(frame("PARAM_VALUE", data=b"abc"))
    assert found.residue is not None
    assert found.residue.parts[0].field == "PARAM_VALUE.data"


# Accuracy

_LAT, _LON = st.floats(-90, 90), st.floats(-180, 180)


@given(_LAT, _LON, st.floats(-400, 9_000))
@example(0.00000005, 0.00000005, 0.0)
@example(-0.00000025, 179.99999985, 0.0)
@example(0.0, 1.0, -0.0003)
def test_a_position_comes_back_within_8_mm(lat: float, lon: float, height: float) -> None:
    where = Position(lat_deg=lat, lon_deg=lon, height_m=height)
    encoded = MavlinkGateway().encode(Track(key="dis:1:2:3", position=where), AT)
    bound = {entry.field: entry.error for entry in encoded.ledger.approximated}
    back = track(*encoded.messages).position
    assert back is not None
    assert back.height_m is not None
    error_m = math.dist(ecef_of(lat, lon, 0), ecef_of(back.lat_deg, back.lon_deg, 0))
    nowhere = round(lat * 1e7) == round(lon * 1e7) == 0  # what a vehicle without a fix sends
    assert error_m <= (0.018 if nowhere else 0.008)
    assert abs(back.lat_deg - lat) <= bound["position.lat_deg"] * (1 + 1e-6)
    assert abs(back.lon_deg - lon) <= bound["position.lon_deg"] * (1 + 1e-6)
    assert abs(back.height_m - height) <= bound["position.height_m"] * (1 + 1e-6)


def test_the_bound_in_the_ledger_is_below_8_mm_on_the_ground() -> None:
    encoded = MavlinkGateway().encode(Track(key="a", position=Position(lat_deg=0.0, lon_deg=10.0)), AT)
    errors = [entry for entry in encoded.ledger.approximated if entry.field.startswith("position.l")]
    assert [(entry.error, entry.unit) for entry in errors] == [(5e-8, "deg"), (5e-8, "deg")]
    worst_m = math.dist(ecef_of(0, 10, 0), ecef_of(5e-8, 10 + 5e-8, 0))
    assert 0.0078 < worst_m < 0.008


_AWAY_MS = st.one_of(st.none(), st.integers(-3, 3), st.integers(-5_000_000_000, 5_000_000_000))


@given(
    st.integers(0, 999_999),
    _AWAY_MS,
    _AWAY_MS,
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 0, 123_456, 123_456_789]),
)
@example(123_456, 0, 5, True, True, None)
@example(600, -1, -1, True, False, 999)
@example(0, 4_000_000, 1, True, True, None)
@example(0, -9_000, 5_000, True, True, 123_456_789)
def test_times_come_back_as_the_ledger_says(
    part_us: int, position_ms: int | None, motion_ms: int | None, turned: bool, told: bool, up_us: int | None
) -> None:
    source_us = AT + part_us
    clock = {} if up_us is None else {"clock": "boot", "offset_us": source_us - up_us}
    at, motion_at = (None if away is None else source_us // 1000 + away for away in (position_ms, motion_ms))
    attitude = quaternion_of(0.1, 0.2, 0.3) if turned else None
    sent = Track(
        key="a",
        position=Position(lat_deg=60.0, lon_deg=25.0, at=at),
        motion=Motion(at=motion_at, speed_mps=2.0, course_deg=90.0, attitude=attitude),
        timing=msgspec.convert({"source_us": source_us, **clock}, Timing) if told else None,
    )
    encoded = MavlinkGateway().encode(sent, AT)
    back, fates = track(*encoded.messages), {entry.field: entry for entry in encoded.ledger.entries}
    for path, unit in (("position.at", "ms"), ("motion.at", "ms"), ("timing.source_us", "us")):
        group, name = path.split(".")
        was: Any = getattr(getattr(sent, group), name, None)
        after: Any = getattr(getattr(back, group), name, None)
        fate = fates.get(path)
        if isinstance(fate, Carried):
            assert after == was, path
        elif isinstance(fate, Approximated):
            assert fate.unit == unit
            assert abs(after - was) <= fate.error, path
        else:
            assert (fate is None) == (was is None), path


def test_a_heading_that_the_attitude_contradicts_is_only_nearly_said() -> None:
    for heading, least in ((30.0, 0.005), (30.004, 0.005), (31.0, 1.0), (210.0, 180.0), (359.0, 31.0)):
        motion = Motion(heading_deg=heading, attitude=quaternion_of(0.0, 0.0, math.radians(30.0)))
        sent = Track(key="a", position=Position(lat_deg=60.0, lon_deg=25.0), motion=motion)
        encoded = MavlinkGateway().encode(sent, AT)
        (error,) = [entry.error for entry in encoded.ledger.approximated if entry.field == "motion.heading_deg"]
        assert least <= error <= max(0.005, 2 * least)
        back = track(*encoded.messages).motion
        assert back is not None
        assert back.heading_deg is not None
        assert abs(math.remainder(back.heading_deg - heading, 360)) <= error


@pytest.mark.parametrize("source_us", [-5, AT + 123_456, 1 << 63])
def test_surroundings_and_a_home_have_the_time_that_their_ledgers_say(source_us: int) -> None:
    timing = Timing(source_us=source_us, received_us=AT, simulation_us=5)
    weather = Environment(key="e", timing=timing, at=source_us // 1000, pressure_hpa=1000.0)
    home = Area(
        key="mavlink:7/1/home", shape="point", points=[Point(lat_deg=1, lon_deg=2)], purpose="home", timing=timing
    )
    for sent in (weather, home):
        encoded = MavlinkGateway().encode(sent, AT)
        assert_named_once(sent, encoded)
        said = {entry.field for entry in encoded.ledger.carried}
        back = [one.entity.timing for one in read(*encoded.messages)][-1]
        assert back is not None
        assert (back.source_us == source_us) == ("timing.source_us" in said) == (0 < source_us < 1 << 62)
    later = msgspec.structs.replace(weather, at=AT // 1000 + 5)
    assert "environment.at" in {entry.field for entry in MavlinkGateway().encode(later, AT).ledger.dropped}


def test_a_clock_is_not_said_without_the_time() -> None:
    timing = Timing(received_us=AT, clock="boot", offset_us=AT - 1_000_000)
    for sent in (Track(key="a", timing=timing), Environment(key="e", timing=timing, pressure_hpa=1000.0)):
        reasons = {entry.field: entry.reason for entry in MavlinkGateway().encode(sent, AT).ledger.dropped}
        assert (reasons["timing.clock"], reasons["timing.offset_us"]) == ("made anew", "made anew")


def test_a_depth_is_said_as_a_height_and_the_ledger_tells() -> None:
    encoded = MavlinkGateway().encode(Track(key="a", position=Position(lat_deg=1.0, lon_deg=2.0, depth_m=3.25)), AT)
    assert Dropped("position.depth_m", "no field", "said as a height below mean sea level") in encoded.ledger.entries
    back = track(*encoded.messages).position
    assert back is not None
    assert back.original is not None
    assert back.original.values == (1.0, 2.0, -3.25)


# From the model

_TEXT = st.text(max_size=70)
_NUMBER = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e308, -1e308, 327.68, 65.535, math.inf, math.nan]))
_WHOLE = st.integers(-(1 << 63), (1 << 63) - 1)


def groups() -> st.SearchStrategy[Track]:
    attitude = st.tuples(*[st.floats(-1, 1)] * 4)
    three = st.tuples(*[_NUMBER] * 3)
    optional = st.none
    return st.builds(
        Track,
        key=st.sampled_from(["dis:1:2:3", "mavlink:7/1", "cot:x"]),
        position=optional()
        | st.builds(
            Position, lat_deg=_LAT, lon_deg=_LON, at=optional() | _WHOLE, height_m=optional() | _NUMBER,
            above_home_m=optional() | _NUMBER, depth_m=optional() | _NUMBER, accuracy_m=optional() | _NUMBER,
        ),
        motion=optional()
        | st.builds(
            Motion, at=optional() | _WHOLE, speed_mps=optional() | _NUMBER, course_deg=optional() | st.floats(0, 360),
            climb_mps=optional() | _NUMBER, heading_deg=optional() | st.floats(0, 360), attitude=optional() | attitude,
            rates_rad_s=optional() | three, water_speed_mps=optional() | _NUMBER,
            turn_deg_per_min=optional() | _NUMBER, speed_accuracy_mps=optional() | _NUMBER,
        ),
        identity=optional()
        | st.builds(
            Identity, mmsi=optional() | st.integers(0, 1 << 40) | _TEXT, name=optional() | _TEXT,
            callsign=optional() | _TEXT,
            native_id=optional() | st.sampled_from(["icao:4ca123", "uid:zz", "uid:" + "0" * 16]),
            mavlink_id=optional() | st.sampled_from(["7/1", "300/1", "a pseudonym", "0/0", "7/1/1", "²/1"]),
        ),
        type=optional()
        | st.builds(
            Type, nature=st.sampled_from([None, "vehicle", "contact"]), mav_type=optional() | _WHOLE,
            mav_autopilot=optional() | _WHOLE, ship_type=optional() | _WHOLE, length_m=optional() | st.floats(0, 1e9),
            beam_m=optional() | st.floats(0, 600), bow_m=optional() | st.floats(0, 600),
            starboard_m=optional() | st.floats(0, 600),
        ),
        status=optional()
        | st.builds(
            Status, at=optional() | _WHOLE, mode=optional() | st.sampled_from(["AUTO", "under way"]),
            mode_code=optional() | _WHOLE, armed=optional() | st.booleans(), battery_v=optional() | _NUMBER,
            battery_a=optional() | _NUMBER, battery_percent=optional() | _NUMBER, nav_status=optional() | _TEXT,
            landed=st.sampled_from([None, "landing"]), state=optional() | st.sampled_from(["active", "tired"]),
        ),
        sensor=optional()
        | st.builds(
            Sensor, protocol=st.just("dis"), received_ms=st.just(1),
            fix=optional() | st.sampled_from(["3D", "no fix", "?"]), satellites=optional() | _WHOLE,
            hdop=optional() | _NUMBER,
        ),
        timing=optional()
        | st.builds(
            Timing, source_us=optional() | _WHOLE, offset_us=optional() | _WHOLE, clock=st.sampled_from([None, "boot"])
        ),
    )  # fmt: skip


@settings(max_examples=40)
@given(groups(), st.sampled_from(["by type", "vehicles", "contacts"]))
def test_whatever_a_track_has_it_is_said_and_accounted_for(entity: Track, style: Any) -> None:
    encoded = MavlinkGateway(style=style).encode(entity, AT)
    assert_named_once(entity, encoded)
    frames, faults = Parser().feed(b"".join(encoded.messages))
    assert len(frames) == len(encoded.messages) > 0
    assert not faults


def test_a_track_is_said_as_what_its_type_says() -> None:
    vessel = Track(key="mmsi:1", identity=Identity(mmsi=230_123_456), type=Type(ship_type=70))
    plane = Track(key="icao:1", identity=Identity(native_id="icao:4ca123"), type=Type(station="aircraft"))
    own = Track(
        key="mavlink:9/1", identity=Identity(mavlink_id="9/1", mmsi=1), type=Type(nature="vehicle", mav_type=11)
    )
    other = Track(key="dis:1:2:3", type=Type(siso="1.3.225.61.1.0.0"))
    hidden = Track(key="mmsi:2", identity=Identity(mmsi="a pseudonym"), type=Type(ship_type=70))
    for entity, first in ((vessel, 301), (plane, 246), (own, 0), (other, 0), (hidden, 0)):
        frames, _ = Parser().feed(MavlinkGateway().encode(entity, AT).messages[0])
        assert frames[0].message == first
    frames, _ = Parser().feed(MavlinkGateway(style="vehicles").encode(vessel, AT).messages[0])
    assert frames[0].message == 0


def sources(encoded: Encoded) -> set[tuple[int, int]]:
    return {(found.system, found.component) for m in encoded.messages for found in Parser().feed(m)[0]}


def named_track(key: str, name: str | None) -> Track:
    return Track(key=key, identity=Identity(mavlink_id=name), type=Type(nature="vehicle", mav_type=11))


def test_ids_are_kept_where_they_are_free_and_never_shared() -> None:
    gateway = MavlinkGateway()
    gateway.feed(frame("HEARTBEAT", (1, 1), type=11), AT)
    assert sources(gateway.encode(named_track("mavlink:9/1", "9/1"), AT)) == {(9, 1)}
    taken = gateway.encode(named_track("gbr:mavlink:1/1", "1/1"), AT)
    assert sources(taken) == {(254, 1)}
    assert "identity.mavlink_id" in {entry.field for entry in taken.ledger.dropped}
    wide = gateway.encode(named_track("mavlink:300/1", "300/1"), AT)
    assert sources(wide) == {(253, 1)}
    assert Dropped("identity.mavlink_id", "out of range", "ids have 8 bits") in wide.ledger.entries
    assert sources(gateway.encode(named_track("gbr:mavlink:1/1", "1/1"), AT)) == {(254, 1)}
    gateway.feed(frame("HEARTBEAT", (9, 1), type=11), AT)  # and now their own system 9 comes up
    assert sources(gateway.encode(named_track("gbr:9", "9/1"), AT)) == {(252, 1)}


def test_when_all_ids_are_taken_the_ledger_says_so() -> None:
    gateway = MavlinkGateway()
    for number in range(254):
        assert gateway.encode(Track(key=f"dis:{number}"), AT).messages
    last = gateway.encode(Track(key="dis:last", status=Status(armed=True)), AT)
    assert last.messages == ()
    assert last.ledger.entries == (Dropped("status.armed", "out of range", "all 254 system ids are taken"),)
    later = gateway.encode(Track(key="dis:last"), AT + 121_000_000)
    assert sources(later) == {(254, 1)}  # that of the first, which was not heard of for two minutes


def test_a_mapped_type_is_used_where_none_was_said() -> None:
    kind = Type(mapped=[Mapped(scheme="mav_type", code="11", confidence=0.7)])
    found = track(*MavlinkGateway().encode(Track(key="dis:1:2:3", type=kind), AT).messages)
    assert found.type is not None
    assert found.type.mav_type == 11


# Words, areas, tasks


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300))
@example("x" * 50)
@example("ä" * 50)
@example("x" * 100)
def test_texts_come_back_whole_however_long(text: str) -> None:
    encoded = MavlinkGateway().encode(Report(key="r", text=text, severity="error", author="mavlink:7/1"), AT)
    gateway = MavlinkGateway()
    (found,) = read(*reversed(encoded.messages), gateway=gateway)
    assert isinstance(found.entity, Report)
    assert (found.entity.text, found.entity.severity, found.entity.author) == (text, "error", "mavlink:7/1")
    assert gateway.tally.waiting == 0


def test_a_text_whose_end_never_comes_is_given_up() -> None:
    gateway = MavlinkGateway()
    for number in range(1, 200):
        gateway.feed(frame("STATUSTEXT", text="x" * 50, id=number), AT)
        assert gateway.tally.waiting <= 64
    gateway.close()
    assert gateway.tally.dropped.total() == 199


@pytest.mark.parametrize("purpose", ["keep in", "keep out"])
@pytest.mark.parametrize(
    "area",
    [
        {
            "shape": "polygon",
            "points": [Point(lat_deg=1, lon_deg=2), Point(lat_deg=3, lon_deg=4), Point(lat_deg=5, lon_deg=2)],
        },
        {"shape": "circle", "points": [Point(lat_deg=1, lon_deg=2)], "radius_m": 250.0},
    ],
)
def test_fences_go_up_item_by_item(purpose: str, area: dict[str, Any]) -> None:
    fence = Area(key="a", purpose=purpose, **area)
    encoded = MavlinkGateway().encode(fence, AT)
    assert_named_once(fence, encoded)
    (found,) = read(*encoded.messages)
    assert isinstance(found.entity, Area)
    assert (found.entity.shape, found.entity.points, found.entity.radius_m, found.entity.purpose) == (
        fence.shape, fence.points, fence.radius_m, purpose,
    )  # fmt: skip


@pytest.mark.parametrize("count", [-1.0, -3.0, 0.0, 2.0, 4.0, 1e30, math.nan])
def test_a_fence_whose_count_of_corners_is_wrong_is_none(count: float) -> None:
    gateway = MavlinkGateway()
    gateway.feed(frame("MISSION_COUNT", (255, 190), count=3, target_system=7, mission_type=1), AT)
    for seq in range(3):
        item = frame(
            "MISSION_ITEM_INT", (255, 190), seq=seq, param1=count, command=5001, x=seq + 1, y=seq, target_system=7,
            mission_type=1,
        )  # fmt: skip
        assert not gateway.feed(item, AT)
    assert gateway.tally.waiting == 0


def test_a_direction_beyond_360_degrees_is_none() -> None:
    (found,) = read(frame("GLOBAL_POSITION_INT", lat=1, lon=1, hdg=36_001))
    assert isinstance(found.entity, Track)
    assert found.entity.motion is not None
    assert found.entity.motion.heading_deg is None
    assert Dropped("GLOBAL_POSITION_INT.hdg", "unknown value") in found.ledger.entries


def test_an_area_that_is_no_fence_is_not_made_one() -> None:
    area = Area(key="a", shape="circle", points=[Point(lat_deg=1, lon_deg=2)], radius_m=9.0, purpose="search area")
    encoded = MavlinkGateway().encode(area, AT)
    assert encoded.messages == ()
    assert {type(entry) for entry in encoded.ledger.entries} == {Dropped}


def test_a_ground_stations_mission_is_asked_for_item_by_item() -> None:
    gateway = MavlinkGateway()
    gateway.encode(named_track("gbr:boat", "7/1"), AT)
    messages = list(SPECIMENS["a mission"].messages)
    asked = []
    found: list[Decoded] = []
    for message in messages:
        found += gateway.feed(message, AT)
        asked += [Parser().feed(answer)[0][0] for answer in gateway.idle(AT)]
    replies = [(f.message, f.system, BY_ID[f.message].row(f.payload)[0]) for f in asked if f.message in (51, 47)]
    assert [(number, system) for number, system, _ in replies] == [(51, 7)] * 4 + [(47, 7)]
    assert [row[0] for number, _, row in replies if number == 51] == [0, 1, 2, 3]
    (task,) = [decoded.entity for decoded in found]
    assert isinstance(task, Task)
    assert (task.verb, task.assignee, task.speed_mps, len(task.points or [])) == ("patrol", "gbr:boat", 2.5, 3)


def test_the_start_of_a_mission_belongs_to_it_where_it_was_heard() -> None:
    gateway = MavlinkGateway()
    start = frame("COMMAND_LONG", (252, 190), command=300, target_system=7, target_component=1)
    assert read(start, gateway=gateway) == []
    assert dict(gateway.tally.dropped) == {"starts a mission not heard": 1}
    assert len(read(*SPECIMENS["a mission"].messages, start, gateway=gateway)) == 1
    assert gateway.tally.carried == 6
    read(frame("COMMAND_LONG", (251, 190), command=300, target_system=7), gateway=gateway)  # another's
    assert gateway.tally.dropped.total() == 2


def test_an_acknowledgement_is_matched_to_its_request_and_sent_for_one() -> None:
    ground, vehicle = MavlinkGateway(), MavlinkGateway()
    task = Task(key="t", verb="go to", assignee="mavlink:7/1", points=[Point(lat_deg=60, lon_deg=25)], request="r")
    (asked,) = read(*ground.encode(task, AT).messages, gateway=vehicle)
    assert isinstance(asked.entity, Task)
    assert (asked.entity.verb, asked.entity.points, asked.entity.state) == ("go to", task.points, "issued")
    answer = vehicle.encode(msgspec.structs.replace(asked.entity, state="accepted"), AT)
    assert read(*answer.messages, gateway=MavlinkGateway()) == []
    (heard,) = read(*answer.messages, gateway=ground)
    assert isinstance(heard.entity, Task)
    assert (heard.entity.key, heard.entity.request, heard.entity.state) == ("t", "r", "accepted")
    assert read(*answer.messages, gateway=ground) == []  # once more: nothing is asked any longer
    assert ground.tally.dropped["acknowledges nothing asked here"] == 1


def test_mode_changes_of_a_ground_station_are_tasks_where_they_hold_or_call_home() -> None:
    gateway = MavlinkGateway()
    gateway.feed(frame("HEARTBEAT", type=11, autopilot=3), AT)
    to = {"target_system": 7, "target_component": 1, "command": 176, "param1": 1.0}
    for mode, verb in ((4.0, "hold"), (11.0, "come home")):
        (found,) = read(frame("COMMAND_LONG", (255, 190), param2=mode, **to), gateway=gateway)
        assert isinstance(found.entity, Task)
        assert found.entity.verb == verb
    assert read(frame("COMMAND_LONG", (255, 190), param2=0.0, **to), gateway=gateway) == []


def test_a_repeated_command_is_the_same_task() -> None:
    gateway = MavlinkGateway()
    keys = set()
    for attempt in (0, 1):
        message = frame("COMMAND_LONG", (255, 190), command=20, target_system=7, confirmation=attempt)
        keys |= {decoded.entity.key for decoded in gateway.feed(message, AT + attempt)}
    assert len(keys) == 1


def test_the_ground_station_says_that_it_is_there_and_answers_for_the_time() -> None:
    gateway = MavlinkGateway()
    gateway.feed(frame("TIMESYNC", tc1=0, ts1=123), AT)
    found = [Parser().feed(answer)[0][0].message for answer in gateway.idle(AT)]
    assert found == [111, 0, 111]
    assert gateway.idle(AT + 500_000) == []
    beat = gateway.idle(AT + 1_000_000)[0]
    assert Parser().feed(beat)[0][0].message == 0
    assert beat[5] != 255, "whose heartbeats tell an autopilot that its operator is there"


def test_ledgers_are_shared_between_messages_of_a_shape() -> None:
    gateway = MavlinkGateway()
    one, two = (gateway.feed(frame("GLOBAL_POSITION_INT", lat=600_000_000 + n, lon=1), AT)[0].ledger for n in range(2))
    assert one is two
    assert isinstance(one, Ledger)
    assert not [entry for entry in one.entries if isinstance(entry, Approximated)]
