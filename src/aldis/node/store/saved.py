"""Saved searches: what each owner looks for, and up to which arrival they have read; never what was found."""

from __future__ import annotations

import msgspec

from aldis.kernel.errors import InvalidInput
from aldis.node.store.cursors import Cursors
from aldis.node.store.database import Database

__all__ = ["Saved", "SavedRow"]


class SavedRow(msgspec.Struct, frozen=True):
    """A saved search (JSON) of an owner, when it was saved (ms since 1970 UTC), and the newest arrival then."""

    owner: str
    name: str
    search: bytes
    at: int
    since: int


class Saved:
    """The saved searches of a store; `owner` is a person as a viewer, or empty for the node's operator."""

    def __init__(self, database: Database, cursors: Cursors) -> None:
        self._db = database
        self._cursors = cursors

    def put(self, row: SavedRow) -> None:
        """Add a search.

        Raises:
            InvalidInput: the owner has one of that name.
        """
        with self._db.writing() as connection:
            if connection.execute("SELECT 1 FROM saved WHERE owner = ? AND name = ?", (row.owner, row.name)).get:
                raise InvalidInput(
                    f"there is a saved search {row.name!r} already",
                    fix=f"Choose another name, or `aldis saved remove {row.name}` first",
                )
            connection.execute(
                "INSERT INTO saved VALUES (?, ?, ?, ?, ?)", (row.owner, row.name, row.search, row.at, row.since)
            )

    def all(self, owner: str) -> list[SavedRow]:
        """An owner's searches, by name."""
        query = "SELECT owner, name, search, at, since FROM saved WHERE owner = ? ORDER BY name"
        with self._db.reading() as connection:
            return [SavedRow(*row) for row in connection.execute(query, (owner,))]

    def remove(self, owner: str, name: str) -> bool:
        """Remove a search; whether there was one."""
        with self._db.writing() as connection:
            query = "DELETE FROM saved WHERE owner = ? AND name = ? RETURNING 1"
            return connection.execute(query, (owner, name)).get is not None

    def read(self, row: SavedRow, level: str) -> int:
        """Up to which arrival the owner has read at a level."""
        query = "SELECT upto FROM saved_read WHERE owner = ? AND name = ? AND level = ?"
        with self._db.reading() as connection:
            found = connection.execute(query, (row.owner, row.name, level)).get
        return row.since if found is None else int(found)

    def mark(self, owner: str, name: str, level: str, upto: int) -> None:
        """Say up to which arrival the owner has read at a level; never back."""
        query = (
            "INSERT INTO saved_read VALUES (?, ?, ?, ?)"
            " ON CONFLICT (owner, name, level) DO UPDATE SET upto = max(upto, excluded.upto)"
        )
        with self._db.writing() as connection:
            connection.execute(query, (owner, name, level, upto))

    def seal(self, upto: int, owner: str, name: str, level: str) -> str:
        """An arrival as text that tells nothing, good for this owner, search and level only."""
        return self._cursors.seal(upto, b"saved", owner.encode(), name.encode(), level.encode())

    def open(self, token: str, owner: str, name: str, level: str) -> int:
        """The arrival that `seal` hid.

        Raises:
            InvalidInput: altered, or of another owner, search or level.
        """
        return self._cursors.open(token, b"saved", owner.encode(), name.encode(), level.encode())
