"""UDP: datagrams in and out, on one port, unicast or multicast."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from ipaddress import ip_address
from typing import Any, cast

from aldis.apps.experiments.links.address import Address, endpoint
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.links.mailbox import Mailbox
from aldis.kernel.errors import InvalidInput, Unavailable

__all__ = ["UdpLink", "open_udp"]

_PEERS = 64
_REMEMBERED_S = 60.0
_LARGEST = 65_507  # bytes of a datagram over IPv4


class UdpLink(asyncio.DatagramProtocol):
    """One bound port; what is sent goes to the address that was named, or to whoever was heard in the last minute."""

    def __init__(self, to: tuple[str, int] | None) -> None:
        self._to = to
        self._mailbox = Mailbox()
        self._heard: dict[tuple[Any, ...], float] = {}
        self._closed = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None
        self._unsent = 0

    @property
    def shed(self) -> int:
        """Datagrams that nobody took in time, and those that could not be sent."""
        return self._mailbox.shed + self._unsent

    @property
    def port(self) -> int:
        """The port that is bound."""
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio has bound the port."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """A datagram came."""
        self._heard.pop(addr, None)
        if len(self._heard) >= _PEERS:
            del self._heard[next(iter(self._heard))]
        self._heard[addr] = time.monotonic()
        self._mailbox.put(Piece(data, f"{addr[0]}:{addr[1]}"))

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        """The port is free again."""
        self._mailbox.close()
        self._closed.set()

    async def receive(self) -> Piece:
        """See `Link`."""
        return await self._mailbox.take()

    async def send(self, data: bytes) -> None:
        """See `Link`; a datagram over 65,507 bytes is counted as shed."""
        assert self._transport is not None
        if len(data) > _LARGEST:
            self._unsent += 1
            return
        since = time.monotonic() - _REMEMBERED_S
        for peer in [self._to] if self._to else [peer for peer, at in self._heard.items() if at >= since]:
            self._transport.sendto(data, peer)

    async def close(self) -> None:
        """See `Link`."""
        assert self._transport is not None
        self._transport.close()
        await self._closed.wait()


async def open_udp(address: Address) -> UdpLink:
    """Bind the port that an address names; of a multicast group become a member.

    Raises:
        InvalidInput: `to` or `via` is none.
        Unavailable: it cannot be bound.
    """
    to = endpoint(address.options["to"]) if "to" in address.options else None
    try:
        group = ip_address(address.host)
        multicast = group.is_multicast and group.version == 4
    except ValueError:
        multicast = False
    if multicast and to is None:
        to = (address.host, address.port)
    try:
        options: dict[str, Any] = {"local_addr": (address.host, address.port)}
        if multicast:
            options = {"sock": _member(address.host, address.port, address.options.get("via", "127.0.0.1"))}
        _, link = await asyncio.get_running_loop().create_datagram_endpoint(lambda: UdpLink(to), **options)
    except OSError as error:
        raise Unavailable(
            f"cannot listen at udp://{address.host}:{address.port}: {error.strerror or error}",
            fix="Choose another port",
        ) from error
    return link


def _member(group: str, port: int, via: str) -> socket.socket:
    try:
        interface = socket.inet_aton(via)
    except OSError as error:
        raise InvalidInput(f"no address of an interface: {via!r}", fix="Write via=127.0.0.1") from error
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((group, port))
        bound.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4s", socket.inet_aton(group), interface)
        )
        bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
        bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    except OSError:
        bound.close()
        raise
    return bound
