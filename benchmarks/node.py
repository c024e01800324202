"""A node's start and its memory.

    python -m benchmarks.node [--quick]

Three paired nodes, a process each (`aldis up`), are started one after the other. Each is ready once it answers a
signed greeting from a partner, over TLS with client certificates; the slowest counts. Memory is what each has resident
(VmRSS) after ten seconds in which all three are up and have nothing to do; the largest counts. Bytecode is compiled
beforehand, as `make setup` and pip leave it.

The peer is what a node of this kind is built from at least, started in the same way in the same run: a message broker
(nats-server, until it greets), and a bare Python interpreter that has imported ssl and asyncio and then connects to
it; their times and their memory are added.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import sys
import tempfile
import time
from pathlib import Path

from aldis.kernel.errors import AldisError
from aldis.node.node import Node
from aldis.node.partner_link import PartnerLink
from aldis.node.tls import client_context
from benchmarks.coalition import PARTIES, Coalition, Process, free_port, nats_server, wait_for
from benchmarks.report import median_spread, report

ROUNDS = 5
READY_TARGET_S = 3.0
MEMORY_TARGET_MIB = 150.0
IDLE_S = 10.0
PATIENCE_S = 60.0
BARE = """
import asyncio, ssl, sys
context = ssl.create_default_context()
async def main():
    await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    print("ready", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def greeted(asker: Node, name: str, process: Process) -> float:
    """Seconds until a node that was just started has answered a greeting from `asker`."""
    known, home = asker.partners.get(name), asker.core.home
    call = asker.exchange.next_call(name)
    assert call is not None
    assert call.operation == "greet"
    context = client_context(home.certificate, home.tls_key, known.sheet.certificate_der)
    async with PartnerLink(name, known.sheet.url, context, timeout_s=5) as link:
        while time.monotonic() - process.began < PATIENCE_S:
            with contextlib.suppress(AldisError):
                await link.greet(bytes(call.body))
                return time.monotonic() - process.began
            await asyncio.sleep(0.02)
    raise TimeoutError(f"{name} did not answer")


def start_nodes(coalition: Coalition, idle_s: float) -> tuple[float, float]:
    """Seconds until the slowest is ready, and MiB of the largest once idle."""
    names, took, processes = coalition.names, [], []
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(coalition.open(name)) for name in names]
        try:
            for place, name in enumerate(names):
                processes.append(Process.node(coalition.folder / name))
                took.append(asyncio.run(greeted(nodes[place - 1], name, processes[-1])))
            time.sleep(idle_s)
            return max(took), max(process.resident() for process in processes) / 1024
        finally:
            for process in processes:
                process.stop()


def start_peer(folder: Path, idle_s: float) -> tuple[float, float]:
    """The same of the peer."""
    port, log, processes = free_port(), folder / "peer.log", []
    try:
        processes.append(Process([*nats_server(), "-a", "127.0.0.1", "-p", str(port)], log))
        wait_for(lambda: greets(port), "nats-server")
        took = time.monotonic() - processes[0].began
        processes.append(Process([sys.executable, "-c", BARE, str(port)], log))
        processes[1].wait_ready()
        took += time.monotonic() - processes[1].began
        time.sleep(idle_s)
        return took, sum(process.resident() for process in processes) / 1024
    finally:
        for process in processes:
            process.stop()


def greets(port: int) -> bool:
    """Whether a broker listens there and says what it is."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            return connection.recv(4) == b"INFO"
    except OSError:
        return False


def main() -> None:
    """Alternate ours and the peer's, and print two figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 rounds, 2 seconds of rest")
    quick = parser.parse_args().quick
    rounds, idle_s = (2, 2.0) if quick else (ROUNDS, IDLE_S)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        coalition = Coalition.make(folder, *PARTIES)
        start_nodes(coalition, 0)  # compiles what is not compiled
        for number in range(rounds):
            ours.append(start_nodes(coalition, idle_s))
            theirs.append(start_peer(folder, min(idle_s, 2.0)))
            print(
                f"round {number + 1}: Aldis ready in {ours[-1][0]:.2f} s with {ours[-1][1]:.0f} MiB,"
                f" peer in {theirs[-1][0]:.2f} s with {theirs[-1][1]:.0f} MiB",
                file=sys.stderr,
            )
    for which, (name, target, unit) in enumerate(
        (("node-ready", READY_TARGET_S, "s"), ("node-memory", MEMORY_TARGET_MIB, "MiB"))
    ):
        value, spread = median_spread([one[which] for one in ours])
        peer = median_spread([one[which] for one in theirs])[0]
        report(
            name,
            "nats-server and a bare Python with ssl and asyncio",
            value / peer,
            f"<= {target:g} {unit}, the worst of three",
            value <= target,
            value,
            unit,
            spread,
        )


if __name__ == "__main__":
    main()
