"""The record kinds of the entity model: its groups are their portions, so that each can be released apart.

There is no second form: a portion's type is a group of the model, or some fields of an entity. A `Task` is of the kind
`tasking`: a `task` is what a person of the project has to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from aldis.apps.experiments.entity import GROUPS, Area, Entity, Environment, Report, Task, Track
from aldis.kernel.errors import InvalidInput
from aldis.kernel.records import Kind

__all__ = [
    "AREA",
    "ENVIRONMENT",
    "GATEWAY",
    "KINDS",
    "REPORT",
    "TASKING",
    "TRACK",
    "entity_of",
    "kind_of",
    "portion_of",
]

GATEWAY = "gateway"
"""The author of what a system said."""
_builtins = msgspec.to_builtins
_PARTS: dict[type[Any], dict[str, tuple[str, ...]]] = {
    Area: {
        "shape": ("shape", "points", "radius_m", "floor_m", "ceiling_m"),
        "purpose": ("name", "purpose", "cot"),
    },
    Task: {
        "order": (
            "verb", "assignee", "issued_by", "request", "points", "radius_m", "speed_mps", "spacing_m", "until_us",
            "remarks",
        ),
        "state": ("state", "progress_percent", "reason"),
    },
    Report: {"text": ("text", "severity", "cot"), "about": ("about", "author", "to")},
    Environment: {
        "values": (
            "at", "wind_from_deg", "wind_mps", "gust_mps", "current_to_deg", "current_mps", "air_temperature_c",
            "water_temperature_c", "pressure_hpa", "humidity_percent", "wave_height_m", "wave_period_s",
            "visibility_m", "water_depth_m", "salinity_psu", "water_speed_mps",
        ),
    },
}  # fmt: skip
"""The portions that are made of some fields of an entity; its other fields are portions as they stand."""


def _part(entity: type[Any], name: str, names: tuple[str, ...]) -> type[msgspec.Struct]:
    """The type of a portion that holds some of an entity's fields."""
    known = {field.name: field for field in msgspec.structs.fields(entity)}
    fields: list[Any] = [
        (one, known[one].type) if known[one].required else (one, known[one].type, known[one].default) for one in names
    ]
    return msgspec.defstruct(
        f"{entity.__name__}{name.title()}", fields, frozen=True, forbid_unknown_fields=True, kw_only=True,
        omit_defaults=True,
    )  # fmt: skip


def _kind(
    name: str,
    entity: type[Any],
    groups: Mapping[str, Any],
    text: tuple[str, ...],
    title: str,
    *,
    national: bool = False,
) -> Kind:
    parts = {part: _part(entity, part, names) for part, names in _PARTS.get(entity, {}).items()}
    return Kind(name, {**parts, **groups}, text=text, title=title, national=national)


_PLACED = {name: GROUPS[name] for name in ("position", "timing", "markings", "residue")}
_TIMED = {name: GROUPS[name] for name in ("timing", "markings", "residue")}

TRACK = _kind("track", Track, GROUPS, ("identity", "type", "voyage"), "identity")
AREA = _kind("area", Area, _TIMED, ("purpose",), "purpose")
TASKING = _kind("tasking", Task, _TIMED, ("order",), "order", national=True)
REPORT = _kind("report", Report, _PLACED, ("text",), "text")
ENVIRONMENT = _kind("environment", Environment, _PLACED, (), "")
KINDS = (TRACK, AREA, TASKING, REPORT, ENVIRONMENT)
_OF: dict[type[Any], Kind] = {Track: TRACK, Area: AREA, Task: TASKING, Report: REPORT, Environment: ENVIRONMENT}
_ENTITIES = {kind.name: entity for entity, kind in _OF.items()}


def kind_of(entity: Entity) -> Kind:
    """The kind that an entity is a record of."""
    return _OF[type(entity)]


def portion_of(entity: Entity, name: str) -> dict[str, Any] | None:
    """The value of a portion for JSON, without what is unknown; None where nothing is known."""
    names = None if type(entity) is Track else _PARTS.get(type(entity), {}).get(name)
    if names is None:
        group = getattr(entity, name)
        return _builtins(group) or None if group is not None else None
    said = {one: value for one in names if (value := getattr(entity, one)) is not None}
    return {one: msgspec.to_builtins(value) for one, value in said.items()} or None


def entity_of(kind: str, key: str, portions: Mapping[str, Any]) -> Entity:
    """The entity that a record's portions state, as far as they were released; `key` is what it is called here.

    Raises:
        InvalidInput: no such kind, or a portion without which there is no such entity was withheld.
    """
    entity = _ENTITIES.get(kind)
    if entity is None:
        raise InvalidInput(f"{kind!r} is no kind of entity", fix=f"There are: {', '.join(_ENTITIES)}")
    parts = _PARTS.get(entity, {})
    fields: dict[str, Any] = {"key": key, **portions}
    for name in parts:
        fields |= fields.pop(name, {})
    try:
        made: Entity = msgspec.convert(fields, entity)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"no {kind} can be made of what was released: {error}") from error
    return made
