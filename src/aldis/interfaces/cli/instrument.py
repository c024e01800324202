"""`aldis instrument`: the signed, dated documents that permit sharing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aldis.interfaces.cli.exits import FAILED
from aldis.interfaces.cli.files import read_text
from aldis.interfaces.cli.preview import preview_data, preview_lines
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import day, listed, midnight
from aldis.kernel.instruments import Effect, Status
from aldis.kernel.instruments.clauses import DAY_MS
from aldis.kernel.records import Record

__all__ = ["instrument"]

_FILE = click.argument("file", type=click.Path(path_type=Path))
_ON = click.option("--on", metavar="DATE", required=True, help="The first day (UTC) on which it no longer stands.")
_AUTHOR = click.option("--author", metavar="NAME", help="Who does it; travels with the record.  [default: the node]")


@click.group("instrument")
def instrument() -> None:
    """Agreements, arrangements, licences and exemptions: draft, sign, amend and end them.

    An instrument is TOML that people write; it permits nothing until every party to it has signed.
    """


@instrument.command("draft")
@_FILE
@_AUTHOR
@pass_session
def draft(session: Session, file: Path, author: str | None) -> None:
    """Send the instrument in FILE to its parties to read and sign, and say what it would newly release."""
    text = read_text(file)
    _put(session, session.node.register.draft(text, author or session.node.name), text)


@instrument.command("amend")
@_FILE
@_AUTHOR
@pass_session
def amend(session: Session, file: Path, author: str | None) -> None:
    """Send the next version of an instrument; the one before stands until all have signed the new one."""
    text = read_text(file)
    _put(session, session.node.register.amend(text, author or session.node.name), text)


@instrument.command("sign")
@click.argument("id_", metavar="ID")
@click.option("--yes", is_flag=True, help="Sign without asking.")
@_AUTHOR
@pass_session
def sign(session: Session, id_: str, yes: bool, author: str | None) -> None:
    """Sign the newest version of instrument ID for this node's party, once you have seen what it releases."""
    register = session.node.register
    for line in preview_lines(register.preview(register.text(id_))):
        session.out.say(line)
    if not yes and session.out.ask(f"Sign {id_} for {session.node.core.party}?") is False:
        session.out.say("Not signed.")
        click.get_current_context().exit(FAILED)
    register.sign(id_, author or session.node.name)
    status = register.status(id_)
    session.out.data(_data(id_, status), f"Signed. {status.text}.")
    session.out.next("`aldis up` tells the other parties, or `aldis bundle export NODE -o DIR` writes it to files")


@instrument.command("show")
@click.argument("id_", metavar="ID")
@click.option("--text", "text_only", is_flag=True, help="Only its TOML, to mend and amend.")
@pass_session
def show(session: Session, id_: str, text_only: bool) -> None:
    """Show where instrument ID stands, who signed which version, and its text."""
    node = session.node
    text = node.register.text(id_)
    if text_only:
        session.out.lines({"id": id_, "text": text}, [text.rstrip("\n")])
        return
    status = node.register.status(id_)
    versions = node.epochs.current().instruments.versions(id_)
    lines = [f"{status.text}."]
    for entry in versions:
        signed = listed(sorted(entry.signed)) or "nobody"
        days = f"{day(entry.instrument.start)} to {day(entry.instrument.end - DAY_MS)}"
        lines.append(f"version {entry.version}: {days}, signed by {signed}, digest {entry.digest.hex()}")
    session.out.lines({**_data(id_, status), "text": text}, [*lines, "", text.rstrip("\n")])


@instrument.command("list")
@pass_session
def list_(session: Session) -> None:
    """List the instruments held here and where each stands."""
    node = session.node
    instruments = node.epochs.current().instruments
    rows, found = [], []
    for name in instruments.ids():
        status, newest = node.register.status(name), instruments.versions(name)[-1].instrument
        days = f"{day(newest.start)} to {day(newest.end - DAY_MS)}"
        parties = sorted(newest.parties)
        rows.append((name, newest.form.value, str(status.version), status.state.value, listed(parties), days,
                     listed(status.missing)))  # fmt: skip
        found.append({**_data(name, status), "form": newest.form.value, "title": newest.title, "parties": parties,
                      "from": newest.start, "until": newest.end})  # fmt: skip
    headings = ("id", "form", "v", "state", "parties", "days", "to sign")
    session.out.table({"instruments": found}, headings, rows, ("v", "form", "days"))
    if not found:
        session.out.say("No instrument is held here.")
        session.out.next("`aldis invite PARTY`, then `aldis instrument draft FILE`")


@instrument.command("terminate")
@click.argument("id_", metavar="ID")
@_ON
@_AUTHOR
@pass_session
def terminate(session: Session, id_: str, on: str, author: str | None) -> None:
    """End instrument ID for all its parties from a day on."""
    _end(session, id_, Effect.TERMINATE, on, author)


@instrument.command("leave")
@click.argument("id_", metavar="ID")
@_ON
@_AUTHOR
@pass_session
def leave(session: Session, id_: str, on: str, author: str | None) -> None:
    """Leave instrument ID from a day on; it stands for the others while two remain."""
    _end(session, id_, Effect.LEAVE, on, author)


def _end(session: Session, name: str, effect: Effect, on: str, author: str | None) -> None:
    node, at = session.node, midnight(on)
    node.register.end(name, effect, at, author or node.name)
    status = node.register.status(name)
    word = "ends" if effect is Effect.TERMINATE else f"no longer binds {node.core.party}"
    session.out.data({**_data(name, status), "on": at}, f"{name} {word} from {on} (UTC).")
    session.out.next("`aldis up` tells the other parties, or `aldis bundle export NODE -o DIR` writes it to files")


def _put(session: Session, record: Record, text: str) -> None:
    node, name = session.node, record.header.id
    found = node.register.preview(text)
    data = {"id": name, "version": record.header.version, "digest": record.digest.hex(), "preview": preview_data(found)}
    session.out.lines(data, [f"{name}  version {record.header.version}, not yet signed by anyone"])
    for line in preview_lines(found):
        session.out.say(line)
    if found.gains:
        session.out.say("Read that before you sign: once all have signed, it leaves with the next exchange.")
    session.out.next(f"`aldis instrument sign {name}`, and each other party does the same at its node")


def _data(name: str, status: Status) -> dict[str, Any]:
    return {
        "id": name, "version": status.version, "state": status.state.value, "missing": [*status.missing],
        "text": status.text,
    }  # fmt: skip
