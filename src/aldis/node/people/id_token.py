"""ID tokens: verified with the provider's published keys, by algorithms that the settings name and never the token.

The checks, in this order (OpenID Connect Core 1.0 section 3.1.3.7; RFC 7515; RFC 7519):
1 the signature, by an allowed algorithm, with a key that the provider publishes for signing
2 `iss` is the issuer of the settings, letter by letter
3 `aud` names this client; where it names others too, or `azp` is there, `azp` is this client
4 `exp` is to come; `iat` is neither to come nor older than ten minutes; `nbf`, where there is one, is past
5 `nonce` is the one that was sent
6 `sub` is a text of at most 255 characters
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from aldis.kernel.errors import AldisError, NotAuthentic, Stale
from aldis.node.provider import ALGORITHMS

__all__ = ["LEEWAY_S", "OLDEST_S", "UnknownKey", "read_keys", "verify_id_token"]

LEEWAY_S = 60
"""How far the provider's clock may be from this one."""
OLDEST_S = 600
_MOST_KEYS = 64
_LEAST_RSA = 2048
_SUBJECT = 255
_FIX = "Sign in again; where that does not help, ask the administrator of the provider"
_KINDS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "ES384": "EC"}


class UnknownKey(Exception):
    """The token names a key that the provider had not published when it was last asked: ask it again."""


def read_keys(document: Mapping[str, Any]) -> list[jwk.Key]:
    """The public signing keys of a JWK Set (RFC 7517 section 5); keys of other kinds and uses are passed over."""
    found: list[jwk.Key] = []
    listed = document.get("keys")
    for one in listed[:_MOST_KEYS] if isinstance(listed, list) else []:
        if not isinstance(one, dict) or one.get("kty") not in _KINDS.values() or one.get("use", "sig") != "sig":
            continue
        if one["kty"] == "RSA" and len(str(one.get("n"))) * 6 < _LEAST_RSA:
            continue
        try:
            key = jwk.import_key({name: one[name] for name in one if name not in ("d", "p", "q", "dp", "dq", "qi")})
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        found.append(key)
    return found


def verify_id_token(
    token: str, keys: Sequence[jwk.Key], *, issuer: str, client: str, nonce: str, algorithms: Sequence[str], at: int
) -> dict[str, Any]:
    """The claims of a token that passes every check; `at` in ms since 1970 UTC.

    Raises:
        UnknownKey: its key is none of these.
        NotAuthentic, Stale: it does not hold.
    """
    claims = _signed(token, keys, algorithms)
    if claims.get("iss") != issuer:
        raise _wrong("it is from another issuer")
    named = claims.get("aud")
    audience = named if isinstance(named, list) else [named]
    if client not in audience or ((len(audience) > 1 or "azp" in claims) and claims.get("azp") != client):
        raise _wrong("it is for somebody else")
    _check_times(claims, at // 1000)
    sent = claims.get("nonce")
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode("utf-8", "replace"), nonce.encode()):
        raise _wrong("it is the answer to another request")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= _SUBJECT or not subject.isprintable():
        raise _wrong("it does not say who it is about")
    return claims


def _signed(token: str, keys: Sequence[jwk.Key], algorithms: Sequence[str]) -> dict[str, Any]:
    allowed = [name for name in algorithms if name in ALGORITHMS]
    registry = jws.JWSRegistry(algorithms=allowed, strict_check_header=False)
    try:
        header = jws.extract_compact(token.encode("ascii"), registry=registry).headers()
        algorithm, name = header.get("alg"), header.get("kid")
        if algorithm not in allowed or "crit" in header:
            raise _wrong("it is signed in a way that the settings do not allow")
        return jwt.decode(token, _key(keys, algorithm, name), algorithms=[algorithm], registry=registry).claims
    except (AldisError, UnknownKey):
        raise
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _wrong(f"it cannot be verified ({type(error).__name__})") from error


def _key(keys: Sequence[jwk.Key], algorithm: str, name: object) -> jwk.Key:
    """The one key that can have signed it."""
    fitting = [key for key in keys if key.key_type == _KINDS[algorithm] and key.alg in (None, algorithm)]
    fitting = [key for key in fitting if name is None or key.kid == name]
    if not fitting:
        raise UnknownKey
    if len(fitting) > 1:
        raise _wrong("it does not say which key signed it")
    return fitting[0]


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    after, made, begins = (
        _seconds(claims.get(name, missing)) for name, missing in (("exp", 0), ("iat", 0), ("nbf", now))
    )
    if not (now - LEEWAY_S < after and now - OLDEST_S - LEEWAY_S <= made <= now + LEEWAY_S):
        raise Stale("the ID token is from another time", fix="Set the clock that is wrong, and sign in again")
    if not begins <= now + LEEWAY_S:
        raise Stale("the ID token does not hold yet", fix="Set the clock that is wrong, and sign in again")


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong("it does not say how long it holds")
    return value


def _wrong(why: str) -> NotAuthentic:
    return NotAuthentic(f"the ID token is not believed: {why}", fix=_FIX)
