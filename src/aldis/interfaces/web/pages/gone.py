"""Where a record has gone and under which clause, how a recall of it stands, and asking for it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aldis.app import Go
from aldis.interfaces.cli.kinds import in_order
from aldis.interfaces.cli.text import listed, moment
from aldis.interfaces.web.pages.items import path_of
from aldis.interfaces.web.visit import Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.explain import RecordExplanation
from aldis.node.recalls import Asked
from aldis.node.store import Row
from aldis.node.whereabouts import Went, whereabouts

__all__ = ["Gone", "ask_back", "gone", "recalls_of"]

_INSTRUMENT = 4
"""The check that names the instrument."""
_ANSWERS = {"none": "nothing of it held", "waits": "waits for its operator", "done": "erased", "refused": "refused"}


@dataclass(frozen=True, slots=True)
class Gone:
    """A line: what a partner was sent of a version, the clause that lets it go now, and how its recall stands."""

    went: Went
    portions: str
    under: str
    recall: str


def gone(visit: Visit, row: Row, explained: Mapping[str, RecordExplanation]) -> list[Gone]:
    """The lines, newest version first, of what this person may see; `explained` is by partner, of the newest."""
    node = visit.node
    rows = node.records.versions(row.id, visit.who, row.originator)
    asked = {one.node: one for one in recalls_of(visit, row)}
    found = whereabouts(node.core, node.partners, rows)
    return [
        Gone(one, _portions(visit, row.kind, one), _under(explained.get(one.partner)), _recall(asked.get(one.partner)))
        for one in sorted(found, key=lambda one: (-one.version, one.partner))
    ]


def recalls_of(visit: Visit, row: Row) -> Sequence[Asked]:
    """How the recall of one of this node's records stands, for whoever may ask it back."""
    if not visit.may(Act.RECALL) or row.originator != visit.node.name:
        return []
    try:
        return visit.node.recalls.show(row.id, visit.who)
    except UnknownTerm:
        return []


def ask_back(visit: Visit) -> Go:
    """Ask whoever was sent it to delete it."""
    node, form = visit.node, visit.form
    row = node.records.get(visit.segments["id"], viewer=visit.who, originator=node.name)
    because = form.get("because").strip()
    if form.get("sure") != "yes" or not because:
        raise InvalidInput("to recall a record, say why and that you mean it", fix="Fill in both beside the button")
    node.recalls.ask(row.id, because, visit.who, form.get("partner"))
    return Go(path_of(visit, row, done="recalled"))


def _portions(visit: Visit, kind: str, went: Went) -> str:
    names = in_order(visit.node, kind, went.portions)
    told = [f"{name} (changed: {went.portions[name]})" if went.portions[name] else name for name in names]
    return listed(told) or "its existence"


def _under(explanation: RecordExplanation | None) -> str:
    if explanation is None:
        return ""
    if not explanation.header.decision.permits:
        return "would not go now"
    reason = explanation.header.decision.reasons[_INSTRUMENT - 1]
    return f"{reason.instrument} clause {reason.clause}" if reason.clause else reason.text


def _recall(one: Asked | None) -> str:
    if one is None or not one.asked:
        return ""
    asked = f"asked {moment(one.asked)}"
    if one.answer is None:
        return f"{asked}, {'no answer yet' if one.got else 'not delivered yet'}"
    passed = f"; passed on to {listed(one.answer.passed_on)}" if one.answer.passed_on else ""
    because = f": {one.answer.because}" if one.answer.because else ""
    return f"{asked}; {_ANSWERS.get(one.answer.effect, one.answer.effect)}{because}{passed}"
