"""What one system says, connection by connection: pieces of bytes in, entities out under keys that the node uses.

Sockets, clocks and chance have no part in it: the same pieces at the same moments say the same. So a recording that
holds them can be decoded again, and must come to what was recorded then.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from aldis.apps.experiments.entity import Decoded, Entity, Track
from aldis.apps.experiments.gateways.gateway import Gateway, Offered
from aldis.apps.experiments.links.link import Piece

__all__ = ["Hearing", "known_as", "qualified", "received"]

_PEERS = 256
_UNTOLD = 4_096  # bytes of a peer that are looked at before it counts as speaking no protocol known here
_EVERYWHERE = ("mmsi:", "cot:", "dis:", "umaa:")
"""Schemes whose ids mean the same on every link: those of a register, of an exercise, or random."""
_KEYS = ("key", "assignee", "issued_by", "about")
_NAMING: dict[type[Entity], tuple[str, ...]] = {Track: ("key",)}
_RELAYED_MS = 60_000  # what came by way of a network of stations may have been received so long ago


class Hearing:
    """The gateways of one system, one for each peer of its link, at most 256: the one not heard for longest goes.

    `played` says that the system is a recording, which may speak of other times than that at which it is read. `left`
    is told of each peer that is no longer heard.
    """

    def __init__(self, system: str, *, played: bool = False, left: Callable[[str], None] | None = None) -> None:
        self.dropped = 0
        """Messages that said nothing usable, of the peers that are no longer heard."""
        self.gateways: OrderedDict[str, Gateway] = OrderedDict()
        self._system = system
        self._played = played
        self._left = left
        self._untold: OrderedDict[str, bytes] = OrderedDict()

    def knows(self, peer: str) -> bool:
        """Whether a peer was heard before, on this connection."""
        return peer in self.gateways or peer in self._untold

    def hear(
        self, piece: Piece, at_us: int, speaks: Callable[[bytes, bytes], Offered | None]
    ) -> tuple[str, Sequence[Decoded]]:
        """The protocol of a piece that came at `at_us`, "" where it is not known yet, and what the piece says.

        `speaks` tells the protocol of who is heard first, from what they have said so far and from the last of it.
        """
        peer, data = piece.peer, piece.data
        gateway = self.gateways.get(peer)
        if gateway is None:
            data = self._untold.pop(peer, b"") + data
            offered = speaks(data, piece.data) if data else None
            if offered is None:
                self._wait(piece, data)
                return "", ()
            if len(self.gateways) >= _PEERS:
                self._close(next(iter(self.gateways)))
            gateway = self.gateways[peer] = offered.open()
        self.gateways.move_to_end(peer)
        found = [self._known(one, at_us) for one in gateway.feed(data, at_us)] if data else []
        if piece.ended:
            self._close(peer)
        return gateway.protocol, found

    def forget(self, peer: str) -> None:
        """Let a peer go: what comes from it next is a connection of its own."""
        self._untold.pop(peer, None)
        if peer in self.gateways:
            self._close(peer)

    def close(self) -> None:
        """Let all peers go."""
        for peer in [*self.gateways, *self._untold]:
            self.forget(peer)

    def _wait(self, piece: Piece, said: bytes) -> None:
        if not piece.ended:
            self._untold[piece.peer] = said[-_UNTOLD:]
        while len(self._untold) > _PEERS:
            self._untold.popitem(last=False)

    def _close(self, peer: str) -> None:
        gateway = self.gateways.pop(peer)
        gateway.close()
        self.dropped += gateway.tally.dropped.total()
        if self._left is not None:
            self._left(peer)

    def _known(self, said: Decoded, at_us: int) -> Decoded:
        entity = qualified(said.entity, self._system)
        if not self._played:
            entity = received(entity, at_us // 1000)
        return said if entity is said.entity else Decoded(entity, said.ledger)


def known_as(key: str, system: str) -> str:
    """The key under which a thing counts at the whole node: one that counts on a link alone gets its system's name."""
    return key if key.startswith(_EVERYWHERE) else f"{key}@{system}"


def qualified(entity: Entity, system: str) -> Entity:
    """The entity with every key in it as it is known at the whole node."""
    changes: dict[str, str] = {}
    for name in _NAMING.get(type(entity), _KEYS):
        key = getattr(entity, name, None)
        if key and (known := known_as(key, system)) != key:
            changes[name] = known
    return msgspec.structs.replace(entity, **changes) if changes else entity


def received(entity: Entity, now: int) -> Entity:
    """The entity as received now, where a system says something else that cannot be: a live one sends no recording."""
    sensor, timing = getattr(entity, "sensor", None), entity.timing
    changes: dict[str, Any] = {}
    if sensor is not None and abs(sensor.received_ms - now) > _RELAYED_MS:
        changes["sensor"] = msgspec.structs.replace(sensor, received_ms=now)
    if timing is not None and timing.received_us is not None and abs(timing.received_us // 1000 - now) > _RELAYED_MS:
        changes["timing"] = msgspec.structs.replace(timing, received_us=now * 1000)
    return msgspec.structs.replace(entity, **changes) if changes else entity
