"""Live values: out in frames, newest value only and within a byte budget; in from partners, checked like records.

What comes from another node goes on to the nodes of this party above, in its name, once the record that it is of is
held here: by that record's header it is decided whether it may.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from aldis.app import Live
from aldis.kernel.admission import Peers
from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.errors import NotAuthentic
from aldis.kernel.frames import MAX_AGE, Frame, Update, encoded, open_frame, seal_frame
from aldis.kernel.labels import Label, encode_label
from aldis.kernel.release import Decision, Request, compile_terms
from aldis.kernel.signatures import Algorithm
from aldis.kernel.transforms import Transformed, apply_transforms
from aldis.node.core import Core
from aldis.node.crossings import Crossings
from aldis.node.epochs import Epochs
from aldis.node.partners import Partners
from aldis.node.restored import restored

__all__ = ["LiveIn", "LiveOut"]

MAX_VALUES = 80_000
_decode = msgspec.msgpack.Decoder(Update).decode
_OVERHEAD = {Algorithm.ED25519: 512, Algorithm.P384: 512, Algorithm.HYBRID: 4096}
"""Bytes of envelope, manifest and signature at most."""

_HEADERS_MS = 1000
_ALIKE = 4096

_Slot = tuple[str, str, str]
"""The node that published a value ("" for this one), the entity's id, and the portion."""


class _Alike:
    """What decides where a value may go: the label of its track's existence, its own, the project, kind and portion.

    What another node (`origin`) published has the label and project of the record that is held of it: None until then.
    Values share it as an object, so that nothing is compared for each of them.
    """

    __slots__ = ("header", "kind", "label", "origin", "portion", "project")

    def __init__(self, header: Label | None, label: Label, project: str, origin: str, kind: str, portion: str) -> None:
        self.header, self.label, self.project = header, label, project
        self.origin, self.kind, self.portion = origin, kind, portion


class _Value(msgspec.Struct, gc=False):
    """An update that waits; `data` is it as it stands in a frame, once that was made."""

    alike: _Alike
    update: Update
    data: msgspec.Raw | None = None


@dataclass(slots=True)
class _Queue:
    """What one partner has yet to get: the newest value of each entity's portion, the longest waiting first."""

    number: int = 0
    values: dict[_Slot, _Value] = field(default_factory=dict)
    some: asyncio.Event = field(default_factory=asyncio.Event)
    conflated: int = 0
    dropped: int = 0


class LiveOut:
    """Live values on their way out."""

    def __init__(self, core: Core, epochs: Epochs, partners: Partners) -> None:
        self._core = core
        self._epochs = epochs
        self._partners = partners
        self._queues: dict[str, _Queue] = {}
        self._shared: dict[tuple[int, int, str, str, str, str], _Alike] = {}
        self._above: list[str] = []
        self._change = -1
        self._headers: dict[tuple[str, str], tuple[Label, str] | None] = {}
        self._headers_at = 0
        self.crossings = Crossings()

    def publish(
        self, header: Label, project: str, values: Iterable[tuple[Label, Update]], partners: Iterable[str]
    ) -> None:
        """Let values wait for the next frame to each partner; an older one that still waits is dropped."""
        new: dict[_Slot, _Value] = {}
        for label, update in values:
            new["", update.id, update.portion] = _Value(self._alike(header, label, project, "", update), update)
        self._wait(new, partners)

    def pass_on(self, sender: str, origin: str, label: Label, updates: Iterable[Update]) -> None:
        """Let what `origin` published, and `sender` sent here, wait for the next frame to each node above."""
        above = [node for node in self._nodes_above() if node not in (sender, origin)]
        new: dict[_Slot, _Value] = {}
        for update in updates if above else ():
            new[origin, update.id, update.portion] = _Value(self._alike(None, label, "", origin, update), update)
        self._wait(new, above)

    def _alike(self, header: Label | None, label: Label, project: str, origin: str, update: Update) -> _Alike:
        alike = (id(header), id(label), project, origin, update.kind, update.portion)
        found = self._shared.get(alike)
        if found is None:  # it holds the labels, so that their ids stay theirs
            if len(self._shared) >= _ALIKE:
                self._shared.clear()
            found = self._shared[alike] = _Alike(header, label, project, origin, update.kind, update.portion)
        return found

    def _nodes_above(self) -> list[str]:
        """The active nodes above that are called, looked up again where a partner has changed."""
        change = self._core.policy_change()
        if change != self._change:
            self._change, fed = change, self._core.config.feeds
            self._above = [known.node for known in self._partners.above() if known.active and known.node not in fed]
        return self._above

    def _wait(self, new: Mapping[_Slot, _Value], partners: Iterable[str]) -> None:
        for node in partners if new else ():
            queue = self._queues.get(node) or self._queue(node)
            waiting = queue.values
            if not waiting:
                queue.some.set()
            before = len(waiting)
            waiting.update(new)
            queue.conflated += before + len(new) - len(waiting)
            while len(waiting) > MAX_VALUES:
                del waiting[next(iter(waiting))]
                queue.dropped += 1

    def _queue(self, node: str) -> _Queue:
        return self._queues.setdefault(node, _Queue())

    async def waits(self, node: str) -> None:
        """Return once something waits for a partner."""
        queue = self._queue(node)
        while not queue.values:
            queue.some.clear()
            await queue.some.wait()

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
        decide = _Decider(epoch, self._partners.originators(node), node, now)
        groups, rulings = dict[tuple[str, Label], list[msgspec.Raw]](), decide.rulings
        room = core.config.live_bytes - _OVERHEAD[core.signer.public.algorithm]
        done = 0
        for value in queue.values.values():
            if value.alike.origin:
                value = self._settled(value, now)
            ruling = rulings.get(value.alike) or decide.ruling(value.alike)
            data = decide.given(value, ruling, core.secret) if ruling.permits else None
            if data is not None:
                group = ruling.group
                size = len(data) if group is not None else len(data) + ruling.named(groups)
                if size > room and groups:
                    break
                if size > room:
                    queue.dropped += 1
                else:
                    room -= size
                    if group is None:
                        group = ruling.group = groups.setdefault(ruling.place, [])
                    group.append(data)
            done += 1
        queue.values = dict(islice(queue.values.items(), done, None))
        if not groups:
            return None
        queue.number = max(queue.number + 1, now)
        if self.crossings:
            values = [Live(*place, _decode(data)) for place, group in groups.items() for data in group]
            self.crossings.tell(node, f"{stream_epoch}/{queue.number}", now, values, left=True)
        return seal_frame(
            {label: updates for (origin, label), updates in groups.items() if not origin},
            passed={key: updates for key, updates in groups.items() if key[0]},
            origin=core.node,
            audience=node,
            epoch=stream_epoch,
            number=queue.number,
            created=now,
            policy_epoch=epoch.digest,
            signer=core.signer,
        )

    def _settled(self, value: _Value, now: int) -> _Value:
        """What another node published, with the label and project of the record that is held of it."""
        if not 0 <= now - self._headers_at < _HEADERS_MS:
            self._headers.clear()
            self._headers_at = now
        alike = value.alike
        key = (alike.origin, value.update.id)
        if key not in self._headers:
            row = self._core.store.records.get(value.update.id, originator=alike.origin)
            held = (self._core.store.profiles.profile(row.profile).label, row.project) if row else None
            self._headers[key] = held
        found = self._headers[key]
        if found is None:
            return value
        return _Value(self._alike(found[0], alike.label, found[1], alike.origin, value.update), value.update)


class _Ruling:
    """What holds for all values that are alike, and the group of a frame that those go into."""

    __slots__ = ("delay_ms", "group", "permits", "place", "transforms")

    def __init__(self, alike: _Alike, portion: Decision | None) -> None:
        self.permits = portion is not None
        self.transforms = portion.transforms if portion is not None else ()
        self.delay_ms = portion.basis.delay_ms if portion is not None else 0
        self.place = (alike.origin, alike.label)
        self.group: list[msgspec.Raw] | None = None

    def named(self, groups: Mapping[tuple[str, Label], object]) -> int:
        """The bytes that a group of its own costs, where there is none yet."""
        origin, label = self.place
        return 0 if self.place in groups else len(encode_label(label)) + len(origin) + 12


class _Decider:
    """Decides for one frame; values alike in what decides are decided once. `parties` are those of the originators."""

    def __init__(self, epoch: PolicyEpoch, parties: Mapping[str, str], node: str, now: int) -> None:
        self._terms = compile_terms(epoch, node, None, now)
        self._own, self._parties = epoch.party, parties
        self._node, self._now, self._holds = node, now, epoch.holds
        self.rulings: dict[_Alike, _Ruling] = {}

    def ruling(self, alike: _Alike) -> _Ruling:
        """What holds for all values that are alike."""
        found = self.rulings[alike] = _Ruling(alike, self._decide(alike))
        return found

    def given(self, value: _Value, ruling: _Ruling, secret: bytes) -> msgspec.Raw | None:
        """The update as the partner may have it, or None; of what is permitted."""
        update = value.update
        if update.id in self._holds or update.at + ruling.delay_ms > self._now:
            return None
        if not ruling.transforms:
            if value.data is None:
                value.data = encoded(update)
            return value.data
        changed = apply_transforms(ruling.transforms, update.value, secret=secret, partner=self._node)
        if not isinstance(changed, Transformed):
            return None
        return encoded(msgspec.structs.replace(update, value=changed.value))

    def _decide(self, alike: _Alike) -> Decision | None:
        """The decision on a portion that may go; None where it may not, or its header may not."""
        if alike.header is None:
            return None
        header = self._ask(alike, alike.header, "")
        portion = self._ask(alike, alike.label, alike.portion)
        if not header.permits or not portion.permits:
            return None
        return portion

    def _ask(self, alike: _Alike, label: Label, portion: str) -> Decision:
        request = Request(
            label=label,
            kind=alike.kind,
            recipient=self._node,
            originator=self._parties.get(alike.origin, "") if alike.origin else self._own,
            project=alike.project,
            portion=portion,
        )
        return self._terms.decide(request)


class LiveIn:
    """Live values from partners, each checked as a record would be, and handed to whoever subscribed, and upward."""

    def __init__(self, core: Core, told: Callable[[Sequence[Live]], None], out: LiveOut) -> None:
        self._core = core
        self._told = told
        self._out = out
        self._newest: dict[str, tuple[int, int]] = {}
        self._passed: dict[_Slot, int] = {}
        self._labels: dict[Label, Label] = {}
        self.counts: dict[str, int] = {}
        self.refused = 0

    def take(self, sender: str, peers: Peers, body: bytes) -> int:
        """The number of values taken from a frame; a value that may not be held here is counted and dropped.

        Raises:
            NotAuthentic, Stale, VerificationFailed, InvalidInput: nothing of the frame is believed.
        """
        peer = peers.peer(sender, sender)
        if peer.distrust_after is not None:
            raise NotAuthentic(
                f"the key of {sender} is distrusted, and a live frame is newer than that",
                fix=f"Pair with {sender} again, with a new key",
            )
        now = self._core.clock.now()
        newest = self._newest.get(sender, (0, 0))
        frame = open_frame(body, peer.key, origin=sender, audience=self._core.node, after=newest, at=now)
        if frame.passed and peer.party != self._core.party:
            raise NotAuthentic(
                f"{sender} sends live values in the name of {frame.passed[0][0][:64]!r}",
                fix="Only a node of one's own party may pass on what others publish",
            )
        self._newest[sender] = (frame.manifest.epoch, frame.manifest.number)
        taken = list[Live]()
        for origin, label, updates in _groups(frame):
            taken += self._hear(sender, origin, label, updates, peers)
        self.counts[sender] = self.counts.get(sender, 0) + len(taken)
        if taken and self._out.crossings:
            name = f"{frame.manifest.epoch}/{frame.manifest.number}"
            self._out.crossings.tell(sender, name, now, taken, left=False)
        return len(taken)

    def _hear(self, sender: str, origin: str, label: Label, updates: Sequence[Update], peers: Peers) -> Sequence[Live]:
        """Tell of those values of a group that may be held here, and pass them on; which those are."""
        if len(self._labels) >= _ALIKE:
            self._labels.clear()
        label = self._labels.setdefault(label, label)  # one object for equal ones: what is asked of it is known by that
        now = self._core.clock.now()
        if origin != sender:
            updates = self._news(sender, origin, updates, peers, now)
        problem = peers.label_problem(label, now)
        fits = [update for update in updates if problem is None and self._fits(update, peers)]
        self.refused += len(updates) - len(fits)
        taken = [Live(origin, label, update) for update in fits]
        self._told(taken)
        self._out.pass_on(sender, origin, label, fits)
        return taken

    def _news(self, sender: str, origin: str, updates: Sequence[Update], peers: Peers, now: int) -> Sequence[Update]:
        """Of values that `sender` passed on, those newer than what was heard before, by whatever way.

        Who is paired with this node speaks for itself; of anybody else, the sender must vouch for its key.
        """
        if origin == self._core.node or origin in peers.peers:
            return ()
        vouched = peers.vouched.get(sender, {}).get(origin)
        if vouched is None or vouched.distrust_after is not None:
            self.refused += len(updates)
            return ()
        news = []
        for update in updates:
            slot = (origin, update.id, update.portion)
            if update.at > now + MAX_AGE:
                self.refused += 1
            elif update.at > self._passed.get(slot, -1):
                self._passed.pop(slot, None)
                if len(self._passed) >= MAX_VALUES:
                    del self._passed[next(iter(self._passed))]
                self._passed[slot] = update.at
                news.append(update)
        return news

    @staticmethod
    def _fits(update: Update, peers: Peers) -> bool:
        kind = peers.kinds.get(update.kind)
        expected = kind.portions.get(update.portion) if kind else None
        try:
            msgspec.convert(update.value, expected) if expected is not None else None
        except (msgspec.MsgspecError, RecursionError):
            return False
        return expected is not None


def _groups(frame: Frame) -> Iterable[tuple[str, Label, Sequence[Update]]]:
    yield from ((frame.manifest.origin, label, updates) for label, updates in frame.groups)
    yield from frame.passed
