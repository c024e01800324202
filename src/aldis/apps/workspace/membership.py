"""Who works in a project: each nation's own list, a record of its node; the others only read it.

To be listed gives nobody access: what a person sees follows from their account.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from aldis.app import Context
from aldis.apps.workspace.drafts import Marks
from aldis.apps.workspace.items import Item, item_of
from aldis.apps.workspace.kinds import KINDS, Member
from aldis.apps.workspace.project import Project
from aldis.kernel.errors import InvalidInput, Stale
from aldis.kernel.records import Record

__all__ = ["Glance", "enlist", "glances", "own_list", "strike"]

_HIDDEN = ("membership", "progress")


class Glance(msgspec.Struct, frozen=True):
    """One item in sight, and the names of its portions that a newcomer would see; None where it would not exist."""

    item: Item
    seen: tuple[str, ...] | None

    @property
    def whole(self) -> bool:
        """Whether they would see all that is in sight."""
        return self.seen is not None and len(self.seen) == len(self.item.parts)


def own_list(project: Project) -> Item | None:
    """This node's list, where it is in sight."""
    here = project.ctx.node
    return next((card.item for card in project.board.of("membership") if card.item.ref.node == here), None)


def enlist(project: Project, member: Member, marks: Marks, *, reserved: bool = False) -> Record:
    """Add somebody to this node's list: among the reserved where that part goes no further than a narrower marking.

    Raises:
        InvalidInput: neither name nor role; in the list already.
        UnknownTerm, RefusedByPolicy: as `Project.add`.
    """
    part, own, given = "reserved" if reserved else "members", own_list(project), dict(marks)
    if not (member.name.strip() or member.role.strip()):
        raise InvalidInput("a member without a name or a role", fix="Give one of them")
    if own is None or (not given and own.seen(part) is None):
        return project.add("membership", {part: [member]}, given)
    listed = _listed(own, part)
    if member in listed:
        raise InvalidInput(f"{member.name or member.role} is listed already", fix="Nothing is to do")
    if mark := given.pop("", ""):
        given[part] = mark
    return project.revise(own.ref, {part: [*listed, member]}, given)


def strike(project: Project, member: Member, part: str) -> Record:
    """Take somebody off this node's list.

    Raises:
        Stale: they are not in that part of it, or no longer.
        RefusedByPolicy: as `Project.revise`.
    """
    own = own_list(project)
    listed = _listed(own, part) if own is not None else []
    if own is None or member not in listed:
        raise Stale(f"{member.name or member.role or 'nobody'} is not listed there", fix="Look at the list again")
    return project.revise(own.ref, {part: [one for one in listed if one != member]}, {})


def glances(ctx: Context, project: Project, cleared: str) -> Sequence[Glance]:
    """What somebody of this node's party, cleared so far and for no category, would see of what is in sight.

    Raises:
        UnknownTerm: no such classification.
    """
    theirs = {}
    for one in ctx.seen_by(cleared, project.name, tuple(kind.name for kind in KINDS)):
        item = item_of(one.record)
        theirs[item.digest] = tuple(part.name for part in item.parts)
    return [Glance(item, theirs.get(item.digest)) for item in project.board.items if item.kind not in _HIDDEN]


def _listed(own: Item, part: str) -> list[Member]:
    return cast("list[Member]", own.part(part, list) or [])
