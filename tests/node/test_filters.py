"""Filters narrow a list and a search to the same records, for everybody among what they may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from models import INSTALLED, index
from nations import PROJECT, Coalition, to
from personnel import hire, signed_in

from aldis.app import Query
from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, Record
from aldis.node.filters import Filters
from aldis.node.node import Node
from aldis.node.people import Person

WORD = "harbour"
DAY = 86_400_000
LABELS = (to("GBR"), Label("AUS", "PROTECTED", Releasability.to("GBR")), Label("AUS", "SECRET"))
FROM_GBR = Label("UK", "OFFICIAL", Releasability.to("AUS"))


@pytest.fixture
def aus(coalition: Coalition) -> Node:
    """Twelve documents of three levels, two projects, two authors, one a day; one from GBR; a task."""
    node = coalition["aus"]
    for n in range(12):
        coalition.clock.at += DAY
        draft = Draft(
            kind="document", id=f"d-{n}", originator="aus", author=("officer", "bosun")[n % 2],
            created=coalition.clock.at - (5 * DAY if n == 7 else 0), label=LABELS[0],
            project=(PROJECT, "QUIET")[n % 3 == 0], portions=[
                DraftPortion("title", LABELS[n % 3], f"{WORD} {n}"), DraftPortion("body", LABELS[0], f"open {WORD}")
            ],
        )  # fmt: skip
        node.records.put(draft)
    coalition.put("gbr", "g-1", {"title": (f"{WORD} of theirs", FROM_GBR)})
    coalition.settle()
    hire(node, "alice", clearance={"AUS": "SECRET", "UK": "SECRET"})
    hire(node, "low", clearance={"AUS": "OFFICIAL"}, projects=[PROJECT])
    hire(node, "george", nationality="GBR", clearance={"AUS": "SECRET", "UK": "SECRET"})
    if INSTALLED:
        index(node)
    return node


def every(node: Node, viewer: str | Person, filters: Filters, limit: int) -> list[list[str]]:
    """Ids from a list, a search and, where there is a model, a search by meaning; page by page, sorted."""

    def ids(ask: Any, *words: str) -> list[str]:
        found, cursor = list[str](), ""
        while True:
            page = ask(*words, viewer=viewer, filters=filters, limit=limit, cursor=cursor)
            rows = page.rows if hasattr(page, "rows") else [hit.row for hit in page.hits]
            assert len(rows) == limit or page.next is None
            found += [row.id for row in rows if row.kind == "document"]
            if page.next is None:
                return sorted(found)
            cursor = page.next

    looks = [ids(node.records.page), ids(node.records.search, WORD)]
    return looks + ([ids(node.records.alike, WORD)] if INSTALLED else [])


def at(node: Node, id_: str) -> int:
    row = node.core.store.records.get(id_)
    assert row is not None
    return row.arrived


def d(*numbers: int) -> list[str]:
    return sorted(f"d-{n}" for n in numbers)


@pytest.mark.parametrize("limit", [1, 4, 200])
def test_each_filter_leaves_exactly_what_it_says(aus: Node, limit: int) -> None:
    first, fifth = at(aus, "d-1"), at(aus, "d-5")
    for filters, expected in (
        (Filters(), [*d(*range(12)), "g-1"]),
        (Filters(kinds=("document", "track")), [*d(*range(12)), "g-1"]),
        (Filters(kinds=("track",)), []),
        (Filters(project="QUIET"), d(0, 3, 6, 9)),
        (Filters(originator="gbr"), ["g-1"]),
        (Filters(originator="aus", author="bosun"), d(1, 3, 5, 7, 9, 11)),
        (Filters(author="bos"), []),
        (Filters(arrived_from=first, arrived_until=fifth), d(1, 2, 3, 4)),
        (Filters(created_from=first, created_until=fifth), d(1, 2, 3, 4, 7)),
        (Filters(arrived_from=fifth, author="officer", project=PROJECT), [*d(8, 10), "g-1"]),
        (Filters(arrived_until=1), []),
    ):
        assert every(aus, "", filters, limit) == [expected] * (3 if INSTALLED else 2), filters


def test_at_most_shows_what_a_lower_level_would(aus: Node) -> None:
    everything, low = signed_in(aus, "alice"), signed_in(aus, "alice", AUS="OFFICIAL")
    for limit in (1, 50):
        rows = [aus.records.page(viewer=everything, filters=Filters(at_most=("AUS", "OFFICIAL")), limit=200).rows,
                aus.records.page(viewer=low, limit=200).rows]  # fmt: skip
        ours = [[row for row in found if row.kind == "document" and row.originator == "aus"] for found in rows]
        assert ours[0] == ours[1] and len(ours[0]) == 12
        filters = Filters(at_most=("AUS", "PROTECTED"), originator="aus")
        hits = aus.records.search(WORD, viewer=everything, filters=filters, limit=limit).hits
        assert hits and all("SECRET" not in str(part.label) for hit in hits for part in hit.row.record().portions)
    for n in range(12):
        found = aus.records.search(f"{WORD} {n}", filters=Filters(at_most=("AUS", "OFFICIAL")))
        assert [hit.row.id for hit in found.hits] == (d(n) if n % 3 == 0 else []), "words above it find nothing"


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_filters_show_nobody_more(aus: Node, limit: int) -> None:
    viewers: tuple[str | Person, ...] = ("gbr", *(signed_in(aus, name) for name in ("alice", "low", "george")))
    for viewer in viewers:
        seen = [set(found) for found in every(aus, viewer, Filters(), limit)]
        for filters in (Filters(author="officer"), Filters(at_most=("AUS", "SECRET")), Filters(project="QUIET"),
                        Filters(created_from=1), Filters(kinds=("document",), originator="aus")):  # fmt: skip
            narrowed = [set(found) for found in every(aus, viewer, filters, limit)]
            operator = [set(found) for found in every(aus, "", filters, 200)]
            if filters.at_most is None:
                assert narrowed == [some & more for some, more in zip(seen, operator, strict=True)]
            assert all(some <= more for some, more in zip(narrowed, seen, strict=True))


def test_cursors_are_for_these_filters_only(aus: Node) -> None:
    asked = [Filters(), Filters(author="officer"), Filters(author="bosun"), Filters(at_most=("AUS", "SECRET")),
             Filters(kinds=("document",)), Filters(created_from=1), Filters(arrived_from=1)]  # fmt: skip
    looks: tuple[Any, ...] = ((aus.records.page, ()), (aus.records.search, (WORD,)))
    for look, words in looks:
        cursors = [look(*words, filters=filters, limit=1).next for filters in asked]
        for cursor, mine in zip(cursors, asked, strict=True):
            assert cursor
            for filters in asked:
                if filters != mine:
                    with pytest.raises(InvalidInput, match="cursor"):
                        look(*words, filters=filters, cursor=cursor)
        with pytest.raises(InvalidInput, match="cursor"):
            look(*words, cursor=cursors[0], above=3)


def test_filters_that_cannot_be_are_refused(aus: Node) -> None:
    for filters, error in (
        (Filters(at_most=("AUS", "COSMIC")), UnknownTerm),
        (Filters(at_most=("XYZ", "SECRET")), UnknownTerm),
        (Filters(created_from=5, created_until=5), InvalidInput),
        (Filters(arrived_from=-1), InvalidInput),
        (Filters(author="x" * 201), TooLarge),
        (Filters(kinds=("k",) * 33), TooLarge),
    ):
        looks: tuple[Any, ...] = ((aus.records.page, ()), (aus.records.search, (WORD,)))
        for look, words in looks:
            with pytest.raises(error):
                look(*words, filters=filters)


def test_times_are_right_though_the_clock_was_set_back_within_a_day(coalition: Coalition) -> None:
    aus, start = coalition["aus"], coalition.clock.at
    for n, shift in enumerate((10, 9, 3, 8, 12)):
        coalition.clock.at = start + shift * 3_600_000
        coalition.put("aus", f"d-{n}", {"title": (WORD, to("GBR"))})
    hours = [start + hour * 3_600_000 for hour in range(14)]
    filters = Filters(arrived_from=hours[4], arrived_until=hours[10])
    for look in (
        aus.records.page(filters=filters).rows,
        [hit.row for hit in aus.records.search(WORD, filters=filters).hits],
    ):
        assert sorted(row.id for row in look) == d(1, 3)


def test_an_app_narrows_what_it_finds(aus: Node) -> None:
    def find(query: Query) -> Sequence[Record]:
        return aus.context.find(query).records

    assert [one.header.id for one in find(Query(kinds=("document",), originator="gbr"))] == ["g-1"]
    assert {one.header.id for one in find(Query(text=WORD, author="bosun"))} == set(d(1, 3, 5, 7, 9, 11))
    assert {one.header.id for one in find(Query(kind="document", kinds=("track",)))} == set()
