"""`aldis experiment test`: the interoperability matrix, and what became of each test case, from recordings alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from aldis.apps.experiments.commands.judging import CASES, EXPERIMENT, RECORDINGS, SEALED_BY, judged
from aldis.apps.experiments.commands.terminal import Run
from aldis.kernel.errors import InvalidInput, UnknownTerm

if TYPE_CHECKING:
    from aldis.apps.experiments.cases import Cell, Findings, Measure, Outcome

__all__ = ["all_well", "shown", "test"]

_STYLES: Mapping[str, str] = {
    "success": "green", "limited success": "yellow", "interoperability issue": "bold red", "not tested": "dim",
    "pending": "cyan",
}  # fmt: skip
_MARKS: Mapping[bool | None, tuple[str, str]] = {
    True: ("✓ met", "green"), False: ("✗ not met", "bold red"), None: ("- not known", "cyan"),
}  # fmt: skip


@click.command("test")
@CASES
@RECORDINGS
@SEALED_BY
@EXPERIMENT
@click.option("--only", metavar="CASE", multiple=True, help="Only this case, by its name.")
@click.option(
    "--out", "into", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write the findings there."
)
@click.pass_context
def test(
    ctx: click.Context, cases: Sequence[Path], recordings: Sequence[Path], sealed: Sequence[str], experiment: str,
    only: Sequence[str], into: Path | None,
) -> None:  # fmt: skip
    """Test what recordings of one or several nations show: the matrix of their systems, and each case's criteria.

    Nothing but the files counts: whoever has them comes to the same findings. Exit code 0: every case is a success, and
    no cell of the matrix an issue. 1: anything less. 4: a recording is altered, or sealed with another key.
    """
    run: Run = ctx.obj
    from aldis.apps.experiments.cases import read_case  # noqa: PLC0415 - numpy, which no other command needs

    read = [read_case(path) for path in cases]
    unknown = sorted(set(only) - {case.name for case in read})
    if unknown:
        has = ", ".join(sorted(case.name for case in read))
        raise UnknownTerm(f"no case is named {unknown[0]!r}", fix=f"These files have: {has}")
    chosen = [case for case in read if not only or case.name in only]
    found = judged(run, chosen, recordings, sealed, experiment)
    if into is not None:
        try:
            into.write_bytes(found.canonical + b"\n")
        except OSError as error:
            raise InvalidInput(f"cannot write {into}: {error.strerror}", fix="Name another file") from error
    data = msgspec.to_builtins(found) | {"digest": found.digest}
    run.out.say(found.marking)
    if run.out.on_terminal:
        run.out.data(data, *shown(found))
    else:
        run.out.lines(data, ["\t".join(row) for row in (*_cell_rows(found.cells), *_case_rows(found.outcomes))])
    run.out.say(f"findings {found.digest}")
    if not all_well(found):
        ctx.exit(1)


def all_well(found: Findings) -> bool:
    """Whether every case is a success, and no cell an issue."""
    return all(one.verdict == "success" for one in found.outcomes) and not any(
        one.verdict == "interoperability issue" for one in found.cells
    )


def shown(found: Findings) -> Iterable[Table | Text | str]:
    """The findings for a terminal: a matrix for each class, what lowers a cell, and each case with its criteria."""
    for kind in dict.fromkeys(cell.message for cell in found.cells):
        cells = [cell for cell in found.cells if cell.message == kind]
        yield Text(f"{kind}: from the rows to the columns", style="bold")
        yield _matrix(cells)
        for cell in cells:
            lower = [mark for mark in cell.marks if mark.outcome != "met"]
            for mark in lower[:1] if lower else ():
                why = f" ({', '.join(mark.reasons)})" if mark.reasons else ""
                yield f"{cell.source} to {cell.target}: {mark.rung} {mark.outcome}{why}. {mark.text}"
        yield ""
    for outcome in found.outcomes:
        yield Text.assemble((f"{outcome.case}: {outcome.title}. ", "bold"), _verdict(outcome.verdict))
        yield _criteria(outcome.measures)
        yield ""


def _matrix(cells: Sequence[Cell]) -> Table:
    columns = sorted({cell.target for cell in cells})
    known = {(cell.source, cell.target): cell.verdict for cell in cells}
    rows = [
        [Text(source), *(_verdict(known[source, one]) if (source, one) in known else Text("") for one in columns)]
        for source in sorted({cell.source for cell in cells})
    ]
    return _grid(("", *columns), rows)


def _verdict(word: str) -> Text:
    return Text(word, style=_STYLES[word])


def _criteria(measures: Sequence[Measure]) -> Table:
    rows = []
    for one in measures:
        word, style = _MARKS[one.met]
        said = "; ".join(part for part in (", ".join(one.reasons), one.text) if part)
        rows.append(
            [Text(one.step), Text(one.criterion), Text(word, style=style), *map(Text, _numbers(one)), Text(said)]
        )
    return _grid(("step", "criterion", "", "value", "limit", "why"), rows)


def _grid(headings: Sequence[str], rows: Sequence[Sequence[Text]]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name in headings:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _numbers(one: Measure) -> tuple[str, str]:
    """Value and limit, each with its unit."""
    value, limit = (
        "" if number is None else f"{number:.6g} {one.unit}".strip() for number in (one.value, one.limit)
    )  # fmt: skip
    return value, limit


def _cell_rows(cells: Sequence[Cell]) -> Iterable[Sequence[str]]:
    for cell in cells:
        marks = [f"{mark.rung} {mark.outcome}" for mark in cell.marks]
        reasons = dict.fromkeys(reason for mark in cell.marks for reason in mark.reasons)
        yield "cell", cell.source, cell.target, cell.message, cell.verdict, "; ".join(marks), "; ".join(reasons)


def _case_rows(outcomes: Sequence[Outcome]) -> Iterable[Sequence[str]]:
    for outcome in outcomes:
        yield "case", outcome.case, "", "", outcome.verdict, outcome.title, "; ".join(outcome.reasons)
        for one in outcome.measures:
            value, limit = _numbers(one)
            word = _MARKS[one.met][0].split(" ", 1)[1]
            yield (
                "criterion",
                outcome.case,
                one.step,
                one.criterion,
                word,
                " of ".join(part for part in (value, limit) if part),
                "; ".join(one.reasons),
            )
