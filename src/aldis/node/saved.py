"""Saved searches: asked anew each time, as whoever saved them and with what they may see then.

What is kept is the search, and up to which arrival its owner has read at each level: never what was found. So nothing
is told of what an owner may no longer see, or could not see yet. What somebody looks for counts at the level at which
they saved it, and is not there for them at a lower one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import msgspec

from aldis.kernel.errors import AldisError, InvalidInput, TooLarge, UnknownTerm
from aldis.node.core import Core
from aldis.node.filters import ALL, Filters
from aldis.node.meaning import NOTIFIED, SEARCHED
from aldis.node.people import Person
from aldis.node.records import Records
from aldis.node.store import QUERY_LIMIT, Hit, Hits, SavedRow, check_text

__all__ = ["SAVED_LIMIT", "News", "SavedSearch", "SavedSearches", "Wanted"]

SAVED_LIMIT = 50
"""How many searches one owner may save."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What is looked for: words, or with `meaning` what they mean; without a text, all that the filters let through."""

    text: Annotated[str, msgspec.Meta(max_length=QUERY_LIMIT)] = ""
    meaning: bool = False
    filters: Filters = ALL


class SavedSearch(msgspec.Struct, frozen=True):
    """A saved search; `at` in ms since 1970 UTC."""

    name: str
    wanted: Wanted
    at: int


@dataclass(frozen=True, slots=True)
class News:
    """What a saved search finds that has not been read: the first of it, and whether there is more.

    `upto` marks it as read. Where it could not be looked for, `problem` says why.
    """

    name: str
    hits: list[Hit]
    more: bool
    upto: str
    problem: AldisError | None = None


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A search as the store has it: the level at which it was saved, a rung per policy."""

    wanted: Wanted
    level: dict[str, str] = {}


_kept = msgspec.json.Decoder(_Kept)
_Viewer = str | Person


class SavedSearches:
    """The searches that persons, and this node's operator (""), have saved; nobody sees another's."""

    def __init__(self, core: Core, records: Records) -> None:
        self._core = core
        self._rows = core.store.saved
        self._records = records

    def add(self, viewer: _Viewer, name: str, wanted: Wanted) -> SavedSearch:
        """Save a search; what arrives from now on is news.

        Raises:
            InvalidInput: a name that cannot be or is taken, nothing to look for, or filters that cannot be.
            TooLarge: the viewer has 50 already, or the text is too long.
            UnknownTerm: a classification that nobody defined.
            Unavailable: a search by meaning where there is no model.
        """
        owner = _owner(viewer)
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                f"{name[:80]!r} is no name for a saved search",
                fix="Use up to 64 lower-case letters, digits and hyphens",
            )
        if not wanted.text and (wanted.meaning or wanted.filters == ALL):
            raise InvalidInput("the search would find everything", fix="Say what to look for: words or filters")
        if wanted.text:
            check_text(wanted.text)
        self._look(viewer, wanted, limit=1)
        with self._core.store.transaction():
            if len(self._rows.all(owner)) >= SAVED_LIMIT:
                raise TooLarge(f"{SAVED_LIMIT} searches are saved already", fix="`aldis saved remove NAME` makes room")
            now, last = self._core.clock.now(), self._core.store.records.last()
            kept = _Kept(wanted, viewer.level if isinstance(viewer, Person) else {})
            self._rows.put(SavedRow(owner, name, msgspec.json.encode(kept), now, last))
        return SavedSearch(name, wanted, now)

    def all(self, viewer: _Viewer) -> list[SavedSearch]:
        """The viewer's searches, by name."""
        return [SavedSearch(row.name, wanted, row.at) for row, wanted in self._seen(viewer)]

    def get(self, viewer: _Viewer, name: str) -> SavedSearch:
        """One of the viewer's searches.

        Raises:
            UnknownTerm: they have none of that name.
        """
        found = next((one for one in self.all(viewer) if one.name == name), None)
        if found is None:
            raise _unknown(name)
        return found

    def remove(self, viewer: _Viewer, name: str) -> None:
        """Forget a search.

        Raises:
            UnknownTerm: the viewer has none of that name.
        """
        self._rows.remove(_owner(viewer), self.get(viewer, name).name)

    def run(self, viewer: _Viewer, name: str, *, cursor: str = "", limit: int = 50) -> Hits:
        """A page of all that a search finds now, read or not.

        Raises:
            UnknownTerm: the viewer has none of that name.
            InvalidInput, Unavailable: see `Records.page` and `Records.alike`.
        """
        return self._look(viewer, self.get(viewer, name).wanted, cursor=cursor, limit=limit)

    def news(self, viewer: _Viewer, *, limit: int = 20) -> list[News]:
        """What each of the viewer's searches finds, as they may see it now, that they have not marked as read."""
        owner, level = _owner(viewer), _level(viewer)
        found = []
        for row, wanted in self._seen(viewer):
            above = self._rows.read(row, level)
            try:
                hits = self._look(viewer, wanted, limit=limit, above=above, least=NOTIFIED)
            except AldisError as error:
                found.append(News(row.name, [], more=False, upto="", problem=error))
                continue
            if hits.hits:
                newest = max(hit.row.seq for hit in hits.hits)
                upto = self._rows.seal(newest, owner, row.name, level)
                found.append(News(row.name, hits.hits, hits.next is not None, upto))
        return found

    def mark(self, viewer: _Viewer, name: str, upto: str) -> None:
        """Say that the news of a search were read, by what `news` gave for it, at the level of then.

        Raises:
            UnknownTerm: the viewer has no search of that name.
            InvalidInput: `upto` is not of this viewer, search and level.
        """
        owner, level = _owner(viewer), _level(viewer)
        with self._core.store.transaction():
            self.get(viewer, name)
            self._rows.mark(owner, name, level, self._rows.open(upto, owner, name, level))

    def _seen(self, viewer: _Viewer) -> list[tuple[SavedRow, Wanted]]:
        """The viewer's searches that were saved at this level or below, by name."""
        rows = [(row, _kept.decode(row.search)) for row in self._rows.all(_owner(viewer))]
        return [(row, kept.wanted) for row, kept in rows if self._reaches(viewer, kept.level)]

    def _reaches(self, viewer: _Viewer, level: dict[str, str]) -> bool:
        if not isinstance(viewer, Person):
            return True
        policies = self._core.policies
        return all(
            policy in viewer.level
            and policies.policy(policy).rank(rung) <= policies.policy(policy).rank(viewer.level[policy])
            for policy, rung in level.items()
        )

    def _look(
        self,
        viewer: _Viewer,
        wanted: Wanted,
        *,
        cursor: str = "",
        limit: int,
        above: int = 0,
        least: float = SEARCHED,
    ) -> Hits:
        records, filters = self._records, wanted.filters
        if wanted.meaning:
            return records.alike(
                wanted.text, cursor=cursor, limit=limit, viewer=viewer, filters=filters, above=above, least=least
            )
        if wanted.text:
            return records.search(wanted.text, cursor=cursor, limit=limit, viewer=viewer, filters=filters, above=above)
        page = records.page(cursor=cursor, limit=limit, viewer=viewer, filters=filters, above=above)
        return Hits([Hit(row, "", "") for row in page.rows], page.next)


def _owner(viewer: _Viewer) -> str:
    """Whose searches these are.

    Raises:
        InvalidInput: a partner's, who has none here.
    """
    if isinstance(viewer, Person):
        return viewer.recipient.node
    if viewer:
        raise InvalidInput("a partner saves no searches here", fix="Name a person who is signed in")
    return ""


def _level(viewer: _Viewer) -> str:
    """The level that holds now, as one text: what was read at one is not read at another."""
    return msgspec.json.encode(viewer.level, order="deterministic").decode() if isinstance(viewer, Person) else ""


def _unknown(name: str) -> UnknownTerm:
    return UnknownTerm(f"no saved search {name[:80]!r}", fix="`aldis saved list` shows them")
