"""How often a system of each protocol speaks at the least, and after how long without a word it counts as silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Heartbeat", "heartbeat_of"]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The longest pause that the protocol allows (None where it names none), and the silence that tells, in ms."""

    every_ms: int | None
    silent_ms: int
    source: str


_NONE = Heartbeat(None, 60_000, "the protocol names none; a minute without a word counts as silence")
_STALE = Heartbeat(None, 60_000, "an event of CoT holds until its `stale` (Event.xsd); a minute where none is known")
_KNOWN: Mapping[str, Heartbeat] = {
    "dis": Heartbeat(
        5_000, 12_000, "HBT_PDU_ENTITY_STATE, 5 s, times HBT_TIMEOUT_MPLIER, 2.4 (IEEE 1278.1-2012, parameters)"
    ),
    "mavlink": Heartbeat(1_000, 5_000, "HEARTBEAT at 1 Hz, lost after five (mavlink.io/en/services/heartbeat.html)"),
    "nmea0183": Heartbeat(
        180_000, 432_000, "3 min for a ship at anchor (ITU-R M.1371-5, Annex 1, Table 1), times 2.4 as in DIS"
    ),
    "nmea2000": Heartbeat(60_000, 144_000, "PGN 126993 every 60 s (NMEA 2000, Appendix B), times 2.4 as in DIS"),
    "cot": _STALE,
    "tak": _STALE,
    "tak-mesh": _STALE,
}


def heartbeat_of(protocol: str) -> Heartbeat:
    """That of a protocol."""
    return _KNOWN.get(protocol, _NONE)
