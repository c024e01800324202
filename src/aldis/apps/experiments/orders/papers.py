"""Taskings, answers and leases as records, read into what the rules decide by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aldis.app import Context, Query
from aldis.apps.experiments.entity import Task
from aldis.apps.experiments.kinds import GATEWAY, TASKING, entity_of
from aldis.apps.experiments.orders.kinds import ANSWER, LEASE, Answer, Terms, Within
from aldis.apps.experiments.orders.rules import Asked, Book, Ref, hindrance
from aldis.apps.experiments.orders.terms import Lease
from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm
from aldis.kernel.records import Record

__all__ = ["KINDS_READ", "POINTS", "Papers", "read", "request_of", "unanswered"]

POINTS = 800
"""Of one task; one with more is not looked at."""
_PAGES = 1_000
_RECENT, _ANSWERED = 50, 200
KINDS_READ = (TASKING.name, ANSWER.name, LEASE.name)


@dataclass(slots=True)
class Papers:
    """What stands here of one project, as far as whoever asks may see it.

    `answers` are this node's own to what it was asked; `told` what others answered to what this node asked, by tasking.
    """

    here: str
    asked: dict[Ref, Asked] = field(default_factory=dict)
    taskings: dict[Ref, Record] = field(default_factory=dict)
    answers: dict[Ref, tuple[Answer, Record]] = field(default_factory=dict)
    told: dict[str, tuple[Answer, Record]] = field(default_factory=dict)
    leases: dict[str, tuple[Lease, Record]] = field(default_factory=dict)
    borrowed: list[tuple[Lease, Record]] = field(default_factory=list)
    mine: dict[str, Task] = field(default_factory=dict)
    """What this node asked of others, by id, as it stands."""

    def records(self) -> Sequence[Record]:
        """All that it was read from."""
        papers = (*self.answers.values(), *self.told.values(), *self.leases.values(), *self.borrowed)
        return [*self.taskings.values(), *(record for _, record in papers)]

    def book(self, fits: Mapping[str, Any] | None = None, under_way: Mapping[str, Ref] | None = None) -> Book:
        """What the rules decide by."""
        answers = {ref: answer for ref, (answer, _) in self.answers.items()}
        leases = tuple(lease for lease, _ in self.leases.values())
        return Book(self.here, self.asked, answers, leases, fits or {}, under_way or {})


def read(ctx: Context, project: str, *, whole: bool = True) -> Papers:
    """The papers of a project.

    A tasking counts that names this node and its own id as its `request`, and was not said by a system; an answer that
    is of the node which was asked, and about a version that was written.

    Where partners have written more than 50,000, just this node's own are read: what goes on is seen through and can be
    taken back, and nothing new is taken on. So it is where the `whole` is not asked for.
    """
    papers = Papers(ctx.node)
    answers = list[Record]()
    for record in _standing(ctx, project, whole):
        if record.header.kind == TASKING.name:
            _take_tasking(papers, record)
        elif record.header.kind == LEASE.name:
            _take_lease(papers, record)
        else:
            answers.append(record)
    for record in sorted(answers, key=lambda one: (one.header.created, one.header.id)):
        _take_answer(papers, record, ctx)
    return papers


def _standing(ctx: Context, project: str, whole: bool) -> Sequence[Record]:
    try:
        if whole:
            return [one.record for one in ctx.standing(project, KINDS_READ)]
    except TooLarge:
        pass
    query = Query(kinds=KINDS_READ, project=project, originator=ctx.node, limit=200)
    found, cursor = list[Record](), ""
    for _ in range(_PAGES):
        page = ctx.find(msgspec.structs.replace(query, cursor=cursor))
        found += page.records
        cursor = page.next
        if not cursor:
            break
    return found[::-1]


def unanswered(ctx: Context) -> Sequence[tuple[Asked, Record]]:
    """What was asked of this node lately and can be accepted now, as far as whoever asks may see; the newest first."""
    papers = Papers(ctx.node)
    for record in ctx.find(Query(kinds=(TASKING.name,), limit=_RECENT)).records:
        _take_tasking(papers, record)
    if papers.asked:
        for record in ctx.find(Query(kinds=(ANSWER.name, LEASE.name), originator=ctx.node, limit=_ANSWERED)).records:
            if record.header.kind == LEASE.name:
                _take_lease(papers, record)
            elif (answer := _part(record, "answer", Answer)) is not None:
                papers.answers[answer.tasking.node, answer.tasking.id] = (answer, record)
    book, now = papers.book(), ctx.now()
    return [
        (asked, papers.taskings[ref]) for ref, asked in papers.asked.items() if hindrance(book, ref, now)[0] is None
    ]


def request_of(node: str, record_id: str) -> str:
    """What an order of a tasking says as its `request`: whose system is asked, and the tasking's id."""
    return f"{node}/{record_id}"


def _take_tasking(papers: Papers, record: Record) -> None:
    header = record.header
    task = _task_of(record)
    if task is None or task.request is None or len(task.points or ()) > POINTS:
        return
    node, _, record_id = task.request.partition("/")
    if record_id != header.id or header.author == GATEWAY:  # what a system says is nobody's order
        return
    cancelled = task.state == "cancelled" or header.deleted
    if node == papers.here:
        ref = (header.originator, header.id)
        papers.asked[ref] = Asked(ref, record.digest.hex(), task, cancelled)
        papers.taskings[ref] = record
    if header.originator == papers.here:
        papers.mine[header.id] = task
        papers.taskings[papers.here, header.id] = record


def _task_of(record: Record) -> Task | None:
    try:
        found = entity_of(TASKING.name, record.header.id, {portion.name: portion.value for portion in record.portions})
    except InvalidInput:
        return None
    return found if isinstance(found, Task) else None


def _take_lease(papers: Papers, record: Record) -> None:
    terms, area = _part(record, "lease", Terms), _part(record, "area", Within)
    if terms is None or (area is None and record.portion("area") is not None):  # never wider than it was meant
        return
    lease = Lease(record.header.id, record.header.created, terms, tuple(area.points) if area else ())
    if record.header.originator == papers.here:
        papers.leases[lease.id] = (lease, record)
    else:
        papers.borrowed.append((lease, record))


def _take_answer(papers: Papers, record: Record, ctx: Context) -> None:
    answer = _part(record, "answer", Answer)
    if answer is None:
        return
    ref = (answer.tasking.node, answer.tasking.id)
    if record.header.originator == papers.here and ref not in papers.answers:  # of two, the one written first
        papers.answers[ref] = (answer, record)
        if ref not in papers.asked:
            _take_missing(papers, ref, ctx)
    if ref[0] == papers.here:
        task, tasking = papers.mine.get(ref[1]), papers.taskings.get(ref)
        if task is None or tasking is None or answer.tasking.digest not in _digests(tasking):
            return
        if task.request == request_of(record.header.originator, ref[1]):
            papers.told.setdefault(ref[1], (answer, record))


def _digests(tasking: Record) -> tuple[str, str]:
    return tasking.digest.hex(), tasking.header.previous


def _take_missing(papers: Papers, ref: Ref, ctx: Context) -> None:
    """A tasking that was answered and is not among what stands: as a rule its asker deleted it."""
    for version in (None, 1):
        try:
            record = ctx.get(ref[1], version, ref[0])
        except (UnknownTerm, InvalidInput):
            continue
        task = _task_of(record)
        if task is not None and task.request == request_of(papers.here, ref[1]):
            cancelled = version is not None or task.state == "cancelled"
            papers.asked[ref] = Asked(ref, record.digest.hex(), task, cancelled)
            papers.taskings[ref] = record
            return


def _part(record: Record, name: str, expected: type[Any]) -> Any:
    portion = record.portion(name)
    if portion is None:
        return None
    try:
        return msgspec.json.decode(portion.raw_value, type=expected)
    except msgspec.MsgspecError:
        return None
