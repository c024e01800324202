"""The app: the kind `track`, and gateways that fill it from the systems in a node's settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import structlog

from aldis.app import Context, Page, Route, System
from aldis.apps.experiments.gateways.observation import Observation, Tally
from aldis.apps.experiments.kinds import TRACK
from aldis.apps.experiments.sea import Sea
from aldis.kernel.records import Record

__all__ = ["ExperimentsApp", "follow"]

RECORD_EVERY_MS = 5_000
"""A track's durable version is written at most this often; between versions its changes are live only."""
_BREATH = 64
_log = structlog.get_logger()


class ExperimentsApp:
    """Sea gateways; experiments build on them."""

    name = "experiments"
    kinds = (TRACK,)

    def commands(self) -> Sequence[Any]:
        """None of its own: gateways run with `aldis up` from the setting `systems`."""
        return ()

    def routes(self) -> Sequence[Route]:
        """None yet beside the node's own."""
        return ()

    def pages(self) -> Sequence[Page]:
        """None yet beside the node's own."""
        return ()

    def on_admitted(self, record: Record, ctx: Context) -> None:
        """Nothing to do: a track is read where it is stored."""

    async def run(self, ctx: Context, systems: Sequence[System]) -> None:
        """Follow every system at once."""
        await asyncio.gather(*(_run(ctx, system.address) for system in systems))


async def _run(ctx: Context, source: str) -> None:
    tally = Tally()
    sea = Sea(ctx, ctx.labels(TRACK.name), ctx.default_project(), record_every_ms=RECORD_EVERY_MS)
    async with aclosing(follow(source, ctx, tally)) as observations:
        count = 0
        async for observation in observations:
            sea.observe(observation, ctx.now())
            count += 1
            if count % _BREATH == 0:
                await asyncio.sleep(0)
    sea.flush(ctx.now())
    _log.info("source ended", reports=tally.observations, dropped=tally.dropped.total(), tracks=len(sea.picture))


async def follow(source: str, ctx: Context, tally: Tally) -> AsyncGenerator[Observation, None]:
    """Observations from `udp://host:port` as they arrive, or of a recording at the pace it was made times `ctx.pace`.

    Raises:
        InvalidInput: neither an address nor a recording.
        Unavailable: the address cannot be listened at, or a decoder library is not installed.
    """
    from aldis.apps.experiments.gateways.stream import datagrams, read_file  # noqa: PLC0415 - an optional extra

    if source.startswith("udp://"):
        async with aclosing(datagrams(source, clock=ctx.now, tally=tally)) as observations:
            async for observation in observations:
                yield observation
        return
    began, first = time.monotonic(), None
    for observation in read_file(Path(source), arrived_ms=ctx.now(), tally=tally):
        at = observation.source.received_ms
        first = at if first is None else first
        ahead = (at - first) / 1000 / ctx.pace - (time.monotonic() - began)
        if ahead > 0:
            await asyncio.sleep(ahead)
        yield observation
