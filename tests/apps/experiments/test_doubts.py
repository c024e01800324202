import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.entity import Identity, Motion, Position, Sensor, Track
from aldis.apps.experiments.picture import Picture

START = 1_700_000_000_000
TWO_PLACES = "reported from two places at once"


def report(at_s: float, north_m: float | None, key: str = "mavlink:1/1", **groups: object) -> Track:
    position = Position(lat_deg=59.9 + north_m / 111_195, lon_deg=24.5) if north_m is not None else None
    sensor = Sensor(protocol="mavlink", received_ms=START + round(at_s * 1000))
    return msgspec.structs.replace(Track(key=key, position=position, sensor=sensor), **groups)


def doubts(track: Track | None) -> list[str]:
    assert track is not None and track.sensor is not None
    return track.sensor.doubts or []


def test_one_key_from_two_places_in_turn_is_doubted() -> None:
    picture = Picture()
    found = [doubts(picture.update(report(n, 90_000 * (n % 2)))) for n in range(6)]
    assert found[0] == found[1] == []
    assert TWO_PLACES in found[4] and TWO_PLACES in found[5]


def test_two_peers_that_put_one_key_at_some_distance_are_doubted_at_short_range() -> None:
    picture = Picture()
    for n in range(20):
        track = picture.update(report(n / 2, 600 * (n % 2)), f"127.0.0.1:{n % 2}")
    assert doubts(track) == [TWO_PLACES]


def test_two_peers_that_agree_are_not_doubted() -> None:
    picture = Picture()
    for n in range(200):
        assert doubts(picture.update(report(n / 2, 5 * n + 20 * (n % 2)), str(n % 2))) == []


def test_a_single_wild_fix_and_a_true_move_are_no_two_places() -> None:
    picture = Picture()
    for n in range(30):
        wild = 400_000 if n == 7 else 0
        assert doubts(picture.update(report(n, wild + (900_000 if n > 15 else 0)))) == []


def test_a_doubt_is_let_go_ten_minutes_after_its_cause() -> None:
    picture = Picture()
    for n in range(6):
        picture.update(report(n, 90_000 * (n % 2)))
    assert doubts(picture.update(report(500, 90_000))) == [TWO_PLACES]
    assert doubts(picture.update(report(610, 90_000))) == []


def test_two_sources_that_tell_different_names_of_one_key_are_doubted() -> None:
    picture = Picture()
    picture.update(report(0, 0, identity=Identity(name="HOOGE", callsign="A1")), "a")
    picture.update(report(1, 0, identity=Identity(callsign="A1")), "b")
    track = picture.update(report(2, 0, identity=Identity(name="AMBAL")), "b")
    assert doubts(track) == ["two sources differ on its name"]
    assert doubts(Picture().update(report(2, 0, identity=Identity(name="AMBAL")), "b")) == []


@pytest.mark.parametrize("name", ["mmsi", "imo", "name", "callsign", "dis_id", "mavlink_id", "cot_uid", "umaa_id"])
def test_two_tracks_apart_that_claim_one_name_are_both_doubted(name: str) -> None:
    picture = Picture()
    who = msgspec.structs.replace(Identity(), **{name: "4711"})
    for n in range(2):
        for key, north_m in (("cot:a", 0), ("dis:1:1:1", 80_000)):
            picture.update(report(n, north_m, key, identity=who))
    for key in ("cot:a", "dis:1:1:1"):
        assert doubts(picture.get(key)) == [f"another track has the same {name}"]
    picture.update(report(3, 80_000, "dis:1:1:1", identity=msgspec.structs.replace(who, **{name: "4712"})))
    assert doubts(picture.update(report(4, 0, "cot:a"))) == []


def test_one_thing_heard_in_two_protocols_at_one_place_is_not_doubted() -> None:
    picture = Picture()
    for n in range(3):
        for key, north_m in (("mmsi:230123456", 0), ("cot:boat", 40)):
            track = picture.update(report(n, north_m + 5 * n, key, identity=Identity(mmsi=230123456)))
    assert doubts(track) == []


def test_no_doubt_names_another_track() -> None:
    picture = Picture()
    for n in range(4):
        for key in ("cot:CANARY-A", "cot:CANARY-B"):
            identity = Identity(cot_uid="CANARY", name="CANARY" if key[-1] == "A" else None)
            picture.update(report(n, 90_000 * (n % 2), key, identity=identity), key)
            track = picture.update(report(n, None, key, identity=Identity(name="CANARY 2")), "another")
    assert doubts(track)
    assert "CANARY" not in " ".join(doubts(track))


@given(st.lists(st.tuples(st.floats(0, 5), st.sampled_from("ab")), min_size=2, max_size=40), st.floats(0, 50))
def test_whoever_reports_a_thing_that_moves_as_it_says_is_believed(
    steps: list[tuple[float, str]], speed: float
) -> None:
    picture, at = Picture(), 0.0
    for pause, peer in steps:
        at += pause
        track = picture.update(report(at, speed * at, motion=Motion(speed_mps=speed)), peer)
        assert doubts(track) == []
        assert track.position is not None and track.position.suspect is None
