"""The systems that are connected to a node: what each says goes into the plot, what its account may see goes to it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import structlog

from aldis.app import Context, Live, System
from aldis.apps.experiments.ahead import Ahead
from aldis.apps.experiments.cadence import Cadence
from aldis.apps.experiments.entity import Decoded, Track
from aldis.apps.experiments.entity.reckoning import reckoned, says_so
from aldis.apps.experiments.gateways.gateway import Answering, Gateway, Offered
from aldis.apps.experiments.gateways.registry import offered, recognise
from aldis.apps.experiments.hearing import Hearing
from aldis.apps.experiments.kinds import KINDS, entity_of, kind_of
from aldis.apps.experiments.links.address import read_address
from aldis.apps.experiments.links.link import Link, Piece
from aldis.apps.experiments.links.opening import open_link
from aldis.apps.experiments.orders.pilot import Pilot
from aldis.apps.experiments.participants.roll import Attendance
from aldis.apps.experiments.plot import Plot
from aldis.apps.experiments.recorder import Source
from aldis.apps.experiments.tape import Tape
from aldis.kernel.errors import InvalidInput, Unavailable

__all__ = ["SHOW_EVERY_S", "Connection", "until_ended"]

SHOW_EVERY_S = 0.1
"""A system is sent an entity at most this often."""
_LAPSE_MS = 60_000  # a value that was not heard of for this long is not sent with newer ones
_ASK_AGAIN_S = 1.0  # what was withheld is asked for again this often, as long as it is news
_SHOWN = 20_000
_BREATH = 64
_log = structlog.get_logger()


class Connection:
    """One system, for as long as it is connected.

    Raises:
        InvalidInput, UnknownTerm: an address, a protocol or a file of a mapping that cannot be.
    """

    def __init__(
        self,
        context: Context,
        plot: Plot,
        tape: Tape,
        system: System,
        pilot: Pilot | None = None,
        attendance: Attendance | None = None,
    ) -> None:
        self.heard = 0
        self.sent = 0
        self.unfamiliar = 0
        """Pieces in which no protocol was recognised."""
        self._context = context
        self._plot = plot
        self._tape = tape
        self._system = system
        self._pilot = pilot
        self._attendance = attendance or Attendance(context, system)
        self._address = read_address(system.address)
        self._offered = _protocol(system, self._address.protocol)
        played = self._address.path is not None
        self._hearing = Hearing(system.name, played=played)
        self._source = Source(system.name, mapping=_text(system.mapping), played=played)
        self._own: OrderedDict[str, None] = OrderedDict()
        self._shown: OrderedDict[tuple[str, str], dict[str, Live]] = OrderedDict()
        self._withheld: dict[tuple[str, str], set[str]] = {}
        self._cadence: Cadence[tuple[str, str]] = Cadence(SHOW_EVERY_S)
        self._ahead = Ahead()

    @property
    def played(self) -> bool:
        """Whether it is a recording, which ends, and is read once."""
        return self._source.played

    async def run(self, opened: Callable[[], None]) -> None:
        """Until the system is at its end, which only a recording has. It may be run again after it has failed.

        `opened` is called once its link is open.

        Raises:
            Unavailable: its address cannot be used, its link has failed, or a library that it needs is not installed.
            InvalidInput: a recording that cannot be read, or in which nothing is recognised.
        """
        link = await open_link(self._address)
        opened()
        works = [*(self._watch(kind.name) for kind in KINDS), self._send(link)] if self._system.person else []
        if self._pilot is not None:
            works.append(self._steer(link, self._pilot))
        showing = [asyncio.create_task(work) for work in works]
        hearing = asyncio.create_task(self._hear(link))
        try:
            await until_ended([hearing], beside=showing)
        finally:
            for task in (hearing, *showing):
                task.cancel()
            await asyncio.gather(hearing, *showing, return_exceptions=True)
            await link.close()
            self._hearing.close()
            _log.info(
                "system ended", system=self._system.name, heard=self.heard, sent=self.sent,
                dropped=self._hearing.dropped, shed=link.shed, unfamiliar=self.unfamiliar,
            )  # fmt: skip

    async def _hear(self, link: Link) -> None:
        paced = _Pace(self._context.pace) if self.played else None
        while True:
            try:
                piece = await link.receive()
            except EOFError:
                if self.played:
                    return
                raise Unavailable(f"the link of {self._system.name} has ended", fix="It is opened again") from None
            at_us = self._context.now() * 1000
            await self._take_all(iter(self._heard(piece, at_us)), piece.peer, at_us, paced)

    async def _take_all(self, said: Iterator[Decoded], peer: str, at_us: int, paced: _Pace | None) -> None:
        """Take what one piece said; of a live system all of it, also where it is ended meanwhile."""
        try:
            for one in said:
                if paced is not None:
                    await paced.wait(one)
                    at_us = self._context.now() * 1000
                self._take(one, peer, at_us)
                if self.heard % _BREATH == 0:
                    await asyncio.sleep(0)
        except asyncio.CancelledError:
            if paced is None:
                for one in said:
                    self._take(one, peer, at_us)
            raise

    def _heard(self, piece: Piece, at_us: int) -> Sequence[Decoded]:
        """What a piece says, which goes onto the tape as it came."""
        begins = not self._hearing.knows(piece.peer)
        protocol, found = self._hearing.hear(piece, at_us, self._speaks)
        self._attendance.hear(piece, protocol, self._hearing.gateways.get(piece.peer), found)
        if self._pilot is not None and piece.data:
            self._pilot.hear(piece.peer, piece.data, at_us)
        if piece.data or not (begins and piece.ended):
            self._tape.native(self._source, protocol, piece, at_us, begins=begins)
        if not protocol and (piece.data or self.played):
            self._strange()
        return found

    def _speaks(self, said: bytes, last: bytes) -> Offered | None:
        self._offered = self._offered or recognise(said) or recognise(last)
        return self._offered

    def _strange(self) -> None:
        """Count a piece in which no protocol was recognised."""
        self.unfamiliar += 1
        self._attendance.puzzled()
        if self._address.path is not None:
            raise InvalidInput(
                f"{self._address.path} speaks no protocol known here", fix="Name it, as in nmea0183+FILE"
            )
        if self.unfamiliar == 1:
            _log.warning("speaks no protocol known here", system=self._system.name)

    def _take(self, decoded: Decoded, peer: str, at_us: int) -> None:
        self.heard += 1
        name = self._plot.take(decoded, f"{self._system.name}/{peer}")
        if self._pilot is not None:
            self._pilot.knows(name, decoded.entity, peer, self._offered.protocol if self._offered else "", at_us)
        self._own[name] = None
        self._own.move_to_end(name)
        if len(self._own) > _SHOWN:
            self._own.popitem(last=False)
        if self._tape.runs:
            marking = self._plot.marking(kind_of(decoded.entity).name, decoded.entity.key)
            self._tape.entity(self._system.name, marking, decoded, name, at_us)

    async def _watch(self, kind: str) -> None:
        async for live in self._context.subscribe(kind):
            if live.source or live.update.id not in self._own:
                slot = (live.source, live.update.id)
                self._shown.setdefault(slot, {})[live.update.portion] = live
                self._shown.move_to_end(slot)
                if slot in self._cadence:
                    continue  # it is asked once that is said
                if self._context.may_show(live, self._system.person):
                    self._cadence.change(slot)
                else:  # nothing that it may not see has a part in when it is sent something
                    self._withheld.setdefault(slot, set()).add(live.update.portion)
                if len(self._shown) > _SHOWN:
                    gone = self._shown.popitem(last=False)[0]
                    self._cadence.forget(gone)
                    self._withheld.pop(gone, None)

    async def _send(self, link: Link) -> None:
        """Send what changes, at once; what may be sent is asked then, so that nothing outlives what allowed it."""
        gateway: Gateway | None = None
        asked = answered = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            now = clock()
            if now - asked >= _ASK_AGAIN_S:
                asked = now
                self._ask_again()
            if now - answered >= SHOW_EVERY_S:
                answered = now
                for one in [one for one in self._hearing.gateways.values() if isinstance(one, Answering)]:
                    for message in one.idle(self._context.now() * 1000):
                        await link.send(message)
            if gateway is None and self._offered is not None:
                gateway = self._offered.open()
            if gateway is None:
                await asyncio.sleep(SHOW_EVERY_S)  # what it speaks is not known before it has spoken
                continue
            for slot in self._cadence.due(now):
                for message in self._said(gateway, slot):
                    await link.send(message)
                    self.sent += 1
            for slot in self._due():
                for message in self._said(gateway, slot, ahead=True):
                    await link.send(message)
                    self.sent += 1
            now = clock()
            await self._cadence.wait(min(self._cadence.pause(now), max(0.0, answered + SHOW_EVERY_S - now)))

    async def _steer(self, link: Link, pilot: Pilot) -> None:
        """Send what tasks that were accepted have to say; what waited for a link that was down is too late."""
        pilot.drop()
        while True:
            await pilot.waiting()
            pilot.tick(self._context.now() * 1000)
            for frame in pilot.frames():
                await link.send(frame)

    def _ask_again(self) -> None:
        """Say what may be sent by now: a record has come, an instrument is in force, an account has changed."""
        now, person = self._context.now(), self._system.person
        for slot, portions in list(self._withheld.items()):
            seen = self._shown.get(slot, {})
            fresh = [live for live in map(seen.get, portions) if live and now - live.update.at <= _LAPSE_MS]
            if any(self._context.may_show(live, person) for live in fresh):
                self._cadence.change(slot)
                fresh = []  # it is looked at anew when it is said
            if not fresh:
                del self._withheld[slot]

    def _due(self) -> Sequence[tuple[str, str]]:
        """What it is to be told of where it is by now."""
        able = self._system.reckon and self._offered is not None and self._offered.predicts
        return self._ahead.due(self._context.now()) if able else ()

    def _said(self, gateway: Gateway, slot: tuple[str, str], *, ahead: bool = False) -> tuple[bytes, ...]:
        """What is sent of a thing, as far as it may see it: as it was last known, or where it is by now."""
        now, seen = self._context.now(), self._shown.get(slot, {})
        fresh = [live for live in seen.values() if now - live.update.at <= _LAPSE_MS]
        allowed = [live for live in fresh if self._context.may_show(live, self._system.person)]
        values = {live.update.portion: live.update.value for live in allowed}
        if len(allowed) < len(fresh):
            self._withheld[slot] = {live.update.portion for live in fresh} - values.keys()
        if not allowed:
            return ()
        try:
            entity = entity_of(allowed[0].update.kind, slot[1], values)
        except InvalidInput:
            return ()
        if self._offered is None or isinstance(entity, self._offered.orders):
            return ()  # what a partner asks of a system is for its operator to accept
        if not ahead:
            if self._system.reckon:
                self._ahead.sent(slot, entity, now)
        else:
            found = reckoned(entity, now) if isinstance(entity, Track) else None
            if found is None:
                return ()
            entity = found.track
        encoded = gateway.encode(entity, now * 1000)
        messages = encoded.messages if not ahead or says_so(encoded.ledger) else ()
        if messages:
            labels = [label for live in allowed for label in (live.label, live.header) if label is not None]
            self._tape.egress(self._system.name, labels, entity, gateway.protocol, messages, slot[1])
        return messages


def _protocol(system: System, named: str) -> Offered | None:
    name = system.mapping or named
    return offered(name) if name else None


def _text(mapping: str) -> str:
    return Path(mapping).read_text("utf-8") if mapping else ""


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
    waiting, others = set(waited), set(beside)
    while waiting:
        done, _ = await asyncio.wait(waiting | others, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        waiting -= done
        others -= done
