"""Operations: each a row of one table, from which come the routes, the OpenAPI document and the reference page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

import msgspec

from aldis.app import Context
from aldis.interfaces.api.problems import HttpProblem
from aldis.interfaces.api.shown import Shower
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput
from aldis.node.node import Node
from aldis.node.people import Person

__all__ = ["Answer", "Call", "Nothing", "Operation", "said"]

_NAME = re.compile(r"\{([a-z_]+)\}")
_TEXT = 4_096
_REASON = 500


def said(because: str) -> str:
    """The reason that somebody gave.

    Raises:
        InvalidInput: it is blank, or longer than the ledger keeps.
    """
    if not because.strip() or len(because) > _REASON:
        raise InvalidInput(f"a reason of 1 to {_REASON} characters is needed", fix="Say why in `because`")
    return because


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No fields."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with more than a body: `body` is encoded as JSON unless it is bytes; None is no body."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as an operation sees it; `person` is who is signed in, with the account and level of this instant.

    `head` says that only the head of the answer is wanted.
    """

    node: Node
    shower: Shower
    signed_in: Person | None
    token: str
    headers: Mapping[str, str]
    address: str = ""
    head: bool = False

    @property
    def person(self) -> Person:
        """Who is signed in.

        Raises:
            HttpProblem: nobody is.
        """
        if self.signed_in is None:
            raise HttpProblem("not-signed-in", "nobody is signed in")
        return self.signed_in

    @property
    def context(self) -> Context:
        """What an app sees, bound to the person."""
        return self.node.context.bound(self.person)


@dataclass(frozen=True)
class Operation:
    """One operation of the API.

    `asks` is a struct: what `path` names in braces comes from there; the rest from the query for GET and DELETE and
    from the JSON body for POST and PUT. `act` is what a role must allow (one of several), None for whoever is signed
    in; `open_` is for whoever is not. `secret` answers are never kept. `streams` are server-sent events; `raw` has
    bytes for a body, and `file` for an answer: the handlers of these three carry on by themselves. `etag` and
    `if_match` say which conditions it heeds. `size` is the most bytes of its body.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    summary: str
    asks: type[msgspec.Struct]
    answers: Any
    handler: Callable[[Call, Any], Any]
    act: Act | tuple[Act, ...] | None = None
    open_: bool = False
    secret: bool = False
    streams: bool = False
    raw: bool = False
    file: bool = False
    etag: bool = False
    if_match: bool = False
    paged: bool = False
    slow: bool = False
    status: int = 200
    size: int = 256 * 1024

    @property
    def name(self) -> str:
        """What it is called in the OpenAPI document, such as `get_records_id`."""
        words = re.sub(r"[^a-z]+", "_", self.path.removeprefix("/api/v1").lower()).strip("_")
        return f"{self.method.lower()}_{words}"

    @property
    def session(self) -> bool:
        """Whether it is about one's own session, so that what is not authentic there is nobody's."""
        return self.path.split("/")[3] in ("sign-in", "enrol", "session")

    @cached_property
    def path_names(self) -> tuple[str, ...]:
        """What the path names in braces."""
        return tuple(_NAME.findall(self.path))

    @property
    def has_body(self) -> bool:
        """Whether it reads a JSON body."""
        return self.method in ("POST", "PUT")

    @cached_property
    def at_once(self) -> bool:
        """Whether nothing of a request is left to read once its head is there, so that one thread may do all of it."""
        return not (self.open_ or self.has_body or self.streams or self.raw or self.file or self.slow)

    @cached_property
    def fields(self) -> Sequence[msgspec.structs.FieldInfo]:
        """The fields that do not come from the path."""
        return [one for one in msgspec.structs.fields(self.asks) if one.encode_name not in self.path_names]

    @property
    def body_type(self) -> type[msgspec.Struct]:
        """The struct of its JSON body."""
        return _without(self.asks, self.path_names)

    @cached_property
    def _decode(self) -> Callable[[bytes], Any]:
        return msgspec.json.Decoder(self.body_type).decode

    def read(self, path: Mapping[str, str], query: Sequence[tuple[str, str]], body: bytes) -> msgspec.Struct:
        """What a request asks.

        Raises:
            InvalidInput: a field that is unknown, missing, given twice, or of the wrong type.
        """
        given: dict[str, Any] = {name: path[name] for name in self.path_names}
        try:
            if self.has_body:
                if query:
                    raise InvalidInput(f"no parameter {query[0][0][:80]!r} here", fix="Say it in the body")
                if not self.path_names:
                    made: msgspec.Struct = self._decode(body or b"{}")
                    return made
                inner = self._decode(body or b"{}")
                paths = msgspec.convert(given, self._path_type, strict=False)
                return self.asks(**_plain(paths), **_plain(inner))
            many = {one.encode_name for one in self.fields if getattr(one.type, "__origin__", None) is list}
            for name, value in query:
                if len(value) > _TEXT:
                    raise InvalidInput(f"the parameter {name[:80]!r} has over {_TEXT} characters", fix="Shorten it")
                if name in many:
                    given.setdefault(name, []).append(value)
                elif name in given:
                    raise InvalidInput(f"the parameter {name[:80]!r} is given twice", fix="Give it once")
                else:
                    given[name] = value
            return msgspec.convert(given, self.asks, strict=False)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise InvalidInput(f"the request cannot be read: {error}", fix="See docs/reference/http-api.md") from error

    @cached_property
    def _path_type(self) -> type[msgspec.Struct]:
        fields = [one for one in msgspec.structs.fields(self.asks) if one.encode_name in self.path_names]
        return msgspec.defstruct(f"{self.asks.__name__}Path", [(one.name, one.type) for one in fields])


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


@lru_cache
def _without(asks: type[msgspec.Struct], names: tuple[str, ...]) -> type[msgspec.Struct]:
    """The struct without some of its fields."""
    if not names:
        return asks
    made: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for one in msgspec.structs.fields(asks):
        if one.encode_name in names:
            continue
        if one.required:
            made.append((one.name, one.type))
        elif one.default_factory is not msgspec.NODEFAULT:
            made.append((one.name, one.type, msgspec.field(default_factory=one.default_factory)))
        else:
            made.append((one.name, one.type, one.default))
    return msgspec.defstruct(
        f"{asks.__name__}Body", made, kw_only=True, forbid_unknown_fields=True, frozen=True,
        namespace={"__doc__": asks.__doc__}, module=asks.__module__,
    )  # fmt: skip
