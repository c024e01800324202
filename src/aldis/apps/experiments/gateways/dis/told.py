"""The ledgers of encoding a track as an Entity State PDU: one for each shape of track and way of saying it, made once.

Where DIS has no code for "unknown" and something must stand in a field, the ledger names the model's field although
nobody gave it a value: `no code`, and what was sent instead.
"""

from __future__ import annotations

from collections.abc import Mapping

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Ledger, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.dis.shapes import Shape, named, shape_of, shapes
from aldis.apps.experiments.gateways.dis.stamps import STAMP_US

__all__ = ["DATED", "nothing_told", "told"]

DATED = ("position", "motion", "identity", "status")
"""The groups that are read with the time of their message."""

_MAX_KEPT = 4096
_P = "EntityState."
_NOT_KNOWN = "not known: sent as"

_ALWAYS: Mapping[str, tuple[Entry, ...]] = {
    "height unknown": (Dropped("position.height_m", "no code", f"{_NOT_KNOWN} 0 m above the ellipsoid"),),
    "velocity unknown": (Dropped("motion.speed_mps", "no code", "no whole velocity is known: sent as 0"),),
    "climb unknown": (Dropped("motion.climb_mps", "no code", f"{_NOT_KNOWN} 0"),),
    "attitude unknown": (Dropped("motion.attitude", "no code", f"{_NOT_KNOWN} three angles of 0"),),
    "attitude level": (Dropped("motion.attitude", "no code", f"{_NOT_KNOWN} level, with the heading"),),
    "force unknown": (Dropped("type.affiliation", "no code", f"{_NOT_KNOWN} 0, other"),),
    "type unknown": (Dropped("type.siso", "no code", f"{_NOT_KNOWN} zeros"),),
    "appearance unknown": (Dropped("status.appearance", "no code", f"{_NOT_KNOWN} 0"),),
    "capabilities unknown": (Dropped("status.capabilities", "no code", f"{_NOT_KNOWN} 0"),),
}
_WHERE_PRESENT: Mapping[str, tuple[Entry, ...]] = {
    "height given": (
        Approximated("position.height_m", f"{_P}location", 1e-6, "m"),
        Dropped("position.depth_m", "no field", "the height is sent"),
    ),
    "height by depth": (
        # geoid heights are between -107 and 86 m (EGM2008), tides within 10 m
        Dropped("position.depth_m", "no field", "sent as a height below the ellipsoid, which is within 120 m"),
    ),
    "original used": (Carried("position.original", f"{_P}location"),),
    "fine": (
        Approximated("motion.speed_mps", f"{_P}velocity", 1e-4, "m/s"),
        Approximated("motion.course_deg", f"{_P}velocity", 1e-4, "deg"),
        Approximated("motion.climb_mps", f"{_P}velocity", 1e-4, "m/s"),
        Approximated("motion.acceleration_mps2", f"{_P}acceleration", 1e-5, "m/s2"),
        Approximated("motion.rates_rad_s", f"{_P}angular_velocity", 1e-5, "rad/s"),
    ),
    "coarse": (
        Approximated("motion.speed_mps", f"{_P}velocity", 0.1, "m/s"),
        Approximated("motion.course_deg", f"{_P}velocity", 180.0, "deg"),
        Approximated("motion.climb_mps", f"{_P}velocity", 0.1, "m/s"),
        Approximated("motion.acceleration_mps2", f"{_P}acceleration", 0.1, "m/s2"),
        Approximated("motion.rates_rad_s", f"{_P}angular_velocity", 0.1, "rad/s"),
    ),
    "velocity unknown": (
        Dropped("motion.course_deg", "no code", "no velocity without a speed"),
        Dropped("motion.climb_mps", "no code", "no velocity without a speed and a course"),
    ),
    "acceleration out of range": (Dropped("motion.acceleration_mps2", "out of range"),),
    "rates out of range": (Dropped("motion.rates_rad_s", "out of range"),),
    "attitude given": (Approximated("motion.attitude", f"{_P}orientation", 1e-6, "rad"),),
    "attitude level": (Approximated("motion.heading_deg", f"{_P}orientation", 1e-4, "deg"),),
    "heading same": (Approximated("motion.heading_deg", f"{_P}orientation", 1e-4, "deg"),),
    "heading other": (Dropped("motion.heading_deg", "no field", "the attitude is sent, which has another"),),
    "algorithm kept": (Carried("motion.dead_reckoning", f"{_P}dead_reckoning.algorithm"),),
    "algorithm chosen": (Dropped("motion.dead_reckoning", "no code", "it needs values that are not known"),),
    "frame kept": (Carried("motion.frame", f"{_P}dead_reckoning.algorithm"),),
    "frame chosen": (Dropped("motion.frame", "made anew"),),
    "source": (Approximated("timing.source_us", f"{_P}timestamp", STAMP_US, "us"),),
    "source in utc": (
        Approximated("timing.source_us", f"{_P}timestamp", STAMP_US, "us"),
        Carried("timing.clock", f"{_P}timestamp"),
    ),
    "hour": (Carried("timing.simulation_us", f"{_P}timestamp"), Carried("timing.clock", f"{_P}timestamp")),
    "stale": (Dropped("timing.source_us", "out of range", "a stamp tells times apart within half an hour"),),
    "id kept": (Carried("identity.dis_id", f"{_P}entity_id"),),
    "id made": (Dropped("identity.dis_id", "not text of this protocol"),),
    "name": (Carried("identity.name", f"{_P}marking.text"),),
    "callsign": (
        Dropped("identity.callsign", "no field", "sent as the marking, which reads as a name"),
        Dropped("identity.name", "too long", "the callsign is sent"),
    ),
    "name cut": (Dropped("identity.name", "too long", "its first 11 characters are sent"),),
    "name not text": (Dropped("identity.name", "not text of this protocol", "no printable ASCII"),),
    "force": (Carried("type.affiliation", f"{_P}force_id"),),
    "force near": (Dropped("type.affiliation", "no code", "the force of that side is sent"),),
    "type": (Carried("type.siso", f"{_P}entity_type"),),
    "type mapped": (Dropped("type.mapped", "no field", "its likeliest SISO code is sent as one that was said"),),
    "alternative": (Carried("type.alternative_siso", f"{_P}alternative_entity_type"),),
    "alternative not text": (Dropped("type.alternative_siso", "not text of this protocol"),),
    "appearance": (Carried("status.appearance", f"{_P}appearance"),),
    "capabilities": (Carried("status.capabilities", f"{_P}capabilities"),),
    "residue": (Carried("residue.parts", "EntityState"),),
    "residue in part": (Dropped("residue.parts", "not decoded", "only what came from an Entity State PDU goes back"),),
    "": (),
}


_told: dict[tuple[tuple[Shape, ...], tuple[str, ...], tuple[bool, ...]], Ledger] = {}


def told(found: tuple[Shape, ...], states: tuple[str, ...], dated: tuple[bool, ...]) -> Ledger:
    """The ledger for groups of these shapes, said in these ways; `dated`: which of `DATED` have its time."""
    key = (found, states, dated)
    ledger = _told.get(key)
    if ledger is None:
        if len(_told) >= _MAX_KEPT:
            _told.clear()
        ledger = _told[key] = _ledger(found, states, dated)
    return ledger


def _ledger(found: tuple[Shape, ...], states: tuple[str, ...], dated: tuple[bool, ...]) -> Ledger:
    told: dict[str, Entry] = {
        "position.lat_deg": Approximated("position.lat_deg", f"{_P}location", 1e-10, "deg"),
        "position.lon_deg": Approximated("position.lon_deg", f"{_P}location", 1e-10, "deg"),
    }
    for group, is_dated in zip(DATED, dated, strict=True):
        told[f"{group}.at"] = (
            Approximated(f"{group}.at", f"{_P}timestamp", 1, "ms")
            if is_dated
            else Dropped(f"{group}.at", "no field", "one time for all of a message")
        )
    always: dict[str, Entry] = {}
    for state in states:
        told |= {entry.field: entry for entry in _WHERE_PRESENT.get(state, ())}
        always |= {entry.field: entry for entry in _ALWAYS.get(state, ())}
    entries = {name: told.get(name) or Dropped(name, "no field") for name in named(found)}
    return Ledger(tuple((entries | always).values()))


def nothing_told(track: Track, detail: str) -> Ledger:
    """The ledger of a track that no message can say."""
    names = named(shapes(track, shape_of(track.type)))
    return Ledger(tuple(Dropped(name, "no code", detail) for name in names))
