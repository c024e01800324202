from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from store_samples import LABELS, record, successor, tomb

from aldis.kernel.errors import InvalidInput, TooLarge
from aldis.kernel.records import DraftPortion, Record, make_portion
from aldis.node.store import Hit, Store, Substitute, search

WORDS = ("north", "sea", "buoy", "survey", "Ålesund", "hydrographic", "42")
TEXTS = {"document": ("title", "body")}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store.db", texts=TEXTS)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A thousand documents, some in two versions."""
    opened = Store.open(tmp_path_factory.mktemp("search") / "store.db", texts=TEXTS)
    rng = random.Random(5)
    made: list[Record] = []
    for i in range(1_000):
        portions = [
            (name, min(int(rng.expovariate(0.4)), 11), {"text": [" ".join(rng.choices(WORDS, k=3))], "note": i})
            for name in ("title", "body", "remark")
        ]
        made.append(record(f"d-{i}", portions, kind="document", project=rng.choice(["", "P-1"])))
        if i % 5 == 0:
            made.append(successor(made[-1], portions[:2]))
    opened.records.put(made, 1)
    yield opened
    opened.close()


def all_hits(store: Store, text: str, visible: NDArray[np.bool_], limit: int, **asked: str | None) -> list[Hit]:
    pages = [store.search.search(text, visible, limit=limit, **asked)]  # type: ignore[arg-type]
    while (after := pages[-1].next) is not None:
        pages.append(store.search.search(text, visible, limit=limit, after=after, **asked))  # type: ignore[arg-type]
    assert all(len(page.hits) == limit for page in pages[:-1])
    return [hit for page in pages for hit in page.hits]


def slow_search(store: Store, words: Sequence[str], visible: NDArray[np.bool_], project: str | None) -> list[bytes]:
    """The records of which one visible text portion has every word, newest first."""
    found = []
    rows = {(row.originator, row.id): row for row in store.records.since(0, 10_000)}
    for row in sorted(rows.values(), key=lambda row: -row.seq):
        if project in (None, row.project) and row.kind in TEXTS:
            texts = [
                portion.value["text"][0].lower().split()
                for portion, profile in zip(row.record().portions, row.portion_profiles, strict=True)
                if portion.name in TEXTS[row.kind] and profile < len(visible) and visible[profile]
            ]
            if any(all(word.lower() in text for word in words) for text in texts):
                found.append(row.digest)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    share=st.sampled_from([0.0, 0.05, 0.3, 0.8, 1.0]),
    seed=st.integers(0, 2**32),
    project=st.sampled_from([None, "P-1", "none"]),
    limit=st.sampled_from([3, 50, 200]),
    eager=st.booleans(),
)
def test_hits_are_those_of_the_slow_search(
    library: Store, words: list[str], share: float, seed: int, project: str | None, limit: int, eager: bool
) -> None:
    visible = np.random.default_rng(seed).random(library.profiles.count()) < share
    with pytest.MonkeyPatch.context() as patch:
        if eager:
            patch.setattr(search, "_STEP", 1)
            patch.setattr(search, "_WALK_COST", -(10**6))
        hits = all_hits(library, " ".join(words), visible, limit, project=project)
    expected = slow_search(library, words, visible, project)
    assert [hit.row.digest for hit in hits] == expected
    for hit in hits:
        portion = hit.row.record().portion(hit.portion)
        assert portion is not None
        assert portion.value["text"][0].lower() in hit.snippet.lower()
        assert all(visible[profile] for profile in hit.row.portion_profiles)


def test_a_word_that_only_a_withheld_portion_has_is_not_found(store: Store) -> None:
    one = record("d-1", [("title", 0, "harbour"), ("body", 5, "harbour secret")], kind="document")
    store.records.put([one], 1)
    shown = np.array([profile.label == LABELS[0] for profile in store.profiles.since()])
    assert store.search.search("secret", shown).hits == []
    [hit] = store.search.search("harbour", shown).hits
    assert (hit.portion, hit.snippet) == ("title", "harbour")
    assert [portion.name for portion in hit.row.record().portions] == ["title"]
    assert len(store.search.search("secret", np.ones(2, dtype=np.bool_)).hits) == 1


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40) | st.lists(st.sampled_from(list('"()*:^+-{}.,\\\x00\n ')), max_size=12).map("".join))
def test_no_text_is_syntax(library: Store, text: str) -> None:
    visible = library.profiles.where()
    try:
        hits = library.search.search(text, visible).hits
    except InvalidInput as error:
        assert "no word" in str(error)
        assert not any(char.isalnum() for char in text)
    else:
        assert all(isinstance(hit.snippet, str) for hit in hits)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("north OR buoy", None), ("north NOT sea", None), ("NEAR(north sea)", None), ("{mark} : p1", None),
        ("mark:p0", None), ("p0", None), ("nor*", None), ("^north", "north"), ('north" OR mark:"p0', None),
        ("words : north", None), ("north AND", None), ("north)(", "north"), ('"north', "north"),
        ("north + sea", "north sea"), ("profile : 1", None), ("n'; DROP TABLE record; --", None),
    ],
)  # fmt: skip
def test_query_syntax_is_plain_words(library: Store, text: str, meant: str | None) -> None:
    everything, nothing = library.profiles.where(), np.zeros(0, dtype=np.bool_)
    assert library.search.search(text, nothing).hits == []
    expected = library.search.search(meant, everything).hits if meant else []
    assert [hit.row for hit in library.search.search(text, everything).hits] == [hit.row for hit in expected]


@pytest.mark.parametrize("text", ["", "  ", "...", "\x00", "“”"])
def test_a_search_needs_a_word(store: Store, text: str) -> None:
    with pytest.raises(InvalidInput, match="Give at least one word"):
        store.search.search(text, np.ones(1, dtype=np.bool_))


def test_a_search_has_a_limit(store: Store) -> None:
    for text in ("x" * 1001, "w " * 33):
        with pytest.raises(TooLarge):
            store.search.search(text, np.ones(1, dtype=np.bool_))


def test_capitals_and_accents_make_no_difference(library: Store) -> None:
    everything = library.profiles.where()
    found = [[hit.row.seq for hit in library.search.search(text, everything).hits] for text in ("Ålesund", "alesund")]
    assert found[0] == found[1] != []


def test_only_the_newest_version_is_found(store: Store) -> None:
    first = record("d-1", [("title", 0, "harbour")], kind="document")
    second = successor(first, [("title", 0, "quay")])
    everything = np.ones(8, dtype=np.bool_)

    def count(text: str) -> int:
        return len(store.search.search(text, everything).hits)

    store.records.put([first], 1)
    assert (count("harbour"), count("quay")) == (1, 0)
    store.records.put([second], 2)
    assert (count("harbour"), count("quay")) == (0, 1)
    store.records.put([tomb(second)], 3)
    assert (count("harbour"), count("quay")) == (0, 0)
    assert store.check() == []


def test_a_late_old_version_is_not_found(store: Store) -> None:
    first = record("d-1", [("title", 0, "harbour")], kind="document")
    store.records.put([successor(first, [("title", 0, "quay")])], 1)
    store.records.put([first], 2)
    store.records.put([first.only([])], 3)
    assert store.search.search("harbour", np.ones(8, dtype=np.bool_)).hits == []


def test_portions_and_substitutes_that_arrive_later_are_found(store: Store) -> None:
    whole = record("d-1", [("title", 0, "harbour"), ("body", 1, "quay")], kind="document")
    title, body = whole.portions
    everything = np.ones(8, dtype=np.bool_)
    store.records.put([whole.only([title.digest])], 1)
    assert store.search.search("quay", everything).hits == []
    vague = Substitute(make_portion(DraftPortion("body", LABELS[0], "somewhere"), bytes(16)), "coarsen")
    store.records.put([whole.only([])], 2, substitutes={whole.digest: [vague]})
    [hit] = store.search.search("somewhere", everything).hits
    assert (hit.portion, hit.row.substitutes) == ("body", [(vague.portion.data, "coarsen")])
    store.records.put([whole.only([body.digest])], 3)
    assert [len(store.search.search(text, everything).hits) for text in ("harbour", "quay", "somewhere")] == [1, 1, 1]


def test_other_kinds_and_portions_are_not_indexed(store: Store) -> None:
    one = record("d-1", [("remark", 0, "harbour")], kind="document")
    store.records.put([one, record("t-1", [("title", 0, "harbour")])], 1)
    assert store.search.search("harbour", np.ones(8, dtype=np.bool_)).hits == []


def test_naming_other_portions_builds_the_index_anew(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store.open(path)
    first = record("d-1", [("title", 0, "harbour"), ("body", 0, "quay")], kind="document")
    store.records.put([first, successor(first), record("d-2", [("title", 0, "harbour")], kind="document")], 1)
    store.close()
    for texts, expected in [({"document": ["title"]}, 1), (None, 1), ({"document": ["body"]}, 0), ({}, 0)]:
        store = Store.open(path, texts=texts)
        assert len(store.search.search("harbour", np.ones(8, dtype=np.bool_)).hits) == expected
        store.close()


def test_tidying_changes_no_answer(store: Store) -> None:
    for i in range(30):
        store.records.put([record(f"d-{i}", [("title", i % 3, f"harbour {i}")], kind="document")], i)
    everything = store.profiles.where()
    before = store.search.search("harbour", everything)
    store.search.tidy()
    store.search.tidy()
    assert store.search.search("harbour", everything).hits == before.hits
    assert len(before.hits) == 30
    assert store.check() == []


def test_a_long_text_is_cut_around_the_word(store: Store) -> None:
    text = "filler " * 100 + "harbour" + " filler" * 100
    store.records.put([record("d-1", [("body", 0, {"a": ["x", {"b": text}]})], kind="document")], 1)
    [hit] = store.search.search("HARBOUR", np.ones(8, dtype=np.bool_)).hits
    assert hit.snippet.startswith("…")
    assert hit.snippet.endswith("…")
    assert "harbour" in hit.snippet
    assert len(hit.snippet) < 200
