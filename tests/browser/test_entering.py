"""Sign-in links at the pages: what is sent where, and what is said to who comes with the wrong one."""

from __future__ import annotations

from collections.abc import Callable

from callers import Caller
from msgspec.structs import replace
from web_scene import PASSWORD, Scene

from aldis.interfaces.web import link_address
from aldis.kernel.authority import Role

Make = Callable[..., Caller]


def test_the_secret_stands_where_no_browser_sends_it(made: Scene) -> None:
    link = made.node.people.links.issue()
    path, _, fragment = link_address(made.url, link).partition("#")
    assert path == f"{made.url}/sign-in/link" and fragment == link.secret


def test_a_link_signs_in_once_at_the_routine_level(caller: Make, made: Scene) -> None:
    link, somebody = made.node.people.links.issue(), caller()
    page = somebody.get("/sign-in/link")
    assert page.status == 200 and "link.js" in page.body and link.secret not in page.body
    assert not somebody.token
    answer = somebody.post("/sign-in/link", {"code": link.secret})
    assert answer.status == 303 and answer.headers["location"] == "/level"
    people = somebody.get("/people")
    assert "Keeper Four" in people.body and "Working at <strong>OFFICIAL</strong>" in people.body
    again = caller()
    refused = again.post("/sign-in/link", {"code": link.secret})
    assert refused.status == 403 and "once" in refused.body and "aldis up --link" in refused.body
    assert not again.token and again.get("/people").status == 303


def test_a_link_takes_the_place_of_the_session_that_was_there(caller: Make, made: Scene) -> None:
    alice = caller("alice")
    before = alice.token
    assert alice.get("/sign-in/link").status == 200
    alice.post("/sign-in/link", {"code": made.node.people.links.issue().secret})
    assert alice.token != before
    old = caller()
    old.token = before
    assert old.get("/records").status == 303


def test_a_link_sent_from_another_site_signs_nobody_in(caller: Make, made: Scene) -> None:
    link, victim = made.node.people.links.issue(), caller()
    sent = {"Sec-Fetch-Site": "cross-site"}
    assert victim.post("/sign-in/link", {"code": link.secret}, **sent).status == 403 and not victim.token


def test_the_first_administrator_is_made_where_there_is_none_and_nowhere_else(caller: Make, made: Scene) -> None:
    fields = {"code": made.node.people.links.issue().secret, "person": "eve", "name": "Eve", "password": PASSWORD,
              "again": PASSWORD, "clearance": "SECRET", "projects": "*"}  # fmt: skip
    stranger = caller()
    assert stranger.get("/sign-in/first").status == 200
    refused = stranger.post("/sign-in/first", fields)
    assert refused.status == 403 and PASSWORD not in refused.body and not stranger.token
    assert "eve" not in [one.id for one in made.node.people.all()]


def test_the_first_administrator_gets_what_the_form_says_and_no_more(caller: Make, made: Scene) -> None:
    people, pat = made.node.people, made.node.people.get("pat")
    people.set(replace(pat, roles=[Role.SECURITY_OFFICER]))
    try:
        fields = {"code": people.links.issue().secret, "person": "first", "name": "First", "password": PASSWORD,
                  "again": PASSWORD, "clearance": "OFFICIAL", "projects": "FAIR"}  # fmt: skip
        one = caller()
        differs = one.post("/sign-in/first", {**fields, "again": "another one entirely"})
        assert differs.status == 422 and "differ" in differs.body and fields["code"] in differs.body
        one.post("/sign-in/first", {**fields, "role": "auditor"})
        assert one.get("/people").status == 200 and one.get("/ledger").status == 404
        made_account = people.get("first")
        assert made_account.roles == [Role.ADMINISTRATOR] and made_account.nationality == "AUS"
        listed = one.get("/records").body
        assert "industry fair" in listed and "Tide tables" not in listed and "VIOLETHARBOUR" not in listed
    finally:
        people.set(pat)
