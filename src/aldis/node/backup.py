"""A backup: settings, keys, attachments and store of a node in one encrypted file, and a new folder made from it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import BinaryIO

import msgspec

from aldis.kernel.errors import InvalidInput, Unavailable, VerificationFailed
from aldis.node.attachments.folder import Folder, name_of
from aldis.node.audit import Audit
from aldis.node.cipher import CHUNK, Sealer, Unsealer, overhead
from aldis.node.config import FILE
from aldis.node.core import Core
from aldis.node.home import Home
from aldis.node.restored import Restored, mark_restored
from aldis.node.store import Store
from aldis.node.whole import sync_folder, whole_file

__all__ = ["LAST", "Contents", "back_up", "restore", "verify"]

Told = Callable[[int, int | None], None]
"""Hears how many bytes are done, and of how many."""

LAST = "last backup"
"""The store's key for when the last backup was made."""
_STORE = "store.db"
_COPY = "store.db.copy"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_LENGTH = 4
_LONGEST = 4096
_MARGIN = 16 * 1024 * 1024
_ODD = "Make another backup with this version of Aldis"


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The head of a backup: whose it is, when it was made (ms since 1970 UTC), and the bytes it holds."""

    node: str
    party: str
    made: int
    size: int


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str
    size: int


def back_up(core: Core, audit: Audit, path: Path, passphrase: str, told: Told) -> Contents:
    """Write a backup of a node, which may run meanwhile; the file has its name only once it is whole.

    The ledger tells of it, as of any other export.

    Raises:
        InvalidInput: the file exists, or the passphrase is too short.
        Unavailable: another backup is being made, too little space, or a disk that fails.
        VerificationFailed: the store is damaged; there is no backup.
    """
    if path.exists():
        raise InvalidInput(f"{path} exists already", fix="Name another file; a backup is never overwritten")
    contents = Folder(core.home.attachments)
    with contents.kept(), _copied(core, path) as copy:
        wholes = [one for one in core.store.attachments.contents() if contents.has(one[0])]  # `doctor` names the rest
        held = sum(size for _, size in wholes)
        files = [(name, (core.home.path / name).read_bytes()) for name in core.home.parts()]
        _check_space(path.parent, held + overhead(held))
        size = copy.stat().st_size + held + sum(len(data) for _, data in files)
        head = Contents(core.node, core.party, core.clock.now(), size)
        with _explained(path), whole_file(path, private=True) as file:
            sealer = Sealer(file, passphrase, msgspec.json.encode(head), core.random)
            for name, data in files:
                sealer.write(_framed(name, len(data)) + data)
            done = size - copy.stat().st_size - held
            streamed = [(_STORE, copy, copy.stat().st_size)]
            streamed += [(f"attachments/{name_of(one)}", contents.whole(one), length) for one, length in wholes]
            for name, source, length in streamed:
                sealer.write(_framed(name, length))
                for data in _pieces(source, length):
                    sealer.write(data)
                    done += len(data)
                    told(done, size)
            sealer.close()
    with core.store.transaction():
        audit.write("export", core.node, verdict="backed up", reasons=[path.name, f"{size} bytes"])
        core.store.meta.set_number(LAST, core.clock.now())
    return head


def verify(path: Path, passphrase: str, told: Told) -> Contents:
    """What a backup holds, once every byte of it is known to be authentic.

    Raises:
        InvalidInput, VerificationFailed: not a backup, another passphrase, or altered; see `cipher.Unsealer`.
    """
    with _opened(path) as file:
        head, entries = _read(file, path, passphrase, told)
        for _, parts in entries:
            for _ in parts:
                pass
    return head


def restore(path: Path, home: Path, passphrase: str, told: Told, *, now: int) -> Contents:
    """Make the folder `home` from a backup, its store checked and marked as restored; on any error nothing is left.

    Raises:
        InvalidInput: there is something in that folder already.
        Unavailable: too little space, or a disk that fails.
        InvalidInput, VerificationFailed: as `verify`; or the store in it is damaged.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise InvalidInput(f"{home} is not empty", fix="Restore into a new folder: --home DIR")
    was_there = home.exists()
    try:
        with _opened(path) as file:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            head, entries = _read(file, path, passphrase, told)
            settings = b""
            for number, (name, parts) in enumerate(entries):
                if not number:
                    _check_space(home, head.size)
                if name == FILE:  # what makes the folder a node comes last
                    settings = b"".join(parts)
                else:
                    _put(home / name, parts)
        _check_store(home, Restored(head.made, now))
        _put(home / FILE, iter([settings]))
    except OSError as error:
        _undo(home, was_there)
        raise _failing(home, error) from error
    except BaseException:
        _undo(home, was_there)
        raise
    return head


def _check_store(home: Path, mark: Restored) -> None:
    store = Store.open(home / _STORE, secret=Home(home).secret())
    try:
        found = store.check()
        if found:
            raise VerificationFailed(
                f"the store in the backup is damaged: {'; '.join(found[:3])}", fix="Restore another backup"
            )
        mark_restored(store, mark)
    finally:
        store.close()


def _undo(home: Path, was_there: bool) -> None:
    for one in home.iterdir() if home.is_dir() else ():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink(missing_ok=True)
    if not was_there:
        with suppress(OSError):
            home.rmdir()


# writing


@contextmanager
def _copied(core: Core, path: Path) -> Iterator[Path]:
    """A copy of the store beside it, for as long as the block runs; one backup at a time."""
    copy = core.home.path / _COPY
    with _explained(copy):
        handle = os.open(copy, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            flock(handle, LOCK_EX | LOCK_NB)
        except OSError as error:
            raise Unavailable("another backup of this node is being made", fix="Wait until it is done") from error
        try:
            size = core.store.size()
            same = _device(path.parent) == _device(copy.parent)
            _check_space(copy.parent, 2 * size if same else size)
            _check_space(path.parent, size + overhead(size))
            os.truncate(handle, 0)
            core.store.copy_to(copy)
            yield copy
        finally:
            copy.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    """The first `size` bytes of a file.

    Raises:
        VerificationFailed: the file has another size.
    """
    left = size
    with path.open("rb") as file:
        while left and (data := file.read(min(CHUNK, left))):
            left -= len(data)
            yield data
    if left:
        raise VerificationFailed(f"{path} is shorter than it was", fix="Run `aldis doctor`")


def _framed(name: str, size: int) -> bytes:
    entry = msgspec.json.encode(_Entry(name, size))
    return len(entry).to_bytes(_LENGTH, "big") + entry


def _put(path: Path, parts: Iterator[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for data in parts:
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _device(folder: Path) -> int:
    with _explained(folder):
        return folder.resolve().stat().st_dev


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + _MARGIN:
        raise Unavailable(
            f"{folder} has {free:,} bytes free, and {size + _MARGIN:,} are needed",
            fix="Free some space, or name a place on another disk",
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failing(path, error) from error


def _failing(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"{error.filename or path} cannot be read or written: {error.strerror}",
        fix="Check the path, its permissions and the space left",
    )


# reading


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", fix="Check the path") from error
    with file:
        yield file


def _read(
    file: BinaryIO, path: Path, passphrase: str, told: Told
) -> tuple[Contents, Iterator[tuple[str, Iterator[bytes]]]]:
    """The head, and each entry with its content, which is to be read before the next."""
    unsealer = Unsealer(file, str(path))
    try:
        head = msgspec.json.decode(unsealer.head, type=Contents)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"the head of {path} is not one of a backup: {error}", fix=_ODD) from error
    return head, _entries(_Plain(unsealer.chunks(passphrase), head.size, told), path)


def _entries(plain: _Plain, path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    seen = set[str]()
    while length := plain.exactly(_LENGTH):
        try:
            size = int.from_bytes(length, "big")
            entry = msgspec.json.decode(plain.exactly(min(size, _LONGEST)), type=_Entry)
        except msgspec.MsgspecError as error:
            raise InvalidInput(f"{path} holds something that is no file: {error}", fix=_ODD) from error
        if not _NAME.fullmatch(entry.path) or entry.path in seen or entry.size < 0:
            raise InvalidInput(f"{path} holds a file named {entry.path!r}", fix=_ODD)
        seen.add(entry.path)
        yield entry.path, plain.pieces(entry.size)
    if not {FILE, _STORE} <= seen:
        raise InvalidInput(f"{path} lacks the settings or the store", fix=_ODD)


class _Plain:
    """Decrypted bytes, taken as they are wanted."""

    def __init__(self, chunks: Iterator[bytes], size: int, told: Told) -> None:
        self._chunks, self._size, self._told = chunks, size, told
        self._left, self._done = b"", 0

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes; none at the end of the file."""
        return b"".join(self.pieces(size, or_none=True))

    def pieces(self, size: int, *, or_none: bool = False) -> Iterator[bytes]:
        """The next `size` bytes, in pieces."""
        wanted = size
        while wanted:
            if not self._left:
                self._left = next(self._chunks, b"")
                self._done += len(self._left)
                self._told(min(self._done, self._size), self._size)
            if not self._left:
                if or_none and wanted == size:
                    return
                raise InvalidInput("a file in the backup is shorter than it says", fix=_ODD)
            piece, self._left = self._left[:wanted], self._left[wanted:]
            wanted -= len(piece)
            yield piece
