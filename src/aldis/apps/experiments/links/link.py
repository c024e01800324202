"""A link: how a protocol's bytes come and go. Gateways know no sockets; links know no protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Link", "Piece"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What arrived at once: a datagram, a sample, or some bytes of the stream of one connection.

    `peer` tells connections and senders apart; `ended` is said once, after the last bytes of a connection.
    """

    data: bytes
    peer: str
    ended: bool = False


class Link(Protocol):
    """An open way to one or several systems. It sheds what is not taken in time, oldest first, and counts it."""

    @property
    def shed(self) -> int:
        """Pieces that nobody took in time, and messages that could not be sent."""

    async def receive(self) -> Piece:
        """The next piece, as soon as there is one.

        Raises:
            EOFError: there will be no more.
        """

    async def send(self, data: bytes) -> None:
        """Send one message to every system at the other end; what a slow one does not take is shed.

        Raises:
            Unavailable: nothing can be sent here.
        """

    async def close(self) -> None:
        """Free the port, and wait until that is done."""
