"""`aldis sign-in`: a session as a person; and secrets read from a terminal or stdin, never from the command line."""

from __future__ import annotations

import sys

import click

from aldis.interfaces.cli.lazy import load
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import listed
from aldis.interfaces.cli.viewers import keep_token

__all__ = ["rungs", "secret", "sign_in"]


@click.command("sign-in")
@click.argument("who", metavar="[PERSON]", required=False)
@click.option("--oidc", is_flag=True, help="Sign in at the OpenID provider of the settings, with a browser.")
@click.option(
    "--level", "levels", metavar="[POLICY:]RUNG", multiple=True,
    help="Work at this level; repeatable, once a policy.  [default: the highest allowed]",
)  # fmt: skip
@pass_session
def sign_in(session: Session, who: str | None, oidc: bool, levels: tuple[str, ...]) -> None:
    """Sign in as PERSON; the password is asked for, or read from the first line of stdin.

    The session's token is kept in a file that only you can read, for `--as person:ID`. With --json it is written out
    instead, and kept nowhere.

    With --oidc the provider says who it is: an address is written to stderr, to be opened in a browser on this machine
    within ten minutes.
    """
    node = session.node
    level = rungs(node.core.config.policy, levels)
    if oidc == (who is not None):
        raise click.UsageError("name a PERSON, or let the provider say who it is with --oidc")
    if oidc:
        token = str(load("aldis.interfaces.cli.loopback:provider_sign_in")(node, level, session.out.say))
    else:
        token = node.people.sign_in(str(who), secret("Password"), level)
    person = node.people.sessions.who(token)
    at = listed(f"{policy} {rung}" for policy, rung in person.level.items())
    if not session.json:
        keep_token(session, person.id, token)
    session.out.data({"person": person.id, "level": person.level, "token": token}, f"{person.id} is signed in at {at}.")
    session.out.next(f"`aldis list --as person:{person.id}`")


def rungs(policy: str, texts: tuple[str, ...]) -> dict[str, str]:
    """A rung per policy, as people write it: `SECRET`, or `UK:SECRET`; a rung may have a colon of its own."""
    found = {}
    for text in texts:
        name, colon, rung = text.partition(":")
        named = bool(colon) and not rung.startswith(" ")
        found[name if named else policy] = rung if named else text
    return found


def secret(what: str) -> str:
    """A secret from the terminal, unseen, or the next line of stdin."""
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")
