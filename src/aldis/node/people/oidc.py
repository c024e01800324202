"""Signing in at an OpenID provider: authorization code with PKCE, after which a session like any other begins here.

The checks of `finish`, in this order (OpenID Connect Core 1.0; RFC 6749, 7636, 9207, 9700):
1 `pending` was made by this node for this provider, and its ten minutes are not over
2 `state` in the answer is the one that was sent, and no answer to it was taken before
3 `iss` in the answer is the issuer; it may be left out only where the provider does not say that it sends it
4 the provider did not refuse, and sent one code, exchanged with the PKCE verifier over TLS
5 the ID token: see `id_token`
6 the claims: see `claimed`; they bound the session and never widen the account
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwk

from aldis.kernel.encoding import b64, sha256, unb64
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, Stale, Unavailable
from aldis.node.core import Core
from aldis.node.keys import read_private
from aldis.node.people.claimed import read_claims
from aldis.node.people.id_token import UnknownKey, read_keys, verify_id_token
from aldis.node.people.people import People
from aldis.node.provider import sound_url

__all__ = ["PENDING_MS", "SECRET_FILE", "Ask", "Fetch", "OpenId"]

PENDING_MS = 600_000
SECRET_FILE = "oidc.secret"  # noqa: S105 - a file's name
_DISCOVERY_MS, _KEYS_MS, _AGAIN_MS = 3_600_000, 3_600_000, 60_000
_RANDOM, _NONCE = 32, 12
_CONTEXT = b"aldis/oidc/1"
_LONGEST = 8192
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the provider: GET, or POST of a form; `user` is a name and secret for HTTP Basic."""

    url: str
    form: Mapping[str, str] | None = None
    user: tuple[str, str] | None = None


Fetch = Callable[[Ask], bytes]
"""Carries out a request, the answer at most 256 KiB; raises Unavailable, or NotAuthentic where the provider refuses."""


class _Found(msgspec.Struct, frozen=True):
    """What is used of a provider's metadata (OpenID Connect Discovery 1.0 section 3; RFC 8414; RFC 9207)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    code_challenge_methods_supported: list[str] = []
    authorization_response_iss_parameter_supported: bool = False


class _Pending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    issuer: str
    redirect: str
    state: str
    nonce: str
    verifier: str
    level: dict[str, str]
    until: int


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    token_type: str


class OpenId:
    """Begins and finishes sign-ins at the one provider of the settings; does no network I/O itself."""

    def __init__(self, core: Core, people: People) -> None:
        """The settings' provider.

        Raises:
            InvalidInput: the settings name none, or `keys/oidc.secret` could be read by others.
        """
        if core.config.oidc is None:
            raise InvalidInput("this node knows no OpenID provider", fix="Name one in the table [oidc] of aldis.toml")
        self._core, self._people, self.provider = core, people, core.config.oidc
        file = core.home.path / "keys" / SECRET_FILE
        self._secret = read_private(file).decode("utf-8").strip() if file.exists() else ""
        self._cipher = AESGCM(hmac.digest(core.secret, _CONTEXT, "sha256"))
        self._found: tuple[int, _Found] | None = None
        self._keys: tuple[int, list[jwk.Key]] | None = None

    def begin(self, fetch: Fetch, level: Mapping[str, str] | None = None, redirect: str = "") -> tuple[str, str]:
        """Where to send somebody's browser, and what `finish` needs, which that browser alone must be able to bring.

        `pending` is encrypted, for ten minutes good, and may be a cookie; `redirect` instead of that in the settings.

        Raises:
            InvalidInput: no redirect, or one that is neither https nor on this machine.
            Unavailable, NotAuthentic: the provider does not answer, or is another than the settings say.
        """
        redirect = redirect or self.provider.redirect
        if not sound_url(redirect):
            raise InvalidInput("there is nowhere for the provider to send people back to", fix="Set `oidc.redirect`")
        found = self._discover(fetch)
        state, nonce, verifier = (b64(self._core.random(_RANDOM)) for _ in range(3))
        until = self._core.clock.now() + PENDING_MS
        pending = _Pending(self.provider.issuer, redirect, state, nonce, verifier, dict(level or {}), until)
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(self.provider.scope),
            "state": state,
            "nonce": nonce,
            "code_challenge": b64(sha256(verifier.encode())),
            "code_challenge_method": "S256",
        }
        if self.provider.acr:
            query["acr_values"] = " ".join(self.provider.acr)
        salt = self._core.random(_NONCE)
        sealed = salt + self._cipher.encrypt(salt, msgspec.json.encode(pending), _CONTEXT)
        join = "&" if "?" in found.authorization_endpoint else "?"
        return f"{found.authorization_endpoint}{join}{urlencode(query)}", b64(sealed)

    def finish(self, query: str, pending: str, fetch: Fetch) -> str:
        """The token of a new session, from the query of the answer that a browser brought back.

        Raises:
            NotAuthentic, Stale: a check fails, or no account here is open to them; the ledger has a line.
            RefusedByPolicy, UnknownTerm: a level that they may not choose.
            Unavailable: the provider does not answer.
        """
        given = self._open(pending)
        answer = self._answered(query, given)
        found = self._discover(fetch)
        said = answer.get("iss")
        if said != self.provider.issuer and (said is not None or found.authorization_response_iss_parameter_supported):
            raise NotAuthentic("the answer is from another provider", fix=_AGAIN)
        if "error" in answer:
            raise NotAuthentic(f"the provider refused: {_plain(answer['error'])}", fix="Sign in again")
        if "code" not in answer:
            raise NotAuthentic("the provider sent no code", fix=_AGAIN)
        token = self._exchange(answer["code"], given, found, fetch)
        try:
            claims = self._verify(token, given, found, fetch)
            claimed = read_claims(claims, self.provider, self._core.policies)
        except AldisError as error:
            self._people.provider_refused(str(error.args[0]))
            raise
        return self._people.sign_in_claimed(claimed, self.provider, str(claims["sub"]), given.level)

    def _open(self, pending: str) -> _Pending:
        try:
            data = unb64(pending[:_LONGEST])
            plain = self._cipher.decrypt(data[:_NONCE], data[_NONCE:], _CONTEXT)
            given = msgspec.json.decode(plain, type=_Pending)
        except (ValueError, InvalidTag, AldisError, msgspec.MsgspecError) as error:
            raise NotAuthentic("no sign-in is under way here", fix=_AGAIN) from error
        if given.issuer != self.provider.issuer:
            raise NotAuthentic("that sign-in was at another provider", fix=_AGAIN)
        if self._core.clock.now() >= given.until:
            raise Stale("that sign-in was begun more than ten minutes ago", fix=_AGAIN)
        return given

    def _answered(self, query: str, given: _Pending) -> dict[str, str]:
        """The answer, each of its parameters once; its state is taken for good."""
        try:
            pairs = parse_qsl(query[: _LONGEST + 1], keep_blank_values=True, max_num_fields=16, errors="strict")
        except ValueError as error:
            raise NotAuthentic("the answer of the provider cannot be read", fix=_AGAIN) from error
        answer = dict(pairs)
        if len(query) > _LONGEST or len(answer) != len(pairs):
            raise NotAuthentic("the answer of the provider cannot be read", fix=_AGAIN)
        if not hmac.compare_digest(answer.get("state", "").encode("utf-8", "replace"), given.state.encode()):
            raise NotAuthentic("the answer belongs to another sign-in", fix=_AGAIN)
        if not self._core.store.identities.use(sha256(given.state.encode()), given.until, self._core.clock.now()):
            raise Stale("the answer was used before", fix=_AGAIN)
        return answer

    def _exchange(self, code: str, given: _Pending, found: _Found, fetch: Fetch) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": given.redirect,
            "code_verifier": given.verifier,
        }
        user = (self.provider.client_id, self._secret) if self._secret else None
        if user is None:
            form["client_id"] = self.provider.client_id
        tokens = _decoded(fetch(Ask(found.token_endpoint, form, user)), _Tokens)
        if tokens.token_type.lower() != "bearer":
            raise NotAuthentic("the provider sent a token of another type", fix=_AGAIN)
        return tokens.id_token

    def _verify(self, token: str, given: _Pending, found: _Found, fetch: Fetch) -> dict[str, Any]:
        def verify(keys: Sequence[jwk.Key]) -> dict[str, Any]:
            provider = self.provider
            return verify_id_token(
                token, keys, issuer=provider.issuer, client=provider.client_id, nonce=given.nonce,
                algorithms=provider.algorithms, at=self._core.clock.now(),
            )  # fmt: skip

        try:
            return verify(self._published(found, fetch, _KEYS_MS))
        except UnknownKey:  # it may have changed its keys
            try:
                return verify(self._published(found, fetch, _AGAIN_MS))
            except UnknownKey as error:
                raise NotAuthentic(
                    "the ID token is signed with a key that its provider does not publish", fix=_ASK
                ) from error

    def _published(self, found: _Found, fetch: Fetch, oldest: int) -> list[jwk.Key]:
        """The provider's keys, asked for anew where those known are older; at most once a minute."""
        now = self._core.clock.now()
        if self._keys is None or not 0 <= now - self._keys[0] < oldest:
            self._keys = now, read_keys(_decoded(fetch(Ask(found.jwks_uri)), dict[str, Any]))
        return self._keys[1]

    def _discover(self, fetch: Fetch) -> _Found:
        now = self._core.clock.now()
        if self._found is None or not 0 <= now - self._found[0] < _DISCOVERY_MS:
            where = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = _decoded(fetch(Ask(where)), _Found)
            if found.issuer != self.provider.issuer:
                raise NotAuthentic(
                    f"the provider calls itself {_plain(found.issuer)!r}", fix="Mend `oidc.issuer` in aldis.toml"
                )
            ends = (found.authorization_endpoint.partition("?")[0], found.token_endpoint, found.jwks_uri)
            local = urlsplit(self.provider.issuer).scheme == "http"
            if not all(sound_url(end) and (local or end.startswith("https:")) for end in ends):
                raise NotAuthentic("the provider names addresses that are not https", fix=_ASK)
            if "S256" not in found.code_challenge_methods_supported:
                raise NotAuthentic("the provider does not say that it checks PKCE (S256)", fix=_ASK)
            self._found = now, found
        return self._found[1]


_AGAIN = "Begin to sign in again"
_ASK = "Ask the administrator of the provider"


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:80])


def _decoded(data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unavailable("the provider's answer is not what was asked for", fix=_ASK) from error
