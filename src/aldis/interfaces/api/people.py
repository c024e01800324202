"""Operations on the people of a node, for its administrators."""

from __future__ import annotations

from typing import Annotated

import msgspec

from aldis.interfaces.api.operations import Answer, Call, Nothing, Operation, said
from aldis.kernel.authority import Act, Role
from aldis.node.people import Account

__all__ = ["OPERATIONS"]


_Until = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class PersonId(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person by their id."""

    person: str


class AddPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person to be: `clearance` names the highest classification by policy, `categories` values by tag.

    `*` among projects, kinds or values is every one. `sponsor` is the person here who answers for a guest; from `until`
    (ms since 1970 UTC, 0 for no end) on the account opens nothing.
    """

    id: str
    name: str
    nationality: str
    clearance: dict[str, str]
    organisation: str = ""
    categories: dict[str, list[str]] = {}
    projects: list[str] = []
    kinds: list[str] = msgspec.field(default_factory=lambda: ["*"])
    roles: list[Role] = []
    sponsor: str = ""
    until: _Until = 0


class ChangePerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes of an account; what is left out stays."""

    person: str
    name: str | None = None
    nationality: str | None = None
    clearance: dict[str, str] | None = None
    organisation: str | None = None
    categories: dict[str, list[str]] | None = None
    projects: list[str] | None = None
    kinds: list[str] | None = None
    roles: list[Role] | None = None
    sponsor: str | None = None
    until: _Until | None = None


class Because(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person, and the reason, which the ledger keeps."""

    person: str
    because: str


class PersonShown(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account, and whether its person has set a password."""

    enrolled: bool


class PersonList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The accounts of a node, by id."""

    people: list[PersonShown]


class PersonAdded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new account, and the one-time code, shown this once, that opens it within three days."""

    person: PersonShown
    code: str


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A one-time enrolment code, shown this once."""

    code: str


class Ended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many sessions were ended."""

    sessions: int


def everybody(call: Call, _asked: Nothing) -> PersonList:
    """All accounts."""
    return PersonList([_shown(call, account) for account in call.node.people.all()])


def get(call: Call, asked: PersonId) -> PersonShown:
    """One account."""
    return _shown(call, call.node.people.get(asked.person))


def add(call: Call, asked: AddPerson) -> Answer:
    """A new account."""
    given = {name: getattr(asked, name) for name in asked.__struct_fields__}
    account = Account(**given)
    code = call.node.people.add(account, call.person)
    return Answer(PersonAdded(_shown(call, account), code), 201, {"location": f"/api/v1/people/{account.id}"})


def change(call: Call, asked: ChangePerson) -> PersonShown:
    """An account with other fields; sessions have them from their next request on."""
    given = {name: value for name in asked.__struct_fields__[1:] if (value := getattr(asked, name)) is not None}
    account = msgspec.structs.replace(call.node.people.get(asked.person), **given)
    return _shown(call, call.node.people.set(account, call.person))


def suspend(call: Call, asked: Because) -> PersonShown:
    """An account that opens nothing any more."""
    return _shown(call, call.node.people.suspend(asked.person, said(asked.because), call.person))


def resume(call: Call, asked: Because) -> PersonShown:
    """An account that opens again."""
    return _shown(call, call.node.people.resume(asked.person, said(asked.because), call.person))


def new_code(call: Call, asked: PersonId) -> Code:
    """Another code."""
    return Code(call.node.people.new_code(asked.person, call.person))


def revoke(call: Call, asked: PersonId) -> Ended:
    """The end of every session of a person."""
    return Ended(call.node.people.revoke(asked.person, call.person))


def _shown(call: Call, account: Account) -> PersonShown:
    given = {name: getattr(account, name) for name in account.__struct_fields__}
    return PersonShown(**given, enrolled=call.node.people.enrolled(account.id))


_P = "/api/v1/people"
OPERATIONS = (
    Operation("GET", _P, "List the people of this node", Nothing, PersonList, everybody, act=Act.PEOPLE),
    Operation("POST", _P, "Add a person; the answer has their enrolment code", AddPerson, PersonAdded, add,
              act=Act.PEOPLE, secret=True, status=201),
    Operation("GET", _P + "/{person}", "An account", PersonId, PersonShown, get, act=Act.PEOPLE),
    Operation("PUT", _P + "/{person}", "Change an account", ChangePerson, PersonShown, change, act=Act.PEOPLE),
    Operation("POST", _P + "/{person}/suspend", "Let a person do nothing any more, at once", Because, PersonShown,
              suspend, act=Act.PEOPLE),
    Operation("POST", _P + "/{person}/resume", "Let a person sign in again", Because, PersonShown, resume,
              act=Act.PEOPLE),
    Operation("POST", _P + "/{person}/code", "Give out another enrolment code", PersonId, Code, new_code,
              act=Act.PEOPLE, secret=True),
    Operation("POST", _P + "/{person}/revoke", "End every session of a person", PersonId, Ended, revoke,
              act=Act.PEOPLE),
)  # fmt: skip
"""What administrators do with accounts."""
