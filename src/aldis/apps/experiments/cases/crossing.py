"""What can be measured between what a system said and what another was sent: exact, and the same in any order.

Updates are the same where they are of one record and were true at one time. Quantiles are those of `scoring`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property

import msgspec

from aldis.apps.experiments.cases.clocks import Offset
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.entity import Identity
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.scoring import Criteria, Report, Score, score
from aldis.apps.experiments.scoring.agreement import identity_of
from aldis.apps.experiments.scoring.streams import true_at
from aldis.apps.experiments.scoring.timeliness import Ages, ages

__all__ = ["Crossing", "Outage", "report_of", "scored"]

_SECOND_US = 1_000_000
_MOST = 100_000
"""Instants at which pictures are compared."""
_NAMES = tuple(
    name for name in Identity.__struct_fields__ if name not in ("at", "other_names", "team", "role")
)  # fmt: skip


class Outage(msgspec.Struct, frozen=True):
    """A time in which nothing came although there was something to say; `after` is None where nothing came any more."""

    before: Seen
    after: Seen | None
    lasted_us: int


class Crossing:
    """Of two streams of reports, in the order of time, and the offset of the second one's clock."""

    def __init__(self, said: Sequence[Seen], reached: Sequence[Seen], offset: Offset) -> None:
        self.said = said
        self.reached = reached
        self.offset = offset

    @cached_property
    def matched(self) -> Sequence[tuple[Seen, Seen]]:
        """Each update that reached the target, as it was first said and as it first reached it."""
        said: dict[tuple[str, int | None], Seen] = {}
        for one in self.said:
            said.setdefault((one.record, one.true_us), one)
        found: dict[tuple[str, int | None], Seen] = {}
        for one in self.reached:
            if (one.record, one.true_us) in said:
                found.setdefault((one.record, one.true_us), one)
        return [(said[update], one) for update, one in found.items()]

    def latency(self, share: Fraction) -> tuple[float, Seen] | None:
        """The latency in µs that a share of the matched updates do not exceed, and one that has it."""
        late = [(two.at_us - self.offset.offset_us - one.at_us, two) for one, two in self.matched]
        return _quantile(late, share)

    def age(self, share: Fraction) -> int | None:
        """The age in µs that the target's information does not exceed for a share of the time until the run ends."""
        shift = self.offset.offset_us
        times: dict[str, list[tuple[int, int]]] = {}
        for one in self.reached:
            at = one.at_us - shift
            times.setdefault(one.record, []).append((min(true_at(one.true_us, at), at), at))
        end = max([self.said[-1].at_us if self.said else 0, *(at for one in times.values() for _, at in one)])
        return Ages.joined(ages(one, end) for one in times.values()).quantile(share)

    @cached_property
    def counts(self) -> tuple[int, int]:
        """How many of the updates that were said reached the target, and how many there were.

        Where a record's reports say when they were true, those that do not are no updates of it.
        """
        return sum(one.true_us is not None or one.record not in self._dated for one, _ in self.matched), len(
            {(one.record, one.true_us) for one in self.said if one.true_us is not None or one.record not in self._dated}
        )

    @cached_property
    def _dated(self) -> frozenset[str]:
        return frozenset(one.record for one in self.said if one.true_us is not None)

    @cached_property
    def unmatched(self) -> Seen | None:
        """The first update that did not reach it."""
        had = {(one.record, one.true_us) for one, _ in self.matched}
        dated = (one for one in self.said if one.true_us is not None or one.record not in self._dated)
        return next((one for one in dated if (one.record, one.true_us) not in had), None)

    @cached_property
    def error(self) -> tuple[float, Seen] | None:
        """The greatest distance in m, over ground, between where an update was said to be and where it arrived."""
        far = [
            (round(distance_m(one.where[0], one.where[1], two.where[0], two.where[1]), 6), two)
            for one, two in self.matched
            if one.where is not None and two.where is not None
        ]
        return _quantile(far, Fraction(1))

    def scored(self, cutoff_m: float) -> Score:
        """The score of what reached the target against what was said."""
        return scored(self.said, self.reached, cutoff_m)

    @cached_property
    def names(self) -> tuple[int, int, Seen | None]:
        """How many names agree of how many that both sides gave, and a report with one that does not."""
        agreed = compared = 0
        wrong = None
        said, reached = (_by_record(side) for side in (self.said, self.reached))
        for record in sorted(said.keys() & reached.keys()):
            one, two = (identity_of(report_of(seen) for seen in side[record]) for side in (said, reached))
            for name in sorted(one.keys() & two.keys()):
                compared += 1
                agreed += one[name] == two[name]
                if one[name] != two[name] and wrong is None:
                    wrong = reached[record][-1]
        return agreed, compared, wrong

    @cached_property
    def switches(self) -> Sequence[Seen]:
        """Reports at which a record took on another's name, or one that nobody gave it."""
        own = {record: _values(seen) for record, seen in _by_record(self.said).items()}
        others: dict[tuple[str, int | str], set[str]] = {}
        for record, values in own.items():
            for value in values:
                others.setdefault(value, set()).add(record)
        found = []
        for record, several in sorted(_by_record(self.reached).items()):
            shown: dict[str, int | str] = {}
            for seen in several:
                for value in _values([seen]):
                    before = shown.get(value[0])
                    stranger = value not in own.get(record, ()) and bool(others.get(value))
                    changed = before is not None and before != value[1] and value not in own.get(record, ())
                    if before != value[1] and (changed or stranger):
                        found.append(seen)
                    shown[value[0]] = value[1]
        return found

    def outages(self, longer_us: int) -> Sequence[Outage]:
        """The times longer than this in which nothing reached the target, while the source went on."""
        shift, found = self.offset.offset_us, []
        said = [one.at_us for one in self.said]
        for at, before in enumerate(self.reached):
            after = self.reached[at + 1] if at + 1 < len(self.reached) else None
            since = before.at_us - shift
            until = after.at_us - shift if after is not None else max(said, default=since)
            if until - since > longer_us and sum(since < one < until + (after is None) for one in said) > 1:
                found.append(Outage(before, after, until - since))
        return found


def scored(said: Iterable[Seen], reached: Iterable[Seen], cutoff_m: float) -> Score:
    """The score of some reports against others, every second, or less often where that would be too many times."""
    one, two = ([report_of(seen) for seen in side] for side in (said, reached))
    times = [report.at_us for report in (*one, *two)]
    spread = max(times, default=0) - min(times, default=0)
    return score(one, two, Criteria(cutoff_m=cutoff_m, step_us=_SECOND_US * max(1, -(-spread // _SECOND_US // _MOST))))


def report_of(seen: Seen) -> Report:
    """A report as scores take it, under its record's id."""
    return Report(seen.record, true_at(seen.true_us, seen.at_us), seen.at_us, seen.where, seen.identity)


def _by_record(several: Sequence[Seen]) -> Mapping[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for one in several:
        found.setdefault(one.record, []).append(one)
    return found


def _values(several: Sequence[Seen]) -> Sequence[tuple[str, int | str]]:
    """The names that reports give, by field."""
    found: dict[tuple[str, int | str], None] = {}
    for identity in {id(one.identity): one.identity for one in several if one.identity is not None}.values():
        for name in _NAMES:
            value = getattr(identity, name)
            if value is not None:
                found[name, value] = None
    return list(found)


def _quantile(values: Sequence[tuple[float, Seen]], share: Fraction) -> tuple[float, Seen] | None:
    """The least value that a share of them do not exceed, and the first report that has it."""
    if not values:
        return None
    ordered = sorted(values, key=lambda one: (one[0], one[1].at_us, one[1].file, one[1].sequence))
    return ordered[max(0, -(-share.numerator * len(ordered) // share.denominator) - 1)]
