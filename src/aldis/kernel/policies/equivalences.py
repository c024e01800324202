"""Which level of one ladder answers to which of another: directional, dated, cited; a gap is for a person."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from aldis.kernel.errors import NeedsPerson

__all__ = ["Direction", "Equivalence", "equivalent"]


class Direction(enum.Enum):
    """What a row is good for."""

    PROTECT_AS = "protect_as"
    """Information: the receiving policy's level that protects it at least as well."""
    CLEARANCE_COUNTS_AS = "clearance_counts_as"
    """Persons: up to which of the other's levels a clearance reaches."""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """One row; `since` and `until` are ms since the epoch, UTC, `source` the document that says so."""

    direction: Direction
    policy: str
    classification: str
    to_policy: str
    to_classification: str
    since: int
    source: str
    until: int | None = None


def equivalent(
    rows: Iterable[Equivalence], direction: Direction, policy: str, classification: str, to_policy: str, at: int
) -> Equivalence:
    """The row in force at `at`; the first where several agree.

    Raises:
        NeedsPerson: no row, or rows that contradict each other.
    """
    found = [
        row
        for row in rows
        if row.direction is direction
        and (row.policy, row.classification, row.to_policy) == (policy, classification, to_policy)
        and row.since <= at
        and (row.until is None or at < row.until)
    ]
    answers = {row.to_classification for row in found}
    if len(answers) != 1:
        why = f"sources disagree ({', '.join(sorted(answers))})" if answers else "no agreement or policy says"
        raise NeedsPerson(
            f"{why} what {policy} {classification} is in policy {to_policy}",
            fix="A release officer decides, or an instrument agrees an equivalence",
        )
    return found[0]
