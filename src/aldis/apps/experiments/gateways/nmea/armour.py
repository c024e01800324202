"""Six-bit armour of AIS payloads, six-bit text, and the checksum of a sentence.

ITU-R M.1371-5, Annex 8, table 47 (text); IEC 61162-1, 7.2.3.4 and 7.2.4 (checksum and six-bit armour). The armour maps
to base64 character by character, so the standard library's base64 does the packing.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from struct import Struct

__all__ = ["ARMOUR", "MAX_PART", "armour", "checksum", "sentence", "text_bits", "text_of", "unarmour", "whole_sentence"]

MAX_PART = 56
"""Characters of payload in one sentence, so that it has at most 82."""

ARMOUR = bytes((*range(48, 88), *range(96, 120)))
"""The characters of a payload."""
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_four, _six, _eight = (Struct(f"<{count}Q").unpack for count in (4, 6, 8))
_TEXT = b"@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_ !\"#$%&'()*+,-./0123456789:;<=>?"
_FROM_ARMOUR = bytes.maketrans(ARMOUR, _BASE64)
_TO_ARMOUR = bytes.maketrans(_BASE64, ARMOUR)
_ENDS = [b",0*%02X\r\n" % check for check in range(256)]
_TO_TEXT = bytes.maketrans(_BASE64, _TEXT)
_FROM_TEXT = bytes.maketrans(_TEXT, _BASE64)


def checksum(body: bytes) -> int:
    """The exclusive or of all bytes."""
    if len(body) <= 48:
        a, b, c, d, e, f = _six(body.ljust(48, b"\0"))
        folded = a ^ b ^ c ^ d ^ e ^ f
    else:
        a, b, c, d, e, f, g, h = _eight(body[:64].ljust(64, b"\0"))
        folded = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h
    folded ^= folded >> 32
    folded ^= folded >> 16
    own: int = (folded ^ folded >> 8) & 255
    return own ^ checksum(body[64:]) if len(body) > 64 else own


def sentence(body: bytes, start: bytes = b"$") -> bytes:
    """`body` as a sentence, with its end of line."""
    return b"%s%s*%02X\r\n" % (start, body, checksum(body))


def unarmour(payload: bytes, fill: int) -> tuple[int, int]:
    """The bits of a payload of armour characters as a number, and how many they are."""
    size = len(payload)
    if size == 28 and not fill:  # most messages
        return int.from_bytes(a2b_base64(payload.translate(_FROM_ARMOUR)), "big"), 168
    packed = a2b_base64(payload.translate(_FROM_ARMOUR) + b"A" * (-size % 4))
    return int.from_bytes(packed, "big") >> (-size % 4 * 6 + fill), size * 6 - fill


def whole_sentence(head: bytes, before: int, bits: int) -> bytes:
    """The sentence of a message of 168 bits behind `head`; `before` is the checksum of `head` and of what follows."""
    payload = b2a_base64(bits.to_bytes(21, "big"), newline=False).translate(_TO_ARMOUR)
    a, b, c, d = _four(payload.ljust(32, b"\0"))
    folded = a ^ b ^ c ^ d
    folded ^= folded >> 32
    folded ^= folded >> 16
    end: bytes = _ENDS[(folded ^ folded >> 8) & 255 ^ before]
    return head + payload + end


def armour(bits: int, size: int) -> tuple[bytes, int]:
    """`size` bits as payload, and the number of fill bits in its last character."""
    fill = -size % 6
    count = (size + fill) // 6
    spare = -count % 4
    packed = (bits << (fill + spare * 6)).to_bytes((count + spare) * 6 // 8, "big")
    return b2a_base64(packed, newline=False)[:count].translate(_TO_ARMOUR), fill


def text_of(bits: int, size: int) -> str:
    """`size` bits as six-bit text, unabridged; an incomplete character at the end is left out."""
    count = size // 6
    spare = -count % 4
    packed = (bits >> (size % 6) << (spare * 6)).to_bytes((count + spare) * 6 // 8, "big")
    return b2a_base64(packed, newline=False)[:count].translate(_TO_TEXT).decode("ascii")


def text_bits(text: str, count: int) -> int:
    """`text`, which must be six-bit text of at most `count` characters, as `count` characters filled up with `@`."""
    spare = -count % 4
    packed = a2b_base64(text.encode("ascii").ljust(count + spare, b"@").translate(_FROM_TEXT))
    return int.from_bytes(packed, "big") >> (spare * 6)
