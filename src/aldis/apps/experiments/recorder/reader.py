"""What a recording holds, message by message, in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

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

__all__ = ["Message", "messages"]

_BODY = HEAD.size + 22  # from the start of a message's record to its data


@dataclass(frozen=True, slots=True)
class Message:
    """One message; times in ns since 1970 UTC. `about` is its channel's: tap, name, marking and what it holds."""

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


def _ordered(path: Path, covered: int) -> Iterator[Message]:
    with path.open("rb") as file:
        chunks = list(Scan.of(path, file).chunks(covered))
        earliest, later = 2**64, []
        for _, _, start_ns in reversed(chunks):
            later.append(earliest)
            earliest = min(earliest, start_ns)
        waiting: list[tuple[int, int, Message]] = []
        channels: dict[int, tuple[str, Mapping[str, str]]] = {}
        count = 0
        for (at, length, _), until in zip(chunks, reversed(later), strict=True):
            file.seek(at)
            _, _, records = read_chunk(file.read(length)[HEAD.size :])
            for op, start, end in records_in(records):
                if op == Op.MESSAGE:
                    number, sequence, log_ns, _ = message_head(records, start)
                    if number not in channels:
                        raise Broken("a message of no channel")
                    made = Message(*channels[number], sequence, log_ns, records[start + _BODY : end])
                    count += 1
                    heapq.heappush(waiting, (log_ns, count, made))
                elif op == Op.CHANNEL:
                    channel = read_channel(records[start + HEAD.size : end])
                    channels[channel.id] = (channel.topic, channel.metadata)
            while waiting and waiting[0][0] < until:
                yield heapq.heappop(waiting)[2]
        while waiting:
            yield heapq.heappop(waiting)[2]
