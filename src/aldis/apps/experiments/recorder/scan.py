"""The records of a recording's file from its front, and where they end: because the file was cut, or was altered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from aldis.apps.experiments.recorder.container import HEAD, MAGIC, MOST_RECORD, Broken, Op

__all__ = ["CHUNK_FRONT", "Cut", "Scan"]

CHUNK_FRONT = Struct("<QQQIIQ")
_U32 = Struct("<I")
_OUTER = frozenset({Op.HEADER, Op.METADATA, Op.CHUNK, Op.MESSAGE_INDEX})


class Cut(Exception):
    """The file ends where a whole one would go on, and what is there could be the front of it."""


class Scan:
    """A file's records one after the other; `at` is where the next begins.

    A cut leaves a front of what was written. So a record that is longer than what is left of the file was cut only if
    the lengths within it agree with its own, and no file that ends as whole ones do was cut.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size
        self.at = 0

    @classmethod
    def of(cls, path: Path, file: BinaryIO) -> Scan:
        """From the front of an open file."""
        return cls(file, path.stat().st_size)

    @property
    def whole(self) -> bool:
        """Whether the file ends as a closed one does."""
        self.file.seek(max(0, self.size - len(MAGIC)))
        ends = self.file.read(len(MAGIC)) == MAGIC
        self.file.seek(self.at)
        return ends and self.size > len(MAGIC)

    def magic(self) -> bytes:
        """The first bytes.

        Raises:
            Cut, Broken: they are not those of MCAP.
        """
        found = self.file.read(len(MAGIC))
        self.at += len(found)
        if found != MAGIC:
            raise Cut if MAGIC.startswith(found) else Broken("no MCAP file")
        return found

    def record(self) -> tuple[Op, bytes]:
        """The next record, whole, with its opcode and length before it.

        Raises:
            Cut: the file ends before it does.
            Broken: there is none such in a recording.
        """
        head = self.file.read(HEAD.size)
        if len(head) < HEAD.size:
            raise Cut
        op, length = HEAD.unpack(head)
        if op not in _OUTER or length > MOST_RECORD:
            raise Broken("what does not belong in a recording")
        body = self.file.read(length)
        if not _agrees(Op(op), length, body):
            raise Broken("a record whose lengths disagree")
        if len(body) < length:
            if self.whole:
                raise Broken("a record that is longer than the file")
            raise Cut
        self.at += len(head) + length
        return Op(op), head + body

    def chunks(self, until: int) -> Iterator[tuple[int, int, int]]:
        """Offset, length and earliest log time of each chunk before the offset `until`; what is in them is not read.

        Raises:
            Broken: the file changed since it was verified.
        """
        self.file.seek(len(MAGIC))
        self.at = len(MAGIC)
        while self.at < until:
            head = self.file.read(HEAD.size + CHUNK_FRONT.size)
            if len(head) < HEAD.size:
                raise Broken("a file that changed meanwhile")
            op, length = HEAD.unpack_from(head)
            if op == Op.DATA_END:
                return
            if op == Op.CHUNK and length >= CHUNK_FRONT.size and len(head) == HEAD.size + CHUNK_FRONT.size:
                yield self.at, HEAD.size + length, CHUNK_FRONT.unpack_from(head, HEAD.size)[0]
            self.at += HEAD.size + length
            self.file.seek(self.at)


def _agrees(op: Op, length: int, body: bytes) -> bool:
    """Whether the lengths within a record, as far as it is there, agree with its own."""
    if op is Op.CHUNK:
        front = len(body) >= CHUNK_FRONT.size and CHUNK_FRONT.unpack_from(body)
        return not front or front[2] == front[5] == length - CHUNK_FRONT.size
    if op is Op.MESSAGE_INDEX:
        return len(body) < 6 or _U32.unpack_from(body, 2)[0] == length - 6
    if len(body) < _U32.size:
        return True
    second = _U32.size + int(_U32.unpack_from(body)[0])
    if len(body) < second + _U32.size:
        return second + _U32.size <= length
    return second + _U32.size + int(_U32.unpack_from(body, second)[0]) == length
