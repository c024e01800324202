"""What there is to read: the list, and one record with its portions, its versions and why one sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from aldis.app import Go
from aldis.interfaces.cli.kinds import ordered, title
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages import personal
from aldis.interfaces.web.pages.files import files_of, version_of
from aldis.interfaces.web.pages.gone import ask_back, gone
from aldis.interfaces.web.pages.items import AGREEING, Item, item, labels_of, levels, parts, path_of
from aldis.interfaces.web.pages.reasons import checks
from aldis.interfaces.web.pages.releases import explained, standings
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Record
from aldis.node.store import Request, Row

__all__ = ["views"]

_PAGE = 50
_VERSIONS = 20


def views(frame: Frame) -> Sequence[View]:
    """The list and the record."""

    def listing(visit: Visit) -> Sheet:
        return _listing(visit, frame)

    def record(visit: Visit) -> Sheet:
        return _record(visit, frame)

    return [
        View("/records", listing),
        View("/records/{id}", record),
        View("/records/{id}/delete", record, _delete, need=Act.DELETE, reads=False),
        View("/records/{id}/recall", record, ask_back, need=Act.RECALL, reads=False),
        *personal.views(),
    ]


def _listing(visit: Visit, frame: Frame) -> Sheet:
    query, node = visit.query, visit.node
    kind, project = query.get("kind").strip(), query.get("project").strip()
    every = query.get("all") == "yes"
    page = node.records.page(
        kind=kind,
        project=project,
        cursor=query.get("cursor"),
        limit=_PAGE,
        viewer=visit.who,
        without=() if every or kind else AGREEING,
    )
    parties, inside = node.partners.parties(), levels(visit)
    more = ""
    if page.next:
        more = Fields.address("/records", kind=kind, project=project, all="yes" if every else "", cursor=page.next)
    values = {
        "items": [item(visit, frame, row, parties, inside) for row in page.rows],
        "levels": bool(inside),
        "kinds": sorted(node.core.kinds),
        "kind": kind,
        "project": project,
        "every": every,
        "more": more,
        "began": not query.get("cursor"),
        "writes": visit.may(Act.PUT),
    }
    return Sheet("records.html", "Records", values, [label for row in page.rows for label in labels_of(row)])


def _record(visit: Visit, frame: Frame) -> Sheet:
    node, id_ = visit.node, visit.segments["id"]
    asked = version_of(visit.query.get("version"))
    row = node.records.get(id_, asked, visit.who, visit.query.get("originator"))
    record = row.record()
    shown = parts(visit, record)
    explanation = ordered(node, row.kind, node.records.explain(id_, visit.who, asked, row.originator))
    others = _versions(visit, row)
    newest = others[0].version == row.version
    own = row.originator == node.name
    offers = newest and visit.may(Act.OFFER)
    why = explained(visit, record) if offers else {}
    went = gone(visit, row, why) if visit.may(Act.OFFER) else []
    sources = _sources(visit, frame, record)
    values = {
        "row": row,
        "here": partial(path_of, visit, row),
        "header": record.header,
        "name": title(node, record) or row.id,
        "party": node.partners.parties().get(row.originator, ""),
        "label": record.label,
        "parts": shown,
        "files": files_of(visit, row),
        "versions": others,
        "newest": newest,
        "checks": checks({"its existence": explanation.header, **explanation.portions}),
        "standings": standings(why),
        "offers": visit.may(Act.OFFER),
        "gone": went,
        "whom": sorted({one.went.partner for one in went if not one.recall}),
        "recalls": own and newest and visit.may(Act.RECALL),
        "called_back": _called_back(visit, row),
        "people": node.people.all(visit.who) if newest and visit.may(Act.PEOPLE) else [],
        "sources": [line for line, _ in sources],
        "revises": own and newest and not record.header.deleted and visit.may(Act.REVISE),
        "deletes": own and newest and not record.header.deleted and visit.may(Act.DELETE)
        and record.header.author == visit.who.id,
        "done": visit.query.get("done"),
    }  # fmt: skip
    labels = [*labels_of(row), *(label for _, shown in sources for label in shown)]
    return Sheet("record.html", title(node, record) or row.id, values, labels)


def _sources(visit: Visit, frame: Frame, record: Record) -> list[tuple[Item, list[Label]]]:
    """The sources that the person may know of, with the labels of what is shown of each; of others there is no word."""
    node, found = visit.node, []
    parties, inside = node.partners.parties(), levels(visit)
    for digest in record.header.sources:
        try:
            row = node.records.by_digest(bytes.fromhex(digest), visit.who)
        except UnknownTerm:
            continue
        line = item(visit, frame, row, parties, inside)
        found.append((replace(line, path=path_of(visit, row, version=str(row.version))), labels_of(row)))
    return found


def _called_back(visit: Visit, row: Row) -> list[Request]:
    """What partners ask of it, for whoever answers recalls; see `Recalls.requests`."""
    if not visit.may(Act.RECALL) or not visit.node.sights.whole(visit.who):
        return []
    return visit.node.core.store.recalls.of(row.digest, row.originator, row.source)


def _versions(visit: Visit, row: Row) -> list[Row]:
    """The newest versions that the person may know of, this one among them, the newest first."""
    records, found = visit.node.records, list[Row]()
    top = records.get(row.id, None, visit.who, row.originator)
    for version in range(top.version, max(0, top.version - _VERSIONS), -1):
        try:
            found.append(records.get(row.id, version, visit.who, row.originator))
        except (UnknownTerm, InvalidInput):
            continue
    return found if any(one.version == row.version for one in found) else [*found, row]


def _delete(visit: Visit) -> Go:
    id_ = visit.segments["id"]
    if visit.form.get("sure") != "yes":
        raise InvalidInput("to delete a record, say that you mean it", fix="Tick the box beside the button")
    visit.node.records.delete(id_, visit.who.id, visit.who)
    return Go(Fields.address(f"/records/{id_}", done="deleted"))
