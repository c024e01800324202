"""Live values: out in frames, newest value only and within a byte budget; in from partners, checked like records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from aldis.app import Live
from aldis.kernel.admission import Peers
from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.frames import Update, open_frame, seal_frame
from aldis.kernel.labels import Label, encode_label
from aldis.kernel.release import Decision, Request, compile_terms
from aldis.kernel.signatures import Algorithm
from aldis.kernel.transforms import Transformed, apply_transforms
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.restored import restored

__all__ = ["LiveIn", "LiveOut"]

MAX_VALUES = 80_000
_encode = msgspec.msgpack.Encoder().encode
_OVERHEAD = {Algorithm.ED25519: 512, Algorithm.P384: 512, Algorithm.HYBRID: 4096}
"""Bytes of envelope, manifest and signature at most."""

_Slot = tuple[str, str]


class _Value(msgspec.Struct, frozen=True):
    """An update with what decides where it may go: the label of its track's existence, its own, and the project."""

    header: Label
    label: Label
    project: str
    update: Update


@dataclass(slots=True)
class _Queue:
    """What one partner has yet to get: the newest value of each entity's portion, the longest waiting first."""

    number: int = 0
    values: dict[_Slot, _Value] = field(default_factory=dict)
    conflated: int = 0
    dropped: int = 0


class LiveOut:
    """Live values on their way out."""

    def __init__(self, core: Core, epochs: Epochs) -> None:
        self._core = core
        self._epochs = epochs
        self._queues: dict[str, _Queue] = {}

    def publish(self, header: Label, label: Label, project: str, update: Update, partners: Iterable[str]) -> None:
        """Let `update` wait for the next frame to each partner; an older value that still waits is dropped."""
        slot, value = (update.id, update.portion), _Value(header, label, project, update)
        for node in partners:
            queue = self._queues.setdefault(node, _Queue())
            if slot in queue.values:
                queue.conflated += 1
            elif len(queue.values) >= MAX_VALUES:
                del queue.values[next(iter(queue.values))]
                queue.dropped += 1
            queue.values[slot] = value

    def forget(self, node: str) -> None:
        """Drop what waits for a partner that is no longer active."""
        self._queues.pop(node, None)

    def frame(self, node: str, stream_epoch: int) -> bytes | None:
        """The next frame for a partner, of what it may have and the budget holds; None where nothing waits.

        What the budget does not hold waits for the frame after; what no frame would hold, and what may not go or only
        later, is dropped: the durable records carry it when it may.
        """
        queue = self._queues.get(node) if restored(self._core.store) is None else None
        if queue is None or not queue.values:
            return None
        core, now, epoch = self._core, self._core.clock.now(), self._epochs.current()
        decide = _Decider(epoch, core.party, node, now)
        groups: dict[Label, list[Update]] = {}
        room = core.config.live_bytes - _OVERHEAD[core.signer.public.algorithm]
        for slot in list(queue.values):
            value = queue.values[slot]
            update = decide.given(value, core.secret)
            if update is not None:
                group = groups.get(value.label)
                size = len(_encode(update)) + (len(encode_label(value.label)) + 8 if group is None else 0)
                if size > room and groups:
                    break
                if size > room:
                    queue.dropped += 1
                else:
                    room -= size
                    if group is None:
                        group = groups[value.label] = []
                    group.append(update)
            del queue.values[slot]
        if not groups:
            return None
        queue.number = max(queue.number + 1, now)
        return seal_frame(
            groups,
            origin=core.node,
            audience=node,
            epoch=stream_epoch,
            number=queue.number,
            created=now,
            policy_epoch=epoch.digest,
            signer=core.signer,
        )


class _Decider:
    """Decides for one frame; values alike in what decides are decided once."""

    def __init__(self, epoch: PolicyEpoch, party: str, node: str, now: int) -> None:
        self._terms = compile_terms(epoch, node, None, now)
        self._party, self._node, self._now, self._holds = party, node, now, epoch.holds
        self._known: dict[tuple[Label, Label, str, str, str], Decision | None] = {}

    def given(self, value: _Value, secret: bytes) -> Update | None:
        """The update as the partner may have it, or None."""
        update = value.update
        alike = (value.header, value.label, value.project, update.kind, update.portion)
        portion = self._known[alike] if alike in self._known else self._known.setdefault(alike, self._decide(value))
        if portion is None or update.id in self._holds:
            return None
        if update.at + portion.basis.delay_ms > self._now:
            return None
        transforms = portion.transforms
        if not transforms:
            return update
        changed = apply_transforms(transforms, update.value, secret=secret, partner=self._node)
        if not isinstance(changed, Transformed):
            return None
        return msgspec.structs.replace(update, value=changed.value)

    def _decide(self, value: _Value) -> Decision | None:
        """The decision on a portion that may go; None where it may not, or its header may not."""
        header = self._ask(value, value.header, "")
        portion = self._ask(value, value.label, value.update.portion)
        if not header.permits or not portion.permits:
            return None
        return portion

    def _ask(self, value: _Value, label: Label, portion: str) -> Decision:
        request = Request(
            label=label,
            kind=value.update.kind,
            recipient=self._node,
            originator=self._party,
            project=value.project,
            portion=portion,
        )
        return self._terms.decide(request)


class LiveIn:
    """Live values from partners, each checked as a record would be, and handed to whoever subscribed."""

    def __init__(self, core: Core, told: Callable[[Live], None]) -> None:
        self._core = core
        self._told = told
        self._newest: dict[str, tuple[int, int]] = {}
        self.counts: dict[str, int] = {}
        self.refused = 0

    def take(self, sender: str, peers: Peers, body: bytes) -> int:
        """The number of values taken from a frame; a value that may not be held here is counted and dropped.

        Raises:
            NotAuthentic, Stale, VerificationFailed, InvalidInput: nothing of the frame is believed.
        """
        peer = peers.peer(sender, sender)
        now = self._core.clock.now()
        newest = self._newest.get(sender, (0, 0))
        frame = open_frame(body, peer.key, origin=sender, audience=self._core.node, after=newest, at=now)
        self._newest[sender] = (frame.manifest.epoch, frame.manifest.number)
        taken = 0
        for label, updates in frame.groups:
            problem = peers.label_problem(label, now)
            for update in updates:
                if problem is None and self._fits(update, peers):
                    self._told(Live(sender, label, update))
                    taken += 1
                else:
                    self.refused += 1
        self.counts[sender] = self.counts.get(sender, 0) + taken
        return taken

    @staticmethod
    def _fits(update: Update, peers: Peers) -> bool:
        kind = peers.kinds.get(update.kind)
        expected = kind.portions.get(update.portion) if kind else None
        try:
            msgspec.convert(update.value, expected) if expected is not None else None
        except (msgspec.MsgspecError, RecursionError):
            return False
        return expected is not None
