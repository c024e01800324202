"""Passwords as they are kept: argon2id (RFC 9106), checked at the same cost whether there is one or not."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from aldis.kernel.errors import InvalidInput

__all__ = ["RECOMMENDED", "Cost", "Passwords"]

_SHORTEST, _LONGEST = 12, 1024
_SALT, _HASH = 16, 32

_ONE = Lock()
"""One at a time in a process: several at once would need that much more memory, and run OpenSSL out of threads."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one check costs: memory in KiB, passes over it, lanes."""

    memory: int
    passes: int
    lanes: int


RECOMMENDED = Cost(64 * 1024, 3, 4)
"""RFC 9106 section 4, the second recommended choice."""


class Passwords:
    """Hashes and checks; `random(n)` gives n unguessable bytes."""

    def __init__(self, random: Callable[[int], bytes], cost: Cost = RECOMMENDED) -> None:
        self._random = random
        self._cost = cost
        self._nobody = ""

    def hash(self, password: str) -> str:
        """The argon2id hash in PHC format, with its salt and cost."""
        with _ONE:
            return self._make().derive_phc_encoded(_bytes(password))

    def fits(self, password: str, kept: str) -> bool:
        """Whether it is the password kept; where none is, never, after the same work."""
        self._nobody = self._nobody or self.hash(self._random(_HASH).hex())
        try:
            with _ONE:
                Argon2id.verify_phc_encoded(_bytes(password), kept or self._nobody)
        except InvalidKey:
            return False
        return bool(kept)

    def _make(self) -> Argon2id:
        cost = self._cost
        return Argon2id(
            salt=self._random(_SALT), length=_HASH, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory
        )

    @staticmethod
    def check(password: str) -> None:
        """Return if it may be a password.

        Raises:
            InvalidInput: shorter than 12 characters, longer than 1024, or of fewer than 5 different ones.
        """
        if not _SHORTEST <= len(password) <= _LONGEST or len(set(password)) < 5:
            raise InvalidInput(
                "that password is too weak", fix=f"Use {_SHORTEST} characters or more: four or five words will do"
            )


def _bytes(password: str) -> bytes:
    """UTF-8 in normal form C, so that every keyboard types the same; of what is too long, enough to be wrong."""
    return unicodedata.normalize("NFC", password)[: _LONGEST + 1].encode("utf-8", "surrogatepass")
