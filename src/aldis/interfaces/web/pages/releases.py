"""Who may get a record and why, and asking for it to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from aldis.app import Go
from aldis.interfaces.cli.kinds import ordered, title
from aldis.interfaces.cli.standing import Standing, standing
from aldis.interfaces.cli.text import moment
from aldis.interfaces.web.door import View
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.items import labels_of, path_of
from aldis.interfaces.web.pages.reasons import checks, ways
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.explain import Explanation, RecordExplanation
from aldis.kernel.records import Record
from aldis.kernel.transforms import describe

__all__ = ["explained", "standings", "views"]

_DONE = {"go": "It is permitted and leaves with the next bundle.", "wait": "A release officer has been asked.",
         "stay": "The rules refuse it: what would change that stands below."}  # fmt: skip


def views(_frame: Frame) -> Sequence[View]:
    """Of one record, for one partner."""
    return [View("/records/{id}/to/{partner}", _page, _ask, need=Act.OFFER)]


def explained(visit: Visit, record: Record) -> dict[str, RecordExplanation]:
    """Why each active partner may or may not have a record, as far as the person sees it."""
    context = visit.context
    found = [known.node for known in visit.node.partners.all() if known.active]
    return {name: _in_order(visit, record, context.explain(record, name)) for name in found}


def standings(found: Mapping[str, RecordExplanation]) -> list[Standing]:
    """Where a record stands with each partner."""
    return [standing(name, explanation) for name, explanation in found.items()]


def _in_order(visit: Visit, record: Record, explanation: RecordExplanation) -> RecordExplanation:
    return ordered(visit.node, record.header.kind, explanation)


def _page(visit: Visit) -> Sheet:
    node = visit.node
    row = node.records.get(visit.segments["id"], viewer=visit.who, originator=visit.query.get("originator"))
    record, known = row.record(), node.partners.get(visit.segments["partner"])
    explanation = _in_order(visit, record, visit.context.explain(record, known.node))
    stands = standing(known.node, explanation)
    parts = {"its existence": explanation.header, **explanation.portions}
    values = {
        "row": row,
        "here": partial(path_of, visit, row),
        "name": title(node, record) or row.id,
        "partner": known,
        "standing": stands,
        "notes": [f"{name} {note}" for name, one in parts.items() if (note := _note(one))],
        "checks": checks(parts),
        "ways": ways(parts),
        "hopeless": [name for name, one in parts.items() if not one.enough],
        "done": _DONE.get(visit.query.get("done"), ""),
    }
    return Sheet("release.html", f"{title(node, record) or row.id} to {known.node}", values, labels_of(row))


def _note(one: Explanation) -> str:
    """What happens to a part that goes, where it does not go whole and at once."""
    decision = one.decision
    if not decision.permits:
        return ""
    notes = [f"goes changed: {', '.join(map(describe, decision.transforms))}"] if decision.transforms else []
    notes += [f"goes not before {moment(decision.not_before)}"] if decision.basis.delay_ms else []
    return " and ".join(notes)


def _ask(visit: Visit) -> Go:
    node = visit.node
    row = node.records.get(visit.segments["id"], viewer=visit.who, originator=visit.query.get("originator"))
    known = node.partners.get(visit.segments["partner"])
    found = standing(known.node, visit.context.offer(row.record(), known.node))
    done = "wait" if found.waits or found.verdict == "refer" else "go" if found.goes else "stay"
    return Go(path_of(visit, row, f"/to/{known.node}", done=done))
