"""Answers: what a person's request with a key was answered, so that the same request is not done twice."""

from __future__ import annotations

import msgspec

from aldis.kernel.errors import TooLarge
from aldis.node.store.database import Database

__all__ = ["AnswerRow", "Answers"]

_MOST = 1_000
"""Keys kept for one person."""


class AnswerRow(msgspec.Struct, frozen=True):
    """A request's digest and what it was answered; status 0 while it is under way."""

    request: bytes
    status: int
    headers: bytes
    body: bytes


class Answers:
    """Answers by person and key."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def begin(self, person: str, key: str, request: bytes, at: int, forget: int) -> AnswerRow | None:
        """What is kept for a key; None where there was nothing, and the key is taken from now on.

        Those from before `forget` are dropped.

        Raises:
            TooLarge: the person has too many keys.
        """
        with self._db.writing() as connection:
            connection.execute("DELETE FROM answer WHERE at < ?", (forget,))
            rows = connection.execute(
                "SELECT request, status, headers, body FROM answer WHERE person = ? AND key = ?", (person, key)
            )
            held = next((AnswerRow(*row) for row in rows), None)
            if held is None:
                if connection.execute("SELECT count(*) FROM answer WHERE person = ?", (person,)).get >= _MOST:
                    raise TooLarge(f"{person} used {_MOST} keys in 24 hours", fix="Leave `Idempotency-Key` out")
                connection.execute("INSERT INTO answer VALUES (?, ?, ?, 0, x'', x'', ?)", (person, key, request, at))
        return held

    def finish(self, person: str, key: str, status: int, headers: bytes, body: bytes) -> None:
        """Keep the answer to a request that was begun."""
        with self._db.writing() as connection:
            connection.execute(
                "UPDATE answer SET status = ?, headers = ?, body = ? WHERE person = ? AND key = ?",
                (status, headers, body, person, key),
            )

    def forget(self, person: str, key: str) -> None:
        """Let a key be used anew."""
        with self._db.writing() as connection:
            connection.execute("DELETE FROM answer WHERE person = ? AND key = ?", (person, key))
