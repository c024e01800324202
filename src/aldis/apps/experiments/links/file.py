"""A file as a link: its bytes from the beginning, as fast as they are taken."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from aldis.apps.experiments.links.link import Piece
from aldis.kernel.errors import InvalidInput, TooLarge, Unavailable

__all__ = ["MAX_FILE", "FileLink", "open_file"]

MAX_FILE = 4 << 30
"""The most bytes of a recording."""
_CHUNK = 64 * 1024


class FileLink:
    """A recording to be played."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.shed = 0
        self._path = path
        self._file = file
        self._ended = False

    async def receive(self) -> Piece:
        """See `Link`."""
        if self._ended:
            raise EOFError
        try:
            data = self._file.read(_CHUNK)
        except OSError as error:
            raise InvalidInput(f"cannot read {self._path}: {error.strerror}") from error
        self._ended = not data
        return Piece(data, self._path.name, ended=self._ended)

    async def send(self, data: bytes) -> None:  # noqa: ARG002  it takes none
        """A recording is not written to."""
        raise Unavailable(f"{self._path} is a recording, and takes nothing", fix="Give an address, or no `person`")

    async def close(self) -> None:
        """See `Link`."""
        self._file.close()


def open_file(path: Path) -> FileLink:
    """The file, open for reading.

    Raises:
        InvalidInput: it cannot be read.
        TooLarge: over `MAX_FILE` bytes.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise TooLarge(f"{path} is larger than {MAX_FILE} bytes", fix="Split it")
        return FileLink(path, path.open("rb"))
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
