"""The node's private keys: made once, kept in files that only their owner can read, never shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa

from aldis.kernel.errors import InvalidInput, NotAuthentic
from aldis.kernel.signatures import Algorithm, Key, framed, p384_fixed

__all__ = ["NodeSigner", "NoteSigner", "generate", "load", "read_private", "write_private"]

_Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | mldsa.MLDSA65PrivateKey
_PKCS8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
_RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
_POINT = (serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


_LOST = (
    "Restore it from your backup of the keys. If there is none, begin a new node in another folder with "
    "`aldis init`, and pair with each partner again"
)


class NodeSigner:
    """Signs in one pinned algorithm; the private keys never leave this object."""

    def __init__(self, algorithm: Algorithm, *private: object) -> None:
        self._private = private
        self.public = Key(algorithm, b"".join(_public(key) for key in private))

    def sign(self, context: bytes, message: bytes) -> bytes:
        """The signature over `context` and `message`, in the form that `Key.verify` takes."""
        data = framed(context, message)
        return b"".join(_sign(key, data) for key in self._private)


class NoteSigner:
    """Signs the ledger's notes: Ed25519 over the bytes as they are, as C2SP signed notes ask."""

    def __init__(self, pem: bytes) -> None:
        key = next(iter(_load(pem, Algorithm.ED25519)), None)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise _wrong_keys(Algorithm.ED25519)
        self.public = key.public_key().public_bytes(*_RAW)
        self.sign = key.sign


def generate(algorithm: Algorithm) -> bytes:
    """New private keys as PEM text, one block for each key of the algorithm."""
    makers: dict[Algorithm, list[Callable[[], _Private]]] = {
        Algorithm.ED25519: [ed25519.Ed25519PrivateKey.generate],
        Algorithm.P384: [lambda: ec.generate_private_key(ec.SECP384R1())],
        Algorithm.HYBRID: [ed25519.Ed25519PrivateKey.generate, mldsa.MLDSA65PrivateKey.generate],
    }
    return b"".join(make().private_bytes(*_PKCS8) for make in makers[algorithm])


def load(algorithm: Algorithm, pem: bytes) -> NodeSigner:
    """The signer of keys that `generate` made.

    Raises:
        InvalidInput: not the keys of this algorithm.
    """
    try:
        return NodeSigner(algorithm, *_load(pem, algorithm))
    except (NotAuthentic, TypeError) as error:
        raise _wrong_keys(algorithm) from error


def _load(pem: bytes, algorithm: Algorithm) -> list[object]:
    end = b"-----END PRIVATE KEY-----"
    blocks = [block + end for block in pem.split(end) if block.strip()]
    try:
        return [serialization.load_pem_private_key(block, None) for block in blocks]
    except (ValueError, TypeError) as error:
        raise _wrong_keys(algorithm) from error


def _wrong_keys(algorithm: Algorithm) -> InvalidInput:
    return InvalidInput(
        f"the key file does not hold {algorithm.value} keys", fix="Restore it from your backup of the keys"
    )


def write_private(path: Path, data: bytes) -> None:
    """Write a secret that only its owner can read; an existing one is never overwritten.

    Raises:
        InvalidInput: the file exists.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InvalidInput(f"{path} exists already", fix="Choose another folder; keys are never overwritten") from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_private(path: Path) -> bytes:
    """The secret in a file that only its owner can read.

    Raises:
        InvalidInput: it is missing, or others could read it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidInput(f"{path} can be read by others", fix=f"chmod 600 {path}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput(f"{path} is missing", fix=_LOST) from error


def _public(key: object) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.public_key().public_bytes(*_POINT)
    if isinstance(key, ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey):
        return key.public_key().public_bytes(*_RAW)
    raise TypeError(f"not a signing key: {type(key).__name__}")


def _sign(key: object, data: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return p384_fixed(key.sign(data, ec.ECDSA(hashes.SHA384())))
    if isinstance(key, ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey):
        return key.sign(data)
    raise TypeError(f"not a signing key: {type(key).__name__}")
