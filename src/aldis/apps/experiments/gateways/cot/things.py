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
from aldis.apps.experiments.gateways.cot.rows import ALERT, AREA, CHAT, TASK, Row, Table
from aldis.apps.experiments.gateways.cot.values import Native, height, latitude, longitude
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["EVERYONE", "CIRCLE", "GO_TO", "RECTANGLE", "read_thing"]

EVERYONE = "All Chat Rooms"
"""The room of TAK's chat that all are in: nobody in particular."""
CIRCLE, RECTANGLE, GO_TO = "u-d-c", "u-d-r", "b-m-p-w-GOTO"
_DRAWN = ("u-d-f", "u-d-r", "b-m-r")
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
        "residue": kept(found.spare, event.values, event.rest),
    }
    at = (timing.source_us or at_us) // 1000
    entity = _area(found, table, common) if table.kind == "area" else _BUILD[table.kind](found, table, common, at)
    lost = [Dropped(spell(place), "not decoded", "kept as residue") for place, _ in event.rest]
    return Decoded(entity, Ledger((*found.fate.values(), *lost)))


def _take(found: _Found, table: Table, name: str, value: Native, index: int, said: str) -> None:
    row = table.native.get(bare(name))
    if name == "event@version":
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
        found.fate[name] = Dropped(said, "unknown value") if unknown else Dropped(said, "not decoded", "kept as residue")
        if not unknown:
            found.spare.append((name, index))
    elif taken is None or taken == "" or (name == "detail/__chat@chatroom" and taken == EVERYONE):
        found.fate[name] = Dropped(said, "unknown value")
    else:
        _keep(found, table, row, taken)
        found.fate[name] = Carried(said, row.model if "." in row.model else f"{table.kind}.{row.model}")


def _keep(found: _Found, table: Table, row: Row, taken: Any) -> None:
    if isinstance(taken, Point):
        found.points.append(taken)
    else:
        found.said[row.native if row.model == "points" else row.model] = taken


def _is_sentinel(value: Native) -> bool:
    try:
        return height(value) is None
    except ValueError:
        return False
