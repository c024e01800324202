"""A vehicle, a contact, a waypoint command and a status in which every member has a value that tells."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from aldis.apps.experiments.gateways.gateway import Specimen
from aldis.apps.experiments.gateways.umaa.fates import CONTACT
from aldis.apps.experiments.gateways.umaa.idl import types
from aldis.apps.experiments.gateways.umaa.lists import COMMAND, ELEMENT
from aldis.apps.experiments.gateways.umaa.tasks import ACKNOWLEDGEMENT, STATUS
from aldis.apps.experiments.gateways.umaa.wire import packed

__all__ = ["specimens"]

_BOAT, _OPERATOR, _SESSION, _CONTACT, _LIST, _FIRST, _LAST, _SET = (
    UUID(f"5f0294ef-d546-42e1-a3fe-666ace56933{number}").bytes for number in range(8)
)
_SPEED, _COURSE = 4.25, 1.5


def specimens() -> tuple[Specimen, ...]:
    """Each is about one thing."""
    return (
        Specimen("a vehicle", (_pose(), _speed(), _velocity(), _battery())),
        Specimen("a contact", (_contact(),)),
        Specimen("a command", _command()),
        Specimen("an acknowledgement", (_acknowledgement(),)),
        Specimen("a status", (_status(),)),
    )


def _time(nanoseconds: int, seconds: int = 1_700_000_000) -> Any:
    return types()["DateTime"](seconds=seconds, nanoseconds=nanoseconds)


def _place(lat: float, lon: float) -> Any:
    return types()["GeoPosition2D"](geodeticLatitude=lat, geodeticLongitude=lon)


def _covariance(kind: str, names: str, first: float) -> Any:
    return types()[kind](**{name: first + index for index, name in enumerate(names.split())})


def _pose() -> bytes:
    made = types()
    covariance = made["CovariancePositionNEDType"](pdPd=4.0, pePd=0.1, pePe=2.25, pnPd=0.2, pnPe=0.3, pnPn=2.25)
    members = {
        "altitude": 1.25,
        "altitudeAGL": 12.5,
        "altitudeASF": 33.5,
        "altitudeGeodetic": 18.75,
        "attitude": made["Orientation3DNEDType"](
            pitch=made["PitchYNEDType"](pitch=-0.05),
            roll=made["RollXNEDType"](roll=0.1),
            yaw=made["YawZNEDType"](yaw=1.6),
        ),
        "attitudeCovariance": _covariance("CovarOrientationType", "rpRp rpRy rrRp rrRr rrRy ryRy", 0.5),
        "course": _COURSE,
        "depth": 0.25,
        "navigationSolution": made["NavigationSolutionEnumType"]["MEASURED"],
        "position": _place(59.8512345, 24.4512345),
        "positionCovariance": covariance,
        "timeStamp": _time(123_456_000),
        "source": _BOAT,
    }
    return packed("GlobalPoseReport", members)


def _speed() -> bytes:
    members = {
        "engineRPM": 1250.5,
        "mode": types()["VehicleSpeedModeEnumType"]["MRC"],
        "speedOverGround": _SPEED,
        "speedThroughAir": 6.5,
        "speedThroughWater": 4.5,
        "timeStamp": _time(123_456_000),
        "source": _BOAT,
    }
    return packed("SpeedReport", members)


def _velocity() -> bytes:
    made = types()
    north, east = _SPEED * math.cos(_COURSE), _SPEED * math.sin(_COURSE)
    members = {
        "attitudeRate": made["OrientationVel3D"](pitchRate=0.02, rollRate=0.01, yawRate=0.03),
        "attitudeRateCovariance": _covariance("CovarAttitudeRateType", "rpRp rpRy rrRp rrRr rrRy ryRy", 1.5),
        "velocity": made["Velocity3DPlatformNEDType"](downSpeed=0.5, eastSpeed=east, northSpeed=north),
        "velocityCovariance": _covariance("CovarianceVelocityType", "vdVd veVd veVe vnVd vnVe vnVn", 2.5),
        "timeStamp": _time(123_456_000),
        "source": _BOAT,
    }
    return packed("VelocityReport", members)


def _battery() -> bytes:
    made = types()
    members = {
        "chargeRemaining": 81.5,
        "current": 3.75,
        "energyUsageRate": 46.5,
        "hours": 5.5,
        "state": made["PowerPlantStateEnumType"]["ON"],
        "temp": 21.5,
        "voltage": 12.25,
        "timeStamp": _time(123_456_000),
        "source": _BOAT,
        "cellsListMetadata": _listing(0),
    }
    return packed("BatteryReport", members)


def _listing(size: int) -> Any:
    return types()["LargeListMetadata"](
        listID=_LIST, updateElementID=_LAST, updateElementTimestamp=_time(5000), startingElementID=_FIRST, size=size
    )


def _contact() -> bytes:
    made = types()
    covariance = made["CovariancePositionNEDType"](pdPd=9.0, pePd=0.4, pePe=6.25, pnPd=0.5, pnPe=0.6, pnPn=6.25)
    element = made["ContactType"](
        altitudeAGL=2.5,
        altitudeASF=30.5,
        altitudeGeodetic=17.5,
        altitudeMSL=0.75,
        callSign="OJ1234",
        confidence=75.5,
        contactName="GENERATED 7",
        course=-1.25,
        depth=0.5,
        heading=-1.5,
        height=9.5,
        length=42.5,
        MMSINumber="002300001",
        position=_place(59.7, 24.3),
        positionCovariance=covariance,
        quality=65.5,
        SIDC="10033000001401000000",
        source=[_BOAT, _OPERATOR],
        sourceIndicator=made["SourceIndicatorEnumType"]["ACTUAL"],
        specialManeuverIndicator=made["SpecialManeuverIndicatorEnumType"]["ENGAGED"],
        speedOverGround=7.25,
        timeFirstAcquired=_time(654_321_000, 1_699_999_000),
        timeLost=_time(1000, 1_699_999_900),
        width=8.5,
        featureID=_CONTACT,
    )
    members = {"element": element, "setID": _SET, "elementID": _CONTACT, "elementTimestamp": _time(123_456_000)}
    return packed(CONTACT, members)


def _head() -> dict[str, Any]:
    return {
        "timeStamp": _time(123_456_000),
        "source": _OPERATOR,
        "sessionID": _SESSION,
        "destination": _BOAT,
        "waypointsListMetadata": _listing(2),
    }


def _command() -> tuple[bytes, ...]:
    made = types()
    deep = made["ElevationTypeUnion"](DepthVariant=made["DepthType"](depth=3.5))
    high = made["ElevationTypeUnion"](AltitudeGeodeticVariant=made["AltitudeGeodeticType"](altitudeGeodetic=17.5))
    elements = (
        {"element": _waypoint("first", 59.8, 24.4, deep, _FIRST), "elementID": _FIRST, "nextElementID": _LAST},
        {"element": _waypoint("last", 59.9, 24.6, high, _LAST), "elementID": _LAST, "nextElementID": None},
    )
    rest = {"listID": _LIST, "elementTimestamp": _time(123_456_000)}
    return (packed(COMMAND, _head()), *(packed(ELEMENT, one | rest) for one in elements))


def _waypoint(name: str, lat: float, lon: float, elevation: Any, own: bytes) -> Any:
    made = types()
    angles = {axis: made[kind](**{axis: angle}) for axis, kind, angle in _ANGLES}
    limits = {
        axis: made[kind.replace("Type", "Tolerance")](lowerlimit=angles[axis], upperlimit=angles[axis])
        for axis, kind, _ in _ANGLES
    }
    attitude = made["Orientation3DNEDRequirement"](
        pitchY=made["PitchYNEDRequirement"](pitch=angles["pitch"], pitchTolerance=limits["pitch"]),
        rollX=made["RollXNEDRequirement"](roll=angles["roll"], rollTolerance=limits["roll"]),
        yawZ=made["YawZNEDRequirement"](yaw=angles["yaw"], yawTolerance=limits["yaw"]),
    )
    wanted = made["GroundSpeedRequirement"](
        speed=3.5, speedTolerance=made["GroundSpeedTolerance"](lowerlimit=3.0, upperlimit=4.0)
    )
    speed = made["SpeedControlTypeUnion"](SpeedOverGroundVariant=made["SpeedOverGround"](speed=wanted))
    recommended = made["RecommendedSpeedControl"](
        recommendedSpeedControl=made["SpeedControlType"](SpeedControlTypeSubtypes=speed)
    )
    union = made["VariableSpeedControlTypeUnion"](RecommendedSpeedControlVariant=recommended)
    return made["GlobalWaypointType"](
        attitude=attitude,
        elevation=made["ElevationType"](ElevationTypeSubtypes=elevation),
        name=name,
        position=made["GeoPosition2DRequirement"](
            tolerance=made["GeoPosition2DTolerance"](limit=25.5), value=_place(lat, lon)
        ),
        speed=made["VariableSpeedControlType"](VariableSpeedControlTypeSubtypes=union),
        trackTolerance=15.5,
        waypointID=own,
    )


_ANGLES = (("pitch", "PitchYNEDType", 0.05), ("roll", "RollXNEDType", 0.1), ("yaw", "YawZNEDType", 1.25))


def _acknowledgement() -> bytes:
    command = types()["GlobalWaypointCommandType"](**_head())
    members = {"command": command, "timeStamp": _time(223_456_000), "source": _BOAT, "sessionID": _SESSION}
    return packed(ACKNOWLEDGEMENT, members)


def _status() -> bytes:
    made = types()
    members = {
        "timeStamp": _time(323_456_000),
        "source": _BOAT,
        "sessionID": _SESSION,
        "commandStatus": made["CommandStatusEnumType"]["EXECUTING"],
        "commandStatusReason": made["CommandStatusReasonEnumType"]["UPDATED"],
        "logMessage": "under way",
    }
    return packed(STATUS, members)
