"""The types of UMAA 5.2.1 that are spoken here, as its IDL declares them: names, order, keys, optional members, bounds.

From the files `UMAA/…` of version 5.2.1 (distribution statement A: approved for public release, no limits), published
at github.com/rticommunity/rticonnextdds-usecases-umaa, examples/resources/umaa_521. Units stand there, or in
the comments of `Measurements.idl` of 6.0 in the same place: latitude and longitude in degrees, every other angle in
radians, m, m/s, rad/s, A, V, percent, degrees Celsius. A line is a type; `?` marks what is optional, `*` a key.

IDL without an annotation is appendable by XTypes 1.3, but final to the compiler of Cyclone DDS, which lets the same
match alone, and has CDR (XCDR1) for final types alone. On the wire they differ in XCDR2 alone. Both can be had.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, Optional

from aldis.apps.experiments.gateways.gateway import missing

try:
    from cyclonedds.idl import make_idl_enum, make_idl_struct, make_idl_union
    from cyclonedds.idl import types as _idl
except ImportError as error:
    raise missing("cyclonedds") from error

__all__ = ["ENUMS", "Extensibility", "Types", "types"]

Extensibility = Literal["appendable", "final"]

ENUMS: dict[str, tuple[str, ...]] = {
    "CommandStatusEnumType": ("CANCELED", "COMMANDED", "COMPLETED", "EXECUTING", "FAILED", "ISSUED"),
    "CommandStatusReasonEnumType": (
        *("CANCELED", "INTERRUPTED", "OBJECTIVE_FAILED", "RESOURCE_FAILED", "RESOURCE_REJECTED", "SERVICE_FAILED"),
        *("SUCCEEDED", "TIMEOUT", "UPDATED", "VALIDATION_FAILED"),
    ),
    "NavigationSolutionEnumType": ("ESTIMATED", "GROUND_TRUTH", "MEASURED"),
    "PowerPlantStateEnumType": ("FAULT", "OFF", "ON"),
    "SourceIndicatorEnumType": ("ACTUAL", "GROUND_TRUTH", "SIMULATED", "TENTATIVE"),
    "SpecialManeuverIndicatorEnumType": ("ENGAGED", "NOT_AVAILABLE", "NOT_ENGAGED", "NOT_PROVIDED"),
    "VehicleSpeedModeEnumType": ("LRC", "MEC", "MRC", "SLOW", "VEHICLE_SPECIFIC"),
    "ElevationTypeEnum": ("ALTITUDEAGL_D", "ALTITUDEMSL_D", "ALTITUDEGEODETIC_D", "ALTITUDEASF_D", "DEPTH_D"),
    "SpeedControlTypeEnum": (
        *("SPEEDOVERGROUND_D", "SPEEDTHROUGHWATER_D", "VEHICLESPEEDMODE_D", "ENGINERPM_D", "SPEEDTHROUGHAIR_D"),
    ),
    "VariableSpeedControlTypeEnum": ("TIMEWITHSPEED_D", "RECOMMENDEDSPEEDCONTROL_D", "REQUIREDSPEEDCONTROL_D"),
}
_MODULES = {
    "ElevationTypeEnum": "UMAA::Common::Measurement",
    "SpeedControlTypeEnum": "UMAA::Common::Speed",
    "VariableSpeedControlTypeEnum": "UMAA::Common::Speed",
}

_UNIONS = {
    "UMAA::Common::Measurement::ElevationTypeUnion": (
        *("ElevationTypeEnum", "AltitudeAGLVariant: AltitudeAGLType", "AltitudeMSLVariant: AltitudeMSLType"),
        *("AltitudeGeodeticVariant: AltitudeGeodeticType", "AltitudeASFVariant: AltitudeASFType"),
        "DepthVariant: DepthType",
    ),
    "UMAA::Common::Speed::SpeedControlTypeUnion": (
        *("SpeedControlTypeEnum", "SpeedOverGroundVariant: SpeedOverGround"),
        *("SpeedThroughWaterVariant: SpeedThroughWater", "VehicleSpeedModeVariant: VehicleSpeedMode"),
        *("EngineRPMVariant: EngineRPM", "SpeedThroughAirVariant: SpeedThroughAir"),
    ),
    "UMAA::Common::Speed::VariableSpeedControlTypeUnion": (
        *("VariableSpeedControlTypeEnum", "TimeWithSpeedVariant: TimeWithSpeed"),
        *(
            "RecommendedSpeedControlVariant: RecommendedSpeedControl",
            "RequiredSpeedControlVariant: RequiredSpeedControl",
        ),
    ),
}

# In the order in which each needs only what came before it.
_IDL = """
UMAA::Common::Measurement::DateTime = seconds: int64, nanoseconds: int32
UMAA::Common::Measurement::DateTimeTolerance = lowerLimit: DateTime, upperLimit: DateTime
UMAA::Common::Requirements::DateTimeRequirement = time: DateTime, timeTolerance: DateTimeTolerance
UMAA::Common::LargeListMetadata = listID: guid, updateElementID: guid, updateElementTimestamp: DateTime?,\
 startingElementID: guid, size: int32
UMAA::Common::LargeSetMetadata = setID: guid, updateElementID: guid, updateElementTimestamp: DateTime?, size: int32
UMAA::Common::Measurement::GeoPosition2D = geodeticLatitude: double, geodeticLongitude: double
UMAA::Common::Measurement::CovariancePositionNEDType = pdPd: double?, pePd: double?, pePe: double, pnPd: double?,\
 pnPe: double?, pnPn: double
UMAA::Common::Measurement::CovarOrientationType = rpRp: double, rpRy: double?, rrRp: double?, rrRr: double,\
 rrRy: double?, ryRy: double
UMAA::Common::Measurement::CovarAttitudeRateType = rpRp: double, rpRy: double?, rrRp: double?, rrRr: double,\
 rrRy: double?, ryRy: double
UMAA::Common::Measurement::CovarianceVelocityType = vdVd: double, veVd: double?, veVe: double, vnVd: double?,\
 vnVe: double?, vnVn: double
UMAA::Common::Measurement::OrientationVel3D = pitchRate: double, rollRate: double, yawRate: double
UMAA::Common::Measurement::Velocity3DPlatformNEDType = downSpeed: double, eastSpeed: double, northSpeed: double
UMAA::Common::Measurement::AltitudeAGLType = altitudeAGL: double
UMAA::Common::Measurement::AltitudeMSLType = altitudeMSL: double
UMAA::Common::Measurement::AltitudeGeodeticType = altitudeGeodetic: double
UMAA::Common::Measurement::AltitudeASFType = altitudeASF: double
UMAA::Common::Measurement::DepthType = depth: double
UMAA::Common::Measurement::ElevationTypeUnion
UMAA::Common::Measurement::ElevationType = ElevationTypeSubtypes: ElevationTypeUnion
UMAA::Common::Orientation::PitchYNEDType = pitch: double
UMAA::Common::Orientation::RollXNEDType = roll: double
UMAA::Common::Orientation::YawZNEDType = yaw: double
UMAA::Common::Orientation::Orientation3DNEDType = pitch: PitchYNEDType, roll: RollXNEDType, yaw: YawZNEDType
UMAA::Common::Orientation::PitchYNEDTolerance = lowerlimit: PitchYNEDType, upperlimit: PitchYNEDType
UMAA::Common::Orientation::RollXNEDTolerance = lowerlimit: RollXNEDType, upperlimit: RollXNEDType
UMAA::Common::Orientation::YawZNEDTolerance = lowerlimit: YawZNEDType, upperlimit: YawZNEDType
UMAA::Common::Orientation::PitchYNEDRequirement = pitch: PitchYNEDType, pitchTolerance: PitchYNEDTolerance
UMAA::Common::Orientation::RollXNEDRequirement = roll: RollXNEDType, rollTolerance: RollXNEDTolerance?
UMAA::Common::Orientation::YawZNEDRequirement = yaw: YawZNEDType, yawTolerance: YawZNEDTolerance?
UMAA::Common::Orientation::Orientation3DNEDRequirement = pitchY: PitchYNEDRequirement?, rollX: RollXNEDRequirement?,\
 yawZ: YawZNEDRequirement
UMAA::Common::Position::GeoPosition2DTolerance = limit: double
UMAA::Common::Position::GeoPosition2DRequirement = tolerance: GeoPosition2DTolerance, value: GeoPosition2D
UMAA::Common::Speed::GroundSpeedTolerance = lowerlimit: double, upperlimit: double
UMAA::Common::Speed::GroundSpeedRequirement = speed: double, speedTolerance: GroundSpeedTolerance
UMAA::Common::Speed::SpeedOverGround = speed: GroundSpeedRequirement
UMAA::Common::Speed::WaterSpeedTolerance = lowerlimit: double, upperlimit: double
UMAA::Common::Speed::WaterSpeedRequirement = speed: double, speedTolerance: WaterSpeedTolerance
UMAA::Common::Speed::SpeedThroughWater = speed: WaterSpeedRequirement
UMAA::Common::Speed::AirSpeedTolerance = lowerlimit: double, upperlimit: double
UMAA::Common::Speed::AirSpeedRequirement = speed: double, speedTolerance: AirSpeedTolerance
UMAA::Common::Speed::SpeedThroughAir = speed: AirSpeedRequirement
UMAA::Common::Speed::EngineRPMSpeedTolerance = lowerlimit: int32, upperlimit: int32
UMAA::Common::Speed::EngineRPMSpeedRequirement = speed: int32, speedTolerance: EngineRPMSpeedTolerance
UMAA::Common::Speed::EngineRPM = rpm: EngineRPMSpeedRequirement
UMAA::Common::Speed::VehicleSpeedMode = mode: VehicleSpeedModeEnumType
UMAA::Common::Speed::SpeedControlTypeUnion
UMAA::Common::Speed::SpeedControlType = SpeedControlTypeSubtypes: SpeedControlTypeUnion
UMAA::Common::Speed::TimeWithSpeed = arrivalTime: DateTimeRequirement, recommendedSpeed: SpeedControlType?
UMAA::Common::Speed::RecommendedSpeedControl = recommendedSpeedControl: SpeedControlType
UMAA::Common::Speed::RequiredSpeedControl = requiredSpeedControl: SpeedControlType
UMAA::Common::Speed::VariableSpeedControlTypeUnion
UMAA::Common::Speed::VariableSpeedControlType = VariableSpeedControlTypeSubtypes: VariableSpeedControlTypeUnion
UMAA::SA::GlobalPoseStatus::GlobalPoseReportType = altitude: double?, altitudeAGL: double?, altitudeASF: double?,\
 altitudeGeodetic: double?, attitude: Orientation3DNEDType, attitudeCovariance: CovarOrientationType?, course: double,\
 depth: double?, navigationSolution: NavigationSolutionEnumType, position: GeoPosition2D,\
 positionCovariance: CovariancePositionNEDType?, timeStamp: DateTime, source: guid*
UMAA::SA::SpeedStatus::SpeedReportType = engineRPM: double?, mode: VehicleSpeedModeEnumType?,\
 speedOverGround: double?, speedThroughAir: double?, speedThroughWater: double?, timeStamp: DateTime, source: guid*
UMAA::SA::VelocityStatus::VelocityReportType = attitudeRate: OrientationVel3D,\
 attitudeRateCovariance: CovarAttitudeRateType?, velocity: Velocity3DPlatformNEDType,\
 velocityCovariance: CovarianceVelocityType?, timeStamp: DateTime, source: guid*
UMAA::EO::BatteryStatus::BatteryReportType = chargeRemaining: double, current: double, energyUsageRate: double,\
 hours: double, state: PowerPlantStateEnumType, temp: double, voltage: double, timeStamp: DateTime, source: guid*,\
 cellsListMetadata: LargeListMetadata
UMAA::SA::ContactReport::ContactReportType = timeStamp: DateTime, source: guid*, contactsSetMetadata: LargeSetMetadata
UMAA::SA::ContactReport::ContactType = altitudeAGL: double?, altitudeASF: double?, altitudeGeodetic: double?,\
 altitudeMSL: double?, callSign: string1023?, confidence: double?, contactName: string1023, course: double?,\
 depth: double?, heading: double?, height: double?, length: double?, MMSINumber: string9?, position: GeoPosition2D,\
 positionCovariance: CovariancePositionNEDType?, quality: double?, SIDC: string1023?, source: guids32,\
 sourceIndicator: SourceIndicatorEnumType, specialManeuverIndicator: SpecialManeuverIndicatorEnumType,\
 speedOverGround: double, timeFirstAcquired: DateTime, timeLost: DateTime?, width: double?, featureID: guid*
UMAA::SA::ContactReport::ContactReportTypeContactsSetElement = element: ContactType, setID: guid, elementID: guid*,\
 elementTimestamp: DateTime
UMAA::MO::GlobalWaypointControl::GlobalWaypointType = attitude: Orientation3DNEDRequirement?,\
 elevation: ElevationType, name: string1023?, position: GeoPosition2DRequirement, speed: VariableSpeedControlType,\
 trackTolerance: double?, waypointID: guid
UMAA::MO::GlobalWaypointControl::GlobalWaypointCommandType = timeStamp: DateTime, source: guid*, sessionID: guid*,\
 destination: guid*, waypointsListMetadata: LargeListMetadata
UMAA::MO::GlobalWaypointControl::GlobalWaypointCommandTypeWaypointsListElement = element: GlobalWaypointType,\
 listID: guid, elementID: guid*, elementTimestamp: DateTime, nextElementID: guid?
UMAA::MO::GlobalWaypointControl::GlobalWaypointCommandAckReportType = command: GlobalWaypointCommandType,\
 timeStamp: DateTime, source: guid*, sessionID: guid*
UMAA::MO::GlobalWaypointControl::GlobalWaypointCommandStatusType = timeStamp: DateTime, source: guid*,\
 sessionID: guid*, commandStatus: CommandStatusEnumType, commandStatusReason: CommandStatusReasonEnumType,\
 logMessage: string4095
"""
_I: Any = _idl
_PRIMITIVES: dict[str, Any] = {
    "double": _I.float64,
    "int32": _I.int32,
    "int64": _I.int64,
    "guid": _I.array[_I.byte, 16],
    "guids32": _I.sequence[_I.array[_I.byte, 16], 32],
    "string9": _I.bounded_str[9],
    "string1023": _I.bounded_str[1023],
    "string4095": _I.bounded_str[4095],
}

Types = dict[str, Any]
"""Types of cyclonedds by their names without modules."""


def types(extensibility: Extensibility = "final") -> Types:
    """All of them, made once."""
    return _made(extensibility)


@lru_cache(2)
def _made(extensibility: Extensibility) -> Types:
    made: Types = dict(_PRIMITIVES)
    for name, words in ENUMS.items():
        module = _MODULES.get(name, f"UMAA::Common::MaritimeEnumeration::{name.removesuffix('Type')}Module")
        numbers = {word: number for number, word in enumerate(words)}
        made[name] = make_idl_enum(name, _typename(module, name), numbers)
    for line in _IDL.strip().splitlines():
        head, _, members = line.partition(" = ")
        module, _, name = head.rpartition("::")
        made[name] = _struct(made, module, name, members) if members else _union(made, module, name)
        made[name].__idl_annotations__["extensibility"] = extensibility
    return {name: kind for name, kind in made.items() if name not in _PRIMITIVES}


def _struct(made: Types, module: str, name: str, members: str) -> Any:
    kinds: dict[str, Any] = {}
    marks: dict[str, dict[str, Any]] = {}
    for member in members.split(", "):
        field, _, kind = member.partition(": ")
        plain = made[kind.rstrip("?*")]
        kinds[field] = Optional[plain] if kind.endswith("?") else plain  # noqa: UP045  cyclonedds knows no other
        marks[field] = {"key": True} if kind.endswith("*") else {}
    return make_idl_struct(name, _typename(module, name), kinds, field_annotations=marks)


def _union(made: Types, module: str, name: str) -> Any:
    discriminator, *members = _UNIONS[f"{module}::{name}"]
    cases: dict[str, Any] = {}
    for label, member in zip(made[discriminator], members, strict=True):
        field, _, kind = member.partition(": ")
        cases[field] = _I.case[label, made[kind]]
    return make_idl_union(name, _typename(module, name), cases, made[discriminator])


def _typename(module: str, name: str) -> str:
    return f"{module}::{name}".replace("::", ".")
