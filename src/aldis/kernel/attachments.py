"""Attachments: files that a portion describes, whose content travels beside the records, known by its digest.

The description is a value of a portion, so it has that portion's label, and whoever is not given the portion learns
nothing of it. The content is the bytes whose SHA-256 the description gives, and needs no other signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, get_args, get_origin

import msgspec

from aldis.kernel.encoding import DIGEST_SIZE, MOST
from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = [
    "ATTACHMENT_LIMIT",
    "CHUNK_LIMIT",
    "PORTION_ATTACHMENTS",
    "Attachment",
    "Chunk",
    "attachments_in",
    "check_attachments",
    "chunk_head",
    "holds_attachments",
    "is_chunk",
    "open_chunk",
    "write_chunk",
]

ATTACHMENT_LIMIT = 1024 * 1024 * 1024
"""The greatest size of an attachment in bytes."""
CHUNK_LIMIT = 8 * 1024 * 1024
"""The most bytes of content in one chunk."""
PORTION_ATTACHMENTS = 100
"""The most attachments that one portion describes."""
_NAME_BYTES = 255
_FORMAT = "aldis-content/1"
_OPENING = b"\x94\xaf" + _FORMAT.encode()
_OVERHEAD = 128
_BIN = {1: b"\xc4", 2: b"\xc5", 4: b"\xc6"}
"""How bytes begin in MessagePack, by the width of the length that follows."""
_EMPTY = b"\xc4\x00"

_Size = Annotated[int, msgspec.Meta(ge=0, le=ATTACHMENT_LIMIT)]


class Attachment(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One file: SHA-256 (hex) and size in bytes of its content, its media type (RFC 6838), its name without a path."""

    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}\\Z")]
    size: _Size
    media_type: Annotated[
        str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\\Z")
    ]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=_NAME_BYTES)]


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """A piece of the content with this digest, from `offset` on."""

    digest: bytes
    offset: int
    data: memoryview


class _Wire(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    format: str
    digest: bytes
    offset: int
    data: memoryview


_decoder = msgspec.msgpack.Decoder(_Wire)
_encoder = msgspec.msgpack.Encoder()


def holds_attachments(expected: Any) -> bool:
    """Whether a portion of this type describes attachments: one, or a list of them."""
    return expected is Attachment or (get_origin(expected) is list and get_args(expected) == (Attachment,))


def attachments_in(value: Any) -> list[Attachment]:
    """What in a JSON value has the shape of an attachment, whatever its kind; PORTION_ATTACHMENTS at most."""
    found, left = list[Attachment](), [value]
    while left and len(found) < PORTION_ATTACHMENTS:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            try:
                found.append(msgspec.convert(one, Attachment))
            except msgspec.ValidationError:
                left += one.values()
    return found


def check_attachments(found: Sequence[Attachment]) -> None:
    """Return if these can stand in one portion.

    Raises:
        InvalidInput: a name that is a path or cannot be shown, or that comes twice.
        TooLarge: over PORTION_ATTACHMENTS.
    """
    if len(found) > PORTION_ATTACHMENTS:
        raise TooLarge(f"{len(found)} attachments in one portion; the limit is {PORTION_ATTACHMENTS}")
    for one in found:
        name = one.name
        plain = name.isprintable() and name == name.strip() and len(name.encode()) <= _NAME_BYTES
        if not plain or name[0] in ".-" or "/" in name or "\\" in name:
            raise InvalidInput(f"an attachment cannot be called {name[:64]!r}", fix="Give it a plain file name")
    if len({one.name for one in found}) != len(found):
        raise InvalidInput("two attachments of one portion have the same name", fix="Give each a name of its own")


def chunk_head(digest: bytes, offset: int, size: int) -> bytes:
    """What comes before `size` bytes of data in a chunk of them."""
    before = _encoder.encode((_FORMAT, digest, offset, b""))[: -len(_EMPTY)]
    width = next(width for width in (1, 2, 4) if size < 1 << 8 * width)
    return before + _BIN[width] + size.to_bytes(width, "big")


def write_chunk(digest: bytes, offset: int, data: bytes | bytearray | memoryview) -> bytes:
    """The body of a delivery that carries this piece; none asks how much the receiver has."""
    return chunk_head(digest, offset, len(data)) + data


def is_chunk(body: bytes | bytearray) -> bool:
    """Whether the body of a delivery is a chunk and no bundle."""
    return body.startswith(_OPENING)


def open_chunk(body: bytes | bytearray) -> Chunk:
    """The chunk in the body of a delivery; its data is a view of `body`.

    Raises:
        TooLarge: over CHUNK_LIMIT.
        InvalidInput: not of the closed schema of a chunk.
    """
    if len(body) > CHUNK_LIMIT + _OVERHEAD:
        raise TooLarge(f"a chunk of {len(body)} bytes; the limit is {CHUNK_LIMIT}")
    try:
        wire = _decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a chunk of an attachment: {error}") from error
    if (
        wire.format != _FORMAT
        or len(wire.digest) != DIGEST_SIZE
        or not 0 <= wire.offset <= MOST
        or len(wire.data) > CHUNK_LIMIT
    ):
        raise InvalidInput("a chunk with a format, digest, offset or size that cannot be")
    return Chunk(wire.digest, wire.offset, wire.data)
