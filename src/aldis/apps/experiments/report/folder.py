"""The folder of a report: written whole or not at all, and read so that nothing in it goes unnoticed."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aldis.apps.experiments.report.manifest import MOST_FILES, MOST_SHEET, MOST_SIZE
from aldis.kernel.errors import InvalidInput, Unavailable

__all__ = ["SIGNATURES", "held", "read", "replace", "write"]

SIGNATURES = "signatures.json"
_CASES = "cases"
_MOST_ALL = 4 * MOST_SIZE


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` with these files; it appears with all of them, on disk, or not at all.

    What an earlier attempt left unfinished is made anew.

    Raises:
        InvalidInput: there is something at `folder` that is not empty.
        Unavailable: another program is making it now.
    """
    folder = folder.absolute()
    parent, unfinished = folder.parent, folder.parent / f".{folder.name}.unfinished"
    parent.mkdir(parents=True, exist_ok=True)
    unfinished.mkdir(exist_ok=True)
    with held(unfinished):
        for one in unfinished.iterdir():
            shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()
        for path, data in files.items():
            place = unfinished / path
            place.parent.mkdir(exist_ok=True)
            _put(place, data)
        for made in {unfinished, *((unfinished / path).parent for path in files)}:
            _sync(made)
        try:
            unfinished.rename(folder)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            raise InvalidInput(f"{folder} is there already", fix="Name another folder with --out") from error
        _sync(parent)


def replace(folder: Path, name: str, data: bytes) -> None:
    """Put another file in the place of one of the folder, in one step; whoever does so holds the folder."""
    folder = folder.absolute()
    made = folder.parent / f".{folder.name}.{name}.unfinished"
    made.unlink(missing_ok=True)
    _put(made, data)
    made.replace(folder / name)
    _sync(folder)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Be the only one at work on a folder.

    Raises:
        Unavailable: another program is.
        InvalidInput: there is no such folder.
    """
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise InvalidInput(f"{folder} is no folder of a report", fix="Name the folder of a report") from error
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.fstat(number).st_ino == folder.stat(follow_symlinks=False).st_ino
        except OSError:
            same = False
        if not same:
            raise Unavailable(f"another program is at work on {folder}", fix="Try again when it is done")
        yield
    finally:
        os.close(number)


def read(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The files of a folder by path, and what is in it that cannot be part of a report.

    Raises:
        InvalidInput: it is no folder, or not one of a report at all.
    """
    files, wrong = dict[str, bytes](), list[str]()
    if folder.is_symlink() or not folder.is_dir() or not (folder / SIGNATURES).exists():
        raise InvalidInput(
            f"{folder} is no folder of a report: it has no {SIGNATURES}", fix="`aldis experiment report` makes one"
        )
    _into(files, wrong, folder, "")
    return files, wrong


def _into(files: dict[str, bytes], wrong: list[str], folder: Path, above: str) -> None:
    found = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            path, found = above + entry.name, found + 1
            if len(files) + len(wrong) > MOST_FILES:
                wrong.append(f"there are more than {MOST_FILES} files")
                return
            if entry.is_dir(follow_symlinks=False) and path == _CASES:
                _into(files, wrong, folder / _CASES, f"{_CASES}/")
            elif not entry.is_file(follow_symlinks=False):
                wrong.append(f"{path!r} is no file, but a folder, a link or a device")
            else:
                left = _MOST_ALL - sum(map(len, files.values()))
                data = _get(folder / entry.name, min(left, MOST_SHEET if path == SIGNATURES else MOST_SIZE))
                if data is None:
                    wrong.append(f"{path!r} cannot be read, or is too large to be part of a report")
                else:
                    files[path] = data
    if above and not found:
        wrong.append(f"{_CASES!r} is empty")


def _get(path: Path, most: int) -> bytes | None:
    """The bytes of a file, if it is one and has at most so many."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        data = file.read(most + 1)
    return data if len(data) <= most else None


def _put(path: Path, data: bytes) -> None:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(number)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
