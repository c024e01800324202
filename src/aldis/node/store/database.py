"""One SQLite file: write-ahead log, every commit on disk before it is acknowledged, errors that say what to do.

Other processes read and write the same file, so what is cached in memory is valid for one `serial` only: it changes
with every transaction. `rollbacks` tells a cache that what it took in during a transaction never happened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import RLock, get_ident
from time import monotonic, sleep

import apsw

from aldis.kernel.errors import AldisError, InvalidInput, Unavailable, VerificationFailed
from aldis.node.store.schema import APPLICATION_ID, MIGRATIONS

__all__ = ["Database"]

_BUSY_MS = 5_000
_RETRY_S = 0.01
_CACHE_KIB = 16_384
_MAPPED_BYTES = 1024 * 1024 * 1024
"""How much of the file is read where the system has it in memory, without a call and a copy for each page."""
_PAGE_BYTES = 8_192
_CHECKPOINT_PAGES = 2_000
_COPY_PAGES = 2_000
_JOURNAL_BYTES = 64 * 1024 * 1024
_BEFORE = ".schema-"
_DOCTOR = "Run `aldis doctor`, and restore a backup if it says so"


class Database:
    """A writer, and a reader that sees what is committed; each connection is used by one thread at a time."""

    def __init__(self, path: Path, *, vfs: str | None = None, alone: bool = False) -> None:
        self.path = path
        self.serial = 0
        self.rollbacks = 0
        self._owner = 0
        self._spoiled = False
        self._writing = RLock()
        self._reading = self._writing if alone else RLock()
        if vfs is None:
            _make_private(path)
        with self._explained():
            self._writer = _connect(path, vfs, alone)
            try:
                self._migrate(keep=vfs is None)
                self._reader = self._writer if alone else _connect(path, vfs, alone)
            except BaseException:
                self._writer.close()
                raise

    def close(self) -> None:
        """Close both connections; the last one of all processes folds the log into the file."""
        with self._reading, self._writing, self._explained():
            if self._owner:
                raise InvalidInput("the store cannot close inside a transaction", fix="Leave the transaction first")
            self._reader.close()
            self._writer.close()

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """All or nothing: committed and on disk when the block ends, undone where it raises.

        Raises:
            InvalidInput: this thread is in a transaction already.
            Unavailable: disk full or failing, or another process held the store for over 5 s; nothing was written.
            VerificationFailed: the file is damaged.
        """
        if self._owner == get_ident():
            raise InvalidInput("a transaction is open already", fix="Do all the work in the one transaction")
        with self._writing, self._explained():
            self._writer.execute("BEGIN IMMEDIATE")
            self._owner, self._spoiled = get_ident(), False
            self.serial += 1
            try:
                yield self._writer
                self._check_sound()
                self._writer.execute("COMMIT")
            except BaseException:
                self.serial += 1
                self.rollbacks += 1
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._owner = 0

    @property
    def inside(self) -> bool:
        """Whether this thread is in a transaction, and so reads what may yet be undone."""
        return self._owner == get_ident()

    def writing(self) -> AbstractContextManager[apsw.Connection]:
        """This thread's open transaction, or one of its own for the length of the block."""
        return _Joined(self) if self._owner == get_ident() else self.transaction()

    def jot(self, statement: str, bindings: tuple[int | bytes, ...]) -> bool:
        """Write what may as well be lost, waiting neither for others who write nor for the disk; whether it went in.

        What is committed later takes it to the disk. Inside this thread's transaction it is a part of that.
        """
        if self.inside:
            with _Joined(self) as connection:
                connection.execute(statement, bindings)
            return True
        if not self._writing.acquire(blocking=False):
            return False
        try:
            if self._writer.in_transaction:
                return False
            self._writer.set_busy_timeout(0)
            self._writer.pragma("synchronous", "NORMAL")
            try:
                self._writer.execute(statement, bindings)
            finally:
                self._writer.pragma("synchronous", "FULL")
                self._writer.set_busy_timeout(_BUSY_MS)
        except apsw.Error:
            return False
        finally:
            self._writing.release()
        return True

    def reading(self) -> AbstractContextManager[apsw.Connection]:
        """One consistent view: of this thread's transaction where it has one, else of what is committed."""
        return _Joined(self) if self._owner == get_ident() else _View(self)

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file; empty where it is sound. Reads all of it."""
        with self.reading() as connection:
            broken = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            orphans = [f"row {row[1]} of {row[0]} lacks its {row[2]}" for row in connection.execute(_ORPHANS)]
        return [line for line in broken if line != "ok"] + orphans

    def size(self) -> int:
        """How many bytes a copy of the file has."""
        with self.reading() as connection:
            return int(connection.pragma("page_count")) * int(connection.pragma("page_size"))

    def copy_to(self, path: Path) -> None:
        """Copy what is committed now to another file; a read transaction keeps what is written meanwhile out of it."""
        with self._explained():
            source, target = _connect(self.path, None, False), apsw.Connection(str(path))
            try:
                source.execute("BEGIN")
                source.execute(_ANY_TABLE).fetchall()  # the view begins with the first read
                target.pragma("synchronous", "OFF")
                with target.backup("main", source, "main") as backup:
                    while not backup.done:
                        backup.step(_COPY_PAGES)
                target.pragma("journal_mode", "DELETE")  # one file, without a log beside it
                found = [str(line) for (line,) in target.execute("PRAGMA quick_check")]
            finally:
                target.close()
                source.close()
        if found != ["ok"]:
            raise VerificationFailed(f"{self.path} is damaged: {'; '.join(found[:3])}", fix=_DOCTOR)

    def rewrite(self) -> None:
        """Write the file anew, so that nothing of what was deleted is left on its free pages, in its log or in copies.

        Raises:
            Unavailable: another process reads or writes for over 5 s, or too little space; try again.
        """
        with self._writing, self._explained():
            self._writer.execute("VACUUM")
            busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
        for copy in self.kept_copies():
            copy.unlink(missing_ok=True)
        if busy:
            raise Unavailable(f"another process reads {self.path}; its log could not be emptied", fix="Try again")

    def kept_copies(self) -> list[Path]:
        """The copies of this file as it was before it was brought up to date, oldest first."""
        return sorted(self.path.parent.glob(f"{self.path.name}{_BEFORE}*"))

    def _keep_as_it_was(self, version: int) -> None:
        """A copy of an older file beside it, whole or not at all, before any step; nobody else writes meanwhile."""
        copy = self.path.with_name(f"{self.path.name}{_BEFORE}{version}")
        part = copy.with_name(f"{copy.name}.part")
        try:
            part.unlink(missing_ok=True)
            _make_private(part)
            self.copy_to(part)
            part.replace(copy)
        except (AldisError, OSError) as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise Unavailable(
                f"{self.path} is of an older Aldis (schema {version}), and no copy of it could be made: {error}",
                fix=f"Free as much space as it has in {self.path.parent}; the file was left as it is",
            ) from error

    def _check_sound(self) -> None:
        if self._spoiled or not self._writer.in_transaction:
            raise Unavailable("an earlier step of this transaction failed; nothing was written", fix="Do it all again")

    def _migrate(self, keep: bool) -> None:
        with self.transaction() as connection:
            version = _version(connection, self.path)
            if keep and 0 < version < len(MIGRATIONS):
                self._keep_as_it_was(version)
            for step in MIGRATIONS[version:]:
                connection.execute(step)
            if version < len(MIGRATIONS):
                connection.pragma("application_id", APPLICATION_ID)
                connection.pragma("user_version", len(MIGRATIONS))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise _explain(error, self.path) from error


class _Joined:
    """Work inside this thread's transaction; one that failed in SQLite's hands can no longer be committed."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def __enter__(self) -> apsw.Connection:
        self._db._check_sound()
        return self._db._writer

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, apsw.Error):
            self._db._spoiled = True
            raise _explain(error, self._db.path) from error


class _View:
    """A read transaction, or a part of the one that this thread is in."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._outer = False

    def __enter__(self) -> apsw.Connection:
        self._db._reading.acquire()
        try:
            self._outer = not self._db._reader.in_transaction
            if self._outer:
                self._db._reader.execute("BEGIN")
        except BaseException as error:
            self._db._reading.release()
            if isinstance(error, apsw.Error):
                raise _explain(error, self._db.path) from error
            raise
        return self._db._reader

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if self._outer and self._db._reader.in_transaction:
                self._db._reader.execute("ROLLBACK")
        finally:
            self._db._reading.release()
        if isinstance(error, apsw.Error):
            raise _explain(error, self._db.path) from error


_ORPHANS = "PRAGMA foreign_key_check"
_ANY_TABLE = "SELECT count(*) FROM sqlite_schema"


def _connect(path: Path, vfs: str | None, alone: bool) -> apsw.Connection:
    """A connection as every process makes it; SQLite does not itself wait for others while a file turns to WAL."""
    end = monotonic() + _BUSY_MS / 1_000
    while True:
        try:
            return _configure(path, vfs, alone)
        except apsw.BusyError:
            if monotonic() > end:
                raise
            sleep(_RETRY_S)


def _configure(path: Path, vfs: str | None, alone: bool) -> apsw.Connection:
    connection = apsw.Connection(str(path), vfs=vfs, statementcachesize=200)
    connection.set_busy_timeout(_BUSY_MS)
    if alone:
        connection.pragma("locking_mode", "EXCLUSIVE")
    _version(connection, path)
    connection.pragma("page_size", _PAGE_BYTES)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    connection.pragma("foreign_keys", True)
    connection.pragma("cache_size", -_CACHE_KIB)
    connection.pragma("mmap_size", _MAPPED_BYTES)
    connection.pragma("wal_autocheckpoint", _CHECKPOINT_PAGES)
    connection.pragma("journal_size_limit", _JOURNAL_BYTES)
    connection.pragma("trusted_schema", False)
    return connection


def _version(connection: apsw.Connection, path: Path) -> int:
    """The version of the file's schema, 0 for an empty file; nothing is written to a file that is not ours.

    Tables are looked for before the id: another process that makes the store meanwhile commits both at once.
    """
    version = int(connection.pragma("user_version"))
    if connection.execute(_ANY_TABLE).get and connection.pragma("application_id") != APPLICATION_ID:
        raise InvalidInput(f"{path} is a database, but not an Aldis store", fix="Name another file")
    if version > len(MIGRATIONS):
        raise InvalidInput(
            f"{path} was written by a newer Aldis (schema {version}; this one knows {len(MIGRATIONS)})",
            fix="Upgrade Aldis; the file was left as it is",
        )
    return version


def _make_private(path: Path) -> None:
    """Readable by its owner alone from the first byte; the log beside it takes the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise _unopened(path, error) from error


def _unopened(path: Path, error: Exception) -> Unavailable:
    return Unavailable(f"{path} cannot be opened for writing ({error})", fix="Check the path and its permissions")


def _explain(error: Exception, path: Path) -> AldisError:
    match error:
        case apsw.FullError():
            return Unavailable(f"the disk of {path} is full; nothing was written", fix="Free space and retry")
        case apsw.BusyError() | apsw.LockedError():
            return Unavailable(
                f"another process kept {path} busy for {_BUSY_MS // 1000} s; nothing was written",
                fix="Retry, or stop that process",
            )
        case apsw.CorruptError() | apsw.NotADBError():
            return VerificationFailed(f"{path} is damaged or no store ({error})", fix=_DOCTOR)
        case apsw.ReadOnlyError() | apsw.CantOpenError() | apsw.PermissionsError():
            return _unopened(path, error)
        case apsw.IOError():
            return Unavailable(
                f"the disk of {path} failed ({error}); what was being written is not confirmed",
                fix="Check the disk, start again, and look before you repeat",
            )
        case apsw.ConstraintError():
            return InvalidInput(f"the store's rules refuse it ({error})", fix="Name what the store holds")
    return Unavailable(f"the store at {path} failed ({error})", fix=_DOCTOR)
