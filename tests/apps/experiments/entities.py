"""Any entity that the model can hold, for property tests: `entities()`, or `tracks()`, `areas()`, `tasks()` …"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from aldis.apps.experiments.entity import (
    GROUPS,
    Area,
    Entity,
    Environment,
    Markings,
    Position,
    Report,
    Residue,
    Sensor,
    Task,
    Timing,
    Track,
)

__all__ = ["areas", "entities", "environments", "reports", "tasks", "tracks"]

T = TypeVar("T", bound=msgspec.Struct)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**53), 2**53)
TEXT = st.text(max_size=20) | st.sampled_from(
    ["", "=1+1", "-3", "'", "@x", 'a"b', "a,b", "a\r\nb", "12", "\x1e", "\ufeff"]
)


def values(type_: inspect.Type) -> st.SearchStrategy[Any]:
    """Any value of a field of the model."""
    match type_:
        case inspect.UnionType():
            return st.one_of([values(one) for one in type_.types if not isinstance(one, inspect.NoneType)])
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return WHOLE
        case inspect.FloatType(ge=ge, le=le):
            return NUMBERS if ge is None else st.floats(ge, le)
        case inspect.StrType():
            return TEXT
        case inspect.LiteralType():
            return st.sampled_from(type_.values)
        case inspect.TupleType():
            return st.tuples(*[values(one) for one in type_.item_types])
        case inspect.VarTupleType():
            return st.lists(values(type_.item_type), max_size=3).map(tuple)
        case inspect.ListType():
            return st.lists(values(type_.item_type), max_size=4)
        case inspect.StructType():
            return structs(type_.cls)
    raise AssertionError(type_)


def structs(type_: type[T], least: int = 1, without: tuple[str, ...] = ()) -> st.SearchStrategy[T]:
    """Any value of a struct of the model of which something is known."""
    info = inspect.type_info(type_)
    assert isinstance(info, inspect.StructType)
    needed = {one.name: values(one.type) for one in info.fields if one.required and one.name not in without}
    others = {one.name: values(one.type) for one in info.fields if not one.required and one.name not in without}

    def chosen(names: set[str]) -> st.SearchStrategy[T]:
        parts = needed | {name: others[name] for name in sorted(names)}
        return st.builds(type_, **parts)

    if not others:
        return st.builds(type_, **needed)
    return st.sets(st.sampled_from(sorted(others)), min_size=0 if needed else least, max_size=8).flatmap(chosen)


def tracks() -> st.SearchStrategy[Track]:
    """Any track of which something is known, as a gateway would stamp it."""
    return st.fixed_dictionaries(
        {"key": TEXT, "sensor": structs(Sensor), "timing": _stamped()},
        optional={name: structs(type_) for name, type_ in GROUPS.items() if name not in ("sensor", "timing")},
    ).map(_track)


def _track(parts: dict[str, Any]) -> Track:
    return Track(**parts)


def _stamped() -> st.SearchStrategy[Timing]:
    return st.builds(lambda timing, at: msgspec.structs.replace(timing, received_us=at), structs(Timing), WHOLE)


def _things(type_: type[T], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    plain = structs(type_, least=0, without=("timing", "residue", "position", "markings"))
    optional = st.fixed_dictionaries(
        {"timing": _stamped()}, optional={"residue": structs(Residue), "markings": structs(Markings), **more}
    )
    return st.builds(lambda one, parts: msgspec.structs.replace(one, **parts), plain, optional)


def areas() -> st.SearchStrategy[Area]:
    """Any area."""
    return _things(Area)


def tasks() -> st.SearchStrategy[Task]:
    """Any task."""
    return _things(Task)


def reports() -> st.SearchStrategy[Report]:
    """Any report."""
    return _things(Report, position=structs(Position))


def environments() -> st.SearchStrategy[Environment]:
    """Any state of the surroundings."""
    return _things(Environment, position=structs(Position))


def entities() -> st.SearchStrategy[Entity]:
    """Any entity."""
    return st.one_of(tracks(), areas(), tasks(), reports(), environments())
