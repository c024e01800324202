"""Assertions: statements bound to the payload, each under a JSON Web Signature.

`assertionHash` is the SHA-256 of the assertion without its binding, in canonical form (RFC 8785), in hexadecimal;
`assertionSig` is base64 over all segment hashes and that hash. Both are under HS256 with the payload's key, or RS256 or
ES256 with a key that the reader was given. Sources: OpenTDF 4.3.0; RFC 7515; RFC 8785.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aldis.kernel.encoding import MOST, b64, sha256, unb64
from aldis.kernel.errors import InvalidInput, NotAuthentic
from aldis.kernel.tdf.manifest import Form

__all__ = ["Statement", "Verifier", "bind", "check"]

Verifier = Callable[[str, bytes, bytes], bool]
"""Whether a signature (JWS algorithm, signed bytes, signature) is of a key that is trusted for assertions."""
_FIELDS = frozenset({"id", "type", "scope", "appliesToState", "statement", "binding"})
_STATEMENT = frozenset({"format", "schema", "value"})
_ESCAPED = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}
"""What the Go SDK escapes beyond RFC 8259 where it writes an object as a string."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is asserted: `value` in a `format`, after a `schema`, of the whole object (`tdo`) or its payload."""

    id: str
    value: str
    format: str = "string"
    schema: str = ""
    type: str = "handling"
    scope: str = "tdo"
    applies: str = "unencrypted"


def bind(statement: Statement, hashes: bytes, key: bytes, form: Form) -> dict[str, Any]:
    """The assertion under the payload's key; `hashes` are the segment hashes, in order."""
    said = {"format": statement.format, "schema": statement.schema, "value": statement.value}
    assertion: dict[str, Any] = {
        "id": statement.id,
        "type": statement.type,
        "scope": statement.scope,
        "appliesToState": statement.applies,
        "statement": {name: value for name, value in said.items() if value},
    }
    digest = sha256(_canonical(assertion))
    claims = {"assertionHash": digest.hex(), "assertionSig": base64.b64encode(hashes + form.written(digest)).decode()}
    signed = _signing(claims)
    signature = hmac.digest(key, signed.encode(), "sha256")
    return {**assertion, "binding": {"method": "jws", "signature": f"{signed}.{b64(signature)}"}}


def check(
    assertion: Mapping[str, Any], hashes: bytes, key: bytes, root: str, trusted: Verifier, form: Form
) -> Statement:
    """The statement, once its binding holds; `root` is the root signature as written.

    Raises:
        InvalidInput: not an assertion.
        NotAuthentic: not bound, bound to another payload, or under a key that is not trusted.
    """
    name = assertion.get("id")
    binding, said = assertion.get("binding"), assertion.get("statement")
    if (
        assertion.keys() - _FIELDS
        or not isinstance(name, str)
        or not isinstance(said, dict)
        or said.keys() - _STATEMENT
    ):
        raise InvalidInput(f"assertion {name!r} is malformed")
    if not isinstance(binding, dict) or binding.get("method") != "jws" or not isinstance(binding.get("signature"), str):
        raise NotAuthentic(f"assertion {name} is not bound to the payload", fix="Ask the maker to sign it")
    bare = {key_: value for key_, value in assertion.items() if key_ != "binding"}
    if isinstance(said.get("value"), dict):
        text = _json(said["value"], sort=True).decode().translate(_ESCAPED)
        bare["statement"] = {**said, "value": text}
    digest = sha256(_canonical(bare))
    claims = _claims(name, binding["signature"], key, trusted)
    whole = hashes + form.written(digest)
    bound = (base64.b64encode(whole).decode(), root)
    if claims.get("assertionHash") != digest.hex() or claims.get("assertionSig") not in bound:
        raise NotAuthentic(f"assertion {name} was changed, or belongs to another payload")
    if claims.get("assertionSchema", said.get("schema", "")) != said.get("schema", ""):
        raise NotAuthentic(f"assertion {name} was given another schema")
    fields = [bare["statement"].get(part, "") for part in ("value", "format", "schema")]
    fields += [bare.get(part, "") for part in ("type", "scope", "appliesToState")]
    if not all(isinstance(field, str) for field in fields):
        raise InvalidInput(f"assertion {name} is malformed: a field is not text")
    return Statement(name, *fields)


def _claims(name: str, token: str, key: bytes, trusted: Verifier) -> dict[str, Any]:
    head, dot, rest = token.partition(".")
    body, dot2, tail = rest.partition(".")
    if not dot or not dot2 or "." in tail or not token.isascii():
        raise InvalidInput(f"the binding of assertion {name} is not a JSON Web Signature")
    header, signature, signed = _object(name, head), unb64(tail), f"{head}.{body}".encode()
    algorithm = header.get("alg")
    if "crit" in header:
        raise InvalidInput(f"the binding of assertion {name} asks for what is not done here: crit")
    if algorithm == "HS256":
        holds = hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature)
    else:
        holds = isinstance(algorithm, str) and trusted(algorithm, signed, signature)
    if not holds:
        raise NotAuthentic(
            f"assertion {name} is not signed by a key that is trusted here",
            fix="Give its maker's public key, or ask for it again",
        )
    return _object(name, body)


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(unb64(text))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the binding of assertion {name} is not JSON") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"the binding of assertion {name} is not an object")
    return found


def _signing(claims: Mapping[str, str]) -> str:
    return f"{b64(_json({'alg': 'HS256'}))}.{b64(_json(claims))}"


def _canonical(value: Any) -> bytes:
    """RFC 8785, for values without fractions: others are refused, as their form is not the same everywhere."""
    _plain(value)
    return _json(value, sort=True)


def _plain(value: Any) -> None:
    if isinstance(value, dict):
        if any(ord(char) > 0xFFFF for key in value for char in key):
            raise InvalidInput("an assertion has a field name beyond the basic plane")
        for one in value.values():
            _plain(one)
    elif isinstance(value, list):
        for one in value:
            _plain(one)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) > MOST):
        raise InvalidInput(f"an assertion has the number {value}, which readers write differently")


def _json(value: Any, *, sort: bool = False) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput("an assertion has a lone surrogate") from error
