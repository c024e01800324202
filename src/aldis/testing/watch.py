"""Watches: what a subscriber at a node sees of live values, without a running event loop."""

from __future__ import annotations

import asyncio

from aldis.app import Live
from aldis.testing.site import Site

__all__ = ["Watch"]

_TURNS = 3


class Watch:
    """Subscribes to a kind at one node; after a restart of the node, again."""

    def __init__(self, site: Site, kind: str) -> None:
        self._site, self._kind = site, kind
        self._seen: list[Live] = []
        self._loop = asyncio.new_event_loop()
        self._starts = 0
        self._task: asyncio.Task[None] | None = None
        self.seen()

    def seen(self) -> list[Live]:
        """Every value so far, in order of arrival."""
        if self._starts != self._site.starts:
            self._cancel()
            self._starts = self._site.starts
            self._task = self._loop.create_task(self._run())
        self._loop.run_until_complete(self._turns())
        return self._seen

    def close(self) -> None:
        """Stop watching."""
        self._cancel()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._loop.run_until_complete(asyncio.gather(self._task, return_exceptions=True))

    async def _run(self) -> None:
        async for live in self._site.node.context.subscribe(self._kind):
            self._seen.append(live)

    async def _turns(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
