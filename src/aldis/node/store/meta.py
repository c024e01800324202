"""Meta: single values that belong to the store as a whole."""

from __future__ import annotations

from aldis.node.store.database import Database

__all__ = ["Meta"]


class Meta:
    """Bytes by key."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, key: str) -> bytes | None:
        """The value, or None where none was set."""
        with self._db.reading() as connection:
            value: bytes | None = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).get
            return value

    def set(self, key: str, value: bytes) -> None:
        """Set or replace a value."""
        with self._db.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def number(self, key: str) -> int:
        """The value as a number; 0 where none was set."""
        return int.from_bytes(self.get(key) or b"", "big")

    def set_number(self, key: str, value: int) -> None:
        """Set or replace a number of 0 or more."""
        self.set(key, value.to_bytes(8, "big"))
