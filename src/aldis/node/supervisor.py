"""What a running node tells the service manager that started it: ready, alive, stopping. Source: sd_notify(3)."""

from __future__ import annotations

import socket
from collections.abc import Mapping

__all__ = ["tell", "watchdog_s"]

_MILLION = 1_000_000


def tell(state: str, environment: Mapping[str, str]) -> bool:
    """Send lines such as `READY=1` to `NOTIFY_SOCKET`; whether there was anybody to hear them."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)
        except OSError:
            return False
    return True


def watchdog_s(environment: Mapping[str, str]) -> float:
    """How often to say `WATCHDOG=1`, in seconds: half of what the manager waits for; 0 where it does not."""
    micros = environment.get("WATCHDOG_USEC", "")
    return int(micros) / _MILLION / 2 if micros.isdecimal() and int(micros) else 0.0
