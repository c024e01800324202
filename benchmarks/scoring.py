"""What scoring costs: GOSPA against Stone Soup's, and how much faster than it was made a recording is replayed.

    python -m benchmarks.scoring [--quick]

GOSPA: scenes of 100 things in a square of 20 km, of which a tenth is missed and as many are false, c = 100 m; the
same points go to Stone Soup's `GOSPAMetric`, and both come to the same four numbers to 1e-9.
Replay: a recording of 100 tracks reported every second to two partners, verified with its key, read, and scored for
both, against the time that it lasts; each replay comes to the same digests.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from stonesoup.metricgenerator.ospametric import GOSPAMetric  # type: ignore[import-untyped]
from stonesoup.types.state import State  # type: ignore[import-untyped]

from aldis.apps.experiments.entity import Carried, Decoded, Ledger, Position, Track
from aldis.apps.experiments.recorder import Recorder, Taps, messages, verify
from aldis.apps.experiments.scoring import gospa, score, streams
from aldis.kernel.signatures import Algorithm
from aldis.node.keys import generate, load
from benchmarks.report import median_spread, report

RUNS = 5
GOSPA_TARGET = 0.1
REPLAY_TARGET = 50
THINGS = 100
CUTOFF_M = 100.0
START_US = 1_700_000_000_000_000
SIGNER = load(Algorithm.ED25519, generate(Algorithm.ED25519))
LEDGER = Ledger((Carried("a", "position.lat_deg"),))
Points = list[tuple[float, float]]


def made_scene(chance: random.Random) -> tuple[Points, Points]:
    truth = [(chance.uniform(0, 20_000), chance.uniform(0, 20_000)) for _ in range(THINGS)]
    seen = [(x + chance.gauss(0, 30), y + chance.gauss(0, 30)) for x, y in truth[THINGS // 10 :]]
    return truth, seen + [(chance.uniform(0, 20_000), chance.uniform(0, 20_000)) for _ in range(THINGS // 10)]


def timed_gospa(scenes: Sequence[tuple[Points, Points]]) -> tuple[float, float]:
    """Milliseconds a scene, ours and Stone Soup's."""
    metric: Any = GOSPAMetric(c=CUTOFF_M, p=2)
    now = datetime(2026, 1, 1)
    ours = theirs = 0.0
    for truth, seen in scenes:
        began = perf_counter()
        found = gospa(truth, seen, c=CUTOFF_M)
        ours += perf_counter() - began
        states = [[State(np.array(point).reshape(-1, 1), now) for point in side] for side in (seen, truth)]
        began = perf_counter()
        value = metric.compute_gospa_metric(*states)[0].value
        theirs += perf_counter() - began
        for name in ("distance", "localisation", "missed", "false"):
            assert math.isclose(getattr(found, name), value[name], rel_tol=1e-9, abs_tol=1e-9)
    return ours / len(scenes) * 1_000, theirs / len(scenes) * 1_000


def record(folder: Path, seconds: int) -> Path:
    """What a run leaves: one radar, two partners."""
    chance = random.Random(1)
    with Recorder(folder, "run", SIGNER, node="aus-low", run="bench", marking="UNCLASSIFIED", began_ms=0) as made:
        taps = Taps(made)
        for second in range(seconds):
            for n in range(THINGS):
                at_us = START_US + second * 1_000_000 + n * 1_000
                lat, lon = 59 + n / 500 + second * 2e-5, 24 + n % 7 / 10
                here = Position(lat_deg=lat, lon_deg=lon, at=at_us // 1000)
                taps.entity("radar", "UNCLASSIFIED", Decoded(Track(key=f"mmsi:{n}", position=here), LEDGER), at_us)
                for partner in ("gbr-low", "usa-low"):
                    off = Position(lat_deg=lat + chance.gauss(0, 1e-4), lon_deg=lon, at=at_us // 1000)
                    left = Track(key=f"{partner}:{n}", position=off)
                    taps.egress(partner, "UNCLASSIFIED", left, at_us + 3_000, protocol="frame")
    (path,) = made.segments
    return path


def replay(path: Path) -> tuple[str, ...]:
    """Verify, read, score; the digests."""
    findings = verify(path, SIGNER.public)
    assert findings.state == "intact"
    found = streams(messages(path, findings.covered))
    truth = found["entity", "radar"]
    return tuple(score(truth, found["egress", partner]).digest for partner in ("gbr-low", "usa-low"))


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    chance = random.Random(2)
    aldis, peer = [], []
    for _ in range(RUNS):
        ours, theirs = timed_gospa([made_scene(chance) for _ in range(2 if quick else 10)])
        aldis.append(ours)
        peer.append(theirs)
    time_ms, spread = median_spread(aldis)
    ratio = time_ms / median_spread(peer)[0]
    target = f"<= {GOSPA_TARGET}x peer, the same to 1e-9"
    name = "Stone Soup's GOSPAMetric on the same points"
    report("gospa", name, ratio, target, ratio <= GOSPA_TARGET, time_ms, "ms", spread)
    seconds = 60 if quick else 300
    with TemporaryDirectory() as folder:
        path = record(Path(folder), seconds)
        speeds, digests = [], set()
        for _ in range(RUNS):
            began = perf_counter()
            digests.add(replay(path))
            speeds.append(seconds / (perf_counter() - began))
    assert len(digests) == 1, "every replay comes to the same digests"
    speed, spread = median_spread(speeds)
    target = f">= {REPLAY_TARGET}x with one digest"
    report("replay-score", "real time", speed, target, speed >= REPLAY_TARGET, speed, "times real time", spread)


if __name__ == "__main__":
    main()
