"""Withdrawals: bundles that were sealed and then held back, because the policy changed before they were acknowledged.

One of them may have arrived all the same, its receipt lost: then the partner's cursor names it, and it is reinstated.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import apsw
import msgspec

from aldis.node.store.database import Database
from aldis.node.store.exchange import Sealed

__all__ = ["Withdrawals"]


class _Kept(msgspec.Struct, frozen=True):
    sealed: Sealed
    outbox: list[tuple[int, int, bytes]]


class Withdrawals:
    """Takes bundles out of a partner's stream, and puts one back."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def withdraw(self, partner: str, first: int = 1) -> int:
        """Take the bundles that are not acknowledged out of the stream, from item `first` on; how many there were.

        What they held is decided again.
        """
        with self._db.writing() as connection:
            found: list[tuple[Any, ...]] = connection.execute(
                "SELECT epoch, first, last, digest, previous, data FROM sealed"
                " WHERE partner = ? AND data IS NOT NULL AND first >= ? ORDER BY rowid",
                (partner, first),
            ).fetchall()
            for row in found:
                sealed = Sealed(*row)
                span = (partner, sealed.first, sealed.last)
                outbox: list[tuple[Any, ...]] = connection.execute(
                    "SELECT seq, record_seq, portions FROM outbox WHERE partner = ? AND seq BETWEEN ? AND ?", span
                ).fetchall()
                kept = msgspec.msgpack.encode(_Kept(sealed, [(seq, record, part) for seq, record, part in outbox]))
                _decide_again(connection, partner, outbox)
                connection.execute("INSERT OR REPLACE INTO withdrawn VALUES (?, ?, ?)", (partner, sealed.digest, kept))
                connection.execute("DELETE FROM outbox WHERE partner = ? AND seq BETWEEN ? AND ?", span)
            connection.execute(
                "DELETE FROM sealed WHERE partner = ? AND data IS NOT NULL AND first >= ?", (partner, first)
            )
            return len(found)

    def reinstate(self, partner: str, digest: bytes) -> Sealed | None:
        """Put back the bundle with this digest, which the partner holds; None where none such was withdrawn."""
        with self._db.writing() as connection:
            data = connection.execute(
                "SELECT data FROM withdrawn WHERE partner = ? AND digest = ?", (partner, digest)
            ).get
            if data is None:
                return None
            kept = msgspec.msgpack.decode(data, type=_Kept)
            self.withdraw(partner)
            connection.execute("DELETE FROM withdrawn WHERE partner = ? AND digest = ?", (partner, digest))
            connection.execute(
                "INSERT INTO sealed VALUES (?, ?, ?, ?, ?, ?, ?)", (partner, *msgspec.structs.astuple(kept.sealed))
            )
            connection.executemany(
                "INSERT INTO outbox VALUES (?, ?, ?, ?, NULL)",
                [(partner, seq, record, portions) for seq, record, portions in kept.outbox],
            )
            _decide_again(connection, partner, kept.outbox)
            return kept.sealed

    def blank(self, record_seqs: Collection[int]) -> None:
        """Drop the content of the withdrawn bundles that held one of these rows; what was in them stays known."""
        wanted = frozenset(record_seqs)
        with self._db.writing() as connection:
            found: list[tuple[Any, ...]] = connection.execute("SELECT partner, digest, data FROM withdrawn").fetchall()
            for partner, digest, data in found:
                kept = msgspec.msgpack.decode(data, type=_Kept)
                if not wanted.isdisjoint(record for _, record, _ in kept.outbox):
                    bare = _Kept(msgspec.structs.replace(kept.sealed, data=b""), kept.outbox)
                    connection.execute(
                        "UPDATE withdrawn SET data = ? WHERE partner = ? AND digest = ?",
                        (msgspec.msgpack.encode(bare), partner, digest),
                    )

    def restart(self, partner: str) -> None:
        """Begin a partner's stream anew, in another epoch; what was released to it is known as former releases."""
        with self._db.writing() as connection:
            connection.execute(_KEEP, (partner,))
            for table in ("sealed", "outbox", "outbound", "acked", "withdrawn", "deferred"):
                connection.execute(f"DELETE FROM {table} WHERE partner = ?", (partner,))  # noqa: S608
            connection.execute("DELETE FROM outgoing WHERE partner = ?", (partner,))


_KEEP = """
INSERT OR IGNORE INTO former
SELECT outbox.partner, sealed.epoch, outbox.seq, record_seq, portions,
       coalesce(outbox.seq <= (SELECT acked.seq FROM acked WHERE acked.partner = outbox.partner), 0)
FROM outbox JOIN sealed ON sealed.partner = outbox.partner AND outbox.seq BETWEEN first AND last
WHERE outbox.partner = ?
"""


def _decide_again(connection: apsw.Connection, partner: str, outbox: list[tuple[Any, ...]]) -> None:
    """Move the partner's position back to before all of these outbox rows."""
    lowest = min(record_seq for _, record_seq, _ in outbox)
    connection.execute("UPDATE outbound SET record_seq = min(record_seq, ?) WHERE partner = ?", (lowest - 1, partner))
