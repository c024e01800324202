"""Releases: everything that was ever released to a partner, in this epoch of its stream and in those before."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable

import apsw
import msgspec

from aldis.node.store.database import Database
from aldis.node.store.digests import split_digests

__all__ = ["Held", "Releases"]


class Held(msgspec.Struct, frozen=True):
    """One item that left for a partner: its place in the stream, the row, and the digests of its portions."""

    partner: str
    epoch: str
    seq: int
    record_seq: int
    portions: tuple[bytes, ...]
    acknowledged: bool


class Releases:
    """What partners were sent, and what of it was transformed."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def to(self, partner: str) -> list[Held]:
        """What was released to a partner, oldest first."""
        return self._find("partner = ?1", partner)

    def of(self, record_seqs: Collection[int]) -> list[Held]:
        """To whom these rows were released, oldest first."""
        return [one for seq in record_seqs for one in self._find("record_seq = ?1", seq)]

    def sent(self, partner: str, record_seqs: Collection[int]) -> list[Held]:
        """What of these rows was released to a partner, row by row, oldest first."""
        return [one for seq in record_seqs for one in self._find("partner = ?1 AND record_seq = ?2", partner, seq)]

    def alter(self, partner: str, record_seq: int, changed: Iterable[tuple[bytes, bytes, str]]) -> None:
        """Keep which portions went transformed: digest, digest of what went in its stead, words of the transform."""
        with self._db.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO altered VALUES (?, ?, ?, ?, ?)",
                [(partner, record_seq, *one) for one in changed],
            )

    def altered(self, partner: str, record_seqs: Collection[int]) -> dict[tuple[int, bytes], str]:
        """The words of the transforms, by row and portion."""
        if not record_seqs:
            return {}
        with self._db.reading() as connection:
            rows = connection.execute(_ALTERED, (apsw.carray(array("q", record_seqs)), partner))
            return {(seq, portion): words for seq, portion, words in rows}

    def _find(self, where: str, *values: str | int) -> list[Held]:
        with self._db.reading() as connection:
            rows = connection.execute(_HELD.format(where=where), values)
            return [
                Held(partner, epoch, seq, record_seq, split_digests(portions), bool(sure))
                for partner, epoch, seq, record_seq, portions, sure in rows
            ]


_HELD = """
SELECT partner, epoch, seq, record_seq, portions, acknowledged FROM former WHERE {where}
UNION ALL
SELECT partner, coalesce((
    SELECT epoch FROM sealed WHERE sealed.partner = outbox.partner AND outbox.seq BETWEEN first AND last
), ''), seq, record_seq, portions,
coalesce(seq <= (SELECT acked.seq FROM acked WHERE acked.partner = outbox.partner), 0)
FROM outbox WHERE {where} ORDER BY 2, 3
"""
_ALTERED = """
SELECT record_seq, portion, words FROM carray(?1) AS wanted CROSS JOIN altered
ON altered.partner = ?2 AND record_seq = wanted.value
"""
