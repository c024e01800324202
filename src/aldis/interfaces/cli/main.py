"""The entry point, and the table of commands."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from aldis.interfaces.cli.exits import OK, failure
from aldis.interfaces.cli.lazy import Entry, LazyGroup, load
from aldis.interfaces.cli.session import Session, share
from aldis.interfaces.cli.text import clean

__all__ = ["TABLE", "cli", "main"]

_HERE = "aldis.interfaces.cli"
_HEADINGS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Begin": {
        "demo": ("aldis.interfaces.demo.command:demo", "Three nations, one sea: see it work."),
        "init": (f"{_HERE}.init:init", "Make a node in a folder of its own."),
        "up": ("aldis.interfaces.up:up", "Run the node until Ctrl-C."),
    },
    "Partners": {
        "invite": (f"{_HERE}.pairing:invite", "Write an invitation for another node."),
        "join": (f"{_HERE}.pairing:join", "Pair with the maker of an invitation or reply."),
        "partner": (f"{_HERE}.partner:partner", "List, suspend, resume and see off partners."),
    },
    "People": {
        "person": (f"{_HERE}.person:person", "Add, change, suspend and enrol the people of this node."),
        "sign-in": (f"{_HERE}.signing_in:sign_in", "Begin a session as a person, at a level."),
        "sign-out": (f"{_HERE}.whoami:sign_out", "End the session that `aldis sign-in` began."),
        "whoami": (f"{_HERE}.whoami:whoami", "Who one is here: level, nation, roles, and until when."),
    },
    "Records": {
        "put": (f"{_HERE}.put:put", "Store a record, or the next version of one."),
        "get": (f"{_HERE}.get:get", "Show a record with its markings."),
        "list": (f"{_HERE}.listing:list_", "List records, newest first."),
        "search": (f"{_HERE}.searching:search", "Find records by their words, or by what they mean."),
        "saved": (f"{_HERE}.saved:saved", "Searches to ask again."),
        "notices": (f"{_HERE}.saved:notices", "What saved searches find that is new."),
        "delete": (f"{_HERE}.put:delete", "Write the version that says a record is deleted."),
        "attachments": (f"{_HERE}.attachments:attachments", "Which attachments are under way, and how far."),
        "label": (f"{_HERE}.label:label", "Check the labels of files as other systems write them."),
    },
    "Projects": {
        "project": (
            "aldis.apps.workspace.commands:project",
            "Projects with other nations: tasks, decisions, documents, discussions, days.",
        ),
    },
    "Experiments": {
        "experiment": (
            "aldis.interfaces.joining.group:experiment",
            "Test how systems of several nations work together.",
        ),
    },
    "Release": {
        "why": (f"{_HERE}.why:why", "Why a partner may or may not have a record, and what would change it."),
        "offer": (f"{_HERE}.offer:offer", "Offer a record to a partner now."),
        "desk": (f"{_HERE}.desk:desk", "What waits for a release officer: look at it, and rule."),
        "preview": (f"{_HERE}.preview:preview", "What a draft instrument would newly release, and to whom."),
        "instrument": (
            f"{_HERE}.instrument:instrument",
            "Draft, sign, amend and end the agreements that permit sharing.",
        ),
        "policy": (f"{_HERE}.policy:policy", "The label policies known here; take in another party's (SPIF)."),
        "hold": (f"{_HERE}.hold:hold", "Let nothing of a record leave."),
        "lift": (f"{_HERE}.hold:lift", "Lift a hold."),
        "recall": (f"{_HERE}.recall:recall", "Ask partners to delete what they were sent; answer those who ask."),
    },
    "Exchange by file": {
        "tdf": (f"{_HERE}.tdf:tdf", "Records in OpenTDF containers, for those who have no node."),
        "bundle": (f"{_HERE}.bundle:bundle", "Carry records on a stick, and receipts back."),
        "feed": (f"{_HERE}.feed:feed", "Records one way through a folder, for a diode."),
        "quarantine": (f"{_HERE}.quarantine:quarantine", "Look through what arrived and was not believed."),
    },
    "Proof and upkeep": {
        "ledger": (f"{_HERE}.ledger:ledger", "Verify, prove and replay what this node did."),
        "doctor": (f"{_HERE}.doctor:doctor", "Check the node; each finding with its cause and fix."),
        "retention": (f"{_HERE}.retention:retention", "How long records are kept, and what is due."),
        "inquiry": (
            f"{_HERE}.inquiry:inquiry",
            "Everything that concerns one record or partner, as files with proofs.",
        ),
        "backup": (f"{_HERE}.backup:backup", "Write the whole node to one encrypted file, while it runs."),
        "restore": (f"{_HERE}.backup:restore", "Make a node's folder from a backup."),
        "config": (f"{_HERE}.config:config", "Every setting, its value, and where it came from."),
        "apps": (f"{_HERE}.apps:apps", "The apps installed here, their kinds of record and their commands."),
        "completion": (f"{_HERE}.completion:completion", "Print the completion script for a shell."),
    },
}
TABLE = {
    name: Entry(path, summary, heading)
    for heading, commands in _HEADINGS.items()
    for name, (path, summary) in commands.items()
}


class _Aldis(LazyGroup):
    """The root: every error that a person can act on ends in two lines and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, tell of an error, and exit."""
        session = extra.setdefault("obj", Session())
        extra["prog_name"] = "aldis"
        extra["standalone_mode"] = False
        try:
            code = super().main(*args, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.message, err=True)
            code = error.exit_code
        except Exception as error:
            code = _tell(error, session, [*(extra.get("args") or sys.argv[1:])])
        sys.exit(code if isinstance(code, int) else OK)


def _tell(error: Exception, session: Session, args: list[str]) -> int:
    """Say what went wrong and what to do; a fault of this program goes on as it is."""
    told = failure(error)
    if told is None:
        raise error
    if session.json or "--json" in args:
        body = {"code": told.code, "message": told.message, "fix": told.fix, "exit": told.exit}
        click.echo(json.dumps({"error": body}), err=True)
    else:
        click.echo(f"Error: {clean(told.message)}", err=True)
        click.echo(f"Do:    {clean(session.hint(told.fix))}", err=True)
    return told.exit


def _app_commands() -> dict[str, click.Command]:
    commands: dict[str, click.Command] = load("aldis.interfaces.cli.apps:app_commands")()
    return commands


@click.group(
    cls=_Aldis,
    table=TABLE,
    prepare=share,
    others=_app_commands,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="aldis", message="aldis %(version)s")
def cli() -> None:
    """Allied nations share records, not systems.

    A record travels to a partner only as far as its label and the signed agreements allow. Begin with `aldis demo`,
    or with `aldis init AUS` for a node of your own.
    """


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is read: more only stand in each other's way
    cli.main()
