"""Checksums by name, and where a frame has one.

`crc16-ccitt` has the polynomial 0x1021 and begins with 0xFFFF (ITU-T V.41, as CRC-16/IBM-3740 lists it); `crc32` is
that of IEEE 802.3; `fletcher8` is the pair of eight-bit sums of RFC 1145, as u-blox receivers write it.
"""

from __future__ import annotations

import binascii
import zlib
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Literal

from aldis.apps.experiments.gateways.mapping.spec import Checksum

__all__ = ["SIZES", "holds", "mark_of", "signed", "sum_of"]

SIZES = {"xor": 1, "sum8": 1, "fletcher8": 2, "crc16-ccitt": 2, "crc32": 4}
"""Bytes of each."""


def _fletcher(data: bytes) -> int:
    first = second = 0
    for byte in data:
        first = (first + byte) & 255
        second = (second + first) & 255
    return first | second << 8


_SUMS: dict[str, Callable[[bytes], int]] = {
    "xor": lambda data: reduce(xor, data, 0),
    "sum8": lambda data: sum(data) & 255,
    "fletcher8": _fletcher,
    "crc16-ccitt": lambda data: binascii.crc_hqx(data, 0xFFFF),
    "crc32": zlib.crc32,
}


def sum_of(spec: Checksum, data: bytes) -> bytes:
    """The checksum's bytes; `fletcher8` has its first sum first whatever the order of bytes."""
    order: Literal["little", "big"] = "little" if spec.kind == "fletcher8" else spec.endian
    return _SUMS[spec.kind](data).to_bytes(SIZES[spec.kind], order)


def holds(spec: Checksum | None, frame: bytes) -> bool:
    """Whether the checksum of a binary frame is right."""
    if spec is None:
        return True
    assert spec.at is not None
    at = _place(spec.at, frame)
    return at >= 0 and frame[at : at + SIZES[spec.kind]] == sum_of(spec, frame[spec.first : spec.last])


def signed(spec: Checksum | None, frame: bytearray) -> None:
    """Write the checksum into a binary frame."""
    if spec is not None:
        assert spec.at is not None
        at = _place(spec.at, frame)
        frame[at : at + SIZES[spec.kind]] = sum_of(spec, bytes(frame[spec.first : spec.last]))


def mark_of(spec: Checksum, line: bytes) -> bytes:
    """The mark and hexadecimal digits that follow a line."""
    return spec.mark.encode() + sum_of(spec, line[spec.first :]).hex().upper().encode()


def _place(at: int, frame: bytes | bytearray) -> int:
    return at if at >= 0 else len(frame) + at
