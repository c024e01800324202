"""100,000 records that wait for a partner, delivered while a node is killed with signal 9 once in the middle.

    python -m benchmarks.backlog [--quick] [--records N] [--batch N]

The records are put once, and the two nodes' folders copied for each run. A run begins when both nodes, processes of
their own, are up; once half of the records have arrived, the receiver or the sender is killed and at once started
again; it ends when the receiver's store holds the last one. Afterwards it is checked that every record arrived
exactly once and in the order of the sender's store, that the numbers of the sender's outbox have no gap, that nothing
is in quarantine, and that both ledgers, recomputed and decided again, hold.

The peer is the same without a kill, in the same run. A killed node is away for as long as it takes to start, and its
partner tries again after 0.5, 1, 2 s: the time that this adds does not grow with the backlog.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import apsw

from aldis.node.home import Home
from aldis.node.node import Node
from aldis.node.store import OutboxRow
from benchmarks.coalition import Coalition, Process, position_drafts, wait_for
from benchmarks.report import median_spread, report

ARRIVED = "SELECT seq FROM inbox WHERE partner = 'aus'"
ACKNOWLEDGED = "SELECT seq FROM acked WHERE partner = 'gbr'"
ROUNDS = 3
RATIO_TARGET = 1.5
EXTRA_TARGET_S = 5.0
STEP = 2_000


def prepare(folder: Path, count: int, batch: int) -> Coalition:
    """Two nodes, and the records in the sender's store."""
    coalition = Coalition.make(folder, "aus", "gbr", batch=batch)
    with coalition.open("aus") as node:
        for drafts in position_drafts(0, count, node.core.clock.now()):
            node.records.put_all(drafts)
    return coalition


def run(template: Coalition, folder: Path, count: int, victim: str) -> float:
    """Deliver all, with `victim` killed once ("" for nobody); the seconds it took."""
    shutil.copytree(template.folder, folder)
    coalition = Coalition(folder, *template.names)
    whole = number(folder / "gbr", ARRIVED) + count
    processes: dict[str, Process] = {}
    try:
        for name in ("gbr", "aus"):
            processes[name] = Process.node(folder / name)
            processes[name].wait_ready()
        began = time.monotonic()
        wait_for(lambda: number(folder / "gbr", ARRIVED) >= whole - count // 2, "half of the backlog")
        if victim:
            processes[victim].kill()
            processes[victim] = Process.node(folder / victim)
        ended = wait_for(lambda: number(folder / "gbr", ARRIVED) == whole, "the whole backlog")
        wait_for(lambda: number(folder / "aus", ACKNOWLEDGED) == whole, "the last receipt")
    finally:
        for process in processes.values():
            process.stop()
    with coalition.open("aus") as sender, coalition.open("gbr") as receiver:
        check(sender, receiver, count)
    shutil.rmtree(folder)
    return ended - began


def number(home: Path, query: str) -> int:
    """What a node's store says, from a connection of its own: nobody else has the store of a killed node open."""
    with contextlib.closing(apsw.Connection(str(Home(home).store))) as connection:
        return int(connection.execute(query).get or 0)


def check(sender: Node, receiver: Node, count: int) -> None:
    """Everything, once, in order, and provable.

    Raises:
        AssertionError: it is not.
    """
    sent, got = [*positions(sender)], [*positions(receiver)]
    assert len(sent) == count
    assert got == sent, f"{len(got)} of {len(sent)} records, or not in order"
    numbers = [row.seq for row in outbox(sender)]
    assert numbers == list(range(1, len(numbers) + 1)), "a gap in the outbox"
    assert receiver.inbound.cursor("aus").seq == numbers[-1]
    assert not receiver.core.store.quarantine.all()
    for node in (sender, receiver):
        node.audit.verify()
        assert not node.replay.run()[1], "a decision came out otherwise"
        assert not node.core.store.check()


def positions(node: Node) -> Iterator[bytes]:
    """The digests of the benchmark's records, in the order in which they came into a store."""
    seq = 0
    while rows := node.core.store.records.since(seq, STEP):
        yield from (row.digest for row in rows if row.kind == "track")
        seq = rows[-1].seq


def outbox(node: Node) -> Iterator[OutboxRow]:
    """All that was ever released to the receiver."""
    first = 1
    while rows := node.core.store.exchange.outbox("gbr", first, STEP):
        yield from rows
        first = rows[-1].seq + 1


def main() -> None:
    """Each kind of run in turn, and a figure for each kill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of 10,000 records")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=2_000, help="the nodes' setting `batch`")
    options = parser.parse_args()
    count, rounds = (10_000, 1) if options.quick else (options.records, ROUNDS)
    seconds: dict[str, list[float]] = {"": [], "gbr": [], "aus": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        template = prepare(folder / "template", count, options.batch)
        for number in range(rounds):
            for victim, took in seconds.items():
                took.append(run(template, folder / f"run-{number}-{victim}", count, victim))
                told = f"kill -9 of {victim}" if victim else "no kill"
                print(f"round {number + 1}, {told}: {took[-1]:.1f} s, exact and in order", file=sys.stderr)
    for victim, name in (("gbr", "receiver"), ("aus", "sender")):
        ratio = median(with_kill / without for with_kill, without in zip(seconds[victim], seconds[""], strict=True))
        usual, spread = median_spread(seconds[victim])
        extra = usual - median(seconds[""])
        report(
            f"backlog-{name}-killed",
            "the same backlog without a kill",
            ratio,
            f"exact, in order, and <= {RATIO_TARGET}x peer or <= {EXTRA_TARGET_S:.0f} s more",
            ratio <= RATIO_TARGET or extra <= EXTRA_TARGET_S,
            usual,
            f"s for {count:,} records",
            spread,
        )


if __name__ == "__main__":
    main()
