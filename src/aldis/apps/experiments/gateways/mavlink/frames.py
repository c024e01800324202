"""MAVLink frames, versions 1 and 2: checksum, trimming, and a parser that finds its way again after damage.

Sources: mavlink.io/en/guide/serialization.html (packet formats, payload truncation, CRC_EXTRA); the checksum is
CRC-16/MCRF4XX, which is X.25 without its last inversion.
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from collections.abc import Callable
from struct import Struct
from typing import NamedTuple

from aldis.apps.experiments.gateways.mavlink.messages import BY_ID, Layout

__all__ = ["LONGEST", "SIGNED", "Frame", "Parser", "checksum", "pack"]

V1, V2 = 0xFE, 0xFD
SIGNED = 0x01
"""The only flag of `incompat_flags` that is defined: 13 bytes of signature follow the checksum."""
LONGEST = 10 + 255 + 2 + 13
"""No frame is longer, so no more than this waits for its end."""

_V1_HEAD, _V2_HEAD = Struct("<BBBBBB"), Struct("<BBBBBBBHB")
_MAGIC = re.compile(rb"[\xfd\xfe]")


def _mirror(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)


_MIRRORED = bytes(_mirror(byte, 8) for byte in range(256))
_EXTRA = [bytes([byte]) for byte in range(256)]


class Frame(NamedTuple):
    """One message as it stood on the wire; `payload` has no trailing zeros restored."""

    message: int
    system: int
    component: int
    sequence: int
    payload: bytes
    version: int = 2
    raw: bytes = b""
    signature: bytes = b""


def checksum(data: bytes, extra: int) -> int:
    """CRC-16/MCRF4XX over `data` and the message's CRC_EXTRA.

    The polynomial of `crc_hqx` is the same one not reflected: bits are mirrored on the way in and out.
    """
    crc = crc_hqx((data + _EXTRA[extra]).translate(_MIRRORED), 0xFFFF)
    return _MIRRORED[crc >> 8] | _MIRRORED[crc & 0xFF] << 8


def pack(
    layout: Layout, payload: bytes, system: int, component: int, sequence: int, sign: Callable[[bytes], bytes] | None
) -> bytes:
    """A version 2 frame, its trailing zeros trimmed; `sign` gives the 13 bytes that follow a signed one."""
    payload = payload.rstrip(b"\0") or b"\0"
    number = layout.id
    head = _V2_HEAD.pack(
        V2, len(payload), SIGNED if sign else 0, 0, sequence & 0xFF, system, component, number & 0xFFFF, number >> 16
    )
    frame = head + payload
    frame += checksum(frame[1:], layout.crc_extra).to_bytes(2, "little")
    return frame + sign(frame) if sign else frame


class Parser:
    """Frames out of a stream or out of datagrams; what is damaged is told by its reason, never raised."""

    def __init__(self) -> None:
        self.pending = b""

    def feed(self, data: bytes) -> tuple[list[Frame], list[str]]:
        """The frames that `data` completes, and why other bytes were not frames."""
        if not self.pending and data[:1] in (b"\xfd", b"\xfe"):
            frame = _frame_at(data, 0)
            if isinstance(frame, Frame) and len(frame.raw) == len(data):
                return [frame], []
        frames: list[Frame] = []
        faults: list[str] = []
        if self.pending:
            if data[:1] in (b"\xfd", b"\xfe") and isinstance(_frame_at(data, 0), Frame):
                faults.append("cut short")  # a whole frame begins here: what waited was the head of a lost one
            else:
                data = self.pending + data
            self.pending = b""
        at, end, resync = 0, len(data), False
        while at < end:
            if data[at] not in (V1, V2):
                found = _MAGIC.search(data, at)
                if not resync:
                    faults.append("noise")
                if found is None:
                    break
                at = found.start()
            result = _frame_at(data, at)
            if result is None:
                self.pending = data[at:]
                break
            if isinstance(result, str):
                if result != "message not known" or not _ends_well(data, at):
                    at, resync = at + 1, True
                else:
                    at, resync = at + _size(data, at), False
                faults.append(result)
                continue
            frames.append(result)
            at, resync = at + len(result.raw), False
        return frames, faults


def _size(data: bytes, at: int) -> int:
    if data[at] == V1:
        return data[at + 1] + 8
    return data[at + 1] + (25 if data[at + 2] & SIGNED else 12)


def _ends_well(data: bytes, at: int) -> bool:
    """Whether what follows an unverifiable frame is the next one, or nothing."""
    end = at + _size(data, at)
    return end == len(data) or data[end] in (V1, V2)


def _frame_at(data: bytes, at: int) -> Frame | str | None:
    """The frame that begins at `at`, why there is none, or None where its end has not come yet."""
    left = len(data) - at
    if data[at] == V2:
        if left < 3:
            return None
        if data[at + 2] & ~SIGNED:
            return "flags not known"
        if left < 12:
            return None
        size = data[at + 1] + (25 if data[at + 2] & SIGNED else 12)
        _, length, flags, _, sequence, system, component, low, high = _V2_HEAD.unpack_from(data, at)
        number, body = low | high << 16, at + 10
    else:
        if left < 8:
            return None
        size, flags = data[at + 1] + 8, 0
        _, length, sequence, system, component, number = _V1_HEAD.unpack_from(data, at)
        body = at + 6
    layout = BY_ID.get(number)
    if layout is not None and data[at] == V1 and length != layout.base:
        return "length"
    if left < size:
        return None
    if layout is None:
        return "message not known"
    stop = body + length
    if checksum(data[at + 1 : stop], layout.crc_extra) != data[stop] | data[stop + 1] << 8:
        return "checksum"
    signature = data[stop + 2 : stop + 15] if flags else b""
    version = 2 if data[at] == V2 else 1
    return Frame(number, system, component, sequence, data[body:stop], version, data[at : at + size], signature)
