"""Pages of 50 from a million rows for viewers who may see few of them, many, or just the older half; and searches.

    python -m benchmarks.listing [--quick] [--rows N]

The peer is the same SQLite file asked in plain SQL: `profile IN (the visible ones)`, newest first, limit 50; it gives
whole rows, unopened, with all their portions and no cursor. Of its two plans, by the index or by a scan, the one that
does better for these viewers is taken. Both answers are checked to be the same.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, Record, make_record
from aldis.node.store import Store
from benchmarks.report import median_spread, report

PAGE = 50
LABELS = 500  # of two kinds in two projects: about 2,000 profiles
RUNS = 5
VIEWERS = 60
PAGES = 3
PATIENCE_S = 5.0
VOCABULARY = 5_000
PARTIES = ("AUS", "CAN", "GBR", "JPN", "KOR", "NZL", "USA", "FRA", "NLD", "NOR", "DEU")

Seen = NDArray[np.bool_]
Answer = TypeVar("Answer")

_PLAIN_PAGES = tuple(
    f"""
    SELECT record.* FROM listing JOIN record USING (seq)
    WHERE {place} IN (SELECT value FROM carray(?1)) AND seq < ?2 ORDER BY seq DESC LIMIT 50
    """
    for place in ("place", "+place")
)
_PLAIN_SEARCH = """
SELECT record.* FROM passage JOIN record ON record.seq = passage.rowid / 128
WHERE passage MATCH ?2 AND passage.profile IN (SELECT value FROM carray(?1)) ORDER BY passage.rowid DESC LIMIT 50
"""


def main() -> None:
    """Build the store, ask both, print four figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50,000 rows")
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    size = 50_000 if options.quick else options.rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        store = Store.open(path, texts={"document": ["text"]})
        fill(store, size)
        store.search.tidy()
        peer = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        peer.pragma("cache_size", -16_384)
        counts = np.zeros(store.profiles.count(), dtype=np.int64)
        for profile, count in peer.execute("SELECT place / 2, count(*) FROM listing GROUP BY 1"):
            counts[profile] = count
        rng = random.Random(2)
        rare, broad = ([viewer(rng, counts, share) for _ in range(VIEWERS)] for share in (0.001, 0.6))
        compare_pages("listing-rare", store, peer, rare, 1.0)
        compare_pages("listing-broad", store, peer, broad, 1.0)
        compare_pages("listing-buried", store, peer, [store.profiles.where(project="old")] * VIEWERS, 10.0)
        compare_searches(store, peer, [*rare[:10], *broad[:10]], 3.0)
        peer.close()
        store.close()


def fill(store: Store, size: int) -> None:
    """Tracks and, one in twenty, documents, under labels of which some are common and most are not."""
    rng = random.Random(1)
    started = time.perf_counter()
    for start in range(0, size, 5_000):
        store.records.put([*records(rng, range(start, min(start + 5_000, size)), size)], start)
        print(f"\r{start + 5_000:,} of {size:,} rows, {time.perf_counter() - started:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)


def records(rng: random.Random, numbers: range, size: int) -> Iterator[Record]:
    """Records of two portions."""
    for number in numbers:
        chosen = [LABEL_SET[min(int(rng.paretovariate(0.35)) - 1, LABELS - 1)] for _ in range(3)]
        if number % 20:
            portions = [
                DraftPortion("position", chosen[1], {"lat": 59.9, "lon": 24.4, "sog": 12.3, "cog": 271.0}),
                DraftPortion("identity", chosen[2], {"mmsi": 230_000_000 + number, "name": "AAVA", "type": 70}),
            ]
        else:
            words = " ".join(f"word{min(int(rng.paretovariate(0.4)), VOCABULARY)}" for _ in range(12))
            portions = [DraftPortion("text", chosen[1], words), DraftPortion("title", chosen[2], f"number {number}")]
        yield make_record(
            Draft(
                kind="track" if number % 20 else "document",
                id=f"r-{number:09}",
                originator="aus-low",
                author="benchmark",
                created=1_700_000_000_000 + number,
                label=chosen[0],
                project="old" if number < size // 2 else "new",
                portions=portions,
            ),
            rng.randbytes,
        )


LABEL_SET = [
    Label("AUS", "SECRET", Releasability.to(*(party for i, party in enumerate(PARTIES) if number >> i & 1)))
    for number in range(LABELS)
]


def viewer(rng: random.Random, counts: NDArray[np.int64], share: float) -> Seen:
    """Someone who may see profiles taken at random until they make up that share of the rows."""
    order = rng.sample(range(len(counts)), len(counts))
    seen = np.zeros(len(counts), dtype=np.bool_)
    wanted, total = share * counts.sum(), 0
    for profile in order:
        if total + counts[profile] <= wanted:
            seen[profile] = True
            total += counts[profile]
    return seen


def compare_pages(name: str, store: Store, peer: apsw.Connection, viewers: Sequence[Seen], target: float) -> None:
    """Time the first pages of each viewer on both, and check that they are the same."""
    expected: list[tuple[Seen, int, list[int]]] = []

    def ask() -> Iterator[float]:
        for seen in viewers:
            after, before = None, 2**62
            for _ in range(PAGES):
                taken, page = timed(partial(store.listing.page, seen, after=after, limit=PAGE))
                expected.append((seen, before, [row.seq for row in page.rows]))
                yield taken
                if page.next is None:
                    break
                after, before = page.next, page.rows[-1].seq

    def ask_plainly(query: str) -> Iterator[float]:
        for seen, before, seqs in expected:
            taken, rows = timed(partial(fetch, peer, query, (apsw.carray(2 * np.flatnonzero(seen)), before)))
            check([row[0] for row in rows], seqs)
            yield taken

    ours = [p95([*ask()]) for _ in range(RUNS)]
    random.Random(3).shuffle(expected)
    theirs = [p95([*within(PATIENCE_S, ask_plainly(query))]) for query in _PLAIN_PAGES]
    tell(name, "plain SQL on the same file, the better of its two plans", ours, min(theirs), target)


def compare_searches(store: Store, peer: apsw.Connection, viewers: Sequence[Seen], target: float) -> None:
    """Time the first page of searches for common and rare words on both, and check that they are the same."""
    questions = [(seen, f"word{rank}") for seen in viewers for rank in (1, 2, 3, 5, 10, 50, 200, 1000)]
    found: list[list[int]] = []

    def ask() -> Iterator[float]:
        for seen, word in questions:
            taken, hits = timed(partial(store.search.search, word, seen, limit=PAGE))
            found.append([hit.row.seq for hit in hits.hits])
            yield taken

    def ask_plainly() -> Iterator[float]:
        for (seen, word), seqs in random.Random(3).sample([*zip(questions, found, strict=False)], len(questions)):
            taken, rows = timed(partial(fetch, peer, _PLAIN_SEARCH, (apsw.carray(np.flatnonzero(seen)), word)))
            check([row[0] for row in rows], seqs)
            yield taken

    ours = [p95([*ask()]) for _ in range(RUNS)]
    theirs = p95([*within(PATIENCE_S, ask_plainly())])
    tell("search", "plain SQL on the same FTS5 index", ours, theirs, target)


def within(seconds: float, samples: Iterator[float]) -> Iterator[float]:
    """Samples until the time is up, and at least one."""
    end = time.perf_counter() + seconds
    for sample in samples:
        yield sample
        if time.perf_counter() > end:
            return


def fetch(peer: apsw.Connection, query: str, bindings: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [*peer.execute(query, bindings)]


def tell(name: str, peer: str, ours: Sequence[float], theirs: float, target: float) -> None:
    """One figure: the median over the runs of each run's 95th percentile."""
    p95_ms, spread = median_spread(ours)
    report(name, peer, p95_ms / theirs, f"p95 <= {target:g} ms", p95_ms <= target, p95_ms, "ms", spread)


def timed(call: Callable[[], Answer]) -> tuple[float, Answer]:
    """Milliseconds that it took, and what it gave."""
    started = time.perf_counter()
    answer = call()
    return (time.perf_counter() - started) * 1_000, answer


def p95(samples: Sequence[float]) -> float:
    return sorted(samples)[len(samples) * 95 // 100]


def check(ours: Sequence[int], theirs: Sequence[int]) -> None:
    if ours != theirs:
        raise AssertionError("the two answers differ")


if __name__ == "__main__":
    main()
