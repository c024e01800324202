"""An encrypted file, authenticated from its first byte to its last, under a passphrase.

magic | salt (16) | nonce prefix (7) | length of the head (4) | head | chunks

A chunk is 1 MiB of AES-256-GCM with its tag; its nonce is the prefix, its number (4 bytes) and whether it is the last
(1), and all bytes before the chunks are bound to each: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár
2015).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, NotAuthentic, TooLarge, VerificationFailed

__all__ = ["CHUNK", "Sealer", "Unsealer", "overhead"]

MAGIC = b"aldis encrypted 1\n"
CHUNK = 1024 * 1024
SHORTEST = 12
"""Characters of a passphrase at least."""
_TAG, _SALT, _PREFIX, _LENGTH = 16, 16, 7, 4
_HEAD = 64 * 1024
_N, _R, _P = 2**17, 8, 1
"""128 MiB and some tenths of a second for each guess (OWASP Password Storage Cheat Sheet)."""
_AGAIN = "Take another copy of it, or another backup"


class Sealer:
    """Encrypts what is written, chunk by chunk; `close` writes the last."""

    def __init__(self, file: BinaryIO, passphrase: str, head: bytes, random: Callable[[int], bytes]) -> None:
        salt, self._prefix = random(_SALT), random(_PREFIX)
        front = MAGIC + salt + self._prefix + len(head).to_bytes(_LENGTH, "big") + head
        self._file, self._bound, self._cipher = file, sha256(front), _cipher(passphrase, salt)
        self._waiting, self._number = bytearray(), 0
        file.write(front)

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._waiting += data
        while len(self._waiting) > CHUNK:
            self._put(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def close(self) -> None:
        """Write the last chunk; without it the file is not whole."""
        self._put(bytes(self._waiting), last=True)

    def _put(self, data: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._prefix, self._number, last), data, self._bound))
        self._number += 1


class Unsealer:
    """Reads the head of a file at once, and its content as `chunks` goes on.

    The head is believed once the first chunk was read.

    Raises:
        InvalidInput: not such a file.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        front = file.read(len(MAGIC) + _SALT + _PREFIX + _LENGTH)
        if not front.startswith(MAGIC):
            raise InvalidInput(f"{name} is not a backup of this format", fix="Name a file that `aldis backup` wrote")
        length = int.from_bytes(front[-_LENGTH:], "big")
        if length > _HEAD:
            raise TooLarge(f"the head of {name} has {length} bytes; the limit is {_HEAD}", fix=_AGAIN)
        self.head = file.read(length)
        if len(front) < len(MAGIC) + _SALT + _PREFIX + _LENGTH or len(self.head) < length:
            raise VerificationFailed(f"{name} is cut short", fix=_AGAIN)
        self._salt, self._prefix = front[len(MAGIC) :][:_SALT], front[len(MAGIC) + _SALT :][:_PREFIX]
        self._bound = sha256(front + self.head)

    def chunks(self, passphrase: str) -> Iterator[bytes]:
        """The content, each chunk once it is known to be authentic.

        Raises:
            NotAuthentic: another passphrase, or a head or first chunk that was altered.
            VerificationFailed: what follows was altered, moved, left out or added, or the file is cut short.
        """
        cipher, number = _cipher(passphrase, self._salt), 0
        data = self._file.read(CHUNK + _TAG)
        while True:
            after = self._file.read(CHUNK + _TAG)
            yield self._open(cipher, number, data, last=not after)
            if not after:
                return
            data, number = after, number + 1

    def _open(self, cipher: AESGCM, number: int, data: bytes, *, last: bool) -> bytes:
        try:
            return cipher.decrypt(_nonce(self._prefix, number, last), data, self._bound)
        except InvalidTag as error:
            if last and self._decrypts(cipher, number, data):
                raise VerificationFailed(
                    f"{self._name} is cut short: chunk {number} is not its last", fix=_AGAIN
                ) from error
            if not number:
                raise NotAuthentic(
                    f"the passphrase is not that of {self._name}, or the file was altered at its beginning",
                    fix="Try the passphrase again, then another copy of the file",
                ) from error
            raise VerificationFailed(
                f"{self._name} was altered, or cut short, in chunk {number} (from byte {number * CHUNK:,})", fix=_AGAIN
            ) from error

    def _decrypts(self, cipher: AESGCM, number: int, data: bytes) -> bool:
        try:
            cipher.decrypt(_nonce(self._prefix, number, last=False), data, self._bound)
        except InvalidTag:
            return False
        return True


def overhead(size: int) -> int:
    """How many bytes more than its content of `size` bytes a file has, at most."""
    return _HEAD + (size // CHUNK + 1) * _TAG


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    if len(passphrase) < SHORTEST:
        raise InvalidInput(
            f"a passphrase of {len(passphrase)} characters; it takes {SHORTEST}",
            fix="Choose some words that nobody would put together, and keep them apart from the backup",
        )
    return AESGCM(Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase.encode()))


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
