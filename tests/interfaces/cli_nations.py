"""Nations at their own command lines, who meet by carrying files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from aldis.interfaces.cli.main import cli

ARRANGEMENT = """\
instrument = "arrangement"
id = "pa-northern-watch"
title = "Northern Watch"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2046-12-31

[[clause]]
id = "4.1"
kinds = ["document", "track", "technical-data"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET", US = "SECRET" }
"""


@dataclass(frozen=True)
class Nation:
    """One operator: the folder of the node, and what they type."""

    party: str
    folder: Path

    @property
    def node(self) -> str:
        return self.party.lower()

    @property
    def home(self) -> Path:
        return self.folder / self.node

    def run(self, *args: str, code: int = 0, text: str | None = None) -> Result:
        """Type a command; it must end with that exit code."""
        env = {"ALDIS_HOME": str(self.home), "COLUMNS": "120", "XDG_CONFIG_HOME": str(self.folder / "config")}
        result = CliRunner(env=env).invoke(cli, args, input=text)
        if result.exit_code != code:
            raise AssertionError(
                f"aldis {' '.join(args)}: exit {result.exit_code}, expected {code}\n{result.output}"
            ) from result.exception
        return result

    def ask(self, *args: str, code: int = 0) -> Any:
        """Type a command with --json; what it says on stdout."""
        return json.loads(self.run(*args, "--json", code=code).stdout)

    def fails(self, code: int, *args: str) -> str:
        """Type a command that must end with that exit code; what it says on stderr."""
        said = self.run(*args, code=code).stderr
        assert "Error: " in said, said
        assert "Do:    " in said, said
        assert "Traceback" not in said
        return said

    def write(self, name: str, text: str) -> str:
        """A file beside the node's folder; its path."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)


@dataclass(frozen=True)
class Coalition:
    """Three nations whose folders lie side by side."""

    aus: Nation
    gbr: Nation
    usa: Nation

    @classmethod
    def at(cls, folder: Path) -> Coalition:
        return cls(Nation("AUS", folder), Nation("GBR", folder), Nation("USA", folder))

    def __iter__(self) -> Iterator[Nation]:
        return iter((self.aus, self.gbr, self.usa))


def nation(party: str, folder: Path, ceiling: str = "SECRET") -> Nation:
    """A new node."""
    made = Nation(party, folder)
    made.run("init", party, "--ceiling", ceiling)
    return made


def pair(one: Nation, other: Nation) -> None:
    """Invite and join, each reading the other's fingerprint out."""
    invited = one.ask("invite", other.party, "-o", str(one.folder / f"{one.node}-{other.node}.invite"))
    reply = str(one.folder / f"{other.node}-{one.node}.reply")
    joined = other.ask("join", invited["file"], "--fingerprint", invited["fingerprint"], "-o", reply)
    one.run("join", reply, "--fingerprint", joined["fingerprint"])


def exchange(nations: Iterable[Nation], rounds: int = 3) -> None:
    """Carry files between all of them until nobody has anything to send."""
    everyone = list(nations)
    for _ in range(rounds):
        for one in everyone:
            for other in everyone:
                if one is not other:
                    carry(one, other)


def carry(one: Nation, other: Nation) -> None:
    """Export, import, and the receipts back; the files are gone afterwards."""
    post = one.folder / "post"
    if other.node not in [partner["node"] for partner in one.ask("partner", "list")["partners"]]:
        return
    for file in one.ask("bundle", "export", other.node, "-o", str(post))["files"]:
        for done in other.ask("bundle", "import", file)["files"]:
            if done["receipt"]:
                one.run("bundle", "import", done["receipt"])
                Path(done["receipt"]).unlink()
        Path(file).unlink()


def agree(nations: Iterable[Nation], text: str = ARRANGEMENT, name: str = "pa-northern-watch") -> None:
    """The first drafts an instrument, all sign it, and all hear of that."""
    everyone = list(nations)
    everyone[0].run("instrument", "draft", everyone[0].write(f"{name}.toml", text))
    exchange(everyone, 1)
    for one in everyone:
        one.run("instrument", "sign", name)
    exchange(everyone)


def put_plan(aus: Nation) -> None:
    """A plan of which both partners may have title and body, and only GBR the annex."""
    aus.run(
        *("put", "--kind", "document", "--id", "plan", "--project", "NORTHERN-WATCH"),
        *("--marking", "OFFICIAL//REL AUS/GBR/USA", "--portion", "title=Patrol plan for October"),
        *("--portion", "body=The survey vessel leaves on the 3rd.", "--portion", "annex=Sonar canary settings"),
        *("--portion-marking", "body=SECRET//REL AUS/GBR/USA", "--portion-marking", "annex=SECRET//REL AUS/GBR"),
    )
