"""AIS position reports read and written, against pyais.

Both read the same `!AIVDM` sentences of message 1, a hundred vessels' that move, and write them again. Twice: to the
message's own fields in degrees and knots and back, which is the work that pyais does, decoding to its message class and
encoding from a dictionary; and through the gateway: the sentence is checked, becomes a track of the entity model with a
ledger of what became of each field, and the track becomes a sentence again, with another ledger, which pyais does not.
What both say is compared beforehand. Rounds alternate; CPU time of this process; the ratio is the median of all rounds.

    python -m benchmarks.ais [--quick]
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

import pyais

from aldis.apps.experiments.gateways.nmea import NmeaGateway
from aldis.apps.experiments.gateways.nmea.position import PositionReport
from aldis.apps.experiments.gateways.nmea.values import AVAILABLE_TURNS
from benchmarks.report import median_spread, report

VESSELS = 100
AT_US = 1_700_000_040_000_000
TARGET = 5.0
NAMES = [{"type": "msg_type", "manoeuvre": "maneuver"}.get(name, name) for name in PositionReport._fields]


def sentences() -> list[bytes]:
    chance = random.Random(1)
    turns = sorted(AVAILABLE_TURNS)
    return [
        PositionReport(
            1, 0, 366_000_000 + number, number % 9, chance.choice(turns), chance.randrange(400) / 10, number % 2 == 0,
            chance.uniform(-179, 179), chance.uniform(-80, 80), chance.randrange(3600) / 10, chance.randrange(360),
            chance.randrange(60), 0, 0, False, 0,
        ).written()
        for number in range(VESSELS)
    ]  # fmt: skip


def timed(work: Callable[[], object], passes: int) -> float:
    """Microseconds for one message."""
    start = time.process_time()
    for _ in range(passes):
        work()
    return (time.process_time() - start) / passes / VESSELS * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer passes")
    rounds, passes = (5, 8) if parser.parse_args().quick else (15, 32)
    gateway = NmeaGateway()
    data = sentences()
    plain = [sentence.strip() for sentence in data]
    said: list[dict[str, Any]] = [pyais.decode(sentence).asdict() for sentence in plain]
    for sentence, known in zip(data, said, strict=True):
        read = PositionReport.read(sentence)
        assert list(known) == [name for name in NAMES if name != "spare"]
        for name, value in zip(NAMES, read, strict=True):
            # pyais gives no spare bits, degrees to six digits, a turn as a whole number
            error = {"lon": 5.1e-7, "lat": 5.1e-7, "turn": 0.5}.get(name, 0)
            assert name == "spare" or abs(value - float(known[name])) <= error
        assert read.written() == sentence
        [decoded] = gateway.feed(sentence, AT_US)
        sent = gateway.encode(decoded.entity, AT_US)
        assert sent.messages == (sentence,)
        assert decoded.ledger.entries and sent.ledger.entries

    def fields() -> None:
        for sentence in data:
            PositionReport.read(sentence).written()

    def model() -> None:
        feed, encode = gateway.feed, gateway.encode
        for sentence in data:
            for found in feed(sentence, AT_US):
                encode(found.entity, AT_US)

    def theirs() -> None:
        for sentence, known in zip(plain, said, strict=True):
            pyais.decode(sentence)
            pyais.encode_dict(known)

    works = ((fields, passes), (model, passes), (theirs, passes // 4))
    samples = [[timed(work, times) for work, times in works] for _ in range(rounds)]
    for place, name in enumerate(("to its native fields and back", "to the model and back, with ledgers")):
        ratio = median_spread([sample[2] / sample[place] for sample in samples])[0]
        each, spread = median_spread([sample[place] for sample in samples])
        report(f"AIS type 1 {name}", "pyais", ratio, f">= {TARGET:g}", ratio >= TARGET, each, "us", spread)


if __name__ == "__main__":
    main()
