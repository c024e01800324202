"""Operations on one's saved searches, and on what they find that is new."""

from __future__ import annotations

import msgspec

from aldis.interfaces.api.filtering import MOST, Narrowed, filters_of
from aldis.interfaces.api.operations import Answer, Call, Nothing, Operation
from aldis.interfaces.api.problems import problem_of
from aldis.interfaces.api.reading import HitPage, hit_page, hits_shown, meant
from aldis.node.saved import News, SavedSearch, Wanted

__all__ = ["OPERATIONS"]


class SaveSearch(Narrowed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A name of lower-case letters, digits and hyphens, and words to look for: with `meaning`, by what they mean.

    Without words, all that the filters let through, which are those of `ListRecords`.
    """

    name: str
    text: str = ""
    meaning: bool = False


class SavedName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of your saved searches by name."""

    name: str


class RunSaved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of your saved searches, a page of what it finds now."""

    name: str
    cursor: str = ""
    limit: MOST = 50


class AskNotices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many records for each search."""

    limit: MOST = 20


class MarkRead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of your saved searches, and the `upto` that its notice came with."""

    name: str
    upto: str


class SavedShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A saved search: what it looks for, and when (ms since 1970 UTC) it was saved."""

    name: str
    text: str
    meaning: bool
    kinds: list[str]
    project: str
    originator: str
    author: str
    created_from: int
    created_until: int
    arrived_from: int
    arrived_until: int
    at_most: str
    at: int


class SavedList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Your saved searches by name."""

    saved: list[SavedShown]


class NoticeShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a search finds that you have not marked as read at this level; `problem` where it cannot be looked for."""

    name: str
    found: HitPage
    more: bool
    upto: str
    problem: str


class NoticeList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Notices by the name of their search."""

    notices: list[NoticeShown]


def everything(call: Call, _asked: Nothing) -> SavedList:
    """One's own."""
    return SavedList([_shown(one) for one in call.node.saved.all(call.person)])


def save(call: Call, asked: SaveSearch) -> Answer:
    """A new one."""
    wanted = Wanted(text=asked.text, meaning=asked.meaning, filters=filters_of(call, asked))
    with meant(call):
        made = call.node.saved.add(call.person, asked.name, wanted)
    return Answer(_shown(made), 201, {"location": f"/api/v1/saved/{made.name}"})


def get(call: Call, asked: SavedName) -> SavedShown:
    """One of them."""
    return _shown(call.node.saved.get(call.person, asked.name))


def remove(call: Call, asked: SavedName) -> None:
    """One of them no more."""
    call.node.saved.remove(call.person, asked.name)


def run(call: Call, asked: RunSaved) -> Answer:
    """What it finds now, as the person may see it now."""
    with meant(call):
        found = call.node.saved.run(call.person, asked.name, cursor=asked.cursor, limit=asked.limit)
    return hit_page(call, found)


def notices(call: Call, asked: AskNotices) -> Answer:
    """What is new."""
    found = [_notice(call, one) for one in call.node.saved.news(call.person, limit=asked.limit)]
    return Answer(b'{"notices":[%s]}' % b",".join(found))


def mark(call: Call, asked: MarkRead) -> None:
    """No longer new."""
    call.node.saved.mark(call.person, asked.name, asked.upto)


def _notice(call: Call, one: News) -> bytes:
    encode = msgspec.json.encode
    problem = problem_of(one.problem, names_something=False).detail if one.problem else ""
    return b'{"name":%s,"found":%s,"more":%s,"upto":%s,"problem":%s}' % (
        encode(one.name), hits_shown(call, one.hits, ""), encode(one.more), encode(one.upto), encode(problem),
    )  # fmt: skip


def _shown(one: SavedSearch) -> SavedShown:
    wanted, filters = one.wanted, one.wanted.filters
    return SavedShown(
        name=one.name, text=wanted.text, meaning=wanted.meaning, kinds=list(filters.kinds), project=filters.project,
        originator=filters.originator, author=filters.author, created_from=filters.created_from,
        created_until=filters.created_until, arrived_from=filters.arrived_from, arrived_until=filters.arrived_until,
        at_most=":".join(filters.at_most or ()), at=one.at,
    )  # fmt: skip


_S = "/api/v1/saved"
OPERATIONS = (
    Operation("GET", _S, "List your saved searches", Nothing, SavedList, everything),
    Operation("POST", _S, "Save a search; what it finds from now on are notices", SaveSearch, SavedShown, save,
              status=201),
    Operation("GET", _S + "/{name}", "What a saved search looks for", SavedName, SavedShown, get),
    Operation("DELETE", _S + "/{name}", "Forget a saved search", SavedName, None, remove),
    Operation("GET", _S + "/{name}/records", "All that a saved search finds now", RunSaved, HitPage, run, paged=True,
              slow=True),
    Operation("POST", _S + "/{name}/read", "Mark the notices of a search as read", MarkRead, None, mark),
    Operation("GET", "/api/v1/notices", "What your saved searches find that you have not marked as read", AskNotices,
              NoticeList, notices, slow=True),
)  # fmt: skip
"""What one does with one's saved searches."""
