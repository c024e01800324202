"""Answers that no honest provider gives: forged, swapped, replayed and oversized ones open no session."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc import jwk, jwt
from nations import Coalition
from personnel import hire

from aldis.kernel.authority import Role
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, Stale, Unavailable
from aldis.node.node import Node
from aldis.node.people import Account
from aldis.node.people.claimed import Bounds, narrowed, read_claims
from aldis.node.people.oidc import PENDING_MS, Ask, OpenId
from aldis.node.people.provider_link import ProviderLink
from aldis.node.provider import Claims, Provider, Values, sound_url

_PEM = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
ISSUER, CLIENT = "https://id.example", "aldis"
KEY = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
NEXT = jwk.RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})


class Rogue:
    """A provider that answers what a test wants; `asked` holds every request."""

    def __init__(self, coalition: Coalition) -> None:
        self._coalition = coalition
        self.asked: list[Ask] = []
        self.keys: list[jwk.RSAKey | jwk.OctKey] = [KEY]
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/auth", "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks", "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }  # fmt: skip
        self.claims: dict[str, Any] = {}
        self.token: Callable[[dict[str, Any]], str] = lambda claims: signed(claims)

    def __call__(self, ask: Ask) -> bytes:
        self.asked.append(ask)
        if ask.url.endswith("/openid-configuration"):
            return json.dumps(self.metadata).encode()
        if ask.url == f"{ISSUER}/jwks":
            return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()
        now = self._coalition.clock.at // 1000
        claims = {"iss": ISSUER, "aud": CLIENT, "sub": "alice", "iat": now, "exp": now + 300, **self.claims}
        held = {name: value for name, value in claims.items() if value is not None}
        return json.dumps({"id_token": self.token(held), "token_type": "Bearer"}).encode()


def signed(claims: dict[str, Any], key: Any = KEY, **header: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": key.kid, **header}, claims, key, algorithms=["RS256", "PS256"])


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def confused(claims: dict[str, Any]) -> str:
    """HS256 with the published RSA key as its secret."""
    pem = KEY.public_key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims)}"
    mac = hmac.digest(pem, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def own_key(claims: dict[str, Any]) -> str:
    """A key that the token brings along itself."""
    return signed(claims, OTHER, jwk=OTHER.as_dict(private=False))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Coalition]:
    coalition = Coalition(tmp_path)
    node = coalition.add("aus", oidc=Provider(issuer=ISSUER, client_id=CLIENT, redirect="https://aus.example/back"))
    hire(node, "alice")
    yield coalition
    coalition.close()


def begun(openid: OpenId, rogue: Rogue) -> tuple[dict[str, str], str]:
    """What the browser is sent with, and the pending sign-in; the rogue knows its nonce."""
    url, pending = openid.begin(rogue)
    query = dict(parse_qsl(urlsplit(url).query))
    rogue.claims.setdefault("nonce", query["nonce"])
    return query, pending


def attempt(node: Node, rogue: Rogue, openid: OpenId | None = None, **answer: str | None) -> str:
    openid = openid or OpenId(node.core, node.people)
    query, pending = begun(openid, rogue)
    given = {"code": "c", "state": query["state"], "iss": ISSUER, **answer}
    return openid.finish(urlencode({k: v for k, v in given.items() if v is not None}), pending, rogue)


def test_an_honest_answer_opens_a_session_so_that_the_rest_means_something(world: Coalition) -> None:
    rogue = Rogue(world)
    assert world["aus"].people.sessions.who(attempt(world["aus"], rogue)).id == "alice"
    (asked,) = [ask for ask in rogue.asked if ask.form]
    assert asked.form and len(asked.form["code_verifier"]) >= 43


def critical(claims: dict[str, Any]) -> str:
    """Rightly signed, with a header that must be understood and is not."""
    text = f"{part({'alg': 'RS256', 'kid': 'one', 'crit': ['b64'], 'b64': True})}.{part(claims)}"
    assert KEY.private_key is not None
    signature = KEY.private_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "unsigned": unsigned,
    "confused": confused,
    "own key": own_key,
    "critical": critical,
    "another key": lambda claims: signed(claims, OTHER),
    "unknown key": lambda claims: signed(claims, NEXT),
    "another algorithm": lambda claims: signed(claims, alg="PS256"),
    "broken": lambda claims: signed(claims)[:-4] + "AAAA",
    "nothing": lambda claims: "",
    "two parts": lambda claims: "a.b",
    "no ASCII": lambda claims: "é.b.c",
    "two tokens": lambda claims: signed(claims) + "." + signed(claims),
    "too large": lambda claims: signed({**claims, "pad": "x" * 200_000}),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_token_that_the_published_key_did_not_sign_as_allowed(
    world: Coalition, token: Callable[[dict[str, Any]], str]
) -> None:
    rogue = Rogue(world)
    rogue.token = token
    with pytest.raises(NotAuthentic):
        attempt(world["aus"], rogue)
    assert world["aus"].people.sessions.of() == []


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://id.example/"}, {"iss": "https://evil.example"}, {"iss": None},
        {"aud": "other"}, {"aud": None}, {"aud": []}, {"aud": [CLIENT, "other"]}, {"azp": "other"},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"nonce": "another"}, {"nonce": ""}, {"nonce": 5}, {"nonce": None},
        {"exp": 0}, {"exp": None}, {"exp": "later"}, {"exp": True}, {"iat": 0}, {"iat": None}, {"iat": 9_000_000_000},
        {"nbf": 9_000_000_000}, {"sub": ""}, {"sub": None}, {"sub": "x" * 256}, {"sub": ["alice"]}, {"sub": "bob"},
        {"sub": "alice\n"}, {"sub": "ALICE"},
    ],
)  # fmt: skip
def test_a_token_that_says_something_else(world: Coalition, claims: dict[str, Any]) -> None:
    rogue = Rogue(world)
    rogue.claims = claims
    with pytest.raises((NotAuthentic, Stale)):
        attempt(world["aus"], rogue)
    assert world["aus"].people.sessions.of() == []


@pytest.mark.parametrize(
    "answer",
    [
        {"state": "x"}, {"state": None}, {"iss": "https://evil.example"}, {"iss": None}, {"code": None},
        {"error": "access_denied"}, {"error": "\x1b[31m" * 50},
    ],
)  # fmt: skip
def test_an_answer_that_was_not_asked_for(world: Coalition, answer: dict[str, str | None]) -> None:
    rogue = Rogue(world)
    with pytest.raises(NotAuthentic) as caught:
        attempt(world["aus"], rogue, None, **answer)
    assert str(caught.value).isprintable() and not [ask for ask in rogue.asked if ask.form]


def test_a_pending_sign_in_is_good_for_ten_minutes_at_this_node_and_provider(world: Coalition) -> None:
    node, rogue = world["aus"], Rogue(world)
    openid = OpenId(node.core, node.people)
    query, pending = begun(openid, rogue)
    answer = urlencode({"code": "c", "state": query["state"], "iss": ISSUER})
    for forged in ("", "é", "A" * 9000, pending[:-2], pending[1:], "A" + pending[1:]):
        if forged != pending:
            with pytest.raises(NotAuthentic, match="under way"):
                openid.finish(answer, forged, rogue)
    for doubled in (f"{answer}&state={query['state']}", f"{answer}&code=d", "a" * 9000, "&".join("abcdefghijklmnopqr")):
        with pytest.raises(NotAuthentic):
            openid.finish(doubled, pending, rogue)
    world.clock.at += PENDING_MS
    with pytest.raises(Stale, match="ten minutes"):
        openid.finish(answer, pending, rogue)
    other = world.add("gbr", oidc=Provider(issuer=ISSUER, client_id=CLIENT, redirect="https://gbr.example/back"))
    with pytest.raises(NotAuthentic, match="under way"):
        OpenId(other.core, other.people).finish(answer, pending, rogue)


def test_an_answer_is_good_once_in_whichever_process(world: Coalition) -> None:
    node, rogue = world["aus"], Rogue(world)
    openid = OpenId(node.core, node.people)
    query, pending = begun(openid, rogue)
    answer = urlencode({"code": "c", "state": query["state"], "iss": ISSUER})
    openid.finish(answer, pending, rogue)
    for other in (openid, OpenId(node.core, node.people)):
        with pytest.raises(Stale, match="used before"):
            other.finish(answer, pending, rogue)
    assert len(node.people.sessions.of()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://id.example/"}, {"issuer": "https://evil.example"},
        {"authorization_endpoint": "http://id.example/auth"}, {"token_endpoint": "http://127.0.0.1/token"},
        {"jwks_uri": "file:///etc/passwd"}, {"token_endpoint": "https://u:p@id.example/token"},
        {"code_challenge_methods_supported": ["plain"]}, {"code_challenge_methods_supported": []},
    ],
)  # fmt: skip
def test_a_provider_that_is_another_or_does_less_is_not_gone_to(world: Coalition, change: dict[str, Any]) -> None:
    rogue = Rogue(world)
    rogue.metadata |= change
    with pytest.raises(NotAuthentic):
        attempt(world["aus"], rogue)
    rogue.metadata = {"issuer": ISSUER}
    with pytest.raises(Unavailable):
        attempt(world["aus"], rogue)


def test_keys_may_change_and_are_asked_for_at_most_once_a_minute(world: Coalition) -> None:
    node, rogue = world["aus"], Rogue(world)
    openid = OpenId(node.core, node.people)
    attempt(node, rogue, openid)
    rogue.token, rogue.keys = (lambda claims: signed(claims, NEXT)), [KEY, NEXT]
    for wait, good in ((0, False), (59_000, False), (2_000, True), (0, True)):
        world.clock.at += wait
        rogue.claims = {}
        if good:
            attempt(node, rogue, openid)
        else:
            with pytest.raises(NotAuthentic, match="does not publish"):
                attempt(node, rogue, openid)
    asked = [ask for ask in rogue.asked if ask.url == f"{ISSUER}/jwks"]
    assert len(asked) == 2


def made_with(key: jwk.RSAKey | jwk.OctKey, algorithm: str, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


def test_only_public_signing_keys_of_enough_bits_count(world: Coalition) -> None:
    small = rsa.generate_private_key(65537, 1024)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weak = jwk.RSAKey.import_key(small.private_bytes(*_PEM), {"kid": "weak"})
    shared = jwk.OctKey.generate_key(256, {"kid": "shared"})
    other_use = jwk.RSAKey.import_key({**OTHER.as_dict(private=False), "kid": "enc", "use": "enc"})
    same = jwk.RSAKey.import_key({**OTHER.as_dict(private=True), "kid": "enc"})
    for key, signer, algorithm in ((weak, weak, "RS256"), (other_use, same, "RS256"), (shared, shared, "HS256")):
        rogue = Rogue(world)
        rogue.keys = [key]
        rogue.token = partial(made_with, signer, algorithm)
        with pytest.raises(NotAuthentic), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            attempt(world["aus"], rogue)


def test_a_subject_is_bound_to_the_account_that_it_opened_first(tmp_path: Path) -> None:
    world = Coalition(tmp_path)
    settings = Provider(issuer=ISSUER, client_id=CLIENT, redirect="https://a.example/b", claims=Claims(id="username"))
    node = world.add("aus", oidc=settings)
    for who in ("alice", "bob"):
        hire(node, who)
    rogue = Rogue(world)
    for subject, username, good in (
        ("1", "alice", True),
        ("2", "alice", False),
        ("1", "bob", False),
        ("2", "bob", True),
    ):
        rogue.claims = {"sub": subject, "username": username}
        if good:
            assert node.people.sessions.who(attempt(node, rogue)).id == username
        else:
            with pytest.raises(NotAuthentic, match="no account"):
                attempt(node, rogue)
    world.close()


def test_a_guest_to_either_is_a_guest_and_nothing_grows(world: Coalition) -> None:
    policies = world["aus"].core.policies
    account = Account(id="a", name="A", nationality="AUS", clearance={"AUS": "PROTECTED"}, projects=["*"],
                      roles=[Role.ORIGINATOR])  # fmt: skip
    wide = Bounds({"AUS": "SECRET", "UK": "SECRET"}, ["*", "P"], [Role.ADMINISTRATOR, Role.ORIGINATOR])
    got = narrowed(account, wide, policies)
    assert (got.clearance, got.roles) == ({"AUS": "PROTECTED"}, [Role.ORIGINATOR])
    assert narrowed(account, Bounds(roles=[Role.GUEST]), policies).roles == [Role.GUEST]
    guest = Account(id="g", name="G", nationality="AUS", clearance={"AUS": "OFFICIAL"}, roles=[Role.GUEST])
    assert narrowed(guest, Bounds(roles=[]), policies).roles == [Role.GUEST]
    provider = Provider(issuer=ISSUER, client_id=CLIENT, claims=Claims(projects="p", roles="r"),
                        values=Values(projects={"all": "*", "one": "P"}))  # fmt: skip
    claimed = read_claims(
        {"sub": "a", "p": ["all", "one", "P", 5], "r": ["king", "guest", "administrator"]}, provider, policies
    )
    assert claimed.bounds.projects == ["P"] and claimed.bounds.roles == [Role.ADMINISTRATOR, Role.GUEST]
    for wrong in ({"sub": "a"}, {"sub": "a", "p": "P", "r": []}, {"sub": 5, "p": [], "r": []}):
        with pytest.raises(NotAuthentic):
            read_claims(wrong, provider, policies)


def test_settings_that_would_trust_too_much_cannot_be() -> None:
    for url in ("http://id.example", "ftp://id.example", "https://u@id.example", "https://id.example?x", "",
                "https://", "https://id.example#x", "http://127.0.0.1.evil.example", "https://a b"):  # fmt: skip
        assert not sound_url(url)
    trusting: tuple[dict[str, Any], ...] = (
        {"issuer": "http://id.example"}, {"algorithms": ["HS256"]}, {"algorithms": ["none"]},
        {"scope": ["email"]}, {"redirect": "http://aus.example"}, {"values": Values(roles={"a": "b"})},
        {"values": Values(clearance={"AUS": {"a": "SECRET"}})},
    )  # fmt: skip
    for more in trusting:
        with pytest.raises(InvalidInput):
            Provider(**{"issuer": ISSUER, "client_id": CLIENT, **more}).check()


def test_the_link_goes_only_where_it_may_and_not_for_ever() -> None:
    provider = Provider(issuer="http://127.0.0.1:9", client_id=CLIENT)
    with ProviderLink(provider, timeout_s=1) as link:
        with pytest.raises(NotAuthentic):
            link(Ask("http://id.example/"))
        with pytest.raises(Unavailable):
            link(Ask("http://127.0.0.1:9/"))
    with pytest.raises(InvalidInput):
        ProviderLink(Provider(issuer=ISSUER, client_id=CLIENT, ca="/nowhere.pem"))


def test_every_refusal_is_an_error_of_ours_and_in_the_ledger(world: Coalition) -> None:
    rogue = Rogue(world)
    rogue.claims = {"sub": "nobody-known"}
    size = world["aus"].core.store.ledger.size()
    with pytest.raises(AldisError):
        attempt(world["aus"], rogue)
    (leaf,) = world["aus"].core.store.ledger.leaves(size)
    assert (leaf.type, leaf.subject) == ("sign-in", "nobody") and b"nobody-known" not in leaf.data
