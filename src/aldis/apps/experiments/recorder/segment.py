"""One file of a recording, as the bytes to append to it. It knows no disk: what it gave must be written, in order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

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

    def begin(self) -> bytes:
        """The start of the file, sealed."""
        front = MAGIC + container.header(_PROFILE, _LIBRARY)
        self._opened_at = len(front)
        return self._sealed(front + self.opening.record(), b"")

    def group(self, records: Sequence[bytes]) -> bytes:
        """A chunk of schemas, channels and messages, sealed."""
        self.head, links = chained(self.head, records)
        indexes, span, body = self._indexed(records), self._span_of(records), b"".join(records)
        chunk = container.chunk(*span, body)
        places, parts, at = {}, [chunk], self.size + len(chunk)
        for channel_id, pairs in indexes.items():
            places[channel_id] = at
            parts.append(container.message_index(channel_id, pairs))
            at += len(parts[-1])
        after = at - self.size - len(chunk)
        self._chunks.append(container.chunk_index(span, (self.size, len(chunk)), places, after, len(body)))
        return self._sealed(b"".join(parts), links)

    def end(self) -> bytes:
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
        return signed + tail

    def _sealed(self, data: bytes, links: bytes) -> bytes:
        self._hash.update(data)
        self.size += len(data)
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
        return data + record

    def _indexed(self, records: Sequence[bytes]) -> dict[int, list[int]]:
        indexes: dict[int, list[int]] = {}
        at, head, counts = 0, container.message_head, self._counts
        for record in records:
            if record[0] == Op.MESSAGE:
                channel_id, _, log_ns, _ = head(record)
                pairs = indexes.get(channel_id)
                if pairs is None:
                    pairs = indexes[channel_id] = []
                pairs += (log_ns, at)
            else:
                self._declared.append(record)
            at += len(record)
        for channel_id, pairs in indexes.items():
            counts[channel_id] = counts.get(channel_id, 0) + len(pairs) // 2
        return indexes

    def _span_of(self, records: Sequence[bytes]) -> tuple[int, int]:
        times = [container.message_head(record)[2] for record in records if record[0] == Op.MESSAGE]
        if not times:
            return 0, 0
        span = min(times), max(times)
        self._span = (min(self._span[0], span[0]), max(self._span[1], span[1])) if self.messages else span
        self.messages += len(times)
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
