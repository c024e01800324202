"""HTTP/1.1 as h11 reads it (RFC 9112), with time limits for heads and a limit of connections for each address."""

from __future__ import annotations

import asyncio
from collections import Counter

from uvicorn.protocols.http.h11_impl import H11Protocol

from aldis.interfaces.api.limits import Limits

__all__ = ["bounded"]


def bounded(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol of one port: whoever sends no whole head in time, or has too many connections, is cut off."""
    crowd: Counter[str] = Counter()

    class Bounded(H11Protocol):
        _timer: asyncio.TimerHandle | None = None
        _address = ""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._address = self.client[0] if self.client else ""
            crowd[self._address] += 1
            if crowd[self._address] > limits.connections_per_address:
                transport.abort()
                return
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._unwatch()
            crowd[self._address] -= 1
            if not crowd[self._address]:
                del crowd[self._address]
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            waiting = self.cycle is None or self.cycle.response_complete
            if waiting and self._timer is None:
                self._watch()
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._unwatch()

        def _watch(self) -> None:
            self._timer = self.loop.call_later(limits.head_s, self._late)

        def _unwatch(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _late(self) -> None:
            self._timer = None
            if self.cycle is None or self.cycle.response_complete:
                self.transport.abort()

    return Bounded
