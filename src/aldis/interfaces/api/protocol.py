"""HTTP/1.1 as h11 reads it (RFC 9112), with time limits both ways and a limit of connections for each address."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from aldis.interfaces.api.limits import Limits

__all__ = ["bounded"]


def bounded(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol of one port."""
    return type("PeopleProtocol", (_Bounded,), {"limits": limits, "crowd": Counter()})


class _Bounded(H11Protocol):
    """Cuts off whoever sends no whole head in time, takes no answer in time, or has too many connections."""

    limits: ClassVar[Limits]
    crowd: ClassVar[Counter[str]]
    _head: asyncio.TimerHandle | None = None
    _full: asyncio.TimerHandle | None = None
    _address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        wire: socket.socket = transport.get_extra_info("socket")
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else a body waits 40 ms for its head's receipt
        self._address = self.client[0] if self.client else ""
        self.crowd[self._address] += 1
        if self.crowd[self._address] > self.limits.connections_per_address:
            transport.abort()
        else:
            self._head = self.loop.call_later(self.limits.head_s, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head, self._full):
            if timer is not None:
                timer.cancel()
        self.crowd[self._address] -= 1
        if self.crowd[self._address] <= 0:
            del self.crowd[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head is None and not self._answering:
            self._head = self.loop.call_later(self.limits.head_s, self.transport.abort)
        super().data_received(data)
        if self._head is not None and self._answering:
            self._head.cancel()
            self._head = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._full = self.loop.call_later(self.limits.answer_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._full is not None:
            self._full.cancel()
            self._full = None

    @property
    def _answering(self) -> bool:
        """Whether a request has come whose answer is not yet sent."""
        cycle = getattr(self, "cycle", None)
        return cycle is not None and not cycle.response_complete
