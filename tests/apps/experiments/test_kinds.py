from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.entity import (
    GROUPS,
    Area,
    Entity,
    Environment,
    Mapped,
    Point,
    Position,
    Report,
    Task,
    Track,
)
from aldis.apps.experiments.kinds import KINDS, entity_of, kind_of, portion_of
from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Label
from aldis.kernel.records import DraftPortion, make_portion

LABEL = Label("AUS", "OFFICIAL")
PLACE = {"lat_deg": st.floats(-90, 90), "lon_deg": st.floats(-180, 180)}
st.register_type_strategy(Point, st.builds(Point, **PLACE, depth_m=st.none() | st.floats(0, 9)))
st.register_type_strategy(Position, st.builds(Position, **PLACE, at=st.none() | st.integers(0, 9)))
st.register_type_strategy(Mapped, st.builds(Mapped, confidence=st.floats(0, 1)))
ENTITIES = st.one_of(*(st.from_type(entity) for entity in (Track, Area, Task, Report, Environment)))


def numbers_are_finite(value: Any) -> bool:
    """JSON has no other numbers."""
    return "nan" not in repr(value) and "inf" not in repr(value)


@given(ENTITIES.filter(numbers_are_finite))
def test_an_entity_comes_back_from_its_portions_and_each_is_of_its_kind(entity: Entity) -> None:
    kind = kind_of(entity)
    portions = {name: value for name in kind.portions if (value := portion_of(entity, name)) is not None}
    for name, value in portions.items():
        kind.check(make_portion(DraftPortion(name, LABEL, value), bytes(16)))
    made = entity_of(kind.name, entity.key, msgspec.json.decode(msgspec.json.encode(portions)))
    for field in entity.__struct_fields__:
        said, back = getattr(entity, field), getattr(made, field)
        assert said == back or (back is None and msgspec.to_builtins(said) == {})


@pytest.mark.parametrize("entity", [Track, Area, Task, Report, Environment])
def test_every_field_of_an_entity_is_in_exactly_one_portion(entity: Any) -> None:
    [kind] = [kind for kind in KINDS if kind.name == {Task: "tasking"}.get(entity, entity.__name__.lower())]
    fields = [name for name in entity.__struct_fields__ if name != "key"]
    found: list[str] = []
    for name, expected in kind.portions.items():
        found += [name] if expected is GROUPS.get(name) else expected.__struct_fields__
    assert sorted(found) == sorted(fields)


def test_what_was_withheld_is_unknown_and_what_it_rests_on_is_missed() -> None:
    made = entity_of("track", "aldis:trk-1", {"position": {"lat_deg": 1.0, "lon_deg": 2.0, "grid_m": 2000}})
    assert isinstance(made, Track) and made.motion is None and made.position is not None
    with pytest.raises(InvalidInput, match="no area can be made"):
        entity_of("area", "a", {"purpose": {"name": "BOX"}})
    with pytest.raises(InvalidInput, match="no kind of entity"):
        entity_of("document", "a", {})
