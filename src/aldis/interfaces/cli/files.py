"""Files that people name: read within a limit, written whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

from aldis.kernel.errors import InvalidInput, TooLarge
from aldis.node.whole import whole_file

__all__ = ["read_text", "read_whole", "write_whole"]

_TEXT = 1024 * 1024


def read_whole(path: Path, most: int) -> bytes:
    """The bytes of a file, or of stdin where it is `-`.

    Raises:
        TooLarge: more than `most`.
        OSError: it cannot be read.
    """
    if str(path) == "-":
        data = sys.stdin.buffer.read(most + 1)
    else:
        with path.open("rb") as file:
            data = file.read(most + 1)
    if len(data) > most:
        raise TooLarge(f"{path} is larger than {most:,} bytes", fix="It is not such a file: check the path")
    return data


def read_text(path: Path, most: int = _TEXT) -> str:
    """The text of a file.

    Raises:
        InvalidInput: not UTF-8.
        TooLarge, OSError: as `read_whole`.
    """
    try:
        return read_whole(path, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not text in UTF-8: byte {error.start}", fix="Save it as UTF-8") from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, or stdout where it is `-`; a reader sees the old content or the new, never a part."""
    if str(path) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(data)
