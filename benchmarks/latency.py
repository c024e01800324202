"""What a node adds between two systems of its own: from a datagram of the one to the datagram that the other is sent.

    python -m benchmarks.latency [--quick] [--vessels N] [--seconds S]

A node runs as `aldis up` does, in a process of its own, and records. One system says AIS by UDP: each vessel once a
second, spread evenly. The other is sent CoT by UDP, what its account may see: of each report, after the picture, the
labels and the decision for the account. The time is from before the one is sent here until the other has come here, by
the same clock. First reports of a vessel, sent before, do not count.

The peer, in the same run, is a process that sends each datagram on unread, with asyncio. What both have in common is
the way through the kernel twice and one process's waking; the rest is the node's.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aldis.app import System, find_apps
from aldis.apps.experiments.gateways.nmea import NmeaGateway
from aldis.node.node import Node
from aldis.node.people import Account
from benchmarks.coalition import PROJECT, Coalition, Process, free_port
from benchmarks.pipeline import LABELS, pyais_type, vessel
from benchmarks.report import report

VESSELS, SECONDS = 200, 20
P50_TARGET_MS, P99_TARGET_MS = 1.0, 5.0
SETTLE_S = 1.0
UID = re.compile(rb"MMSI-(\d{9})|!AIVDM")


class Ear:
    """Notes when something came for each vessel; the peer's datagrams are as they were sent, and in that order."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.port = self.socket.getsockname()[1]
        self.began: dict[bytes, int] = {}
        self.ages: list[float] = []
        self._ending = False
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._ending:
            try:
                data = self.socket.recv(65_536)
            except TimeoutError:
                continue
            now = time.monotonic_ns()
            found = UID.search(data)
            if found:
                began = self.began.pop(found[1] or data, None)
                if began is not None:
                    self.ages.append((now - began) / 1e6)

    def close(self) -> None:
        """Stop."""
        self._ending = True
        self._thread.join()
        self.socket.close()


def flow(port: int, ear: Ear, vessels: int, seconds: int, *, relayed: bool) -> tuple[NDArray[np.float64], int]:
    """The ages in ms of what came of each report, and how many reports there were."""
    sent = 0
    speaker = NmeaGateway()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
        for second in range(-2, seconds):
            began = time.monotonic()
            if second == 0:
                ear.ages.clear()
            for number in range(vessels):
                track = vessel(number, second + 2, time.time_ns() // 1_000_000)
                made = speaker.encode(track, time.time_ns() // 1000).messages
                for one in made:
                    if pyais_type(one) <= 3:
                        key = one if relayed else b"%09d" % (230_000_000 + number)
                        sent += second >= 0
                        time.sleep(max(0.0, began + number / vessels - time.monotonic()))
                        ear.began[key] = time.monotonic_ns()
                        radio.sendto(one, ("127.0.0.1", port))
            time.sleep(max(0.0, began + 1 - time.monotonic()))
    time.sleep(SETTLE_S)
    return np.array(ear.ages), sent


async def relay(port: int, to: int) -> None:
    """The peer."""

    class Relay(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
            self.transport = transport

        def datagram_received(self, data: bytes, _addr: object) -> None:
            self.transport.sendto(data, ("127.0.0.1", to))

    await asyncio.get_running_loop().create_datagram_endpoint(Relay, local_addr=("127.0.0.1", port))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


def through_node(folder: Path, vessels: int, seconds: int) -> tuple[NDArray[np.float64], int, float]:
    """A node's ages, the number of reports, and its CPU as a share of a core."""
    ear, port = Ear(), free_port()
    systems = [
        System(name="radio", address=f"nmea0183+udp://127.0.0.1:{port}"),
        System(name="console", address=f"cot+udp://127.0.0.1:{free_port()}?to=127.0.0.1:{ear.port}", person="console"),
    ]
    world = Coalition.make(folder, "aus", labels=LABELS, project=PROJECT, record=True, systems=systems)
    account = Account(id="console", name="console", nationality="AUS", clearance={"AUS": "SECRET"}, projects=[PROJECT])
    with Node.open(folder / "aus", environment={}, apps=find_apps()) as node:
        node.people.add(account)
    try:
        with world.running() as (process,):
            before, began = process.cpu(), time.monotonic()
            ages, sent = flow(port, ear, vessels, seconds, relayed=False)
            return ages, sent, (process.cpu() - before) / (time.monotonic() - began)
    finally:
        ear.close()


def through_relay(folder: Path, vessels: int, seconds: int) -> NDArray[np.float64]:
    """The peer's ages."""
    ear, port = Ear(), free_port()
    process = Process.module("benchmarks.latency", "relay", str(port), str(ear.port), log=folder / "relay.log")
    try:
        process.wait_ready()
        return flow(port, ear, vessels, seconds, relayed=True)[0]
    finally:
        process.stop()
        ear.close()


def main() -> None:
    """Measure; or be the peer."""
    if sys.argv[1:2] == ["relay"]:
        asyncio.run(relay(int(sys.argv[2]), int(sys.argv[3])))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5 seconds")
    parser.add_argument("--vessels", type=int, default=VESSELS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    options = parser.parse_args()
    seconds = 5 if options.quick else options.seconds
    with tempfile.TemporaryDirectory() as name:
        ages, sent, cpu = through_node(Path(name), options.vessels, seconds)
        theirs = through_relay(Path(name), options.vessels, seconds)
    p50, p99 = np.percentile(ages, [50, 99])
    relayed = np.percentile(theirs, [50, 99])
    print(
        f"{len(ages):,} of {sent:,} reports came out; node p50 {p50:.2f}, p90 {np.percentile(ages, 90):.2f}, "
        f"p99 {p99:.2f} ms, {cpu:.1%} of a core; relay p50 {relayed[0]:.2f}, p99 {relayed[1]:.2f} ms",
        file=sys.stderr,
    )
    for at, own, other, target in ((50, p50, relayed[0], P50_TARGET_MS), (99, p99, relayed[1], P99_TARGET_MS)):
        report(
            f"latency-p{at}", f"an asyncio relay that reads nothing, p{at} by p{at}; spread p50 to p99", own / other,
            f"<= {target:g} ms more", bool(own - other <= target and len(ages) > 0.99 * sent), float(own), "ms",
            (float(p50), float(p99)),
        )  # fmt: skip


if __name__ == "__main__":
    main()
