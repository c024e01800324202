"""The HTTP API of tasks and leases, at `/api/v1/experiments`: whatever the commands do, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from aldis.app import Context, Route
from aldis.apps.experiments.entity import Point
from aldis.apps.experiments.orders.acting import accept, ask, cancel, lend, refuse, take_back
from aldis.apps.experiments.orders.kinds import VERBS, Verb
from aldis.apps.experiments.orders.shown import LeaseShown, TaskShown, leases, tasks
from aldis.kernel.records import Record

__all__ = ["ROUTES"]

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=96)]
_Words = Annotated[str, msgspec.Meta(max_length=500)]
_Metres = Annotated[float, msgspec.Meta(gt=0, lt=1_000_000)]
_MS = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]
_Points = Annotated[list[Point], msgspec.Meta(max_length=800)]

_Verbs = Annotated[list[Verb], msgspec.Meta(min_length=1, max_length=6)]


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


class _Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A task to ask for: the id of the track's record, what its system is to do, where, and until when (ms)."""

    track: _Id
    verb: Verb
    points: _Points = []
    node: str = ""
    radius_m: _Metres | None = None
    speed_mps: _Metres | None = None
    spacing_m: _Metres | None = None
    until_ms: _MS | None = None
    remarks: _Words = ""
    marking: _Words = ""


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task by its id; `node` is who asks, where several use one id, and `marking` that of the answer."""

    id: _Id
    node: str = ""
    marking: _Words = ""


class _Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A task by its id, and why it is refused."""

    id: _Id
    reason: _Words
    node: str = ""
    marking: _Words = ""


class _Cancelled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task that this node asked for."""

    id: _Id


class _Lent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lease to be: of which track's system, to which node, until when (ms), for which verbs, inside which area."""

    track: _Id
    holder: _Id
    until_ms: _MS
    verbs: Annotated[list[Verb], msgspec.Meta(min_length=1, max_length=6)] = msgspec.field(
        default_factory=lambda: list(VERBS)
    )
    area: _Points = []
    remarks: _Words = ""
    marking: _Words = ""


class _TakenBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A track whose system is taken back, and why."""

    track: _Id
    reason: _Words = ""


class Written(msgspec.Struct, frozen=True):
    """A version of a record that was written."""

    id: str
    kind: str
    version: int


def _tasks(ctx: Context, _asked: _Nothing) -> list[TaskShown]:
    return list(tasks(ctx))


def _leases(ctx: Context, _asked: _Nothing) -> list[LeaseShown]:
    return list(leases(ctx))


def _ask(ctx: Context, asked: _Task) -> Written:
    return _written(
        ask(
            ctx, asked.track, asked.verb, asked.points, node=asked.node, radius_m=asked.radius_m,
            speed_mps=asked.speed_mps, spacing_m=asked.spacing_m, until_ms=asked.until_ms, remarks=asked.remarks,
            marking=asked.marking,
        )
    )  # fmt: skip


def _accept(ctx: Context, asked: _Named) -> Written:
    return _written(accept(ctx, asked.id, node=asked.node, marking=asked.marking))


def _refuse(ctx: Context, asked: _Refused) -> Written:
    return _written(refuse(ctx, asked.id, asked.reason, node=asked.node, marking=asked.marking))


def _cancel(ctx: Context, asked: _Cancelled) -> Written:
    return _written(cancel(ctx, asked.id))


def _lend(ctx: Context, asked: _Lent) -> Written:
    made = lend(
        ctx, asked.track, asked.holder, asked.until_ms, asked.verbs, area=asked.area, remarks=asked.remarks,
        marking=asked.marking,
    )  # fmt: skip
    return _written(made)


def _take_back(ctx: Context, asked: _TakenBack) -> list[Written]:
    return [_written(record) for record in take_back(ctx, asked.track, asked.reason)]


def _written(record: Record) -> Written:
    return Written(record.header.id, record.header.kind, record.header.version)


_T = "/tasks/{id}"
ROUTES: Sequence[Route] = (
    Route(
        "GET",
        "/tasks",
        "Tasks that this node asks for or is asked for",
        _Nothing,
        list[TaskShown],
        _tasks,
    ),
    Route("POST", "/tasks", "Ask the nation of a track that its system does something", _Task, Written, _ask),
    Route("POST", f"{_T}/acceptance", "Accept what is asked of a system of your nation", _Named, Written, _accept),
    Route("POST", f"{_T}/refusal", "Refuse what is asked of a system of your nation", _Refused, Written, _refuse),
    Route("POST", f"{_T}/cancellation", "Cancel what this node asked for", _Cancelled, Written, _cancel),
    Route("GET", "/leases", "What is lent and borrowed, and was", _Nothing, list[LeaseShown], _leases),
    Route("POST", "/leases", "Lend a system of your nation, or hand it to another node", _Lent, Written, _lend),
    Route(
        "POST",
        "/tracks/{track}/return",
        "Take a system back: its lease and its tasks end",
        _TakenBack,
        list[Written],
        _take_back,
    ),
)
