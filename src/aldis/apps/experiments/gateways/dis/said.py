"""The ledgers of decoding an Entity State PDU: one for each way in which its fields can be known, made once."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi
from typing import NamedTuple

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Ledger
from aldis.apps.experiments.entity.losses import Entry

__all__ = ["KEPT", "Said", "said"]

_P = "EntityState."
_HEADER = (
    Dropped(f"{_P}protocol_version", "made anew"),
    Dropped(f"{_P}exercise_id", "made anew", "an exercise is joined by its gateway, not by its entities"),
    Dropped(f"{_P}pdu_type", "made anew"),
    Dropped(f"{_P}protocol_family", "made anew"),
    Dropped(f"{_P}length", "made anew"),
)
_ANGLES = {"whole": 1e-6, "turned": 3.01 * pi}  # rad; beyond its range the same attitude comes back in other angles
_VECTOR = 1e-8  # m/s, m/s2: turning it and back, in float64, for less than 1e6

KEPT: dict[str, tuple[int, int | None]] = {
    f"{_P}pdu_status": (10, 11),
    f"{_P}force_id": (18, 19),
    f"{_P}velocity": (36, 48),
    f"{_P}orientation": (72, 84),
    f"{_P}dead_reckoning.parameters": (89, 104),
    f"{_P}acceleration": (104, 116),
    f"{_P}marking": (128, 140),
    f"{_P}variable_parameters": (144, None),
}
"""Where the bytes stand that a residue may keep, by their field."""


class Said(NamedTuple):
    """How well each part of a PDU could be read.

    `place`, `velocity`, `orientation`, `acceleration`, `rates`: `whole`, `turned` (angles beyond their range), `zeros`
    (which say nothing), `unsaid` (zeros that the algorithm does not use), `bytes` (kept as such), or `out of range`.
    """

    version: int
    absolute: int
    status: int
    force: str
    types: tuple[bool, bool]
    marking: str
    place: str
    velocity: str
    orientation: str
    acceleration: str
    rates: str
    parameters: bool
    articulated: bool


def said(how: Said) -> tuple[Ledger, tuple[tuple[str, int, int | None], ...]]:
    """The ledger, and the fields whose bytes the residue keeps, with their places."""
    keep = [
        ("pdu_status", how.status > 0),
        ("force_id", how.force != "code"),
        ("velocity", how.velocity == "bytes"),
        ("orientation", how.orientation == "bytes"),
        ("dead_reckoning.parameters", how.parameters),
        ("acceleration", how.acceleration == "bytes"),
        ("marking", how.marking == "bytes"),
        ("variable_parameters", how.articulated),
    ]
    kept = tuple((_P + field, *KEPT[_P + field]) for field, so in keep if so)
    return Ledger((*_HEADER, *_names(how), *_moving(how), *_rest(how))), kept


def _names(how: Said) -> Iterator[Entry]:
    yield Carried(f"{_P}timestamp", "timing.source_us" if how.absolute else "timing.simulation_us")
    yield Carried(f"{_P}entity_id", "identity.dis_id")
    if how.force == "code":
        yield Carried(f"{_P}force_id", "type.affiliation")
    else:
        detail = "one of several forces of a side: the side is carried" if how.force == "one of many" else ""
        yield Dropped(f"{_P}force_id", "not decoded", detail)
    for field, to, known in (
        ("entity_type", "type.siso", how.types[0]),
        ("alternative_entity_type", "type.alternative_siso", how.types[1]),
    ):
        yield Carried(_P + field, to) if known else Dropped(_P + field, "unknown value", "all zeros")
    if how.marking in ("set", "guess"):
        yield Carried(f"{_P}marking.text", "identity.name")
    elif how.marking == "bytes":
        yield Dropped(f"{_P}marking.text", "not decoded", "no printable ASCII")
    if how.marking == "guess":
        yield Dropped(f"{_P}marking.character_set", "no code", "unused, read as ASCII")
    elif how.marking == "bytes":
        yield Dropped(f"{_P}marking.character_set", "not decoded")
    elif how.marking == "set":
        yield Carried(f"{_P}marking.character_set", "identity.name")


def _moving(how: Said) -> Iterator[Entry]:
    yield from _vector("location", ("x", "y", "z"), how.place, "position.original", None)
    yield from _vector("velocity", ("x", "y", "z"), how.velocity, "motion.speed_mps", (_VECTOR, "m/s"))
    yield from _vector(
        "orientation", ("psi", "theta", "phi"), how.orientation, "motion.attitude",
        (_ANGLES.get(how.orientation, 0.0), "rad"),
    )  # fmt: skip
    yield Carried(f"{_P}dead_reckoning.algorithm", "motion.dead_reckoning")
    yield from _vector("acceleration", ("x", "y", "z"), how.acceleration, "motion.acceleration_mps2", (_VECTOR, "m/s2"))
    yield from _vector("angular_velocity", ("x", "y", "z"), how.rates, "motion.rates_rad_s", None)


def _vector(name: str, axes: tuple[str, ...], how: str, to: str, error: tuple[float, str] | None) -> Iterator[Entry]:
    for axis in axes:
        field = f"{_P}{name}.{axis}"
        if how in ("whole", "turned"):
            yield Approximated(field, to, *error) if error else Carried(field, to)
        elif how in ("zeros", "unsaid"):
            yield Dropped(field, "unknown value", "all zeros")
        elif how == "bytes":
            yield Dropped(field, "not decoded", "its frame is not known")
        else:
            yield Dropped(field, "out of range")


def _rest(how: Said) -> Iterator[Entry]:
    yield Carried(f"{_P}appearance", "status.appearance")
    yield Carried(f"{_P}capabilities", "status.capabilities")
    if how.status:
        yield Dropped(f"{_P}pdu_status", "not decoded")
    if how.parameters:
        yield Dropped(f"{_P}dead_reckoning.parameters", "not decoded")
    if how.articulated:
        yield Dropped(f"{_P}variable_parameters", "not decoded")
