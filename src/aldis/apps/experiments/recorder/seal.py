"""Seals: the chain over the records of a recording, and the signatures that hold the bytes of its file.

The chain: head 0 is SHA-256 over the previous file's last head (32 zero bytes where there is none) and the opening
record; head i is SHA-256 over head i-1 and record i, for every schema, channel and message in the order in which they
were recorded. It holds what was recorded however a file is cut into chunks.

A seal is a metadata record that ends with a signature, in base64url, over SHA-256 of every byte of the file up to its
own end, its own signature read as so many letters `A`. The closing seal's is over every byte of the file, also those
behind it. `links` are the first 8 bytes of each head since the seal before: with them the first wrong record is found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from aldis.apps.experiments.recorder.container import Broken, metadata, read_metadata
from aldis.kernel.encoding import DIGEST_SIZE, b64, digest_from_hex, sha256, unb64
from aldis.kernel.errors import AldisError, InvalidInput
from aldis.kernel.signatures import Key, Signer, algorithm_named

__all__ = ["CONTEXT", "FIRST", "LINK", "OPENING", "Opening", "Seal", "blank_of", "chained", "key_text", "read_key"]

CONTEXT = b"aldis/recording/1"
OPENING, _SEAL, _CLOSE = "aldis.opening", "aldis.seal", "aldis.close"
FIRST = bytes(DIGEST_SIZE)
LINK = 8
_SIZE_DIGITS = 16


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Whose recording a file is part of, and what came before it.

    `marking` is that of the whole file; `began` is in ms since 1970 UTC; `key` verifies the seals, `ALGORITHM:KEY`.
    `previous` is the last head of the segment before this one, in hex, "" for the first.
    """

    node: str
    run: str
    marking: str
    began: int
    key: str
    segment: int = 1
    previous: str = ""

    def record(self) -> bytes:
        """As a metadata record."""
        return metadata(OPENING, {name: str(value) for name, value in msgspec.structs.asdict(self).items()})

    @property
    def head(self) -> bytes:
        """The first head of this file's chain."""
        return sha256((digest_from_hex(self.previous) if self.previous else FIRST) + self.record())

    @classmethod
    def read(cls, body: bytes) -> Opening:
        """The opening in the body of a metadata record.

        Raises:
            Broken: there is none.
        """
        name, values = read_metadata(body)
        try:
            opening = msgspec.convert(values, cls, strict=False) if name == OPENING else None
            _ = opening and opening.head
        except (msgspec.ValidationError, InvalidInput) as error:
            raise Broken("an opening that cannot be read") from error
        if opening is None:
            raise Broken("no opening")
        return opening


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What a seal says of the file so far: its number, messages, the chain's head, and, closing, the file's size."""

    number: int
    messages: int
    head: bytes
    links: bytes
    size: int
    closing: bool
    signature: str

    def record(self, signature: str) -> bytes:
        """As a metadata record that ends with `signature`."""
        return metadata(
            _CLOSE if self.closing else _SEAL,
            {
                "number": str(self.number),
                "messages": str(self.messages),
                "size": f"{self.size:0{_SIZE_DIGITS}}",
                "head": self.head.hex(),
                "links": b64(self.links),
                "signature": signature,
            },
        )

    def blank(self) -> bytes:
        """The record with its signature blank, as it is signed."""
        return self.record("A" * len(self.signature))

    @classmethod
    def read(cls, body: bytes) -> Seal:
        """The seal in the body of a metadata record.

        Raises:
            Broken: there is none.
        """
        name, values = read_metadata(body)
        try:
            seal = cls(
                number=int(values["number"]),
                messages=int(values["messages"]),
                size=int(values["size"]),
                head=digest_from_hex(values["head"]),
                links=unb64(values["links"]),
                signature=values["signature"],
                closing=name == _CLOSE,
            )
        except (KeyError, ValueError, InvalidInput) as error:
            raise Broken("a seal that cannot be read") from error
        if name not in (_SEAL, _CLOSE) or len(seal.links) % LINK:
            raise Broken("no seal")
        return seal


def blank_of(signer: Signer) -> str:
    """A signature of this signer, blank: all of one algorithm are equally long."""
    return "A" * len(b64(signer.sign(CONTEXT, FIRST)))


def chained(head: bytes, records: Iterable[bytes]) -> tuple[bytes, bytes]:
    """The head of the chain after more records, and the links to each."""
    made, links = hashlib.sha256, []
    for record in records:
        head = made(head + record).digest()
        links.append(head[:LINK])
    return head, b"".join(links)


def key_text(key: Key) -> str:
    """A public key as it stands in an opening."""
    return f"{key.algorithm.value}:{b64(key.raw)}"


def read_key(text: str) -> Key:
    """The key that `key_text` wrote.

    Raises:
        AldisError: it is none.
    """
    name, _, raw = text.partition(":")
    try:
        return Key(algorithm_named(name), unb64(raw))
    except AldisError as error:
        raise InvalidInput(f"not a public key: {text[:80]!r}", fix="It reads ed25519:KEY, KEY in base64url") from error
