"""From observations to labelled tracks: live values as they come, a durable version of each track now and then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from aldis.app import Context
from aldis.apps.experiments.gateways.observation import Observation
from aldis.apps.experiments.kinds import TRACK
from aldis.apps.experiments.track import PORTIONS, Picture, Track
from aldis.kernel.errors import InvalidInput
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Record, next_version

__all__ = ["Sea"]


@dataclass(frozen=True, slots=True)
class _Kept:
    record: Record
    at: int


class Sea:
    """One gateway's picture, labelled portion by portion.

    `labels` has one label for `header` (that there is such a track) and one for each portion; a track's id is opaque,
    so that it tells no vessel's number to a partner from whom the identity is withheld.
    """

    def __init__(self, context: Context, labels: Mapping[str, Label], project: str, *, record_every_ms: int) -> None:
        missing = {"header", *PORTIONS} - labels.keys()
        if missing:
            raise InvalidInput(
                f"no marking for {', '.join(sorted(missing))} of a track",
                fix=f"Write one for each in aldis.toml, under [labels.{TRACK.name}]",
            )
        self.picture = Picture()
        self.recorded = 0
        self._context = context
        self._labels = labels
        self._project = project
        self._every = record_every_ms
        self._ids: dict[int, str] = {}
        self._kept: dict[int, _Kept] = {}

    def observe(self, observation: Observation, now: int) -> None:
        """Take an observation in: publish what it changed, and record the track if it is due."""
        track = self.picture.update(observation)
        name = self.track_id(track.mmsi)
        portions = track.portions()
        for portion in _touched(observation):
            if portion in portions:
                update = Update(name, TRACK.name, portion, observation.source.received_ms, portions[portion])
                self._context.publish(self._labels["header"], self._labels[portion], self._project, update)
        kept = self._kept.get(track.mmsi)
        if kept is None or now - kept.at >= self._every:
            self._record(track, now)

    def flush(self, now: int) -> None:
        """Record the last state of every track that has changed since it was recorded."""
        for track in self.picture:
            kept = self._kept.get(track.mmsi)
            if kept is None or kept.at < now:
                self._record(track, now)

    def track_id(self, mmsi: int) -> str:
        """The opaque id of a vessel's track."""
        name = self._ids.get(mmsi)
        if name is None:
            name = self._ids[mmsi] = "trk-" + self._context.opaque(f"mmsi:{mmsi}")
        return name

    def _record(self, track: Track, now: int) -> None:
        portions = track.portions()
        kept = self._kept.get(track.mmsi)
        if kept is not None and all(_same(kept.record, name, portions.get(name)) for name in PORTIONS):
            self._kept[track.mmsi] = _Kept(kept.record, now)
            return
        draft = Draft(
            kind=TRACK.name,
            id=self.track_id(track.mmsi),
            originator=self._context.node,
            author="gateway",
            created=now,
            label=self._labels["header"],
            project=self._project,
            portions=[DraftPortion(name, self._labels[name], portions[name]) for name in PORTIONS if name in portions],
        )
        held = kept.record if kept else self._context.newest(draft.id)
        record = self._context.put(next_version(held, draft) if held else draft)
        self._kept[track.mmsi] = _Kept(record, now)
        self.recorded += 1


def _touched(observation: Observation) -> Iterator[str]:
    """The portions that an observation speaks of; who heard it is always one."""
    for portion in ("position", "identity", "voyage"):
        if getattr(observation, portion) is not None:
            yield portion
    yield "sensor"


def _same(record: Record, name: str, value: object) -> bool:
    portion = record.portion(name)
    if portion is None or value is None:
        return portion is None and value is None
    return name == "sensor" or msgspec.json.encode(value) == portion.raw_value
