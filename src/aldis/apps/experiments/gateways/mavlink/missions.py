"""Missions that a ground station lays up, item by item, as tasks and areas; and how far a vehicle is with one.

Source: mavlink.io/en/services/mission.html: MISSION_COUNT, a request for each item, and a MISSION_ACK at the end.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from aldis.apps.experiments.entity import Area, Decoded, Entity, Ledger, Point, Task
from aldis.apps.experiments.gateways.mavlink.fates import Fate, listed, reading
from aldis.apps.experiments.gateways.mavlink.messages import BY_NAME, Row
from aldis.apps.experiments.gateways.mavlink.places import place
from aldis.apps.experiments.gateways.mavlink.plan import Cmd
from aldis.apps.experiments.gateways.mavlink.sender import Sender

__all__ = ["Missions", "Uploading"]

_MOST = 1_000
_AT_ONCE = 16
_WAYPOINTS = frozenset({16, 17, 18, 19, 82})
_HEADER: dict[str, Fate] = {
    "header.system": "task.issued_by", "header.component": "task.issued_by", "header.sequence": "-made anew",
}  # fmt: skip
_COUNT = reading(44, dict.fromkeys(BY_NAME["MISSION_COUNT"].names, "-made anew"))
_COUNT_FATES = _COUNT.named(0)
_ITEM = reading(
    73,
    {
        "seq": "-made anew", "target_system": "task.assignee", "target_component": "task.assignee",
        "current": "-made anew", "autocontinue": "-made anew", "mission_type": "-made anew",
    },
)  # fmt: skip
_GONE_TO: dict[str, Fate] = {"x": "task.points", "y": "task.points", "command": "task.verb"}
_CORNER: dict[str, Fate] = {"x": "area.points", "y": "area.points", "command": "area.purpose"}
_SPEED: dict[str, Fate] = {"param2": "task.speed_mps", "command": "task.speed_mps"}
_CURRENT = reading(42, {"seq": "task.progress_percent", "total": "task.progress_percent"})
_REACHED = reading(46, {"seq": "task.progress_percent"})

Item = tuple[Row, int]


@dataclass(slots=True)
class Uploading:
    """A mission of which not all items have come."""

    sender: Sender
    system: int
    component: int
    kind: int
    count: int
    items: dict[int, Item] = field(default_factory=dict)

    def wanted(self) -> int | None:
        """The first item that has not come."""
        return next((seq for seq in range(self.count) if seq not in self.items), None)


class Missions:
    """Missions on their way up, at most 16 at once."""

    def __init__(self) -> None:
        self._begun: OrderedDict[tuple[int, int, int, int], Uploading] = OrderedDict()
        self._totals: dict[str, int] = {}
        self._taken: OrderedDict[tuple[str, int], None] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Messages whose mission is not complete yet: the count and its items."""
        return sum(1 + len(upload.items) for upload in self._begun.values())

    def counted(self, row: Row, sender: Sender) -> tuple[Uploading | None, int]:
        """The mission that begins, and how many messages of others were given up; None where it is too long."""
        count, system, component, kind = row
        key = (sender.system, sender.component, system, kind)
        lost = self._drop(key)
        if count > _MOST:
            return None, lost + 1
        while len(self._begun) >= _AT_ONCE:
            lost += self._drop(next(iter(self._begun)))
        upload = self._begun[key] = Uploading(sender, system, component, kind, count)
        return upload, lost

    def item(self, row: Row, mask: int, sender: Sender) -> Uploading | None:
        """The mission that an item is of; None where none was begun, or it has come before."""
        upload = self._begun.get((sender.system, sender.component, row[9], row[14]))
        if upload is None or row[7] >= upload.count or row[7] in upload.items:
            return None
        upload.items[row[7]] = row, mask
        return upload

    def finish(self, upload: Uploading, assignee: str, at_us: int) -> list[Decoded]:
        """What a complete mission says: a task to go along a way, or the areas of a fence."""
        self._drop((upload.sender.system, upload.sender.component, upload.system, upload.kind))
        rows = [upload.items[seq] for seq in range(upload.count)]
        if upload.kind == 1:
            return _fence(upload, rows, at_us)
        if upload.kind != 0:
            return []
        points: list[Point] = []
        speed = None
        fates = _HEADER | _COUNT_FATES
        for row, mask in rows:
            own: dict[str, Fate] = {}
            if row[8] in _WAYPOINTS and place(row[4], row[5]):
                points.append(Point(lat_deg=row[4] / 1e7, lon_deg=row[5] / 1e7))
                own = _GONE_TO
            elif row[8] == Cmd.SPEED and speed is None and (row[1] or 0) > 0:
                speed, own = row[1], _SPEED
            fates |= _ITEM.named(mask, tuple(own.items()), f"MISSION_ITEM_INT {row[7]}")
        if not points:
            return []
        self._taken[upload.sender.key, upload.system] = None
        if len(self._taken) > _MOST:
            self._taken.popitem(last=False)
        task = Task(
            key=f"{upload.sender.key}/mission/{upload.system}",
            verb="patrol",
            assignee=assignee,
            issued_by=upload.sender.key,
            points=points,
            speed_mps=speed,
            state="issued",
            timing=upload.sender.timing(None, at_us),
        )
        return [Decoded(task, listed(fates))]

    def started(self, system: int, sender: Sender) -> bool:
        """Whether what MAV_CMD_MISSION_START begins was laid up by the same sender, and so is a task already."""
        return (sender.key, system) in self._taken

    def progress(self, number: int, row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
        """How far a vehicle says that it is: MISSION_CURRENT (42) or MISSION_ITEM_REACHED (46)."""
        if number == 42 and row[1] not in (0, 65535):
            self._totals[sender.key] = row[1]
        total = self._totals.get(sender.key)
        done = row[0] if number == 42 else row[0] + 1
        task = Task(
            key=f"{sender.key}/mission",
            verb="patrol",
            assignee=sender.key,
            progress_percent=min(100.0, 100.0 * done / total) if total else None,
            timing=sender.timing(None, at_us),
        )
        ledgers = _CURRENT if number == 42 else _REACHED
        changes = () if total else (("seq", "-no field: of a number of items that it has not told"),)
        return task, ledgers.ledger(mask, changes)

    def _drop(self, key: tuple[int, int, int, int]) -> int:
        upload = self._begun.pop(key, None)
        return 0 if upload is None else 1 + len(upload.items)


def _fence(upload: Uploading, rows: list[Item], at_us: int) -> list[Decoded]:
    """Polygons, each of as many vertices as its first says, and circles."""
    areas: list[Decoded] = []
    at = 0
    while at < len(rows):
        row = rows[at][0]
        command = row[8]
        circle = command in (Cmd.CIRCLE_IN, Cmd.CIRCLE_OUT)
        count = 1 if circle else _vertices(row[0]) if command in (Cmd.FENCE_IN, Cmd.FENCE_OUT) else 0
        part = rows[at : at + count]
        if (
            count < 1
            or len(part) < count
            or any(other[8] != command or not place(other[4], other[5]) for other, _ in part)
        ):
            at += 1
            continue
        area = Area(
            key=f"{upload.sender.key}/fence/{upload.system}/{len(areas)}",
            shape="circle" if circle else "polygon",
            points=[Point(lat_deg=other[4] / 1e7, lon_deg=other[5] / 1e7) for other, _ in part],
            radius_m=row[0] if circle else None,
            purpose="keep in" if command in (Cmd.FENCE_IN, Cmd.CIRCLE_IN) else "keep out",
            timing=upload.sender.timing(None, at_us),
        )
        first: dict[str, Any] = {"param1": "area.radius_m" if circle else "area.points"}
        areas.append(Decoded(area, _fence_ledger(part, _CORNER | first, first_area=not areas)))
        at += count
    return areas


def _vertices(count: float | None) -> int:
    """How many corners a polygon says that it has; fewer than 3 make none."""
    return int(count) if count is not None and 3 <= count <= _MOST else 0


def _fence_ledger(part: list[Item], own: dict[str, Fate], *, first_area: bool) -> Ledger:
    fates: dict[str, Fate] = {}
    if first_area:
        fates |= dict.fromkeys(_HEADER, "-no field") | {"header.sequence": "-made anew"} | _COUNT_FATES
    for row, mask in part:
        fates |= _ITEM.named(
            mask,
            (*own.items(), ("target_system", "-no field"), ("target_component", "-no field")),
            f"MISSION_ITEM_INT {row[7]}",
        )
    return listed(fates)
