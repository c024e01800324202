import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.gateways.observation import Identity, Kind, Observation, Position, Source, Voyage
from aldis.apps.experiments.gateways.stream import read_file
from aldis.apps.experiments.track import PORTIONS, Picture, Track, distance_m

START = 1_700_000_000_000
HERE = Position(59.9, 24.5, accurate=True, speed_mps=5.0)


def report(
    at_s: float = 0,
    mmsi: int = 230123456,
    station: str | None = "992190917",
    kind: Kind | None = "class A",
    **groups: Any,
) -> Observation:
    source = Source("ais", START + round(at_s * 1000), station, country=219, channel="A")
    return Observation(mmsi, source, kind, **groups)


def fused(*reports: Observation) -> Track:
    picture = Picture()
    for one in reports:
        track = picture.update(one)
    return track


def north(metres: float) -> Position:
    return replace(HERE, lat_deg=HERE.lat_deg + metres / 111_195)


def test_groups_add_up_and_each_keeps_its_time() -> None:
    track = fused(
        report(0, position=HERE),
        report(5, identity=Identity(name="HOOGE"), kind=None),
        report(9, identity=Identity(callsign="ZDHM4")),
        report(11, voyage=Voyage(destination="KOTKA")),
    )
    assert track.identity == Identity(name="HOOGE", callsign="ZDHM4")
    assert (track.position_ms, track.identity_ms, track.voyage_ms) == (START, START + 9000, START + 11000)
    assert (track.kind, track.reports) == ("class A", 4)


def test_a_late_report_changes_nothing_but_the_count() -> None:
    now = fused(report(10, position=HERE), report(4, position=north(100), station="2"))
    assert (now.position, now.position_ms, now.source.received_ms) == (HERE, START + 10_000, START + 10_000)
    assert (now.reports, now.stations) == (2, ("992190917", "2"))


def test_a_clock_that_ran_ahead_does_not_freeze_a_track() -> None:
    assert fused(report(86_400, position=HERE), report(0, position=north(50))).position == north(50)


def test_an_impossible_jump_is_kept_and_flagged_until_the_track_is_steady_again() -> None:
    picture = Picture()
    assert not picture.update(report(0, position=HERE)).suspect
    assert not picture.update(report(10, position=north(300))).suspect
    away = picture.update(report(20, position=north(50_000)))
    assert away.suspect
    assert away.position == north(50_000)
    assert away.portions()["position"]["suspect"] is True
    assert not picture.update(report(30, position=north(50_100))).suspect


def test_an_aircraft_may_move_as_a_ship_may_not() -> None:
    positions = report(0, position=HERE), report(60, position=north(9000))
    assert fused(*positions).suspect
    assert not fused(*(replace(p, kind="aircraft") for p in positions)).suspect


def test_two_names_for_one_mmsi_are_both_shown() -> None:
    track = fused(*(report(n, identity=Identity(name=name)) for n, name in enumerate(["HOOGE", "HOOGE", "AMBAL"])))
    assert track.names == ("HOOGE", "AMBAL")
    assert track.portions()["identity"]["other_names"] == ["HOOGE"]


def test_the_picture_is_bounded_and_forgets_who_was_silent_longest() -> None:
    picture = Picture(limit=2)
    for mmsi in (1, 2, 1, 3):
        picture.update(report(mmsi=mmsi))
    assert [track.mmsi for track in picture] == [1, 3]
    assert (len(picture), picture.forgotten, picture.get(2)) == (2, 1, None)


def test_unknown_portions_are_left_out() -> None:
    assert set(fused(report()).portions()) == {"identity", "sensor"}
    assert fused(report()).portions()["identity"] == {"mmsi": 230123456, "kind": "class A"}


TEXT = st.none() | st.text("ABC", min_size=1, max_size=5)
GROUPS = st.fixed_dictionaries(
    {
        "position": st.none() | st.builds(Position, st.floats(-90, 90), st.floats(-180, 180), st.booleans()),
        "identity": st.none() | st.builds(Identity, TEXT, TEXT, st.none(), st.none() | st.integers(0, 255)),
        "voyage": st.none() | st.builds(Voyage, TEXT),
    }
)


@given(st.lists(st.tuples(st.integers(0, 2000), GROUPS), min_size=1, max_size=12))
def test_only_identity_says_who_and_only_sensor_says_who_heard(steps: list[tuple[int, dict[str, Any]]]) -> None:
    track = fused(*(report(at, **groups) for at, groups in steps))
    portions = track.portions()
    assert set(portions) <= set(PORTIONS)
    for name, value in portions.items():
        text = json.dumps(value)
        assert ("230123456" in text) == (name == "identity")
        assert ("992190917" in text) == (name == "sensor")
        assert None not in value.values()


def test_distances_agree_with_the_nautical_mile() -> None:
    assert abs(distance_m(HERE, replace(HERE, lat_deg=60.9)) - 60 * 1852) < 100
    assert distance_m(HERE, HERE) == 0


def test_the_recording_fuses_to_its_vessels(porkkala: Path) -> None:
    picture = Picture()
    for one in read_file(porkkala, arrived_ms=0):
        picture.update(one)
    assert len(picture) == 121
    assert len([t for t in picture if t.kind in ("class A", "class B") and t.position]) == 95
    assert not [t.mmsi for t in picture if t.suspect or len(t.names) > 1]
