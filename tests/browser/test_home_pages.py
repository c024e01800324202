"""The first page: what waits for each, and that nobody is told of what they may not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from callers import Caller
from web_scene import ARRANGEMENT, Scene, hire, served

from aldis.kernel.authority import Role
from aldis.kernel.labels import Label
from aldis.node.config import Config
from aldis.node.exchange import problem_of
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.people import Cost, Passwords
from aldis.testing.clock import VirtualClock as Clock

Make = Callable[..., Caller]
HIGH = ("QUARTZLANTERN", "VIOLETHARBOUR", "ONLYOURS", "SECRET//", "AGAO")


def test_nobody_sees_it_without_a_session(caller: Make) -> None:
    answer = caller().get("/")
    assert answer.status == 303 and answer.headers["location"] == "/sign-in?next=%2F"


def test_an_officer_is_led_to_the_cases_that_they_can_rule_on_and_see(caller: Make, made: Scene) -> None:
    made.node.desk.offer("berths", "gbr")
    olive = caller("olive", "SECRET")
    page = olive.get("/")
    number = made.node.desk.cases().cases[0].number
    assert f'<a href="/desk/{number}">Berths at the harbour</a>' in page.body
    assert "Rule on a release" in page.body and page.banners[0] == "SECRET//AGAO"
    hire(made.node, "orla", roles=[Role.RELEASE_OFFICER], projects=["FAIR"])
    elsewhere = caller("orla", "SECRET").get("/").body
    assert "Rule on a release" not in elsewhere and "Berths" not in elsewhere
    assert "Rule on a release" not in caller("alice", "SECRET").get("/").body


def test_the_newest_are_those_that_one_may_see_and_the_banner_is_theirs(caller: Make) -> None:
    low = caller("alice").get("/")
    assert low.status == 200 and "Tide tables" in low.body
    assert not any(word in low.body for word in HIGH) and low.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    assert "cleared for more" in low.body
    high = caller("alice", "SECRET").get("/")
    assert "VIOLETHARBOUR patrol plan" in high.body and "cleared for more" not in high.body


def test_a_guest_is_told_of_their_project_and_of_no_partner(caller: Make, made: Scene) -> None:
    key, store = problem_of("gbr"), made.node.core.store
    with store.transaction():
        store.meta.set(key, b"gbr does not answer\nmore")
    try:
        page = caller("gail").get("/").body
        assert "industry fair" in page and "Tide tables" not in page and "gbr" not in page
        assert "gbr does not answer" in caller("pat").get("/").body
    finally:
        with store.transaction():
            store.meta.set(key, b"")


def test_news_of_a_search_are_told_at_the_level_at_which_it_was_saved(caller: Make, made: Scene) -> None:
    alice = caller("alice", "SECRET")
    alice.get("/search?q=patrol")
    alice.post("/search", {"name": "darkpatrol", "q": "VIOLETHARBOUR"})
    made.put("plan-2", {"title": made_title(made)})
    assert "In your search darkpatrol" in alice.get("/").body
    assert "darkpatrol" not in caller("alice").get("/").body
    alice.post("/notices", {"name": "darkpatrol", "do": "remove"})


def made_title(made: Scene) -> tuple[str, Label]:
    plan = made.records["plan"]
    return "VIOLETHARBOUR again", plan.label


def test_a_draft_waits_for_whoever_may_sign_and_see_it(caller: Make, made: Scene) -> None:
    text = ARRANGEMENT.replace('"pa-northern-watch"', '"pa-southern"').replace('"Northern Watch"', '"Southern Watch"')
    made.node.register.draft(text, "officer")
    assert "Sign an instrument" in caller("pat").get("/").body
    assert "Sign an instrument" not in caller("alice", "SECRET").get("/").body
    made.node.register.sign("pa-southern", "officer")
    assert "Sign an instrument" not in caller("pat").get("/").body


def test_what_does_not_exist_marks_no_place_in_the_navigation(caller: Make) -> None:
    assert 'aria-current="page"' not in caller("alice").get("/nowhere/at-all").body


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Scene]:
    clock = Clock()
    make_home(tmp_path / "new", Config(node="new", party="AUS", policy="AUS", ceiling="SECRET"), now=clock.now())
    with Node.open(tmp_path / "new", clock=clock, environment={}, apps={}) as node:
        node.people.passwords = Passwords(node.core.random, Cost(32, 1, 4))
        hire(node, "first", roles=[Role.ADMINISTRATOR, Role.ORIGINATOR])
        with served(Scene(node, clock)) as made:
            yield made


def test_an_empty_node_names_what_to_do_next(bare: Scene) -> None:
    page = Caller(bare).sign_in("first").get("/").body
    for path, words in (("/people", "Add the people"), ("/partners", "Pair with a partner"),
                        ("/records/new", "Write a record")):  # fmt: skip
        assert f'<a href="{path}">{words}' in page
