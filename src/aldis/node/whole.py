"""Files that are whole or not there, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["sync_folder", "whole_file"]


@contextmanager
def whole_file(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file to write that is on disk under its name once the block has ended well; else what had the name stays.

    Until then it lies beside it, with `.part` after its name. Only its owner can read a `private` one.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    how = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(part, how, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if private:
                os.fchmod(handle, 0o600)
            yield file
            file.flush()
            os.fsync(handle)
        part.replace(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on disk.

    Raises:
        OSError: the disk fails.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # a folder to put into and not to look into: nothing of it can be opened
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
