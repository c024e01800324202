"""What one report of a vessel says, whichever protocol carried it; what it does not say is None."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, Protocol

from aldis.kernel.errors import Unavailable

__all__ = ["Gateway", "Identity", "Kind", "Observation", "Position", "Source", "Tally", "Voyage", "missing"]

Kind = Literal["class A", "class B", "base station", "aid to navigation", "aircraft"]


@dataclass(frozen=True, slots=True)
class Source:
    """Who heard it, and when.

    `country` is the maritime identification digits (ITU-R M.585) of the network that heard it;
    `own` marks what the receiving station sent or reported itself.
    """

    protocol: Literal["ais", "nmea2000"]
    received_ms: int
    station: str | None = None
    country: int | None = None
    region: int | None = None
    channel: Literal["A", "B"] | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where it is and how it moves: WGS-84, true bearings; `accurate` means within 10 m."""

    lat_deg: float
    lon_deg: float
    accurate: bool
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    heading_deg: float | None = None
    turn_deg_per_min: float | None = None
    nav_status: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What it is; `bow_m` and `starboard_m` are the distances from there to the reported position."""

    name: str | None = None
    callsign: str | None = None
    imo: int | None = None
    ship_type: int | None = None
    length_m: float | None = None
    beam_m: float | None = None
    bow_m: float | None = None
    starboard_m: float | None = None


@dataclass(frozen=True, slots=True)
class Voyage:
    """Where it is bound; `eta` is `MM-DDThh:mm` or `MM-DD` in UTC: AIS sends no year."""

    destination: str | None = None
    eta: str | None = None
    draught_m: float | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One report; the groups that it does not carry are None."""

    mmsi: int
    source: Source
    kind: Kind | None = None
    position: Position | None = None
    identity: Identity | None = None
    voyage: Voyage | None = None


@dataclass(slots=True)
class Tally:
    """Lines seen, carried into observations, and dropped by reason.

    `seen == carried + dropped.total() + waiting`, and nothing is waiting once the gateway is closed.
    """

    seen: int = 0
    carried: int = 0
    observations: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def waiting(self) -> int:
        """Lines whose message is not complete yet."""
        return self.seen - self.carried - self.dropped.total()

    def carry(self, lines: int = 1) -> None:
        """Count `lines` lines that became one observation."""
        self.carried += lines
        self.observations += 1

    def drop(self, reason: str, lines: int = 1) -> None:
        """Count `lines` lines that say nothing usable."""
        if lines:
            self.dropped[reason] += lines


class Gateway(Protocol):
    """Decodes a protocol line by line; whatever is wrong with a line is counted, never raised."""

    tally: Tally

    def feed(self, line: bytes, arrived_ms: int) -> Observation | None:
        """The observation that `line` completes; `arrived_ms` stands in where the stream has no time stamps."""

    def close(self) -> None:
        """Count what is still waiting as dropped."""


def missing(library: str) -> Unavailable:
    """The error to raise where a decoder library is not installed."""
    return Unavailable(f"the decoder {library} is not installed", fix="Run: pip install 'aldis[experiments]'")
