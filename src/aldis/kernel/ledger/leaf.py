"""One leaf of the ledger: what was decided, when, under which policy, and why."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["LEAF_LIMIT", "Leaf", "LeafType", "decode_leaf", "encode_leaf"]

LEAF_LIMIT = 16_384
"""The greatest size of an encoded leaf in bytes."""

LeafType: TypeAlias = Literal[
    "admission",
    "decision",
    "epoch",
    "erasure",
    "export",
    "hold",
    "label",
    "partner",
    "person",
    "quarantine",
    "recall",
    "receipt",
    "release",
    "sign-in",
]

_DIGEST = "[0-9a-f]{64}"
_Text: TypeAlias = Annotated[str, Meta(max_length=1_024)]


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A ledger entry. Its place in the ledger is its index in the tree, so the leaf itself has no number.

    `at` is in milliseconds since the Unix epoch (UTC). `input` is the SHA-256 digest of what was decided on and
    `epoch` that of the policies and instruments in force ("" before there are any), both in hexadecimal. `subject`
    is the id of the record, bundle, partner or person concerned, `actor` the person or node that acted.
    """

    at: Annotated[int, Meta(ge=0, lt=2**53)]
    type: LeafType
    input: Annotated[str, Meta(pattern=rf"^{_DIGEST}\Z")]
    epoch: Annotated[str, Meta(pattern=rf"^({_DIGEST})?\Z")]
    verdict: _Text
    reasons: Annotated[tuple[_Text, ...], Meta(max_length=64)]
    subject: _Text
    actor: _Text


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Leaf)


def encode_leaf(leaf: Leaf) -> bytes:
    """The JSON bytes of `leaf`, which are what the ledger hashes and keeps.

    Raises:
        InvalidInput: a field is outside its limits, so that nobody could read the leaf back.
    """
    try:
        data = _ENCODER.encode(leaf)
    except (msgspec.MsgspecError, UnicodeError, OverflowError, TypeError) as error:
        raise InvalidInput(f"leaf cannot be written: {error}", fix="Mend the field named") from error
    decode_leaf(data)
    return data


def decode_leaf(data: bytes) -> Leaf:
    """The leaf that `data` holds.

    Raises:
        TooLarge: more than LEAF_LIMIT bytes.
        InvalidInput: not JSON, an unknown or missing field, or a value outside its limits.
    """
    if len(data) > LEAF_LIMIT:
        raise TooLarge(f"leaf of {len(data)} bytes, limit {LEAF_LIMIT}", fix="Shorten its reasons")
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InvalidInput(f"not a leaf: {error}", fix="Mend the field named") from error
