"""A simulated uncrewed surface vessel that speaks MAVLink 2, as ArduPilot's rover does for a boat.

It answers commands and missions, keeps its station, and, unarmed, accepts everything and stays where it is. Sources:
mavlink.io/en/services/command.html, mission.html, heartbeat.html, timesync.html; MAV_CMD of common.xml.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from aldis.apps.experiments.gateways.mavlink.frames import Frame, Parser
from aldis.apps.experiments.gateways.mavlink.messages import BY_ID
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox
from aldis.apps.experiments.gateways.mavlink.plan import Cmd
from aldis.apps.experiments.players.hull import Hull
from aldis.apps.experiments.players.sea import Place, Sea

__all__ = ["Usv"]

_HOLD, _AUTO, _RTL, _GUIDED = 4, 10, 11, 15
_MODES = frozenset({_HOLD, _AUTO, _RTL, _GUIDED})
_ARM = 400  # MAV_CMD_COMPONENT_ARM_DISARM
_BOAT, _ARDUPILOT, _ARMED, _CUSTOM, _STANDBY, _ACTIVE = 11, 3, 0x80, 0x01, 3, 4
_ACCEPTED, _DENIED, _UNSUPPORTED, _FAILED = 0, 2, 3, 4
_MISSION_ACCEPTED = 0
_REACHED_M = 4.0
_MOST_ITEMS = 256
_POSITION_BITS = 0b11
_TICK_S = 0.05
_EVERY_US = {"HEARTBEAT": 1_000_000, "SYSTEM_TIME": 1_000_000, "SYS_STATUS": 2_000_000, "GLOBAL_POSITION_INT": 200_000}
_DRAW_PERCENT = 0.002  # of the battery in a second, at rest


class Usv:
    """System `system`, component 1; `armed` tells whether its motor may run. `told` is what it did, in words."""

    def __init__(self, place: Place, sea: Sea, began_us: int, *, armed: bool = True, system: int = 1) -> None:
        self.hull = Hull(place, sea)
        self.armed = armed
        self.mode = _HOLD
        self.told: list[str] = []
        self._home = place
        self._station: Place = place
        self._speed_mps: float | None = None
        self._battery = 96.0
        self._source = (system, 1)
        self._outbox, self._parser = Outbox(), Parser()
        self._began_us = self._now_us = began_us
        self._due_us = dict.fromkeys(_EVERY_US, began_us)
        self._count, self._kind, self._from = 0, 0, (255, 190)
        self._items: list[dict[str, Any]] = []
        self._way: list[tuple[int, Place]] = []

    def advance(self, at_us: int) -> Sequence[bytes]:
        """Move on to `at_us`, and say what is due."""
        said: list[bytes] = []
        while self._now_us < at_us:
            seconds = min(_TICK_S, (at_us - self._now_us) / 1e6)
            self._now_us += max(1, round(seconds * 1e6))
            self._move(seconds, said)
        for name, every in _EVERY_US.items():
            if at_us >= self._due_us[name]:
                self._due_us[name] = max(self._due_us[name] + every, at_us)
                said.append(self._frame(name, **self._values(name, at_us)))
        return said

    def hear(self, data: bytes, at_us: int) -> Sequence[bytes]:
        """Answer what a ground station sends."""
        answers: list[bytes] = []
        for frame in self._parser.feed(data)[0]:
            if frame.system != self._source[0]:
                answers += self._answer(frame, at_us)
        return answers

    def _move(self, seconds: float, said: list[bytes]) -> None:
        goal = self._goal(said) if self.armed else None
        self.hull.step(seconds, goal, self._speed_mps if self.mode in (_GUIDED, _AUTO) else None)
        self._battery = max(0.0, self._battery - seconds * (_DRAW_PERCENT + 0.0001 * self.hull.water_mps**2))

    def _goal(self, said: list[bytes]) -> Place:
        if self.mode == _RTL:
            return self._home
        if self.mode == _AUTO and self._way:
            seq, place = self._way[0]
            if self.hull.left_m(place) > _REACHED_M:
                return place
            self._way.pop(0)
            said.append(self._frame("MISSION_ITEM_REACHED", seq=seq))
            self._station = place
        return self._station

    def _values(self, name: str, at_us: int) -> dict[str, Any]:
        boot_ms = (at_us - self._began_us) // 1000
        if name == "HEARTBEAT":
            state = _ACTIVE if self.armed else _STANDBY
            base = _CUSTOM | (_ARMED if self.armed else 0)
            return {
                "custom_mode": self.mode, "type": _BOAT, "autopilot": _ARDUPILOT, "base_mode": base,
                "system_status": state, "mavlink_version": 3,
            }  # fmt: skip
        if name == "SYSTEM_TIME":
            return {"time_unix_usec": at_us, "time_boot_ms": boot_ms}
        if name == "SYS_STATUS":
            return {"battery_remaining": round(self._battery), "voltage_battery": round(44_000 + 66 * self._battery)}
        lat, lon = self._degrees(self.hull.place)
        north, east = self.hull.velocity
        return {
            "time_boot_ms": boot_ms, "lat": lat, "lon": lon, "alt": 0, "relative_alt": 0, "vx": round(north * 100),
            "vy": round(east * 100), "vz": 0, "hdg": round(self.hull.heading_deg * 100) % 36_000,
        }  # fmt: skip

    def _answer(self, frame: Frame, at_us: int) -> Sequence[bytes]:
        layout = BY_ID[frame.message]
        values = dict(zip(layout.names, layout.row(frame.payload)[0], strict=True))
        if values.get("target_system", 0) not in (0, self._source[0]):
            return ()
        sender = (frame.system, frame.component)
        match layout.name:
            case "COMMAND_INT" | "COMMAND_LONG":
                return self._command(values, sender, whole=layout.name == "COMMAND_INT")
            case "MISSION_COUNT":
                self._count, self._kind, self._from = min(values["count"], _MOST_ITEMS), values["mission_type"], sender
                self._items = []
                return self._ask()
            case "MISSION_ITEM_INT" if self._count and sender == self._from:
                if values["seq"] == len(self._items):
                    self._items.append(values)
                return self._ask()
            case "MISSION_CLEAR_ALL":
                self._items, self._way, self._count = [], [], 0
                return (self._mission_ack(sender, _MISSION_ACCEPTED, values["mission_type"]),)
            case "SET_POSITION_TARGET_GLOBAL_INT" if self.mode == _GUIDED and not values["type_mask"] & _POSITION_BITS:
                self._station = (values["lat_int"] / 1e7, values["lon_int"] / 1e7)
            case "TIMESYNC" if not values["tc1"]:
                return (self._frame("TIMESYNC", tc1=(at_us - self._began_us) * 1000, ts1=values["ts1"]),)
        return ()

    def _ask(self) -> Sequence[bytes]:
        system, component = self._from
        if len(self._items) < self._count:
            return (
                self._frame(
                    "MISSION_REQUEST_INT", target_system=system, target_component=component, seq=len(self._items),
                    mission_type=self._kind,
                ),
            )  # fmt: skip
        self._count = 0
        return (self._mission_ack(self._from, _MISSION_ACCEPTED, self._kind),)

    def _mission_ack(self, to: tuple[int, int], result: int, kind: int) -> bytes:
        return self._frame("MISSION_ACK", target_system=to[0], target_component=to[1], type=result, mission_type=kind)

    def _command(self, values: dict[str, Any], sender: tuple[int, int], *, whole: bool) -> Sequence[bytes]:
        number = values["command"]
        result, more = self._do(number, values, whole=whole)
        ack = self._frame(
            "COMMAND_ACK", command=number, result=result, target_system=sender[0], target_component=sender[1]
        )
        return (ack, *more)

    def _do(self, number: int, values: dict[str, Any], *, whole: bool) -> tuple[int, Sequence[bytes]]:
        """What becomes of a command, and what it asks for."""
        one, two = values["param1"], values["param2"]
        match number:
            case Cmd.REPOSITION:
                return self._reposition(values, whole=whole), ()
            case Cmd.RETURN:
                return self._enter(_RTL), ()
            case Cmd.SET_MODE:
                return (self._enter(int(two)) if two is not None and int(two) in _MODES else _DENIED), ()
            case Cmd.START:
                return self._start(), ()
            case Cmd.SPEED:
                self._speed_mps = two if two is not None and two > 0 else None
                return _ACCEPTED, ()
            case _ if number == _ARM:
                self.armed = bool(one)
                self.told.append("armed" if self.armed else "disarmed")
                return _ACCEPTED, ()
            case Cmd.REQUEST_MESSAGE if one == 242:
                lat, lon = self._degrees(self._home)
                return _ACCEPTED, (
                    self._frame("HOME_POSITION", latitude=lat, longitude=lon, altitude=0, q=(1, 0, 0, 0)),
                )
        return _UNSUPPORTED, ()

    def _reposition(self, values: dict[str, Any], *, whole: bool) -> int:
        lat, lon = (values["x"], values["y"]) if whole else (values["param5"], values["param6"])
        if lat is None or lon is None:
            return _DENIED
        place = (lat / 1e7, lon / 1e7) if whole else (lat, lon)
        if not (abs(place[0]) <= 90 and abs(place[1]) <= 180):
            return _DENIED
        speed = values["param1"]
        self._speed_mps = speed if speed is not None and speed > 0 else None
        self._station = place
        self.mode = _GUIDED
        self.told.append(f"told to go to {place[0]:.5f} {place[1]:.5f}, {self.hull.left_m(place):.0f} m away")
        return _ACCEPTED

    def _start(self) -> int:
        waypoints = [
            (seq, (item["x"] / 1e7, item["y"] / 1e7))
            for seq, item in enumerate(self._items)
            if item["command"] == Cmd.WAYPOINT and seq  # item 0 is its home, as ArduPilot has it
        ]
        if not waypoints:
            return _FAILED
        speeds = [item["param2"] for item in self._items if item["command"] == Cmd.SPEED]
        self._way, self._speed_mps = waypoints, speeds[-1] if speeds and (speeds[-1] or 0) > 0 else None
        self.mode = _AUTO
        self.told.append(f"told to go along {len(waypoints)} places")
        return _ACCEPTED

    def _enter(self, mode: int) -> int:
        if mode == _HOLD:
            self._station = self.hull.place
        self.mode = mode
        self.told.append({_HOLD: "told to hold", _RTL: "told to come home"}.get(mode, f"in mode {mode}"))
        return _ACCEPTED

    def _degrees(self, place: Place) -> tuple[int, int]:
        return round(place[0] * 1e7), round(math.remainder(place[1], 360) * 1e7)

    def _frame(self, name: str, **values: Any) -> bytes:
        return self._outbox.frame(name, self._source, self._now_us, **values)
