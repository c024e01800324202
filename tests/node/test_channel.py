"""A connection of the partner port: one that always has more to say keeps nobody waiting, one that is aborted ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aldis.node.channel import Channel
from aldis.node.tls import client_context, make_certificate, server_context

NOW = 1_750_000_000_000


@contextlib.asynccontextmanager
async def connected(folder: Path) -> AsyncIterator[tuple[Channel, ssl.SSLSocket]]:
    """A channel that has shaken hands, and the blocking socket at its other end."""
    for name in ("here", "there"):
        certificate, key = make_certificate(name, NOW)
        (folder / f"{name}.crt").write_bytes(certificate)
        (folder / f"{name}.key").write_bytes(key)
    der = {name: ssl.PEM_cert_to_DER_cert((folder / f"{name}.crt").read_text()) for name in ("here", "there")}
    at_there = client_context(folder / "there.crt", folder / "there.key", der["here"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plain = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    accepted.setblocking(False)
    channel = Channel(accepted, server_context(folder / "here.crt", folder / "here.key", [der["there"]]))
    peer, shaken = await asyncio.gather(asyncio.to_thread(at_there.wrap_socket, plain), channel.shake_hands())
    try:
        assert shaken == der["there"]
        yield channel, peer
    finally:
        channel.abort()
        peer.close()


def test_others_have_their_turn_between_reads_of_what_is_there_already(tmp_path: Path) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def run() -> None:
        async with connected(tmp_path) as (channel, peer):
            sent = os.urandom(16 * 1024)
            for _ in range(8):
                await asyncio.to_thread(peer.sendall, sent)
            await asyncio.sleep(0.05)
            task = asyncio.create_task(others())
            for count in range(8):
                assert await channel.read(16 * 1024) == sent
                assert turns > count
            task.cancel()

    asyncio.run(run())


@pytest.mark.parametrize("size", [1, 16 * 1024, 512 * 1024 + 1, 5 * 2**20])
def test_a_body_and_what_comes_after_it_are_told_apart(tmp_path: Path, size: int) -> None:
    async def run() -> None:
        async with connected(tmp_path) as (channel, peer):
            body, place = os.urandom(size), bytearray(size)
            sending = asyncio.create_task(asyncio.to_thread(peer.sendall, body + b"next"))
            assert await channel.fill(memoryview(place))
            await sending
            assert place == body
            assert await channel.read(100) == b"next"
            await channel.write(b"answer" * 100_000)
            peer.settimeout(5)
            assert await asyncio.to_thread(peer.recv, 6) == b"answer"

    asyncio.run(run())


def test_a_body_that_ends_too_soon_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        async with connected(tmp_path) as (channel, peer):
            await asyncio.to_thread(peer.sendall, bytes(2**20))
            peer.close()
            assert not await channel.fill(memoryview(bytearray(2**20 + 1)))

    asyncio.run(run())


def test_whoever_waits_for_a_connection_that_is_aborted_hears_of_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with connected(tmp_path) as (channel, peer):
            for work in (channel.read(10), channel.fill(memoryview(bytearray(2**20)))):
                waiting = asyncio.create_task(work)
                await asyncio.sleep(0.02)
                channel.abort()
                channel.abort()
                with pytest.raises(ConnectionAbortedError):
                    await asyncio.wait_for(waiting, 2)
            peer.settimeout(5)
            with contextlib.suppress(OSError):
                assert await asyncio.to_thread(peer.recv, 10) == b""

    asyncio.run(run())


def test_after_a_body_that_did_not_come_in_time_what_comes_is_read_at_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with connected(tmp_path) as (channel, peer):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await channel.fill(memoryview(bytearray(2**22)))
            await asyncio.to_thread(peer.sendall, b"few")
            async with asyncio.timeout(2):
                assert await channel.read(10) == b"few"

    asyncio.run(run())
