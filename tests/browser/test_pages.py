"""The pages over HTTP: who gets in, what a form must carry, what is told to whom, and that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from callers import COOKIE, Caller
from web_scene import PASSWORD, Scene

from aldis.interfaces.web.colours import colour
from aldis.interfaces.web.guard import safe_path
from aldis.kernel.ledger import decode_leaf
from aldis.kernel.policies import builtin

Make = Callable[..., Caller]
PAGES = ("/records", "/records/survey", "/records/survey/to/gbr", "/records/new?kind=document", "/records/tides/revise",
         "/search?q=cable", "/level", "/people", "/people/new", "/people/alice", "/partners", "/partners/gbr",
         "/ledger", "/ledger/0", "/desk")  # fmt: skip
HIGH = ("QUARTZLANTERN", "VIOLETHARBOUR", "ONLYOURS", "sensor positions", "SECRET//", "(S", "AGAO")
"""Words of what is above OFFICIAL, and the markings that would tell of it."""


# who gets in


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_a_session(caller: Make, path: str) -> None:
    answer = caller().get(path)
    assert answer.status in (303, 404)
    assert "survey" not in answer.body and "Sign out" not in answer.body
    if answer.status == 303:
        assert answer.headers["location"].startswith("/sign-in?next=")


def test_a_session_begins_at_the_routine_level_and_no_secret_is_shown_before_one_chooses_it(caller: Make) -> None:
    alice = caller("alice")
    low = alice.get("/records")
    assert "Working at <strong>OFFICIAL</strong>" in low.body
    assert not any(word in low.body for word in ("VIOLETHARBOUR", "AGAO", "SECRET//"))
    alice.post("/level", {"rung": "SECRET"})
    high = alice.get("/records")
    assert "VIOLETHARBOUR patrol plan" in high.body and high.banners == ["SECRET//AGAO"] * 2


def test_a_wrong_password_a_stranger_and_an_odd_name_are_told_the_same(caller: Make) -> None:
    told = [
        caller().post("/sign-in", {"person": who, "password": "wrong wrong wrong"})
        for who in ("alice", "nobody", "\x00é")
    ]
    assert {answer.status for answer in told} == {403}
    assert (
        len(
            {
                answer.plain.replace(f'value="{who}"', "")
                for answer, who in zip(told[:2], ("alice", "nobody"), strict=True)
            }
        )
        == 1
    )
    assert not any(COOKIE in answer.headers.get("set-cookie", "") for answer in told)


def test_signing_in_takes_up_no_session_that_was_there_before(caller: Make, made: Scene) -> None:
    fixed = caller()
    fixed.token = "A" * 43
    fixed.sign_in("alice")
    assert fixed.token != "A" * 43
    before = fixed.token
    fixed.post("/sign-in", {"person": "alice", "password": PASSWORD})
    assert fixed.token != before
    old = caller()
    old.token = before
    assert old.get("/records").status == 303


def test_the_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts(caller: Make) -> None:
    answer = caller().post("/sign-in", {"person": "alice", "password": PASSWORD})
    said = answer.headers["set-cookie"].lower()
    assert said.startswith("__host-aldis=")
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= set(said.split("; "))
    assert "domain" not in said


def test_another_level_is_another_token_and_signing_out_ends_it(caller: Make) -> None:
    alice = caller("alice")
    before = alice.token
    alice.post("/level", {"rung": "SECRET"})
    assert alice.token not in ("", before)
    stale, ended = caller(), caller()
    stale.token = before
    assert stale.get("/records").status == 303
    ended.token = alice.token
    alice.get("/level")
    assert alice.post("/sign-out").headers["location"] == "/sign-in"
    assert ended.get("/records").status == 303


def test_a_level_above_the_clearance_is_refused_and_the_session_stays(caller: Make) -> None:
    bob = caller("bob")
    answer = bob.post("/level", {"rung": "SECRET"})
    assert answer.status == 403 and "above the clearance" in answer.body
    assert "Working at <strong>OFFICIAL</strong>" in bob.get("/records").body


@pytest.mark.parametrize(
    "path",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "", "/a\nb",
     "/é", "/" + "a" * 3000],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(caller: Make, path: str) -> None:
    assert safe_path(path) == "/"
    answer = caller().post("/sign-in", {"person": "alice", "password": PASSWORD, "next": path})
    assert answer.headers["location"] in ("/level", "/level?next=%2F")


def test_a_link_from_another_site_leads_on_by_itself(caller: Make) -> None:
    answer = caller().get("/records/tides", **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 200 and 'content="0; url=/records/tides"' in answer.body
    assert "Tide tables" not in answer.body


# forms


def test_a_form_from_another_site_or_of_no_known_origin_does_nothing(caller: Make, made: Scene) -> None:
    alice = caller("alice", "SECRET")
    size = made.node.core.store.ledger.size()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}):
        assert alice.post("/records/tides/to/gbr", None, **headers).status == 403
    body, kind = f"csrf={alice.csrf}".encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    for origin in ({}, {"Origin": "null"}, {"Origin": "http://elsewhere.example"}, {"Origin": "http://["}):
        assert alice.ask("POST", "/records/tides/to/gbr", body, {**kind, **origin}).status == 403
    assert made.node.core.store.ledger.size() == size
    ours = {"Origin": made.url}
    assert alice.ask("POST", "/records/tides/to/gbr", body, {**kind, **ours}).status == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_its_sessions_token_does_nothing_and_keeps_what_was_typed(
    caller: Make, made: Scene, token: str
) -> None:
    alice = caller("alice", "SECRET")
    other = caller("alice", "SECRET")
    size = made.node.core.store.ledger.size()
    for given in (token, other.csrf):
        fields = {
            "csrf": given,
            "kind": "document",
            "marking": "SECRET",
            "title.value": "KEPTWORDS <b>",
            "project": "P",
        }
        answer = alice.post("/records/new?kind=document", fields)
        assert answer.status == 409
        assert "KEPTWORDS &lt;b&gt;" in answer.body and answer.banners == ["SECRET"] * 2
    assert made.node.core.store.ledger.size() == size
    assert alice.post("/records/new?kind=document", {**fields, "csrf": alice.csrf}).status == 303


def test_nothing_is_read_of_a_form_whose_session_has_ended(caller: Make, made: Scene) -> None:
    connection = HTTPConnection(urlsplit(made.url).netloc, timeout=5)
    connection.putrequest("POST", "/records/new")
    for name, value in (("Sec-Fetch-Site", "same-origin"), ("Content-Length", "3000000"),
                        ("Content-Type", "application/x-www-form-urlencoded")):  # fmt: skip
        connection.putheader(name, value)
    connection.endheaders(b"title.value=NEVERREAD")
    found = connection.getresponse()
    text = found.read().decode()
    assert found.status == 401 and "nothing you typed is lost" in text and "NEVERREAD" not in text
    connection.close()


def test_the_form_of_an_ended_session_is_there_again_after_signing_in(caller: Make, made: Scene) -> None:
    alice = caller("alice", "SECRET")
    fields = {
        "csrf": alice.csrf,
        "kind": "document",
        "marking": "SECRET",
        "title.value": "LONGREPORT",
        "project": "P",
        "body.value": "x" * 500_000,
    }
    made.node.people.revoke("alice")
    ended = alice.post("/records/new?kind=document", fields)
    assert ended.status == 401 and "LONGREPORT" not in ended.body
    alice.sign_in("alice", "SECRET")
    again = alice.post("/records/new?kind=document", fields)
    assert again.status == 409 and "LONGREPORT" in again.body
    assert alice.post("/records/new?kind=document", {**fields, "csrf": again.csrf}).status == 303


def test_forms_have_a_limit_and_one_for_strangers_is_small(caller: Make) -> None:
    stranger = caller()
    assert stranger.post("/sign-in", {"person": "a", "password": "x" * 9000}).status == 413
    alice = caller("alice")
    assert alice.post("/records/new", {f"f{n}": "" for n in range(600)}).status == 413
    odd = alice.ask(
        "POST", "/records/new", b"{}", {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
    )
    assert odd.status == 422
    bad = alice.ask("POST", "/records/new", b"a=%ff", {"Sec-Fetch-Site": "same-origin",
                                                      "Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert bad.status == 422


def test_a_form_that_fails_names_the_word_and_comes_back_whole(caller: Make) -> None:
    alice = caller("alice", "SECRET")
    typed = {"kind": "document", "marking": "SECRAT", "project": "NORTHERN-WATCH", "title.value": "A title",
             "title.marking": "OFFICIAL", "body.value": "line one\r\nline two",
             "body.marking": "SECRET//REL AUS/GBX"}  # fmt: skip
    answer = alice.post("/records/new?kind=document", typed)
    assert answer.status == 422
    assert "Did you mean SECRET" in answer.body and "GBX" in answer.body
    for value in ("SECRAT", "A title", "line one\nline two", "SECRET//REL AUS/GBX", "NORTHERN-WATCH"):
        assert value in answer.body
    assert answer.banners == ["SECRET"] * 2
    reading = alice.post("/marking?of=body.marking", {"body.marking": "SECRET//REL AUS/GBX"})
    assert "GBX" in reading.body and "<html" not in reading.body


def test_a_record_is_written_revised_by_who_saw_the_newest_and_deleted(caller: Make, made: Scene) -> None:
    alice = caller("alice", "SECRET")
    fields = {"kind": "document", "marking": "OFFICIAL//REL AUS/GBR", "project": "NORTHERN-WATCH",
              "title.value": "Buoys", "body.value": "Two.", "body.marking": "(S)"}  # fmt: skip
    assert alice.post("/records/new?kind=document", {**fields, "do": "check"}).status == 200
    place = alice.post("/records/new?kind=document", fields).headers["location"].partition("?")[0]
    page = alice.get(place)
    assert "Buoys" in page.body and page.banners == ["SECRET//REL AUS/GBR"] * 2
    form = alice.get(f"{place}/revise")
    previous = form.body.partition('name="previous" value="')[2].partition('"')[0]
    revised = {**fields, "previous": previous, "body.value": "Three."}
    assert alice.post(f"{place}/revise", revised).status == 303
    late = alice.post(f"{place}/revise", {**revised, "body.value": "FOURBUOYS"})
    assert late.status == 409 and "FOURBUOYS" in late.body and "version 2" in late.body
    assert "Three." in alice.get(place).body and "Two." in alice.get(f"{place}?version=1").body
    assert alice.post(f"{place}/delete").status == 422
    assert alice.post(f"{place}/delete", {"sure": "yes"}).status == 303
    assert "Its originator has deleted it" in alice.get(place).body


def test_the_form_of_a_revision_holds_what_one_sees_and_no_more(caller: Make) -> None:
    low = caller("bob").get("/records/survey/revise")
    assert "Depths along the route" in low.body and "QUARTZLANTERN" not in low.body
    assert "QUARTZLANTERN" in caller("alice", "SECRET").get("/records/survey/revise").body


def test_nobody_writes_above_the_level_at_which_they_work(caller: Make) -> None:
    bob = caller("bob")
    answer = bob.post("/records/new?kind=document", {"kind": "document", "marking": "SECRET", "title.value": "T"})
    assert answer.status == 403 and "beyond them at this level" in answer.body


# what is told to whom


def test_what_one_may_not_know_of_is_as_if_it_were_not_there(caller: Make) -> None:
    bob = caller("bob")
    for path in ("/records/{}", "/records/{}/to/gbr", "/records/{}/revise", "/records/{}?version=1"):
        held, absent = (bob.get(path.format(name)) for name in ("plan", "n0ne"))
        assert held.status == absent.status == 404
        assert held.plain == absent.plain
        assert held.headers["content-length"] == absent.headers["content-length"]
    posted = [bob.post(f"/records/{name}/to/gbr") for name in ("plan", "n0ne")]
    assert posted[0].status == posted[1].status == 404 and posted[0].plain == posted[1].plain
    for page in ("/people", "/people/alice", "/ledger", "/ledger/0"):
        assert bob.get(page).plain == absent.plain


@pytest.mark.parametrize("who", ["bob", "gail"])
def test_a_low_person_is_told_nothing_of_what_is_higher(caller: Make, made: Scene, who: str) -> None:
    low = caller(who)
    paths = [*PAGES, "/records?all=yes", "/records?kind=document", *(f"/records/{name}" for name in made.records)]
    paths += [f"/search?q={word}" for word in ("passes", "dusk", "cable", "four")]
    paths += [f"/records/{name}/revise" for name in made.records]
    for path in paths:
        low.get(path)
    low.post("/records/survey/to/gbr")
    told = "".join(low.seen)
    for word in HIGH:
        assert word not in told, word
    if who == "gail":
        assert "Programme of the industry fair" in told and "gbr" not in told
        assert not any(word in told for word in ("Tide tables", "Survey of", "HARBOUR", "Pump", "NORTHERN-WATCH"))


def test_withheld_portions_are_not_hinted_at(caller: Make) -> None:
    page = caller("bob").get("/records/survey")
    assert "Survey of the northern cable" in page.body and page.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    assert not any(name in page.body for name in ("annex", "body</h2>", "withheld", "1 of"))


def test_a_search_for_withheld_words_answers_as_for_words_that_nobody_wrote(caller: Make) -> None:
    bob = caller("bob")
    held, absent = (
        bob.get(f"/search?q={word}").plain.replace(word, "") for word in ("QUARTZLANTERN", "NOSUCHWORDHERE")
    )
    assert held == absent


def test_the_banner_of_a_search_is_that_of_what_is_shown_and_typed(caller: Make) -> None:
    alice = caller("alice", "SECRET")
    assert alice.get("/search?q=QUARTZLANTERN").banners == ["SECRET//REL AUS/GBR"] * 2
    alice.post("/level", {"rung": "OFFICIAL"})
    assert alice.get("/search?q=depths").banners == ["OFFICIAL//REL AUS/GBR"] * 2
    assert alice.get("/search").banners == ["UNOFFICIAL"] * 2


def test_the_ledger_says_what_it_is_about_at_the_ceiling_alone(caller: Make, made: Scene) -> None:
    made.node.partners.set_status("gbr", made.node.partners.get("gbr").status, "BECAUSEWORDS")
    index = made.node.core.store.ledger.size() - 1
    assert "BECAUSEWORDS" in decode_leaf(made.node.core.store.ledger.leaf(index).data).reasons
    audrey = caller("audrey")
    assert audrey.get(f"/ledger/{index}").plain == audrey.get("/ledger/99999").plain
    low = audrey.get("/ledger")
    assert "cosigned" not in low.body and "leaves" not in low.body and low.banners == ["OFFICIAL"] * 2
    audrey.post("/level", {"rung": "SECRET"})
    high = audrey.get(f"/ledger/{index}")
    assert "BECAUSEWORDS" in high.body and high.banners == ["SECRET"] * 2
    for odd in ("99999", "-1", "1e3", "x", "²"):
        assert audrey.get(f"/ledger/{odd.encode().hex() if odd == '²' else odd}").status == 404


# what else the pages do


def test_every_response_tells_the_browser_to_keep_nothing_and_run_nothing_else(caller: Make) -> None:
    alice = caller("alice", "SECRET")
    for path in ("/records", "/records/none", "/sign-in", "/", "/records?cursor=x"):
        headers = alice.get(path).headers
        assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin" and "camera=()" in headers["permissions-policy"]
        if path != "/":
            rules = headers["content-security-policy"]
            assert rules.startswith("default-src 'none'; script-src 'nonce-") and "frame-ancestors 'none'" in rules
            assert "unsafe" not in rules
    assert alice.get("/records").headers["content-security-policy"] != headers["content-security-policy"]
    style = alice.get("/static/aldis.css")
    assert style.status == 200 and style.headers["content-type"].startswith("text/css")
    for path in ("/static/../site.py", "/static/%2e%2e/site.py", "/static/none.css"):
        assert alice.get(path).status == 404


def test_text_is_shown_as_text_and_cannot_turn_its_direction(caller: Make, made: Scene) -> None:
    made.put("odd", {"title": ("<script>alert(1)</script>\u202egnp.exe", made.records["tides"].label)})
    page = caller("alice").get("/records/odd")
    assert "<script>alert" not in page.body and "&lt;script&gt;" in page.body and "\u202e" not in page.body


def test_asking_for_a_release_refers_what_needs_a_person(caller: Make, made: Scene) -> None:
    alice = caller("alice")
    assert (
        "on its way" in alice.get("/records/tides/to/gbr").body
        or "gets all of it" in alice.get("/records/tides/to/gbr").body
    )
    answer = alice.post("/records/berths/to/gbr")
    assert answer.status == 303 and answer.headers["location"].endswith("done=wait")
    assert "A release officer has been asked" in alice.get(answer.headers["location"]).body
    assert [one.partner for one in made.node.desk.cases().cases] == ["gbr"]


def test_people_are_added_changed_suspended_and_their_sessions_ended(caller: Make, made: Scene) -> None:
    pat, fields = caller("pat"), {"name": "New Seven", "nationality": "AUS", "clearance": "OFFICIAL",
                                  "projects": "FAIR", "kinds": "*", "role": "originator"}  # fmt: skip
    wrong = pat.post("/people/new", {**fields, "id": "new seven"})
    assert wrong.status == 422 and "New Seven" in wrong.body and "checked" in wrong.body
    added = pat.post("/people/new", {**fields, "id": "seven"})
    code = added.body.partition('<p class="code"><code>')[2].partition("<")[0]
    seven = caller()
    words = "four or five words do"
    differ = seven.post("/enrol", {"person": "seven", "code": code, "password": words, "again": "other words here"})
    assert differ.status == 422 and "differ" in differ.body
    told = seven.post("/enrol", {"person": "seven", "code": code, "password": words, "again": words})
    assert told.headers["location"] == "/sign-in?enrolled=yes"
    assert seven.post("/sign-in", {"person": "seven", "password": words}).status == 303
    pat.get("/people/seven")
    assert pat.post("/people/seven", {**fields, "name": "Renamed"}).status == 303
    assert made.node.people.get("seven").name == "Renamed"
    assert pat.post("/people/seven/suspend", {"because": " "}).status == 422
    assert pat.post("/people/seven/suspend", {"because": "left"}).status == 303
    assert seven.get("/records").status == 303


def test_a_security_officer_suspends_and_resumes_a_partner_and_others_cannot(caller: Make, made: Scene) -> None:
    alice, pat = caller("alice"), caller("pat")
    assert alice.post("/partners/gbr", {"do": "suspend", "because": "x"}).status == 403
    assert pat.post("/partners/gbr", {"do": "suspend"}).status == 422
    assert pat.post("/partners/gbr", {"do": "suspend", "because": "exercise over"}).status == 303
    assert not made.node.partners.get("gbr").active
    leaf = decode_leaf(made.node.core.store.ledger.leaf(made.node.core.store.ledger.size() - 1).data)
    assert (leaf.verdict, leaf.actor) == ("suspended", "pat")
    assert pat.post("/partners/gbr", {"do": "resume", "because": "on again"}).status == 303
    assert caller("gail").get("/partners").status == 404


def test_colours_follow_the_policys_own_where_it_has_them() -> None:
    policies = builtin()
    named = {("US", "UNCLASSIFIED"): "green", ("US", "CONFIDENTIAL"): "blue", ("US", "SECRET"): "red",
             ("US", "TOP SECRET"): "orange", ("AUS", "SECRET"): "salmon", ("UK", "OFFICIAL"): "grey",
             ("UK", "SECRET"): "dark", ("TLP", "RED"): "crimson"}  # fmt: skip
    assert {key: colour(*key, policies) for key in named} == named
