"""Envelopes of UMAA's topics to entities, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aldis.apps.experiments.entity import GROUPS, Decoded, Dropped, Encoded, Entity, Ledger, Task, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.gateway import Damaged, Native, Tally
from aldis.apps.experiments.gateways.umaa.idl import types
from aldis.apps.experiments.gateways.umaa.lists import COMMAND, ELEMENT, Lists
from aldis.apps.experiments.gateways.umaa.reports import READERS
from aldis.apps.experiments.gateways.umaa.tasks import (
    ACKNOWLEDGEMENT,
    STATUS,
    acknowledged,
    commanded,
    reported,
    said,
)
from aldis.apps.experiments.gateways.umaa.tracks import contact, is_vehicle, vehicle
from aldis.apps.experiments.gateways.umaa.wire import date_time, flat, guid, packed, unpacked
from aldis.apps.experiments.gateways.umaa.writing import own_id

__all__ = ["UmaaGateway", "familiar", "fields"]

_SET = "ContactReport"
_MOST = 4096
_READERS = READERS | {ACKNOWLEDGEMENT: acknowledged, STATUS: reported}


class UmaaGateway:
    """One participant's samples: it keeps waypoint lists that are not whole, and which contacts it told of."""

    protocol = "umaa"

    def __init__(self) -> None:
        self.tally = Tally()
        self._lists = Lists(self.tally)
        self._told: dict[UUID, None] = {}

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """What a sample says; a command says nothing until its whole list is there, nor does a set's metadata."""
        self.tally.seen += 1
        try:
            topic, sample = unpacked(data)
            if topic == _SET:
                self.tally.carried += 1
                return ()
            if topic in (COMMAND, ELEMENT):
                return self._waypoint(topic, flat(sample), at_us)
            decoded = _READERS[topic](flat(sample), at_us)
        except Damaged as reason:
            self.tally.drop(str(reason))
            return ()
        self.tally.carried += 1
        return (decoded,)

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """A vehicle's reports, an element of the set of contacts, or a waypoint command or its status."""
        if isinstance(entity, Task):
            return said(entity, at_us)
        if not isinstance(entity, Track):
            return Encoded((), _nothing(entity))
        if is_vehicle(entity):
            return vehicle(entity, at_us)
        set_id = guid("aldis:contacts")
        encoded = contact(entity, at_us, set_id)
        if not encoded.messages:
            return encoded
        return Encoded((self._metadata(entity, set_id, at_us), *encoded.messages), encoded.ledger)

    def close(self) -> None:
        """Count what still waits as dropped."""
        self._lists.close()

    def _waypoint(self, topic: str, members: Mapping[str, Native], at_us: int) -> Sequence[Decoded]:
        whole = self._lists.push(topic, members)
        if whole is None:
            return ()
        pieces = 1 + len(whole.elements)
        try:
            decoded = commanded(whole, at_us)
        except Damaged as reason:
            self.tally.drop(str(reason), pieces)
            return ()
        self.tally.carried += pieces
        return (decoded,)

    def _metadata(self, track: Track, set_id: UUID, at_us: int) -> bytes:
        """How many contacts the set has, and which was said last."""
        own = own_id(track)
        self._told[own] = None
        if len(self._told) > _MOST:
            del self._told[next(iter(self._told))]
        stamp = date_time(at_us)
        metadata = types()["LargeSetMetadata"](
            setID=set_id.bytes, updateElementID=own.bytes, updateElementTimestamp=stamp, size=len(self._told)
        )
        members = {"timeStamp": stamp, "source": guid("aldis").bytes, "contactsSetMetadata": metadata}
        return packed(_SET, members)


def _nothing(entity: Any) -> Ledger:
    name = type(entity).__name__.lower()
    entries: list[Entry] = []
    for field in entity.__struct_fields__:
        value = getattr(entity, field)
        if field == "key" or value is None:
            continue
        if field in GROUPS:
            inner = [one for one in value.__struct_fields__ if getattr(value, one) is not None]
            entries += [Dropped(f"{field}.{one}", "no field") for one in inner]
        else:
            entries.append(Dropped(f"{name}.{field}", "no field"))
    return Ledger(tuple(entries))


def familiar(data: bytes) -> bool:
    """Whether these bytes are an envelope of one of the topics."""
    try:
        unpacked(data)
    except Damaged:
        return False
    return True


def fields(messages: Sequence[bytes]) -> Mapping[str, Native]:
    """`GlobalPoseReport.position.geodeticLatitude`; elements of a waypoint list are numbered in its order.

    What tells of a set alone, its metadata, is left out.
    """
    found: dict[str, Native] = {}
    lists = Lists(Tally())
    for message in messages:
        topic, sample = unpacked(message)
        members = flat(sample)
        if topic in (COMMAND, ELEMENT):
            if (whole := lists.push(topic, members)) is None:
                continue
            found |= {f"{COMMAND}.{name}": value for name, value in whole.command.items()}
            for index, element in enumerate(whole.elements):
                found |= {f"{ELEMENT}[{index}].{name}": value for name, value in element.items()}
        elif topic != _SET:
            found |= {f"{topic}.{name}": value for name, value in members.items()}
    return found
