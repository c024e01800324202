"""The tape of a running node: what its systems say and are sent goes onto it, and a fault of it stops nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog

from aldis.app import Context
from aldis.apps.experiments.entity import Decoded, Entity
from aldis.apps.experiments.recorder import Recorder, Taps
from aldis.kernel.errors import AldisError, NeedsPerson
from aldis.kernel.labels import Label

__all__ = ["Tape"]

_BANNER_MS = 1_000  # as long as a marking of the settings counts as read
_BANNERS = 256
_log = structlog.get_logger()


class Tape:
    """A recording where the settings ask for one, else nothing; see `recorder.Taps` for the three taps.

    Raises:
        InvalidInput, Unavailable, VerificationFailed: there can be no recording.
    """

    def __init__(self, context: Context, marking: str) -> None:
        self._recorder: Recorder | None = None
        self._context = context
        self._banners: dict[tuple[int, ...], tuple[tuple[Label, ...], str]] = {}
        self._banners_at = 0
        self.marking = marking
        """That of bytes as they came, of which nobody knows yet what they say."""
        place = context.recordings
        if place is None:
            return
        folder, began = Path(place.folder), context.now()
        folder.mkdir(mode=0o700, exist_ok=True)
        name = datetime.fromtimestamp(began / 1000, UTC).strftime("%Y%m%d-%H%M%S")
        self._recorder = Recorder(
            folder, name, place.signer, node=context.node, run=name, marking=marking, began_ms=began
        )
        self._taps = Taps(self._recorder)
        _log.info("recording", file=str(self._recorder.segments[0]))

    @property
    def runs(self) -> bool:
        """Whether anything is recorded."""
        return self._recorder is not None

    def native(self, system: str, protocol: str, data: bytes, peer: str) -> None:
        """Bytes that came from a system."""
        if self._recorder is not None:
            try:
                self._taps.native(system, self.marking, protocol, data, self._context.now() * 1000, peer)
            except AldisError as error:
                self._stop(error)

    def entity(self, system: str, marking: str, decoded: Decoded, record: str) -> None:
        """What they said, and the id of its record."""
        if self._recorder is not None:
            try:
                self._taps.entity(system, marking, decoded, self._context.now() * 1000, record=record)
            except AldisError as error:
                self._stop(error)

    def egress(
        self,
        system: str,
        labels: Iterable[Label],
        entity: Entity,
        protocol: str,
        messages: Sequence[bytes],
        record: str,
    ) -> None:
        """What a system was sent of a record, of values with these labels."""
        if self._recorder is not None:
            now = self._context.now() * 1000
            marking = self._banner(tuple(labels), now // 1000)
            try:
                self._taps.egress(system, marking, entity, now, protocol=protocol, messages=messages, record=record)
            except AldisError as error:
                self._stop(error)

    def _banner(self, labels: tuple[Label, ...], now: int) -> str:
        """As `_roll_up`, worked out once a second for all that is labelled alike: what it says has its dates."""
        if not 0 <= now - self._banners_at < _BANNER_MS or len(self._banners) >= _BANNERS:
            self._banners.clear()
            self._banners_at = now
        alike = tuple(map(id, labels))
        found = self._banners.get(alike)
        if found is None:  # the labels are kept beside it, so that their ids stay theirs
            found = self._banners[alike] = (labels, self._roll_up(labels))
        return found[1]

    def _roll_up(self, labels: Sequence[Label]) -> str:
        """The banner of labels; of those that nobody has mapped to this node's policy, each as it is written there."""
        try:
            return self._context.marking(self._context.banner(labels))
        except NeedsPerson:
            return "; ".join(sorted({self._context.marking(label) for label in labels}))

    def close(self) -> None:
        """Seal the whole."""
        if self._recorder is not None:
            try:
                self._recorder.close()
            except AldisError as error:
                self._stop(error)

    def _stop(self, error: AldisError) -> None:
        """Go on without a tape; it ends with its last seal."""
        recorder, self._recorder = self._recorder, None
        _log.error("recording stopped", code=error.code, cause=str(error))
        if recorder is not None:
            with suppress(AldisError):
                recorder.close()
