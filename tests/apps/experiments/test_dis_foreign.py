"""Tracks of other protocols as Entity State PDUs: what is not known is said to be so, errors stay in their bounds."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec
import pytest
from dis_peers import AT_US, unpacked
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.entity import (
    GROUPS,
    Area,
    Carried,
    Identity,
    Mapped,
    Motion,
    Original,
    Point,
    Position,
    Remainder,
    Report,
    Residue,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
    Voyage,
)
from aldis.apps.experiments.entity.geodesy import ecef_of, euler_of, quaternion_of
from aldis.apps.experiments.gateways.dis import OFFERED, DisGateway

AT_MS = AT_US // 1000
bearings = st.floats(0, 359.999)
PDUS = [specimen.messages[0] for specimen in OFFERED.specimens()[:3]]
EXTRA: dict[str, Any] = {
    "accuracy_m": 3.0, "turn_deg_per_min": 2.0, "water_speed_mps": 1.0, "callsign": "C", "mmsi": 1, "length_m": 9.0,
    "battery_v": 3.0, "mode": "AUTO", "station": "s", "hdop": 1.0, "offset_us": 4, "stale_us": 5,
}  # fmt: skip
SIDES: tuple[Literal["friend", "hostile"], ...] = ("friend", "hostile")


def sent(track: Track) -> tuple[dict[str, Any], dict[str, Any]]:
    """The PDU's fields and the ledger's entries, by field."""
    found = DisGateway().encode(track, AT_US)
    (message,) = found.messages
    entries = {entry.field: entry for entry in found.ledger.entries}
    assert len(entries) == len(found.ledger.entries)
    return unpacked(message), entries


def ship(**groups: Any) -> Track:
    return Track(key="mmsi:230123456", **{"position": Position(lat_deg=60.1, lon_deg=24.9)} | groups)


def test_what_is_not_known_is_sent_as_zeros_and_said_to_be() -> None:
    pdu, entries = sent(ship())
    assert (pdu["algorithm"], pdu["vx"], pdu["psi"], pdu["force"], pdu["kind"], pdu["marking"]) == (1, 0, 0, 0, 0, b"")
    assert (pdu["x"], pdu["y"], pdu["z"]) == pytest.approx(ecef_of(60.1, 24.9, 0), abs=1e-6)
    for field in ("position.height_m", "motion.speed_mps", "motion.attitude", "type.affiliation", "type.siso",
                  "status.appearance", "status.capabilities"):  # fmt: skip
        assert (entries[field].reason, bool(entries[field].detail)) == ("no code", True)


def test_without_a_place_there_is_no_message() -> None:
    track = Track(key="mmsi:1", identity=Identity(name="A", at=5), motion=Motion(speed_mps=1.0))
    found = DisGateway().encode(track, AT_US)
    assert found.messages == ()
    assert found.ledger.named() == {"identity.name", "identity.at", "motion.speed_mps"}


def test_a_depth_puts_it_under_the_ellipsoid_with_the_geoids_error() -> None:
    pdu, entries = sent(ship(position=Position(lat_deg=0, lon_deg=0, depth_m=200.0)))
    assert pdu["x"] == pytest.approx(6_378_137 - 200)
    assert (entries["position.depth_m"].reason, "120 m" in entries["position.depth_m"].detail) == ("no field", True)


@given(st.floats(0, 900), bearings, st.one_of(st.none(), st.floats(-50, 50)), bearings)
def test_speed_course_and_heading_stay_within_their_bounds(
    speed: float, course: float, climb: float | None, heading: float
) -> None:
    track = ship(motion=Motion(speed_mps=speed, course_deg=course, climb_mps=climb, heading_deg=heading))
    gateway = DisGateway()
    found = gateway.encode(track, AT_US)
    entries: dict[str, Any] = {entry.field: entry for entry in found.ledger.entries}
    (back,) = gateway.feed(found.messages[0], AT_US)
    assert isinstance(back.entity, Track)
    motion = back.entity.motion
    assert motion is not None
    assert motion.speed_mps is not None
    assert abs(motion.speed_mps - speed) <= entries["motion.speed_mps"].error
    if motion.course_deg is not None:
        assert abs(math.remainder(motion.course_deg - course, 360)) <= entries["motion.course_deg"].error
    assert motion.heading_deg is not None
    assert abs(math.remainder(motion.heading_deg - heading, 360)) <= entries["motion.heading_deg"].error
    assert motion.attitude is not None
    assert euler_of(motion.attitude)[:2] == pytest.approx((0, 0), abs=1e-6)


@example(0, 0, (0, 0, 0))
@example(0, 0, (1, 0, 0))
@given(st.floats(-89, 89), st.floats(-180, 180), st.tuples(*[st.floats(-1.5, 1.5)] * 3))
def test_an_attitude_stays_within_its_bound(lat: float, lon: float, angles: tuple[float, float, float]) -> None:
    attitude = quaternion_of(*angles)
    gateway = DisGateway()
    track = Track(key="a", position=Position(lat_deg=lat, lon_deg=lon, height_m=5), motion=Motion(attitude=attitude))
    (back,) = gateway.feed(gateway.encode(track, AT_US).messages[0], AT_US)
    assert isinstance(back.entity, Track)
    assert back.entity.motion is not None
    again = back.entity.motion.attitude
    if again is None:
        return  # three angles of exactly zero
    half_angle = math.sqrt(max(0.0, 1 - sum(a * b for a, b in zip(attitude, again, strict=True)) ** 2))
    assert 2 * half_angle < 1e-6


def test_a_heading_beside_another_attitude_is_dropped() -> None:
    attitude = quaternion_of(0.0, 0.0, math.radians(90))
    assert sent(ship(motion=Motion(attitude=attitude, heading_deg=90)))[1]["motion.heading_deg"].error < 1e-3
    assert sent(ship(motion=Motion(attitude=attitude, heading_deg=80)))[1]["motion.heading_deg"].reason == "no field"


def test_coarsened_coordinates_are_not_betrayed_by_the_original() -> None:
    original = Original(frame="ecef", datum="WGS-84", values=ecef_of(60.123456, 24.9, 10))
    for position in (
        Position(lat_deg=60.1, lon_deg=24.9, height_m=10, original=original, grid_m=5000),
        Position(lat_deg=60.123456, lon_deg=24.9, original=original),
    ):
        pdu, entries = sent(ship(position=position))
        wanted = ecef_of(position.lat_deg, 24.9, position.height_m or 0)
        assert (pdu["x"], pdu["y"], pdu["z"]) == pytest.approx(wanted, abs=1e-6)
        assert entries["position.original"].reason == "no field"


def test_an_entity_without_a_dis_id_keeps_the_one_it_was_given() -> None:
    gateway = DisGateway(site=77, application=5)
    first = [unpacked(gateway.encode(Track(key=key, position=Position(lat_deg=0, lon_deg=0)), AT_US).messages[0])
             for key in ("mmsi:1", "mmsi:2", "mmsi:1")]  # fmt: skip
    again = unpacked(DisGateway(site=77, application=5).encode(
        Track(key="mmsi:1", position=Position(lat_deg=0, lon_deg=0)), AT_US).messages[0])  # fmt: skip
    assert first[0]["entity"] == first[2]["entity"] == again["entity"] != first[1]["entity"]
    assert {(pdu["site"], pdu["application"]) for pdu in first} == {(77, 5)}


def test_a_pseudonym_is_no_dis_id() -> None:
    pdu, entries = sent(ship(identity=Identity(dis_id="vessel-7f3a", name="ALPHA")))
    assert pdu["site"] == 1
    assert entries["identity.dis_id"].reason == "not text of this protocol"
    assert pdu["marking"] == b"ALPHA"


@pytest.mark.parametrize(
    ("identity", "marking", "told"),
    [
        (Identity(name="ALDIS"), b"ALDIS", {}),
        (
            Identity(name="LONG NAME OF A SHIP", callsign="OH123"),
            b"OH123",
            {"identity.name": "too long", "identity.callsign": "no field"},
        ),
        (Identity(name="LONG NAME OF A SHIP"), b"LONG NAME O", {"identity.name": "too long"}),
        (Identity(name="Åland"), b"", {"identity.name": "not text of this protocol"}),
        (Identity(name="A", callsign="B"), b"A", {"identity.callsign": "no field"}),
    ],
)
def test_a_marking_holds_eleven_characters(identity: Identity, marking: bytes, told: dict[str, str]) -> None:
    pdu, entries = sent(ship(identity=identity))
    assert pdu["marking"] == marking
    assert {field: entries[field].reason for field in told} == told


def test_a_mapped_type_is_sent_where_none_was_said() -> None:
    mapped = [Mapped(scheme="siso", code="1.3.0.61.0.0.0", confidence=0.4),
              Mapped(scheme="siso", code="1.3.0.80.0.0.0", confidence=0.9),
              Mapped(scheme="sidc", code="10033000001400000000", confidence=1)]  # fmt: skip
    pdu, entries = sent(ship(type=Type(mapped=mapped, affiliation="assumed friend")))
    assert (pdu["kind"], pdu["category"], pdu["force"]) == (1, 80, 1)
    assert entries["type.mapped"].reason == "no field"  # it reads as said
    assert entries["type.affiliation"].reason == "no code"


def test_an_algorithm_that_lacks_what_it_works_on_is_not_claimed() -> None:
    pdu, entries = sent(ship(motion=Motion(speed_mps=3, course_deg=10, dead_reckoning=8, frame="body")))
    assert pdu["algorithm"] == 2
    assert entries["motion.dead_reckoning"].reason == "no code"
    assert sent(ship(motion=Motion(speed_mps=3, course_deg=10, acceleration_mps2=(1, 0, 0))))[0]["algorithm"] == 5


@settings(max_examples=50)
@given(st.data())
def test_the_ledger_names_what_is_there_whatever_is_missing_or_added(data: st.DataObject) -> None:
    gateway = DisGateway()
    (found,) = gateway.feed(data.draw(st.sampled_from(PDUS)), AT_US)
    track = found.entity
    assert isinstance(track, Track)
    for name in ("position", "motion", "identity", "type", "status", "sensor", "timing"):
        group = getattr(track, name)
        optional = [field.name for field in msgspec.structs.fields(group) if not field.required]
        gone = data.draw(st.lists(st.sampled_from(optional), max_size=2))
        changes: dict[str, Any] = dict.fromkeys(gone)
        numbers = [field for field in optional if field in EXTRA]
        if numbers:
            changes |= {field: EXTRA[field] for field in data.draw(st.lists(st.sampled_from(numbers), max_size=2))}
        track = msgspec.structs.replace(track, **{name: msgspec.structs.replace(group, **changes)})
    there = {
        f"{name}.{field}"
        for name in GROUPS
        if (group := getattr(track, name)) is not None
        for field in group.__struct_fields__
        if getattr(group, field) is not None
    }
    sent = gateway.encode(track, AT_US)
    absent = sent.ledger.named() - there
    assert there <= sent.ledger.named()
    assert absent <= {"position.height_m", "motion.speed_mps", "motion.climb_mps", "motion.attitude",
                      "type.affiliation", "type.siso", "status.appearance", "status.capabilities"}  # fmt: skip


def test_residue_that_another_value_stands_for_stays_behind() -> None:
    part = Remainder(protocol="dis", field="EntityState.force_id", data="BQ==")  # force 5: opposing, the second
    friend, hostile = (ship(residue=Residue(parts=[part]), type=Type(affiliation=side)) for side in SIDES)
    assert sent(friend)[0]["force"] == 1
    assert sent(friend)[1]["residue.parts"].reason == "not decoded"
    assert sent(hostile)[0]["force"] == 5
    assert sent(hostile)[1]["residue.parts"].to == "EntityState"


def test_residue_of_another_protocol_stays_behind() -> None:
    for part in (Remainder(protocol="cot", field="detail", data="AAAA"),
                 Remainder(protocol="dis", field="EntityState.variable_parameters", data="AAAA"),
                 Remainder(protocol="dis", field="EntityState.marking", data="no base64")):  # fmt: skip
        assert sent(ship(residue=Residue(parts=[part])))[1]["residue.parts"].reason == "not decoded"


def test_only_what_is_read_again_is_said_to_be_carried() -> None:
    for clock in ("utc", "boot"):
        timing = Timing(source_us=AT_US, clock=clock)
        _, entries = sent(ship(timing=timing, voyage=Voyage(at=AT_MS), identity=Identity(callsign="PETREL 7")))
        assert (entries["timing.source_us"].error, entries["timing.source_us"].unit) == (1, "us")
        assert (type(entries["timing.clock"]) is Carried) == (clock == "utc")
        assert (entries["voyage.at"].reason, entries["identity.callsign"].reason) == ("no field", "no field")


def test_every_field_there_is_has_an_entry() -> None:
    track = ship(
        position=Position(lat_deg=1, lon_deg=2, at=AT_MS, height_m=3, depth_m=1, accuracy_m=4, accurate=True),
        motion=Motion(at=AT_MS - 1, speed_mps=1, course_deg=2, turning="port", turn_deg_per_min=3),
        sensor=Sensor(protocol="ais", received_ms=1, hdop=1.0, stations=["a"]),
        timing=Timing(source_us=AT_US, received_us=AT_US, clock="second", offset_us=3),
        status=Status(battery_percent=50, appearance=-1),
    )
    _, entries = sent(track)
    for name in GROUPS:
        group = getattr(track, name)
        for field in group.__struct_fields__ if group is not None else ():
            assert getattr(group, field) is None or f"{name}.{field}" in entries
    assert entries["position.at"].to == "EntityState.timestamp"
    assert entries["motion.at"].reason == "no field"


def test_a_report_comes_back_as_it_was() -> None:
    gateway = DisGateway()
    report = Report(key="x", text="Raft sighted\n2 nm north", author="dis:1:2:3", to=["dis:4:5:6"], severity="notice")
    found = gateway.encode(report, AT_US)
    assert {entry.field for entry in found.ledger.dropped} == {"report.severity"}
    (back,) = gateway.feed(found.messages[0], AT_US)
    assert isinstance(back.entity, Report)
    assert (back.entity.text, back.entity.author, back.entity.to) == (report.text, report.author, report.to)


def test_what_dis_cannot_say_is_dropped_whole() -> None:
    area = Area(key="a", shape="point", points=[Point(lat_deg=1, lon_deg=2)], timing=Timing(source_us=1))
    found = DisGateway().encode(area, AT_US)
    assert found.messages == ()
    assert found.ledger.named() == {"area.shape", "area.points", "timing.source_us"}
