from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from store_samples import LABELS, record

from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import encode_label
from aldis.node.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store.db")
    yield opened
    opened.close()


def test_profiles_are_numbered_without_gaps_and_once(store: Store) -> None:
    raw = [encode_label(label) for label in LABELS]
    wanted = [(label, kind, project, "aus-low") for label in raw for kind in ("a", "b") for project in ("", "P")]
    assert [store.profiles.intern(*one) for one in wanted] == list(range(len(wanted)))
    assert [store.profiles.intern(*one) for one in wanted] == list(range(len(wanted)))
    assert [(p.raw_label, p.kind, p.project, p.originator) for p in store.profiles.since()] == wanted
    assert [p.id for p in store.profiles.since(5)] == list(range(5, len(wanted)))
    assert store.profiles.count() == len(wanted)


def test_equal_labels_in_other_words_are_one_profile(store: Store) -> None:
    raw = encode_label(LABELS[3])
    spaced = raw.replace(b",", b" , ")
    number = store.profiles.intern(spaced, "track", "", "aus-low")
    assert store.profiles.intern(raw, "track", "", "aus-low") == number
    assert store.profiles.profile(number).raw_label == raw


def test_what_is_no_label_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput):
        store.profiles.intern(b'{"policy": "AUS"}', "track", "", "aus-low")
    with pytest.raises(UnknownTerm):
        store.profiles.profile(0)
    assert store.profiles.count() == 0


def test_an_undone_profile_is_forgotten_and_vectors_are_void(store: Store) -> None:
    store.records.put([record("v-1")], 1)
    count, generation = store.profiles.count(), store.profiles.generation
    with pytest.raises(RuntimeError), store.transaction():
        store.records.put([record("v-2", project="undone")], 1)
        assert store.profiles.count() == 2 * count
        raise RuntimeError
    assert store.profiles.count() == count
    assert store.profiles.generation != generation
    store.records.put([record("v-2", project="kept")], 1)
    assert {profile.project for profile in store.profiles.since()} == {"", "kept"}
    row = store.records.get("v-2")
    assert row is not None
    assert row.project == "kept"


def test_a_commit_keeps_vectors_good(store: Store) -> None:
    generation = store.profiles.generation
    for i in range(3):
        store.records.put([record(f"v-{i}", project=f"P-{i}")], 1)
    assert store.profiles.generation == generation


def test_where_tells_kind_and_project(store: Store) -> None:
    store.records.put([record("v-1", kind="a", project="P"), record("v-2", kind="b", project="Q")], 1)
    for kind in (None, "a", "b", "c"):
        for project in (None, "P", "Q", ""):
            expected = [
                kind in (None, profile.kind) and project in (None, profile.project)
                for profile in store.profiles.since()
            ]
            assert store.profiles.where(kind, project).tolist() == expected
    assert store.profiles.where().dtype == np.bool_
