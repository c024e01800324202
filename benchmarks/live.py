"""Live values: 1,000 entities at 10 Hz from one node to two partners, signed, decided for each, over TLS on loopback.

    python -m benchmarks.live [--quick] [--entities N] [--seconds S] [--least MS]

Three nodes run, a process each. An app in the first publishes every entity's position once each 100 ms, spread evenly
over them; an app in each of the others subscribes. A value carries the machine's monotonic time of its publication.
A frame leaves each partner's queue as soon as something waits and 10 ms have passed since the last, so a value waits
5 ms on average before it is sealed; hence two latencies: from publish() to the subscriber, and from the end of a
frame's sealing to the end of its being taken in. That wait, one signature and its check are the least there can be.

The peer, after it in the same run, sends every value at once as a msgpack datagram of its own over UDP, to two
processes: unsigned, in the clear, nothing decided. CPU is that of all three processes while values flow, start-up and
what Python needs to note the times included in neither or in both.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from aldis.app import Context, Page, Route, System
from aldis.apps.experiments.kinds import TRACK
from aldis.kernel.encoding import sha256
from aldis.kernel.frames import Update
from aldis.kernel.records import Record
from aldis.node.node import Node
from aldis.node.service import serve
from benchmarks.coalition import LABEL, PROJECT, Coalition, Process, free_port
from benchmarks.report import report

PERIOD_S = 0.1
SLICES = 10
SETTLE_S = 1.0
PARTNERS = ("gbr", "usa")
BYTES = 128
"""Of a frame's budget for each entity, so that all of them fit."""
P50_TARGET_MS, P99_TARGET_MS = 10.0, 150.0
FRAME_TARGET_MS = 25.0
CPU_TARGET = 1.0


class Flow(msgspec.Struct):
    """What a process saw: the age of each value (ms); when frames were sealed or taken (ns, by digest), their bytes."""

    ages: list[float] = []
    frames: dict[str, int] = {}
    bytes: int = 0


class Seen(msgspec.Struct):
    """A run: ages of values and of frames in ms, and the CPU of each process as a share of a core."""

    ages: NDArray[np.float64]
    frames: NDArray[np.float64]
    cpu: list[float]
    note: str


class Bench:
    """The app of a node in this benchmark, in place of the one that otherwise declares the kind."""

    name = "bench"
    kinds = (TRACK,)

    def __init__(self, entities: int, seconds: float) -> None:
        self.entities, self.seconds = entities, seconds
        self.flow = Flow()
        self.done = asyncio.Event()

    def commands(self) -> Sequence[Any]:
        """None."""
        return ()

    def routes(self) -> Sequence[Route]:
        """None."""
        return ()

    def pages(self) -> Sequence[Page]:
        """None."""
        return ()

    def on_admitted(self, record: Record, ctx: Context) -> None:
        """Nothing."""

    async def run(self, ctx: Context, systems: Sequence[System]) -> None:
        """Publish once told to; or, without entities, note the age of each value."""
        del systems
        if not self.entities:
            self.done.set()
            async for live in ctx.subscribe(TRACK.name):
                self.flow.ages.append((time.monotonic_ns() - live.update.value["at"]) / 1e6)
        await asyncio.to_thread(sys.stdin.readline)
        async for number in paced(self.entities, self.seconds):
            ctx.publish(LABEL, LABEL, PROJECT, position(number, ctx.now()))
        self.done.set()


async def paced(entities: int, seconds: float) -> AsyncIterator[int]:
    """The number of each entity in turn, all of them once a period, a tenth of them at a time."""
    began, share = time.monotonic(), -(-entities // SLICES)
    for step in range(round(seconds / PERIOD_S) * SLICES):
        await asyncio.sleep(max(0.0, began + step * PERIOD_S / SLICES - time.monotonic()))
        for number in range(step % SLICES * share, min((step % SLICES + 1) * share, entities)):
            yield number


def position(number: int, at: int) -> Update:
    """A value, with the monotonic time in ns."""
    value = {"lat_deg": 59 + number / 1009, "lon_deg": 24 + number / 1013, "at": time.monotonic_ns()}
    return Update(f"v{number}", TRACK.name, "position", at, value)


async def run_node(home: Path, bench: Bench) -> None:
    """A node with that app, until it is told to say what it saw."""
    with Node.open(home, environment={}, apps={bench.name: bench}) as node:
        flow, seal, take = bench.flow, node.live_out.frame, node.live_in.take

        def sealed(partner: str, epoch: int) -> bytes | None:
            frame = seal(partner, epoch)
            if frame is not None:
                flow.frames[sha256(frame).hex()] = time.monotonic_ns()
                flow.bytes += len(frame)
            return frame

        def taken(sender: str, peers: Any, body: bytes) -> int:
            count = take(sender, peers, body)
            flow.frames[sha256(body).hex()] = time.monotonic_ns()
            return count

        node.live_out.frame, node.live_in.take = sealed, taken  # type: ignore[assignment,method-assign]
        serving = asyncio.create_task(serve(node, ready=lambda _: say("ready"), ending=asyncio.Event()))
        await bench.done.wait()
        say("done")
        await asyncio.to_thread(sys.stdin.readline)
        say(msgspec.json.encode(flow).decode())
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def send_datagrams(ports: Sequence[int], entities: int, seconds: float) -> None:
    """The peer's sender."""
    outlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outlet.setblocking(False)
    encode = msgspec.msgpack.Encoder().encode
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    async for number in paced(entities, seconds):
        data = encode(position(number, time.time_ns() // 1_000_000))
        for port in ports:
            outlet.sendto(data, ("127.0.0.1", port))
    say("done")
    sys.stdin.readline()
    say(msgspec.json.encode(Flow()).decode())


async def take_datagrams(port: int) -> None:
    """The peer's receiver."""
    flow, decode = Flow(), msgspec.msgpack.Decoder(Update).decode

    class Inlet(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _addr: object) -> None:
            flow.ages.append((time.monotonic_ns() - decode(data).value["at"]) / 1e6)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Inlet, local_addr=("127.0.0.1", port))
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    say("ready")
    say("done")
    await asyncio.to_thread(sys.stdin.readline)
    say(msgspec.json.encode(flow).decode())
    transport.close()


def flow_through(processes: Sequence[Process]) -> Seen:
    """Let the first process send and the others receive; what they saw."""
    for process in processes:
        process.wait_ready()
    for receiver in processes[1:]:
        receiver.read()
    time.sleep(SETTLE_S)
    before = [process.cpu() for process in processes]
    began = time.monotonic()
    processes[0].tell("go")
    processes[0].read()
    took = time.monotonic() - began
    cpu = [(process.cpu() - used) / took for process, used in zip(processes, before, strict=True)]
    time.sleep(SETTLE_S)
    for process in processes:
        process.tell("end")
    sent, *received = [msgspec.json.decode(process.read(), type=Flow) for process in processes]
    for process in processes:
        process.stop()
    frames = [(at - sent.frames[name]) / 1e6 for flow in received for name, at in flow.frames.items()]
    ages = np.concatenate([np.array(flow.ages) for flow in received])
    size = f", {len(sent.frames)} frames of {sent.bytes / len(sent.frames):,.0f} bytes" if sent.frames else ""
    return Seen(ages, np.array(frames), cpu, f"{len(ages):,} values arrived in {took:.1f} s{size}")


def say(line: str) -> None:
    """A line for the process that started this one."""
    print(line, flush=True)


def tell(name: str, seen: Seen) -> None:
    """The figures of a run, for people."""
    ages = np.percentile(seen.ages, [50, 99])
    cpu = ", ".join(f"{share:.1%}" for share in seen.cpu)
    print(f"{name}: {seen.note}, age p50 {ages[0]:.1f} ms, p99 {ages[1]:.1f} ms, CPU {cpu} of a core", file=sys.stderr)


def measure(folder: Path, entities: int, seconds: float, least_ms: int) -> None:
    """Both, one after the other, and three figures."""
    coalition = Coalition.make(folder, "aus", *PARTNERS, live_bytes=BYTES * entities, live_least_ms=least_ms)
    log, module = folder / "live.log", "benchmarks.live"
    ours = flow_through(
        [
            Process.module(module, "node", str(coalition.folder / name), str(number), str(seconds), log=log)
            for name, number in zip(coalition.names, (entities, 0, 0), strict=True)
        ]
    )
    tell("Aldis", ours)
    ports = [str(free_port()) for _ in PARTNERS]
    sender = Process.module(module, "send", ",".join(ports), str(entities), str(seconds), log=log)
    theirs = flow_through([sender, *(Process.module(module, "take", port, log=log) for port in ports)])
    tell("UDP", theirs)
    p50, p99 = np.percentile(ours.ages, [50, 99])
    report(
        "live-latency", "each value at once as an unsigned UDP datagram, p99 by p99; aldis is p99, spread p50 to p99",
        p99 / float(np.percentile(theirs.ages, 99)),
        f"p50 <= {P50_TARGET_MS:.0f}, p99 <= {P99_TARGET_MS:.0f} ms, publish() to subscriber",
        bool(p50 <= P50_TARGET_MS and p99 <= P99_TARGET_MS), float(p99), "ms", (float(p50), float(p99)),
    )  # fmt: skip
    p50, p99 = np.percentile(ours.frames, [50, 99])
    report(
        "live-frame", "one UDP datagram's way, p50 by p50; aldis is p50, spread p50 to p99",
        p50 / float(np.percentile(theirs.ages, 50)), f"p50 <= {FRAME_TARGET_MS:.0f} ms from sealing to taken in",
        bool(p50 <= FRAME_TARGET_MS), float(p50), "ms", (float(p50), float(p99)),
    )  # fmt: skip
    report(
        "live-cpu", "each value at once as an unsigned UDP datagram; all three processes",
        sum(ours.cpu) / sum(theirs.cpu), f"<= {CPU_TARGET:.0f}x peer", sum(ours.cpu) <= CPU_TARGET * sum(theirs.cpu),
        sum(ours.cpu), "cores", (min(ours.cpu), max(ours.cpu)),
    )  # fmt: skip


def main() -> None:
    """Measure; or be one of the processes."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    match sys.argv[1:]:
        case ["node", home, entities, seconds]:
            asyncio.run(run_node(Path(home), Bench(int(entities), float(seconds))))
            return
        case ["send", ports, entities, seconds]:
            asyncio.run(send_datagrams([int(port) for port in ports.split(",")], int(entities), float(seconds)))
            return
        case ["take", port]:
            asyncio.run(take_datagrams(int(port)))
            return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5 seconds")
    parser.add_argument("--entities", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--least", type=int, default=5, help="the setting live_least_ms")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.entities, 5.0 if options.quick else options.seconds, options.least)


if __name__ == "__main__":
    main()
