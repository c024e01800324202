"""The app: the kinds of the entity model, and the systems that fill them, as a node's settings name these."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aldis.app import Context, Page, Route, System
from aldis.apps.experiments.commands import experiment
from aldis.apps.experiments.kinds import KINDS
from aldis.apps.experiments.participants.kind import PARTICIPANT
from aldis.apps.experiments.participants.roll import Attendance, Roll
from aldis.apps.experiments.participants.routes import ROUTES
from aldis.apps.experiments.plot import Plot
from aldis.apps.experiments.systems import Connection, until_ended
from aldis.apps.experiments.tape import Tape
from aldis.kernel.records import Record

__all__ = ["ExperimentsApp"]

SETTLE_S = 0.25


class ExperimentsApp:
    """Gateways; experiments build on them."""

    name = "experiments"
    kinds = (*KINDS, PARTICIPANT)

    def commands(self) -> Sequence[Any]:
        """`aldis experiment`; gateways run with `aldis up` from the setting `systems`."""
        return (experiment,)

    def routes(self) -> Sequence[Route]:
        """Who takes part."""
        return ROUTES

    def pages(self) -> Sequence[Page]:
        """None yet beside the node's own."""
        return ()

    def on_admitted(self, record: Record, ctx: Context) -> None:
        """Nothing to do: a track is read where it is stored."""

    async def run(self, ctx: Context, systems: Sequence[System]) -> None:
        """Be connected to every system at once, with one plot of all; without a system there is none."""
        if not systems:
            return
        plot = Plot(ctx, ctx.default_project())
        tape = Tape(ctx, plot.highest())
        roll = Roll(ctx, ctx.default_project(), systems)
        beside = [asyncio.create_task(_settle(plot, ctx)), asyncio.create_task(roll.run())]
        connected = [asyncio.create_task(_connect(ctx, plot, tape, roll.of(system.name))) for system in systems]
        try:
            await until_ended(connected, beside=beside)
        finally:
            for task in (*beside, *connected):
                task.cancel()
            await asyncio.gather(*beside, *connected, return_exceptions=True)
            roll.close()
            plot.flush(ctx.now())
            tape.close()


async def _connect(ctx: Context, plot: Plot, tape: Tape, attendance: Attendance) -> None:
    try:
        await Connection(ctx, plot, tape, attendance.system, attendance).run()
    except Exception as error:
        attendance.failed(error)
        raise
    attendance.ended()


async def _settle(plot: Plot, ctx: Context) -> None:
    """Record what is due, again and again."""
    while True:
        await asyncio.sleep(SETTLE_S)
        plot.settle(ctx.now())
