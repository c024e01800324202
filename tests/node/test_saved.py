"""Saved searches: asked as who saved them, with what they may see at that moment; what is kept tells of nothing."""

from __future__ import annotations

import pytest
from models import INSTALLED, index, needs_model
from msgspec.structs import replace
from nations import PROJECT, Coalition, to
from personnel import GUEST, hire, signed_in

from aldis.kernel.errors import InvalidInput, TooLarge, Unavailable, UnknownTerm
from aldis.kernel.labels import Label, Releasability
from aldis.node.filters import Filters
from aldis.node.node import Node
from aldis.node.people import Person
from aldis.node.saved import SAVED_LIMIT, Wanted

CANARY = "xylophonecanary"
OPEN, SECRET = to("GBR"), Label("AUS", "SECRET", Releasability.to("GBR"))
CABLE = Wanted(text="cable")


@pytest.fixture
def aus(coalition: Coalition) -> Node:
    node = coalition["aus"]
    hire(node, "alice")
    hire(node, "bob")
    hire(node, "acme", roles=[GUEST], clearance={"AUS": "OFFICIAL"}, projects=["OTHER"], kinds=["document"])
    return node


def news(node: Node, viewer: str | Person) -> dict[str, list[str]]:
    return {one.name: [hit.row.id for hit in one.hits] for one in node.saved.news(viewer)}


def mark(node: Node, viewer: str | Person) -> None:
    for one in node.saved.news(viewer):
        node.saved.mark(viewer, one.name, one.upto)


def test_news_is_what_arrived_since_and_was_not_read(coalition: Coalition, aus: Node) -> None:
    coalition.put("aus", "old", {"title": ("a cable", OPEN)})
    for viewer in ("", signed_in(aus, "alice")):
        aus.saved.add(viewer, "cables", CABLE)
        aus.saved.add(viewer, "all", Wanted(filters=Filters(project=PROJECT)))
        assert news(aus, viewer) == {}
    coalition.put("aus", "new", {"title": ("another cable", OPEN)})
    coalition.put("aus", "else", {"title": ("a canteen", OPEN)})
    for viewer in ("", signed_in(aus, "alice")):
        assert news(aus, viewer) == {"cables": ["new"], "all": ["else", "new"]}
        mark(aus, viewer)
        assert news(aus, viewer) == {}
        assert [hit.row.id for hit in aus.saved.run(viewer, "cables").hits] == ["new", "old"]
    coalition.put("aus", "newest", {"title": ("one more cable", OPEN)})
    assert news(aus, "")["cables"] == ["newest"]


def test_a_new_version_is_news_and_one_that_is_gone_is_none(coalition: Coalition, aus: Node) -> None:
    coalition.put("aus", "doc", {"title": ("a cable", OPEN)})
    aus.saved.add("", "cables", CABLE)
    aus.records.delete("doc", "officer")
    assert news(aus, "") == {}
    coalition.put("aus", "doc-2", {"title": ("a cable", OPEN)})
    assert news(aus, "") == {"cables": ["doc-2"]}
    aus.records.delete("doc-2", "officer")
    assert news(aus, "") == {}


def test_what_may_be_seen_is_judged_when_one_looks(coalition: Coalition, aus: Node) -> None:
    low, high = signed_in(aus, "alice", AUS="OFFICIAL"), signed_in(aus, "alice", AUS="SECRET")
    aus.saved.add(low, "cables", CABLE)
    coalition.put("aus", "open", {"title": ("a cable", OPEN)})
    coalition.put("aus", "secret", {"title": (f"a cable {CANARY}", SECRET)})
    assert news(aus, low) == {"cables": ["open"]}
    assert news(aus, high) == {"cables": ["secret", "open"]}
    mark(aus, low)
    assert news(aus, low) == {}
    assert news(aus, high) == {"cables": ["secret", "open"]}, "read at one level is not read at another"
    mark(aus, high)
    coalition.put("aus", "later", {"title": (f"a cable {CANARY}", SECRET)})
    assert news(aus, low) == {}
    aus.people.set(replace(aus.people.get("alice"), projects=["OTHER"]))
    token = aus.people.sign_in("alice", "correct horse battery")
    assert news(aus, aus.people.sessions.who(token)) == {}


def test_nothing_that_was_found_is_kept(coalition: Coalition, aus: Node) -> None:
    high = signed_in(aus, "alice")
    aus.saved.add(high, "cables", CABLE)
    record = coalition.put("aus", "secret", {"title": (f"a cable {CANARY}", SECRET)})
    mark(aus, high)
    with aus.core.store._db.reading() as connection:
        kept = repr([*connection.execute("SELECT * FROM saved"), *connection.execute("SELECT * FROM saved_read")])
    for told in (CANARY, "secret", record.digest.hex(), repr(record.digest)):
        assert told not in kept


def test_each_has_their_own(aus: Node, coalition: Coalition) -> None:
    alice, bob, acme = (signed_in(aus, name) for name in ("alice", "bob", "acme"))
    aus.saved.add(alice, "cables", Wanted(text=f"cable {CANARY}"))
    coalition.put("aus", "new", {"title": (f"a cable {CANARY}", OPEN)})
    [mine] = aus.saved.news(alice)
    for other in ("", bob, acme):
        assert (aus.saved.all(other), news(aus, other)) == ([], {})
        for act in (
            lambda other=other: aus.saved.get(other, "cables"),
            lambda other=other: aus.saved.run(other, "cables"),
            lambda other=other: aus.saved.remove(other, "cables"),
            lambda other=other: aus.saved.mark(other, "cables", mine.upto),
        ):
            with pytest.raises(UnknownTerm, match="no saved search 'cables'"):
                act()
        aus.saved.add(other, "cables", CABLE)
        with pytest.raises(InvalidInput, match="cursor"):
            aus.saved.mark(other, "cables", mine.upto)
    assert news(aus, acme) == {}
    for viewer in ("gbr", "nobody"):
        with pytest.raises(InvalidInput):
            aus.saved.all(viewer)
    assert len(aus.saved.all(alice)) == 1


def test_a_mark_is_for_its_search_and_level_only_and_tells_nothing(coalition: Coalition, aus: Node) -> None:
    low, high = signed_in(aus, "alice", AUS="OFFICIAL"), signed_in(aus, "alice", AUS="SECRET")
    for name in ("one", "two"):
        aus.saved.add(low, name, CABLE)
    for n in range(3):
        coalition.put("aus", f"secret-{n}", {"title": ("a cable", SECRET)})
        coalition.put("aus", f"open-{n}", {"title": ("a cable", OPEN)})
    [one, two] = aus.saved.news(low)
    assert len(one.upto) == len(aus.saved.news(high)[0].upto) and one.upto != two.upto
    for viewer, name, upto in ((low, "two", one.upto), (high, "one", one.upto), (low, "one", "AAAA"), (low, "one", "")):
        with pytest.raises(InvalidInput):
            aus.saved.mark(viewer, name, upto)
    first = aus.saved.news(low, limit=1)[0]
    assert (len(first.hits), first.more) == (1, True)
    aus.saved.mark(low, "one", one.upto)
    assert news(aus, low) == {"two": ["open-2", "open-1", "open-0"]}


def test_marks_never_go_back(coalition: Coalition, aus: Node) -> None:
    aus.saved.add("", "cables", CABLE)
    coalition.put("aus", "one", {"title": ("a cable", OPEN)})
    [before] = aus.saved.news("")
    coalition.put("aus", "two", {"title": ("a cable", OPEN)})
    mark(aus, "")
    aus.saved.mark("", "cables", before.upto)
    assert news(aus, "") == {}


def test_a_saved_search_has_limits(aus: Node) -> None:
    for name in ("", "A", "a b", "-a", "x" * 65, "ü", "a/b"):
        with pytest.raises(InvalidInput, match="name"):
            aus.saved.add("", name, CABLE)
    for wanted, error in (
        (Wanted(), InvalidInput),
        (Wanted(meaning=True), InvalidInput),
        (Wanted(text="..."), InvalidInput),
        (Wanted(text="x" * 1001), TooLarge),
        (Wanted(filters=Filters(at_most=("AUS", "COSMIC"))), UnknownTerm),
    ):
        with pytest.raises(error):
            aus.saved.add("", "name", wanted)
    assert aus.saved.all("") == []
    for n in range(SAVED_LIMIT):
        aus.saved.add("", f"s-{n}", CABLE)
    with pytest.raises(TooLarge, match="50"):
        aus.saved.add("", "more", CABLE)
    aus.saved.remove("", "s-7")
    aus.saved.add("", "more", CABLE)
    with pytest.raises(InvalidInput, match="already"):
        aus.saved.add("", "s-8", CABLE)


def test_removing_forgets_what_was_read(coalition: Coalition, aus: Node) -> None:
    aus.saved.add("", "cables", CABLE)
    coalition.put("aus", "one", {"title": ("a cable", OPEN)})
    mark(aus, "")
    aus.saved.remove("", "cables")
    with aus.core.store._db.reading() as connection:
        assert [*connection.execute("SELECT * FROM saved_read")] == []
    aus.saved.add("", "cables", CABLE)
    assert news(aus, "") == {}
    assert aus.core.store.check() == []


@needs_model
def test_by_meaning_only_what_is_near_is_news(coalition: Coalition, aus: Node) -> None:
    index(aus)
    wanted = Wanted(text="cable damage by an anchor", meaning=True)
    low, high = signed_in(aus, "alice", AUS="OFFICIAL"), signed_in(aus, "alice", AUS="SECRET")
    aus.saved.add(low, "cuts", wanted)
    alike = "A dragged anchor severed the subsea fibre-optic link."
    coalition.put("aus", "near", {"title": (alike, OPEN)})
    coalition.put("aus", "loose", {"title": ("An undersea telecommunications line was cut by a ship.", OPEN)})
    coalition.put("aus", "secret", {"title": (alike, SECRET)})
    assert news(aus, high) == {}, "not indexed yet"
    index(aus)
    assert news(aus, high) == {"cuts": ["secret", "near"]}
    assert news(aus, low) == {"cuts": ["near"]}
    assert [hit.row.id for hit in aus.saved.run(low, "cuts").hits] == ["near", "loose"]
    mark(aus, high)
    assert news(aus, high) == {}


@pytest.mark.skipif(not INSTALLED, reason="requirements/meaning.txt is not installed")
def test_a_search_that_cannot_be_made_says_so_and_stops_no_other(coalition: Coalition, aus: Node) -> None:
    with pytest.raises(Unavailable):
        aus.saved.add("", "cuts", Wanted(text="anchor", meaning=True))
    index(aus)
    aus.saved.add("", "cuts", Wanted(text="anchor", meaning=True))
    aus.saved.add("", "words", CABLE)
    coalition.put("aus", "new", {"title": ("a cable", OPEN)})
    aus.core.store.meanings.begin(b"another model")
    [cuts, words] = aus.saved.news("")
    assert isinstance(cuts.problem, Unavailable) and not cuts.hits and not cuts.upto
    assert [hit.row.id for hit in words.hits] == ["new"]


def test_what_is_looked_for_counts_at_the_level_at_which_it_was_saved(coalition: Coalition, aus: Node) -> None:
    low, high = signed_in(aus, "alice", AUS="OFFICIAL"), signed_in(aus, "alice")
    aus.saved.add(high, "quiet", Wanted(text=CANARY))
    aus.saved.add(low, "cables", CABLE)
    coalition.put("aus", "doc", {"title": (f"{CANARY} cable", OPEN)})
    assert [one.name for one in aus.saved.all(high)] == ["cables", "quiet"]
    assert [one.name for one in aus.saved.all(low)] == ["cables"] == list(news(aus, low))
    told = []
    for name in ("quiet", "none"):
        for look in (aus.saved.get, aus.saved.run, aus.saved.remove):
            with pytest.raises(UnknownTerm) as refused:
                look(low, name)
            told.append(str(refused.value).replace(name, "NAME"))
    assert told[:3] == told[3:]
    assert list(news(aus, high)) == ["cables", "quiet"]
