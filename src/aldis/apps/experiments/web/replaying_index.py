"""Where in a recording what is: states of its picture at some of its chunks, from which any instant is near.

The fold: messages in the order in which they were recorded. By an instant they are all those before the first that is
later, so that one instant is one picture, however one came to it, and a clock that was set back shows nothing twice.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from aldis.apps.experiments.entity import GROUPS
from aldis.apps.experiments.kinds import TRACK
from aldis.apps.experiments.recorder.container import HEAD, Broken, read_chunk
from aldis.apps.experiments.recorder.reader import Channels, Message, messages_in
from aldis.apps.experiments.recorder.scan import Scan
from aldis.kernel.errors import VerificationFailed

__all__ = ["MOST", "Head", "Index", "Known", "Slot", "index"]

MOST = 2_000
"""Things that a picture has at most: beyond it the one not heard of for the longest is let go."""
_FRAMES = 64
_SHARE = 0.5
"""The part of a core that making an index takes at most, for a node works beside it."""
_ONE_REPORT = frozenset({"position", "motion", "timing", "markings", "residue"})
"""What a report says anew or not at all."""


class Slot(msgspec.Struct, frozen=True):
    """What is known apart: at a tap, by a system or node, of a record, and under one marking."""

    tap: str
    name: str
    record: str
    marking: str


Known = Mapping[str, tuple[Mapping[str, Any], int]]
"""The groups of a track, each with when it was recorded, in ns since 1970 UTC."""
State = dict[Slot, Known]


class _Said(msgspec.Struct, frozen=True):
    entity: dict[str, msgspec.Raw]
    record: str = ""


_said = msgspec.json.Decoder(_Said)
_group = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class _Chunk:
    file: int
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """The state before a chunk, and the latest time of any message before it."""

    chunk: int
    reach: int
    state: State


@dataclass(slots=True)
class Index:
    """A recording's files, their chunks, and the states to begin from; times in ns since 1970 UTC."""

    files: list[tuple[Path, Channels]] = field(default_factory=list)
    chunks: list[_Chunk] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    first: int = 0
    last: int = 0

    def messages(self, chunk: int) -> Iterator[Message]:
        """The messages of a chunk.

        Raises:
            VerificationFailed: it is not what was verified.
        """
        one = self.chunks[chunk]
        path, channels = self.files[one.file]
        try:
            with path.open("rb") as file:
                file.seek(one.at)
                yield from messages_in(read_chunk(file.read(one.length)[HEAD.size :])[2], channels)
        except (Broken, OSError) as error:
            raise VerificationFailed(f"{path.name}: {error}", fix="It changed while it was read: look again") from error


class Head:
    """A place in a recording that goes forward, and back by way of the states that the index keeps."""

    def __init__(self, made: Index) -> None:
        self._index = made
        self._starts = [frame.reach for frame in made.frames]
        self._at = -1
        self._state: State = {}
        self._reach = self._chunk = 0
        self._coming: Iterator[Message] = iter(())
        self._next: Message | None = None
        self._begin(0)

    def to(self, instant: int) -> Mapping[Slot, Known]:
        """The picture at an instant."""
        frame = max(0, bisect_right(self._starts, instant) - 1)
        if instant < self._at or (self._index.frames and self._index.frames[frame].chunk > self._chunk):
            self._begin(frame)
        self._at = instant
        while self._next is not None and max(self._reach, self._next.log_ns) <= instant:
            self._reach = max(self._reach, self._next.log_ns)
            fold(self._state, self._next)
            self._next = next(self._coming, None)
        return self._state

    def _begin(self, frame: int) -> None:
        found = self._index.frames[frame] if self._index.frames else _Frame(0, 0, {})
        self._state, self._reach, self._chunk = dict(found.state), found.reach, found.chunk
        self._coming = self._from(found.chunk)
        self._next = next(self._coming, None)

    def _from(self, chunk: int) -> Iterator[Message]:
        for number in range(chunk, len(self._index.chunks)):
            self._chunk = number
            yield from self._index.messages(number)


def index(files: Mapping[Path, int], *, share: float = _SHARE) -> Index:
    """The index of a recording's files, in order, each as far as it was verified.

    Raises:
        VerificationFailed: a file is not the one that was verified.
    """
    made, state, reach, stride = Index(), State(), 0, 1
    for path, covered in files.items():
        channels: Channels = {}
        made.files.append((path, channels))
        for at, length in _chunks(path, covered):
            began = time.monotonic()
            number = len(made.chunks)
            made.chunks.append(_Chunk(len(made.files) - 1, at, length))
            if number % stride == 0:
                made.frames.append(_Frame(number, reach, dict(state)))
            if len(made.frames) > _FRAMES:
                del made.frames[1::2]
                stride *= 2
            for message in made.messages(number):
                made.first = min(made.first or message.log_ns, message.log_ns)
                reach = max(reach, message.log_ns)
                fold(state, message)
            time.sleep((time.monotonic() - began) * (1 - share) / share)
    made.last = reach
    return made


def _chunks(path: Path, covered: int) -> list[tuple[int, int]]:
    try:
        with path.open("rb") as file:
            return [(at, length) for at, length, _ in Scan.of(path, file).chunks(covered)]
    except (Broken, OSError) as error:
        raise VerificationFailed(f"{path.name}: {error}", fix="It changed while it was read: look again") from error


def fold(state: State, message: Message) -> None:
    """Take what a message says of a track into a state; what says nothing of one changes nothing."""
    about = message.about
    if about["kind"] != TRACK.name or about["tap"] not in ("entity", "egress"):
        return
    try:
        said = _said.decode(message.data)
        groups = {name: _group.decode(raw) for name, raw in said.entity.items() if name in GROUPS}
    except msgspec.MsgspecError:
        return
    if not said.record:
        return
    slot = Slot(about["tap"], about["name"], said.record, about["marking"])
    known = dict(state.pop(slot, {}))
    for name, value in groups.items():
        before = known[name][0] if name in known and name not in _ONE_REPORT else {}
        known[name] = ({**before, **value}, message.log_ns)
    state[slot] = known
    if len(state) > MOST:
        del state[next(iter(state))]
