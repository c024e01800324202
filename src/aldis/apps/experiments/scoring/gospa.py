"""GOSPA, the generalised optimal sub-pattern assignment metric with alpha = 2, and its three parts.

Rahmathullah, Garcia-Fernandez and Svensson, "Generalized optimal sub-pattern assignment metric", FUSION 2017, eq. (1)
and proposition 1: with alpha = 2 the distance falls into errors of localisation, missed and false targets.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec

from aldis.apps.experiments.scoring.assignment import best_pairs
from aldis.kernel.errors import InvalidInput

__all__ = ["Gospa", "gospa", "near_pairs"]

Point = Sequence[float]


class Gospa(msgspec.Struct, frozen=True):
    """`distance` is the p-th root of the sum of the parts; each missed or false target adds c**p / 2 to its part.

    `pairs` are the indexes of what was paired, in the sets as they were given. Points in metres give `distance` in m
    and the parts in m**p.
    """

    distance: float
    localisation: float
    missed: float
    false: float
    pairs: tuple[tuple[int, int], ...]


def gospa(truth: Sequence[Point], seen: Sequence[Point], *, c: float, p: float = 2.0) -> Gospa:
    """How far two sets of points of one space are from each other.

    The number does not depend on the order in either set; among several equally cheap pairings, `pairs` does.

    Args:
        truth: what there is.
        seen: what was said to be there.
        c: from this distance on, a pair is no pair but one missed and one false target.
        p: how much outliers weigh; at least 1.

    Raises:
        InvalidInput: c or p is out of range.
    """
    if not (0 < c < math.inf and 1 <= p < math.inf):
        raise InvalidInput(f"GOSPA needs 0 < c and 1 <= p, not c = {c} and p = {p}", fix="Give finite numbers")
    ceiling = _power(c, p)
    costs = {pair: cost for pair, d in near_pairs(truth, seen, c).items() if (cost := _power(d, p)) < ceiling}
    pairs = best_pairs(costs, ceiling)
    localisation = math.fsum(costs[pair] for pair in pairs)
    missed, false = (ceiling / 2 * (len(points) - len(pairs)) for points in (truth, seen))
    return Gospa(_root(localisation + missed + false, p), localisation, missed, false, tuple(pairs))


def near_pairs(truth: Sequence[Point], seen: Sequence[Point], within: float) -> dict[tuple[int, int], float]:
    """The distance of each pair of points that are less than `within` apart; indexes as the sets were given."""
    order = sorted(range(len(seen)), key=lambda j: (seen[j][0], j))
    firsts = [seen[j][0] for j in order]
    found = {}
    reach = within * (1 + 1e-12)
    for i, point in enumerate(truth):
        near = order[bisect_left(firsts, point[0] - reach) : bisect_right(firsts, point[0] + reach)]
        for j in near:
            distance = math.dist(point, seen[j])
            if distance < within:
                found[i, j] = distance
    return found


def _power(value: float, p: float) -> float:
    return value * value if p == 2 else value if p == 1 else math.pow(value, p)


def _root(value: float, p: float) -> float:
    return math.sqrt(value) if p == 2 else value if p == 1 else math.pow(value, 1 / p)
