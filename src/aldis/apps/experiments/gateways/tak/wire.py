"""Protocol Buffers on the wire, as much as TAK needs: tags, varints, doubles, and stretches of bytes.

Encoding: protobuf.dev, "Encoding" (wire types 0, 1, 2 and 5; groups are refused).
"""

from __future__ import annotations

from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["put_varint", "skipped", "varint"]


_SMALL = [bytes((value,)) for value in range(0x80)]


def varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """The number at `place`, and where it ends.

    Raises:
        Damaged: it has no end before `end`, or more than 64 bits.
    """
    value = shift = 0
    while place < end:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, place
        shift += 7
        if shift > 63:
            break
    raise Damaged("not TAK protobuf")


def put_varint(value: int) -> bytes:
    """`value`, at least 0, as a varint."""
    if value < 0x80:
        return _SMALL[value]
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def skipped(data: bytes, tag: int, place: int, end: int) -> int:
    """Where the value at `place` of a field with this tag ends.

    Raises:
        Damaged: there is no such field, or its end lies beyond `end`.
    """
    wire = tag & 7
    if wire == 0:
        place = varint(data, place, end)[1]
    elif wire == 1:
        place += 8
    elif wire == 2:
        size, place = varint(data, place, end)
        place += size
    elif wire == 5:
        place += 4
    else:
        raise Damaged("not TAK protobuf")
    if place > end or not tag >> 3 or tag >> 32:
        raise Damaged("not TAK protobuf")
    return place
