"""The app: the kinds of the entity model, and gateways that fill them from the systems in a node's settings."""

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
from aldis.apps.experiments.kinds import KINDS
from aldis.apps.experiments.observed import decoded
from aldis.apps.experiments.plot import Plot
from aldis.kernel.records import Record

__all__ = ["ExperimentsApp", "follow"]

SETTLE_S = 0.25
_BREATH = 64
_log = structlog.get_logger()


class ExperimentsApp:
    """Gateways; experiments build on them."""

    name = "experiments"
    kinds = KINDS

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
        """Follow every system at once, into one plot; without a system there is none."""
        if not systems:
            return
        plot = Plot(ctx, ctx.default_project())
        settling = asyncio.create_task(_settle(plot, ctx))
        following = [asyncio.create_task(_run(ctx, plot, system)) for system in systems]
        try:
            await _first_to_fail(settling, following)
        finally:
            for task in (settling, *following):
                task.cancel()
            await asyncio.gather(settling, *following, return_exceptions=True)
            plot.flush(ctx.now())


async def _first_to_fail(settling: asyncio.Task[None], following: Sequence[asyncio.Task[None]]) -> None:
    """Return once every system has ended; raise what any task raises, at once."""
    waiting = set(following)
    while waiting:
        done, _ = await asyncio.wait({settling, *waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        waiting -= done


async def _settle(plot: Plot, ctx: Context) -> None:
    """Record what is due, again and again."""
    while True:
        await asyncio.sleep(SETTLE_S)
        plot.settle(ctx.now())


async def _run(ctx: Context, plot: Plot, system: System) -> None:
    tally = Tally()
    async with aclosing(follow(system.address, ctx, tally)) as observations:
        count = 0
        async for observation in observations:
            plot.take(decoded(observation), system.name)
            count += 1
            if count % _BREATH == 0:
                await asyncio.sleep(0)
    _log.info("source ended", reports=tally.observations, dropped=tally.dropped.total(), tracks=len(plot.picture))


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
