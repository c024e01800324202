"""What a recording's taps said of tracks, stream by stream: of each system as decoded, of each partner as it left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from aldis.apps.experiments.entity import Identity, Track
from aldis.apps.experiments.entity.reckoning import predicted
from aldis.apps.experiments.recorder.reader import Message
from aldis.apps.experiments.recorder.taps import read_told

__all__ = ["Report", "by_key", "report_of", "streams", "true_at"]

_FAR_US = 3_600_000_000


class Report(msgspec.Struct, frozen=True, gc=False):
    """One report of a track; `at_us` is the time it is true of, as `true_at` has it.

    `place` is latitude and longitude in degrees and height above the ellipsoid in metres.
    """

    key: str
    at_us: int
    received_us: int
    place: tuple[float, float, float | None] | None = None
    identity: Identity | None = None


def streams(messages: Iterable[Message]) -> Mapping[tuple[str, str], list[Report]]:
    """The reports of tracks by tap and name, as (`entity`, system) or (`egress`, partner), in the order given.

    What a system was sent by dead reckoning is none.

    Raises:
        InvalidInput: a message cannot be read.
    """
    found: dict[tuple[str, str], list[Report]] = {}
    for message in messages:
        if message.about["kind"] != "track":
            continue
        entity = read_told(message).entity
        if isinstance(entity, Track) and not (message.about["tap"] == "egress" and predicted(entity)):
            stream = found.setdefault((message.about["tap"], message.about["name"]), [])
            stream.append(report_of(entity, message.log_ns // 1000))
    return found


def by_key(reports: Iterable[Report]) -> dict[str, list[Report]]:
    """Reports by track, keys in order."""
    tracks: dict[str, list[Report]] = {}
    for report in reports:
        tracks.setdefault(report.key, []).append(report)
    return dict(sorted(tracks.items()))


def report_of(track: Track, received_us: int, key: str = "") -> Report:
    """What one track says at one moment; under its own key, unless another is given."""
    position, timing = track.position, track.timing
    at_us = timing.source_us if timing else None
    if at_us is None and position is not None and position.at is not None:
        at_us = position.at * 1000
    place = (position.lat_deg, position.lon_deg, position.height_m) if position else None
    return Report(key or track.key, true_at(at_us, received_us), received_us, place, track.identity)


def true_at(at_us: int | None, received_us: int) -> int:
    """When it was true; when it was received, where nobody says or that is over an hour off, as by a wrong clock."""
    return received_us if at_us is None or abs(at_us - received_us) > _FAR_US else at_us
