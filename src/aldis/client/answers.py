"""What a node answers, as far as the client reads it; fields that it does not know are passed over."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "Case",
    "CasePage",
    "Change",
    "Dossier",
    "Hit",
    "LiveValue",
    "Me",
    "Page",
    "PortionOf",
    "RecordSeen",
    "Ruled",
    "Token",
    "Written",
]


class Token(msgspec.Struct, frozen=True):
    """A session's token, and until when (ms since 1970 UTC) it holds at the latest."""

    token: str
    until: int


class Me(msgspec.Struct, frozen=True):
    """Who is signed in, what their roles allow, and at which level."""

    node: str
    person: str
    name: str
    nationality: str
    roles: list[str]
    acts: list[str]
    projects: list[str]
    clearance: dict[str, str]
    level: dict[str, str]
    until: int


class Header(msgspec.Struct, frozen=True):
    """A record's header; `created` is in ms since 1970 UTC."""

    kind: str
    id: str
    version: int
    originator: str
    author: str
    created: int
    label: dict[str, Any]
    previous: str = ""
    project: str = ""
    sources: list[str] = []
    deleted: bool = False


class PortionOf(msgspec.Struct, frozen=True):
    """A portion that the person may see."""

    name: str
    marking: str
    label: dict[str, Any]
    value: Any
    transform: str = ""


class RecordSeen(msgspec.Struct, frozen=True):
    """A version of a record with the portions that the person may see; `banner` marks all of it together."""

    digest: str
    banner: str
    marking: str
    header: Header
    portions: list[PortionOf]

    @property
    def id(self) -> str:
        """Its id."""
        return self.header.id

    def value(self, name: str) -> Any:
        """The value of a portion, None where there is none to see."""
        return next((portion.value for portion in self.portions if portion.name == name), None)


class Hit(RecordSeen, frozen=True):
    """A record with the portion that has the words, and some text around them."""

    found_in: str
    snippet: str


class Page(msgspec.Struct, frozen=True):
    """A page of records as they came; `next` is the cursor of what follows."""

    records: msgspec.Raw
    next: str


class Written(msgspec.Struct, frozen=True):
    """What was written."""

    id: str
    version: int
    digest: str
    banner: str
    marking: str


class LiveValue(msgspec.Struct, frozen=True):
    """A live value: the node that observed it, its marking, and when it was observed (ms since 1970 UTC)."""

    source: str
    marking: str
    id: str
    kind: str
    portion: str
    at: int
    value: Any


class Change(msgspec.Struct, frozen=True):
    """A version of a record that has arrived."""

    id: str
    digest: str


class Case(msgspec.Struct, frozen=True):
    """A question to a release officer; `waits` names the portions asked for, the record's existence as ""."""

    number: int
    token: str
    state: str
    partner: str
    record: str
    version: int
    title: str
    banner: str
    waits: list[str]
    grounds: str
    why: str
    due: int
    overdue: bool
    approvals: int
    needed: int


class CasePage(msgspec.Struct, frozen=True):
    """A page of cases."""

    cases: list[Case]
    next: str


class Dossier(msgspec.Struct, frozen=True):
    """Everything about a case: what is asked, every check, what would go, and what was said and ruled alike."""

    case: Case
    asked: list[dict[str, Any]]
    explanation: dict[str, Any] | None
    goes: list[dict[str, str]]
    holdings: list[dict[str, Any]]
    rulings: list[dict[str, Any]]
    precedents: dict[str, Any]


class Ruled(msgspec.Struct, frozen=True):
    """A case after a ruling: portions denied beside it, and the number under which others wait on (0: none)."""

    case: Case
    kept: list[str]
    rest: int
