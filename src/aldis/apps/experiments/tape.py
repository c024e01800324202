"""The tape of a running node: what its systems say and are sent goes onto it, and a fault of it stops nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec

import structlog

from aldis.app import Context, Recordings
from aldis.apps.experiments.entity import Decoded, Entity
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.recorder import OWN, Recorder, Source, Taps, unfinished
from aldis.kernel.errors import AldisError, NeedsPerson, VerificationFailed
from aldis.kernel.labels import Label

__all__ = ["Tape"]

_BANNER_MS = 1_000  # as long as a marking of the settings counts as read
_BANNERS = 256
_P = ParamSpec("_P")
_log = structlog.get_logger()


class Tape:
    """A recording where the settings ask for one, else nothing; see `recorder.Taps` for the three taps.

    One that was never closed, as after a crash, goes on.

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
        self._recorder = _recorder(place, context, marking)
        self._taps = Taps(self._recorder)
        _log.info("recording", file=str(self._recorder.segments[0]))

    @property
    def runs(self) -> bool:
        """Whether anything is recorded."""
        return self._recorder is not None

    def native(self, source: Source, protocol: str, piece: Piece, at_us: int, *, begins: bool) -> None:
        """Bytes that came from a system, of a connection that begins with them or not; of strange ones no protocol."""
        if self._recorder is not None:
            self._write(
                self._taps.native, source, self.marking, protocol, piece.data, at_us, piece.peer,
                begins=begins, ended=piece.ended,
            )  # fmt: skip

    def entity(self, system: str, marking: str, decoded: Decoded, record: str, at_us: int | None = None) -> None:
        """What they said, and the id of its record; without a time, what this node itself concludes of the system."""
        if self._recorder is not None:
            by, at = ("", at_us) if at_us is not None else (OWN, self._context.now() * 1000)
            self._write(self._taps.entity, system, marking, decoded, at, record=record, protocol=by)

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
            now = self._context.now()
            marking = self._banner(tuple(labels), now)
            self._write(
                self._taps.egress, system, marking, entity, now * 1000,
                protocol=protocol, messages=messages, record=record,
            )  # fmt: skip

    def crossed(
        self, node: str, labels: Iterable[Label], entity: Entity | Mapping[str, Any], at: int, *, left: bool, frame: str
    ) -> None:
        """What left for a partner node, or came from one, of values with these labels."""
        if self._recorder is not None:
            marking = self._banner(tuple(labels), at)
            self._write(self._taps.crossed, node, marking, entity, at * 1000, left=left, frame=frame)

    def _write(self, write: Callable[_P, None], *args: _P.args, **named: _P.kwargs) -> None:
        try:
            write(*args, **named)
        except AldisError as error:
            self.stop(error)

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
                self.stop(error)

    def stop(self, error: AldisError) -> None:
        """Go on without a tape; it ends with its last seal."""
        recorder, self._recorder = self._recorder, None
        _log.error("recording stopped", code=error.code, cause=str(error))
        if recorder is not None:
            with suppress(AldisError):
                recorder.close()


def _recorder(place: Recordings, context: Context, marking: str) -> Recorder:
    """A recorder that goes on with what was never closed, or begins anew."""
    folder, began = Path(place.folder), context.now()
    folder.mkdir(mode=0o700, exist_ok=True)
    name = datetime.fromtimestamp(began / 1000, UTC).strftime("%Y%m%d-%H%M%S")

    def made(run: str) -> Recorder:
        return Recorder(folder, run, place.signer, node=context.node, run=run, marking=marking, began_ms=began)

    left = unfinished(folder)
    if left:
        try:
            return made(left)
        except VerificationFailed as error:
            _log.error("no recording to go on with", code=error.code, cause=str(error))
    return made(name)
