"""COMMAND_LONG, COMMAND_INT and SET_POSITION_TARGET_GLOBAL_INT, as tasks; and their acknowledgements.

Sources: MAV_CMD, MAV_RESULT of common.xml; mavlink.io/en/services/command.html.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Literal, NamedTuple
from zlib import crc32

import msgspec

from aldis.apps.experiments.entity import Ledger, Point, Task
from aldis.apps.experiments.gateways.mavlink.fates import Changes, reading
from aldis.apps.experiments.gateways.mavlink.messages import BY_ID, Row
from aldis.apps.experiments.gateways.mavlink.modes import PX4, mode_text
from aldis.apps.experiments.gateways.mavlink.places import place
from aldis.apps.experiments.gateways.mavlink.plan import Cmd
from aldis.apps.experiments.gateways.mavlink.sender import Sender

__all__ = ["RESULTS", "Assignee", "Requests"]

RESULTS = {
    0: "accepted", 1: "temporarily rejected", 2: "denied", 3: "unsupported", 4: "failed", 5: "in progress",
    6: "cancelled", 7: "takes it as COMMAND_LONG only", 8: "takes it as COMMAND_INT only",
    9: "unsupported frame", 10: "not in control",
}  # fmt: skip
"""MAV_RESULT."""

_KEPT = 256
_STILL = {"HOLD", "LOITER", "POSHOLD", "BRAKE", "AUTO.LOITER"}
_HOMEWARD = {"RTL", "SMART_RTL", "QRTL", "AUTO.RTL"}
_ISSUER = {"header.system": "task.issued_by", "header.component": "task.issued_by"}
_WHO = {"target_system": "task.assignee", "target_component": "task.assignee", "command": "task.verb"}
_INT = reading(75, _WHO | {"param1": "task.speed_mps", "x": "task.points", "y": "task.points"}, _ISSUER)
_LONG = reading(
    76,
    _WHO | {"param1": "task.speed_mps", "param5": "task.points", "param6": "task.points", "confirmation": "-made anew"},
    _ISSUER,
)
_SET = reading(
    86,
    {
        "target_system": "task.assignee", "target_component": "task.assignee", "lat_int": "task.points",
        "lon_int": "task.points", "time_boot_ms": "-made anew",
    },
    _ISSUER,
)  # fmt: skip
_ACK = reading(
    77,
    {
        "command": "task.request", "result": "task.state", "progress": "task.progress_percent",
        "target_system": "task.issued_by", "target_component": "task.issued_by",
    },
    {"header.system": "task.assignee", "header.component": "task.assignee"},
)  # fmt: skip
_NO_PLACE: Changes = tuple((field, "-no field: no place") for field in ("x", "y"))
_NO_PLACE_LONG: Changes = tuple((field, "-no field: no place") for field in ("param5", "param6"))
_NO_SPEED: Changes = (("param1", "-unknown value: the vehicle's own speed"),)
_MODE: Changes = (("param1", "task.verb"), ("param2", "task.verb"), ("param3", "task.verb"))

Verb = Literal["go to", "hold", "come home"]
Kind = tuple[int, int]
"""MAV_AUTOPILOT and MAV_TYPE."""


class Assignee(NamedTuple):
    """Whose system is asked: the key of its track, and what it is, where that is known."""

    key: str
    kind: Kind | None


class Requests:
    """Commands asked for, each until 256 later ones came, and who asked."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[int, int], Task] = OrderedDict()
        self.askers: OrderedDict[str, tuple[int, int, int, int]] = OrderedDict()
        """Key of a task that came from there: who asked (system, component), of which system, and by what command."""

    def remember(self, task: Task, system: int, command: int) -> None:
        """That `task` was asked of a system by that command."""
        self._asked[system, command] = task
        self._asked.move_to_end((system, command))
        while len(self._asked) > _KEPT:
            self._asked.popitem(last=False)

    def heard(
        self, number: int, row: Row, mask: int, sender: Sender, assignee: Assignee, at_us: int
    ) -> tuple[Task | None, Ledger]:
        """The task that a command is; None for a command that asks for none."""
        layout = BY_ID[number]
        values = dict(zip(layout.names, row, strict=True))
        if number == 86:
            return self._target(values, mask, sender, assignee.key, at_us)
        command, system = values["command"], values["target_system"]
        where = None
        if command in (Cmd.REPOSITION, Cmd.LOITER):
            where = _where(values) if number == 75 else _where_long(values)
        verb = _verb(command, values, assignee.kind)
        if verb is None or (verb == "go to" and where is None):
            return None, Ledger()
        changes: Changes = ()
        speed = None
        if verb == "go to" and values["param1"] is not None and values["param1"] > 0:
            speed = values["param1"]
        elif command == Cmd.SET_MODE:
            changes += _MODE
        else:
            changes += _NO_SPEED
        if where is None:
            changes += _NO_PLACE if number == 75 else _NO_PLACE_LONG
        task = Task(
            key=_key(sender, system, command, values),
            verb=verb,
            assignee=assignee.key,
            issued_by=sender.key,
            request=f"{system}:{command}",
            points=None if where is None else [where],
            speed_mps=speed,
            state="issued",
            timing=sender.timing(None, at_us),
        )
        self._note(task, sender, system, command)
        return task, (_INT if number == 75 else _LONG).ledger(mask, changes)

    def _target(
        self, values: dict[str, Any], mask: int, sender: Sender, assignee: str, at_us: int
    ) -> tuple[Task | None, Ledger]:
        lat, lon = values["lat_int"], values["lon_int"]
        if values["type_mask"] & 0b11 or not place(lat, lon):
            return None, Ledger()
        task = Task(
            key=_key(sender, values["target_system"], 86, values),
            verb="go to",
            assignee=assignee,
            issued_by=sender.key,
            points=[Point(lat_deg=lat / 1e7, lon_deg=lon / 1e7)],
            state="issued",
            timing=sender.timing(None, at_us),
        )
        return task, _SET.ledger(mask)

    def acknowledged(self, row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Task | None, Ledger]:
        """The task that an acknowledgement is of, in its new state; None where nothing like it was asked."""
        command, result, progress, *_ = row
        task = self._asked.get((sender.system, command))
        if task is None:
            return None, Ledger()
        if result == 5:
            task = msgspec.structs.replace(
                task, state="accepted", progress_percent=float(progress) if progress is not None else None
            )
        else:
            del self._asked[sender.system, command]
            state: Literal["accepted", "failed"] = "accepted" if result == 0 else "failed"
            reason = None if result == 0 else RESULTS.get(result, f"result {result}")
            task = msgspec.structs.replace(task, state=state, reason=reason)
        return msgspec.structs.replace(task, timing=sender.timing(None, at_us)), _ACK.ledger(mask)

    def _note(self, task: Task, sender: Sender, system: int, command: int) -> None:
        self.remember(task, system, command)
        self.askers[task.key] = (sender.system, sender.component, system, command)
        while len(self.askers) > _KEPT:
            self.askers.popitem(last=False)


def _verb(command: int, values: dict[str, Any], kind: Kind | None) -> Verb | None:
    if command == Cmd.REPOSITION:
        return "go to"
    if command == Cmd.RETURN:
        return "come home"
    if command == Cmd.LOITER:
        return "hold"
    if command == Cmd.SET_MODE and kind is not None and int(values["param1"] or 0) & 1:
        main, sub = int(values["param2"] or 0), int(values["param3"] or 0)
        text = mode_text(*kind, main << 16 | sub << 24 if kind[0] == PX4 else main)
        return "hold" if text in _STILL else "come home" if text in _HOMEWARD else None
    return None


def _where(values: dict[str, Any]) -> Point | None:
    x, y = values["x"], values["y"]
    if not place(x, y) or values["frame"] not in (0, 3, 5, 6, 10, 11):
        return None
    return Point(lat_deg=x / 1e7, lon_deg=y / 1e7)


def _where_long(values: dict[str, Any]) -> Point | None:
    lat, lon = values["param5"], values["param6"]
    if lat is None or lon is None or not (abs(lat) <= 90 and abs(lon) <= 180) or (lat == 0 and lon == 0):
        return None
    return Point(lat_deg=lat, lon_deg=lon)


def _key(sender: Sender, system: int, command: int, values: dict[str, Any]) -> str:
    """The same for a repetition of the same request, which is what `confirmation` counts."""
    said = repr([value for name, value in values.items() if name not in ("confirmation", "time_boot_ms")])
    return f"{sender.key}/task/{system}/{command}/{crc32(said.encode()):08x}"
