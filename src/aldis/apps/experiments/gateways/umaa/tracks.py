"""Tracks to reports: a vehicle's own, or a contact as an element of the set of contacts.

A track is a vehicle where its `type.nature` says so, or says nothing and it has an id of UMAA. UMAA has no sign for an
unknown number that must be there: NaN is said. Of codes that must be there the one is said that claims least:
ESTIMATED, TENTATIVE, NOT_PROVIDED; of a battery, ON. A contact without a name has an empty one, and who does not know
since when it is known says 1970.
"""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from aldis.apps.experiments.entity import Dropped, Encoded, Motion, Track
from aldis.apps.experiments.entity.geodesy import euler_of
from aldis.apps.experiments.gateways.umaa.fates import ANGLE, CONTACT, SPEED
from aldis.apps.experiments.gateways.umaa.idl import types
from aldis.apps.experiments.gateways.umaa.wire import NIL, date_time, packed, sayable, written
from aldis.apps.experiments.gateways.umaa.writing import UNKNOWN, Writing

__all__ = ["contact", "is_vehicle", "vehicle"]

_SAME_DEG = 1e-6
_ENGAGED = {True: "ENGAGED", False: "NOT_ENGAGED", None: "NOT_PROVIDED"}


def is_vehicle(track: Track) -> bool:
    """Whether it is told as a vehicle's own reports."""
    nature = track.type.nature if track.type else None
    return nature == "vehicle" or (nature is None and bool(track.identity and track.identity.umaa_id))


def vehicle(track: Track, at_us: int) -> Encoded:
    """Its pose, speed, velocity and battery, as far as they are known."""
    writing = Writing(track, at_us)
    source = {"source": writing.id().bytes}
    parts = [_pose(writing, source), _speed(writing, source), _velocity(writing, source), _battery(writing, source)]
    messages = [part for part in parts if part is not None]
    if messages:
        writing.carry("type.nature", "GlobalPoseReport")
    else:
        writing.fates.clear()
    return writing.encoded(messages)


def _pose(writing: Writing, source: dict[str, Any]) -> bytes | None:
    if writing.track.position is None:
        for field in ("course_deg", "heading_deg", "attitude"):
            writing.drop(f"motion.{field}", "other message", "only beside a position")
        return None
    topic, made = "GlobalPoseReport", types()
    roll, pitch, yaw = _attitude(writing, topic)
    attitude = made["Orientation3DNEDType"](
        pitch=made["PitchYNEDType"](pitch=pitch), roll=made["RollXNEDType"](roll=roll), yaw=made["YawZNEDType"](yaw=yaw)
    )
    members = {
        **writing.place("altitude", topic),
        "attitude": attitude,
        "attitudeCovariance": None,
        "course": writing.angle("course_deg", f"{topic}.course"),
        "navigationSolution": writing.code(
            "sensor", "fix", "NavigationSolutionEnumType", f"{topic}.navigationSolution", "ESTIMATED"
        ),
        "timeStamp": writing.stamp(f"{topic}.timeStamp", "position", "motion"),
    }
    return packed(topic, members | source)


def _attitude(writing: Writing, topic: str) -> tuple[float, float, float]:
    motion = writing.track.motion or Motion()
    if motion.attitude is None:
        yaw = writing.angle("heading_deg", f"{topic}.attitude.yaw.yaw")
        return UNKNOWN, UNKNOWN, yaw % math.tau
    roll, pitch, yaw = euler_of(motion.attitude)
    writing.near("motion.attitude", f"{topic}.attitude", ANGLE, "rad")
    if motion.heading_deg is not None:
        if abs(math.remainder(motion.heading_deg - math.degrees(yaw), 360)) < _SAME_DEG:
            writing.near("motion.heading_deg", f"{topic}.attitude.yaw.yaw", _SAME_DEG, "deg")
        else:
            writing.drop("motion.heading_deg", "no field", "the attitude says another")
    return roll, pitch, yaw % math.tau


def _speed(writing: Writing, source: dict[str, Any]) -> bytes | None:
    topic = "SpeedReport"
    ground = writing.within("motion", "speed_mps", f"{topic}.speedOverGround")
    water = writing.within("motion", "water_speed_mps", f"{topic}.speedThroughWater", 0)
    mode = writing.code("status", "mode", "VehicleSpeedModeEnumType", f"{topic}.mode", None)
    if ground is None and water is None and mode is None:
        return None
    members = {
        "engineRPM": None,
        "mode": mode,
        "speedOverGround": ground,
        "speedThroughAir": None,
        "speedThroughWater": water,
        "timeStamp": writing.stamp(f"{topic}.timeStamp", "motion", *(("status",) if mode else ())),
    }
    return packed(topic, members | source)


def _velocity(writing: Writing, source: dict[str, Any]) -> bytes | None:
    topic, made, motion = "VelocityReport", types(), writing.track.motion
    if motion is None:
        return None
    north, east = _north_east(motion)
    known = not math.isnan(north)
    if motion.rates_rad_s is None and not (known and (motion.climb_mps is not None or motion.frame == "ned")):
        writing.drop("motion.climb_mps", "other message", "only beside a velocity")
        return None
    if (
        known
        and motion.speed_mps
        and "motion.course_deg" in writing.fates
        and isinstance(writing.fates["motion.course_deg"], Dropped)
    ):
        writing.near("motion.course_deg", f"{topic}.velocity", SPEED, "m/s")
    if known:
        writing.near("motion.speed_mps", f"SpeedReport.speedOverGround, {topic}.velocity", SPEED, "m/s")
    if motion.frame == "ned":
        writing.carry("motion.frame", topic)
    down = UNKNOWN
    if motion.climb_mps is not None:
        down = -motion.climb_mps
        writing.carry("motion.climb_mps", f"{topic}.velocity.downSpeed")
    rates = motion.rates_rad_s or (UNKNOWN, UNKNOWN, UNKNOWN)
    writing.carry("motion.rates_rad_s", f"{topic}.attitudeRate")
    members = {
        "attitudeRate": made["OrientationVel3D"](rollRate=rates[0], pitchRate=rates[1], yawRate=rates[2]),
        "attitudeRateCovariance": None,
        "velocity": made["Velocity3DPlatformNEDType"](downSpeed=down, eastSpeed=east, northSpeed=north),
        "velocityCovariance": None,
        "timeStamp": writing.stamp(f"{topic}.timeStamp", "motion"),
    }
    return packed(topic, members | source)


def _north_east(motion: Motion) -> tuple[float, float]:
    if motion.speed_mps == 0:
        return 0.0, 0.0
    if motion.speed_mps is None or motion.course_deg is None:
        return UNKNOWN, UNKNOWN
    way = math.radians(motion.course_deg)
    return motion.speed_mps * math.cos(way), motion.speed_mps * math.sin(way)


def _battery(writing: Writing, source: dict[str, Any]) -> bytes | None:
    topic, made = "BatteryReport", types()
    charge = writing.within("status", "battery_percent", f"{topic}.chargeRemaining", 0, 1000)
    current = writing.within("status", "battery_a", f"{topic}.current", -1e5, 1e5)
    voltage = writing.within("status", "battery_v", f"{topic}.voltage", -1e5, 1e5)
    if charge is None and current is None and voltage is None:
        return None
    cells = made["LargeListMetadata"](
        listID=NIL.bytes, updateElementID=NIL.bytes, updateElementTimestamp=None, startingElementID=NIL.bytes, size=0
    )
    members = {
        "chargeRemaining": UNKNOWN if charge is None else charge,
        "current": UNKNOWN if current is None else current,
        "energyUsageRate": UNKNOWN,
        "hours": UNKNOWN,
        "state": made["PowerPlantStateEnumType"]["ON"],
        "temp": UNKNOWN,
        "voltage": UNKNOWN if voltage is None else voltage,
        "timeStamp": writing.stamp(f"{topic}.timeStamp", "status"),
        "cellsListMetadata": cells,
    }
    return packed(topic, members | source)


def contact(track: Track, at_us: int, set_id: UUID) -> Encoded:
    """An element of the set `set_id`."""
    writing = Writing(track, at_us)
    if track.position is None:
        return writing.encoded([], "other message")
    made, to, own = types(), f"{CONTACT}.element", writing.id().bytes
    start_us = track.timing.start_us if track.timing else None
    if start_us is not None and not sayable(start_us):
        writing.drop("timing.start_us", "out of range")
        start_us = None
    if start_us is not None:
        writing.carry("timing.start_us", f"{to}.timeFirstAcquired")
    writing.carry("type.nature", CONTACT)
    course, heading = (writing.angle(f"{name}_deg", f"{to}.{name}") for name in ("course", "heading"))
    speed = writing.within("motion", "speed_mps", f"{to}.speedOverGround")
    indicator = writing.code("sensor", "fix", "SourceIndicatorEnumType", f"{to}.sourceIndicator", "TENTATIVE")
    engaged = track.status.special_manoeuvre if track.status else None
    groups = ("position", "motion") if engaged is None else ("position", "motion", "status")
    if engaged is not None:
        writing.carry("status.special_manoeuvre", f"{to}.specialManeuverIndicator")
    element = made["ContactType"](
        **writing.place("altitudeMSL", to),
        callSign=writing.text("identity", "callsign", f"{to}.callSign"),
        confidence=None,
        contactName=writing.text("identity", "name", f"{to}.contactName") or "",
        course=None if math.isnan(course) else course,
        heading=None if math.isnan(heading) else heading,
        height=None,
        length=writing.within("type", "length_m", f"{to}.length", 0),
        MMSINumber=writing.text("identity", "mmsi", f"{to}.MMSINumber", 9),
        quality=None,
        SIDC=writing.text("type", "sidc", f"{to}.SIDC"),
        source=_stations(writing, to),
        sourceIndicator=indicator,
        specialManeuverIndicator=made["SpecialManeuverIndicatorEnumType"][_ENGAGED[engaged]],
        speedOverGround=UNKNOWN if speed is None else speed,
        timeFirstAcquired=date_time(start_us or 0),
        timeLost=None,
        width=writing.within("type", "beam_m", f"{to}.width", 0),
        featureID=own,
    )
    stamp = writing.stamp(f"{CONTACT}.elementTimestamp", *groups)
    members = {"element": element, "setID": set_id.bytes, "elementID": own, "elementTimestamp": stamp}
    return writing.encoded([packed(CONTACT, members)])


def _stations(writing: Writing, to: str) -> list[bytes]:
    stations = writing.track.sensor.stations if writing.track.sensor else None
    found = [written(one) for one in stations or ()]
    ids = [one.bytes for one in found if one is not None]
    if stations is not None:
        if 0 < len(ids) == len(stations) <= 32:
            writing.carry("sensor.stations", f"{to}.source")
        else:
            writing.drop("sensor.stations", "no code")
            ids = []
    return ids
