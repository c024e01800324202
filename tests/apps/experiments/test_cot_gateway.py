import random
import tracemalloc
from base64 import b64encode
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from aldis.apps.experiments.entity import (
    Approximated,
    Area,
    Carried,
    Dropped,
    Entity,
    Environment,
    Identity,
    Mapped,
    Motion,
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
from aldis.apps.experiments.gateways.cot import OFFERED
from aldis.apps.experiments.gateways.cot.gateway import CotGateway
from aldis.apps.experiments.gateways.cot.scanner import Node, scan
from aldis.apps.experiments.gateways.cot.specimens import EVENTS
from aldis.apps.experiments.gateways.cot.times import date_text, micros
from aldis.apps.experiments.gateways.gateway import Damaged

AT_US = 1_773_480_415_000_000
SPECIMENS = {specimen.name: specimen.messages[0] for specimen in OFFERED.specimens()}
PLAIN = (
    '<event version="2.0" uid="U-1" type="a-f-S-X" how="m-g" time="2026-03-14T09:26:53.589793Z" '
    'start="2026-03-14T09:26:53.589793Z" stale="2026-03-14T09:28:53.589793Z">'
    '<point lat="59.85" lon="24.45" hae="18.3" ce="4.5" le="9.0"/>'
    '<detail><contact callsign="PETREL"/><track speed="4.2" course="213.7"/></detail></event>'
)


def fed(data: bytes | str) -> tuple[Entity, CotGateway]:
    gateway = CotGateway()
    (decoded,) = gateway.feed(data.encode() if isinstance(data, str) else data, AT_US)
    return decoded.entity, gateway


def track(data: bytes | str) -> Track:
    entity, _ = fed(data)
    assert isinstance(entity, Track)
    return entity


def dropped(data: bytes) -> dict[str, int]:
    gateway = CotGateway()
    assert not gateway.feed(data, AT_US)
    gateway.close()
    assert gateway.tally.waiting == 0
    return dict(gateway.tally.dropped)


def paths(entity: Entity) -> set[str]:
    """Every field of an entity that is there, as a ledger names it."""
    found = set()
    for name in entity.__struct_fields__:
        value = getattr(entity, name)
        if hasattr(value, "__struct_fields__"):
            found |= {f"{name}.{one}" for one in value.__struct_fields__ if getattr(value, one) is not None}
        elif value is not None and not (isinstance(entity, Track) and name == "key"):
            found.add(f"{type(entity).__name__.lower()}.{name}")
    return found


@pytest.mark.parametrize("name", EVENTS)
def test_every_field_comes_back_and_is_named_once_each_way(name: str) -> None:
    message = SPECIMENS[name]
    gateway = CotGateway()
    (decoded,) = gateway.feed(message, AT_US)
    before = OFFERED.fields([message])
    said = [entry.field for entry in decoded.ledger.entries]
    assert sorted(said) == sorted(before)
    encoded = gateway.encode(decoded.entity, AT_US)
    assert OFFERED.fields(encoded.messages) == before
    said = [entry.field for entry in encoded.ledger.entries]
    assert len(said) == len(set(said))
    assert set(said) == paths(decoded.entity)
    assert (gateway.tally.seen, gateway.tally.carried) == (1, 1)


def canonical(data: bytes) -> list[object]:
    """An event as lxml reads it, whatever the order of attributes and of the detail's elements."""

    def seen(element: Any) -> list[object]:
        text = (element.text or "").strip()
        return [element.tag, sorted(element.attrib.items()), text, sorted(map(seen, element), key=repr)]

    return seen(etree.fromstring(data, etree.XMLParser(resolve_entities=False)))


@pytest.mark.parametrize("name", EVENTS)
def test_what_is_written_is_the_same_xml_to_lxml(name: str) -> None:
    entity, gateway = fed(SPECIMENS[name])
    assert canonical(gateway.encode(entity, AT_US).messages[0]) == canonical(SPECIMENS[name])


def test_a_track_has_what_its_event_says() -> None:
    one = track(SPECIMENS["track"])
    assert one.key == "cot:TAK-USV-7"
    assert one.position == Position(
        lat_deg=59.8512345,
        lon_deg=24.4567891,
        at=1_773_480_413_589,
        height_m=18.31,
        accuracy_m=4.5,
        height_accuracy_m=9.25,
    )
    assert one.markings is not None
    assert (one.markings.caveat, one.markings.releasable_to) == ("FVEY", "AUS GBR USA")
    assert one.timing is not None
    assert one.timing.source_us == 1_773_480_413_589_793
    assert one.motion is not None
    assert one.motion.climb_mps == pytest.approx(0.185559, abs=1e-6)
    assert one.type is not None
    assert (one.type.cot, one.type.affiliation) == ("a-f-S-X-M", "friend")
    assert one.residue is not None
    assert "detail/_flow-tags_" in {part.field for part in one.residue.parts}


@pytest.mark.parametrize("unknown", ["9999999.0", "9999999", "999999", "999999.0", "9.999999e6"])
def test_the_sentinels_of_both_spellings_are_unknown_and_listed(unknown: str) -> None:
    text = PLAIN.replace("18.3", unknown).replace('ce="4.5"', f'ce="{unknown}"').replace('le="9.0"', 'le="0"')
    (decoded,) = CotGateway().feed(text.encode(), AT_US)
    assert isinstance(decoded.entity, Track)
    place = decoded.entity.position
    assert place is not None
    assert (place.height_m, place.accuracy_m, place.height_accuracy_m) == (None, None, None)
    lost = {entry.field for entry in decoded.ledger.dropped if entry.reason == "unknown value"}
    assert lost == {"point@hae", "point@ce", "point@le"}


def test_nowhere_is_no_place_in_the_gulf_of_guinea() -> None:
    point = '<point lat="0.0" lon="0.0" hae="9999999.0" ce="9999999.0" le="9999999.0"/>'
    one = track(PLAIN.replace('<point lat="59.85" lon="24.45" hae="18.3" ce="4.5" le="9.0"/>', point))
    assert one.position is None
    back = CotGateway().encode(one, AT_US).messages[0]
    assert point.encode() in back


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('speed="4.2"', 'speed="fast"', "detail/track@speed"),
        ('speed="4.2"', 'speed="nan"', "detail/track@speed"),
        ('speed="4.2"', 'speed="null"', "detail/track@speed"),
        ('speed="4.2"', 'speed="1_0"', "detail/track@speed"),
        ('hae="18.3"', 'hae="-inf"', "point@hae"),
        ("2026-03-14T09:28:53.589793Z", "soon", "event@stale"),
        ('course="213.7"', 'course="213.7" slope="95"', "detail/track@slope"),
    ],
)
def test_a_value_that_says_nothing_is_kept_aside_and_named(old: str, new: str, field: str) -> None:
    gateway = CotGateway()
    for _ in range(2):  # by the scan, and by the shape
        (decoded,) = gateway.feed(PLAIN.replace(old, new).encode(), AT_US)
        assert Dropped(field, "not decoded", "kept as residue") in decoded.ledger.entries
        assert isinstance(decoded.entity, Track)
        assert decoded.entity.residue is not None
        assert [part.field for part in decoded.entity.residue.parts] == [field]


def test_the_short_cut_says_what_the_scan_says() -> None:
    gateway = CotGateway()
    for number in range(5):
        text = PLAIN.replace("59.85", f"59.85{number}").replace("PETREL", f"P&amp;{number}" if number == 3 else "T\xe4")
        (quick,) = gateway.feed(text.encode(), AT_US)
        (slow,) = gateway.feed(text.replace("<detail>", f"<detail><!-- {random.random()} -->").encode(), AT_US)
        assert quick == slow


@given(
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    text=st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20),
    speed=st.floats(0, 1e6)
    | st.sampled_from(["1e3", "+4", ".5", "007", " 2 ", "0x10", "-0", "5e-324", "1e400", "[1]"]),
)
def test_the_short_cut_reads_numbers_and_text_as_python_does(
    lat: float, lon: float, text: str, speed: float | str
) -> None:
    marks = [("59.85", repr(lat)), ("24.45", repr(lon)), ("4.2", str(speed))]
    said = etree.Element("x", callsign=text)
    quoted = etree.tostring(said, encoding="unicode").partition('"')[2].rpartition('"')[0]
    event = PLAIN.replace("PETREL", quoted)
    for old, new in marks:
        event = event.replace(f'="{old}"', f'="{new}"')
    gateway = CotGateway()
    (first,) = gateway.feed(PLAIN.encode(), AT_US)
    (decoded,) = gateway.feed(event.encode(), AT_US)
    one = decoded.entity
    assert isinstance(one, Track)
    assert isinstance(first.entity, Track)
    assert one.position is not None
    assert (one.position.lat_deg, one.position.lon_deg) == (lat, lon)
    assert one.identity is not None
    assert one.identity.callsign == text.translate({9: " ", 10: " ", 13: " "})
    try:
        wanted = float(speed)
    except ValueError:
        wanted = float("inf")
    assert one.motion is not None
    assert one.motion.speed_mps == (wanted if wanted != float("inf") else None)


@given(st.integers(0, 253_402_300_799_000_000))
def test_times_come_back_to_the_microsecond(us: int) -> None:
    assert micros(date_text(us)) == us


def test_times_may_have_a_zone_and_any_number_of_digits() -> None:
    assert micros("2026-03-14T11:26:53+02:00") == micros("2026-03-14T09:26:53Z") == micros("2026-03-14T09:26:53.0")
    assert micros("2026-03-14T09:26:53.1234567Z") == micros("2026-03-14T09:26:53.123456Z")
    for bad in (
        "",
        "2026-03-14",
        "2026-02-30T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-03-14T09:26:53.Z",
        "\u0661" * 27,
    ):
        with pytest.raises(ValueError, match=r".*"):
            micros(bad)


HOSTILE = {
    "a document type": b'<!DOCTYPE event [<!ENTITY a "b">]>' + PLAIN.encode(),
    "an entity": PLAIN.replace("PETREL", "&a;").encode(),
    "a bare ampersand": PLAIN.replace("PETREL", "A&B").encode(),
    "an instruction": PLAIN.replace("<detail>", "<detail><?php x?>").encode(),
    "a wrong end": PLAIN.replace("</detail>", "</detial>").encode(),
    "an attribute twice": PLAIN.replace('uid="U-1"', 'uid="U-1" uid="U-2"').encode(),
    "an angle in a value": PLAIN.replace("PETREL", "A<B").encode(),
    "a control character": PLAIN.replace("PETREL", "A\x01B").encode(),
    "a reference to one": PLAIN.replace("PETREL", "A&#1;B").encode(),
    "no UTF-8": PLAIN.encode().replace(b"PETREL", b"\xff\xfe"),
    "another encoding": b'<?xml version="1.0" encoding="UTF-16"?>' + PLAIN.encode(),
    "two roots": b"<a/>" + PLAIN.encode(),
    "depth": PLAIN.replace("<detail>", "<detail>" + "<a>" * 5000 + "</a>" * 5000).encode(),
    "many elements": PLAIN.replace("<detail>", "<detail>" + "<a/>" * 9000).encode(),
    "many attributes": PLAIN.replace("<contact", "<contact" + "".join(f' a{n}=""' for n in range(100))).encode(),
    "length": PLAIN.replace("PETREL", "A" * 70_000).encode(),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_xml_is_refused_and_counted(what: str) -> None:
    gateway = CotGateway()
    gateway.feed(PLAIN.encode(), AT_US)  # its shape is known
    assert not gateway.feed(HOSTILE[what], AT_US)
    gateway.close()
    assert (gateway.tally.carried, gateway.tally.dropped.total(), gateway.tally.waiting) == (1, 1, 0)


@pytest.mark.parametrize(
    ("cot", "reason"),
    [
        ("t-x-c-t", "keepalive"),
        ("t-x-c-t-r", "keepalive"),
        ("t-x-takp-v", "protocol negotiation"),
        ("t-x-d-d", "deletion"),
        ("t-k", "unsupported type"),
        ("", "unsupported type"),
    ],
)
def test_events_about_nothing_are_counted(cot: str, reason: str) -> None:
    assert dropped(PLAIN.replace("a-f-S-X", cot).encode()) == {reason: 1}


def test_an_event_must_be_somewhere_and_somebody() -> None:
    assert dropped(PLAIN.replace('uid="U-1"', 'uid=""').encode()) == {"no uid": 1}
    assert dropped(PLAIN.replace('lat="59.85"', "").encode()) == {"no lat": 1}
    assert dropped(PLAIN.replace('lat="59.85"', 'lat="91"').encode()) == {"out of range": 1}


PONG = b'<event version="2.0" type="t-x-d-d" uid="a/>b" how=\'"/\' />'
STREAM = b"".join(SPECIMENS.values()) + PONG + PLAIN.encode() + b"\n\n" + SPECIMENS["chat"].replace(b"?>\n", b"?>")


@settings(max_examples=30)
@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=20))
def test_a_stream_may_be_cut_anywhere(cuts: list[int]) -> None:
    gateway = CotGateway()
    places = [0, *sorted(set(cuts)), len(STREAM)]
    keys = [one.entity.key for start, stop in pairwise(places) for one in gateway.feed(STREAM[start:stop], AT_US)]
    assert len(keys) == len(SPECIMENS) + 2
    gateway.close()
    assert gateway.tally.seen - 1 == gateway.tally.carried == len(keys)
    assert gateway.tally.dropped == {"deletion": 1}


def test_an_event_may_speak_of_its_own_end() -> None:
    odd = PLAIN.replace("<detail>", "<detail><!-- </event> --><remarks><![CDATA[</event>]]></remarks>")
    gateway = CotGateway()
    decoded = [one for start in range(0, len(odd), 7) for one in gateway.feed(odd[start : start + 7].encode(), AT_US)]
    (one,) = decoded
    assert isinstance(one.entity, Track)
    assert one.entity.status is not None
    assert one.entity.status.remarks == "</event>"


def test_an_event_that_broke_off_does_not_take_the_next_with_it() -> None:
    gateway = CotGateway()
    assert len(gateway.feed(PLAIN[:200].encode() + PLAIN.encode() * 2, AT_US)) == 2
    assert gateway.tally.dropped == {"not XML": 1}
    assert gateway.tally.waiting == 0


def test_what_never_ends_is_shed() -> None:
    gateway = CotGateway()
    tracemalloc.start()
    for _ in range(200):
        gateway.feed(b"<event " * 1000, AT_US)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    gateway.feed(b"</event>", AT_US)
    assert len(gateway.feed(PLAIN.encode(), AT_US)) == 1
    gateway.close()
    assert gateway.tally.dropped == {"too large": 1}
    assert gateway.tally.waiting == 0


def test_a_track_of_another_protocol_gets_only_defaults_that_say_so() -> None:
    one = Track(
        key="mmsi:230123456",
        position=Position(lat_deg=60.1, lon_deg=24.9, at=1_773_480_400_000, depth_m=3.0),
        motion=Motion(at=1_773_480_399_000, speed_mps=5.0, heading_deg=11.0, climb_mps=-0.5),
        identity=Identity(mmsi=230123456, name='HOOGE "<2>"', callsign="ZDHM4"),
        type=Type(ship_type=70, affiliation="neutral", mapped=[Mapped(scheme="cot", code="a-u-S-X-M", confidence=0.8)]),
        status=Status(battery_percent=77.5, mode="auto"),
        sensor=Sensor(protocol="ais", received_ms=1, station="992190917"),
        timing=Timing(received_us=5),
        residue=Residue(parts=[Remainder(protocol="ais", field="x", data="AAAA")]),
    )
    gateway = CotGateway()
    encoded = gateway.encode(one, AT_US)
    fields = OFFERED.fields(encoded.messages)
    assert fields["event@uid"] == "MMSI-230123456"
    assert fields["event@type"] == "a-n-S-X-M"
    assert fields["event@how"] == "m-r"
    assert fields["event@time"] == 1_773_480_400_000_000
    assert fields["event@stale"] == 1_773_480_520_000_000
    assert (fields["point@hae"], fields["point@ce"], fields["point@le"]) == ("9999999.0",) * 3
    assert fields["detail/uid@Droid"] == 'HOOGE "<2>"'
    assert {entry.field for entry in encoded.ledger.entries} == paths(one)
    assert Approximated("motion.climb_mps", "detail/track@slope", 1e-9, "m/s") in encoded.ledger.entries
    lost = {entry.field for entry in encoded.ledger.dropped}
    assert {"motion.at", "position.depth_m", "residue.parts", "motion.heading_deg"} <= lost
    assert Approximated("status.battery_percent", "detail/status@battery", 0.5, "%") in encoded.ledger.entries
    assert Carried("identity.mmsi", "event@uid") in encoded.ledger.entries
    (again,) = gateway.feed(encoded.messages[0], AT_US)
    assert isinstance(again.entity, Track)
    assert again.entity.identity is not None
    assert (again.entity.key, again.entity.identity.mmsi) == ("cot:MMSI-230123456", 230123456)
    assert Carried("event@uid", "identity.cot_uid, identity.mmsi") in again.ledger.entries


@pytest.mark.parametrize(
    ("key", "identity", "uid", "read"),
    [
        ("mmsi:2300001", None, "MMSI-002300001", 2300001),
        ("dis:1:2:3", Identity(mmsi=230123456), "MMSI-230123456", 230123456),
        ("cot:mmsi:230123456", Identity(mmsi=230123456), "mmsi:230123456", 230123456),
        ("cot:BUOY", Identity(mmsi=230123456), "BUOY", None),
        ("mmsi:230123456", Identity(cot_uid="BUOY", mmsi=230123456), "BUOY", None),
        ("hidden-1", Identity(mmsi="hidden-2"), "hidden-1", None),
        ("mmsi:000000000", Identity(mmsi=0), "mmsi:000000000", None),
    ],
)
def test_a_uid_holds_the_mmsi_unless_the_track_has_a_uid_of_its_own(
    key: str, identity: Identity | None, uid: str, read: int | None
) -> None:
    encoded = CotGateway().encode(Track(key=key, identity=identity), AT_US)
    assert OFFERED.fields(encoded.messages)["event@uid"] == uid
    again = track(encoded.messages[0])
    assert again.identity is not None
    assert again.identity.mmsi == read
    if identity is not None:
        fates = {entry.field: type(entry) for entry in encoded.ledger.entries}
        assert fates["identity.mmsi"] is (Dropped if read is None else Carried)


def test_a_type_without_a_side_is_of_no_side() -> None:
    for cot, affiliation in (("a-o-S-X-M", None), ("a-o", None), ("a-x-S", "other"), ("a-n-S", "neutral")):
        found = track(PLAIN.replace("a-f-S-X", cot).encode())
        assert found.type is not None
        assert (found.type.cot, found.type.affiliation) == (cot, affiliation)


def test_the_time_of_what_is_not_said_is_not_said() -> None:
    one = Track(
        key="a",
        motion=Motion(at=1_773_480_400_000, heading_deg=4.0, acceleration_mps2=(1.0, 0.0, 0.0)),
        voyage=Voyage(at=1_773_480_400_000, destination="FIHEL"),
        timing=Timing(source_us=1_773_480_400_000_000),
    )
    lost = {entry.field for entry in CotGateway().encode(one, AT_US).ledger.dropped}
    assert {"voyage.at", "voyage.destination", "motion.at", "motion.heading_deg"} <= lost


def test_what_xml_cannot_say_is_dropped_with_the_reason() -> None:
    one = Track(
        key="a\x00b",
        position=Position(lat_deg=1.0, lon_deg=2.0, height_m=float("inf")),
        identity=Identity(callsign="A\x07B", name="x" * 9000, team=""),
        motion=Motion(course_deg=float("nan"), climb_mps=1.0),
        timing=Timing(stale_us=-5),
    )
    encoded = CotGateway().encode(one, AT_US)
    reasons = {entry.field: entry.reason for entry in encoded.ledger.dropped}
    assert reasons == {
        "position.height_m": "out of range",
        "identity.callsign": "not text of this protocol",
        "identity.name": "too long",
        "identity.team": "unknown value",
        "motion.course_deg": "out of range",
        "motion.climb_mps": "no field",
        "timing.stale_us": "out of range",
    }
    assert track(encoded.messages[0]).key == "cot:a_b"


def text64(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("field", "data"),
    [
        ("detail/foo", text64("<foo/><bar/>")),
        ("detail/foo", text64("<foo></detail></foo>")),
        ("detail/foo", text64("<bar/>")),
        ("detail/foo", text64('<!DOCTYPE a><foo a="&b;"/>')),
        ("detail/foo", text64("<foo><a:b/></foo>")),
        ("detail/foo", "no base64!"),
        ("detail/foo><x", text64("<foo/>")),
        ('event@a="1" b', text64("x")),
        ("event@uid", text64("somebody else")),
        ("detail/" + "a/" * 50, text64("<a/>")),
        ("detail/foo@x", text64("a\x01")),
        ("control@contactUid", text64("a")),
    ],
)
def test_residue_that_is_no_xml_of_its_place_is_not_said_again(field: str, data: str) -> None:
    one = track(PLAIN)
    whole = Track(
        key=one.key,
        identity=one.identity,
        residue=Residue(parts=[Remainder(protocol="cot", field=field, data=data)]),
    )
    encoded = CotGateway().encode(whole, AT_US)
    assert [entry.field for entry in encoded.ledger.dropped] == ["identity.at", "residue.parts"]
    assert track(encoded.messages[0]).residue is None


THINGS: Sequence[tuple[Entity, str]] = [
    (Area(key="a:1", shape="point", points=[Point(lat_deg=1, lon_deg=2, height_m=3.0)]), "b-m-p-s-m"),
    (Area(key="a:2", shape="circle", points=[Point(lat_deg=1, lon_deg=2)], radius_m=50.0, name="N"), "u-d-c-c"),
    (Area(key="a:3", shape="line", points=[Point(lat_deg=1, lon_deg=2), Point(lat_deg=3, lon_deg=4)]), "u-d-f"),
    (Area(key="a:4", shape="polygon", points=[Point(lat_deg=n % 2, lon_deg=n // 2) for n in range(4)]), "u-d-f"),
    (Report(key="r:1", text="Raft in sight", author="P7", to=["Cyan"]), "b-t-f"),
    (Report(key="r:2", text="Raft in sight"), "b-t-f"),
    (Report(key="r:3", text="Sinking", author="P7", severity="emergency"), "b-a-o-tbl"),
    (Task(key="t:1", verb="go to", assignee="cot:U-1", points=[Point(lat_deg=1, lon_deg=2)]), "b-m-p-w-GOTO"),
]


@pytest.mark.parametrize(("thing", "cot"), THINGS)
def test_other_things_go_and_come_back(thing: Entity, cot: str) -> None:
    gateway = CotGateway()
    encoded = gateway.encode(thing, AT_US)
    assert OFFERED.fields(encoded.messages)["event@type"] == cot
    assert {entry.field for entry in encoded.ledger.entries} == paths(thing)
    (decoded,) = gateway.feed(encoded.messages[0], AT_US)
    back = decoded.entity
    assert type(back) is type(thing)
    for name in ("shape", "points", "radius_m", "name", "text", "author", "to", "severity", "verb", "assignee"):
        assert getattr(back, name, None) == getattr(thing, name, None)


@pytest.mark.parametrize(
    "thing",
    [
        Environment(key="e:1", wind_mps=4.0),
        Task(key="t:1", verb="survey", assignee="x", points=[Point(lat_deg=1, lon_deg=2)]),
        Task(key="t:2", verb="go to", assignee="x", state="completed", points=[Point(lat_deg=1, lon_deg=2)]),
        Task(key="t:3", verb="go to", assignee="x"),
        Area(key="a:1", shape="polygon", points=[]),
        Report(key="r:1", text="for two", to=["A", "B"]),
    ],
)
def test_what_cot_has_no_event_for_is_not_said_as_another_thing(thing: Entity) -> None:
    encoded = CotGateway().encode(thing, AT_US)
    assert encoded.messages == ()
    assert {entry.field for entry in encoded.ledger.dropped} == paths(thing)


def test_a_message_whose_room_was_not_understood_is_not_sent_to_all() -> None:
    odd = SPECIMENS["chat"].replace(b"<__chat senderCallsign", b"<__chat>x</__chat><a senderCallsign")
    entity, gateway = fed(odd.replace(b"</__chat><link", b"</a><link"))
    assert b"All Chat Rooms" not in gateway.encode(entity, AT_US).messages[0]


def test_a_file_of_another_kind_is_not_familiar() -> None:
    assert all(OFFERED.familiar(message) for message in SPECIMENS.values())
    assert OFFERED.familiar(PLAIN.encode())
    assert not any(OFFERED.familiar(data) for data in (b"", b"<html>", b"\xbf\x01\xbf", b"!AIVDM", b"<events>"))


def flat(node: Node) -> list[object]:
    return [node.name, node.attributes, node.text, [flat(child) for child in node.children]]


def by_expat(text: str) -> list[object] | None:
    """The same tree as expat makes it; None where expat refuses."""
    parser = expat.ParserCreate()
    parser.ordered_attributes = False
    stack: list[list[Any]] = [["", {}, "", []]]

    def start(name: str, attributes: dict[str, str]) -> None:
        node: list[Any] = [name, attributes, "", []]
        stack[-1][3].append(node)
        stack.append(node)

    def data(said: str) -> None:
        stack[-1][2] += said

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = data
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        return None
    return list(stack[0][3][0])


PIECES = st.sampled_from(
    [
        *(
            "<a>",
            "</a>",
            "<b x='1'/>",
            '<b y="&lt;&#65;">',
            "</b>",
            "&amp;",
            "&",
            "text",
            "]]>",
            "<!-- c -->",
            "<",
            ">",
        ),
        *("<![CDATA[<x>]]>", '<c x="1" x="2"/>', "\r\n", "\t", "--", "<!-- - -- -->", '<a b="\n">', "&#0;", "\xe9"),
        *("&#x1F6A2;", "<a b=c>"),
    ]
)


@settings(max_examples=250)
@given(st.lists(PIECES, max_size=12))
def test_the_scanner_reads_as_expat_does_and_accepts_nothing_that_it_refuses(pieces: list[str]) -> None:
    text = "<a>" + "".join(pieces) + "</a>"
    wanted = by_expat(text)
    try:
        found = flat(scan(text))
    except Damaged:
        assert wanted is None
    else:
        assert found == wanted


def mutated(chance: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(out)) if out else 0
        step = chance.randrange(4)
        if step == 0 and out:
            out[place] = chance.randrange(256)
        elif step == 1:
            del out[place : place + chance.randrange(1, 30)]
        elif step == 2:
            out[place:place] = chance.choice([b'"', b"<", b">", b"&", b"</event>", b"9999999.0", b"nan", b"\x00", b"-"])
        else:
            out[place:place] = out[place // 2 : place // 2 + chance.randrange(40)]
    return bytes(out)


def fuzzed(rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    messages = [*SPECIMENS.values(), PLAIN.encode()]
    gateway = CotGateway()
    for number in range(rounds):
        for decoded in gateway.feed(mutated(chance, chance.choice(messages)), AT_US):
            gateway.encode(decoded.entity, AT_US)
        tally = gateway.tally
        assert tally.seen == tally.carried + tally.dropped.total()
        if number % 50 == 0:
            gateway.close()
    assert gateway.tally.carried > rounds // 20


def test_mutated_events_never_stop_it() -> None:
    fuzzed(400, 1)


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=200), max_size=4))
def test_any_bytes_are_counted(pieces: list[bytes]) -> None:
    gateway = CotGateway()
    for piece in pieces:
        gateway.feed(piece, AT_US)
    gateway.close()
    assert gateway.tally.waiting == 0


@pytest.mark.slow
def test_a_hundred_thousand_mutated_events_never_stop_it() -> None:
    tracemalloc.start()
    fuzzed(2_000, 2)
    settled = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert settled < 30_000_000
    fuzzed(100_000, 3)
