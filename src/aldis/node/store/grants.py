"""Grants: the originators' signed words that came with records, by which they may be passed on."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping

import apsw
import msgspec

from aldis.kernel.bundles import Grant
from aldis.node.store.database import Database

__all__ = ["Grants"]

_decoder = msgspec.msgpack.Decoder(Grant)


class Grants:
    """At most one grant for each record, the newest."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, grants: Mapping[int, Grant]) -> None:
        """Keep the grants of records, by row number."""
        with self._db.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO record_grant VALUES (?, ?)",
                [(seq, msgspec.msgpack.encode(grant)) for seq, grant in grants.items()],
            )

    def of(self, record_seqs: Collection[int]) -> dict[int, Grant]:
        """The grants of those of these rows that have one."""
        if not record_seqs:
            return {}
        with self._db.reading() as connection:
            rows = connection.execute(
                "SELECT record_seq, data FROM carray(?) AS wanted CROSS JOIN record_grant ON record_seq = wanted.value",
                (apsw.carray(array("q", record_seqs)),),
            )
            return {seq: _decoder.decode(data) for seq, data in rows}
