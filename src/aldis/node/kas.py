"""Key-access servers as files: public keys that wrap shares, and private keys that open them where the rules permit.

RSA-2048 and RSA-4096 with OAEP (SHA-1, as OpenTDF has it), or ECDH with an ephemeral key on P-256, P-384 or P-521, HKDF
and AES-256-GCM. Sources: OpenTDF 4.3.0 (opentdf/platform `lib/ocrypto`); RFC 8017 section 7.1; RFC 5869.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, NeedsPerson, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.policies import Policies
from aldis.kernel.release import Request, Verdict, decide
from aldis.kernel.tdf import KeyAccess, TdfPolicy, Wrapped
from aldis.kernel.tdf.manifest import unbase64
from aldis.node.core import Core
from aldis.node.epochs import Epochs

__all__ = ["CURVES", "KasKey", "KasPublic", "OfflineKas", "key_file", "make_key"]

_OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - what OpenTDF uses for RSA
_SALT = sha256(b"TDF")
_NONCE = 12
_RSA_SIZES = (2048, 3072, 4096)
CURVES: dict[str, ec.EllipticCurve] = {
    "ec:secp256r1": ec.SECP256R1(),
    "ec:secp384r1": ec.SECP384R1(),
    "ec:secp521r1": ec.SECP521R1(),
}
_Public = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
_Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class KasPublic:
    """The public key of a key-access server at `url`."""

    def __init__(self, pem: bytes, url: str) -> None:
        self.url = url
        try:
            key = serialization.load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InvalidInput(f"not a public key in PEM: {error}", fix="`aldis tdf key NAME` makes a pair") from error
        self._key = _usable(key)

    @property
    def algorithm(self) -> str:
        """Its kind, as `make_key` takes it."""
        key = self._key
        return f"rsa:{key.key_size}" if isinstance(key, rsa.RSAPublicKey) else f"ec:{key.curve.name}"

    @property
    def pem(self) -> str:
        """The key in PEM (SubjectPublicKeyInfo)."""
        return _pem(self._key).decode()

    @cached_property
    def kid(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the key (SubjectPublicKeyInfo)."""
        return _kid(self._key)

    def wrap(self, share: bytes) -> Wrapped:
        """`share` for the holder of the private key alone."""
        if isinstance(self._key, rsa.RSAPublicKey):
            return Wrapped("wrapped", self._key.encrypt(share, _OAEP))
        mine = ec.generate_private_key(self._key.curve)
        nonce = os.urandom(_NONCE)
        data = nonce + AESGCM(_agreed(mine, self._key)).encrypt(nonce, share, None)
        return Wrapped("ec-wrapped", data, _pem(mine.public_key()).decode())


class KasKey:
    """The private key of a key-access server."""

    def __init__(self, pem: bytes) -> None:
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InvalidInput(f"not a private key in PEM without a password: {error}") from error
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise InvalidInput("not an RSA or elliptic-curve key")
        _usable(key.public_key())
        self._key: _Private = key
        self.kid = _kid(key.public_key())

    def public(self, url: str) -> KasPublic:
        """The half that is given out."""
        return KasPublic(_pem(self._key.public_key()), url)

    def unwrap(self, access: KeyAccess) -> bytes | None:
        """The share that was wrapped for this key, or None where it was wrapped for another."""
        data, key = unbase64(access.wrappedKey, "a wrapped key"), self._key
        if (access.type == "wrapped") is not isinstance(key, rsa.RSAPrivateKey):
            return None
        try:
            if isinstance(key, rsa.RSAPrivateKey):
                return key.decrypt(data, _OAEP)
            theirs = serialization.load_pem_public_key(access.ephemeralPublicKey.encode())
            if not isinstance(theirs, ec.EllipticCurvePublicKey) or theirs.curve.name != key.curve.name:
                return None
            return AESGCM(_agreed(key, theirs)).decrypt(data[:_NONCE], data[_NONCE:], None)
        except (ValueError, InvalidTag, UnsupportedAlgorithm):
            return None


class OfflineKas:
    """Stands in for key-access servers that cannot be reached: private keys, and the rules of this node."""

    def __init__(self, core: Core, epochs: Epochs, keys: list[KasKey], recipient: str) -> None:
        self._core = core
        self._epochs = epochs
        self._keys = keys
        self._recipient = recipient
        self._permitted: dict[bytes, bool] = {}

    def unwrap(self, access: KeyAccess, policy: bytes) -> bytes | None:
        """The share, if one of the keys opens it and the rules permit it to the recipient that the policy names.

        Raises:
            RefusedByPolicy: the policy does not name the recipient, or the rules do not permit.
            NeedsPerson: a release officer decides.
        """
        for key in self._keys:
            share = key.unwrap(access)
            if share is not None:
                if policy not in self._permitted:
                    self.check(TdfPolicy.from_bytes(policy))
                    self._permitted[policy] = True
                return share
        return None

    def check(self, policy: TdfPolicy) -> None:
        """Return if what the policy protects may be opened for the recipient."""
        who = self._recipient
        if who not in policy.nodes:
            raise RefusedByPolicy(
                f"the policy is not for {who}", fix=f"It is for {', '.join(policy.nodes) or 'nobody'}"
            )
        self._core.policies.check(policy.label)
        if who == self._core.node:
            self._check_own(policy)
            return
        request = Request(
            label=policy.label, kind=policy.kind, recipient=who, originator=policy.originator, project=policy.project
        )
        decision = decide(request, self._epochs.current(), self._core.clock.now())
        if decision.permits:
            return
        why = next(reason.text for reason in decision.reasons if reason.outcome.value)
        error = NeedsPerson if decision.verdict is Verdict.REFER else RefusedByPolicy
        raise error(f"{who} may not have it opened: {why}", fix="Agree it with the originator, or send it as a record")

    def _check_own(self, policy: TdfPolicy) -> None:
        """What this node may hold: releasable to its party, and within its ceiling."""
        core, label = self._core, policy.label
        own = core.party in (policy.originator, core.policies.policy(label.policy).owner)
        if not own and core.party not in core.policies.releasable_to(label, frozenset({core.party})):
            raise RefusedByPolicy(f"its label does not release it to {core.party}", fix="Ask its originator")
        rank = core.policies.policy(core.config.policy).rank
        if rank(_level(core.policies, label, core)) > rank(core.config.ceiling):
            raise RefusedByPolicy(
                f"{label.classification} of policy {label.policy} is above this node's ceiling, {core.config.ceiling}",
                fix="Open it at a node that is accredited for it",
            )


def _level(policies: Policies, label: Label, core: Core) -> str:
    bare = label.narrowed(categories=())
    return policies.protect_as(bare, core.config.policy, core.clock.now()).classification


def make_key(kind: str) -> tuple[bytes, bytes]:
    """A new private key and its public key, PEM; `kind` as `rsa:2048` or `ec:secp256r1`.

    Raises:
        UnknownTerm: no such kind.
    """
    if kind in CURVES:
        key: _Private = ec.generate_private_key(CURVES[kind])
    elif kind in ("rsa:2048", "rsa:4096"):
        key = rsa.generate_private_key(65537, int(kind[4:]))
    else:
        raise UnknownTerm(f"{kind!r} is not a kind of key", fix=f"Known: rsa:2048, rsa:4096, {', '.join(CURVES)}")
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return private, _pem(key.public_key())


def _usable(key: object) -> _Public:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_SIZES:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in {curve.name for curve in CURVES.values()}:
        return key
    raise InvalidInput("not an RSA key of 2048 to 4096 bits, nor one on P-256, P-384 or P-521")


def _agreed(mine: ec.EllipticCurvePrivateKey, theirs: ec.EllipticCurvePublicKey) -> bytes:
    return HKDF(hashes.SHA256(), 32, _SALT, b"").derive(mine.exchange(ec.ECDH(), theirs))


def _pem(key: _Public) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _kid(key: _Public) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return sha256(key.public_bytes(serialization.Encoding.DER, form)).hex()[:16]


def key_file(path: Path, private: bytes) -> None:
    """Write a private key that only its owner can read; an old one is never overwritten."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
