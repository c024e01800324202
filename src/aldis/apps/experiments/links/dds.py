"""A link over DDS with cyclonedds: samples of the topics it was given, both ways, their bytes as they are.

    dds://DOMAIN            on this machine alone, by the loopback address
    dds://DOMAIN?on=ADDRESS on the network that has this address of ours

| option | meaning |
|---|---|
| `on=ADDRESS` | the address of the one interface that is used; `127.0.0.1` by default |
| `peer=ADDRESS` | where to look for others, up to eight times; none is found by multicast |
| `multicast` | look for others, and let them find us, by multicast on that interface |

A participant of its own, in a domain whose configuration is made here and nowhere else (CYCLONEDDS_URI is not read);
see https://cyclonedds.io/docs/cyclonedds/latest/config/. A process configures a domain once: a second link to it
must say the same.

Reading asks for best effort and no history, which every writer offers. Writing is reliable, keeps the last sample of
each instance, and is CDR (XCDR1), which every vendor reads. What is disposed of says nothing here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aldis.apps.experiments.envelope import MAX_PAYLOAD, opened, sealed
from aldis.apps.experiments.gateways.gateway import missing
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.links.mailbox import WAITING, Mailbox
from aldis.kernel.errors import InvalidInput, Unavailable

try:
    from cyclonedds.core import (
        DDSException,
        GuardCondition,
        InstanceState,
        ReadCondition,
        SampleState,
        ViewState,
        WaitSet,
    )
    from cyclonedds.domain import Domain, DomainParticipant
    from cyclonedds.pub import DataWriter
    from cyclonedds.qos import Policy, Qos
    from cyclonedds.sub import DataReader
    from cyclonedds.topic import Topic
    from cyclonedds.util import duration
except ImportError as error:
    raise missing("cyclonedds") from error

__all__ = ["DdsLink", "Place", "place_of"]

_FIX = "Write dds://DOMAIN with a number from 0 to 232, and ?on=ADDRESS for another network than this machine"
_MOST_DOMAIN = 232
_AT_ONCE = 64
_KEPT = 256
_HIGHEST_INDEX = 32
_CONFIG = """<CycloneDDS><Domain id="any"><General><Interfaces><NetworkInterface address="{on}"/></Interfaces>\
<AllowMulticast>{multicast}</AllowMulticast><MaxMessageSize>14720B</MaxMessageSize></General><Discovery>\
<ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>{most}</MaxAutoParticipantIndex>\
<Peers>{peers}</Peers></Discovery><Tracing><Verbosity>none</Verbosity></Tracing></Domain></CycloneDDS>"""


@dataclass(frozen=True, slots=True)
class Place:
    """A URL understood."""

    domain: int
    on: str = "127.0.0.1"
    peers: tuple[str, ...] = ()
    multicast: bool = False

    @property
    def configuration(self) -> str:
        """As cyclonedds takes it."""
        peers = "".join(f'<Peer address="{peer}"/>' for peer in (self.on, *self.peers))
        multicast = "spdp" if self.multicast else "false"
        return _CONFIG.format(on=self.on, multicast=multicast, most=_HIGHEST_INDEX, peers=peers)


def place_of(url: str) -> Place:
    """Where a URL says.

    Raises:
        InvalidInput: it is not such a URL.
    """
    try:
        parts = urlsplit(url)
        said = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=10)
        domain = int(parts.netloc) if parts.netloc.isascii() and parts.netloc.isdigit() else -1
        on = [str(IPv4Address(value)) for name, value in said if name == "on"] or ["127.0.0.1"]
        peers = tuple(str(IPv4Address(value)) for name, value in said if name == "peer")
    except ValueError as error:
        raise InvalidInput(f"not a place of DDS: {url!r}", fix=_FIX) from error
    names = {name for name, _ in said}
    wrong = parts.scheme != "dds" or parts.path.strip("/") or len(on) > 1 or len(peers) > 8
    if wrong or not 0 <= domain <= _MOST_DOMAIN or not names <= {"on", "peer", "multicast"}:
        raise InvalidInput(f"not a place of DDS: {url!r}", fix=_FIX)
    return Place(domain, on[0], peers, "multicast" in names)


_domains: dict[int, tuple[Place, Any, int]] = {}
"""How the domains of this process are configured, and how many links each has."""
_lock = Lock()


class _Bytes:
    """Stands in for a type of cyclonedds: samples stay the bytes that they are on the wire."""

    __idl__: Any

    def __init__(self, data: bytes) -> None:
        self.data = data

    def serialize(self, **_: object) -> bytes:
        """What the writer sends."""
        return self.data

    @classmethod
    def deserialize(cls, data: bytes, **_: object) -> _Bytes:
        """What the reader brings."""
        return cls(data)

    deserialize_key = deserialize


class DdsLink:
    """A participant of its own; see `Link`. Pieces are envelopes of a topic's name and a sample in CDR.

    `refused` counts samples that are too large.
    """

    def __init__(self, place: Place, topics: Mapping[str, Any], limit: int = WAITING) -> None:
        self.refused = 0
        self._place = place
        self._kinds = {
            name: type(kind.__name__, (_Bytes,), {"__idl__": kind.__idl__, "__idl_typename__": kind.__idl_typename__})
            for name, kind in topics.items()
        }
        self._mailbox = Mailbox(limit)
        self._participant: Any = None
        self._writers: dict[str, Any] = {}
        self._ended = Event()
        self._unsent = 0
        self._inside = False
        self._stop: Any = None
        self._thread: Thread | None = None

    @classmethod
    async def open(cls, url: str, topics: Mapping[str, Any], limit: int = WAITING) -> DdsLink:
        """Take part in a domain; `topics` are types of cyclonedds by the names of their topics.

        Raises:
            InvalidInput: not a URL of DDS.
            Unavailable: there is no such interface, or too many participants.
        """
        link = cls(place_of(url), topics, limit)
        try:
            await asyncio.to_thread(link._start)
        except Unavailable:
            await link.close()
            raise
        except (DDSException, RuntimeError) as error:
            await link.close()
            raise Unavailable(f"no participant in DDS domain {link._place.domain}: {error}", fix=_FIX) from error
        return link

    @property
    def shed(self) -> int:
        """Pieces that nobody took in time, and those that no reader would take."""
        return self._mailbox.shed + self._unsent

    async def receive(self) -> Piece:
        """The next sample; `EOFError` once it is closed."""
        return await self._mailbox.take()

    async def send(self, data: bytes) -> None:
        """Write a sample.

        Raises:
            Unavailable: it is closed.
            InvalidInput: no envelope, a topic that this link was not given, or bytes that are no sample of it.
        """
        if self._participant is None:
            raise Unavailable(f"DDS domain {self._place.domain} is closed", fix="Open it again")
        try:
            envelope = opened(data)
        except ValueError as error:
            raise InvalidInput("these bytes are no envelope", fix="Send what the gateway encoded") from error
        if (writer := self._writers.get(envelope.key)) is None:
            raise InvalidInput(f"no such topic: {envelope.key!r}", fix="Open the link with it")
        try:
            writer.write(self._kinds[envelope.key](envelope.payload))
        except DDSException as error:
            if error.code != DDSException.DDS_RETCODE_TIMEOUT:
                raise InvalidInput(f"no sample of {envelope.key}", fix="Send what the gateway encoded") from error
            self._unsent += 1

    async def close(self) -> None:
        """Leave the domain, and wait until its threads and ports are free."""
        self._mailbox.close()
        await asyncio.to_thread(self._end)

    def _start(self) -> None:
        _enter(self._place)
        self._inside = True
        participant = self._participant = DomainParticipant(self._place.domain)
        self._stop = GuardCondition(participant)
        waiting = WaitSet(participant)
        waiting.attach(self._stop)
        readers = []
        for name, kind in self._kinds.items():
            topic: Any = Topic(participant, name, kind)
            self._writers[name] = DataWriter(participant, topic, qos=_OFFERED)
            reader = DataReader(participant, topic, qos=_ASKED)
            news = ReadCondition(reader, ViewState.Any | InstanceState.Any | SampleState.Any)
            waiting.attach(news)
            readers.append((name, reader, news))
        self._thread = Thread(target=self._read, args=(waiting, readers), name="dds", daemon=True)
        self._thread.start()

    def _read(self, waiting: Any, readers: list[tuple[str, Any, Any]]) -> None:
        """In a thread of its own, until the end."""
        while not self._ended.is_set():
            waiting.wait(duration(seconds=1))
            for name, reader, news in readers:
                if self._ended.is_set():
                    return
                for sample in reader.take(_AT_ONCE, condition=news):
                    self._heard(name, sample)

    def _heard(self, name: str, sample: Any) -> None:
        if not isinstance(sample, _Bytes):
            return
        if len(sample.data) > MAX_PAYLOAD:
            self.refused += 1
            return
        writer = f"{getattr(sample, 'sample_info').publication_handle:x}"  # noqa: B009  set by the library
        self._mailbox.put(Piece(sealed(name, sample.data), f"dds:{self._place.domain}/{writer}"))

    def _end(self) -> None:
        self._ended.set()
        if self._stop is not None:
            self._stop.set(True)
        if self._thread is not None:
            self._thread.join()
        self._writers.clear()
        self._participant = self._stop = self._thread = None
        if self._inside:
            self._inside = False
            _leave(self._place)


def _enter(place: Place) -> None:
    with _lock:
        as_said, domain, links = _domains.get(place.domain) or (place, Domain(place.domain, place.configuration), 0)
        if as_said != place:
            raise Unavailable(f"this process is in DDS domain {place.domain} in another way", fix="Say the same")
        _domains[place.domain] = (place, domain, links + 1)


def _leave(place: Place) -> None:
    """The last one out frees its threads and ports."""
    with _lock:
        as_said, domain, links = _domains.pop(place.domain)
        if links > 1:
            _domains[place.domain] = (as_said, domain, links - 1)


_WIRE = Policy.DataRepresentation(use_cdrv0_representation=True, use_xcdrv2_representation=False)
_EITHER = Policy.DataRepresentation(use_cdrv0_representation=True, use_xcdrv2_representation=True)
_OFFERED = Qos(
    Policy.Reliability.Reliable(duration(milliseconds=10)),
    Policy.Durability.TransientLocal,
    Policy.History.KeepLast(1),
    _WIRE,
)
_ASKED = Qos(
    Policy.Reliability.BestEffort,
    Policy.Durability.Volatile,
    Policy.History.KeepLast(16),
    Policy.ResourceLimits(max_samples=_KEPT * 16, max_instances=_KEPT * 4, max_samples_per_instance=16),
    Policy.IgnoreLocal.Participant,
    _EITHER,
)
