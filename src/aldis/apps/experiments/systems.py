"""The systems that are connected to a node: what each says goes into the plot, what its account may see goes to it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any

import msgspec
import structlog

from aldis.app import Context, Live, System
from aldis.apps.experiments.entity import Decoded, Entity
from aldis.apps.experiments.gateways.gateway import Answering, Gateway, Offered
from aldis.apps.experiments.gateways.registry import offered, recognise
from aldis.apps.experiments.kinds import KINDS, entity_of, kind_of
from aldis.apps.experiments.links.address import read_address
from aldis.apps.experiments.links.link import Link, Piece
from aldis.apps.experiments.links.opening import open_link
from aldis.apps.experiments.participants.roll import Attendance
from aldis.apps.experiments.plot import Plot
from aldis.apps.experiments.tape import Tape
from aldis.kernel.errors import InvalidInput

__all__ = ["SHOW_EVERY_S", "Connection", "known_as", "until_ended"]

SHOW_EVERY_S = 0.1
"""A system is sent an entity at most this often."""
_LAPSE_MS = 60_000  # a value that was not heard of for this long is not sent with newer ones
_PEERS = 256
_UNTOLD = 4_096  # bytes of a peer that are looked at before it counts as speaking no protocol known here
_SHOWN = 20_000
_EVERYWHERE = ("mmsi:", "cot:", "dis:", "umaa:")
"""Schemes whose ids mean the same on every link: those of a register, of an exercise, or random."""
_RELAYED_MS = 60_000  # what came by way of a network of stations may have been received so long ago
_BREATH = 64
_log = structlog.get_logger()


class Connection:
    """One system, for as long as it is connected.

    Raises:
        InvalidInput, UnknownTerm: an address, a protocol or a file of a mapping that cannot be.
    """

    def __init__(
        self, context: Context, plot: Plot, tape: Tape, system: System, attendance: Attendance | None = None
    ) -> None:
        self.heard = 0
        self.sent = 0
        self.dropped = 0
        """Messages that said nothing usable, of the peers that are no longer heard."""
        self.unfamiliar = 0
        """Pieces in which no protocol was recognised."""
        self._context = context
        self._plot = plot
        self._tape = tape
        self._system = system
        self._attendance = attendance or Attendance(context, system)
        self._address = read_address(system.address)
        self._offered = _protocol(system, self._address.protocol)
        self._gateways: OrderedDict[str, Gateway] = OrderedDict()
        self._untold: OrderedDict[str, bytes] = OrderedDict()
        self._own: OrderedDict[str, None] = OrderedDict()
        self._shown: OrderedDict[tuple[str, str], dict[str, Live]] = OrderedDict()
        self._changed: dict[tuple[str, str], None] = {}

    async def run(self) -> None:
        """Until the system is at its end, which only a recording has.

        Raises:
            Unavailable: its address cannot be listened at, or a library that its protocol needs is not installed.
        """
        link = await open_link(self._address)
        works = [*(self._watch(kind.name) for kind in KINDS), self._send(link)] if self._system.person else []
        showing = [asyncio.create_task(work) for work in works]
        hearing = asyncio.create_task(self._hear(link))
        try:
            await until_ended([hearing], beside=showing)
        finally:
            for task in (hearing, *showing):
                task.cancel()
            await asyncio.gather(hearing, *showing, return_exceptions=True)
            await link.close()
            for peer in list(self._gateways):
                self._close(peer)
            _log.info(
                "system ended", system=self._system.name, heard=self.heard, sent=self.sent, dropped=self.dropped,
                shed=link.shed, unfamiliar=self.unfamiliar,
            )  # fmt: skip

    async def _hear(self, link: Link) -> None:
        paced = _Pace(self._context.pace) if self._address.path is not None else None
        count = 0
        while True:
            try:
                piece = await link.receive()
            except EOFError:
                return
            for decoded in self._decoded(piece):
                if paced is not None:
                    await paced.wait(decoded)
                self._take(decoded, piece.peer)
                count += 1
                if count % _BREATH == 0:
                    await asyncio.sleep(0)

    def _decoded(self, piece: Piece) -> list[Decoded]:
        gateway, data = self._gateways.get(piece.peer), piece.data
        if gateway is None:
            gateway, data = self._begin(piece)
        if gateway is None:
            return []
        self._gateways.move_to_end(piece.peer)
        if data:
            self._tape.native(self._system.name, gateway.protocol, data, piece.peer)
        found = list(gateway.feed(data, self._context.now() * 1000)) if data else []
        if data:
            self._attendance.heard(piece.peer, gateway.protocol, gateway.tally, found)
        if piece.ended:
            self._close(piece.peer)
        return found

    def _close(self, peer: str) -> None:
        gateway = self._gateways.pop(peer)
        gateway.close()
        self.dropped += gateway.tally.dropped.total()
        self._attendance.left(peer)

    def _begin(self, piece: Piece) -> tuple[Gateway | None, bytes]:
        """A gateway for whoever is heard first, once what they speak is known, and what they have said so far."""
        said = self._untold.pop(piece.peer, b"") + piece.data
        speaks = self._offered or recognise(said) or recognise(piece.data)
        if speaks is None:
            self.unfamiliar += 1
            self._attendance.puzzled()
            if self._address.path is not None:
                raise InvalidInput(
                    f"{self._address.path} speaks no protocol known here", fix="Name it, as in nmea0183+FILE"
                )
            if self.unfamiliar == 1:
                _log.warning("speaks no protocol known here", system=self._system.name)
            if not piece.ended:
                self._untold[piece.peer] = said[-_UNTOLD:]
            while len(self._untold) > _PEERS:
                self._untold.popitem(last=False)
            return None, b""
        if len(self._gateways) >= _PEERS:
            self._close(next(iter(self._gateways)))
        gateway = self._gateways[piece.peer] = speaks.open()
        self._offered = self._offered or speaks
        return gateway, said

    def _take(self, heard: Decoded, peer: str) -> None:
        self.heard += 1
        entity = _qualified(heard.entity, self._system.name)
        if self._address.path is None:
            entity = _received(entity, self._context.now())
        decoded = Decoded(entity, heard.ledger)
        name = self._plot.take(decoded, f"{self._system.name}/{peer}")
        self._own[name] = None
        self._own.move_to_end(name)
        if len(self._own) > _SHOWN:
            self._own.popitem(last=False)
        if self._tape.runs:
            marking = self._plot.marking(kind_of(decoded.entity).name, decoded.entity.key)
            self._tape.entity(self._system.name, marking, decoded, name)

    async def _watch(self, kind: str) -> None:
        async for live in self._context.subscribe(kind):
            if live.source or live.update.id not in self._own:
                slot = (live.source, live.update.id)
                self._shown.setdefault(slot, {})[live.update.portion] = live
                self._shown.move_to_end(slot)
                self._changed[slot] = None
                if len(self._shown) > _SHOWN:
                    self._changed.pop(self._shown.popitem(last=False)[0], None)

    async def _send(self, link: Link) -> None:
        """Send what changed; what may be sent is asked then, so that nothing outlives what allowed it."""
        gateway: Gateway | None = None
        while True:
            await asyncio.sleep(SHOW_EVERY_S)
            for one in [one for one in self._gateways.values() if isinstance(one, Answering)]:
                for message in one.idle(self._context.now() * 1000):
                    await link.send(message)
            if gateway is None:
                if self._offered is None:
                    continue  # what it speaks is not known before it has spoken
                gateway = self._offered.open()
            changed, self._changed = self._changed, {}
            for slot in changed:
                for message in self._said(gateway, slot):
                    await link.send(message)
                    self.sent += 1

    def _said(self, gateway: Gateway, slot: tuple[str, str]) -> tuple[bytes, ...]:
        now, seen = self._context.now(), self._shown.get(slot, {})
        fresh = [live for live in seen.values() if now - live.update.at <= _LAPSE_MS]
        allowed = [live for live in fresh if self._context.may_show(live, self._system.person)]
        if not allowed:
            return ()
        values = {live.update.portion: live.update.value for live in allowed}
        try:
            entity = entity_of(allowed[0].update.kind, slot[1], values)
        except InvalidInput:
            return ()
        if self._offered is None or isinstance(entity, self._offered.orders):
            return ()  # what a partner asks of a system is for its operator to accept
        messages = gateway.encode(entity, now * 1000).messages
        if messages:
            labels = [label for live in allowed for label in (live.label, live.header) if label is not None]
            self._tape.egress(self._system.name, labels, entity, gateway.protocol, messages, slot[1])
        return messages


def known_as(key: str, system: str) -> str:
    """The key under which a thing counts at the whole node: ids that count on one link alone get its system's name."""
    return key if key.startswith(_EVERYWHERE) else f"{key}@{system}"


def _qualified(entity: Entity, system: str) -> Entity:
    """The entity under keys that count at the whole node: ids that count on one link alone get its system's name."""
    changes: dict[str, str] = {}
    for name in ("key", "assignee", "issued_by", "about"):
        key = getattr(entity, name, None)
        if key and (known := known_as(key, system)) != key:
            changes[name] = known
    return msgspec.structs.replace(entity, **changes) if changes else entity


def _received(entity: Entity, now: int) -> Entity:
    """The entity as received now, where a system says something else that cannot be: a live one sends no recording."""
    sensor, timing = getattr(entity, "sensor", None), entity.timing
    changes: dict[str, Any] = {}
    if sensor is not None and abs(sensor.received_ms - now) > _RELAYED_MS:
        changes["sensor"] = msgspec.structs.replace(sensor, received_ms=now)
    if timing is not None and timing.received_us is not None and abs(timing.received_us // 1000 - now) > _RELAYED_MS:
        changes["timing"] = msgspec.structs.replace(timing, received_us=now * 1000)
    return msgspec.structs.replace(entity, **changes) if changes else entity


def _protocol(system: System, named: str) -> Offered | None:
    name = system.mapping or named
    return offered(name) if name else None


class _Pace:
    """Holds a recording back to the speed at which it was made, times `pace`."""

    def __init__(self, pace: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace, self._clock = pace, clock
        self._began, self._first = clock(), None

    async def wait(self, decoded: Decoded) -> None:
        sensor = getattr(decoded.entity, "sensor", None)
        if sensor is None:
            return
        if self._first is None:
            self._first = sensor.received_ms
        ahead = (sensor.received_ms - self._first) / 1000 / self._pace - (self._clock() - self._began)
        if ahead > 0:
            await asyncio.sleep(ahead)


async def until_ended(waited: Collection[asyncio.Task[None]], *, beside: Collection[asyncio.Task[None]]) -> None:
    """Return once all that are waited for have ended; raise what any task raises, those beside them too, at once."""
    waiting = set(waited)
    while waiting:
        done, _ = await asyncio.wait({*waiting, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        waiting -= done
