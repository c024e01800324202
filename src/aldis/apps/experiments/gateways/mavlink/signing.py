"""Signatures of MAVLink 2 frames: HMAC-like, over one shared key of 32 bytes.

Source: mavlink.io/en/guide/message_signing.html: the first 48 bits of SHA-256 over key, frame up to its checksum, link
and time stamp; the stamp counts units of 10 microseconds since 2015-01-01 UTC.
"""

from __future__ import annotations

import hashlib
import hmac

from aldis.apps.experiments.gateways.mavlink.frames import Frame

__all__ = ["SIGNATURE", "Signer"]

SIGNATURE = 13
"""Bytes: link 1, time stamp 6, signature 6."""

_EPOCH_US = 1_420_070_400_000_000
_LATE = 6_000_000  # a new stream may be one minute behind
_STREAMS = 1_024


class Signer:
    """Signs what is sent and verifies what comes, with time stamps that only ever rise.

    Raises:
        ValueError: the key is not 32 bytes long.
    """

    def __init__(self, key: bytes, link: int = 0) -> None:
        if len(key) != 32:
            raise ValueError("a MAVLink signing key is 32 bytes long: give one of that length")
        self._key = key
        self._link = link & 0xFF
        self._stamp = 0
        self._streams: dict[tuple[int, int, int], int] = {}

    def sign(self, frame: bytes, at_us: int) -> bytes:
        """The 13 bytes that follow `frame`, which ends with its checksum."""
        self._stamp = max(self._stamp + 1, _units(at_us))
        tail = bytes([self._link]) + self._stamp.to_bytes(6, "little")
        return tail + self._digest(frame + tail)

    def fault(self, frame: Frame, at_us: int) -> str | None:
        """Why a frame is not to be believed, or None; one believed moves its stream's time on."""
        if not frame.signature:
            return "not signed"
        link, stamp = frame.signature[0], int.from_bytes(frame.signature[1:7], "little")
        if not hmac.compare_digest(self._digest(frame.raw[:-6]), frame.signature[7:]):
            return "signature"
        stream = (frame.system, frame.component, link)
        last = self._streams.get(stream)
        if last is None:
            if len(self._streams) >= _STREAMS:
                return "too many signed streams"
            if stamp + _LATE < max(self._stamp, _units(at_us)):
                return "signed too long ago"
        elif stamp <= last:
            return "signed before"
        self._streams[stream] = stamp
        self._stamp = max(self._stamp, stamp)
        return None

    def _digest(self, data: bytes) -> bytes:
        return hashlib.sha256(self._key + data).digest()[:6]


def _units(at_us: int) -> int:
    return max(0, at_us - _EPOCH_US) // 10
