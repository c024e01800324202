"""The pages of runs: what was recorded here, each run judged as far as it went, and what of it may be taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from aldis.app import Context, Handed, Page, Shown
from aldis.apps.experiments.web.matrix import cell_named, cell_shown
from aldis.apps.experiments.web.runs_cases import kept
from aldis.apps.experiments.web.runs_feed import FEED, labels_of, values_of
from aldis.apps.experiments.web.runs_files import content, run_of, runs_of
from aldis.apps.experiments.web.runs_judging import judged
from aldis.apps.experiments.web.runs_report import zipped
from aldis.apps.experiments.web.runs_so_far import said_of
from aldis.kernel.errors import AldisError, UnknownTerm

__all__ = ["PAGES"]


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run."""

    run: str


class _Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell of its matrix: from which system to which, and the class of messages."""

    run: str
    source: str
    target: str
    message: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a run."""

    run: str
    file: str


def _runs(ctx: Context, _asked: _Nothing) -> Shown:
    found = runs_of(ctx)
    labels = [label for run in found for label in run.labels]
    return Shown({"runs": found, "records": ctx.recordings is not None}, labels)


def _run(ctx: Context, asked: _Named) -> Shown:
    run, cases = run_of(ctx, asked.run), kept(ctx)
    values: dict[str, Any] = {"run": run, "cases": cases, "refused": None, "judged": None}
    try:
        made = judged(ctx, run, cases)
    except UnknownTerm:
        raise
    except AldisError as error:
        return Shown(values | {"refused": error}, labels_of(ctx, run, cases))
    values |= {"judged": made, **values_of(run, made)}
    return Shown(values, labels_of(ctx, run, cases, made))


def _cell(ctx: Context, asked: _Cell) -> Shown:
    run, cases = run_of(ctx, asked.run), kept(ctx)
    made = judged(ctx, run, cases)
    found = said_of(made.found, growing=run.growing)
    one = cell_shown(found, cell_named(found, asked.source, asked.target, asked.message))
    values = {"run": run, "judged": made, "one": one}
    return Shown(values, labels_of(ctx, run, cases, made))


def _report(ctx: Context, asked: _Named) -> Handed:
    """The findings as they are, not so far: of a run under way they say that its recording is not whole."""
    run, cases = run_of(ctx, asked.run), kept(ctx)
    name = f"report-{run.name}"
    data = zipped(judged(ctx, run, cases).found, cases, name, ctx.parties())
    return Handed(f"{name}.zip", "application/zip", len(data), iter([data]))


def _recording(ctx: Context, asked: _File) -> Handed:
    for one in run_of(ctx, asked.run).files:
        if one.name == asked.file:
            return Handed(one.name, "application/octet-stream", one.size, content(one))
    raise UnknownTerm("no such file")


PAGES: Sequence[Page] = (
    Page("GET", "/runs", "Experiments", _Nothing, _runs, "runs.html", linked=True),
    Page("GET", "/runs/of/{run}", "A run", _Named, _run, "run.html"),
    FEED,
    Page("GET", "/runs/of/{run}/cell", "A cell of the matrix", _Cell, _cell, "run_cell.html"),
    Page("GET", "/runs/of/{run}/report", "The report of a run", _Named, _report),
    Page("GET", "/runs/of/{run}/files/{file}", "A recording", _File, _recording),
)
