"""The record kinds of a project. Every nation writes its own records; they refer to one another by node and id.

Days are UTC days, instants ms since 1970 UTC. What is unknown is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from aldis.kernel.attachments import Attachment
from aldis.kernel.errors import InvalidInput
from aldis.kernel.records import Kind, Portion

__all__ = [
    "ABOUT",
    "CHARTER",
    "COLUMNS",
    "DECISION",
    "DOCUMENT",
    "EVENT",
    "FILE",
    "KINDS",
    "MEMBERSHIP",
    "MILESTONE",
    "PLAIN",
    "POST",
    "PROGRESS",
    "TASK",
    "TECHNICAL_DATA",
    "About",
    "Charter",
    "Member",
    "Plan",
    "Progress",
    "Ref",
    "Ruling",
    "State",
    "Time",
    "by_name",
    "typed",
]

_PARTY = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9]{1,11}\\Z")]
_LINE = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
_MS = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]
_TITLE = 300


class Ref(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """A record wherever it is held: the node that writes it, and its id."""

    node: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=96)]

    def __str__(self) -> str:
        """As people write it: `node/id`."""
        return f"{self.node}/{self.id}"


class Charter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Between whom, how long, and the id of the instrument that a project rests on."""

    parties: Annotated[list[_PARTY], msgspec.Meta(min_length=1, max_length=64)]
    begins: date | None = None
    ends: date | None = None
    instrument: _LINE = ""


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody who works in the project; where a name goes no further, the role alone."""

    name: _LINE = ""
    organisation: _LINE = ""
    role: _LINE = ""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When something is due, who owns it, and the milestone that it serves."""

    due: date | None = None
    owner: _PARTY | None = None
    person: _LINE = ""
    milestone: Ref | None = None


class Ruling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """By whom a question is decided, and by or on which day."""

    by: _LINE = ""
    on: date | None = None


class Time(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When an event is; with `all_day` the UTC days of both instants, the last one included."""

    start: _MS
    end: _MS
    all_day: bool = False


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a post replies to; none for a topic of its own."""

    about: Ref | None = None


State = Literal["open", "doing", "blocked", "done", "dropped", "agreed", "rejected"]


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The word of one nation on where a task, milestone or decision stands."""

    about: Ref
    state: State


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of a technical data package: a part, its drawing number, and its parameters as text."""

    part: str
    drawing: str
    parameters: dict[str, str] = {}


Members = Annotated[list[Member], msgspec.Meta(max_length=1000)]


def _rule(portion: Portion) -> None:
    """A title is a line, and nothing ends before it begins."""
    if portion.name == "title":
        title = portion.value
        if len(title) > _TITLE or not title.strip() or not title.isprintable():
            raise InvalidInput(
                f"a title is a line of at most {_TITLE} characters, not {title[:40]!r}", fix="Shorten it"
            )
    if portion.name == "time":
        time = portion.value
        if time["end"] < time["start"]:
            raise InvalidInput("an event ends before it begins", fix="Mend its end")
    if portion.name == "charter":
        first, last = portion.value.get("begins"), portion.value.get("ends")
        if first and last and last < first:
            raise InvalidInput("a project ends before it begins", fix="Mend its last day")


CHARTER = Kind(
    "charter", {"title": str, "purpose": str, "charter": Charter}, text=("title", "purpose"), title="title", rule=_rule
)
MEMBERSHIP = Kind("membership", {"members": Members, "reserved": Members})
DOCUMENT = Kind(
    "document",
    {"title": str, "summary": str, "body": str, "annex": str, "files": list[Attachment]},
    text=("title", "summary", "body", "annex"),
    title="title",
)
TECHNICAL_DATA = Kind(
    "technical-data",
    {"title": str, "description": str, "parts": list[_Part]},
    text=("title", "description"),
    title="title",
)
TASK = Kind("task", {"title": str, "details": str, "plan": Plan}, text=("title", "details"), title="title", rule=_rule)
MILESTONE = Kind(
    "milestone", {"title": str, "details": str, "plan": Plan}, text=("title", "details"), title="title", rule=_rule
)
DECISION = Kind(
    "decision",
    {"title": str, "details": str, "outcome": str, "ruling": Ruling},
    text=("title", "details", "outcome"),
    title="title",
    rule=_rule,
)
EVENT = Kind(
    "event",
    {"title": str, "details": str, "place": str, "time": Time},
    text=("title", "details", "place"),
    title="title",
    rule=_rule,
)
FILE = Kind(
    "file",
    {"title": str, "details": str, "content": Attachment},
    text=("title", "details"),
    title="title",
    rule=_rule,
)
POST = Kind("post", {"title": str, "text": str, "thread": About}, text=("title", "text"), title="title", rule=_rule)
PROGRESS = Kind("progress", {"note": str, "progress": Progress}, text=("note",), rule=_rule)

KINDS = (
    CHARTER, MEMBERSHIP, DOCUMENT, TECHNICAL_DATA, TASK, MILESTONE, DECISION, EVENT, FILE, POST, PROGRESS,
)  # fmt: skip
PLAIN = (DOCUMENT, TECHNICAL_DATA, EVENT, FILE)
"""The kinds that stand by themselves: nothing about them is open or done."""
COLUMNS = {
    "task": ("open", "doing", "blocked", "done", "dropped"),
    "milestone": ("open", "done", "dropped"),
    "decision": ("open", "agreed", "rejected", "dropped"),
}
"""The states of each kind that has any, in the order of a board; the first is where it begins."""
ABOUT = {"progress": "progress", "post": "thread"}
"""The portion by which a record refers to what it is about, by kind."""


def typed(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of portions, each as the type that its kind asks; one that is None stays so.

    Raises:
        InvalidInput: a portion that the kind does not have, or a value of another shape.
    """
    known, found = by_name(kind).portions, dict[str, Any]()
    for name, value in values.items():
        if name not in known:
            raise InvalidInput(f"{kind} has no {name[:40]!r}", fix=f"It has: {', '.join(known)}")
        try:
            found[name] = None if value is None else msgspec.convert(value, known[name])
        except (msgspec.ValidationError, ValueError) as error:
            raise InvalidInput(f"{name}: {error}", fix="Mend it and try again") from error
    return found


def by_name(name: str) -> Kind:
    """The kind of this name.

    Raises:
        InvalidInput: no kind of projects.
    """
    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        raise InvalidInput(
            f"{name[:40]!r} is no kind of project record", fix=f"There are: {', '.join(k.name for k in KINDS)}"
        )
    return found
