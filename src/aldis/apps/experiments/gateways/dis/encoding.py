"""Track to Entity State PDU, with its ledger.

What the standard cannot leave out and the track does not say is sent as zeros, with the algorithm that claims least;
the ledger says so. A height nobody knows is 0 above the ellipsoid, or minus the depth where that is known.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import unpack

from aldis.apps.experiments.entity import Encoded, Identity, Motion, Position, Status, Timing, Track
from aldis.apps.experiments.gateways.dis.decoding import DATUM
from aldis.apps.experiments.gateways.dis.frames import Place, Vector, place_of, point_of
from aldis.apps.experiments.gateways.dis.motion import moving
from aldis.apps.experiments.gateways.dis.names import FORCE_SIDE, force_side, identifier
from aldis.apps.experiments.gateways.dis.naming import marking, type_bytes
from aldis.apps.experiments.gateways.dis.restoring import NOTHING, Restored, restored
from aldis.apps.experiments.gateways.dis.shapes import shapes
from aldis.apps.experiments.gateways.dis.stamps import absolute, past_hour_us, relative
from aldis.apps.experiments.gateways.dis.told import DATED, nothing_told, told
from aldis.apps.experiments.gateways.dis.wire import (
    ENTITY_STATE,
    ENTITY_STATE_LENGTH,
    FAMILIES,
    PARAMETER_LENGTH,
    STATE,
)

__all__ = ["encoded", "stamped"]

_MOTION, _IDENTITY, _STATUS, _TIMING = Motion(), Identity(), Status(), Timing()
_NO_PARAMETERS = bytes(15)
_FRESH_US = 1_799_000_000  # a little less than half an hour
_CLOSE_M = 1e-3
_ALL_DATED = (True,) * len(DATED)
_MAX_32 = 0xFFFF_FFFF
_FRAMED = frozenset((None, *range(1, 10)))


def encoded(track: Track, at_us: int, number: Callable[[str], bytes | None], version: int, exercise: int) -> Encoded:
    """The PDU that reports `track` at `at_us`; `number` gives the entity id of a track that has none of its own."""
    position = track.position
    if position is None:
        return Encoded((), nothing_told(track, "no Entity State PDU without a place"))
    motion, identity = track.motion or _MOTION, track.identity or _IDENTITY
    status, kept = track.status or _STATUS, restored(track.residue) if track.residue else NOTHING
    dis_id = identity.dis_id
    entity, named = identifier(dis_id) if dis_id is not None else None, "id kept"
    if entity is None:
        entity, named = number(track.key), "id made"
        if entity is None:
            return Encoded((), nothing_told(track, "no entity numbers are left"))
    stamp, at, timed = stamped(track.timing or _TIMING, position.at if position.at is not None else motion.at, at_us)
    place = place_of(position.lat_deg, position.lon_deg)
    (x, y, z), high, original = _point(position, place)
    odd = motion.dead_reckoning not in _FRAMED  # an algorithm whose frame is not known: bytes go back as they came
    algorithm, velocity, orientation, acceleration, rates, moved = moving(
        motion, place, position.lon_deg, odd and bool(kept.velocity)
    )
    types, typed, kind = type_bytes(track.type)
    marked, said = marking(identity)
    residue = ""
    if kept is not NOTHING:
        velocity, acceleration, residue = _put_back(kept, velocity, acceleration, odd)
        types, marked, residue = _put_names_back(kept, types, marked, said, residue)
    appearance, looks = _word(status.appearance, "appearance", "appearance unknown")
    capabilities, able = _word(status.capabilities, "capabilities", "capabilities unknown")
    ledger = told(
        shapes(track, kind),
        (high, original, timed, named, said, looks, able, residue, *typed, *moved),
        _ALL_DATED if position.at == at == motion.at == identity.at == status.at
        else tuple(group.at == at for group in (position, motion, identity, status)),
    )  # fmt: skip
    message = STATE.pack(
        version, exercise, ENTITY_STATE, FAMILIES[ENTITY_STATE], stamp,
        ENTITY_STATE_LENGTH + len(kept.variable_parameters), kept.pdu_status[0] if kept.pdu_status else 0,
        entity + types, *velocity, x, y, z, *orientation, appearance, algorithm, kept.parameters or _NO_PARAMETERS,
        *acceleration, *rates, marked, capabilities,
    )  # fmt: skip
    return Encoded((message + kept.variable_parameters,), ledger)


def stamped(timing: Timing, at: int | None, at_us: int) -> tuple[int, int, str]:
    """Timestamp, its time in ms (-1: not UTC), and whence: the source's time, its own hour, `at` in ms, or now.

    A stamp tells only times within half an hour of its reading apart, so nothing older is sent.
    """
    source, state = timing.source_us, ""
    if source is not None:
        if -_FRESH_US < at_us - source < _FRESH_US:
            return absolute(source), source // 1000, "source in utc" if timing.clock == "utc" else "source"
        state = "stale"
    if timing.clock == "hour" and timing.simulation_us is not None:
        fits = timing.simulation_us == past_hour_us(relative(timing.simulation_us))
        return relative(timing.simulation_us), -1, "hour" if fits else state
    if at is not None and -_FRESH_US < at_us - at * 1000 < _FRESH_US:
        return absolute(at * 1000), at, state
    return absolute(at_us), at_us // 1000, state


def _point(position: Position, place: Place) -> tuple[Vector, str, str]:
    """ECEF, how the height was said, and whether the source's own coordinates stand: where they are the same place."""
    height, said = position.height_m, "height given"
    if height is None:
        height, said = (0.0, "height unknown") if position.depth_m is None else (-position.depth_m, "height by depth")
    point = point_of(place, height)
    original = position.original
    if original is None or said != "height given" or original.frame != "ecef" or original.datum != DATUM:
        return point, said, ""
    try:
        x, y, z = original.values
    except ValueError:
        return point, said, ""
    if abs(x - point[0]) + abs(y - point[1]) + abs(z - point[2]) < _CLOSE_M:
        return (x, y, z), said, "original used"
    return point, said, ""


def _word(value: int | None, known: str, unknown: str) -> tuple[int, str]:
    return (value, known) if value is not None and 0 <= value <= _MAX_32 else (0, unknown)


def _put_back(kept: Restored, velocity: Vector, acceleration: Vector, odd: bool) -> tuple[Vector, Vector, str]:
    """Velocity and acceleration, as bytes where their frame is not known; and whether all went back."""
    if not odd:
        lost = kept.velocity or kept.acceleration
        return velocity, acceleration, "residue in part" if lost else kept.state
    if kept.velocity:
        velocity = unpack(">3f", kept.velocity)
    if kept.acceleration:
        acceleration = unpack(">3f", kept.acceleration)
    return velocity, acceleration, kept.state


def _put_names_back(kept: Restored, types: bytes, marked: bytes, said: str, residue: str) -> tuple[bytes, bytes, str]:
    """Force, if it is of the same side, number of parameters, and the marking, if there is no name; and if all did."""
    force = types[0]
    if kept.force_id:
        if force_side(kept.force_id[0]) == FORCE_SIDE[force]:
            force = kept.force_id[0]
        else:
            residue = "residue in part"
    if kept.marking:
        marked, residue = (marked, "residue in part") if said else (kept.marking, residue)
    return bytes((force, len(kept.variable_parameters) // PARAMETER_LENGTH)) + types[2:], marked, residue
