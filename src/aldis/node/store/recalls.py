"""Recalls: which versions were asked back of whom, and which this node was asked to give up."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Any, Literal

import apsw
import msgspec

from aldis.kernel.errors import UnknownTerm
from aldis.node.store.database import Database

__all__ = ["Recalls", "Request", "State"]

State = Literal["none", "waits", "done", "refused"]
_COLUMNS = "recall_request.id, recall, asker, because, at, state, answer, answered"


class Request(msgspec.Struct, frozen=True):
    """A recall that this node got: the digest of the recall record, who asks, why, and what was answered, and when.

    `none` says that nothing of it was held when it came; `at` and `answered` are in ms since 1970 UTC.
    """

    id: int
    recall: bytes
    asker: str
    because: str
    at: int
    state: State
    answer: str
    answered: int


class Recalls:
    """Recalls sent and got."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def ask(self, digests: Collection[bytes], partner: str, recall: bytes, at: int) -> None:
        """Keep that a partner ("" for all) was asked for these versions, which no longer go to it."""
        with self._db.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO recall_asked VALUES (?, ?, ?, ?)",
                [(digest, partner, recall, at) for digest in digests],
            )

    def asked(self, digests: Collection[bytes]) -> dict[str, tuple[bytes, int]]:
        """Of whom ("" for all) these versions were asked back: the newest recall record's digest, and when."""
        found: dict[str, tuple[bytes, int]] = {}
        with self._db.reading() as connection:
            for digest in digests:
                rows = connection.execute("SELECT partner, recall, at FROM recall_asked WHERE digest = ?", (digest,))
                for partner, recall, at in rows:
                    found[partner] = max(found.get(partner, (b"", 0)), (recall, at), key=lambda one: one[1])
        return found

    def asked_of(self, partner: str, seqs: Sequence[int]) -> frozenset[int]:
        """Which of these rows this one partner was asked to give up."""
        if not seqs:
            return frozenset()
        with self._db.reading() as connection:
            rows = connection.execute(_ASKED_OF, (apsw.carray(array("q", seqs)), partner))
            return frozenset(seq for (seq,) in rows)

    def withheld(self, partner: str, seqs: Sequence[int]) -> frozenset[int]:
        """Which of these rows a partner was asked to give up, and so does not get."""
        if not seqs:
            return frozenset()
        with self._db.reading() as connection:
            return frozenset(seq for (seq,) in connection.execute(_WITHHELD, (apsw.carray(array("q", seqs)), partner)))

    def add(self, recall: bytes, asker: str, because: str, at: int, digests: Collection[bytes]) -> Request:
        """Keep a recall that came in; the same again is the one that was kept."""
        with self._db.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO recall_request VALUES (NULL, ?, ?, ?, ?, 'none', '', 0)",
                (recall, asker, because, at),
            )
            [request] = self._find(connection, "WHERE recall = ?", (recall,))
            connection.executemany(
                "INSERT OR IGNORE INTO recalled VALUES (?, ?)", [(digest, request.id) for digest in digests]
            )
            return request

    def answer(self, number: int, state: State, because: str, at: int) -> Request:
        """Keep what was answered.

        Raises:
            UnknownTerm: no such recall.
        """
        with self._db.writing() as connection:
            connection.execute(
                "UPDATE recall_request SET state = ?, answer = ?, answered = ? WHERE id = ?",
                (state, because, at, number),
            )
            return self.get(number)

    def get(self, number: int) -> Request:
        """The recall with this number.

        Raises:
            UnknownTerm: there is none.
        """
        with self._db.reading() as connection:
            found = self._find(connection, "WHERE id = ?", (number,))
        if not found:
            raise UnknownTerm(f"no recall {number} came in here", fix="`aldis recall list` names them")
        return found[0]

    def all(self) -> list[Request]:
        """Every recall that came in, oldest first."""
        with self._db.reading() as connection:
            return self._find(connection, "ORDER BY id", ())

    def digests(self, number: int) -> list[bytes]:
        """The versions that a recall names."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT digest FROM recalled WHERE request = ?", (number,))
            return [digest for (digest,) in rows]

    def of(self, digest: bytes, originator: str, source: str) -> list[Request]:
        """The recalls of a record by those who may ask, oldest first."""
        where = "JOIN recalled ON request = recall_request.id WHERE digest = ? AND asker IN (?, ?) ORDER BY id"
        with self._db.reading() as connection:
            return self._find(connection, where, (digest, originator, source))

    def _find(self, connection: apsw.Connection, where: str, bindings: tuple[Any, ...]) -> list[Request]:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM recall_request {where}", bindings)  # noqa: S608
        return [Request(*row) for row in rows]


_ASKED_OF = """
SELECT seq FROM carray(?1) AS wanted CROSS JOIN record ON seq = wanted.value
WHERE EXISTS (SELECT 1 FROM recall_asked WHERE digest = record.digest AND partner = ?2)
"""
_WITHHELD = """
SELECT seq FROM carray(?1) AS wanted CROSS JOIN record ON seq = wanted.value
WHERE EXISTS (SELECT 1 FROM recall_asked WHERE digest = record.digest AND partner IN (?2, ''))
"""
