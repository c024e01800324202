"""Sessions, guests and roles by page: one's own for everybody, all of them for administrators."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape

import pytest
from callers import Caller
from web_scene import PASSWORD, Scene, hire

from aldis.interfaces.web.duties import WORDS, allowed
from aldis.kernel.authority import Act, Role
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.ledger import decode_leaf
from aldis.node.people import Account

Make = Callable[..., Caller]


def day(made: Scene, days: int) -> str:
    return f"{datetime.fromtimestamp(made.clock.now() / 1000 + days * 86_400, UTC):%Y-%m-%d}"


def ids(body: str) -> list[str]:
    return re.findall(r'name="session" value="(\w+)"', body)


def newest(made: Scene) -> tuple[str, str, str]:
    ledger = made.node.core.store.ledger
    leaf = decode_leaf(ledger.leaf(ledger.size() - 1).data)
    return leaf.verdict, leaf.subject, leaf.actor


@pytest.mark.parametrize("who", ["bob", "gail"])
def test_everybody_sees_and_ends_their_own_sessions_and_no_others(caller: Make, made: Scene, who: str) -> None:
    made.node.people.revoke(who)
    here, there, alice = caller(who), caller(who), caller("alice", "SECRET")
    page = here.get("/sessions")
    assert page.body.count("this one") == 1 and len(ids(page.body)) == 1 and "alice" not in page.body
    other = made.node.people.sessions.current(alice.token)
    failed = here.post("/sessions", {"session": other, "person": "alice"})
    none = here.post("/sessions", {"session": "0" * 16, "person": "alice"})
    assert failed.status == none.status and failed.plain == none.plain
    assert here.post("/sessions", {}).status == 422
    assert alice.get("/sessions").status == 200
    assert here.post("/sessions", {"session": ids(page.body)[0]}).headers["location"] == "/sessions?done=ended"
    assert newest(made) == ("signed out", who, who)
    assert there.get("/sessions").status == 303 and here.get("/sessions").status == 200
    more = [caller(who) for _ in range(2)]
    assert here.post("/sessions", {"do": "others"}).headers["location"] == "/sessions?done=others"
    assert [one.get("/sessions").status for one in (*more, here)] == [303, 303, 200]


def test_no_page_holds_a_token_or_the_digest_that_is_kept_of_it(caller: Make, made: Scene) -> None:
    pat, alice = caller("pat"), caller("alice")
    kept = [row.token.hex() for row in made.node.people.sessions.of()]
    text = pat.get("/sessions").body + pat.get("/sessions/all").body + pat.get("/people/alice").body
    assert made.node.people.sessions.current(alice.token) in text
    assert not any(digest in text or digest[:16] in text for digest in kept)
    assert pat.token not in text and alice.token not in text


def test_an_administrator_ends_one_session_of_anybody_and_others_cannot_look(caller: Make, made: Scene) -> None:
    for who in ("alice", "audrey", "gail"):
        one = caller(who)
        assert one.get("/sessions/all").plain == one.get("/records/none-such").plain
        assert one.post("/sessions/all", {"person": "pat", "session": "0" * 16}).status == 404
        assert "/sessions/all" not in one.get("/sessions").body
    pat, alice, twin = caller("pat"), caller("alice"), caller("alice", "SECRET")
    page = pat.get("/sessions/all").body
    assert "Originator One" in page and "AUS SECRET" in page
    id_ = made.node.people.sessions.current(alice.token)
    assert pat.post("/sessions/all", {"person": "bob", "session": id_}).status == 422
    assert pat.post("/sessions/all", {"person": "alice", "session": id_}).status == 303
    assert newest(made) == ("revoked", "alice", "pat")
    assert alice.get("/sessions").status == 303 and twin.get("/sessions").status == 200
    pat.get("/people/alice")
    last = made.node.people.sessions.current(twin.token)
    assert pat.post("/people/alice/end", {"session": last}).headers["location"] == "/people/alice?done=ended"
    assert twin.get("/sessions").status == 303
    person = made.node.people.sessions.who(caller("olive").token)
    with pytest.raises(RefusedByPolicy):
        made.node.people.end_session("pat", made.node.people.sessions.current(pat.token), person)


def test_a_guest_has_a_sponsor_and_a_last_day_after_which_nothing_opens(caller: Make, made: Scene) -> None:
    pat = caller("pat")
    form = pat.get("/people/new?role=guest").body
    assert 'value="guest" checked' in form and 'name="sponsor" value="pat"' in form
    fields = {"id": "visitor", "name": "Visitor Eight", "nationality": "AUS", "clearance": "OFFICIAL",
              "projects": "FAIR", "kinds": "document", "role": "guest"}  # fmt: skip
    for odd in ({"sponsor": "nobody"}, {"sponsor": "gail"}, {"until": "soon"}, {"until": "0001-01-01"},
                {"role": "originator", "sponsor": "pat"}):  # fmt: skip
        failed = pat.post("/people/new", {**fields, **odd})
        assert failed.status == 422 and "Visitor Eight" in failed.body, odd
    added = pat.post("/people/new", {**fields, "sponsor": "pat", "until": day(made, 2)})
    code = added.body.partition('<p class="code"><code>')[2].partition("<")[0]
    made.node.people.enrol("visitor", code, PASSWORD)
    guest = caller("visitor")
    assert guest.get("/records/fair").status == 200
    assert "pat</dd>" in guest.get("/sessions").body and day(made, 2) in guest.get("/sessions").body
    listed = pat.get("/people?only=guests").body
    assert "Visitor Eight" in listed and "Originator One" not in listed and day(made, 2) in listed
    pat.get("/people/visitor")
    for late in ("", "2020-01-01", "x"):
        assert pat.post("/people/visitor/extend", {"until": late}).status == 422
    assert pat.post("/people/visitor/extend", {"until": day(made, 9)}).status == 303
    assert newest(made) == ("changed", "visitor", "pat")
    assert made.node.people.get("visitor").sponsor == "pat"
    made.clock.at = made.node.people.get("visitor").until
    assert guest.get("/records").status == 303 and made.node.people.standing("visitor") is None
    told = caller().post("/sign-in", {"person": "visitor", "password": PASSWORD})
    assert told.status == 403
    pat = caller("pat")
    assert (
        "over" in pat.get("/people?only=guests").body and "its last day has passed" in pat.get("/people/visitor").body
    )
    assert made.node.people.sessions.of("visitor") == []


def test_a_guest_without_a_sponsor_who_works_here_stands_out(caller: Make, made: Scene) -> None:
    for who, fields in {
        "host": {},
        "lone": {"roles": [Role.GUEST], "kinds": ["document"], "projects": ["FAIR"]},
    }.items():
        hire(made.node, who, **fields | ({"sponsor": "host"} if who == "lone" else {}))
    pat = caller("pat")
    assert "host, who is suspended" not in pat.get("/people?only=guests").body
    made.node.people.suspend("host", "left")
    assert "host, who is suspended" in pat.get("/people?only=guests").body
    account = Account(id="x", name="X", nationality="AUS", clearance={"AUS": "OFFICIAL"}, until=-1)
    with pytest.raises(InvalidInput):
        made.node.people.add(account)
    with pytest.raises(UnknownTerm):
        made.node.people.end_session("alice", "")


def test_what_roles_allow_is_said_in_words_of_every_act(caller: Make) -> None:
    assert set(WORDS) == set(Act)
    assert [role for role, _ in allowed()] == [role.value for role in Role]
    page = unescape(caller("pat").get("/people").body)
    assert all(words in page for words in WORDS.values())
    own = caller("olive").get("/sessions").body
    assert WORDS[Act.RULE] in own and WORDS[Act.PEOPLE] not in own
    assert "nothing beside reading" in caller("gail").get("/sessions").body
