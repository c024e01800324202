"""How far two pictures agree on where things are and who they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from aldis.apps.experiments.entity import Identity
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.scoring.alignment import Place
from aldis.apps.experiments.scoring.streams import Report
from aldis.apps.experiments.scoring.timeliness import MEDIAN, P95, quantile

__all__ = ["Errors", "Names", "errors_of", "identity_of", "names_of"]

_FIELDS = tuple(field for field in Identity.__struct_fields__ if field not in ("at", "other_names"))


class Errors(msgspec.Struct, frozen=True):
    """Of `count` errors in metres: mean, root mean square, median, 95th percentile and greatest; None of no error."""

    count: int
    mean_m: float | None = None
    rms_m: float | None = None
    median_m: float | None = None
    p95_m: float | None = None
    greatest_m: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Errors:
        """The statistics of errors, whatever order they come in."""
        count = len(values)
        if not count:
            return cls(0)
        return cls(
            count,
            math.fsum(values) / count,
            math.sqrt(math.fsum(value * value for value in values) / count),
            quantile(values, MEDIAN),
            quantile(values, P95),
            max(values),
        )


class Names(msgspec.Struct, frozen=True):
    """Of the fields of identity that both sides gave, how many there are and how many agree.

    `withheld` are those that only the one which is compared with gave: no disagreement, but no agreement either.
    """

    compared: int
    agreed: int
    withheld: int


def errors_of(pairs: Iterable[tuple[Place, Place]]) -> tuple[Errors, Errors]:
    """Errors over ground, by great circle, and of height where both sides know one."""
    flat, high = [], []
    for one, two in pairs:
        flat.append(distance_m(one[0], one[1], two[0], two[1]))
        if one[2] is not None and two[2] is not None:
            high.append(abs(one[2] - two[2]))
    return Errors.of(flat), Errors.of(high)


def identity_of(reports: Iterable[Report]) -> Mapping[str, int | str]:
    """What one track was said to be: of each field of identity the value of the newest report that has one."""
    known: dict[str, int | str] = {}
    for report in sorted((one for one in reports if one.identity), key=lambda one: (one.at_us, one.received_us)):
        for field in _FIELDS:
            value = getattr(report.identity, field)
            if value is not None:
                known[field] = value
    return known


def names_of(pairs: Iterable[tuple[Mapping[str, int | str], Mapping[str, int | str]]]) -> Names:
    """How far identities agree, pair by pair of (compared with, compared)."""
    compared = agreed = withheld = 0
    for one, two in pairs:
        shared = one.keys() & two.keys()
        compared += len(shared)
        agreed += sum(one[field] == two[field] for field in shared)
        withheld += len(one.keys() - two.keys())
    return Names(compared, agreed, withheld)
