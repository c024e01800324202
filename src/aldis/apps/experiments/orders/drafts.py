"""Taskings, answers and leases drafted as records, under the labels that the settings or the version before give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aldis.app import Context
from aldis.apps.experiments.entity import Point, Task
from aldis.apps.experiments.kinds import TASKING, TRACK, portion_of
from aldis.apps.experiments.orders.kinds import ANSWER, LEASE, Answer, Terms
from aldis.kernel.errors import AldisError, InvalidInput, NeedsPerson, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Kind, Record, next_version

__all__ = ["answer_draft", "answer_id", "banner_of", "lease_draft", "marks", "marks_after", "tasking_draft"]


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


def banner_of(ctx: Context, records: Sequence[Record]) -> str:
    """The banner of all of some records; where nobody mapped a label to this policy, each as it is written there."""
    labels = [label for one in records for label in (one.label, *(portion.label for portion in one.portions))]
    try:
        return ctx.marking(ctx.banner(labels))
    except NeedsPerson:
        return "; ".join(sorted({ctx.marking(label) for label in labels}))


def tasking_draft(
    ctx: Context, task: Task, project: str, author: str, labels: Mapping[str, Label], before: Record | None = None
) -> Draft:
    """A tasking of this node as a record; its key is the record's id."""
    values = {name: value for name in ("order", "state") if (value := portion_of(task, name)) is not None}
    return _draft(ctx, TASKING, task.key, project, author, labels, values, before)


def answer_id(ctx: Context, ref: tuple[str, str]) -> str:
    """The id of this node's answer to a tasking: one for each, so that of two that are written at once one fails."""
    return f"ans-{ctx.opaque(f'answer {ref[0]}/{ref[1]}')}"


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
