"""DIS to the model and back: exact, but for what the ledger says."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from dis_peers import AT_US, nothing, packed, states, unpacked
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.entity import GROUPS, Approximated, Carried, Report, Track
from aldis.apps.experiments.entity.geodesy import course, ecef_to_ned, euler_of, geodetic_of, ned_vector, quaternion_of
from aldis.apps.experiments.gateways.dis import OFFERED, DisGateway
from aldis.apps.experiments.gateways.dis import stamps as stamp_rules

PARTS = st.binary(min_size=16, max_size=16)
FLOATS = ("vx", "vy", "vz", "ax", "ay", "az", "rx", "ry", "rz", "psi", "theta", "phi")
ANY_ALGORITHM = st.integers(0, 255)


def track_of(pdu: bytes, gateway: DisGateway | None = None) -> Track:
    (found,) = (gateway or DisGateway()).feed(pdu, AT_US)
    assert isinstance(found.entity, Track)
    return found.entity


def kept_faith(pdu: bytes) -> None:
    """Every field came back as the ledger of decoding says, and each has one entry."""
    gateway = DisGateway()
    (found,) = gateway.feed(pdu, AT_US)
    before = OFFERED.fields([pdu])
    assert found.ledger.named() == set(before)
    assert len(found.ledger.entries) == len(before)
    sent = gateway.encode(found.entity, AT_US)
    if not sent.messages:
        return
    after = OFFERED.fields(sent.messages)
    for entry in found.ledger.entries:
        was, now = before[entry.field], after.get(entry.field)
        if isinstance(entry, Carried):
            assert was == now, entry
        elif isinstance(entry, Approximated):
            assert isinstance(was, float)
            assert isinstance(now, float)
            away = abs(math.remainder(was - now, math.tau)) if "orientation" in entry.field else abs(was - now)
            assert away <= entry.error, (entry, was, now)


def model_fields(track: Track) -> set[str]:
    groups = {name: getattr(track, name) for name in GROUPS}
    return {
        f"{name}.{field}"
        for name, group in groups.items()
        if group is not None
        for field in group.__struct_fields__
        if getattr(group, field) is not None
    }


@given(states(algorithms=ANY_ALGORITHM), st.lists(PARTS, max_size=3))
def test_what_came_back_is_what_the_ledger_says(state: dict[str, Any], parts: list[bytes]) -> None:
    kept_faith(packed(state, b"".join(parts)))


@given(st.lists(st.floats(width=64), min_size=3, max_size=3), st.lists(st.floats(width=32), min_size=12, max_size=12),
       ANY_ALGORITHM, st.binary(min_size=12, max_size=12))  # fmt: skip
def test_any_floats_at_all_keep_the_ledger_true(
    place: list[float], floats: list[float], algorithm: int, marking: bytes
) -> None:
    state = nothing() | {"stamp": 1, "algorithm": algorithm} | dict(zip("xyz", place, strict=True))
    state |= {"character_set": marking[0], "marking": marking[1:]} | dict(zip(FLOATS, floats, strict=True))
    gateway = DisGateway()
    pdu = packed(state)
    (found,) = gateway.feed(pdu, AT_US)
    assert found.ledger.named() == set(OFFERED.fields([pdu]))
    sent = gateway.encode(found.entity, AT_US)
    assert isinstance(found.entity, Track)
    assert model_fields(found.entity) <= sent.ledger.named()
    for message in sent.messages:
        assert gateway.feed(message, AT_US)


@given(states())
def test_each_field_of_the_model_has_one_entry(state: dict[str, Any]) -> None:
    gateway = DisGateway()
    track = track_of(packed(state), gateway)
    sent = gateway.encode(track, AT_US)
    assert model_fields(track) <= sent.ledger.named()
    assert len(sent.ledger.entries) == len(sent.ledger.named())
    assert {e.field for e in sent.ledger.carried} | {e.field for e in sent.ledger.approximated} <= model_fields(track)


@given(states(algorithms=st.integers(1, 5)))
def test_position_velocity_and_attitude_agree_with_geodesy(state: dict[str, Any]) -> None:
    pdu = packed(state)
    track, said = track_of(pdu), unpacked(pdu)
    lat, lon, height = geodetic_of(said["x"], said["y"], said["z"])
    assert track.position is not None
    assert track.motion is not None
    assert math.isclose(track.position.lat_deg, lat, abs_tol=1e-9)
    assert abs(math.remainder(track.position.lon_deg - lon, 360)) < 1e-9 or abs(lat) > 89.9999
    assert track.position.height_m is not None
    assert math.isclose(track.position.height_m, height, abs_tol=1e-5)
    lon = track.position.lon_deg
    north, east, down = ned_vector((said["vx"], said["vy"], said["vz"]), lat, lon)
    assert track.motion.speed_mps is not None
    assert math.isclose(track.motion.speed_mps, math.hypot(north, east), abs_tol=1e-5)
    assert track.motion.climb_mps is not None
    assert math.isclose(track.motion.climb_mps, -down, abs_tol=1e-5)
    if track.motion.course_deg is not None and math.hypot(north, east) > 1:
        away = track.motion.course_deg - math.degrees(math.atan2(east, north))
        assert abs(math.remainder(away, 360)) < 1e-4
        assert 0 <= track.motion.course_deg < 360
    if track.motion.attitude is not None:
        wanted = ecef_to_ned(quaternion_of(said["phi"], said["theta"], said["psi"]), lat, lon)
        assert abs(sum(a * b for a, b in zip(wanted, track.motion.attitude, strict=True))) > 1 - 1e-9
        if track.motion.heading_deg is not None:
            _, pitch, yaw = euler_of(track.motion.attitude)
            assert abs(pitch) > 1.57 or abs(math.remainder(track.motion.heading_deg - math.degrees(yaw), 360)) < 1e-6


def test_a_velocity_in_the_bodys_frame_goes_where_the_bow_points() -> None:
    # at 0 N 0 E: x up, y east, z north; psi 0 and theta -90 degrees turn the bow north, level
    state = nothing() | {"stamp": 1, "x": 6_378_137.0, "theta": -math.pi / 2, "vx": 8.0, "vy": 1.0}
    world = track_of(packed(state | {"algorithm": 2})).motion
    body = track_of(packed(state | {"algorithm": 6})).motion
    assert world is not None
    assert body is not None
    assert body.heading_deg == pytest.approx(0, abs=1e-5) or body.heading_deg == pytest.approx(360, abs=1e-5)
    assert (body.speed_mps, body.course_deg) == pytest.approx((math.hypot(8, 1), math.degrees(math.atan2(1, 8))))
    assert (world.climb_mps, world.course_deg) == pytest.approx((8, 90))
    assert (world.frame, body.frame) == ("ecef", "body")


@given(st.integers(0, 2**32 - 1), st.integers(10**15, 3 * 10**15))
def test_a_stamp_comes_back_as_it_was_and_names_the_nearest_hour(stamp: int, at_us: int) -> None:
    if stamp & 1:
        source = stamp_rules.source_us(stamp, at_us)
        assert stamp_rules.absolute(source) == stamp
        assert abs(source - at_us) <= stamp_rules.HOUR_US // 2
    else:
        assert stamp_rules.relative(stamp_rules.past_hour_us(stamp)) == stamp


def test_a_relative_stamp_is_no_time_in_utc() -> None:
    timing = track_of(packed(nothing() | {"stamp": 1 << 31})).timing
    assert timing is not None
    assert (timing.clock, timing.source_us, timing.simulation_us) == ("hour", None, 1_800_000_000)


def test_zeros_that_say_nothing_stay_unknown() -> None:
    track = track_of(packed(nothing() | {"algorithm": 1, "stamp": 1}))
    assert track.position is None
    assert track.motion is not None
    assert (track.motion.attitude, track.motion.heading_deg, track.motion.rates_rad_s) == (None, None, None)
    assert track.type is not None
    assert (track.type.siso, track.type.alternative_siso) == (None, None)
    assert track.identity is not None
    assert track.identity.name is None


def test_several_pdus_of_one_datagram_are_each_read() -> None:
    first, second, odd, comment = (specimen.messages[0] for specimen in OFFERED.specimens())
    other = struct.pack(">BBBBIHH", 7, 1, 23, 6, 1, 20, 0) + bytes(8)
    gateway = DisGateway()
    found = gateway.feed(first + second + other + bytes(-len(other) % 8) + comment + odd + bytes(5), AT_US)
    assert [type(one.entity) for one in found] == [Track, Track, Report, Track]
    assert gateway.tally.dropped == {"not decoded: PDU type 23": 1}
    assert gateway.tally.seen == 5 == gateway.tally.carried + gateway.tally.dropped.total()


def test_every_other_type_of_pdu_is_counted_by_its_number() -> None:
    gateway = DisGateway()
    for kind in set(range(256)) - {1, 22}:
        assert gateway.feed(struct.pack(">BBBBIHH", 7, 1, kind, 4, 1, 12, 0), AT_US) == []
    assert gateway.tally.dropped["not decoded: PDU type 24"] == 1
    assert gateway.tally.dropped.total() == 254


def test_pdus_of_another_exercise_are_passed_over_where_only_one_is_joined() -> None:
    pdu = OFFERED.specimens()[0].messages[0]
    assert DisGateway(exercise=3, only=True).feed(pdu, AT_US)
    other = DisGateway(exercise=4, only=True)
    assert not other.feed(pdu, AT_US)
    assert other.tally.dropped == {"another exercise": 1}


@pytest.mark.parametrize("specimen", OFFERED.specimens(), ids=lambda specimen: specimen.name)
def test_specimens_come_back_bit_for_bit_but_for_the_header(specimen: Any) -> None:
    gateway = DisGateway(exercise=3)
    (pdu,) = specimen.messages
    assert OFFERED.familiar(pdu)
    (found,) = gateway.feed(pdu, AT_US)
    assert found.ledger.named() == set(OFFERED.fields([pdu]))
    (sent,) = gateway.encode(found.entity, AT_US).messages
    assert sent[1:] == pdu[1:]


def test_a_stale_source_time_is_not_sent_as_a_time_of_this_hour() -> None:
    gateway = DisGateway()
    track = track_of(OFFERED.specimens()[0].messages[0], gateway)
    assert track.timing is not None
    assert track.timing.source_us is not None
    late = track.timing.source_us + 2_000_000_000
    sent = gateway.encode(track, late)
    assert "timing.source_us" in {entry.field for entry in sent.ledger.dropped}
    stamp = unpacked(sent.messages[0])["stamp"]
    assert abs(stamp_rules.source_us(stamp, late) - late) < 2


def test_a_course_a_hair_west_of_north_is_north() -> None:
    assert course(1.0, -1e-20) == (1.0, 0.0)
