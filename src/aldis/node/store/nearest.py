"""Nearest: search by meaning, the most alike first, among what a viewer may see.

A score is that of one window with the text asked for, and of nothing else: no statistics of what is held go into it.
Records are ordered by their most alike window that the viewer may see, in steps of a thousandth, then by arrival.
"""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple

import apsw
import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.node.store.cursors import Cursors
from aldis.node.store.database import Database
from aldis.node.store.listing import EVERYTHING, Keep, check_limit
from aldis.node.store.meanings import Meanings, Scores
from aldis.node.store.passages import PLACES, strings
from aldis.node.store.profiles import Profiles
from aldis.node.store.rows import Row, rows_of
from aldis.node.store.search import Hit, Hits, portion_of, spoken
from aldis.node.store.windows import WINDOWS, windows

__all__ = ["CLOSENESS", "Nearest", "Question"]

CLOSENESS = (("close", 0.5), ("near", 0.4), ("loose", 0.0))
"""In a word, from which score on."""
_STEPS = 1_000
_SEQ_BITS = 48
_ROWS = 128
_SNIPPET = 160


class Question(msgspec.Struct, frozen=True):
    """A text as a vector, and the digest of the model that made it."""

    model: bytes
    vector: NDArray[np.float32]


class Nearest:
    """Search by meaning over what stands."""

    def __init__(self, database: Database, profiles: Profiles, meanings: Meanings, cursors: Cursors) -> None:
        self._db = database
        self._profiles = profiles
        self._meanings = meanings
        self._cursors = cursors

    def search(
        self,
        question: Question,
        visible: NDArray[np.bool_],
        *,
        project: str | None = None,
        after: str | None = None,
        limit: int = 50,
        scope: bytes = b"",
        keep: Keep | None = None,
        span: tuple[int, int] = EVERYTHING,
        least: float = 0.0,
    ) -> Hits:
        """One page of the records with a visible text portion that is like the question, the most alike first.

        The arguments are those of `Search.search`; `least` is the lowest score, over 0.

        Raises:
            InvalidInput: a limit that is not 1 to 200, or a cursor of another search.
        """
        check_limit(limit)
        bound = (scope, b"nearest", question.model, repr((project, least)).encode())
        begin = None if after is None else self._cursors.open(after, *bound)
        wanted = self._profiles.where(None, project)
        known = min(len(visible), len(wanted))
        found = self._meanings.scores(question.model, question.vector, visible[:known] & wanted[:known], span, least)
        ranked = _Ranked(found)
        hits: list[tuple[int, Hit]] = []
        settled: dict[int, int] = {}
        waiting = ranked.after(begin)
        for start in range(0, len(waiting), _ROWS):
            some = waiting[start : start + _ROWS]
            places = [*zip(some.tolist(), ranked.seqs[some].tolist(), strict=True)]
            rows = self._rows({seq for at, seq in places if settled.get(seq, at) == at})
            for at, seq in places:
                row = rows.get(seq)
                if row is None or settled.get(seq, at) != at:
                    continue
                left = row.only(visible) if keep is None else keep(row)
                best = ranked.best(row, left) if left is not None else None
                settled[seq] = best.first if best else -1
                if best and best.first == at and left is not None:
                    hits.append((ranked.rank(at), ranked.hit(best, left)))
                    if len(hits) > limit:
                        return Hits([hit for _, hit in hits[:limit]], self._cursors.seal(hits[limit - 1][0], *bound))
        return Hits([hit for _, hit in hits], None)

    def _rows(self, seqs: set[int]) -> dict[int, Row]:
        """Those of these rows that stand."""
        if not seqs:
            return {}
        with self._db.reading() as connection:
            stand: list[tuple[Any, ...]] = connection.execute(
                _STAND, (apsw.carray(array("q", sorted(seqs))),)
            ).fetchall()
            return {row.seq: row for row in rows_of(connection, [seq for (seq,) in stand], self._profiles.profile)}


class _Best(NamedTuple):
    """A row's most alike window: where its rank stands first, its portion, that one's value, the window's number."""

    first: int
    portion: str
    value: Any
    number: int


class _Ranked:
    """Windows in the order of their rank: a step of the score, then the newest arrival, then the place in it."""

    def __init__(self, found: Scores) -> None:
        steps = np.floor(found.scores * _STEPS).astype(np.int64)
        order = np.lexsort((-found.places, -steps))
        self.places, self._steps = found.places[order], steps[order]
        self.seqs = self.places // (PLACES * WINDOWS)
        self._by_seq = np.argsort(self.seqs, kind="stable")
        self._sorted = self.seqs[self._by_seq]

    def rank(self, at: int) -> int:
        """The number that stands for a place in the order of records."""
        return int(self._steps[at]) << _SEQ_BITS | int(self.seqs[at])

    def after(self, rank: int | None) -> NDArray[np.int64]:
        """What comes after a rank, or all."""
        if rank is None:
            return np.arange(len(self.seqs), dtype=np.int64)
        step, seq = rank >> _SEQ_BITS, rank & ((1 << _SEQ_BITS) - 1)
        return np.flatnonzero((self._steps < step) | ((self._steps == step) & (self.seqs < seq)))

    def best(self, row: Row, left: Row) -> _Best | None:
        """The most alike of a row's windows that is in what is left of it; of those in one step, the first by name."""
        first, end = np.searchsorted(self._sorted, (row.seq, row.seq + 1))
        found: list[_Best] = []
        for at in self._by_seq[first:end].tolist():
            if found and self._steps[at] != self._steps[found[0].first]:
                break
            place, number = divmod(int(self.places[at]), WINDOWS)
            data = spoken(row, left, place)
            if data is not None:
                found.append(_Best(found[0].first if found else at, *portion_of(data), number))
        return min(found, key=lambda one: (one.portion, one.number), default=None)

    def hit(self, best: _Best, left: Row) -> Hit:
        """The hit of a window: the beginning of its text, and in a word how close its step is."""
        texts = windows("\n".join(strings(best.value)))
        text = texts[best.number] if best.number < len(texts) else ""
        snippet = text if len(text) <= _SNIPPET else text[:_SNIPPET].rsplit(" ", 1)[0] + "…"
        step = int(self._steps[best.first])
        return Hit(left, best.portion, snippet, next(word for word, least in CLOSENESS if step >= least * _STEPS))


_STAND = "SELECT seq FROM carray(?1) AS wanted CROSS JOIN listing ON seq = wanted.value WHERE place & 1 = 0"
