"""The index by meaning: one vector a window, scores of nothing else, and nothing left of what was erased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from store_samples import LABELS, record, successor, tomb

from aldis.kernel.errors import Forked, InvalidInput
from aldis.kernel.records import DraftPortion, Record, make_portion
from aldis.node.store import Due, Question, Row, Store, Substitute
from aldis.node.store.meanings import pack, quantise
from aldis.node.store.windows import WINDOWS, windows

MODEL = b"m" * 32
WIDTH = 16
ALL = np.ones(64, dtype=np.bool_)


def vector(text: str) -> NDArray[np.float32]:
    """A direction that depends on the text alone."""
    made = np.array([Random(f"{text} {n}").gauss(0, 1) for n in range(WIDTH)], dtype=np.float32)
    return np.asarray(made / np.sqrt(made @ made), dtype=np.float32)


def question(text: str) -> Question:
    return Question(MODEL, vector(text))


def encoded(found: Sequence[Due]) -> list[tuple[Due, list[NDArray[np.float32]]]]:
    return [(one, [vector(window.text) for window in one.windows]) for one in found]


def index(store: Store, model: bytes = MODEL) -> None:
    store.meanings.begin(model)
    while found := store.meanings.due(3):
        store.meanings.put(model, encoded(found))


def close_to(store: Store, text: str, visible: NDArray[np.bool_] = ALL, **asked: Any) -> list[tuple[str, str]]:
    """Ids and portions of what is just this text."""
    hits = store.nearest.search(question(text), visible, least=0.98, **asked).hits
    return [(hit.row.id, hit.portion) for hit in hits]


def rows(store: Store) -> list[tuple[int, int]]:
    with store._db.reading() as connection:
        return [*connection.execute("SELECT place, profile FROM meaning ORDER BY place")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(tmp_path / "store.db", texts={"document": ["title", "body"]})
    yield made
    made.close()


def document(id_: str, *texts: str, label: int = 0, **fields: Any) -> Record:
    portions = [(name, label, text) for name, text in zip(("title", "body"), texts, strict=False)]
    return record(id_, portions, kind="document", **fields)


# what is indexed


def test_nothing_waits_before_an_index_was_begun(store: Store) -> None:
    store.records.put([document("d-1", "harbour", "quay")], 1)
    assert store.meanings.progress() == (0, 0)
    assert store.meanings.begin(MODEL) and not store.meanings.begin(MODEL)
    assert store.meanings.progress() == (1, 0)
    store.records.put([document("d-2", "pier"), record("t-1")], 2)
    assert store.meanings.progress() == (2, 0), "a track has no text"
    index(store)
    assert store.meanings.progress() == (0, 3)
    assert close_to(store, "quay") == [("d-1", "body")]
    assert close_to(store, "pier") == [("d-2", "title")]
    assert close_to(store, "harbour quay") == []


def test_a_version_that_is_superseded_or_deleted_leaves_with_its_words(store: Store) -> None:
    first = document("d-1", "harbour")
    index(store)
    store.records.put([first], 1)
    index(store)
    assert close_to(store, "harbour") == [("d-1", "title")]
    second = successor(first, [("title", 0, "quay")])
    store.records.put([second], 2)
    assert close_to(store, "harbour") == []
    index(store)
    assert close_to(store, "quay") == [("d-1", "title")]
    assert len(rows(store)) == 1
    store.records.put([tomb(second)], 3)
    assert (close_to(store, "quay"), rows(store)) == ([], [])
    assert store.check() == []


def test_a_late_old_version_is_not_indexed(store: Store) -> None:
    first = document("d-1", "harbour")
    index(store)
    store.records.put([successor(first, [("title", 0, "quay")])], 1)
    store.records.put([first], 2)
    index(store)
    assert (close_to(store, "harbour"), close_to(store, "quay")) == ([], [("d-1", "title")])


def test_what_changes_while_it_is_encoded_is_not_stored(store: Store) -> None:
    first = document("d-1", "harbour")
    store.meanings.begin(MODEL)
    store.records.put([first, document("d-2", "pier")], 1)
    found = store.meanings.due(10)
    store.records.put([successor(first, [("title", 0, "quay")])], 2)
    store.erasure.erase([2], "recalled", 3)
    store.meanings.put(MODEL, encoded(found))
    assert rows(store) == []
    index(store)
    assert close_to(store, "harbour") == close_to(store, "pier") == []
    assert close_to(store, "quay") == [("d-1", "title")]


def test_portions_and_substitutes_that_arrive_later_are_indexed(store: Store) -> None:
    whole = document("d-1", "harbour", "quay")
    title, _ = whole.portions
    index(store)
    store.records.put([whole.only([title.digest])], 1)
    found = store.meanings.due(10)
    vague = Substitute(make_portion(DraftPortion("body", LABELS[0], "somewhere"), bytes(16)), "coarsen")
    store.records.put([whole.only([])], 2, substitutes={whole.digest: [vague]})
    store.meanings.put(MODEL, encoded(found))
    assert store.meanings.progress()[0] == 1, "the record grew meanwhile, and waits again"
    index(store)
    assert close_to(store, "harbour") == [("d-1", "title")]
    assert close_to(store, "somewhere") == [("d-1", "body")]
    store.records.put([whole], 3)
    index(store)
    assert {*close_to(store, "quay"), *close_to(store, "somewhere")} == {("d-1", "body")}
    assert len(rows(store)) == 3


def test_erased_vectors_are_gone_from_the_file_with_the_words(store: Store, tmp_path: Path) -> None:
    index(store)
    store.records.put([document("d-1", "harbour canary"), document("d-2", "pier")], 1)
    index(store)
    bytes_of = [pack(vector(text)) for text in ("harbour canary", "pier")]

    def on_disk() -> list[bool]:
        data = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
        return [one in data for one in bytes_of]

    assert on_disk() == [True, True]
    with pytest.raises(ValueError, match="undo"), store.transaction():
        store.erasure.erase([1], "recalled", 2)
        assert close_to(store, "harbour canary") == []
        raise ValueError("undo")
    assert close_to(store, "harbour canary") == [("d-1", "title")]
    store.erasure.erase([1], "recalled", 2)
    assert close_to(store, "harbour canary") == []
    store.erasure.rewrite()
    assert on_disk() == [False, True]
    assert close_to(store, "pier") == [("d-2", "title")]


def test_another_model_means_another_index(store: Store) -> None:
    index(store)
    store.records.put([document("d-1", "harbour")], 1)
    found = store.meanings.due(10)
    index(store)
    assert store.meanings.begin(b"other")
    assert (rows(store), close_to(store, "harbour")) == ([], [])
    store.meanings.put(MODEL, encoded(found))
    assert rows(store) == [], "vectors of the model before are not taken in"
    index(store, b"other")
    assert close_to(store, "harbour") == [], "and a question of that model finds nothing"
    assert len(store.nearest.search(Question(b"other", vector("harbour")), ALL, least=0.98).hits) == 1


def test_what_another_process_writes_or_removes_is_seen(store: Store, tmp_path: Path) -> None:
    index(store)
    first = document("d-1", "harbour")
    store.records.put([first, document("d-2", "quay")], 1)
    index(store)
    other = Store.open(tmp_path / "store.db")
    assert close_to(other, "harbour") == [("d-1", "title")]
    store.records.put([tomb(first), document("d-3", "pier")], 2)
    index(store)
    assert close_to(other, "harbour") == []
    assert close_to(other, "pier") == [("d-3", "title")]
    assert close_to(other, "quay") == [("d-2", "title")]
    other.close()


def test_what_a_transaction_undid_is_not_remembered(store: Store) -> None:
    index(store)
    with pytest.raises(Forked), store.transaction():
        store.records.put([document("d-1", "harbour")], 1)
        store.meanings.put(MODEL, encoded(store.meanings.due(1)))
        assert close_to(store, "harbour") == [("d-1", "title")]
        raise Forked("undo")
    assert close_to(store, "harbour") == []
    store.records.put([document("d-2", "quay", label=5)], 1)
    index(store)
    assert close_to(store, "harbour") == []
    assert close_to(store, "quay") == [("d-2", "title")]


def test_an_app_that_searches_other_portions_makes_a_new_index(store: Store, tmp_path: Path) -> None:
    index(store)
    store.records.put([document("d-1", "harbour", "quay")], 1)
    index(store)
    again = Store.open(tmp_path / "store.db", texts={"document": ["body"]})
    assert again.meanings.progress() == (1, 0)
    index(again)
    assert (close_to(again, "harbour"), close_to(again, "quay")) == ([], [("d-1", "body")])
    again.close()


# what is found


def test_a_hidden_portion_gives_no_hit_no_rank_and_no_words(store: Store) -> None:
    index(store)
    store.records.put([record("d-1", [("title", 0, "harbour"), ("body", 5, "secret")], kind="document")], 1)
    store.records.put([record("d-2", [("title", 5, "harbour")], kind="document")], 1)
    index(store)
    shown = np.array([profile.label == LABELS[0] for profile in store.profiles.since()])
    assert close_to(store, "secret", shown) == []
    [hit] = store.nearest.search(question("harbour"), shown, least=0.98).hits
    assert (hit.row.id, hit.portion, hit.snippet, hit.closeness) == ("d-1", "title", "harbour", "close")
    assert [portion.name for portion in hit.row.record().portions] == ["title"]
    assert close_to(store, "secret", np.zeros(0, dtype=np.bool_)) == []
    assert close_to(store, "secret", np.ones(1, dtype=np.bool_)) == []
    assert close_to(store, "secret") == [("d-1", "body")]


def reference(
    store: Store, asked: NDArray[np.float32], visible: NDArray[np.bool_], least: float
) -> list[tuple[str, int]]:
    """Ids and steps by plain sums over what is visible, one record after the other."""
    numbers, scale = quantise(asked)
    best: dict[str, tuple[int, int]] = {}
    page = store.listing.page(ALL, limit=200)
    assert page.next is None
    for row in page.rows:
        seen = row.only(visible)
        for part in seen.record().portions:
            for text in windows(part.value) if part.name in ("title", "body") else ():
                other, size = quantise(vector(text))
                exact = sum(int(a) * int(b) for a, b in zip(numbers, other, strict=True))
                score = exact * float(np.float32(size)) * scale
                if score >= least and visible[row.profile]:
                    best[row.id] = max(best.get(row.id, (0, 0)), (int(score * 1000 // 1), row.seq))
    return [(id_, step) for id_, (step, _) in sorted(best.items(), key=lambda one: one[1], reverse=True)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store.open(tmp_path_factory.mktemp("library") / "store.db", texts={"document": ["title", "body"]})
    index(store)
    rng = Random(3)
    for n in range(60):
        portions = [
            (name, rng.randrange(len(LABELS)), f"words {rng.randrange(12)} " * rng.choice((1, 1, 70)))
            for name in ("title", "body", "annex")[: rng.randint(1, 3)]
        ]
        made = record(f"d-{n}", portions, kind="document", label=rng.randrange(len(LABELS)), project=rng.choice("PQ"))
        store.records.put([made], n)
    index(store)
    yield store
    store.close()


def seen(visible: NDArray[np.bool_], row: Row) -> Row | None:
    return row.only(visible) if visible[row.profile] else None


def test_scores_are_exact_and_ranks_are_those_of_what_is_visible(library: Store) -> None:
    rng = Random(4)
    for n in range(12):
        visible = np.array([rng.random() < 0.6 for _ in range(library.profiles.count())])
        limit, cursor, found = rng.choice((1, 3, 7, 50)), None, list[str]()
        while True:
            page = library.nearest.search(
                question(f"words {n} "), visible, after=cursor, limit=limit, least=0.05,
                keep=partial(seen, visible),
            )  # fmt: skip
            found += [hit.row.id for hit in page.hits]
            assert len(page.hits) == limit or page.next is None
            if page.next is None:
                break
            cursor = page.next
        expected = reference(library, vector(f"words {n} "), visible, 0.05)
        assert found == [id_ for id_, _ in expected] and found


def test_pages_by_meaning_keep_to_their_question(library: Store) -> None:
    cursor = library.nearest.search(question("words 1"), ALL, limit=1, least=0.01, scope=b"x").next
    assert cursor is not None
    others: list[dict[str, Any]] = [{"scope": b"y"}, {"scope": b"x", "project": "P"}, {"scope": b"x", "least": 0.02}]
    for asked in others:
        with pytest.raises(InvalidInput, match="cursor"):
            library.nearest.search(question("words 1"), ALL, after=cursor, **{"least": 0.01, **asked})
    for limit in (0, 201):
        with pytest.raises(InvalidInput):
            library.nearest.search(question("words 1"), ALL, limit=limit)


def test_a_span_of_arrivals_and_a_project_bound_what_is_found(library: Store) -> None:
    def ids(**asked: Any) -> set[str]:
        return {
            hit.row.id for hit in library.nearest.search(question("words 1 "), ALL, limit=200, least=0.01, **asked).hits
        }

    everything = ids()
    assert ids(span=(20, 41)) == {f"d-{n - 1}" for n in range(21, 41)} & everything
    assert ids(project="P") | ids(project="Q") == everything and not ids(project="P") & ids(project="Q")


# windows


@given(st.text(max_size=3000) | st.lists(st.sampled_from(["word ", "x" * 700, "a\n", " "]), max_size=90).map("".join))
def test_windows_hold_every_word_in_order_and_none_is_long(text: str) -> None:
    plain, found = " ".join(text.split()), windows(text)
    assert all(0 < len(one) <= 480 for one in found)
    at = 0
    for one in found:
        start = plain.rfind(one, 0, at + len(one))
        assert start >= 0
        at = start + len(one)
    assert plain[at:].strip() == ""


def test_a_text_has_at_most_so_many_windows() -> None:
    assert len(windows("word " * 200_000)) == WINDOWS
    assert windows("") == windows(" \n ") == []
