"""What a system's bytes say again, held against what was to be said: each field's fate, and whether a ledger told it.

The bytes that a system was sent are decoded by a gateway of its protocol. A field whose value came back otherwise than
the ledgers allow has changed; one that did not come back was dropped, with the reason where a ledger gives one.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.entity import Approximated, Decoded, Dropped, Entity, Ledger, Task
from aldis.apps.experiments.gateways.gateway import Gateway
from aldis.apps.experiments.gateways.layout import flat
from aldis.apps.experiments.recorder import Native
from aldis.apps.experiments.replay import offered_as_recorded
from aldis.apps.experiments.tolerance import distance, factor, noise, plain, related, ways
from aldis.kernel.errors import AldisError

__all__ = ["FATES", "Fate", "Found", "Mirror", "Reading", "fates"]

Fate = Literal["carried", "approximated", "dropped", "changed"]
FATES: Sequence[Fate] = ("carried", "approximated", "dropped", "changed")
"""From the best to the worst."""
_SOUND = frozenset({"acknowledges nothing asked here", "said again"})
"""Why a gateway passes over what is no damage: here nobody asked for what a vehicle acknowledges."""
_ANEW = "made anew"
_PEERS = 256
_UNTOLD = 4_096  # bytes of a peer that are kept until somebody knows its protocol
_NAMES = frozenset(
    {"key", "task.assignee", "task.issued_by", "task.request", "report.about", "report.author", "report.to"}
)
"""Fields by which one thing names another: every protocol has ids of its own for these."""
_RECORDS = 100_000


class Found(msgspec.Struct, frozen=True, gc=False):
    """The worst fate of a field of one record, why, and where."""

    fate: Fate
    why: str
    at: Seen


class Mirror:
    """Reads what one system was sent, in order, and keeps the worst fate of each field of each record.

    `readable` is False where there is no gateway for its protocol here.
    """

    def __init__(self, protocol: str, mapping: str = "") -> None:
        self.protocol = protocol
        self.said = 0
        self.understood = 0
        self.fates: dict[str, dict[str, Found]] = {}
        self.keys: dict[str, dict[str, Seen]] = {}
        """Of each record, the ids that it went by in this protocol, and the message at which each was first seen."""
        self._writer = _opened(protocol, mapping)
        self._reader = _opened(protocol, mapping)

    @property
    def readable(self) -> bool:
        """Whether its protocol is spoken here."""
        return self._writer is not None

    def look(self, entity: Entity, values: Mapping[str, Any], messages: Iterable[str], seen: Seen) -> None:
        """Take in one thing as it left, its fields by path, and the bytes (base64) in which it left."""
        record, at_us = seen.record, seen.at_us
        if self._writer is None or self._reader is None:
            return
        self.said += 1
        decoded = [one for text in messages for one in self._reader.feed(_bytes(text), at_us)]
        same = [one for one in decoded if type(one.entity) is type(entity)]
        if not same:
            return
        self.understood += 1
        if record not in self.fates and len(self.fates) >= _RECORDS:
            return
        keys = self.keys.setdefault(record, {})
        for one in same:
            keys.setdefault(one.entity.key, seen)
        back = {path: value for one in same for path, value in flat(one.entity).items()}
        self._keep(self.fates.setdefault(record, {}), seen, self._fates(entity, values, back, same, at_us))

    def _fates(
        self,
        entity: Entity,
        values: Mapping[str, Any],
        back: Mapping[str, Any],
        same: Sequence[Decoded],
        at_us: int,
    ) -> Mapping[str, tuple[Fate, str]]:
        """The fate of each field; ledgers are asked only where something is not as it was said."""
        if self._writer is None or all(value == back.get(path) for path, value in values.items() if path not in _NAMES):
            return {path: ("carried", "") for path in values if path not in _NAMES}
        first = same[0].entity
        if isinstance(entity, Task) and isinstance(first, Task):  # no protocol can ask a record's id
            entity = msgspec.structs.replace(entity, assignee=first.assignee)
        written = self._writer.encode(entity, at_us).ledger
        return fates(values, back, written, [one.ledger for one in same])

    @staticmethod
    def _keep(kept: dict[str, Found], seen: Seen, found: Mapping[str, tuple[Fate, str]]) -> None:
        for path, (fate, why) in found.items():
            before = kept.get(path)
            if before is None or FATES.index(fate) > FATES.index(before.fate):
                kept[path] = Found(fate, why, seen)


class Reading:
    """Reads again what came from one system, and counts what of it was undamaged; one gateway for each peer."""

    def __init__(self) -> None:
        self.protocols: set[str] = set()
        self.unknown: set[str] = set()
        self.dropped: dict[str, int] = {}
        self._carried = 0
        self._gateways: dict[str, Gateway | None] = {}
        self._untold: dict[str, bytes] = {}

    def feed(self, native: Native, mapping: str, at_us: int) -> None:
        """The next bytes of a peer; `mapping` is the text of the file that describes their protocol, if one does."""
        peer = native.peer
        if native.begins:
            self._count(self._gateways.pop(peer, None))
        data = self._untold.pop(peer, b"") + native.data
        if not native.protocol:  # nobody knew yet what it was
            self._untold[peer] = data[-_UNTOLD:]
            while len(self._untold) > _PEERS:
                del self._untold[next(iter(self._untold))]
            return
        self.protocols.add(native.protocol)
        if peer not in self._gateways:
            if len(self._gateways) >= _PEERS:
                self._count(self._gateways.pop(next(iter(self._gateways))))
            self._gateways[peer] = _opened(native.protocol, mapping)
            if self._gateways[peer] is None:
                self.unknown.add(native.protocol)
        gateway = self._gateways[peer]
        if gateway is not None:
            gateway.feed(data, at_us)
        if native.ended:
            self._count(self._gateways.pop(peer))

    def end(self) -> None:
        """Count what all of them read; a message that had not come whole yet counts for nothing."""
        while self._gateways:
            self._count(self._gateways.popitem()[1])

    @property
    def counts(self) -> tuple[int, int]:
        """Messages carried, and messages carried or damaged."""
        return self._carried, self._carried + sum(self.dropped.values())

    def _count(self, gateway: Gateway | None) -> None:
        if gateway is not None:
            self._carried += gateway.tally.carried
            for reason, count in gateway.tally.dropped.items():
                if reason in _SOUND:
                    self._carried += count
                    continue
                self.dropped[reason] = self.dropped.get(reason, 0) + count


def fates(
    said: Mapping[str, Any], back: Mapping[str, Any], written: Ledger, read: Sequence[Ledger]
) -> Mapping[str, tuple[Fate, str]]:
    """What became of each field, and why, by path.

    Left out are those by which things name each other, and stamps that every message has of its own.

    Args:
        said: the fields that were to be said, by path.
        back: those that the bytes say.
        written: the ledger of saying it.
        read: the ledgers of reading it again.
    """
    lat = said.get("position.lat_deg", 0.0)
    return {
        path: fate
        for path, value in said.items()
        if path not in _NAMES and (fate := _fate(path, value, back.get(path), written, read, lat)) != ("dropped", _ANEW)
    }


def _fate(
    path: str, old: Any, new: Any, written: Ledger, read: Sequence[Ledger], lat_deg: float
) -> tuple[Fate, str]:  # fmt: skip
    if old == new:
        return "carried", ""
    name = plain(path)
    spoken = [entry for entry in written.entries if related(plain(entry.field), name)]
    exact = [entry for entry in spoken if plain(entry.field) == name] or spoken
    dropped = [entry for entry in exact if isinstance(entry, Dropped)]
    went = [entry for entry in exact if not isinstance(entry, Dropped)]
    if new is None:
        if went and _elsewhere(went, read):
            return "carried", "said by another field"
        return "dropped", _why(dropped)
    nearly = [entry for entry in exact if isinstance(entry, Approximated)]
    again = [entry for one in read for entry in one.approximated if name in ways(entry.to)]
    apart = distance(path, old, new)
    if apart is None:
        return ("approximated", "") if nearly else ("dropped", _why(dropped)) if dropped else ("changed", "")
    bound = sum(entry.error * factor(entry.unit, path, lat_deg) for entry in (*nearly, *again))
    if apart <= bound * (1 + 1e-6) + noise(old):
        return ("approximated", "") if nearly or again else ("carried", "")
    return ("dropped", _why(dropped)) if dropped else ("changed", f"by {apart:.6g}, where {bound:.6g} is stated")


def _elsewhere(went: Iterable[Any], read: Sequence[Ledger]) -> bool:
    """Whether the places to which a field went are read again, as some other field."""
    places = {way for entry in went for way in ways(entry.to)}
    return any(
        not isinstance(entry, Dropped) and any(related(plain(entry.field), place) for place in places)
        for one in read
        for entry in one.entries
    )


def _why(dropped: Sequence[Dropped]) -> str:
    """The reasons of ledgers, or that there is none."""
    return "; ".join(dict.fromkeys(entry.reason for entry in dropped)) or "no ledger says why"


def _bytes(text: str) -> bytes:
    """What was sent; nothing where whoever recorded it wrote no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _opened(protocol: str, mapping: str) -> Gateway | None:
    try:
        return offered_as_recorded(protocol, mapping).open()
    except AldisError:
        return None
