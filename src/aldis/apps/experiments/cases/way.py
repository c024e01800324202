"""The way of what one system says to another: the streams along it, and the recordings that there are of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from aldis.apps.experiments.cases.evidence import NODE, Stream, Taken
from aldis.apps.experiments.cases.findings import Evidence
from aldis.apps.experiments.cases.seen import Seen

__all__ = ["Way", "split"]

_SHOWN = 3


def split(who: str) -> tuple[str, str]:
    """Node and system; no system where a node alone is meant."""
    node, _, system = who.partition("/")
    return node, system


@dataclass(frozen=True)
class Way:
    """From a system to another, or to a node alone, for one class of messages; `only` some records if it says which.

    A node alone is a source too, of what its people ask: `only` then says which records these are.
    """

    taken: Taken
    source: str
    target: str
    kind: str
    only: frozenset[str] | None = None

    @cached_property
    def said(self) -> Sequence[Seen]:
        """What the source said, as its node decoded it; of a node alone, what of its own left it or was sent there."""
        if not split(self.source)[1]:
            return self._seen(self.left or self.sent) if self.only is not None else []
        return self._seen(self.source_streams())

    @cached_property
    def records(self) -> frozenset[str]:
        """The ids of what the source spoke of."""
        return frozenset(one.record for one in self.said)

    @cached_property
    def left(self) -> Sequence[Stream]:
        """What left the source's node for the target's; nothing where both are one."""
        (node, _), (there, _) = split(self.source), split(self.target)
        found = None if node == there else self.taken.stream(node, "egress", NODE + there, self.kind)
        return [found] if found is not None else []

    @cached_property
    def arrived(self) -> Sequence[Stream]:
        """What came to the target's node from others; from any, since one may pass it on."""
        (node, _), (there, _) = split(self.source), split(self.target)
        if node == there:
            return []
        return [one for one in self.taken.at(there, "entity", self.kind) if one.place[2].startswith(NODE)]

    @cached_property
    def sent(self) -> Sequence[Stream]:
        """What the target was sent; of a node alone, what arrived there."""
        there, system = split(self.target)
        if not system:
            return self.arrived
        found = self.taken.stream(there, "egress", system, self.kind)
        return [found] if found is not None else []

    @cached_property
    def reached(self) -> Sequence[Seen]:
        """What of the source's reached the target."""
        return [one for one in self._seen(self.sent) if one.record in self.records]

    @property
    def missing(self) -> Sequence[str]:
        """The nodes along it of which there is no recording."""
        return sorted({split(one)[0] for one in (self.source, self.target)} - self.taken.nodes)

    @property
    def lacking(self) -> Sequence[str]:
        """Those of which a recording is not whole."""
        return sorted({split(one)[0] for one in (self.source, self.target)} & self.taken.lacking)

    def fields(self, streams: Sequence[Stream]) -> Mapping[str, tuple[Stream, Seen]]:
        """The fields that streams had of the source's records, and where each was first seen."""
        found: dict[str, tuple[Stream, Seen]] = {}
        for record, path, stream, seen in self.each_field(streams):
            if record in self.records:
                found.setdefault(path, (stream, seen))
        return found

    def each_field(self, streams: Sequence[Stream]) -> Iterator[tuple[str, str, Stream, Seen]]:
        """The fields of each record: record, path, and where it was first seen; keys are none."""
        for stream in streams:
            for record, fields in stream.fields.items():
                if self.only is None or record in self.only:
                    for path, seen in fields.items():
                        if path != "key":
                            yield record, path, stream, seen

    def source_streams(self) -> Sequence[Stream]:
        """What its node decoded of the source, as streams."""
        node, system = split(self.source)
        found = self.taken.stream(node, "entity", system, self.kind)
        return [found] if found is not None else []

    def evidence(self, streams: Sequence[Stream], *some: Seen | None) -> tuple[Evidence, ...]:
        """Where to look for a few reports, each of one of these streams."""
        found = []
        for seen in some[:_SHOWN]:
            for stream in streams:
                if seen is not None and seen.record in stream.keys and _holds(stream, seen):
                    found.append(self.taken.evidence(stream, seen))
                    break
        return tuple(found)

    def _seen(self, streams: Sequence[Stream]) -> Sequence[Seen]:
        if len(streams) == 1 and self.only is None:
            return streams[0].seen
        found = [seen for one in streams for seen in one.seen if self.only is None or seen.record in self.only]
        return sorted(found, key=lambda one: (one.at_us, one.file, one.sequence)) if len(streams) > 1 else found


def _holds(stream: Stream, seen: Seen) -> bool:
    """Whether a report is one of this stream's."""
    at = bisect_left(stream.seen, seen.at_us, key=lambda one: one.at_us)
    while at < len(stream.seen) and stream.seen[at].at_us == seen.at_us:
        if stream.seen[at] is seen:
            return True
        at += 1
    return False
