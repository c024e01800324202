"""Search over what one may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.items import Item, item, levels
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.labels import Label
from aldis.node.store import Hit

__all__ = ["views"]

_PAGE = 25


@dataclass(frozen=True, slots=True)
class _Found:
    item: Item
    portion: str
    label: Label | None
    snippet: str


def views(frame: Frame) -> Sequence[View]:
    """The one page."""

    def search(visit: Visit) -> Sheet:
        query, node = visit.query, visit.node
        kind, project = query.get("kind").strip(), query.get("project").strip()
        text = query.get("q").strip()
        hits, more = list[Hit](), ""
        if text:
            page = node.records.search(
                text, kind=kind, project=project, cursor=query.get("cursor"), limit=_PAGE, viewer=visit.who
            )
            hits = list(page.hits)
            more = Fields.address("/search", q=text, kind=kind, project=project, cursor=page.next) if page.next else ""
        parties, inside = node.partners.parties(), levels(visit)
        found = [_found(item(visit, frame, hit.row, parties, inside), hit) for hit in hits]
        values = {
            "q": text,
            "found": found,
            "kinds": sorted(node.core.kinds),
            "more": more,
            "kind": kind,
            "project": project,
        }
        typed = [visit.level] if text else []
        labels = [label for hit in hits for label in _shown(visit, hit)]
        return Sheet("search.html", "Search", values, [*typed, *labels])

    return [View("/search", search)]


def _shown(visit: Visit, hit: Hit) -> list[Label]:
    """The labels of what is shown of a hit: the record's existence, its title, and the portion with the words."""
    record, kind = hit.row.record(), visit.node.core.kinds.get(hit.row.kind)
    named = {hit.portion, kind.title if kind else ""}
    return [record.label, *(portion.label for portion in record.portions if portion.name in named)]


def _found(line: Item, hit: Hit) -> _Found:
    portion = hit.row.record().portion(hit.portion)
    return _Found(line, hit.portion, portion.label if portion else None, hit.snippet)
