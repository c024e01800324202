"""Cursors: where a page ended, sealed so that its holder learns nothing and can change nothing."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from aldis.kernel.encoding import b64, unb64
from aldis.kernel.errors import InvalidInput

__all__ = ["KEY_SIZE", "Cursors"]

KEY_SIZE = 32
_NONCE_SIZE = 12
_POSITION_SIZE = 8
_TAG_SIZE = 16


class Cursors:
    """Positions as opaque text of one length (AES-256-GCM-SIV, RFC 8452), each good for one scope only."""

    def __init__(self, key: bytes, random: Callable[[int], bytes]) -> None:
        self._cipher = AESGCMSIV(key)
        self._random = random

    def seal(self, position: int, *scope: bytes) -> str:
        """The cursor that stands for `position`; `scope` is the viewer and the question asked."""
        nonce = self._random(_NONCE_SIZE)
        sealed = self._cipher.encrypt(nonce, position.to_bytes(_POSITION_SIZE, "big"), _bind(scope))
        return b64(nonce + sealed)

    def open(self, cursor: str, *scope: bytes) -> int:
        """The position that `seal` hid.

        Raises:
            InvalidInput: altered, made elsewhere, or for another viewer or question.
        """
        try:
            data = unb64(cursor, _NONCE_SIZE + _POSITION_SIZE + _TAG_SIZE)
            return int.from_bytes(self._cipher.decrypt(data[:_NONCE_SIZE], data[_NONCE_SIZE:], _bind(scope)), "big")
        except (InvalidInput, InvalidTag) as error:
            raise InvalidInput("cursor is not one of this list", fix="Start again without it") from error


def _bind(scope: tuple[bytes, ...]) -> bytes:
    return b"".join(sha256(part).digest() for part in scope)
