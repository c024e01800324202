"""Two nodes as processes on real sockets: a content arrives, and goes on after either of them is killed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from nations import ARRANGEMENT, PROJECT, to

from aldis.kernel.records import Draft, DraftPortion
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.service import Service

SHARED = to("GBR")
MIB = 2**20


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The folders of aus and gbr, paired and in agreement."""
    nodes = []
    for number, (name, party, policy) in enumerate((("aus", "AUS", "AUS"), ("gbr", "GBR", "UK"))):
        port = 40_000 + (os.getpid() * 2 + number) % 20_000
        config = Config(node=name, party=party, policy=policy, ceiling="SECRET", listen=f"127.0.0.1:{port}")
        make_home(tmp_path / name, config, now=time.time_ns() // 1_000_000)
        nodes.append(Node.open(tmp_path / name, environment={}))
    aus, gbr = nodes
    _, reply = gbr.partners.join(aus.partners.invite("GBR"), lambda *_: True)
    aus.partners.join(reply or b"", lambda *_: True)
    text = ARRANGEMENT.replace(', "USA"', "").replace('onward = ["USA"]\n', "").replace(', US = "SECRET"', "")
    aus.register.draft(text, "officer")
    talk(aus, gbr)
    for node in nodes:
        node.register.sign("pa-northern-watch", "officer")
    talk(aus, gbr)
    for node in nodes:
        node.close()
    yield tmp_path / "aus", tmp_path / "gbr"


def talk(*nodes: Node) -> None:
    for _ in range(20):
        for one, other in (nodes, nodes[::-1]):
            call = one.exchange.next_call(other.name)
            if call is not None:
                one.exchange.answered(other.name, call, other.answer(one.name, call.operation, call.body))


def up(home: Path) -> subprocess.Popen[bytes]:
    """`aldis up`, once it listens."""
    log = (home / "up.log").open("ab")
    started = subprocess.Popen([sys.executable, "-m", "aldis", "--home", str(home), "up"], stdout=log, stderr=log)
    log.close()
    return started


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def put(node: Node, path: Path, record: str) -> bytes:
    with path.open("rb") as file:
        described = node.attachments.uploads.whole(file, path.name)
    value = [msgspec.to_builtins(described)]
    portions = [DraftPortion("title", SHARED, record), DraftPortion("files", SHARED, value)]
    now = node.core.clock.now()
    node.records.put(Draft("document", record, "aus", "officer", now, SHARED, portions, project=PROJECT))
    return bytes.fromhex(described.digest)


@pytest.mark.slow
def test_a_content_goes_on_after_kill_9_at_either_end(homes: tuple[Path, Path], tmp_path: Path) -> None:
    data = tmp_path / "chart.bin"
    with data.open("wb") as file:
        for _ in range(400):
            file.write(os.urandom(MIB))
    running = {home: up(home) for home in homes}
    try:
        with Node.open(homes[0], environment={}) as aus, Node.open(homes[1], environment={}) as gbr:
            digest = put(aus, data, "chart")

            def certain() -> int:
                return sum(one.held for one in gbr.core.store.attachments.incoming(digest) if one.state == "wanted")

            before = 0
            for victim in reversed(homes):
                until(lambda: certain() > before or gbr.core.store.attachments.content(digest) is not None)  # noqa: B023
                before = max(before, certain())
                running[victim].send_signal(signal.SIGKILL)
                running[victim].wait()
                assert certain() >= before
                running[victim] = up(victim)
            assert before > 0
            until(lambda: gbr.core.store.attachments.content(digest) is not None)
            row = gbr.records.get("chart")
            assert [held.whole for held in gbr.attachments.of(row)] == [True]
            with gbr.records.read_attachment("chart", "files", "chart.bin") as reader:
                running_hash = hashlib.sha256()
                for piece in reader.pieces():
                    running_hash.update(piece)
            assert running_hash.digest() == digest
            assert not list(gbr.core.store.ledger.leaves(0, 100, type_="quarantine"))
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def test_a_content_arrives_over_https_and_so_does_the_next(homes: tuple[Path, Path], tmp_path: Path) -> None:
    data = tmp_path / "chart.bin"
    data.write_bytes(os.urandom(24 * MIB))

    async def run() -> None:
        aus, gbr = (Node.open(home, environment={}) for home in homes)
        services = [Service(node) for node in (aus, gbr)]
        for service in services:
            await service.start()
        try:
            digest = put(aus, data, "chart")
            small = tmp_path / "small.txt"
            small.write_text("small")
            end = time.monotonic() + 60
            while gbr.core.store.attachments.content(digest) is None:
                assert time.monotonic() < end
                await asyncio.sleep(0.02)
            other = put(aus, small, "small")
            while gbr.core.store.attachments.content(other) is None:
                assert time.monotonic() < end
                await asyncio.sleep(0.02)
            with gbr.records.read_attachment("small", "files", "small.txt") as reader:
                assert reader.read(0, 100) == b"small"
        finally:
            for service in services:
                await service.stop()
            for node in (aus, gbr):
                node.close()

    asyncio.run(run())
