"""Another process's participant with types of its own, written as a compiler of IDL writes them: no import of ours.

Run with a domain: writes a line for each sample that it hears, and writes a sample for each line that it is told.
"""
# mypy: disable-error-code="type-arg, valid-type, arg-type"
# ruff: noqa: N815, UP045  the names of UMAA; what the library understands

import json
import sys
import time
from dataclasses import dataclass
from threading import Thread
from typing import Any, Optional

from cyclonedds.core import Policy, Qos
from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.idl import IdlEnum, IdlStruct
from cyclonedds.idl.annotations import final, key
from cyclonedds.idl.types import array, bounded_str, byte, float64, int32, int64
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration

CONFIG = (
    '<CycloneDDS><Domain id="any"><General><Interfaces><NetworkInterface address="127.0.0.1"/></Interfaces>'
    "<AllowMulticast>false</AllowMulticast></General><Discovery><ParticipantIndex>auto</ParticipantIndex>"
    '<Peers><Peer address="127.0.0.1"/></Peers></Discovery></Domain></CycloneDDS>'
)
ENUMERATIONS = "UMAA.Common.MaritimeEnumeration"


class Solution(IdlEnum, typename=f"{ENUMERATIONS}.NavigationSolutionEnumModule.NavigationSolutionEnumType"):
    ESTIMATED = 0
    GROUND_TRUTH = 1
    MEASURED = 2


class CommandStatus(IdlEnum, typename=f"{ENUMERATIONS}.CommandStatusEnumModule.CommandStatusEnumType"):
    CANCELED = 0
    COMMANDED = 1
    COMPLETED = 2
    EXECUTING = 3
    FAILED = 4
    ISSUED = 5


class Reason(IdlEnum, typename=f"{ENUMERATIONS}.CommandStatusReasonEnumModule.CommandStatusReasonEnumType"):
    CANCELED = 0
    INTERRUPTED = 1
    OBJECTIVE_FAILED = 2
    RESOURCE_FAILED = 3
    RESOURCE_REJECTED = 4
    SERVICE_FAILED = 5
    SUCCEEDED = 6
    TIMEOUT = 7
    UPDATED = 8
    VALIDATION_FAILED = 9


@dataclass
@final
class DateTime(IdlStruct, typename="UMAA.Common.Measurement.DateTime"):
    seconds: int64
    nanoseconds: int32


@dataclass
@final
class GeoPosition2D(IdlStruct, typename="UMAA.Common.Measurement.GeoPosition2D"):
    geodeticLatitude: float64
    geodeticLongitude: float64


@dataclass
@final
class CovariancePositionNED(IdlStruct, typename="UMAA.Common.Measurement.CovariancePositionNEDType"):
    pdPd: Optional[float64]
    pePd: Optional[float64]
    pePe: float64
    pnPd: Optional[float64]
    pnPe: Optional[float64]
    pnPn: float64


@dataclass
@final
class CovarOrientation(IdlStruct, typename="UMAA.Common.Measurement.CovarOrientationType"):
    rpRp: float64
    rpRy: Optional[float64]
    rrRp: Optional[float64]
    rrRr: float64
    rrRy: Optional[float64]
    ryRy: float64


@dataclass
@final
class Pitch(IdlStruct, typename="UMAA.Common.Orientation.PitchYNEDType"):
    pitch: float64


@dataclass
@final
class Roll(IdlStruct, typename="UMAA.Common.Orientation.RollXNEDType"):
    roll: float64


@dataclass
@final
class Yaw(IdlStruct, typename="UMAA.Common.Orientation.YawZNEDType"):
    yaw: float64


@dataclass
@final
class Orientation(IdlStruct, typename="UMAA.Common.Orientation.Orientation3DNEDType"):
    pitch: Pitch
    roll: Roll
    yaw: Yaw


@dataclass
@final
class GlobalPoseReport(IdlStruct, typename="UMAA.SA.GlobalPoseStatus.GlobalPoseReportType"):
    altitude: Optional[float64]
    altitudeAGL: Optional[float64]
    altitudeASF: Optional[float64]
    altitudeGeodetic: Optional[float64]
    attitude: Orientation
    attitudeCovariance: Optional[CovarOrientation]
    course: float64
    depth: Optional[float64]
    navigationSolution: Solution
    position: GeoPosition2D
    positionCovariance: Optional[CovariancePositionNED]
    timeStamp: DateTime
    source: array[byte, 16]
    key("source")


@dataclass
@final
class GlobalWaypointCommandStatus(IdlStruct, typename="UMAA.MO.GlobalWaypointControl.GlobalWaypointCommandStatusType"):
    timeStamp: DateTime
    source: array[byte, 16]
    key("source")
    sessionID: array[byte, 16]
    key("sessionID")
    commandStatus: CommandStatus
    commandStatusReason: Reason
    logMessage: bounded_str[4095]


TOPICS: dict[str, Any] = {
    "UMAA::SA::GlobalPoseStatus::GlobalPoseReport": GlobalPoseReport,
    "UMAA::MO::GlobalWaypointControl::GlobalWaypointCommandStatus": GlobalWaypointCommandStatus,
}


def pose(told: Any) -> Any:
    """A pose at a place, with what it is told."""
    return GlobalPoseReport(
        altitude=None,
        altitudeAGL=None,
        altitudeASF=None,
        altitudeGeodetic=17.5,
        attitude=Orientation(Pitch(0.0), Roll(0.0), Yaw(1.5)),
        attitudeCovariance=None,
        course=1.25,
        depth=0.5,
        navigationSolution=Solution.MEASURED,
        position=GeoPosition2D(told["lat"], told["lon"]),
        positionCovariance=CovariancePositionNED(None, None, 4.0, None, None, 4.0),
        timeStamp=DateTime(1_700_000_000, 250_000_000),
        source=bytes(range(16)),
    )


def hear(reader: Any) -> None:
    """Tell every sample."""
    for sample in reader.take_iter(timeout=duration(seconds=60)):
        said = {name: str(value) for name, value in vars(sample).items() if name != "sample_info"}
        print(json.dumps([type(sample).__name__, said]), flush=True)


def main() -> None:
    """Take part until the input ends."""
    domain = int(sys.argv[1])
    configured = Domain(domain, CONFIG)
    participant = DomainParticipant(domain)
    reliable = Qos(Policy.Reliability.Reliable(duration(seconds=1)), Policy.Durability.TransientLocal)
    usual = Qos(Policy.Reliability.Reliable(duration(seconds=1)), Policy.IgnoreLocal.Participant)
    writers = {}
    for name, kind in TOPICS.items():
        topic = Topic(participant, name, kind)
        writers[kind] = DataWriter(participant, topic, qos=usual)
        reader = DataReader(participant, topic, qos=reliable)
        Thread(target=hear, args=(reader,), daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        for _ in range(told.get("times", 1)):
            writers[GlobalPoseReport].write(pose(told))
            time.sleep(0)
    del configured


if __name__ == "__main__":
    main()
