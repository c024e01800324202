"""`aldis whoami` and `aldis sign-out`: the session that one has, and its end."""

from __future__ import annotations

import click

from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.session import Session, operator, pass_session
from aldis.interfaces.cli.text import listed, moment
from aldis.interfaces.cli.viewers import drop_token, kept_token, signed_in

__all__ = ["sign_out", "whoami"]


@click.command("whoami")
@click.option("--as", "as_", metavar="person:ID", help="Whoever is signed in as ID.  [default: who runs the command]")
@pass_session
def whoami(session: Session, as_: str | None) -> None:
    """Say who one is at this node: what one may see and do, and when the session is over."""
    if as_ is None:
        who = operator()
        session.out.data(
            {"operator": who, "person": ""}, f"{who}, the operator of {session.node.name}: sees everything."
        )
        return
    person = signed_in(session, as_)
    account, ends = person.account, session.node.people.sessions.times(kept_token(session, person.id))[1]
    data = {
        "operator": "",
        "person": person.id,
        "name": account.name,
        "level": person.level,
        "nationality": account.nationality,
        "roles": [role.value for role in account.roles],
        "projects": account.projects,
        "until": ends,
    }
    rows = [
        ("person", f"{person.id} ({account.name})"),
        ("level", listed(f"{policy} {rung}" for policy, rung in person.level.items())),
        ("nation", account.nationality),
        ("roles", ", ".join(role.value for role in account.roles) or "none"),
        ("projects", ", ".join(account.projects) or "none"),
        ("until", f"{moment(ends)}, if nobody uses it"),
    ]
    session.out.data(data, grid(rows))


@click.command("sign-out")
@click.argument("who", metavar="PERSON")
@pass_session
def sign_out(session: Session, who: str) -> None:
    """End the session of PERSON that `aldis sign-in` began here; it is over at once, at every process of the node."""
    token = kept_token(session, who)
    if token:
        session.node.people.sessions.sign_out(token)
        drop_token(session, who)
    session.out.data({"person": who, "signed_out": bool(token)}, f"{who} {'is' if token else 'was'} signed out.")
