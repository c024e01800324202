"""Waypoint commands, their acknowledgements and statuses to tasks, and back.

A command names a list whose elements are samples of their own, each with the id of the next: they are put together
here, whatever order they come in. UMAA's other commands say a course, a pattern or a mission plan, for which the model
has no task. What UMAA wants and a task does not say: a depth of 0 m where a point has neither height nor depth,
10 m of tolerance where it has no radius, and the vehicle's own mode of speed where it has no speed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from uuid import uuid5

from aldis.apps.experiments.entity import Approximated, Carried, Decoded, Dropped, Encoded, Ledger, Point, Reason, Task
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.umaa.fates import ledger_of
from aldis.apps.experiments.gateways.umaa.idl import types
from aldis.apps.experiments.gateways.umaa.lists import COMMAND, ELEMENT, Waypoints
from aldis.apps.experiments.gateways.umaa.reports import number, stamped
from aldis.apps.experiments.gateways.umaa.wire import Flat, date_time, guid, microseconds, packed, sayable
from aldis.apps.experiments.gateways.umaa.writing import task_written

__all__ = ["ACKNOWLEDGEMENT", "STATUS", "acknowledged", "commanded", "reported", "said"]

ACKNOWLEDGEMENT = "GlobalWaypointCommandAckReport"
STATUS = "GlobalWaypointCommandStatus"
_State = Literal["issued", "accepted", "executing", "completed", "failed", "cancelled"]
_TOLERANCE_M = 10.0
_DEPTH = "element.elevation.ElevationTypeSubtypes.DepthVariant.depth"
_HEIGHT = "element.elevation.ElevationTypeSubtypes.AltitudeGeodeticVariant.altitudeGeodetic"
_LAT, _LON = (f"element.position.value.geodetic{axis}" for axis in ("Latitude", "Longitude"))
_RADIUS = "element.position.tolerance.limit"
_SPEEDS = tuple(
    f"element.speed.VariableSpeedControlTypeSubtypes.{word}SpeedControlVariant.{word.lower()}SpeedControl"
    ".SpeedControlTypeSubtypes.SpeedOverGroundVariant.speed.speed"
    for word in ("Recommended", "Required")
)
_STATES: dict[str, _State] = {
    "ISSUED": "issued",
    "COMMANDED": "accepted",
    "EXECUTING": "executing",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELED": "cancelled",
}
_CODES: dict[_State, str] = {state: code for code, state in _STATES.items()}
_REASONS: dict[_State, str] = {"failed": "OBJECTIVE_FAILED", "cancelled": "CANCELED"}
_COMMON: dict[str, Entry] = {
    "timeStamp.seconds": Carried("timeStamp.seconds", "timing.source_us"),
    "timeStamp.nanoseconds": Approximated("timeStamp.nanoseconds", "timing.source_us", 1e-6, "s"),
}


def _ledger(topic: str, members: Flat, fates: dict[str, Entry], otherwise: Reason = "no field") -> Ledger:
    if topic in (COMMAND, ACKNOWLEDGEMENT, STATUS) and microseconds(members, "timeStamp") is None:
        fates |= {name: Dropped(name, "unknown value") for name in _COMMON}
    return ledger_of(topic, [fates.get(name) or Dropped(name, otherwise) for name in members])


def _carried(**names: str) -> dict[str, Entry]:
    return _COMMON | {name.replace("__", "."): Carried(name.replace("__", "."), to) for name, to in names.items()}


def commanded(list_: Waypoints, at_us: int) -> Decoded:
    """The task that a command and its whole list say."""
    command, elements = list_.command, list_.elements
    fates = _carried(source="task.issued_by", sessionID="task.request", destination="task.assignee")
    ledger = _ledger(COMMAND, command, fates, "made anew")
    speed, radius = _same(elements, lambda one: _first(one, _SPEEDS)), _same(elements, lambda one: number(one, _RADIUS))
    points = []
    for index, element in enumerate(elements):
        points.append(_point(element))
        own: dict[str, Entry] = {name: Carried(name, "task.points") for name in (_LAT, _LON, _DEPTH, _HEIGHT)}
        if speed is not None:
            own |= {name: Carried(name, "task.speed_mps") for name in _SPEEDS}
        if radius is not None:
            own[_RADIUS] = Carried(_RADIUS, "task.radius_m")
        ids = ("listID", "elementID", "nextElementID", "elementTimestamp.seconds", "elementTimestamp.nanoseconds")
        own |= {name: Dropped(name, "made anew") for name in (*ids, "element.waypointID")}
        ledger += _ledger(f"{ELEMENT}[{index}]", element, own)
    task = Task(
        key=f"umaa:{command['sessionID']}",
        timing=stamped(microseconds(command, "timeStamp"), at_us),
        verb="go to",
        assignee=f"umaa:{command['destination']}",
        issued_by=f"umaa:{command['source']}",
        request=str(command["sessionID"]),
        points=points,
        radius_m=radius,
        speed_mps=speed,
        state="issued",
    )
    return Decoded(task, ledger)


def _first(element: Flat, names: tuple[str, ...]) -> float | None:
    return next((found for name in names if (found := number(element, name)) is not None), None)


def _same(elements: list[Flat], of: Callable[[Flat], float | None]) -> float | None:
    """What all elements agree on: a task has one speed and one radius."""
    found = {of(element) for element in elements}
    return found.pop() if len(found) == 1 else None


def _point(element: Flat) -> Point:
    lat, lon = number(element, _LAT), number(element, _LON)
    if lat is None or lon is None or not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Damaged("out of range")
    return Point(lat_deg=lat, lon_deg=lon, height_m=number(element, _HEIGHT), depth_m=number(element, _DEPTH))


def acknowledged(members: Flat, at_us: int) -> Decoded:
    """A vehicle repeats the command that it has."""
    fates = _carried(source="task.assignee", sessionID="task.request", command__source="task.issued_by")
    fates |= {
        name: Dropped(name, "other message")
        for name in members
        if name.startswith("command.") and name != "command.source"
    }
    task = Task(
        key=f"umaa:{members['sessionID']}",
        timing=stamped(microseconds(members, "timeStamp"), at_us),
        verb="go to",
        assignee=f"umaa:{members['source']}",
        issued_by=f"umaa:{members['command.source']}",
        request=str(members["sessionID"]),
    )
    return Decoded(task, _ledger(ACKNOWLEDGEMENT, members, fates))


def reported(members: Flat, at_us: int) -> Decoded:
    """How far a vehicle is with the command of a session."""
    fates = _carried(
        source="task.assignee",
        sessionID="task.request",
        commandStatus="task.state",
        commandStatusReason="task.reason",
        logMessage="task.remarks",
    )
    code, reason, remarks = (members.get(n) for n in ("commandStatus", "commandStatusReason", "logMessage"))
    for name, value in (("commandStatus", code), ("commandStatusReason", reason)):
        if isinstance(value, int):
            fates[name] = Dropped(name, "no code")
    task = Task(
        key=f"umaa:{members['sessionID']}",
        timing=stamped(microseconds(members, "timeStamp"), at_us),
        verb="go to",
        assignee=f"umaa:{members['source']}",
        request=str(members["sessionID"]),
        state=_STATES.get(str(code)),
        reason=reason if isinstance(reason, str) else None,
        remarks=remarks if isinstance(remarks, str) else None,
    )
    return Decoded(task, _ledger(STATUS, members, fates))


def said(task: Task, at_us: int) -> Encoded:
    """A command with its list while it is to be issued, afterwards a status."""
    if task.verb != "go to":
        return task_written(task, [], {}, "no code")
    if task.state not in (None, "issued"):
        return _status(task, at_us)
    if not task.points:
        return task_written(task, [], {}, "other message")
    return _command(task, task.points, at_us)


def _stamp(task: Task, at_us: int) -> Any:
    source_us = task.timing.source_us if task.timing else None
    return date_time(at_us if source_us is None or not sayable(source_us) else source_us)


def _session(task: Task) -> bytes:
    return guid(task.request or task.key).bytes


def _command(task: Task, points: list[Point], at_us: int) -> Encoded:
    made, stamp = types(), _stamp(task, at_us)
    session = guid(task.request or task.key)
    ids = [uuid5(session, str(index)).bytes for index in range(len(points))]
    listing = made["LargeListMetadata"](
        listID=session.bytes,
        updateElementID=ids[-1],
        updateElementTimestamp=stamp,
        startingElementID=ids[0],
        size=len(points),
    )
    members = {
        "timeStamp": stamp,
        "source": guid(task.issued_by or "aldis").bytes,
        "sessionID": session.bytes,
        "destination": guid(task.assignee).bytes,
        "waypointsListMetadata": listing,
    }
    messages = []
    for index, point in enumerate(points):
        element = {
            "element": _waypoint(task, point, ids[index]),
            "listID": session.bytes,
            "elementID": ids[index],
            "elementTimestamp": stamp,
            "nextElementID": ids[index + 1] if index + 1 < len(ids) else None,
        }
        messages.append(packed(ELEMENT, element))
    to = {
        "verb": COMMAND,
        "assignee": f"{COMMAND}.destination",
        "issued_by": f"{COMMAND}.source",
        "request": f"{COMMAND}.sessionID",
        "points": f"{ELEMENT}.{_LAT}",
        "speed_mps": f"{ELEMENT}.{_SPEEDS[0]}",
        "radius_m": f"{ELEMENT}.{_RADIUS}",
        "state": COMMAND,
        "timing.source_us": f"{COMMAND}.timeStamp",
    }
    return task_written(task, [packed(COMMAND, members), *messages], to, "no field")


def _waypoint(task: Task, point: Point, own: bytes) -> Any:
    made = types()
    if point.depth_m is None and point.height_m is not None:
        higher = made["AltitudeGeodeticType"](altitudeGeodetic=point.height_m)
        elevation = made["ElevationTypeUnion"](AltitudeGeodeticVariant=higher)
    else:
        elevation = made["ElevationTypeUnion"](DepthVariant=made["DepthType"](depth=point.depth_m or 0.0))
    if task.speed_mps is None:
        mode = made["VehicleSpeedMode"](mode=made["VehicleSpeedModeEnumType"]["VEHICLE_SPECIFIC"])
        speed = made["SpeedControlTypeUnion"](VehicleSpeedModeVariant=mode)
    else:
        limits = made["GroundSpeedTolerance"](lowerlimit=task.speed_mps, upperlimit=task.speed_mps)
        wanted = made["GroundSpeedRequirement"](speed=task.speed_mps, speedTolerance=limits)
        speed = made["SpeedControlTypeUnion"](SpeedOverGroundVariant=made["SpeedOverGround"](speed=wanted))
    control = made["SpeedControlType"](SpeedControlTypeSubtypes=speed)
    recommended = made["RecommendedSpeedControl"](recommendedSpeedControl=control)
    union = made["VariableSpeedControlTypeUnion"](RecommendedSpeedControlVariant=recommended)
    place = made["GeoPosition2D"](geodeticLatitude=point.lat_deg, geodeticLongitude=point.lon_deg)
    tolerance = made["GeoPosition2DTolerance"](limit=_TOLERANCE_M if task.radius_m is None else task.radius_m)
    return made["GlobalWaypointType"](
        attitude=None,
        elevation=made["ElevationType"](ElevationTypeSubtypes=elevation),
        name=None,
        position=made["GeoPosition2DRequirement"](tolerance=tolerance, value=place),
        speed=made["VariableSpeedControlType"](VariableSpeedControlTypeSubtypes=union),
        trackTolerance=None,
        waypointID=own,
    )


def _status(task: Task, at_us: int) -> Encoded:
    made = types()
    state: _State = task.state or "issued"
    codes = made["CommandStatusReasonEnumType"]
    to = {
        "verb": STATUS,
        "assignee": f"{STATUS}.source",
        "request": f"{STATUS}.sessionID",
        "state": f"{STATUS}.commandStatus",
        "timing.source_us": f"{STATUS}.timeStamp",
    }
    reason = _REASONS.get(state, "SUCCEEDED")
    if task.reason is not None and task.reason in codes.__members__:
        reason = task.reason
        to["reason"] = f"{STATUS}.commandStatusReason"
    log = task.remarks or ""
    if "\0" in log or len(log.encode("utf-8", "replace")) > 4095 or not log.isprintable():
        log = ""
    elif log:
        to["remarks"] = f"{STATUS}.logMessage"
    members = {
        "timeStamp": _stamp(task, at_us),
        "source": guid(task.assignee).bytes,
        "sessionID": _session(task),
        "commandStatus": made["CommandStatusEnumType"][_CODES[state]],
        "commandStatusReason": codes[reason],
        "logMessage": log,
    }
    return task_written(task, [packed(STATUS, members)], to, "other message")
