"""Exchange: what goes to each partner, in what order, sealed into which bundles, and what was acknowledged."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import starmap

import apsw
import msgspec

from aldis.node.store.database import Database
from aldis.node.store.digests import split_digests
from aldis.node.store.partners import Acknowledged

__all__ = ["Exchange", "OutboxRow", "Position", "Release", "Sealed"]


class Release(msgspec.Struct, frozen=True):
    """A record (by its row number) and the digests of those of its portions that go to a partner.

    `item` is what else to send, if anything.
    """

    record_seq: int
    portions: Sequence[bytes]
    item: bytes | None = None


class OutboxRow(msgspec.Struct, frozen=True):
    """A release under the partner's own sequence number, counted from 1 without gaps."""

    seq: int
    record_seq: int
    portions: tuple[bytes, ...]
    item: bytes | None


class Position(msgspec.Struct, frozen=True):
    """All rows up to `record_seq` have been decided for a partner, the last under the policy with that digest."""

    record_seq: int = 0
    policy: bytes = b""


class Sealed(msgspec.Struct, frozen=True):
    """A bundle of the outbox rows `first` to `last`; `data` is None once it was acknowledged."""

    epoch: str
    first: int
    last: int
    digest: bytes
    previous: bytes
    data: bytes | None


class Exchange:
    """The outgoing side of the exchange, for each partner apart."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def enqueue(self, partner: str, releases: Sequence[Release]) -> range:
        """Put releases at the end of a partner's outbox; their sequence numbers."""
        with self._db.writing() as connection:
            first = self.last(partner) + 1
            connection.executemany(
                "INSERT INTO outbox VALUES (?, ?, ?, ?, ?)",
                [
                    (partner, seq, release.record_seq, b"".join(release.portions), release.item)
                    for seq, release in enumerate(releases, first)
                ],
            )
        return range(first, first + len(releases))

    def last(self, partner: str) -> int:
        """The last sequence number of a partner's outbox; 0 before there is one."""
        with self._db.reading() as connection:
            return int(connection.execute("SELECT coalesce(max(seq), 0) FROM outbox WHERE partner = ?", (partner,)).get)

    def outbox(self, partner: str, first: int, limit: int = 500) -> list[OutboxRow]:
        """The outbox from sequence number `first` on."""
        with self._db.reading() as connection:
            rows = connection.execute(
                "SELECT seq, record_seq, portions, item FROM outbox"
                " WHERE partner = ? AND seq >= ? ORDER BY seq LIMIT ?",
                (partner, first, limit),
            )
            return [OutboxRow(seq, record, split_digests(portions), item) for seq, record, portions, item in rows]

    def released(self, partner: str, record_seqs: Collection[int]) -> dict[int, frozenset[bytes]]:
        """Which of these records were ever released to a partner, each with the digests of the portions that were."""
        found: dict[int, frozenset[bytes]] = {}
        with self._db.reading() as connection:
            last = connection.execute("SELECT max(record_seq) FROM outbox WHERE partner = ?", (partner,)).get or 0
            before = [record_seq for record_seq in record_seqs if record_seq <= last]
            if before:
                rows = connection.execute(_RELEASED, (apsw.carray(_numbers(before)), partner))
                for record_seq, portions in rows:
                    found[record_seq] = found.get(record_seq, frozenset()) | frozenset(split_digests(portions))
        return found

    def position(self, partner: str) -> Position:
        """How far the pump has decided for a partner."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT record_seq, policy FROM outbound WHERE partner = ?", (partner,))
            return next(starmap(Position, list(rows)), Position())

    def set_position(self, partner: str, position: Position) -> None:
        """Move the pump's position; do it in the transaction that enqueues."""
        if position == self.position(partner):  # a node with nothing to say writes nothing
            return
        with self._db.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO outbound VALUES (?, ?, ?)", (partner, position.record_seq, position.policy)
            )

    def defer(self, partner: str, due: Iterable[tuple[int, int]]) -> None:
        """Decide records again later: pairs of row number and time (ms since 1970 UTC); the earliest time counts."""
        with self._db.writing() as connection:
            connection.executemany(
                "INSERT INTO deferred VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET due = min(due, excluded.due)",
                [(partner, record_seq, at) for record_seq, at in due],
            )

    def due(self, partner: str, at: int, limit: int = 500) -> list[int]:
        """The records whose time has come, longest due first."""
        with self._db.reading() as connection:
            rows = connection.execute(
                "SELECT record_seq FROM deferred WHERE partner = ? AND due <= ? ORDER BY due, record_seq LIMIT ?",
                (partner, at, limit),
            )
            return [record_seq for (record_seq,) in rows]

    def settle(self, partner: str, record_seqs: Iterable[int]) -> None:
        """Forget that these records were deferred."""
        with self._db.writing() as connection:
            connection.executemany(
                "DELETE FROM deferred WHERE partner = ? AND record_seq = ?", [(partner, seq) for seq in record_seqs]
            )

    def add_sealed(self, partner: str, sealed: Sealed) -> None:
        """Keep a bundle until it is acknowledged."""
        with self._db.writing() as connection:
            connection.execute(
                "INSERT INTO sealed VALUES (?, ?, ?, ?, ?, ?, ?)", (partner, *msgspec.structs.astuple(sealed))
            )

    def sealed(self, partner: str, limit: int = 8, after: int = 0) -> list[Sealed]:
        """The bundles of items after `after` that are not yet acknowledged, in order."""
        where = "WHERE partner = ? AND data IS NOT NULL AND first > ? ORDER BY rowid LIMIT ?"
        return self._sealed(where, (partner, after, limit))

    def last_sealed(self, partner: str) -> Sealed | None:
        """The newest bundle, acknowledged or not: the next one names its digest."""
        return next(iter(self._sealed("WHERE partner = ? ORDER BY rowid DESC LIMIT 1", (partner,))), None)

    def sealed_to(self, partner: str, epoch: str, last: int) -> Sealed | None:
        """The bundle of that epoch whose last sequence number is `last`, or None."""
        where = "WHERE partner = ? AND epoch = ? AND last = ?"
        return next(iter(self._sealed(where, (partner, epoch, last))), None)

    def sealed_with(self, partner: str, epoch: str, seq: int) -> Sealed | None:
        """The bundle of that epoch in which the item `seq` left, or None."""
        where = "WHERE partner = ? AND epoch = ? AND first <= ? ORDER BY first DESC LIMIT 1"
        found = next(iter(self._sealed(where, (partner, epoch, seq))), None)
        return found if found is not None and seq <= found.last else None

    def acknowledge(self, partner: str, acknowledged: Acknowledged) -> None:
        """Note a receipt, and drop the content of the bundles and outbox rows that it covers."""
        upto = (partner, acknowledged.epoch, acknowledged.seq)
        with self._db.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO acked VALUES (?, ?, ?, ?, ?)",
                (partner, *msgspec.structs.astuple(acknowledged)),
            )
            connection.execute(_DROP_DATA, upto)
            connection.execute(_DROP_ITEMS, (partner, acknowledged.seq))

    def drop_data(self, partner: str, epoch: str, upto: int) -> None:
        """Drop the content of the bundles of an epoch up to item `upto`; that they were sealed stays."""
        with self._db.writing() as connection:
            connection.execute(_DROP_DATA, (partner, epoch, upto))

    def _sealed(self, where: str, bindings: tuple[str | int, ...]) -> list[Sealed]:
        with self._db.reading() as connection:
            rows = connection.execute(_SEALED + where, bindings)
            return [Sealed(*row) for row in rows]


_RELEASED = """
SELECT record_seq, portions FROM carray(?1) AS wanted CROSS JOIN outbox
ON outbox.partner = ?2 AND outbox.record_seq = wanted.value
"""
_SEALED = "SELECT epoch, first, last, digest, previous, data FROM sealed "
_DROP_DATA = "UPDATE sealed SET data = NULL WHERE partner = ? AND epoch = ? AND last <= ? AND data IS NOT NULL"
_DROP_ITEMS = "UPDATE outbox SET item = NULL WHERE partner = ? AND seq <= ? AND item IS NOT NULL"


def _numbers(values: Iterable[int]) -> array[int]:
    return array("q", values)
