"""Operations that read records: lists, search, versions, and why one sees what one sees."""

from __future__ import annotations

from typing import Annotated

import msgspec

from aldis.interfaces.api.explained import ExplanationShown, explained
from aldis.interfaces.api.operations import Answer, Call, Operation
from aldis.interfaces.api.shown import PortionShown, RecordShown
from aldis.node.store import PAGE_LIMIT

__all__ = ["OPERATIONS", "Id", "Named", "etag"]

_MOST = Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)]


class ListRecords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which records; what is empty does not restrict. `cursor` is the `next` of the page before."""

    kind: str = ""
    project: str = ""
    cursor: str = ""
    limit: _MOST = 50


class SearchRecords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words to search, all of which a portion that you may see must have."""

    text: str
    kind: str = ""
    project: str = ""
    cursor: str = ""
    limit: _MOST = 50


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record by its id; the newest version unless one is named."""

    id: str
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Id(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record by its id."""

    id: str


class PortionOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A portion of a record by name."""

    id: str
    name: str
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None


class RecordPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records, the newest arrival first, and the roll-up of all of them; `next` is empty where nothing follows."""

    banner: str
    records: list[RecordShown]
    next: str


class HitShown(RecordShown, frozen=True, forbid_unknown_fields=True):
    """A record with the portion that has the words, and some text around them."""

    found_in: str
    snippet: str


class HitPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hits, the newest arrival first."""

    banner: str
    records: list[HitShown]
    next: str


def etag(digest: bytes) -> str:
    """The entity tag of a version of a record."""
    return f'"{digest.hex()}"'


def list_records(call: Call, asked: ListRecords) -> Answer:
    """A page of what the person may see."""
    filters = {"kind": asked.kind, "project": asked.project, "cursor": asked.cursor, "limit": asked.limit}
    return _page(*call.shower.listing(call.node.records, call.person, **filters))


def search(call: Call, asked: SearchRecords) -> Answer:
    """A page of hits in what the person may see."""
    hits = call.node.records.search(
        asked.text, kind=asked.kind, project=asked.project, cursor=asked.cursor, limit=asked.limit, viewer=call.person
    )
    around = [
        b'"found_in":%s,"snippet":%s' % (msgspec.json.encode(hit.portion), msgspec.json.encode(hit.snippet))
        for hit in hits.hits
    ]
    return _page(call.shower.page([hit.row for hit in hits.hits], hits.next or "", around), hits.next)


def get(call: Call, asked: Named) -> Answer:
    """A version of a record, held against its originator's commitments."""
    row = call.node.records.get(asked.id, asked.version, call.person)
    row.record()
    return Answer(call.shower.record(row), headers={"etag": etag(row.digest)})


def versions(call: Call, asked: Id) -> Answer:
    """Every version that the person may see, the oldest first."""
    rows = call.node.records.versions(asked.id, call.person)
    return Answer(call.shower.page(rows, ""))


def portion(call: Call, asked: PortionOf) -> Answer:
    """One portion."""
    row = call.node.records.get(asked.id, asked.version, call.person)
    return Answer(call.shower.portion(row, asked.name), headers={"etag": etag(row.digest)})


def explanation(call: Call, asked: Named) -> ExplanationShown:
    """Why the person sees what they see."""
    return explained(call.node.records.explain(asked.id, call.person, asked.version))


def _page(body: bytes, after: str | None) -> Answer:
    return Answer(body, headers={"x-next": after} if after else {})


_R = "/api/v1/records"
OPERATIONS = (
    Operation("GET", _R, "List records that you may see", ListRecords, RecordPage, list_records, paged=True),
    Operation("GET", "/api/v1/search", "Search the words of portions that you may see", SearchRecords, HitPage, search,
              paged=True),
    Operation("GET", _R + "/{id}", "A version of a record", Named, RecordShown, get, etag=True),
    Operation("GET", _R + "/{id}/versions", "Every version of a record, the oldest first", Id, RecordPage, versions),
    Operation("GET", _R + "/{id}/portions/{name}", "A portion of a record", PortionOf, PortionShown, portion,
              etag=True),
    Operation("GET", _R + "/{id}/explanation", "Why you see what you see of a record", Named, ExplanationShown,
              explanation),
)  # fmt: skip
"""What reads records."""
