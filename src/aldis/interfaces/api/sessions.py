"""Operations on one's own session: sign in and out, enrol, who one is, the level one works at."""

from __future__ import annotations

import msgspec

from aldis.interfaces.api.operations import Call, Nothing, Operation
from aldis.kernel.authority import Act

__all__ = ["OPERATIONS"]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signs in, and the level they choose: a rung by policy, the highest allowed where none is named."""

    person: str
    password: str
    level: dict[str, str] = {}


class Enrol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The enrolment code that an administrator gave out, and the password to be."""

    person: str
    code: str
    password: str


class ChangeLevel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The level to work at: a rung by policy."""

    level: dict[str, str]


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session: its token, shown this once, and until when (ms since 1970 UTC) it holds at the latest."""

    token: str
    until: int


class Me(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is signed in; `acts` is what their roles allow. Times are in ms since 1970 UTC."""

    node: str
    person: str
    name: str
    nationality: str
    organisation: str
    roles: list[str]
    acts: list[str]
    projects: list[str]
    kinds: list[str]
    clearance: dict[str, str]
    level: dict[str, str]
    began: int
    until: int


def sign_in(call: Call, asked: SignIn) -> Token:
    """A session for whoever knows the password."""
    token = call.node.people.sign_in(asked.person, asked.password, asked.level)
    return Token(token, call.node.people.sessions.times(token)[1])


def enrol(call: Call, asked: Enrol) -> None:
    """A password for whoever has the code."""
    call.node.people.enrol(asked.person, asked.code, asked.password)


def me(call: Call, _asked: Nothing) -> Me:
    """Who asks."""
    person, account = call.person, call.person.account
    began, until = call.node.people.sessions.times(call.token)
    return Me(
        node=call.node.name,
        person=person.id,
        name=account.name,
        nationality=account.nationality,
        organisation=account.organisation,
        roles=[role.value for role in account.roles],
        acts=[act.value for act in Act if person.may(act)],
        projects=account.projects,
        kinds=account.kinds,
        clearance=account.clearance,
        level=person.level,
        began=began,
        until=until,
    )


def change_level(call: Call, asked: ChangeLevel) -> Token:
    """The session at another level."""
    token = call.node.people.sessions.change_level(call.token, asked.level)
    return Token(token, call.node.people.sessions.times(token)[1])


def sign_out(call: Call, _asked: Nothing) -> None:
    """The end of the session."""
    call.node.people.sessions.sign_out(call.token)


OPERATIONS = (
    Operation("POST", "/api/v1/sign-in", "Sign in with a password", SignIn, Token, sign_in,
              open_=True, secret=True, slow=True, size=8192),
    Operation("POST", "/api/v1/enrol", "Set a password with an enrolment code", Enrol, None, enrol,
              open_=True, secret=True, slow=True, size=8192),
    Operation("GET", "/api/v1/session", "Who you are, what you may do, and at which level", Nothing, Me, me),
    Operation("POST", "/api/v1/session/level", "Work at another level; the token changes", ChangeLevel, Token,
              change_level, secret=True),
    Operation("DELETE", "/api/v1/session", "Sign out", Nothing, None, sign_out),
)  # fmt: skip
"""What one does with one's own session."""
