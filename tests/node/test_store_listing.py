from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from store_samples import LABELS, record, successor, tomb

from aldis.kernel.errors import InvalidInput
from aldis.kernel.records import Record
from aldis.node.store import Page, Row, Store, listing

KINDS = ("track", "document")
PROJECTS = ("", "P-1")


def open_store(path: Path) -> Store:
    return Store.open(path, texts={"document": ("body",)}, secret=bytes(32))


def population(seed: int, size: int) -> list[Record]:
    """Versions, tombstones and first versions, whose labels cluster in time as real ones do."""
    rng = random.Random(seed)
    made: list[Record] = []
    newest: dict[int, Record] = {}
    for i in range(size):
        era = i * len(LABELS) // size
        near = [era if rng.random() < 0.5 else rng.randrange(len(LABELS)) for _ in range(3)]
        portions = [("position", near[1], i), ("body", near[2], f"word{i % 7} text")]
        if newest and rng.random() < 0.3:
            place = rng.choice(list(newest))
            before = newest.pop(place)
            if rng.random() < 0.2:
                made.append(tomb(before))
                continue
            one = successor(before, portions, label=near[0])
        else:
            place = i
            kind, project = rng.choice(KINDS), rng.choice(PROJECTS)
            one = record(f"v-{i}", portions, kind=kind, project=project, label=near[0])
        newest[place] = one
        made.append(one)
    return made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(tmp_path_factory.mktemp("listing") / "store.db")
    everything = population(1, 4_000)
    for start in range(0, len(everything), 500):
        opened.records.put(everything[start : start + 500], start)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def rows(store: Store) -> list[Row]:
    return store.records.since(0, 10_000)


def standing(rows: Sequence[Row]) -> set[int]:
    newest = {(row.originator, row.id): row for row in rows}
    return {row.seq for row in newest.values() if not row.record().header.deleted}


def sees(visible: NDArray[np.bool_], profile: int) -> bool:
    return profile < len(visible) and bool(visible[profile])


def slow_list(rows: Sequence[Row], visible: NDArray[np.bool_], stands: set[int] | None, **asked: Any) -> list[Row]:
    """The filter in words: row by row, portion by portion."""
    return [
        row.only(visible)
        for row in reversed(rows)
        if sees(visible, row.profile)
        and asked.get("kind") in (None, row.kind)
        and asked.get("project") in (None, row.project)
        and (stands is None or row.seq in stands)
    ]


def turn(store: Store, visible: NDArray[np.bool_], **asked: Any) -> list[Page]:
    """Every page, one after the other."""
    pages = [store.listing.page(visible, **asked)]
    while (after := pages[-1].next) is not None:
        pages.append(store.listing.page(visible, after=after, **asked))
    return pages


visibles = st.one_of(
    st.just(1.0), st.just(0.0), st.sampled_from([0.01, 0.03, 0.1, 0.5, 0.9]), st.floats(min_value=0, max_value=1)
).flatmap(lambda share: st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).random(96) < share))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    visible=visibles,
    kind=st.sampled_from([None, *KINDS, "unheard-of"]),
    project=st.sampled_from([None, *PROJECTS]),
    latest_only=st.booleans(),
    limit=st.sampled_from([1, 7, 50, 200]),
    cut=st.integers(0, 96),
)
def test_pages_are_the_slow_filter_cut_into_pages(
    store: Store,
    rows: list[Row],
    visible: NDArray[np.bool_],
    kind: str | None,
    project: str | None,
    latest_only: bool,
    limit: int,
    cut: int,
) -> None:
    visible = visible[: max(cut, 1)] if cut < 10 else visible
    asked: dict[str, Any] = {"kind": kind, "project": project}
    stands = standing(rows) if latest_only else None
    expected = slow_list(rows, visible, stands, **asked)
    pages = [store.listing.page(visible, latest_only=latest_only, limit=limit, **asked)]
    for _ in range(6):
        if pages[-1].next is not None:
            pages.append(
                store.listing.page(visible, latest_only=latest_only, limit=limit, after=pages[-1].next, **asked)
            )
    found = [row for page in pages for row in page.rows]
    assert found == expected[: len(found)]
    assert [len(page.rows) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert (pages[-1].next is None) is (len(found) == len(expected))
    for row in found:
        assert all(visible[profile] for profile in [row.profile, *row.portion_profiles])
    if latest_only:
        assert store.listing.count_visible(visible, **asked) == len(expected)


@pytest.mark.parametrize("way", ["walk", "merge"])
def test_both_ways_lead_to_the_same_pages(
    store: Store, rows: list[Row], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_MERGE_COST", 10**9 if way == "walk" else -(10**9))
    for share in (0.05, 0.5, 1.0):
        visible = np.random.default_rng(7).random(store.profiles.count()) < share
        found = [row for page in turn(store, visible, limit=200) for row in page.rows]
        assert found == slow_list(rows, visible, standing(rows))


def test_someone_who_sees_nothing_gets_an_empty_page(store: Store) -> None:
    for visible in (np.zeros(96, dtype=np.bool_), np.zeros(0, dtype=np.bool_)):
        assert store.listing.page(visible) == Page([], None)
        assert store.listing.count_visible(visible) == 0


def work(store: Store, visible: NDArray[np.bool_], **asked: Any) -> int:
    """Steps that SQLite takes for one page."""
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += 1
        return False

    store._db._reader.set_progress_handler(count, 10)
    store.listing.page(visible, **asked)
    store._db._reader.set_progress_handler(None)
    return steps * 10


def test_a_page_costs_little_wherever_the_visible_rows_lie(store: Store) -> None:
    """Few or many, old or new: never a walk through all that is withheld."""
    count = store.profiles.count()
    oldest = store.records.since(0, 60)
    for visible in (
        np.isin(np.arange(count), [row.profile for row in oldest[:1]]),
        np.isin(np.arange(count), [row.profile for row in oldest]),
        np.ones(count, dtype=np.bool_),
        np.arange(count) % 2 == 0,
    ):
        assert work(store, visible, limit=50) < 20_000
    assert work(store, np.zeros(count, dtype=np.bool_)) < 200


def without_seq(page: Page) -> list[tuple[bytes, list[bytes]]]:
    return [(row.digest, row.portions) for row in page.rows]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), limit=st.integers(1, 5), gap=st.integers(0, 30))
def test_withheld_rows_leave_no_trace(
    tmp_path_factory: pytest.TempPathFactory, seed: int, limit: int, gap: int
) -> None:
    """With them or without, pages, their number, the size of cursors and every error are the same."""
    rng = random.Random(seed)
    first = record("first", [(f"p{i}", i, 0) for i in range(6)], kind="document")
    shown = [record(f"s-{i}", [("body", rng.randrange(3), "north")], kind="document", label=0) for i in range(12)]
    hidden = [record(f"h-{i}", [("body", 5, "north")], kind="document", label=4) for i in range(gap)]
    mixed = list(shown)
    for one in hidden:
        mixed.insert(rng.randrange(len(mixed) + 1), one)
    answers = []
    for given_records in (shown, mixed):
        store = open_store(tmp_path_factory.mktemp("trace") / "store.db")
        store.records.put([first, *given_records], 1)
        visible = np.array([profile.label in LABELS[:3] for profile in store.profiles.since()])
        pages = turn(store, visible, limit=limit)
        found = [store.search.search("north", visible, limit=limit)]
        while (after := found[-1].next) is not None:
            found.append(store.search.search("north", visible, limit=limit, after=after))
        with pytest.raises(InvalidInput) as raised:
            store.listing.page(visible, after="A" * 48)
        answers.append(
            (
                [without_seq(page) for page in pages],
                [len(page.next or "") for page in pages],
                [[(hit.row.digest, hit.row.portions, hit.portion, hit.snippet) for hit in hits.hits] for hits in found],
                [len(hits.next or "") for hits in found],
                str(raised.value),
            )
        )
        store.close()
    assert answers[0] == answers[1]


def test_cursors_are_of_one_length_and_never_the_same(store: Store) -> None:
    everything = np.ones(store.profiles.count(), dtype=np.bool_)
    cursors = [store.listing.page(everything, limit=limit).next for limit in (1, 2, 50, 200) for _ in range(3)]
    assert len(set(cursors)) == len(cursors)
    assert {len(cursor or "") for cursor in cursors} == {48}


def test_a_cursor_is_good_for_its_own_question_only(store: Store) -> None:
    everything = np.ones(store.profiles.count(), dtype=np.bool_)
    cursor = store.listing.page(everything, scope=b"ann").next
    assert cursor is not None
    assert store.listing.page(everything, scope=b"ann", after=cursor).rows
    others: list[dict[str, Any]] = [
        {"scope": b"bob"},
        {"scope": b"ann", "kind": "track"},
        {"scope": b"ann", "project": "P-1"},
        {"scope": b"ann", "latest_only": False},
    ]
    for other in others:
        with pytest.raises(InvalidInput, match="Start again without it"):
            store.listing.page(everything, after=cursor, **other)
    with pytest.raises(InvalidInput, match="Start again without it"):
        store.search.search("text", everything, scope=b"ann", after=cursor)


@given(place=st.integers(0, 47), letter=st.sampled_from("ABab01-_=!\x00é"))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_altered_cursor_is_refused(store: Store, place: int, letter: str) -> None:
    everything = np.ones(store.profiles.count(), dtype=np.bool_)
    cursor = store.listing.page(everything).next or ""
    altered = cursor[:place] + letter + cursor[place + 1 :]
    for wrong in (altered, cursor[:-1], cursor + "A", "", "x" * 5000):
        if wrong != cursor:
            with pytest.raises(InvalidInput, match=r"cursor .*\. Start again without it"):
                store.listing.page(everything, after=wrong)


def test_another_stores_cursor_is_refused(store: Store, tmp_path: Path) -> None:
    other = Store.open(tmp_path / "other.db")
    other.records.put([record("v-1"), record("v-2")], 1)
    cursor = other.listing.page(other.profiles.where(), limit=1).next
    with pytest.raises(InvalidInput, match="Start again"):
        store.listing.page(store.profiles.where(), after=cursor)
    other.close()
    again = Store.open(tmp_path / "other.db")
    assert len(again.listing.page(again.profiles.where(), limit=1, after=cursor).rows) == 1
    again.close()


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_page_has_a_sensible_size(store: Store, limit: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 200"):
        store.listing.page(store.profiles.where(), limit=limit)


def test_the_newest_version_stands_and_a_tombstone_does_not(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    first = record("v-1")
    second = successor(first)
    other = record("v-2")
    store.records.put([first, other], 1)
    store.records.put([second], 2)

    def ids(**asked: Any) -> list[tuple[str, int]]:
        return [(row.id, row.version) for row in store.listing.page(store.profiles.where(), **asked).rows]

    assert ids() == [("v-1", 2), ("v-2", 1)]
    store.records.put([tomb(second)], 3)
    assert ids() == [("v-2", 1)]
    assert ids(latest_only=False) == [("v-1", 3), ("v-1", 2), ("v-2", 1), ("v-1", 1)]
    store.close()
