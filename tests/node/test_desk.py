"""The release desk: one ruling for all of a record that waits, and what `why` proposes."""

from __future__ import annotations

from typing import Any

import pytest
from nations import ARRANGEMENT, Coalition, to
from personnel import OFFICER, hire, signed_in

from aldis.interfaces.cli.marks import Marks
from aldis.kernel.changes import DraftInstrument, SignInstrument
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.cases import Filters

REVIEWED = (
    ARRANGEMENT.replace("pa-northern-watch", "pa-reviewed")
    .replace("NORTHERN-WATCH", "REVIEWED")
    .replace("onward", "review = true\nonward")
)
OURS = to("GBR", "USA")
THEIRS = to("USA")
SECRET = "canary that GBR may never see"


@pytest.fixture
def waiting(coalition: Coalition) -> Coalition:
    """A record of AUS of which header, title and body wait for a release officer, and the annex is not for GBR."""
    coalition.arrange(REVIEWED)
    portions = {"title": ("Plan", OURS), "body": ("Words", OURS), "annex": (SECRET, THEIRS)}
    coalition.put("aus", "doc-1", portions, project="REVIEWED")
    coalition.settle()
    return coalition


def asked(coalition: Coalition, node: str = "gbr") -> list[tuple[int, list[str]]]:
    """What waits at AUS for a partner: numbers, and names of the parts."""
    found = []
    for one in coalition["aus"].desk.cases().cases:
        if one.partner == node:
            found.append((one.number, sorted(part.name for part in one.parts)))
    return found


def test_one_ruling_lets_go_of_everything_that_waits_and_of_nothing_that_is_refused(waiting: Coalition) -> None:
    assert waiting.held("gbr", "doc-1") is None
    [(number, parts)] = asked(waiting)
    assert parts == ["", "body", "title"]
    waiting["aus"].desk.rule(number, "approved", "agreed", "officer")
    waiting.settle()
    assert waiting.held("gbr", "doc-1") == ["body", "title"]
    assert asked(waiting) == []
    assert SECRET.encode() not in waiting.seen_by("gbr")
    assert waiting.held("usa", "doc-1") is None
    assert waiting["aus"].replay.run()[1] == []


def test_an_offer_asks_the_same_question_as_the_exchange(waiting: Coalition) -> None:
    before = asked(waiting)
    waiting["aus"].desk.offer("doc-1", "gbr")
    waiting.settle()
    assert asked(waiting) == before


def test_what_is_denied_stays_whole(waiting: Coalition) -> None:
    [(number, _)] = asked(waiting)
    waiting["aus"].desk.rule(number, "denied", "not now", "officer")
    waiting.settle()
    assert (waiting.held("gbr", "doc-1"), asked(waiting)) == (None, [])
    assert b"Words" not in waiting.seen_by("gbr")


def test_an_approval_is_for_one_partner_and_one_version(waiting: Coalition) -> None:
    [(number, _)] = asked(waiting)
    waiting["aus"].desk.rule(number, "approved", "agreed", "officer")
    waiting.settle()
    assert [parts for _, parts in asked(waiting, "usa")] == [["", "annex", "body", "title"]]
    assert waiting.held("usa", "doc-1") is None


def test_an_officer_may_keep_a_portion_and_let_the_rest_go(waiting: Coalition) -> None:
    [(number, _)] = asked(waiting)
    desk = waiting["aus"].desk
    with pytest.raises(InvalidInput, match="'annex' does not wait"):
        desk.rule(number, "approved", "agreed", "officer", keep=["annex"])
    desk.rule(number, "approved", "agreed", "officer", keep=["body"])
    waiting.settle()
    assert waiting.held("gbr", "doc-1") == ["title"]
    assert asked(waiting) == []
    assert b"Words" not in waiting.seen_by("gbr")
    every = desk.cases(None, Filters(partner="gbr", every=True)).cases
    assert sorted((one.state, len(one.parts)) for one in every) == [
        ("approved", 2), ("denied", 1),
    ]  # fmt: skip


def test_a_portion_is_referred_by_itself_where_the_rest_may_go(coalition: Coalition) -> None:
    unmarked = Label("US", "SECRET")
    coalition.put("aus", "doc-2", {"title": ("Plan", OURS), "annex": ("Marked by nobody", unmarked)})
    coalition.settle()
    assert coalition.held("usa", "doc-2") == ["title"]
    [(number, parts)] = asked(coalition, "usa")
    assert parts == ["annex"]
    coalition["aus"].desk.rule(number, "approved", "agreed", "officer")
    coalition.settle()
    assert coalition.held("usa", "doc-2") == ["annex", "title"]


def test_why_never_proposes_to_widen_what_two_nodes_agreed_by_pairing(strangers: Coalition) -> None:
    strangers.pair("aus", "gbr")
    strangers.settle()
    strangers.put("aus", "doc-1", {"title": ("Plan", to("GBR"))})
    told = strangers["aus"].desk.why("doc-1", "gbr")
    for one in (told.header, *told.portions.values()):
        assert [type(change) for change in one.changes] == [DraftInstrument]
        assert not any("pairing-" in sentence for sentence in one.sentences)


def test_why_proposes_the_signature_that_is_missing(coalition: Coalition) -> None:
    coalition["aus"].register.draft(REVIEWED.replace("review = true\n", ""), "officer")
    coalition["aus"].register.sign("pa-reviewed", "officer")
    coalition.put("aus", "doc-1", {"title": ("Plan", OURS)}, project="REVIEWED")
    (change,) = coalition["aus"].desk.why("doc-1", "gbr").header.changes
    assert isinstance(change, SignInstrument)
    assert (change.who, change.text) == ("GBR and USA", "sign pa-reviewed version 1")


def test_a_list_in_the_policy_of_a_partner_reaches_that_partner_whoever_wrote_it(coalition: Coalition) -> None:
    gbr = coalition["gbr"]
    marks = Marks.of(gbr)
    for name, marking in (("rel", "AUS: PROTECTED//REL AUS/GBR"), ("agao", "AUS: PROTECTED//AGAO")):
        label = marks.read(marking, coalition.clock.at).narrowed(origins=frozenset({"GBR"}))
        coalition.put("gbr", name, {"title": (f"{name} title", label), "body": (f"{name} body", label)})
    coalition.settle()
    assert coalition.held("aus", "rel") == ["body", "title"]
    assert coalition.held("usa", "rel") is None
    assert coalition.held("aus", "agao") is None and coalition.held("usa", "agao") is None
    assert b"rel body" not in coalition.seen_by("usa") and b"agao body" not in coalition.seen_by("aus")
    assert gbr.desk.why("rel", "usa").header.decision.reasons[2].code == "not-listed"


def test_what_its_own_party_may_not_have_is_not_put(coalition: Coalition) -> None:
    for number, marking in enumerate(("AUS: PROTECTED//AGAO", "AUS: PROTECTED//REL AUS/USA", "NATO: NATO SECRET")):
        for node, may in (("aus", "AUS:" in marking), ("gbr", "NATO:" in marking)):
            label = Marks.of(coalition[node]).read(marking, coalition.clock.at)
            parts = {"title": ("Plan", to("AUS", "GBR")), "body": ("Canary", label)}
            if may:
                coalition.put(node, f"{node}-{number}", parts)
            else:
                with pytest.raises(RefusedByPolicy, match=f"does not let {node.upper()} have it"):
                    coalition.put(node, f"{node}-{number}", parts)
                assert coalition.held(node, f"{node}-{number}") is None


# several officers

TWICE = REVIEWED.replace("pa-reviewed", "pa-twice").replace("review = true", "approvals = 2")


@pytest.fixture
def twice(coalition: Coalition) -> Coalition:
    """As `waiting`, but AUS asks for two officers; there are ann, ben and the author, who is one too."""
    coalition.arrange(TWICE)
    for name in ("ann", "ben", "author"):
        hire(coalition["aus"], name, roles=[OFFICER])
    hire(coalition["aus"], "clerk")
    hire(coalition["aus"], "low", roles=[OFFICER], clearance={"AUS": "UNOFFICIAL"})
    draft = Draft(
        kind="document", id="doc-1", originator="aus", author="author", created=coalition.clock.now(), label=OURS,
        portions=[DraftPortion("title", OURS, "Plan"), DraftPortion("annex", THEIRS, SECRET)], project="REVIEWED",
    )  # fmt: skip
    coalition["aus"].records.put(draft)
    coalition.settle()
    return coalition


def rule(coalition: Coalition, name: str, state: Any = "approved") -> str:
    [(number, _)] = asked(coalition)
    node = coalition["aus"]
    ruled = node.desk.rule(number, state, "agreed", signed_in(node, name))
    coalition.settle()
    return ruled.case.state


def test_two_different_officers_let_it_go_and_one_alone_or_twice_does_not(twice: Coalition) -> None:
    for _ in range(3):
        assert rule(twice, "ann") == "open"
        assert twice.held("gbr", "doc-1") is None
    assert rule(twice, "ben") == "approved"
    assert twice.held("gbr", "doc-1") == ["title"]
    assert SECRET.encode() not in twice.seen_by("gbr")
    assert twice["aus"].replay.run()[1] == []


@pytest.mark.parametrize("name", ["author", "clerk", "low"])
def test_an_author_no_officer_and_one_who_may_not_see_it_do_not_count(twice: Coalition, name: str) -> None:
    assert rule(twice, "ann") == "open"
    with pytest.raises(UnknownTerm if name == "low" else RefusedByPolicy):
        rule(twice, name)
    assert twice.held("gbr", "doc-1") is None
    assert rule(twice, "ben") == "approved"


def test_whoever_is_not_signed_in_is_none_of_two(twice: Coalition) -> None:
    [(number, _)] = asked(twice)
    for name in ("operator", "ann"):
        with pytest.raises(RefusedByPolicy, match="signed in"):
            twice["aus"].desk.rule(number, "approved", "agreed", name)


def test_a_denial_ends_what_was_said_before(twice: Coalition) -> None:
    assert rule(twice, "ann") == "open"
    assert rule(twice, "ben", "denied") == "denied"
    assert (twice.held("gbr", "doc-1"), asked(twice)) == (None, [])


def test_what_one_officer_approved_waits_again_once_the_clause_asks_for_two(waiting: Coalition) -> None:
    aus = waiting["aus"]
    for name in ("ann", "ben"):
        hire(aus, name, roles=[OFFICER])
    [(number, _)] = asked(waiting)
    aus.desk.hold("doc-1", "until the clause is amended")
    aus.desk.rule(number, "approved", "agreed", "operator")
    aus.register.amend(REVIEWED.replace("review = true", "approvals = 2"), "officer")
    for node in waiting.nodes.values():
        waiting.settle()
        node.register.sign("pa-reviewed", "officer")
    waiting.settle()
    aus.desk.lift("doc-1", "amended")
    waiting.settle()
    assert waiting.held("gbr", "doc-1") is None
    assert rule(waiting, "ann") == "open"
    assert rule(waiting, "ben") == "approved"
    assert waiting.held("gbr", "doc-1") == ["body", "title"]
    assert aus.replay.run()[1] == []
