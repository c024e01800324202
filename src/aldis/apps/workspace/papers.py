"""Papers: an item as plain files hold it, with its markings as text; what export writes and import reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from aldis.app import Context
from aldis.apps.workspace.board import Card
from aldis.apps.workspace.items import Item, about_of
from aldis.apps.workspace.kinds import typed
from aldis.kernel.errors import AldisError, InvalidInput, NeedsPerson
from aldis.kernel.labels import Access, Label, decode_label, encode_label

__all__ = ["NOTE", "STATE", "Marker", "Paper", "paper_of"]

STATE, NOTE = "state", "note"
"""Under these names the latest word on an item, and its marking, stand beside the item's portions."""


class Paper(msgspec.Struct, frozen=True):
    """One item: `texts` and `values` are its portions, `marks` their markings and that of `header`.

    `state` is the latest word on it where one was said, with its `note`. `id`, `by` and `at` say whose it was, `about`
    is the id of what a post answers, and `line` gives the line of the file at which something stands.
    """

    kind: str
    texts: Mapping[str, str]
    values: Mapping[str, Any]
    marks: Mapping[str, str]
    id: str = ""
    by: str = ""
    at: str = ""
    about: str = ""
    state: str = ""
    note: str = ""
    banner: str = ""
    where: str = ""
    line: Callable[[str], int] = lambda _name: 1

    def place(self, name: str = "") -> str:
        """Where something stands, for a person to mend."""
        return f"{self.where}, line {self.line(name)}"

    def parts(self) -> dict[str, Any]:
        """The portions, each of the type that its kind asks.

        Raises:
            InvalidInput: a portion that the kind does not have, or a value of another shape; with its line.
        """
        found = dict[str, Any]()
        for name, value in {**self.texts, **self.values}.items():
            try:
                found |= typed(self.kind, {name: value})
            except InvalidInput as error:
                raise InvalidInput(f"{self.place(name)}: {error.args[0]}", fix=error.fix) from error
        return found


class Marker:
    """Writes labels as this node reads them back, and a banner over several."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._parties = ctx.parties()
        self._own = ctx.banner([]).policy
        self._known: dict[Label, str] = {}
        self._shown: dict[tuple[Label, bool], str] = {}
        self._banners: dict[frozenset[Label], str] = {}

    def write(self, label: Label, node: str) -> str:
        """A label of what a node wrote, whose party's information it stays: a marking, or JSON where that says less."""
        origin = frozenset({self._parties.get(node, "")}) - {"", self._ctx.party}
        label = label.narrowed(origins=label.origins | origin)
        if label not in self._known:
            try:
                text = self._ctx.marking(label)
                same = self._ctx.label(text) == label
            except AldisError:
                same = False
            self._known[label] = text if same else encode_label(label).decode()
        return self._known[label]

    def read(self, text: str) -> Label:
        """The label that `write` wrote, or that people write as a marking.

        Raises:
            InvalidInput, UnknownTerm: it cannot be read.
        """
        return decode_label(text.encode()) if text.startswith("{") else self._ctx.label(text)

    def show(self, label: Label, *, portion: bool = False) -> str:
        """A label for people: its marking, its policy where that is another one, its export-control tags."""
        found = self._shown.get((label, portion))
        if found is None:
            try:
                text = self._ctx.marking(label, portion=portion)
            except AldisError:
                text = _in_words(label)
            known = label.policy == self._own or text.lstrip("(").startswith(label.policy)
            control = f" [export control: {', '.join(sorted(label.control))}]" if label.control else ""
            found = self._shown[label, portion] = f"{'' if known else f'{label.policy}: '}{text}{control}"
        return found

    def banner(self, labels: frozenset[Label]) -> str:
        """The roll-up of all labels; where no equivalence maps one of them, each of them."""
        found = self._banners.get(labels)
        if found is None:
            found = self._banners[labels] = self._rolled_up(labels)
        return found

    def _rolled_up(self, labels: frozenset[Label]) -> str:
        try:
            return self.show(self._ctx.banner(labels))
        except NeedsPerson:
            return " + ".join(sorted({self.show(label) for label in labels}))


def _in_words(label: Label) -> str:
    """A label that its policy has no marking for."""
    said = label.releasable
    to = f"releasable to {', '.join(sorted(said.parties)) or 'nobody'}" if said.access is Access.LISTED else "refused"
    return f"{label.classification}; {to if said.access is not Access.UNMARKED else 'nobody has said to whom'}"


def paper_of(card: Card | Item, marker: Marker, when: Callable[[int], str]) -> Paper:
    """The paper of a card with the latest word on it, or of a post."""
    item = card.item if isinstance(card, Card) else card
    marks = {"header": marker.write(item.label, item.ref.node)}
    marks |= {part.name: marker.write(part.label, item.ref.node) for part in item.parts if part.name != "thread"}
    labels = set(item.labels)
    state = note = ""
    if isinstance(card, Card):
        word = next((said for said in card.said if said.state == card.state), None)
        if word is not None:
            state, note = word.state, word.item.text("note")
            labels |= {*word.item.labels}
            shown = {"progress": STATE, "note": NOTE}
            marks |= {shown[part.name]: marker.write(part.label, word.item.ref.node) for part in word.item.parts}
    about = about_of(item)
    return Paper(
        kind=item.kind,
        texts={part.name: part.value for part in item.parts if isinstance(part.value, str)},
        values={
            part.name: msgspec.to_builtins(part.value, str_keys=True)
            for part in item.parts
            if not isinstance(part.value, str) and part.name != "thread"
        },
        marks=marks,
        id=str(item.ref),
        by=item.author,
        at=when(item.created),
        about=str(about) if about is not None else "",
        state=state,
        note=note,
        banner=marker.banner(frozenset(labels)),
    )
