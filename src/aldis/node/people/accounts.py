"""Accounts: who a person is, what they are cleared for, and what they may do."""

from __future__ import annotations

import re

import msgspec

from aldis.kernel.authority import AUTHORITY, Act, Role, check_roles, may
from aldis.kernel.epoch import Partner
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.instruments import ANY
from aldis.kernel.policies import Policies

__all__ = ["PREFIX", "Account", "Person", "check_account", "name_of", "told"]

PREFIX = "person:"
"""How the name of a person as a recipient begins; no node's name has a colon."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_TEXT = 200
_LATEST = 2**53


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person at this node. `clearance` names the highest classification per policy, this node's policy among them.

    `nationality` is a party; `categories` are values per tag, `projects` and `kinds` what the person sees of: `*` is
    every one. `sponsor` is the person here who answers for a guest; from `until` (ms since 1970 UTC, 0 for no end) on
    the account opens nothing.
    """

    id: str
    name: str
    nationality: str
    clearance: dict[str, str]
    organisation: str = ""
    categories: dict[str, list[str]] = {}
    projects: list[str] = []
    kinds: list[str] = msgspec.field(default_factory=lambda: [ANY])
    roles: list[Role] = []
    active: bool = True
    sponsor: str = ""
    until: int = 0

    def stands(self, at: int) -> bool:
        """Whether it opens anything at an instant: it is not suspended, and its time is not over."""
        return self.active and (not self.until or at < self.until)


class Person(msgspec.Struct, frozen=True):
    """Somebody who is signed in: the account as it is now, and the level (a rung per policy) that holds now."""

    account: Account
    level: dict[str, str]

    @property
    def id(self) -> str:
        """The account's id."""
        return self.account.id

    @property
    def guest(self) -> bool:
        """Whether this is a guest."""
        return Role.GUEST in self.account.roles

    @property
    def recipient(self) -> Partner:
        """The person as a decision sees them; what is of no project is open to all but guests."""
        account = self.account
        return Partner(
            node=PREFIX + account.id,
            party=account.nationality,
            ceiling=tuple(self.level.items()),
            categories=tuple((tag, frozenset(values)) for tag, values in account.categories.items()),
            projects=frozenset(account.projects) | (frozenset() if self.guest else {""}),
        )

    def may(self, act: Act) -> bool:
        """Whether a role of theirs allows the act."""
        return may(self.account.roles, act)


def name_of(by: str | Person, act: Act) -> str:
    """The name that the ledger knows whoever acts by: an operator's as it is given, a person's id.

    Raises:
        RefusedByPolicy: a person none of whose roles allows the act.
    """
    if not isinstance(by, Person):
        return by
    if not by.may(act):
        who = " or ".join(sorted(role.value for role in AUTHORITY if act in AUTHORITY[role]))
        raise RefusedByPolicy(f"{by.id} has no role that allows this", fix=f"Ask a person who is {who}")
    return by.id


def check_account(account: Account, policies: Policies, policy: str) -> None:
    """Return if an account can be kept at a node whose people write labels in `policy`.

    Raises:
        UnknownTerm: a party, policy, classification, category or value that nobody defined.
        InvalidInput: a field of the wrong shape, no clearance in this node's policy, roles that do not go together, a
            guest who would see every project or kind, or a sponsor of somebody who is no guest.
    """
    if not _ID.fullmatch(account.id):
        raise InvalidInput(f"person {account.id!r} is not lower-case letters, digits, dots and hyphens (at most 64)")
    for what, text in (("name", account.name), ("organisation", account.organisation)):
        if len(text) > _TEXT or not text.isprintable():
            raise InvalidInput(f"the {what} of {account.id} is not a line of at most {_TEXT} characters")
    if not account.name.strip():
        raise InvalidInput(f"{account.id} has no name", fix="Say who it is with --name")
    if account.nationality not in policies.parties:
        raise UnknownTerm(f"{account.nationality!r} is not a party", fix="Use ISO 3166 alpha-3 such as AUS")
    if policy not in account.clearance:
        raise InvalidInput(f"{account.id} has no clearance in {policy}", fix=f"Give one: --clearance {policy}:RUNG")
    for name, rung in account.clearance.items():
        policies.policy(name).rank(rung)
    policies.check_accreditation(account.categories)
    roles = frozenset(account.roles)
    check_roles(roles)
    if account.sponsor and Role.GUEST not in roles:
        raise InvalidInput(f"{account.id} is no guest and needs no sponsor", fix="Leave the sponsor out")
    if not 0 <= account.until < _LATEST:
        raise InvalidInput(f"the account of {account.id} cannot end then", fix="Name a day, or none")
    if Role.GUEST in roles and (ANY in account.projects or ANY in account.kinds or "" in account.projects):
        raise InvalidInput(f"{account.id} is a guest", fix="Name the projects and kinds that they were invited to")


def told(account: Account) -> list[str]:
    """What the ledger says of an account, field by field."""
    return [f"{name} {msgspec.json.encode(getattr(account, name)).decode()}" for name in account.__struct_fields__[1:]]
