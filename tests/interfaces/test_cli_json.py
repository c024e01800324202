"""Every command has --json, and what it then writes to stdout is one JSON value."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from cli_nations import ARRANGEMENT, Coalition, Nation, put_plan
from click.testing import CliRunner

from aldis.interfaces.cli.main import TABLE, cli

SAMPLES: dict[str, tuple[str, ...]] = {
    "init": ("--home", "other", "init", "NZL"),
    "invite": ("invite", "NZL"),
    "join": ("join", "nzl-aus.invite", "--fingerprint", "DIGITS"),
    "partner list": ("partner", "list"),
    "partner show": ("partner", "show", "gbr", "--holds"),
    "partner accept-ledger": ("partner", "accept-ledger", "gbr", "--because", "x", "--yes"),
    "partner suspend": ("partner", "suspend", "gbr", "--because", "x"),
    "partner resume": ("partner", "resume", "gbr", "--because", "x"),
    "partner depart": ("partner", "depart", "gbr", "--because", "x"),
    "partner distrust": ("partner", "distrust", "gbr", "--after", "0", "--because", "x"),
    "person add": ("person", "add", "bob", "--clearance", "OFFICIAL"),
    "person list": ("person", "list"),
    "person show": ("person", "show", "alice"),
    "person set": ("person", "set", "alice", "--project", "P"),
    "person suspend": ("person", "suspend", "alice", "--because", "x"),
    "person unbind": ("person", "unbind", "alice"),
    "person resume": ("person", "resume", "alice", "--because", "x"),
    "person enrol": ("person", "enrol", "alice", "--new-code"),
    "person sessions": ("person", "sessions"),
    "person revoke": ("person", "revoke", "alice"),
    "sign-in": ("sign-in", "alice"),
    "sign-out": ("sign-out", "alice"),
    "whoami": ("whoami",),
    "put": ("put", "--kind", "document", "--marking", "OFFICIAL", "--portion", "title=T"),
    "get": ("get", "plan"),
    "list": ("list",),
    "search": ("search", "canary"),
    "saved add": ("saved", "add", "new", "canary", "--kind", "document"),
    "saved list": ("saved", "list"),
    "saved show": ("saved", "show", "known"),
    "saved run": ("saved", "run", "known"),
    "saved remove": ("saved", "remove", "known"),
    "notices": ("notices", "--mark"),
    "delete": ("delete", "plan"),
    "why": ("why", "plan", "usa"),
    "offer": ("offer", "plan", "usa"),
    "desk list": ("desk", "list"),
    "desk show": ("desk", "show", "1"),
    "desk approve": ("desk", "approve", "1", "--because", "x"),
    "desk deny": ("desk", "deny", "1", "--because", "x"),
    "desk defer": ("desk", "defer", "1", "--until", "2046-01-01", "--because", "x"),
    "preview": ("preview", "new.toml"),
    "instrument draft": ("instrument", "draft", "new.toml"),
    "instrument amend": ("instrument", "amend", "same.toml"),
    "instrument sign": ("instrument", "sign", "pa-northern-watch"),
    "instrument show": ("instrument", "show", "pa-northern-watch"),
    "instrument list": ("instrument", "list"),
    "instrument terminate": ("instrument", "terminate", "pa-northern-watch", "--on", "2046-01-01"),
    "instrument leave": ("instrument", "leave", "pa-northern-watch", "--on", "2046-01-01"),
    "hold": ("hold", "plan", "--because", "x"),
    "lift": ("lift", "held", "--because", "x"),
    "bundle export": ("bundle", "export", "usa", "-o", "out"),
    "bundle import": ("bundle", "import", "in"),
    "bundle show": ("bundle", "show", "in/file.bundle"),
    "feed out": ("feed", "out", "usa", "spool", "--once"),
    "feed in": ("feed", "in", "in", "--once"),
    "feed again": ("feed", "again", "usa", "again", "--from", "5", "--to", "5"),
    "feed forget": ("feed", "forget", "usa", "--to", "5"),
    "quarantine list": ("quarantine", "list"),
    "quarantine show": ("quarantine", "show", "1"),
    "quarantine retry": ("quarantine", "retry", "1"),
    "quarantine drop": ("quarantine", "drop", "1", "--because", "x"),
    "ledger verify": ("ledger", "verify"),
    "ledger prove": ("ledger", "prove", "0"),
    "ledger check": ("ledger", "check", "leaf.proof"),
    "ledger replay": ("ledger", "replay"),
    "ledger show": ("ledger", "show"),
    "label verify": ("label", "verify", "files/plan.md"),
    "policy list": ("policy", "list"),
    "policy show": ("policy", "show", "UK"),
    "policy import": ("policy", "import", "example.xml", "--party", "CHE"),
    "policy accept": (
        "policy",
        "accept",
        "OTHER",
        "--to",
        "AUS",
        "--level",
        "CLOSED=SECRET",
        "--as",
        "protect",
        "--because",
        "x",
    ),
    "tdf key": ("tdf", "key", "another"),
    "tdf export": ("tdf", "export", "plan", "usa", "-o", "out.tdf", "--kas", "kas.pem"),
    "tdf policy": ("tdf", "policy", "usa", "--marking", "OFFICIAL", "--kind", "document"),
    "label sign": ("label", "sign", "files/plan.md"),
    "attachments retry": ("attachments", "retry", "plan"),
    "tdf open": ("tdf", "open", "plan.tdf", "--kas-key", "kas.key", "--for", "usa", "-o", "plan.md"),
    "recall ask": ("recall", "ask", "plan", "--because", "x"),
    "recall show": ("recall", "show", "plan"),
    "recall list": ("recall", "list"),
    "recall comply": ("recall", "comply", "1", "--because", "x"),
    "recall refuse": ("recall", "refuse", "1", "--because", "x"),
    "retention show": ("retention", "show"),
    "retention run": ("retention", "run", "--dry-run"),
    "inquiry record": ("inquiry", "record", "plan", "-o", "told"),
    "inquiry partner": ("inquiry", "partner", "gbr", "-o", "told"),
    "inquiry verify": ("inquiry", "verify", "known"),
    "backup": ("backup", "new.backup", "--passphrase-file", "words"),
    "restore": ("--home", "new", "restore", "aus.backup", "--passphrase-file", "words"),
    "doctor": ("doctor",),
    "config": ("config",),
    "apps": ("apps",),
    "completion": ("completion", "bash"),
}
SPIF = (Path(__file__).parents[1] / "kernel" / "example.spif.xml").read_text("utf-8")
PASSWORD = "correct horse battery"
RUNS_ON = {"up", "demo"}
NOTHING_THERE = {"quarantine show", "quarantine retry", "quarantine drop", "recall comply", "recall refuse"}
NOTHING_THERE |= {"desk show", "desk approve", "desk deny", "desk defer"}


def leaves() -> Iterator[str]:
    ctx = click.Context(cli)
    for name in TABLE.keys() - {"project", "experiment"}:  # tests/apps has those
        command = cli.get_command(ctx, name)
        below = command.commands if isinstance(command, click.Group) else {}
        yield from [f"{name} {word}" for word in below] or [name]


def test_every_command_has_a_sample_here() -> None:
    assert set(leaves()) - RUNS_ON == SAMPLES.keys()


def prepare(aus: Nation, gbr: Nation) -> str:
    """All that the samples need; the digits of an invitation."""
    put_plan(aus)
    aus.run("put", "--kind", "document", "--id", "held", "--marking", "OFFICIAL", "--portion", "title=T")
    aus.run("hold", "held", "--because", "x")
    aus.run("saved", "add", "known", "canary")
    code = aus.ask("person", "add", "alice", "--clearance", "SECRET")["code"]
    aus.run("person", "enrol", "alice", text=f"{code}\n{PASSWORD}\n")
    Path("new.toml").write_text(ARRANGEMENT.replace("pa-northern-watch", "pa-new"), "utf-8")
    Path("same.toml").write_text(ARRANGEMENT, "utf-8")
    aus.run("ledger", "prove", "0", "-o", "leaf.proof")
    aus.run("bundle", "export", "gbr", "-o", "sent")
    aus.run("inquiry", "record", "plan", "-o", "known")
    Path("words").write_text("correct horse battery staple", "utf-8")
    aus.run("backup", "aus.backup", "--passphrase-file", "words")
    aus.run("get", "plan", "--export", "files")
    Path("other.xml").write_text(SPIF.replace("EXAMPLE", "OTHER"), "utf-8")
    aus.run("policy", "import", "other.xml", "--party", "AUT")
    Path("example.xml").write_text(SPIF, "utf-8")
    aus.run("tdf", "key", "kas", "--kind", "ec:secp256r1")
    aus.run("tdf", "export", "plan", "usa", "-o", "plan.tdf", "--kas", "kas.pem")
    gbr.run("put", "--kind", "document", "--id", "reply", "--project", "NORTHERN-WATCH", "--marking",
            "OFFICIAL – UK / AUS EYES ONLY", "--portion", "title=Reply")  # fmt: skip
    Path(gbr.ask("bundle", "export", "aus", "-o", "in")["files"][0]).rename("in/file.bundle")
    aus.run("feed", "out", "usa", "fed", "--once")
    nzl = Nation("NZL", aus.folder)
    nzl.run("init", "NZL")
    return str(nzl.ask("invite", "AUS")["fingerprint"])


@pytest.fixture(scope="module")
def _prepared(_paired: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copytree(_paired, folder, dirs_exist_ok=True)
    coalition = Coalition.at(folder)
    with contextlib.chdir(folder):
        return folder, prepare(coalition.aus, coalition.gbr)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_json_of_every_command_parses(
    _prepared: tuple[Path, str], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, digits = _prepared
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    words = [word.replace("DIGITS", digits) for word in SAMPLES[name]]
    done = CliRunner(env={"ALDIS_HOME": "aus"}).invoke(cli, [*words, "--json"], input=f"{PASSWORD}\n")
    if name in NOTHING_THERE:
        assert (done.exit_code, done.stdout) == (2, "")
        assert json.loads(done.stderr)["error"]["code"] == "unknown-term"
        return
    assert done.exit_code == 0, done.output
    json.loads(done.stdout)
    assert done.stderr == "", "nothing but data is said under --json"
