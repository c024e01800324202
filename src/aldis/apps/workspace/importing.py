"""Plain files into a project: all of them or nothing, and first what that would write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from aldis.apps.workspace.drafts import Drafts
from aldis.apps.workspace.export import CALENDAR, TASKS, WORDS
from aldis.apps.workspace.items import Item
from aldis.apps.workspace.kinds import COLUMNS, About, Plan, Progress, Ref
from aldis.apps.workspace.markdown import read_markdown
from aldis.apps.workspace.papers import NOTE, STATE, Marker, Paper
from aldis.apps.workspace.project import Project
from aldis.apps.workspace.tables import read_tasks
from aldis.kernel.errors import AldisError, InvalidInput, TooLarge
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, Record

__all__ = ["IMPORT_BYTES", "Import", "plan_import", "put_import", "read_papers"]

IMPORT_BYTES = 8 * 1024 * 1024
"""The most bytes of files that an import over HTTP takes; at a terminal it is 64 MiB."""
_MOST_FILES, _MOST_BYTES, _MOST_DRAFTS = 10_000, 64 * 1024 * 1024, 20_000


class Import(msgspec.Struct, frozen=True):
    """What an import would write: each draft with the place it comes from."""

    drafts: tuple[Draft, ...]
    places: tuple[str, ...]


def read_papers(files: Mapping[str, str]) -> list[Paper]:
    """The papers in files, by their order and paths; of a table only tasks are read, calendars are left alone.

    Raises:
        InvalidInput: a file that cannot be read, with its line; or of no known type.
        TooLarge: over 10,000 files or 64 MiB.
    """
    if len(files) > _MOST_FILES or sum(map(len, files.values())) > _MOST_BYTES:
        raise TooLarge(f"{len(files)} files at once", fix=f"Import at most {_MOST_FILES:,} files and 64 MiB")
    papers: list[Paper] = []
    for path in sorted(files):
        name = path.rpartition("/")[2]
        if name.endswith(".md"):
            papers.append(read_markdown(files[path], path))
        elif name in (CALENDAR, WORDS):
            continue
        elif name.endswith(".csv"):
            papers += read_tasks(files[path], path)
        else:
            raise InvalidInput(
                f"{path} is neither Markdown nor CSV", fix=f"Import .md files and tables such as {TASKS}"
            )
    return papers


def plan_import(project: Project, papers: Sequence[Paper], marking: str = "") -> Import:
    """The drafts of papers, each at the author's hand and this node's: nothing is written yet.

    Ids are new; what the papers say of one another, or of what stands on the board, goes with them. `marking` is for
    what bears none. Items keep their order in time, from now back.

    Raises:
        InvalidInput, UnknownTerm: a paper that cannot be, with its file and line.
    """
    return _Reader(project, papers, marking).plan()


def put_import(project: Project, plan: Import) -> Sequence[Record]:
    """Write what was planned, all or nothing.

    Raises:
        RefusedByPolicy: whoever asks may not write a part of it: nothing was written.
    """
    made = project.ctx.put_all(plan.drafts) if plan.drafts else ()
    project.refresh()
    return made


class _Reader:
    """One import: papers in the order of time, each after what it is about."""

    def __init__(self, project: Project, papers: Sequence[Paper], marking: str) -> None:
        self._project = project
        self._papers = _in_order(papers)
        self._marking = marking
        self._marker = Marker(project.ctx)
        self._ids = {paper.id: project.ctx.issue() for paper in papers if paper.id}
        self._charter = project.board.charter
        in_time = sorted(papers, key=lambda paper: paper.at or "9999")
        self._when = {id(paper): 2 * place for place, paper in enumerate(in_time)}
        self._drafts: list[tuple[Draft, int]] = []
        self._places: list[str] = []
        self._made: dict[str, Draft] = {}

    def plan(self) -> Import:
        for paper in self._papers:
            try:
                self._take(paper)
            except AldisError as error:
                if paper.where and not str(error.args[0]).startswith(paper.where):
                    raise type(error)(f"{paper.place()}: {error.args[0]}", fix=error.fix) from error
                raise
            if len(self._drafts) > _MOST_DRAFTS:
                raise TooLarge(f"over {_MOST_DRAFTS:,} records at once", fix="Import a part at a time")
        first = self._project.ctx.now() - 2 * len(self._papers)
        drafts = tuple(replace(draft, created=first + when) for draft, when in self._drafts)
        return Import(drafts, tuple(self._places))

    def _take(self, paper: Paper) -> None:
        if paper.kind == "progress":
            raise InvalidInput(f"{paper.place('kind')}: a word by itself", fix="Give the item a `state` instead")
        if not paper.texts and not paper.values and paper.kind != "post":
            raise InvalidInput(
                f"{paper.place()}: a {paper.kind} without content", fix="Write something, or leave it out"
            )
        parts = self._parts(paper)
        marks = self._marks(paper)
        about = self._about(paper) if paper.kind == "post" else None
        draft = self._drafter().draft(
            paper.kind, parts, {name: mark for name, mark in marks.items() if name not in (STATE, NOTE)},
            about=about, id_=self._ids.get(paper.id, ""),
        )  # fmt: skip
        self._add(draft, paper)
        if paper.kind == "charter" and self._charter is None:
            self._charter = _as_item(draft)
        if paper.state:
            self._word(paper, draft, marks)

    def _drafter(self) -> Drafts:
        drafts = self._project.drafts
        drafts.charter = self._charter
        return drafts

    def _parts(self, paper: Paper) -> dict[str, Any]:
        parts = paper.parts()
        plan = parts.get("plan")
        if isinstance(plan, Plan) and plan.milestone is not None:
            parts["plan"] = msgspec.structs.replace(plan, milestone=self._ref(str(plan.milestone), paper, "plan"))
        if paper.kind == "post":
            parts["thread"] = About(self._ref(paper.about, paper, "about") if paper.about else None)
        return parts

    def _marks(self, paper: Paper) -> dict[str, str | Label]:
        marks: dict[str, str | Label] = {}
        for name, text in paper.marks.items():
            try:
                marks[name] = self._marker.read(text)
            except AldisError as error:
                raise InvalidInput(f"{paper.place(name)}: {error.args[0]}", fix=error.fix) from error
        header = marks.get("header") or self._marking
        if header:
            marks[""] = header
        return marks

    def _about(self, paper: Paper) -> Item | None:
        if not paper.about:
            return None
        made = self._made.get(paper.about)
        if made is not None:
            return _as_item(made)
        return self._project.item(self._ref(paper.about, paper, "about"))

    def _ref(self, text: str, paper: Paper, field: str) -> Ref:
        """Where something that a paper refers to will stand: among what is imported, or on the board already."""
        if text in self._ids:
            return Ref(self._project.ctx.node, self._ids[text])
        node, _, id_ = text.rpartition("/")
        known = {item.ref for item in self._project.board.items}
        if node and id_ and Ref(node, id_) in known:
            return Ref(node, id_)
        raise InvalidInput(
            f"{paper.place(field)}: {text[:80]!r} is neither among these files nor on the board",
            fix="Import what it refers to as well, or take the reference out",
        )

    def _word(self, paper: Paper, draft: Draft, marks: Mapping[str, str | Label]) -> None:
        if paper.state not in COLUMNS.get(paper.kind, ()):
            known = ", ".join(COLUMNS.get(paper.kind, ())) or "none: leave it out"
            raise InvalidInput(
                f"{paper.place(STATE)}: a {paper.kind} is never {paper.state[:20]!r}", fix=f"It is one of: {known}"
            )
        item = _as_item(draft)
        given = {"progress": marks[STATE], "header": marks[STATE]} if STATE in marks else {}
        given |= {"note": marks[NOTE]} if NOTE in marks else {}
        parts = {"note": paper.note, "progress": Progress(item.ref, paper.state)}  # type: ignore[arg-type]
        word = self._drafter().draft("progress", parts, given, about=item)
        self._add(word, paper)

    def _add(self, draft: Draft, paper: Paper) -> None:
        """Take a draft; what it is about has no digest yet where it is imported as well."""
        draft = replace(draft, sources=[source for source in draft.sources if source])
        self._drafts.append((draft, self._when[id(paper)] + (draft.kind == "progress")))
        self._places.append(paper.place() if paper.where else "")
        if paper.id and draft.kind != "progress":
            self._made[paper.id] = draft


def _in_order(papers: Sequence[Paper]) -> list[Paper]:
    """What is referred to before what refers to it."""
    rank = {"charter": 0, "milestone": 1}
    first = sorted(papers, key=lambda paper: (paper.kind == "post", rank.get(paper.kind, 2)))
    ids = {paper.id for paper in papers if paper.id}
    done, ordered, waiting = set[str](), list[Paper](), first
    while waiting:
        ready = [paper for paper in waiting if not paper.about or paper.about not in ids or paper.about in done]
        if not ready:
            raise InvalidInput(f"{waiting[0].place('about')}: these posts answer one another in a ring", fix="Break it")
        ordered += ready
        done |= {paper.id for paper in ready}
        gone = set(map(id, ready))
        waiting = [paper for paper in waiting if id(paper) not in gone]
    return ordered


def _as_item(draft: Draft) -> Item:
    """The item that a draft will be, as far as labels and references go."""
    return Item(
        ref=Ref(draft.originator, draft.id),
        kind=draft.kind,
        project=draft.project,
        version=1,
        created=draft.created,
        author=draft.author,
        digest=b"",
        label=draft.label,
        parts=(),
    )
