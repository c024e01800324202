from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_samples import LABELS, record, successor, tomb

from aldis.kernel.errors import Forked, InvalidInput, TooLarge
from aldis.kernel.records import DraftPortion, Portion, Record, make_portion
from aldis.node.store import Store, Substitute
from aldis.node.store import digests as digests_module


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store.db", texts={"document": ("body",)})
    yield opened
    opened.close()


def substitute(name: str, label: int, value: object, transform: str = "coarsen 1 km") -> Substitute:
    return Substitute(make_portion(DraftPortion(name, LABELS[label], value), bytes(16)), transform)


def everything(store: Store) -> list[Record]:
    return [row.record() for row in store.records.since(0, 10_000)]


def test_what_is_stored_comes_back_byte_for_byte(store: Store) -> None:
    given = record("v-1", project="P-1")
    stored = store.records.put([given], 42, "gbr-low")
    row = store.records.get("v-1")
    assert row is not None
    assert (row.header, row.digest, row.arrived, row.source) == (given.data, given.digest, 42, "gbr-low")
    assert (row.kind, row.project, row.originator, row.created) == ("track", "P-1", "aus-low", 1_700_000_000_000)
    assert sorted(row.portions) == sorted(portion.data for portion in given.portions)
    assert stored.seqs == [row.seq] == [*stored.added]
    profile = store.profiles.profile(row.profile)
    assert (profile.label, profile.kind, profile.project, profile.originator) == (LABELS[0], "track", "P-1", "aus-low")
    labels = [store.profiles.profile(number).label for number in row.portion_profiles]
    assert labels == [portion.label for portion in row.record().portions]


def test_putting_again_changes_nothing(store: Store) -> None:
    given = [record(f"v-{i}") for i in range(5)]
    first = store.records.put(given, 1)
    again = store.records.put([*given, *given], 2, "gbr-low")
    assert again.seqs == first.seqs * 2
    assert (len(again.added), again.grown) == (0, [])
    assert [row.arrived for row in store.records.since(0)] == [1] * 5


def test_portions_gather_and_none_is_lost(store: Store) -> None:
    whole = record("v-1", [("a", 0, 1), ("b", 1, 2), ("c", 2, 3)])
    digests = {portion.name: portion.digest for portion in whole.portions}
    store.records.put([whole.only([digests["b"]])], 1)
    grown = store.records.put([whole.only([digests["a"]]), whole.only([digests["b"], digests["c"]])], 2)
    assert grown.grown == grown.seqs[:1]
    store.records.put([whole.only([])], 3)
    [row] = store.records.since(0)
    held = row.record().portions
    assert [portion.digest for portion in held] == sorted(digests.values())
    assert [store.profiles.profile(number).label for number in row.portion_profiles] == [p.label for p in held]


def test_one_batch_may_bring_a_record_in_pieces(store: Store) -> None:
    whole = record("v-1", [("a", 0, 1), ("b", 1, 2)])
    stored = store.records.put([whole.only([portion.digest]) for portion in whole.portions], 1)
    assert (len(stored.added), stored.grown) == (1, [])
    assert len(everything(store)[0].portions) == 2


def test_a_second_history_is_a_fork_and_nothing_of_the_batch_stays(store: Store) -> None:
    first, other = record("v-1"), record("v-1")
    store.records.put([first], 1)
    with pytest.raises(Forked) as raised:
        store.records.put([record("v-2"), other], 2)
    assert first.digest.hex() in str(raised.value)
    assert other.digest.hex() in str(raised.value)
    assert [row.digest for row in store.records.since(0)] == [first.digest]
    with pytest.raises(Forked):
        store.records.put([record("v-3"), record("v-3")], 3)
    assert store.records.last() == 1


def test_a_version_must_follow_the_one_that_is_held(store: Store) -> None:
    mine, other = record("v-1"), record("v-1")
    store.records.put([mine], 1)
    with pytest.raises(Forked, match="version 2"):
        store.records.put([successor(other)], 2)
    with pytest.raises(Forked):
        store.records.put([successor(mine), successor(mine)], 2)
    store.records.put([successor(mine)], 2)


def test_a_late_old_version_must_be_the_one_that_was_followed(store: Store) -> None:
    first = record("v-1")
    second = successor(first)
    third = successor(second)
    store.records.put([third], 1)
    with pytest.raises(Forked, match="version 2"):
        store.records.put([successor(first)], 2)
    store.records.put([second, first], 3)
    assert [row.version for row in store.records.versions("v-1")] == [1, 2, 3]
    newest = store.records.get("v-1")
    assert newest is not None and newest.digest == third.digest


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]])
def test_versions_may_arrive_in_any_order_and_batch(store: Store, order: list[int]) -> None:
    first = record("v-1")
    chain = [first, second := successor(first), successor(second)]
    for place in order[:2]:
        store.records.put([chain[place]], 1)
    store.records.put([chain[order[2]], record("v-2")], 2)
    assert [row.digest for row in store.records.versions("v-1")] == [version.digest for version in chain]
    newest = store.records.get("v-1")
    assert newest is not None and newest.version == 3
    assert store.records.get("v-1", 2).digest == chain[1].digest  # type: ignore[union-attr]


def test_originators_may_use_the_same_id(store: Store) -> None:
    ours, theirs = record("v-1"), record("v-1", originator="gbr-low")
    store.records.put([ours, theirs], 1)
    with pytest.raises(InvalidInput, match="aus-low and gbr-low"):
        store.records.get("v-1")
    found = store.records.get("v-1", originator="gbr-low")
    assert found is not None and found.digest == theirs.digest
    assert len(store.records.versions("v-1")) == 2
    assert len(store.records.versions("v-1", "aus-low")) == 1
    assert store.records.get("v-9") is None
    assert store.records.get("v-1", 2, "gbr-low") is None


def test_a_tombstone_keeps_the_chain(store: Store) -> None:
    first = record("v-1")
    store.records.put([first, last := tomb(first)], 1)
    newest = store.records.get("v-1")
    assert newest is not None and newest.record().header.deleted
    store.records.put([successor(last)], 2)
    assert [row.version for row in store.records.versions("v-1")] == [1, 2, 3]


def test_records_are_found_by_digest_however_many_came_since(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests_module, "_LEAST_STEP", 7)
    given = [record(f"v-{i}") for i in range(40)]
    for start in range(0, 40, 5):
        store.records.put(given[start : start + 5], start)
        found = store.records.find([one.digest for one in given])
        assert found == {one.digest: seq for seq, one in enumerate(given[: start + 5], 1)}
    assert store.records.by_digest(given[3].digest).id == "v-3"  # type: ignore[union-attr]
    assert store.records.by_digest(bytes(32)) is None


def test_substitutes_stay_beside_the_record_in_the_order_they_came(store: Store) -> None:
    whole = record("v-1", [("position", 0, {"lat": 1.2345})])
    bare = whole.only([])
    coarse, coarser = substitute("position", 1, {"lat": 1.2}), substitute("position", 2, {"lat": 1})
    store.records.put([bare], 1, substitutes={whole.digest: [coarse]})
    stored = store.records.put([bare], 2, substitutes={whole.digest: [coarser, coarse]})
    assert stored.grown == [1]
    [row] = store.records.since(0)
    assert row.substitutes == [(coarse.portion.data, coarse.transform), (coarser.portion.data, coarser.transform)]
    assert [store.profiles.profile(number).label for number in row.substitute_profiles] == [LABELS[1], LABELS[2]]
    store.records.put([whole], 3)
    [row] = store.records.since(0)
    assert (len(row.portions), len(row.substitutes)) == (1, 2)


def test_substitutes_are_limited(store: Store) -> None:
    whole = record("v-1", [])
    many = [substitute("position", 0, i) for i in range(65)]
    with pytest.raises(TooLarge):
        store.records.put([whole], 1, substitutes={whole.digest: many})
    assert store.records.last() == 0


def test_since_walks_every_arrival_once_and_in_order(store: Store) -> None:
    given = [record(f"v-{i}") for i in range(23)]
    store.records.put(given, 1)
    seen, position = [], 0
    while rows := store.records.since(position, 5):
        seen += [row.digest for row in rows]
        position = rows[-1].seq
    assert seen == [one.digest for one in given]
    assert [row.seq for row in store.records.rows([3, 99, 1])] == [3, 1]
    assert store.records.rows([]) == []


def test_nothing_put_is_nothing_stored(store: Store) -> None:
    assert store.records.put([], 1).seqs == []
    assert store.records.last() == 0


def test_a_portion_read_back_is_the_one_put(store: Store) -> None:
    given = record("v-1")
    store.records.put([given], 1)
    back = everything(store)[0]
    assert set(back.portions) == set(given.portions)
    assert all(isinstance(portion, Portion) for portion in back.portions)
