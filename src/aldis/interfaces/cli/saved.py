"""`aldis saved` and `aldis notices`: searches to ask again, and what they find that is new."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from aldis.interfaces.cli.filtering import filtering, filters_of, paging
from aldis.interfaces.cli.listing import more
from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.searching import HEADINGS, OPTIONAL, found_rows, found_values
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import count, day, moment
from aldis.interfaces.cli.viewers import signed_in
from aldis.node.people import Person
from aldis.node.saved import SavedSearch, Wanted

__all__ = ["notices", "saved"]

_NAME = click.argument("name")
_OWNER = click.option("--as", "viewer", metavar="person:ID", default="", help="Those of a signed-in person.")


@click.group("saved")
def saved() -> None:
    """Searches to ask again. A person has their own, and so has this node's operator."""


@saved.command("add")
@_NAME
@click.argument("text", nargs=-1)
@click.option("--meaning", is_flag=True, help="By what TEXT means.")
@filtering
@_OWNER
@pass_session
def add(session: Session, /, name: str, text: tuple[str, ...], meaning: bool, viewer: str, **given: Any) -> None:
    """Save a search as NAME; what it finds from now on, `aldis notices` tells.

    Without TEXT it finds all that the options let through.
    """
    wanted = Wanted(text=" ".join(text), meaning=meaning, filters=filters_of(session, given))
    one = session.node.saved.add(_who(session, viewer), name, wanted)
    session.out.data(_data(one), f"{name} is saved.")
    session.out.next("`aldis notices`, from time to time")


@saved.command("list")
@_OWNER
@pass_session
def list_(session: Session, viewer: str) -> None:
    """List the saved searches."""
    found = session.node.saved.all(_who(session, viewer))
    rows = [(one.name, _words(one), day(one.at)) for one in found]
    session.out.table({"saved": [_data(one) for one in found]}, ("name", "finds", "saved"), rows)
    if not found:
        session.out.say("Nothing is saved.")
        session.out.next("`aldis saved add NAME TEXT`")


@saved.command("show")
@_NAME
@_OWNER
@pass_session
def show(session: Session, name: str, viewer: str) -> None:
    """Show what the search NAME looks for."""
    one = session.node.saved.get(_who(session, viewer), name)
    session.out.data(_data(one), grid([("name", one.name), ("finds", _words(one)), ("saved", day(one.at))]))


@saved.command("run")
@_NAME
@paging
@_OWNER
@pass_session
def run(session: Session, name: str, viewer: str, cursor: str, limit: int) -> None:
    """List all that the search NAME finds now, read or not."""
    node, who = session.node, _who(session, viewer)
    hits = node.saved.run(who, name, cursor=cursor, limit=limit)
    found = found_values(node, hits.hits)
    session.out.table({"records": found, "next": hits.next}, HEADINGS, found_rows(found), OPTIONAL)
    more(session, found, hits.next, f"`aldis saved show {name}` says what it looks for")


@saved.command("remove")
@_NAME
@_OWNER
@pass_session
def remove(session: Session, name: str, viewer: str) -> None:
    """Forget the search NAME."""
    session.node.saved.remove(_who(session, viewer), name)
    session.out.data({"removed": name}, f"{name} is removed.")


@click.command("notices")
@click.option("--mark", is_flag=True, help="Mark what is listed, and what came before it, as read.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="Records for each search.")
@_OWNER
@pass_session
def notices(session: Session, mark: bool, limit: int, viewer: str) -> None:
    """List what saved searches find that is new: arrived since, and not marked as read.

    What may be seen is judged now. What was marked as read at one level is listed again at another.
    """
    node, who = session.node, _who(session, viewer)
    news = node.saved.news(who, limit=limit)
    data, rows = list[dict[str, Any]](), list[tuple[str, ...]]()
    for one in news:
        found = found_values(node, one.hits)
        problem = str(one.problem.args[0]) if one.problem else ""
        data.append({"name": one.name, "records": found, "more": one.more, "problem": problem})
        rows += [(one.name, *row) for row in found_rows(found)]
        if mark and one.upto:
            node.saved.mark(who, one.name, one.upto)
    session.out.table({"notices": data, "marked": mark}, ("search", *HEADINGS), rows, OPTIONAL)
    for one in news:
        if one.problem:
            session.out.say(f"{one.name}: {one.problem.args[0]}")
            session.out.next(one.problem.fix)
        elif one.more:
            session.out.say(f"{one.name} finds more: `aldis saved run {one.name}` lists all.")
    if not rows:
        session.out.say("Nothing new.")
    elif not mark:
        session.out.next("`aldis notices --mark` marks it as read")
    else:
        session.out.say(f"{count(len(rows), 'notice')} marked as read.")


def _who(session: Session, viewer: str) -> str | Person:
    return signed_in(session, viewer) if viewer else ""


def _data(one: SavedSearch) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(one)
    return {"name": data["name"], **data["wanted"], "at": data["at"]}


def _words(one: SavedSearch) -> str:
    """What a search looks for, in a line."""
    wanted, filters = one.wanted, msgspec.to_builtins(one.wanted.filters)
    parts = [f"like {wanted.text!r}" if wanted.meaning else f"{wanted.text!r}"] if wanted.text else []
    for name, value in filters.items():
        if name.endswith(("_from", "_until")):
            parts.append(f"{name.replace('created', 'written').replace('_', ' ')} {moment(value)}")
        else:
            said = " ".join(value) if name == "at_most" else value if isinstance(value, str) else ", ".join(value)
            parts.append(f"{name.replace('_', ' ')} {said}")
    return "; ".join(parts)
