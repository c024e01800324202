"""Finding records by digest.

A digest is random, so an index on it writes a page of its own for nearly every record, which costs more than the
record. This one is brought up to date in large steps: rows up to a mark are indexed, the few newer ones are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import apsw

from aldis.kernel.encoding import DIGEST_SIZE
from aldis.node.store.database import Database
from aldis.node.store.meta import Meta

__all__ = ["Digests", "split_digests"]

_MARK = "digests-indexed-to"
_LEAST_STEP = 4_096
_SHARE = 64


def split_digests(joined: bytes) -> tuple[bytes, ...]:
    """The digests that a column holds one after the other."""
    return tuple(joined[start : start + DIGEST_SIZE] for start in range(0, len(joined), DIGEST_SIZE))


class Digests:
    """From a record's digest to its number."""

    def __init__(self, database: Database, meta: Meta) -> None:
        self._db = database
        self._meta = meta

    def find(self, digests: Collection[bytes]) -> dict[bytes, int]:
        """The numbers of those of these records that are held."""
        if not digests:
            return {}
        with self._db.reading() as connection:
            mark = self._meta.number(_MARK)
            wanted = apsw.carray(tuple(digests))
            found = dict(_recent(connection, mark, wanted))
            if len(found) < len(set(digests)) and mark:
                keys = [(_key(digest), digest) for digest in digests if digest not in found]
                found.update(row for key in keys for row in connection.execute(_INDEXED, key))
        return found

    def catch_up(self, connection: apsw.Connection, last: int) -> None:
        """Index the rows up to `last`, once they are many."""
        mark = self._meta.number(_MARK)
        if last - mark < max(_LEAST_STEP, mark // _SHARE):
            return
        rows = connection.execute("SELECT digest, seq FROM record WHERE seq > ? AND seq <= ?", (mark, last))
        connection.executemany("INSERT INTO digest_seq VALUES (?, ?)", sorted((_key(d), seq) for d, seq in rows))
        self._meta.set_number(_MARK, last)


_RECENT = "SELECT digest, seq FROM record WHERE seq > ? AND digest IN (SELECT value FROM carray(?))"
_INDEXED = (
    "SELECT digest, record.seq FROM digest_seq CROSS JOIN record ON record.seq = digest_seq.seq"
    " WHERE key = ? AND digest = ?"
)


def _recent(connection: apsw.Connection, mark: int, wanted: object) -> Iterable[tuple[bytes, int]]:
    return connection.execute(_RECENT, (mark, wanted))


def _key(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big", signed=True)
