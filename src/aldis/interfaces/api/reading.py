"""Operations that read records: lists, search, versions, and why one sees what one sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import msgspec

from aldis.interfaces.api.explained import ExplanationShown, explained
from aldis.interfaces.api.filtering import NarrowedPage, filters_of
from aldis.interfaces.api.operations import Answer, Call, Operation
from aldis.interfaces.api.shown import PortionShown, RecordShown
from aldis.kernel.errors import InvalidInput, Unavailable
from aldis.node.filters import Filters
from aldis.node.store import Hit, Hits

__all__ = ["OPERATIONS", "HitPage", "Id", "Named", "etag", "hit_page", "hits_shown", "meant"]


class ListRecords(NarrowedPage, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which records; what is empty does not restrict. `kinds` may be given several times.

    Times are in ms since 1970 UTC, from `_from` up to but without `_until`. `at_most` is a rung of this node's policy,
    or of another as POLICY:RUNG: what is higher, record or portion, is left out. `cursor` is the `next` of the page
    before.
    """


class SearchRecords(NarrowedPage, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Words to search, all of which a portion that you may see must have; the rest as in `ListRecords`."""

    text: str


class SearchMeaning(NarrowedPage, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Words whose meaning a portion that you may see must come near; the rest as in `ListRecords`."""

    text: str


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record by its id, and by its `originator` (a node) where several use that id; the newest unless one is named.

    Without an originator this node's own record is meant, or else the only other one.
    """

    id: str
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None
    originator: str = ""


class Id(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record of this node's by its id."""

    id: str


class Whose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record by its id, and by its `originator` where several nodes use that id."""

    id: str
    originator: str = ""


class PortionOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A portion of a record by name; `originator` as in `Named`."""

    id: str
    name: str
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None
    originator: str = ""


class RecordPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records, the newest arrival first, and the roll-up of all of them; `next` is empty where nothing follows."""

    banner: str
    records: list[RecordShown]
    next: str


class HitShown(RecordShown, frozen=True, forbid_unknown_fields=True):
    """A record with the portion that has the words, and some text around them.

    `closeness` says of a search by meaning, in a word, how near it comes.
    """

    found_in: str
    snippet: str
    closeness: str


class HitPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hits, the newest arrival first; by meaning, the nearest first."""

    banner: str
    records: list[HitShown]
    next: str


def etag(digest: bytes) -> str:
    """The entity tag of a version of a record."""
    return f'"{digest.hex()}"'


def list_records(call: Call, asked: ListRecords) -> Answer:
    """A page of what the person may see."""
    filters = filters_of(call, asked)
    if filters != Filters(kinds=(asked.kind,) if asked.kind else (), project=asked.project):
        page = call.node.records.page(cursor=asked.cursor, limit=asked.limit, viewer=call.person, filters=filters)
        return _page(call.shower.page(page.rows, page.next or ""), page.next)
    only = {"kind": asked.kind, "project": asked.project, "cursor": asked.cursor, "limit": asked.limit}
    return _page(*call.shower.listing(call.node.records, call.person, **only))


def search(call: Call, asked: SearchRecords) -> Answer:
    """A page of hits in what the person may see."""
    filters = filters_of(call, asked)
    return hit_page(
        call,
        call.node.records.search(
            asked.text, cursor=asked.cursor, limit=asked.limit, viewer=call.person, filters=filters
        ),
    )


def alike(call: Call, asked: SearchMeaning) -> Answer:
    """A page of what the person may see that means much the same."""
    filters = filters_of(call, asked)
    with meant(call):
        found = call.node.records.alike(
            asked.text, cursor=asked.cursor, limit=asked.limit, viewer=call.person, filters=filters
        )
    return hit_page(call, found)


@contextmanager
def meant(call: Call) -> Iterator[None]:
    """A block that searches by meaning.

    Raises:
        InvalidInput: nobody has set that up at this node.
    """
    try:
        yield
    except Unavailable as error:
        state = call.node.meaning.state()
        if state.begun and not state.problem:
            raise
        raise InvalidInput("this node does not search by meaning", fix="Search for the words") from error


def hit_page(call: Call, found: Hits) -> Answer:
    """A page of hits."""
    return _page(hits_shown(call, found.hits, found.next or ""), found.next)


def hits_shown(call: Call, hits: Sequence[Hit], after: str) -> bytes:
    """Hits as JSON (`HitPage`)."""
    encode = msgspec.json.encode
    around = [
        b'"found_in":%s,"snippet":%s,"closeness":%s' % (encode(hit.portion), encode(hit.snippet), encode(hit.closeness))
        for hit in hits
    ]
    return call.shower.page([hit.row for hit in hits], after, around)


def get(call: Call, asked: Named) -> Answer:
    """A version of a record, held against its originator's commitments."""
    row = call.node.records.get(asked.id, asked.version, call.person, asked.originator)
    row.record()
    return Answer(call.shower.record(row), headers={"etag": etag(row.digest)})


def versions(call: Call, asked: Whose) -> Answer:
    """Every version that the person may see, the oldest first."""
    rows = call.node.records.versions(asked.id, call.person, asked.originator)
    return Answer(call.shower.page(rows, ""))


def portion(call: Call, asked: PortionOf) -> Answer:
    """One portion."""
    row = call.node.records.get(asked.id, asked.version, call.person, asked.originator)
    return Answer(call.shower.portion(row, asked.name), headers={"etag": etag(row.digest)})


def explanation(call: Call, asked: Named) -> ExplanationShown:
    """Why the person sees what they see."""
    return explained(call.node.records.explain(asked.id, call.person, asked.version, asked.originator))


def _page(body: bytes, after: str | None) -> Answer:
    return Answer(body, headers={"x-next": after} if after else {})


_R = "/api/v1/records"
OPERATIONS = (
    Operation("GET", _R, "List records that you may see", ListRecords, RecordPage, list_records, paged=True),
    Operation("GET", "/api/v1/search", "Search the words of portions that you may see", SearchRecords, HitPage, search,
              paged=True),
    Operation("GET", "/api/v1/search/meaning", "Search by what is meant, where the node has an embedding model",
              SearchMeaning, HitPage, alike, paged=True, slow=True),
    Operation("GET", _R + "/{id}", "A version of a record", Named, RecordShown, get, etag=True),
    Operation("GET", _R + "/{id}/versions", "Every version of a record, the oldest first", Whose, RecordPage, versions),
    Operation("GET", _R + "/{id}/portions/{name}", "A portion of a record", PortionOf, PortionShown, portion,
              etag=True),
    Operation("GET", _R + "/{id}/explanation", "Why you see what you see of a record", Named, ExplanationShown,
              explanation),
)  # fmt: skip
"""What reads records."""
