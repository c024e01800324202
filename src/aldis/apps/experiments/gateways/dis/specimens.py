"""What the losses of DIS are measured with: PDUs in which every field has a value that tells, and their fields by name.

The names are those of the decoding ledgers; a value that says nothing there is not listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from struct import Struct

from aldis.apps.experiments.gateways.dis.comments import comment_of
from aldis.apps.experiments.gateways.dis.wire import (
    COMMENT,
    ENTITY_STATE,
    ENTITY_STATE_LENGTH,
    HEADER,
    STATE,
    EntityState,
    pdus,
)
from aldis.apps.experiments.gateways.gateway import Damaged, Native, Specimen

__all__ = ["fields", "specimens"]

_ID = Struct(">HHH")
_HULL = (2_923_573.0, 1_329_269.0, 5_492_123.25)  # ECEF, m: 59.85 N 24.45 E, 24 m above the ellipsoid
_FIXED = bytes.fromhex("0007 0021 012d 01 00 01 03 00e1 3d 02 05 01 01 03 004e 3c 01 04 02")


def specimens() -> Sequence[Specimen]:
    """Entity states in the world's frame and in the body's, one that only just says where it is, and a comment."""
    world = _state(7, 0x2468_ACE1, 0, _FIXED, 4, (1.25, -3.5, 0.75), (0.125, -0.25, 0.0625), bytes(15), b"")
    body = _state(
        6, 0x1234_5678, 0, _FIXED[:6] + b"\x05\x01" + _FIXED[8:], 8, (8.5, 0.25, -0.5), (0.5, 0.125, -0.0625),
        bytes(range(1, 16)), bytes.fromhex("00 01 0002 00000fa1 3f000000 00000000"),
    )  # fmt: skip
    status = _state(7, 0x0101_0101, 0x0A, _FIXED, 2, (2.5, 1.5, 0.5), (0.0, 0.0, 0.0), bytes(15), b"")
    text = b"Raft sighted, 2 nm north of the buoy"
    said = _ID.pack(7, 33, 301) + _ID.pack(9, 34, 77) + bytes.fromhex("00000000 00000001 00000000")
    said += (8 * len(text)).to_bytes(4, "big") + text + bytes(-len(text) % 8)
    comment = HEADER.pack(7, 3, COMMENT, 5, 0x3141_5927, HEADER.size + len(said), 0) + said
    return (
        Specimen("entity state, world frame", (world,)),
        Specimen("entity state, body frame, articulated", (body,)),
        Specimen("entity state, live, constant velocity", (status,)),
        Specimen("comment", (comment,)),
    )


def _state(
    version: int, stamp: int, status: int, fixed: bytes, algorithm: int, velocity: tuple[float, float, float],
    acceleration: tuple[float, float, float], parameters: bytes, articulated: bytes,
) -> bytes:  # fmt: skip
    turning = (0.03125, -0.015625, 0.0625) if algorithm in (4, 8) else (0.0, 0.0, 0.0)
    return STATE.pack(
        version, 3, ENTITY_STATE, 1, stamp, ENTITY_STATE_LENGTH + len(articulated), status, fixed, *velocity, *_HULL,
        -2.25, 0.375, 1.125, 0x0021_0005, algorithm, parameters, *acceleration, *turning,
        b"\x01" + b"ALDIS 7".ljust(11, b"\0"), 0x0000_0009,
    ) + articulated  # fmt: skip


def fields(messages: Sequence[bytes]) -> Mapping[str, Native]:
    """Every field that says something, of all PDUs in all datagrams; of one said twice the last value."""
    found: dict[str, Native] = {}
    for data in messages:
        try:
            for start, end in pdus(data):
                if data[start + 2] == ENTITY_STATE and end - start >= ENTITY_STATE_LENGTH:
                    found |= _state_fields(data[start:end])
                elif data[start + 2] == COMMENT:
                    found |= _comment_fields(data, start, end)
        except Damaged:
            continue
    return found


def _header(prefix: str, pdu: bytes) -> Iterator[tuple[str, Native]]:
    version, exercise, kind, family, stamp, length, status = HEADER.unpack_from(pdu)
    yield from (
        (f"{prefix}protocol_version", version),
        (f"{prefix}exercise_id", exercise),
        (f"{prefix}pdu_type", kind),
        (f"{prefix}protocol_family", family),
        (f"{prefix}length", length),
        (f"{prefix}timestamp", stamp),
    )
    if version > 6 and status:
        yield f"{prefix}pdu_status", status


def _state_fields(pdu: bytes) -> dict[str, Native]:
    prefix = "EntityState."
    state = EntityState.read(pdu)
    named: dict[str, Native] = {
        "entity_id": f"{state.site}:{state.application}:{state.entity}",
        "force_id": state.force_id,
        "entity_type": ".".join(map(str, state[13:20])),
        "alternative_entity_type": ".".join(map(str, state[20:27])),
        "dead_reckoning.algorithm": state.algorithm,
        "appearance": state.appearance,
        "capabilities": state.capabilities,
        "orientation.psi": state.psi,
        "orientation.theta": state.theta,
        "orientation.phi": state.phi,
    }
    vectors = {
        "location": (state.x, state.y, state.z),
        "velocity": state[27:30],
        "acceleration": state[39:42],
        "angular_velocity": state[42:45],
    }
    for name, vector in vectors.items():
        named |= {f"{name}.{axis}": value for axis, value in zip("xyz", vector, strict=True)}
    if any(state.parameters):
        named["dead_reckoning.parameters"] = state.parameters.hex()
    if any(state.marking) or state.character_set > 1:
        named["marking.text"] = state.marking.rstrip(b"\0").decode("latin-1")
        named["marking.character_set"] = state.character_set
    if len(pdu) > ENTITY_STATE_LENGTH:
        named["variable_parameters"] = pdu[ENTITY_STATE_LENGTH:].hex()
    return dict(_header(prefix, pdu)) | {prefix + name: value for name, value in named.items()}


def _comment_fields(data: bytes, start: int, end: int) -> dict[str, Native]:
    prefix = "Comment."
    found = dict(_header(prefix, data[start:end]))
    comment = comment_of(data, start, end)
    found[f"{prefix}originating_entity_id"] = comment.sender
    found[f"{prefix}receiving_entity_id"] = comment.receiver
    if comment.fixed:
        found[f"{prefix}fixed_datums"] = comment.fixed.hex()
    for index, (number, text) in enumerate(comment.texts):
        found[f"{prefix}datum[{index}].id"] = number
        found[f"{prefix}datum[{index}].text"] = text.rstrip(b"\0").decode("latin-1")
    return found
