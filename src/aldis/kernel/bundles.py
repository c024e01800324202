"""Bundles: records for one audience under one signature, and the grant that lets one of them travel on.

A bundle is a manifest, its signature and items. The manifest commits to the items by an RFC 9162 root, so any one
of them can be proven alone: that proof, with the manifest, is the originator's grant for a re-share.
The same bytes are the body of a delivery and the content of a bundle file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from aldis.kernel.encoding import DIGEST_SIZE, MOST, digest_from_hex, sha256
from aldis.kernel.errors import InvalidInput, NotAuthentic, RefusedByPolicy, TooLarge, VerificationFailed
from aldis.kernel.ledger import leaf_hash, merkle_root, verify_inclusion
from aldis.kernel.records import Portion
from aldis.kernel.release import Permit
from aldis.kernel.signatures import Key, Signer

__all__ = [
    "BUNDLE_LIMIT",
    "ITEM_LIMIT",
    "Bundle",
    "Commitment",
    "Grant",
    "Item",
    "Manifest",
    "Stream",
    "Substitute",
    "given_by",
    "grant_of",
    "make_item",
    "onward_of",
    "open_bundle",
    "open_envelope",
    "read_commitment",
    "read_manifest",
    "seal",
    "verify_grant",
]

FORMAT = "aldis-bundle/1"
CONTEXT = b"aldis/bundle/1"
BUNDLE_LIMIT = 48 * 1024 * 1024
"""The greatest size of a bundle in bytes."""
ITEM_LIMIT = 8192
"""The greatest number of items in a bundle."""


class Substitute(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """A portion transformed on its way out, and the words for what was done (`coarsen 1000 m`)."""

    portion: bytes
    transform: str


class Commitment(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """What the originator signs of one item: digests of the record, its portions and substitutes.

    `onward` names, for each further party that may have the record, the portions that the recipient may pass on to
    it; `purposes` what it was released for.
    """

    record: bytes
    portions: list[bytes]
    substitutes: list[tuple[bytes, str]] = []
    onward: dict[str, list[bytes]] = {}
    purposes: list[str] = []


class Grant(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """The originator's signed word on one item, provable without the rest of its bundle."""

    manifest: bytes
    signature: bytes
    index: int
    path: list[bytes]
    commitment: bytes


class Item(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """One record as it travels; `grant` comes with a re-share."""

    commitment: bytes
    record: bytes
    portions: list[bytes]
    substitutes: list[Substitute] = []
    grant: Grant | None = None


class Manifest(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The signed head of a bundle; times in milliseconds since 1970 UTC, digests in hex.

    `first` and `count` give its place in the stream from `origin` to `audience`; numbers are per audience, so what
    is not released leaves no gap. `previous` is the digest of the manifest before, empty for the first.
    """

    origin: str
    audience: str
    epoch: int
    first: int
    count: int
    previous: str
    policy_epoch: str
    root: str
    algorithm: str
    created: int

    @property
    def last(self) -> int:
        """The sequence number of the last item."""
        return self.first + self.count - 1


@dataclass(frozen=True, slots=True)
class Stream:
    """Where the next bundle goes: from whom, to whom, and after what."""

    origin: str
    audience: str
    epoch: int
    first: int
    previous: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle read from bytes; `digest` is that of the manifest's bytes."""

    manifest: Manifest
    manifest_data: bytes
    digest: bytes
    signature: bytes
    items: Sequence[Item]


class _Envelope(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    format: str
    manifest: bytes
    signature: bytes
    items: msgspec.Raw


_WHOLE: Mapping[bytes, str] = MappingProxyType({})
_DIGEST_SIZES = frozenset({DIGEST_SIZE})
_encoder = msgspec.msgpack.Encoder()
_json_encoder = msgspec.json.Encoder()
_envelope_decoder = msgspec.msgpack.Decoder(_Envelope)
_items_decoder = msgspec.msgpack.Decoder(list[Item])
_commitment_decoder = msgspec.msgpack.Decoder(Commitment)
_manifest_decoder = msgspec.json.Decoder(Manifest)


def make_item(
    header: bytes,
    portions: Sequence[Portion],
    permit: Permit,
    *,
    recipient: str,
    policy_epoch: bytes,
    substitutes: Mapping[bytes, tuple[Portion, str]] | None = None,
    grant: Grant | None = None,
    passed: Mapping[bytes, str] = _WHOLE,
) -> Item:
    """The item that a permit allows: permitted portions whole, transformed ones replaced, the rest left out.

    `header` is the record's bytes and `portions` those held; `substitutes` maps the digest of a portion to the one
    that stands in for it and the transform's words. `passed` are those of the portions that came as substitutes
    themselves, each with its words.

    Raises:
        RefusedByPolicy: the permit is not for this record, recipient and policy epoch, or for other portions (one
            that must be transformed and was not counts as missing).
    """
    digest = sha256(header)
    allowed, changed = permit.portions, permit.transforms
    replaced = {one: both for one, both in substitutes.items() if one in changed} if substitutes else {}
    digests: list[bytes] = []
    whole: list[bytes] = []
    said: list[tuple[bytes, str]] = []
    given: list[Substitute] = []
    for held in portions:
        if held.digest in allowed and held.digest not in changed:
            if held.digest in passed:
                said.append((held.digest, passed[held.digest]))
                given.append(Substitute(held.data, passed[held.digest]))
            else:
                digests.append(held.digest)
                whole.append(held.data)
    permit.check(digest, recipient, policy_epoch, [*digests, *(one for one, _ in said), *replaced])
    onward = {party: list(given) for party, given in permit.onward.items()} if permit.onward else {}
    for one, (portion, words) in replaced.items():
        said.append((portion.digest, words))
        given.append(Substitute(portion.data, words))
        onward = {party: [portion.digest if d == one else d for d in ds] for party, ds in onward.items()}
    commitment = Commitment(digest, digests, said, onward, list(permit.purposes))
    return Item(_encoder.encode(commitment), header, whole, given, grant)


def seal(
    items: Sequence[Item], stream: Stream, *, policy_epoch: bytes, created: int, signer: Signer
) -> tuple[bytes, bytes]:
    """The bundle's bytes and its digest.

    Raises:
        InvalidInput: no items, or more than ITEM_LIMIT.
    """
    if not 0 < len(items) <= ITEM_LIMIT:
        raise InvalidInput(f"a bundle takes 1 to {ITEM_LIMIT} items, not {len(items)}")
    manifest = Manifest(
        origin=stream.origin,
        audience=stream.audience,
        epoch=stream.epoch,
        first=stream.first,
        count=len(items),
        previous=stream.previous.hex(),
        policy_epoch=policy_epoch.hex(),
        root=merkle_root([leaf_hash(item.commitment) for item in items]).hex(),
        algorithm=signer.public.algorithm.value,
        created=created,
    )
    data = _json_encoder.encode(manifest)
    envelope = (FORMAT, data, signer.sign(CONTEXT, data), items)
    return _encoder.encode(envelope), sha256(data)


def open_envelope(data: bytes) -> tuple[Manifest, bytes, bytes, msgspec.Raw]:
    """The manifest, its bytes, its signature, and the items still unparsed.

    Raises:
        InvalidInput: not a bundle of this format.
        TooLarge: over BUNDLE_LIMIT.
    """
    if len(data) > BUNDLE_LIMIT:
        raise TooLarge(f"a bundle of {len(data)} bytes; the limit is {BUNDLE_LIMIT}")
    try:
        envelope = _envelope_decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a bundle: {error}", fix="Export it again; the file may be cut short") from error
    if envelope.format != FORMAT:
        raise InvalidInput(f"bundle format {envelope.format[:32]!r} is not {FORMAT}", fix="Update the older node")
    return read_manifest(envelope.manifest), envelope.manifest, envelope.signature, envelope.items


def read_manifest(data: bytes) -> Manifest:
    """The manifest that these bytes state.

    Raises:
        InvalidInput: not the closed schema of a manifest.
    """
    try:
        manifest = _manifest_decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a bundle manifest: {error}") from error
    numbers = (manifest.epoch, manifest.first, manifest.last, manifest.created)
    if min(numbers) < 1 or max(numbers) > MOST or not 0 < manifest.count <= ITEM_LIMIT:
        raise InvalidInput(
            f"a manifest cannot hold items {manifest.first} to {manifest.last} of epoch {manifest.epoch}"
        )
    return manifest


def open_bundle(data: bytes, key: Key) -> Bundle:
    """The bundle, with signature, count and root verified; its items are not yet admitted.

    Raises:
        NotAuthentic: another key signed, or it names another algorithm than the one pinned.
        VerificationFailed: the items are not the ones that the manifest commits to.
        InvalidInput: malformed.
    """
    manifest, manifest_data, signature, raw_items = open_envelope(data)
    if manifest.algorithm != key.algorithm.value:
        raise NotAuthentic(
            f"signed with {manifest.algorithm!r}, but {key.algorithm.value} is pinned for {manifest.origin}",
            fix="Pair again if the partner has changed its algorithm",
        )
    key.verify(CONTEXT, manifest_data, signature)
    try:
        items = _items_decoder.decode(raw_items)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"the items of the bundle are malformed: {error}") from error
    if (
        len(items) != manifest.count
        or merkle_root([leaf_hash(item.commitment) for item in items]).hex() != manifest.root
    ):
        raise VerificationFailed(
            f"the bundle from {manifest.origin} does not hold the {manifest.count} items it was signed for",
            fix="Ask the partner to send it again",
        )
    return Bundle(manifest, manifest_data, sha256(manifest_data), signature, items)


def read_commitment(data: bytes) -> Commitment:
    """The commitment that these bytes state.

    Raises:
        InvalidInput: not the closed schema of a commitment, or a digest of the wrong size.
    """
    try:
        commitment = _commitment_decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a commitment: {error}") from error
    digests = [commitment.record, *commitment.portions]
    if commitment.substitutes:
        digests += [digest for digest, _ in commitment.substitutes]
    if not _DIGEST_SIZES.issuperset(map(len, digests)):
        raise InvalidInput(f"a commitment with a digest that is not {DIGEST_SIZE} bytes")
    return commitment


def onward_of(grant: Grant | None, node: str) -> Mapping[str, list[bytes]]:
    """Per party, what `node` may pass on to it: nothing by a grant that was given to another node."""
    onward = read_commitment(grant.commitment).onward if grant else {}
    return onward if grant and onward and read_manifest(grant.manifest).audience == node else {}


def given_by(grant: Grant, party: str, within: Collection[str]) -> dict[bytes, str]:
    """The portions that a grant lets the party have: all that it gave to a node `within` it, else what is named.

    With each the words for what was done to it: empty but for a substitute.
    """
    said = read_commitment(grant.commitment)
    every = dict.fromkeys(said.portions, "") | dict(said.substitutes)
    if read_manifest(grant.manifest).audience in within:
        return every
    return {digest: every.get(digest, "") for digest in said.onward.get(party, ())}


def grant_of(bundle: Bundle, index: int, path: Sequence[bytes]) -> Grant:
    """The grant for the item at `index`, with the inclusion path of its commitment."""
    return Grant(bundle.manifest_data, bundle.signature, index, list(path), bundle.items[index].commitment)


def verify_grant(grant: Grant, key: Key, *, party: str, carried: Commitment, within: Collection[str] = ()) -> Manifest:
    """Return the originator's manifest if it lets `party` have all that `carried` commits to.

    What it gave to a node `within` the party, the party has.

    Raises:
        NotAuthentic: the originator did not sign it.
        VerificationFailed: the grant is for another item.
        RefusedByPolicy: the originator did not let this party have it, or not these portions.
    """
    key.verify(CONTEXT, grant.manifest, grant.signature)
    manifest = read_manifest(grant.manifest)
    root = digest_from_hex(manifest.root)
    verify_inclusion(leaf_hash(grant.commitment), grant.index, manifest.count, grant.path, root)
    granted = read_commitment(grant.commitment)
    if granted.record != carried.record:
        raise VerificationFailed(
            "the grant that came along is for another record", fix="Ask the sender for the right one"
        )
    allowed: set[bytes] | None = set(granted.onward[party]) if party in granted.onward else None
    if manifest.audience in within:
        allowed = {*granted.portions, *(digest for digest, _ in granted.substitutes)}
    if allowed is None or not {*carried.portions, *(digest for digest, _ in carried.substitutes)} <= allowed:
        raise RefusedByPolicy(
            f"{manifest.origin} did not grant {party} what {manifest.audience} passes on",
            fix=f"Ask {manifest.origin} to release it to {party}, or to add an onward clause",
        )
    if not set(carried.substitutes) <= set(granted.substitutes):
        raise VerificationFailed("a transformed portion is not the one that its originator signed")
    return manifest
