"""NMEA 0183 lines to whole AIS messages: checksums, stamps, and parts put together (IEC 61162-1, VDM and VDO).

When and by whom a message was heard comes from a tag block on a sentence (NMEA 4.10), a `$PGHP` line before
it, or a Unix time after its checksum; else the time is that of the stream's last stamp, else the caller's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import Literal

from aldis.apps.experiments.gateways.fields import Damaged
from aldis.apps.experiments.gateways.observation import Source, Tally

__all__ = ["MAX_LINE", "Assembler", "Message"]

MAX_LINE = 1024  # bytes; a sentence has at most 82, a tag block 80

_SENTENCE = re.compile(
    rb"(?P<raw>![!-~]{2}VD(?P<own>[MO]),(?P<total>[1-9]),(?P<number>[1-9]),\d?,"
    rb"(?P<channel>[AB12]?),[0-W`-w]{1,200},[0-5]\*(?P<check>[0-9A-Fa-f]{2}))(?:,(?:.*,)?(?P<unix>\d{10})|,.*)?"
)
_TAG_BLOCK = re.compile(rb"\\(?P<body>[^\\*]{1,80})\*(?P<check>[0-9A-Fa-f]{2})\\")
_PGHP = re.compile(
    rb"\$(?P<body>PGHP,1,(?P<time>(?:\d{1,4},){6}\d{1,3}),(?P<country>\d{0,3}),(?P<region>\d{0,9}),"
    rb"(?P<station>\d{0,9}),\d?,(?P<covers>[0-9A-Fa-f]{1,2}))\*(?P<check>[0-9A-Fa-f]{2})"
)
_CHANNELS: dict[bytes, Literal["A", "B"]] = {b"A": "A", b"1": "A", b"B": "B", b"2": "B"}
_PATIENCE_MS = 30_000
_MAX_PENDING = 64


@dataclass(frozen=True, slots=True)
class _Stamp:
    received_ms: int
    station: str | None = None
    country: int | None = None
    region: int | None = None
    covers: int = 0  # XOR of the checksums of the sentences it speaks of; 0 says nothing


@dataclass(slots=True)
class Message:
    """The sentences of one message by part number, as they were heard, without tag blocks and suffixes."""

    total: int
    channel: Literal["A", "B"] | None
    own: bool
    started_ms: int
    parts: dict[int, bytes] = field(default_factory=dict)
    check: int = 0
    stamp: _Stamp | None = None

    @property
    def source(self) -> Source:
        """When and by whom it was heard; a stamp that speaks of other sentences gives the time only."""
        stamp = self.stamp or _Stamp(self.started_ms)
        if stamp.covers not in (0, self.check):
            stamp = _Stamp(stamp.received_ms)
        return Source("ais", stamp.received_ms, stamp.station, stamp.country, stamp.region, self.channel, own=self.own)


class Assembler:
    """One stream of lines; at most 64 messages wait for their other parts, 30 s each."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._announced: _Stamp | None = None
        self._clock_ms: int | None = None
        self._pending: dict[bytes, Message] = {}

    def stamp(self, line: bytes) -> bool:
        """Whether `line` is an intact `$PGHP` line; it then speaks of the message that follows."""
        stamp = _announcement(line)
        if stamp:
            self._announced, self._clock_ms = stamp, stamp.received_ms
        return stamp is not None

    def push(self, line: bytes, arrived_ms: int) -> Message | None:
        """The message that `line` completes, if any.

        Raises:
            Damaged: the line is not an intact AIS sentence.
        """
        announced, self._announced = self._announced, None
        if len(line) > MAX_LINE:
            raise Damaged("line too long")
        tagged, line = _tag_block(line)
        found = _SENTENCE.fullmatch(line)
        if not found:
            raise Damaged(_why_not(line))
        if reduce(xor, found["raw"][1:-3]) != int(found["check"], 16):
            raise Damaged("checksum")
        stamp = tagged or announced or (_Stamp(int(found["unix"]) * 1000) if found["unix"] else None)
        if stamp:
            self._clock_ms = stamp.received_ms
        return self._join(found, stamp, arrived_ms if self._clock_ms is None else self._clock_ms)

    def close(self) -> None:
        """Count the parts that still wait as dropped."""
        for key in tuple(self._pending):
            self._give_up(key)

    def _join(self, found: re.Match[bytes], stamp: _Stamp | None, now_ms: int) -> Message | None:
        number, total = int(found["number"]), int(found["total"])
        if number > total:
            raise Damaged("undecodable")
        message = Message(total, _CHANNELS.get(found["channel"]), found["own"] == b"O", now_ms)
        key = _key(found["raw"])
        if total > 1:
            message = self._waiting(key, number, message)
        message.parts[number] = found["raw"]
        message.check ^= int(found["check"], 16)
        message.stamp = message.stamp or stamp
        if len(message.parts) < total:
            return None
        self._pending.pop(key, None)
        return message

    def _waiting(self, key: bytes, number: int, fresh: Message) -> Message:
        """The message that waits for this part, or `fresh`, waiting from now on."""
        for old, message in tuple(self._pending.items()):
            overdue = fresh.started_ms - message.started_ms > _PATIENCE_MS
            if overdue or (old == key and number in message.parts):
                self._give_up(old)
        if key not in self._pending and len(self._pending) >= _MAX_PENDING:
            self._give_up(next(iter(self._pending)))
        return self._pending.setdefault(key, fresh)

    def _give_up(self, key: bytes) -> None:
        self._tally.drop("incomplete", len(self._pending.pop(key).parts))


def _key(raw: bytes) -> bytes:
    """Talker, kind, number of parts, sequence id and channel: what the parts of a message have in common."""
    talker, total, _, sequence, channel, _ = raw.split(b",", 5)
    return b",".join((talker, total, sequence, channel))


def _intact(found: re.Match[bytes]) -> bool:
    return reduce(xor, found["body"]) == int(found["check"], 16)


def _tag_block(line: bytes) -> tuple[_Stamp | None, bytes]:
    """The stamp of a leading tag block, None where it has no time (`c:`, seconds or milliseconds), and the rest."""
    if not line.startswith(b"\\"):
        return None, line
    found = _TAG_BLOCK.match(line)
    if not found or not _intact(found):
        raise Damaged("checksum")
    said = dict(item.split(b":", 1) for item in found["body"].split(b",") if b":" in item)
    time, station = said.get(b"c", b""), said.get(b"s", b"")[:15].decode("ascii", "replace")
    rest = line[found.end() :]
    if not re.fullmatch(rb"\d{1,10}|\d{13}", time):
        return None, rest
    received_ms = int(time) if len(time) == 13 else int(time) * 1000
    return _Stamp(received_ms, station if station.isprintable() and station else None), rest


def _announcement(line: bytes) -> _Stamp | None:
    """An intact `$PGHP` line: UTC receive time, country, region, base station, checksum of what follows.

    The checksum of a message of several sentences is the XOR of theirs; for VDO it is 00.
    """
    found = _PGHP.fullmatch(line)
    if not found or not _intact(found):
        return None
    year, month, day, hour, minute, second, ms = map(int, found["time"].split(b","))
    try:
        received = datetime(year, month, day, hour, minute, second, ms * 1000, UTC)
    except ValueError:
        return None
    return _Stamp(
        round(received.timestamp() * 1000),
        found["station"].decode() or None,
        int(found["country"] or 0) or None,
        int(found["region"] or 0) or None,
        int(found["covers"], 16),
    )


def _why_not(line: bytes) -> str:
    if line.startswith(b"$PGHP,"):
        return "damaged stamp"
    return "undecodable" if line[:1] == b"!" and line[3:6] in (b"VDM", b"VDO") else "not AIS"
