"""What recording costs: messages written a second, chained, sealed and on disk.

    python -m benchmarks.recording [--quick]

Writing: the same messages, as the tap of entities makes them (about 400 bytes of JSON), into a recording, synced every
200 ms, chained message by message and sealed; against the format's own Python library, which writes the same messages
into one uncompressed file with neither chain nor seals, and leaves it to the system when it comes to disk.
Taps: the same tracks from the model to disk, JSON and ledger counts included; against the library as above with
`msgspec` for the JSON.
Verifying: bytes of a recording verified a second, against SHA-256 alone over the same file.
Files lie in the system's temporary directory: set TMPDIR to measure another disk.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec
from mcap.writer import CompressionType, Writer

from aldis.apps.experiments.entity import Carried, Decoded, Ledger, Motion, Position, Timing, Track
from aldis.apps.experiments.recorder import Recorder, Taps, messages, verify
from aldis.apps.experiments.recorder.schemas import entity_schema
from aldis.kernel.signatures import Algorithm
from aldis.node.keys import generate, load
from benchmarks.report import median_spread, report

RUNS = 5
RATIO_TARGET = 1.5
RATE_TARGET = 86_000
VERIFY_TARGET = 0.1
START_US = 1_700_000_000_000_000
SIGNER = load(Algorithm.ED25519, generate(Algorithm.ED25519))
LEDGER = Ledger(tuple(Carried(f"field_{n}", f"position.field_{n}") for n in range(20)))


def recorder(folder: Path) -> Recorder:
    return Recorder(folder, "run", SIGNER, node="aus-low", run="bench", marking="UNCLASSIFIED", began_ms=0)


def made_tracks(count: int) -> list[Track]:
    """Tracks as a gateway decodes them."""
    return [
        Track(
            key=f"mmsi:{230_000_000 + n % 1_000}",
            position=Position(lat_deg=59 + n % 997 / 1000, lon_deg=24 + n % 991 / 1000, at=START_US // 1000 + n),
            motion=Motion(speed_mps=n % 20 / 2, course_deg=n % 360 * 1.0, heading_deg=n % 359 * 1.0),
            timing=Timing(source_us=START_US + n * 1000, received_us=START_US + n * 1000 + 57, clock="second"),
        )
        for n in range(count)
    ]


def bodies_of(tracks: Sequence[Track]) -> list[bytes]:
    encode = msgspec.json.Encoder().encode
    return [encode({"entity": track, "carried": 20, "approximated": 0, "dropped": {}}) for track in tracks]


def ours(folder: Path, bodies: Sequence[bytes]) -> float:
    """Messages a second from bytes to disk."""
    began = perf_counter()
    with recorder(folder) as made:
        channel = made.channel("/entity/a/track", entity_schema("track"), {"marking": "UNCLASSIFIED"})
        for number, body in enumerate(bodies):
            made.write(channel, (START_US + number) * 1000, body)
    return len(bodies) / (perf_counter() - began)


def theirs(folder: Path, bodies: Sequence[bytes]) -> float:
    """The peer: messages a second from bytes to the system."""
    began = perf_counter()
    with (folder / "bare.mcap").open("wb") as file:
        writer = Writer(file, compression=CompressionType.NONE)
        writer.start()
        name, text = entity_schema("track")
        channel = writer.register_channel("/entity/a/track", "json", writer.register_schema(name, "jsonschema", text))
        for number, body in enumerate(bodies):
            at_ns = (START_US + number) * 1000
            writer.add_message(channel, at_ns, body, at_ns, number)
        writer.finish()  # type: ignore[no-untyped-call]
    return len(bodies) / (perf_counter() - began)


def tapped(folder: Path, tracks: Sequence[Track]) -> float:
    """Tracks a second from the model to disk."""
    began = perf_counter()
    with recorder(folder) as made:
        taps = Taps(made)
        for number, track in enumerate(tracks):
            taps.entity("a", "UNCLASSIFIED", Decoded(track, LEDGER), START_US + number)
    return len(tracks) / (perf_counter() - began)


def tapped_theirs(folder: Path, tracks: Sequence[Track]) -> float:
    """The peer, with the same JSON."""
    began = perf_counter()
    bodies = bodies_of(tracks)
    encoded = perf_counter() - began
    return len(tracks) / (encoded + len(tracks) / theirs(folder, bodies))


def verified(folder: Path, bodies: Sequence[bytes]) -> tuple[float, float]:
    """Bytes a second verified, and hashed; whatever was written is there."""
    with recorder(folder) as made:
        channel = made.channel("/entity/a/track", entity_schema("track"), {})
        for number, body in enumerate(bodies):
            made.write(channel, number, body)
    (path,) = made.segments
    size = path.stat().st_size
    began = perf_counter()
    findings = verify(path, SIGNER.public)
    seconds = perf_counter() - began
    assert (findings.state, findings.messages) == ("intact", len(bodies))
    assert sum(1 for _ in messages(path, findings.covered)) == len(bodies)
    began = perf_counter()
    hashlib.sha256(path.read_bytes()).digest()
    return size / seconds / 1e6, size / (perf_counter() - began) / 1e6


def main() -> None:
    count = 20_000 if "--quick" in sys.argv[1:] else 200_000
    tracks = made_tracks(count)
    bodies = bodies_of(tracks)
    peer = "the library mcap, uncompressed, no chain, no seals, no sync"
    runs: dict[str, list[float]] = {name: [] for name in ("ours", "theirs", "taps", "their taps", "verify", "hash")}
    for _ in range(RUNS):
        for name, work in (("ours", ours), ("theirs", theirs)):
            with TemporaryDirectory() as folder:
                runs[name].append(work(Path(folder), bodies))
        for name, tap in (("taps", tapped), ("their taps", tapped_theirs)):
            with TemporaryDirectory() as folder:
                runs[name].append(tap(Path(folder), tracks))
        with TemporaryDirectory() as folder:
            for name, speed in zip(("verify", "hash"), verified(Path(folder), bodies), strict=True):
                runs[name].append(speed)
    rate, spread = median_spread(runs["ours"])
    ratio = rate / median_spread(runs["theirs"])[0]
    target = f">= {RATE_TARGET} messages/s and >= {RATIO_TARGET}x peer"
    met = rate >= RATE_TARGET and ratio >= RATIO_TARGET
    report("recording-write", peer, ratio, target, met, rate, "messages/s", spread)
    rate, spread = median_spread(runs["taps"])
    ratio = rate / median_spread(runs["their taps"])[0]
    report("recording-tap", f"{peer}; msgspec", ratio, ">= 1x peer", ratio >= 1, rate, "tracks/s", spread)
    rate, spread = median_spread(runs["verify"])
    ratio = rate / median_spread(runs["hash"])[0]
    target = f">= {VERIFY_TARGET}x peer"
    report("recording-verify", "SHA-256 of the same file", ratio, target, ratio >= VERIFY_TARGET, rate, "MB/s", spread)


if __name__ == "__main__":
    main()
