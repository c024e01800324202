"""What left each node, as its links saw it; invariants are checked against this and not against a node's own word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from aldis.kernel.bundles import Bundle, open_bundle, open_envelope
from aldis.kernel.frames import Frame, open_frame
from aldis.kernel.signatures import Key
from aldis.node.node import Node

__all__ = ["Archive", "Sent", "SentFrame"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A bundle that left: for whom, and the policy epoch (its bytes) and approvals it was sealed under."""

    sender: str
    receiver: str
    bundle: Bundle
    data: bytes
    epoch: bytes
    approved: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A live frame that left, with the policy epoch it was sealed under."""

    sender: str
    receiver: str
    frame: Frame
    epoch: bytes


@dataclass(slots=True)
class Archive:
    """Every bundle by its digest, and every live frame."""

    bundles: dict[bytes, Sent] = field(default_factory=dict)
    frames: list[SentFrame] = field(default_factory=list)

    def bundle(self, sender: Node, receiver: str, data: bytes) -> None:
        """Keep a bundle, the first time it leaves.

        Raises:
            AldisError: it is not one that the sender could have sealed.
        """
        manifest = open_envelope(data)[0]
        bundle = open_bundle(data, sender.core.signer.public)
        if bundle.digest in self.bundles:
            return
        store = sender.core.store
        approved = frozenset[bytes]().union(*(one.portions for one in store.referrals.all("approved", receiver)))
        epoch = _epoch(sender, manifest.policy_epoch)
        self.bundles[bundle.digest] = Sent(sender.name, receiver, bundle, data, epoch, approved)

    def dump(self) -> bytes:
        """The bundles as bytes, for `load`."""
        return msgspec.msgpack.encode(
            [(one.sender, one.receiver, one.data, one.epoch, sorted(one.approved)) for one in self.bundles.values()]
        )

    def load(self, data: bytes, keys: Mapping[str, Key]) -> None:
        """Take up what was dumped; `keys` are those of the senders."""
        for sender, receiver, raw, epoch, approved in msgspec.msgpack.decode(data, type=list[_Dumped]):
            bundle = open_bundle(raw, keys[sender])
            self.bundles[bundle.digest] = Sent(sender, receiver, bundle, raw, epoch, frozenset(approved))

    def frame(self, sender: Node, receiver: str, data: bytes) -> None:
        """Keep a live frame."""
        key, now = sender.core.signer.public, sender.core.clock.now()
        frame = open_frame(data, key, origin=sender.name, audience=receiver, after=(0, 0), at=now)
        epoch = sender.epochs.current()
        self.frames.append(SentFrame(sender.name, receiver, frame, epoch.to_bytes()))


_Dumped = tuple[str, str, bytes, bytes, list[bytes]]


def _epoch(sender: Node, digest: str) -> bytes:
    kept = sender.core.store.ledger.snapshot(bytes.fromhex(digest))
    if kept is None:
        raise AssertionError(f"{sender.name} sealed under a policy epoch that it did not keep")
    return kept
