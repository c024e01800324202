"""What a task is in MAVLink: commands, and missions to be laid up in the vehicle.

Sources: MAV_CMD of common.xml; mavlink.io/en/services/command.html and mission.html.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aldis.apps.experiments.entity import Point, Task
from aldis.apps.experiments.gateways.mavlink.legs import circle, legs
from aldis.apps.experiments.gateways.mavlink.messages import BY_NAME
from aldis.apps.experiments.gateways.mavlink.modes import ARDUPILOT, family, hold_mode
from aldis.apps.experiments.gateways.mavlink.places import Undulation

__all__ = ["Cmd", "Command", "Mission", "Step", "Target", "Unplannable", "degrees_e7", "steps_of"]


class Cmd:
    """Numbers of MAV_CMD."""

    WAYPOINT, LOITER, RETURN, SET_MODE, SPEED, REPOSITION, START = 16, 17, 20, 176, 178, 192, 300
    FENCE_IN, FENCE_OUT, CIRCLE_IN, CIRCLE_OUT = 5001, 5002, 5003, 5004
    REQUEST_MESSAGE = 512


_CHANGE_MODE = 1.0
_RELATIVE = 6
_SEA_LEVEL = 5
"""MAV_FRAME_GLOBAL_RELATIVE_ALT_INT and MAV_FRAME_GLOBAL_INT."""


class Unplannable(Exception):
    """The task cannot be said in MAVLink; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `params` are the first four, unknown ones NaN; `place` is degE7 and metres in `frame`."""

    command: int
    params: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    place: tuple[int, int, float] | None = None
    frame: int = _RELATIVE

    def message(self, target: tuple[int, int], attempt: int) -> tuple[str, bytes]:
        """Its name and payload: COMMAND_INT where it has a place, since a float is too coarse for one."""
        one, two, three, four = self.params
        values: dict[str, Any] = {
            "param1": one, "param2": two, "param3": three, "param4": four, "command": self.command,
            "target_system": target[0], "target_component": target[1],
        }  # fmt: skip
        if self.place is None:
            more = {"param5": 0.0, "param6": 0.0, "param7": 0.0, "confirmation": min(255, attempt)}
            return "COMMAND_LONG", BY_NAME["COMMAND_LONG"].payload(**values, **more)
        x, y, z = self.place
        return "COMMAND_INT", BY_NAME["COMMAND_INT"].payload(**values, x=x, y=y, z=z, frame=self.frame)


@dataclass(frozen=True, slots=True)
class Mission:
    """Items to lay up: MAV_CMD, four parameters, and a place; `kind` is MAV_MISSION_TYPE.

    The way begins after the first `lead` items.
    """

    items: tuple[Command, ...]
    kind: int = 0
    lead: int = 0

    def way(self) -> list[Point]:
        """The places to go to, one after the other."""
        places = [item.place for item in self.items[self.lead :]]
        return [Point(lat_deg=place[0] / 1e7, lon_deg=place[1] / 1e7) for place in places if place is not None]

    def message(self, seq: int, target: tuple[int, int]) -> bytes:
        """The payload of MISSION_ITEM_INT number `seq`."""
        item = self.items[seq]
        x, y, z = item.place or (0, 0, 0.0)
        one, two, three, four = item.params
        return BY_NAME["MISSION_ITEM_INT"].payload(
            param1=one, param2=two, param3=three, param4=four, x=x, y=y, z=z, seq=seq, command=item.command,
            target_system=target[0], target_component=target[1], frame=item.frame, current=int(seq == 0),
            autocontinue=1, mission_type=self.kind,
        )  # fmt: skip


Step = Command | Mission


@dataclass(frozen=True, slots=True)
class Target:
    """Who is to do it: MAV_AUTOPILOT and MAV_TYPE, its height above its home now, and the geoid, where known."""

    kind: tuple[int, int] | None = None
    above_home_m: float | None = None
    undulation: Undulation | None = None

    def at(self, command: int, params: tuple[float, float, float, float], point: Point) -> Command:
        """A command at a place; an aircraft stays at the height it has where the point does not say one.

        Raises:
            Unplannable: an aircraft whose height nobody told.
        """
        what = None if self.kind is None else family(self.kind[1])
        frame, height = _RELATIVE, math.nan
        if what == "rover":
            height = 0.0
        elif what == "sub":
            height = -point.depth_m if point.depth_m is not None else 0.0
        elif point.height_m is not None and self.undulation is not None:
            frame, height = _SEA_LEVEL, point.height_m - self.undulation(point.lat_deg, point.lon_deg)
        elif self.above_home_m is not None:
            height = self.above_home_m
        elif what is not None:
            raise Unplannable("an aircraft needs a height, and neither the task nor the aircraft has told one")
        return Command(command, params, (*degrees_e7(point), height), frame)


def degrees_e7(point: Point) -> tuple[int, int]:
    """Its coordinates in units of 1e-7 degrees, at most half a unit off."""
    return round(point.lat_deg * 1e7), round(point.lon_deg * 1e7)


def way_of(task: Task) -> list[Point]:
    """The waypoints of a task that is a mission.

    Raises:
        Unplannable: it says too little, or asks for too much.
    """
    points = task.points or []
    if task.verb == "patrol":
        if not points:
            raise Unplannable("a patrol needs points to go along")
        if len(points) > 800:
            raise Unplannable("a way of more than 800 points")
        return list(points)
    spacing = task.spacing_m or (2 * task.radius_m if task.radius_m and len(points) > 2 else None)
    if not spacing:
        raise Unplannable(f"a {task.verb} needs a spacing of its legs")
    if len(points) == 1 and task.radius_m:
        points = circle(points[0], task.radius_m)
    try:
        return legs(points, spacing)
    except ValueError as error:
        raise Unplannable(str(error)) from error


def steps_of(task: Task, target: Target) -> Sequence[Step]:
    """What to send, in order, each acknowledged before the next.

    Raises:
        Unplannable: it cannot be said so.
    """
    speed = -1.0 if task.speed_mps is None else task.speed_mps
    if task.verb == "go to":
        if not task.points or len(task.points) != 1:
            raise Unplannable("a 'go to' needs one point")
        return (target.at(Cmd.REPOSITION, (speed, _CHANGE_MODE, 0.0, math.nan), task.points[0]),)
    if task.verb == "come home":
        return (Command(Cmd.RETURN),)
    if task.verb == "hold":
        mode = None if target.kind is None else hold_mode(*target.kind)
        if mode is None:
            return (Command(Cmd.LOITER, (0.0, 0.0, 0.0, math.nan)),)
        return (Command(Cmd.SET_MODE, (1.0, float(mode[0]), float(mode[1]), 0.0)),)
    items = [target.at(Cmd.WAYPOINT, (0.0, 0.0, 0.0, math.nan), point) for point in way_of(task)]
    count = len(items)
    if task.speed_mps is not None:
        items.insert(0, Command(Cmd.SPEED, (1.0, speed, -1.0, 0.0)))
    if target.kind is not None and target.kind[0] == ARDUPILOT:
        items.insert(0, items[-1])  # it takes item 0 for home, and never goes there (mavlink.io, "Mission Protocol")
    return (Mission(tuple(items), lead=len(items) - count), Command(Cmd.START))
