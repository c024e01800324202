"""Meanings: a vector for each window of each passage, kept and lost in the same transactions as the words.

A row's number is `passage number * 1024 + window`. A vector is kept as whole numbers from -127 to 127 and a scale:
the sum of their products is exact in floating point, so a score depends on nothing but the two vectors. What waits to
be encoded stands in a queue by record. Nothing is queued before an index was begun, for one model.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from aldis.node.store.database import Database
from aldis.node.store.meta import Meta
from aldis.node.store.passages import MODEL, PLACES, REMOVED, Passages
from aldis.node.store.profiles import Profiles
from aldis.node.store.rows import rows_of
from aldis.node.store.windows import WINDOWS, windows

__all__ = ["Due", "Meanings", "Scores", "Window", "quantise"]

_BLOCK = 16_384
_AT_ONCE = 2_048  # vectors, which then lie in the processor's cache
_SCALE = np.dtype("<f4")
_MOST = 127


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of text to encode: its number, the profile of its portion, and the text."""

    place: int
    profile: int
    text: str


@dataclass(frozen=True, slots=True)
class Due:
    """A record whose windows wait to be encoded; `ticket` is void once the record changed."""

    ticket: int
    seq: int
    windows: list[Window]


@dataclass(frozen=True, slots=True)
class Scores:
    """Windows and how like each is, from -1 to 1; in no order."""

    places: NDArray[np.int64]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Block:
    ids: NDArray[np.int64]
    places: NDArray[np.int64]
    profiles: NDArray[np.int64]
    scales: NDArray[np.float64]
    vectors: NDArray[np.int8]

    def only(self, kept: NDArray[np.bool_]) -> _Block:
        return _Block(*(part[kept] for part in self._parts()))

    def joined(self, other: _Block) -> _Block:
        return _Block(*(np.concatenate(pair) for pair in zip(self._parts(), other._parts(), strict=True)))

    def _parts(self) -> tuple[NDArray[Any], ...]:
        return self.ids, self.places, self.profiles, self.scales, self.vectors


@dataclass(frozen=True, slots=True)
class _Held:
    """What is in memory of the index: up to which row, and after how many removals."""

    model: bytes
    removed: int
    last: int
    blocks: tuple[_Block, ...]


class Meanings:
    """The index of a store by meaning."""

    def __init__(self, database: Database, meta: Meta, profiles: Profiles, passages: Passages) -> None:
        self._db = database
        self._meta = meta
        self._profiles = profiles
        self._passages = passages
        self._lock = RLock()
        self._held = _Held(b"", -1, 0, ())

    @property
    def model(self) -> bytes:
        """The digest of the model whose vectors these are; empty before an index was begun."""
        return self._meta.get(MODEL) or b""

    def begin(self, model: bytes) -> bool:
        """Queue all that stands for this model, unless it is the one in use; whether anything was begun."""
        with self._db.writing() as connection:
            if self.model == model:
                return False
            connection.execute("DELETE FROM meaning")
            self._meta.set(MODEL, model)
            self._meta.set_number(REMOVED, self._meta.number(REMOVED) + 1)
            kinds = self._passages.texts
            places = [2 * one.id for one in self._profiles.since() if one.kind in kinds]
            connection.execute(_ALL_DUE, (apsw.carray(array("q", places)),) if places else (None,))
            return True

    def due(self, limit: int) -> list[Due]:
        """The oldest `limit` records that wait, with their windows."""
        with self._db.reading() as connection:
            tickets: list[tuple[Any, ...]] = connection.execute(
                "SELECT seq, id FROM meaning_due ORDER BY seq LIMIT ?", (limit,)
            ).fetchall()
            rows = {row.seq: row for row in rows_of(connection, [seq for seq, _ in tickets], self._profiles.profile)}
        return [
            Due(ticket, seq, [
                Window(place * WINDOWS + number, profile, text)
                for place, words, _, profile in (self._passages.of_row(rows[seq]) if seq in rows else ())
                for number, text in enumerate(windows(words))
            ])
            for seq, ticket in tickets
        ]  # fmt: skip

    def put(self, model: bytes, done: Iterable[tuple[Due, Sequence[NDArray[np.float32]]]]) -> None:
        """Take in the vectors of records that waited; those of one that changed meanwhile, or of another model, not."""
        with self._db.writing() as connection:
            if self.model != model:
                return
            for due, vectors in done:
                held = connection.execute("DELETE FROM meaning_due WHERE id = ? RETURNING 1", (due.ticket,)).get
                if held is None:
                    continue
                rows = [(one.place, one.profile, pack(v)) for one, v in zip(due.windows, vectors, strict=True)]
                self._passages.forget(connection, [due.seq])
                connection.executemany("INSERT INTO meaning (place, profile, vector) VALUES (?, ?, ?)", rows)

    def progress(self) -> tuple[int, int]:
        """How many records wait, and how many vectors there are: for the node's operator only."""
        with self._db.reading() as connection:
            waiting = connection.execute("SELECT count(*) FROM meaning_due").get
            return int(waiting), int(connection.execute("SELECT count(*) FROM meaning").get)

    def scores(
        self, model: bytes, vector: NDArray[np.float32], visible: NDArray[np.bool_], span: tuple[int, int], least: float
    ) -> Scores:
        """The windows in visible profiles, of arrivals within `span`, that are at least so like a vector."""
        asked, scale = quantise(vector)
        query = asked.astype(np.float32)
        floor, end = (span[0] + 1) * PLACES * WINDOWS, min(span[1], 2**40) * PLACES * WINDOWS
        places, scores = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.float64)]
        for block in self._blocks(model):
            seen = np.zeros(len(block.ids), dtype=np.bool_)
            known = block.profiles < len(visible)
            seen[known] = visible[block.profiles[known]]
            seen &= (block.places >= floor) & (block.places < end)
            if block.vectors.shape[1:] != query.shape:
                continue
            for start in range(0, len(seen), _AT_ONCE):
                rows = start + np.flatnonzero(seen[start : start + _AT_ONCE])
                products = block.vectors[rows].astype(np.float32) @ query
                found = products.astype(np.float64) * block.scales[rows] * scale
                near = found >= least
                places.append(block.places[rows[near]])
                scores.append(found[near])
        return Scores(np.concatenate(places), np.concatenate(scores))

    def _blocks(self, model: bytes) -> tuple[_Block, ...]:
        """All vectors of the model as they are now."""
        with self._lock, self._db.reading() as connection:
            held, removed, kept = self._held, self._meta.number(REMOVED), self.model
            if held.model != kept:
                held = _Held(kept, removed, 0, ())
            blocks, last = held.blocks, held.last
            more: list[tuple[Any, ...]]
            if held.removed != removed:
                live = np.fromiter((id_ for (id_,) in connection.execute(_IDS, (last,))), dtype=np.int64)
                left = (block.only(np.isin(block.ids, live, assume_unique=True)) for block in blocks)
                blocks = tuple(block for block in left if len(block.ids))
            while more := connection.execute(_MORE, (last, _BLOCK)).fetchall():
                last = more[-1][0]
                blocks = _with(blocks, _block(more))
            if not self._db.inside:
                self._held = _Held(kept, removed, last, blocks)
        return blocks if kept == model else ()


def quantise(vector: NDArray[np.float32]) -> tuple[NDArray[np.int8], float]:
    """Whole numbers from -127 to 127 and the scale that makes them the vector again, nearly."""
    scale = np.float32(float(np.abs(vector).max()) / _MOST or 1.0)
    return np.rint(vector / scale).astype(np.int8), float(scale)


def pack(vector: NDArray[np.float32]) -> bytes:
    """A vector as it is kept: the scale (float32, little-endian), then a byte for each number."""
    numbers, scale = quantise(vector)
    return np.array(scale, dtype=_SCALE).tobytes() + numbers.tobytes()


def _block(rows: Sequence[tuple[Any, ...]]) -> _Block:
    ids, places, profiles, vectors = zip(*rows, strict=True)
    size = len(vectors[0])
    data = np.frombuffer(b"".join(one for one in vectors if len(one) == size), dtype=np.uint8).reshape(-1, size)
    head = _SCALE.itemsize
    return _Block(
        np.array(ids, dtype=np.int64),
        np.array(places, dtype=np.int64),
        np.array(profiles, dtype=np.int64),
        np.ascontiguousarray(data[:, :head]).view(_SCALE)[:, 0].astype(np.float64),
        np.ascontiguousarray(data[:, head:]).view(np.int8),
    )


def _with(blocks: tuple[_Block, ...], more: _Block) -> tuple[_Block, ...]:
    """The blocks and one more; small ones are joined."""
    if blocks and len(blocks[-1].ids) + len(more.ids) <= _BLOCK:
        return (*blocks[:-1], blocks[-1].joined(more))
    return (*blocks, more)


_ALL_DUE = "INSERT OR REPLACE INTO meaning_due (seq) SELECT seq FROM listing WHERE place IN carray(?1) ORDER BY seq"
_IDS = "SELECT id FROM meaning WHERE id <= ?"
_MORE = "SELECT id, place, profile, vector FROM meaning WHERE id > ? ORDER BY id LIMIT ?"
