"""A TLS connection that was accepted: read and written on the event loop, a body straight into its place."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

__all__ = ["Channel"]

_TURN = 512 * 1024
"""Bytes that are read or written before others have their turn."""
_FEW = 256 * 1024
"""Bytes of a body that are worth waking up for; less than a receive buffer of the kernel can hold."""
_T = TypeVar("_T")


class Channel:
    """One connection, used by one task at a time; `abort` may come from any of the same event loop.

    Each call raises OSError (`ssl.SSLError` among them) where the connection fails or was aborted. Nothing is read
    before it is asked for, so what a peer sends unasked waits in its own memory and the kernel's.
    """

    def __init__(self, accepted: socket.socket, context: ssl.SSLContext) -> None:
        """Over a connected, non-blocking socket, which is the channel's from now on."""
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[None] | None = None
        self._over = False
        self._least = 1
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        except BaseException:
            accepted.close()
            raise

    async def shake_hands(self) -> bytes:
        """Do the handshake; the peer's certificate in DER."""
        await self._do(self._socket.do_handshake)
        return self._socket.getpeercert(binary_form=True) or b""

    async def read(self, most: int) -> bytes:
        """At most so many bytes; none at the end."""
        await asyncio.sleep(0)  # whoever always has more to say is not to keep others waiting
        return await self._do(lambda: self._socket.recv(most))

    async def fill(self, place: memoryview) -> bool:
        """Put the next bytes there, all of it; whether there were as many before the end."""
        try:
            while len(place):
                self._wait_for(_FEW if len(place) > 2 * _FEW else 1)
                count = await self._do(lambda: self._take(place))  # noqa: B023
                if not count:
                    return False
                place = place[count:]
                if count >= _TURN:
                    await asyncio.sleep(0)
            return True
        finally:
            self._wait_for(1)

    async def write(self, data: bytes) -> None:
        """Hand all of it to the kernel."""
        left = memoryview(data)
        while left:
            count = await self._do(lambda: self._socket.send(left[:_TURN]))  # noqa: B023
            left = left[count:]

    async def end(self) -> None:
        """Say that nothing more comes, and wait until the peer says so too (RFC 8446 section 6.1)."""
        with suppress(OSError):
            await self._do(self._socket.unwrap)

    def abort(self) -> None:
        """Close at once; whoever waits for the connection hears that it was aborted."""
        if self._over:
            return
        self._over = True
        waiting, number = self._waiting, self._socket.fileno()
        if waiting is not None and number >= 0:
            self._loop.remove_reader(number)
            self._loop.remove_writer(number)
            _wake(waiting)
        self._socket.close()

    def _take(self, place: memoryview) -> int:
        """Read what is there, and not much more than _TURN of it; none at the end."""
        receive, count, most = self._socket.recv_into, 0, min(len(place), _TURN)
        try:
            while count < most and (more := receive(place[count:])):
                count += more
        except ssl.SSLWantReadError:
            if not count:
                raise
        return count

    def _wait_for(self, least: int) -> None:
        """Be woken when so many bytes have come, not for each few of them."""
        if least != self._least and not self._over:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
            self._least = least

    async def _do(self, step: Callable[[], _T]) -> _T:
        while not self._over:
            try:
                return step()
            except ssl.SSLWantReadError:
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
            except ssl.SSLWantWriteError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
        raise ConnectionAbortedError("the connection was aborted")

    async def _ready(self, add: Callable[..., None], remove: Callable[[int], bool]) -> None:
        self._waiting, number = self._loop.create_future(), self._socket.fileno()
        add(number, _wake, self._waiting)
        try:
            await self._waiting
        finally:
            self._waiting = None
            if not self._over:
                remove(number)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
