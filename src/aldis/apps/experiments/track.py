"""The picture of the sea that observations add up to: one track for each MMSI, latest known value of everything."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from aldis.apps.experiments.gateways.fields import ship_type_text
from aldis.apps.experiments.gateways.observation import Identity, Kind, Observation, Position, Source, Voyage

__all__ = ["PORTIONS", "Picture", "Track", "distance_m"]

PORTIONS = ("position", "identity", "voyage", "sensor")

_EARTH_M = 6_371_008.8  # mean radius, IUGG
_FASTEST_MPS = {"aircraft": 350.0}  # else 60: no ship is faster
_SLACK_M = 1_000.0  # receive times of stations differ by seconds, positions by hundreds of metres
_LATE_MS = 600_000  # a report that seems older by more than this means that a clock was wrong before
_MANY = 8

G = TypeVar("G", Identity, Voyage)


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of one vessel; each group with the receive time (ms) of what it was last learnt from.

    `suspect`: the last position is further from the one before than any vessel moves. `names`: every name
    heard, the latest last; more than one means that two vessels use one MMSI or that it was renamed.
    """

    mmsi: int
    kind: Kind | None
    source: Source
    reports: int = 1
    stations: tuple[str, ...] = ()
    position: Position | None = None
    position_ms: int = 0
    suspect: bool = False
    identity: Identity | None = None
    identity_ms: int = 0
    names: tuple[str, ...] = ()
    voyage: Voyage | None = None
    voyage_ms: int = 0

    def portions(self) -> dict[str, dict[str, Any]]:
        """Values for JSON under the names in `PORTIONS`, without what is unknown.

        Who the vessel is stands in `identity` only, who heard it in `sensor` only.
        """
        portions: dict[str, dict[str, Any]] = {}
        if self.position:
            portions["position"] = _known(self.position, at=self.position_ms, suspect=self.suspect or None)
        portions["identity"] = _known(
            self.identity,
            mmsi=self.mmsi,
            kind=self.kind,
            ship_type_text=ship_type_text(self.identity.ship_type) if self.identity else None,
            at=self.identity_ms or None,
            other_names=list(self.names[:-1]) or None,
        )
        if self.voyage:
            portions["voyage"] = _known(self.voyage, at=self.voyage_ms)
        portions["sensor"] = _known(
            self.source, own=self.source.own or None, reports=self.reports, stations=list(self.stations) or None
        )
        return portions


class Picture:
    """Tracks by MMSI, at most `limit`: beyond it the one not heard for the longest is forgotten."""

    def __init__(self, limit: int = 20_000) -> None:
        self.forgotten = 0
        self._limit = limit
        self._tracks: dict[int, Track] = {}

    def __len__(self) -> int:
        """The number of tracks."""
        return len(self._tracks)

    def __iter__(self) -> Iterator[Track]:
        """The tracks, the one heard last at the end."""
        return iter(tuple(self._tracks.values()))

    def get(self, mmsi: int) -> Track | None:
        """The track of `mmsi`."""
        return self._tracks.get(mmsi)

    def update(self, observation: Observation) -> Track:
        """Take `observation` in and return the track as it is now.

        A group heard up to ten minutes before what is known arrives late and leaves it as it is.
        """
        before = self._tracks.pop(observation.mmsi, None)
        if before is None and len(self._tracks) >= self._limit:
            del self._tracks[next(iter(self._tracks))]
            self.forgotten += 1
        track = _fused(before, observation)
        self._tracks[observation.mmsi] = track
        return track


def _fused(before: Track | None, seen: Observation) -> Track:
    at = seen.source.received_ms
    if before is None:
        track = Track(seen.mmsi, seen.kind, seen.source)
    else:
        latest = before.source if _late(at, before.source.received_ms) else seen.source
        track = replace(before, kind=seen.kind or before.kind, source=latest, reports=before.reports + 1)
    changes: dict[str, Any] = {"stations": _with(track.stations, seen.source.station)}
    if seen.position and not _late(at, track.position_ms):
        changes |= {"position": seen.position, "position_ms": at, "suspect": _jumped(track, seen.position, at)}
    if seen.identity and not _late(at, track.identity_ms):
        changes |= {"identity": _merged(track.identity, seen.identity), "identity_ms": at}
        changes["names"] = _with(track.names, seen.identity.name)
    if seen.voyage and not _late(at, track.voyage_ms):
        changes |= {"voyage": _merged(track.voyage, seen.voyage), "voyage_ms": at}
    return replace(track, **changes)


def _late(at_ms: int, known_ms: int) -> bool:
    return 0 < known_ms - at_ms <= _LATE_MS


def _jumped(track: Track, position: Position, at_ms: int) -> bool:
    if track.position is None:
        return False
    reach = _FASTEST_MPS.get(track.kind or "", 60.0) * (at_ms - track.position_ms) / 1000 + _SLACK_M
    return distance_m(track.position, position) > reach


def distance_m(one: Position, other: Position) -> float:
    """Great-circle distance in metres (haversine on a sphere; within 0.6 % of the ellipsoid)."""
    lat1, lat2 = math.radians(one.lat_deg), math.radians(other.lat_deg)
    half_lon = math.radians(other.lon_deg - one.lon_deg) / 2
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(min(1.0, h)))


def _merged(old: G | None, new: G) -> G:
    """`new`, with what it does not say from `old`."""
    if old is None:
        return new
    return replace(old, **{f.name: said for f in fields(new) if (said := getattr(new, f.name)) is not None})


def _with(seen: tuple[str, ...], latest: str | None) -> tuple[str, ...]:
    """`seen` with `latest` moved to the end, the last few only."""
    return seen if latest is None else (*(s for s in seen if s != latest), latest)[-_MANY:]


def _known(group: Identity | Position | Source | Voyage | None, **more: Any) -> dict[str, Any]:
    values = (asdict(group) if group else {}) | more
    return {name: value for name, value in values.items() if value is not None}
