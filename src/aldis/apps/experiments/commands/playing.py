"""`aldis experiment play`: a simulated system of one's own, to try a node with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aldis.apps.experiments.players.running import Player

__all__ = ["play"]

_ADDRESSES = {
    "usv": "udp://127.0.0.1:14550",
    "raft": "udp://127.0.0.1:10110",
    "observer": "tcp://127.0.0.1:8087",
    "helicopter": "udp://127.0.0.1:3000",
}
_AT = (59.9, 24.4)


@click.command("play")
@click.argument("player", type=click.Choice(list(_ADDRESSES)))
@click.option("--to", metavar="udp://HOST:PORT", default="", help="Where the node listens for it.")
@click.option("--at", type=(float, float), metavar="LAT LON", default=_AT, show_default=True, help="Where it begins.")
@click.option("--seconds", type=click.FloatRange(0.1, 86_400), default=3600.0, show_default=True, help="For how long.")
@click.option("--wind", type=(float, float), metavar="FROM MPS", default=(225.0, 9.0), show_default=True,
              help="Degrees that the wind comes from, and its speed.")  # fmt: skip
@click.option("--current", type=(float, float), metavar="TO MPS", default=(80.0, 0.2), show_default=True,
              help="Degrees that the current goes to, and its speed.")  # fmt: skip
@click.option("--unarmed", is_flag=True, help="The usv accepts everything, and stays where it is.")
def play(
    player: str, to: str, at: tuple[float, float], seconds: float, wind: tuple[float, float],
    current: tuple[float, float], *, unarmed: bool,
) -> None:  # fmt: skip
    """Play a simulated system at a node's socket: no real vehicle, but its real protocol.

    `usv` is an uncrewed boat that speaks MAVLink 2; `raft` drifts, and its beacon is heard as AIS; `observer` has a
    Cursor-on-Target device; `helicopter` searches in a DIS exercise. Without --to the address is udp://127.0.0.1:14550,
    udp://127.0.0.1:10110, tcp://127.0.0.1:8087 and udp://127.0.0.1:3000.
    """
    from aldis.apps.experiments.links.address import read_address  # noqa: PLC0415 - codecs are slow to import
    from aldis.apps.experiments.players.running import play as run  # noqa: PLC0415

    address = read_address(to or _ADDRESSES[player])
    run(_made(player, at, wind, current, armed=not unarmed), address, time.monotonic() + seconds, click.echo)


def _made(
    player: str, at: tuple[float, float], wind: tuple[float, float], current: tuple[float, float], *, armed: bool
) -> Player:
    from aldis.apps.experiments.players import Helicopter, Observer, Raft, Sea, Usv  # noqa: PLC0415

    sea, began_us = Sea(*wind, *current), time.time_ns() // 1000
    made: dict[str, Callable[[], Player]] = {
        "usv": lambda: Usv(at, sea, began_us, armed=armed),
        "raft": lambda: Raft(at, sea, began_us),
        "observer": lambda: Observer(at, began_us),
        "helicopter": lambda: Helicopter(at, began_us),
    }
    return made[player]()
