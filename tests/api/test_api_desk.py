"""The release desk over HTTP: each ruling on what was looked at, in part and in bulk, and holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nations import ARRANGEMENT, Coalition, to
from personnel import OFFICER, PASSWORD, hire
from port_world import CANARY, HIGH, World, put, served
from test_api_requests import problem

from aldis.client import Client
from aldis.kernel.authority import Role
from aldis.kernel.errors import Stale, UnknownTerm
from aldis.kernel.ledger import decode_leaf
from aldis.node.people import Cost, Passwords
from aldis.testing.clock import START

REVIEWED = ARRANGEMENT.replace("onward", "review = true\ndecide_within_days = 3\nonward")
D = "/api/v1/desk/cases"
WHY = {"because": "agreed with the staff"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[World]:
    """AUS, served, with three cases for GBR that Ann and Low see, and then one that is above Low."""
    coalition = Coalition(tmp_path)
    for name in ("aus", "gbr"):
        coalition.add(name, **({"http": "127.0.0.1:0"} if name == "aus" else {}))
    coalition.pair("aus", "gbr")
    coalition.settle()
    coalition.arrange(REVIEWED.replace('"GBR", "USA"]', '"GBR"]').replace('onward = ["USA"]', ""))
    hire(coalition["aus"], "ann", roles=[OFFICER])
    hire(coalition["aus"], "low", roles=[OFFICER], clearance={"AUS": "OFFICIAL"})
    hire(coalition["aus"], "oli", roles=[Role.ORIGINATOR])
    for number in range(3):
        portions = {"title": (f"Plan {number}", to("GBR")), "body": ("Words", to("GBR"))}
        coalition.put("aus", f"plan-{number}", portions)
        coalition.settle()
    coalition.put("aus", "above", {"title": (CANARY, replace(to("GBR"), classification="SECRET"))})
    coalition.settle()
    at = coalition.clock.at
    coalition.close()
    with served(tmp_path / "aus", at=at) as world:
        world.node.people.passwords = Passwords(world.node.core.random, Cost(32, 1, 4))
        for who in ("ann", "low", "oli"):
            world.tokens[who] = world.node.people.sign_in(who, PASSWORD)
        yield world


def cases(world: World, who: str = "ann", **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.ask("GET", D, who, params=query).json()["cases"]
    return found


def rule(world: World, one: dict[str, Any], verdict: str = "approve", who: str = "ann", **more: Any) -> Any:
    tag = {"If-Match": f'"{one["token"]}"'}
    return world.ask("POST", f"{D}/{one['number']}/{verdict}", who, json={**WHY, **more}, headers=tag)


def test_a_case_is_ruled_on_as_it_was_looked_at(desk: World) -> None:
    one, other, third, _ = cases(desk)
    seen = desk.ask("GET", f"{D}/{one['number']}", "ann")
    assert seen.headers["etag"] == f'"{one["token"]}"'
    dossier = seen.json()
    assert dossier["case"] == one and {part["name"] for part in dossier["asked"]} == {"", "title", "body"}
    assert [part["portion"] for part in dossier["goes"]] == ["title", "body"]
    assert dossier["precedents"]["best"] == [] and dossier["explanation"]["parts"]
    path = f"{D}/{one['number']}/approve"
    problem(desk.ask("POST", path, "ann", json=WHY), "precondition-required")
    for tag in ('""', '"'):
        problem(desk.ask("POST", path, "ann", json=WHY, headers={"If-Match": tag}), "precondition-required")
    for tag in ("*", '"other"'):
        problem(desk.ask("POST", path, "ann", json=WHY, headers={"If-Match": tag}), "precondition-failed")
    problem(rule(desk, one, because=" "), "invalid-input")
    ruled = rule(desk, one, keep=["body"])
    assert (ruled.json()["kept"], ruled.json()["case"]["state"]) == (["body"], "approved")
    problem(rule(desk, one, "deny"), "precondition-failed")
    part = rule(desk, other, "deny", only=["body"]).json()
    assert part["rest"] and part["case"]["state"] == "denied"
    again = desk.ask("GET", f"{D}/{third['number']}", "ann").json()["precedents"]
    assert {found["number"] for found in again["best"]} >= {one["number"], other["number"]}
    problem(rule(desk, third, who="oli"), "refused")
    leaf = decode_leaf(list(desk.node.core.store.ledger.leaves(0, 10_000))[-1].data)
    assert (leaf.actor, leaf.type) == ("ann", "decision")


def test_a_case_is_put_off_and_is_overdue_after_its_day(desk: World) -> None:
    one = cases(desk)[0]
    assert cases(desk, overdue="true") == []
    tag = {"If-Match": f'"{one["token"]}"'}
    path, until = f"{D}/{one['number']}/defer", desk.clock.at + 10 * 86_400_000
    problem(desk.ask("POST", path, "ann", json={**WHY, "until": until}), "precondition-required")
    put_off = desk.ask("POST", path, "ann", json={**WHY, "until": until}, headers=tag).json()
    assert until <= put_off["due"] < until + 60_000
    desk.clock.at += 4 * 86_400_000
    for who in ("ann",):
        desk.tokens[who] = desk.node.people.sign_in(who, PASSWORD)
    late = {found["number"] for found in cases(desk, overdue="true")}
    assert late == {found["number"] for found in cases(desk)} - {one["number"]}
    assert all(found["overdue"] for found in cases(desk, overdue="true"))


def test_several_are_ruled_on_each_by_itself(desk: World) -> None:
    one, other, third, _ = cases(desk)
    body = {
        **WHY, "verdict": "approved",
        "cases": [
            {"number": one["number"], "token": one["token"]}, {"number": other["number"], "token": "stale"},
            {"number": 999, "token": "x"}, {"number": third["number"], "token": third["token"]},
        ],
    }  # fmt: skip
    found = desk.ask("POST", "/api/v1/desk/rulings", "ann", json=body).json()["outcomes"]
    assert [(each["ruled"], each["problem"].rpartition(":")[2]) for each in found] == [
        (True, ""), (False, "precondition-failed"), (False, "not-found"), (True, ""),
    ]  # fmt: skip
    assert cases(desk)[0]["number"] == other["number"] and len(cases(desk)) == 2
    body["cases"] = [{"number": other["number"], "token": ""}]
    problem(desk.ask("POST", "/api/v1/desk/rulings", "ann", json=body), "invalid-input")


def test_a_case_that_an_officer_may_not_see_is_not_there(desk: World) -> None:
    seen, hidden = cases(desk)[:3], cases(desk)[3]
    assert hidden["record"] == "above" and cases(desk, "low") == seen
    page = desk.ask("GET", D, "low", params={"limit": "3"})
    assert page.json()["next"] == "" and "link" not in page.headers and CANARY not in page.text
    tag = {"If-Match": f'"{hidden["token"]}"'}
    for method, path, more in (
        ("GET", "", {}), ("POST", "/approve", {"json": WHY, "headers": tag}),
        ("POST", "/deny", {"json": WHY, "headers": tag}),
        ("POST", "/defer", {"json": {**WHY, "until": START * 2}, "headers": tag}),
    ):  # fmt: skip
        said = [desk.ask(method, f"{D}/{number}{path}", "low", **more) for number in (hidden["number"], 999)]
        assert len({one.text.replace(str(hidden["number"]), "999").replace(one.headers["x-request-id"], "")
                    for one in said}) == 1  # fmt: skip
        assert said[0].status_code == 404
    body = {**WHY, "verdict": "approved", "cases": [{"number": hidden["number"], "token": hidden["token"]}]}
    [outcome] = desk.ask("POST", "/api/v1/desk/rulings", "low", json=body).json()["outcomes"]
    assert outcome["problem"].endswith("not-found") and not outcome["ruled"]
    problem(desk.ask("GET", D, "low", params={"like": hidden["number"]}), "unknown-term")
    assert desk.ask("GET", f"{D}/{seen[0]['number']}", "oli").status_code == 403
    assert len(cases(desk)) == 4


def test_a_person_holds_what_they_see_and_the_ledger_names_them(world: World) -> None:
    put(world.node, "hidden", CANARY, HIGH, project="BLACK")
    for verb in ("hold", "lift"):
        said = [world.ask("POST", f"/api/v1/records/{one}/{verb}", "officer", json=WHY) for one in ("hidden", "none")]
        assert {one.status_code for one in said} == {404}
        assert len({one.json()["detail"].replace("'hidden'", "'none'") for one in said}) == 1
    problem(world.ask("POST", "/api/v1/records/doc-0/hold", "originator", json=WHY), "refused")
    problem(world.ask("POST", "/api/v1/records/doc-0/hold", "officer", json={"because": " "}), "invalid-input")
    problem(world.ask("POST", "/api/v1/records/doc-0/lift", "officer", json=WHY), "invalid-input")
    assert world.ask("POST", "/api/v1/records/doc-0/hold", "officer", json=WHY).status_code == 204
    assert "doc-0" in world.node.epochs.current().holds
    assert world.ask("POST", "/api/v1/records/doc-0/lift", "officer", json=WHY).status_code == 204
    leaves = [decode_leaf(one.data) for one in world.node.core.store.ledger.leaves(0, 10_000)]
    assert [(one.verdict, one.actor) for one in leaves if one.type == "hold"] == [
        ("held", "officer"), ("lifted", "officer"),
    ]  # fmt: skip


def test_the_client_rules(desk: World) -> None:
    with Client(desk.url, desk.token("ann"), verify=False) as client:
        one, other, *_ = client.cases(mine=True, limit=2)
        assert client.case(one.number).case == one
        assert client.approve(one, "agreed", only=["title"]).rest
        with pytest.raises(Stale):
            client.deny(one, "too late")
        assert client.deny(other, "not now").case.state == "denied"
        client.hold("plan-2", "look again")
        client.lift("plan-2", "looked")
        with pytest.raises(UnknownTerm):
            client.hold("none", "look")


def test_filters_and_saved_searches_are_the_viewers_own(world: World) -> None:
    put(world.node, "above", f"{CANARY} patrol", HIGH)
    put(world.node, "theirs", "patrol by another", author="somebody")
    ids = lambda answer: {one["header"]["id"] for one in answer.json()["records"]}  # noqa: E731
    ask = lambda who, path="records", **query: world.ask("GET", f"/api/v1/{path}", who, params=query)  # noqa: E731
    assert ids(ask("originator", author="somebody")) == {"theirs"}
    assert "above" not in ids(ask("originator", at_most="PROTECTED")) and "above" in ids(ask("originator"))
    assert ids(ask("originator", kinds="track")) == set() == ids(ask("originator", originator="gbr"))
    assert ids(ask("originator", "search", text="patrol", author="somebody")) == {"theirs"}
    assert ids(ask("low", "search", text="patrol", at_most="SECRET")) == {"doc-0", "doc-1", "doc-2", "theirs"}
    problem(ask("originator", at_most="NOTHING"), "unknown-term")
    problem(ask("originator", created_from="9", created_until="3"), "invalid-input")
    problem(ask("originator", "search/meaning", text="patrol"), "invalid-input")
    first = ask("originator", limit="1", at_most="SECRET").json()
    problem(ask("originator", limit="1", at_most="OFFICIAL", cursor=first["next"]), "invalid-input")
    for who in ("originator", "low"):
        body = {"name": "canary", "text": CANARY, "at_most": "SECRET"}
        assert world.ask("POST", "/api/v1/saved", who, json=body).json()["at_most"] == "AUS:SECRET"
    problem(world.ask("POST", "/api/v1/saved", "low", json={"name": "canary", "text": "x"}), "invalid-input")
    problem(
        world.ask("POST", "/api/v1/saved", "low", json={"name": "m", "text": "x", "meaning": True}), "invalid-input"
    )
    put(world.node, "later", f"{CANARY} again", HIGH)
    [notice] = ask("originator", "notices").json()["notices"]
    assert {one["header"]["id"] for one in notice["found"]["records"]} == {"later"} and notice["found"]["banner"]
    assert ask("low", "notices").json() == {"notices": []}
    assert ids(ask("originator", "saved/canary/records")) == {"above", "later"}
    assert ids(ask("low", "saved/canary/records")) == set()
    problem(world.ask("POST", "/api/v1/saved/canary/read", "low", json={"upto": notice["upto"]}), "invalid-input")
    assert (
        world.ask("POST", "/api/v1/saved/canary/read", "originator", json={"upto": notice["upto"]}).status_code == 204
    )
    assert ask("originator", "notices").json() == {"notices": []}
    problem(ask("officer", "saved/canary"), "not-found")
    assert world.ask("DELETE", "/api/v1/saved/canary", "low").status_code == 204
    assert [one["name"] for one in ask("originator", "saved").json()["saved"]] == ["canary"]
