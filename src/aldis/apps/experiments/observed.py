"""Observations of the sea gateways in the terms of the entity model."""

from __future__ import annotations

from aldis.apps.experiments.entity import (
    Decoded,
    Identity,
    Ledger,
    Motion,
    Original,
    Position,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
    Voyage,
)
from aldis.apps.experiments.entity.geoid import ellipsoidal_m
from aldis.apps.experiments.gateways import observation
from aldis.apps.experiments.gateways.fields import ship_type_text
from aldis.apps.experiments.gateways.observation import Observation

__all__ = ["decoded", "track_of"]

_NOTHING = Ledger()


def decoded(seen: Observation) -> Decoded:
    """An observation as a gateway of the entity model gives it."""
    return Decoded(track_of(seen), _NOTHING)


def track_of(seen: Observation) -> Track:
    """The partial track that an observation states."""
    source, at = seen.source, seen.source.received_ms
    who, voyage = seen.identity, seen.voyage
    return Track(
        key=f"mmsi:{seen.mmsi}",
        position=_position(seen.position, at) if seen.position else None,
        motion=_motion(seen.position, at) if seen.position else None,
        identity=Identity(
            at=at, mmsi=seen.mmsi, imo=who.imo if who else None, name=who.name if who else None,
            callsign=who.callsign if who else None,
        ),
        type=_type(seen),
        status=Status(at=at, nav_status=seen.position.nav_status)
        if seen.position and seen.position.nav_status
        else None,
        voyage=Voyage(at=at, destination=voyage.destination, eta=voyage.eta, draught_m=voyage.draught_m)
        if voyage
        else None,
        sensor=Sensor(
            protocol=source.protocol, received_ms=at, station=source.station, country=source.country,
            region=source.region, channel=source.channel, own=source.own or None,
        ),
        timing=Timing(received_us=at * 1000),
    )  # fmt: skip


def _position(seen: observation.Position, at: int) -> Position:
    height, original = None, None
    if seen.altitude_m is not None:  # of a search and rescue aircraft: above mean sea level (ITU-R M.1371-5, message 9)
        height = round(ellipsoidal_m(seen.lat_deg, seen.lon_deg, seen.altitude_m), 2)
        original = Original(frame="msl", datum="WGS-84", values=(seen.lat_deg, seen.lon_deg, seen.altitude_m))
    return Position(
        lat_deg=seen.lat_deg, lon_deg=seen.lon_deg, at=at, accurate=seen.accurate, height_m=height, original=original
    )


def _motion(seen: observation.Position, at: int) -> Motion | None:
    said = (seen.speed_mps, seen.course_deg, seen.heading_deg, seen.turn_deg_per_min)
    if all(value is None for value in said):
        return None
    speed, course, heading, turn = said
    return Motion(at=at, speed_mps=speed, course_deg=course, heading_deg=heading, turn_deg_per_min=turn)


def _type(seen: Observation) -> Type | None:
    who = seen.identity
    if who is None:
        return Type(station=seen.kind) if seen.kind else None
    made = Type(
        station=seen.kind, ship_type=who.ship_type, ship_type_text=ship_type_text(who.ship_type),
        length_m=who.length_m, beam_m=who.beam_m, bow_m=who.bow_m, starboard_m=who.starboard_m,
    )  # fmt: skip
    return made if made != Type() else None
