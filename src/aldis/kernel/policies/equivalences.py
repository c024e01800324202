"""Which level of one ladder answers to which of another: directional, dated, cited; a gap is for a person."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from aldis.kernel.errors import NeedsPerson
from aldis.kernel.labels import rung_text

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

    @property
    def question(self) -> tuple[Direction, str, str, str]:
        """What the row answers: direction, policy, classification, other policy."""
        return self.direction, self.policy, self.classification, self.to_policy

    def in_force(self, at: int) -> bool:
        """Whether the row counts at `at`."""
        return self.since <= at and (self.until is None or at < self.until)


def equivalent(rows: Iterable[Equivalence], question: tuple[Direction, str, str, str], at: int) -> str:
    """The classification that the rows in force at `at` answer the question with.

    Raises:
        NeedsPerson: no row, or rows that contradict each other.
    """
    answers = {row.to_classification for row in rows if row.question == question and row.in_force(at)}
    if len(answers) != 1:
        _, policy, classification, to_policy = question
        why = f"sources disagree ({', '.join(sorted(answers))})" if answers else "no agreement or policy says"
        raise NeedsPerson(
            f"{why} what {rung_text(policy, classification)} is in policy {to_policy}",
            fix="A release officer decides, or an instrument agrees an equivalence",
        )
    return answers.pop()
