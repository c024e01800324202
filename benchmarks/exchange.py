"""Records from the sender's store into the receiver's, both durable, signed, over TLS on loopback.

    python -m benchmarks.exchange [--quick] [--records N] [--batch N]

Two nodes run as `aldis up`, a process each, both stores with synchronous=FULL. Records (position reports: a value of
about 256 bytes in one portion) are put into the sender's store by this process, in one transaction. Wall time runs
from that commit, which the sender notices within 250 ms, until the receiver's store holds the last one. CPU time is
all that the two node processes use from before the put until the sender has the last receipt; so start-up and the put
are not in it, deciding, sealing, verifying, storing, indexing and the ledger on both sides are.

The peers move the very same bytes, headers and portions, in the same run, one after the other in each round:
  CPU   raw nats-py: publish in one process, a callback in another, unsigned, nothing kept; all processes, the server
        too, and start-up left out likewise
  wall  raw SQLite: inserted once with synchronous=FULL, 500 a transaction
A ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import apsw
import msgspec
import nats
from nats.aio.msg import Msg

from aldis.kernel.records import make_record
from aldis.node.node import Node
from benchmarks.coalition import Coalition, Process, free_port, nats_server, position_drafts, wait_for
from benchmarks.report import median_spread, report

ROUNDS = 5
CPU_TARGET = 2.5
WALL_TARGET = 0.3
TRANSACTION = 500


class Round(NamedTuple):
    """Of one round: CPU in µs an object, and objects a second."""

    cpu: float
    rate: float


class Nodes:
    """A sender and a receiver that run."""

    def __init__(self, aus: Node, gbr: Node, processes: Sequence[Process]) -> None:
        self._aus, self._gbr, self._processes = aus, gbr, processes
        self._sent = 0

    def round(self, count: int) -> Round:
        """Put so many new records, and wait until they are over there."""
        drafts = [draft for some in position_drafts(self._sent, count, self._aus.core.clock.now()) for draft in some]
        self._sent += count
        last = self._admitted() + count
        cpu = self._cpu()
        self._aus.records.put_all(drafts)
        began = time.monotonic()
        ended = wait_for(lambda: self._admitted() == last, "the receiver")
        wait_for(lambda: self._acknowledged() == last, "the last receipt")
        return Round((self._cpu() - cpu) / count * 1e6, count / (ended - began))

    def _cpu(self) -> float:
        return sum(process.cpu() for process in self._processes)

    def _admitted(self) -> int:
        cursor = self._gbr.core.store.partners.cursor("aus")
        return cursor.seq if cursor else 0

    def _acknowledged(self) -> int:
        acknowledged = self._aus.core.store.partners.acknowledged("gbr")
        return acknowledged.seq if acknowledged else 0


class Nats:
    """A server, a subscriber and a publisher that have loaded `payloads`."""

    def __init__(self, folder: Path, payloads: Sequence[bytes]) -> None:
        file, port = folder / "payloads", free_port()
        file.write_bytes(msgspec.msgpack.encode(payloads))
        self.count = len(payloads)
        self._server = Process([*nats_server(), "-a", "127.0.0.1", "-p", str(port)], folder / "nats.log")
        wait_for(lambda: "Server is ready" in (folder / "nats.log").read_text(), "nats-server")
        self._clients = [
            Process.module("benchmarks.exchange", role, str(port), str(file), log=folder / "nats.log")
            for role in ("subscribe", "publish")
        ]
        for client in self._clients:
            client.wait_ready()

    def round(self) -> Round:
        """Publish all and wait until all were called back."""
        subscriber, publisher = self._clients
        processes = [self._server, *self._clients]
        cpu, began = sum(process.cpu() for process in processes), time.monotonic()
        publisher.tell("go")
        subscriber.read()
        seconds = time.monotonic() - began
        publisher.read()
        return Round((sum(process.cpu() for process in processes) - cpu) / self.count * 1e6, self.count / seconds)

    def stop(self) -> None:
        """End the three processes."""
        for process in [*self._clients, self._server]:
            process.stop()


def insert_all(folder: Path, payloads: Sequence[bytes]) -> Round:
    """The same bytes into a new SQLite file, durably."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        connection = apsw.Connection(str(Path(place) / "raw.db"))
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE object (seq INTEGER PRIMARY KEY, data BLOB NOT NULL)")
        cpu, began = time.process_time(), time.monotonic()
        for first in range(0, len(payloads), TRANSACTION):
            with connection:
                rows = enumerate(payloads[first : first + TRANSACTION], first)
                connection.executemany("INSERT INTO object VALUES (?, ?)", rows)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        connection.close()
    return Round(cpu / len(payloads) * 1e6, len(payloads) / seconds)


def measure(folder: Path, count: int, batch: int, rounds: int) -> None:
    """Alternate ours and the peers', and print two figures."""
    now = time.time_ns() // 1_000_000
    drafts = [draft for some in position_drafts(0, count, now) for draft in some]
    records = [make_record(draft, lambda size: bytes(size)) for draft in drafts]
    payloads = [record.data + b"".join(portion.data for portion in record.portions) for record in records]
    del drafts, records
    coalition = Coalition.make(folder, "aus", "gbr", batch=batch)
    broker = Nats(folder, payloads)
    ours, theirs, raw = [], [], []
    try:
        with coalition.running() as processes, coalition.open("aus") as aus, coalition.open("gbr") as gbr:
            nodes = Nodes(aus, gbr, processes)
            nodes.round(count // 4)  # once over every path before anything counts
            broker.round()
            for number in range(rounds):
                ours.append(nodes.round(count))
                theirs.append(broker.round())
                raw.append(insert_all(folder, payloads))
                say(number, ours[-1], theirs[-1], raw[-1])
    finally:
        broker.stop()
    ratio = median(one.cpu / other.cpu for one, other in zip(ours, theirs, strict=True))
    cpu, spread = median_spread([one.cpu for one in ours])
    report(
        "exchange-cpu",
        "raw nats-py publish/subscribe of the same bytes, unsigned, not kept, server included",
        ratio,
        f"<= {CPU_TARGET}x peer",
        ratio <= CPU_TARGET,
        cpu,
        "CPU µs/object",
        spread,
    )
    ratio = median(one.rate / other.rate for one, other in zip(ours, raw, strict=True))
    rate, spread = median_spread([one.rate for one in ours])
    report(
        "exchange-wall",
        f"raw SQLite FULL inserts of the same bytes, once, {TRANSACTION} a transaction",
        ratio,
        f">= {WALL_TARGET}x peer",
        ratio >= WALL_TARGET,
        rate,
        "objects/s",
        spread,
    )


def say(number: int, ours: Round, theirs: Round, raw: Round) -> None:
    print(
        f"round {number + 1}: Aldis {ours.cpu:.0f} µs CPU and {ours.rate:,.0f}/s, NATS {theirs.cpu:.1f} µs and"
        f" {theirs.rate:,.0f}/s, SQLite {raw.cpu:.1f} µs and {raw.rate:,.0f}/s",
        file=sys.stderr,
    )


async def publish(port: str, payloads: Sequence[bytes]) -> None:
    """The publisher's process: all payloads each time it is told to."""
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    print("ready", flush=True)
    while (await asyncio.to_thread(sys.stdin.readline)).strip():
        for payload in payloads:
            await client.publish("objects", payload)
        await client.flush()
        print("done", flush=True)


async def subscribe(port: str, payloads: Sequence[bytes]) -> None:
    """The subscriber's process: says so whenever it has got all of them."""
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    got = 0

    async def take(message: Msg) -> None:
        nonlocal got
        assert message.data == payloads[got]
        got += 1
        if got == len(payloads):
            got = 0
            print("done", flush=True)

    await client.subscribe("objects", cb=take)
    await client.flush()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


def main() -> None:
    """Measure; or be one of the peer's processes."""
    if sys.argv[1:2] in (["publish"], ["subscribe"]):
        role, port, file = sys.argv[1:4]
        payloads = msgspec.msgpack.decode(Path(file).read_bytes(), type=list[bytes])
        asyncio.run((publish if role == "publish" else subscribe)(port, payloads))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 rounds of 6,000 records")
    parser.add_argument("--records", type=int, default=20_000, help="in each round")
    parser.add_argument("--batch", type=int, default=2_000, help="the nodes' setting `batch`")
    options = parser.parse_args()
    count, rounds = (6_000, 3) if options.quick else (options.records, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), count, options.batch, rounds)


if __name__ == "__main__":
    main()
