"""The buses of experiments: what the link and the gateway leave of the throughput of the bare library.

    python -m benchmarks.buses [--quick]

zenoh: another process puts the same position of a track over and over; the peer is the bare library's own subscriber,
which takes the bytes and counts them. Ours takes them from the link in an asyncio loop and makes each an entity with
its ledger. UMAA: samples of a pose from bytes to entities with their ledgers; the peer is the same sample from the
same bytes to the objects of cyclonedds, whose serialisation both use.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import zenoh

from aldis.apps.experiments.entity import Position, Track
from aldis.apps.experiments.envelope import opened
from aldis.apps.experiments.gateways.umaa import OFFERED, UmaaGateway, topics
from aldis.apps.experiments.gateways.zenoh import ZenohGateway
from aldis.apps.experiments.links.zenoh import ZenohLink, place_of
from benchmarks.coalition import free_port
from benchmarks.report import median_spread, report

RUNS = 5
ZENOH_TARGET = 0.1
UMAA_TARGET = 0.5
AT = 1_700_000_000_000_000
KEY = "track/boat/position"
PUTTER = """
import sys, zenoh
config = zenoh.Config()
config.insert_json5("listen/endpoints", "[]")
config.insert_json5("connect/endpoints", '["%s"]' % sys.argv[1])
config.insert_json5("scouting/multicast/enabled", "false")
session = zenoh.open(config)
publisher = session.declare_publisher(sys.argv[2], congestion_control=zenoh.CongestionControl.BLOCK)
payload, times = sys.argv[3].encode(), int(sys.argv[4])
print("ready", flush=True)
for _ in sys.stdin:
    for _ in range(times):
        publisher.put(payload)
"""


def main() -> None:
    """Print two figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    size = 5_000 if parser.parse_args().quick else 50_000
    track = Track(key="boat", position=Position(lat_deg=59.8512345, lon_deg=24.4512345, at=AT // 1000, height_m=18.5))
    payload = opened(ZenohGateway().encode(track, AT).messages[0]).payload
    runs = [(bare_zenoh(payload, size), asyncio.run(our_zenoh(payload, size))) for _ in range(RUNS)]
    (bare, _), (ours, spread) = (median_spread(samples) for samples in zip(*runs, strict=True))
    ratio = ours / bare
    peer = "eclipse-zenoh's subscriber alone"
    report("buses-zenoh", peer, ratio, ZENOH_TARGET, ratio >= ZENOH_TARGET, ours, "samples/s", spread)
    umaa(size // 10)


class Putter:
    """Another process that puts `size` payloads each time it is told."""

    def __init__(self, port: int, payload: bytes, size: int) -> None:
        arguments = [f"tcp/127.0.0.1:{port}", f"fleet/{KEY}", payload.decode(), str(size)]
        command = [sys.executable, "-c", PUTTER, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout
        self.process.stdout.readline()
        time.sleep(0.5)  # until it knows who subscribes

    def put(self) -> None:
        """All of them, once."""
        assert self.process.stdin
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def bare_zenoh(payload: bytes, size: int) -> float:
    """Samples a second into a callback of the library."""
    port, seen, done = free_port(), 0, threading.Event()

    def heard(sample: zenoh.Sample) -> None:
        nonlocal seen
        seen += len(sample.payload.to_bytes()) > 0
        if seen == size:
            done.set()

    config = zenoh.Config()
    for name, value in place_of(f"zenoh-listen://127.0.0.1:{port}/fleet").settings().items():
        config.insert_json5(name, json.dumps(value))
    session = zenoh.open(config)
    subscriber = session.declare_subscriber("fleet/**", heard)
    putter = Putter(port, payload, size)
    start = time.perf_counter()
    putter.put()
    if not done.wait(60):
        raise SystemExit("zenoh lost samples")
    took = time.perf_counter() - start
    putter.close()
    ended: tuple[Any, ...] = (subscriber.undeclare, session.close)
    for end in ended:
        end()
    return size / took


async def our_zenoh(payload: bytes, size: int) -> float:
    """Samples a second from the other process to entities."""
    port, gateway = free_port(), ZenohGateway()
    link = await ZenohLink.open(f"zenoh-listen://127.0.0.1:{port}/fleet", limit=size)
    putter = await asyncio.to_thread(Putter, port, payload, size)
    start = time.perf_counter()
    putter.put()
    while gateway.tally.carried < size:
        gateway.feed((await link.receive()).data, AT)
    took = time.perf_counter() - start
    putter.close()
    await link.close()
    return size / took


def umaa(size: int) -> None:
    """A pose, read `size` times."""
    message = OFFERED.specimens()[0].messages[0]
    envelope = opened(message)
    kind = topics()[envelope.key]
    gateway = UmaaGateway()
    runs = [
        (rate(size, lambda: kind.deserialize(envelope.payload)), rate(size, lambda: gateway.feed(message, AT)))
        for _ in range(RUNS)
    ]
    (bare, _), (ours, spread) = (median_spread(samples) for samples in zip(*runs, strict=True))
    ratio = ours / bare
    peer = "cyclonedds' deserialisation alone"
    report("buses-umaa", peer, ratio, UMAA_TARGET, ratio >= UMAA_TARGET, ours, "samples/s", spread)


def rate(size: int, step: Callable[[], object]) -> float:
    """How often a second `step` is done."""
    start = time.perf_counter()
    for _ in range(size):
        step()
    return size / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
