"""The folder of contents: whole ones under their digest, and beside them those of which only a part is there.

attachments/ab/abcd...   a whole content, named by its SHA-256, 0600
attachments/partial/     what is not whole yet
attachments/lock         shared by whoever adds or copies contents, exclusive to who removes them
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import TYPE_CHECKING

from aldis.kernel.errors import Unavailable
from aldis.node.whole import sync_folder

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["PIECE", "Folder", "failing", "name_of"]

PIECE = 4 * 1024 * 1024
"""Bytes read or written at once."""
_PARTIAL, _LOCK = "partial", "lock"
_MARGIN = 64 * 1024 * 1024


class Folder:
    """Files by digest; made when the first is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Nothing is removed while the block runs."""
        handle = self._lock(LOCK_SH)
        try:
            yield
        finally:
            os.close(handle)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody adds or copies contents, which stays so while the block runs."""
        try:
            handle = self._lock(LOCK_EX | LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            os.close(handle)

    def whole(self, digest: bytes) -> Path:
        """Where a whole content lies."""
        return self.path / name_of(digest)

    def has(self, digest: bytes) -> bool:
        """Whether the file of a whole content is there."""
        return self.whole(digest).is_file()

    def open(self, digest: bytes) -> int:
        """A whole content to read from; it stays readable while it is open, even if it is removed.

        Raises:
            Unavailable: it is not there.
        """
        try:
            return os.open(self.whole(digest), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise Unavailable(
                f"the content of an attachment is missing: {self.whole(digest)}",
                fix="Run `aldis doctor`; restore it from a backup, or ask for it again",
            ) from error

    def partial(self, name: str) -> Path:
        """Where a content that is not whole lies."""
        return self.path / _PARTIAL / name

    def partials(self, prefix: str = "") -> list[str]:
        """The names of those that are not whole."""
        with suppress(FileNotFoundError):
            return sorted(path.name for path in (self.path / _PARTIAL).iterdir() if path.name.startswith(prefix))
        return []

    def size(self, name: str) -> int:
        """How many bytes of a partial content are there."""
        with suppress(FileNotFoundError):
            return self.partial(name).stat().st_size
        return 0

    def begin(self, name: str, held: int = 0) -> int:
        """A partial content to append to, cut to its first `held` bytes."""
        path = self.partial(name)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(handle, held)
            except BaseException:
                os.close(handle)
                raise
        except OSError as error:
            raise failing(path, error) from error
        return handle

    def write(self, handle: int, offset: int, data: memoryview | bytes) -> None:
        """Write all of `data` at `offset`.

        Raises:
            Unavailable: disk full or failing.
        """
        view = memoryview(data)
        try:
            while view:
                done = os.pwrite(handle, view, offset)
                view, offset = view[done:], offset + done
        except OSError as error:
            raise failing(self.path, error) from error

    def sync(self, handle: int) -> None:
        """Return once what was written is on disk."""
        try:
            os.fdatasync(handle)
        except OSError as error:
            raise failing(self.path, error) from error

    def keep(self, name: str, digest: bytes) -> None:
        """Give a partial content, all of it synced, its name as a whole one; within `kept`."""
        path = self.whole(digest)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.partial(name).replace(path)
            for folder in (path.parent, self.path):
                sync_folder(folder)
        except OSError as error:
            raise failing(path, error) from error

    def drop(self, name: str) -> None:
        """Remove a partial content."""
        self.partial(name).unlink(missing_ok=True)

    def remove(self, digest: bytes) -> None:
        """Remove a whole content; within `alone`."""
        self.whole(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[bytes]:
        """The digests of the whole contents whose files are there."""
        for path in self.path.glob("[0-9a-f][0-9a-f]/*"):
            with suppress(ValueError):
                yield bytes.fromhex(path.name)

    def check_space(self, size: int) -> bool:
        """Whether so many bytes more would leave the disk some."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return shutil.disk_usage(self.path).free >= size + _MARGIN

    def digest_of(self, handle: int, size: int) -> _Hash:
        """The running SHA-256 of the first `size` bytes of an open file."""
        found, place = hashlib.sha256(), 0
        while place < size:
            data = os.pread(handle, min(PIECE, size - place), place)
            if not data:
                raise Unavailable(f"a file in {self.path} is shorter than it was", fix="Send it again")
            found.update(data)
            place += len(data)
        return found

    def _lock(self, how: int) -> int:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise failing(self.path, error) from error
        try:
            flock(handle, how)
        except BaseException:
            os.close(handle)
            raise
        return handle


def name_of(digest: bytes) -> str:
    """The name of a whole content, from the folder on."""
    text = digest.hex()
    return f"{text[:2]}/{text}"


def failing(path: Path, error: OSError) -> Unavailable:
    """What to say of a disk that does not do what it should."""
    return Unavailable(f"{path} cannot be written: {error.strerror}", fix="Free some space, or check the disk")
