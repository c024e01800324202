"""Opening a container: everything that can be checked is checked before a byte of the payload comes out.

1. The file is two stored members, and it is whole.
2. The manifest is of the profile: AES-256-GCM, an HS256 root, segments that add up to the payload.
3. Of each split at least one share is opened, and the policy's binding holds under every share opened.
4. The root signature holds over the segment hashes under the XOR of the shares.
5. Every assertion is bound to these segments, under the payload's key or a key that is trusted.
6. Each segment has the hash that the root covers, and is authentic, before it is given out.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aldis.kernel.errors import InvalidInput, NotAuthentic, RefusedByPolicy
from aldis.kernel.tdf.archive import Member, members
from aldis.kernel.tdf.assertions import Statement, Verifier, check
from aldis.kernel.tdf.manifest import MANIFEST_LIMIT, Binding, KeyAccess, Manifest, read_manifest, unbase64

__all__ = ["Opened", "Unwrap", "check_binding", "open_tdf"]

Unwrap = Callable[[KeyAccess, bytes], bytes | None]
"""The share (32 bytes) that a key access wraps, under a policy in JSON; None where it is for somebody else's key."""
_KEY = 32
_NONCE = 12
_TAG = 16


def _nobody(_algorithm: str, _signed: bytes, _signature: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Opened:
    """A container whose manifest holds; `segments` gives the payload."""

    manifest: Manifest
    policy: bytes
    statements: tuple[Statement, ...]
    _file: BinaryIO
    _payload: Member
    _key: bytes
    _hashes: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """The size of the payload in plain."""
        return sum(
            self.manifest.sizes(one)[0] for one in self.manifest.encryptionInformation.integrityInformation.segments
        )

    def segments(self) -> Iterator[bytes]:
        """The payload, a segment at a time, each authentic; NotAuthentic at the first that is not."""
        cipher, integrity = AESGCM(self._key), self.manifest.encryptionInformation.integrityInformation
        tagged, form = integrity.segmentHashAlg == "GMAC", self.manifest.form
        self._file.seek(self._payload.start)
        for number, (segment, expected) in enumerate(zip(integrity.segments, self._hashes, strict=True), 1):
            data = self._file.read(self.manifest.sizes(segment)[1])
            found = data[-_TAG:] if tagged else hmac.digest(self._key, data, "sha256")
            try:
                if not hmac.compare_digest(form.written(found), expected):
                    raise NotAuthentic(
                        f"segment {number} is not the one that was signed", fix="Ask its maker for it again"
                    )
                yield cipher.decrypt(data[:_NONCE], memoryview(data)[_NONCE:], None)
            except InvalidTag as error:
                raise NotAuthentic(f"segment {number} does not decrypt", fix="Ask its maker for it again") from error


def open_tdf(file: BinaryIO, unwrap: Unwrap, trusted: Verifier = _nobody) -> Opened:
    """Open a container in a file that can seek; `trusted` knows the keys of those who may sign assertions.

    Raises:
        InvalidInput: no TDF, or not of the profile; TooLarge: over a limit.
        NotAuthentic: a binding, the root, or an assertion does not hold.
        RefusedByPolicy: a share that no key given here opens, or whatever `unwrap` raises.
    """
    manifest_at, payload = members(file)
    file.seek(manifest_at.start)
    manifest = read_manifest(file.read(min(manifest_at.size, MANIFEST_LIMIT + 1)), payload.size)
    encryption, integrity = manifest.encryptionInformation, manifest.encryptionInformation.integrityInformation
    policy = unbase64(encryption.policy, "the policy")
    key = _key(manifest, policy, unwrap)
    hashes = tuple(unbase64(one.hash, "a segment's hash") for one in integrity.segments)
    form = manifest.form
    size = (_TAG if integrity.segmentHashAlg == "GMAC" else _KEY) * (2 if form.hexadecimal else 1)
    if any(len(one) != size for one in hashes):
        raise InvalidInput(f"a segment's hash is not {size} bytes long")
    every = b"".join(hashes)
    root = hmac.digest(key, every, "sha256")
    said = unbase64(integrity.rootSignature.sig, "the root signature")
    if not hmac.compare_digest(form.written(root), said):
        raise NotAuthentic(
            "the root signature does not hold: segments were changed, left out or put in another order",
            fix="Ask its maker for it again",
        )
    statements = tuple(
        check(one, every, key, integrity.rootSignature.sig, trusted, form) for one in manifest.assertions
    )
    return Opened(manifest, policy, statements, file, payload, key, hashes)


def _key(manifest: Manifest, policy: bytes, unwrap: Unwrap) -> bytes:
    encryption, shares = manifest.encryptionInformation, dict[str, bytes | None]()
    for access in encryption.keyAccess:
        share = unwrap(access, policy)
        if share is None:
            shares.setdefault(access.sid, None)
            continue
        if len(share) != _KEY:
            raise InvalidInput(f"the key wrapped for {access.url} is {len(share)} bytes, not {_KEY}")
        check_binding(access, share, encryption.policy)
        before = shares.get(access.sid)
        if before is not None and before != share:
            raise NotAuthentic(f"two wrapped keys of split {access.sid!r} differ")
        shares[access.sid] = share
    key = bytes(_KEY)
    for sid, share in shares.items():
        if share is None:
            servers = ", ".join(one.url for one in encryption.keyAccess if one.sid == sid)
            raise RefusedByPolicy(
                f"no key given here opens the share of {servers}", fix="Give the key of one of them too"
            )
        key = bytes(a ^ b for a, b in zip(key, share, strict=True))
    return key


def check_binding(access: KeyAccess, share: bytes, policy: str) -> None:
    """Return if `share` was wrapped under this policy (base64, as the manifest has it).

    Raises:
        NotAuthentic: it was not, or is bound by anything but HS256.
    """
    bound = access.policyBinding
    if isinstance(bound, Binding) and bound.alg != "HS256":
        raise NotAuthentic(f"the policy is bound by {bound.alg!r}, not HS256")
    said = unbase64(bound.hash if isinstance(bound, Binding) else bound, "the policy's binding")
    if not hmac.compare_digest(hmac.digest(share, policy.encode(), "sha256").hex().encode(), said):
        raise NotAuthentic(
            f"the policy is not the one that the key for {access.url} was wrapped under",
            fix="Ask its maker for it again",
        )
