"""Authorship: what a person may write at a node, and of which sources."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.records import Draft
from aldis.node.core import Core
from aldis.node.instruments import KINDS
from aldis.node.people import Person, Sights, name_of
from aldis.node.recall_records import RECALL_KINDS
from aldis.node.sheets import SHEET_KIND

__all__ = ["OWN_KINDS", "Authorship"]

_OPAQUE = 8
OWN_KINDS = (*KINDS, *RECALL_KINDS, SHEET_KIND)
"""The kinds that a node writes itself, whichever apps it has."""
_OWN_NAMES = frozenset(kind.name for kind in OWN_KINDS)


class Authorship:
    """Checks drafts before they are stored. Nobody writes what they could not read afterwards.

    1. a role of theirs allows it: to put, revise or delete
    2. it is no kind that the node itself writes (instruments, recalls, address sheets), and one by which systems of
       the node's nation act is written by its own people alone
    3. they may see its header and every portion: the project and the labels are within what they are let see
    4. they may see each of its sources
    5. they may see the whole of the version before; to delete it, they wrote that version
    6. of a first version the node chooses the id: an id that is refused would tell of a record that they may not see
    """

    def __init__(self, core: Core, sights: Sights) -> None:
        self._core = core
        self._sights = sights

    def checked(self, draft: Draft, person: Person, issued: Collection[str] = ()) -> Draft:
        """The draft with the person as its author, and an opaque id where it is a first version and has none.

        `issued` are opaque ids that this node gave out for it.

        Raises:
            RefusedByPolicy: the person may not write this.
            InvalidInput: an id for a first version.
            UnknownTerm: a source or version before that they may not know of, or that does not exist: the same.
        """
        act = Act.DELETE if draft.deleted else Act.REVISE if draft.version > 1 else Act.PUT
        draft = replace(draft, author=name_of(person, act))  # 1
        if draft.kind in _OWN_NAMES:  # 2
            raise RefusedByPolicy(f"{draft.kind!r} is for this node's operator to write", fix="Ask the operator")
        kind, ours = self._core.kinds.get(draft.kind), person.account.nationality == self._core.party
        if kind is not None and kind.national and not ours:
            raise RefusedByPolicy(f"{draft.kind!r} is for people of {self._core.party} to write", fix="Ask one of them")
        for name, label in (("", draft.label), *((portion.name, portion.label) for portion in draft.portions)):  # 3
            if not self._sights.may_see(person, draft.kind, draft.project, label):
                what = f"portion {name!r}" if name else "the record itself"
                raise RefusedByPolicy(
                    f"{person.id} could not read {what}: its project or marking is beyond them at this level",
                    fix="Name a project of yours, mark it lower, or sign in at a higher level",
                )
        for digest in draft.sources:  # 4
            self._seen(digest, person)
        if draft.version > 1:  # 5
            author = self._seen(draft.previous, person, whole=True)
            if draft.deleted and author != person.id:
                raise RefusedByPolicy(f"{person.id} did not write {draft.id!r}", fix=f"Ask {author} to delete it")
        elif not draft.id:
            draft = replace(draft, id=self._core.random(_OPAQUE).hex())
        elif draft.id not in issued:  # 6
            raise InvalidInput(f"{person.id} asked for the id {draft.id!r}", fix="Leave it out: the node gives one")
        return draft

    def _seen(self, digest: bytes, person: Person, *, whole: bool = False) -> str:
        """The author of a version that the person may see, or see the whole of."""
        row = self._core.store.records.by_digest(digest)
        cut = self._sights.cut(row, self._sights.of(person)) if row else None
        if row is None or cut is None:
            raise UnknownTerm(f"no record {digest.hex()} here", fix="Name a source by its full digest")
        if whole and len(cut.portions) != len(row.portions):
            raise RefusedByPolicy(
                f"{person.id} does not see the whole of {row.id!r}",
                fix="Sign in at a higher level, or ask somebody who does to revise it",
            )
        return row.record().header.author
