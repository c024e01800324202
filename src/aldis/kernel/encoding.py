"""Digests and their text: SHA-256 (FIPS 180-4) in lower-case hex, as `sha256sum` prints it.

Keys, salts beside signatures and other bytes are base64url without padding (RFC 4648 section 5).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from aldis.kernel.errors import InvalidInput

__all__ = ["DIGEST_SIZE", "MOST", "b64", "check_digests", "digest_from_hex", "sha256", "unb64"]

DIGEST_SIZE = 32
MOST = 2**53 - 1
"""The greatest whole number on the wire: every JSON reader keeps it exactly (RFC 8259 section 6)."""
_LENGTHS = frozenset({2 * DIGEST_SIZE})


def sha256(data: bytes) -> bytes:
    """The 32-byte SHA-256 digest of `data`."""
    return hashlib.sha256(data).digest()


def digest_from_hex(text: str) -> bytes:
    """The 32 bytes of a digest.

    Raises:
        InvalidInput: not 64 lower-case hexadecimal digits.
    """
    check_digests([text])
    return bytes.fromhex(text)


def check_digests(texts: Sequence[str]) -> None:
    """Return if each text is 64 lower-case hexadecimal digits.

    Raises:
        InvalidInput: one is not.
    """
    joined = "".join(texts)
    try:
        canonical = bytes.fromhex(joined).hex() == joined
    except ValueError:
        canonical = False
    if not canonical or not _LENGTHS.issuperset(map(len, texts)):
        raise InvalidInput(
            f"not digests: {[text[:80] for text in texts[:4]]}", fix="A digest is 64 lower-case hexadecimal digits"
        )


def b64(data: bytes) -> str:
    """`data` as base64url text without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str, size: int | None = None) -> bytes:
    """The bytes that `text` encodes; the encoding must be the canonical one.

    Raises:
        InvalidInput: not base64url, padded, with stray bits, or not `size` bytes long.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"not base64url: {text[:64]!r}") from error
    if b64(data) != text:
        raise InvalidInput(f"not canonical base64url: {text[:64]!r}", fix="Remove padding and stray characters")
    if size is not None and len(data) != size:
        raise InvalidInput(f"expected {size} bytes, got {len(data)}: {text[:64]!r}")
    return data
