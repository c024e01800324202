"""Recalls, retention and inquiries by people: by their roles, and no further than they see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nations import Coalition, to
from personnel import OFFICER, hire, said, signed_in

from aldis.kernel.authority import Role
from aldis.kernel.errors import AldisError, InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.ledger import decode_leaf
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.config import Rule
from aldis.node.inquiry import verify_inquiry
from aldis.node.people import Person

HIGH = to("USA", classification="SECRET")
DAY = 86_400_000


def people(coalition: Coalition, role: Role, node: str = "aus") -> dict[str, Person]:
    """One of a role who sees all, one who works low, one of another project, and one without a role."""
    party, policy = coalition[node].core.party, coalition[node].core.config.policy
    same: dict[str, Any] = {"nationality": party, "clearance": {policy: "SECRET"}}
    made: dict[str, dict[str, Any]] = {
        "whole": {"roles": [role]}, "low": {"roles": [role]}, "apart": {"roles": [role], "projects": ["HARBOUR"]},
        "none": {"roles": [Role.ORIGINATOR]},
    }  # fmt: skip
    for name, fields in made.items():
        hire(coalition[node], name, **(same | fields))
    low = coalition[node].core.policies.policy(policy).routine
    return {name: signed_in(coalition[node], name, **({policy: low} if name == "low" else {})) for name in made}


def refusal(work: Callable[[], object], *names: str) -> tuple[type, str, str]:
    with pytest.raises(AldisError) as caught:
        work()
    return said(caught.value, *names)


def test_a_person_recalls_by_their_role_from_whom_they_see_it_went_to(coalition: Coalition) -> None:
    aus, who = coalition["aus"], people(coalition, OFFICER)
    coalition.put("aus", "plan", {"title": ("for USA alone", HIGH)})
    coalition.put("aus", "above", {"title": ("for USA alone", HIGH)})
    coalition.settle()
    low = [DraftPortion("title", to("GBR"), "lowered")]
    aus.records.revise(
        "plan", Draft("document", "plan", "aus", "o", coalition.clock.at, to("GBR"), low, project="NORTHERN-WATCH")
    )
    coalition.settle()
    recalls = aus.recalls
    assert {name: [one.node for one in recalls.show("plan", who[name])] for name in ("whole", "low")} == {
        "whole": ["gbr", "usa"], "low": ["gbr"],
    }  # fmt: skip
    for work in (lambda name, id_: recalls.show(id_, who[name]), lambda name, id_: recalls.ask(id_, "x", who[name])):
        missing = refusal(lambda: work("whole", "nothing"), "nothing")  # noqa: B023
        assert missing[0] is UnknownTerm
        for name, id_ in (("low", "above"), ("apart", "plan"), ("apart", "above")):
            assert refusal(lambda: work(name, id_), id_) == missing  # noqa: B023
        assert refusal(lambda: work("none", "plan"))[0] is RefusedByPolicy  # noqa: B023
    coalition.put("aus", "own", {"title": ("nobody's", to())})
    unsent = {id_: refusal(lambda: recalls.ask(id_, "x", who["low"], "usa"), id_) for id_ in ("plan", "own")}  # noqa: B023
    assert unsent["plan"][:2] == unsent["own"][:2] == (InvalidInput, "invalid-input")
    assert recalls.ask("plan", "wrong", who["low"]) == ["gbr"]
    assert recalls.ask("plan", "wrong", who["whole"]) == ["usa"]
    leaves = [decode_leaf(row.data) for row in aus.core.store.ledger.leaves(0, 10_000, type_="recall")]
    assert [leaf.actor for leaf in leaves if leaf.verdict == "asked"] == ["low", "whole"]


def test_a_person_answers_recalls_by_their_role_at_the_ceiling(coalition: Coalition) -> None:
    coalition.put("aus", "plan", {"title": ("a plan", to("GBR"))})
    coalition.settle()
    coalition["aus"].recalls.ask("plan", "wrong", "officer")
    coalition.settle()
    gbr, who = coalition["gbr"], people(coalition, OFFICER, "gbr")
    [request] = gbr.recalls.requests(who["whole"])
    for name in ("low", "none"):
        for work in (
            lambda by: gbr.recalls.requests(by), lambda by: gbr.recalls.request(request.id, by),
            lambda by: gbr.recalls.comply(request.id, "x", by), lambda by: gbr.recalls.refuse(request.id, "x", by),
            lambda by: gbr.recalls.comply(99, "x", by),
        ):  # fmt: skip
            with pytest.raises(RefusedByPolicy):
                work(who[name])
    assert coalition.held("gbr", "plan") == ["title"]
    gbr.recalls.refuse(request.id, "a court", who["whole"])
    gbr.recalls.comply(request.id, "as asked", who["whole"])
    assert coalition.held("gbr", "plan") == []
    leaves = [decode_leaf(row.data) for row in gbr.core.store.ledger.leaves(0, 10_000, type_="recall")]
    assert [(leaf.verdict, leaf.actor) for leaf in leaves][-2:] == [("refused", "whole"), ("done", "whole")]


def test_nobody_reads_recalls_and_their_answers_as_records(coalition: Coalition) -> None:
    """They name what the reader may not know of, by digests, with reasons."""
    coalition.put("aus", "plan", {"title": ("a plan", to("GBR"))}, project="BLACK")
    coalition.put("aus", "seen", {"title": ("a plan", to("GBR"))})
    coalition.settle()
    coalition.put("aus", "sent", {"title": ("a plan", to("GBR"))})
    coalition.settle()
    coalition["aus"].recalls.ask("sent", "a canary of a reason", "officer")
    coalition.settle()
    for name in ("aus", "gbr"):
        node = coalition[name]
        kept = [row.id for kind in ("recall", "recall-answer") for row in node.records.page(kind=kind).rows]
        assert len(kept) == 2
        person = people(coalition, OFFICER, name)["whole"]
        assert not {row.kind for row in node.records.page(viewer=person).rows} & {"recall", "recall-answer"}
        for id_ in kept:
            with pytest.raises(UnknownTerm):
                node.records.get(id_, viewer=person)


def test_an_administrator_sees_what_is_due_as_far_as_they_may(coalition: Coalition) -> None:
    path = coalition.folder / "aus" / "aldis.toml"
    path.write_text(f'{path.read_text()}\n[[retention]]\nkind = "document"\ndays = 10\naction = "delete"\n')
    aus = coalition.open("aus")
    assert aus.core.config.retention == [Rule(kind="document", days=10, action="delete")]
    who = people(coalition, Role.ADMINISTRATOR)
    for id_, label in (("plan", to("GBR")), ("above", HIGH)):
        coalition.put("aus", id_, {"title": (id_, label)})
    aus.desk.hold("above", "a canary of a reason")
    coalition.clock.at += 11 * DAY
    who = {name: signed_in(aus, name, **person.level) for name, person in who.items()}
    assert {name: [one.row.id for one in aus.retention.due(who[name])] for name in ("whole", "low", "apart")} == {
        "whole": ["plan", "above"], "low": ["plan"], "apart": [],
    }  # fmt: skip
    with pytest.raises(RefusedByPolicy):
        aus.retention.due(who["none"])


def test_an_auditor_inquires_by_their_role_into_what_they_see_whole(coalition: Coalition, tmp_path: Path) -> None:
    aus, who = coalition["aus"], people(coalition, Role.AUDITOR)
    hire(aus, "half", roles=[Role.AUDITOR], kinds=["track"])
    coalition.put("aus", "plan", {"title": ("a plan", to("GBR")), "annex": ("ANNEX", HIGH)})
    coalition.settle()
    inquiry = aus.inquiry
    missing = refusal(lambda: inquiry.record("nothing", tmp_path / "no", who["whole"]), "nothing")
    for by in (who["apart"], signed_in(aus, "half")):
        assert refusal(lambda: inquiry.record("plan", tmp_path / "no", by), "plan") == missing  # noqa: B023
    for name in ("low", "none"):
        assert refusal(lambda: inquiry.record("plan", tmp_path / "no", who[name]))[0] is RefusedByPolicy  # noqa: B023
        assert refusal(lambda: inquiry.partner("gbr", tmp_path / "no", who[name]))[0] is RefusedByPolicy  # noqa: B023
    assert not (tmp_path / "no").exists()
    inquiry.record("plan", tmp_path / "plan", who["whole"])
    inquiry.partner("gbr", tmp_path / "gbr", who["whole"])
    assert verify_inquiry(tmp_path / "plan").records == 1 and verify_inquiry(tmp_path / "gbr").releases >= 1
    leaves = [decode_leaf(row.data) for row in aus.core.store.ledger.leaves(0, 10_000, type_="export")]
    assert [(leaf.actor, leaf.reasons) for leaf in leaves] == [("whole", ("record plan",)), ("whole", ("partner gbr",))]
