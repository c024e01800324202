"""Hearing a system for the first time: open its address, wait for its first words, recognise them, and probe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aldis.apps.experiments.gateways.gateway import Answering, Gateway, Offered
from aldis.apps.experiments.gateways.registry import MAPPED, offered
from aldis.apps.experiments.links.address import Address
from aldis.apps.experiments.links.link import Link, Piece
from aldis.apps.experiments.links.opening import open_link
from aldis.apps.experiments.participants.conformance import Probed, probed
from aldis.apps.experiments.participants.probe import Probe
from aldis.apps.experiments.participants.recognising import Guess, guesses, looks_like, sure
from aldis.kernel.errors import InvalidInput, Unavailable

__all__ = ["Heard", "hear"]

_FIRST = 256
_FIRST_BYTES = 1024 * 1024
_BEAT_S = 0.1
Told = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a system: its protocol with how surely it was told, and what the probe found."""

    offered: Offered
    confidence: float
    first_s: float
    """How long it took until the protocol was known."""
    probe: Probe
    probed: Probed


async def hear(address: Address, mapping: str, *, wait_s: float, probe_s: float, told: Told) -> Heard:
    """Listen at an address; `told` hears of what is being done, and how many pieces have come.

    Raises:
        Unavailable: the address cannot be had, a library is missing, or nothing was said in `wait_s`.
        InvalidInput: what was said is of no protocol known here, or may be of several; the fix says what to do.
    """
    named = mapping or address.protocol
    speaks = offered(named) if named else None
    began = time.monotonic()
    link = await open_link(address)
    try:
        first: list[tuple[Piece, int]] = []
        confidence = 1.0
        try:
            async with asyncio.timeout(wait_s):
                speaks, confidence = await _begin(link, speaks, first, told)
        except TimeoutError:
            raise _silence([piece for piece, _ in first], address, wait_s) from None
        known_s = time.monotonic() - began
        probe = Probe(speaks, first[0][1], live=address.path is None)
        for piece, at_us in first:
            probe.hear(piece, at_us)
        told("probing", probe.pieces)
        await _go_on(link, probe, probe_s, told)
        return Heard(speaks, confidence, known_s, probe, probed(probe, _now_us()))
    finally:
        await link.close()


async def _begin(
    link: Link, speaks: Offered | None, first: list[tuple[Piece, int]], told: Told
) -> tuple[Offered, float]:
    """Wait until the protocol is known from what came, which is put into `first`."""
    size = 0
    told("waiting", 0)
    while True:
        try:
            piece = await link.receive()
        except EOFError:
            said = [one for one, _ in first]
            raise _unknown(said, guesses(said, _now_us()) if said else ()) from None
        first.append((piece, _now_us()))
        size += len(piece.data)
        told("waiting", len(first))
        if speaks is not None and piece.data:
            return speaks, 1.0
        found = guesses([one for one, _ in first], _now_us()) if piece.data else []
        best = sure(found)
        if best is not None and best.offered is not None and best.messages:
            return best.offered, best.confidence
        if len(first) >= _FIRST or size >= _FIRST_BYTES:
            raise _unknown([one for one, _ in first], found)


async def _go_on(link: Link, probe: Probe, seconds: float, told: Told) -> None:
    """Listen on, and say what the protocol wants said (MAVLink: a heartbeat, and what the time is)."""
    gateway: Gateway = probe.offered.open()
    beating = asyncio.create_task(_beat(link, gateway)) if isinstance(gateway, Answering) else None
    try:
        async with asyncio.timeout(seconds):
            while True:
                piece = await link.receive()
                if beating is not None:
                    gateway.feed(piece.data, _now_us())
                probe.hear(piece, _now_us())
                told("probing", probe.pieces)
    except (TimeoutError, EOFError):
        return
    finally:
        if beating is not None:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


async def _beat(link: Link, gateway: Gateway) -> None:
    while isinstance(gateway, Answering):
        for message in gateway.idle(_now_us()):
            await link.send(message)
        await asyncio.sleep(_BEAT_S)


def _silence(pieces: Sequence[Piece], address: Address, wait_s: float) -> Exception:
    if pieces:
        return _unknown(pieces, guesses(pieces, _now_us()))
    place = f"{address.scheme}://{address.host}:{address.port}" if address.port else address.url or str(address.path)
    return Unavailable(
        f"nothing arrived at {place} within {wait_s:g} s",
        fix="See that the system sends to this very address and port, then run the command again",
    )


def _unknown(pieces: Sequence[Piece], found: Sequence[Guess] = ()) -> InvalidInput:
    """That it is of no protocol known here, or may be of several."""
    likely = [one for one in found if one.confidence > 0]
    if len(likely) > 1:
        names = ", ".join(f"{one.protocol} ({one.confidence:.0%})" for one in likely)
        first = likely[0].protocol
        return InvalidInput(f"it may be {names}", fix=f"Name it: --system {first}+udp://… for {first}")
    if not any(piece.data for piece in pieces):
        return InvalidInput("it ended before it said anything", fix="See that the file or connection is the right one")
    alike = ", ".join(one.protocol for one in found if one.offered is not None)
    if alike:
        return InvalidInput(
            f"what arrived begins as {alike} does, and none of it can be read",
            fix="See what lies between the system and here: its checksums are wrong, or its messages cut short",
        )
    count, said = sum(bool(piece.data) for piece in pieces), next((piece.data for piece in pieces if piece.data), b"")
    lacking = ", ".join(f"{one.protocol} ({one.lacks})" for one in found if one.lacks)
    more = f" What cannot be told here: {lacking}." if lacking else ""
    return InvalidInput(
        f"{count} pieces arrived, and no protocol known here begins so: they look like {looks_like(said)}",
        fix=f"Name the protocol before the address, as in mavlink+udp://…, or give --mapping FILE{MAPPED}.{more}",
    )


def _now_us() -> int:
    return time.time_ns() // 1000
