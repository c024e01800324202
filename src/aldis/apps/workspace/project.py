"""One project for one person: what they see of it, and what they write in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aldis.app import Arrived, Context, Query
from aldis.apps.workspace.board import Board, Card, fold
from aldis.apps.workspace.drafts import Drafts, Marks
from aldis.apps.workspace.feed import Entry, Mark, concerns, feed, mark_of, unread
from aldis.apps.workspace.items import Item, item_of
from aldis.apps.workspace.kinds import COLUMNS, KINDS, About, Progress, Ref
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["Project", "charters", "project_of", "writes"]

_NAMES = tuple(kind.name for kind in KINDS)
_READ = "workspace/read/"
_PAGE = 200
_MOST_PROJECTS = 1_000


class Project:
    """A project as whoever `ctx` is bound to sees it at this moment; looked at anew after each write."""

    def __init__(self, ctx: Context, name: str, author: str = "operator") -> None:
        self.ctx = ctx
        self.name = name
        self.arrivals: Sequence[Arrived] = ()
        self.board = Board(())
        self._author = author
        self.refresh()

    @classmethod
    def open(cls, ctx: Context, name: str, author: str = "operator") -> Project:
        """A project of which there is something to see.

        Raises:
            UnknownTerm: there is no such project, or nothing of it is for whoever asks: told apart by nothing.
        """
        found = cls(ctx, name, author)
        if not found.board.cards:
            raise UnknownTerm(
                f"no project {name[:80]!r} here",
                fix="`aldis project list` names them, `aldis project start` begins one",
            )
        return found

    def refresh(self) -> None:
        """Look again."""
        self.arrivals = self.ctx.standing(self.name, _NAMES)
        self.board = fold(one.record for one in self.arrivals)
        self._feed: list[Entry] | None = None

    @property
    def known_by(self) -> tuple[Label, ...]:
        """The label of what tells that there is such a project: its charter's, else its first card's."""
        first = self.board.charter or next((card.item for card in self.board.cards), None)
        return () if first is None else (first.label,)

    @property
    def drafts(self) -> Drafts:
        """Makes drafts with this project's defaults."""
        return Drafts(self.ctx, self.name, self.board.charter, self._author)

    def card(self, ref: Ref) -> Card:
        """What stands on the board under a reference.

        Raises:
            UnknownTerm: nothing that whoever asks may see.
        """
        found = self.board.get(ref)
        if found is None:
            raise _missing(ref)
        return found

    def home_of(self, ref: Ref) -> Card:
        """The card on which an item stands, its own or the one that it is about; UnknownTerm as `card`."""
        own = self.board.get(ref)
        found = own or next((card for card in self.board.cards if ref in card), None)
        if found is None:
            raise _missing(ref)
        return found

    def item(self, ref: Ref) -> Item:
        """An item of the board, a post among them; UnknownTerm as `card`."""
        found = next((item for item in self.board.items if item.ref == ref), None)
        if found is None:
            raise _missing(ref)
        return found

    def record(self, ref: Ref) -> Record:
        """The record of an item, with the portions in sight; UnknownTerm as `card`."""
        for one in self.arrivals:
            header = one.record.header
            if (header.originator, header.id) == (ref.node, ref.id) and not header.deleted:
                return one.record
        raise _missing(ref)

    def add(self, kind: str, parts: Mapping[str, Any], marks: Marks) -> Record:
        """Write a new item.

        Raises:
            InvalidInput, UnknownTerm, RefusedByPolicy: see `Drafts.draft` and `Context.put`.
        """
        return self._put(self.ctx.put(self.drafts.draft(kind, parts, marks)))

    def revise(self, ref: Ref, parts: Mapping[str, Any], marks: Marks) -> Record:
        """Write the next version of an item of this node's; a part that is None goes.

        Raises:
            RefusedByPolicy: it is another node's, which alone writes its versions.
            UnknownTerm, InvalidInput: as `add`.
        """
        record = self.record(ref)
        if ref.node != self.ctx.node:
            raise RefusedByPolicy(
                f"{ref.id} is {ref.node}'s, which alone writes its versions",
                fix="Say what you think of it in a reply, or where it stands",
            )
        return self._put(self.ctx.put(self.drafts.revision(record, parts, marks)))

    def say(self, ref: Ref, state: str, note: str, marks: Marks) -> Record:
        """Write this node's word on where an item stands: a record of its own, whoever's the item is.

        Raises:
            UnknownTerm: nothing in sight under this reference.
            InvalidInput: not a state of its kind.
        """
        item = self.card(ref).item
        states = COLUMNS.get(item.kind, ())
        if state not in states:
            raise InvalidInput(
                f"a {item.kind} is never {state[:20]!r}",
                fix=f"It is one of: {', '.join(states)}" if states else "Reply to it instead",
            )
        parts = {"note": note, "progress": Progress(ref, state)}  # type: ignore[arg-type]
        draft = self.drafts.draft("progress", parts, marks, about=item)
        held = next((said.item.ref for said in self.card(ref).said if said.item.ref.node == self.ctx.node), None)
        if held is not None:
            try:
                return self._put(self.ctx.put(self.drafts.word(self.record(held), draft)))
            except RefusedByPolicy:  # a colleague said more there than this person sees: they say it beside
                pass
        return self._put(self.ctx.put(draft))

    def post(self, ref: Ref | None, text: str, marks: Marks, title: str = "") -> Record:
        """Write a reply to an item or post, or a topic of its own where `ref` is None.

        Raises:
            UnknownTerm: nothing in sight under this reference.
            InvalidInput: no text, or a topic without a title.
        """
        if not text.strip():
            raise InvalidInput("a post without a word", fix="Say something")
        if ref is None and not title.strip():
            raise InvalidInput("a topic without a title", fix="Give it one, or name what you reply to")
        about = self.item(ref) if ref is not None else None
        parts = {"title": title, "text": text, "thread": About(ref)}
        return self._put(self.ctx.put(self.drafts.draft("post", parts, marks, about=about)))

    def feed(self) -> list[Entry]:
        """What happened, the newest arrival first."""
        if self._feed is None:
            self._feed = feed(self.board, self.arrivals)
        return self._feed

    def news(self) -> list[Entry]:
        """What came since whoever asks last said that they had read."""
        return unread(self.feed(), self._mark())

    def concerns(self) -> list[Entry]:
        """What of the news concerns whoever asks, and what of theirs is due."""
        who = self.ctx.person
        names = {who.id, who.name} if who else {self._author}
        return concerns(self.board, self.news(), names, self.ctx.node, self.ctx.now())

    def read(self) -> None:
        """Remember that all there is has been read; it is kept for this person at this level, and never travels."""
        self.ctx.keep(_READ + self.name, msgspec.msgpack.encode(mark_of(self.feed())))

    def _mark(self) -> Mark:
        kept = self.ctx.kept(_READ + self.name)
        return msgspec.msgpack.decode(kept, type=Mark) if kept else Mark()

    def _put(self, record: Record) -> Record:
        self.refresh()
        return record


def writes(ctx: Context) -> bool:
    """Whether whoever asks has a role that writes."""
    return ctx.person is None or "put" in ctx.person.acts


def charters(ctx: Context) -> list[Item]:
    """The first charter in sight of each project, by the project's name."""
    found: dict[str, Item] = {}
    cursor, looked = "", 0
    while True:
        page = ctx.find(Query(kind="charter", limit=_PAGE, cursor=cursor))
        for record in page.records:
            item = item_of(record)
            if item.project and (item.project not in found or item.key < found[item.project].key):
                found[item.project] = item
        looked, cursor = looked + 1, page.next
        if not cursor or looked * _PAGE >= _MOST_PROJECTS:
            return [found[name] for name in sorted(found)]


def project_of(ctx: Context, ref: str) -> tuple[str, Ref]:
    """The project and reference of an item that people name by its id, or `node/id` where nodes use one id.

    Raises:
        UnknownTerm: there is none that whoever asks may know of, or it belongs to no project.
    """
    node, _, id_ = ref.rpartition("/")
    header = ctx.get(id_).header
    if not header.project or header.kind not in _NAMES or (node and header.originator != node):
        raise UnknownTerm(f"no item {ref!r} of a project here", fix="`aldis project board NAME` lists them")
    return header.project, Ref(header.originator, header.id)


def _missing(ref: Ref) -> UnknownTerm:
    return UnknownTerm(f"no item {ref} here", fix="`aldis project board NAME` lists what there is")
