"""The scene's node with its pages behind the one server for people, as `aldis up` serves them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace
from web_scene import PATIENT, Scene

from aldis.interfaces.api.limits import Limits
from aldis.interfaces.api.server import PeoplePort
from aldis.interfaces.web import site

__all__ = ["port"]


@contextmanager
def port(made: Scene, limits: Limits = PATIENT) -> Iterator[Scene]:
    """The scene's node, served as `aldis up` does."""
    object.__setattr__(made.node.core, "config", replace(made.node.core.config, http="127.0.0.1:0"))
    loop, ready = asyncio.new_event_loop(), threading.Event()
    server = PeoplePort(made.node, limits, site(made.node, limits))

    async def start() -> None:
        made.url = await server.start()
        ready.set()

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    yield made
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
