"""The ledger's cost: appending durably, and proving one leaf among many.

    python -m benchmarks.ledger [--quick]

Appends: encoded leaves into SQLite (WAL, synchronous=FULL) in transactions of 1,000, with leaf hashes and tree nodes,
against inserting the same leaves into the same kind of table with no tree. The target of 0.3 leaves room for what a
tree must cost: a second row and two SHA-256 calls to each leaf.

Proofs: an inclusion proof read from that database, against hashing all leaves again, which a log without stored nodes
has to do. Both give the same path. Files lie in the system's temporary directory: set TMPDIR to measure another disk.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import apsw

from aldis.kernel.ledger import (
    Frontier,
    Leaf,
    encode_leaf,
    inclusion_proof,
    leaf_hash,
    node_hash,
    node_key,
    verify_inclusion,
)
from benchmarks.report import median_spread, report

RUNS = 5
BATCH = 1_000
APPENDS_TARGET = 100_000
RATIO_TARGET = 0.3
PROOF_TARGET_MS = 1.0


class Store:
    """Leaves and nodes in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.db = apsw.Connection(str(path))
        self.db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        self.db.execute("CREATE TABLE leaf (number INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        self.db.execute("CREATE TABLE node (key INTEGER PRIMARY KEY, hash BLOB NOT NULL)")
        self.frontier = Frontier()

    def append(self, leaves: Sequence[bytes]) -> None:
        """Leaves and their nodes, in one transaction."""
        frontier, nodes = self.frontier.append(leaves)
        rows = sorted((node_key(level, index), digest) for level, index, digest in nodes)
        with self.db:
            self.db.executemany("INSERT INTO leaf VALUES (?, ?)", enumerate(leaves, self.frontier.size))
            self.db.executemany("INSERT INTO node VALUES (?, ?)", rows)
        self.frontier = frontier

    def insert(self, leaves: Sequence[bytes], first: int) -> None:
        """Leaves alone, in one transaction: the peer."""
        with self.db:
            self.db.executemany("INSERT INTO leaf VALUES (?, ?)", enumerate(leaves, first))

    def read(self, level: int, index: int) -> bytes:
        """The `Reader` of the ledger."""
        if level == 0:
            return leaf_hash(self._one("SELECT body FROM leaf WHERE number = ?", index))
        return self._one("SELECT hash FROM node WHERE key = ?", node_key(level, index))

    def _one(self, query: str, key: int) -> bytes:
        found = self.db.execute(query, (key,)).get
        assert isinstance(found, bytes)
        return found


def made_leaves(first: int, count: int) -> list[bytes]:
    """Leaves as a node writes them for releases, about 350 bytes each."""
    return [
        encode_leaf(
            Leaf(
                at=1_408_083_600_000 + number,
                type="release",
                input=f"{number:064x}",
                epoch="a" * 64,
                verdict="permit-in-part",
                reasons=("releasability: AUS, GBR", "arrangement: sea-picture/3", "withheld: sensor"),
                subject=f"aus-low/gbr-low/{number}",
                actor="aus-low",
            )
        )
        for number in range(first, first + count)
    ]


def appends_per_second(directory: Path, leaves: Sequence[bytes], tree: bool) -> float:
    """One run: `leaves` into a new database, with the tree or without."""
    with TemporaryDirectory(dir=directory) as folder:
        store = Store(Path(folder) / "ledger.db")
        start = perf_counter()
        for first in range(0, len(leaves), BATCH):
            batch = leaves[first : first + BATCH]
            if tree:
                store.append(batch)
            else:
                store.insert(batch, first)
        seconds = perf_counter() - start
        store.db.close()
    return len(leaves) / seconds


def path_by_hashing_all(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The peer's inclusion proof: every row of the tree, from the leaves up."""
    row, path = [leaf_hash(leaf) for leaf in leaves], []
    while len(row) > 1:
        path += row[index ^ 1 : (index ^ 1) + 1]
        unpaired = row[-1:] if len(row) % 2 else []
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=False)] + unpaired
        index //= 2
    return path


def timed(work: Callable[[int], list[bytes]], index: int) -> tuple[float, list[bytes]]:
    """Milliseconds that `work` takes, and what it gives."""
    start = perf_counter()
    path = work(index)
    return (perf_counter() - start) * 1_000, path


def measure_appends(directory: Path, count: int) -> None:
    leaves = made_leaves(0, count)
    aldis, peer = [], []
    for _ in range(RUNS):
        peer.append(appends_per_second(directory, leaves, tree=False))
        aldis.append(appends_per_second(directory, leaves, tree=True))
    rate, spread = median_spread(aldis)
    ratio = rate / median_spread(peer)[0]
    report(
        "ledger-append",
        "raw SQLite FULL inserts of the same leaves, no tree",
        ratio,
        f">= {APPENDS_TARGET} appends/s and >= {RATIO_TARGET}x peer",
        rate >= APPENDS_TARGET and ratio >= RATIO_TARGET,
        rate,
        "appends/s",
        spread,
    )


def measure_proofs(directory: Path, size: int, proofs: int) -> None:
    store = Store(directory / "large.db")
    leaves: list[bytes] = []
    for first in range(0, size, BATCH):
        batch = made_leaves(first, min(BATCH, size - first))
        store.append(batch)
        leaves += batch
    root, pick = store.frontier.root(), random.Random(9162)

    def prove(index: int) -> list[bytes]:
        return inclusion_proof(store.read, index, size)

    aldis, peer = [], []
    for _ in range(RUNS):
        indexes = pick.sample(range(size), proofs)
        times = sorted(timed(prove, index)[0] for index in indexes)
        aldis.append(times[len(times) * 95 // 100])
        milliseconds, path = timed(partial(path_by_hashing_all, leaves), indexes[0])
        peer.append(milliseconds)
        assert path == prove(indexes[0])
        verify_inclusion(leaf_hash(leaves[indexes[0]]), indexes[0], size, path, root)
    p95, spread = median_spread(aldis)
    report(
        "ledger-proof",
        f"the same path by hashing all {size:,} leaves",
        p95 / median_spread(peer)[0],
        f"p95 <= {PROOF_TARGET_MS} ms at {size:,} leaves",
        p95 <= PROOF_TARGET_MS,
        p95,
        "ms",
        spread,
    )


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    with TemporaryDirectory() as folder:
        measure_appends(Path(folder), 20_000 if quick else 200_000)
        measure_proofs(Path(folder), 50_000 if quick else 1_000_000, 200 if quick else 2_000)


if __name__ == "__main__":
    main()
