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

from aldis.apps.experiments.entity import GROUPS, Approximated, Carried, Dropped, Encoded, Ledger, Motion, Reason, Track
from aldis.apps.experiments.entity.geodesy import euler_of
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.umaa.idl import ENUMS, types
from aldis.apps.experiments.gateways.umaa.reports import ANGLE, CONTACT, SPEED, VARIANCE
from aldis.apps.experiments.gateways.umaa.wire import NIL, date_time, guid, packed, sayable, written

__all__ = ["Writing", "contact", "is_vehicle", "own_id", "vehicle"]

_UNKNOWN = math.nan
_SAME_DEG = 1e-6
_ENGAGED = {True: "ENGAGED", False: "NOT_ENGAGED", None: "NOT_PROVIDED"}
_MADE_ANEW = frozenset({"sensor.protocol", "sensor.received_ms", "timing.received_us"})


class Writing:
    """What became of each field of an entity; those not named are dropped, as UMAA has no field for them."""

    def __init__(self, track: Track, at_us: int) -> None:
        self.track, self.at_us = track, at_us
        self.fates: dict[str, Entry] = {}
        self._said_ms: set[int] = set()

    def carry(self, field: str, to: str) -> None:
        """It went over whole."""
        self.fates[field] = Carried(field, to)

    def near(self, field: str, to: str, error: float, unit: str) -> None:
        """It went over nearly."""
        self.fates[field] = Approximated(field, to, error, unit)

    def drop(self, field: str, reason: Reason, detail: str = "") -> None:
        """It did not."""
        self.fates[field] = Dropped(field, reason, detail)

    def within(self, group: str, field: str, to: str, least: float = -math.inf, most: float = math.inf) -> float | None:
        """The number of a field, where it has one and UMAA admits it."""
        value = getattr(getattr(self.track, group), field, None)
        if value is None:
            return None
        if not least <= value <= most:
            self.drop(f"{group}.{field}", "out of range")
            return None
        self.carry(f"{group}.{field}", to)
        return float(value)

    def angle(self, field: str, to: str) -> float:
        """A bearing as radians from -pi to pi."""
        value = getattr(self.track.motion, field, None)
        if value is None:
            return _UNKNOWN
        self.near(f"motion.{field}", to, ANGLE, "deg")
        return math.remainder(math.radians(value), math.tau)

    def code(self, group: str, field: str, kind: str, to: str, otherwise: str | None) -> Any:
        """A word as a code of UMAA."""
        word = getattr(getattr(self.track, group), field, None)
        if word in ENUMS[kind]:
            self.carry(f"{group}.{field}", to)
        else:
            if word is not None:
                self.drop(f"{group}.{field}", "no code")
            word = otherwise
        return None if word is None else types()[kind][word]

    def text(self, group: str, field: str, to: str, longest: int = 1023) -> str | None:
        """Words, where UMAA's strings can hold them."""
        value = getattr(getattr(self.track, group), field, None)
        if value is None:
            return None
        text = f"{value:09d}" if isinstance(value, int) else str(value)
        if len(text.encode("utf-8", "replace")) > longest:
            self.drop(f"{group}.{field}", "too long")
            return None
        if "\0" in text or not text.isprintable():
            self.drop(f"{group}.{field}", "not text of this protocol")
            return None
        self.carry(f"{group}.{field}", to)
        return text

    def stamp(self, group: str, to: str) -> Any:
        """When a group holds: at the source's time where that is the same millisecond, else at its own."""
        at: int | None = getattr(getattr(self.track, group), "at", None)
        source_us = self.track.timing.source_us if self.track.timing else None
        if source_us is not None and sayable(source_us) and (at is None or source_us // 1000 == at):
            self.carry("timing.source_us", to)
            self._said_ms.add(source_us // 1000)
            return date_time(source_us)
        if at is None or not sayable(at * 1000):
            return date_time(self.at_us)
        self._said_ms.add(at)
        return date_time(at * 1000)

    def place(self, msl: str, to: str) -> dict[str, Any]:
        """The members on where it is, alike for a vehicle and a contact."""
        position = self.track.position
        if position is None:
            return {}
        self.carry("position.lat_deg", f"{to}.position.geodeticLatitude")
        self.carry("position.lon_deg", f"{to}.position.geodeticLongitude")
        made = types()
        height = None
        if (original := position.original) and original.frame == "msl" and len(original.values) == 3:
            height = original.values[2] if original.values[2] >= 0 else None
            if height is None:
                self.drop("position.original", "out of range")
            else:
                self.carry("position.original", f"{to}.{msl}")
        covariance = None
        if position.accuracy_m is not None:
            square, up = position.accuracy_m**2, position.height_accuracy_m
            self.near("position.accuracy_m", f"{to}.positionCovariance.pnPn", VARIANCE, "m")
            if up is not None:
                self.near("position.height_accuracy_m", f"{to}.positionCovariance.pdPd", VARIANCE, "m")
            covariance = made["CovariancePositionNEDType"](
                pdPd=None if up is None else up**2, pePd=None, pePe=square, pnPd=None, pnPe=None, pnPn=square
            )
        return {
            msl: height,
            "altitudeAGL": None,
            "altitudeASF": None,
            "altitudeGeodetic": self.within("position", "height_m", f"{to}.altitudeGeodetic", -10_000, 700_000),
            "depth": self.within("position", "depth_m", f"{to}.depth", 0, 10_000),
            "position": made["GeoPosition2D"](geodeticLatitude=position.lat_deg, geodeticLongitude=position.lon_deg),
            "positionCovariance": covariance,
        }

    def encoded(self, messages: list[bytes], reason: Reason = "no field") -> Encoded:
        """With an entry for every field that is there."""
        entries: list[Entry] = []
        for name in GROUPS:
            group = getattr(self.track, name)
            for field in () if group is None else group.__struct_fields__:
                value = getattr(group, field)
                if value is not None:
                    path = f"{name}.{field}"
                    if field == "at" and name != "identity" and value in self._said_ms:
                        self.carry(path, "timeStamp")
                    otherwise: Reason = "made anew" if path in _MADE_ANEW else reason
                    entries.append(self.fates.get(path) or Dropped(path, otherwise))
        return Encoded(tuple(messages), Ledger(tuple(entries)))

    def id(self) -> UUID:
        """Its GUID."""
        said = self.track.identity.umaa_id if self.track.identity else None
        if said is not None and written(said):
            self.carry("identity.umaa_id", "source")
        else:
            self.drop("identity.umaa_id", "no code")
        return own_id(self.track)


def own_id(track: Track) -> UUID:
    """The id that UMAA gave it, or one that follows from its key."""
    said = track.identity.umaa_id if track.identity else None
    return (written(said) if said else None) or guid(track.key)


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
        "timeStamp": writing.stamp("position", f"{topic}.timeStamp"),
    }
    return packed(topic, members | source)


def _attitude(writing: Writing, topic: str) -> tuple[float, float, float]:
    motion = writing.track.motion or Motion()
    if motion.attitude is None:
        yaw = writing.angle("heading_deg", f"{topic}.attitude.yaw.yaw")
        return _UNKNOWN, _UNKNOWN, yaw % math.tau
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
        "timeStamp": writing.stamp(
            "status" if mode and writing.track.motion is None else "motion", f"{topic}.timeStamp"
        ),
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
    if known and "motion.course_deg" in writing.fates and isinstance(writing.fates["motion.course_deg"], Dropped):
        writing.near("motion.course_deg", f"{topic}.velocity", SPEED, "m/s")
    if motion.frame == "ned":
        writing.carry("motion.frame", topic)
    down = _UNKNOWN
    if motion.climb_mps is not None:
        down = -motion.climb_mps
        writing.carry("motion.climb_mps", f"{topic}.velocity.downSpeed")
    rates = motion.rates_rad_s or (_UNKNOWN, _UNKNOWN, _UNKNOWN)
    writing.carry("motion.rates_rad_s", f"{topic}.attitudeRate")
    members = {
        "attitudeRate": made["OrientationVel3D"](rollRate=rates[0], pitchRate=rates[1], yawRate=rates[2]),
        "attitudeRateCovariance": None,
        "velocity": made["Velocity3DPlatformNEDType"](downSpeed=down, eastSpeed=east, northSpeed=north),
        "velocityCovariance": None,
        "timeStamp": writing.stamp("motion", f"{topic}.timeStamp"),
    }
    return packed(topic, members | source)


def _north_east(motion: Motion) -> tuple[float, float]:
    if motion.speed_mps == 0:
        return 0.0, 0.0
    if motion.speed_mps is None or motion.course_deg is None:
        return _UNKNOWN, _UNKNOWN
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
        "chargeRemaining": _UNKNOWN if charge is None else charge,
        "current": _UNKNOWN if current is None else current,
        "energyUsageRate": _UNKNOWN,
        "hours": _UNKNOWN,
        "state": made["PowerPlantStateEnumType"]["ON"],
        "temp": _UNKNOWN,
        "voltage": _UNKNOWN if voltage is None else voltage,
        "timeStamp": writing.stamp("status", f"{topic}.timeStamp"),
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
        speedOverGround=_UNKNOWN if speed is None else speed,
        timeFirstAcquired=date_time(start_us or 0),
        timeLost=None,
        width=writing.within("type", "beam_m", f"{to}.width", 0),
        featureID=own,
    )
    stamp = writing.stamp("position", f"{CONTACT}.elementTimestamp")
    members = {"element": element, "setID": set_id.bytes, "elementID": own, "elementTimestamp": stamp}
    return writing.encoded([packed(CONTACT, members)])


def _stations(writing: Writing, to: str) -> list[bytes]:
    stations = writing.track.sensor.stations if writing.track.sensor else None
    found = [written(one) for one in stations or ()]
    ids = [one.bytes for one in found if one is not None]
    if stations is not None:
        if len(ids) == len(stations) <= 32:
            writing.carry("sensor.stations", f"{to}.source")
        else:
            writing.drop("sensor.stations", "no code")
            ids = []
    return ids
