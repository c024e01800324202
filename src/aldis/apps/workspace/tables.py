"""Tables as CSV (RFC 4180): tasks, which can be read back, and who said what of them, which is for people.

A cell that a spreadsheet would take for a formula begins with an apostrophe, which is taken off again on import.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from aldis.apps.workspace.papers import NOTE, STATE, Paper
from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["TASK_COLUMNS", "read_tasks", "write_rows", "write_tasks"]

_PLAN = ("due", "owner", "person", "milestone")
_MARKED = ("title", "details", "plan", STATE, NOTE)
TASK_COLUMNS = (
    "id", "title", "details", STATE, NOTE, *_PLAN, "marking", *(f"{name}_marking" for name in _MARKED), "by", "at",
    "banner",
)  # fmt: skip
_FORMULA = tuple("=+-@\t\r\n'＝＋－＠")
_MOST_ROWS = 10_000
_CELL = 2 * 1024 * 1024
csv.field_size_limit(_CELL)


def write_rows(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Rows under their headings, lines ended by CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_guarded(row.get(column, "")) for column in columns] for row in rows)
    return out.getvalue()


def write_tasks(papers: Sequence[Paper], banner: str) -> str:
    """The table of tasks; each row bears the banner of the whole file."""
    return write_rows(TASK_COLUMNS, [_row(paper, banner) for paper in papers])


def read_tasks(text: str, where: str) -> list[Paper]:
    """The tasks of a table; only `title` must be a column.

    Raises:
        InvalidInput: no CSV, a column that there is not, a row that is too long or has no title; each with its line.
        TooLarge: over 10,000 rows.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        _check_columns(columns, where)
        papers = []
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) > len(columns):
                raise InvalidInput(
                    f"{where}, line {reader.line_num}: {len(cells)} cells under {len(columns)} headings",
                    fix="Put a cell that has commas in quotes",
                )
            row = {name: _plain(cell) for name, cell in zip(columns, cells, strict=False) if cell}
            papers.append(_paper(row, where, reader.line_num))
            if len(papers) > _MOST_ROWS:
                raise TooLarge(f"{where} has over {_MOST_ROWS:,} rows", fix="Split it")
    except csv.Error as error:
        raise InvalidInput(f"{where}, line {reader.line_num}: not CSV: {error}", fix="Save it as CSV again") from error
    return papers


def _check_columns(columns: Sequence[str], where: str) -> None:
    for name in columns:
        if name not in TASK_COLUMNS or columns.count(name) > 1:
            raise InvalidInput(
                f"{where}, line 1: no column {name[:40]!r}, or two of it", fix=f"There are: {', '.join(TASK_COLUMNS)}"
            )
    if "title" not in columns:
        raise InvalidInput(f"{where}, line 1: no column 'title'", fix="Head the columns, with title among them")


def _row(paper: Paper, banner: str) -> dict[str, str]:
    plan = paper.values.get("plan", {})
    milestone = plan.get("milestone")
    row = {name: plan.get(name) or "" for name in _PLAN}
    row |= {name: paper.texts.get(name, "") for name in ("title", "details")}
    row |= {f"{name}_marking": paper.marks.get(name, "") for name in _MARKED}
    return row | {
        "id": paper.id, "by": paper.by, "at": paper.at, STATE: paper.state, NOTE: paper.note, "banner": banner,
        "marking": paper.marks["header"],
        "milestone": f"{milestone['node']}/{milestone['id']}" if milestone else "",
    }  # fmt: skip


def _paper(row: Mapping[str, str], where: str, line: int) -> Paper:
    if not (row.get("title") or row.get("id")):
        raise InvalidInput(f"{where}, line {line}: a task without a title", fix="Give it one")
    plan: dict[str, object] = {name: row[name] for name in ("due", "owner", "person") if name in row}
    if "milestone" in row:
        node, slash, id_ = row["milestone"].rpartition("/")
        if not slash:
            raise InvalidInput(f"{where}, line {line}: milestone {id_[:40]!r} is not NODE/ID", fix="Name it so")
        plan["milestone"] = {"node": node, "id": id_}
    marks = {name: row[f"{name}_marking"] for name in _MARKED if f"{name}_marking" in row}
    if "marking" in row:
        marks["header"] = row["marking"]
    return Paper(
        kind="task",
        texts={name: row[name] for name in ("title", "details") if name in row},
        values={"plan": plan} if plan or "plan_marking" in row else {},
        marks=marks, id=row.get("id", ""), state=row.get(STATE, ""), note=row.get(NOTE, ""), where=where,
        line=lambda _name: line,
    )  # fmt: skip


def _guarded(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
