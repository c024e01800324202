"""People at the command line: added, enrolled, signed in, and shown no more than they may see."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cli_nations import Nation, nation

PASSWORD = "correct horse battery"


@pytest.fixture
def aus(tmp_path: Path) -> Nation:
    made = nation("AUS", tmp_path)
    for name, marking in (("open", "OFFICIAL"), ("secret", "SECRET")):
        made.run("put", "--kind", "document", "--id", name, "--project", "P", "--marking", marking,
                 "--portion", f"title=canary {name}")  # fmt: skip
    code = made.ask("person", "add", "alice", "--clearance", "SECRET", "--project", "P")["code"]
    made.run("person", "enrol", "alice", text=f"{code}\n{PASSWORD}\n")
    return made


def ids(aus: Nation, *words: str) -> set[str]:
    return {one["id"] for one in aus.ask(*words)["records"]}


def test_a_person_sees_what_the_level_they_signed_in_at_allows(aus: Nation) -> None:
    assert ids(aus, "list") == {"open", "secret"}
    assert "is not" not in aus.fails(4, "list", "--as", "person:alice")
    for level, seen in (("OFFICIAL", {"open"}), ("AUS:SECRET", {"open", "secret"})):
        aus.run("sign-in", "alice", "--level", level, text=f"{PASSWORD}\n")
        assert ids(aus, "list", "--as", "person:alice") == ids(aus, "search", "canary", "--as", "person:alice") == seen
    aus.run("sign-in", "alice", "--level", "OFFICIAL: Sensitive", text=f"{PASSWORD}\n")
    told = aus.fails(2, "get", "secret", "--as", "person:alice").replace("secret", "ID")
    assert told == aus.fails(2, "get", "nothing", "--as", "person:alice").replace("nothing", "ID")
    assert "canary open" in aus.run("get", "open", "--as", "person:alice").stdout


def test_the_token_is_kept_where_only_its_owner_reads_it_and_never_said(aus: Nation) -> None:
    result = aus.run("sign-in", "alice", text=f"{PASSWORD}\n")
    (file,) = (aus.folder / "config" / "aldis" / "sessions").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    token = file.read_text().strip()
    assert len(token) >= 43 and token not in result.output and PASSWORD not in result.output


def test_a_revoked_or_suspended_person_is_out_at_once(aus: Nation) -> None:
    aus.run("sign-in", "alice", text=f"{PASSWORD}\n")
    assert len(aus.ask("person", "sessions", "alice")["sessions"]) == 1
    aus.run("person", "revoke", "alice")
    aus.fails(4, "list", "--as", "person:alice")
    aus.run("person", "suspend", "alice", "--because", "left")
    said = aus.run("sign-in", "alice", text=f"{PASSWORD}\n", code=4).stderr
    assert said == aus.run("sign-in", "nobody", text=f"{PASSWORD}\n", code=4).stderr
    assert aus.ask("person", "list")["people"][0]["status"] == "suspended"
    shown = {one["type"] for one in aus.ask("ledger", "show")["leaves"]}
    assert {"person", "sign-in"} <= shown


def test_a_guest_has_a_sponsor_and_a_last_day_and_one_session_is_ended_alone(aus: Nation) -> None:
    guest = (
        "person",
        "add",
        "acme",
        "--clearance",
        "OFFICIAL",
        "--role",
        "guest",
        "--project",
        "P",
        "--kind",
        "document",
    )
    aus.fails(2, *guest, "--sponsor", "nobody")
    code = aus.ask(*guest, "--sponsor", "alice", "--until", "2199-03-31")["code"]
    aus.run("person", "enrol", "acme", text=f"{code}\n{PASSWORD}\n")
    shown = aus.run("person", "show", "acme").stdout
    assert "alice" in shown and "2199-03-31" in shown
    for _ in range(2):
        aus.run("sign-in", "acme", text=f"{PASSWORD}\n")
    first, second = aus.ask("person", "sessions", "acme")["sessions"]
    assert aus.ask("person", "revoke", "acme", "--session", first["session"])["ended"] == 1
    assert aus.ask("person", "sessions", "acme")["sessions"] == [second]
    aus.fails(2, "person", "revoke", "acme", "--session", first["session"])
    assert aus.ask("person", "set", "acme", "--until", "2020-01-01")["status"] == "ended"
    aus.run("sign-in", "acme", text=f"{PASSWORD}\n", code=4)
    assert aus.ask("person", "sessions")["sessions"] == []
    assert aus.ask("person", "set", "acme", "--until", "")["status"] == "active"
    leaves = aus.ask("ledger", "show", "--person", "acme", "--type", "person", "--last", "50")["leaves"]
    assert leaves and {one["subject"] for one in leaves} == {"acme"}
    labels = aus.ask("ledger", "show", "--record", "open", "--type", "label")["leaves"]
    assert len(labels) == 1 and aus.ask("ledger", "show", "--until", "2020-01-01")["leaves"] == []
    aus.fails(2, "ledger", "show", "--since", "yesterday")


def test_what_cannot_be_is_refused_with_the_next_step(aus: Nation) -> None:
    for words in (
        ("person", "add", "alice", "--clearance", "SECRET"), ("person", "add", "Bob", "--clearance", "SECRET"),
        ("person", "add", "bob"), ("person", "add", "bob", "--clearance", "HIGH"), ("person", "show", "bob"),
        ("person", "set", "alice", "--role", "king"), ("person", "set", "alice", "--category", "X"),
        ("person", "sessions", "bob"), ("person", "enrol", "bob", "--new-code"),
        ("desk", "approve", "1", "--because", "x", "--as", "x"), ("desk", "list", "--as", "x"),
    ):  # fmt: skip
        aus.fails(2, *words)
    aus.run("sign-in", "alice", "--level", "TOP SECRET", text=f"{PASSWORD}\n", code=3)
    assert aus.ask("person", "set", "alice", "--role", "auditor")["roles"] == ["auditor"]
    assert aus.ask("person", "set", "alice", "--role", "", "--project", "")["roles"] == []


def test_one_is_told_who_one_is_and_signs_out(aus: Nation) -> None:
    aus.fails(4, "whoami", "--as", "person:alice")
    aus.fails(2, "whoami", "--as", "alice")
    assert aus.ask("whoami")["operator"] and "everything" in aus.run("whoami").stdout
    aus.run("sign-in", "alice", "--level", "OFFICIAL", text=f"{PASSWORD}\n")
    told = aus.ask("whoami", "--as", "person:alice")
    assert (told["person"], told["level"], told["nationality"]) == ("alice", {"AUS": "OFFICIAL"}, "AUS")
    assert 0 < told["until"] - time.time() * 1000 <= 30 * 60_000 and told["roles"] == []
    (file,) = (aus.folder / "config" / "aldis" / "sessions").iterdir()
    token = file.read_text()
    assert aus.ask("sign-out", "alice")["signed_out"] and not file.exists()
    assert aus.ask("person", "sessions", "alice")["sessions"] == []
    file.write_text(token)  # a copy of it opens nothing
    aus.fails(4, "whoami", "--as", "person:alice")
    file.unlink()
    assert not aus.ask("sign-out", "alice")["signed_out"] and not aus.ask("sign-out", "nobody")["signed_out"]


def test_a_person_puts_revises_and_deletes_as_themselves_and_only_what_they_could_read(aus: Nation) -> None:
    words = ("put", "--kind", "document", "--project", "P", "--as", "person:alice", "--portion", "title=plan")
    aus.run("sign-in", "alice", "--level", "OFFICIAL", text=f"{PASSWORD}\n")
    assert "originator" in aus.fails(3, *words, "--marking", "OFFICIAL")
    aus.run("person", "set", "alice", "--role", "originator")
    assert "could not read" in aus.fails(3, *words, "--marking", "SECRET")
    for taken in ("open", "secret", "free"):
        assert "Leave it out" in aus.fails(2, *words, "--marking", "OFFICIAL", "--id", taken)
    told = [
        aus.fails(2, *words, "--marking", "OFFICIAL", "--source", name).replace(name, "ID")
        for name in ("secret", "absent")
    ]
    assert told[0] == told[1]
    made = aus.ask(*words, "--marking", "OFFICIAL", "--source", "open")["id"]
    assert aus.ask("get", made)["author"] == "alice"
    told = [
        aus.fails(2, "put", "--revise", name, "--portion", "title=x", "--as", "person:alice").replace(name, "ID")
        for name in ("secret", "absent")
    ]
    assert told[0] == told[1]
    assert aus.ask("put", "--revise", made, "--portion", "title=new", "--as", "person:alice")["version"] == 2
    assert "did not write" in aus.fails(3, "delete", "open", "--as", "person:alice")
    assert aus.ask("delete", made, "--as", "person:alice")["deleted"]
    assert "administrator" in aus.fails(3, "person", "list", "--as", "person:alice")


def test_a_person_holds_and_lifts_by_their_role_what_they_see(aus: Nation) -> None:
    code = aus.ask("person", "add", "olga", "--clearance", "SECRET", "--project", "P", "--role", "release-officer")[
        "code"
    ]
    aus.run("person", "enrol", "olga", text=f"{code}\n{PASSWORD}\n")
    for who in ("alice", "olga"):
        aus.run("sign-in", who, "--level", "OFFICIAL", text=f"{PASSWORD}\n")
    because = ("--because", "an inquiry")
    for verb in ("hold", "lift"):
        assert "no role that allows this" in aus.fails(3, verb, "open", *because, "--as", "person:alice")
        above = aus.fails(2, verb, "secret", *because, "--as", "person:olga").replace("secret", "ID")
        assert above == aus.fails(2, verb, "nothing", *because, "--as", "person:olga").replace("nothing", "ID")
        assert aus.ask(verb, "open", *because, "--as", "person:olga")["held"] is (verb == "hold")
    aus.fails(2, "lift", "open", *because, "--as", "person:olga")
    found = [leaf for leaf in aus.ask("ledger", "show")["leaves"] if leaf["type"] == "hold"]
    assert [(leaf["verdict"], leaf["actor"], leaf["subject"]) for leaf in found] == [
        ("held", "olga", "open"), ("lifted", "olga", "open"),
    ]  # fmt: skip
