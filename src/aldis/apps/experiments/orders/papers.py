"""Taskings, answers and leases as records: read into what the rules decide by, and drafted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aldis.app import Context
from aldis.apps.experiments.entity import Point, Task
from aldis.apps.experiments.kinds import TASKING, TRACK, entity_of, portion_of
from aldis.apps.experiments.orders.kinds import ANSWER, LEASE, Answer, Terms, Within
from aldis.apps.experiments.orders.rules import Asked, Book, Ref
from aldis.apps.experiments.orders.terms import Lease
from aldis.kernel.errors import AldisError, InvalidInput, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Kind, Record, next_version

__all__ = [
    "KINDS_READ",
    "Papers",
    "answer_draft",
    "lease_draft",
    "marks",
    "marks_after",
    "read",
    "request_of",
    "tasking_draft",
]

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

    def book(self, fits: Mapping[str, Any] | None = None, under_way: Mapping[str, Ref] | None = None) -> Book:
        """What the rules decide by."""
        answers = {ref: answer for ref, (answer, _) in self.answers.items()}
        leases = tuple(lease for lease, _ in self.leases.values())
        return Book(self.here, self.asked, answers, leases, fits or {}, under_way or {})


def read(ctx: Context, project: str) -> Papers:
    """The papers of a project.

    A tasking counts that names this node and its own id as its `request`; an answer that is of the node which was
    asked, and about a version that was written.

    Raises:
        TooLarge: more than 50,000 of them stand.
    """
    papers = Papers(ctx.node)
    answers = list[Record]()
    for arrived in ctx.standing(project, KINDS_READ):
        record = arrived.record
        if record.header.kind == TASKING.name:
            _take_tasking(papers, record)
        elif record.header.kind == LEASE.name:
            _take_lease(papers, record)
        else:
            answers.append(record)
    for record in sorted(answers, key=lambda one: (one.header.created, one.header.id)):
        _take_answer(papers, record, ctx)
    return papers


def request_of(node: str, record_id: str) -> str:
    """What an order of a tasking says as its `request`: whose system is asked, and the tasking's id."""
    return f"{node}/{record_id}"


def _take_tasking(papers: Papers, record: Record) -> None:
    header = record.header
    task = _task_of(record)
    if task is None or task.request is None:
        return
    node, _, record_id = task.request.partition("/")
    if record_id != header.id:
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
    if terms is None:
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
            _take_withdrawn(papers, ref, ctx)
    if ref[0] == papers.here:
        task, tasking = papers.mine.get(ref[1]), papers.taskings.get(ref)
        if task is None or tasking is None or answer.tasking.digest not in _digests(tasking):
            return
        if task.request == request_of(record.header.originator, ref[1]):
            papers.told.setdefault(ref[1], (answer, record))


def _digests(tasking: Record) -> tuple[str, str]:
    return tasking.digest.hex(), tasking.header.previous


def _take_withdrawn(papers: Papers, ref: Ref, ctx: Context) -> None:
    """A tasking that was answered and does not stand any more: its asker took it back."""
    try:
        record = ctx.get(ref[1], 1, ref[0])
    except (UnknownTerm, InvalidInput):
        return
    task = _task_of(record)
    if task is not None and task.request == request_of(papers.here, ref[1]):
        papers.asked[ref] = Asked(ref, record.digest.hex(), task, cancelled=True)
        papers.taskings[ref] = record


def _part(record: Record, name: str, expected: type[Any]) -> Any:
    portion = record.portion(name)
    if portion is None:
        return None
    try:
        return msgspec.json.decode(portion.raw_value, type=expected)
    except msgspec.MsgspecError:
        return None


def marks(ctx: Context, kind: Kind, marking: str = "") -> Mapping[str, Label]:
    """The label of each portion of a kind and of `header`: one marking for all, or what the settings say.

    What has none of its own goes under the join of those of its kind; a kind without any, under the join of a track's.

    Raises:
        InvalidInput: the settings mark neither this kind nor tracks.
        UnknownTerm: a marking that cannot be read, or for a portion that the kind has not.
    """
    names = ("header", *kind.portions)
    if marking:
        return dict.fromkeys(names, ctx.label(marking))
    stated = ctx.labels(kind.name)
    unknown = stated.keys() - set(names)
    if unknown:
        raise UnknownTerm(
            f"a marking for {', '.join(sorted(unknown))}, which no {kind.name} has",
            fix=f"Under [labels.{kind.name}] of aldis.toml write {', '.join(names)}",
        )
    known = stated or ctx.labels(TRACK.name)
    if not known:
        raise InvalidInput(
            f"no marking for a {kind.name}", fix=f"Write [labels.{kind.name}] in aldis.toml, with `header`"
        )
    highest = ctx.banner(known.values())
    return {name: stated.get(name, highest) for name in names}


def marks_after(ctx: Context, kind: Kind, before: Record) -> Mapping[str, Label]:
    """The labels of the version before; what it had not goes as the settings say, or under the join of all it had.

    Nothing of the settings can keep a state from being written.
    """
    known = {"header": before.label, **{portion.name: portion.label for portion in before.portions}}
    try:
        others = marks(ctx, kind)
    except AldisError:
        others = dict.fromkeys(kind.portions, ctx.banner(known.values()))
    return {**others, **known}


def tasking_draft(
    ctx: Context, task: Task, project: str, author: str, labels: Mapping[str, Label], before: Record | None = None
) -> Draft:
    """A tasking of this node as a record; its key is the record's id."""
    values = {name: value for name in ("order", "state") if (value := portion_of(task, name)) is not None}
    return _draft(ctx, TASKING, task.key, project, author, labels, values, before)


def answer_draft(
    ctx: Context,
    answer: Answer,
    project: str,
    author: str,
    labels: Mapping[str, Label],
    *,
    record_id: str,
    before: Record | None = None,
    percent: float | None = None,
    remarks: str = "",
) -> Draft:
    """An answer as a record that names the version it answers as its source; what it does not say anew stays."""
    values: dict[str, Any] = {portion.name: portion.value for portion in before.portions} if before else {}
    values["answer"] = msgspec.to_builtins(answer)
    if percent is not None:
        values["progress"] = {"percent": max(0.0, min(100.0, percent))}
    if remarks:
        values["remarks"] = "".join(char if char.isprintable() else " " for char in remarks)[:500]
    source = bytes.fromhex(answer.tasking.digest)
    return _draft(ctx, ANSWER, record_id, project, author, labels, values, before, (source,))


def lease_draft(
    ctx: Context,
    terms: Terms,
    project: str,
    author: str,
    labels: Mapping[str, Label],
    *,
    record_id: str,
    before: Record | None = None,
    area: Sequence[Point] = (),
    remarks: str = "",
) -> Draft:
    """A lease as a record."""
    values: dict[str, Any] = {"lease": msgspec.to_builtins(terms)}
    if area:
        values["area"] = {"points": msgspec.to_builtins(list(area))}
    if remarks:
        values["remarks"] = remarks
    return _draft(ctx, LEASE, record_id, project, author, labels, values, before)


def _draft(
    ctx: Context,
    kind: Kind,
    record_id: str,
    project: str,
    author: str,
    labels: Mapping[str, Label],
    values: Mapping[str, Any],
    before: Record | None,
    sources: Sequence[bytes] = (),
) -> Draft:
    draft = Draft(
        kind=kind.name,
        id=record_id,
        originator=ctx.node,
        author=author,
        created=ctx.now(),
        label=labels["header"],
        project=project,
        portions=[DraftPortion(name, labels[name], value) for name, value in values.items()],
        sources=sources,
    )
    return next_version(before, draft) if before is not None else draft
