"""Lines and frames of NMEA 2000 to whole messages, and back.

Lines are those of CANboat's logs, `2014-08-15T19:00:00.443Z,4,129038,43,255,27,c1,…`: time, priority, PGN, source,
destination, length, bytes (a whole message, or one frame); or those of SocketCAN's candump,
`(1408129200.443000) can0 11F80E2B#A01B0152…`. Fast packets: NMEA 2000, as described with CANboat.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aldis.apps.experiments.gateways.gateway import Damaged, Tally
from aldis.apps.experiments.gateways.nmea2000.pgns import PGNS

__all__ = ["LOG_LINE", "MAX_LINE", "Assembler", "Message", "frames_of", "line_of"]

MAX_LINE = 1024
LOG_LINE = re.compile(
    rb"(?P<day>\d{4}-\d\d-\d\d)[T-](?P<time>\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z?,(?P<priority>\d),(?P<pgn>\d{1,6}),"
    rb"(?P<source>\d{1,3}),(?P<destination>\d{1,3}),(?P<length>\d{1,3})(?P<data>(?:,[0-9A-Fa-f]{2}){1,223})"
)
_CANDUMP = re.compile(
    rb"\((?P<seconds>\d{1,11})\.(?P<micro>\d{6})\) +[0-9A-Za-z_]{1,16} +(?P<id>[0-9A-Fa-f]{8})#"
    rb"(?P<data>(?:[0-9A-Fa-f]{2}){1,8})"
)
_FRAME = 8  # bytes: a longer line is a whole message
_MAX_PENDING = 256
_PATIENCE_US = 5_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message from `frames` lines, of the device at `source`; `heard_us` is its log's time."""

    pgn: int
    source: int
    data: bytes
    heard_us: int
    frames: int = 1


@dataclass(slots=True)
class _Packet:
    started_us: int
    size: int | None = None
    parts: dict[int, bytes] = field(default_factory=dict)

    def whole(self) -> bytes | None:
        if self.size is None:
            return None
        needed = 1 + max(0, self.size) // 7
        if any(number not in self.parts for number in range(needed)):
            return None
        return b"".join(self.parts[number] for number in range(needed))[: self.size]


class Assembler:
    """One network: at most 256 messages wait for their other frames, 5 s each (by the log's time)."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._pending: dict[tuple[int, int, int], _Packet] = {}

    def push(self, line: bytes) -> Message | None:
        """The message that `line` completes, if any.

        Raises:
            Damaged: the line is in neither format, or of a message that is not read here.
        """
        pgn, source, data, heard_us = _read(line)
        known = PGNS.get(pgn)
        if known is None:
            raise Damaged("unsupported PGN")
        if not known.fast or len(data) > _FRAME:
            return Message(pgn, source, data, heard_us)
        return self._join(pgn, source, data, heard_us)

    def close(self) -> None:
        """Count the frames that still wait as dropped."""
        for key in tuple(self._pending):
            self._give_up(key)

    def _join(self, pgn: int, source: int, data: bytes, heard_us: int) -> Message | None:
        sequence, number = data[0] >> 5, data[0] & 31
        key = (pgn, source, sequence)
        waiting = self._pending.get(key)
        if waiting and (number in waiting.parts or not 0 <= heard_us - waiting.started_us <= _PATIENCE_US):
            self._give_up(key)
            waiting = None
        if waiting is None:
            if len(self._pending) >= _MAX_PENDING:
                self._give_up(next(iter(self._pending)))
            waiting = self._pending[key] = _Packet(heard_us)
        if number == 0:
            if len(data) < 2:
                data += b"\xff"
            waiting.size = min(data[1], 223)
        waiting.parts[number] = data[2:] if number == 0 else data[1:]
        whole = waiting.whole()
        if whole is None:
            return None
        del self._pending[key]
        return Message(pgn, source, whole, heard_us, len(waiting.parts))

    def _give_up(self, key: tuple[int, int, int]) -> None:
        self._tally.drop("incomplete", len(self._pending.pop(key).parts))


def _read(line: bytes) -> tuple[int, int, bytes, int]:
    """PGN, source, bytes and time (µs) of a line."""
    if len(line) > MAX_LINE:
        raise Damaged("line too long")
    found = LOG_LINE.fullmatch(line)
    if found:
        try:
            moment = datetime.fromisoformat(f"{found['day'].decode()}T{found['time'].decode()}").replace(tzinfo=UTC)
        except ValueError as error:
            raise Damaged("undecodable") from error
        heard_us = int(moment.timestamp()) * 1_000_000 + moment.microsecond
        return (
            int(found["pgn"]),
            int(found["source"]),
            bytes.fromhex(found["data"].replace(b",", b"").decode()),
            heard_us,
        )
    found = _CANDUMP.fullmatch(line)
    if not found:
        raise Damaged("undecodable")
    identifier = int(found["id"], 16)
    pgn = identifier >> 8 & 0x3FF00 | (identifier >> 8 & 0xFF if identifier >> 16 & 0xFF >= 240 else 0)
    heard_us = int(found["seconds"]) * 1_000_000 + int(found["micro"])
    return pgn, identifier & 0xFF, bytes.fromhex(found["data"].decode()), heard_us


def line_of(pgn: int, source: int, data: bytes, at_us: int, priority: int = 4) -> bytes:
    """A whole message as CANboat logs it."""
    moment = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    time = f"{moment:%Y-%m-%dT%H:%M:%S}.{at_us % 1_000_000 // 1000:03}Z"
    return f"{time},{priority},{pgn},{source},255,{len(data)},{data.hex(',')}\r\n".encode("ascii")


def frames_of(pgn: int, source: int, data: bytes, at_us: int, sequence: int, priority: int = 4) -> list[bytes]:
    """The frames of a message as candump prints them."""
    pieces = [data]
    if PGNS[pgn].fast:
        pieces = [bytes((sequence << 5, len(data))) + data[:6]]
        pieces += [
            bytes((sequence << 5 | number,)) + data[start : start + 7]
            for number, start in enumerate(range(6, len(data), 7), 1)
        ]
    identifier = priority << 26 | pgn << 8 | source
    stamp = f"({at_us // 1_000_000}.{at_us % 1_000_000:06}) can0 {identifier:08X}#"
    return [f"{stamp}{piece.ljust(8, bytes([255])).hex().upper()}\n".encode("ascii") for piece in pieces]
