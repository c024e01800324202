"""Small signed messages between nodes: greetings, receipts, invitations, and the heads of content files.

Each travels as JSON bytes and one signature over exactly those bytes, in the context of its type.
"""

from __future__ import annotations

from typing import Annotated, Literal, Protocol, TypeVar

import msgspec

from aldis.kernel.encoding import MOST
from aldis.kernel.errors import InvalidInput, TooLarge
from aldis.kernel.signatures import Key, Signer

__all__ = [
    "Content",
    "ContentReceipt",
    "Cursor",
    "Greeting",
    "Receipt",
    "Welcome",
    "open_message",
    "read_unverified",
    "sign_message",
]

MAX_MESSAGE = 256 * 1024

_Whole = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}\\Z")]


class _Message(Protocol):
    """What can be signed: a closed struct that names its context."""

    CONTEXT: bytes


class Cursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a receiver has admitted one partner's stream; its word is the only truth about that.

    `digest` is that of the last admitted manifest, hex; empty before the first.
    """

    epoch: _Whole
    seq: _Whole
    digest: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?\\Z")]


class Greeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a sender says first: who it is, its epoch, and its ledger's newest checkpoint for cosigning.

    `proof` holds the consistency proof from the size `since` that the partner last cosigned, digests in hex.
    """

    CONTEXT = b"aldis/greeting/1"
    origin: str
    audience: str
    at: _Whole
    epoch: _Whole
    checkpoint: str = ""
    since: _Whole = 0
    proof: list[_Digest] = []


class Welcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The answer to a greeting: the receiver's cursor, and its cosignature where the checkpoint was consistent.

    `cosigned` is the size of the sender's ledger that the receiver last cosigned.
    """

    CONTEXT = b"aldis/welcome/1"
    origin: str
    audience: str
    at: _Whole
    cursor: Cursor
    cosigned: _Whole = 0
    cosignature: str = ""


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The receiver's signed word that it holds a partner's stream up to `cursor`.

    `quarantined` counts the items of the last bundle that were set aside instead of admitted.
    """

    CONTEXT = b"aldis/receipt/1"
    origin: str
    audience: str
    at: _Whole
    cursor: Cursor
    quarantined: _Whole = 0


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The head of a content file: whose content, for whom, of which attachment; the bytes themselves follow it."""

    CONTEXT = b"aldis/content/1"
    origin: str
    audience: str
    digest: _Digest
    size: _Whole


class ContentReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The receiver's signed word on one attachment: how much of it has arrived, and what is to come next.

    `partial`: go on from byte `held`. `whole`: send no more. `later`: no room now, or no portion admitted here
    describes it. `refused`: it is not what was described, for the `reason` given; send no more.
    """

    CONTEXT = b"aldis/content-receipt/1"
    origin: str
    audience: str
    at: _Whole
    digest: _Digest
    held: _Whole
    state: Literal["partial", "whole", "later", "refused"]
    reason: str = ""


class _Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    payload: bytes
    signature: bytes


_M = TypeVar("_M", bound=_Message)
_envelope_decoder = msgspec.msgpack.Decoder(_Envelope)


def sign_message(message: _Message, signer: Signer) -> bytes:
    """The message and the signer's signature, as bytes."""
    payload = msgspec.json.encode(message)
    return msgspec.msgpack.encode(_Envelope(payload, signer.sign(message.CONTEXT, payload)))


def open_message(data: bytes, message_type: type[_M], key: Key) -> _M:
    """The message, once its signature verified with the pinned key.

    Raises:
        NotAuthentic: signed by another key, or as another type of message.
        InvalidInput: not a signed message, or not of the closed schema of its type.
    """
    envelope = _envelope(data)
    key.verify(message_type.CONTEXT, envelope.payload, envelope.signature)
    return _payload(envelope, message_type)


def read_unverified(data: bytes, message_type: type[_M]) -> _M:
    """What the message claims, for a stranger whose key is inside it: compare fingerprints before believing it."""
    return _payload(_envelope(data), message_type)


def _envelope(data: bytes) -> _Envelope:
    if len(data) > MAX_MESSAGE:
        raise TooLarge(f"a message of {len(data)} bytes; the limit is {MAX_MESSAGE}")
    try:
        return _envelope_decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a signed message: {error}") from error


def _payload(envelope: _Envelope, message_type: type[_M]) -> _M:
    try:
        return msgspec.json.decode(envelope.payload, type=message_type)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a {message_type.__name__.lower()}: {error}") from error
