"""Sealing a payload into a container, a segment at a time."""

from __future__ import annotations

import base64
import hmac
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import BinaryIO, Protocol

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aldis.kernel.errors import InvalidInput
from aldis.kernel.tdf.archive import MANIFEST, PAYLOAD
from aldis.kernel.tdf.assertions import Statement, bind
from aldis.kernel.tdf.manifest import (
    FORMS,
    OVERHEAD,
    Binding,
    Encryption,
    Form,
    Integrity,
    KeyAccess,
    Manifest,
    Method,
    Payload,
    Root,
    Segment,
)

__all__ = ["SEGMENT", "Wrapped", "Wrapper", "seal_tdf"]

SEGMENT = 1024 * 1024
"""Bytes of a segment in plain."""
_KEY = 32
_NONCE = 12
_TAG = 16
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A share under a public key; `ephemeral` is the sender's key (PEM) where the two agreed on one."""

    kind: str
    data: bytes
    ephemeral: str = ""


class Wrapper(Protocol):
    """The public key of a key-access server."""

    @property
    def url(self) -> str:
        """Where the server answers."""

    @property
    def kid(self) -> str:
        """The name of its key."""

    def wrap(self, share: bytes) -> Wrapped:
        """`share` for this server alone."""


def seal_tdf(
    source: BinaryIO,
    sink: BinaryIO,
    splits: Sequence[Sequence[Wrapper]],
    policy: bytes,
    random: Callable[[int], bytes],
    *,
    mime_type: str = "application/octet-stream",
    statements: Iterable[Statement] = (),
    segment: int = SEGMENT,
    form: Form = FORMS["4.3.0"],
) -> Manifest:
    """Write all that `source` gives to `sink` as a container.

    Args:
        source: the payload.
        sink: where the container goes; need not seek.
        splits: one share each, of which all are needed; any server of a split can unwrap its share.
        policy: JSON that the servers decide by.
        random: gives n unguessable bytes.
        mime_type: of the payload.
        statements: to be bound to the payload as assertions.
        segment: bytes of a segment in plain.
        form: the version of the format.

    Raises:
        InvalidInput: no split, or one without a server.
    """
    if not splits or not all(splits):
        raise InvalidInput("a TDF needs a key-access server for every split", fix="Give at least one public key")
    shares = [random(_KEY) for _ in splits]
    key = reduce(lambda a, b: bytes(x ^ y for x, y in zip(a, b, strict=True)), shares)
    encoded = base64.b64encode(policy).decode()
    segments, hashes = list[Segment](), list[bytes]()
    cipher = AESGCM(key)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(zipfile.ZipInfo(PAYLOAD, _LONG_AGO), "w", force_zip64=True) as payload:
            while (plain := source.read(segment)) or not segments:
                nonce = random(_NONCE)
                data = nonce + cipher.encrypt(nonce, plain, None)
                payload.write(data)
                tagged = form.segment_hash == "GMAC"
                hashes.append(form.written(data[-_TAG:] if tagged else hmac.digest(key, data, "sha256")))
                segments.append(Segment(base64.b64encode(hashes[-1]).decode(), len(plain), len(data)))
        every = b"".join(hashes)
        root = base64.b64encode(form.written(hmac.digest(key, every, "sha256"))).decode()
        manifest = Manifest(
            encryptionInformation=Encryption(
                type="split",
                policy=encoded,
                keyAccess=_accesses(splits, shares, encoded),
                method=Method("AES-256-GCM"),
                integrityInformation=Integrity(
                    Root("HS256", root), form.segment_hash, segment, segment + OVERHEAD, segments
                ),
            ),
            payload=Payload("reference", "0.payload", "zip", True, mime_type),
            schemaVersion=form.version,
            assertions=[bind(one, every, key, form) for one in statements],
        )
        archive.writestr(zipfile.ZipInfo(MANIFEST, _LONG_AGO), msgspec.json.encode(manifest))
    return manifest


def _accesses(splits: Sequence[Sequence[Wrapper]], shares: Sequence[bytes], policy: str) -> list[KeyAccess]:
    found = []
    for number, (servers, share) in enumerate(zip(splits, shares, strict=True), 1):
        digest = hmac.digest(share, policy.encode(), "sha256").hex()
        binding = Binding("HS256", base64.b64encode(digest.encode()).decode())
        for server in servers:
            wrapped = server.wrap(share)
            found.append(
                KeyAccess(
                    type="ec-wrapped" if wrapped.kind == "ec-wrapped" else "wrapped",
                    url=server.url,
                    wrappedKey=base64.b64encode(wrapped.data).decode(),
                    policyBinding=binding,
                    protocol="kas",
                    kid=server.kid,
                    sid=f"s-{number}" if len(splits) > 1 else "",
                    schemaVersion="1.0",
                    ephemeralPublicKey=wrapped.ephemeral,
                )
            )
    return found
