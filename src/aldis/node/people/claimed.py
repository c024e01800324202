"""What an ID token's claims come to, by the table in the settings; and the account that they bound for one session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from aldis.kernel.authority import Role
from aldis.kernel.errors import NotAuthentic, UnknownTerm
from aldis.kernel.instruments import ANY
from aldis.kernel.policies import Policies
from aldis.node.people.accounts import Account
from aldis.node.provider import Provider

__all__ = ["Bounds", "Claimed", "account_of", "narrowed", "read_claims"]

_MOST = 256
_LONGEST = 200


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a session has at most of its account; None where the provider says nothing of it."""

    clearance: dict[str, str] = {}
    projects: list[str] | None = None
    roles: list[Role] | None = None


class Claimed(msgspec.Struct, frozen=True):
    """What the claims say; "" where no claim of the table says it."""

    id: str
    name: str
    nationality: str
    organisation: str
    bounds: Bounds


def read_claims(claims: Mapping[str, Any], provider: Provider, policies: Policies) -> Claimed:
    """What verified claims come to.

    Raises:
        NotAuthentic: a claim that the table names is missing or of the wrong type, a clearance or nationality that
            nobody defined, or an authentication weaker than the settings ask for.
    """
    _check_strength(claims, provider)
    table, values = provider.claims, provider.values
    clearance = {}
    for policy, name in table.clearance.items():
        rung = _called(_text(claims, name), values.clearance.get(policy), name)
        ladder = policies.policy(policy)
        try:
            ladder.rank(rung)
        except UnknownTerm as error:
            raise NotAuthentic(f"the claim {name!r} is no classification of {policy}", fix=_table("values")) from error
        clearance[policy] = rung
    nationality = ""
    if table.nationality:
        nationality = _called(_text(claims, table.nationality), values.nationality, table.nationality)
        if nationality not in policies.parties:
            raise NotAuthentic(f"the claim {table.nationality!r} is no party", fix=_table("values"))
    projects = roles = None
    if table.projects:
        projects = sorted({*_known(_texts(claims, table.projects), values.projects)} - {ANY, ""})
    if table.roles:
        named = {role.value: role for role in Role}
        called = _known(_texts(claims, table.roles), values.roles)
        roles = sorted({named[one] for one in called if one in named}, key=lambda role: role.value)
    return Claimed(
        id=_text(claims, table.id),
        name=_text(claims, table.name) if table.name else "",
        nationality=nationality,
        organisation=_text(claims, table.organisation) if table.organisation else "",
        bounds=Bounds(clearance, projects, roles),
    )


def account_of(claimed: Claimed) -> Account:
    """The account of somebody who has none, with what the claims come to and nothing else."""
    bounds = claimed.bounds
    return Account(
        id=claimed.id,
        name=claimed.name or claimed.id,
        nationality=claimed.nationality,
        organisation=claimed.organisation,
        clearance=bounds.clearance,
        projects=bounds.projects or [],
        roles=bounds.roles or [],
    )


def narrowed(account: Account, bounds: Bounds, policies: Policies) -> Account:
    """The account within the bounds; nothing of it is ever more than it was, and who is a guest stays one."""
    clearance = dict(account.clearance)
    for policy, rung in bounds.clearance.items():
        if policy in clearance:
            clearance[policy] = min(rung, clearance[policy], key=policies.policy(policy).rank)
    projects, roles = account.projects, account.roles
    if bounds.projects is not None:
        projects = bounds.projects if ANY in projects else [one for one in projects if one in bounds.projects]
    if bounds.roles is not None:
        guest = Role.GUEST in (*roles, *bounds.roles)
        roles = [Role.GUEST] if guest else [role for role in roles if role in bounds.roles]
    return msgspec.structs.replace(account, clearance=clearance, projects=projects, roles=roles)


def _check_strength(claims: Mapping[str, Any], provider: Provider) -> None:
    if provider.acr and claims.get("acr") not in provider.acr:
        raise NotAuthentic("the provider did not authenticate strongly enough (acr)", fix="Sign in there another way")
    if provider.amr and not {*provider.amr} <= {*_list(claims.get("amr"))}:
        raise NotAuthentic("the provider did not authenticate strongly enough (amr)", fix="Sign in there another way")


def _called(value: str, names: Mapping[str, str] | None, claim: str) -> str:
    """What a value is called here; without a table of values, what it is."""
    if not names:
        return value
    if value not in names:
        raise NotAuthentic(f"the value of the claim {claim!r} is not in the table", fix=_table("values"))
    return names[value]


def _known(values: list[str], names: Mapping[str, str]) -> list[str]:
    return [names[value] for value in values if value in names] if names else values


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or not value.isprintable():
        raise NotAuthentic(f"the ID token has no claim {name!r} that is a line of text", fix=_table("claims"))
    return value


def _texts(claims: Mapping[str, Any], name: str) -> list[str]:
    if not isinstance(claims.get(name), list):
        raise NotAuthentic(f"the ID token has no claim {name!r} that is a list", fix=_table("claims"))
    return _list(claims[name])


def _list(value: object) -> list[str]:
    found = value[:_MOST] if isinstance(value, list) else []
    return [one for one in found if isinstance(one, str) and len(one) <= _LONGEST and one.isprintable()]


def _table(part: str) -> str:
    return f"Ask the administrator of this node to look at `oidc.{part}`, and that of the provider at the account"
