"""A player at work: its socket, the clock of the machine, and a line of text for whatever it does."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Protocol

from aldis.apps.experiments.links.address import Address
from aldis.kernel.errors import InvalidInput, Unavailable

__all__ = ["Player", "play"]

_STEP_S = 0.05
_AGAIN_S = 0.2
_LARGEST = 65_536


class Player(Protocol):
    """Something simulated that speaks; no sockets and no clock. `told` is what it did, in words, not yet read."""

    told: list[str]

    def advance(self, at_us: int) -> Sequence[bytes]:
        """Live on to `at_us`, and say what is due."""

    def hear(self, data: bytes, at_us: int) -> Sequence[bytes]:
        """What it answers."""


def play(player: Player, to: Address, until_s: float, say: Callable[[str], None]) -> None:
    """Let a player speak to a node at `to` until `until_s` of the monotonic clock; a lost TCP connection is made again.

    Raises:
        InvalidInput: neither udp nor tcp.
        Unavailable: nobody listened at a TCP address in all that time.
    """
    if to.scheme not in ("udp", "tcp"):
        raise InvalidInput(f"a player speaks udp or tcp, not {to.scheme}", fix="Write udp://127.0.0.1:14550")
    met = False
    while time.monotonic() < until_s:
        try:
            with closing(_connected(to)) as link:
                met = True
                _speak(player, link, until_s, say)
        except OSError:
            time.sleep(_AGAIN_S)
    if not met:
        raise Unavailable(f"nobody listens at tcp://{to.host}:{to.port}", fix="Start the node: `aldis up`")


def _connected(to: Address) -> socket.socket:
    if to.scheme == "tcp":
        link = socket.create_connection((to.host, to.port), timeout=5)
    else:
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        link.connect((to.host, to.port))
    link.settimeout(_STEP_S)
    return link


def _speak(player: Player, link: socket.socket, until_s: float, say: Callable[[str], None]) -> None:
    stream = link.type == socket.SOCK_STREAM
    while time.monotonic() < until_s:
        now_us = time.time_ns() // 1000
        said = list(player.advance(now_us))
        try:
            data = link.recv(_LARGEST)
            if stream and not data:
                raise ConnectionResetError("the node closed the connection")
            said += player.hear(data, now_us)
        except TimeoutError:
            pass
        except ConnectionRefusedError:
            time.sleep(_STEP_S)  # of a datagram: nobody listens yet
        for message in said:
            try:
                link.sendall(message)
            except ConnectionRefusedError:
                break
        while player.told:
            say(player.told.pop(0))
