"""The files of a recording on disk: which there are, and whether somebody still writes one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from aldis.apps.experiments.recorder.scan import Scan
from aldis.kernel.errors import Unavailable

__all__ = ["check_left", "segments_of", "sync_folder", "unfinished"]


def segments_of(folder: Path, name: str) -> Sequence[Path]:
    """The files of a recording, in order."""
    return sorted(folder.glob(f"{name}-[0-9][0-9][0-9][0-9].mcap"))


def unfinished(folder: Path) -> str:
    """The name of the newest recording in a folder, by name, if its last file was never closed; else ""."""
    last = max(folder.glob("*-[0-9][0-9][0-9][0-9].mcap"), default=None)
    if last is None:
        return ""
    with last.open("rb") as file:
        return "" if Scan.of(last, file).whole else last.stem[: -len("-0001")]


def check_left(path: Path) -> None:
    """Return if nobody writes this file any more: whoever does, holds its lock for as long as it lives.

    Raises:
        Unavailable: somebody does.
    """
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Unavailable(
                f"{path} is being recorded by another recorder", fix="Close that one, or give this one another name"
            ) from error


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
