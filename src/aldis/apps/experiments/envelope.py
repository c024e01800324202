"""What a link of a bus delivers and takes: the key or topic, and the bytes that stood under it, as one piece of bytes.

So that recordings and gateways see bytes alone, whatever carried them. MessagePack: an array of two, `str` and `bin`.
"""

from __future__ import annotations

import msgspec

__all__ = ["MAX_KEY", "MAX_PAYLOAD", "Envelope", "opened", "sealed"]

MAX_KEY = 1024
MAX_PAYLOAD = 64 * 1024


class Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A key expression of zenoh without its prefix, or the name of a topic of DDS; and the sample's bytes."""

    key: str
    payload: bytes


_DECODER = msgspec.msgpack.Decoder(Envelope)
_ENCODER = msgspec.msgpack.Encoder()


def sealed(key: str, payload: bytes) -> bytes:
    """Both as one piece."""
    return _ENCODER.encode(Envelope(key, payload))


def opened(data: bytes) -> Envelope:
    """The two again.

    Raises:
        ValueError: these bytes are no envelope, or its parts are larger than `MAX_KEY` and `MAX_PAYLOAD`.
    """
    if len(data) > MAX_KEY + MAX_PAYLOAD + 16:
        raise ValueError("too large")
    envelope = _DECODER.decode(data)
    if not 0 < len(envelope.key) <= MAX_KEY or len(envelope.payload) > MAX_PAYLOAD:
        raise ValueError("too large")
    return envelope
