"""The ledger's storage: leaves in order, the nodes they complete, signed checkpoints, and what decisions rested on."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import apsw
import msgspec

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, VerificationFailed
from aldis.kernel.ledger import Frontier, Reader, leaf_hash, node_key
from aldis.node.store.database import Database

__all__ = ["LeafRow", "Ledger"]

_VERIFY_STEP = 4_096
_LOOKED = 100_000
_LEAVES = "SELECT idx, data FROM leaf WHERE idx >= ? ORDER BY idx LIMIT ?"
_DAMAGED = "Keep the file, run `aldis doctor`, and tell the partners who cosigned"


class _Head(msgspec.Struct, frozen=True):
    at: int
    type: str
    subject: str


class LeafRow(msgspec.Struct, frozen=True):
    """One leaf: its index and its exact bytes; `at` is in milliseconds since 1970 UTC."""

    index: int
    at: int
    type: str
    subject: str
    data: bytes


_head = msgspec.json.Decoder(_Head)


class Ledger:
    """An append-only log; what was committed is never changed."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._lock = Lock()
        self._frontier = Frontier()
        self._rollbacks = database.rollbacks

    def append(self, leaves: Sequence[bytes]) -> range:
        """Append leaves as `encode_leaf` wrote them; their indexes.

        Raises:
            InvalidInput: bytes that are not a leaf.
        """
        with self._db.writing() as connection:
            frontier = self._load(connection)
            try:
                heads = [_head.decode(data) for data in leaves]
            except msgspec.MsgspecError as error:
                raise InvalidInput(f"not a leaf: {error}", fix="Write leaves with encode_leaf") from error
            rows = [
                (index, head.at, head.type, head.subject, data)
                for index, (head, data) in enumerate(zip(heads, leaves, strict=True), frontier.size)
            ]
            after, nodes = frontier.append(leaves)
            connection.executemany("INSERT INTO leaf VALUES (?, ?, ?, ?, ?)", rows)
            connection.executemany(
                "INSERT INTO node VALUES (?, ?)",
                sorted((node_key(level, index), hash_) for level, index, hash_ in nodes),
            )
            with self._lock:
                self._frontier = after
            return range(frontier.size, after.size)

    def size(self) -> int:
        """How many leaves there are."""
        with self._db.reading() as connection:
            return _size(connection)

    def last_at(self) -> int:
        """When the newest leaf was written, in ms since 1970 UTC; 0 before there is one."""
        with self._db.reading() as connection:
            return int(connection.execute("SELECT coalesce((SELECT at FROM leaf ORDER BY idx DESC LIMIT 1), 0)").get)

    def root(self) -> tuple[int, bytes]:
        """The size of the ledger and the root over its leaves (RFC 9162), for a checkpoint."""
        with self._db.reading() as connection:
            frontier = self._load(connection)
            return frontier.size, frontier.root()

    def leaf(self, index: int) -> LeafRow:
        """The leaf at `index`.

        Raises:
            InvalidInput: there is none.
        """
        found = self.leaves(index, 1)
        if not found or found[0].index != index:
            raise InvalidInput(f"the ledger has no leaf {index}", fix=f"Ask for 0 to {self.size() - 1}")
        return found[0]

    def leaves(
        self, start: int = 0, limit: int = 500, *, type_: str | None = None, subject: str | None = None
    ) -> list[LeafRow]:
        """The next `limit` leaves from index `start` on, in order; only those of a type or subject, if named."""
        with self._db.reading() as connection:
            found = connection.execute(
                "SELECT idx, at, type, subject, data FROM leaf WHERE idx >= ?1 AND (?2 IS NULL OR type = ?2)"
                " AND (?3 IS NULL OR subject = ?3) ORDER BY idx LIMIT ?4",
                (start, type_, subject, limit),
            )
            return [LeafRow(*row) for row in found]

    def moment(self, type_: str, subject: str, since: int) -> int:
        """When the first leaf of a type and subject was written, of the 100,000 from the instant `since` on; else 0."""
        low, high = 0, self.size()
        with self._db.reading() as connection:
            while low < high:
                middle = (low + high) // 2
                before = connection.execute("SELECT at < ? FROM leaf WHERE idx = ?", (since, middle)).get
                low, high = (middle + 1, high) if before else (low, middle)
            found = connection.execute(
                "SELECT at FROM leaf WHERE idx BETWEEN ? AND ? AND type = ? AND subject = ? ORDER BY idx LIMIT 1",
                (low, low + _LOOKED, type_, subject),
            ).get
        return int(found or 0)

    def reader(self) -> Reader:
        """What `inclusion_proof` and `consistency_proof` read from."""

        def read(level: int, index: int) -> bytes:
            with self._db.reading() as connection:
                return _node(connection, level, index)

        return read

    def verify(self) -> tuple[int, bytes]:
        """The size and root, after computing every node anew from the leaves.

        A tail that was cut off whole shows only in a checkpoint signed before: hold the root against those.

        Raises:
            VerificationFailed: a leaf or node is missing or was altered.
        """
        with self._db.reading() as connection:
            size, frontier = _size(connection), Frontier()
            while frontier.size < size:
                rows = [*connection.execute(_LEAVES, (frontier.size, _VERIFY_STEP))]
                if [index for index, _ in rows] != list(range(frontier.size, frontier.size + len(rows))):
                    raise VerificationFailed(f"a leaf is missing after leaf {frontier.size}", fix=_DAMAGED)
                frontier, nodes = frontier.append([data for _, data in rows])
                for level, index, hash_ in nodes:
                    if _node(connection, level, index) != hash_:
                        raise VerificationFailed(f"leaves {index << level} on do not give their node", fix=_DAMAGED)
            stored = connection.execute("SELECT count(*) FROM node").get
        if stored != size - size.bit_count():
            raise VerificationFailed(f"{size} leaves and {stored} nodes do not fit", fix=_DAMAGED)
        return size, frontier.root()

    def add_checkpoint(self, size: int, note: bytes, origin: str = "") -> None:
        """Keep the signed note over the first `size` leaves of `origin`'s ledger ("" is this node's own).

        A note with more cosignatures takes the place of the one before.
        """
        with self._db.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)", (origin, size, note))

    def checkpoint(self, origin: str = "", size: int | None = None) -> tuple[int, bytes] | None:
        """The checkpoint of that size, or the latest: its size and note; None where there is none."""
        with self._db.reading() as connection:
            found = connection.execute(
                "SELECT size, note FROM checkpoint WHERE origin = ?1 AND (?2 IS NULL OR size = ?2)"
                " ORDER BY size DESC LIMIT 1",
                (origin, size),
            )
            return next(iter([(int(size), bytes(note)) for size, note in found]), None)

    def checkpoints(self, origin: str = "") -> list[tuple[int, bytes]]:
        """Every checkpoint kept of that ledger, smallest first: size and note."""
        with self._db.reading() as connection:
            found = connection.execute("SELECT size, note FROM checkpoint WHERE origin = ? ORDER BY size", (origin,))
            return [(int(size), bytes(note)) for size, note in found]

    def rename_checkpoints(self, origin: str, name: str) -> None:
        """Keep all checkpoints of a ledger under another name, so that none is kept under its own."""
        with self._db.writing() as connection:
            connection.execute("UPDATE checkpoint SET origin = ?2 WHERE origin = ?1", (origin, name))

    def add_snapshot(self, data: bytes) -> bytes:
        """Keep what decisions rested on (a policy epoch, say), known by its digest, which is returned."""
        digest = sha256(data)
        with self._db.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO snapshot VALUES (?, ?)", (digest, data))
        return digest

    def snapshot(self, digest: bytes) -> bytes | None:
        """The bytes with that digest, or None."""
        with self._db.reading() as connection:
            data: bytes | None = connection.execute("SELECT data FROM snapshot WHERE digest = ?", (digest,)).get
            return data

    def _load(self, connection: apsw.Connection) -> Frontier:
        """The frontier of what is stored; the one in memory, if nothing was appended or undone elsewhere."""
        size = _size(connection)
        with self._lock:
            if self._rollbacks != self._db.rollbacks or self._frontier.size != size:
                self._rollbacks = self._db.rollbacks
                self._frontier = Frontier.load(lambda level, index: _node(connection, level, index), size)
            return self._frontier


def _size(connection: apsw.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(idx) + 1, 0) FROM leaf").get)


def _node(connection: apsw.Connection, level: int, index: int) -> bytes:
    if level == 0:
        data = connection.execute("SELECT data FROM leaf WHERE idx = ?", (index,)).get
        found = None if data is None else leaf_hash(data)
    else:
        found = connection.execute("SELECT hash FROM node WHERE key = ?", (node_key(level, index),)).get
    if found is None:
        raise VerificationFailed(f"node {index} of level {level} is missing from the ledger", fix=_DAMAGED)
    return found
