"""Dead reckoning: where things come to, how well that is known, and that nothing withheld has any part in it."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from entities import tracks
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import recorder, signer

from aldis.apps.experiments.ahead import EVERY_MS, Ahead
from aldis.apps.experiments.entity import GROUPS, Identity, Motion, Position, Sensor, Status, Track, Type
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.entity.reckoning import FIX, HOW, Reckoned, bound_ms, reckoned, says_so
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered
from aldis.apps.experiments.kinds import entity_of, portion_of
from aldis.apps.experiments.recorder import Taps, messages
from aldis.apps.experiments.scoring.streams import streams
from aldis.kernel.instruments import Action, Transform
from aldis.kernel.transforms import Transformed, apply_transforms

AT = 1_790_000_000_123
SHIP = Track(
    key="mmsi:230123456",
    position=Position(lat_deg=60.0, lon_deg=24.9, at=AT, accuracy_m=5.0),
    motion=Motion(speed_mps=10.0, course_deg=90.0, at=AT),
    identity=Identity(mmsi=230123456, name="HOOGE"),
    type=Type(ship_type=70),
)
SECRET = bytes(range(32))


def ship(position: dict[str, Any] | None = None, motion: dict[str, Any] | None = None, **groups: Any) -> Track:
    assert SHIP.position is not None and SHIP.motion is not None
    place = msgspec.structs.replace(SHIP.position, **position or {})
    moving = msgspec.structs.replace(SHIP.motion, **motion or {})
    return msgspec.structs.replace(SHIP, position=place, motion=moving, **groups)


def after(track: Track, seconds: float) -> tuple[Reckoned, Position]:
    found = reckoned(track, AT + round(1000 * seconds))
    assert found is not None and found.track.position is not None
    return found, found.track.position


def test_it_goes_on_along_its_course_and_says_that_it_is_reckoned() -> None:
    for course, lat, lon in ((0.0, 1, 0), (90.0, 0, 1), (225.0, -1, -1)):
        found, place = after(ship(motion={"course_deg": course}), 100)
        assert distance_m(60.0, 24.9, place.lat_deg, place.lon_deg) == pytest.approx(1000, rel=0.005)
        assert [round(x, 6) and math.copysign(1, x) for x in (place.lat_deg - 60, place.lon_deg - 24.9)] == [lat, lon]
        assert (found.since_ms, place.at) == (AT, AT + 100_000)
        sensor = found.track.sensor
        assert sensor is not None and (sensor.how, sensor.fix) == (HOW, FIX)


def test_places_are_those_of_the_ellipsoid() -> None:
    """One minute of latitude and of longitude at 45 degrees north: 1852.2 m and 1314.2 m (NGA.STND.0036, WGS-84)."""
    north = after(ship({"lat_deg": 45.0}, {"course_deg": 0.0, "speed_mps": 18.522}), 100)[1]
    assert (north.lat_deg - 45) * 60 == pytest.approx(1, abs=1e-4)
    east = after(ship({"lat_deg": 45.0}, {"course_deg": 90.0, "speed_mps": 13.142}), 100)[1]
    assert (east.lon_deg - 24.9) * 60 == pytest.approx(1, abs=1e-4)


def test_a_turn_is_an_arc_that_comes_back_to_where_it_began() -> None:
    turning = {"turn_deg_per_min": 180.0, "course_deg": 0.0}
    half, place = after(ship(motion=turning), 60)
    assert distance_m(60.0, 24.9, place.lat_deg, place.lon_deg) == pytest.approx(2 * 600 / math.pi, rel=0.005)
    assert place.lon_deg > 24.9, "to starboard"
    assert half.track.motion is not None and half.track.motion.course_deg == pytest.approx(180)
    _, back = after(ship(motion=turning), 120)
    assert distance_m(60.0, 24.9, back.lat_deg, back.lon_deg) < 0.5


def test_it_climbs_as_it_did_and_nothing_comes_out_of_the_water_by_its_depth() -> None:
    rising = {"climb_mps": 2.0}
    assert after(ship({"height_m": 100.0, "above_home_m": 5.0}, rising), 10)[1].height_m == 120
    assert after(ship({"depth_m": 50.0}, rising), 10)[1].depth_m == 30
    assert after(ship({"depth_m": 50.0}, rising), 60)[1].depth_m == 0
    assert after(ship({"height_m": 7.0}), 60)[1].height_m == 7


def test_it_crosses_the_line_where_the_days_meet() -> None:
    place = after(ship({"lat_deg": 0.0, "lon_deg": 179.999}), 100)[1]
    assert -180 <= place.lon_deg < -179.98


@pytest.mark.parametrize(
    ("said", "bound"),
    [(Type(ship_type=70), 180_000), (Type(mav_type=2), 30_000), (Type(cot="a-f-G-E-V"), 60_000), (None, 30_000)],
)
def test_it_ends_after_a_time_that_is_its_kinds(said: Type | None, bound: int) -> None:
    track = ship(type=said, identity=None)
    assert bound_ms(track) == bound
    assert reckoned(track, AT + bound) is not None
    assert reckoned(track, AT + bound + 1) is None
    assert reckoned(track, AT) is None, "that is where it was said to be"
    assert reckoned(track, AT - 1) is None


@pytest.mark.parametrize(
    "track",
    [
        ship({"suspect": True}),
        ship(sensor=Sensor(protocol="ais", received_ms=AT, doubts=["two places at once"])),
        ship({"at": None}),
        ship(motion={"course_deg": None}),
        ship(motion={"speed_mps": None}),
        ship(motion={"speed_mps": math.inf}),
        ship(motion={"speed_mps": -1.0}),
        ship(motion={"at": AT - 200_000}),
        ship({"lat_deg": 89.5}),
        ship({"grid_m": 0}),
        ship(type=Type(cot="a-f-P"), identity=None),
        msgspec.structs.replace(SHIP, position=None),
        msgspec.structs.replace(SHIP, motion=None),
    ],
)
def test_what_is_doubtful_unknown_or_absurd_is_not_reckoned(track: Track) -> None:
    assert reckoned(track, AT + 10_000) is None


def test_a_thing_that_lies_still_stays_and_is_less_and_less_sure() -> None:
    found, place = after(ship(motion={"speed_mps": 0.0, "course_deg": None}), 60)
    assert (place.lat_deg, place.lon_deg) == pytest.approx((60.0, 24.9), abs=1e-12)
    assert found.radius_m > 30


@settings(max_examples=40)
@given(st.floats(0, 100), st.floats(0, 359.9), st.floats(1, 170), st.none() | st.sampled_from([100, 2_000, 50_000]))
def test_the_radius_grows_with_age_and_holds_what_was_coarsened(
    speed: float, course: float, seconds: float, grid: int | None
) -> None:
    track = ship({"grid_m": grid}, {"speed_mps": speed, "course_deg": course})
    (first, place), (then, _) = after(track, seconds), after(track, seconds + 9)
    assert first.radius_m < then.radius_m or (grid is not None and first.radius_m <= then.radius_m)
    assert place.accuracy_m is not None and place.accuracy_m < first.radius_m
    if grid is not None:
        assert first.radius_m > grid
        assert place.grid_m == grid
        again = apply_transforms([coarsen(grid)], msgspec.to_builtins(place), secret=SECRET, partner="x")
        assert isinstance(again, Transformed)
        assert (again.value["lat_deg"], again.value["lon_deg"]) == (place.lat_deg, place.lon_deg), "on the grid already"
        assert place.original is None and place.height_m is None


def coarsen(grid: int) -> Transform:
    return Transform(portion="position", action=Action.COARSEN, grid_m=grid)


@settings(max_examples=50)
@given(tracks(), st.integers(-5_000, 200_000))
def test_any_track_is_reckoned_or_not_and_what_comes_out_can_be_said(track: Track, later: int) -> None:
    at = track.position.at if track.position is not None and track.position.at is not None else AT
    found = reckoned(track, at + later)
    if found is not None:
        place = found.track.position
        assert place is not None and abs(place.lat_deg) <= 90 and abs(place.lon_deg) <= 180
        assert math.isfinite(found.radius_m)
        msgspec.json.decode(msgspec.json.encode(found.track), type=Track)


# after release


_GIVEN = st.fixed_dictionaries({name: st.sampled_from(["pass", "withhold", "transform"]) for name in GROUPS})
_TRANSFORMS = {
    "position": [Transform(portion="position", action=Action.COARSEN, grid_m=500, seconds=10)],
    "identity": [Transform(portion="identity", action=Action.PSEUDONYMISE)],
}


def released(track: Track, given: dict[str, str]) -> Track:
    """What a partner gets of a track, by the kernel's own transforms; what it does not know is withheld."""
    values: dict[str, Any] = {}
    for name in GROUPS:
        value = portion_of(track, name)
        if value is None or given[name] == "withhold":
            continue
        if given[name] == "transform":
            made = apply_transforms(_TRANSFORMS.get(name, [coarsen(500)]), value, secret=SECRET, partner="gbr")
            if not isinstance(made, Transformed):
                continue
            value = made.value
        values[name] = value
    made_of = entity_of("track", "trk-1", values)
    assert isinstance(made_of, Track)
    return made_of


@st.composite
def twins(draw: st.DrawFn) -> tuple[Track, Track, dict[str, str]]:
    """Two tracks that a partner cannot tell apart: what it is not given differs, and what it is given does not."""
    given = draw(_GIVEN)
    one, other = moving(draw), moving(draw)
    shared = {name: getattr(one, name) for name in GROUPS if given[name] == "pass"}
    twin = msgspec.structs.replace(other, **shared)
    if given["position"] == "transform" and one.position is not None:  # the same cell: another place within it
        held = released(one, given).position
        if held is not None:
            twin = msgspec.structs.replace(
                twin, position=Position(lat_deg=held.lat_deg, lon_deg=held.lon_deg, at=held.at, height_m=draw(HEIGHT))
            )
    if given["identity"] == "transform":
        twin = msgspec.structs.replace(twin, identity=one.identity)
    for name in GROUPS:
        if given[name] == "transform" and name not in _TRANSFORMS:
            twin = msgspec.structs.replace(twin, **{name: getattr(one, name)})
    return one, twin, given


HEIGHT = st.none() | st.floats(-100, 10_000)


def moving(draw: st.DrawFn) -> Track:
    motion = Motion(
        speed_mps=draw(st.floats(0, 40)),
        course_deg=draw(st.floats(0, 359.9)),
        turn_deg_per_min=draw(st.none() | HEADING),
    )
    place = Position(lat_deg=draw(st.floats(-80, 80)), lon_deg=draw(st.floats(-180, 180)), at=AT, height_m=draw(HEIGHT))
    kind, who = Type(ship_type=draw(st.integers(0, 99))), Identity(name=draw(st.text(max_size=9)), mmsi=230000001)
    sensor = Sensor(protocol="ais", received_ms=AT, doubts=draw(st.none() | st.just(["two places at once"])))
    return Track(
        key="mmsi:1", position=place, motion=motion, type=kind, identity=who, sensor=sensor,
        status=Status(mode=draw(st.text(max_size=5))),
    )  # fmt: skip


HEADING = st.floats(-120, 120)


@settings(max_examples=60)
@given(twins(), st.lists(st.integers(1, 190_000), min_size=1, max_size=5))
def test_what_is_reckoned_is_a_function_of_what_was_released(
    pair: tuple[Track, Track, dict[str, str]], later: list[int]
) -> None:
    one, other, given = pair
    seen, also = released(one, given), released(other, given)
    assert seen == also, "they look the same to whoever is given this"
    protocol = offered("cot")
    for age in later:
        first, second = reckoned(seen, AT + age), reckoned(also, AT + age)
        assert first == second
        if first is not None:
            said = [
                protocol.open().encode(found.track, 1000 * (AT + age)).messages for found in (first, second) if found
            ]
            assert said[0] == said[1]
            for name in GROUPS:
                if given[name] == "withhold" and name not in ("sensor", "timing"):
                    assert getattr(first.track, name) is None, "nothing withheld comes back"
    calls = [Ahead(), Ahead()]
    for ahead, track in zip(calls, (seen, also), strict=True):
        ahead.sent(("", "trk-1"), track, AT)
    for now in range(AT, AT + 200_000, 10 * EVERY_MS):
        assert calls[0].due(now) == calls[1].due(now), "nor does when it is sent, or how often"


def test_where_a_velocity_is_withheld_nothing_is_reckoned() -> None:
    everything = dict.fromkeys(GROUPS, "pass")
    assert reckoned(released(SHIP, everything), AT + 5000) is not None
    assert reckoned(released(SHIP, everything | {"motion": "withhold"}), AT + 5000) is None


# told to systems


def test_predictions_are_due_every_second_until_the_bound_and_anew_after_a_report() -> None:
    ahead, slot = Ahead(), ("gbr", "trk-1")
    ahead.sent(slot, SHIP, AT)
    times = [now for now in range(AT, AT + 400_000, 100) if ahead.due(now)]
    assert times[0] == AT + EVERY_MS
    assert {b - a for a, b in pairwise(times)} == {EVERY_MS}
    assert AT + bound_ms(SHIP) - EVERY_MS < times[-1] <= AT + bound_ms(SHIP)
    ahead.sent(slot, SHIP, AT)
    ahead.sent(slot, SHIP, AT + 700)
    assert not ahead.due(AT + EVERY_MS) and ahead.due(AT + 700 + EVERY_MS)
    ahead.sent(slot, msgspec.structs.replace(SHIP, position=None), AT)
    assert not ahead.due(AT + 10_000)


def test_each_protocol_says_that_it_is_a_prediction_or_is_sent_none() -> None:
    """CoT's how, AIS's second 62; DIS receivers reckon by the algorithm in the PDU themselves."""
    found, _ = after(SHIP, 20)
    said = {
        name: offered(name).open().encode(found.track, 1000 * (AT + 20_000)) for name in PROTOCOLS
    }  # fmt: skip
    able = {name for name, encoded in said.items() if says_so(encoded.ledger) and offered(name).predicts}
    assert able == {"cot", "tak", "tak-mesh", "nmea0183", "nmea2000", "csv", "geojson"}
    assert {name for name in PROTOCOLS if offered(name).predicts} == able
    assert b'how="m-p"' in said["cot"].messages[0]
    assert offered("nmea0183").fields(said["nmea0183"].messages)["ais.second"] == 62
    for name in able:
        heard = [one.entity for message in said[name].messages for one in offered(name).open().feed(message, 1)]
        sensors = [one.sensor for one in heard if isinstance(one, Track) and one.position is not None]
        if sensors:
            assert sensors[0] is not None and (sensors[0].how == HOW or sensors[0].fix == FIX), name
    real = offered("cot").open().encode(SHIP, 1000 * AT)
    assert not says_so(real.ledger) and b"m-p" not in real.messages[0]


def test_no_score_is_of_what_was_reckoned(tmp_path: Path) -> None:
    ahead, _ = after(SHIP, 20)
    with recorder(tmp_path, signer()) as made:
        taps = Taps(made)
        for place, entity in enumerate((SHIP, ahead.track, SHIP)):
            at_us = 1000 * AT + place
            taps.egress("tak", "OFFICIAL", entity, at_us, protocol="cot", messages=[b"x"], record="trk-1")
    (file,) = made.segments
    found = streams(messages(file, file.stat().st_size))
    assert len(found["egress", "tak"]) == 2
