"""NMEA 0183 lines to whole messages: checksums, stamps, and parts put together (IEC 61162-1, VDM and VDO).

When and by whom a message was heard comes from a tag block on a sentence (NMEA 4.10), a `$PGHP` line before it, or a
Unix time after its checksum; else the time is that of the stream's last stamp, else the caller's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from aldis.apps.experiments.entity import Sensor
from aldis.apps.experiments.gateways.gateway import Damaged, Tally
from aldis.apps.experiments.gateways.nmea.armour import ARMOUR, checksum, unarmour

__all__ = ["MAX_LINE", "PROTOCOL", "Assembler", "Message", "Words"]

PROTOCOL = "nmea0183"
MAX_LINE = 1024  # bytes; a sentence has at most 82, a tag block 80

_SENTENCE = re.compile(
    rb"!(?P<body>(?P<talker>[!-~]{2})VD(?P<own>[MO]),(?P<total>[1-9]),(?P<number>[1-9]),(?P<sequence>\d?),"
    rb"(?P<channel>[AB12]?),(?P<payload>[0-W`-w]{1,200}),(?P<fill>[0-5]))\*(?P<check>[0-9A-Fa-f]{2})"
    rb"(?:,(?:.*,)?(?P<unix>\d{10})|,.*)?"
)
_TALKER = re.compile(rb"\$(?P<body>(?P<words>[0-9A-Z]{3,8},[ -)+-~]*))\*(?P<check>[0-9A-Fa-f]{2})(?:,.*)?")
_TAG_BLOCK = re.compile(rb"\\(?P<body>[^\\*]{1,80})\*(?P<check>[0-9A-Fa-f]{2})\\")
_TIME = re.compile(rb"\d{1,10}|\d{13}")
_PGHP = re.compile(
    rb"\$(?P<body>PGHP,1,(?P<time>(?:\d{1,4},){6}\d{1,3}),(?P<country>\d{0,3}),(?P<region>\d{0,9}),"
    rb"(?P<station>\d{0,9}),\d?,(?P<covers>[0-9A-Fa-f]{1,2}))\*(?P<check>[0-9A-Fa-f]{2})"
)
_HEAD, _WHOLE = 14, 47  # bytes of `!AIVDM,1,1,,B,`, and of a sentence of 168 bits behind it
_KINDS = 64
_DIGITS = b"0123456789ABCDEFabcdef"
_CHECKS = {bytes((high, low)): int(bytes((high, low)), 16) for high in _DIGITS for low in _DIGITS}
_CHANNELS = {b"A": "A", b"1": "A", b"B": "B", b"2": "B"}
_OWN = {b"M": None, b"O": True}
_PATIENCE_MS = 30_000
_MAX_PENDING = 64


@dataclass(slots=True)
class _Stamp:
    received_ms: int
    station: str | None = None
    country: int | None = None
    region: int | None = None
    covers: int = 0  # XOR of the checksums of the sentences it speaks of; 0 says nothing


class Message(msgspec.Struct, gc=False):
    """An AIS message of `size` bits, from `total` sentences; `at_us` is when its last sentence arrived here."""

    bits: int
    size: int
    total: int
    sensor: Sensor
    at_us: int


@dataclass(slots=True)
class Words:
    """Another sentence: address (talker and formatter), then its fields."""

    words: list[str]
    sensor: Sensor
    at_us: int


@dataclass(slots=True)
class _Waiting:
    started_ms: int
    parts: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    check: int = 0
    stamp: _Stamp | None = None


class Assembler:
    """One stream of lines; at most 64 messages wait for their other parts, 30 s each."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._announced: _Stamp | None = None
        self._clock_ms: int | None = None
        self._pending: dict[bytes, _Waiting] = {}
        self._heads: dict[bytes, tuple[bytes, bytes]] = {}

    def stamp(self, line: bytes) -> bool:
        """Whether `line` is an intact `$PGHP` line; it then speaks of the message that follows."""
        stamp = _announcement(line)
        if stamp:
            self._announced, self._clock_ms = stamp, stamp.received_ms
        return stamp is not None

    def push(self, line: bytes, at_us: int) -> Message | Words | None:
        """The message that `line` completes, if any.

        Raises:
            Damaged: the line is no intact sentence.
        """
        stamp, self._announced = self._announced, None
        if len(line) > MAX_LINE:
            raise Damaged("line too long")
        if line.startswith(b"\\"):
            tagged, line = _tag_block(line)
            stamp = tagged or stamp
        if len(line) == _WHOLE and (head := self._heads.get(line[:_HEAD])):
            usual = self._usual(line, head, stamp, at_us)
            if usual is not None:
                return usual
        found = _SENTENCE.fullmatch(line)
        if not found:
            return self._talker(line, stamp, at_us)
        body, _, own, total, number, _, channel, payload, fill, check, unix = found.groups()
        covered = int(check, 16)
        if checksum(body) != covered:
            raise Damaged("checksum")
        if stamp is None and unix:
            stamp = _Stamp(int(unix) * 1000)
        if stamp is not None:
            self._clock_ms = stamp.received_ms
        now_ms = at_us // 1000 if self._clock_ms is None else self._clock_ms
        if total == b"1":
            if number != b"1":
                raise Damaged("undecodable")
            if found.start("payload") == _HEAD and len(self._heads) < _KINDS:
                self._heads[line[:_HEAD]] = (channel, own)
            bits, size = unarmour(payload, 0 if fill == b"0" else int(fill))
            return Message(bits, size, 1, _sensor(stamp, covered, now_ms, channel, own), at_us)
        return self._join(found, stamp, now_ms, at_us)

    def close(self) -> None:
        """Count the parts that still wait as dropped."""
        for key in tuple(self._pending):
            self._give_up(key)

    def _usual(self, line: bytes, head: tuple[bytes, bytes], stamp: _Stamp | None, at_us: int) -> Message | None:
        """The message of 168 bits behind a head that is known; None where the line needs a closer look."""
        covered, payload = _CHECKS.get(line[45:], -1), line[_HEAD:42]
        if line[42:45] != b",0*" or payload.translate(None, ARMOUR) or checksum(line[1:44]) != covered:
            return None
        if stamp is not None:
            self._clock_ms = stamp.received_ms
        now_ms = at_us // 1000 if self._clock_ms is None else self._clock_ms
        bits, size = unarmour(payload, 0)
        return Message(bits, size, 1, _sensor(stamp, covered, now_ms, *head), at_us)

    def _talker(self, line: bytes, stamp: _Stamp | None, at_us: int) -> Words:
        found = _TALKER.fullmatch(line)
        if not found or found["body"].startswith(b"PGHP,"):
            raise Damaged(_why_not(line))
        if checksum(found["body"]) != int(found["check"], 16):
            raise Damaged("checksum")
        if stamp is not None:
            self._clock_ms = stamp.received_ms
        now_ms = at_us // 1000 if self._clock_ms is None else self._clock_ms
        return Words(found["words"].decode("ascii").split(","), _sensor(stamp, 0, now_ms, b"", b"M"), at_us)

    def _join(self, found: re.Match[bytes], stamp: _Stamp | None, now_ms: int, at_us: int) -> Message | None:
        number, total = int(found["number"]), int(found["total"])
        if number > total:
            raise Damaged("undecodable")
        key = b",".join(found.group("talker", "own", "total", "sequence", "channel"))
        waiting = self._waiting(key, number, _Waiting(now_ms))
        waiting.parts[number] = (found["payload"], int(found["fill"]))
        waiting.check ^= int(found["check"], 16)
        waiting.stamp = waiting.stamp or stamp
        if len(waiting.parts) < total:
            return None
        del self._pending[key]
        bits = size = 0
        for part in range(1, total + 1):
            more, width = unarmour(*waiting.parts[part])
            bits, size = bits << width | more, size + width
        sensor = _sensor(waiting.stamp, waiting.check, waiting.started_ms, found["channel"], found["own"])
        return Message(bits, size, total, sensor, at_us)

    def _waiting(self, key: bytes, number: int, fresh: _Waiting) -> _Waiting:
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


def _sensor(stamp: _Stamp | None, covered: int, now_ms: int, channel: bytes, own: bytes) -> Sensor:
    """When and by whom it was heard; a stamp that speaks of other sentences gives the time only."""
    if stamp is None or stamp.covers not in (0, covered):
        received_ms = now_ms if stamp is None else stamp.received_ms
        return Sensor(
            protocol=PROTOCOL,
            received_ms=received_ms,
            channel=_CHANNELS.get(channel),
            own=_OWN[own],
        )
    return Sensor(
        protocol=PROTOCOL,
        received_ms=stamp.received_ms,
        station=stamp.station,
        country=stamp.country,
        region=stamp.region,
        channel=_CHANNELS.get(channel),
        own=_OWN[own],
    )


def _intact(found: re.Match[bytes]) -> bool:
    return checksum(found["body"]) == int(found["check"], 16)


def _tag_block(line: bytes) -> tuple[_Stamp | None, bytes]:
    """The stamp of a leading tag block, None where it has no time (`c:`, seconds or milliseconds), and the rest."""
    found = _TAG_BLOCK.match(line)
    if not found or not _intact(found):
        raise Damaged("checksum")
    said = dict(item.split(b":", 1) for item in found["body"].split(b",") if b":" in item)
    time, station = said.get(b"c", b""), said.get(b"s", b"")[:15].decode("ascii", "replace")
    rest = line[found.end() :]
    if not _TIME.fullmatch(time):
        return None, rest
    received_ms = int(time) if len(time) == 13 else int(time) * 1000
    return _Stamp(received_ms, station if station.isprintable() and station else None), rest


def _announcement(line: bytes) -> _Stamp | None:
    """An intact `$PGHP` line: UTC receive time, country, region, base station, checksum of what follows.

    The checksum of a message of several sentences is the XOR of theirs; for VDO it is 00.
    """
    if not line.startswith(b"$PGHP,"):
        return None
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
    if line[:1] == b"!" and line[3:6] in (b"VDM", b"VDO"):
        return "undecodable"
    return "damaged sentence" if line[:1] in (b"$", b"!") else "not NMEA 0183"
