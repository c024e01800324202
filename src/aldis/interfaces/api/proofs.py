"""Proofs that whoever sends a session's token also holds a key: DPoP headers, and requests signed by the same key.

Only RS256 with RSA keys of 2048 to 4096 bits: the algorithm follows from the key, and nothing a token says changes it.
Sources: RFC 9449 sections 4.2 and 4.3; RFC 7515; RFC 7518 section 3.3; RFC 7638.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from aldis.kernel.encoding import b64, sha256, unb64
from aldis.kernel.errors import InvalidInput, NotAuthentic, Stale

__all__ = ["Holder", "Holders", "Once", "prove", "request_of"]

_WINDOW_S = 60
"""Seconds that the clocks of a client and of this node may differ, and that a proof is taken for."""
_REQUEST_S = 7200
"""Seconds that a request token may be valid for: OpenTDF's SDK dates it an hour back and an hour ahead."""
_EXPONENT = 65537
_JTI = 200
_T = TypeVar("_T")


class _Jwk(msgspec.Struct, frozen=True):
    kty: str
    n: str
    e: str
    d: str | None = None


class _Head(msgspec.Struct, frozen=True):
    alg: str
    typ: str = ""
    jwk: _Jwk | None = None
    crit: Any = None


class _Proof(msgspec.Struct, frozen=True):
    jti: str
    htm: str
    htu: str
    iat: float
    ath: str


class _Request(msgspec.Struct, frozen=True):
    requestBody: str  # noqa: N815
    iat: float
    exp: float


@dataclass(frozen=True, slots=True)
class Holder:
    """The key that a client proved to hold, and its thumbprint."""

    key: rsa.RSAPublicKey
    thumbprint: bytes


class Once:
    """What was seen before, until it can matter no more; of the oldest it forgets more than `most`."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._lock = Lock()

    def first(self, what: bytes, until: float, now: float) -> bool:
        """Whether `what` is seen for the first time; times are seconds."""
        digest = sha256(what)
        with self._lock:
            if self._seen.get(digest, 0.0) > now:
                return False
            self._seen[digest] = until
            self._seen.move_to_end(digest)
            while self._seen and (len(self._seen) > self._most or next(iter(self._seen.values())) <= now):
                self._seen.popitem(last=False)
        return True


class Holders:
    """Which key each session began with; of those longest unused it forgets more than `most`."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._first: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = Lock()

    def check(self, token: str, holder: Holder) -> None:
        """Return if this is the first key of the session, or the one it began with; NotAuthentic otherwise."""
        session = sha256(token.encode())
        with self._lock:
            first = self._first.setdefault(session, holder.thumbprint)
            self._first.move_to_end(session)
            while len(self._first) > self._most:
                self._first.popitem(last=False)
        if first != holder.thumbprint:
            raise NotAuthentic("this session began with another key", fix="Sign in again")


def prove(proof: str, token: str, method: str, url: str, now: float, seen: Once) -> Holder:
    """The key behind a DPoP proof, sent with a session's `token` for this request; `now` in seconds.

    Raises:
        InvalidInput: not a proof, or a key of another kind.
        NotAuthentic: the signature does not hold, or it was made for another request or token.
        Stale: too old, of the future, or sent before.
    """
    head, body, signed, signature = _parts(proof)
    if head.typ != "dpop+jwt" or head.jwk is None:
        raise InvalidInput("the proof is not of the type dpop+jwt with a key", fix="See RFC 9449")
    holder = _holder(head.jwk)
    _verify(holder, signed, signature)
    said = _read(body, _Proof)
    if said.htm != method or said.htu != url:
        raise NotAuthentic("the proof was made for another request", fix=f"Make it for {method} {url}")
    if not hmac.compare_digest(said.ath.encode(), b64(sha256(token.encode())).encode()):
        raise NotAuthentic("the proof was made with another token")
    if abs(now - said.iat) > _WINDOW_S:
        raise Stale("the proof is too old, or of the future", fix="Check the clock and send a new one")
    if not 0 < len(said.jti) <= _JTI:
        raise InvalidInput("the proof has no usable `jti`")
    if not seen.first(holder.thumbprint + said.jti.encode(), said.iat + 2 * _WINDOW_S, now):
        raise Stale("the proof was sent before", fix="Make a new one for each request")
    return holder


def request_of(token: str, holder: Holder, now: float, seen: Once) -> bytes:
    """The body that a request token carries, if the same key signed it.

    Raises:
        InvalidInput: not a request token.
        NotAuthentic: another key signed it.
        Stale: expired, of the future, valid for too long, or sent before.
    """
    _, body, signed, signature = _parts(token)
    _verify(holder, signed, signature)
    said = _read(body, _Request)
    if not (said.iat - _WINDOW_S <= now < said.exp <= said.iat + _REQUEST_S):
        raise Stale("the request token is expired, of the future, or valid for longer than two hours")
    if not seen.first(signature, said.exp, now):
        raise Stale("the request token was sent before", fix="Sign a new one for each request")
    return said.requestBody.encode()


def _parts(token: str) -> tuple[_Head, bytes, bytes, bytes]:
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        raise InvalidInput("not a JSON Web Signature")
    head = _read(unb64(parts[0]), _Head)
    if head.alg != "RS256" or head.crit is not None:
        raise InvalidInput("signed with another algorithm than RS256, or asks for what is not done here")
    return head, unb64(parts[1]), f"{parts[0]}.{parts[1]}".encode(), unb64(parts[2])


def _holder(jwk: _Jwk) -> Holder:
    n, e = int.from_bytes(unb64(jwk.n)), int.from_bytes(unb64(jwk.e))
    if jwk.kty != "RSA" or jwk.d is not None or e != _EXPONENT or not 2048 <= n.bit_length() <= 4096:
        raise InvalidInput("the key is not a public RSA key of 2048 to 4096 bits")
    thumbprint = hashlib.sha256(f'{{"e":"{jwk.e}","kty":"RSA","n":"{jwk.n}"}}'.encode()).digest()
    return Holder(rsa.RSAPublicNumbers(e, n).public_key(), thumbprint)


def _verify(holder: Holder, signed: bytes, signature: bytes) -> None:
    try:
        holder.key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise NotAuthentic("the signature is not of the key that the proof is for") from error


def _read(data: bytes, shape: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not what is expected here: {error}") from error
