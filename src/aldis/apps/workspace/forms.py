"""The forms of projects: start, extend, add, say, reply, read; each is shown by a page and sent back to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from aldis.app import Context, Go, Page, Shown
from aldis.apps.workspace.arranging import OTHERS, TEMPLATES, begin, extend
from aldis.apps.workspace.kinds import Plan, Ref, Ruling, State, Time
from aldis.apps.workspace.project import Project
from aldis.apps.workspace.shown import brief_labels
from aldis.kernel.attachments import Attachment
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["FORMS", "brought"]

_ADDED = ("task", "milestone", "decision", "event", "document", "file", "post")
_HOUR_MS = 3_600_000


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project."""

    name: str


class _Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project to begin; `sure` once its preview was read."""

    project: str
    template: str
    partners: str
    title: str
    purpose: str = ""
    marking: str = ""
    sure: str = ""


class _Extend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party to take in; `sure` once its preview was read."""

    name: str
    party: str
    marking: str = ""
    sure: str = ""


class _Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of item to add."""

    name: str
    kind: str


class _Add(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new item: what its kind has of these."""

    name: str
    kind: str
    title: str
    text: str = ""
    marking: str = ""
    text_marking: str = ""
    due: date | None = None
    owner: str = ""
    person: str = ""
    milestone: str = ""
    by: str = ""
    place: str = ""
    start: str = ""
    end: str = ""
    attached: list[str] = []


class _Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an item stands."""

    name: str
    node: str
    id: str
    state: State
    note: str = ""
    marking: str = ""


class _Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to an item or post."""

    name: str
    node: str
    id: str
    text: str
    marking: str = ""


def _start_blank(ctx: Context, _asked: _Nothing) -> Shown:
    return Shown(_start_values(ctx), [])


def _start_values(ctx: Context, asked: _Start | None = None, plan: Any = None) -> dict[str, Any]:
    partners = sorted(set(ctx.parties().values()) - {ctx.party})
    return {"templates": [*TEMPLATES], "partners": partners, "asked": asked, "plan": plan, "party": ctx.party}


def _start(ctx: Context, asked: _Start) -> Shown | Go:
    partners = asked.partners.replace(",", " ").split()
    plan = begin(
        ctx, asked.project, template=asked.template, partners=partners, title=asked.title, purpose=asked.purpose,
        marking=asked.marking,
    )  # fmt: skip
    if asked.sure:
        plan.put(ctx)
        return Go(f"/{asked.project}")
    label = ctx.label(asked.marking) if asked.marking else ctx.banner([])
    gained = {record for gain in plan.preview.gains for record in (*gain.records, *gain.referred)}
    return Shown(_start_values(ctx, asked, plan), [label, *_labels_of(ctx, asked.project, gained)])


def _extend_blank(ctx: Context, asked: _Named) -> Shown:
    project = Project.open(ctx, asked.name)
    values = {"project": project.name, "asked": None, "plan": None, "newcomers": _newcomers(ctx)}
    return Shown(values, project.known_by)


def _extend(ctx: Context, asked: _Extend) -> Shown | Go:
    project = Project.open(ctx, asked.name)
    plan = extend(ctx, project, asked.party, marking=asked.marking)
    if asked.sure:
        plan.put(ctx)
        return Go(f"/{asked.name}")
    values = {"project": project.name, "asked": asked, "plan": plan, "newcomers": _newcomers(ctx), "here": ctx.node,
              "others": OTHERS}  # fmt: skip
    return Shown(values, [*project.known_by, *(label for item in plan.items for label in item.labels)])


def _newcomers(ctx: Context) -> list[str]:
    return sorted(set(ctx.parties().values()) - {ctx.party})


def _add_blank(ctx: Context, asked: _Which) -> Shown:
    _check_kind(asked.kind)
    project = Project.open(ctx, asked.name)
    milestones = project.board.of("milestone") if asked.kind == "task" else ()
    charter = project.board.charter
    values: dict[str, Any] = {"project": project.name, "kind": asked.kind, "milestones": milestones}
    values |= {"charter": charter, "owners": sorted(set(ctx.parties().values()))}
    labels = [label for card in milestones for label in brief_labels(card)]
    return Shown(values, [*labels, *project.known_by])


def _add(ctx: Context, asked: _Add) -> Go:
    _check_kind(asked.kind)
    project = Project.open(ctx, asked.name)
    text = {"document": "body", "post": "text"}.get(asked.kind, "details")
    marks = {name: mark for name, mark in (("", asked.marking), (text, asked.text_marking)) if mark}
    if asked.kind == "post":
        return _to(project, project.post(None, asked.text, marks, asked.title))
    parts: dict[str, Any] = {"title": asked.title, text: asked.text}
    if asked.kind in ("task", "milestone"):
        node, _, id_ = asked.milestone.rpartition("/")
        serves = project.card(Ref(node, id_)).item.ref if asked.milestone else None
        parts["plan"] = Plan(asked.due, asked.owner or None, asked.person, serves)
    elif asked.kind == "decision":
        parts["ruling"] = Ruling(asked.by, asked.due)
    elif asked.kind == "event":
        parts |= {"place": asked.place, "time": _time(asked.start, asked.end)}
    files = brought(asked.attached)
    if asked.kind == "file":
        if not files:
            raise InvalidInput("no file came with the form", fix="Choose one")
        parts["content"] = files[-1]
    elif asked.kind == "document":
        parts["files"] = files
    return _to(project, project.add(asked.kind, parts, marks))


def brought(texts: Sequence[str]) -> list[Attachment]:
    """The files that came with a form; a later one takes the place of one of the same name.

    Raises:
        InvalidInput: what a node's own form does not say.
    """
    try:
        found = [msgspec.json.decode(text, type=Attachment) for text in texts]
    except msgspec.DecodeError as error:
        raise InvalidInput("the files are not those of this form", fix="Choose them again") from error
    return [*{one.name: one for one in found}.values()]


def _word(ctx: Context, asked: _Word) -> Go:
    project, ref = Project.open(ctx, asked.name), Ref(asked.node, asked.id)
    project.say(ref, asked.state, asked.note, {"": asked.marking} if asked.marking else {})
    return Go(f"/{asked.name}/items/{ref}")


def _reply(ctx: Context, asked: _Reply) -> Go:
    project, ref = Project.open(ctx, asked.name), Ref(asked.node, asked.id)
    project.post(ref, asked.text, {"": asked.marking} if asked.marking else {})
    return Go(f"/{asked.name}/items/{project.home_of(ref).item.ref}")


def _read(ctx: Context, asked: _Named) -> Go:
    Project.open(ctx, asked.name).read()
    return Go(f"/{asked.name}/activity")


def _to(project: Project, record: Record) -> Go:
    return Go(f"/{project.name}/items/{record.header.originator}/{record.header.id}")


def _labels_of(ctx: Context, project: str, ids: set[str]) -> list[Label]:
    """The labels of the existence of records that a preview names."""
    split = [id_.rpartition("/") for id_ in sorted(ids)]
    found = [ctx.get(id_, originator=node) for node, _, id_ in split]
    return [one.label for one in found if one.header.project == project]


def _check_kind(kind: str) -> None:
    if kind not in _ADDED:
        raise UnknownTerm(f"no form for {kind[:40]!r}", fix=f"There are forms for: {', '.join(_ADDED)}")


def _time(start: str, end: str) -> Time:
    """The time of an event, as the browser's own field has it: 2026-10-31T09:30, in UTC."""
    try:
        first = datetime.fromisoformat(start).replace(tzinfo=UTC)
        last = datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None
    except ValueError as error:
        raise InvalidInput("that is no time of an event", fix="Write it as 2026-10-31T09:30, in UTC") from error
    if first.year < 1970 or (last is not None and last.year < 1970):
        raise InvalidInput("that is before 1970", fix="Give a later time")
    begins = int(first.timestamp() * 1000)
    return Time(begins, int(last.timestamp() * 1000) if last else begins + _HOUR_MS)


FORMS: Sequence[Page] = (
    Page("GET", "/start", "Start a project", _Nothing, _start_blank, "start.html"),
    Page("POST", "/start", "Start a project", _Start, _start, "start.html"),
    Page("GET", "/{name}/extend", "Take a party in", _Named, _extend_blank, "extend.html"),
    Page("POST", "/{name}/extend", "Take a party in", _Extend, _extend, "extend.html"),
    Page("GET", "/{name}/add/{kind}", "Add", _Which, _add_blank, "add.html"),
    Page("POST", "/{name}/add/{kind}", "Add", _Add, _add, files=True),
    Page("POST", "/{name}/items/{node}/{id}/word", "Say where it stands", _Word, _word),
    Page("POST", "/{name}/items/{node}/{id}/reply", "Reply", _Reply, _reply),
    Page("POST", "/{name}/read", "Read", _Named, _read),
)
