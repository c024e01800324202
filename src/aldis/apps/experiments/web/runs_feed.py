"""A run as it is judged, and what an open page of it is sent: all of that again, under the banner of just that."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from aldis.app import Context, Page, Shown
from aldis.apps.experiments.cases.case import Case
from aldis.apps.experiments.web.matrix import classes, outcomes_shown
from aldis.apps.experiments.web.runs_cases import kept
from aldis.apps.experiments.web.runs_files import Run, run_of
from aldis.apps.experiments.web.runs_judging import Judged, judged
from aldis.apps.experiments.web.runs_so_far import said_of
from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label

__all__ = ["FEED", "labels_of", "values_of"]

_EVERY_S = 2.0


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run."""

    run: str


def values_of(run: Run, made: Judged) -> Mapping[str, Any]:
    """What of its findings is shown, as it may be said now."""
    found = said_of(made.found, growing=run.growing)
    return {"run": run, "classes": classes(found), "outcomes": outcomes_shown(found), "gone": False}


def labels_of(ctx: Context, run: Run, cases: Sequence[Case], made: Judged | None = None) -> Sequence[Label]:
    """Of the recording, and of what they typed themselves."""
    return [*run.labels, *(made.labels if made else ()), *([ctx.level] if cases else [])]


def _feed(_ctx: Context, asked: _Named) -> Callable[[Context], Shown | None]:
    next_ = 0.0

    def look(ctx: Context) -> Shown | None:
        nonlocal next_
        if time.monotonic() < next_:
            return None
        try:
            run, cases = run_of(ctx, asked.run), kept(ctx)
            made = judged(ctx, run, cases)
            return Shown(values_of(run, made), labels_of(ctx, run, cases, made))
        except AldisError:  # as what is not there, or can no more be judged
            return Shown({"gone": True}, [])
        finally:
            next_ = time.monotonic() + _EVERY_S

    return look


FEED = Page("FEED", "/runs/of/{run}/feed", "A run as it goes on", _Named, _feed, "run_judged.html")
