"""Recording to disk: what was written is on disk within the time between two syncs, sealed, whatever happens then."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from aldis.apps.experiments.recorder import container
from aldis.apps.experiments.recorder.container import Channel, Op
from aldis.apps.experiments.recorder.files import check_left, segments_of, sync_folder
from aldis.apps.experiments.recorder.seal import Opening, key_text
from aldis.apps.experiments.recorder.segment import Segment
from aldis.apps.experiments.recorder.verify import verify
from aldis.kernel.errors import AldisError, InvalidInput, TooLarge, Unavailable, VerificationFailed
from aldis.kernel.signatures import Signer

__all__ = ["MOST_MESSAGE", "Recorder"]

MOST_MESSAGE = 1024 * 1024
"""The greatest size of one message's data."""
_CHUNK = 1024 * 1024
_message = container.message
_LATEST = 2**63
_DECLARED = 512 * 1024
_WAITING = 64 * 1024 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_TOPIC = re.compile(r"[!-~]{1,256}")


class Recorder:
    """A recording of one node, in files `NAME-0001.mcap` and on, each at most about `segment_bytes` long.

    What is written is on disk at most `sync_ms` later, or once `flush` returns; a thread of its own puts it there, and
    whoever writes faster than the disk waits. Where files of this name are there already, as after a crash, the chain
    goes on from the last. A recorder may be used from several threads. It stops at the first failure: the file then
    ends with its last seal, and every later call says why.
    """

    def __init__(
        self, folder: Path, name: str, signer: Signer, *, node: str, run: str, marking: str, began_ms: int,
        sync_ms: int = 200, segment_bytes: int = 256 * 1024 * 1024, most_bytes: int = 64 * 1024**3,
    ) -> None:  # fmt: skip
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"no name for a recording: {name[:80]!r}", fix="Use lower-case letters, digits and -")
        self.segments: list[Path] = []
        self._folder, self._name, self._signer = folder, name, signer
        self._opening = Opening(node=node, run=run, marking=marking, began=began_ms, key=key_text(signer.public))
        self._sync_s, self._segment_bytes, self._most = sync_ms / 1000, segment_bytes, most_bytes
        self._lock = threading.Lock()
        self._turn = threading.Condition(self._lock)
        self._records: list[bytes] = []
        self._waiting = 0
        self._asked = self._done = 0
        self._closing = False
        self._failure: AldisError | None = None
        self._sequences: dict[int, int] = {}
        self._schemas: dict[tuple[str, bytes], int] = {}
        self._declared: list[bytes] = []
        self._total = 0
        self._handle = -1
        self._segment = self._open(*self._found())
        self._thread = threading.Thread(target=self._work, name=f"recording {name}", daemon=True)
        self._thread.start()

    def channel(self, topic: str, schema: tuple[str, bytes], about: Mapping[str, str]) -> int:
        """A new channel for JSON messages of a JSON schema (its name and text); `about` says what they are.

        Raises:
            InvalidInput: the topic cannot be one.
            TooLarge: too much is said of it, or there are 65,535 already.
            Unavailable, TooLarge: the recording has stopped.
        """
        if not _TOPIC.fullmatch(topic):
            raise InvalidInput(f"no topic of a recording: {topic[:80]!r}", fix="Use printable ASCII without spaces")
        size = len(schema[0]) + len(schema[1]) + sum(len(name) + len(text) for name, text in about.items())
        if size > _DECLARED:
            raise TooLarge(f"a channel with {size} bytes about it; the limit is {_DECLARED}", fix="Say less")
        with self._turn:
            self._check()
            if len(self._sequences) >= 0xFFFF:
                raise TooLarge("a recording has at most 65,535 channels", fix="Begin another recording")
            schema_id = self._schemas.get(schema)
            if schema_id is None:
                schema_id = self._schemas[schema] = len(self._schemas) + 1
                self._add(container.schema(schema_id, schema[0], "jsonschema", schema[1]))
            made = Channel(len(self._sequences) + 1, schema_id, topic, "json", about)
            self._sequences[made.id] = 0
            self._add(container.channel(made))
            return made.id

    def write(self, channel: int, log_ns: int, data: bytes, publish_ns: int | None = None) -> None:
        """Record a message; times in ns since 1970 UTC.

        Raises:
            InvalidInput: no such channel, or no such time.
            TooLarge: it is over a MiB.
            Unavailable, TooLarge: the recording has stopped.
        """
        if not (channel in self._sequences and 0 <= log_ns < _LATEST):
            raise InvalidInput(f"no channel {channel}, or no time: {log_ns}", fix="Declare it; times are ns since 1970")
        if len(data) > MOST_MESSAGE:
            raise TooLarge(f"a message of {len(data)} bytes; the limit is {MOST_MESSAGE}", fix="Record it in parts")
        with self._lock:
            waiting = self._waiting
            if self._closing or waiting > _WAITING or self._failure is not None:
                self._wait()
            sequence = self._sequences[channel] = (self._sequences[channel] + 1) & 0xFFFFFFFF
            record = _message(channel, sequence, log_ns, log_ns if publish_ns is None else publish_ns, data)
            self._records.append(record)
            self._waiting += len(record)
            if waiting < _CHUNK <= self._waiting:
                self._turn.notify_all()

    def flush(self) -> None:
        """Return once all that was written is on disk, and sealed.

        Raises:
            Unavailable, TooLarge: the recording has stopped.
        """
        with self._turn:
            self._check()
            self._asked += 1
            asked = self._asked
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._done >= asked or self._failure is not None)
            self._check()

    def close(self) -> None:
        """Seal the whole file. Closing twice does nothing more.

        Raises:
            Unavailable, TooLarge: the recording stopped before, and ends with its last seal.
        """
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Recorder:
        """This recorder; it is closed at the end of the block."""
        return self

    def __exit__(self, kind: object, *_rest: object) -> None:
        """Close; an error from the block itself goes before one of closing."""
        with contextlib.suppress(*(() if kind is None else (AldisError,))):
            self.close()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closing:
            raise Unavailable("the recording is closed", fix="Begin another recording")

    def _wait(self) -> None:
        self._turn.wait_for(lambda: self._waiting <= _WAITING or self._failure is not None or self._closing)
        self._check()

    def _add(self, record: bytes) -> None:
        self._records.append(record)
        self._waiting += len(record)

    def _found(self) -> tuple[int, str]:
        """The number of the first segment to write, and the head before it."""
        for path in reversed(segments_of(self._folder, self._name)):
            check_left(path)
            findings = verify(path, self._signer.public)
            if findings.state in ("altered", "foreign"):
                raise VerificationFailed(
                    f"{path.name} is not as this node recorded it: {findings.wrong}",
                    fix="Keep it as evidence, and begin a recording of another name",
                )
            if findings.opening is not None:
                return findings.opening.segment + 1, findings.head
            path.unlink()  # cut before its first seal: nothing was recorded in it yet
        return 1, ""

    def _open(self, number: int, previous: str) -> Segment:
        path = self._folder / f"{self._name}-{number:04}.mcap"
        fields = {name: getattr(self._opening, name) for name in ("node", "run", "marking", "began", "key")}
        segment = Segment(Opening(**fields, segment=number, previous=previous), self._signer)
        try:
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._put(segment.begin(), 0)
            sync_folder(self._folder)
        except OSError as error:
            raise _stopped(error, path) from error
        self.segments.append(path)
        return segment

    def _put(self, parts: Sequence[bytes], at: int) -> None:
        """Append, and return once it is on disk; what was written in part is taken back."""
        try:
            for part in parts:
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(self._handle, rest) :]
            os.fsync(self._handle)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, at)
                os.fsync(self._handle)
            os.close(self._handle)
            raise
        self._total += sum(map(len, parts))

    def _work(self) -> None:
        try:
            while self._round():
                pass
            self._end()
        except OSError as error:
            self._fail(_stopped(error, self.segments[-1]))
        except AldisError as error:
            self._fail(error)
        except BaseException as error:
            self._fail(Unavailable(f"the recording stopped: {error!r}", fix="Tell its makers: this is a fault"))
            raise

    def _fail(self, error: AldisError) -> None:
        with self._turn:
            self._failure = error
            self._records, self._waiting = [], 0
            self._turn.notify_all()

    def _round(self) -> bool:
        """Put what waits on disk; False once the recording is to be closed and nothing waits."""
        with self._turn:
            self._turn.wait_for(
                lambda: self._closing or self._asked > self._done or self._waiting >= _CHUNK, timeout=self._sync_s
            )
            records, asked, closing = self._records, self._asked, self._closing
            self._records, self._waiting = [], 0
            self._turn.notify_all()
        if records:
            if self._segment.size >= self._segment_bytes:
                self._roll()
            self._append(records)
            self._declared += [record for record in records if record[0] != Op.MESSAGE]
        with self._turn:
            self._done = asked
            self._turn.notify_all()
            return not (closing and not self._records)

    def _append(self, records: list[bytes]) -> None:
        at = self._segment.size
        self._put([part for group in _grouped(records) for part in self._segment.group(group)], at)

    def _roll(self) -> None:
        number, head = self._segment.opening.segment, self._segment.head.hex()
        self._end()
        if self._total >= self._most:
            raise TooLarge(f"the recording {self._name} has {self._total} bytes, its limit", fix="Begin another one")
        self._segment = self._open(number + 1, head)
        if self._declared:
            self._append(self._declared)

    def _end(self) -> None:
        at = self._segment.size
        self._put(self._segment.end(), at)
        os.close(self._handle)


def _grouped(records: list[bytes]) -> list[list[bytes]]:
    groups: list[list[bytes]] = [[]]
    size = 0
    for record in records:
        if size >= _CHUNK:
            groups.append([])
            size = 0
        groups[-1].append(record)
        size += len(record)
    return groups


def _stopped(error: OSError, path: Path) -> Unavailable:
    return Unavailable(
        f"the recording stopped: {path}: {error.strerror}",
        fix="Free some space, then begin again: the recording goes on in a new file",
    )
