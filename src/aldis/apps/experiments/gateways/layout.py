"""An entity as one flat row and back: every field of the model by its path, as `position.lat_deg` or `area.shape`.

The paths are those of ledgers. A track's are `key` and `group.field`; another entity's own fields stand under its
kind (`task.verb`), those of the groups it shares with tracks under the group (`timing.source_us`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import inspect

from aldis.apps.experiments.entity import (
    GROUPS,
    Area,
    Dropped,
    Entity,
    Environment,
    Ledger,
    Report,
    Task,
    Track,
)
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["FIELDS", "KINDS", "Field", "Form", "Shapes", "entity_of", "flat", "kind_of", "sayable"]

KINDS: dict[str, type[Entity]] = {
    "track": Track,
    "area": Area,
    "task": Task,
    "report": Report,
    "environment": Environment,
}
_NAMES = {type_: name for name, type_ in KINDS.items()}
_FORMS: dict[type[inspect.Type], Form] = {
    inspect.StrType: "text",
    inspect.IntType: "whole",
    inspect.FloatType: "number",
    inspect.BoolType: "truth",
    inspect.LiteralType: "text",
}
_SHAPES = 1024
Form = Literal["text", "whole", "number", "truth", "either", "json"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the model: where it stands (`group` is empty in the entity itself), what it is, and its words.

    Without what is `required` there is no such group, or no such entity.
    """

    path: str
    group: str
    name: str
    form: Form
    words: tuple[str, ...] = ()
    required: bool = False


def _fields(kind: str) -> dict[str, Field]:
    type_ = KINDS[kind]
    found = [Field("key", "", "key", "text", required=True)]
    for field in msgspec.structs.fields(type_):
        if field.name in GROUPS:
            found += _members(GROUPS[field.name], field.name, field.name)
        elif field.name != "key":
            found += [one for one in _members(type_, "", kind) if one.name == field.name]
    return {field.path: field for field in found}


def _members(type_: type[msgspec.Struct], group: str, prefix: str) -> list[Field]:
    info = inspect.type_info(type_)
    assert isinstance(info, inspect.StructType)
    return [Field(f"{prefix}.{one.name}", group, one.name, *_form(one.type), one.required) for one in info.fields]


def _form(type_: inspect.Type) -> tuple[Form, tuple[str, ...]]:
    every = list(type_.types) if isinstance(type_, inspect.UnionType) else [type_]
    some = [one for one in every if not isinstance(one, inspect.NoneType)]
    words = tuple(str(word) for one in some if isinstance(one, inspect.LiteralType) for word in one.values)
    forms: set[Form] = {_FORMS.get(type(one), "json") for one in some}
    return (forms.pop(), words) if len(forms) == 1 else ("either", ())


FIELDS: Mapping[str, Mapping[str, Field]] = {kind: _fields(kind) for kind in KINDS}
"""Every field of each kind by its path, in the model's order."""

_PLANS: dict[type, list[tuple[str, list[tuple[str, str]]]]] = {
    type_: [
        (group, [(field.path, field.name) for field in FIELDS[kind].values() if field.group == group])
        for group in dict.fromkeys(field.group for field in FIELDS[kind].values())
    ]
    for kind, type_ in KINDS.items()
}
_CLOCKED = {
    kind: [(field.group, field.name) for field in fields.values() if field.name == "at" and field.form == "whole"]
    for kind, fields in FIELDS.items()
}


def kind_of(entity: Entity) -> str:
    """`track`, `area`, `task`, `report` or `environment`."""
    return _NAMES[type(entity)]


def flat(entity: Entity) -> dict[str, Any]:
    """Every field that is known, by path, in the model's order; lists and what stands in them as they are."""
    values: dict[str, Any] = {}
    for group, members in _PLANS[type(entity)]:
        holder = getattr(entity, group) if group else entity
        if holder is not None:
            for path, name in members:
                value = getattr(holder, name)
                if value is not None:
                    values[path] = value
    return values


def entity_of(kind: str, values: Mapping[str, Any], protocol: str, at_us: int) -> Entity:
    """The entity of a row; what the row leaves unsaid of protocol and times is `protocol` and `at_us`.

    Raises:
        Damaged: no such kind, a field without which there is no such entity, or a value that its field cannot have.
    """
    fields = FIELDS.get(kind)
    if fields is None:
        raise Damaged("unknown kind of entity")
    whole: dict[str, Any] = {}
    for path, value in values.items():
        field = fields[path]
        holder = whole.setdefault(field.group, {}) if field.group else whole
        holder[field.name] = value
    timing = whole.setdefault("timing", {})
    timing.setdefault("received_us", at_us)
    if kind == "track":
        sensor = whole.setdefault("sensor", {})
        sensor.setdefault("protocol", protocol)
        sensor.setdefault("received_ms", at_us // 1000)
    _clock(kind, whole, timing.get("source_us", at_us))
    try:
        return msgspec.convert(whole, KINDS[kind])
    except msgspec.ValidationError as error:
        missing = "missing required" in str(error)
        raise Damaged("a field is missing" if missing else "a value cannot be") from error


def _clock(kind: str, whole: dict[str, Any], source_us: Any) -> None:
    at = source_us // 1000 if isinstance(source_us, int) else source_us
    for group, name in _CLOCKED[kind]:
        if not group:
            whole.setdefault(name, at)
        elif group in whole:
            whole[group].setdefault(name, at)


def sayable(kind: str, values: dict[str, Any]) -> tuple[dict[str, Any], tuple[Dropped, ...]]:
    """The values that JSON and UTF-8 can say, and an entry for each that they cannot.

    Nothing can be said where it is the lack of a required one.
    """
    gone = {path for path, value in values.items() if _odd(value)}
    if not gone:
        return values, ()
    if any(FIELDS[kind][path].required for path in gone):
        gone = set(values)
    unsaid = tuple(Dropped(path, "out of range", "no such number or text") for path in values if path in gone)
    return {path: value for path, value in values.items() if path not in gone}, unsaid


def _odd(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, str):
        return not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, list | tuple):
        return any(_odd(one) for one in value)
    if isinstance(value, msgspec.Struct):
        return any(_odd(getattr(value, name)) for name in value.__struct_fields__)
    return False


class Shapes:
    """Ledgers by the names of the fields that were there, each made once."""

    def __init__(self, make: Callable[[tuple[str, ...]], Ledger]) -> None:
        self._make = make
        self._made: dict[tuple[str, ...], Ledger] = {}

    def of(self, names: Iterable[str]) -> Ledger:
        """The ledger for these fields."""
        shape = tuple(names)
        ledger = self._made.get(shape)
        if ledger is None:
            if len(self._made) >= _SHAPES:
                self._made.clear()
            ledger = self._made[shape] = self._make(shape)
        return ledger
