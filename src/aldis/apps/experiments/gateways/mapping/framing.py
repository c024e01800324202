"""Cutting a stream into messages as a mapping file says, and making the frames of new ones."""

from __future__ import annotations

from aldis.apps.experiments.gateways.gateway import Tally
from aldis.apps.experiments.gateways.mapping.checksums import SIZES, holds, mark_of, signed
from aldis.apps.experiments.gateways.mapping.spec import Framing, Length

__all__ = ["Frames", "framed"]


class Frames:
    """The frames of one stream. What is no frame, too long, or has a wrong checksum is counted and passed over."""

    def __init__(self, spec: Framing, tally: Tally) -> None:
        self._spec = spec
        self._tally = tally
        self._rest = bytearray()
        self._start = bytes.fromhex(spec.start)
        self._end = spec.separator.encode() if spec.kind == "lines" else bytes.fromhex(spec.end)
        self._marked = self._end.strip(b"\r\n") == b""
        self._skipping = False
        self._waits = False
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes, each counted as seen: lines without their end, others whole."""
        self._rest += data
        found: list[bytes] = []
        if self._spec.kind == "lines":
            self._lines(found)
        else:
            at = 0
            while (after := self._binary(at, found)) is not None:
                at = after
        if bool(self._rest) is not self._waits:
            self._waits = not self._waits
            self._tally.seen += 1 if self._waits else -1
        return found

    def close(self) -> None:
        """Count what is not complete as dropped."""
        if self._waits:
            self._tally.drop("incomplete")
        self._waits = self._skipping = False
        self._searched = 0
        self._rest.clear()

    def _drop(self, reason: str) -> None:
        self._tally.seen += 1
        self._tally.drop(reason)

    def _found(self, frame: bytes, found: list[bytes]) -> None:
        self._tally.seen += 1
        found.append(frame)

    def _lines(self, found: list[bytes]) -> None:
        rest, start = self._rest, 0
        at = max(0, self._searched - len(self._end))
        while (end := rest.find(self._end, at)) >= 0:
            line = bytes(rest[start:end])
            at = start = end + len(self._end)
            if self._marked:
                line = line.strip(b"\r\n")
            if self._skipping or len(line) > self._spec.limit:
                self._drop("too long")
                self._skipping = False
            elif line:
                self._line(line, found)
        del rest[:start]
        if len(rest) > self._spec.limit:
            self._skipping = True
            del rest[: len(rest) - len(self._end)]
        self._searched = len(rest)

    def _line(self, line: bytes, found: list[bytes]) -> None:
        start = line.find(self._start)
        if start < 0:
            self._drop("not a message")
            return
        line = line[start:]
        spec = self._spec.checksum
        if spec is not None:
            digits = 2 * SIZES[spec.kind]
            body, mark = line[: -digits - len(spec.mark)], line[-digits - len(spec.mark) :]
            if mark.upper() != mark_of(spec, body).upper():
                self._drop("wrong checksum")
                return
            line = body
        self._found(line, found)

    def _noise(self, at: int) -> int:
        """Passes over what cannot begin a frame; where one may."""
        if not self._start:
            return at
        here = self._rest.find(self._start, at)
        if here < 0:
            here = len(self._rest)
            for kept in range(min(len(self._start) - 1, here - at), 0, -1):
                if self._rest.endswith(self._start[:kept]):
                    here -= kept
                    break
        if here > at:
            self._drop("not a message")
        return here

    def _binary(self, at: int, found: list[bytes]) -> int | None:
        """Where the next frame begins, after one was taken or passed over; None where more must come."""
        at = self._noise(at)
        del self._rest[:at]
        size = self._size()
        if size is None:
            if len(self._rest) <= self._spec.limit:
                return None
            self._drop("too long")
            return self._again()
        least = len(self._start) + len(self._end)
        if not max(1, least) <= size <= self._spec.limit:
            self._drop("wrong length")
            return self._again()
        if len(self._rest) < size:
            return None
        frame = bytes(self._rest[:size])
        if not holds(self._spec.checksum, frame):
            self._drop("wrong checksum")
            return self._again() if self._start else size
        self._found(frame, found)
        self._searched = 0
        return size

    def _again(self) -> int:
        self._searched = 0
        return len(self._start) or len(self._rest)

    def _size(self) -> int | None:
        """Bytes of the frame at the start of what waits; None where they cannot be known yet."""
        spec = self._spec
        if spec.kind == "fixed":
            return spec.size
        if spec.kind == "length":
            assert spec.length is not None
            return _length(spec.length, self._rest)
        if len(self._rest) < len(self._start):
            return None
        end = self._rest.find(self._end, max(len(self._start), self._searched))
        self._searched = max(0, len(self._rest) - len(self._end) + 1)
        return None if end < 0 else end + len(self._end)


def _length(spec: Length, data: bytearray) -> int | None:
    width = int(spec.type[1:]) // 8
    if len(data) < spec.at + width:
        return None
    return int.from_bytes(data[spec.at : spec.at + width], spec.endian) + spec.adds


def framed(spec: Framing, body: bytes | bytearray) -> bytes:
    """The message as it is sent: of lines the body is the line; else a whole frame, its marks not yet in it.

    Raises:
        ValueError: it is longer than its length can say, or holds the end itself.
    """
    if spec.kind == "lines":
        line, end = bytes(body), spec.separator.encode()
        if end in line or b"\n" in line:
            raise ValueError("the end of a line stands in it")
        return line + (mark_of(spec.checksum, line) if spec.checksum else b"") + end
    frame = bytearray(body)
    start, end = bytes.fromhex(spec.start), bytes.fromhex(spec.end)
    frame[: len(start)] = start
    if end:
        frame[len(frame) - len(end) :] = end
    if spec.length is not None:
        width = int(spec.length.type[1:]) // 8
        frame[spec.length.at : spec.length.at + width] = (len(frame) - spec.length.adds).to_bytes(
            width, spec.length.endian
        )
    signed(spec.checksum, frame)
    return bytes(frame)
