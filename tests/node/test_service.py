"""Two running nodes on real sockets: what is put flows, live values flow, and a change takes effect at once."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from nations import WATCH

from aldis.app import find_apps
from aldis.interfaces.demo.nations import NATIONS, Nations, Share
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import AldisError
from aldis.kernel.frames import Update
from aldis.kernel.instruments import Effect
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.checks import run_checks
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.service import Service

SHARED = Label("AUS", "SECRET", Releasability.to("GBR"))
OWN = Label("AUS", "SECRET", Releasability.to())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def two(tmp_path: Path) -> tuple[Node, Node]:
    nodes = []
    for name, party, policy in (("aus", "AUS", "AUS"), ("gbr", "GBR", "UK")):
        config = Config(node=name, party=party, policy=policy, ceiling="SECRET", listen=f"127.0.0.1:{free_port()}")
        make_home(tmp_path / name, config, now=time.time_ns() // 1_000_000)
        nodes.append(Node.open(tmp_path / name, environment={}, apps=find_apps()))
    aus, gbr = nodes
    _, reply = gbr.partners.join(aus.partners.invite("GBR"), lambda *_: True)
    assert reply is not None
    aus.partners.join(reply, lambda *_: True)
    aus.register.draft(WATCH, "officer")
    return aus, gbr


def running(two: tuple[Node, Node], act: Callable[[Node, Node], Awaitable[None]]) -> None:
    async def run() -> None:
        services = [Service(node) for node in two]
        for service in services:
            await service.start()
        try:
            await act(*two)
        finally:
            for service in services:
                await service.stop()
            for node in two:
                node.close()

    asyncio.run(run())


async def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.02)


async def agree(aus: Node, gbr: Node) -> None:
    await until(lambda: "pa-watch" in gbr.epochs.current().instruments.ids())
    for node in (aus, gbr):
        node.register.sign("pa-watch", "officer")
    await until(lambda: aus.register.status("pa-watch").state.value == "in force")


def document(name: str, at: int) -> Draft:
    return Draft(
        "document", name, "aus", "officer", at, SHARED,
        [DraftPortion("title", SHARED, name), DraftPortion("body", OWN, "a canary nobody else may see")],
        project="WATCH",
    )  # fmt: skip


def test_a_record_arrives_in_part_and_nothing_more_after_the_agreement_ends(two: tuple[Node, Node]) -> None:
    async def act(aus: Node, gbr: Node) -> None:
        await agree(aus, gbr)
        aus.records.put(document("before", aus.core.clock.now()))
        await until(lambda: gbr.core.store.records.get("before") is not None)
        held = gbr.records.get("before").record()
        assert [portion.name for portion in held.portions] == ["title"]
        await until(lambda: not any(check.ok is False for check in run_checks(aus, quick=True)))

        aus.register.end("pa-watch", Effect.TERMINATE, aus.core.clock.now(), "officer")
        aus.records.put(document("after", aus.core.clock.now()))
        await asyncio.sleep(1.5)
        assert gbr.core.store.records.get("after") is None
        assert aus.core.store.exchange.last("gbr") == gbr.inbound.cursor("aus").seq

    running(two, act)


def test_a_suspended_partner_gets_nothing_until_it_is_resumed(two: tuple[Node, Node]) -> None:
    async def act(aus: Node, gbr: Node) -> None:
        await agree(aus, gbr)
        aus.partners.set_status("gbr", PartnerStatus.SUSPENDED, "inquiry")
        aus.records.put(document("waits", aus.core.clock.now()))
        await asyncio.sleep(1.5)
        assert gbr.core.store.records.get("waits") is None
        with pytest.raises(AldisError):
            aus.answer("gbr", "greet", b"anything")
        aus.partners.set_status("gbr", PartnerStatus.ACTIVE, "inquiry closed")
        await until(lambda: gbr.core.store.records.get("waits") is not None)

    running(two, act)


def test_live_values_arrive_within_a_second_and_stop_with_the_agreement(two: tuple[Node, Node]) -> None:
    async def act(aus: Node, gbr: Node) -> None:
        await agree(aus, gbr)
        values: list[tuple[str, object]] = []

        async def listen() -> None:
            async for live in gbr.context.subscribe("track"):
                values.append((live.update.portion, live.update.value))

        listener = asyncio.create_task(listen())
        await asyncio.sleep(0)

        def publish(step: int) -> None:
            now = aus.core.clock.now()
            place = {"lat_deg": 59.0, "lon_deg": 24.0 + step / 1000}
            aus.context.publish(SHARED, SHARED, "WATCH", Update("t-1", "track", "position", now, place))
            sensor = {"protocol": "ais", "received_ms": now, "station": "canary"}
            aus.context.publish(SHARED, OWN, "WATCH", Update("t-1", "track", "sensor", now, sensor))

        publish(0)
        await until(lambda: bool(values), 5)
        assert values == [("position", {"lat_deg": 59.0, "lon_deg": 24.0})]

        aus.register.end("pa-watch", Effect.TERMINATE, aus.core.clock.now(), "officer")
        await asyncio.sleep(0.3)
        values.clear()
        for step in range(5):
            publish(step)
            await asyncio.sleep(0.15)
        assert values == []
        listener.cancel()

    running(two, act)


@pytest.mark.slow
def test_a_fault_in_one_live_frame_ends_no_others(two: tuple[Node, Node]) -> None:
    async def act(aus: Node, gbr: Node) -> None:
        await agree(aus, gbr)
        sound, faults = aus.live_out.frame, list[str]()

        def faulty(node: str, stream_epoch: int) -> bytes | None:
            if not faults:
                faults.append(node)
                raise RuntimeError("a fault of the program")
            return sound(node, stream_epoch)

        aus.live_out.frame = faulty  # type: ignore[method-assign]
        for _ in range(100):
            update = Update("t-1", "track", "position", aus.core.clock.now(), {"lat_deg": 59.0, "lon_deg": 24.0})
            aus.context.publish(SHARED, SHARED, "WATCH", update)
            await asyncio.sleep(0.05)
            if gbr.live_in.counts.get("aus"):
                break
        assert faults and gbr.live_in.counts.get("aus"), "the next one leaves"

    running(two, act)


def test_the_demo_nations_pair_by_files_that_hold_no_secret(tmp_path: Path) -> None:
    nations = Nations(tmp_path)
    nations.make(dict.fromkeys(NATIONS, Share()), 1.0, "")
    assert len(list(nations.pair())) == 3
    secrets = [
        path.read_bytes().split(b"\n", 1)[1].strip()
        for path in tmp_path.glob("*/keys/*.key")
        if path.read_bytes().startswith(b"-----")
    ]
    assert len(secrets) == 9
    for sent in (tmp_path / "invitations").iterdir():
        assert not any(secret[:40] in sent.read_bytes() for secret in secrets)
