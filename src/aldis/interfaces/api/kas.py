"""Key access over HTTP, as OpenTDF's SDKs ask for it: a public key, and a share wrapped anew for a client's key.

A rewrap goes, in this order: 1 the session of its bearer token; 2 the size of its body; 3 a DPoP proof for exactly
this request, of the key that this session began with; 4 a request token signed by that key, in date and new; 5 its
body; 6 what `KeyServer` checks of the share. Nothing of a body is read before 1 and 2. What fails from 4 on is
answered with one and the same 403. Source: opentdf/platform `service/kas`, `lib/ocrypto`.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aldis.interfaces.api.proofs import Holder, Holders, Once, prove, request_of
from aldis.kernel.encoding import b64
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic
from aldis.kernel.tdf import KeyAccess
from aldis.node.kas import KasPublic
from aldis.node.node import Node
from aldis.node.people import Person

__all__ = ["Who", "kas_routes"]

Who = Callable[[Mapping[str, str], str], Awaitable[tuple[str, Person]]]
"""The token and the person of a request, by its headers (names in lower case) and the address it comes from."""
_BODY = 256 * 1024
_BODY_S = 10.0
_TOKEN = 256


class _Envelope(msgspec.Struct, frozen=True):
    signedRequestToken: str  # noqa: N815


class _Asked(msgspec.Struct, frozen=True):
    keyAccess: KeyAccess  # noqa: N815
    policy: str
    clientPublicKey: str  # noqa: N815
    algorithm: Literal["RS256"] = "RS256"


class _Given(msgspec.Struct, frozen=True):
    entityWrappedKey: str  # noqa: N815
    metadata: dict[str, str] = {}


class _Key(msgspec.Struct, frozen=True):
    publicKey: str  # noqa: N815
    kid: str
    algorithm: str


class _Problem(msgspec.Struct, frozen=True):
    type: str
    title: str
    status: int
    detail: str


class _Refused(Exception):
    """Ends a request with a status; `told` is for everybody to see."""

    def __init__(self, status: int, title: str, told: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(told)
        name = title.lower().replace(" ", "-")
        self.body = msgspec.json.encode(_Problem(f"urn:aldis:problem:{name}", title, status, told))
        self.status, self.headers = status, dict(headers or {})

    def answer(self) -> Response:
        return Response(self.body, self.status, self.headers, "application/problem+json")


def kas_routes(node: Node, who: Who | None = None) -> list[BaseRoute]:
    """The routes of the key-access server; none where the node has no `kas_url`.

    `who` says whose request it is, or raises what the server answers; without it, the sessions of the node do.
    """
    if not node.key_access.url:
        return []
    places = _Places(node, who)
    return [
        Route("/kas/v2/kas_public_key", places.public_key, methods=["GET"]),
        Route("/kas/kas_public_key", places.public_key, methods=["GET"]),
        Route("/kas/v2/rewrap", places.rewrap, methods=["POST"]),
    ]


class _Places:
    def __init__(self, node: Node, who: Who | None) -> None:
        self._node = node
        self._who = who or self._signed_in
        self._url = f"{node.key_access.url}/v2/rewrap"
        self._proofs, self._requests = Once(), Once()
        self._holders = Holders()

    async def public_key(self, request: Request) -> Response:
        """The key to wrap for: `algorithm` (`rsa:2048`, ...) picks one, `fmt=jwk` writes it so."""
        algorithm = request.query_params.get("algorithm", "")
        found = await asyncio.to_thread(self._node.key_access.public, algorithm)
        if found is None:
            return _Refused(404, "Not found", "there is no such key").answer()
        text = _jwk(found) if request.query_params.get("fmt") == "jwk" else found.pem
        data = msgspec.json.encode(_Key(text, found.kid, found.algorithm))
        return Response(data, media_type="application/json", headers={"cache-control": "max-age=60"})

    async def rewrap(self, request: Request) -> Response:
        """A share for the client's key, if the person may have it."""
        try:
            address = request.client.host if request.client else ""
            token, person = await self._who(request.headers, address)  # 1
            body = await _body(request)  # 2
            data = await asyncio.to_thread(self._rewrapped, request.headers.get("dpop", ""), token, person, body)
        except _Refused as refused:
            return refused.answer()
        return Response(data, media_type="application/json", headers={"cache-control": "no-store"})

    async def _signed_in(self, headers: Mapping[str, str], _address: str) -> tuple[str, Person]:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or len(token) > _TOKEN:
            token = ""
        try:
            return token, await asyncio.to_thread(self._node.people.sessions.who, token)
        except NotAuthentic as error:
            told = "nobody is signed in with that, or no longer"
            raise _Refused(401, "Not signed in", told, {"www-authenticate": 'Bearer realm="aldis"'}) from error

    def _rewrapped(self, proof: str, token: str, person: Person, body: bytes) -> bytes:
        now = self._node.core.clock.now() / 1000
        holder = self._held(proof, token, now)  # 3
        try:
            signed = msgspec.json.decode(body, type=_Envelope).signedRequestToken
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise _Refused(400, "Invalid input", "the body is no JSON object with a signedRequestToken") from error
        try:
            asked = _asked(request_of(signed, holder, now, self._requests))  # 4, 5
            client = _client(asked.clientPublicKey)
        except AldisError as error:
            self._node.key_access.refused(person, str(error.args[0]))
            raise _forbidden() from error
        try:
            share = self._node.key_access.rewrap(person, asked.keyAccess, asked.policy, client)  # 6
        except AldisError as error:
            raise _forbidden() from error
        return msgspec.json.encode(_Given(base64.b64encode(share).decode()))

    def _held(self, proof: str, token: str, now: float) -> Holder:
        """The key that the client proved to hold; the first that a session shows is the only one it can use."""
        try:
            holder = prove(proof, token, "POST", self._url, now, self._proofs)
            self._holders.check(token, holder)
        except AldisError as error:
            headers = {"www-authenticate": 'DPoP error="invalid_dpop_proof", algs="RS256"'}
            raise _Refused(401, "Not signed in", f"no proof of a key: {error.args[0]}", headers) from error
        return holder


def _forbidden() -> _Refused:
    return _Refused(403, "Refused", "the key is not given")


async def _body(request: Request) -> bytes:
    declared, held = request.headers.get("content-length", "0"), bytearray()
    large = _Refused(413, "Too large", f"a request has at most {_BODY} bytes", {"connection": "close"})
    if not declared.isdecimal() or int(declared) > _BODY:
        raise large
    try:
        async with asyncio.timeout(_BODY_S):
            async for part in request.stream():
                held += part
                if len(held) > _BODY:
                    raise large
    except (TimeoutError, ClientDisconnect) as error:
        raise _Refused(408, "Request timeout", "the body did not arrive in time", {"connection": "close"}) from error
    return bytes(held)


def _asked(data: bytes) -> _Asked:
    try:
        return msgspec.json.decode(data, type=_Asked)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"the request is malformed: {error}") from error


def _client(pem: str) -> KasPublic:
    key = KasPublic(pem.encode(), "")
    if not key.algorithm.startswith("rsa:"):
        raise InvalidInput("the client's key is not RSA", fix="Shares are given under RSA-OAEP")
    return key


def _jwk(key: KasPublic) -> str:
    found = load_pem_public_key(key.pem.encode())
    if isinstance(found, rsa.RSAPublicKey):
        numbers = found.public_numbers()
        n, e = (b64(one.to_bytes((one.bit_length() + 7) // 8)) for one in (numbers.n, numbers.e))
        return msgspec.json.encode({"kty": "RSA", "n": n, "e": e, "kid": key.kid}).decode()
    raise InvalidInput("only RSA keys are written as JWK", fix="Leave out `fmt`")
