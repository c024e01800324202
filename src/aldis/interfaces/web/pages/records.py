"""What there is to read: the list, and one record with its portions, its versions and why one sees it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from aldis.app import Go
from aldis.interfaces.cli.kinds import ordered, title
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.files import files_of, version_of
from aldis.interfaces.web.pages.items import AGREEING, item, labels_of, levels, parts, path_of
from aldis.interfaces.web.pages.reasons import checks
from aldis.interfaces.web.pages.releases import standings
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.node.store import Row

__all__ = ["views"]

_PAGE = 50
_VERSIONS = 20


def views(frame: Frame) -> Sequence[View]:
    """The list and the record."""

    def listing(visit: Visit) -> Sheet:
        return _listing(visit, frame)

    def record(visit: Visit) -> Sheet:
        return _record(visit)

    return [
        View("/records", listing),
        View("/records/{id}", record),
        View("/records/{id}/delete", record, _delete, need=Act.DELETE, reads=False),
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


def _record(visit: Visit) -> Sheet:
    node, id_ = visit.node, visit.segments["id"]
    asked = version_of(visit.query.get("version"))
    row = node.records.get(id_, asked, visit.who, visit.query.get("originator"))
    record = row.record()
    shown = parts(visit, record)
    explanation = ordered(node, row.kind, node.records.explain(id_, visit.who, asked, row.originator))
    others = _versions(visit, row)
    newest = others[0].version == row.version
    own = row.originator == node.name
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
        "standings": standings(visit, record) if newest and visit.may(Act.OFFER) else [],
        "offers": visit.may(Act.OFFER),
        "revises": own and newest and not record.header.deleted and visit.may(Act.REVISE),
        "deletes": own and newest and not record.header.deleted and visit.may(Act.DELETE)
        and record.header.author == visit.who.id,
        "done": visit.query.get("done"),
    }  # fmt: skip
    return Sheet("record.html", title(node, record) or row.id, values, labels_of(row))


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
