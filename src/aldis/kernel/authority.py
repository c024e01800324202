"""Authority: which roles a person may have at a node, and what each lets them do."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from types import MappingProxyType

from aldis.kernel.errors import InvalidInput

__all__ = ["AUTHORITY", "Act", "Role", "check_roles", "may"]


class Role(enum.Enum):
    """What a person is at a node."""

    ORIGINATOR = "originator"
    RELEASE_OFFICER = "release-officer"
    SECURITY_OFFICER = "security-officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    GUEST = "guest"


class Act(enum.Enum):
    """What a person may be allowed to do, beside reading what `decide` permits them."""

    PUT = "put"
    REVISE = "revise"
    DELETE = "delete"
    OFFER = "offer"
    RULE = "rule"
    HOLD = "hold"
    LIFT = "lift"
    RECALL = "recall"
    PEOPLE = "people"
    CONFIGURE = "configure"
    READ_LEDGER = "read-ledger"
    INQUIRE = "inquire"
    PARTNERS = "partners"
    QUARANTINE = "quarantine"
    DRAFT = "draft"
    SIGN = "sign"


AUTHORITY: Mapping[Role, frozenset[Act]] = MappingProxyType(
    {
        Role.ORIGINATOR: frozenset({Act.PUT, Act.REVISE, Act.DELETE, Act.OFFER}),
        Role.RELEASE_OFFICER: frozenset({Act.OFFER, Act.RULE, Act.HOLD, Act.LIFT, Act.RECALL, Act.DRAFT}),
        Role.SECURITY_OFFICER: frozenset({Act.PARTNERS, Act.QUARANTINE, Act.SIGN}),
        Role.AUDITOR: frozenset({Act.READ_LEDGER, Act.INQUIRE}),
        Role.ADMINISTRATOR: frozenset({Act.PEOPLE, Act.CONFIGURE}),
        Role.GUEST: frozenset(),
    }
)
"""What each role may do. REVISE is for what the person sees whole, DELETE for what they wrote themselves.

OFFER is to ask for a release and why one was or was not given. DRAFT is to write and amend instruments, SIGN to sign
and end them for the party: two roles, so that nobody need rule under what they signed alone."""
_LONE = frozenset({Role.GUEST})
_APART = (
    frozenset({Role.AUDITOR, Role.ADMINISTRATOR}),
    frozenset({Role.AUDITOR, Role.RELEASE_OFFICER}),
    frozenset({Role.AUDITOR, Role.SECURITY_OFFICER}),
)


def may(roles: Collection[Role], act: Act) -> bool:
    """Whether one of the roles allows the act; a guest is allowed none."""
    return Role.GUEST not in roles and any(act in AUTHORITY[role] for role in roles)


def check_roles(roles: frozenset[Role]) -> None:
    """Return if one person may have all these roles.

    Raises:
        InvalidInput: a guest with another role, or an auditor with a role whose acts the auditor looks at.
    """
    if Role.GUEST in roles and roles != _LONE:
        raise InvalidInput("a guest has no other role", fix="Give the one or the others")
    for pair in _APART:
        if pair <= roles:
            names = " and ".join(sorted(role.value for role in pair))
            raise InvalidInput(f"one person cannot be {names}", fix="An auditor looks at what the others did")
