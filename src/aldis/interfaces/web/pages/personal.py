"""Why one person may or may not see a record, and what would change that: for those who keep accounts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from aldis.interfaces.cli.kinds import ordered, title
from aldis.interfaces.web.door import View
from aldis.interfaces.web.pages.items import labels_of, path_of
from aldis.interfaces.web.pages.reasons import checks, ways
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.instruments import covers

__all__ = ["views"]


def views() -> Sequence[View]:
    """Of one record, for one person: only of what whoever asks sees of it."""
    return [View("/records/{id}/person", _page, need=Act.PEOPLE)]


def _page(visit: Visit) -> Sheet:
    node = visit.node
    row = node.records.get(visit.segments["id"], viewer=visit.who, originator=visit.query.get("originator"))
    account = node.people.get(visit.query.get("who"), visit.who)
    person, name = node.people.standing(account.id), title(node, row.record()) or row.id
    parts = {}
    if person is not None:
        found = ordered(node, row.kind, node.sights.explain(row, person))
        parts = {"its existence": found.header, **found.portions}
    kinds = covers(frozenset(account.kinds), row.kind)
    known = person is not None and kinds and parts["its existence"].decision.permits
    values = {
        "row": row,
        "here": partial(path_of, visit, row),
        "name": name,
        "account": account,
        "suspended": person is None,
        "kinds": kinds,
        "seen": [part for part, one in parts.items() if one.decision.permits] if known else [],
        "hidden": [part for part, one in parts.items() if not (known and one.decision.permits)],
        "checks": checks(parts),
        "ways": ways(parts),
        "hopeless": [part for part, one in parts.items() if not one.enough],
    }
    return Sheet("personal.html", f"{name} for {account.name}", values, [*labels_of(row), visit.routine])
