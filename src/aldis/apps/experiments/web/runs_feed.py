"""What an open page of a run is told: each verdict as it stands, never more than the page's own marking covers."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from aldis.app import Context, Page
from aldis.apps.experiments.cases.findings import Cell, Verdict
from aldis.apps.experiments.web.matrix import sign
from aldis.apps.experiments.web.runs_cases import kept
from aldis.apps.experiments.web.runs_files import run_of
from aldis.apps.experiments.web.runs_judging import judged
from aldis.apps.experiments.web.runs_so_far import said_of
from aldis.kernel.errors import AldisError

__all__ = ["FEED", "cell_key"]

_EVERY_S = 2.0
_OVER = b'{"over":true}'


class _Watched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run, and the marking that the page has."""

    run: str
    marked: str = ""


def cell_key(cell: Cell) -> str:
    """A cell's name on the page."""
    return f"{cell.source} {cell.target} {cell.message}"


def _feed(_ctx: Context, asked: _Watched) -> Callable[[Context], bytes | None]:
    next_ = 0.0

    def look(ctx: Context) -> bytes | None:
        nonlocal next_
        if time.monotonic() < next_:
            return None
        try:
            return _told(ctx, asked)
        except AldisError:  # as what is not there, or can no more be judged
            return _OVER
        finally:
            next_ = time.monotonic() + _EVERY_S

    return look


def _told(ctx: Context, asked: _Watched) -> bytes:
    run, cases = run_of(ctx, asked.run), kept(ctx)
    made = judged(ctx, run, cases)
    labels = [*run.labels, *made.labels, *([ctx.level] if cases else [])]
    if ctx.marking(ctx.banner(labels)) != asked.marked:
        return _OVER
    found = said_of(made.found, growing=run.growing)
    verdicts = [*(one.verdict for one in found.outcomes), *(one.verdict for one in found.cells)]
    counts = {one: verdicts.count(one) for one in dict.fromkeys(verdicts)}
    said = ", ".join(f"{count} {one}" for one, count in counts.items())
    return msgspec.json.encode(
        {
            "cases": {one.case: _sign(one.verdict) for one in found.outcomes},
            "cells": {cell_key(one): _sign(one.verdict) for one in found.cells},
            "told": f"Judged {'so far' if run.growing else 'as closed'}: {said or 'nothing yet'}.",
        }
    )


def _sign(verdict: Verdict) -> tuple[str, str, str]:
    one = sign(verdict)
    return one.symbol, one.words, one.tone


FEED = Page("FEED", "/runs/of/{run}/feed", "A run as it goes on", _Watched, _feed)
