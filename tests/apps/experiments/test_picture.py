import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.entity import (
    GROUPS,
    Identity,
    Motion,
    Original,
    Position,
    Remainder,
    Residue,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
    Voyage,
)
from aldis.apps.experiments.kinds import TRACK, portion_of
from aldis.apps.experiments.picture import Picture
from aldis.apps.experiments.playback import play

START = 1_700_000_000_000
HERE = Position(lat_deg=59.9, lon_deg=24.5, accurate=True)


def report(
    at_s: float = 0,
    key: str = "mmsi:230123456",
    station: str | None = "992190917",
    protocol: str = "ais",
    **groups: Any,
) -> Track:
    received = START + round(at_s * 1000)
    groups.setdefault("timing", Timing(received_us=1000 * received))
    return Track(key=key, sensor=Sensor(protocol=protocol, received_ms=received, station=station), **groups)


def fused(*reports: Track) -> Track:
    picture = Picture()
    for one in reports:
        track = picture.update(one)
    return track


def north(metres: float, **more: Any) -> Position:
    return msgspec.structs.replace(HERE, lat_deg=HERE.lat_deg + metres / 111_195, **more)


def place(track: Track) -> tuple[float, float]:
    assert track.position is not None
    return track.position.lat_deg, track.position.lon_deg


def suspect(track: Track) -> bool:
    assert track.position is not None
    return track.position.suspect is True


def test_groups_add_up_and_each_keeps_its_time() -> None:
    track = fused(
        report(0, position=HERE),
        report(5, identity=Identity(name="HOOGE"), type=Type(station="class A")),
        report(9, identity=Identity(callsign="ZDHM4")),
        report(11, voyage=Voyage(destination="KOTKA")),
    )
    assert track.position == msgspec.structs.replace(HERE, at=START)
    assert track.identity == Identity(at=START + 9000, name="HOOGE", callsign="ZDHM4")
    assert track.voyage == Voyage(at=START + 11_000, destination="KOTKA")
    assert track.type is not None and track.type.station == "class A"
    assert track.sensor is not None and track.sensor.reports == 4


def test_a_late_report_changes_nothing_but_the_count() -> None:
    now = fused(report(10, position=HERE), report(4, position=north(100), station="2"))
    assert now.position == msgspec.structs.replace(HERE, at=START + 10_000)
    assert now.sensor is not None and now.sensor.received_ms == START + 10_000
    assert (now.sensor.reports, now.sensor.stations) == (2, ["992190917", "2"])


def test_a_late_group_leaves_newer_ones_and_a_group_unheard_is_taken_however_late() -> None:
    late = report(20, position=north(100, at=START), motion=Motion(at=START, speed_mps=3.0))
    now = fused(report(10, position=HERE), late)
    assert now.position is not None and now.position.at == START + 10_000
    assert now.motion == Motion(at=START, speed_mps=3.0)


def test_a_clock_that_ran_ahead_does_not_freeze_a_track() -> None:
    assert place(fused(report(86_400, position=HERE), report(0, position=north(50)))) == place(
        Track(key="", position=north(50))
    )


@pytest.mark.parametrize("off_s", [86_400, 3600, -3600, -1_700_000_000])
def test_a_wrong_clock_is_kept_as_said_doubted_and_never_dates_a_group(off_s: int) -> None:
    picture = Picture()
    for second in range(3):
        said = START + 1000 * (second + off_s)
        timing = Timing(source_us=1000 * said, received_us=1000 * (START + 1000 * second))
        track = picture.update(report(second, position=north(5 * second, at=said), timing=timing))
        assert track.position is not None and track.position.at == START + 1000 * second
        assert track.timing == timing
        assert track.sensor is not None and track.sensor.doubts == ["its clock is wrong"]
    assert place(track) == place(Track(key="", position=north(10)))


def test_a_clock_set_back_holds_a_track_for_a_minute_at_most() -> None:
    picture = Picture()
    picture.update(report(0, position=north(0, at=START)))
    for second in range(1, 70):
        said = START + 1000 * (second - 300)
        track = picture.update(report(second, position=north(second, at=said)))
    assert place(track) == place(Track(key="", position=north(69)))


def test_a_delay_of_minutes_is_no_wrong_clock() -> None:
    track = fused(report(300, position=north(0, at=START)))
    assert track.position is not None and track.position.at == START
    assert track.sensor is not None and track.sensor.doubts is None


def test_an_impossible_jump_is_kept_and_flagged_until_the_track_is_steady_again() -> None:
    picture = Picture()
    assert not suspect(picture.update(report(0, position=HERE)))
    assert not suspect(picture.update(report(10, position=north(300))))
    away = picture.update(report(20, position=north(50_000)))
    assert suspect(away)
    assert place(away) == place(Track(key="", position=north(50_000)))
    assert (portion_of(away, "position") or {})["suspect"] is True
    steady = picture.update(report(30, position=north(50_100)))
    assert not suspect(steady)
    assert "suspect" not in (portion_of(steady, "position") or {})


def test_an_aircraft_may_move_as_a_ship_may_not() -> None:
    ends = 0, 60
    positions = [report(at, position=north(150 * at)) for at in ends]
    assert suspect(fused(*positions))
    flying = [msgspec.structs.replace(one, type=Type(station="aircraft")) for one in positions]
    assert not suspect(fused(*flying))


def test_a_place_that_is_none_is_left_out_and_counted() -> None:
    picture = Picture()
    picture.update(report(0, position=HERE))
    for lat, lon in ((float("nan"), 0.0), (float("inf"), 0.0), (0.0, 181.0), (-90.1, 0.0)):
        track = picture.update(report(1, position=Position(lat_deg=lat, lon_deg=lon)))
    assert track.position is not None and track.position.at == START
    assert picture.impossible == 4


def test_what_one_message_does_not_say_another_does_until_it_is_stale() -> None:
    picture = Picture()
    picture.update(report(0, motion=Motion(speed_mps=4.0, course_deg=90.0), position=north(0, height_m=20.0)))
    turned = picture.update(report(1, motion=Motion(heading_deg=80.0), position=north(4)))
    assert turned.motion == Motion(at=START + 1000, speed_mps=4.0, course_deg=90.0, heading_deg=80.0)
    assert turned.position is not None and turned.position.height_m == 20.0
    much_later = picture.update(report(90, motion=Motion(heading_deg=70.0), position=north(300)))
    assert much_later.motion == Motion(at=START + 90_000, heading_deg=70.0)
    assert much_later.position is not None and much_later.position.height_m is None


def test_what_belongs_to_one_fix_goes_with_it_and_a_depth_ends_a_height() -> None:
    original = Original(frame="msl", datum="WGS-84", values=(59.9, 24.5, 2.0))
    first = north(0, height_m=20.0, original=original)
    track = fused(report(0, position=first), report(1, position=Position(lat_deg=59.9, lon_deg=24.5, depth_m=3.0)))
    assert track.position == Position(lat_deg=59.9, lon_deg=24.5, depth_m=3.0, at=START + 1000)


def test_a_new_code_ends_the_words_of_the_one_before() -> None:
    first = Type(ship_type=70, ship_type_text="cargo ship", length_m=90.0)
    track = fused(report(0, type=first), report(1, type=Type(ship_type=38)))
    assert track.type is not None
    assert (track.type.ship_type, track.type.ship_type_text, track.type.length_m) == (38, None, 90.0)


def test_two_names_for_one_key_are_both_shown() -> None:
    track = fused(*(report(n, identity=Identity(name=name)) for n, name in enumerate(["HOOGE", "HOOGE", "AMBAL"])))
    assert track.identity is not None
    assert (track.identity.name, track.identity.other_names) == ("AMBAL", ["HOOGE"])


def test_the_picture_is_bounded_and_forgets_who_was_silent_longest() -> None:
    picture = Picture(limit=2)
    for number in (1, 2, 1, 3):
        picture.update(report(key=f"mmsi:{number}", identity=Identity(mmsi=number)))
    assert [track.key for track in picture] == ["mmsi:1", "mmsi:3"]
    assert (len(picture), picture.forgotten, picture.get("mmsi:2")) == (2, 1, None)
    assert picture._doubts._watched.keys() == {"mmsi:1", "mmsi:3"}
    assert len(picture._doubts._claims) == 2


def test_a_flood_on_one_key_stays_bounded() -> None:
    picture = Picture()
    for n in range(300):
        residue = Residue(parts=[Remainder(protocol="x", field=f"f{n}", data="A" * 60_000)])
        seen = report(
            n, str(n % 7), identity=Identity(name=f"N{n}", mmsi=n), position=north(5000 * n), residue=residue,
            station=f"s{n}",
        )  # fmt: skip
        track = picture.update(seen, f"peer {n}")
    assert track.identity is not None and len(track.identity.other_names or ()) <= 8
    assert track.residue is not None and sum(len(part.data) for part in track.residue.parts) <= 128 * 1024
    assert track.sensor is not None and len(track.sensor.stations or ()) == 8
    for watched in picture._doubts._watched.values():
        assert max(len(watched.places), len(watched.voices)) <= 4
    assert len(picture._doubts._claims) == 14


def test_residue_of_each_place_is_the_latest() -> None:
    def part(field: str, data: str) -> Remainder:
        return Remainder(protocol="x", field=field, data=data)

    track = fused(
        report(0, residue=Residue(parts=[part("a", "1"), part("b", "2")])),
        report(1, residue=Residue(parts=[part("a", "3")])),
    )
    assert track.residue == Residue(parts=[part("b", "2"), part("a", "3")])


def test_unknown_portions_are_left_out() -> None:
    track = fused(report(status=Status(mode=None), identity=Identity(mmsi=230123456)))
    known = {name for name in GROUPS if portion_of(track, name)}
    assert known == {"identity", "sensor", "status", "timing"}
    assert portion_of(track, "identity") == {"at": START, "mmsi": 230123456}
    assert portion_of(track, "voyage") is None


TEXT = st.none() | st.text("ABC", min_size=1, max_size=5)
SPEED = st.none() | st.floats(0, 50)
PARTS = st.fixed_dictionaries(
    {
        "position": st.none() | st.builds(Position, lat_deg=st.floats(-90, 90), lon_deg=st.floats(-180, 180)),
        "motion": st.none() | st.builds(Motion, speed_mps=SPEED, heading_deg=SPEED),
        "identity": st.builds(Identity, mmsi=st.just(230123456), name=TEXT, callsign=TEXT),
        "type": st.none() | st.builds(Type, ship_type=st.none() | st.integers(0, 255)),
        "voyage": st.none() | st.builds(Voyage, destination=TEXT),
    }
)


@given(st.lists(st.tuples(st.integers(0, 2000), st.sampled_from("ab"), PARTS), min_size=1, max_size=12))
def test_only_identity_says_who_and_only_sensor_says_who_heard(steps: list[tuple[int, str, dict[str, Any]]]) -> None:
    picture = Picture()
    for at, peer, groups in steps:
        track = picture.update(report(at, **groups), peer)
    for name in TRACK.portions:
        value = portion_of(track, name)
        text = json.dumps(value)
        assert ("230123456" in text) == (name == "identity")
        assert ("992190917" in text) == (name == "sensor")
        assert value is None or None not in value.values()


@given(st.lists(PARTS, min_size=1, max_size=8))
def test_of_reports_in_their_order_the_last_that_spoke_is_believed(steps: list[dict[str, Any]]) -> None:
    track = fused(*(report(at, **groups) for at, groups in enumerate(steps)))
    for name in ("position", "motion", "identity", "type", "voyage"):
        said = [group for groups in steps if (group := groups[name]) is not None]
        known = getattr(track, name)
        assert (known is None) == (not said)
        for one in said[0].__struct_fields__ if said else ():
            latest = next((value for group in said[::-1] if (value := getattr(group, one)) is not None), None)
            if latest is not None:
                assert getattr(known, one) == latest


@settings(max_examples=25)
@given(st.lists(st.tuples(st.from_type(Track), st.sampled_from(["a", "b"])), max_size=4))
def test_whatever_comes_is_taken_without_a_fault(reports: list[tuple[Track, str]]) -> None:
    picture = Picture(limit=3)
    for seen, peer in reports:
        track = picture.update(seen, peer)
        assert picture.get(seen.key) is track
        place = track.position
        assert place is None or (abs(place.lat_deg) <= 90 and abs(place.lon_deg) <= 180)
    assert len(picture) <= 3


def test_the_recording_fuses_to_its_vessels(porkkala: Path) -> None:
    picture = Picture()
    for one in play(porkkala, 0):
        if isinstance(one.entity, Track):
            picture.update(one.entity)
    vessels = [t for t in picture if t.type and t.type.station in ("class A", "class B") and t.position]
    assert len(picture) == 122, "121 heard by AIS, and the vessel whose instruments heard them"
    assert len(vessels) == 95
    assert not [t.key for t in picture if t.position and t.position.suspect]
    assert not [t.key for t in picture if t.identity and t.identity.other_names]
    assert not [t.key for t in picture if t.sensor and t.sensor.doubts]


def test_of_the_danish_stream_few_are_doubted(dma_stream: Path) -> None:
    picture = Picture()
    for one in play(dma_stream, 0):
        if isinstance(one.entity, Track):
            picture.update(one.entity)
    assert len(picture) == 1847
    doubted = {t.key: t.sensor.doubts for t in picture if t.sensor and t.sensor.doubts}
    assert len(doubted) < 20, doubted


SAID = st.fixed_dictionaries(
    {},
    optional={
        "position": st.sampled_from([HERE, north(50), north(90_000), north(3, height_m=4.0)]),
        "motion": st.sampled_from([Motion(speed_mps=3.0), Motion(course_deg=4.0, turning="port")]),
        "identity": st.sampled_from(
            [Identity(mmsi=230123456), Identity(name="PETREL"), Identity(name="HOOGE", callsign="OH1")]
        ),
        "type": st.sampled_from([Type(station="class A"), Type(ship_type=70), Type(ship_type_text="x", length_m=9.0)]),
        "status": st.sampled_from([Status(nav_status="moored"), Status(mode="AUTO", at=START + 400)]),
        "voyage": st.sampled_from([Voyage(destination="KOTKA"), Voyage(draught_m=3.5)]),
    },
)


@given(st.lists(st.tuples(st.sampled_from([0, 0.1, 1, 70, -2]), st.sampled_from(["1", "2", None]), SAID), max_size=25))
def test_what_is_said_again_is_taken_in_as_if_it_were_worked_out(
    reports: list[tuple[float, str | None, dict[str, Any]]],
) -> None:
    quick, plain, at = Picture(), Picture(), 0.0
    for passed, station, groups in reports:
        at += passed
        one = report(at, station=station, **groups)
        for known in plain._known.values():
            known.again.clear()
        assert quick.update(one, station or "") == plain.update(one, station or "")
