"""What a recording holds, message by message, in the order of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path

import msgspec

from aldis.apps.experiments.recorder.container import (
    HEAD,
    Broken,
    Op,
    message_head,
    read_channel,
    read_chunk,
    records_in,
)
from aldis.apps.experiments.recorder.scan import Scan
from aldis.kernel.errors import VerificationFailed

__all__ = ["Channels", "Message", "messages", "messages_in", "recorded"]

_time = attrgetter("log_ns")
_BODY = HEAD.size + 22  # from the start of a message's record to its data
Channels = dict[int, tuple[str, Mapping[str, str]]]
"""The topic of each channel of a file, and what it states."""
_UNSTATED: Mapping[str, str] = {"tap": "", "name": "", "kind": "", "marking": ""}


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message; times in ns since 1970 UTC. `about` is what its channel states of it.

    It has a tap, a name, a kind and a marking in any case, "" where the channel of another program states none.
    """

    topic: str
    about: Mapping[str, str]
    sequence: int
    log_ns: int
    data: bytes


def messages(path: Path, covered: int) -> Iterator[Message]:
    """The messages in the first `covered` bytes of a file, as `verify` found them, by log time.

    Messages of one time come in the order in which they were recorded. Only what of the file is out of order is held
    in memory at once.

    Raises:
        VerificationFailed: the file is not the one that was verified.
        OSError: it cannot be read.
    """
    try:
        yield from _ordered(path, covered)
    except Broken as error:
        raise VerificationFailed(f"{path}: {error}", fix="Verify it again: it changed while it was read") from error


def recorded(path: Path, covered: int) -> Iterator[Message]:
    """The messages in the first `covered` bytes of a file, in the order in which they were recorded.

    Where a clock was set back meanwhile, that is another order than that of time; raises as `messages`.
    """
    try:
        with path.open("rb") as file:
            channels: Channels = {}
            for at, length, _ in list(Scan.of(path, file).chunks(covered)):
                file.seek(at)
                yield from messages_in(read_chunk(file.read(length)[HEAD.size :])[2], channels)
    except Broken as error:
        raise VerificationFailed(f"{path}: {error}", fix="Verify it again: it changed while it was read") from error


def _ordered(path: Path, covered: int) -> Iterator[Message]:
    with path.open("rb") as file:
        chunks = list(Scan.of(path, file).chunks(covered))
        earliest, later = 2**64, []
        for _, _, start_ns in reversed(chunks):
            later.append(earliest)
            earliest = min(earliest, start_ns)
        waiting: list[Message] = []
        channels: Channels = {}
        for (at, length, _), until in zip(chunks, reversed(later), strict=True):
            file.seek(at)
            waiting += messages_in(read_chunk(file.read(length)[HEAD.size :])[2], channels)
            waiting.sort(key=_time)
            ready = bisect_left(waiting, until, key=_time)
            yield from waiting[:ready]
            del waiting[:ready]
        yield from waiting


def messages_in(records: bytes, channels: Channels) -> Iterator[Message]:
    """The messages of a chunk, as they were recorded; its channels are added to those known."""
    message = int(Op.MESSAGE)
    for op, start, end in records_in(records):
        if op == message:
            number, sequence, log_ns, _ = message_head(records, start)
            if number not in channels:
                raise Broken("a message of no channel")
            topic, about = channels[number]
            yield Message(topic, about, sequence, log_ns, records[start + _BODY : end])
        elif op == Op.CHANNEL:
            channel = read_channel(records[start + HEAD.size : end])
            channels[channel.id] = (channel.topic, {**_UNSTATED, **channel.metadata})
