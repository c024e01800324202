"""A link over zenoh and another process with the bare library, both ways; floods, TLS, and what is refused."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bus_places import certificate, free_port

from aldis.apps.experiments.entity import Position, Track
from aldis.apps.experiments.envelope import MAX_PAYLOAD, opened, sealed
from aldis.apps.experiments.gateways.zenoh import ZenohGateway
from aldis.apps.experiments.links.zenoh import ZenohLink, place_of
from aldis.kernel.errors import InvalidInput, Unavailable

PEER = """
import json, sys, threading, zenoh
told = json.loads(sys.argv[1])
config = zenoh.Config()
for name, value in {"listen/endpoints": [], "scouting/multicast/enabled": False, **told}.items():
    config.insert_json5(name, json.dumps(value))
session = zenoh.open(config)
def heard(sample):
    print(json.dumps([str(sample.key_expr), sample.payload.to_string()]), flush=True)
session.declare_subscriber("fleet/**", heard, allowed_origin=zenoh.Locality.REMOTE)
print("ready", flush=True)
for line in sys.stdin:
    key, payload, times = json.loads(line)
    for _ in range(times):
        session.put(key, payload, congestion_control=zenoh.CongestionControl.BLOCK)
session.close()
"""


class Peer:
    """The bare library in another process: says what it is told, tells what it hears."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def say(self, key: str, payload: str, times: int = 1) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps([key, payload, times]).encode() + b"\n")

    async def hear(self) -> Any:
        assert self._process.stdout
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), 20))


@asynccontextmanager
async def peer(told: dict[str, Any]) -> AsyncGenerator[Peer, None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PEER, json.dumps(told), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"ready\n"
        yield Peer(process)
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


def run(case: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(_whole(case), 60))


async def _whole(case: Callable[[], Awaitable[None]]) -> None:
    await case()


async def until(link: ZenohLink, there: Peer, key: str) -> bytes:
    """The first piece: a peer's words are lost for as long as it does not know the subscription."""
    for _ in range(100):
        there.say(key, "{}")
        try:
            return (await asyncio.wait_for(link.receive(), 0.1)).data
        except TimeoutError:
            continue
    raise AssertionError("nothing arrived")


async def back(link: ZenohLink, there: Peer, data: bytes) -> Any:
    hearing = asyncio.ensure_future(there.hear())
    while not hearing.done():
        await link.send(data)
        await asyncio.wait([hearing], timeout=0.1)
    return hearing.result()


def test_a_track_goes_to_a_bare_peer_and_another_comes_from_it() -> None:
    async def case() -> None:
        port = free_port()
        link = await ZenohLink.open(f"zenoh-listen://127.0.0.1:{port}/fleet/fin")
        try:
            async with peer({"connect/endpoints": [f"tcp/127.0.0.1:{port}"]}) as there:
                assert opened(await until(link, there, "fleet/fin/track/a/status")).key == "track/a/status"
                there.say("elsewhere/track/b/status", '{"armed":true}')
                there.say("fleet/fin/track/boat/position", '{"lat_deg":59.5,"lon_deg":24.5}')
                while opened((piece := await link.receive()).data).key == "track/a/status":
                    pass
                assert piece.peer == f"tcp/127.0.0.1:{port}"
                [decoded] = ZenohGateway().feed(piece.data, 0)
                assert decoded.entity == Track(key="boat", position=Position(lat_deg=59.5, lon_deg=24.5))
                [message] = ZenohGateway().encode(Track(key="x/y", position=Position(lat_deg=1, lon_deg=2)), 0).messages
                key, payload = await back(link, there, message)
                assert (key, json.loads(payload)) == (
                    "fleet/fin/track/x%2Fy/position",
                    {"lat_deg": 1.0, "lon_deg": 2.0},
                )
        finally:
            await link.close()
        with pytest.raises(EOFError):
            while True:
                await link.receive()
        with pytest.raises(Unavailable, match="closed"):
            await link.send(message)

    run(case)


def test_what_nobody_takes_in_time_is_shed_and_what_is_too_large_refused() -> None:
    async def case() -> None:
        port = free_port()
        link = await ZenohLink.open(f"zenoh-listen://127.0.0.1:{port}/fleet", limit=10)
        try:
            async with peer({"connect/endpoints": [f"tcp/127.0.0.1:{port}"]}) as there:
                await until(link, there, "fleet/track/a/status")
                there.say("fleet/track/a/status", "x" * (MAX_PAYLOAD + 1))
                there.say("fleet/track/a/status", "old", 500)
                there.say("fleet/track/a/status", "new", 10)
                there.say("fleet/track/" + "a" * 1100 + "/status", "{}")
                end = time.monotonic() + 10
                while link.refused < 2 and time.monotonic() < end:
                    await asyncio.sleep(0.02)
                assert link.refused == 2
                assert link.shed >= 500
                assert [opened((await link.receive()).data).payload for _ in range(10)] == [b"new"] * 10
        finally:
            await link.close()

    run(case)


def test_it_connects_to_who_listens_later_and_hears_nothing_of_its_own() -> None:
    async def case() -> None:
        port = free_port()
        early = await ZenohLink.open(f"zenoh://127.0.0.1:{port}/fleet/a")
        late = await ZenohLink.open(f"zenoh-listen://127.0.0.1:{port}/fleet/a?publish=fleet/b")
        try:
            message = sealed("track/a/status", b"{}")
            hearing = asyncio.ensure_future(late.receive())
            while not hearing.done():
                await early.send(message)
                await asyncio.wait([hearing], timeout=0.1)
            assert hearing.result().data == message
            await late.send(message)  # said below fleet/b, where nobody listens
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(early.receive(), 0.2)
        finally:
            await early.close()
            await late.close()

    run(case)


def test_mutual_tls_lets_in_who_has_a_certificate_of_the_authority_alone(tmp_path: Path) -> None:
    async def case() -> None:
        files = certificate(tmp_path)
        port = free_port()
        own = f"ca={files.ca}&cert={files.cert}&key={files.key}"
        link = await ZenohLink.open(f"zenoh-listen://127.0.0.1:{port}/fleet?{own}")
        try:
            with pytest.raises(Unavailable, match="zenoh at tls"):
                await ZenohLink.open(f"zenoh://127.0.0.1:{port}/fleet?mode=client&ca={files.ca}")
            with pytest.raises(Unavailable, match="zenoh at tcp"):
                await ZenohLink.open(f"zenoh://127.0.0.1:{port}/fleet?mode=client")
            client = await ZenohLink.open(f"zenoh://127.0.0.1:{port}/fleet?{own}")
            async with aclosing_link(client):
                hearing = asyncio.ensure_future(link.receive())
                while not hearing.done():
                    await client.send(sealed("track/a/status", b"{}"))
                    await asyncio.wait([hearing], timeout=0.1)
                assert opened(hearing.result().data).payload == b"{}"
        finally:
            await link.close()

    run(case)


@asynccontextmanager
async def aclosing_link(link: ZenohLink) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await link.close()


def test_an_address_that_is_taken_or_silent_is_unavailable() -> None:
    async def case() -> None:
        port = free_port()
        link = await ZenohLink.open(f"zenoh-listen://127.0.0.1:{port}/fleet")
        try:
            with pytest.raises(Unavailable, match=str(port)):
                await ZenohLink.open(f"zenoh-listen://127.0.0.1:{port}/fleet")
            with pytest.raises(Unavailable, match="zenoh at tcp"):
                await ZenohLink.open(f"zenoh://127.0.0.1:{free_port()}/fleet?mode=client")
            with pytest.raises(InvalidInput, match="no envelope"):
                await link.send(b"hello")
        finally:
            await link.close()

    run(case)


@pytest.mark.parametrize(
    "url",
    [
        "tcp://127.0.0.1:7447/a",
        "zenoh://127.0.0.1/a",
        "zenoh://127.0.0.1:7447",
        "zenoh://127.0.0.1:7447/a/**",
        "zenoh://127.0.0.1:7447/a//b",
        "zenoh://user@127.0.0.1:7447/a",
        "zenoh://127.0.0.1:99999/a",
        "zenoh://127.0.0.1:7447/a?shared=1",
        "zenoh-listen://127.0.0.1:7447/a?mode=client",
        "zenoh://127.0.0.1:7447/a?mode=router",
        "zenoh://127.0.0.1:7447/a?cert=x",
        "zenoh://127.0.0.1:7447/a?cert=x&key=y",
        "zenoh-listen://127.0.0.1:7447/a?ca=x",
        "zenoh://127.0.0.1:7447/a?publish=*",
    ],
)
def test_a_url_that_says_something_else_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        place_of(url)


def test_the_loopback_address_is_the_default_and_nothing_is_searched_for() -> None:
    place = place_of("zenoh://:7447/fleet")
    assert (place.endpoint, place.hear, place.say) == ("tcp/127.0.0.1:7447", "fleet", "fleet")
    told = place.settings()
    assert told["listen/endpoints"] == []
    assert told["transport/link/protocols"] == ["tcp"]
    for name in ("scouting/multicast/enabled", "scouting/gossip/enabled", "transport/shared_memory/enabled"):
        assert told[name] is False
    assert place_of("zenoh://[::1]:7447/fleet").endpoint == "tcp/[::1]:7447"
