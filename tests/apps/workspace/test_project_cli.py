"""`aldis project`, typed at a command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

sys.path.append(str(Path(__file__).parents[2] / "interfaces"))

from cli_nations import Nation, nation

from aldis.apps.workspace.commands import project as group

MARK = "OFFICIAL//REL AUS/GBR"


@pytest.fixture
def aus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nation:
    monkeypatch.chdir(tmp_path)
    made = nation("AUS", tmp_path)
    made.run(
        *("project", "start", "REEF", "--template", "bilateral", "--with", "GBR", "--title", "Reef survey"),
        *("--purpose", "To map the reef", "--marking", MARK, "--yes"),
    )
    return made


def test_a_project_is_run_from_its_start_to_its_files(aus: Nation, tmp_path: Path) -> None:
    assert 'parties = ["AUS", "GBR"]' in (tmp_path / "pa-reef.toml").read_text()
    aus.run("instrument", "draft", "pa-reef.toml")
    [listed] = aus.ask("project", "list")["projects"]
    assert (listed["project"], listed["parties"], listed["marking"]) == ("REEF", "AUS, GBR", MARK)
    ready = aus.ask("project", "milestone", "add", "REEF", "Ready", "--due", "2026-12-01")["id"]
    task = aus.ask(
        *("project", "task", "add", "REEF", "Charter a ship", "--details", "30 m", "--due", "2026-10-31"),
        *("--owner", "AUS", "--milestone", ready, "--portion-marking", "details=PROTECTED//AGAO"),
    )
    assert task["portions"]["details"] == "PROTECTED//AGAO" and task["marking"] == MARK
    aus.run("project", "task", "doing", task["id"], "--note", "two offers")
    aus.run("project", "post", "reply", task["id"], "Take the second", "--marking", MARK)
    aus.run("project", "post", "add", "REEF", "Weather", "When is the season?")
    decision = aus.ask("project", "decision", "add", "REEF", "Go in May?")["id"]
    aus.run("project", "decision", "agree", decision)
    aus.run("project", "event", "add", "REEF", "Meeting", "--at", "2026-10-05T09:00", "--place", "Perth")
    aus.run("project", "document", "add", "REEF", "Plan", "--body", "First this.")
    aus.run("project", "member", "add", "REEF", "Kit Example", "--role", "lead")
    aus.run("project", "member", "add", "REEF", "Robin Example")
    assert "AUS: (O" in aus.run("project", "members", "REEF").output
    shown = aus.run("project", "item", task["id"]).output
    assert "state: doing" in shown and "Take the second" in shown and "two offers" in shown
    board = {item["kind"]: item for item in aus.ask("project", "board", "REEF")["items"]}
    assert board["task"]["state"] == "doing" and board["decision"]["state"] == "agreed"
    assert len(board["task"]["replies"]) == 1
    days = [entry["first"] for entry in aus.ask("project", "calendar", "REEF")["calendar"]]
    assert days == ["2026-10-05", "2026-10-31", "2026-12-01"]
    aus.run("project", "calendar", "REEF", "-o", "reef.ics")
    assert b"BEGIN:VCALENDAR" in (tmp_path / "reef.ics").read_bytes()
    assert aus.ask("project", "activity", "REEF", "--new")["activity"]
    aus.run("project", "activity", "REEF", "--read")
    assert aus.ask("project", "activity", "REEF", "--new")["activity"] == []
    assert "nothing new" in aus.run("project", "show", "REEF").output
    aus.run("project", "export", "REEF", "out")
    planned = aus.ask("project", "import", "FRESH", "out", "--dry-run")
    assert not planned["written"] and planned["items"]
    aus.fails(2, "project", "show", "FRESH")
    assert aus.ask("project", "import", "FRESH", "out")["written"]
    assert len(aus.ask("project", "board", "FRESH")["items"]) == len(aus.ask("project", "board", "REEF")["items"])


def test_a_person_works_as_themselves(aus: Nation) -> None:
    aus.run("project", "task", "add", "REEF", "Ours", "--marking", "PROTECTED")
    code = aus.ask(
        *("person", "add", "alice", "--name", "Alice Example", "--clearance", "SECRET", "--project", "REEF"),
        *("--role", "originator"),
    )["code"]
    aus.run("person", "enrol", "alice", text=f"{code}\ncorrect horse battery\n")
    aus.run("sign-in", "alice", "--level", "OFFICIAL", text="correct horse battery\n")
    items = aus.ask("project", "board", "REEF", "--as", "person:alice")["items"]
    assert [item["kind"] for item in items] == ["charter"]
    made = aus.ask("project", "task", "add", "REEF", "Mine", "--as", "person:alice")["id"]
    assert aus.ask("project", "item", made)["author"] == "alice"
    assert "could not read" in aus.fails(
        3, "project", "task", "add", "REEF", "High", "--marking", "SECRET", "--as", "person:alice"
    )
    assert "nobody is signed in" in aus.fails(4, "project", "board", "REEF", "--as", "person:bob")


SAMPLES = (
    "list", "show REEF", "board REEF", "item TASK", "members REEF", "activity REEF --mine", "calendar REEF",
    "start SEA --template bilateral --with GBR --title Sea --marking OFFICIAL --yes", "extend REEF --to NZL --yes",
    "task add REEF T", "task doing TASK", "task block TASK", "task done TASK", "task drop TASK", "task reopen TASK",
    "milestone add REEF M", "milestone done MILESTONE", "milestone drop MILESTONE", "milestone reopen MILESTONE",
    "decision add REEF D", "decision agree DECISION", "decision reject DECISION", "decision drop DECISION",
    "decision reopen DECISION", "event add REEF E --at 2026-10-05", "post add REEF P text", "post reply TASK text",
    "document add REEF D --body text", "member add REEF N", "export REEF out", "import REEF todo.csv --dry-run",
)  # fmt: skip


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The commands below one that are no groups."""
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    for name, below in command.commands.items():
        yield from leaves(below, (*path, name))


def test_every_command_writes_one_json_value(aus: Nation, tmp_path: Path) -> None:
    assert sorted(leaves(group)) == sorted(
        next(leaf for leaf in leaves(group) if f"{sample} ".startswith(f"{leaf} ")) for sample in SAMPLES
    )
    ids = {
        kind.upper(): aus.ask("project", kind, "add", "REEF", "X")["id"] for kind in ("task", "milestone", "decision")
    }
    (tmp_path / "todo.csv").write_text("title\nOne\n")
    for sample in SAMPLES:
        words = [ids.get(word, word) for word in sample.split()]
        if words[0] == "extend":  # nobody is paired: an error is JSON as well
            error = json.loads(aus.run("project", *words, "--json", code=2).stderr)
            assert "no node of NZL" in error["error"]["message"]
        else:
            aus.ask("project", *words)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["show", "NOWHERE"], "no project 'NOWHERE' here"),
        (["task", "done", "nothing"], "no record 'nothing' here"),
        (["task", "add", "REEF", "x", "--marking", "SECRRET"], "SECRRET"),
        (["task", "add", "REEF", "x", "--due", "soon"], "no day"),
        (["task", "add", "REEF", "x", "--portion-marking", "details"], "NAME=MARKING"),
        (["event", "add", "REEF", "x", "--at", "noon"], "no day or time"),
        (["start", "REEF", "--template", "bilateral", "--with", "GBR", "--title", "x", "--yes"], "already"),
        (["start", "SEA", "--template", "bilateral", "--with", "GBR", "--title", "x"], "nobody is there to be asked"),
        (["extend", "REEF", "--to", "NZL", "--yes"], "no node of NZL is paired"),
        (["import", "REEF", "pa-reef.toml"], "neither Markdown nor CSV"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(aus: Nation, typed: list[str], said: str) -> None:
    result = aus.run("project", *typed, code=2 if "nobody" not in said else 5)
    assert said in result.stderr.replace("\n", " ")
