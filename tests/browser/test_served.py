"""The pages behind the one server for people: beside the API, with its log and its headers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from callers import COOKIE, Caller
from msgspec.structs import replace
from web_scene import PATIENT, Scene, scene

from aldis.interfaces.api.server import PeoplePort
from aldis.interfaces.web import site


@contextmanager
def port(made: Scene) -> Iterator[Scene]:
    """The scene's node, served as `aldis up` does."""
    object.__setattr__(made.node.core, "config", replace(made.node.core.config, http="127.0.0.1:0"))
    loop, ready = asyncio.new_event_loop(), threading.Event()
    server = PeoplePort(made.node, PATIENT, site(made.node, PATIENT))

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


def test_pages_and_api_stand_side_by_side(tmp_path: Path) -> None:
    with scene(tmp_path) as made, port(made):
        alice = Caller(made).sign_in("alice", "SECRET")
        page = alice.get("/records/survey")
        assert page.status == 200 and page.banners == ["SECRET//AGAO"] * 2
        assert page.headers["referrer-policy"] == "same-origin" and "nonce-" in page.headers["content-security-policy"]
        assert page.headers["x-request-id"]
        assert alice.get("/static/aldis.css").status == 200 and alice.get("/healthz").status == 200
        assert alice.get("/api/v1/records").status == 401


def test_a_stream_of_live_values_ends_when_the_node_stops(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        with port(made):
            alice = Caller(made).sign_in("alice")
            connection = HTTPConnection(urlsplit(made.url).netloc, timeout=10)
            connection.request("GET", "/live/events", headers={"Cookie": f"{COOKIE}={alice.token}"})
            answer = connection.getresponse()
            assert answer.readline().startswith(b"event: live")
            began = time.monotonic()
        assert time.monotonic() - began < 2.5, "before what goes on is cut off"
        assert answer.read().endswith(b"\n\n")
        connection.close()
