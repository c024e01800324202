"""The record's page: where it has gone, its sources, why somebody does not see it, and asking for it back."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from callers import Caller
from numpy.typing import NDArray
from web_scene import AUSTRALIAN, OFFICIAL, SECRET, Scene, hire

from aldis.kernel.authority import Role
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.ledger import decode_leaf
from aldis.node.store import Row
from aldis.node.whereabouts import whereabouts

Make = Callable[..., Caller]


@pytest.fixture(scope="module")
def sent(made: Scene) -> Scene:
    """What may go has gone, and its arrival was acknowledged."""
    hire(made.node, "orla", roles=[Role.RELEASE_OFFICER], clearance={"AUS": "OFFICIAL"}, name="Officer Low")
    made.settle()
    return made


def section(page: str, heading: str) -> str:
    found = re.search(rf'<section aria-labelledby="{heading}">(.*?)</section>', page, re.DOTALL)
    return found.group(1) if found else ""


def portions(page: str) -> list[str]:
    return re.findall(r'data-of="Portions">([^<]*)<', section(page, "gone"))


def test_it_says_where_a_record_has_gone_when_and_under_which_clause(sent: Scene, caller: Make) -> None:
    page = caller("olive", "SECRET").get("/records/survey").body
    shown = section(page, "gone")
    assert (
        portions(page) == ["title, summary, body"] and "annex" not in shown and "pa-northern-watch clause 4.1" in shown
    )
    leaves = [decode_leaf(row.data) for row in sent.node.core.store.ledger.leaves(0, 500)]
    sealed = [leaf.at for leaf in leaves if leaf.type == "release" and leaf.reasons[0] == "gbr"]
    assert re.search(r"<time datetime", shown) and '"Acknowledged">yes' in shown
    row = _row(sent, "survey")
    [went] = whereabouts(sent.node.core, sent.node.partners, [row])
    assert went.at == min(at for at in sealed if at >= row.arrived) and went.acknowledged
    assert section(caller("olive", "SECRET").get("/records/berths").body, "gone") == ""


def test_of_portions_that_one_may_not_see_nothing_says_that_they_went(sent: Scene, caller: Make) -> None:
    low = caller("orla").get("/records/survey")
    assert (
        portions(low.body) == ["title, summary"]
        and "annex" not in low.body
        and low.banners[0] == "OFFICIAL//REL AUS/GBR"
    )
    assert section(caller("gail").get("/records/fair").body, "gone") == ""


def test_an_item_with_nothing_but_withheld_portions_leaves_no_trace(sent: Scene) -> None:
    row = _row(sent, "survey")
    before = whereabouts(sent.node.core, sent.node.partners, [row])
    held = sent.node.core.store.releases.sent("gbr", [row.seq])
    assert len(held) == 1 and whereabouts(sent.node.core, sent.node.partners, []) == []
    title_only = row.only(_profiles(sent, "bob"))
    [seen] = whereabouts(sent.node.core, sent.node.partners, [title_only])
    assert set(seen.portions) == {"title", "summary"} and set(before[0].portions) == {"title", "summary", "body"}


def test_sources_that_one_may_not_know_of_are_not_there(sent: Scene, caller: Make) -> None:
    digests = [sent.records[name].digest for name in ("tides", "plan")]
    sent.put("digest", {"title": ("Of two sources", OFFICIAL)}, sources=digests)
    low = caller("bob").get("/records/digest")
    assert "Tide tables for the strait" in section(low.body, "sources")
    assert not any(word in low.body for word in ("VIOLETHARBOUR", digests[1].hex(), digests[1].hex()[:16], "AGAO"))
    assert low.banners[0] == "OFFICIAL//REL AUS/GBR"
    high = caller("alice", "SECRET").get("/records/digest")
    assert "VIOLETHARBOUR patrol plan" in section(high.body, "sources") and "SECRET" in high.banners[0]


def test_an_administrator_is_told_why_a_person_does_not_see_it_as_far_as_they_see_it(sent: Scene, caller: Make) -> None:
    pat = caller("pat", "SECRET")
    assert '<option value="bob">' in pat.get("/records/survey").body
    bob = pat.get("/records/survey/person?who=bob").body
    assert "Sees its existence, title, summary; not body" in bob and "What would change it" in bob
    assert "Nothing of it" in pat.get("/records/survey/person?who=gail").body
    assert "All of it that you see" in pat.get("/records/survey/person?who=alice").body
    low = caller("pat").get("/records/survey/person?who=bob").body
    assert "body" not in section(low, "who-sees") and "QUARTZ" not in low and "SECRET//" not in low
    assert "All of it that you see" in low


@pytest.mark.parametrize("who", ["alice", "olive", "audrey", "gail"])
def test_nobody_else_is_told_of_other_people(sent: Scene, caller: Make, who: str) -> None:
    one = caller(who)
    answer = one.get("/records/fair/person?who=bob")
    assert answer.status == 404 and answer.plain == one.get("/records/n0ne/person?who=bob").plain
    assert "Reader Two" not in one.get("/records/fair").body


def test_what_is_not_there_and_who_is_not_there_are_told_apart_by_nothing_to_an_administrator(
    sent: Scene, caller: Make
) -> None:
    pat = caller("pat")
    hidden, nothing = pat.get("/records/plan/person?who=bob"), pat.get("/records/n0ne/person?who=bob")
    assert hidden.status == 404 and hidden.plain == nothing.plain
    with pytest.raises(UnknownTerm):
        sent.node.people.get("nobody")
    assert pat.get("/records/fair/person?who=nobody").plain == nothing.plain


def test_a_recall_is_asked_with_a_reason_and_its_answer_stands_beside_the_release(sent: Scene, caller: Make) -> None:
    sent.put("errand", {"title": ("An errand", OFFICIAL), "body": ("To the lighthouse", SECRET),
                        "annex": ("ONLYOURS keys", AUSTRALIAN)})  # fmt: skip
    sent.settle()
    olive = caller("olive", "SECRET")
    assert "Ask for it back" in olive.get("/records/errand").body
    refused = olive.post("/records/errand/recall", {"because": "wrong light"})
    assert refused.status == 422 and 'value="wrong light"' in refused.body
    answer = olive.post("/records/errand/recall", {"because": "wrong light", "sure": "yes"})
    assert answer.status == 303
    assert "not delivered yet" in section(olive.get("/records/errand").body, "gone")
    sent.settle()
    assert "waits for its operator" in section(olive.get("/records/errand").body, "gone")
    assert sent.partner is not None
    sent.partner.recalls.comply(1, "done at once", "officer")
    sent.settle()
    shown = section(olive.get("/records/errand").body, "gone")
    assert "erased: done at once" in shown and "Ask for it back" not in shown


def test_only_a_release_officer_recalls_and_only_what_they_see(sent: Scene, caller: Make) -> None:
    size = sent.node.core.store.ledger.size()
    alice, orla = caller("alice", "SECRET"), caller("orla")
    assert "Ask for it back" not in alice.get("/records/survey").body
    fields = {"because": "x", "sure": "yes"}
    assert alice.post("/records/survey/recall", fields).status == 404
    orla.get("/records")
    hidden, nothing = (orla.post(f"/records/{name}/recall", fields) for name in ("plan", "n0ne"))
    assert hidden.status == 404 and hidden.plain == nothing.plain
    leaves = [decode_leaf(row.data) for row in sent.node.core.store.ledger.leaves(size, 500)]
    assert not [leaf for leaf in leaves if leaf.type == "recall"]


def _row(made: Scene, name: str) -> Row:
    return made.node.records.get(name)


def _profiles(made: Scene, who: str) -> NDArray[np.bool_]:
    person = made.node.people.standing(who)
    assert person is not None
    return made.node.sights.of(person).profiles
