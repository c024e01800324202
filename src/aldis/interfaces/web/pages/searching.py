"""Search over what one may see: by words or by meaning, narrowed, saved, and what is new of what was saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aldis.app import Go
from aldis.interfaces.cli.text import day, midnight
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.items import Item, item, levels
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label
from aldis.node.filters import ALL, Filters
from aldis.node.saved import SavedSearch, Wanted
from aldis.node.store import Hit, Hits

__all__ = ["views"]

_PAGE = 25
_DAY = 86_400_000
_ASKED = ("q", "meaning", "kind", "project", "originator", "author", "since", "until")


@dataclass(frozen=True, slots=True)
class _Found:
    item: Item
    portion: str
    label: Label | None
    snippet: str


@dataclass(frozen=True, slots=True)
class _News:
    """What is new of a saved search; `problem` where it could not be looked for."""

    name: str
    found: list[_Found]
    more: bool
    upto: str
    problem: AldisError | None


def views(frame: Frame) -> Sequence[View]:
    """Search, save a search, and notices."""

    def search(visit: Visit) -> Sheet:
        return _search(visit, frame)

    def save(visit: Visit) -> Go:
        visit.node.saved.add(visit.who, visit.form.get("name").strip(), _wanted(visit.form))
        return Go("/notices")

    def notices(visit: Visit) -> Sheet:
        return _notices(visit, frame)

    def change(visit: Visit) -> Go:
        name = visit.form.get("name")
        if visit.form.get("do") == "remove":
            visit.node.saved.remove(visit.who, name)
        else:
            visit.node.saved.mark(visit.who, name, visit.form.get("upto"))
        return Go("/notices")

    return [View("/search", search, save), View("/notices", notices, change)]


def _search(visit: Visit, frame: Frame) -> Sheet:
    node, asked = visit.node, visit.form or visit.query
    given = {name: asked.get(name).strip() for name in _ASKED}
    hits, more = list[Hit](), ""
    looked = any(given.values())
    if looked and visit.error is None:
        page = _look(visit, _wanted(asked), asked.get("cursor"))
        hits = list(page.hits)
        more = Fields.address("/search", **given, cursor=page.next) if page.next else ""
    values = {
        "given": given,
        "looked": looked,
        "found": _lines(visit, frame, hits),
        "kinds": sorted(node.core.kinds),
        "by_meaning": node.meaning.wanted,
        "more": more,
        "name": visit.form.get("name"),
    }
    typed = [visit.level] if looked else []
    return Sheet("search.html", "Search", values, [*typed, *_labels(visit, hits)])


def _notices(visit: Visit, frame: Frame) -> Sheet:
    saved = visit.node.saved.all(visit.who)
    news = visit.node.saved.news(visit.who)
    lines = [_News(one.name, _lines(visit, frame, one.hits), one.more, one.upto, one.problem) for one in news]
    labels = [label for one in news for label in _labels(visit, one.hits)]
    rows = [(one, Fields.address("/search", **_given(one))) for one in saved]
    return Sheet(
        "notices.html", "Notices", {"news": lines, "saved": rows}, [*([visit.level] if saved else []), *labels]
    )


def _wanted(asked: Fields) -> Wanted:
    """What the fields look for.

    Raises:
        InvalidInput: a day that there is not.
    """
    since, until, kind = asked.get("since").strip(), asked.get("until").strip(), asked.get("kind").strip()
    filters = Filters(
        kinds=(kind,) if kind else (),
        project=asked.get("project").strip(),
        originator=asked.get("originator").strip(),
        author=asked.get("author").strip(),
        created_from=midnight(since) if since else 0,
        created_until=midnight(until) + _DAY if until else 0,
    )
    return Wanted(text=asked.get("q").strip(), meaning=asked.get("meaning") == "yes", filters=filters)


def _given(one: SavedSearch) -> Mapping[str, str]:
    """The fields of the search page for a saved search."""
    wanted, filters = one.wanted, one.wanted.filters
    days = {"since": filters.created_from, "until": filters.created_until - _DAY if filters.created_until else 0}
    return {
        "q": wanted.text,
        "meaning": "yes" if wanted.meaning else "",
        "kind": filters.kinds[0] if len(filters.kinds) == 1 else "",
        "project": filters.project,
        "originator": filters.originator,
        "author": filters.author,
        **{name: day(at) if at else "" for name, at in days.items()},
    }


def _look(visit: Visit, wanted: Wanted, cursor: str) -> Hits:
    records, filters = visit.node.records, wanted.filters
    if wanted.text and wanted.meaning:
        return records.alike(wanted.text, cursor=cursor, limit=_PAGE, viewer=visit.who, filters=filters)
    if wanted.text:
        return records.search(wanted.text, cursor=cursor, limit=_PAGE, viewer=visit.who, filters=filters)
    if filters == ALL:
        return Hits([], None)
    page = records.page(cursor=cursor, limit=_PAGE, viewer=visit.who, filters=filters)
    return Hits([Hit(row, "", "") for row in page.rows], page.next)


def _lines(visit: Visit, frame: Frame, hits: Sequence[Hit]) -> list[_Found]:
    parties, inside = visit.node.partners.parties(), levels(visit)
    return [_found(item(visit, frame, hit.row, parties, inside), hit) for hit in hits]


def _labels(visit: Visit, hits: Sequence[Hit]) -> list[Label]:
    return [label for hit in hits for label in _shown(visit, hit)]


def _shown(visit: Visit, hit: Hit) -> list[Label]:
    """The labels of what is shown of a hit: the record's existence, its title, and the portion with the words."""
    record, kind = hit.row.record(), visit.node.core.kinds.get(hit.row.kind)
    named = {hit.portion, kind.title if kind else ""}
    return [record.label, *(portion.label for portion in record.portions if portion.name in named)]


def _found(line: Item, hit: Hit) -> _Found:
    portion = hit.row.record().portion(hit.portion)
    return _Found(line, hit.portion, portion.label if portion else None, hit.snippet)
