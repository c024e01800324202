"""The page of tasks and leases: what is asked of this nation's systems and of others', what is lent, and its forms.

What may be done, and by whom, is decided where the commands and the HTTP API ask too (`orders.acting`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from aldis.app import Context, Go, Page, Query, Shown
from aldis.apps.experiments.entity import Point, Track
from aldis.apps.experiments.kinds import TRACK, entity_of
from aldis.apps.experiments.orders.acting import accept, cancel, lend, refuse, take_back
from aldis.apps.experiments.orders.kinds import ENDED, VERBS, Verb
from aldis.apps.experiments.orders.shown import TaskShown, standing
from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["PAGES", "corners"]

_TRACKS = 100
_MINUTE_MS = 60_000
_PLACE = re.compile(r"\s*(-?\d{1,2}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)\s*")
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=96)]
_Words = Annotated[str, msgspec.Meta(max_length=500)]


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


class _Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task by its id and the node that asks it, the marking of the answer, and why it is refused."""

    id: _Id
    node: str = ""
    marking: _Words = ""
    reason: _Words = ""


class _Cancelled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task that this node asked for."""

    id: _Id


class _Lent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which track's system to lend to which node, for how many minutes, for what, and inside which corners."""

    track: _Id
    holder: _Id
    minutes: Annotated[int, msgspec.Meta(ge=1, le=43_200)]
    verbs: Annotated[list[Verb], msgspec.Meta(max_length=6)] = []
    area: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    remarks: _Words = ""
    marking: _Words = ""


class _TakenBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A track, and why its system is taken back."""

    track: _Id
    reason: _Words = ""


def _page(ctx: Context, _asked: _Nothing) -> Shown:
    found = standing(ctx)
    commands = _commands(ctx)
    tracks, labels = _tracks(ctx) if commands else ([], [])
    values = {
        "asked": [one for one in found.tasks if one.asked == ctx.node],
        "asking": [one for one in found.tasks if one.asked != ctx.node],
        "own": [one for one in found.leases if one.owner == ctx.node],
        "borrowed": [one for one in found.leases if one.owner != ctx.node],
        "open": sum(map(_is_open, found.tasks)),
        "ended": ENDED,
        "here": ctx.node,
        "commands": commands,
        "may_ask": _may_write(ctx),
        "tracks": tracks,
        "holders": sorted(set(ctx.parties()) - {ctx.node}) if commands else [],
        "verbs": VERBS,
    }
    return Shown(values, [*found.labels, *labels])


def _is_open(one: TaskShown) -> bool:
    return one.state not in ENDED


def _may_write(ctx: Context) -> bool:
    person = ctx.person
    return person is None or {"put", "revise"} <= person.acts


def _commands(ctx: Context) -> bool:
    """Whether to offer what only those may do who command this nation's systems; `acting` decides."""
    person = ctx.person
    own = person is None or (person.nationality == ctx.party and not person.guest)
    return own and _may_write(ctx)


def _tracks(ctx: Context) -> tuple[Sequence[tuple[str, str]], Sequence[Label]]:
    """This node's own tracks, id and name, the last that arrived first."""
    page = ctx.find(Query(kind=TRACK.name, originator=ctx.node, limit=_TRACKS))
    labels = [label for one in page.records for label in _shown_of(one)]
    return [(one.header.id, _name(one)) for one in page.records], labels


def _shown_of(record: Record) -> Sequence[Label]:
    who = record.portion("identity")
    return [record.label, *([who.label] if who is not None else [])]


def _name(record: Record) -> str:
    who = record.portion("identity")
    try:
        track = entity_of(TRACK.name, record.header.id, {"identity": who.value} if who is not None else {})
    except InvalidInput:
        return ""
    identity = track.identity if isinstance(track, Track) else None
    return (identity.name or identity.callsign or "") if identity else ""


def corners(text: str) -> list[Point]:
    """The corners in a text, a line each, `LAT,LON`.

    Raises:
        InvalidInput: a line that is none.
    """
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        place = _PLACE.fullmatch(line)
        if place is None or abs(float(place[1])) > 90 or abs(float(place[2])) > 180:
            raise InvalidInput(f"{line.strip()[:40]!r} is no place", fix="Write LAT,LON in degrees, as in 59.9,24.5")
        found.append(Point(lat_deg=float(place[1]), lon_deg=float(place[2])))
    return found


def _accept(ctx: Context, asked: _Task) -> Go:
    accept(ctx, asked.id, node=asked.node, marking=asked.marking)
    return Go("/runs/tasks")


def _refuse(ctx: Context, asked: _Task) -> Go:
    if not asked.reason.strip():
        raise InvalidInput("a refusal has a reason", fix="Say why")
    refuse(ctx, asked.id, asked.reason, node=asked.node, marking=asked.marking)
    return Go("/runs/tasks")


def _cancel(ctx: Context, asked: _Cancelled) -> Go:
    cancel(ctx, asked.id)
    return Go("/runs/tasks")


def _lend(ctx: Context, asked: _Lent) -> Go:
    until = ctx.now() + asked.minutes * _MINUTE_MS
    lend(
        ctx, asked.track, asked.holder, until, asked.verbs or VERBS, area=corners(asked.area), remarks=asked.remarks,
        marking=asked.marking,
    )  # fmt: skip
    return Go("/runs/tasks")


def _take_back(ctx: Context, asked: _TakenBack) -> Go:
    take_back(ctx, asked.track, asked.reason)
    return Go("/runs/tasks")


_TITLE = "Tasks and leases"
PAGES: Sequence[Page] = (
    Page("GET", "/runs/tasks", _TITLE, _Nothing, _page, "tasks.html"),
    Page("POST", "/runs/tasks/accept", _TITLE, _Task, _accept),
    Page("POST", "/runs/tasks/refuse", _TITLE, _Task, _refuse),
    Page("POST", "/runs/tasks/cancel", _TITLE, _Cancelled, _cancel),
    Page("POST", "/runs/tasks/lend", _TITLE, _Lent, _lend),
    Page("POST", "/runs/tasks/take-back", _TITLE, _TakenBack, _take_back),
)
