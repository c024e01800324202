"""An AIS position report read and written, against pyais.

Both read the same `!AIVDM` sentence of message 1 and write it again. Aldis does so through its gateway: the sentence is
checked, becomes a track of the entity model with a ledger of what became of each field, and the track becomes a
sentence again, with another ledger. pyais decodes to its message class, and encodes from a dictionary.

    python -m benchmarks.ais [--quick]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import pyais

from aldis.apps.experiments.gateways.nmea import NmeaGateway
from benchmarks.report import median_spread, report

SENTENCE = b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C\r\n"
AT_US = 1_700_000_040_000_000
TARGET = 5.0


def timed(work: Callable[[], object], passes: int) -> float:
    start = time.perf_counter()
    for _ in range(passes):
        work()
    return (time.perf_counter() - start) / passes * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer passes")
    rounds, passes = (5, 1000) if parser.parse_args().quick else (15, 4000)
    gateway = NmeaGateway()
    plain = SENTENCE.strip()
    said: dict[str, Any] = pyais.decode(plain).asdict()
    [decoded] = gateway.feed(SENTENCE, AT_US)
    assert pyais.decode(gateway.encode(decoded.entity, AT_US).messages[0].strip()).asdict() == said | {"radio": 0}

    def ours() -> None:
        [one] = gateway.feed(SENTENCE, AT_US)
        gateway.encode(one.entity, AT_US)

    def theirs() -> None:
        pyais.decode(plain)
        pyais.encode_dict(said)

    pairs = [(timed(ours, passes), timed(theirs, passes // 4)) for _ in range(rounds)]
    ratio = median_spread([their / our for our, their in pairs])[0]
    each, spread = median_spread([our for our, _ in pairs])
    report("AIS type 1 enc+dec", "pyais", ratio, f">= {TARGET:g}", ratio >= TARGET, each, "us", spread)


if __name__ == "__main__":
    main()
