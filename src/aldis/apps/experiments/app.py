"""The app: the kinds of the entity model, and the systems that fill them, as a node's settings name these."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aldis.app import Context, Page, Route, System, Waiting
from aldis.apps.experiments.commands import experiment
from aldis.apps.experiments.crossing import Crossing
from aldis.apps.experiments.kinds import KINDS
from aldis.apps.experiments.orders import ORDER_KINDS
from aldis.apps.experiments.orders.driver import Orders
from aldis.apps.experiments.orders.routes import ROUTES
from aldis.apps.experiments.orders.waiting import waiting
from aldis.apps.experiments.overview import ROUTE as PICTURE
from aldis.apps.experiments.participants.kind import PARTICIPANT
from aldis.apps.experiments.participants.roll import Roll
from aldis.apps.experiments.participants.routes import ROUTES as WHO
from aldis.apps.experiments.plot import Plot
from aldis.apps.experiments.published import FINDINGS
from aldis.apps.experiments.supervision import Supervision
from aldis.apps.experiments.systems import Connection, until_ended
from aldis.apps.experiments.tape import Tape
from aldis.kernel.records import Record

if TYPE_CHECKING:
    from aldis.apps.experiments.gateways.mavlink.watch import Limits

__all__ = ["ExperimentsApp"]

SETTLE_S = 0.25


class ExperimentsApp:
    """Gateways; experiments build on them."""

    name = "experiments"
    kinds = (*KINDS, *ORDER_KINDS, FINDINGS, PARTICIPANT)

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits
        """How long vehicles are waited for; None for what suits real ones."""

    def commands(self) -> Sequence[Any]:
        """`aldis experiment`; gateways run with `aldis up` from the setting `systems`."""
        return (experiment,)

    def routes(self) -> Sequence[Route]:
        """The picture, tasks and leases, and who takes part, for programs."""
        return (PICTURE, *ROUTES, *WHO)

    def pages(self) -> Sequence[Page]:
        """The picture, alone and beside what partners get of it; recordings; runs, who takes part, tasks, losses."""
        from aldis.apps.experiments.web import PAGES  # noqa: PLC0415 - numpy, which few commands need

        return PAGES

    def waiting(self, ctx: Context) -> Sequence[Waiting]:
        """Tasks that partners ask of this nation's systems, for those who may accept them."""
        return waiting(ctx)

    def on_admitted(self, record: Record, ctx: Context) -> None:
        """Nothing to do: a track is read where it is stored."""

    async def run(self, ctx: Context, systems: Sequence[System]) -> None:
        """Be connected to every system at once, with one plot of all.

        Without a system there is nothing to do, unless what its people ask and what comes to it is to be recorded.
        """
        if not systems and ctx.recordings is None:
            return
        plot = Plot(ctx, ctx.default_project())
        tape = Tape(ctx, plot.highest())
        crossing = Crossing(ctx, tape)
        roll = Roll(ctx, ctx.default_project(), systems)
        orders = Orders(ctx, ctx.default_project(), tape, systems, self._limits)
        connected = asyncio.create_task(
            Supervision(ctx, self.name, roll).run(
                lambda system: Connection(ctx, plot, tape, system, orders.pilot(system), roll.of(system.name)), systems
            )
        )
        beside = [asyncio.create_task(work) for work in (_settle(plot, ctx), crossing.run(), orders.run(), roll.run())]
        try:
            await until_ended([connected] if systems else beside, beside=beside)
        finally:
            for task in (connected, *beside):
                task.cancel()
            await asyncio.gather(connected, *beside, return_exceptions=True)
            roll.close()
            crossing.close()
            plot.flush(ctx.now())
            tape.close()


async def _settle(plot: Plot, ctx: Context) -> None:
    """Record what is due, again and again."""
    while True:
        await asyncio.sleep(SETTLE_S)
        await plot.settle_beside(ctx.now())
