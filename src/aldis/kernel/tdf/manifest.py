"""The manifest of a container: what it says of its keys, its policy, its segments and its assertions.

Fields that are not acted on are passed over; what is acted on must be of the one profile that is read here.
Source: OpenTDF specification 4.3.0, schema/OpenTDF.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from aldis.kernel.errors import InvalidInput, NotAuthentic, TooLarge

__all__ = [
    "FORMS",
    "MANIFEST_LIMIT",
    "OVERHEAD",
    "VERSION",
    "Binding",
    "Encryption",
    "Form",
    "Integrity",
    "KeyAccess",
    "Manifest",
    "Method",
    "Payload",
    "Root",
    "Segment",
    "read_manifest",
    "unbase64",
]

VERSION = "4.3.0"
MANIFEST_LIMIT = 16 * 1024 * 1024
OVERHEAD = 28
"""Bytes that a segment grows by: the nonce of 12 before it, the GCM tag of 16 after it."""
_SEGMENT_LIMIT = 64 * 1024 * 1024
_SEGMENTS = 100_000
_ACCESSES = 64
_ASSERTIONS = 64


@dataclass(frozen=True, slots=True)
class Form:
    """What differs between versions of the format; every check is made in each.

    `version` is the manifest's `schemaVersion`, "" for none; with `hexadecimal`, hashes are the base64 of hexadecimal
    digits; `segment_hash` is what a sealer takes (a reader takes either, under the HS256 root).
    """

    version: str
    hexadecimal: bool
    segment_hash: Literal["HS256", "GMAC"]

    def written(self, digest: bytes) -> bytes:
        """A hash as its base64 holds it, and as the root covers it."""
        return digest.hex().encode() if self.hexadecimal else digest


FORMS = {"4.3.0": Form(VERSION, False, "HS256"), "3.0.0": Form("", True, "GMAC")}
"""Those that are written, by name: 4.3.0, and what OpenTDF's SDKs before it read."""
_VERSIONS = re.compile(r"4\.([3-9]|[1-9][0-9])\.[0-9]{1,3}")


class Binding(msgspec.Struct, frozen=True):
    """The HMAC of the policy under a share: base64 of its hexadecimal digits."""

    alg: str
    hash: str


class KeyAccess(msgspec.Struct, frozen=True, omit_defaults=True):
    """One share of the key, wrapped for one key-access server; those of one `sid` hold the same share."""

    type: Literal["wrapped", "ec-wrapped"]
    url: str
    wrappedKey: str  # noqa: N815
    policyBinding: Binding | str  # noqa: N815
    protocol: str = ""
    kid: str = ""
    sid: str = ""
    schemaVersion: str = ""  # noqa: N815
    ephemeralPublicKey: str = ""  # noqa: N815


class Method(msgspec.Struct, frozen=True):
    """How segments are encrypted."""

    algorithm: Literal["AES-256-GCM"]
    iv: str = ""
    isStreamable: bool = True  # noqa: N815


class Segment(msgspec.Struct, frozen=True, omit_defaults=True):
    """The hash of one encrypted segment (base64) and its sizes, where they are not the default ones."""

    hash: str
    segmentSize: int | None = None  # noqa: N815
    encryptedSegmentSize: int | None = None  # noqa: N815


class Root(msgspec.Struct, frozen=True):
    """The signature over the segment hashes under the payload's key; never anything but HS256."""

    alg: str
    sig: str


class Integrity(msgspec.Struct, frozen=True):
    """All segments, in order."""

    rootSignature: Root  # noqa: N815
    segmentHashAlg: Literal["HS256", "GMAC"]  # noqa: N815
    segmentSizeDefault: int  # noqa: N815
    encryptedSegmentSizeDefault: int  # noqa: N815
    segments: list[Segment]


class Encryption(msgspec.Struct, frozen=True):
    """Keys, policy (base64 of JSON) and integrity."""

    type: Literal["split"]
    policy: str
    keyAccess: list[KeyAccess]  # noqa: N815
    method: Method
    integrityInformation: Integrity  # noqa: N815


class Payload(msgspec.Struct, frozen=True):
    """Where the payload is, and what."""

    type: Literal["reference"]
    url: Literal["0.payload"]
    protocol: Literal["zip"]
    isEncrypted: Literal[True] | bool  # noqa: N815
    mimeType: str = "application/octet-stream"  # noqa: N815


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole; where `schemaVersion` is absent (before 4.3.0), hashes are the base64 of hexadecimal digits."""

    encryptionInformation: Encryption  # noqa: N815
    payload: Payload
    schemaVersion: str = ""  # noqa: N815
    assertions: list[dict[str, Any]] = []

    @property
    def form(self) -> Form:
        """Which version of the format it is in."""
        return FORMS["4.3.0" if self.schemaVersion else "3.0.0"]

    def sizes(self, segment: Segment) -> tuple[int, int]:
        """The plain and the encrypted size of a segment."""
        integrity = self.encryptionInformation.integrityInformation
        plain, sealed = segment.segmentSize, segment.encryptedSegmentSize
        return (
            integrity.segmentSizeDefault if plain is None else plain,
            integrity.encryptedSegmentSizeDefault if sealed is None else sealed,
        )


_decoder = msgspec.json.Decoder(Manifest)


def read_manifest(data: bytes, payload_size: int) -> Manifest:
    """The manifest, its segments adding up to `payload_size` encrypted bytes.

    Raises:
        InvalidInput: not a manifest of the profile; TooLarge: over a limit.
        NotAuthentic: a root or binding that anyone could make, or segments that are not all of the payload.
    """
    if len(data) > MANIFEST_LIMIT:
        raise TooLarge(f"a manifest of {len(data):,} bytes; the limit is {MANIFEST_LIMIT:,}")
    try:
        manifest = _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a TDF manifest of the profile read here: {error}") from error
    encryption, integrity = manifest.encryptionInformation, manifest.encryptionInformation.integrityInformation
    if manifest.schemaVersion and not _VERSIONS.fullmatch(manifest.schemaVersion):
        raise InvalidInput(
            f"TDF of version {manifest.schemaVersion!r}", fix=f"{VERSION} and those after it in 4 are read"
        )
    if not manifest.payload.isEncrypted:
        raise NotAuthentic("the payload is not encrypted, so nothing holds it together")
    if integrity.rootSignature.alg != "HS256":
        raise NotAuthentic(
            f"the root signature is {integrity.rootSignature.alg!r}: anyone could truncate or reorder such a file",
            fix="Ask its maker for one with an HS256 root",
        )
    if not 1 <= len(encryption.keyAccess) <= _ACCESSES or len(manifest.assertions) > _ASSERTIONS:
        raise InvalidInput(f"{len(encryption.keyAccess)} key accesses and {len(manifest.assertions)} assertions")
    if not 1 <= len(integrity.segments) <= _SEGMENTS:
        raise InvalidInput(f"{len(integrity.segments):,} segments; from 1 to {_SEGMENTS:,} are read")
    total = 0
    for segment in integrity.segments:
        plain, sealed = manifest.sizes(segment)
        if not 0 <= plain <= _SEGMENT_LIMIT or sealed != plain + OVERHEAD:
            raise InvalidInput(f"a segment of {plain} bytes that is {sealed} encrypted; it is {OVERHEAD} more")
        total += sealed
    if total != payload_size:
        raise NotAuthentic(
            f"the segments are {total:,} bytes and the payload is {payload_size:,}: it was cut or added to",
            fix="Ask its maker for it again",
        )
    return manifest


def unbase64(text: str, what: str) -> bytes:
    """The bytes of standard base64; InvalidInput where it is not."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{what} is not base64: {text[:40]!r}") from error
