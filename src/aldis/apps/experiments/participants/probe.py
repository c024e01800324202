"""The conformance probe: what a system says is held against its protocol for some seconds. Pure: bytes and times in.

What is kept is bounded: counts, and of a few things the last messages, with which the translation is measured.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aldis.apps.experiments.entity import Decoded, Track
from aldis.apps.experiments.gateways.gateway import Damaged, Gateway, Offered, Specimen
from aldis.apps.experiments.kinds import kind_of
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.participants.clock import ClockFilter, Offset
from aldis.apps.experiments.participants.mavlink import Asked
from aldis.apps.experiments.participants.roll import damage_of

__all__ = ["Probe", "Thing"]

_PEERS = 64
_THINGS = 4096
_KEPT = 16
_MESSAGES = 40
_WAITING = 16
_MEASURED = 4


@dataclass(slots=True)
class Thing:
    """What was said of one thing: how often, over which time, with which longest pause (us), by whom, and where."""

    kind: str
    key: str
    count: int = 0
    first_us: int = 0
    last_us: int = 0
    pause_us: int = 0
    placed: int = 0
    stamped: int = 0
    peers: set[str] = field(default_factory=set)


class Probe:
    """Listens to one system that speaks a known protocol."""

    def __init__(self, offered: Offered, began_us: int, *, live: bool = True) -> None:
        self.offered = offered
        self.began_us = began_us
        self.live = live
        """Whether its stamps are of now; those of a recording tell nothing of a clock."""
        self.pieces = self.foreign = 0
        """How many came, and how many of them no gateway could begin with."""
        self.seen = self.damaged = self.passed = 0
        self.reasons: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.things: dict[tuple[str, str], Thing] = {}
        self.sequence: Counter[str] = Counter()
        self._clock = ClockFilter()
        self._asked = Asked(self._clock)
        self._gateways: OrderedDict[str, Gateway] = OrderedDict()
        self._waiting: dict[str, list[bytes]] = {}
        self._messages: dict[tuple[str, str], deque[bytes]] = {}
        self._last: dict[tuple[int, int], int] = {}

    def hear(self, piece: Piece, at_us: int) -> None:
        """Take in what arrived."""
        if piece.data:
            self.pieces += 1
            gateway = self._gateways.get(piece.peer)
            if gateway is None:
                if not self.offered.familiar(piece.data):
                    self.foreign += 1
                while len(self._gateways) >= _PEERS:
                    self._count(self._gateways.popitem(last=False)[1])
                gateway = self._gateways[piece.peer] = self.offered.open()
            found = gateway.feed(piece.data, at_us)
            self._keep(piece, found, at_us)
            self._follow(piece.data)
        if piece.ended and piece.peer in self._gateways:
            gateway = self._gateways.pop(piece.peer)
            gateway.close()
            self._count(gateway)

    def settle(self) -> None:
        """Count what the gateways have counted; nothing is heard after this."""
        while self._gateways:
            self._count(self._gateways.popitem()[1])

    def offset(self, at_us: int) -> Offset | None:
        """How far the system's clock is off."""
        return self._clock.bounds(at_us) if self.live else None

    def specimens(self) -> Sequence[Specimen]:
        """The last messages of a few things, of each shape one, as they came; those that can be measured by."""
        found = [Specimen(f"{kind} {key}", self._shapes(tuple(said))) for (kind, key), said in self._messages.items()]
        return [one for one in found if one.messages and self._sound(one)][:_MEASURED]

    def heard(self) -> Offered:
        """The protocol, with what was heard in the place of its specimens."""
        taken = self.specimens()
        return replace(self.offered, specimens=lambda: taken)

    def _count(self, gateway: Gateway) -> None:
        tally = gateway.tally
        damaged = damage_of(tally)
        self.seen += tally.seen
        self.damaged += damaged
        self.passed += tally.dropped.total() - damaged
        self.reasons += tally.dropped

    def _keep(self, piece: Piece, found: Sequence[Decoded], at_us: int) -> None:
        waiting = self._waiting.setdefault(piece.peer, [])
        waiting.append(piece.data)
        if len(self._waiting) > _PEERS:
            del self._waiting[next(iter(self._waiting))]
        if not found:
            del waiting[:-_WAITING]
            return
        said = list(waiting)
        waiting.clear()
        names = {(kind_of(one.entity).name, one.entity.key) for one in found}
        for one in found:
            self._note(one, piece.peer, at_us)
        if len(names) == 1:  # what speaks of several at once is no specimen of one
            name = names.pop()
            if name in self._messages or len(self._messages) < _KEPT:
                self._messages.setdefault(name, deque(maxlen=_MESSAGES)).extend(said)

    def _note(self, one: Decoded, peer: str, at_us: int) -> None:
        entity = one.entity
        kind = kind_of(entity).name
        self.kinds[kind] += 1
        thing = self.things.get((kind, entity.key))
        if thing is None:
            if len(self.things) >= _THINGS:
                return
            thing = self.things[kind, entity.key] = Thing(kind, entity.key, first_us=at_us, last_us=at_us)
        thing.count += 1
        thing.pause_us = max(thing.pause_us, at_us - thing.last_us)
        thing.last_us = at_us
        if len(thing.peers) < _PEERS:
            thing.peers.add(peer)
        thing.placed += isinstance(entity, Track) and entity.position is not None
        timing = entity.timing
        if timing is None:
            return
        thing.stamped += timing.source_us is not None
        if timing.clock == "boot":
            self._asked.hear(one)
        elif timing.source_us is not None and timing.received_us is not None:
            self._clock.one_way(timing.source_us, at_us, timing.source_uncertainty_us or 0)

    def _follow(self, data: bytes) -> None:
        """Count the numbers that are missing where messages are numbered: MAVLink's, by system and component."""
        if self.offered.protocol != "mavlink":
            return
        from aldis.apps.experiments.gateways.mavlink.frames import Parser  # noqa: PLC0415 - of that protocol alone

        for frame in Parser().feed(data)[0]:
            name = (frame.system, frame.component)
            last = self._last.get(name)
            if last is not None or len(self._last) < _PEERS:
                self._last[name] = frame.sequence
            if last is not None:
                gap = (frame.sequence - last - 1) % 256
                self.sequence["lost" if gap < 128 else "again"] += gap if gap < 128 else 1
            self.sequence["numbered"] += 1

    def _shapes(self, messages: Sequence[bytes]) -> tuple[bytes, ...]:
        """Of messages that name the same fields, the last; in the order in which they came."""
        seen: set[str] = set()
        kept: list[bytes] = []
        for message in reversed(messages):
            names = self._fields([message]).keys()
            if not names or not names <= seen:
                seen |= names
                kept.append(message)
        return tuple(reversed(kept))

    def _fields(self, messages: Sequence[bytes]) -> Mapping[str, object]:
        try:
            return self.offered.fields(messages)
        except (Damaged, ValueError, KeyError, IndexError):  # a piece of a stream is no whole message
            return {}

    def _sound(self, one: Specimen) -> bool:
        """Whether these messages alone, as they stand, are whole and about one thing."""
        gateway = self.offered.open()
        for message in one.messages:
            gateway.feed(message, self.began_us)
        return not gateway.tally.waiting and not damage_of(gateway.tally) and bool(self._fields(one.messages))
