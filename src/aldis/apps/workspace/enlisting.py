"""The pages on which a nation lists its people in a project: first what a newcomer would see, then the listing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from aldis.app import Context, Go, Page, Shown
from aldis.apps.workspace.kinds import Member
from aldis.apps.workspace.membership import Glance, enlist, glances, strike
from aldis.apps.workspace.project import Project, writes
from aldis.kernel.errors import InvalidInput, NeedsPerson, RefusedByPolicy

__all__ = ["ENLISTING"]


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project."""

    name: str


class _Newcomer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody of this nation to list; `sure` once it was read what they would see."""

    name: str
    cleared: str
    who: str = ""
    organisation: str = ""
    role: str = ""
    reserved: str = ""
    marking: str = ""
    sure: str = ""


class _Leaver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody on this nation's list, and on which part of it they stand."""

    name: str
    part: Literal["members", "reserved"]
    who: str = ""
    organisation: str = ""
    role: str = ""


def _open(ctx: Context, name: str) -> Project:
    project = Project.open(ctx, name)
    if not writes(ctx):
        raise RefusedByPolicy("none of your roles writes records", fix="Ask an originator of this node")
    return project


def _blank(ctx: Context, asked: _Named) -> Shown:
    project = _open(ctx, asked.name)
    return Shown(_values(ctx, project), project.known_by)


def _add(ctx: Context, asked: _Newcomer) -> Shown | Go:
    project = _open(ctx, asked.name)
    seen = glances(ctx, project, asked.cleared)
    member = _member(asked)
    if not (member.name.strip() or member.role.strip()):
        raise InvalidInput("a member without a name or a role", fix="Give one of them")
    marks = {"": asked.marking} if asked.marking else {}
    if asked.sure:
        enlist(project, member, marks, reserved=bool(asked.reserved))
        return Go(f"/{asked.name}/members")
    typed = [ctx.label(asked.marking)] if asked.marking else [*project.known_by]
    labels = [label for one in seen for label in one.item.labels]
    return Shown(_values(ctx, project, asked, seen), [*project.known_by, *typed, *labels])


def _remove(ctx: Context, asked: _Leaver) -> Go:
    strike(_open(ctx, asked.name), _member(asked), asked.part)
    return Go(f"/{asked.name}/members")


def _member(asked: _Newcomer | _Leaver) -> Member:
    given = {"name": asked.who, "organisation": asked.organisation, "role": asked.role}
    try:
        return msgspec.convert(given, Member)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the member: {error}", fix="Write at most 200 characters on one line") from error


def _usual(ctx: Context, project: Project) -> str:
    """The level at which one knows of the project, in this node's policy."""
    try:
        return ctx.banner(project.known_by).classification
    except NeedsPerson:
        return ctx.ladder()[0]


def _values(
    ctx: Context, project: Project, asked: _Newcomer | None = None, seen: Sequence[Glance] | None = None
) -> dict[str, Any]:
    return {
        "project": project.name,
        "party": ctx.party,
        "ladder": ctx.ladder(),
        "usual": _usual(ctx, project),
        "asked": asked,
        "seen": seen,
        "administers": ctx.person is not None and "people" in ctx.person.acts,
    }


ENLISTING: Sequence[Page] = (
    Page("GET", "/{name}/members/add", "List a member", _Named, _blank, "enlist.html"),
    Page("POST", "/{name}/members/add", "List a member", _Newcomer, _add, "enlist.html"),
    Page("POST", "/{name}/members/remove", "Take a member off", _Leaver, _remove),
)
"""They stand before the page of a project's members."""
