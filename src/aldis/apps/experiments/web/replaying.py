"""Recordings of this node: which there are, and the picture at any instant of one, for whoever may see it today."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from aldis.app import Context, Live, Page, Recordings, Shown
from aldis.apps.experiments.kinds import TRACK
from aldis.apps.experiments.web.charting import chart_row, chart_rows
from aldis.apps.experiments.web.compare_words import in_words
from aldis.apps.experiments.web.replaying_index import Head
from aldis.apps.experiments.web.replaying_picture import Thing, things, views
from aldis.apps.experiments.web.replaying_shelf import Reading, Run, Shelf
from aldis.kernel.errors import AldisError, UnknownTerm, VerificationFailed
from aldis.kernel.frames import Update

__all__ = ["PAGES"]

_ROWS = 100
_LOOKS = 3
"""Looks of a stream, at ten a second, of which one is taken."""
_SHELF = Shelf()


class AskedNone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recording, seconds from its beginning, and whose view: "" is what this node knew."""

    run: str
    at: Annotated[int, msgspec.Meta(ge=0, le=10**8)] = 0
    view: str = ""


class AskedPlay(Asked, frozen=True, forbid_unknown_fields=True):
    """The same, from that instant on, so many times faster than it was."""

    speed: Literal[1, 4, 16] = 1


def _place(ctx: Context) -> Recordings:
    """Where recordings are, for whoever may see what has the lowest marking of this node's project.

    Raises:
        UnknownTerm: nothing is recorded here, or they may see nothing of it: the two are told apart by nothing.
    """
    place, lowest = ctx.recordings, ctx.banner([])
    update = Update("", TRACK.name, "position", 0, None)
    if place is None or not ctx.may_watch(Live("", lowest, update, lowest, ctx.default_project())):
        raise UnknownTerm("no recording here", fix="`/experiments/recordings` lists those that are here")
    return place


def _listed(ctx: Context, _asked: AskedNone) -> Shown:
    try:
        folder = Path(_place(ctx).folder)
    except UnknownTerm:
        return Shown({"runs": []}, [])
    runs = [{"run": run, **_span(ctx, run)} for run in _SHELF.runs(folder)]
    return Shown({"runs": runs}, [])


def _span(ctx: Context, run: Run) -> Mapping[str, Any]:
    """When it was, to the minute for whoever may not see all of it: its end may be that of something else."""
    began = run.opening.began if run.opening else 0
    took = max(0, run.last - began) // 1000 if began and run.last else 0
    if run.opening is not None and not _sees(ctx, run.opening.marking):
        took = -(-took // 60) * 60
    return {"began": began, "took": _lasted(took) if took else ""}


def _sees(ctx: Context, marking: str) -> bool:
    try:
        label = ctx.label(marking)
    except AldisError:
        return False
    update = Update("", TRACK.name, "position", 0, None)
    return ctx.may_watch(Live("", label, update, label, ctx.default_project()))


def _read(ctx: Context, name: str) -> tuple[Run, Reading | None]:
    place = _place(ctx)
    run = _SHELF.run(Path(place.folder), name)
    return run, _SHELF.reading(run, place.signer.public)


def _recording(ctx: Context, asked: Asked) -> Shown:
    try:
        run, found = _read(ctx, asked.run)
    except VerificationFailed:
        return Shown({"run": asked.run, "wrong": True, "reading": False}, [])
    if found is None:
        return Shown({"run": run.name, "wrong": False, "reading": True}, [])
    span = max(0, -(-(found.index.last - found.index.first) // 10**9))
    at = min(asked.at, span)
    whole = run.opening is not None and _sees(ctx, run.opening.marking)
    shown = _instant(ctx, Head(found.index), found, msgspec.structs.replace(asked, at=at))
    values = {
        "run": run.name,
        "wrong": False,
        "reading": False,
        "state": run.state,
        "whole": found.whole,
        "lacks": found.wrong if whole else [],
        "span": span,
        "lasted": _lasted(span),
    }
    return Shown({**shown.values, **values}, shown.labels)


def _instant(ctx: Context, head: Head, found: Reading, asked: Asked) -> Shown:
    instant = found.index.first + asked.at * 10**9
    state = dict(head.to(instant))
    there = things(state, ctx, instant, asked.view)
    values = {
        "name": asked.run,
        "at": asked.at,
        "view": asked.view,
        "views": views(state, ctx),
        "moment": _moment(instant),
        "since": _lasted(asked.at),
        "rows": [_row(one) for one in there.found[:_ROWS]],
        "more": there.more or len(there.found) > _ROWS,
        "most": _ROWS,
        "ms": instant // 1_000_000,
        "places": chart_rows(_placed(one, instant // 1_000_000) for one in there.found),
        "gone": False,
    }
    return Shown(values, there.labels)


def _row(one: Thing) -> Mapping[str, Any]:
    said = {name: in_words(name, one.values.get(name, {})) for name in ("position", "motion")}
    rest = [name for name in one.values if name not in ("position", "motion", "identity")]
    age = one.ages.get("position", min(one.ages.values(), default=0))
    return {"thing": one, "labels": one.labels, "said": said, "rest": ", ".join(rest), "age": _lasted(age // 1000)}


def _placed(one: Thing, at: int) -> Mapping[str, Any]:
    values = dict(one.values)
    if "position" in values:  # of what has no time of its own, when it was recorded
        values["position"] = {"at": at - one.ages["position"], **values["position"]}
    return chart_row((one.node, one.id), one.labels[0], values, {}, at)


def _play(ctx: Context, asked: AskedPlay) -> Callable[[Context], Shown | None]:
    """The instants that pass from now on, three a second, for as long as whoever asks may see it."""
    _, found = _read(ctx, asked.run)
    if found is None:
        raise UnknownTerm("it is still being read", fix="Look again")
    head, looks, began = Head(found.index), itertools.count(), time.monotonic()
    span = max(0, -(-(found.index.last - found.index.first) // 10**9))

    def look(now: Context) -> Shown | None:
        if next(looks) % _LOOKS:
            return None
        passed = int((time.monotonic() - began) * asked.speed)
        try:
            _place(now)
            return _instant(now, head, found, msgspec.structs.replace(asked, at=min(asked.at + passed, span)))
        except AldisError:
            return Shown({"gone": True}, [])

    return look


def _moment(ns: int) -> str:
    try:
        return f"{datetime.fromtimestamp(ns // 10**9, UTC):%d %B %Y, %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return "a time that no calendar has"


def _lasted(seconds: int) -> str:
    """A time in words: `1 h 2 min 3 s`."""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes or hours) + [f"{left} s"]
    return " ".join(parts)


PAGES = (
    Page("GET", "/recordings", "Recordings", AskedNone, _listed, "recordings.html", linked=True),
    Page("GET", "/recordings/{run}", "Recording", Asked, _recording, "recording.html", workers=True),
    Page("FEED", "/recordings/{run}/play", "Recording", AskedPlay, _play, "recording_instant.html"),
)
