"""Quarantine: what was refused at the door, kept whole for a person to look at, and never full without saying so."""

from __future__ import annotations

import msgspec

from aldis.kernel.errors import Unavailable
from aldis.node.store.database import Database

__all__ = ["Quarantine", "Quarantined"]

_ENTRIES = "SELECT id, digest, source, code, text, length(data), at FROM quarantine "


class Quarantined(msgspec.Struct, frozen=True):
    """One thing refused: from whom, why (an error's code and text), its size in bytes, when (ms since 1970 UTC)."""

    id: int
    digest: bytes
    source: str
    code: str
    text: str
    size: int
    at: int


class Quarantine:
    """Refused bytes, at most `limit` of them, each kept once."""

    def __init__(self, database: Database, limit: int) -> None:
        self._db = database
        self._limit = limit

    def add(self, source: str, code: str, text: str, data: bytes, at: int, digest: bytes) -> int:
        """Keep `data` under its digest; the id it has, an old one where the same came before.

        Raises:
            Unavailable: there is no room, and nothing older is thrown away for it.
        """
        with self._db.writing() as connection:
            known: int | None = connection.execute("SELECT id FROM quarantine WHERE digest = ?", (digest,)).get
            if known is not None:
                return known
            if self.size() + len(data) > self._limit:
                raise Unavailable(
                    f"quarantine is full: {len(data)} bytes more would pass its limit of {self._limit}",
                    fix="Look through it with `aldis quarantine` and drop what is done with",
                )
            return int(
                connection.execute(
                    "INSERT INTO quarantine VALUES (NULL, ?, ?, ?, ?, ?, ?) RETURNING id",
                    (digest, source, code, text, data, at),
                ).get
            )

    def size(self) -> int:
        """How many bytes are kept."""
        with self._db.reading() as connection:
            return int(connection.execute("SELECT coalesce(sum(length(data)), 0) FROM quarantine").get)

    def count(self) -> int:
        """How many entries are kept."""
        with self._db.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM quarantine").get)

    def all(self, after: int = 0, limit: int = 500) -> list[Quarantined]:
        """Entries with an id above `after`, oldest first."""
        with self._db.reading() as connection:
            rows = connection.execute(_ENTRIES + "WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
            return [Quarantined(*row) for row in rows]

    def get(self, id_: int) -> tuple[Quarantined, bytes] | None:
        """An entry and its bytes, or None."""
        with self._db.reading() as connection:
            found = [*connection.execute(_ENTRIES + "WHERE id = ?", (id_,))]
            data = connection.execute("SELECT data FROM quarantine WHERE id = ?", (id_,)).get
        return (Quarantined(*found[0]), data) if found else None

    def drop(self, id_: int) -> bool:
        """Remove an entry; whether it was there."""
        with self._db.writing() as connection:
            return connection.execute("DELETE FROM quarantine WHERE id = ? RETURNING 1", (id_,)).get is not None
