"""Reports of a vehicle and of contacts to tracks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from aldis.apps.experiments.entity import (
    Approximated,
    Decoded,
    Dropped,
    Identity,
    Ledger,
    Motion,
    Original,
    Position,
    Reason,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
)
from aldis.apps.experiments.entity.geodesy import course, quaternion_of
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.umaa.fates import ANGLE, CONTACT, FATES, VARIANCE, ledger_of, shared
from aldis.apps.experiments.gateways.umaa.wire import NIL, Flat, microseconds

__all__ = ["READERS", "number", "stamped"]

_FASTEST = 1e5
_ENGAGED = {"ENGAGED": True, "NOT_ENGAGED": False}


def number(members: Flat, name: str) -> float | None:
    """The number there, if there is one."""
    value = members.get(name)
    return float(value) if isinstance(value, int | float) else None


def stamped(source_us: int | None, at_us: int, start_us: int | None = None) -> Timing:
    """The times of a sample that arrived at `at_us`."""
    return Timing(source_us=source_us, start_us=start_us, received_us=at_us, clock="utc")


class _Reading:
    """The members of one sample, and what happens to those that do not go the usual way."""

    def __init__(self, topic: str, members: Flat, at_us: int, when: str) -> None:
        self.topic, self.members, self.at_us = topic, members, at_us
        self.other: dict[str, Entry] = {}
        self.source_us = microseconds(members, when)
        if self.source_us is None:
            self.drop(f"{when}.seconds", "unknown value")
            self.drop(f"{when}.nanoseconds", "unknown value")
        self.at = at_us // 1000 if self.source_us is None else self.source_us // 1000

    def drop(self, name: str, reason: Reason) -> None:
        self.other[name] = Dropped(name, reason)

    def ledger(self) -> Ledger:
        """Shared by all samples in which the same members say something, where none goes another way."""
        if not self.other:
            return shared(self.topic, tuple(self.members))
        fates = FATES[self.topic] | self.other
        return ledger_of(self.topic, [fates.get(name) or Dropped(name, "no field") for name in self.members])

    def angle(self, name: str) -> float | None:
        value = number(self.members, name)
        return None if value is None else math.degrees(value) % 360 % 360

    def position(self, before: str, msl: str) -> Position | None:
        lat = number(self.members, f"{before}position.geodeticLatitude")
        lon = number(self.members, f"{before}position.geodeticLongitude")
        if lat is None or lon is None:
            for name in self.members:
                if name.startswith((f"{before}position", f"{before}altitude", f"{before}depth")):
                    self.drop(name, "other message")
            return None
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise Damaged("out of range")
        height = number(self.members, f"{before}{msl}")
        return Position(
            lat_deg=lat,
            lon_deg=lon,
            at=self.at,
            height_m=number(self.members, f"{before}altitudeGeodetic"),
            depth_m=number(self.members, f"{before}depth"),
            accuracy_m=self._horizontal(f"{before}positionCovariance"),
            height_accuracy_m=self._deviation(f"{before}positionCovariance.pdPd"),
            original=None if height is None else Original(frame="msl", datum="WGS-84", values=(lat, lon, height)),
        )

    def _deviation(self, name: str) -> float | None:
        variance = number(self.members, name)
        if variance is not None and variance < 0:
            self.drop(name, "out of range")
            return None
        return None if variance is None else math.sqrt(variance)

    def _horizontal(self, name: str) -> float | None:
        """One deviation for north and east: the root of their mean variance."""
        north, east = number(self.members, f"{name}.pnPn"), number(self.members, f"{name}.pePe")
        if north is None or east is None:
            return None
        if min(north, east) < 0:
            self.drop(f"{name}.pnPn", "out of range")
            self.drop(f"{name}.pePe", "out of range")
            return None
        if north != east:
            for axis in (f"{name}.pnPn", f"{name}.pePe"):
                error = abs(north - east) / 2 + VARIANCE
                self.other[axis] = Approximated(axis, "position.accuracy_m", error, "m2")
        return math.sqrt((north + east) / 2)

    def decoded(self, start_us: int | None = None, fix: Any = None, **groups: Any) -> Decoded:
        sensor = Sensor(protocol="umaa", received_ms=self.at_us // 1000, fix=fix, stations=groups.pop("stations", None))
        timing = stamped(self.source_us, self.at_us, start_us)
        identity = groups["identity"]
        track = Track(key=f"umaa:{identity.umaa_id}", sensor=sensor, timing=timing, **groups)
        return Decoded(track, self.ledger())

    def id(self, name: str) -> str:
        if (found := self.members[name]) == str(NIL):
            raise Damaged("no source")
        return str(found)

    def code(self, name: str) -> str | None:
        """The name of a code; a number is one that this version does not have."""
        value = self.members.get(name)
        if isinstance(value, int):
            self.drop(name, "no code")
        return value if isinstance(value, str) else None

    def vehicle(self) -> dict[str, Any]:
        return {"identity": Identity(umaa_id=self.id("source")), "type": Type(nature="vehicle")}


def _pose(members: Flat, at_us: int) -> Decoded:
    reading = _Reading("GlobalPoseReport", members, at_us, "timeStamp")
    angles = [number(members, f"attitude.{name}.{name}") for name in ("roll", "pitch", "yaw")]
    roll, pitch, yaw = angles
    attitude = None if roll is None or pitch is None or yaw is None else quaternion_of(roll, pitch, yaw)
    if attitude is None:
        reading.drop("attitude.roll.roll", "other message")
        reading.drop("attitude.pitch.pitch", "other message")
        reading.other["attitude.yaw.yaw"] = Approximated("attitude.yaw.yaw", "motion.heading_deg", ANGLE, "rad")
    motion = Motion(
        at=reading.at,
        course_deg=reading.angle("course"),
        heading_deg=reading.angle("attitude.yaw.yaw"),
        attitude=attitude,
    )
    position = reading.position("", "altitude")
    return reading.decoded(
        **reading.vehicle(), position=position, motion=motion, fix=reading.code("navigationSolution")
    )


def _speed(members: Flat, at_us: int) -> Decoded:
    reading = _Reading("SpeedReport", members, at_us, "timeStamp")
    speed, mode = number(members, "speedOverGround"), reading.code("mode")
    if speed is not None and speed < 0:  # astern: over ground that is a course, which it does not tell
        reading.drop("speedOverGround", "out of range")
        speed = None
    motion = Motion(at=reading.at, speed_mps=speed, water_speed_mps=number(members, "speedThroughWater"))
    status = None if mode is None else Status(at=reading.at, mode=mode)
    return reading.decoded(**reading.vehicle(), motion=motion, status=status)


def _velocity(members: Flat, at_us: int) -> Decoded:
    reading = _Reading("VelocityReport", members, at_us, "timeStamp")
    north, east, down = (number(members, f"velocity.{name}Speed") for name in ("north", "east", "down"))
    roll, pitch, yaw = (number(members, f"attitudeRate.{name}Rate") for name in ("roll", "pitch", "yaw"))
    if any(one is not None and abs(one) > _FASTEST for one in (north, east, down)):
        raise Damaged("out of range")
    speed, way = (None, None) if north is None or east is None else course(north, east)
    rates = None if roll is None or pitch is None or yaw is None else (roll, pitch, yaw)
    if speed is None:
        reading.drop("velocity.northSpeed", "other message")
        reading.drop("velocity.eastSpeed", "other message")
    if rates is None:
        for name in ("roll", "pitch", "yaw"):
            reading.drop(f"attitudeRate.{name}Rate", "other message")
    motion = Motion(
        at=reading.at,
        speed_mps=speed,
        course_deg=way,
        climb_mps=None if down is None else -down,
        rates_rad_s=rates,
        frame="ned",
    )
    return reading.decoded(**reading.vehicle(), motion=motion)


def _battery(members: Flat, at_us: int) -> Decoded:
    reading = _Reading("BatteryReport", members, at_us, "timeStamp")
    status = Status(
        at=reading.at,
        battery_percent=number(members, "chargeRemaining"),
        battery_v=number(members, "voltage"),
        battery_a=number(members, "current"),
    )
    return reading.decoded(**reading.vehicle(), status=status)


def _contact(members: Flat, at_us: int) -> Decoded:
    reading = _Reading(CONTACT, members, at_us, "elementTimestamp")
    start_us = microseconds(members, "element.timeFirstAcquired")
    if start_us is None:
        reading.drop("element.timeFirstAcquired.seconds", "unknown value")
        reading.drop("element.timeFirstAcquired.nanoseconds", "unknown value")
    if members["elementID"] != members["element.featureID"]:
        reading.drop("elementID", "no field")
    speed = number(members, "element.speedOverGround")
    if speed is not None and speed < 0:
        reading.drop("element.speedOverGround", "out of range")
        speed = None
    indicator = reading.code("element.specialManeuverIndicator")
    if indicator not in _ENGAGED:
        reading.drop("element.specialManeuverIndicator", "unknown value")
    mmsi, stations = _word(members, "element.MMSINumber"), _word(members, "element.source")
    return reading.decoded(
        start_us=start_us,
        fix=reading.code("element.sourceIndicator"),
        stations=stations.split(",") if stations else None,
        identity=Identity(
            umaa_id=reading.id("element.featureID"),
            name=_word(members, "element.contactName"),
            callsign=_word(members, "element.callSign"),
            mmsi=int(mmsi) if mmsi and len(mmsi) == 9 and mmsi.isascii() and mmsi.isdigit() else mmsi,
        ),
        type=Type(
            nature="contact",
            sidc=_word(members, "element.SIDC"),
            length_m=number(members, "element.length"),
            beam_m=number(members, "element.width"),
        ),
        status=Status(at=reading.at, special_manoeuvre=_ENGAGED[indicator]) if indicator in _ENGAGED else None,
        position=reading.position("element.", "altitudeMSL"),
        motion=Motion(
            at=reading.at,
            speed_mps=speed,
            course_deg=reading.angle("element.course"),
            heading_deg=reading.angle("element.heading"),
        ),
    )


def _word(members: Flat, name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None


READERS: dict[str, Callable[[Flat, int], Decoded]] = {
    "GlobalPoseReport": _pose,
    "SpeedReport": _speed,
    "VelocityReport": _velocity,
    "BatteryReport": _battery,
    CONTACT: _contact,
}
