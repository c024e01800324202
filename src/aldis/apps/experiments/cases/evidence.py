"""What recordings of one or several nations hold, stream by stream: what was seen of which record, when, and where.

One pass over each file. A stream is what one tap of one node took of one name and one kind. Streams of several nations
are joined on the ids of records. Of a report is kept where and when it was true, and the names of its fields.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from aldis.apps.experiments.cases.fidelity import Mirror, Reading
from aldis.apps.experiments.cases.findings import Evidence, Recorded
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.entity import Entity, Identity, Track
from aldis.apps.experiments.entity.reckoning import predicted
from aldis.apps.experiments.gateways.layout import flat
from aldis.apps.experiments.gateways.registry import PROTOCOLS
from aldis.apps.experiments.recorder import Findings, Message, gaps, key_text, messages, read_native, read_told, verify
from aldis.kernel.errors import InvalidInput, TooLarge, VerificationFailed
from aldis.kernel.signatures import Key

__all__ = ["MOST_REPORTS", "NODE", "Place", "Stream", "Taken", "take"]

MOST_REPORTS = 4_000_000
_THINGS = 100_000
NODE = "node:"
"""What the name of a tap towards a partner node begins with."""
Place = tuple[str, str, str, str]
"""Node, tap, name and class of a stream."""
_CLASS = {"task": "tasking"}
_OWN = "aldis"
"""Stands as the protocol beside what a node itself concludes of a system, which no bytes of the system said."""
Told = Callable[[int, int | None], None]


@dataclass(slots=True)
class Stream:
    """What one tap took of one name and class, in the order of time.

    `fields` are those seen of each record and where first; `keys` the ids it went by; `things` what is no track.
    """

    place: Place
    topic: str
    seen: list[Seen] = field(default_factory=list)
    fields: dict[str, dict[str, Seen]] = field(default_factory=dict)
    keys: dict[str, dict[str, Seen]] = field(default_factory=dict)
    things: list[tuple[Seen, Entity]] = field(default_factory=list)
    protocols: set[str] = field(default_factory=set)
    mirrors: dict[str, Mirror] = field(default_factory=dict)

    @property
    def concluded(self) -> bool:
        """Whether all of it is the node's own conclusion."""
        return self.protocols == {_OWN}


@dataclass(slots=True)
class Taken:
    """All that is there: the files, the streams, what of each system's bytes could be read, and which nodes lack some.

    `lacking` are nodes of which a recording was never closed, or a file is missing. `crossed` says of the live frames
    from one node to another when each left and when it came, by their clocks.
    """

    files: Sequence[Recorded]
    streams: Mapping[Place, Stream]
    readings: Mapping[tuple[str, str], Reading]
    lacking: frozenset[str]
    crossed: Mapping[tuple[str, str], Sequence[tuple[int, int]]]
    began_us: int
    ended_us: int

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes of which there is a recording."""
        return frozenset(one.node for one in self.files)

    def stream(self, node: str, tap: str, name: str, kind: str) -> Stream | None:
        """One of them."""
        return self.streams.get((node, tap, name, kind))

    def at(self, node: str, tap: str, kind: str) -> Iterator[Stream]:
        """All of one tap of a node, by name."""
        return (one for place, one in self.streams.items() if (place[0], place[1], place[3]) == (node, tap, kind))

    def evidence(self, stream: Stream, seen: Seen) -> Evidence:
        """Where to look for it."""
        head = self.files[seen.file].head
        return Evidence(recording=head, topic=stream.topic, sequence=seen.sequence, at_us=seen.at_us)


def take(files: Iterable[Path], keys: Mapping[str, Key] | Key | None, told: Told | None = None) -> Taken:
    """Verify recordings and read them; the order of the files does not matter.

    Args:
        files: those of any number of nodes.
        keys: with which each node is to have sealed its own, by its name; one for all; None to believe what they say.
        told: is told how many messages were read, and of how many.

    Raises:
        VerificationFailed: a file is altered, or sealed with another key.
        InvalidInput: a file has no opening, or a message cannot be read.
        TooLarge: more than `MOST_REPORTS` reports.
        OSError: a file cannot be read.
    """
    found = {path: verify(path, keys if isinstance(keys, Key) else None) for path in dict.fromkeys(files)}
    once: dict[str, Path] = {}
    for path, one in found.items():
        _check(path, one, keys if isinstance(keys, Mapping) else {})
        once.setdefault(one.head, path)
    order = sorted(once.values(), key=lambda path: _order(found[path]))
    into = _Into(told, sum(found[path].messages for path in order))
    for number, path in enumerate(order):
        opening = found[path].opening
        assert opening is not None
        for message in messages(path, found[path].covered):
            into.take(opening.node, number, message)
    read = [_recorded(path, found[path], into.markings[number]) for number, path in enumerate(order)]
    return into.taken(read, _lacking([found[path] for path in order]))


def _check(path: Path, one: Findings, keys: Mapping[str, Key]) -> None:
    if one.state in ("altered", "foreign"):
        raise VerificationFailed(f"{path}: {one.wrong}", fix="Nothing is judged by it: ask its node for a copy")
    if one.opening is None:
        raise InvalidInput(f"{path} ends before its opening", fix="Leave it out: nothing of it can be believed")
    expected = keys.get(one.opening.node)
    if expected is not None and key_text(expected) != one.signer:
        raise VerificationFailed(
            f"{path}: it was sealed with another key than that of {one.opening.node}",
            fix="Nothing is judged by it: ask its node for a copy",
        )


def _order(one: Findings) -> tuple[str, str, int, str]:
    assert one.opening is not None
    return one.opening.node, one.opening.run, one.opening.segment, one.head


def _recorded(path: Path, one: Findings, markings: Collection[str]) -> Recorded:
    """What a file is marked with is that of the whole of it and of each of its channels, as banners side by side."""
    assert one.opening is not None
    banners = {banner for marking in (one.opening.marking, *markings) for banner in marking.split("; ") if banner}
    return Recorded(
        file=path.name, node=one.opening.node, run=one.opening.run, segment=one.opening.segment, head=one.head,
        signer=one.signer, state=one.state, messages=one.messages, marking="; ".join(sorted(banners)),
    )  # fmt: skip


def _lacking(found: Sequence[Findings]) -> frozenset[str]:
    """The nodes of whose recordings something is missing."""
    runs: dict[tuple[str, str], list[Findings]] = defaultdict(list)
    lacking = set()
    for one in found:
        if one.opening is not None:
            runs[one.opening.node, one.opening.run].append(one)
            if one.state != "intact":  # what came between it and a file that goes on from it was not recorded
                lacking.add(one.opening.node)
    return frozenset(lacking | {node for (node, _), several in runs.items() if gaps(several)})


class _Into:
    """Sorts messages into streams."""

    def __init__(self, told: Told | None, count: int) -> None:
        self._streams: dict[Place, Stream] = {}
        self._readings: dict[tuple[str, str], Reading] = {}
        self._identities: dict[bytes, Identity] = {}
        self._told, self._count, self._read = told, count, 0
        self._reports = 0
        self._times: list[int] = []
        self._mappings: dict[tuple[str, str], str] = {}
        self._frames: dict[tuple[str, str, str], list[int | None]] = {}
        self.markings: dict[int, set[str]] = defaultdict(set)
        """Of each file, what its messages are marked with."""

    def take(self, node: str, number: int, message: Message) -> None:
        """One message of a file."""
        self._read += 1
        if self._told is not None and self._read % 1000 == 0:
            self._told(self._read, self._count)
        tap, name, kind = (message.about[one] for one in ("tap", "name", "kind"))
        at_us = message.log_ns // 1000
        self._span(at_us)
        self.markings[number].add(message.about["marking"])
        if tap == "native":
            native = read_native(message)
            reading = self._readings.setdefault((node, name), Reading())
            mapping = message.about.get("mapping", "")
            if mapping:
                self._mappings[node, name] = mapping
            reading.feed(native, mapping, at_us)
        elif tap in ("entity", "egress") and kind not in ("fix", "bytes"):
            self._entity((node, tap, name, _CLASS.get(kind, kind)), number, message, at_us)

    def taken(self, files: Sequence[Recorded], lacking: frozenset[str]) -> Taken:
        """All of it, in order."""
        for _, reading in sorted(self._readings.items()):
            reading.end()
        for stream in self._streams.values():
            stream.seen.sort(key=lambda one: (one.at_us, one.file, one.sequence))
            stream.things.sort(key=lambda one: (one[0].at_us, one[0].file, one[0].sequence))
        began, ended = (self._times[0], self._times[1]) if self._times else (0, 0)
        crossed: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for (one, other, _), (left, came) in sorted(self._frames.items()):
            if left is not None and came is not None:
                crossed.setdefault((one, other), []).append((left, came))
        return Taken(files, dict(sorted(self._streams.items())), self._readings, lacking, crossed, began, ended)

    def _span(self, at_us: int) -> None:
        if not self._times:
            self._times = [at_us, at_us]
        elif at_us < self._times[0]:
            self._times[0] = at_us
        elif at_us > self._times[1]:
            self._times[1] = at_us

    def _entity(self, place: Place, number: int, message: Message, at_us: int) -> None:
        told = read_told(message)
        entity, record = told.entity, told.record or told.entity.key
        if place[1] == "egress" and predicted(entity):
            return  # by dead reckoning: no report
        self._reports += 1
        if self._reports > MOST_REPORTS:
            raise TooLarge(f"over {MOST_REPORTS} reports in these recordings", fix="Give fewer files at once")
        if told.frame:
            self._crossed(place, told.frame, at_us)
        stream = self._streams.get(place)
        if stream is None:
            stream = self._streams[place] = Stream(place, message.topic)
        where = identity = None
        if isinstance(entity, Track):
            position, identity = entity.position, self._same(entity.identity)
            where = (position.lat_deg, position.lon_deg, position.height_m) if position else None
        seen = Seen(record, at_us, _true_us(entity), number, message.sequence, where, identity)
        stream.seen.append(seen)
        known, values = stream.fields.setdefault(record, {}), flat(entity)
        for path in values:
            if path not in known:
                known[path] = seen
        stream.keys.setdefault(record, {}).setdefault(entity.key, seen)
        if not isinstance(entity, Track) and len(stream.things) < _THINGS:
            stream.things.append((seen, entity))
        if told.protocol or place[1] == "entity":
            stream.protocols.add(told.protocol)
            if told.messages:
                mirror = stream.mirrors.get(told.protocol)
                if mirror is None:
                    mapping = self._mappings.get((place[0], place[2]), "")
                    mirror = Mirror(told.protocol, "" if told.protocol in PROTOCOLS else mapping)
                    stream.mirrors[told.protocol] = mirror
                mirror.look(entity, values, told.messages, seen)

    def _crossed(self, place: Place, frame: str, at_us: int) -> None:
        """When a live frame left one node and came to another, by their clocks; the first of each counts."""
        node, tap, name, _ = place
        partner = name.removeprefix(NODE)
        pair = (node, partner) if tap == "egress" else (partner, node)
        times = self._frames.setdefault((*pair, frame), [None, None])
        side = 0 if tap == "egress" else 1
        if times[side] is None:
            times[side] = at_us

    def _same(self, identity: Identity | None) -> Identity | None:
        """One object for all that are equal, since most reports say what the one before said."""
        if identity is None:
            return None
        return self._identities.setdefault(msgspec.msgpack.encode(identity), identity)


def _true_us(entity: Entity) -> int | None:
    """When a report was true, in whole milliseconds, as far as it can be told where exact times were withheld."""
    position = getattr(entity, "position", None)
    if position is not None and position.at is not None:
        return int(position.at) * 1000
    if entity.timing is not None and entity.timing.source_us is not None:
        return entity.timing.source_us // 1000 * 1000
    at = getattr(entity, "at", None)
    return None if at is None else int(at) * 1000
