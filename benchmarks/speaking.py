"""A system that speaks its protocol by that protocol's own library.

    python -m benchmarks.speaking PROTOCOL PORT [SECONDS]

cot by pytak, tak by takproto, nmea0183 by pyais, dis by opendis, mavlink by pymavlink; `legacy` has a text format of
its own, whose mapping file PROTOCOL `mapping` prints.
"""

from __future__ import annotations

import io
import math
import socket
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["LEGACY", "SPEAKERS"]

PAUSE_S = 0.1
LEGACY = """\
protocol = "harbour-text"
title = "Harbour board, text lines"
form = "text"
delimiter = ";"

[framing]
kind = "lines"

[[message]]
name = "FIX"
key = "pilot:{number}"
says = { "type.nature" = "vehicle" }
field = [
    { name = "kind", at = 0, is = "FIX" },
    { name = "number", at = 1, to = "identity.native_id" },
    { name = "lat", at = 2, digits = 5, to = "position.lat_deg" },
    { name = "lon", at = 3, digits = 5, to = "position.lon_deg" },
    { name = "speed", at = 4, unit = "kn", digits = 1, to = "motion.speed_mps" },
]
"""
"""The mapping file of `legacy`."""


def cot(number: int) -> list[bytes]:
    import pytak  # type: ignore[import-untyped]  # noqa: PLC0415 - of that protocol alone

    return [pytak.gen_cot(lat=-36.8 + number / 1e4, lon=174.8, ce=5, hae=10, uid="boat-1", cot_type="a-f-S", stale=30)]


def tak(number: int) -> list[bytes]:
    import takproto  # type: ignore[import-untyped]  # noqa: PLC0415 - of that protocol alone

    return [bytes(takproto.xml2proto(cot(number)[0]))]


def nmea0183(number: int) -> list[bytes]:
    from pyais import encode_dict  # noqa: PLC0415 - of that protocol alone

    second = int(time.time()) % 60
    said: dict[str, Any] = {
        "type": 1,
        "mmsi": 512000001,
        "lat": -36.8 + number / 1e4,
        "lon": 174.8,
        "speed": 5,
        "second": second,
    }
    return [line.encode() + b"\r\n" for line in encode_dict(said)]


def dis(number: int) -> list[bytes]:
    from opendis.DataOutputStream import DataOutputStream  # type: ignore[import-untyped]  # noqa: PLC0415 - of that protocol alone
    from opendis.dis7 import EntityStatePdu  # type: ignore[import-untyped]  # noqa: PLC0415 - of that protocol alone

    pdu: Any = EntityStatePdu()
    pdu.protocolVersion, pdu.exerciseID, pdu.pduType, pdu.protocolFamily, pdu.length = 7, 1, 1, 1, 144
    pdu.pduStatus, pdu.timestamp = 0, int(time.time() % 3600 / 3600 * 2**31) << 1 | 1
    pdu.entityID.siteID, pdu.entityID.applicationID, pdu.entityID.entityID = 1, 2, 3
    pdu.entityType.entityKind, pdu.entityType.domain, pdu.entityType.country = 1, 3, 154
    pdu.marking.characters, pdu.entityAppearance, pdu.capabilities = list(b"PILOT".ljust(11, b"\0")), 0, 0
    lat, lon = math.radians(-36.8 + number / 1e4), math.radians(174.8)
    flat = 6378137 / math.sqrt(1 - 0.00669437999014 * math.sin(lat) ** 2)
    place = pdu.entityLocation
    place.x, place.y = flat * math.cos(lat) * math.cos(lon), flat * math.cos(lat) * math.sin(lon)
    place.z = flat * (1 - 0.00669437999014) * math.sin(lat)
    pdu.deadReckoningParameters.deadReckoningAlgorithm = 2
    out = io.BytesIO()
    pdu.serialize(DataOutputStream(out))
    return [out.getvalue()]


_CRAFT: list[Any] = []


def mavlink(number: int) -> list[bytes]:
    from pymavlink.dialects.v20 import common  # type: ignore[import-untyped]  # noqa: PLC0415 - of that protocol alone

    if not _CRAFT:
        _CRAFT.append(common.MAVLink(None, srcSystem=1, srcComponent=1))
    mav, boot = _CRAFT[0], number * 100
    said = [
        common.MAVLink_heartbeat_message(11, 3, 1, 4, 4, 3),
        common.MAVLink_system_time_message(int(time.time() * 1e6), boot),
        common.MAVLink_global_position_int_message(
            boot, round((-36.8 + number / 1e4) * 1e7), 1748000000, 1500, 0, 100, 0, 0, 65535
        ),
    ]
    return [bytes(one.pack(mav)) for one in said]


def legacy(number: int) -> list[bytes]:
    return [f"FIX;3;{-36.8 + number / 1e4:.5f};174.80000;5.0\n".encode()]


SPEAKERS: dict[str, Callable[[int], list[bytes]]] = {
    "cot": cot, "tak": tak, "nmea0183": nmea0183, "dis": dis, "mavlink": mavlink, "legacy": legacy,
}  # fmt: skip


def main(protocol: str, port: int, seconds: float) -> None:
    """Say it again and again."""
    ends = time.monotonic() + seconds
    number = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outlet:
        while time.monotonic() < ends:
            for message in SPEAKERS[protocol](number):
                outlet.sendto(message, ("127.0.0.1", port))
            number += 1
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1] == "mapping":
        sys.stdout.write(LEGACY)
    else:
        main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 60.0)
