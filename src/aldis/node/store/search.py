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
from aldis.node.store.listing import EVERYTHING, LOOKED_AT, Keep, check_limit
from aldis.node.store.passages import FIRST_SUBSTITUTE, PLACES, strings
from aldis.node.store.profiles import Profiles
from aldis.node.store.rows import Row, rows_of

__all__ = ["QUERY_LIMIT", "Hit", "Hits", "Search", "check_text", "portion_of", "spoken"]

QUERY_LIMIT = 1_000
"""Characters of a search."""
_END = 2**48
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

_MATCH = "SELECT rowid, profile FROM passage WHERE passage MATCH ? AND rowid < ? AND rowid >= ? ORDER BY rowid DESC"


@dataclass(frozen=True, slots=True)
class Hit:
    """A row with just its visible portions, the name of the portion that has the words, and some text around them.

    `closeness` says of a search by meaning, in a word, how near the text comes to what was asked for.
    """

    row: Row
    portion: str
    snippet: str
    closeness: str = ""


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of hits, newest arrival first; `next` is the cursor of what follows, if any."""

    hits: list[Hit]
    next: str | None


class Search:
    """Full-text search over what stands."""

    def __init__(self, database: Database, profiles: Profiles, cursors: Cursors) -> None:
        self._db = database
        self._profiles = profiles
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
        keep: Keep | None = None,
        span: tuple[int, int] = EVERYTHING,
    ) -> Hits:
        """One page of the records with a visible text portion that has all the words of `text`, in any order.

        The arguments are those of `Listing.page`. Capitals and accents make no difference. A record that `keep` leaves
        something of is a hit where a portion that is left has the words.

        Raises:
            InvalidInput: no word in `text`, a limit that is not 1 to 200, or a cursor of another search.
            TooLarge: over 1,000 characters or 32 words.
        """
        check_limit(limit)
        words = check_text(text)
        bound = (scope, b"search", repr((words, kind, project)).encode())
        floor, before = span[0] + 1, min(span[1], _END)
        if after is not None:
            before = min(before, self._cursors.open(after, *bound))
        found, count = list[Hit](), limit + 1
        while True:
            with self._db.reading() as connection:
                wanted = self._profiles.where(kind, project).copy()
                known = min(len(visible), len(wanted))
                wanted[known:] = False
                wanted[:known] &= visible[:known]
                places = _newest(connection, words, wanted, (floor * PLACES, before * PLACES), count)
                for row in rows_of(connection, [*places], self._profiles.profile):
                    left = row.only(visible) if keep is None else keep(row)
                    if left is not None and (data := _said(row, left, places[row.seq])):
                        found.append(_hit(left, data, words))
            if len(found) > limit or len(places) < count:
                break
            before, count = min(places), min(2 * count, LOOKED_AT)
        more = self._cursors.seal(found[limit - 1].row.seq, *bound) if len(found) > limit else None
        return Hits(found[:limit], more)

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


def check_text(text: str) -> list[str]:
    """The words of a search.

    Raises:
        InvalidInput: it has none.
        TooLarge: over 1,000 characters or 32 words.
    """
    if len(text) > QUERY_LIMIT:
        raise TooLarge(f"a search of {len(text)} characters; the limit is {QUERY_LIMIT}")
    words = ["".join(char if char.isprintable() else " " for char in word).strip() for word in text.split()]
    words = [word for word in words if any(char.isalnum() for char in word)]
    if not words:
        raise InvalidInput("the search has no word", fix="Give at least one word or number")
    if len(words) > _WORD_LIMIT:
        raise TooLarge(f"a search of {len(words)} words; the limit is {_WORD_LIMIT}")
    return words


def _newest(
    connection: apsw.Connection, words: Sequence[str], wanted: NDArray[np.bool_], span: tuple[int, int], count: int
) -> dict[int, list[int]]:
    """The newest records with passages within `span` that have the words and a wanted profile; each with all such."""
    profiles = np.flatnonzero(wanted)
    if not len(profiles):
        return {}
    floor, before = span
    query = "{words} : (" + " AND ".join('"' + word.replace('"', '""') + '"' for word in words) + ")"
    mark_cost = _MARK_COST * len(profiles) + _WALK_COST if len(profiles) <= _MARK_LIMIT else _END
    look_up = wanted.tobytes()
    found: dict[int, list[int]] = {}
    with closing(connection.execute(_MATCH, (query, before, floor))) as passages:
        for walked, (place, profile) in enumerate(passages, 1):
            if look_up[profile] and not _added(found, place, count):
                return found
            left = walked * (count - len(found)) // max(len(found), 1)
            if walked % _STEP == 0 and (left > mark_cost or walked >= 2 * mark_cost):
                before = place
                break
        else:
            return found
    marked = f"{query} AND mark : ({' OR '.join(f'p{profile}' for profile in profiles)})"
    with closing(connection.execute(_MATCH, (marked, before, floor))) as passages:
        for place, _ in passages:
            if not _added(found, place, count):
                break
    return found


def _added(found: dict[int, list[int]], place: int, count: int) -> bool:
    """Add a passage to those of its record; False where that would be a record too many."""
    seq = place // PLACES
    if seq not in found and len(found) == count:
        return False
    found.setdefault(seq, []).append(place)
    return True


def _said(row: Row, left: Row, places: Sequence[int]) -> bytes | None:
    """Of the portions with these places that are left of a row, the first by name: in their bytes a salt decides."""
    parts = [data for place in places if (data := spoken(row, left, place))]
    if len(parts) < 2:
        return parts[0] if parts else None
    return min(parts, key=lambda data: portion_of(data)[0])


def spoken(row: Row, left: Row, place: int) -> bytes | None:
    """The portion whose passage has the number `place`, where it is among those that are `left` of its row."""
    number = place % PLACES
    if number >= FIRST_SUBSTITUTE:
        others = row.substitutes[number - FIRST_SUBSTITUTE :][:1]
        return next((other[0] for other in others if other in left.substitutes), None)
    digest = _header.decode(row.header).portions[number]
    return next((data for data in left.portions if sha256(data).hex() == digest), None)


def _hit(left: Row, data: bytes, words: Sequence[str]) -> Hit:
    name, value = portion_of(data)
    return Hit(left, name, _snippet(" ".join(" ".join(strings(value)).split()), words))


def portion_of(data: bytes) -> tuple[str, Any]:
    """Name and value of a portion."""
    _, name, _, value = _portion.decode(data)
    return name, value


def _snippet(text: str, words: Sequence[str]) -> str:
    """What stands around the first word found as it was typed, else the beginning."""
    lower = text.lower()
    at = min((at for word in words if (at := lower.find(word.lower())) >= 0), default=0)
    start, end = max(at - _SNIPPET, 0), at + _SNIPPET
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
