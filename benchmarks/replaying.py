"""How much faster than it was made a recording is replayed.

    python -m benchmarks.replaying [--quick]

A run of 200 ships heard by AIS and of twenty boats that speak MAVLink at 4 Hz, each piece decoded and recorded as a
node does, with what left for a partner. Replayed, from the command line on: verified with its key, decoded again,
compared entity by entity, and scored; against the time that it took to make, in seconds of the recording a second. The
digests of the scores of all replays are the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec
from click.testing import CliRunner

from aldis.apps.experiments.entity import Track
from aldis.apps.experiments.gateways.mavlink import OFFERED as MAVLINK
from aldis.apps.experiments.gateways.nmea import OFFERED as NMEA
from aldis.apps.experiments.gateways.nmea.synthetic import generate
from aldis.apps.experiments.hearing import Hearing
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.recorder import Recorder, Source, Taps, key_text
from aldis.interfaces.cli.main import cli
from aldis.kernel.signatures import Algorithm
from aldis.node.keys import generate as generate_key
from aldis.node.keys import load
from benchmarks.report import median_spread, report

RUNS = 5
TARGET = 50
START_US = 1_700_000_000_000_000
SIGNER = load(Algorithm.ED25519, generate_key(Algorithm.ED25519))


def heard(seconds: int) -> Iterator[tuple[int, str, Piece]]:
    """Time, system and piece, in order of time."""
    ships = list(generate(seed=7, vessels=200, seconds=seconds, start_ms=START_US // 1000))
    boat = [data for one in MAVLINK.specimens() for data in one.messages if len(data) > 30][:1]
    pieces = [(START_US + seconds * 1_000_000 * n // len(ships), "ais", Piece(one, "a")) for n, one in enumerate(ships)]
    for number in range(seconds * 4):
        for peer in range(20):
            pieces.append((START_US + number * 250_000 + peer, "boats", Piece(boat[0], f"boat-{peer}")))
    return iter(sorted(pieces, key=lambda one: one[0]))


def make(folder: Path, seconds: int) -> tuple[Path, int]:
    """A recording, and of how many entities."""
    hearing = {"ais": (Hearing("ais"), NMEA), "boats": (Hearing("boats"), MAVLINK)}
    count = 0
    with Recorder(folder, "run", SIGNER, node="aus", run="bench", marking="UNCLASSIFIED", began_ms=0) as made:
        taps = Taps(made)
        for at_us, system, piece in heard(seconds):
            one, offered = hearing[system]
            begins = not one.knows(piece.peer)
            protocol, said = one.hear(piece, at_us, lambda _said, _last, offered=offered: offered)  # type: ignore[misc]
            taps.native(Source(system), "UNCLASSIFIED", protocol, piece.data, at_us, piece.peer, begins=begins)
            for decoded in said:
                record = f"trk-{decoded.entity.key}"
                taps.entity(system, "UNCLASSIFIED", decoded, at_us, record=record)
                if isinstance(decoded.entity, Track):
                    left = msgspec.structs.replace(decoded.entity, key=record)
                    taps.crossed("gbr", "UNCLASSIFIED", left, at_us, left=True, frame=f"1/{at_us // 1000}")
                count += 1
    return made.segments[0], count


def main() -> None:
    seconds = 60 if "--quick" in sys.argv[1:] else 600
    with TemporaryDirectory() as folder:
        path, count = make(Path(folder), seconds)
        ratios, digests = [], set()
        for _ in range(RUNS):
            began = perf_counter()
            done = CliRunner().invoke(
                cli, ["experiment", "replay", str(path), "--sealed-by", key_text(SIGNER.public), "--json"]
            )
            ratios.append(seconds / (perf_counter() - began))
            assert done.exit_code == 0, done.output
            found = msgspec.json.decode(done.stdout)
            assert found["entities"] == count
            digests.add(found["digests"]["node:gbr"])
    assert len(digests) == 1
    speed, spread = median_spread(ratios)
    peer = f"the run itself: {seconds} s, {count} entities"
    report("replay", peer, speed, f">= {TARGET}x real time", speed >= TARGET, speed, "s/s", spread)


if __name__ == "__main__":
    main()
