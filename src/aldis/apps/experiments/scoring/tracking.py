"""Which track of one picture is which of the other over time: switches, interruptions, CLEAR MOT's two numbers.

Bernardin and Stiefelhagen, "Evaluating multiple object tracking performance: the CLEAR MOT metrics", EURASIP Journal on
Image and Video Processing 2008, section 2.1.2: a pair of the instant before is kept while it is within reach; the rest
are paired as cheaply as can be; a switch is an object whose track is another than the last that it had. Interruptions
(fragmentation): Li, Huang and Nevatia, CVPR 2009, section 4: how often an object is lost and found again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from aldis.apps.experiments.scoring.assignment import best_pairs
from aldis.apps.experiments.scoring.gospa import Point, near_pairs

__all__ = ["Tracking", "track_over"]


class Tracking(msgspec.Struct, frozen=True):
    """Counts over all instants. `precision` is the mean distance of pairs (MOTP), None where there is no pair.

    `accuracy` is 1 - (missed + false + switches) / objects (MOTA), None where there was no object. `pairs` are, for
    each instant, the keys that were paired.
    """

    objects: int
    missed: int
    false: int
    switches: int
    interruptions: int
    precision: float | None
    accuracy: float | None
    pairs: tuple[tuple[tuple[str, str], ...], ...]


def track_over(truth: Sequence[Mapping[str, Point]], seen: Sequence[Mapping[str, Point]], *, within: float) -> Tracking:
    """Follow every object of `truth` through `seen`: points by key, instant by instant, of one space.

    Does not depend on the order of keys.

    Args:
        truth: what there is at each instant.
        seen: what was said to be there.
        within: from this distance on, two are never a pair.
    """
    last: dict[str, str] = {}
    lost: set[str] = set()
    current: dict[str, str] = {}
    switches = interruptions = objects = missed = false = 0
    distances: list[float] = []
    history = []
    for there, said in zip(truth, seen, strict=True):
        paired = _paired(current, there, said, within)
        current = {key: other for key, other, _ in paired}
        for key, other, distance in paired:
            distances.append(distance)
            switches += last.get(key, other) != other
            interruptions += key in lost
            last[key] = other
        lost = (lost | (last.keys() & there.keys())) - current.keys()
        objects += len(there)
        missed += len(there) - len(paired)
        false += len(said) - len(paired)
        history.append(tuple((key, other) for key, other, _ in paired))
    return Tracking(
        objects,
        missed,
        false,
        switches,
        interruptions,
        math.fsum(distances) / len(distances) if distances else None,
        1 - (missed + false + switches) / objects if objects else None,
        tuple(history),
    )


def _paired(
    before: Mapping[str, str], there: Mapping[str, Point], said: Mapping[str, Point], within: float
) -> Sequence[tuple[str, str, float]]:
    kept = [
        (key, other, distance)
        for key, other in before.items()
        if key in there and other in said and (distance := math.dist(there[key], said[other])) < within
    ]
    left = sorted(there.keys() - {key for key, _, _ in kept})
    right = sorted(said.keys() - {other for _, other, _ in kept})
    near = near_pairs([there[key] for key in left], [said[key] for key in right], within)
    fresh = [(left[i], right[j], near[i, j]) for i, j in best_pairs(near, within)]
    return sorted(kept + fresh)
