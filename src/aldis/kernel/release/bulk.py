"""Decisions for many rows at once: each combination that occurs is decided once, and rows gather the answers.

Rows hold small integers: the number of their label and of their scope. Every decision comes from `Terms.decide`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.errors import InvalidInput
from aldis.kernel.instruments import MOST_APPROVALS
from aldis.kernel.labels import Label
from aldis.kernel.release.decisions import NOBODY, Decision, Reason, Request, Verdict
from aldis.kernel.release.terms import Terms, hold

__all__ = ["VERDICTS", "RowScope", "Verdicts", "verdicts"]

VERDICTS = (Verdict.PERMIT, Verdict.REFER, Verdict.REFUSE)
"""What the integers of `Verdicts.verdict` mean."""

_SPARSE = 1 << 16
_FLAGS = 2 * (MOST_APPROVALS + 1)


class RowScope(msgspec.Struct, frozen=True):
    """What rows share beside the label; the fields are those of `Request`."""

    kind: str
    originator: str
    project: str = ""
    portion: str = ""
    origin_grants: frozenset[str] = NOBODY


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One answer a row, in columns of shape (rows,).

    `verdict` indexes `VERDICTS`; `outcomes` holds the eight outcomes, two bits a check, the first check lowest
    (`Outcome`); `number` indexes `decisions`, which have the reasons. A row's own creation time is not in them: where
    `decisions[n].basis.delay_ms` is not 0, it waits for that long after.
    """

    verdict: NDArray[np.uint8]
    outcomes: NDArray[np.uint16]
    number: NDArray[np.int32]
    decisions: tuple[Decision, ...]

    def reasons(self, row: int) -> tuple[Reason, ...]:
        """The eight reasons of a row."""
        return self.decisions[int(self.number[row])].reasons


def verdicts(
    terms: Terms,
    labels: Sequence[Label],
    scopes: Sequence[RowScope],
    label: NDArray[np.integer] | None = None,
    scope: NDArray[np.integer] | None = None,
    *,
    held: NDArray[np.bool_] | None = None,
    approved: NDArray[np.integer] | None = None,
) -> Verdicts:
    """The decisions for every row under `terms`.

    Args:
        terms: the compiled terms (recipient, purpose, policy epoch, instant).
        labels: the labels that rows number.
        scopes: the scopes that rows number.
        label: per row, an index into `labels`; left out, one row for each label.
        scope: per row, an index into `scopes`; left out, the first for every row.
        held: per row, whether the record is on hold.
        approved: per row, how many release officers said yes.

    Raises:
        InvalidInput: columns of different lengths, or an index out of range.
    """
    if label is None:
        label = np.arange(len(labels))
    if scope is None:
        scope = np.zeros(len(label), np.int64)
    flags = [column for column in (held, approved) if column is not None]
    if any(len(column) != len(label) for column in (scope, *flags)):
        raise InvalidInput("the columns of rows differ in length")
    for column, values in ((label, len(labels)), (scope, len(scopes))):
        if len(column) and not 0 <= int(column.min()) <= int(column.max()) < values:
            raise InvalidInput("a row numbers a label or scope that was not given")
    combination = label.astype(np.int64) * len(scopes) + scope
    size = len(labels) * len(scopes)
    if flags:
        combination *= _FLAGS
        size *= _FLAGS
        combination += 0 if held is None else held.astype(np.int64)
        combination += 0 if approved is None else 2 * np.clip(approved.astype(np.int64), 0, MOST_APPROVALS)
    used, number = _distinct(combination, size)
    found = []
    for value in used.tolist():
        rest, flag = divmod(value, _FLAGS) if flags else (value, 0)
        one, other = divmod(rest, len(scopes))
        found.append(_decide(terms, labels[one], scopes[other], held=bool(flag & 1), approved=flag >> 1))
    return Verdicts(
        verdict=np.array([VERDICTS.index(decision.verdict) for decision in found], np.uint8)[number],
        outcomes=np.array([decision.outcomes for decision in found], np.uint16)[number],
        number=number,
        decisions=tuple(found),
    )


def _distinct(values: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The distinct values, sorted, and per row the place of its own; all are at least 0 and below `size`."""
    if size > 4 * len(values) + _SPARSE:
        used, places = np.unique(values, return_inverse=True)
        return used, places.astype(np.int32)
    marks = np.zeros(size, np.bool_)
    marks[values] = True
    used = np.flatnonzero(marks).astype(np.int64)
    table = np.zeros(size, np.int32)
    table[used] = np.arange(len(used), dtype=np.int32)
    return used, table[values]


def _decide(terms: Terms, label: Label, scope: RowScope, *, held: bool, approved: int) -> Decision:
    request = Request(
        label=label, kind=scope.kind, recipient=terms.recipient, originator=scope.originator, project=scope.project,
        portion=scope.portion, purpose=terms.purpose, origin_grants=scope.origin_grants, approved=approved,
    )  # fmt: skip
    decision = terms.decide(request)
    return hold(decision) if held else decision
