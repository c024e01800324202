"""What left each node, as its links saw it; invariants are checked against this and not against a node's own word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from aldis.kernel.bundles import Bundle, open_bundle
from aldis.kernel.frames import Frame, open_frame
from aldis.kernel.ledger import decode_leaf
from aldis.kernel.records import Header, read_header
from aldis.kernel.signatures import Key
from aldis.node.node import Node

__all__ = ["Archive", "Broken", "Occasion", "Sent", "SentFrame"]


class Broken(AssertionError):
    """An invariant that does not hold, and where."""


class Occasion(NamedTuple):
    """When a bundle was sealed or left, under which policy epoch (its bytes), and what an officer had approved."""

    at: int
    epoch: bytes
    approved: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Sent:
    """A bundle that left, and for whom: when it was sealed, first, and when it left under yet another epoch."""

    sender: str
    receiver: str
    bundle: Bundle
    data: bytes
    occasions: list[Occasion]


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
        """Keep a bundle that leaves now.

        Raises:
            AldisError: it is not one that the sender could have sealed.
        """
        bundle = open_bundle(data, sender.core.signer.public)
        approved = sender.core.store.referrals.all("approved", receiver)
        yes = frozenset[bytes]().union(*(one.portions for one in approved))
        sent = self.bundles.get(bundle.digest)
        if sent is None:
            for item in bundle.items:
                _check_newest(sender, read_header(item.record))
            sealed = Occasion(bundle.manifest.created, _epoch(sender, receiver, bundle), yes)
            sent = self.bundles[bundle.digest] = Sent(sender.name, receiver, bundle, data, [sealed])
        now = Occasion(sender.core.clock.now(), sender.epochs.current().to_bytes(), yes)
        if now.epoch != sent.occasions[-1].epoch:
            sent.occasions.append(now)

    def dump(self) -> bytes:
        """The bundles as bytes, for `load`."""
        kept = [(one.sender, one.receiver, one.data, one.occasions) for one in self.bundles.values()]
        return msgspec.msgpack.encode(kept)

    def load(self, data: bytes, keys: Mapping[str, Key]) -> None:
        """Take up what was dumped; `keys` are those of the senders."""
        for sender, receiver, raw, occasions in msgspec.msgpack.decode(data, type=list[_Dumped]):
            bundle = open_bundle(raw, keys[sender])
            self.bundles[bundle.digest] = Sent(sender, receiver, bundle, raw, occasions)

    def frame(self, sender: Node, receiver: str, data: bytes) -> None:
        """Keep a live frame."""
        key, now = sender.core.signer.public, sender.core.clock.now()
        frame = open_frame(data, key, origin=sender.name, audience=receiver, after=(0, 0), at=now)
        epoch = sender.epochs.current()
        self.frames.append(SentFrame(sender.name, receiver, frame, epoch.to_bytes()))


_Dumped = tuple[str, str, bytes, list[Occasion]]


def _check_newest(sender: Node, header: Header) -> None:
    held = sender.core.store.records.versions(header.id, header.originator)
    if held[-1].version != header.version:
        raise Broken(f"{sender.name} sent {header.id!r} version {header.version}, which no longer stands")


def _epoch(sender: Node, receiver: str, bundle: Bundle) -> bytes:
    """The policy epoch that decided; a node below is not told its digest, and only the sender's ledger has it."""
    digest, ledger = bundle.manifest.policy_epoch, sender.core.store.ledger
    if sender.partners.below(receiver):
        digest = decode_leaf(ledger.leaves(0, type_="release", subject=bundle.digest.hex())[-1].data).epoch
    kept = ledger.snapshot(bytes.fromhex(digest))
    if kept is None:
        raise Broken(f"{sender.name} sealed under a policy epoch that it did not keep")
    return kept
