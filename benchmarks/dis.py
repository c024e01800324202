"""DIS Entity State PDUs decoded and encoded, against opendis, which reads its objects from bytes and serialises them.

Twice: to a record of the PDU's native fields and back, which is the work that opendis does; and all the way to the
entity model (WGS-84, north-east-down, UTC) and back, with the ledger of each direction, which opendis does not do.
A hundred entities that move and turn, ten PDUs each, in the world's frame with acceleration and rates (algorithm 4).
Rounds alternate; CPU time of this process; the ratio is of medians. opendis comes with the test dependencies.

    python -m benchmarks.dis [--quick]
"""

from __future__ import annotations

import argparse
import io
import random
import struct
import time
from collections.abc import Callable
from typing import Any

from opendis.DataOutputStream import DataOutputStream  # type: ignore[import-untyped]
from opendis.PduFactory import createPdu  # type: ignore[import-untyped]

from aldis.apps.experiments.entity.geodesy import ecef_of, ecef_vector
from aldis.apps.experiments.gateways.dis import OFFERED
from aldis.apps.experiments.gateways.dis.wire import EntityState
from benchmarks.report import median_spread, report

ENTITIES, EACH, TARGET = 100, 10, 9
AT_US = 1_760_000_123_456_789
STATE = struct.Struct(">BBBBIHBx HHHBB BBHBBBB BBHBBBB 3f 3d 3f I B15s 3f 3f 12s I")


def pdus() -> list[bytes]:
    chance = random.Random(1)
    found = []
    for number in range(ENTITIES * EACH):
        entity = number % ENTITIES + 1
        lat, lon = chance.uniform(-70, 70), chance.uniform(-180, 180)
        velocity = ecef_vector(tuple(chance.uniform(-20, 20) for _ in "xyz"), lat, lon)  # type: ignore[arg-type]
        found.append(STATE.pack(
            7, 1, 1, 1, chance.getrandbits(32) | 1, 144, 0, 1, 2, entity, entity % 4, 0,
            1, 3, 225, 61, entity % 8, 2, 0, 1, 3, 225, 61, 0, 0, 0,
            *velocity, *ecef_of(lat, lon, chance.uniform(0, 3000)),
            chance.uniform(-3, 3), chance.uniform(-1.5, 1.5), chance.uniform(-3, 3), chance.getrandbits(24),
            4, bytes(15), *(chance.uniform(-2, 2) for _ in "xyz"), *(chance.uniform(-1, 1) for _ in "xyz"),
            b"\x01" + (b"SHIP %03d" % entity).ljust(11, b"\0"), 9,
        ))  # fmt: skip
    return found


def timed(work: Callable[[], object]) -> float:
    """PDUs a second."""
    start = time.process_time()
    work()
    return ENTITIES * EACH / (time.process_time() - start)


def theirs(data: list[bytes]) -> None:
    for pdu in data:
        read: Any = createPdu(pdu)
        out = io.BytesIO()
        read.serialize(DataOutputStream(out))
        out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 7 if parser.parse_args().quick else 31
    data = pdus()
    gateway = OFFERED.open()

    def codec() -> None:
        for pdu in data:
            EntityState.read(pdu).written()

    def model() -> None:
        feed, encode = gateway.feed, gateway.encode
        for pdu in data:
            for found in feed(pdu, AT_US):
                encode(found.entity, AT_US)

    for pdu in data:
        (found,) = gateway.feed(pdu, AT_US)
        sent = gateway.encode(found.entity, AT_US)
        assert sent.messages == (pdu,) == (EntityState.read(pdu).written(),)
        assert found.ledger.entries and sent.ledger.entries
    works = (codec, model, lambda: theirs(data))
    samples = [[timed(work) for work in works] for _ in range(rounds)]
    peer = median_spread([sample[2] for sample in samples])[0]
    for place, name in enumerate(("to its native fields and back", "to the model and back, with ledgers")):
        speed, spread = median_spread([sample[place] for sample in samples])
        ratio = speed / peer
        report(f"DIS Entity State {name}", "opendis", ratio, f">= {TARGET}", ratio >= TARGET, speed, "1/s", spread)


if __name__ == "__main__":
    main()
