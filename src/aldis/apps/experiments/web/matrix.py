"""Findings as pages show them: the matrix by class of messages, what a cell rests on, and each case's criteria. Pure.

The words and symbols are those of the report; a colour repeats what they say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from aldis.apps.experiments.cases.findings import RUNGS, Cell, Evidence, Findings, Mark, Measure, Outcome, Verdict
from aldis.apps.experiments.report.wording import (
    ORDER,
    OUTCOMES,
    REASONS,
    RUNG_WORDS,
    SYMBOLS,
    VERDICT_WORDS,
    instant,
    number,
    shown,
)
from aldis.kernel.errors import UnknownTerm

__all__ = [
    "CellShown",
    "Class",
    "Line",
    "OutcomeShown",
    "Place",
    "Sign",
    "Square",
    "cell_named",
    "cell_shown",
    "classes",
    "counted",
    "outcomes_shown",
    "sign",
]

_TONES: Mapping[str, str] = {
    "success": "holds", "limited success": "waits", "interoperability issue": "fails", "pending": "open",
    "not tested": "open", "met": "holds", "partly": "waits", "failed": "fails", "unknown": "open",
}  # fmt: skip


class Sign(msgspec.Struct, frozen=True):
    """A verdict or an outcome: its symbol, its words, the tone of its colour, and what it means."""

    symbol: str
    words: str
    tone: str
    means: str = ""


class Square(msgspec.Struct, frozen=True):
    """One cell in its row: where it leads (nothing where no pair was looked at), and how far it came."""

    target: str
    cell: Cell | None
    sign: Sign | None
    rungs: Sequence[tuple[str, Sign]] = ()


class Class(msgspec.Struct, frozen=True):
    """The matrix of one class of messages: sources down, targets across."""

    message: str
    targets: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Square]]]


class Place(msgspec.Struct, frozen=True):
    """A message that something rests on: the file, the topic, its number there, and when it was recorded."""

    file: str
    head: str
    topic: str
    sequence: int
    at: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A rung of a cell, or a criterion of a case: how it stands, what was measured, and why it is so."""

    name: str
    of: str
    sign: Sign
    measured: str
    limit: str
    why: Sequence[str]
    places: Sequence[Place]


class CellShown(msgspec.Struct, frozen=True):
    """A cell by itself."""

    cell: Cell
    sign: Sign
    lines: Sequence[Line]
    classes: Sequence[str]


class OutcomeShown(msgspec.Struct, frozen=True):
    """A test case by itself."""

    outcome: Outcome
    sign: Sign
    why: Sequence[str]
    lines: Sequence[Line]


def sign(verdict: Verdict) -> Sign:
    """A verdict."""
    return Sign(SYMBOLS[verdict], verdict, _TONES[verdict], VERDICT_WORDS[verdict])


def classes(found: Findings) -> Sequence[Class]:
    """The matrix, a table for each class of messages."""
    made = []
    for message in dict.fromkeys(cell.message for cell in found.cells):
        at = {(cell.source, cell.target): cell for cell in found.cells if cell.message == message}
        targets = sorted({target for _, target in at})
        rows = [
            (source, [_square(target, at.get((source, target))) for target in targets])
            for source in sorted({source for source, _ in at})
        ]
        made.append(Class(message, targets, rows))
    return made


def counted(verdicts: Sequence[Verdict]) -> Sequence[tuple[int, Sign]]:
    """How many there are of each verdict, what falls short first."""
    counts = Counter(verdicts)
    return [(counts[one], sign(one)) for one in ORDER if counts[one]]


def cell_named(found: Findings, source: str, target: str, message: str) -> Cell:
    """A cell of findings.

    Raises:
        UnknownTerm: they have none such.
    """
    for cell in found.cells:
        if (cell.source, cell.target, cell.message) == (source, target, message):
            return cell
    raise UnknownTerm("no such cell")


def cell_shown(found: Findings, cell: Cell) -> CellShown:
    """A cell with its rungs, the lowest first, and in which other classes the same two met."""
    files = _files(found)
    marks = sorted(cell.marks, key=lambda mark: RUNGS.index(mark.rung))
    others = [one.message for one in found.cells if (one.source, one.target) == (cell.source, cell.target)]
    return CellShown(cell, sign(cell.verdict), [_rung(mark, files) for mark in marks], others)


def outcomes_shown(found: Findings) -> Sequence[OutcomeShown]:
    """Each test case with what was measured."""
    files, made = _files(found), []
    for one in found.outcomes:
        lines = [_criterion(part, files) for part in one.measures]
        if one.verdict == "not tested":  # nobody tried, so nothing failed
            lines = [msgspec.structs.replace(line, sign=sign("not tested"), why=()) for line in lines]
        made.append(OutcomeShown(one, sign(one.verdict), _reasons(one.reasons, ""), lines))
    return made


def _square(target: str, cell: Cell | None) -> Square:
    if cell is None:
        return Square(target, None, None)
    at = {mark.rung: mark for mark in cell.marks}
    rungs = [(rung, _outcome(at[rung].outcome)) for rung in RUNGS if rung in at]
    return Square(target, cell, sign(cell.verdict), rungs)


def _outcome(outcome: str) -> Sign:
    symbol, _, words = OUTCOMES[outcome].partition(" ")
    return Sign(symbol, words, _TONES[outcome])


def _rung(mark: Mark, files: Mapping[str, str]) -> Line:
    return Line(
        name=mark.rung,
        of=RUNG_WORDS[mark.rung],
        sign=_outcome(mark.outcome),
        measured=number(mark.value, mark.unit) if mark.value is not None else "",
        limit=number(mark.limit, mark.unit) if mark.limit is not None else "",
        why=_reasons(mark.reasons, mark.text),
        places=_places(mark.evidence, files),
    )


def _criterion(one: Measure, files: Mapping[str, str]) -> Line:
    return Line(
        name=one.criterion,
        of=one.step,
        sign=_outcome({True: "met", False: "failed", None: "unknown"}[one.met]),
        measured=number(one.value, one.unit) if one.value is not None else "",
        limit=number(one.limit, one.unit) if one.limit is not None else "",
        why=_reasons(one.reasons, one.text),
        places=_places(one.evidence, files),
    )


def _reasons(reasons: Sequence[str], text: str) -> Sequence[str]:
    said = [f"{one}: {REASONS[one]}" if one in REASONS else one for one in dict.fromkeys(reasons)]
    return [*said, *([shown(text, 400)] if text else [])]


def _files(found: Findings) -> Mapping[str, str]:
    return {one.head: one.file for one in found.recordings}


def _places(evidence: Sequence[Evidence], files: Mapping[str, str]) -> Sequence[Place]:
    return [
        Place(files.get(one.recording, "not among the recordings"), one.recording, one.topic, one.sequence,
              instant(one.at_us))
        for one in evidence
    ]  # fmt: skip
