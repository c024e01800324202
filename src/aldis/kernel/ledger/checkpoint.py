"""Checkpoints: a node's signed statement of its whole ledger, and the cosignatures of those who checked it.

The formats are c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature (v1). Whatever algorithm a node uses for its
bundles, a ledger is always signed with Ed25519 (RFC 8032), so that any C2SP witness or monitor can read it.

Private keys stay outside: a `NoteSigner` turns a message into its 64-byte signature. Public keys are 32 raw bytes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from aldis.kernel.encoding import DIGEST_SIZE
from aldis.kernel.errors import InvalidInput, NotAuthentic
from aldis.kernel.ledger.merkle import EMPTY_ROOT
from aldis.kernel.ledger.note import Note, Signature, key_id, parse_note

__all__ = ["Checkpoint", "NoteSigner", "cosign", "sign_checkpoint", "verify_checkpoint", "verify_cosignature"]

NoteSigner: TypeAlias = Callable[[bytes], bytes]

_ED25519 = 0x01
_COSIGNATURE = 0x04
_TIME_SIZE = 8
_BODY = re.compile(r"([^\n]+)\n([0-9]{1,19})\n([A-Za-z0-9+/]{43}=)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root over the first `size` leaves of the ledger named `origin`."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.size < 2**63 or len(self.root) != DIGEST_SIZE:
            raise InvalidInput(f"no ledger has size {self.size} and a root of {len(self.root)} bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise InvalidInput("an empty ledger has another root", fix="Take the root from the ledger itself")

    def body(self) -> bytes:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n".encode()


def sign_checkpoint(checkpoint: Checkpoint, public_key: bytes, signer: NoteSigner) -> bytes:
    """The checkpoint as a note signed by its own ledger; the key's name is the origin.

    Sign only what continues every checkpoint signed before.

    Raises:
        InvalidInput: the origin cannot name a key.
        NotAuthentic: `signer` does not hold the private half of `public_key`.
    """
    text = checkpoint.body()
    signature = Signature(checkpoint.origin, key_id(checkpoint.origin, _ED25519, public_key), signer(text))
    _verify(public_key, signature.value, text)
    return Note(text, (signature,)).encode()


def verify_checkpoint(note: bytes, name: str, public_key: bytes) -> Checkpoint:
    """The checkpoint of the ledger `name`, once its signature holds.

    1. the note is well formed and within limits;
    2. it bears a signature by that name and key, and each such signature is valid;
    3. the text is a checkpoint (this profile admits no extension lines);
    4. its origin is `name`.

    Raises:
        InvalidInput: check 1 or 3.
        NotAuthentic: check 2 or 4.
    """
    parsed = parse_note(note)  # 1
    for value in _values(parsed, name, _ED25519, public_key):  # 2
        _verify(public_key, value, parsed.text)
    checkpoint = _parse_body(parsed.text)  # 3
    if checkpoint.origin != name:  # 4
        raise NotAuthentic(f"{name} signed a checkpoint of {checkpoint.origin[:64]!r}", fix=_DO_NOT_TRUST)
    return checkpoint


def cosign(note: bytes, name: str, public_key: bytes, signer: NoteSigner, at_seconds: int) -> bytes:
    """The signature line by which `name` states that at `at_seconds` (Unix time) this was the ledger's latest head.

    Before: `verify_checkpoint`, then `verify_consistency` with the last checkpoint of that ledger cosigned.
    After: `add_signature`.

    Raises:
        InvalidInput: not a checkpoint, not a time, or `name` cannot name a key.
        NotAuthentic: `signer` does not hold the private half of `public_key`.
    """
    text = parse_note(note).text
    _parse_body(text)
    message = _cosigned(text, at_seconds)
    value = signer(message)
    _verify(public_key, value, message)
    stamp = at_seconds.to_bytes(_TIME_SIZE, "big")
    return Signature(name, key_id(name, _COSIGNATURE, public_key), stamp + value).line()


def verify_cosignature(note: bytes, name: str, public_key: bytes) -> int:
    """When `name` cosigned the checkpoint in `note`, in seconds of Unix time; the latest, if more than once.

    This says nothing about the ledger's own signature: `verify_checkpoint` does.

    Raises:
        InvalidInput: not a note with a checkpoint, or not a time.
        NotAuthentic: no cosignature by that name and key, or one that is not valid.
    """
    parsed = parse_note(note)
    times = []
    for value in _values(parsed, name, _COSIGNATURE, public_key):
        times.append(int.from_bytes(value[:_TIME_SIZE], "big"))
        _verify(public_key, value[_TIME_SIZE:], _cosigned(parsed.text, times[-1]))
    _parse_body(parsed.text)
    return max(times)


_DO_NOT_TRUST = "Do not trust this copy; compare the key's fingerprint with its owner and ask again"


def _values(note: Note, name: str, kind: int, public_key: bytes) -> list[bytes]:
    """The signatures of one key; those of others are none of our business."""
    signer = (name, key_id(name, kind, public_key))
    found = [s.value for s in note.signatures if (s.name, s.key_id) == signer]
    if not found:
        raise NotAuthentic(f"no signature of that kind by {name} with that key", fix=_DO_NOT_TRUST)
    return found


def _verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as error:
        raise InvalidInput("not an Ed25519 public key", fix="Give its 32 raw bytes") from error
    try:
        key.verify(signature, message)
    except InvalidSignature as error:
        raise NotAuthentic("the signature does not hold for this note and key", fix=_DO_NOT_TRUST) from error


def _cosigned(text: bytes, at_seconds: int) -> bytes:
    """The message that a cosignature signs."""
    if not 0 <= at_seconds < 2**63:
        raise InvalidInput(f"not a time in seconds since 1970: {at_seconds}", fix="Take it from a clock that is set")
    return b"cosignature/v1\ntime %d\n%b" % (at_seconds, text)


def _parse_body(text: bytes) -> Checkpoint:
    match = _BODY.fullmatch(text.decode("utf-8"))
    if match is None:
        raise InvalidInput("the note is no checkpoint: origin, size and root", fix="Ask for the checkpoint again")
    origin, size, root = match.groups()
    checkpoint = Checkpoint(origin, int(size), base64.b64decode(root))
    if checkpoint.body() != text:
        raise InvalidInput("the size or the root has a second spelling", fix="Ask for the checkpoint again")
    return checkpoint
