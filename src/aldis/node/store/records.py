"""Records: stored byte for byte, one chain of versions for each id, portions gathered as they arrive."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import apsw

from aldis.kernel.errors import InvalidInput
from aldis.kernel.records import Record, read_header
from aldis.node.store.arrivals import Arrivals, Stored
from aldis.node.store.database import Database
from aldis.node.store.digests import Digests
from aldis.node.store.passages import Passages
from aldis.node.store.profiles import Profiles
from aldis.node.store.rows import COLUMNS, Row, Substitutes, make_row, rows_of

__all__ = ["Records"]

_PICK = f"SELECT {COLUMNS} FROM record "  # noqa: S608
_WRITERS = """
SELECT (SELECT originator FROM record WHERE id = ?1 ORDER BY originator LIMIT 1),
       (SELECT originator FROM record WHERE id = ?1 ORDER BY originator DESC LIMIT 1)
"""
_NEWEST = "WHERE id = ? AND originator = ? ORDER BY version DESC LIMIT 1"
_VERSION = "WHERE id = ? AND originator = ? AND version = ?"
_NOTHING: Substitutes = {}


class Records:
    """The records of a node, its own and its partners'."""

    def __init__(self, database: Database, profiles: Profiles, digests: Digests, passages: Passages) -> None:
        self._db = database
        self._profiles = profiles
        self._digests = digests
        self._passages = passages
        self._arrivals = Arrivals(database, profiles, digests, passages)

    def put(
        self,
        records: Sequence[Record],
        arrived: int,
        source: str = "",
        substitutes: Substitutes = _NOTHING,
    ) -> Stored:
        """Store records that came from `source` at `arrived` (ms since 1970 UTC), all of them or none.

        A record already held gains the portions it lacked and loses none. `substitutes` maps a record's digest to the
        transformed portions that came with it. Old versions that arrive late take their place in the chain.

        Raises:
            Forked: another record has the same originator, id and version, or the chain of digests is broken.
        """
        return self._arrivals.put(records, arrived, source, substitutes)

    def get(self, id_: str, version: int | None = None, originator: str | None = None) -> Row | None:
        """The newest held version of an id, or the one asked for; None where it is not held.

        Raises:
            InvalidInput: several originators use this id and none was named.
        """
        with self._db.reading() as connection:
            if originator is None:
                [(first, last)] = connection.execute(_WRITERS, (id_,))
                if first != last:
                    raise InvalidInput(
                        f"{first} and {last} each have a record {id_!r}", fix="Say whose is meant: --originator"
                    )
                originator = first
            where, bindings = (_NEWEST, ()) if version is None else (_VERSION, (version,))
            rows = self._rows(connection, where, (id_, originator, *bindings))
        return rows[0] if rows else None

    def by_digest(self, digest: bytes) -> Row | None:
        """The record with this digest, or None."""
        with self._db.reading():
            rows = self.rows(list(self._digests.find([digest]).values()))
        return rows[0] if rows else None

    def find(self, digests: Collection[bytes]) -> dict[bytes, int]:
        """The numbers of those of these records that are held, by digest."""
        return self._digests.find(digests)

    def versions(self, id_: str, originator: str | None = None) -> list[Row]:
        """All held versions of an id, oldest first, one originator after the other."""
        where = "WHERE id = ?1 AND (?2 IS NULL OR originator = ?2) ORDER BY originator, version"
        with self._db.reading() as connection:
            return self._rows(connection, where, (id_, originator))

    def neighbours(self, wanted: Iterable[tuple[str, str, int]]) -> dict[tuple[str, str], dict[int, tuple[str, str]]]:
        """For (originator, id, version) triples: what is held of that version and of the ones beside it.

        By (originator, id) and version, the digest and that of its predecessor, both in hex.
        """
        asked = list(wanted)
        found: dict[tuple[str, str], dict[int, tuple[str, str]]] = {}
        with self._db.reading() as connection:
            ids = tuple({id_ for _, id_, _ in asked})
            held = {id_ for (id_,) in connection.execute(_HELD, (apsw.carray(ids),))} if ids else set()
            for originator, id_, version in asked if held else ():
                if id_ in held:
                    near = connection.execute(_NEAR, (id_, originator, version - 1, version + 1))
                    for beside, digest, header in near:
                        link = (digest.hex(), read_header(header).previous)
                        found.setdefault((originator, id_), {})[beside] = link
        return found

    def rows(self, seqs: Sequence[int]) -> list[Row]:
        """The rows with these numbers, in the order given; numbers not in use are left out."""
        with self._db.reading() as connection:
            return rows_of(connection, seqs, self._profiles.profile)

    def since(self, seq: int, limit: int = 500) -> list[Row]:
        """The next `limit` arrivals after `seq`, in order."""
        with self._db.reading() as connection:
            return self._rows(connection, "WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))

    def outgoing(self, partner: str, seq: int, limit: int = 500) -> list[Row]:
        """The next arrivals after `seq` that might go to a partner: this node's own, and others' that have a grant.

        What the partner wrote or sent itself is left out.
        """
        with self._db.reading() as connection:
            return self._rows(connection, _OUTGOING, (seq, partner, limit))

    def superseded(self, seqs: Sequence[int]) -> frozenset[int]:
        """Which of these rows no longer stand: superseded by a later version held, recalled, or erased."""
        if not seqs:
            return frozenset()
        with self._db.reading() as connection:
            return frozenset(seq for (seq,) in connection.execute(_SUPERSEDED, (apsw.carray(array("q", seqs)),)))

    def last(self) -> int:
        """The number of the newest arrival; 0 before there is one."""
        with self._db.reading() as connection:
            return int(connection.execute("SELECT coalesce(max(seq), 0) FROM record").get)

    def first_since(self, at: int) -> int:
        """The number of the first arrival at or after `at` (ms since 1970 UTC), as long as the clock ran forwards."""
        with self._db.reading() as connection:
            low, high = 1, int(connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM record").get)
            while low < high:
                middle = (low + high) // 2
                row = connection.execute(_ARRIVED, (middle,)).fetchone()
                if row is None or row[1] >= at:
                    high = middle
                else:
                    low = row[0] + 1
        return low

    def reindex(self) -> None:
        """Build the search index anew from what stands."""
        with self._db.writing() as connection:
            self._passages.clear(connection)
            wanted = [row.id for row in self._profiles.since() if row.kind in self._passages.texts]
            for profile in wanted:
                standing = connection.execute("SELECT seq FROM listing WHERE place = ?", (2 * profile,))
                for (seq,) in list(standing):
                    for row in rows_of(connection, [seq], self._profiles.profile):
                        self._passages.add(connection, [*self._passages.of_row(row)])

    def _rows(self, connection: apsw.Connection, where: str, bindings: tuple[Any, ...]) -> list[Row]:
        profile = self._profiles.profile
        return [make_row(values, profile) for values in connection.execute(_PICK + where, bindings)]


_ARRIVED = "SELECT seq, arrived FROM record WHERE seq >= ? ORDER BY seq LIMIT 1"
_HELD = "SELECT value FROM carray(?) WHERE EXISTS (SELECT 1 FROM record WHERE id = value)"
_NEAR = "SELECT version, digest, header FROM record WHERE id = ? AND originator = ? AND version BETWEEN ? AND ?"
_SUPERSEDED = """
SELECT seq FROM carray(?1) AS wanted CROSS JOIN record AS one ON one.seq = wanted.value
WHERE EXISTS (
    SELECT 1 FROM record AS later
    WHERE later.id = one.id AND later.originator = one.originator AND later.version > one.version
) OR EXISTS (SELECT 1 FROM erased WHERE digest = one.digest) OR EXISTS (
    SELECT 1 FROM recalled JOIN recall_request ON recall_request.id = request
    WHERE recalled.digest = one.digest AND state <> 'refused' AND asker IN (one.originator, one.source)
)
"""
_OUTGOING = (
    "WHERE seq > ?1 AND originator <> ?2 AND source <> ?2"
    " AND (source = '' OR seq IN (SELECT record_seq FROM record_grant)) ORDER BY seq LIMIT ?3"
)
