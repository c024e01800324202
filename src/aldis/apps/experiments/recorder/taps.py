"""The three taps of a node: bytes as they came, entities as they were decoded, and what left for each partner."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

import msgspec

from aldis.apps.experiments.entity import Approximated, Carried, Decoded, Entity, Ledger, Position, Track
from aldis.apps.experiments.recorder.reader import Message
from aldis.apps.experiments.recorder.schemas import ENTITIES, LOCATION_FIX, NATIVE, egress_schema, entity_schema
from aldis.apps.experiments.recorder.writer import Recorder
from aldis.kernel.errors import InvalidInput

__all__ = ["OWN", "PARTNER", "Native", "Source", "Taps", "Told", "counted", "read_native", "read_told", "said_body"]

PARTNER = "node:"
"""Before the name of a node where that of a system would stand; no system's name has a colon."""


FRAMES, OWN = "aldis-frame/1", "aldis"
"""The protocol between nodes, as it stands beside what crossed; and what stands beside a node's own conclusions."""
FIX_EVERY_US = 1_000_000
"""A track's position is given to maps at most this often."""
_FIXES = 10_000
_LEFT: Mapping[str, Any] = {"messages": ()}
_CAME: Mapping[str, Any] = {"carried": 0, "approximated": 0, "dropped": {}}
_LEDGERS = 1_024
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_encode = msgspec.json.Encoder().encode
_E = TypeVar("_E", bound=Entity)
_KINDS = {type_: name for name, type_ in ENTITIES.items()}


class Source(msgspec.Struct, frozen=True):
    """A system whose bytes are recorded: its name, the text of its mapping file, and whether it is itself a recording.

    They stand in its channel's metadata, for with them the bytes can be decoded again.
    """

    name: str
    mapping: str = ""
    played: bool = False


class Native(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Bytes as they came from a system, which connection they came by, and in what protocol.

    `protocol` is "" of what nobody recognised yet. `begins` is said of the first bytes of a connection, `ended` of its
    last, of which there may be none.
    """

    protocol: str
    peer: str
    size: int
    data: bytes
    begins: bool = False
    ended: bool = False


class Told(msgspec.Struct, Generic[_E], frozen=True):
    """An entity as it was decoded, or as it left; of what left, `messages` are the bytes sent, in base64.

    `record` is the id of its record, by which it is the same thing at every node that may know of it. `frame` names the
    live frame in which it left for a partner or came from one; both ends call it the same.
    """

    entity: _E
    record: str = ""
    carried: int = 0
    approximated: int = 0
    dropped: dict[str, int] = {}
    protocol: str = ""
    messages: tuple[str, ...] = ()
    frame: str = ""


_OF: Any = Told
_DECODERS: dict[str, msgspec.json.Decoder[Told[Entity]]] = {
    name: msgspec.json.Decoder(_OF[type_]) for name, type_ in ENTITIES.items()
}


class Taps:
    """Writes to a recorder; times are in µs since 1970 UTC, markings those of all that a message says."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._channels: dict[tuple[str, str, str, str, Source | None], int] = {}
        self._fixed: dict[tuple[int, str], int] = {}
        self._counts: dict[int, tuple[Ledger, int, int, dict[str, int]]] = {}

    def native(
        self, source: Source | str, marking: str, protocol: str, data: bytes, at_us: int, peer: str = "", *,
        begins: bool = False, ended: bool = False,
    ) -> None:  # fmt: skip
        """Bytes that came from a system.

        Raises:
            InvalidInput: no name of a system.
            Unavailable, TooLarge: as `Recorder.write`.
        """
        source = Source(source) if isinstance(source, str) else source
        channel = self._channel("native", source.name, "bytes", marking, source)
        self._recorder.write(
            channel, at_us * 1000, _encode(Native(protocol, peer, len(data), data, begins=begins, ended=ended))
        )

    def entity(
        self, system: str, marking: str, decoded: Decoded, at_us: int, *, record: str = "", protocol: str = ""
    ) -> None:
        """What a system's bytes said, and the id of its record; raises as `native`.

        With a `protocol` it follows from no bytes of a system: it is what a node said or concludes.
        """
        kind = _KINDS[type(decoded.entity)]
        channel = self._channel("entity", system, kind, marking)
        body = said_body(decoded.entity, record, *self._counted(decoded.ledger), protocol)
        self._recorder.write(channel, at_us * 1000, body)
        self._fix("entity", system, marking, decoded.entity, at_us)

    def egress(
        self, partner: str, marking: str, entity: Entity, at_us: int, *, protocol: str, messages: Sequence[bytes] = (),
        record: str = "",
    ) -> None:  # fmt: skip
        """What left for a partner: the entity with nothing but what was released, and the bytes; raises as `native`."""
        kind = _KINDS[type(entity)]
        channel = self._channel("egress", partner, kind, marking)
        body = {"entity": entity, "record": record, "protocol": protocol, "messages": messages}
        self._recorder.write(channel, at_us * 1000, _encode(body))
        self._fix("egress", partner, marking, entity, at_us)

    def crossed(
        self, node: str, marking: str, entity: Entity | Mapping[str, Any], at_us: int, *, left: bool, frame: str
    ) -> None:
        """What left for a partner node in a live frame, or came in one, under its record's id; raises as `native`.

        A track may be given as JSON has it, by its groups.
        """
        tap, name = "egress" if left else "entity", PARTNER + node
        kind, key = ("track", entity["key"]) if isinstance(entity, Mapping) else (_KINDS[type(entity)], entity.key)
        channel = self._channel(tap, name, kind, marking)
        body: dict[str, Any] = {"entity": entity, "record": key, "protocol": FRAMES, "frame": frame}
        self._recorder.write(channel, at_us * 1000, _encode({**body, **(_LEFT if left else _CAME)}))
        if isinstance(entity, Mapping):
            self._fix_at(tap, name, marking, key, entity.get("position"), at_us)
        else:
            self._fix(tap, name, marking, entity, at_us)

    def _channel(self, tap: str, name: str, kind: str, marking: str, source: Source | None = None) -> int:
        found = self._channels.get((tap, name, kind, marking, source))
        if found is None:
            if not _PLACE.fullmatch(name):
                raise InvalidInput(f"no name of a system or partner: {name[:80]!r}", fix="Use letters, digits, . _ : -")
            topic = f"/{tap}/{name}" if kind == "bytes" else f"/{tap}/{name}/{kind}"
            about = {"tap": tap, "name": name, "kind": kind, "marking": marking}
            if source is not None and source.mapping:
                about["mapping"] = source.mapping
            if source is not None and source.played:
                about["played"] = "yes"
            found = self._recorder.channel(topic, _schema_of(tap, kind), about)
            self._channels[tap, name, kind, marking, source] = found
        return found

    def _counted(self, ledger: Ledger) -> tuple[int, int, dict[str, int]]:
        """What a ledger counts; gateways share their ledgers, so that most were counted before."""
        kept = self._counts.get(id(ledger))
        if kept is None:
            if len(self._counts) >= _LEDGERS:
                self._counts.clear()
            kept = self._counts[id(ledger)] = (ledger, *counted(ledger))
        return kept[1:]

    def _fix(self, tap: str, name: str, marking: str, entity: Entity, at_us: int) -> None:
        if type(entity) is Track:
            self._fix_at(tap, name, marking, entity.key, entity.position, at_us)

    def _fix_at(self, tap: str, name: str, marking: str, key: str, position: Any, at_us: int) -> None:
        """Give a position to maps, if it is due; it may be as JSON has it."""
        if position is None:
            return
        channel = self._channel(tap, name, "fix", marking)
        last = self._fixed.get((channel, key))
        if last is not None and 0 <= at_us - last < FIX_EVERY_US:
            return
        if len(self._fixed) >= _FIXES:
            self._fixed.clear()
        self._fixed[channel, key] = at_us
        with suppress(msgspec.ValidationError):
            place = position if isinstance(position, Position) else msgspec.convert(position, Position)
            self._recorder.write(channel, at_us * 1000, _encode(_location(key, place, at_us)))


def _location(key: str, position: Position, at_us: int) -> dict[str, Any]:
    """A position as `foxglove.LocationFix`; a height that nobody said is absent."""
    seconds, rest = divmod(at_us, 1_000_000)
    fix: dict[str, Any] = {
        "timestamp": {"sec": max(0, seconds), "nsec": rest * 1000},
        "frame_id": key,
        "latitude": position.lat_deg,
        "longitude": position.lon_deg,
        "position_covariance_type": 0,
    }
    if position.height_m is not None:
        fix["altitude"] = position.height_m
    if position.accuracy_m is not None:
        flat, up = position.accuracy_m**2, (position.height_accuracy_m or position.accuracy_m) ** 2
        fix["position_covariance"] = [flat, 0.0, 0.0, 0.0, flat, 0.0, 0.0, 0.0, up]
        fix["position_covariance_type"] = 1 if position.height_accuracy_m is None else 2
    return fix


def counted(ledger: Ledger) -> tuple[int, int, dict[str, int]]:
    """What a ledger counts: how many fields were carried, how many approximated, and how many dropped, by reason."""
    dropped: Counter[str] = Counter()
    carried = approximated = 0
    for entry in ledger.entries:
        if isinstance(entry, Carried):
            carried += 1
        elif isinstance(entry, Approximated):
            approximated += 1
        else:
            dropped[entry.reason] += 1
    return carried, approximated, dict(dropped)


def said_body(
    entity: Entity, record: str, carried: int, approximated: int, dropped: dict[str, int], protocol: str = ""
) -> bytes:
    """The data of a message of the tap `entity`."""
    body = {"entity": entity, "record": record, "carried": carried, "approximated": approximated, "dropped": dropped}
    return _encode(body | {"protocol": protocol} if protocol else body)


def _schema_of(tap: str, kind: str) -> tuple[str, bytes]:
    if kind in ENTITIES:
        return egress_schema(kind) if tap == "egress" else entity_schema(kind)
    return NATIVE if kind == "bytes" else LOCATION_FIX


def read_native(message: Message) -> Native:
    """What `Taps.native` wrote.

    Raises:
        InvalidInput: it is of another tap.
    """
    try:
        return msgspec.json.decode(message.data, type=Native)
    except msgspec.MsgspecError as error:
        raise _unreadable(message) from error


def read_told(message: Message) -> Told[Entity]:
    """What `Taps.entity` or `Taps.egress` wrote.

    Raises:
        InvalidInput: it is of another tap.
    """
    decoder = _DECODERS.get(message.about["kind"])
    if decoder is None:
        raise InvalidInput(f"{message.topic} holds no entities", fix="Read the topics of the taps entity and egress")
    try:
        return decoder.decode(message.data)
    except msgspec.MsgspecError as error:
        raise _unreadable(message) from error


def _unreadable(message: Message) -> InvalidInput:
    return InvalidInput(
        f"message {message.sequence} of {message.topic} is not what this version records", fix="Read it with its own"
    )
