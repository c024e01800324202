"""Two levels on real sockets: what is put low goes up, what is put high stays until somebody rules."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from aldis.apps.workspace import app as workspace
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.service import Service

OWN = Label("AUS", "SECRET", Releasability.to())


def made(folder: Path, name: str, ceiling: str) -> Node:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    config = Config(node=name, party="AUS", policy="AUS", ceiling=ceiling, listen=listen)
    make_home(folder / name, config, now=time.time_ns() // 1_000_000)
    return Node.open(folder / name, environment={}, apps={"workspace": workspace})


def put(node: Node, record: str) -> None:
    portions = [DraftPortion("title", OWN, record)]
    node.records.put(Draft("document", record, node.name, "officer", node.core.clock.now(), OWN, portions))


def holds(node: Node, record: str) -> bool:
    return node.core.store.records.get(record) is not None


async def until(true: Callable[[], bool], within: float = 15.0) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.05)


def running(nodes: tuple[Node, ...], act: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        services = [Service(node) for node in nodes]
        for service in services:
            await service.start()
        try:
            await act()
        finally:
            for service in services:
                await service.stop()

    asyncio.run(run())


def test_up_by_itself_down_by_a_ruling_over_https(tmp_path: Path) -> None:
    low, high = made(tmp_path, "aus-low", "SECRET"), made(tmp_path, "aus-high", "TOP SECRET")
    _, reply = high.partners.join(low.partners.invite("AUS"), lambda *_: True, own=True)
    assert reply is not None
    low.partners.join(reply, lambda *_: True)

    async def act() -> None:
        put(high, "high")
        put(high, "stays")
        put(low, "low")
        await until(lambda: holds(high, "low"))
        await until(lambda: high.exchange.state("aus-low").greeted)
        await asyncio.sleep(0.6)
        assert not holds(low, "high")
        high.desk.offer("high", "aus-low")
        high.desk.rule(high.desk.cases().cases[0].number, "approved", "needed below", "officer")
        await until(lambda: holds(low, "high"))
        assert not holds(low, "stays")

    with low, high:
        running((low, high), act)


def test_a_partner_that_is_fed_is_not_called(tmp_path: Path) -> None:
    high = made(tmp_path, "aus-high", "TOP SECRET")
    with high:
        (tmp_path / "aus-low").mkdir()
        config = Config(node="aus-low", party="AUS", policy="AUS", ceiling="SECRET", feeds=["aus-high"])
        make_home(tmp_path / "aus-low", config, now=time.time_ns() // 1_000_000)
        with Node.open(tmp_path / "aus-low", environment={}, apps={"workspace": workspace}) as low:
            _, reply = high.partners.join(low.partners.invite("AUS"), lambda *_: True, own=True)
            assert reply is not None
            low.partners.join(reply, lambda *_: True)
            service = Service(low)
            service._refresh()
            assert service._couriers == {}
