"""Disks: where a node's store lies in a simulation, and how its power can fail or its space run out.

A `Folder` is a real folder, and the store in it is opened as in production. A `Disk` is memory behind SQLite's own file
system interface: it can fill up, die in the middle of a write, and forget what was not synced.
"""

# ruff: noqa: N802 (SQLite names the methods of a file system)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Protocol

import apsw

__all__ = ["Disk", "Folder", "Image", "Medium"]

Image = Mapping[str, bytes]
"""The content of a store's files, by suffix: "" for the database, "-wal" for its log."""

_SUFFIXES = ("", "-wal")
_SECTOR = 512
_numbers = count(1)


class Medium(Protocol):
    """What a store lies on; `vfs` is the SQLite file system to open it with, None for the machine's own."""

    vfs: str | None

    def image(self) -> Image:
        """The files as they are at this moment, whatever a process is about to write next."""

    def load(self, image: Image) -> None:
        """Put these files in place of what is there; the store must not be open."""

    def close(self) -> None:
        """Let go of it."""


class Folder:
    """A store's files in a real folder."""

    vfs: str | None = None

    def __init__(self, store: Path) -> None:
        self._store = store

    def image(self) -> Image:
        """The bytes of the files, as a copy of the machine's page cache."""
        paths = {suffix: self._store.with_name(self._store.name + suffix) for suffix in _SUFFIXES}
        return {suffix: path.read_bytes() for suffix, path in paths.items() if path.exists()}

    def load(self, image: Image) -> None:
        """Write the files, and remove the index that SQLite rebuilds from the log."""
        for suffix in (*_SUFFIXES, "-shm"):
            path = self._store.with_name(self._store.name + suffix)
            path.unlink(missing_ok=True)
            if suffix in image:
                path.touch(0o600)
                path.write_bytes(image[suffix])

    def close(self) -> None:
        """Nothing to let go of."""


class Disk:
    """Memory that SQLite takes for a disk; `writes` counts what was written or synced so far.

    `fill(n)` lets n writes pass and refuses the one after, once. `die(n)` lets n writes pass and none ever after, as
    if the process had been killed there: `dead` tells.
    """

    def __init__(self) -> None:
        self.vfs: str | None = f"aldis-disk-{next(_numbers)}"
        self.files: dict[str, bytearray] = {}
        self.writes = 0
        self.dead = False
        self._abandoned = False
        self._full_at = self._dies_at = -1
        self._loose: list[_Change] = []
        self._system = _System(self.vfs, self)

    def fill(self, writes: int = 0) -> None:
        """Be full when so many more writes have passed, for one write."""
        self._full_at = self.writes + writes

    def die(self, writes: int = 0) -> None:
        """Accept no write any more when so many more have passed."""
        self._dies_at = self.writes + writes

    def mend(self) -> None:
        """Take every write again: what `fill` and `die` had announced does not happen."""
        self._full_at = self._dies_at = -1

    def abandon(self) -> None:
        """Take no notice of what is written until `load`: the process is gone, whatever it still believes."""
        self._abandoned = True

    def image(self) -> Image:
        """The files with every write that was accepted, synced or not."""
        return {suffix: bytes(self.files[suffix]) for suffix in _SUFFIXES if suffix in self.files}

    def after_power_cut(self, rng: Random) -> Image:
        """The files as a power cut may leave them: what was synced, and any of the other writes, whole or torn."""
        left = {name: bytearray(data) for name, data in self.files.items()}
        loose = [change for change in self._loose if change.name in left]
        for change in reversed(loose):
            change.undo(left[change.name])
        for change in rng.sample(loose, len(loose)):
            if rng.random() < 0.5:
                torn = rng.random() < 0.3
                kept = rng.randrange(len(change.new) // _SECTOR + 1) * _SECTOR if torn else len(change.new)
                _splice(left[change.name], change.new[:kept], change.offset)
        return {name: bytes(left[name]) for name in _SUFFIXES if name in left}

    def load(self, image: Image) -> None:
        """Hold these files, all of them synced."""
        self.files = {name: bytearray(data) for name, data in image.items()}
        self._loose = []
        self._full_at = self._dies_at = -1
        self.dead = self._abandoned = False

    def close(self) -> None:
        """Take the file system out of SQLite again."""
        self._system.unregister()

    def write(self, name: str, data: bytes, offset: int) -> None:
        """Called by SQLite."""
        if not self._abandoned:
            self._count()
            file = self.files[name]
            self._loose.append(_Change(name, offset, data, bytes(file[offset : offset + len(data)]), len(file)))
            _splice(file, data, offset)

    def truncate(self, name: str, size: int) -> None:
        """Called by SQLite."""
        if not self.dead and not self._abandoned:
            file = self.files[name]
            self._loose.append(_Change(name, size, b"", bytes(file[size:]), len(file)))
            del file[size:]

    def sync(self, name: str) -> None:
        """Called by SQLite."""
        if not self._abandoned:
            self._count()
            self._loose = [change for change in self._loose if change.name != name]

    def delete(self, name: str) -> None:
        """Called by SQLite."""
        if not self.dead and not self._abandoned:
            self.files.pop(name, None)

    def _count(self) -> None:
        if self.dead or self.writes == self._dies_at:
            self.dead = True
            raise apsw.IOError
        self.writes += 1
        if self.writes - 1 == self._full_at:
            raise apsw.FullError


@dataclass(frozen=True, slots=True)
class _Change:
    """Something written to a file and not yet synced, with what it took the place of."""

    name: str
    offset: int
    new: bytes
    old: bytes
    size: int

    def undo(self, file: bytearray) -> None:
        _splice(file, self.old, self.offset)
        del file[self.size :]


def _splice(file: bytearray, data: bytes, offset: int) -> None:
    file.extend(bytes(max(offset - len(file), 0)))
    file[offset : offset + len(data)] = data


class _File:
    """A file of a `Disk`, with the methods that SQLite calls."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name = disk, name
        disk.files.setdefault(name, bytearray())

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._disk.files[self._name][offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.write(self._name, bytes(data), offset)

    def xTruncate(self, size: int) -> None:
        self._disk.truncate(self._name, size)

    def xSync(self, _flags: int) -> None:
        self._disk.sync(self._name)

    def xFileSize(self) -> int:
        return len(self._disk.files[self._name])

    def xLock(self, _level: int) -> None: ...

    def xUnlock(self, _level: int) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, _op: int, _pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return _SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xClose(self) -> None: ...


class _System(apsw.VFS):
    """A `Disk` as a file system of SQLite; it knows the suffixes of files only, so that it holds one store."""

    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        self._temporary = count()
        super().__init__(name, "")

    def xFullPathname(self, name: str) -> str:
        return name

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        flags[1] = flags[0]
        return _File(self._disk, _suffix(path) if path else f"temporary-{next(self._temporary)}")

    def xAccess(self, pathname: str, _flags: int) -> bool:
        return _suffix(pathname) in self._disk.files

    def xDelete(self, filename: str, _syncdir: bool) -> None:
        self._disk.delete(_suffix(filename))


def _suffix(path: str) -> str:
    return next((suffix for suffix in ("-wal", "-journal", "-shm") if path.endswith(suffix)), "")
