"""The matrix of a report: who understood whom, and each of its cells with the rungs that it reached."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.apps.experiments.cases.findings import Cell as Exchange
from aldis.apps.experiments.cases.findings import Mark, Outcome, Verdict
from aldis.apps.experiments.report.document import Block, Cell, Entry, Note, Row, Section, Span, Table, cell
from aldis.apps.experiments.report.evidence import Index
from aldis.apps.experiments.report.wording import OUTCOMES, REASONS, RUNG_WORDS, SYMBOLS, number, shown

__all__ = ["details", "exchange", "matrix", "reasons_of", "said", "test_cases", "verdict"]

_STYLES = {
    "success": "met",
    "limited success": "partly",
    "interoperability issue": "failed",
    "pending": "unknown",
    "not tested": "untested",
}


def verdict(one: Verdict, to: str = "") -> Span:
    """A verdict: a symbol and its words."""
    return Span(f"{SYMBOLS[one]} {one}", to, _STYLES[one])  # type: ignore[arg-type]


def said(reasons: Sequence[str], text: str = "") -> str:
    """Reasons in words, and what else was said."""
    parts = [f"{one}: {REASONS[one]}" if one in REASONS else one for one in dict.fromkeys(reasons)]
    return "; ".join([*parts, *([shown(text, 400)] if text else [])])


def reasons_of(marks: Sequence[Mark]) -> Sequence[str]:
    """The reasons of all rungs of a cell."""
    return list(dict.fromkeys(reason for mark in marks for reason in mark.reasons))


def exchange(one: Exchange) -> str:
    """What a cell is about."""
    return f"{shown(one.source, 60)} to {shown(one.target, 60)}, {shown(one.message, 30)}"


def matrix(cells: Sequence[Exchange]) -> Section:
    """A table for each class of messages: sources down, targets across."""
    blocks: list[Block] = [
        Note(
            cell("Sources stand at the left, targets above. A blank was in no test. Each verdict leads to its reasons.")
        )
    ]
    where = {id(one): f"cell-{number}" for number, one in enumerate(cells, 1)}
    for message in dict.fromkeys(one.message for one in cells):
        some = [one for one in cells if one.message == message]
        at: dict[tuple[str, str], list[Exchange]] = {}
        for one in some:
            at.setdefault((one.source, one.target), []).append(one)
        targets = sorted({one.target for one in some})
        rows = [
            Row((cell(shown(source, 60)), *(_spans(at.get((source, target), ()), where) for target in targets)))
            for source in sorted({one.source for one in some})
        ]
        heads = (cell("from / to"), *(cell(shown(target, 60)) for target in targets))
        blocks.append(Table(f"Messages of the class {shown(message, 30)}", heads, tuple(rows), grid=True))
    if not cells:
        blocks.append(Note(cell("No pair of systems was looked at.")))
    return Section("Matrix", "matrix", blocks)


def _spans(some: Sequence[Exchange], where: dict[int, str]) -> Cell:
    spans = [part for one in some for part in (verdict(one.verdict, where[id(one)]), Span("; "))]
    return tuple(spans[:-1])


def details(cells: Sequence[Exchange], index: Index) -> Section:
    """Each cell with its rungs."""
    blocks: list[Block] = []
    heads = tuple(cell(text) for text in ("Rung", "Outcome", "Measured", "Limit", "Why", "Evidence"))
    for place, one in enumerate(cells, 1):
        spans = cell(f"{exchange(one)}: ", verdict(one.verdict))
        blocks.append(Entry(spans, f"cell-{place}"))
        blocks.append(Note(cell("Protocols: ", shown(one.protocols[0], 40), " to ", shown(one.protocols[1], 40), ".")))
        rows = tuple(_rung(mark, index) for mark in one.marks)
        if rows:
            blocks.append(Table(f"Rungs of {exchange(one)}", heads, rows, (20, 11, 13, 13, 29, 14)))
    if not blocks:
        blocks.append(Note(cell("No pair of systems was looked at.")))
    return Section("Cells of the matrix", "cells", blocks)


def _rung(mark: Mark, index: Index) -> Row:
    measured = mark.value is not None
    return Row(
        (
            cell(f"{mark.rung}: {RUNG_WORDS.get(mark.rung, '')}"),
            cell(Span(OUTCOMES.get(mark.outcome, mark.outcome), style=mark.outcome)),
            index.measured(number(mark.value, mark.unit), mark.evidence) if measured else cell("no figure"),
            cell(number(mark.limit, mark.unit)) if mark.limit is not None else cell("none"),
            cell(said(mark.reasons, mark.text)),
            index.links(mark.evidence),
        )
    )


def test_cases(outcomes: Sequence[Outcome], files: Sequence[str], index: Index) -> Section:
    """Each test case with what was measured; `files` are the paths of the cases' files, "" where one is not here."""
    blocks: list[Block] = []
    heads = tuple(cell(text) for text in ("Criterion", "Step", "Measured", "Limit", "Met", "Why", "Evidence"))
    for place, (one, file) in enumerate(zip(outcomes, files, strict=True), 1):
        blocks.append(Entry(cell(f"{shown(one.title or one.case, 120)}: ", verdict(one.verdict)), f"case-{place}"))
        whence = cell("Case ", Span(shown(one.case, 80), style="code"), ", as run in ")
        digest = cell(", SHA-256 ", Span(one.case_digest, style="code"), ".")
        blocks.append(Note((*whence, Span(file or "a file that is not here", style="code"), *digest)))
        if one.reasons:
            blocks.append(Note(cell(f"Why: {said(one.reasons)}.")))
        rows = []
        for found in one.measures:
            met = "unknown" if found.met is None else "met" if found.met else "failed"
            measured = number(found.value, found.unit)
            rows.append(
                Row(
                    (
                        cell(shown(found.criterion, 80)),
                        cell(shown(found.step, 40)),
                        index.measured(measured, found.evidence) if found.value is not None else cell("no figure"),
                        cell(number(found.limit, found.unit)) if found.limit is not None else cell("none"),
                        cell(Span(OUTCOMES[met], style=met)),  # type: ignore[arg-type]
                        cell(said(found.reasons, found.text)),
                        index.links(found.evidence),
                    )
                )
            )
        if rows:
            name = shown(one.title or one.case, 60)
            blocks.append(Table(f"Measures of {name}", heads, tuple(rows), (20, 9, 13, 12, 10, 24, 12)))
    if not blocks:
        blocks.append(Note(cell("No test case was run.")))
    return Section("Test cases", "cases", blocks)
