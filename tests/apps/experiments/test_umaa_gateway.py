"""UMAA samples to the model and back: every member has its fate, and damaged CDR is counted, never trusted."""

from __future__ import annotations

import math
import random
import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.entity import (
    Approximated,
    Area,
    Identity,
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
)
from aldis.apps.experiments.envelope import opened, sealed
from aldis.apps.experiments.gateways.gateway import Tally
from aldis.apps.experiments.gateways.umaa import OFFERED, UmaaGateway, topics
from aldis.apps.experiments.gateways.umaa.idl import types
from aldis.apps.experiments.gateways.umaa.lists import LONGEST, Lists
from aldis.apps.experiments.gateways.umaa.wire import TOPICS, flat, unpacked

AT = 1_700_000_001_000_000
BOAT = "5f0294ef-d546-42e1-a3fe-666ace569336"
SPECIMENS = {one.name: one.messages for one in OFFERED.specimens()}
MESSAGES = [message for messages in SPECIMENS.values() for message in messages]
REASONS = {
    *("no envelope", "no such topic", "no such encoding", "undecodable", "out of range", "no source"),
    *("said again", "too long", "not of the list", "incomplete"),
}


@pytest.mark.parametrize("name", SPECIMENS)
def test_every_member_of_a_specimen_has_one_entry_and_comes_back_or_is_accounted_for(name: str) -> None:
    gateway, back = UmaaGateway(), UmaaGateway()
    before, after, fates, unsaid = OFFERED.fields(SPECIMENS[name]), dict[str, object](), {}, set()
    for message in SPECIMENS[name]:
        for decoded in gateway.feed(message, AT):
            for entry in decoded.ledger.entries:
                assert entry.field not in fates
                fates[entry.field] = entry
            encoded = back.encode(decoded.entity, AT)
            unsaid |= {entry.field for entry in encoded.ledger.dropped if entry.reason == "other message"}
            after |= OFFERED.fields(encoded.messages)
    assert fates.keys() == before.keys()
    assert gateway.tally.seen == gateway.tally.carried == len(SPECIMENS[name])
    for field in {entry.field for ledger in fates.values() for entry in [ledger]}:
        entry, value = fates[field], before[field]
        if type(entry).__name__ == "Carried":
            assert after.get(field) == value or unsaid, field
        elif type(entry).__name__ == "Approximated" and not unsaid:
            assert after[field] == pytest.approx(value, abs=max(1e-9, getattr(entry, "error", 0))), field


def test_a_pose_is_understood_with_its_units() -> None:
    [pose, speed, velocity, battery] = SPECIMENS["a vehicle"]
    gateway = UmaaGateway()
    track = gateway.feed(pose, AT)[0].entity
    assert isinstance(track, Track)
    assert (track.key, track.position and track.position.lat_deg) == (
        "umaa:5f0294ef-d546-42e1-a3fe-666ace569330",
        59.8512345,
    )
    assert track.motion
    assert track.motion.course_deg == pytest.approx(math.degrees(1.5))
    assert track.motion.heading_deg == pytest.approx(math.degrees(1.6))
    assert track.timing == Timing(source_us=1_700_000_000_123_456, received_us=AT, clock="utc")
    assert track.sensor == Sensor(protocol="umaa", received_ms=AT // 1000, fix="MEASURED")
    moving = gateway.feed(velocity, AT)[0].entity
    assert isinstance(moving, Track)
    assert moving.motion
    assert (moving.motion.climb_mps, moving.motion.rates_rad_s) == (-0.5, (0.01, 0.02, 0.03))
    assert moving.motion.speed_mps == pytest.approx(4.25)
    assert gateway.feed(speed, AT)[0].entity != gateway.feed(battery, AT)[0].entity


@pytest.mark.parametrize("extensibility", ["final", "appendable"])
@pytest.mark.parametrize("little", [True, False])
def test_each_encoding_of_cdr_says_the_same(extensibility: str, little: bool) -> None:
    from cyclonedds.idl._support import Endianness

    for message in MESSAGES:
        name, sample = unpacked(message)
        full = opened(message).key
        kind = types(extensibility)[TOPICS[full]]  # type: ignore[arg-type]
        other = kind.__idl__.deserialize(opened(message).payload)  # in CDR both are written alike
        order = Endianness.Little if little else Endianness.Big
        again = unpacked(sealed(full, other.serialize(use_version_2=True, endianness=order)))
        assert (again[0], flat(again[1])) == (name, flat(sample))


def test_a_contact_from_another_protocol_becomes_an_element_of_the_set() -> None:
    gateway = UmaaGateway()
    track = Track(
        key="mmsi:2300001",
        position=Position(
            lat_deg=59.5, lon_deg=24.5, at=AT // 1000, original=Original(frame="ecef", datum="d", values=())
        ),
        motion=Motion(speed_mps=7.5, course_deg=300.0),
        identity=Identity(mmsi=2300001, name="GENERATED", callsign="A\0B"),
        type=Type(length_m=12.5),
        sensor=Sensor(protocol="ais", received_ms=1, stations=["GENERATED"]),
    )
    encoded = gateway.encode(track, AT)
    assert [opened(one).key.rpartition("::")[2] for one in encoded.messages] == [
        "ContactReport",
        "ContactReportContactsSetElement",
    ]
    said = OFFERED.fields(encoded.messages)
    element = "ContactReportContactsSetElement.element"
    assert said[f"{element}.MMSINumber"] == "002300001"
    assert said[f"{element}.course"] == pytest.approx(math.radians(-60))
    assert f"{element}.heading" not in said
    assert {(e.field, e.reason) for e in encoded.ledger.dropped} == {
        ("identity.callsign", "not text of this protocol"),
        ("position.original", "no field"),
        ("sensor.protocol", "made anew"),
        ("sensor.received_ms", "made anew"),
        ("sensor.stations", "no code"),
    }
    [decoded] = [one for message in encoded.messages for one in UmaaGateway().feed(message, AT)]
    assert isinstance(decoded.entity, Track)
    assert decoded.entity.identity
    assert (decoded.entity.identity.mmsi, decoded.entity.identity.name) == (2300001, "GENERATED")
    assert decoded.entity.timing
    assert decoded.entity.timing.start_us is None


def test_what_is_unknown_is_said_as_no_number_and_heard_as_unknown() -> None:
    track = Track(key="dis:1:2:3", position=Position(lat_deg=1, lon_deg=2), type=Type(nature="vehicle"))
    encoded = UmaaGateway().encode(track, AT)
    [message] = encoded.messages
    back = UmaaGateway().feed(message, AT)[0].entity
    assert isinstance(back, Track)
    assert back.motion == Motion(at=AT // 1000)
    assert back.position == Position(lat_deg=1, lon_deg=2, at=AT // 1000)
    again = UmaaGateway().encode(track, AT).messages
    assert again == (message,)  # the same id follows from the same key


def test_the_entries_of_what_is_said_name_every_field_of_the_model_once() -> None:
    for track in (
        Track(
            key="a",
            position=Position(lat_deg=1, lon_deg=2, at=3, height_m=1e9, depth_m=-1, accuracy_m=2, suspect=True),
            motion=Motion(at=4, speed_mps=1, heading_deg=90, attitude=(1, 0, 0, 0), turning="port", frame="body"),
            type=Type(nature="vehicle", cot="a-f-S"),
            status=Status(at=5, mode="GUIDED", battery_percent=50),
            timing=Timing(source_us=-1),
        ),
        Track(key="b", motion=Motion(course_deg=1, climb_mps=2), type=Type(nature="vehicle")),
        Track(key="c", identity=Identity(name="x")),
    ):
        for nature in ("vehicle", "contact"):
            one = Track(key=track.key, position=track.position, motion=track.motion, type=Type(nature=nature))
            for thing in (track, one):
                entries = [entry.field for entry in UmaaGateway().encode(thing, AT).ledger.entries]
                assert len(entries) == len(set(entries))
                assert set(entries) == present(thing)


def present(track: Track) -> set[str]:
    groups = {name: getattr(track, name) for name in track.__struct_fields__ if name != "key"}
    return {
        f"{name}.{field}"
        for name, group in groups.items()
        if group is not None
        for field in group.__struct_fields__
        if getattr(group, field) is not None
    }


def test_what_umaa_has_no_sample_for_is_dropped_whole() -> None:
    gateway = UmaaGateway()
    area = Area(key="a", shape="line", points=[Point(lat_deg=1, lon_deg=2)], timing=Timing(source_us=1))
    assert [e.field for e in gateway.encode(area, AT).ledger.dropped] == [
        "timing.source_us",
        "area.shape",
        "area.points",
    ]
    report = Report(key="r", text="x", position=Position(lat_deg=1, lon_deg=2))
    assert gateway.encode(report, AT).messages == ()
    survey = gateway.encode(Task(key="t", verb="survey", assignee="umaa:x"), AT)
    assert (survey.messages, {e.reason for e in survey.ledger.dropped}) == ((), {"no code"})


def test_a_list_is_put_together_in_any_order() -> None:
    command, first, last = SPECIMENS["a command"]
    usual = UmaaGateway()
    [whole] = [one for message in (command, first, last) for one in usual.feed(message, AT)]
    for order in ([last, first, command], [first, command, last], [last, command, first]):
        gateway = UmaaGateway()
        assert [gateway.feed(message, AT) for message in order[:2]] == [(), ()]
        assert gateway.tally.waiting == 2
        [decoded] = gateway.feed(order[2], AT)
        assert decoded.entity == whole.entity
        assert gateway.tally.waiting == 0
    assert isinstance(whole.entity, Task)
    assert (whole.entity.verb, whole.entity.state, whole.entity.speed_mps, whole.entity.radius_m) == (
        "go to",
        "issued",
        3.5,
        25.5,
    )
    assert whole.entity.points == [
        Point(lat_deg=59.8, lon_deg=24.4, depth_m=3.5),
        Point(lat_deg=59.9, lon_deg=24.6, height_m=17.5),
    ]


def test_the_time_of_the_source_is_said_with_its_greatest_error() -> None:
    track = Track(
        key="dis:1:2:3",
        position=Position(lat_deg=1, lon_deg=2, at=AT // 1000),
        motion=Motion(at=AT // 1000 + 15, speed_mps=1),
        type=Type(nature="vehicle"),
        timing=Timing(source_us=AT + 456),
    )
    [entry] = [one for one in UmaaGateway().encode(track, AT).ledger.entries if one.field == "timing.source_us"]
    assert entry == Approximated(
        "timing.source_us", "GlobalPoseReport.timeStamp, SpeedReport.timeStamp", 15_000 - 456, "us"
    )


def test_ids_that_are_no_uuids_are_made_anew() -> None:
    task = Task(
        key="t",
        verb="go to",
        assignee="TAK-1",
        issued_by=f"umaa:{BOAT}",
        request="17",
        points=[Point(lat_deg=1, lon_deg=2)],
    )
    told = {one.field: one for one in UmaaGateway().encode(task, AT).ledger.dropped}
    assert {field: one.reason for field, one in told.items()} == {
        "task.assignee": "made anew",
        "task.request": "made anew",
        "task.points": "no code",
    }


def test_a_task_goes_and_its_status_comes_back_under_the_same_key() -> None:
    issued = Task(
        key="task:17",
        verb="go to",
        assignee=f"umaa:{BOAT}",
        issued_by="fin-low",
        request="17",
        points=[Point(lat_deg=1, lon_deg=2)],
    )
    ours, theirs = UmaaGateway(), UmaaGateway()
    [heard] = [one for message in ours.encode(issued, AT).messages for one in theirs.feed(message, AT)]
    assert isinstance(heard.entity, Task)
    assert (heard.entity.assignee, heard.entity.points) == (f"umaa:{BOAT}", [Point(lat_deg=1, lon_deg=2, depth_m=0)])
    for state in ("accepted", "executing", "completed", "failed", "cancelled"):
        told = Task(
            key=heard.entity.key,
            verb="go to",
            assignee=heard.entity.assignee,
            state=state,
            request=heard.entity.request,
        )
        [message] = theirs.encode(told, AT).messages
        answer = ours.feed(message, AT)[0].entity
        assert isinstance(answer, Task)
        assert (answer.state, answer.key, answer.request) == (state, heard.entity.key, heard.entity.request)
    assert heard.entity.request == unpack_session(ours.encode(issued, AT).messages[0])


def unpack_session(message: bytes) -> object:
    return flat(unpacked(message)[1])["sessionID"]


def test_halves_of_lists_are_bounded_and_given_up_in_the_end() -> None:
    tally = Tally()
    lists = Lists(tally)
    for number in range(LONGEST * 20):
        tally.seen += 1
        members = {"listID": str(number // (LONGEST + 100)), "elementID": str(number)}
        assert lists.push("GlobalWaypointCommandWaypointsListElement", members) is None
        assert tally.waiting <= 4096
    assert tally.dropped["too long"] >= 100
    assert tally.dropped["incomplete"] >= LONGEST
    lists.close()
    assert tally.waiting == 0
    for number in range(200):
        tally.seen += 1
        lists.push("GlobalWaypointCommandWaypointsListElement", {"listID": str(number), "elementID": "1"})
    assert tally.waiting == 64


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "no such encoding"),
        (b"\x00\x03\x00\x00" + bytes(400), "no such encoding"),
        (b"\x00\x01\x00\x00" + bytes(3), "no such encoding"),
        (b"\x00\x01\x00\x00" + bytes(40), "undecodable"),
        (b"\x00\x09\x00\x00\xff\xff\xff\xff" + bytes(400), "undecodable"),
        (b"\x00\x01\x00\x00" + b"\xff" * 400, "undecodable"),
    ],
)
def test_cdr_that_is_none_is_counted_by_its_reason(payload: bytes, reason: str) -> None:
    gateway = UmaaGateway()
    for name in TOPICS:
        assert gateway.feed(sealed(name, payload), AT) == ()
    assert set(gateway.tally.dropped) <= {reason, "undecodable", "no such encoding", "no source"}
    assert gateway.tally.dropped[reason] > 0


def test_lengths_that_lie_are_not_believed() -> None:
    [contact] = SPECIMENS["a contact"]
    envelope = opened(contact)
    at = envelope.payload.index(struct.pack("<I", 2) + bytes.fromhex(BOAT.replace("-", ""))[:15])
    for count in (3, 33, 2**31, 2**32 - 1):
        gateway = UmaaGateway()
        lying = envelope.payload[:at] + struct.pack("<I", count) + envelope.payload[at + 4 :]
        assert gateway.feed(sealed(envelope.key, lying), AT) == ()
        assert gateway.tally.dropped == {"undecodable": 1}


def test_other_bytes_are_not_familiar() -> None:
    assert all(OFFERED.familiar(message) for message in MESSAGES)
    assert not any(map(OFFERED.familiar, (b"", b"!AIVDM", sealed("track/a/status", b"{}"), b"\xfd" * 40)))
    assert topics().keys() == topics("appendable").keys() == TOPICS.keys()


@given(st.sampled_from(sorted(TOPICS)), st.binary(max_size=300))
def test_random_bytes_are_refused(topic: str, data: bytes) -> None:
    gateway = UmaaGateway()
    gateway.feed(data, AT)
    gateway.feed(sealed(topic, b"\x00\x01\x00\x00" + data), AT)
    gateway.close()
    assert gateway.tally.seen == 2 == gateway.tally.carried + gateway.tally.dropped.total()
    assert set(gateway.tally.dropped) <= REASONS


@given(st.integers(0, 2**32))
def test_mutated_specimens_are_counted_and_never_raised(seed: int) -> None:
    fuzz(random.Random(seed), 3)


@pytest.mark.slow
def test_a_hundred_thousand_mutations_leave_nothing_behind() -> None:
    fuzz(random.Random(1), 1000)
    tracemalloc.start()
    fuzz(random.Random(2), 2000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 60_000_000  # the ledgers of 2,048 shapes and as many ids
    fuzz(random.Random(3), 100_000)


def fuzz(chance: random.Random, times: int) -> None:
    gateway = UmaaGateway()
    for _ in range(times):
        for decoded in gateway.feed(mutated(chance.choice(MESSAGES), chance), AT):
            gateway.encode(decoded.entity, AT)
    gateway.close()
    tally = gateway.tally
    assert tally.seen == tally.carried + tally.dropped.total() == times
    assert set(tally.dropped) <= REASONS


def mutated(message: bytes, chance: random.Random) -> bytes:
    envelope = opened(message)
    data = bytearray(envelope.payload)
    for _ in range(chance.randint(1, 4)):
        at, kind = chance.randrange(len(data)), chance.randrange(4)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randint(1, 20)]
        elif kind == 2:
            data[at : at + 4] = struct.pack("<I", chance.choice((0, 1, 33, 2**16, 2**31, 2**32 - 1)))
        else:
            data[at : at + 8] = struct.pack("<d", chance.choice((math.nan, math.inf, -1e300, 91.0)))
        if not data:
            data += b"\0"
    whole = sealed(envelope.key, bytes(data))
    return whole if chance.random() < 0.9 else whole[: chance.randrange(len(whole))]
