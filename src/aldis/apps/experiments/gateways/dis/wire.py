"""The bytes of DIS: header, Entity State PDU, and the PDUs of one datagram (IEEE 1278.1-2012, 5.3.2, 6.2.66, 7.2.2).

All numbers are big-endian. Version 6 is IEEE 1278.1a-1998, version 7 IEEE 1278.1-2012; their Entity State PDUs differ
only in that version 7 has a status where version 6 has padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = [
    "BODY",
    "COMMENT",
    "ENTITY_STATE",
    "ENTITY_STATE_LENGTH",
    "EVERYONE",
    "FAMILIES",
    "HEADER",
    "MAX_PARAMETERS",
    "MAX_TEXT",
    "PARAMETER_LENGTH",
    "PROTOCOL",
    "STATE",
    "VERSIONS",
    "EntityState",
    "familiar",
    "pdus",
]

PROTOCOL = "dis"
VERSIONS = frozenset((6, 7))
ENTITY_STATE, COMMENT = 1, 22  # SISO-REF-010, UID 4
FAMILIES = {ENTITY_STATE: 1, COMMENT: 5}  # UID 5: entity information, simulation management

HEADER = Struct(">BBBBIHBx")
"""Version, exercise, PDU type, protocol family, timestamp, length, status (padding in version 6)."""

STATE = Struct(">BBBBIHBx24s3f3d3fIB15s3f3f12sI")
"""Header, the 24 bytes that seldom change (id, force, number of parameters, two types), velocity, location,
orientation, appearance, dead reckoning (algorithm, other parameters, acceleration, angular velocity), marking and
capabilities."""

ENTITY_STATE_LENGTH = 144
PARAMETER_LENGTH = 16  # of a variable parameter, 6.2.94
MAX_PARAMETERS = 255
MAX_TEXT = 4096  # bytes of a comment's text
EVERYONE = "65535:65535:65535"  # 6.2.28: ALL_SITES, ALL_APPLIC, ALL_ENTITIES
BODY = frozenset((6, 7, 8, 9))
"""Dead reckoning algorithms whose velocity and acceleration are in the body's frame (UID 44, Annex E)."""

_MAX_PDUS = 256
_WHOLE = Struct(">BBBBIHBB HHHBB BBHBBBB BBHBBBB 3f 3d 3f I B15s 3f 3f B11s I")


class EntityState(NamedTuple):
    """Every field of an Entity State PDU as it stands there (7.2.2), but for the variable parameters behind it."""

    protocol_version: int
    exercise_id: int
    pdu_type: int
    protocol_family: int
    timestamp: int
    length: int
    pdu_status: int
    padding: int
    site: int
    application: int
    entity: int
    force_id: int
    variable_parameters: int
    kind: int
    domain: int
    country: int
    category: int
    subcategory: int
    specific: int
    extra: int
    alternative_kind: int
    alternative_domain: int
    alternative_country: int
    alternative_category: int
    alternative_subcategory: int
    alternative_specific: int
    alternative_extra: int
    velocity_x: float
    velocity_y: float
    velocity_z: float
    x: float
    y: float
    z: float
    psi: float
    theta: float
    phi: float
    appearance: int
    algorithm: int
    parameters: bytes
    acceleration_x: float
    acceleration_y: float
    acceleration_z: float
    rate_x: float
    rate_y: float
    rate_z: float
    character_set: int
    marking: bytes
    capabilities: int

    @classmethod
    def read(cls, data: bytes, start: int = 0) -> EntityState:
        """The PDU at `start`, of at least `ENTITY_STATE_LENGTH` bytes."""
        return cls._make(_WHOLE.unpack_from(data, start))

    def written(self) -> bytes:
        """Its bytes."""
        return _WHOLE.pack(*self)


def pdus(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each PDU of a datagram begins and ends (PDU bundling: one after the other, each padded to 8 bytes).

    Raises:
        Damaged: what follows is no PDU.
    """
    at, size = 0, len(data)
    for _ in range(_MAX_PDUS):
        if size - at < HEADER.size:
            raise Damaged("cut off")
        end = at + int.from_bytes(data[at + 8 : at + 10], "big")
        if end - at < HEADER.size or end > size:
            raise Damaged("bad length")
        yield at, end
        if end == size:
            return
        at = end if data[end] else min(size, end + -end % 8)
        if not any(data[at:]):
            return
    raise Damaged("too many PDUs")


def familiar(data: bytes) -> bool:
    """Whether it looks like a DIS PDU: a version in use, families 1 to 13, and a length that fits."""
    return (
        len(data) >= HEADER.size
        and 4 <= data[0] <= 7
        and data[2] > 0
        and (FAMILIES[data[2]] == data[3] if data[2] in FAMILIES else 1 <= data[3] <= 13)
        and HEADER.size <= int.from_bytes(data[8:10], "big") <= len(data)
    )
