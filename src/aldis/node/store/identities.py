"""Who signs in by an OpenID provider: whose account a subject opens, and which answers were used."""

from __future__ import annotations

from aldis.node.store.database import Database

__all__ = ["Identities"]


class Identities:
    """Issuer and subject of each account that was opened so."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def person(self, issuer: str, subject: str) -> str | None:
        """Whose account it opens, or None."""
        with self._db.reading() as connection:
            query = "SELECT person FROM identity WHERE issuer = ? AND subject = ?"
            found: str | None = connection.execute(query, (issuer, subject)).get
        return found

    def bind(self, person: str, issuer: str, subject: str) -> bool:
        """Let it open an account that no other opens; whether it does now."""
        with self._db.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO identity VALUES (?, ?, ?)", (person, issuer, subject))
            return self.person(issuer, subject) == person

    def unbind(self, person: str) -> bool:
        """Let the next subject that is named so open an account; whether one did before."""
        with self._db.writing() as connection:
            return connection.execute("DELETE FROM identity WHERE person = ? RETURNING 1", (person,)).get is not None

    def use(self, digest: bytes, until: int, at: int) -> bool:
        """Say that the answer to a request was used, and forget those whose time is over; False if it was before."""
        with self._db.writing() as connection:
            connection.execute("DELETE FROM used_answer WHERE until < ?", (at,))
            query = "INSERT OR IGNORE INTO used_answer VALUES (?, ?) RETURNING 1"
            return connection.execute(query, (digest, until)).get is not None
