"""One case at the release desk, with all that a ruling rests on, and the ruling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aldis.app import Go
from aldis.interfaces.cli.kinds import in_order, ordered, title
from aldis.interfaces.cli.text import midnight, words
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.markings import Chip
from aldis.interfaces.web.pages.agreed import rests
from aldis.interfaces.web.pages.desk import number_of
from aldis.interfaces.web.pages.items import Part, labels_of, parts, path_of
from aldis.interfaces.web.pages.reasons import checks
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput
from aldis.kernel.instruments.clauses import DAY_MS
from aldis.kernel.transforms import Transformed, Withheld
from aldis.node.cases import Filters
from aldis.node.dossiers import Dossier
from aldis.node.store import NEVER

__all__ = ["Passage", "passages", "views"]

_DONE = {
    "approved": "Approved: it leaves with the next bundle.",
    "denied": "Denied.",
    "open": "Your approval counts; it waits for another officer.",
    "deferred": "Put off.",
}
_ALIKE = 100


@dataclass(frozen=True, slots=True)
class Passage:
    """A portion and what becomes of it on an approval.

    `fate` is `asked`, `goes` (by the rules) or `stays`; `how` says what is done to it, and `after` is it then.
    """

    part: Part
    fate: str
    how: str
    after: str
    marking: Chip


def views(frame: Frame) -> Sequence[View]:
    """One case."""

    def case(visit: Visit) -> Sheet:
        return _case(visit, frame)

    return [View("/desk/{number}", case, _rule, need=Act.RULE)]


def passages(
    shown: Sequence[Part],
    asked: set[str],
    goes: Mapping[str, str],
    becomes: Mapping[str, Transformed | Withheld],
    marks: Mapping[str, Chip],
) -> list[Passage]:
    """What becomes of each portion that is shown, on an approval of all that is asked for."""
    found = []
    for part in shown:
        made = becomes.get(part.name)
        fate = "stays" if part.name not in goes else "asked" if part.name in asked else "goes"
        how, after = goes.get(part.name, ""), ""
        if isinstance(made, Withheld):
            fate, how = "stays", f"it cannot be changed as the clause asks: {made.reason}"
        elif isinstance(made, Transformed):
            after = words(made.value) if words(made.value) != part.text else ""
        found.append(Passage(part, fate, how, after, marks[part.name]))
    return found


def _case(visit: Visit, frame: Frame) -> Sheet:
    node = visit.node
    found = node.desk.case(number_of(visit.segments["number"]), visit.who)
    case = found.case
    record = case.row.record()
    explained = ordered(node, case.row.kind, found.explanation) if found.explanation else None
    shown = parts(visit, record)
    marks = {part.name: frame.markings.chip(part.label, portion=True) for part in shown}
    rest, more = rests(visit, case.parts)
    named = {part.name: part for part in case.parts if part.name}
    values = {
        "case": case,
        "name": title(node, record) or case.row.id,
        "party": node.partners.get(case.partner).party,
        "author": record.header.author,
        "its_page": path_of(visit, case.row),
        "passages": passages(shown, {part.name for part in case.parts}, found.goes, found.becomes, marks),
        "existence": next((part for part in case.parts if not part.name), None),
        "asked": [named[name] for name in in_order(node, case.row.kind, named)],
        "purposes": found.purposes,
        "rests": rest,
        "checks": checks({"its existence": explained.header, **explained.portions}) if explained else [],
        "holdings": found.holdings,
        "rulings": found.rulings,
        "precedents": found.precedents,
        "whole": frame.markings.record(labels_of(case.row)),
        "dated": 0 < case.due < NEVER,
        "kept": set(visit.form.all("keep")),
        "only": set(visit.form.all("only")),
        "alike": _alike(visit, found),
        "done": _DONE.get(visit.query.get("done"), ""),
    }
    return Sheet("case.html", f"Case {case.number}", values, [*labels_of(case.row), *more])


def _alike(visit: Visit, found: Dossier) -> int:
    """How many others wait that ask for just the same, as far as the officer sees them; at most one page."""
    if found.case.state != "open":
        return 0
    page = visit.node.desk.cases(visit.who, Filters(like=found.case.number), None, _ALIKE)
    return sum(case.number != found.case.number for case in page.cases)


def _rule(visit: Visit) -> Go:
    form, desk, number = visit.form, visit.node.desk, number_of(visit.segments["number"])
    because, token, do = form.get("because").strip(), form.get("token"), form.get("do")
    if not because:
        raise InvalidInput("a ruling needs a reason", fix="Say why in a sentence: the ledger keeps it")
    if not token:
        raise InvalidInput("which state of the case you looked at is not said", fix="Send the form of the case's page")
    if do == "defer":
        desk.defer(number, midnight(form.get("until")) + DAY_MS, because, visit.who, if_state=token)
        return Go(Fields.address(f"/desk/{number}", done="deferred"))
    only = form.all("only")
    if do == "approve":
        ruled = desk.rule(number, "approved", because, visit.who, keep=form.all("keep"), only=only, if_state=token)
    elif do == "deny":
        ruled = desk.rule(number, "denied", because, visit.who, only=only, if_state=token)
    else:
        raise InvalidInput("neither approved nor denied", fix="Choose one of the buttons")
    return Go(Fields.address(f"/desk/{number}", done=ruled.case.state))
