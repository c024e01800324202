"""A key-access server asked over HTTP, as OpenTDF's SDKs ask it: the share comes wrapped for a key made for this once.

Source: opentdf/platform `service/kas`; RFC 9449.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx2
import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from aldis.kernel.encoding import b64, sha256
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, Unavailable
from aldis.kernel.tdf import KeyAccess
from aldis.kernel.tdf.manifest import unbase64

__all__ = ["RemoteKas", "check_url", "sign"]

_ANSWER = 64 * 1024
_S = 20.0
_REQUEST_S = 60
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - what OpenTDF uses for RSA


class RemoteKas:
    """Key-access servers by URL, each with the token of a session there; no other server is ever asked."""

    def __init__(self, tokens: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._tokens = {url.rstrip("/"): token for url, token in tokens.items()}
        self._clock = clock
        self._holder = rsa.generate_private_key(65537, 2048)

    def unwrap(self, access: KeyAccess, policy: bytes) -> bytes | None:
        """The share; None where it is for a server that is not among these.

        Raises:
            RefusedByPolicy: the server does not give it.
            Unavailable: it cannot be reached, or answers what is no answer.
        """
        url = access.url.rstrip("/")
        token = self._tokens.get(url)
        if token is None:
            return None
        mine = rsa.generate_private_key(65537, 2048)
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        pem = mine.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
        asked = {"keyAccess": access, "policy": base64.b64encode(policy).decode(), "clientPublicKey": pem}
        place = f"{url}/v2/rewrap"
        wrapped = self._ask(place, self.headers(place, token), self.request(asked))
        try:
            return mine.decrypt(unbase64(wrapped, "the share"), _OAEP)
        except ValueError as error:
            raise Unavailable(f"{url} answered with a share that is not for this request") from error

    def headers(self, place: str, token: str) -> dict[str, str]:
        """What authenticates a request to `place`: the session's token, and a proof of the key held."""
        numbers = self._holder.public_key().public_numbers()
        n, e = (b64(one.to_bytes((one.bit_length() + 7) // 8)) for one in (numbers.n, numbers.e))
        head = {"alg": "RS256", "typ": "dpop+jwt", "jwk": {"kty": "RSA", "n": n, "e": e}}
        said = {"jti": str(uuid4()), "htm": "POST", "htu": place, "iat": int(self._clock()),
                "ath": b64(sha256(token.encode()))}  # fmt: skip
        return {"authorization": f"Bearer {token}", "dpop": sign(self._holder, head, said)}

    def request(self, asked: Mapping[str, Any]) -> bytes:
        """The body of a request, signed by the key held."""
        now = int(self._clock())
        body = msgspec.json.encode(asked).decode()
        said = {"requestBody": body, "iat": now, "exp": now + _REQUEST_S, "jti": str(uuid4())}
        return msgspec.json.encode({"signedRequestToken": sign(self._holder, {"alg": "RS256"}, said)})

    def _ask(self, place: str, headers: Mapping[str, str], body: bytes) -> str:
        given = {**headers, "content-type": "application/json", "accept-encoding": "identity"}
        try:
            with (
                httpx2.Client(timeout=_S, trust_env=False) as client,
                client.stream("POST", place, headers=given, content=body) as answer,
            ):
                held = bytearray()
                for part in answer.iter_bytes():
                    held += part
                    if len(held) > _ANSWER:
                        raise Unavailable(f"{place} answered with more than {_ANSWER} bytes")
                status = answer.status_code
        except (httpx2.HTTPError, OSError) as error:
            raise Unavailable(f"{place} cannot be reached: {error}", fix="Give the key itself: --kas-key") from error
        if status in (401, 403):
            raise RefusedByPolicy(
                f"{place} does not give the key ({status})", fix="Sign in there again, or ask whoever sealed it"
            )
        try:
            found = msgspec.json.decode(bytes(held), type=dict[str, Any]).get("entityWrappedKey")
        except (msgspec.MsgspecError, ValueError):
            found = None
        if status != 200 or not isinstance(found, str):
            raise Unavailable(f"{place} answered {status} and no key")
        return found


def sign(key: rsa.RSAPrivateKey, head: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """A JSON Web Signature, compact, RS256."""
    signed = f"{b64(msgspec.json.encode(head))}.{b64(msgspec.json.encode(said))}"
    return f"{signed}.{b64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def check_url(url: str) -> str:
    """The URL of a key-access server, if nobody on the way can listen in.

    Raises:
        InvalidInput: neither https nor this machine.
    """
    parsed = httpx2.URL(url)
    if parsed.scheme != "https" and not (parsed.scheme == "http" and parsed.host == "127.0.0.1"):
        raise InvalidInput(f"{url} is not https", fix="A token would cross the network in clear")
    return url
