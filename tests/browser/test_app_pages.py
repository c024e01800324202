"""Pages of an app: called for who asks, marked by what they show, and a form that fails comes back whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from callers import Caller
from web_scene import PASSWORD, Scene, scene, served

from aldis.interfaces.api.limits import Limits

Make = Callable[..., Caller]


def test_a_page_shows_what_its_asker_may_see_under_the_banner_of_what_it_shows(caller: Make) -> None:
    alice, bob = caller("alice", "SECRET"), caller("bob")
    typed = {"text": "HIGHNOTE", "marking": "SECRET", "sure": "true", "tags": "one"}
    assert alice.post("/sample", typed).headers["location"] == "/sample/boards/main"
    assert alice.post("/sample", {**typed, "text": "low note", "marking": "OFFICIAL"}).status == 303
    high, low = alice.get("/sample"), bob.get("/sample")
    assert "HIGHNOTE one" in high.body and high.banners == ["SECRET"] * 2
    assert "low note one" in low.body and "HIGHNOTE" not in low.body and low.banners == ["OFFICIAL"] * 2
    assert '<a href="/sample" aria-current="page">Notes</a>' in high.body and "Originator One" in high.body
    assert caller("gail").get("/sample").body.count("<li>(") == 0


def test_a_form_that_fails_comes_back_on_the_page_it_stands_on(caller: Make, made: Scene) -> None:
    alice = caller("alice", "PROTECTED")
    same = alice.post("/sample", {"text": "KEPT <1>"})
    assert same.status == 422 and "KEPT &lt;1&gt;" in same.body and "you are not sure" in same.body
    assert same.banners == ["PROTECTED"] * 2
    there = alice.post(
        "/sample/boards/main/notes", {"text": "KEPT <2>"}, Referer=f"{made.url}/sample/boards/main?most=3"
    )
    assert there.status == 422 and "KEPT &lt;2&gt;" in there.body and "<h1>Notes main</h1>" in there.body
    for referer in ({}, {"Referer": "http://["}, {"Referer": f"{made.url}/sample/boards/main?most=x"}):
        alone = alice.post("/sample/boards/main/notes", {"text": "KEPT <3>"}, **referer)
        assert alone.status == 422 and "KEPT &lt;3&gt;" in alone.body
        assert 'action="/sample/boards/main/notes"' in alone.body


def test_fields_that_a_page_does_not_ask_for_or_of_another_type_are_refused(caller: Make) -> None:
    alice = caller("alice")
    assert alice.get("/sample?most=x").status == 422 and alice.get("/sample?odd=1").status == 422
    assert alice.post("/sample", {"text": "x", "odd": "1", "sure": "true"}).status == 422
    assert alice.post("/sample", {"sure": "true"}).status == 422
    assert alice.get("/sample?most=").status == 200
    assert alice.get("/sample/boards/main/notes").status == 405


def test_a_fault_of_the_program_tells_nothing_of_itself(caller: Make) -> None:
    broken = caller("alice").get("/sample/broken")
    assert broken.status == 500 and "TRACEWORDS" not in broken.body and "Traceback" not in broken.body


def test_whoever_asks_too_often_is_asked_to_wait(tmp_path: Path) -> None:
    few = Limits(person_rate=0.001, person_burst=4, stranger_rate=0.001, stranger_burst=3)
    with scene(tmp_path) as made, served(made, few):
        one = Caller(made)
        one.post("/sign-in", {"person": "alice", "password": PASSWORD})
        assert [one.get("/records").status for _ in range(6)] == [200] * 4 + [429] * 2
        assert one.get("/records").headers["retry-after"].isdigit()
        stranger = Caller(made)
        assert [stranger.get("/sign-in").status for _ in range(4)] == [200] * 2 + [429] * 2
