"""Signing in at a real OpenID provider, by its own forms: what its claims come to here, and what they never do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest
from nations import Coalition
from personnel import hire, listed

from aldis.kernel.authority import Role
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, RefusedByPolicy, Stale
from aldis.kernel.labels import Label
from aldis.kernel.ledger import decode_leaf
from aldis.node.keys import write_private
from aldis.node.node import Node
from aldis.node.people.oidc import SECRET_FILE, OpenId
from aldis.node.people.provider_link import ProviderLink
from aldis.node.provider import Claims, Provider, Values
from openid import CLIENT, READY, REDIRECT, browse, provider

pytestmark = pytest.mark.skipif(not READY, reason="the provider of the tests is not installed: npm ci")

PEOPLE = {
    "alice": {"username": "alice", "nation": "au", "cleared": "NV1", "groups": ["writers", "kings"], "projects": ["P"]},
    "vain": {"username": "vain", "nation": "au", "cleared": "PV", "groups": ["officers"], "projects": ["*", "Q", "P"]},
    "low": {"username": "low", "nation": "au", "cleared": "BASE", "groups": [], "projects": ["P"]},
    "odd": {"username": "odd", "nation": "au", "cleared": "COSMIC", "groups": [], "projects": []},
    "silent": {"username": "silent", "nation": "au", "groups": [], "projects": ["P"]},
    "abroad": {"username": "abroad", "nation": "gb", "cleared": "NV1", "groups": [], "projects": ["P"]},
    "thief": {"username": "alice", "nation": "au", "cleared": "NV1", "groups": [], "projects": ["P"]},
    "newcomer": {"username": "newcomer", "nation": "au", "cleared": "BASE", "groups": ["writers"], "projects": ["P"]},
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider(PEOPLE) as found:
        yield found


TABLE = {
    "claims": Claims(id="username", nationality="nation", roles="groups", projects="projects",
                     clearance={"AUS": "cleared"}),
    "values": Values(nationality={"au": "AUS", "gb": "GBR"},
                     roles={"writers": "originator", "officers": "release-officer"},
                     clearance={"AUS": {"BASE": "PROTECTED", "NV1": "SECRET", "PV": "TOP SECRET"}}),
}  # fmt: skip


def made(folder: Path, issuer: str, **more: Any) -> Coalition:
    """A node in Australia that knows the provider, with records of two projects; by the clock on the wall."""
    coalition = Coalition(folder)
    coalition.clock.at = int(time.time() * 1000)
    settings = Provider(**{"issuer": issuer, "client_id": "aldis", "redirect": REDIRECT, **TABLE, **more})
    node = coalition.add("aus", oidc=settings)
    write_private(node.core.home.path / "keys" / SECRET_FILE, CLIENT["client_secret"].encode())
    for project in ("P", "Q", ""):
        for rung in ("OFFICIAL", "PROTECTED", "SECRET"):
            name = f"{project or 'none'}-{rung.lower()}"
            coalition.put("aus", name, {"title": (f"canary {name}", Label("AUS", rung))}, project=project)
    for who in ("alice", "vain", "low", "odd", "silent", "abroad"):
        hire(node, who, projects=["P"], roles=[Role.ORIGINATOR])
    return coalition


@pytest.fixture
def aus(issuer: str, tmp_path: Path) -> Iterator[Node]:
    coalition = made(tmp_path, issuer)
    yield coalition["aus"]
    coalition.close()


def sign_in(node: Node, login: str, level: dict[str, str] | None = None) -> str:
    """The token of a session after the whole way through the provider's forms."""
    openid = OpenId(node.core, node.people)
    with ProviderLink(openid.provider) as fetch:
        url, pending = openid.begin(fetch, level)
        return openid.finish(urlsplit(browse(url, login)).query, pending, fetch)


def leaves(node: Node) -> list[tuple[str, str, str]]:
    return [(row.type, row.subject, decode_leaf(row.data).verdict) for row in node.core.store.ledger.leaves(0, 10_000)]


def test_a_session_has_what_account_and_claims_both_give(aus: Node) -> None:
    person = aus.people.sessions.who(sign_in(aus, "alice"))
    assert (person.id, person.level, person.account.roles) == ("alice", {"AUS": "SECRET"}, [Role.ORIGINATOR])
    seen = {f"aus/{project}-{rung}" for project in ("P", "none") for rung in ("official", "protected", "secret")}
    assert set(listed(aus, person)) == seen
    assert aus.people.sessions.who(sign_in(aus, "alice", {"AUS": "OFFICIAL"})).level == {"AUS": "OFFICIAL"}


def test_claims_never_give_more_than_the_account_has(aus: Node) -> None:
    person = aus.people.sessions.who(sign_in(aus, "vain"))
    assert (person.level, person.account.projects, person.account.roles) == ({"AUS": "SECRET"}, ["P"], [])
    assert not {name for name in listed(aus, person) if "Q" in name}
    person = aus.people.sessions.who(sign_in(aus, "low"))
    assert (person.level, person.account.roles) == ({"AUS": "PROTECTED"}, [])
    assert not {name for name in listed(aus, person) if "secret" in name}
    with pytest.raises(RefusedByPolicy, match="above the clearance"):
        sign_in(aus, "low", {"AUS": "SECRET"})
    token = sign_in(aus, "low")
    account = aus.people.get("low")
    aus.people.set(msgspec.structs.replace(account, projects=["*"], roles=[Role.ORIGINATOR]))
    assert aus.people.sessions.who(token).account.projects == ["P"]  # more for the account is no more for the session
    token = aus.people.sessions.change_level(token, {"AUS": "OFFICIAL"})
    with pytest.raises(RefusedByPolicy):
        aus.people.sessions.change_level(token, {"AUS": "SECRET"})
    aus.people.set(msgspec.structs.replace(account, projects=[]))
    assert aus.people.sessions.who(token).account.projects == []


@pytest.mark.parametrize("login", ["odd", "silent", "abroad", "thief", "newcomer"])
def test_what_the_table_does_not_map_opens_nothing(aus: Node, login: str) -> None:
    sign_in(aus, "alice")
    before = len(aus.people.sessions.of())
    with pytest.raises(NotAuthentic):
        sign_in(aus, login)
    assert len(aus.people.sessions.of()) == before
    assert leaves(aus)[-1][0] == "sign-in" and leaves(aus)[-1][2] == "refused"
    assert "newcomer" not in {account.id for account in aus.people.all()}


def test_an_answer_opens_one_session_once_and_only_where_it_was_asked_for(aus: Node) -> None:
    openid = OpenId(aus.core, aus.people)
    with ProviderLink(openid.provider) as fetch:
        url, pending = openid.begin(fetch)
        _, another = openid.begin(fetch)
        answer = urlsplit(browse(url, "alice")).query
        with pytest.raises(NotAuthentic, match="another sign-in"):
            openid.finish(answer, another, fetch)
        token = openid.finish(answer, pending, fetch)
        with pytest.raises(Stale, match="used before"):
            openid.finish(answer, pending, fetch)
        fresh = dict(parse_qsl(answer)) | {"state": dict(parse_qsl(urlsplit(openid.begin(fetch)[0]).query))["state"]}
        with pytest.raises(NotAuthentic):
            openid.finish(urlencode(fresh), another, fetch)
        url, pending = openid.begin(fetch)
        used = dict(parse_qsl(answer))["code"]
        state = dict(parse_qsl(urlsplit(url).query))["state"]
        with pytest.raises(NotAuthentic, match="refused with 400"):  # the provider takes a code once
            openid.finish(urlencode({"code": used, "state": state, "iss": openid.provider.issuer}), pending, fetch)
    assert aus.people.sessions.who(token).id == "alice"


def test_the_answer_of_another_provider_is_not_taken(aus: Node) -> None:
    openid = OpenId(aus.core, aus.people)
    for change in ({"iss": "https://evil.example"}, {"iss": None}, {"iss": ""}):
        with ProviderLink(openid.provider) as fetch:
            url, pending = openid.begin(fetch)
            answer = dict(parse_qsl(urlsplit(browse(url, "alice")).query)) | change
            kept = {name: value for name, value in answer.items() if value is not None}
            with pytest.raises(NotAuthentic, match="another provider"):
                openid.finish(urlencode(kept), pending, fetch)
    assert aus.people.sessions.of() == []


def test_revoked_suspended_and_unbound_sessions_are_over_at_once(aus: Node) -> None:
    for end in (
        lambda: aus.people.revoke("alice"),
        lambda: aus.people.unbind("alice"),
        lambda: aus.people.suspend("alice", "left"),
    ):
        token = sign_in(aus, "alice")
        assert aus.people.sessions.who(token).id == "alice"
        end()
        with pytest.raises(NotAuthentic):
            aus.people.sessions.who(token)
    with pytest.raises(NotAuthentic, match="no account"):
        sign_in(aus, "alice")


def test_an_account_is_made_only_where_the_settings_say_so_and_of_what_is_mapped(issuer: str, tmp_path: Path) -> None:
    coalition = made(tmp_path, issuer, provision=True)
    aus = coalition["aus"]
    person = aus.people.sessions.who(sign_in(aus, "newcomer"))
    assert person.account.clearance == {"AUS": "PROTECTED"} and person.account.projects == ["P"]
    assert person.account.roles == [Role.ORIGINATOR] and not aus.people.enrolled("newcomer")
    with pytest.raises(AldisError):
        aus.people.sign_in("newcomer", "")
    coalition.close()


def test_a_provider_that_signs_with_another_algorithm_needs_the_settings_to_say_so(tmp_path: Path) -> None:
    client = {**CLIENT, "token_endpoint_auth_method": "none"}
    del client["client_secret"]
    with provider(PEOPLE, client, "ES256") as issuer:
        coalition = made(tmp_path / "rs", issuer)
        (coalition["aus"].core.home.path / "keys" / SECRET_FILE).unlink()
        with pytest.raises(NotAuthentic, match="do not allow"):
            sign_in(coalition["aus"], "alice")
        coalition.close()
        coalition = made(tmp_path / "es", issuer, algorithms=["ES256"])
        (coalition["aus"].core.home.path / "keys" / SECRET_FILE).unlink()
        assert coalition["aus"].people.sessions.who(sign_in(coalition["aus"], "alice")).id == "alice"
        coalition.close()


def test_strength_is_asked_for_and_checked(issuer: str, tmp_path: Path) -> None:
    for place, more in (("acr", {"acr": ["phr"]}), ("amr", {"amr": ["hwk"]})):
        coalition = made(tmp_path / place, issuer, **more)
        with pytest.raises(NotAuthentic, match=place):
            sign_in(coalition["aus"], "alice")
        coalition.close()


def test_the_secret_of_the_client_is_in_no_setting_log_or_error(aus: Node) -> None:
    sign_in(aus, "alice")
    path = aus.core.home.path / "keys" / SECRET_FILE
    path.chmod(0o640)
    with pytest.raises(InvalidInput, match="can be read by others"):
        OpenId(aus.core, aus.people)
    assert CLIENT["client_secret"] not in (aus.core.home.path / "aldis.toml").read_text()
