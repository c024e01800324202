"""The release desk at the command line."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli_nations import ARRANGEMENT, Coalition, Nation, agree, carry, nation, pair

REVIEWED = ARRANGEMENT.replace('parties = ["AUS", "GBR", "USA"]', 'parties = ["AUS", "GBR"]').replace(
    "purposes", "decide_within_days = 5\nreview = true\npurposes"
)
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def _waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AUS, with three records that wait for GBR, one of them above what the officer alice signs in at."""
    folder = tmp_path_factory.mktemp("waiting")
    made = Coalition.at(folder)
    for one in (made.aus, made.gbr):
        nation(one.party, folder)
    pair(made.aus, made.gbr)
    agree((made.aus, made.gbr), REVIEWED)
    for name, marking in (("plan", "OFFICIAL"), ("memo", "OFFICIAL"), ("dark", "SECRET")):
        made.aus.run("put", "--kind", "document", "--id", name, "--project", "NORTHERN-WATCH",
                     "--marking", f"{marking}//REL AUS/GBR", "--portion", f"title=Canary {name}",
                     "--portion", f"body=Words of {name}")  # fmt: skip
    carry(made.aus, made.gbr)
    code = made.aus.ask(
        "person", "add", "alice", "--clearance", "SECRET", "--project", "*", "--role", "release-officer"
    )
    made.aus.run("person", "enrol", "alice", text=f"{code['code']}\n{PASSWORD}\n")
    return folder


@pytest.fixture
def aus(_waiting: Path, tmp_path: Path) -> Nation:
    """AUS with what waits, for one test."""
    shutil.copytree(_waiting, tmp_path, dirs_exist_ok=True)
    made = Coalition.at(tmp_path)
    made.aus.run("sign-in", "alice", "--level", "OFFICIAL", text=f"{PASSWORD}\n")
    return made.aus


def numbers(aus: Nation, *words: str) -> dict[str, str]:
    return {one["record"]: str(one["number"]) for one in aus.ask("desk", "list", *words)["cases"]}


def test_the_list_and_a_case_show_an_officer_no_more_than_they_may_see(aus: Nation) -> None:
    every = numbers(aus)
    assert every.keys() == {"plan", "memo", "dark"}
    seen = aus.run("desk", "list", "--as", "person:alice").stdout
    assert "plan" in seen and "memo" in seen and "dark" not in seen and "Canary dark" not in seen
    shown = aus.run("desk", "show", every["plan"], "--as", "person:alice").stdout
    assert "Words of plan" in shown and "pa-northern-watch clause 4.1" in shown
    hidden = aus.fails(2, "desk", "show", every["dark"], "--as", "person:alice").replace(every["dark"], "N")
    assert hidden == aus.fails(2, "desk", "show", "7777777", "--as", "person:alice").replace("7777777", "N")
    aus.run("person", "set", "alice", "--role", "originator")
    assert "Ask a person who is release-officer" in aus.fails(3, "desk", "list", "--as", "person:alice")


def test_lists_are_narrowed(aus: Nation) -> None:
    for words in (("--partner", "gbr"), ("--project", "NORTHERN-WATCH"), ("--kind", "document")):
        assert len(numbers(aus, *words)) == 3
    for others in (("--project", "OTHER"), ("--kind", "track"), ("--due",)):
        assert numbers(aus, *others) == {}
    assert len(numbers(aus, "--mine", "--as", "person:alice")) == 2
    assert "nobody is named" in aus.fails(2, "desk", "list", "--mine")
    page = aus.ask("desk", "list", "--limit", "2")
    assert len(aus.ask("desk", "list", "--cursor", page["next"])["cases"]) == 1
    aus.fails(2, "desk", "list", "--partner", "nobody")


def test_several_are_ruled_on_only_when_that_is_meant(aus: Nation) -> None:
    every = numbers(aus)
    assert "say --yes" in aus.fails(2, "desk", "approve", "--all", "--partner", "gbr", "--because", "routine")
    for words in (("--all",), (), (every["plan"], "--like", every["plan"]), (every["plan"], "--partner", "gbr")):
        aus.fails(2, "desk", "approve", *words, "--because", "routine", "--yes")
    assert numbers(aus) == every
    done = aus.ask("desk", "deny", "--all", "--partner", "gbr", "--because", "routine", "--yes", "--as", "person:alice")
    assert {one["record"] for one in done["ruled"]} == {"plan", "memo"}
    assert numbers(aus).keys() == {"dark"}


def test_one_that_cannot_be_ruled_on_is_reported_and_the_others_go_on(aus: Nation) -> None:
    every = numbers(aus)
    words = ("desk", "approve", *every.values(), "--because", "routine", "--yes", "--as", "person:alice")
    result = aus.run(*words, code=2)
    assert f"{every['dark']} not ruled on: nothing waits under number" in result.stdout
    assert "1 case of 3 could not be ruled on" in result.stderr
    assert numbers(aus).keys() == {"dark"}
    assert {one["state"] for one in aus.ask("desk", "list", "--all")["cases"]} == {"approved", "open"}


def test_those_alike_are_ruled_on_together(aus: Nation) -> None:
    every = numbers(aus)
    done = aus.ask("desk", "approve", "--like", every["plan"], "--because", "routine", "--yes")
    assert {one["record"] for one in done["ruled"]} == {"plan", "memo"}
    assert "nothing like that waits" in aus.fails(2, "desk", "deny", "--like", every["plan"], "--because", "x", "--yes")
    told = aus.ask("desk", "show", every["dark"])["precedents"]
    assert (told["approved"], told["denied"], len(told["best"])) == (2, 0, 2)
    assert told["best"][0]["because"] == "routine" and "label (lower)" in told["best"][0]["other"]


def test_a_part_is_ruled_on_and_the_rest_waits(aus: Nation) -> None:
    every = numbers(aus)
    told = aus.ask("desk", "approve", every["plan"], "--only", "title", "--because", "the title alone")
    assert (told["state"], told["waits"]) == ("approved", ["its existence", "title"])
    assert numbers(aus)["plan"] == str(told["rest"])
    told = aus.ask("desk", "approve", every["memo"], "--keep", "body", "--because", "not the body")
    assert told["kept"] == ["body"] and "memo" not in numbers(aus)


def test_a_day_is_put_off(aus: Nation) -> None:
    number = numbers(aus)["plan"]
    assert aus.ask("desk", "list")["cases"][0]["due"]
    day = datetime.now(UTC).date() + timedelta(days=30)
    later = aus.ask("desk", "defer", number, "--until", day.isoformat(), "--because", "the office is shut")
    assert datetime.fromtimestamp(later["due"] / 1000, UTC).date() == day + timedelta(days=1)
    assert later["state"] == "open"
    assert "put off until" in aus.run("desk", "show", number).stdout
    for words in (("2020-01-01",), ("soon",)):
        aus.fails(2, "desk", "defer", number, "--until", *words, "--because", "x")
