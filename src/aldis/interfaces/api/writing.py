"""Operations that write records: a first version, the next one, and the one that says a record is deleted."""

from __future__ import annotations

from typing import Any

import msgspec

from aldis.interfaces.api.operations import Answer, Call, Operation
from aldis.interfaces.api.problems import HttpProblem
from aldis.interfaces.api.reading import Id, etag
from aldis.interfaces.cli.document import Document, Part
from aldis.interfaces.cli.drafting import Drafting
from aldis.interfaces.cli.marks import Marks
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput
from aldis.kernel.records import MAX_RECORD, Draft, Record, next_version

__all__ = ["OPERATIONS"]


class PortionGiven(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A portion to be; without a marking of its own it has the record's."""

    name: str
    value: Any
    marking: str = ""
    control: list[str] = []


class PutRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record to be. Without a marking its label is the roll-up of its sources (digests or ids), else of its portions.

    `control` are export-control tags such as USML:XI(c); those of its sources stay on it, and their origins.
    """

    kind: str
    portions: list[PortionGiven]
    project: str = ""
    marking: str = ""
    control: list[str] = []
    sources: list[str] = []


class ReviseRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next version of a record, whole; see `PutRecord`. Kind and project stay as they were."""

    id: str
    portions: list[PortionGiven]
    marking: str = ""
    control: list[str] = []
    sources: list[str] = []


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was written: the id that the node chose, its version and digest, and how it is marked."""

    id: str
    version: int
    digest: str
    banner: str
    marking: str


def put(call: Call, asked: PutRecord) -> Answer:
    """A first version."""
    return _written(call, call.node.records.put(_draft(call, asked, asked.kind, asked.project, ""), call.person))


def revise(call: Call, asked: ReviseRecord) -> Answer:
    """The next version, of what the person saw."""
    before = _before(call, asked.id)
    draft = _draft(call, asked, before.header.kind, before.header.project, asked.id)
    return _write(call, before, next_version(before, draft))


def delete(call: Call, asked: Id) -> Answer:
    """The version that says that the record is deleted."""
    before = _before(call, asked.id)
    try:
        return _written(call, call.node.records.delete(asked.id, call.person.id, call.person), status=200)
    except InvalidInput:
        _same(call, before)
        raise


def _before(call: Call, record_id: str) -> Record:
    """The newest version, which must be the one that `If-Match` names."""
    given = call.headers.get("if-match")
    row = call.node.records.get(record_id, None, call.person)
    if given is None:
        raise HttpProblem(
            "precondition-required",
            "which version you saw is not said",
            "Send `If-Match` with the `ETag` that you were given",
        )
    if given.strip() != etag(row.digest):
        raise _changed()
    return call.node.records.own(record_id, call.person)


def _write(call: Call, before: Record, draft: Draft) -> Answer:
    try:
        return _written(call, call.node.records.put(draft, call.person), status=200)
    except InvalidInput:
        _same(call, before)
        raise


def _same(call: Call, before: Record) -> None:
    """Return if no other version has been written meanwhile."""
    if call.node.records.get(before.header.id, None, call.person).digest != before.digest:
        raise _changed()


def _changed() -> HttpProblem:
    return HttpProblem("precondition-failed", "that is not the newest version", "Read it again, and mend that one")


def _draft(call: Call, asked: PutRecord | ReviseRecord, kind: str, project: str, record_id: str) -> Draft:
    if not asked.portions:
        raise InvalidInput("the record has no portion", fix="GET /api/v1/kinds names those of its kind")
    document = Document(
        kind=kind,
        parts=tuple(Part(one.name, one.value, one.marking, tuple(one.control)) for one in asked.portions),
        id=record_id,
        project=project,
        marking=asked.marking,
        control=tuple(asked.control),
        sources=tuple(asked.sources),
    )
    return Drafting(call.node, call.person.id, call.person).draft(document)


def _written(call: Call, record: Record, status: int = 201) -> Answer:
    labels = [record.label, *(portion.label for portion in record.portions)]
    marks, now = Marks.of(call.node), call.node.core.clock.now()
    body = Written(
        id=record.header.id,
        version=record.header.version,
        digest=record.digest.hex(),
        banner=marks.roll_up(labels, now),
        marking=marks.write(record.label, now),
    )
    headers = {"etag": etag(record.digest), "location": f"/api/v1/records/{record.header.id}"}
    return Answer(body, status, headers)


_R = "/api/v1/records"
OPERATIONS = (
    Operation("POST", _R, "Put a record; you are its author, and the node chooses its id", PutRecord, Written, put,
              act=Act.PUT, status=201, size=MAX_RECORD),
    Operation("PUT", _R + "/{id}", "Write the next version of a record that you see the whole of", ReviseRecord,
              Written, revise, act=Act.REVISE, if_match=True, size=MAX_RECORD),
    Operation("DELETE", _R + "/{id}", "Delete a record that you wrote; partners who have it are told", Id, Written,
              delete, act=Act.DELETE, if_match=True),
)  # fmt: skip
"""What writes records."""
