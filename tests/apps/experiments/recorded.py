"""Recordings for tests: made with real keys on a real disk."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from aldis.apps.experiments.entity import Approximated, Carried, Decoded, Dropped, Ledger, Position, Report, Track
from aldis.apps.experiments.recorder import Recorder, Taps
from aldis.kernel.signatures import Algorithm, Key
from aldis.node.keys import NodeSigner, generate, load

START_US = 1_700_000_000_000_000
MARKING = "UNCLASSIFIED//REL TO AUS, GBR"
LEDGER = Ledger(
    (Carried("lat", "position.lat_deg"), Approximated("lon", "position.lon_deg", 0.1, "m"), Dropped("x", "no field"))
)


def signer(algorithm: Algorithm = Algorithm.ED25519) -> NodeSigner:
    return load(algorithm, generate(algorithm))


def recorder(folder: Path, by: NodeSigner, name: str = "run", **settings: Any) -> Recorder:
    return Recorder(
        folder, name, by, node="aus-low", run="raft", marking=MARKING, began_ms=START_US // 1000, **settings
    )


def track(key: str, lat_deg: float = 59.9, lon_deg: float = 24.5, **more: Any) -> Track:
    return Track(key=key, position=Position(lat_deg=lat_deg, lon_deg=lon_deg, **more))


def fill(made: Recorder, count: int, seed: int = 1) -> None:
    """A run: bytes, tracks, a report, and what left, `count` of each."""
    taps, chance = Taps(made), random.Random(seed)
    for number in range(count):
        at_us = START_US + 100_000 * number
        said = track(f"mmsi:{230_000_000 + number % 7}", 59.9 + chance.random() / 10, accuracy_m=5.0, height_m=17.5)
        taps.native("usv-1", MARKING, "ais", chance.randbytes(30), at_us, "127.0.0.1:9000")
        taps.entity("usv-1", MARKING, Decoded(said, LEDGER), at_us)
        taps.egress("gbr-low", MARKING, track("pseudonym:1", 59.9), at_us, protocol="frame", messages=(b"frame",))
    taps.entity("usv-1", MARKING, Decoded(Report(key="r", text="all well"), LEDGER), START_US)


def whole(folder: Path, by: NodeSigner, count: int = 40, **settings: Any) -> Path:
    """The one file of a closed recording."""
    with recorder(folder, by, **settings) as made:
        fill(made, count)
    (path,) = made.segments
    return path


def other_key() -> Key:
    return signer().public
