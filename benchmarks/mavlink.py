"""GLOBAL_POSITION_INT: bytes to a track with its ledger, and a track to bytes with its ledger.

    python -m benchmarks.mavlink [--quick]

The peer is pymavlink, which parses the same frames to its message objects and packs each again. The first figure is
of the codec alone, as the peer's is. The second is of all of a gateway: the track, both ledgers, and three messages
(HEARTBEAT, SYSTEM_TIME, GLOBAL_POSITION_INT) where the peer packs the one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from pymavlink.dialects.v20 import common  # type: ignore[import-untyped]

from aldis.apps.experiments.gateways.mavlink import MavlinkGateway
from aldis.apps.experiments.gateways.mavlink.frames import Parser
from aldis.apps.experiments.gateways.mavlink.messages import BY_NAME
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox
from benchmarks.report import median_spread, report

AT = 1_700_000_000_000_000
RUNS = 7


def frames(count: int) -> list[bytes]:
    """Positions of one vehicle, packed by the peer."""
    sender = common.MAVLink(None, srcSystem=7, srcComponent=1)
    return [
        bytes(
            common.MAVLink_global_position_int_message(
                5_000 + 100 * n, 601_234_567 + 9 * n, 241_234_567 + 7 * n, 12_345, 2_345, 300, 400 + n % 7, -25, 11_459
            ).pack(sender)
        )
        for n in range(count)
    ]


def ours(data: list[bytes]) -> int:
    """There and back through the entity model."""
    incoming, outgoing = MavlinkGateway(), MavlinkGateway()
    said = 0
    for place, frame in enumerate(data):
        at_us = AT + 100_000 * place
        for decoded in incoming.feed(frame, at_us):
            said += len(outgoing.encode(decoded.entity, at_us).ledger.entries) > 0
    return said


def codec(data: list[bytes]) -> int:
    """There and back as a row of numbers."""
    parser, outbox, layout = Parser(), Outbox(), BY_NAME["GLOBAL_POSITION_INT"]
    said = 0
    for frame in data:
        for found in parser.feed(frame)[0]:
            row, _ = layout.row(found.payload)
            said += len(outbox.packed(layout, layout.struct.pack(*row), (7, 1), AT)) > 0
    return said


def theirs(data: list[bytes]) -> int:
    """There and back through the peer's message objects."""
    incoming, outgoing = common.MAVLink(None), common.MAVLink(None, srcSystem=7, srcComponent=1)
    said = 0
    for frame in data:
        for found in incoming.parse_buffer(frame):
            message: Any = common.MAVLink_global_position_int_message(
                found.time_boot_ms, found.lat, found.lon, found.alt, found.relative_alt, found.vx, found.vy, found.vz,
                found.hdg,
            )  # fmt: skip
            said += len(message.pack(outgoing)) > 0
    return said


def rate(work: Callable[[list[bytes]], int], data: list[bytes]) -> float:
    """Messages there and back in a second."""
    began = time.perf_counter()
    assert work(data) == len(data)
    return len(data) / (time.perf_counter() - began)


def main() -> None:
    """Two figures: ours and the peer in turn, several times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 messages")
    data = frames(2_000 if parser.parse_args().quick else 20_000)
    figures = (
        ("MAVLink GLOBAL_POSITION_INT enc+dec, codec alone", codec),
        ("MAVLink GLOBAL_POSITION_INT enc+dec, with model and ledgers", ours),
    )
    for name, work in figures:
        rate(work, data[:500])
        rate(theirs, data[:500])
        pairs = [(rate(work, data), rate(theirs, data)) for _ in range(RUNS)]
        middle, spread = median_spread([own for own, _ in pairs])
        ratio = median(own / peer for own, peer in pairs)
        report(name, "pymavlink, codec alone", ratio, "reported", True, middle, "messages/s", spread)


if __name__ == "__main__":
    main()
