"""Tracks over time, ages, completeness and the whole score: against slow obvious references, and by their laws."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import LEDGER, MARKING, START_US, recorder, signer

from aldis.apps.experiments.entity import Decoded, Identity, Position, Track
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.recorder import Taps, messages, verify
from aldis.apps.experiments.scoring import Criteria, Report, Score, score, streams, track_over
from aldis.apps.experiments.scoring.agreement import Errors
from aldis.apps.experiments.scoring.alignment import Trajectory, frames, instants
from aldis.apps.experiments.scoring.timeliness import MEDIAN, P99, ages, completeness, quantile
from aldis.kernel.errors import InvalidInput, TooLarge

S = 1_000_000
Frame = Mapping[str, tuple[float, float]]


def at(time_s: float, key: str = "a", lat: float = 59.0, lon: float = 24.0, late_s: float = 0.0) -> Report:
    when = START_US + round(time_s * S)
    return Report(key, when, when + round(late_s * S), (lat, lon, None))


# Tracks over time


def follow(truth: Sequence[Frame], seen: Sequence[Frame]) -> tuple[int, int, int, int]:
    found = track_over(truth, seen, within=10.0)
    return found.missed, found.false, found.switches, found.interruptions


def test_a_track_that_stays_has_no_switch_and_one_that_changes_has_one() -> None:
    there: list[Frame] = [{"t": (float(n), 0.0)} for n in range(6)]
    assert follow(there, [{"x": (float(n), 1.0)} for n in range(6)]) == (0, 0, 0, 0)
    assert follow(there, [{"x" if n < 3 else "y": (float(n), 1.0)} for n in range(6)]) == (0, 0, 1, 0)


def test_two_that_pass_close_by_keep_their_tracks_and_two_that_swap_are_two_switches() -> None:
    there: list[Frame] = [{"a": (float(n), 0.0), "b": (5.0 - n, 1.0)} for n in range(6)]
    said: list[Frame] = [{"x": (float(n), 0.0), "y": (5.0 - n, 1.0)} for n in range(6)]
    assert follow(there, said) == (0, 0, 0, 0)
    far: list[Frame] = [{"a": (0.0, 0.0), "b": (1000.0, 0.0)}] * 4
    before, after = {"x": (0.0, 0.0), "y": (1000.0, 0.0)}, {"y": (0.0, 0.0), "x": (1000.0, 0.0)}
    swapped: list[Frame] = [before, before, after, after]
    assert follow(far, swapped) == (0, 0, 2, 0)


def test_a_pair_is_kept_while_it_is_within_reach_though_another_came_nearer() -> None:
    there: list[Frame] = [{"a": (0.0, 0.0)}] * 3
    said: list[Frame] = [{"x": (1.0, 0.0)}, {"x": (5.0, 0.0), "y": (0.0, 0.0)}, {"x": (5.0, 0.0), "y": (0.0, 0.0)}]
    assert follow(there, said) == (0, 2, 0, 0)
    assert track_over(there, said, within=4.0).switches == 1


def test_a_track_lost_and_found_again_is_interrupted_once_and_one_that_went_away_is_not() -> None:
    there: list[Frame] = [{"a": (0.0, 0.0)}] * 6
    said: list[Frame] = [{"x": (0.0, 0.0)} if n not in (2, 3) else {} for n in range(6)]
    assert follow(there, said) == (2, 0, 0, 1)
    gone: list[Frame] = [{"a": (0.0, 0.0)} if n not in (2, 3) else {} for n in range(6)]
    assert follow(gone, gone) == (0, 0, 0, 0)
    assert follow(there, [{}, {}, *said[4:], {}, {}]) == (4, 0, 0, 0), "found late is missed, not interrupted"


frame_of = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4)


@given(st.lists(st.tuples(frame_of, frame_of), max_size=6), st.integers(2, 9))
def test_counts_are_those_of_a_slow_reference(
    run: list[tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]], within: int
) -> None:
    truth, seen = [one for one, _ in run], [{key.upper(): where for key, where in two.items()} for _, two in run]
    found = track_over(truth, seen, within=within)
    last: dict[str, str] = {}
    current: dict[str, str] = {}
    switches = missed = false = 0
    for there, said, pairs in zip(truth, seen, found.pairs, strict=True):
        for key, other in current.items():
            if key in there and other in said and math.dist(there[key], said[other]) < within:
                assert (key, other) in pairs, "kept while within reach"
        kept = {pair for pair in pairs if current.get(pair[0]) == pair[1]}
        rest = [pair for pair in pairs if pair not in kept]
        left = sorted(there.keys() - {key for key, _ in kept})
        right = sorted(said.keys() - {other for _, other in kept})
        assert math.isclose(
            sum(math.dist(there[k], said[o]) - within for k, o in rest), cheapest(left, right, there, said, within)
        )
        current = dict(pairs)
        switches += sum(last.get(key, other) != other for key, other in pairs)
        last |= current
        missed += len(there) - len(pairs)
        false += len(said) - len(pairs)
    assert (found.switches, found.missed, found.false) == (switches, missed, false)


def cheapest(left: list[str], right: list[str], there: Frame, said: Frame, within: float) -> float:
    best = 0.0
    padded = [*right, *[""] * len(left)]
    for choice in set(permutations(padded, len(left))):
        cost = 0.0
        for key, other in zip(left, choice, strict=True):
            if other:
                cost += min(0.0, math.dist(there[key], said[other]) - within)
        best = min(best, cost)
    return best


# Times


@given(st.lists(st.integers(0, 50), min_size=1), st.fractions(0, 1))
def test_a_quantile_is_the_least_value_that_its_share_does_not_exceed(values: list[int], share: Fraction) -> None:
    found = quantile(values, share)
    expected = min(v for v in values if Fraction(sum(w <= v for w in values), len(values)) >= share)
    assert found == expected


updates_of = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15)).map(lambda t: (t[0], t[0] + t[1])), max_size=12)


@given(updates_of, st.integers(0, 70), st.fractions(0, 1), st.integers(0, 40))
def test_ages_are_those_of_looking_at_every_half_microsecond(
    updates: list[tuple[int, int]], end: int, share: Fraction, limit: int
) -> None:
    found = ages(updates, end)
    arrived = [pair for pair in updates if pair[1] <= end]
    if not arrived or min(got for _, got in arrived) == end:
        assert found.quantile(share) is None
        assert found.share_within(limit) is None
        return
    first = min(got for _, got in arrived)
    samples = []  # the age in the middle of each microsecond; it moves by half of one within it
    for time in range(first, end):
        samples.append(time - max(true_of for true_of, got in arrived if got <= time))
    assert found.lasted_us == len(samples)
    assert found.share_within(limit) == Fraction(sum(age < limit for age in samples), len(samples))
    expected = min(
        x for x in range(200) if sum(age < x for age in samples) >= share * len(samples) and x >= min(samples)
    )
    assert found.quantile(share) == expected


def test_the_age_of_regular_updates_is_what_a_hand_computes() -> None:
    regular = ages([(n * 10, n * 10 + 3) for n in range(11)], 103)
    assert (regular.quantile(MEDIAN), regular.quantile(P99)) == (8, 13)  # 3 to 13, evenly
    assert regular.share_within(8) == Fraction(1, 2)


def test_an_older_update_that_comes_later_does_not_make_it_younger() -> None:
    assert ages([(10, 11), (5, 12)], 20).quantile(P99) == ages([(10, 11)], 20).quantile(P99) == 10


@given(st.lists(st.integers(0, 30), max_size=6), st.lists(st.integers(0, 30), max_size=6), st.integers(0, 5))
def test_completeness_is_the_most_updates_that_can_be_paired(wanted: list[int], had: list[int], within: int) -> None:
    best = 0
    for choice in permutations([*had, *[10**6] * len(wanted)], len(wanted)):
        best = max(best, sum(abs(a - b) <= within for a, b in zip(wanted, choice, strict=True)))
        if len(wanted) + len(had) > 8:
            break
    found = completeness(wanted, had, within)
    assert found >= best if len(wanted) + len(had) > 8 else found == best
    assert found == completeness(had, wanted, within)


# Places


def test_nothing_is_carried_on_beyond_a_report_or_over_a_gap() -> None:
    path = Trajectory([at(0), at(10, lat=60.0), at(100, lat=61.0)])
    assert path.at(START_US - 1, 30 * S) is None
    assert path.at(START_US, 30 * S) == (59.0, 24.0, None)
    assert path.at(START_US + 50 * S, 30 * S) is None
    assert path.at(START_US + 100 * S, 30 * S) == (61.0, 24.0, None)
    assert path.at(START_US + 100 * S + 1, 30 * S) is None
    middle = path.at(START_US + 5 * S, 30 * S)
    assert middle is not None
    assert abs(middle[0] - 59.5) < 1e-3


places = st.tuples(st.floats(-89, 89), st.floats(-180, 180))


@given(places, st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.integers(1, 999))
def test_between_two_reports_a_track_is_on_the_way(
    place: tuple[float, float], north: float, east: float, share: int
) -> None:
    lat, lon = place
    lat2, lon2 = max(-89.0, min(89.0, lat + north)), (lon + east + 180) % 360 - 180
    path = Trajectory([at(0, lat=lat, lon=lon), at(1, lat=lat2, lon=lon2)])
    found = path.at(START_US + share * 1000, S)
    assert found is not None
    whole = distance_m(lat, lon, lat2, lon2)
    one = distance_m(lat, lon, found[0], found[1])
    two = distance_m(lat2, lon2, found[0], found[1])
    assert one + two <= whole + 1e-3
    assert abs(one - whole * share / 1000) < 1e-2 + whole * 1e-5


def test_the_way_over_the_date_line_is_the_short_one() -> None:
    found = Trajectory([at(0, lon=179.99), at(2, lon=-179.99)]).at(START_US + S, 5 * S)
    assert found is not None
    assert abs(abs(found[1]) - 180) < 1e-9


def test_instants_are_common_whatever_the_first_report() -> None:
    assert list(instants([Trajectory([at(0.3), at(2.9)])], S)) == [START_US + S, START_US + 2 * S]
    assert list(instants([], S)) == []
    assert [list(frame) for frame in frames({"a": Trajectory([])}, [START_US], S)] == [[]]


# The whole score


def picture(count: int = 5, seconds: int = 30, noise: float = 0.0, late_s: float = 0.2, seed: int = 1) -> list[Report]:
    chance = random.Random(seed)
    return [
        Report(
            f"track-{n}",
            START_US + t * S,
            START_US + t * S + round(late_s * S),
            (59.0 + n / 50 + t * 1e-5 + chance.gauss(0, noise), 24.0, 3.0),
            Identity(mmsi=230_000_000 + n, name=f"SHIP {n}"),
        )
        for t in range(seconds)
        for n in range(count)
    ]


def test_a_picture_shown_whole_has_a_perfect_score() -> None:
    whole = picture()
    found = score(whole, whole)
    assert (found.gospa_m, found.switches, found.complete, found.accuracy) == (0.0, 0, 1.0, 1.0)
    assert (found.errors.greatest_m, found.heights.greatest_m) == (0.0, 0.0)
    assert (found.names.compared, found.names.agreed, found.names.withheld) == (10, 10, 0)
    assert found.latency_us == (200_000, 200_000, 200_000)
    assert found.instants == 30


def test_pseudonyms_are_followed_and_what_is_withheld_is_no_disagreement() -> None:
    whole = picture()
    shown = [Report(f"p{one.key[-1]}", one.at_us, one.received_us, one.place) for one in whole]
    found = score(whole, shown)
    assert (found.gospa_m, found.complete) == (0.0, 1.0)
    assert (found.names.compared, found.names.withheld) == (0, 10)


def test_each_part_of_the_score_answers_to_what_it_is_about() -> None:
    whole = picture()
    fewer = score(whole, [one for one in whole if one.key != "track-0"])
    assert (fewer.missed, fewer.false, fewer.complete) == (5000.0, 0.0, 0.8)
    more = score(whole, [*whole, *(Report("ghost", o.at_us, o.received_us, (10.0, 10.0, None)) for o in whole[::5])])
    assert (more.missed, more.false) == (0.0, 5000.0)
    off = score(whole, picture(noise=1e-4))
    assert off.gospa_m is not None
    assert 0 < off.gospa_m < 100
    assert off.errors.greatest_m is not None
    assert off.errors.greatest_m > 0
    wrong = [
        Report(o.key, o.at_us, o.received_us, o.place, Identity(mmsi=1, name="SHIP 0"))
        for o in whole
        if o.key == "track-0"
    ]
    assert score(whole, wrong).names.agreed == 1
    late = score(whole, picture(late_s=15))
    assert late.fresh == 0.0
    assert late.age_us[0] is not None
    assert late.age_us[0] > 15 * S


def test_a_view_is_scored_by_what_it_holds_and_nothing_is_put_back() -> None:
    whole = picture(count=1, seconds=100)
    shown = [one for one in whole if not 20 < (one.at_us - START_US) // S < 80]
    found = score(whole, shown)
    assert found.objects == 100
    assert found.errors.count == 41, "between second 20 and 80 the view has no place: the gap is too long"


@given(st.randoms())
def test_the_score_does_not_depend_on_the_order_of_reports(chance: random.Random) -> None:
    whole, shown = picture(seconds=4, noise=1e-4), picture(seconds=4, noise=2e-4, seed=9)
    first = score(whole, shown)
    chance.shuffle(whole)
    chance.shuffle(shown)
    again = score(whole, shown)
    assert again == first
    assert again.digest == first.digest


def test_a_replay_of_the_recording_has_the_same_score_to_the_last_bit(tmp_path: Path) -> None:
    by, chance = signer(), random.Random(4)
    with recorder(tmp_path, by) as made:
        taps = Taps(made)
        for t in range(60):
            for n in range(4):
                at_us = START_US + t * S
                here = Position(lat_deg=59 + n / 50 + t * 1e-5, lon_deg=24.0, at=at_us // 1000)
                said = Track(key=f"mmsi:{n}", position=here, identity=Identity(mmsi=n))
                taps.entity("radar", MARKING, Decoded(said, LEDGER), at_us + 1000)
                coarse = Position(lat_deg=round(here.lat_deg + chance.gauss(0, 1e-5), 4), lon_deg=24.0, at=here.at)
                if chance.random() < 0.9:
                    left = Track(key=f"pseudonym:{n}", position=coarse)
                    taps.egress("gbr-low", MARKING, left, at_us + 2000, protocol="frame")
    (path,) = made.segments
    scores = []
    for _ in range(2):
        found = streams(messages(path, verify(path, by.public).covered))
        assert set(found) == {("entity", "radar"), ("egress", "gbr-low")}
        scores.append(score(found["entity", "radar"], found["egress", "gbr-low"]))
    assert scores[0].canonical == scores[1].canonical
    assert scores[0].digest == scores[1].digest
    assert scores[0].expected == 240
    assert scores[0].complete is not None
    assert 0.8 < scores[0].complete < 1
    assert scores[0].latency_us[0] == 2000


def test_the_canonical_form_is_fixed() -> None:
    found = score(picture(count=2, seconds=3), picture(count=2, seconds=3, noise=1e-5, seed=2))
    assert found.digest == GOLDEN, found.canonical.decode()


GOLDEN = "3ff0d0008a4b991cf1c7c9f49a9db1d8ff78222a911796d2baccfba28729c076"


def test_nothing_against_nothing_is_nothing() -> None:
    found = score([], [])
    assert isinstance(found, Score)
    assert (found.instants, found.gospa_m, found.complete, found.age_us) == (0, None, None, (None, None, None))


def test_criteria_without_a_meaning_are_refused() -> None:
    for wrong in (Criteria(cutoff_m=0), Criteria(order=0.5), Criteria(step_us=0), Criteria(within_us=-1)):
        with pytest.raises(InvalidInput):
            score([], [], wrong)
    with pytest.raises(TooLarge):
        score([at(0), at(100_000)], [], Criteria(step_us=1000))


@given(st.lists(st.floats(0, 1e6), min_size=1), st.randoms())
def test_statistics_of_errors_do_not_depend_on_their_order(values: list[float], chance: random.Random) -> None:
    first = Errors.of(values)
    chance.shuffle(values)
    assert Errors.of(values) == first
    assert first.greatest_m == max(values)
