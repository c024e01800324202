"""Signature algorithms, pinned per partner at pairing and never negotiated.

Every signature is over a context string and the message, so one made for a bundle never passes for another thing.
Sources: Ed25519 RFC 8032; ECDSA P-384 with SHA-384 FIPS 186-5; ML-DSA-65 FIPS 204.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from aldis.kernel.encoding import b64, sha256
from aldis.kernel.errors import NotAuthentic, UnknownTerm

__all__ = ["Algorithm", "Key", "Signer", "algorithm_named", "framed", "p384_fixed"]

_P384 = 48
_ED25519 = 64
_ED25519_KEY = 32


class Algorithm(enum.Enum):
    """The algorithms a partner may be pinned to."""

    ED25519 = "ed25519"
    P384 = "ecdsa-p384-sha384"
    """For the Federated Mission Networking profile."""
    HYBRID = "ed25519+ml-dsa-65"
    """Both must verify; holds if either stays unbroken."""


def algorithm_named(name: str) -> Algorithm:
    """The algorithm with this name; UnknownTerm for any other."""
    try:
        return Algorithm(name)
    except ValueError:
        known = ", ".join(a.value for a in Algorithm)
        raise UnknownTerm(f"unknown signature algorithm {name!r}", fix=f"Use one of: {known}") from None


class Signer(Protocol):
    """Something that signs: a key file, or a hardware module behind one."""

    @property
    def public(self) -> Key:
        """The key that verifies."""

    def sign(self, context: bytes, message: bytes) -> bytes:
        """The signature over `context` and `message`."""


class Key:
    """A pinned public key, ready to verify.

    `raw` is 32 bytes for Ed25519, a compressed point for P-384, and both keys in that order for the hybrid
    (Ed25519, then ML-DSA-65).
    """

    __slots__ = ("_check", "algorithm", "raw")

    def __init__(self, algorithm: Algorithm, raw: bytes) -> None:
        self.algorithm = algorithm
        self.raw = raw
        try:
            self._check = _CHECKS[algorithm](raw)
        except (ValueError, TypeError) as error:
            raise NotAuthentic(f"not a {algorithm.value} public key of {len(raw)} bytes") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and (self.algorithm, self.raw) == (other.algorithm, other.raw)

    def __hash__(self) -> int:
        return hash((self.algorithm, self.raw))

    def __repr__(self) -> str:
        return f"Key({self.algorithm.value}, {self.id})"

    @property
    def id(self) -> str:
        """The key's name: SHA-256 over algorithm and key, base64url."""
        return b64(sha256(self.algorithm.value.encode() + b"\x00" + self.raw))

    def verify(self, context: bytes, message: bytes, signature: bytes) -> None:
        """Return if the signature holds.

        Raises:
            NotAuthentic: it does not; nothing of the message may be used.
        """
        try:
            self._check(signature, framed(context, message))
        except (InvalidSignature, ValueError) as error:
            raise NotAuthentic(
                f"the {context.decode('ascii', 'replace')} signature does not verify with key {self.id}",
                fix="Ask the sender to send again; if it persists, compare fingerprints out of band",
            ) from error


def framed(context: bytes, message: bytes) -> bytes:
    """What is signed: the context, a zero byte, the message."""
    return context + b"\x00" + message


_Check = Callable[[bytes, bytes], None]


def _ed25519(raw: bytes) -> _Check:
    return ed25519.Ed25519PublicKey.from_public_bytes(raw).verify


def _p384(raw: bytes) -> _Check:
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), raw)

    def check(signature: bytes, message: bytes) -> None:
        if len(signature) != 2 * _P384:
            raise InvalidSignature
        r, s = (int.from_bytes(half, "big") for half in (signature[:_P384], signature[_P384:]))
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA384()))

    return check


def _hybrid(raw: bytes) -> _Check:
    classic = ed25519.Ed25519PublicKey.from_public_bytes(raw[:_ED25519_KEY])
    lattice = mldsa.MLDSA65PublicKey.from_public_bytes(raw[_ED25519_KEY:])

    def check(signature: bytes, message: bytes) -> None:
        classic.verify(signature[:_ED25519], message)
        lattice.verify(signature[_ED25519:], message)

    return check


_CHECKS: dict[Algorithm, Callable[[bytes], _Check]] = {
    Algorithm.ED25519: _ed25519,
    Algorithm.P384: _p384,
    Algorithm.HYBRID: _hybrid,
}


def p384_fixed(der: bytes) -> bytes:
    """A DER ECDSA signature as the fixed 96 bytes r || s that travel."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(_P384, "big") + s.to_bytes(_P384, "big")
