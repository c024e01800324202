"""The newest live values: what is put in its place later stands where it would have been put at once."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.app import Live
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.node import newest
from aldis.node.newest import Newest

SLOTS = 3


def label(name: str) -> Label:
    """Labels that are equal, and not the same object."""
    return Label("AUS", name)


TAKEN = st.lists(
    st.tuples(st.sampled_from(["", "gbr"]), st.sampled_from("abcdef"), st.sampled_from(["OFFICIAL", "SECRET"])),
    max_size=60,
)


@pytest.mark.parametrize("together", [1, 4, 1000])
@given(taken=TAKEN, looks=st.sets(st.integers(0, 60), max_size=4))
def test_each_group_holds_what_was_heard_of_last(
    together: int, taken: list[tuple[str, str, str]], looks: set[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest, "SLOTS", SLOTS)
        patch.setattr(newest, "_NEW", together)
        kept, groups = Newest(), dict[tuple[str, str], OrderedDict[str, int]]()
        for number, (source, name, rung) in enumerate(taken):
            kept.take([Live(source, label(rung), Update(name, "track", "position", number, {}), label(rung), "P")])
            for (other, _), held in groups.items():
                if other == source:
                    held.pop(name, None)
            held = groups.setdefault((source, rung), OrderedDict())
            held[name] = number
            if len(held) > SLOTS:
                held.popitem(last=False)
            if number in looks:
                kept.all()
        found = dict[tuple[str, str], list[tuple[str, int]]]()
        for live in kept.all():
            found.setdefault((live.source, live.label.classification), []).append((live.update.id, live.update.at))
        latest = {(source, name): number for number, (source, name, _) in enumerate(taken)}
        for (source, rung), held in groups.items():
            there = found.pop((source, rung), [])
            assert [one for one in there if one in held.items()] == list(held.items())
            assert len(there) <= SLOTS and all(latest[source, name] == number for name, number in there)
            if together == 1:
                assert there == list(held.items())
        assert not found
        assert kept.moves == len(taken)


def test_of_all_groups_the_largest_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "_MOST", 10)
    kept = Newest()
    for number, (source, name) in enumerate([("gbr", "few"), *(("usa", f"many{one}") for one in range(50))]):
        update = Update(name, "track", "position", number, {})
        kept.take([Live(source, label("OFFICIAL"), update, label("OFFICIAL"), "P")])
    names = [live.update.id for live in kept.all()]
    assert names == ["few", *(f"many{one}" for one in range(41, 50))]
