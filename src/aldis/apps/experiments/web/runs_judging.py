"""Recordings judged for pages: again once there is more of them, not more often than it is worth, one at a time.

Findings are a function of recordings and cases alone, so that they are kept for whoever asks next; who may read them
is asked of what they rest on each time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from aldis.app import Context
from aldis.apps.experiments.cases.case import Case
from aldis.apps.experiments.cases.finding import find
from aldis.apps.experiments.cases.findings import Findings
from aldis.apps.experiments.web.runs_files import Run, permitted
from aldis.kernel.errors import TooLarge, Unavailable, UnknownTerm
from aldis.kernel.labels import Label

__all__ = ["MOST_BYTES", "Judged", "judged"]

MOST_BYTES = 64 * 1024 * 1024
"""Of one run that is judged for a page."""
_LEAST_S = 3.0
_SHARE = 5
"""A run under way is judged for at most one of so many seconds."""
_KEPT = 8
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Judged:
    """Findings, the labels of what they rest on, and when they were made, in ms since 1970 UTC."""

    found: Findings
    labels: Sequence[Label]
    at: int


@dataclass(frozen=True, slots=True)
class _Held:
    found: Findings
    at: int
    until: float


_held: OrderedDict[tuple[object, ...], _Held] = OrderedDict()
_lock = Lock()


def judged(ctx: Context, run: Run, cases: Sequence[Case]) -> Judged:
    """What a run shows of cases.

    Raises:
        TooLarge: more than a page judges.
        Unavailable: another is being judged, and it takes long.
        UnknownTerm: whoever asks may not read what there is by now.
        VerificationFailed, InvalidInput: as `find`.
    """
    if run.size > MOST_BYTES:
        raise TooLarge(
            f"{run.name} has over {MOST_BYTES // 1024**2} MiB: too much to be judged for a page",
            fix="`aldis experiment test CASE.toml --recording FILE` judges it",
        )
    open_ = run.state == "under way"
    heads = () if open_ else tuple(one.head for one in run.files)
    name = (run.files[0].path, heads, tuple(sorted(case.digest for case in cases)))
    if not _lock.acquire(timeout=_PATIENCE_S):
        raise Unavailable("another run is being judged", fix="Look again in a while")
    try:
        held = _held.get(name)
        if held is None or time.monotonic() >= held.until:
            held = _judge(ctx, run, cases, open_=open_)
            _held[name] = held
            while len(_held) > _KEPT:
                _held.popitem(last=False)
    finally:
        _lock.release()
    labels = permitted(ctx, {one.marking for one in held.found.recordings})
    if labels is None:
        raise UnknownTerm(f"no run {run.name!r} here")
    return Judged(held.found, labels, held.at)


def _judge(ctx: Context, run: Run, cases: Sequence[Case], *, open_: bool) -> _Held:
    began, at = time.monotonic(), ctx.now()
    found = find(
        cases,
        [Path(one.path) for one in run.files],
        {ctx.node: ctx.key_of(ctx.node)},
        experiment=ctx.default_project(),
        node=ctx.node,
        party=ctx.party,
    )
    ended = time.monotonic()
    again = ended + max(_LEAST_S, _SHARE * (ended - began)) if open_ else float("inf")
    return _Held(found, at, again)
