"""Events to areas, reports and tasks: less frequent than tracks, and read field by field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aldis.apps.experiments.entity import (
    Area,
    Carried,
    Decoded,
    Dropped,
    Entity,
    Ledger,
    Markings,
    Point,
    Position,
    Report,
    Task,
    Timing,
)
from aldis.apps.experiments.gateways.cot.event import Event, bare
from aldis.apps.experiments.gateways.cot.residue import kept
from aldis.apps.experiments.gateways.cot.rows import AREA, CIRCLE, OUTLINE, SPOT, STAMPS, Row, Table
from aldis.apps.experiments.gateways.cot.values import Native, height
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["CANCELLED", "DRAWN", "EMERGENCY", "EVERYONE", "read_thing"]

EVERYONE = "All Chat Rooms"
"""The room of TAK's chat that all are in: nobody in particular."""
EMERGENCY = "b-a-o-tbl"
"""The alert that a person in need sends (TAK: 911 alert)."""
CANCELLED = "b-a-o-can"
DRAWN = ("u-d-f", "u-d-r", "b-m-r")
_SENTINELS = ("point@hae", "point@ce", "point@le")


@dataclass(slots=True)
class _Found:
    """What has been taken of an event: values by path, the fate of each name, and what is left."""

    said: dict[str, Any] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    fate: dict[str, Carried | Dropped] = field(default_factory=dict)
    spare: list[tuple[str, int]] = field(default_factory=list)

    def group(self, name: str) -> dict[str, Any]:
        return {path.split(".")[1]: value for path, value in self.said.items() if path.startswith(name + ".")}


def read_thing(event: Event, table: Table, at_us: int, spell: Callable[[str], str]) -> Decoded:
    """What `event`, of a kind that is no track, says.

    Raises:
        Damaged: it lacks what such a thing must have.
    """
    if table is AREA:
        table = _area_table(event)
    found = _Found()
    for index, name in enumerate(event.names):
        _take(found, table, name, event.values[index], index, spell(name))
    uid = found.said.get("key")
    if not uid:
        raise Damaged("no uid")
    timing = Timing(received_us=at_us, **found.group("timing"))
    common = {
        "key": f"cot:{uid}",
        "timing": timing,
        "markings": Markings(**markings) if (markings := found.group("markings")) else None,
        "residue": kept(found.spare, event),
    }
    at = (timing.source_us or at_us) // 1000
    entity = _BUILD[table.kind](found, table, common, at)
    lost = [Dropped(spell(place), "not decoded", "kept as residue") for place, _ in (*event.rest, *event.wire)]
    return Decoded(entity, Ledger((*found.fate.values(), *lost)))


def _take(found: _Found, table: Table, name: str, value: Native, index: int, said: str) -> None:
    row = table.native.get(bare(name))
    if name in STAMPS:
        found.fate[name] = Dropped(said, "made anew")
        return
    taken: Any = None
    try:
        if row is not None:
            taken = row.take(value) if row.take else value
        elif name in _SENTINELS:
            height(value)
    except (ValueError, OverflowError):
        row = None
    if row is None:
        unknown = name in _SENTINELS and _is_sentinel(value)
        found.fate[name] = (
            Dropped(said, "unknown value") if unknown else Dropped(said, "not decoded", "kept as residue")
        )
        if not unknown:
            found.spare.append((name, index))
    elif taken is None or taken == "" or (name == "detail/__chat@chatroom" and taken == EVERYONE):
        found.fate[name] = Dropped(said, "unknown value")
    else:
        _keep(found, row, taken)
        found.fate[name] = Carried(said, row.model if "." in row.model else f"{table.kind}.{row.model}")


def _keep(found: _Found, row: Row, taken: Any) -> None:
    if isinstance(taken, Point):
        found.points.append(taken)
    else:
        found.said[row.native if row.model == "points" else row.model] = taken


def _is_sentinel(value: Native) -> bool:
    try:
        return height(value) is None
    except ValueError:
        return False


def _area_table(event: Event) -> Table:
    """Which kind of area it is: an outline where points are linked, a circle where its ellipse is one, or a spot."""
    said = dict(zip(event.names, event.values, strict=True))
    cot = str(said["event@type"])
    if cot.startswith("u-d-c"):
        major, minor = (said.get(f"detail/shape/ellipse@{axis}") for axis in ("major", "minor"))
        return CIRCLE if major is not None and major == minor else SPOT
    if cot.startswith(DRAWN):
        if not any(bare(name) == "detail/link@point" for name in event.names):
            raise Damaged("no outline")
        return OUTLINE
    return SPOT


def _area(found: _Found, table: Table, common: dict[str, Any], at: int) -> Entity:  # noqa: ARG001  one of `_BUILD`
    points, cot = found.points, found.said["cot"]
    if table is OUTLINE:
        if len(points) < 2:
            raise Damaged("no outline")
        closed = len(points) > 3 and points[0] == points[-1]
        shape = "polygon" if closed or cot.startswith("u-d-r") else "line"
        points = points[:-1] if closed else points
    else:
        points, shape = [_spot(found)], "circle" if "radius_m" in found.said else "point"
    said = {name: found.said.get(name) for name in ("name", "purpose", "radius_m")}
    return Area(shape=shape, points=points, cot=cot, **said, **common)  # type: ignore[arg-type]


def _report(found: _Found, table: Table, common: dict[str, Any], at: int) -> Entity:  # noqa: ARG001  one of `_BUILD`
    said = found.said
    if not said.get("text"):
        raise Damaged("no text")
    severity = None
    if said["cot"].startswith("b-a-") and said["cot"] != CANCELLED:
        severity = "emergency" if said["cot"] == EMERGENCY else "alert"
    place = found.group("position")
    known = "lat_deg" in place and "lon_deg" in place and (len(place) > 2 or place["lat_deg"] or place["lon_deg"])
    if not known:
        for name in ("point@lat", "point@lon"):
            if name in found.fate:
                found.fate[name] = Dropped(found.fate[name].field, "unknown value")
    return Report(
        text=said["text"],
        author=said.get("author"),
        to=[said["to"]] if "to" in said else None,
        severity=severity,  # type: ignore[arg-type]
        position=Position(at=at, **place) if known else None,
        cot=said["cot"],
        **common,
    )


def _task(found: _Found, table: Table, common: dict[str, Any], at: int) -> Entity:  # noqa: ARG001  one of `_BUILD`
    said = found.said
    if not said.get("assignee"):
        raise Damaged("no assignee")
    return Task(
        verb="go to",
        assignee=f"cot:{said['assignee']}",
        issued_by=f"cot:{said['issued_by']}" if "issued_by" in said else None,
        points=[_spot(found)],
        remarks=said.get("remarks"),
        **common,
    )


def _spot(found: _Found) -> Point:
    try:
        lat, lon = found.said["point@lat"], found.said["point@lon"]
    except KeyError as error:
        raise Damaged("no point") from error
    return Point(lat_deg=lat, lon_deg=lon, height_m=found.said.get("point@hae"))


_BUILD: dict[str, Callable[[_Found, Table, dict[str, Any], int], Entity]] = {
    "area": _area,
    "report": _report,
    "task": _task,
}
