"""The score of one picture against another: a pure function of two streams of reports.

The same reports give the same score, bit by bit: sums are rounded once (`math.fsum`), ties are broken by the order of
keys, and what is measured in metres is given in whole micrometres, which hides the last bit in which the mathematics
libraries of two machines may differ.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

from aldis.apps.experiments.scoring.agreement import Errors, Names, errors_of, identity_of, names_of
from aldis.apps.experiments.scoring.alignment import Trajectory, frames, instants
from aldis.apps.experiments.scoring.gospa import Gospa, gospa
from aldis.apps.experiments.scoring.streams import Report, by_key
from aldis.apps.experiments.scoring.timeliness import MEDIAN, P95, P99, Ages, ages, completeness, quantile
from aldis.apps.experiments.scoring.tracking import Tracking, track_over
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["MOST_INSTANTS", "Criteria", "Score", "score"]

MOST_INSTANTS = 1_000_000
_DIGITS = 6


class Criteria(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to score. Pictures are compared every `step_us`, tracks between reports at most `gap_us` apart.

    `cutoff_m` and `order` are c and p of GOSPA, and `cutoff_m` is the reach within which a track is followed. An
    update is fresh up to an age of `fresh_us`, and seen where one within `within_us` of its time was.
    """

    cutoff_m: float = 100.0
    order: float = 2.0
    step_us: int = 1_000_000
    gap_us: int = 30_000_000
    fresh_us: int = 10_000_000
    within_us: int = 0


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What came out; None where there was nothing to measure.

    `gospa_m` is the mean over the instants, `localisation`, `missed` and `false` those of its parts, in m**order.
    `switches` and `interruptions` are of tracks, `accuracy` is MOTA, `precision_m` MOTP. `latency_us` and `age_us` are
    (median, 95th, 99th percentile) of updates and of time. `complete` is the share of updates seen, `fresh` the share
    of time. `errors` and `heights` are of the paired positions, `names` of the identities of tracks mostly paired.
    """

    criteria: Criteria
    instants: int
    objects: int
    gospa_m: float | None
    localisation: float | None
    missed: float | None
    false: float | None
    switches: int
    interruptions: int
    accuracy: float | None
    precision_m: float | None
    latency_us: tuple[int | None, int | None, int | None]
    age_us: tuple[int | None, int | None, int | None]
    expected: int
    seen: int
    complete: float | None
    fresh: float | None
    errors: Errors
    heights: Errors
    names: Names

    @property
    def canonical(self) -> bytes:
        """JSON with sorted names and the shortest form of each number."""
        return msgspec.json.encode(self, order="sorted")

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, in hex: what a replay must come to."""
        return sha256(self.canonical).hex()


def score(truth: Sequence[Report], view: Sequence[Report], criteria: Criteria | None = None) -> Score:
    """How well `view` shows what `truth` does. Keys need not be the same: who is who follows from where they are.

    Raises:
        InvalidInput: the criteria are out of range.
        TooLarge: more than a million instants.
    """
    by = criteria or Criteria()
    _check(by)
    there, said = by_key(truth), by_key(view)
    paths, shown = ({key: Trajectory(reports) for key, reports in side.items()} for side in (there, said))
    at = instants(paths.values(), by.step_us)
    if len(at) > MOST_INSTANTS:
        raise TooLarge(f"{len(at)} instants to compare; the limit is {MOST_INSTANTS}", fix="Take a longer step")
    one, two = frames(paths, at, by.gap_us), frames(shown, at, by.gap_us)
    points = [[{key: where[1] for key, where in frame.items()} for frame in side] for side in (one, two)]
    parts = [
        gospa(list(a.values()), list(b.values()), c=by.cutoff_m, p=by.order)
        for a, b in zip(points[0], points[1], strict=True)
    ]
    followed = track_over(points[0], points[1], within=by.cutoff_m)
    errors, heights = errors_of(
        (a[key][0], b[other][0]) for a, b, pairs in zip(one, two, followed.pairs, strict=True) for key, other in pairs
    )
    same = _same(followed)
    return _rounded(by, parts, followed, errors, heights, _times(there, said, same, by), _names(there, said, same))


def _check(by: Criteria) -> None:
    whole = (by.step_us, by.gap_us, by.fresh_us)
    if min(whole) <= 0 or by.within_us < 0 or not (0 < by.cutoff_m < math.inf and 1 <= by.order < math.inf):
        raise InvalidInput("criteria are out of range", fix="Times and the cutoff are above 0, the order at least 1")


def _same(followed: Tracking) -> Mapping[str, str]:
    """For each track of the view, the one that it was mostly paired with; of two equal ones, the first by key."""
    counts: dict[str, Counter[str]] = {}
    for pairs in followed.pairs:
        for key, other in pairs:
            counts.setdefault(other, Counter())[key] += 1
    return {other: min(found, key=lambda key: (-found[key], key)) for other, found in sorted(counts.items())}


class _Times(msgspec.Struct, frozen=True):
    latencies: list[int]
    ages: Ages
    expected: int
    seen: int


def _times(
    there: Mapping[str, list[Report]], said: Mapping[str, list[Report]], same: Mapping[str, str], by: Criteria
) -> _Times:
    updates = [report for reports in said.values() for report in reports]
    last = max((report.received_us for report in updates), default=0)
    old = Ages.joined(
        ages([(report.at_us, report.received_us) for report in reports], last) for reports in said.values()
    )
    had: dict[str, list[int]] = {}
    for other, key in same.items():
        had.setdefault(key, []).extend(report.at_us for report in said[other])
    wanted = {key: [report.at_us for report in reports] for key, reports in there.items()}
    seen = sum(completeness(times, had.get(key, []), by.within_us) for key, times in wanted.items())
    return _Times([one.received_us - one.at_us for one in updates], old, sum(map(len, wanted.values())), seen)


def _names(there: Mapping[str, list[Report]], said: Mapping[str, list[Report]], same: Mapping[str, str]) -> Names:
    return names_of((identity_of(there[key]), identity_of(said[other])) for other, key in same.items())


def _rounded(
    by: Criteria, parts: Sequence[Gospa], followed: Tracking, errors: Errors, heights: Errors, times: _Times,
    names: Names,
) -> Score:  # fmt: skip
    def mean(values: Sequence[float]) -> float | None:
        return _round(math.fsum(values) / len(values)) if values else None

    def three(values: Sequence[int | float | None]) -> tuple[int | None, int | None, int | None]:
        first, second, third = (None if value is None else int(value) for value in values)
        return first, second, third

    fresh = times.ages.share_within(by.fresh_us)
    return Score(
        criteria=by,
        instants=len(parts),
        objects=followed.objects,
        gospa_m=mean([part.distance for part in parts]),
        localisation=mean([part.localisation for part in parts]),
        missed=mean([part.missed for part in parts]),
        false=mean([part.false for part in parts]),
        switches=followed.switches,
        interruptions=followed.interruptions,
        accuracy=_round(followed.accuracy),
        precision_m=_round(followed.precision),
        latency_us=three([quantile(times.latencies, share) for share in (MEDIAN, P95, P99)]),
        age_us=three([times.ages.quantile(share) for share in (MEDIAN, P95, P99)]),
        expected=times.expected,
        seen=times.seen,
        complete=_round(Fraction(times.seen, times.expected)) if times.expected else None,
        fresh=_round(fresh),
        errors=_whole(errors),
        heights=_whole(heights),
        names=names,
    )


def _whole(errors: Errors) -> Errors:
    return Errors(errors.count, *(_round(value) for value in msgspec.structs.astuple(errors)[1:]))


def _round(value: float | Fraction | None) -> float | None:
    return None if value is None else round(float(value), _DIGITS) + 0.0
