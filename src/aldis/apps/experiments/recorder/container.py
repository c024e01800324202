"""MCAP, the container: its records as bytes, both ways. Little-endian, uncompressed chunks, no sockets or files.

Source: the MCAP format specification, https://mcap.dev/spec. Only what a recording here consists of is read; whatever
else stands in a file is damage.
"""

from __future__ import annotations

import enum
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct, pack

__all__ = [
    "HEAD",
    "MAGIC",
    "MOST_RECORD",
    "Broken",
    "Channel",
    "Op",
    "channel",
    "chunk_front",
    "chunk_index",
    "data_end",
    "footer",
    "header",
    "message",
    "message_head",
    "message_index",
    "message_place",
    "metadata",
    "metadata_index",
    "read_channel",
    "read_chunk",
    "read_metadata",
    "records_in",
    "schema",
    "statistics",
    "summary_offset",
]

MAGIC = b"\x89MCAP0\r\n"
MOST_RECORD = 16 * 1024 * 1024
"""No record of a recording is longer, so that none needs more memory to be read."""

HEAD = Struct("<BQ")
_MESSAGE = Struct("<BQHIQQ")
_MESSAGE_BODY = _MESSAGE.size - HEAD.size
_PLACE = Struct("<9xH4xQ")
_CHUNK = Struct("<QQQIIQ")
_U16, _U32, _U64 = Struct("<H"), Struct("<I"), Struct("<Q")


class Op(enum.IntEnum):
    """Opcodes of the records used here."""

    HEADER = 0x01
    FOOTER = 0x02
    SCHEMA = 0x03
    CHANNEL = 0x04
    MESSAGE = 0x05
    CHUNK = 0x06
    MESSAGE_INDEX = 0x07
    CHUNK_INDEX = 0x08
    STATISTICS = 0x0B
    METADATA = 0x0C
    METADATA_INDEX = 0x0D
    SUMMARY_OFFSET = 0x0E
    DATA_END = 0x0F


_SCHEMA_OP, _CHANNEL_OP, _MESSAGE_OP = int(Op.SCHEMA), int(Op.CHANNEL), int(Op.MESSAGE)
_pack_message = _MESSAGE.pack
message_place: Callable[[bytes], tuple[int, int]] = _PLACE.unpack_from
"""Channel and log time of a message's record."""


class Broken(Exception):
    """Bytes that are no record of a recording; the message says what they are not."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What a channel's messages are about, and how they are marked."""

    id: int
    schema_id: int
    topic: str
    encoding: str
    metadata: Mapping[str, str]


def _record(op: Op, body: bytes) -> bytes:
    return HEAD.pack(op, len(body)) + body


def _text(value: str) -> bytes:
    data = value.encode()
    return _U32.pack(len(data)) + data


def _map(values: Mapping[str, str]) -> bytes:
    body = b"".join(_text(key) + _text(value) for key, value in values.items())
    return _U32.pack(len(body)) + body


def header(profile: str, library: str) -> bytes:
    """The first record of a file."""
    return _record(Op.HEADER, _text(profile) + _text(library))


def schema(number: int, name: str, encoding: str, data: bytes) -> bytes:
    """What messages look like; `number` is not 0."""
    return _record(Op.SCHEMA, _U16.pack(number) + _text(name) + _text(encoding) + _U32.pack(len(data)) + data)


def channel(made: Channel) -> bytes:
    """A channel."""
    body = pack("<HH", made.id, made.schema_id) + _text(made.topic) + _text(made.encoding) + _map(made.metadata)
    return _record(Op.CHANNEL, body)


def message(channel_id: int, sequence: int, log_ns: int, publish_ns: int, data: bytes) -> bytes:
    """A message."""
    return _pack_message(_MESSAGE_OP, _MESSAGE_BODY + len(data), channel_id, sequence, log_ns, publish_ns) + data


def message_head(record: bytes, start: int = 0) -> tuple[int, int, int, int]:
    """Channel, sequence, log time and publish time of a message whose record begins at `start`."""
    _, _, number, sequence, log_ns, publish_ns = _MESSAGE.unpack_from(record, start)
    return number, sequence, log_ns, publish_ns


def chunk_front(start_ns: int, end_ns: int, records: bytes) -> bytes:
    """A chunk up to its records, which follow uncompressed; with their CRC-32."""
    size = len(records)
    front = _CHUNK.pack(start_ns, end_ns, size, zlib.crc32(records), 0, size)
    return HEAD.pack(Op.CHUNK, len(front) + size) + front


def message_index(channel_id: int, pairs: Sequence[int]) -> bytes:
    """Where in the chunk before it a channel's messages are: log time, offset, log time, offset and so on."""
    return _record(Op.MESSAGE_INDEX, pack(f"<HI{len(pairs)}Q", channel_id, 8 * len(pairs), *pairs))


def metadata(name: str, values: Mapping[str, str]) -> bytes:
    """Names and values; the last value ends the record."""
    return _record(Op.METADATA, _text(name) + _map(values))


def data_end() -> bytes:
    """The end of the data section; it has no CRC of its own, since seals cover it."""
    return _record(Op.DATA_END, _U32.pack(0))


def statistics(counts: Mapping[int, int], schemas: int, metadatas: int, chunks: int, first: int, last: int) -> bytes:
    """What the file holds: messages by channel, and the log times of its earliest and latest message."""
    body = pack("<QHIIIIQQ", sum(counts.values()), schemas, len(counts), 0, metadatas, chunks, first, last)
    return _record(
        Op.STATISTICS, body + _U32.pack(10 * len(counts)) + b"".join(pack("<HQ", *c) for c in counts.items())
    )


def chunk_index(
    span: tuple[int, int], place: tuple[int, int], indexes: Mapping[int, int], index_size: int, size: int
) -> bytes:
    """Where a chunk is (`place`: offset and length), and the offset of each channel's message index after it."""
    offsets = b"".join(pack("<HQ", *pair) for pair in indexes.items())
    body = pack("<QQQQI", *span, *place, len(offsets)) + offsets + pack("<QIQQ", index_size, 0, size, size)
    return _record(Op.CHUNK_INDEX, body)


def metadata_index(offset: int, length: int, name: str) -> bytes:
    """Where a metadata record is."""
    return _record(Op.METADATA_INDEX, pack("<QQ", offset, length) + _text(name))


def summary_offset(op: Op, start: int, length: int) -> bytes:
    """Where the summary's records of one kind are."""
    return _record(Op.SUMMARY_OFFSET, pack("<BQQ", op, start, length))


def footer(summary: bytes, summary_start: int, offsets_start: int) -> bytes:
    """The last record; its CRC-32 is over the summary and its own first two fields."""
    begin = HEAD.pack(Op.FOOTER, 20) + pack("<QQ", summary_start, offsets_start)
    return begin + _U32.pack(zlib.crc32(begin, zlib.crc32(summary)))


class _Fields:
    """The fields of one record's body, taken from its front."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def number(self, form: Struct) -> int:
        try:
            (value,) = form.unpack_from(self._body, self._at)
        except struct.error as error:
            raise Broken("a record that ends too early") from error
        self._at += form.size
        return int(value)

    def text(self) -> str:
        size = self.number(_U32)
        data = self._body[self._at : self._at + size]
        if len(data) != size:
            raise Broken("a text longer than its record")
        self._at += size
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise Broken("a text that is not UTF-8") from error

    def map(self) -> dict[str, str]:
        end = self.number(_U32) + self._at
        values = {}
        while self._at < end:
            key = self.text()
            values[key] = self.text()
        if self._at != end:
            raise Broken("a map longer than it says")
        return values

    def done(self) -> None:
        if self._at != len(self._body):
            raise Broken("a record with more than belongs in it")


def read_channel(body: bytes) -> Channel:
    """A channel's record, without opcode and length.

    Raises:
        Broken: it is none.
    """
    fields = _Fields(body)
    number, schema_id = fields.number(_U16), fields.number(_U16)
    made = Channel(number, schema_id, fields.text(), fields.text(), fields.map())
    fields.done()
    return made


def read_metadata(body: bytes) -> tuple[str, dict[str, str]]:
    """Name and values of a metadata record, without opcode and length.

    Raises:
        Broken: it is none.
    """
    fields = _Fields(body)
    made = fields.text(), fields.map()
    fields.done()
    return made


def read_chunk(body: bytes) -> tuple[int, int, bytes]:
    """Earliest and latest log time of a chunk, and its records.

    Raises:
        Broken: it is none, or compressed.
    """
    try:
        start_ns, end_ns, size, crc, compression, stored = _CHUNK.unpack_from(body)
    except struct.error as error:
        raise Broken("a chunk that ends too early") from error
    records = body[_CHUNK.size :]
    if compression or not size == stored == len(records):
        raise Broken("a chunk whose sizes disagree")
    if zlib.crc32(records) != crc:
        raise Broken("a chunk whose CRC does not hold")
    return start_ns, end_ns, records


def records_in(records: bytes) -> Iterator[tuple[int, int, int]]:
    """Opcode, start and end of each record in a chunk; only schemas, channels and messages belong there.

    Raises:
        Broken: where something else begins.
    """
    at, size, front, unpack = 0, len(records), HEAD.size, HEAD.unpack_from
    while at < size:
        if at + front > size:
            raise Broken("a chunk that ends within a record")
        op, length = unpack(records, at)
        end = at + front + length
        known = length >= _MESSAGE_BODY if op == _MESSAGE_OP else op in (_SCHEMA_OP, _CHANNEL_OP)
        if not known or end > size:
            raise Broken("a chunk with what does not belong in it")
        yield op, at, end
        at = end
