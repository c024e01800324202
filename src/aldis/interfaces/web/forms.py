"""What a form or a query says, within limits, and as the struct that a page asks for."""

from __future__ import annotations

import asyncio
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request

from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["CSRF", "FORM_BYTES", "Fields", "asked", "pass_over", "read_fields", "read_form"]

CSRF = "csrf"
FORM_BYTES = 4 * 1024 * 1024
_MOST = 500
_TYPE = "application/x-www-form-urlencoded"
_S = TypeVar("_S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Fields:
    """Each field's values, in the order given."""

    values: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.values)

    def __contains__(self, name: str) -> bool:
        """Whether a field was given."""
        return name in self.values

    def get(self, name: str, default: str = "") -> str:
        """The field's value, the last where there are several, its line ends as the node keeps them."""
        found = self.values.get(name)
        return found[-1].replace("\r\n", "\n") if found else default

    def all(self, name: str) -> list[str]:
        """Every value of the field."""
        return list(self.values.get(name, ()))

    def words(self, name: str) -> list[str]:
        """The value's words, between blanks or commas."""
        return self.get(name).replace(",", " ").split()

    def lines(self, name: str) -> list[str]:
        """The value's lines that are not blank."""
        return [line.strip() for line in self.get(name).splitlines() if line.strip()]

    def pairs(self) -> list[tuple[str, str]]:
        """Every field with each of its values."""
        return [(name, value) for name, values in self.values.items() for value in values]

    @staticmethod
    def address(path: str, **fields: str) -> str:
        """`path` with these fields as its query, those that are empty left out."""
        query = urlencode({name: value for name, value in fields.items() if value})
        return f"{path}?{query}" if query else path


def read_fields(text: str) -> Fields:
    """The fields of a query or of a form's body (WHATWG URL, application/x-www-form-urlencoded).

    Raises:
        InvalidInput: not such a text, or not UTF-8.
        TooLarge: more than 500 fields.
    """
    if text.count("&") >= _MOST:
        raise TooLarge(f"a form of more than {_MOST} fields", fix="Send fewer")
    try:
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=True, errors="strict"):
            found.setdefault(name, []).append(value)
    except ValueError as error:
        raise InvalidInput("that is not a form in UTF-8", fix="Send it from this node's own pages") from error
    return Fields(found)


async def read_form(request: Request, limit: int) -> Fields:
    """The form that a request carries, of at most `limit` bytes; reading stops as soon as there are more.

    Raises:
        InvalidInput: not a form.
        TooLarge: over the limit.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise InvalidInput("that is not a form", fix="Send it from this node's own pages")
    body = bytearray()
    async for some in request.stream():
        body += some
        if len(body) > limit:
            raise TooLarge(f"the form has more than {limit:,} bytes", fix="Put what is large into a file of its own")
    return read_fields(body.decode("ascii", "replace"))


async def pass_over(request: Request, limit: int, seconds: float) -> None:
    """Let a body that nobody will look at go by, so that the browser hears the answer; no more than this of it."""
    passed = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for some in request.stream():
                passed += len(some)
                if passed > limit:
                    return


def asked(fields: Fields, segments: Mapping[str, str], asks: type[_S]) -> _S:
    """The struct that a page asks for; a field left empty counts as left out where it may be left out.

    Raises:
        InvalidInput: a value that is not of its field's type, one that is missing, or one that nothing asks for.
    """
    known = {one.encode_name: one for one in msgspec.structs.fields(asks)}
    given: dict[str, Any] = {}
    for name in fields.values:
        one = known.get(name)
        if name == CSRF or (one is not None and not one.required and not any(fields.all(name))):
            continue
        given[name] = fields.all(name) if one is not None and _several(one.type) else fields.get(name)
    try:
        return msgspec.convert({**given, **segments}, asks, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the form: {error}", fix="Mend that field and send it again") from error


def _several(type_: Any) -> bool:
    options = [typing.get_origin(one) or one for one in (type_, *typing.get_args(type_))]
    return any(one in (list, tuple, set, frozenset) for one in options)
