"""`aldis person`: who may work at this node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click
import msgspec

from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.session import BECAUSE, BY, Session, pass_session
from aldis.interfaces.cli.signing_in import rungs, secret
from aldis.interfaces.cli.text import DAY_MS, count, day, listed, midnight, moment
from aldis.kernel.authority import Role
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.node.people import Account

__all__ = ["person"]

_PERSON = click.argument("who", metavar="PERSON")
_Command = Callable[..., None]


@click.group("person")
def person() -> None:
    """The people of this node: what they are cleared for, what they may do, and their sessions."""


def _fields(command: _Command) -> _Command:
    """The options that say who somebody is."""
    for option in (
        click.option("--role", "roles", multiple=True, metavar="ROLE",
                     help=f"What they are: {', '.join(role.value for role in Role)}; repeatable."),
        click.option("--kind", "kinds", metavar="KIND", multiple=True, help="Only this kind; repeatable."),
        click.option("--project", "projects", metavar="P", multiple=True,
                     help="A project they belong to, * for all; repeatable."),
        click.option("--category", "categories", metavar="TAG=VALUE", multiple=True,
                     help="A value of a category they may see, * for all; repeatable."),
        click.option("--clearance", metavar="[POLICY:]RUNG", multiple=True, help="The highest they may see."),
        click.option("--until", metavar="DAY", help="The last day on which the account opens, blank for none."),
        click.option("--sponsor", metavar="PERSON", help="Who answers here for a guest."),
        click.option("--nationality", metavar="PARTY", help="Their nation: ISO 3166 alpha-3."),
        click.option("--organisation", metavar="TEXT", help="Where they work."),
        click.option("--name", metavar="TEXT", help="What they are called."),
    ):  # fmt: skip
        command = option(command)
    return command


@person.command("add")
@_PERSON
@_fields
@BY
@pass_session
def add(session: Session, /, who: str, **given: Any) -> None:
    """Add PERSON, and print a code that opens the account once, within three days.

    Without more, they are of this node's party and see nothing of any project.
    """
    node = session.node
    blank = Account(id=who, name=who, nationality=node.core.party, clearance={})
    account = _changed(session, blank, given)
    code = node.people.add(account, session.by)
    session.out.data({**_data(session, account), "code": code}, f"{who} is added. Enrolment code: {code}")
    session.out.next(f"give the code to {who}, who runs `aldis person enrol {who}`")


@person.command("list")
@BY
@pass_session
def list_(session: Session) -> None:
    """List the people of this node."""
    found = [_data(session, account) for account in session.node.people.all(session.by)]
    rows = [
        (one["id"], one["name"], one["nationality"], _words(one["clearance"]), ", ".join(one["roles"]), one["status"])
        for one in found
    ]
    headings = ("id", "name", "nation", "clearance", "roles", "status")
    session.out.table({"people": found}, headings, rows, ("name",))
    if not found:
        session.out.say("Nobody yet.")
        session.out.next("`aldis person add PERSON --clearance RUNG`")


@person.command("show")
@_PERSON
@BY
@pass_session
def show(session: Session, who: str) -> None:
    """Show what is known of PERSON."""
    _show(session, session.node.people.get(who, session.by))


@person.command("set")
@_PERSON
@_fields
@BY
@pass_session
def set_(session: Session, /, who: str, **given: Any) -> None:
    """Change what is known of PERSON; each list that is given replaces the one before, and "" empties it.

    Sessions have less from their next request on, where there is less to have.
    """
    account = _changed(session, session.node.people.get(who, session.by), given)
    _show(session, session.node.people.set(account, session.by))


@person.command("suspend")
@_PERSON
@BECAUSE
@BY
@pass_session
def suspend(session: Session, who: str, because: str) -> None:
    """Let PERSON do nothing any more, from now on; their sessions are over."""
    account = session.node.people.suspend(who, because, session.by)
    session.out.data(_data(session, account), f"{who} is suspended.")
    session.out.next(f"`aldis person resume {who} --because TEXT` ends that")


@person.command("unbind")
@_PERSON
@BY
@pass_session
def unbind(session: Session, who: str) -> None:
    """Let the next subject that the OpenID provider names so open the account of PERSON; their sessions are over."""
    before = session.node.people.unbind(who, session.by)
    session.out.data({"person": who, "unbound": before}, f"{who} is {'unbound' if before else 'bound to nobody'}.")


@person.command("resume")
@_PERSON
@BECAUSE
@BY
@pass_session
def resume(session: Session, who: str, because: str) -> None:
    """Let PERSON sign in again."""
    account = session.node.people.resume(who, because, session.by)
    session.out.data(_data(session, account), f"{who} is active.")


@person.command("enrol")
@_PERSON
@click.option("--new-code", is_flag=True, help="Print a new code instead; the one before is void.")
@BY
@pass_session
def enrol(session: Session, who: str, new_code: bool) -> None:
    """Set the password of PERSON with the code they were given.

    Code and password are asked for, or read from two lines of stdin. Sessions begun before are over.
    """
    people = session.node.people
    if new_code:
        code = people.new_code(who, session.by)
        session.out.data({"person": who, "code": code}, f"Enrolment code for {who}: {code}")
        return
    people.enrol(who, secret("Code"), secret("New password"))
    session.out.data({"person": who, "enrolled": True}, f"{who} is enrolled.")
    session.out.next(f"`aldis sign-in {who}`")


@person.command("sessions")
@click.argument("who", metavar="[PERSON]", required=False)
@BY
@pass_session
def sessions(session: Session, who: str | None) -> None:
    """List the sessions that are open, of PERSON or of all."""
    people = session.node.people
    found = [
        {
            "person": row.person,
            "session": people.sessions.id_of(row),
            "level": msgspec.json.decode(row.level),
            "began": row.began,
            "used": row.used,
        }
        for row in people.open_sessions(who, session.by)
    ]
    rows = [
        (one["person"], _words(one["level"]), moment(one["began"]), moment(one["used"]), one["session"])
        for one in found
    ]
    session.out.table({"sessions": found}, ("person", "level", "began", "used", "session"), rows)
    if not found:
        session.out.say("No session is open.")


@person.command("revoke")
@_PERSON
@click.option("--session", "id_", metavar="ID", help="Only this one, as `sessions` lists it.")
@BY
@pass_session
def revoke(session: Session, who: str, id_: str | None) -> None:
    """End every session of PERSON, or one."""
    if id_ is not None:
        session.node.people.end_session(who, id_, session.by)
    ended = session.node.people.revoke(who, session.by) if id_ is None else 1
    session.out.data({"person": who, "ended": ended}, f"{count(ended, 'session')} of {who} ended.")


def _changed(session: Session, account: Account, given: Mapping[str, Any]) -> Account:
    """The account with what the options say."""
    changes: dict[str, Any] = {
        field: given[field] for field in ("name", "organisation", "nationality", "sponsor") if given[field] is not None
    }
    if given["until"] is not None:
        changes["until"] = midnight(given["until"]) + DAY_MS if given["until"] else 0
    for field in ("projects", "kinds"):
        if given[field]:
            changes[field] = [value for value in given[field] if value]
    if given["roles"]:
        changes["roles"] = [_role(value) for value in given["roles"] if value]
    if given["clearance"]:
        changes["clearance"] = rungs(session.node.core.config.policy, given["clearance"])
    if given["categories"]:
        changes["categories"] = _categories(given["categories"])
    return msgspec.structs.replace(account, **changes)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise UnknownTerm(f"no role {text!r}", fix=f"There are: {', '.join(role.value for role in Role)}") from None


def _categories(texts: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in filter(None, texts):
        tag, equals, value = text.partition("=")
        if not (tag and equals and value):
            raise InvalidInput(f"{text!r} is not TAG=VALUE", fix='Write it as "Special access=NAME"')
        found.setdefault(tag, []).append(value)
    return found


def _data(session: Session, account: Account) -> dict[str, Any]:
    known: dict[str, Any] = msgspec.to_builtins(account)
    known.pop("active")
    enrolled = session.node.people.enrolled(account.id)
    stands = account.stands(session.node.core.clock.now())
    status = "active" if stands else "ended" if account.active else "suspended"
    return {**known, "enrolled": enrolled, "status": status}


def _show(session: Session, account: Account) -> None:
    data = _data(session, account)
    rows = [
        ("person", f"{account.id}, {account.name}"),
        ("works at", account.organisation or "-"),
        ("nationality", account.nationality),
        ("clearance", _words(account.clearance)),
        ("categories", listed(f"{tag} {'/'.join(values)}" for tag, values in account.categories.items()) or "none"),
        ("projects", listed(account.projects) or "none"),
        ("kinds", listed(account.kinds)),
        ("roles", listed(role.value for role in account.roles) or "none"),
        *([("sponsor", account.sponsor)] if account.sponsor else []),
        *([("until", day(account.until - 1))] if account.until else []),
        ("status", f"{data['status']}, {'has a password' if data['enrolled'] else 'not enrolled yet'}"),
    ]
    session.out.data(data, grid(rows))


def _words(level: Mapping[str, str]) -> str:
    return ", ".join(f"{policy} {rung}" for policy, rung in level.items())
