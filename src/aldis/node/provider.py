"""The settings of an OpenID provider that people may sign in at, and the table that says what its claims come to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from aldis.kernel.errors import InvalidInput

__all__ = ["ALGORITHMS", "CLAIMS", "PROVIDER", "Claims", "Provider", "Values", "sound_url"]

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384")
"""Signatures of ID tokens that may be allowed: RFC 7518 section 3.1; none that shares a secret."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_TEXT = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
_WORD = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[!#-\[\]-~]+$")]


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which claim of an ID token says what; what no claim says is not said. `clearance` has a claim for each policy."""

    id: _TEXT = "sub"
    name: str = ""
    nationality: str = ""
    organisation: str = ""
    projects: str = ""
    roles: str = ""
    clearance: dict[str, _TEXT] = {}


class Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a claim's values are called here, field by field; where a table is given, no other value counts."""

    nationality: dict[str, str] = {}
    projects: dict[str, str] = {}
    roles: dict[str, str] = {}
    clearance: dict[str, dict[str, str]] = {}


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where people sign in, as what this node is known there, and what the provider's word comes to."""

    issuer: _TEXT
    client_id: _WORD
    redirect: str = ""
    ca: str = ""
    scope: list[_WORD] = msgspec.field(default_factory=lambda: ["openid"])
    algorithms: Annotated[list[str], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["RS256"])
    acr: list[_WORD] = []
    amr: list[_WORD] = []
    provision: bool = False
    claims: Claims = Claims()
    values: Values = Values()

    def check(self) -> None:
        """Return if the settings can be.

        Raises:
            InvalidInput: an address that is neither https nor on this machine, an algorithm that is not allowed, a
                scope without `openid`, or a table of values for a claim that is not named.
        """
        for what, url in (("issuer", self.issuer), ("redirect", self.redirect)):
            if url and not sound_url(url):
                raise InvalidInput(f"the setting `oidc.{what}` cannot be {url!r}", fix="Write it as https://host/path")
        if "openid" not in self.scope:
            raise InvalidInput("the setting `oidc.scope` lacks openid", fix="Add it")
        for name in self.algorithms:
            if name not in ALGORITHMS:
                raise InvalidInput(
                    f"the setting `oidc.algorithms` cannot hold {name!r}", fix=f"Choose among {', '.join(ALGORITHMS)}"
                )
        for field in ("nationality", "projects", "roles"):
            if getattr(self.values, field) and not getattr(self.claims, field):
                raise InvalidInput(f"`oidc.values.{field}` is for no claim", fix=f"Name one in `oidc.claims.{field}`")
        if without := self.values.clearance.keys() - self.claims.clearance.keys():
            raise InvalidInput(f"`oidc.values.clearance.{min(without)}` is for no claim", fix="Name one for it")


PROVIDER: Mapping[str, str] = {
    "issuer": "the provider's issuer, letter by letter as it writes it: https, or http on this machine",
    "client_id": "what this node is called there; its secret, if it has one, is the file `keys/oidc.secret`",
    "redirect": "where the provider sends people back to, in a browser; `aldis sign-in --oidc` uses a port of its own",
    "ca": "a file of certificates (PEM) that the provider's may be issued by; empty for those the system trusts",
    "scope": "the scopes that are asked for, `openid` among them",
    "algorithms": "signatures of ID tokens that count: " + ", ".join(ALGORITHMS),
    "acr": "levels of authentication of which the ID token must have one; empty for any",
    "amr": "methods of authentication that the ID token must have, each of them (RFC 8176)",
    "provision": "make an account of whoever has none here, from what the claims come to; else they are refused",
    "claims": "which claim says what: see the next table",
    "values": "what a claim's values are called here, a table for each of nationality, projects, roles and"
    " clearance.POLICY; where one is given no other value counts",
}
CLAIMS: Mapping[str, str] = {
    "id": "the account. Bound to issuer and `sub` when first used, and open to no other `sub` from then on",
    "name": "the name of an account that is made; never changes one",
    "nationality": "must be that of the account; one that is missing or not known refuses",
    "organisation": "the organisation of an account that is made; never changes one",
    "projects": "a list; the session has those of the account that it names, and never `*`",
    "roles": "a list; the session has those of the account that it names. Who is a guest to either is a guest",
    "clearance": "a claim for each policy; the session has the lower of it and the account's; one that is missing or"
    " not known refuses",
}


def sound_url(url: str) -> bool:
    """Whether a URL is https, or http on this machine, and has no user, query or fragment."""
    if not re.fullmatch(r"[!-~]{1,512}", url):
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or parts.username is not None or "?" in url or "#" in url or "\\" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
