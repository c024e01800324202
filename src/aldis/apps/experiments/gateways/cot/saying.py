"""Areas, reports and tasks to events. The environment has no event of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from aldis.apps.experiments.entity import (
    Approximated,
    Area,
    Carried,
    Dropped,
    Entity,
    Ledger,
    Point,
    Report,
    Task,
)
from aldis.apps.experiments.gateways.cot.event import Event
from aldis.apps.experiments.gateways.cot.residue import Room, residue_entry, said_again
from aldis.apps.experiments.gateways.cot.rows import ALERT, CHAT, CIRCLE, OUTLINE, SPOT, TASK, Table
from aldis.apps.experiments.gateways.cot.scanner import ILLEGAL
from aldis.apps.experiments.gateways.cot.things import CANCELLED, DRAWN, EMERGENCY, EVERYONE
from aldis.apps.experiments.gateways.cot.times import LAST_US
from aldis.apps.experiments.gateways.cot.values import UNKNOWN_M, Native, Unsaid, give_point, give_text
from aldis.apps.experiments.gateways.cot.vessels import vessel_uid

__all__ = ["NO_POINT", "STALE_US", "stale_of", "uid_of", "write_thing"]

STALE_US = 120_000_000
"""For how long an event holds whose source does not say: as PyTAK's default."""
NO_POINT: dict[str, float] = {"point@lat": 0.0, "point@lon": 0.0} | dict.fromkeys(
    ("point@hae", "point@ce", "point@le"), UNKNOWN_M
)
"""The point of an event that is nowhere: every event must have one."""

_RELAYED, _GO_TO = "m-r", "b-m-p-w-GOTO"
_MARKER, _FREE_FORM, _CIRCLE = "b-m-p-s-m", "u-d-f", "u-d-c-c"
_CHAT, _ALERT = "b-t-f", "b-a"
_MAX_POINTS = 512
_Entry = Carried | Approximated | Dropped


def uid_of(key: str, mmsi: int | str | None = None) -> str:
    """The uid of what is known by `key`: its own where it came from CoT, otherwise one with its MMSI if it has one."""
    if not key.startswith("cot:") and (uid := vessel_uid(key, mmsi)):
        return uid
    return ILLEGAL.sub("_", key.removeprefix("cot:"))[:1024] or "unnamed"


def stale_of(start_us: int) -> int:
    """When an event that begins at `start_us` no longer holds, by default."""
    return min(start_us + STALE_US, LAST_US)


def write_thing(
    entity: Entity, at_us: int, spell: Callable[[str], str], room: Room, *, ms: bool
) -> tuple[Event | None, Ledger]:
    """The event that says `entity`, no track, and what became of its fields; None where CoT cannot say such a thing."""
    present = _present(entity)
    fates: dict[str, _Entry] = {}
    try:
        table, cot = (
            _CHOOSE[type(entity)](entity, fates) if type(entity) in _CHOOSE else _unsaid("no CoT event says it")
        )
        said: dict[str, Native] = {"event@version": "2.0", "event@uid": uid_of(entity.key), "event@type": cot}
        said |= _rows(table, present, fates, spell, ms=ms) | _special(entity, table, fates, spell)
    except Unsaid as reason:
        return None, Ledger(tuple(Dropped(path, reason.reason, reason.detail) for path in present))
    time_us = said.setdefault("event@time", at_us)
    start_us = said.setdefault("event@start", time_us)
    assert isinstance(start_us, int)
    said.setdefault("event@stale", stale_of(start_us))
    event = Event(tuple(said), list(said.values()))
    if entity.residue is not None:
        event, left = said_again(entity.residue, event, room)
        said = dict(zip(event.names, event.values, strict=True))
        fates["residue.parts"] = residue_entry(left, spell("detail"))
    if table is CHAT and "detail/__chat" not in dict(event.rest):  # one not understood says to whom
        said.setdefault("detail/__chat@chatroom", EVERYONE)
        said.setdefault("detail/__chat@id", said["detail/__chat@chatroom"])
    said = {**_anchor(entity), "event@how": _RELAYED, **said}
    for path in present.keys() - fates.keys():
        fates[path] = Dropped(path, "made anew" if path == "timing.received_us" else "no field")
    event = Event(tuple(said), list(said.values()), event.rest, event.wire)
    return event, Ledger(tuple(fates[path] for path in present))


def _present(entity: Entity) -> dict[str, Any]:
    """What there is to be said, by path: `area.points`, `timing.source_us`."""
    kind = type(entity).__name__.lower()
    present: dict[str, Any] = {}
    for name in entity.__struct_fields__:
        value = getattr(entity, name)
        if isinstance(value, msgspec.Struct):
            fields = value.__struct_fields__
            present |= {f"{name}.{one}": said for one in fields if (said := getattr(value, one)) is not None}
        elif value is not None:
            present[f"{kind}.{name}"] = value
    return present


def _rows(
    table: Table, present: dict[str, Any], fates: dict[str, _Entry], spell: Callable[[str], str], *, ms: bool
) -> dict[str, Native]:
    """What the rows of `table` say one to one."""
    said: dict[str, Native] = {}
    for row in table.rows:
        path = row.model if "." in row.model else f"{table.kind}.{row.model}"
        if row.model in _SPECIAL or path not in present or path in fates:
            continue
        try:
            said[row.native] = row.give(present[path])
        except Unsaid as reason:
            fates[path] = Dropped(path, reason.reason, reason.detail)
            continue
        is_time = path.startswith("timing.") and ms
        to = spell(row.native)
        fates[path] = Approximated(path, to, 1.0, "ms") if is_time else Carried(path, to)
    return said


_SPECIAL = frozenset({"key", "cot", "verb", "points", "to", "assignee", "issued_by"})


def _special(entity: Entity, table: Table, fates: dict[str, _Entry], spell: Callable[[str], str]) -> dict[str, Native]:
    """What is said in another form than it has in the model, or by the type alone."""
    said: dict[str, Native] = {}

    def carry(name: str, native: str) -> None:
        path = f"{table.kind}.{name}"
        fates.setdefault(path, Carried(path, spell(native)))

    carry("key", "event@uid")
    if isinstance(entity, Area):
        carry("cot", "event@type")
        carry("shape", "event@type")
        if table is OUTLINE:
            said |= _links(entity)
        else:
            said |= _place(entity.points[0])
        if table is CIRCLE and entity.radius_m is not None:
            said["detail/shape/ellipse@minor"] = entity.radius_m
        fates["area.points"] = _points_fate("area.points", entity.points, spell(_AT[table is OUTLINE]))
    elif isinstance(entity, Report):
        carry("cot", "event@type")
        if entity.to:
            said["detail/__chat@chatroom"] = give_text(entity.to[0])
            carry("to", "detail/__chat@chatroom")
        if entity.position is not None and entity.position.at is not None:
            same = entity.timing and entity.timing.source_us and entity.timing.source_us // 1000 == entity.position.at
            fates["position.at"] = (
                Carried("position.at", spell("event@time"))
                if same
                else Dropped("position.at", "no field", "an event has one time")
            )
    elif isinstance(entity, Task):
        assert entity.points
        carry("verb", "event@type")
        carry("assignee", "detail/marti/dest@uid")
        said["detail/marti/dest@uid"] = uid_of(entity.assignee)
        if entity.issued_by is not None:
            carry("issued_by", "detail/creator@uid")
            said["detail/creator@uid"] = uid_of(entity.issued_by)
        said |= _place(entity.points[0])
        fates["task.points"] = _points_fate("task.points", entity.points, spell("point@lat"))
    return said


_AT = {True: "detail/link@point", False: "point@lat"}


def _links(area: Area) -> dict[str, Native]:
    closed = area.shape == "polygon" and not (area.cot or "").startswith("u-d-r")
    points = [*area.points, area.points[0]] if closed else area.points
    names = ["detail/link@point", *(f"detail/link[{n}]@point" for n in range(2, len(points) + 1))]
    return dict(zip(names, map(give_point, points), strict=True))


def _place(point: Point) -> dict[str, Native]:
    said: dict[str, Native] = {"point@lat": point.lat_deg, "point@lon": point.lon_deg}
    return said if point.height_m is None else {**said, "point@hae": point.height_m}


def _anchor(entity: Entity) -> dict[str, Native]:
    """The point of the event, where nothing else makes it: of an outline, its first."""
    if isinstance(entity, Area):
        return {**NO_POINT, **_place(entity.points[0]), "point@hae": UNKNOWN_M}
    return dict(NO_POINT)


def _points_fate(path: str, points: list[Point], to: str) -> _Entry:
    depth = max((point.depth_m or 0.0 for point in points), default=0.0)
    return Approximated(path, to, depth, "m") if depth else Carried(path, to)


_ROUND: tuple[str, ...] = ("u-d-c",)
_SPOTS: tuple[str, ...] = ("b-m-p-", "u-d-c")


def _choose_area(area: Area, fates: dict[str, _Entry]) -> tuple[Table, str]:
    least = {"polygon": 3, "line": 2}.get(area.shape, 1)
    if not least <= len(area.points) <= _MAX_POINTS:
        raise Unsaid("out of range", f"not from {least} to {_MAX_POINTS} points")
    cot = area.cot or ""
    if area.shape == "circle":
        table, starts, default = CIRCLE, _ROUND, _CIRCLE
        if area.radius_m is None:
            raise Unsaid("no code", "a circle without a radius")
    elif area.shape == "point":
        table, starts, default = SPOT, _SPOTS, _MARKER
    else:
        table, starts, default = OUTLINE, DRAWN, _FREE_FORM
    fits = cot.startswith(starts) and not (cot.startswith("u-d-r") and area.shape == "line")
    if cot and not fits:
        fates["area.cot"] = Dropped("area.cot", "no code", f"no type of a {area.shape}")
    return table, cot if fits else default


def _choose_report(report: Report, fates: dict[str, _Entry]) -> tuple[Table, str]:
    if report.to and len(report.to) > 1:
        raise Unsaid("no code", "a message goes to one room or person")
    if not report.text:
        raise Unsaid("unknown value", "an empty text")
    cot = report.cot or ""
    fits = cot.startswith((_CHAT, _ALERT + "-"))
    if cot and not fits:
        fates["report.cot"] = Dropped("report.cot", "no code", "no type of a message")
    if not fits:
        cot = EMERGENCY if report.severity == "emergency" and not report.to else _CHAT
    table = CHAT if cot.startswith(_CHAT) else ALERT
    if table is ALERT and report.to:
        raise Unsaid("no field", "an alert goes to all")
    said = None if table is CHAT or cot == CANCELLED else "emergency" if cot == EMERGENCY else "alert"
    if said is not None and report.severity == said:
        fates["report.severity"] = Carried("report.severity", "event@type")
    return table, cot


def _choose_task(task: Task, fates: dict[str, _Entry]) -> tuple[Table, str]:
    if task.verb != "go to":
        raise Unsaid("no code", f"CoT has no type for {task.verb!r}")
    if task.state not in (None, "issued"):
        raise Unsaid("no code", "CoT has no type for the progress of a task")
    if not task.points or len(task.points) != 1:
        raise Unsaid("no field", "one point, no way")
    if task.state:
        fates["task.state"] = Carried("task.state", "event@type")
    return TASK, _GO_TO


def _unsaid(detail: str) -> tuple[Table, str]:
    raise Unsaid("no code", detail)


_CHOOSE: dict[type[Any], Callable[[Any, dict[str, _Entry]], tuple[Table, str]]] = {
    Area: _choose_area,
    Report: _choose_report,
    Task: _choose_task,
}
