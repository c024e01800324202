"""Search: words in the text portions that a viewer may see, newest first.

A hit counts only where the very portion that has the words is visible. Hits are ordered by arrival and never by
relevance: bm25 weighs words by how often they occur in all records, and so would tell of those withheld.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import apsw
import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, TooLarge
from aldis.node.store.cursors import Cursors
from aldis.node.store.database import Database
from aldis.node.store.listing import check_limit
from aldis.node.store.passages import FIRST_SUBSTITUTE, PLACES, Passages, strings
from aldis.node.store.profiles import Profiles
from aldis.node.store.rows import Row, rows_of

__all__ = ["Hit", "Hits", "Search"]

_END = 2**48
_QUERY_LIMIT = 1_000
_WORD_LIMIT = 32
_SNIPPET = 80  # characters on each side
_MARK_LIMIT = 4_096
_TIDY_PAGES = 500
_MERGED = 2  # rows that change, at least, where FTS5 found something to merge
_STEP = 128
_WALK_COST = 512  # of asking the index for marks, in hits walked: once, and for each mark
_MARK_COST = 8


class _Commitments(msgspec.Struct):
    portions: list[str]


_header = msgspec.json.Decoder(_Commitments)
_portion = msgspec.json.Decoder(tuple[str, str, msgspec.Raw, Any])

_MATCH = "SELECT rowid, profile FROM passage WHERE passage MATCH ? AND rowid < ? ORDER BY rowid DESC"


@dataclass(frozen=True, slots=True)
class Hit:
    """A row with just its visible portions, the name of the portion that has the words, and some text around them."""

    row: Row
    portion: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of hits, newest arrival first; `next` is the cursor of what follows, if any."""

    hits: list[Hit]
    next: str | None


class Search:
    """Full-text search over what stands."""

    def __init__(self, database: Database, profiles: Profiles, passages: Passages, cursors: Cursors) -> None:
        self._db = database
        self._profiles = profiles
        self._passages = passages
        self._cursors = cursors

    def search(
        self,
        text: str,
        visible: NDArray[np.bool_],
        *,
        kind: str | None = None,
        project: str | None = None,
        after: str | None = None,
        limit: int = 50,
        scope: bytes = b"",
    ) -> Hits:
        """One page of the records with a visible text portion that has all the words of `text`, in any order.

        The arguments are those of `Listing.page`. Capitals and accents make no difference.

        Raises:
            InvalidInput: no word in `text`, a limit that is not 1 to 200, or a cursor of another search.
            TooLarge: over 1,000 characters or 32 words.
        """
        check_limit(limit)
        words = _words(text)
        bound = (scope, b"search", repr((words, kind, project)).encode())
        with self._db.reading() as connection:
            before = _END if after is None else self._cursors.open(after, *bound)
            wanted = self._profiles.where(kind, project).copy()
            known = min(len(visible), len(wanted))
            wanted[known:] = False
            wanted[:known] &= visible[:known]
            places = _newest(connection, words, wanted, before * PLACES, limit + 1)
            rows = rows_of(connection, [place // PLACES for place in places[:limit]], self._profiles.profile)
        more = self._cursors.seal(places[limit - 1] // PLACES, *bound) if len(places) > limit else None
        hits = [_hit(row, place % PLACES, words, visible) for row, place in zip(rows, places, strict=False)]
        return Hits(hits, more)

    def tidy(self) -> None:
        """Fold the index together in short transactions; searches of a well-kept index are several times quicker.

        Worth doing now and then where many small transactions added text; it costs little when there is little to do.
        """
        more = self.fold(begin=True)
        while more:
            more = self.fold()

    def fold(self, *, begin: bool = False) -> bool:
        """One transaction of tidying, from the beginning or going on; whether more is left to do."""
        with self._db.writing() as connection:
            before = connection.total_changes()
            pages = -_TIDY_PAGES if begin else _TIDY_PAGES
            connection.execute("INSERT INTO passage (passage, rank) VALUES ('merge', ?)", (pages,))
            return connection.total_changes() - before >= _MERGED


def _words(text: str) -> list[str]:
    if len(text) > _QUERY_LIMIT:
        raise TooLarge(f"a search of {len(text)} characters; the limit is {_QUERY_LIMIT}")
    words = ["".join(char if char.isprintable() else " " for char in word).strip() for word in text.split()]
    words = [word for word in words if any(char.isalnum() for char in word)]
    if not words:
        raise InvalidInput("the search has no word", fix="Give at least one word or number")
    if len(words) > _WORD_LIMIT:
        raise TooLarge(f"a search of {len(words)} words; the limit is {_WORD_LIMIT}")
    return words


def _newest(
    connection: apsw.Connection, words: Sequence[str], wanted: NDArray[np.bool_], before: int, count: int
) -> list[int]:
    """The newest passages below `before` with the words and a wanted profile, one of each record, newest first."""
    profiles = np.flatnonzero(wanted)
    if not len(profiles):
        return []
    query = "{words} : (" + " AND ".join('"' + word.replace('"', '""') + '"' for word in words) + ")"
    mark_cost = _MARK_COST * len(profiles) + _WALK_COST if len(profiles) <= _MARK_LIMIT else _END
    look_up = wanted.tobytes()
    found: dict[int, int] = {}
    with closing(connection.execute(_MATCH, (query, before))) as passages:
        for walked, (place, profile) in enumerate(passages, 1):
            if look_up[profile]:
                found.setdefault(place // PLACES, place)
            if len(found) == count:
                return [*found.values()]
            left = walked * (count - len(found)) // max(len(found), 1)
            if walked % _STEP == 0 and (left > mark_cost or walked >= 2 * mark_cost):
                before = place
                break
        else:
            return [*found.values()]
    marked = f"{query} AND mark : ({' OR '.join(f'p{profile}' for profile in profiles)})"
    with closing(connection.execute(_MATCH, (marked, before))) as passages:
        for place, _ in passages:
            found.setdefault(place // PLACES, place)
            if len(found) == count:
                break
    return [*found.values()]


def _hit(row: Row, place: int, words: Sequence[str], visible: NDArray[np.bool_]) -> Hit:
    if place >= FIRST_SUBSTITUTE:
        data = row.substitutes[place - FIRST_SUBSTITUTE][0]
    else:
        digest = bytes.fromhex(_header.decode(row.header).portions[place])
        data = next(data for data in row.portions if sha256(data) == digest)
    _, name, _, value = _portion.decode(data)
    return Hit(row.only(visible), name, _snippet(" ".join(" ".join(strings(value)).split()), words))


def _snippet(text: str, words: Sequence[str]) -> str:
    """What stands around the first word found as it was typed, else the beginning."""
    lower = text.lower()
    at = min((at for word in words if (at := lower.find(word.lower())) >= 0), default=0)
    start, end = max(at - _SNIPPET, 0), at + _SNIPPET
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
