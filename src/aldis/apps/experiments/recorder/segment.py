"""One file of a recording, as the bytes to append to it. It knows no disk: what it gave must be written, in order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from aldis.apps.experiments.recorder import container
from aldis.apps.experiments.recorder.container import HEAD, MAGIC, Op
from aldis.apps.experiments.recorder.seal import CONTEXT, Opening, Seal, blank_of, chained
from aldis.kernel.encoding import b64
from aldis.kernel.signatures import Signer

__all__ = ["Segment"]

_PROFILE = "aldis"
_LIBRARY = "aldis recording 1"


class Segment:
    """Opening, then groups of a chunk, its indexes and a seal, then the closing seal and the summary."""

    def __init__(self, opening: Opening, signer: Signer) -> None:
        self.opening = opening
        self.head = opening.head
        self.messages = 0
        self.size = 0
        self._signer = signer
        self._blank = blank_of(signer)
        self._hash = hashlib.sha256()
        self._seals = 0
        self._declared: list[bytes] = []
        self._counts: dict[int, int] = {}
        self._chunks: list[bytes] = []
        self._span = (0, 0)
        self._opened_at = 0

    def begin(self) -> Sequence[bytes]:
        """The start of the file, sealed."""
        front = MAGIC + container.header(_PROFILE, _LIBRARY)
        self._opened_at = len(front)
        return self._sealed([front, self.opening.record()], b"")

    def group(self, records: Sequence[bytes]) -> Sequence[bytes]:
        """A chunk of schemas, channels and messages, sealed."""
        self.head, links = chained(self.head, records)
        indexes, body = self._indexed(records), b"".join(records)
        span = self._spanned(indexes)
        parts = [container.chunk_front(*span, body), body]
        places, length = {}, len(parts[0]) + len(body)
        at = end = self.size + length
        for channel_id, pairs in indexes.items():
            places[channel_id] = at
            parts.append(container.message_index(channel_id, pairs))
            at += len(parts[-1])
        self._chunks.append(container.chunk_index(span, (self.size, length), places, at - end, len(body)))
        return self._sealed(parts, links)

    def end(self) -> Sequence[bytes]:
        """The closing seal, whose signature is over every byte of the file, and the summary."""
        draft = Seal(
            number=self._seals + 1, messages=self.messages, head=self.head, links=b"", size=0, closing=True,
            signature=self._blank,
        )  # fmt: skip
        length = len(draft.blank())
        tail = self._tail(length)
        whole = Seal(
            number=draft.number, messages=draft.messages, head=draft.head, links=b"", closing=True,
            size=self.size + length + len(tail), signature=self._blank,
        )  # fmt: skip
        digest = self._hash.copy()
        digest.update(whole.blank())
        digest.update(tail)
        signed = whole.record(b64(self._signer.sign(CONTEXT, digest.digest())))
        self.size = whole.size
        return [signed, tail]

    def _sealed(self, parts: list[bytes], links: bytes) -> Sequence[bytes]:
        for part in parts:
            self._hash.update(part)
            self.size += len(part)
        self._seals += 1
        seal = Seal(
            number=self._seals, messages=self.messages, head=self.head, links=links, size=0, closing=False,
            signature=self._blank,
        )  # fmt: skip
        digest = self._hash.copy()
        digest.update(seal.blank())
        record = seal.record(b64(self._signer.sign(CONTEXT, digest.digest())))
        self._hash.update(record)
        self.size += len(record)
        return [*parts, record]

    def _indexed(self, records: Sequence[bytes]) -> dict[int, list[int]]:
        """Log time and offset of each message, one after the other, by channel."""
        indexes: dict[int, list[int]] = {}
        at, place, message = 0, container.message_place, int(Op.MESSAGE)
        for record in records:
            if record[0] == message:
                channel_id, log_ns = place(record)
                pairs = indexes.get(channel_id)
                if pairs is None:
                    pairs = indexes[channel_id] = []
                pairs += (log_ns, at)
            else:
                self._declared.append(record)
            at += len(record)
        return indexes

    def _spanned(self, indexes: Mapping[int, Sequence[int]]) -> tuple[int, int]:
        """The earliest and the latest log time of a group, which is counted; zeros where it has no message."""
        spans = [(min(pairs[::2]), max(pairs[::2])) for pairs in indexes.values()]
        if not spans:
            return 0, 0
        span = min(first for first, _ in spans), max(last for _, last in spans)
        self._span = (min(self._span[0], span[0]), max(self._span[1], span[1])) if self.messages else span
        for channel_id, pairs in indexes.items():
            self._counts[channel_id] = self._counts.get(channel_id, 0) + len(pairs) // 2
            self.messages += len(pairs) // 2
        return span

    def _tail(self, closing_size: int) -> bytes:
        """All that follows the closing seal, which begins at `self.size`."""
        schemas = [record for record in self._declared if record[0] == Op.SCHEMA]
        channels = [record for record in self._declared if record[0] == Op.CHANNEL]
        opened = len(self.opening.record())
        counts = {container.read_channel(record[HEAD.size :]).id: 0 for record in channels} | self._counts
        groups = {
            Op.SCHEMA: schemas,
            Op.CHANNEL: channels,
            Op.STATISTICS: [
                container.statistics(counts, len(schemas), self._seals + 2, len(self._chunks), *self._span)
            ],
            Op.CHUNK_INDEX: self._chunks,
            Op.METADATA_INDEX: [
                container.metadata_index(self._opened_at, opened, "aldis.opening"),
                container.metadata_index(self.size, closing_size, "aldis.close"),
            ],
        }
        end = container.data_end()
        start = at = self.size + closing_size + len(end)
        parts, offsets = [], []
        for op, records in groups.items():
            body = b"".join(records)
            if body:
                parts.append(body)
                offsets.append(container.summary_offset(op, at, len(body)))
                at += len(body)
        summary = b"".join(parts + offsets)
        return end + summary + container.footer(summary, start, at) + MAGIC
