"""What an Entity State PDU says in bytes that seldom change: id, force, types and marking, looked up once for each.

Sources: IEEE 1278.1-2012, 6.2.28 to 6.2.31; SISO-REF-010, UID 6 (force) and 45 (marking's character set).
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from struct import Struct, error
from typing import Final, Literal, TypeVar

from aldis.apps.experiments.entity import Remainder, Type
from aldis.apps.experiments.gateways.dis.wire import PROTOCOL

__all__ = [
    "FORCE_OF",
    "FORCE_SIDE",
    "NO_TYPE",
    "Fixed",
    "Marking",
    "entity_type",
    "fixed_of",
    "force_side",
    "identifier",
    "marking_of",
    "packed_id",
    "packed_type",
    "remainder",
]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_FIXED = Struct(">HHHBB8s8s")
_TYPE = Struct(">BBHBBBB")
_ID = Struct(">HHH")
_MAX_KEPT = 8192
_DIS_ID = re.compile(r"(\d{1,5}):(\d{1,5}):(\d{1,5})")
_SISO = re.compile(r"\d{1,5}(?:\.\d{1,5}){6}")
_PLATFORM = 1  # UID 7
NO_TYPE: Final = bytes(8)

_Side = Literal["other", "friend", "hostile", "neutral"]
FORCE_SIDE: tuple[_Side, ...] = ("other", "friend", "hostile", "neutral")
"""Affiliation of forces 0 to 3: other, friendly, opposing, neutral; 4 to 30 are more of the latter three in turn."""
FORCE_OF = {
    "other": 0, "friend": 1, "hostile": 2, "neutral": 3,
    "assumed friend": 1, "suspect": 2, "pending": 0, "unknown": 0,
}  # fmt: skip
_MAX_FORCE = 30


@dataclass(frozen=True, slots=True)
class Fixed:
    """Id, force and types; `force` and `known` (entity type, alternative type) say how well they could be read."""

    dis_id: str
    key: str
    type: Type
    force: str
    known: tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class Marking:
    """The text of a marking, if it is text; `read` says how: by its `set`, a `guess`, `empty`, or kept as `bytes`."""

    text: str | None
    read: str


_fixed: dict[bytes, Fixed] = {}
_markings: dict[bytes, Marking] = {}
_ids: dict[str, bytes | None] = {}
_types: dict[str, bytes | None] = {}


def fixed_of(data: bytes) -> Fixed:
    """What the 24 bytes from the entity id on say."""
    found = _fixed.get(data)
    return found if found is not None else _kept(_fixed, data, _read(data))


def marking_of(data: bytes) -> Marking:
    """What the 12 bytes of a marking say: text of printable ASCII, then zeros.

    Character set 0 is unused; senders that leave it so write ASCII all the same.
    """
    found = _markings.get(data)
    return found if found is not None else _kept(_markings, data, _marked(data))


def identifier(dis_id: str) -> bytes | None:
    """The 6 bytes of site:application:entity; None if that is no id of DIS."""
    if dis_id in _ids:
        return _ids[dis_id]
    return _kept(_ids, dis_id, _packed_id(dis_id))


def packed_type(siso: str) -> bytes | None:
    """The 8 bytes of seven numbers joined by dots; None if they are not such numbers."""
    if siso in _types:
        return _types[siso]
    return _kept(_types, siso, _packed_type(siso))


def packed_id(site: int, application: int, entity: int) -> bytes:
    """The 6 bytes of an entity id."""
    return _ID.pack(site, application, entity)


def force_side(force: int) -> _Side:
    """The affiliation of a force; other where it has no code."""
    if force > _MAX_FORCE:
        return "other"
    return FORCE_SIDE[(force - 1) % 3 + 1 if force else 0]


def entity_type(data: bytes) -> str:
    """Kind, domain, country, category, subcategory, specific and extra, joined by dots."""
    return ".".join(map(str, _TYPE.unpack(data)))


def remainder(field: str, data: bytes) -> Remainder:
    """Bytes kept as they came."""
    return Remainder(protocol=PROTOCOL, field=field, data=b64encode(data).decode())


def _read(data: bytes) -> Fixed:
    site, application, entity, force, _, kind, other = _FIXED.unpack(data)
    dis_id = f"{site}:{application}:{entity}"
    said = Type(
        nature="vehicle" if kind[0] == _PLATFORM else None,
        siso=entity_type(kind) if kind != NO_TYPE else None,
        alternative_siso=entity_type(other) if other != NO_TYPE else None,
        affiliation=force_side(force) if force <= _MAX_FORCE else None,
    )
    how = "code" if force < len(FORCE_SIDE) else "one of many" if force <= _MAX_FORCE else "no code"
    return Fixed(dis_id, f"dis:{dis_id}", said, how, (kind != NO_TYPE, other != NO_TYPE))


def _marked(data: bytes) -> Marking:
    if data in (bytes(12), b"\x01" + bytes(11)):
        return Marking(None, "empty")
    text = data[1:].rstrip(b"\0")
    if data[0] > 1 or not text.isascii() or not text.decode().isprintable():
        return Marking(None, "bytes")
    return Marking(text.decode(), "set" if data[0] else "guess")


def _packed_id(dis_id: str) -> bytes | None:
    found = _DIS_ID.fullmatch(dis_id)
    try:
        return _ID.pack(*map(int, found.groups())) if found else None
    except error:
        return None


def _packed_type(siso: str) -> bytes | None:
    try:
        return _TYPE.pack(*map(int, siso.split("."))) if _SISO.fullmatch(siso) else None
    except error:
        return None


def _kept(kept: dict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    """`value`, remembered; all are forgotten when they are too many."""
    if len(kept) >= _MAX_KEPT:
        kept.clear()
    kept[key] = value
    return value
