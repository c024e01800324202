"""Tasks and leases as they are shown, at the command line and by the HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from aldis.app import Context, Query
from aldis.apps.experiments.entity import Task
from aldis.apps.experiments.orders.drafts import banner_of
from aldis.apps.experiments.orders.kinds import Answer, Verb
from aldis.apps.experiments.orders.papers import KINDS_READ, Papers, read
from aldis.apps.experiments.orders.terms import Lease
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["LeaseShown", "Standing", "TaskShown", "leases", "standing", "tasks"]


class TaskShown(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A task as it stands: who asks whom, for what, and how far its nation says it is. Times in ms since 1970 UTC."""

    id: str
    asker: str
    asked: str
    track: str
    verb: Verb
    state: Literal["issued", "accepted", "refused", "executing", "completed", "failed", "cancelled"]
    banner: str
    asked_ms: int
    until_ms: int | None = None
    by: str = ""
    why: str = ""
    remarks: str = ""
    percent: float | None = None
    accepted_ms: int | None = None
    acknowledged_ms: int | None = None
    executing_ms: int | None = None
    ended_ms: int | None = None
    project: str = ""


class LeaseShown(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A lease: which node lends the system of which track to which, for what, until when (ms since 1970 UTC)."""

    id: str
    owner: str
    track: str
    holder: str
    verbs: Sequence[Verb]
    state: Literal["in force", "over"]
    banner: str
    from_ms: int
    until_ms: int
    ended_ms: int | None = None
    why: str = ""
    remarks: str = ""


class Standing(msgspec.Struct, frozen=True):
    """Tasks and leases as they stand, and the labels of all that they were read from."""

    tasks: Sequence[TaskShown]
    leases: Sequence[LeaseShown]
    labels: Sequence[Label]


def standing(ctx: Context) -> Standing:
    """Both at once, as far as whoever asks may see; see `tasks` and `leases`."""
    papers = _papers(ctx)
    records = [record for one in papers for record in one.records()]
    labels = [label for one in records for label in (one.label, *(portion.label for portion in one.portions))]
    return Standing(_tasks(ctx, papers), _leases(ctx, papers), labels)


def tasks(ctx: Context) -> Sequence[TaskShown]:
    """What this node asked of others, and what is asked of it, as far as whoever asks may see; the newest first."""
    return _tasks(ctx, _papers(ctx))


def leases(ctx: Context) -> Sequence[LeaseShown]:
    """What is lent and borrowed, and was, as far as whoever asks may see; the newest first."""
    return _leases(ctx, _papers(ctx))


def _tasks(ctx: Context, every: Sequence[Papers]) -> Sequence[TaskShown]:
    found = []
    for papers in every:
        for record_id, task in papers.mine.items():
            said = papers.told.get(record_id) or papers.answers.get((papers.here, record_id))
            found.append(_task(ctx, task, papers.taskings[papers.here, record_id], said))
        for ref, asked in papers.asked.items():
            if ref[0] != papers.here:
                found.append(_task(ctx, asked.task, papers.taskings[ref], papers.answers.get(ref)))
    return sorted(found, key=lambda one: (-one.asked_ms, one.id))


def _leases(ctx: Context, every: Sequence[Papers]) -> Sequence[LeaseShown]:
    found = []
    for papers in every:
        for lease, record in [*papers.leases.values(), *papers.borrowed]:
            found.append(_lease(ctx, lease, record))
    return sorted(found, key=lambda one: (-one.from_ms, one.id))


def _papers(ctx: Context) -> Sequence[Papers]:
    """Those of every project that has some."""
    recent = ctx.find(Query(kinds=KINDS_READ, limit=200)).records
    projects = {ctx.default_project(), *(record.header.project for record in recent)}
    return [read(ctx, project) for project in sorted(projects)]


def _task(ctx: Context, task: Task, tasking: Record, said: tuple[Answer, Record] | None) -> TaskShown:
    header = tasking.header
    answer, record = said or (None, None)
    progress = record.portion("progress") if record else None
    remarks = record.portion("remarks") if record else None
    return TaskShown(
        id=header.id,
        asker=header.originator,
        asked=(task.request or "").partition("/")[0],
        track=task.assignee,
        verb=task.verb,
        state=answer.state if answer else "cancelled" if task.state == "cancelled" else "issued",
        banner=banner_of(ctx, [tasking, *([record] if record else [])]),
        asked_ms=header.created,
        until_ms=None if task.until_us is None else task.until_us // 1000,
        by=(answer.by or "") if answer else "",
        why=(answer.why or "") if answer else "",
        remarks=remarks.value if remarks else "",
        percent=progress.value["percent"] if progress else None,
        accepted_ms=answer.accepted_ms if answer else None,
        acknowledged_ms=answer.acknowledged_ms if answer else None,
        executing_ms=answer.executing_ms if answer else None,
        ended_ms=answer.ended_ms if answer else None,
        project=header.project,
    )


def _lease(ctx: Context, lease: Lease, record: Record) -> LeaseShown:
    terms, remarks = lease.terms, record.portion("remarks")
    return LeaseShown(
        id=lease.id,
        owner=record.header.originator,
        track=terms.track,
        holder=terms.holder,
        verbs=terms.verbs,
        state="in force" if lease.holds(ctx.now()) else "over",
        banner=banner_of(ctx, [record]),
        from_ms=terms.from_ms,
        until_ms=terms.until_ms,
        ended_ms=terms.ended_ms,
        why=terms.why or "",
        remarks=remarks.value if remarks else "",
    )
