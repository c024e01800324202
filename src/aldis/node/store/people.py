"""People: accounts, how they sign in, failed tries, and sessions."""

from __future__ import annotations

import msgspec

from aldis.node.store.database import Database

__all__ = ["Attempt", "Credential", "People", "SessionRow"]


class Credential(msgspec.Struct, frozen=True):
    """How a person signs in: an argon2id hash, "" while there is none, and an enrolment code's SHA-256 until when."""

    password: str = ""
    code: bytes = b""
    code_until: int = 0


class Attempt(msgspec.Struct, frozen=True):
    """Failures in a row for a name, and until when (ms since 1970 UTC) no more are looked at."""

    failures: int = 0
    until: int = 0


class SessionRow(msgspec.Struct, frozen=True):
    """A session: the SHA-256 of its token, whose it is, the chosen level (JSON); times in ms since 1970 UTC.

    `bounds` is what it has at most of the account (JSON), b"" for all of it.
    """

    token: bytes
    person: str
    level: bytes
    began: int
    used: int
    until: int
    bounds: bytes = b""


class People:
    """Who may work at this node; the only truth about it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, person: str, data: bytes, at: int) -> None:
        """Add an account, or replace what is known of it."""
        with self._db.writing() as connection:
            connection.execute(
                "INSERT INTO person VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data,"
                " at = excluded.at",
                (person, data, at),
            )

    def get(self, person: str) -> bytes | None:
        """An account's data, or None."""
        with self._db.reading() as connection:
            found = connection.execute("SELECT data FROM person WHERE id = ?", (person,)).get
        return None if found is None else bytes(found)

    def all(self) -> list[bytes]:
        """Every account's data, by id."""
        with self._db.reading() as connection:
            return [bytes(data) for (data,) in connection.execute("SELECT data FROM person ORDER BY id")]

    def kept(self, keeper: str, name: str) -> bytes:
        """What was kept under a name; empty where nothing was."""
        with self._db.reading() as connection:
            found = connection.execute("SELECT data FROM kept WHERE keeper = ? AND name = ?", (keeper, name)).get
        return b"" if found is None else bytes(found)

    def keep(self, keeper: str, name: str, data: bytes, most: int) -> bool:
        """Keep bytes under a name, none to forget it; False where there would be more than `most` names."""
        with self._db.writing() as connection:
            if not data:
                connection.execute("DELETE FROM kept WHERE keeper = ? AND name = ?", (keeper, name))
                return True
            known = "SELECT count(*) FROM kept WHERE keeper = ? AND name != ?"
            if int(connection.execute(known, (keeper, name)).get) >= most:
                return False
            connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (keeper, name, data))
            return True

    def credential(self, person: str) -> Credential:
        """How a person signs in; an empty one where there is none."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT password, code, code_until FROM credential WHERE person = ?", (person,))
            return next((Credential(*row) for row in rows), Credential())

    def set_credential(self, person: str, credential: Credential) -> None:
        """Replace how a person signs in."""
        with self._db.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?)",
                (person, credential.password, credential.code, credential.code_until),
            )

    def attempt(self, name: bytes) -> Attempt:
        """The failures for a name."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT failures, until FROM attempt WHERE name = ?", (name,))
            return next((Attempt(*row) for row in rows), Attempt())

    def set_attempt(self, name: bytes, attempt: Attempt, forget: int) -> None:
        """Replace the failures for a name, and drop those whose time was over before `forget`."""
        with self._db.writing() as connection:
            connection.execute("DELETE FROM attempt WHERE until < ?", (forget,))
            connection.execute(
                "INSERT OR REPLACE INTO attempt VALUES (?, ?, ?)", (name, attempt.failures, attempt.until)
            )

    def begin(self, session: SessionRow) -> None:
        """Add a session."""
        with self._db.writing() as connection:
            connection.execute(
                "INSERT INTO session (token, person, level, began, used, until, bounds) VALUES (?, ?, ?, ?, ?, ?, ?)",
                msgspec.structs.astuple(session),
            )

    def session(self, token: bytes) -> SessionRow | None:
        """The session of a token, or None."""
        return next(iter(self._sessions("WHERE token = ?", token)), None)

    def sessions(self, person: str | None = None) -> list[SessionRow]:
        """The sessions of a person, or all, oldest first."""
        return self._sessions("WHERE ?1 IS NULL OR person = ?1 ORDER BY began, token", person)

    def touch(self, token: bytes, at: int) -> None:
        """Say that a session was used, unless others are writing; nobody who reads waits for that."""
        self._db.jot("UPDATE session SET used = ? WHERE token = ?", (at, token))

    def end(self, token: bytes) -> bool:
        """End a session; whether there was one."""
        with self._db.writing() as connection:
            return connection.execute("DELETE FROM session WHERE token = ? RETURNING 1", (token,)).get is not None

    def end_all(self, person: str) -> int:
        """End every session of a person; how many there were."""
        with self._db.writing() as connection:
            return len(connection.execute("DELETE FROM session WHERE person = ? RETURNING 1", (person,)).fetchall())

    def tidy(self, at: int) -> None:
        """Drop the sessions whose time is over."""
        with self._db.writing() as connection:
            connection.execute("DELETE FROM session WHERE until <= ?", (at,))

    def _sessions(self, where: str, binding: str | bytes | None) -> list[SessionRow]:
        query = f"SELECT token, person, level, began, used, until, bounds FROM session {where}"  # noqa: S608
        with self._db.reading() as connection:
            return [SessionRow(*row) for row in connection.execute(query, (binding,))]
