"""Drafts: what somebody writes in a project, marked portion by portion.

A label is what its author says; else what this node's settings give the kind; else the charter's. What is about another
record is marked at least like that one, holds the origins and control tags of it, and names it among its sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from aldis.app import Context
from aldis.apps.workspace.items import Item
from aldis.apps.workspace.kinds import by_name
from aldis.kernel.errors import InvalidInput, NeedsPerson
from aldis.kernel.labels import Access, Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, Record, next_version

__all__ = ["Drafts", "Marks"]

Marks = Mapping[str, "str | Label"]
"""Markings, or labels, by portion; `header` is that of the record's existence, `""` that of all that is not named."""


class Drafts:
    """Makes the drafts of one project for whoever `ctx` is bound to; `author` is the operator's name."""

    def __init__(self, ctx: Context, project: str, charter: Item | None = None, author: str = "operator") -> None:
        self._ctx = ctx
        self._project = project
        self.charter = charter
        self._author = ctx.person.id if ctx.person else author

    def draft(
        self,
        kind: str,
        parts: Mapping[str, Any],
        marks: Marks,
        *,
        about: Item | None = None,
        sources: Sequence[bytes] = (),
        id_: str = "",
    ) -> Draft:
        """A first version; parts that are None or empty are left out.

        Raises:
            InvalidInput, UnknownTerm: a marking that cannot be read, or for a portion that there is not; none at all.
            NeedsPerson: what it is about bears labels that only a person can roll up.
        """
        given = {name: value for name, value in parts.items() if value not in (None, "", [])}
        if unknown := marks.keys() - {*by_name(kind).portions, "header", ""}:
            raise InvalidInput(
                f"{kind} has no portion {min(unknown)!r} to mark", fix=f"It has: {', '.join(by_name(kind).portions)}"
            )
        default = self._default(kind, marks, about)
        header = self._label(marks.get("header", "")) or default
        labels = {name: self._label(marks.get(name, "")) or self._settled(kind, name) or default for name in given}
        return Draft(
            kind=kind,
            id=id_ or self._ctx.issue(),
            originator=self._ctx.node,
            author=self._author,
            created=self._ctx.now(),
            label=self._above(header, about),
            portions=[DraftPortion(name, self._above(labels[name], about), value) for name, value in given.items()],
            project=self._project,
            sources=[*([about.digest] if about else []), *sources],
        )

    def revision(self, record: Record, parts: Mapping[str, Any], marks: Marks) -> Draft:
        """The next version: parts replaced or, where None, left out; what is not named stays, with its label."""
        kind, header = record.header.kind, record.header
        labels = {portion.name: portion.label for portion in record.portions}
        values = {portion.name: portion.value for portion in record.portions}
        values.update(parts)
        kept: dict[str, str | Label] = {"header": record.label, **labels}
        kept.update({name: mark for name, mark in marks.items() if mark})
        kept.setdefault("", kept["header"])
        made = self.draft(kind, {name: values[name] for name in by_name(kind).portions if name in values}, kept)
        sources = [bytes.fromhex(source) for source in header.sources]
        return next_version(record, replace(made, id=header.id, project=header.project, sources=sources))

    def word(self, held: Record, draft: Draft) -> Draft:
        """`draft` as the next version of what this node said of the same thing before."""
        return next_version(held, replace(draft, id=held.header.id))

    def _default(self, kind: str, marks: Marks, about: Item | None) -> Label:
        said = self._label(marks.get("", ""))
        if said is None and kind == "post" and about is not None:
            return self._whole(about)
        if said is None and about is not None:
            return about.label
        said = said or self._settled(kind, "header")
        if said is None and self.charter is not None:
            return self._ours(self.charter.label)
        if said is None:
            raise InvalidInput(
                f"nothing says how this {kind} is marked", fix="Mark it, or see to a charter that you may see"
            )
        return said

    def _label(self, mark: str | Label) -> Label | None:
        if isinstance(mark, Label):
            return mark
        return self._ctx.label(mark) if mark else None

    def _settled(self, kind: str, portion: str) -> Label | None:
        return self._ctx.labels(kind).get(portion)

    def _ours(self, label: Label) -> Label:
        """The label in this node's policy; as it is where no equivalence says what it comes to here."""
        try:
            return self._ctx.banner([label])
        except NeedsPerson:
            return label

    def _whole(self, item: Item) -> Label:
        """The roll-up of all that its reader saw of an item, for whoever quotes it."""
        labels = set(item.labels)
        if len(labels) == 1:
            return item.label
        try:
            return self._ctx.banner(labels)
        except NeedsPerson as error:
            raise NeedsPerson(
                f"{error.args[0]}", fix="Say how your words are to be marked: nothing says it for you"
            ) from error

    def _above(self, label: Label, about: Item | None) -> Label:
        """`label`, or more: at least as close as the existence of what it is about."""
        if about is None:
            return label
        floor, parties = about.label, self._ctx.parties()
        try:
            if label != floor:
                label = self._ctx.banner([label, floor])
        except NeedsPerson:  # the author's word on the level stands; the audience is no wider
            owners = (self._ctx.party, parties.get(about.ref.node, ""))
            label = label.narrowed(releasable=_common(label.releasable, floor.releasable, owners))
        origin = parties.get(about.ref.node, "")
        origins = label.origins | floor.origins | {origin}
        return label.narrowed(control=label.control | floor.control, origins=origins - {"", self._ctx.party})


def _common(ours: Releasability, theirs: Releasability, owners: Iterable[str]) -> Releasability:
    """The audience that both have; each side's owner is in its own list without being named."""
    us, them = owners
    return _named(ours, us).join(_named(theirs, them))


def _named(said: Releasability, owner: str) -> Releasability:
    if said.access is not Access.LISTED or not owner:
        return said
    return Releasability(Access.LISTED, said.parties | {owner}, said.display - {owner})
