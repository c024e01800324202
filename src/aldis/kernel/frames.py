"""Live frames: the newest values of many entities for one audience, under one signature.

A lossy path beside the bundles: a frame may be dropped, never repeated and never reordered. Values are grouped by
label, so what is not permitted is not in the frame at all. The same values are recorded at the origin as records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, NotAuthentic, Stale, TooLarge, VerificationFailed
from aldis.kernel.labels import Label, decode_label, encode_label
from aldis.kernel.signatures import Key, Signer

__all__ = ["FRAME_LIMIT", "MAX_AGE", "Frame", "FrameManifest", "Update", "encoded", "open_frame", "seal_frame"]

FORMAT = "aldis-frame/1"
CONTEXT = b"aldis/frame/1"
FRAME_LIMIT = 1024 * 1024
"""The greatest size of a frame in bytes."""
MAX_AGE = 30_000
"""A frame whose stated time differs from ours by more, in milliseconds, is not live."""


class Update(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """The newest value of one portion of one entity; `at` is when it was observed, in ms since 1970 UTC.

    A value of JSON never holds itself, so that none is looked at as garbage.
    """

    id: str
    kind: str
    portion: str
    at: int
    value: Any


class FrameManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signed head of a frame; `number` grows by at least one each frame within an epoch."""

    origin: str
    audience: str
    epoch: int
    number: int
    created: int
    policy_epoch: str
    body: str
    algorithm: str


def encoded(update: Update) -> msgspec.Raw:
    """An update as it stands in a frame: what goes to several partners is encoded once."""
    return msgspec.Raw(_encoder.encode(update))


class _Group(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    label: bytes
    updates: list[Update]
    origin: str = ""


class _Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    format: str
    manifest: bytes
    signature: bytes
    body: bytes


class Frame(msgspec.Struct, frozen=True):
    """A verified frame: who sent it, and its updates under their labels.

    `passed` are those of other nodes, each group with the node that published it: the sender's word, and no more.
    """

    manifest: FrameManifest
    groups: Sequence[tuple[Label, Sequence[Update]]]
    passed: Sequence[tuple[str, Label, Sequence[Update]]] = ()


_Updates = Iterable[Update | msgspec.Raw]
_NONE: Mapping[tuple[str, Label], _Updates] = MappingProxyType({})
_encoder = msgspec.msgpack.Encoder()
_envelope_decoder = msgspec.msgpack.Decoder(_Envelope)
_groups_decoder = msgspec.msgpack.Decoder(list[_Group])


def seal_frame(
    groups: Mapping[Label, _Updates],
    *,
    origin: str,
    audience: str,
    epoch: int,
    number: int,
    created: int,
    policy_epoch: bytes,
    signer: Signer,
    passed: Mapping[tuple[str, Label], _Updates] = _NONE,
) -> bytes:
    """The frame's bytes; the caller has decided that every group may go to `audience`. Updates may be `encoded` before.

    `passed` are values that other nodes published, by node and label; only a node of one's own party takes them.

    Raises:
        TooLarge: over FRAME_LIMIT.
    """
    own = [(encode_label(label), list(updates)) for label, updates in groups.items()]
    others = [(encode_label(label), list(updates), origin) for (origin, label), updates in passed.items()]
    body = _encoder.encode([*own, *others])
    manifest = msgspec.json.encode(
        FrameManifest(
            origin=origin,
            audience=audience,
            epoch=epoch,
            number=number,
            created=created,
            policy_epoch=policy_epoch.hex(),
            body=sha256(body).hex(),
            algorithm=signer.public.algorithm.value,
        )
    )
    data = _encoder.encode(_Envelope(FORMAT, manifest, signer.sign(CONTEXT, manifest), body))
    if len(data) > FRAME_LIMIT:
        raise TooLarge(f"a frame of {len(data)} bytes; the limit is {FRAME_LIMIT}", fix="Lower the byte budget")
    return data


def open_frame(data: bytes, key: Key, *, origin: str, audience: str, after: tuple[int, int], at: int) -> Frame:
    """The frame, if it is from `origin` for `audience`, newer than `after` (epoch, number) and of now.

    Raises:
        NotAuthentic: another signer, origin or audience.
        Stale: repeated, reordered, or not of the last 30 s by this node's clock.
        VerificationFailed: the body is not the one signed.
        InvalidInput: malformed.
    """
    if len(data) > FRAME_LIMIT:
        raise TooLarge(f"a frame of {len(data)} bytes; the limit is {FRAME_LIMIT}")
    try:
        envelope = _envelope_decoder.decode(data)
        manifest = msgspec.json.decode(envelope.manifest, type=FrameManifest)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a frame: {error}") from error
    if envelope.format != FORMAT or manifest.algorithm != key.algorithm.value:
        raise NotAuthentic(
            f"frame format {envelope.format[:32]!r} with {manifest.algorithm[:32]!r} is not the pinned one"
        )
    key.verify(CONTEXT, envelope.manifest, envelope.signature)
    if (manifest.origin, manifest.audience) != (origin, audience):
        raise NotAuthentic(f"a frame from {manifest.origin} to {manifest.audience}, expected {origin} to {audience}")
    if (manifest.epoch, manifest.number) <= after:
        raise Stale(f"frame {manifest.number} of {origin} came again or late")
    if abs(manifest.created - at) > MAX_AGE:
        raise Stale(
            f"frame {manifest.number} of {origin} is {(at - manifest.created) / 1000:+.0f} s old by this clock",
            fix="Check both clocks with `aldis doctor`",
        )
    if sha256(envelope.body).hex() != manifest.body:
        raise VerificationFailed(f"the body of frame {manifest.number} is not the one {origin} signed")
    try:
        groups = _groups_decoder.decode(envelope.body)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"the body of frame {manifest.number} is malformed: {error}") from error
    return Frame(
        manifest,
        [(decode_label(group.label), group.updates) for group in groups if not group.origin],
        [(group.origin, decode_label(group.label), group.updates) for group in groups if group.origin],
    )
