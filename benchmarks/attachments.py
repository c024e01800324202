"""One attachment from the sender's node to the receiver's, over TLS on loopback, whole and durable there.

    python -m benchmarks.attachments [--quick] [--mib N] [--rounds N]

Two nodes run as `aldis up`, a process each. This process brings a file of random bytes in at the sender and puts a
record that describes it. Wall time runs from that commit, which the sender notices within 250 ms, until the receiver's
store says that the content is whole: sent in pieces, each answered with a signed receipt, hashed, typed, written,
synced, and told of in the ledger.

The peer moves the very same file in the same run, one after the other in each round: two Python processes, `ssl`
sockets with TLS 1.3 and pinned certificates on both sides, pieces of 1 MiB, written to a file that is synced at the
end; nothing is hashed, signed or decided. The ratio is the median of the rounds' ratios. On stderr: what SHA-256 alone,
and writing and syncing alone, take here for as many bytes; the receiver does both, and the peer does not hash. On two
processors, which both ends share, that is the limit: the work of the peer's two processes and SHA-256 on top of it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import socket
import ssl
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import msgspec

from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.node import Node
from aldis.node.tls import client_context, make_certificate, server_context
from benchmarks.coalition import Coalition, Process, free_port, wait_for
from benchmarks.report import median_spread, report

TARGET = 0.6
PIECE = 1024 * 1024
SHARED = Label("AUS", "OFFICIAL", Releasability.to("GBR"))


class Nodes:
    """A sender and a receiver that run."""

    def __init__(self, aus: Node, gbr: Node) -> None:
        self._aus, self._gbr = aus, gbr

    def round(self, data: Path) -> float:
        """Seconds until a file, which is no other round's, is whole over there."""
        with data.open("rb") as file:
            described = self._aus.attachments.uploads.whole(file, "data.bin")
        digest = bytes.fromhex(described.digest)
        value = msgspec.to_builtins(described)
        draft = Draft(
            "document", f"file-{described.digest[:12]}", "aus", "benchmark", self._aus.core.clock.now(), SHARED,
            [DraftPortion("files", SHARED, [value])], project="NORTHERN-WATCH",
        )  # fmt: skip
        self._aus.records.put(draft)
        began = time.monotonic()
        ended = wait_for(lambda: self._gbr.core.store.attachments.content(digest) is not None, "the content")
        return ended - began


class Raw:
    """Two processes, one of which sends files to the other."""

    def __init__(self, folder: Path) -> None:
        now = time.time_ns() // 1_000_000
        for name in ("receive", "send"):
            certificate, key = make_certificate(name, now)
            (folder / f"{name}.pem").write_bytes(certificate)
            (folder / f"{name}.key").write_bytes(key)
        port = str(free_port())
        self._receiver = Process.module("benchmarks.attachments", "receive", str(folder), port, log=folder / "raw.log")
        self._receiver.wait_ready()
        self._sender = Process.module("benchmarks.attachments", "send", str(folder), port, log=folder / "raw.log")
        self._sender.wait_ready()

    def round(self, data: Path) -> float:
        """Seconds until a file is over there and synced."""
        began = time.monotonic()
        self._sender.tell(str(data))
        self._receiver.read()
        seconds = time.monotonic() - began
        self._sender.read()
        return seconds

    def stop(self) -> None:
        """End both."""
        self._sender.stop()
        self._receiver.stop()


def receive(folder: Path, port: int) -> None:
    """Take files in, each after its length in eight bytes."""
    context = server_context(folder / "receive.pem", folder / "receive.key", [_der(folder / "send.pem")])
    with socket.create_server(("127.0.0.1", port)) as listener:
        print("ready", flush=True)
        plain, _ = listener.accept()
        with context.wrap_socket(plain, server_side=True) as channel:
            buffer = memoryview(bytearray(PIECE))
            while length := channel.recv(8):
                left = int.from_bytes(length, "big")
                with (folder / "received").open("wb", buffering=0) as file:
                    while left:
                        got = channel.recv_into(buffer, min(left, PIECE))
                        file.write(buffer[:got])
                        left -= got
                    os.fsync(file.fileno())
                print("done", flush=True)


def send(folder: Path, port: int) -> None:
    """Send each file named on stdin."""
    context = client_context(folder / "send.pem", folder / "send.key", _der(folder / "receive.pem"))
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as channel:
        print("ready", flush=True)
        while path := sys.stdin.readline().strip():
            channel.sendall(Path(path).stat().st_size.to_bytes(8, "big"))
            with Path(path).open("rb", buffering=0) as file:
                while piece := file.read(PIECE):
                    channel.sendall(piece)
            print("done", flush=True)


def measure(folder: Path, size: int, rounds: int) -> None:
    """Alternate ours and the peer's, and print one figure."""
    coalition = Coalition.make(folder, "aus", "gbr")
    raw = Raw(folder)
    ours, theirs = [], []
    data = folder / "data"
    try:
        with coalition.running(), coalition.open("aus") as aus, coalition.open("gbr") as gbr:
            nodes = Nodes(aus, gbr)
            for number in range(-1, rounds):  # once over every path before anything counts
                write_random(data, size if number >= 0 else size // 8)
                seconds, peer = nodes.round(data), raw.round(data)
                print(
                    f"round {number + 1}: Aldis {seconds:.2f} s, raw {peer:.2f} s, SHA-256 {hashed(data):.2f} s,"
                    f" written and synced {written(data, folder):.2f} s",
                    file=sys.stderr,
                )
                if number >= 0:
                    ours.append(seconds)
                    theirs.append(peer)
    finally:
        raw.stop()
    ratio = median(peer / own for own, peer in zip(ours, theirs, strict=True))
    rate, spread = median_spread([size / 2**20 / seconds for seconds in ours])
    report(
        "attachments",
        f"a raw TLS 1.3 copy of the same {size >> 20} MiB between two Python processes, synced, not hashed",
        ratio,
        f">= {TARGET}x peer",
        ratio >= TARGET,
        rate,
        "MiB/s",
        spread,
    )


def write_random(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for start in range(0, size, PIECE):
            file.write(os.urandom(min(PIECE, size - start)))
        os.fsync(file.fileno())  # else writing it back would slow whoever comes first


def hashed(path: Path) -> float:
    began = time.monotonic()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.monotonic() - began


def written(path: Path, folder: Path) -> float:
    began = time.monotonic()
    with path.open("rb") as file, (folder / "again").open("wb", buffering=0) as copy:
        while piece := file.read(PIECE):
            copy.write(piece)
        os.fsync(copy.fileno())
    return time.monotonic() - began


def _der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text("ascii"))


def main() -> None:
    """Measure; or be one of the peer's processes."""
    if sys.argv[1:2] in (["receive"], ["send"]):
        role, folder, port = sys.argv[1:4]
        (receive if role == "receive" else send)(Path(folder), int(port))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 rounds of 256 MiB")
    parser.add_argument("--mib", type=int, default=1024, help="size of the attachment")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    size, rounds = (256, 2) if options.quick else (options.mib, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), size << 20, rounds)


if __name__ == "__main__":
    main()
