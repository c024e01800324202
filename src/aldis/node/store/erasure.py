"""Erasure: content that leaves the store for good, while header and ledger stay; and what a recall hides."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Any

import apsw
import msgspec

from aldis.kernel.records import Record, read_header
from aldis.node.store.attachments import Attachments
from aldis.node.store.database import Database
from aldis.node.store.passages import Passages
from aldis.node.store.profiles import Profiles
from aldis.node.store.rows import Substitutes, rows_of
from aldis.node.store.withdrawals import Withdrawals

__all__ = ["Erased", "Erasure"]

_DUE = "rewrite due"
_NO_PORTIONS = msgspec.msgpack.encode([])


class Erased(msgspec.Struct, frozen=True):
    """Why and when (ms since 1970 UTC) the content of a record was erased."""

    because: str
    at: int


class Erasure:
    """Erases, and keeps erased what comes in again."""

    def __init__(self, database: Database, profiles: Profiles, passages: Passages) -> None:
        self._db = database
        self._profiles = profiles
        self._passages = passages

    def erase(self, seqs: Collection[int], because: str, at: int) -> None:
        """Take the content of these rows out of the store, wherever it stands; `rewrite` then empties the free pages.

        A bundle that waits with one of them is withdrawn, and what else was in it is decided again.
        """
        with self._db.writing() as connection:
            connection.executemany(_EMPTY, [(_NO_PORTIONS, seq) for seq in seqs])
            connection.executemany(_ERASED, [(because, at, seq) for seq in seqs])
            self._unlist(connection, seqs)
            connection.executemany("DELETE FROM record_grant WHERE record_seq = ?", [(seq,) for seq in seqs])
            Attachments(self._db).forget(connection, seqs)
            withdrawals = Withdrawals(self._db)
            for partner, first in self.waiting(seqs):
                withdrawals.withdraw(partner, first)
            withdrawals.blank(seqs)
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, x'01')", (_DUE,))

    def waiting(self, seqs: Collection[int]) -> list[tuple[str, int]]:
        """The partners for whom a bundle with one of these rows waits, each with the first item of the first such."""
        if not seqs:
            return []
        with self._db.reading() as connection:
            rows: list[tuple[Any, ...]] = connection.execute(_WAITING, (apsw.carray(array("q", seqs)),)).fetchall()
            return [(partner, first) for partner, first in rows]

    @property
    def due(self) -> bool:
        """Whether something was erased since the file was last written anew."""
        with self._db.reading() as connection:
            return bool(connection.execute("SELECT value = x'01' FROM meta WHERE key = ?", (_DUE,)).get)

    def rewrite(self) -> None:
        """Write search index and file anew, so that nothing is left of what was erased; not within a transaction.

        Raises:
            Unavailable: another process was busy with the file, or too little space; it stays `due`.
        """
        with self._db.writing() as connection:
            connection.execute("INSERT INTO passage (passage) VALUES ('optimize')")
        self._db.rewrite()
        with self._db.writing() as connection:
            connection.execute("DELETE FROM meta WHERE key = ?", (_DUE,))

    def of(self, digest: bytes) -> Erased | None:
        """Why the content of the record with this digest was erased, or None."""
        with self._db.reading() as connection:
            row = connection.execute("SELECT because, at FROM erased WHERE digest = ?", (digest,)).fetchone()
            return Erased(*row) if row else None

    def judge(self, seqs: Sequence[int]) -> None:
        """List or unlist these rows, as a recall that came in or was refused has it."""
        with self._db.writing() as connection:
            self.hide(connection, seqs)
            self.show(connection, seqs)

    def hide(self, connection: apsw.Connection, seqs: Sequence[int]) -> None:
        """Unlist those of these rows that are recalled."""
        if seqs and connection.execute("SELECT EXISTS (SELECT 1 FROM recalled)").get:
            self._unlist(connection, _numbers(connection, _RECALLED, seqs))

    def show(self, connection: apsw.Connection, seqs: Sequence[int]) -> None:
        """List those of these rows again that stand: newest, no tombstone, neither recalled nor erased."""
        if not seqs:
            return
        stand = _numbers(connection, _STAND, seqs)
        for row in rows_of(connection, stand, self._profiles.profile):
            if not read_header(row.header).deleted:
                connection.execute("UPDATE listing SET place = place & ~1 WHERE seq = ?", (row.seq,))
                self._passages.add(connection, [*self._passages.of_row(row)])

    def without_erased(
        self, connection: apsw.Connection, records: Sequence[Record], source: str, substitutes: Substitutes
    ) -> tuple[Sequence[Record], Substitutes]:
        """The same without the content of what was erased here, or recalled and erased before it came."""
        if not connection.execute("SELECT EXISTS (SELECT 1 FROM erased) OR EXISTS (SELECT 1 FROM recalled)").get:
            return records, substitutes
        barred = {
            record.digest
            for record in records
            if connection.execute(_BARRED, (record.digest, record.header.originator, source)).get
        }
        if not barred:
            return records, substitutes
        kept = [record.only(()) if record.digest in barred else record for record in records]
        return kept, {digest: others for digest, others in substitutes.items() if digest not in barred}

    def _unlist(self, connection: apsw.Connection, seqs: Collection[int]) -> None:
        connection.executemany("UPDATE listing SET place = place | 1 WHERE seq = ?", [(seq,) for seq in seqs])
        self._passages.drop(connection, seqs)


def _numbers(connection: apsw.Connection, query: str, seqs: Sequence[int]) -> list[int]:
    rows: list[tuple[Any, ...]] = connection.execute(query, (apsw.carray(array("q", seqs)),)).fetchall()
    return [seq for (seq,) in rows]


_EMPTY = """
UPDATE record SET portion_profiles = x'', portions = ?, substitute_profiles = x'', substitutes = x'' WHERE seq = ?
"""
_ERASED = "INSERT OR REPLACE INTO erased SELECT digest, ?, ? FROM record WHERE seq = ?"
_WAITING = """
SELECT sealed.partner, min(first) FROM carray(?1) AS wanted CROSS JOIN outbox ON outbox.record_seq = wanted.value
JOIN sealed ON sealed.partner = outbox.partner AND outbox.seq BETWEEN first AND last
WHERE data IS NOT NULL GROUP BY sealed.partner
"""
_ASKED = """
SELECT 1 FROM recalled JOIN recall_request ON recall_request.id = request
WHERE recalled.digest = record.digest AND state <> 'refused' AND asker IN (record.originator, record.source)
"""
_RECALLED = f"""
SELECT seq FROM carray(?1) AS wanted CROSS JOIN record ON seq = wanted.value WHERE EXISTS ({_ASKED})
"""  # noqa: S608
_STAND = f"""
SELECT seq FROM carray(?1) AS wanted CROSS JOIN record ON seq = wanted.value
WHERE NOT EXISTS ({_ASKED}) AND NOT EXISTS (SELECT 1 FROM erased WHERE digest = record.digest)
AND NOT EXISTS (
    SELECT 1 FROM record AS later
    WHERE later.id = record.id AND later.originator = record.originator AND later.version > record.version
)
"""  # noqa: S608
_BARRED = """
SELECT EXISTS (SELECT 1 FROM erased WHERE digest = ?1) OR EXISTS (
    SELECT 1 FROM recalled JOIN recall_request ON recall_request.id = request
    WHERE digest = ?1 AND state = 'done' AND asker IN (?2, ?3)
)
"""
