"""GOSPA is Stone Soup's to 1e-9, and a metric; the assignment is as cheap as SciPy's."""

from __future__ import annotations

import itertools
import math
import random
import time
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from stonesoup.metricgenerator.ospametric import GOSPAMetric  # type: ignore[import-untyped]
from stonesoup.types.state import State  # type: ignore[import-untyped]

from aldis.apps.experiments.scoring.assignment import assigned, best_pairs
from aldis.apps.experiments.scoring.gospa import Gospa, gospa
from aldis.kernel.errors import InvalidInput

Points = list[tuple[float, ...]]
NOW = datetime(2026, 1, 1)

free = st.floats(-300, 300, allow_nan=False)
grid = st.integers(-3, 3).map(lambda n: 50.0 * n)  # many equal distances, many at the cutoff itself
coordinates = st.one_of(free, grid)
places = st.lists(st.tuples(coordinates, coordinates), max_size=8)
orders = st.sampled_from([1.0, 1.5, 2.0, 3.0])
cutoffs = st.sampled_from([20.0, 50.0, 100.0, 250.0])


def stone_soup(truth: Points, seen: Points, c: float, p: float) -> Gospa:
    metric: Any = GOSPAMetric(c=c, p=p)

    def states(points: Points) -> list[State]:
        return [State(np.array(point).reshape(-1, 1), NOW) for point in points]

    if not truth and not seen:
        return Gospa(0.0, 0.0, 0.0, 0.0, ())  # it has no time then, and refuses
    value = metric.compute_gospa_metric(states(seen), states(truth))[0].value
    return Gospa(value["distance"], value["localisation"], value["missed"], value["false"], ())


def parts(one: Gospa) -> tuple[float, float, float, float]:
    return one.distance, one.localisation, one.missed, one.false


def near(one: Gospa, two: Gospa) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in zip(parts(one), parts(two), strict=True))


@given(places, places, cutoffs, orders)
@example([], [], 50.0, 2.0)
@example([(0.0, 0.0)], [], 50.0, 2.0)
@example([], [(0.0, 0.0)], 50.0, 2.0)
@example([(0.0, 0.0)], [(50.0, 0.0)], 50.0, 2.0)
@example([(0.0, 0.0), (10.0, 0.0)], [(5.0, 0.0), (5.0, 0.0)], 50.0, 2.0)
def test_it_is_stone_soups_to_a_billionth(truth: Points, seen: Points, c: float, p: float) -> None:
    ours, theirs = gospa(truth, seen, c=c, p=p), stone_soup(truth, seen, c, p)
    assert math.isclose(ours.distance, theirs.distance, rel_tol=1e-9, abs_tol=1e-9)
    if not near(ours, theirs):  # several pairings are as cheap, and they share the cost among the parts otherwise
        total = ours.localisation + ours.missed + ours.false
        assert math.isclose(total, theirs.localisation + theirs.missed + theirs.false, rel_tol=1e-9, abs_tol=1e-9)
        assert ties(truth, seen, c, p), (ours, theirs)


def ties(truth: Points, seen: Points, c: float, p: float) -> bool:
    """Whether pairings with different parts are as cheap: every one is looked at."""
    found = set()
    best = math.inf
    small, large = sorted((truth, seen), key=len)
    if len(large) > 6:
        return True
    for choice in itertools.permutations(range(len(large)), len(small)):
        paired = [d for a, b in zip(small, choice, strict=True) if (d := math.dist(a, large[b]) ** p) < c**p]
        total = math.fsum(paired) + c**p / 2 * (len(truth) + len(seen) - 2 * len(paired))
        if total < best * (1 - 1e-12):
            found, best = {len(paired)}, total
        elif math.isclose(total, best, rel_tol=1e-12):
            found.add(len(paired))
    return len(found) > 1


@pytest.mark.parametrize("size", [30, 60])
def test_scenes_of_many_targets_are_stone_soups_in_every_part(size: int) -> None:
    chance = random.Random(size)
    for spread in (50.0, 400.0, 4000.0):
        truth: Points = [(chance.uniform(0, spread), chance.uniform(0, spread), chance.random()) for _ in range(size)]
        seen: Points = [tuple(x + chance.gauss(0, 20) for x in point) for point in truth[size // 5 :]]
        seen += [(chance.uniform(0, spread), chance.uniform(0, spread), 0.0) for _ in range(size // 4)]
        assert near(gospa(truth, seen, c=60.0), stone_soup(truth, seen, 60.0, 2.0))


@given(places, places, cutoffs, orders)
def test_what_is_missed_the_one_way_is_false_the_other(one: Points, two: Points, c: float, p: float) -> None:
    there, back = gospa(one, two, c=c, p=p), gospa(two, one, c=c, p=p)
    assert math.isclose(there.distance, back.distance, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(there.missed - there.false, back.false - back.missed, rel_tol=1e-9, abs_tol=1e-6)


@given(places, places, places, cutoffs, orders)
def test_the_way_over_a_third_picture_is_never_shorter(a: Points, b: Points, d: Points, c: float, p: float) -> None:
    over = gospa(a, b, c=c, p=p).distance + gospa(b, d, c=c, p=p).distance
    assert gospa(a, d, c=c, p=p).distance <= over * (1 + 1e-9) + 1e-9


@given(places, cutoffs, orders, st.randoms())
def test_a_picture_is_no_way_from_itself_in_any_order(one: Points, c: float, p: float, chance: random.Random) -> None:
    other = list(one)
    chance.shuffle(other)
    assert parts(gospa(one, other, c=c, p=p)) == (0.0, 0.0, 0.0, 0.0)


@given(places, places, cutoffs, orders, st.randoms())
def test_the_order_of_a_set_does_not_matter(
    one: Points, two: Points, c: float, p: float, chance: random.Random
) -> None:
    first = gospa(one, two, c=c, p=p)
    chance.shuffle(one)
    chance.shuffle(two)
    assert math.isclose(gospa(one, two, c=c, p=p).distance, first.distance, rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize(("c", "p"), [(0, 2), (-1, 2), (math.inf, 2), (math.nan, 2), (1, 0.5), (1, math.inf)])
def test_parameters_without_a_meaning_are_refused(c: float, p: float) -> None:
    with pytest.raises(InvalidInput):
        gospa([], [], c=c, p=p)


matrices = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32), st.sampled_from([2, 10, 10**9]))


@given(matrices)
def test_the_assignment_is_as_cheap_as_scipys(shape: tuple[int, int, int, int]) -> None:
    rows, columns, seed, values = shape
    costs = np.random.default_rng(seed).integers(0, values, (rows, columns)).astype(np.float64)
    ours = assigned(costs)
    assert len(ours) == len({i for i, _ in ours}) == len({j for _, j in ours}) == min(rows, columns)
    assert sum(costs[i, j] for i, j in ours) == costs[linear_sum_assignment(costs)].sum()
    assert assigned(costs) == ours


@given(st.dictionaries(st.tuples(st.integers(0, 7), st.integers(0, 7)), st.integers(0, 99).map(float)), st.randoms())
def test_clusters_apart_are_as_cheap_as_all_at_once(costs: dict[tuple[int, int], float], chance: random.Random) -> None:
    ceiling = 100.0
    pairs = best_pairs(costs, ceiling)
    matrix = np.full((8, 8), ceiling)
    for pair, cost in costs.items():
        matrix[pair] = cost
    total = sum(costs[pair] for pair in pairs) + ceiling * (8 - len(pairs))
    assert total == matrix[linear_sum_assignment(matrix)].sum()
    items = list(costs.items())
    chance.shuffle(items)
    assert best_pairs(dict(items), ceiling) == pairs, "the same pairs whatever the order"


def test_two_hundred_by_two_hundred_in_one_cluster_take_under_a_second_or_two() -> None:
    chance = np.random.default_rng(3)
    costs = chance.random((200, 200))
    began = time.perf_counter()
    ours = assigned(costs)
    assert time.perf_counter() - began < 5
    assert math.isclose(sum(costs[i, j] for i, j in ours), costs[linear_sum_assignment(costs)].sum(), rel_tol=1e-12)
