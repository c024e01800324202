"""What a person sees: what clearance, level, projects and nationality allow; and nothing tells of the rest."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from nations import ARRANGEMENT, PROJECT, Coalition, to
from personnel import GUEST, hire, listed, said, signed_in

from aldis.kernel.errors import AldisError, InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import UNMARKED, Label, Releasability
from aldis.node.node import Node
from aldis.node.people import Account, Person, Sights

RUNGS = ("UNOFFICIAL", "OFFICIAL", "OFFICIAL: Sensitive", "PROTECTED", "SECRET")
PROJECTS = ("", PROJECT, "HARBOUR", "QUIET")
CANARY = "canary"
OURS = Label("AUS", "OFFICIAL")


def fill(coalition: Coalition, rng: Random, count: int = 60) -> None:
    """Records of AUS of every level and project, for everybody or nobody, each portion with a canary."""
    for n in range(count):

        def label() -> Label:
            parties = rng.choice(((), ("GBR",), ("GBR", "USA"), ("USA",)))
            rel = Releasability.to(*parties) if rng.random() < 0.8 else UNMARKED
            return Label("AUS", rng.choice(RUNGS), rel)

        portions = {name: (f"{CANARY} {name} {n}", label()) for name in ("title", "body", "annex")}
        coalition.put("aus", f"doc-{n}", portions, project=rng.choice(PROJECTS))


@pytest.fixture
def world(coalition: Coalition) -> Coalition:
    fill(coalition, Random(7))
    return coalition


def found(node: Node, person: Person, word: str = CANARY) -> set[str]:
    hits, cursor = set(), ""
    while True:
        page = node.records.search(word, viewer=person, limit=7, cursor=cursor)
        hits |= {f"{hit.row.originator}/{hit.row.id}" for hit in page.hits}
        for hit in page.hits:
            assert hit.portion in {portion.name for portion in hit.row.record().portions}
            assert CANARY not in hit.snippet or hit.portion in hit.snippet
        if page.next is None:
            return hits
        cursor = page.next


def less(some: dict[str, set[str]], more: dict[str, set[str]]) -> bool:
    return all(names <= more.get(record, set()) for record, names in some.items()) and some.keys() <= more.keys()


def test_a_person_with_every_clearance_and_project_sees_all_that_a_national_may(world: Coalition) -> None:
    aus = world["aus"]
    hire(aus, "alice")
    seen = listed(aus, signed_in(aus, "alice"))
    assert {f"aus/doc-{n}" for n in range(60)} <= seen.keys()
    assert seen == listed(aus, signed_in(aus, "alice"), limit=7)


def test_a_lower_level_never_shows_more_and_a_person_sees_no_more_than_their_clearance(world: Coalition) -> None:
    aus = world["aus"]
    for nationality in ("AUS", "GBR"):
        name = hire(
            aus, f"low-{nationality.lower()}", nationality=nationality, clearance={"AUS": "SECRET", "UK": "SECRET"}
        )
        before: dict[str, set[str]] = {}
        for rung in RUNGS:
            person = signed_in(aus, name, AUS=rung)
            seen = listed(aus, person)
            assert less(before, seen)
            assert less(seen, listed(aus, Person(person.account, person.account.clearance)))
            assert found(aus, person) <= seen.keys()
            before = seen
        assert before


def test_what_a_level_shows_is_at_most_that_level(world: Coalition) -> None:
    aus, rank = world["aus"], builtin_rank(world["aus"])
    hire(aus, "alice")
    for rung in RUNGS:
        page = aus.records.page(viewer=signed_in(aus, "alice", AUS=rung), limit=200)
        for row in page.rows:
            record = row.record()
            for label in (record.label, *(portion.label for portion in record.portions)):
                assert label.policy != "AUS" or rank(label.classification) <= rank(rung)


def builtin_rank(node: Node) -> Any:
    return node.core.policies.policy("AUS").rank


def test_leaving_a_project_takes_exactly_its_records_away_at_once(world: Coalition) -> None:
    aus = world["aus"]
    hire(aus, "alice", projects=[PROJECT, "HARBOUR"])
    token = aus.people.sign_in("alice", "correct horse battery")
    before = listed(aus, aus.people.sessions.who(token))
    aus.people.set(replace(aus.people.get("alice"), projects=["HARBOUR"]))
    after = listed(aus, aus.people.sessions.who(token))
    gone = before.keys() - after.keys()
    assert gone == {key for key in before if project_of(aus, key) == PROJECT} and gone
    assert {key: before[key] for key in after} == after


def project_of(node: Node, key: str) -> str:
    originator, id_ = key.split("/")
    row = node.core.store.records.get(id_, originator=originator)
    assert row is not None
    return row.project


def test_a_guest_sees_the_projects_and_kinds_of_the_invitation_and_nothing_outside(world: Coalition) -> None:
    aus = world["aus"]
    hire(aus, "acme", roles=[GUEST], projects=["HARBOUR"], kinds=["document"], clearance={"AUS": "OFFICIAL"})
    hire(aus, "no-kind", roles=[GUEST], projects=["HARBOUR"], kinds=["technical-data"])
    hire(aus, "no-project", roles=[GUEST], kinds=["document"], projects=[])
    guest = signed_in(aus, "acme")
    seen = listed(aus, guest)
    assert seen and all(project_of(aus, key) == "HARBOUR" for key in seen)
    assert found(aus, guest) <= seen.keys()
    for name in ("no-kind", "no-project"):
        person = signed_in(aus, name)
        assert (listed(aus, person), found(aus, person)) == ({}, set())
    with pytest.raises(RefusedByPolicy):
        aus.records.count(viewer=guest)


def test_a_foreign_national_sees_portion_by_portion_what_their_nation_would_get(world: Coalition) -> None:
    aus = world["aus"]
    world.settle()
    hire(aus, "george", nationality="GBR", clearance={"AUS": "SECRET", "UK": "SECRET"})
    seen = listed(aus, signed_in(aus, "george"))
    got = {f"aus/doc-{n}": set(held) for n in range(60) if (held := world.held("gbr", f"doc-{n}")) is not None}
    assert {key: names for key, names in seen.items() if "doc-" in key} == got and got
    with pytest.raises(RefusedByPolicy):
        aus.records.count(viewer=signed_in(aus, "george"))


WAITS = 'portions = ["title", "body"]\ntransforms = [{ portion = "body", action = "delay", seconds = 60 }]\nonward'
LIMITED = (
    ARRANGEMENT.replace("pa-northern-watch", "pa-limited").replace("NORTHERN-WATCH", "LIMITED").replace("onward", WAITS)
)


def test_portions_that_no_clause_covers_or_that_wait_are_not_shown_to_a_foreign_national(coalition: Coalition) -> None:
    coalition.arrange(LIMITED)
    aus, label = coalition["aus"], to("GBR", "USA")
    words = {"title": ("harmless", label), "body": ("later words", label), "annex": (CANARY, label)}
    coalition.put("aus", "doc", words, project="LIMITED")
    coalition.put("aus", "held", words, project="LIMITED")
    aus.desk.hold("held", "inquiry")
    hire(aus, "george", nationality="GBR", clearance={"AUS": "SECRET", "UK": "SECRET"})
    hire(aus, "alice")
    george, alice = signed_in(aus, "george"), signed_in(aus, "alice")
    assert listed(aus, george)["aus/doc"] == {"title"}
    assert "aus/held" not in listed(aus, george, limit=1)
    assert listed(aus, alice)["aus/held"] == {"title", "body", "annex"}, "a hold stops what leaves"
    for word, there in ((CANARY, set()), ("later", set()), ("harmless", {"aus/doc"})):
        assert found(aus, george, word) == there
    assert {part.name for part in aus.records.get("doc", viewer=george).record().portions} == {"title"}
    assert set(aus.records.explain("doc", george).portions) == {"title"}
    coalition.clock.at += 61_000
    assert listed(aus, signed_in(aus, "george"))["aus/doc"] == {"title", "body"}


def attempt(node: Node, id_: str, person: Person, version: int | None = None) -> Any:
    with pytest.raises(AldisError) as caught:
        node.records.get(id_, version, viewer=person)
    with pytest.raises(AldisError) as again:
        node.records.explain(id_, person, version)
    assert said(caught.value, id_) == said(again.value, id_)
    return said(caught.value, id_)


def test_unknown_and_forbidden_are_one_answer(world: Coalition) -> None:
    aus, gbr = world["aus"], world["gbr"]
    hire(aus, "alice", clearance={"AUS": "OFFICIAL"}, projects=["HARBOUR"])
    hire(aus, "acme", roles=[GUEST], projects=["HARBOUR"], kinds=["document"])
    world.put("gbr", "twice", {"title": (CANARY, Label("UK", "SECRET", Releasability.to("AUS")))})
    world.put("usa", "twice", {"title": (CANARY, Label("US", "SECRET", Releasability.to("AUS")))})
    world.settle()
    with pytest.raises(InvalidInput, match="each have"):
        aus.records.get("twice")
    for name in ("alice", "acme"):
        person = signed_in(aus, name)
        hidden = {f"doc-{n}" for n in range(60)} - {key.removeprefix("aus/") for key in listed(aus, person)}
        assert hidden
        answers = {attempt(aus, id_, person) for id_ in (*sorted(hidden), "twice", "nothing", "")}
        answers |= {attempt(aus, "doc-1", person, 9), attempt(aus, "nothing", person, 1)}
        assert {(kind, code) for kind, code, _ in answers} == {(UnknownTerm, "unknown-term")}
        assert len(answers) == 1
    assert gbr.name == "gbr"


def test_a_hidden_record_of_ours_does_not_stand_before_a_partners_that_may_be_seen(world: Coalition) -> None:
    aus = world["aus"]
    hire(aus, "alice", clearance={"AUS": "OFFICIAL", "UK": "OFFICIAL"})
    world.put("aus", "same", {"title": (CANARY, Label("AUS", "SECRET"))})
    world.put("gbr", "same", {"title": ("open", Label("UK", "OFFICIAL", Releasability.to("AUS")))})
    world.settle()
    row = aus.records.get("same", viewer=signed_in(aus, "alice"))
    assert (row.originator, CANARY.encode() in b"".join(row.portions)) == ("gbr", False)


def test_pages_and_cursors_are_the_same_whether_or_not_something_is_hidden(coalition: Coalition) -> None:
    aus, open_ = coalition["aus"], Label("AUS", "OFFICIAL")
    hire(aus, "alice", clearance={"AUS": "OFFICIAL"}, projects=["P"])
    hire(aus, "george", nationality="GBR", clearance={"AUS": "OFFICIAL"}, projects=["P"])
    hire(aus, "acme", roles=[GUEST], clearance={"AUS": "OFFICIAL"}, projects=["P"], kinds=["document"])
    coalition.arrange(ARRANGEMENT.replace("pa-northern-watch", "pa-p").replace("NORTHERN-WATCH", "P"))

    def shape(name: str) -> list[tuple[int, int, int, int]]:
        person, cursor, shapes = signed_in(aus, name), "", []
        while True:
            page = aus.records.page(viewer=person, kind="document", cursor=cursor, limit=3)
            hits = aus.records.search("visible", viewer=person, limit=3)
            shapes.append((len(page.rows), len(page.next or ""), len(hits.hits), len(hits.next or "")))
            if page.next is None:
                return shapes
            cursor = page.next

    names = ("alice", "george", "acme")
    for n in range(8):
        coalition.put("aus", f"open-{n}", {"title": ("visible", to("GBR"))}, project="P")
    before = [shape(name) for name in names]
    for n in range(8):
        coalition.put("aus", f"secret-{n}", {"title": ("visible", Label("AUS", "SECRET"))}, project="P")
        coalition.put("aus", f"else-{n}", {"title": ("visible", open_)}, project="OTHER")
        coalition.put(
            "aus", f"held-{n}", {"title": ("visible", Label("AUS", "PROTECTED", Releasability.to("GBR")))}, project="P"
        )
    assert [shape(name) for name in names] == before
    with pytest.raises(InvalidInput):
        cursor = aus.records.page(viewer=signed_in(aus, "alice"), limit=3).next or ""
        aus.records.page(viewer=signed_in(aus, "acme"), limit=3, cursor=cursor)


def test_what_is_stored_after_a_person_looked_is_judged_too(coalition: Coalition) -> None:
    aus = coalition["aus"]
    hire(aus, "alice", clearance={"AUS": "OFFICIAL"})
    person = signed_in(aus, "alice")
    assert not any("doc" in key for key in listed(aus, person))
    coalition.put("aus", "doc-1", {"title": ("x", OURS)})
    coalition.put("aus", "doc-2", {"title": (CANARY, Label("AUS", "SECRET"))})
    assert {key for key in listed(aus, person) if "doc" in key} == {"aus/doc-1"}
    assert aus.records.count(kind="document", viewer=person) == 1


def test_a_record_whose_existence_is_withheld_is_found_by_none_of_its_words(coalition: Coalition) -> None:
    aus = coalition["aus"]
    hire(aus, "alice", clearance={"AUS": "OFFICIAL"})
    coalition.put("aus", "doc", {"title": (CANARY, to("GBR"))}, label=Label("AUS", "SECRET", Releasability.to("USA")))
    assert found(aus, signed_in(aus, "alice")) == set()
    assert aus.records.search(CANARY, viewer="gbr").hits == []
    assert len(aus.records.search(CANARY).hits) == 1


def test_what_was_found_out_for_one_person_serves_those_alone_who_are_alike(coalition: Coalition) -> None:
    """Persons who differ in one respect each see what they would see if nobody had been there before them."""
    aus = coalition["aus"]
    special = (("Special Handling", frozenset({"CABINET"})),)
    coalition.put("aus", "ours", {"title": (CANARY, OURS), "body": (CANARY, Label("AUS", "SECRET"))})
    coalition.put("aus", "shared", {"title": (CANARY, to("GBR"))})
    coalition.put("aus", "other", {"title": (CANARY, to("GBR"))}, project="HARBOUR")
    coalition.put("aus", "none", {"title": (CANARY, OURS)}, project="")
    coalition.put("aus", "data", {"title": (CANARY, to("GBR"))}, kind="technical-data")
    coalition.put("aus", "caveat", {"title": (CANARY, Label("AUS", "PROTECTED", Releasability.to("GBR"), special))})
    clearance = {"AUS": "SECRET", "UK": "SECRET"}
    base = Account(id="alice", name="Alice", nationality="AUS", clearance=clearance, projects=[PROJECT])
    alice = Person(base, clearance)
    persons = [
        alice,
        Person(base, {"AUS": "OFFICIAL", "UK": "OFFICIAL"}),
        Person(replace(base, nationality="GBR"), clearance),
        Person(replace(base, projects=["HARBOUR"]), clearance),
        Person(replace(base, kinds=["document"]), clearance),
        Person(replace(base, categories={"Special Handling": ["*"]}), clearance),
        Person(replace(base, roles=[GUEST]), clearance),
    ]

    def seen() -> list[bytes]:
        known = [Sights(aus.core, aus.epochs, aus.partners).of(person).profiles.tobytes() for person in persons]
        for order in (persons, persons[::-1]):
            sights = Sights(aus.core, aus.epochs, aus.partners)
            assert [sights.of(person).profiles.tobytes() for person in order] == known[:: 1 if order is persons else -1]
        assert [aus.records.visible(person).tobytes() for person in persons] == known
        return known

    before = seen()
    assert len(set(before)) == len(persons)
    assert aus.records.visible(Person(replace(base, id="bob", name="Bob"), clearance)).tobytes() == before[0]
    coalition.arrange(ARRANGEMENT.replace("pa-northern-watch", "pa-data").replace("document", "technical-data"))
    changed = [not one.startswith(was) for one, was in zip(seen(), before, strict=True)]
    assert changed == [False, False, True, *[False] * 4], "the rules changed, for the foreign national alone"
