"""Samples of UMAA in envelopes: CDR (DDS-XTypes 1.3, 7.4) by the serialisation of cyclonedds, within bounds.

cyclonedds checks what the network brings before its Python part reads it, but what comes from a recording or another
link was never checked, and that part trusts every length: so it reads through a buffer here that ends where it ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from aldis.apps.experiments.envelope import MAX_PAYLOAD, opened, sealed
from aldis.apps.experiments.gateways.gateway import Damaged, Native, missing
from aldis.apps.experiments.gateways.umaa.idl import Extensibility, types

try:
    from cyclonedds.idl import IdlUnion
    from cyclonedds.idl._support import Buffer
except ImportError as error:
    raise missing("cyclonedds") from error

__all__ = [
    "NIL",
    "TOPICS",
    "Flat",
    "date_time",
    "flat",
    "guid",
    "microseconds",
    "packed",
    "sayable",
    "topics",
    "unpacked",
    "written",
]

Flat = Mapping[str, Native]
"""Every member of a sample that says something, by its path: no absent or empty one, no number that is not finite."""

NIL = UUID(int=0)
TOPICS: dict[str, str] = {
    "UMAA::SA::GlobalPoseStatus::GlobalPoseReport": "GlobalPoseReportType",
    "UMAA::SA::SpeedStatus::SpeedReport": "SpeedReportType",
    "UMAA::SA::VelocityStatus::VelocityReport": "VelocityReportType",
    "UMAA::EO::BatteryStatus::BatteryReport": "BatteryReportType",
    "UMAA::SA::ContactReport::ContactReport": "ContactReportType",
    "UMAA::SA::ContactReport::ContactReportContactsSetElement": "ContactReportTypeContactsSetElement",
    "UMAA::MO::GlobalWaypointControl::GlobalWaypointCommand": "GlobalWaypointCommandType",
    "UMAA::MO::GlobalWaypointControl::GlobalWaypointCommandWaypointsListElement": (
        "GlobalWaypointCommandTypeWaypointsListElement"
    ),
    "UMAA::MO::GlobalWaypointControl::GlobalWaypointCommandAckReport": "GlobalWaypointCommandAckReportType",
    "UMAA::MO::GlobalWaypointControl::GlobalWaypointCommandStatus": "GlobalWaypointCommandStatusType",
}
"""The type of each topic; its name here is the constant `…Topic` of the IDL."""
_FULL = {name.rpartition("::")[2]: name for name in TOPICS}
_SCHEME = UUID("6d2f4b0e-3a53-5d5e-9a0f-5b1d6f3a7c21")
_ENCODINGS: dict[bytes, Extensibility] = {
    b"\x00\x00": "final",  # CDR, in which both are written alike
    b"\x00\x01": "final",
    b"\x00\x06": "final",  # PLAIN_CDR2
    b"\x00\x07": "final",
    b"\x00\x08": "appendable",  # DELIMITED_CDR2
    b"\x00\x09": "appendable",
}
_LEAST = 8
_PLAIN = frozenset({bool, int, float, str})
_LATEST = 1 << 33  # seconds since 1970: the year 2242


class _Bounded(Buffer):
    """Nothing is read, and no place is gone to, beyond the last byte."""

    def read_bytes(self, length: int) -> bytes:
        """`length` bytes, all of them there."""
        if not 0 <= length <= self._size - self._pos:
            raise ValueError("beyond the end")
        found: bytes = super().read_bytes(length)
        return found

    def seek(self, pos: int) -> Any:
        """Go to a place within."""
        if not 0 <= pos <= self._size:
            raise ValueError("beyond the end")
        return super().seek(pos)


def topics(extensibility: Extensibility = "final") -> dict[str, Any]:
    """The types of cyclonedds by the topics' full names: what a link of DDS is opened with."""
    made = types(extensibility)
    return {name: made[kind] for name, kind in TOPICS.items()}


def unpacked(data: bytes) -> tuple[str, Any]:
    """The last word of the topic's name, and the sample.

    Raises:
        Damaged: no envelope, another topic, or bytes that are not such a sample.
    """
    try:
        envelope = opened(data)
    except ValueError as error:
        raise Damaged("no envelope") from error
    if (kind := TOPICS.get(envelope.key)) is None:
        raise Damaged("no such topic")
    payload = envelope.payload
    extensibility = _ENCODINGS.get(payload[:2])
    if extensibility is None or not _LEAST <= len(payload) <= MAX_PAYLOAD:
        raise Damaged("no such encoding")
    buffer = _Bounded(payload, align_offset=4)
    try:
        sample = types(extensibility)[kind].__idl__.deserialize(buffer)
    except Exception as error:
        raise Damaged("undecodable") from error
    if len(payload) - buffer.tell() > 3:  # no more than what fills up to four bytes
        raise Damaged("undecodable")
    return envelope.key.rpartition("::")[2], sample


def packed(topic: str, members: Mapping[str, Any]) -> bytes:
    """The envelope of a sample, in CDR (XCDR1), little-endian; `topic` is the last word of its name."""
    full = _FULL[topic]
    sample = types()[TOPICS[full]](**members)
    return sealed(full, sample.serialize(use_version_2=False))


def flat(sample: Any) -> dict[str, Native]:
    """Its members by their paths; GUIDs as UUIDs are written, codes by their names, a sequence joined by commas."""
    found: dict[str, Native] = {}
    _collect(found, "", vars(sample))
    return found


def _collect(found: dict[str, Native], path: str, members: Mapping[str, Any]) -> None:
    for name, member in members.items():
        kind = type(member)
        if kind in _PLAIN:
            if member != "" and (kind is not float or math.isfinite(member)):
                found[path + name] = member
        elif kind is bytes:
            found[path + name] = _uuid(member)
        elif kind is list:
            if member:
                found[path + name] = ",".join(map(_uuid, member))
        elif isinstance(member, Enum):
            found[path + name] = member.name
        elif member is not None:
            _collect(found, f"{path}{name}.", _within(member))


def _within(member: Any) -> dict[str, Any]:
    """The members of a structure; of a union the one that it has, if it has one."""
    if not isinstance(member, IdlUnion):
        members: dict[str, Any] = vars(member)
        return members
    chosen = member.value
    return {} if chosen is None else {member.__idl_cases__[member.discriminator][0]: chosen}


def _uuid(octets: bytes) -> str:
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@lru_cache(4096)
def guid(text: str) -> UUID:
    """The UUID that `text` is, with or without `umaa:`; else one that always follows from it (RFC 9562, 5.5)."""
    return written(text) or uuid5(_SCHEME, text)


def written(text: str) -> UUID | None:
    """The UUID that `text` is, if it is one as written here."""
    bare = text.removeprefix("umaa:")
    try:
        found = UUID(bare)
    except ValueError:
        return None
    return found if str(found) == bare else None


def date_time(us: int) -> Any:
    """A `DateTime` of microseconds since 1970."""
    seconds, rest = divmod(us, 1_000_000)
    return types()["DateTime"](seconds=seconds, nanoseconds=rest * 1000)


def sayable(us: int) -> bool:
    """Whether a `DateTime` that is read here can say it."""
    return 0 < us < _LATEST * 1_000_000


def microseconds(members: Flat, path: str) -> int | None:
    """The `DateTime` at `path`; None for 1970 itself, which says nothing, and for what is no time."""
    seconds, nanoseconds = members.get(f"{path}.seconds"), members.get(f"{path}.nanoseconds")
    if not isinstance(seconds, int) or not isinstance(nanoseconds, int):
        return None
    if not (0 <= seconds < _LATEST and 0 <= nanoseconds < 1_000_000_000):
        return None
    return (seconds * 1_000_000 + nanoseconds // 1000) or None
