"""The release desk: what waits for an officer, and one case with all that a ruling rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aldis.app import Go
from aldis.interfaces.cli.kinds import ordered, title
from aldis.interfaces.cli.text import midnight
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.markings import Chip
from aldis.interfaces.web.pages.items import labels_of, parts, path_of
from aldis.interfaces.web.pages.reasons import checks
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.node.cases import Case, Filters
from aldis.node.store import NEVER

__all__ = ["views"]

_PAGE = 50
_LONGEST = 9
_DONE = {
    "approved": "Approved: it leaves with the next bundle.",
    "denied": "Denied.",
    "open": "Your approval counts; it waits for another officer.",
    "deferred": "Put off.",
}


@dataclass(frozen=True, slots=True)
class _Line:
    case: Case
    title: str
    marking: Chip
    asked: str
    dated: bool


def views(frame: Frame) -> Sequence[View]:
    """What waits, and one case."""

    def listing(visit: Visit) -> Sheet:
        return _listing(visit, frame)

    return [
        View("/desk", listing, need=Act.RULE),
        View("/desk/{number}", _case, _rule, need=Act.RULE),
    ]


def _listing(visit: Visit, frame: Frame) -> Sheet:
    query = visit.query
    partner, mine, every = query.get("partner").strip(), query.get("mine") == "yes", query.get("all") == "yes"
    filters = Filters(partner=partner, mine=mine, every=every)
    page = visit.node.desk.cases(visit.who, filters, query.get("cursor") or None, _PAGE)
    asked = {"partner": partner, "mine": "yes" if mine else "", "all": "yes" if every else ""}
    values = {
        "lines": [_line(visit, frame, case) for case in page.cases],
        "partners": [known.node for known in visit.node.partners.all()],
        "partner": partner,
        "mine": mine,
        "every": every,
        "more": Fields.address("/desk", **asked, cursor=page.next) if page.next else "",
    }
    return Sheet("desk.html", "Release desk", values, [label for case in page.cases for label in labels_of(case.row)])


def _line(visit: Visit, frame: Frame, case: Case) -> _Line:
    named = [part.name or "its existence" for part in case.parts]
    return _Line(
        case,
        title(visit.node, case.row.record()) or case.row.id,
        frame.markings.record(labels_of(case.row)),
        ", ".join(named),
        0 < case.due < NEVER,
    )


def _case(visit: Visit) -> Sheet:
    found = visit.node.desk.case(_number(visit), visit.who)
    case = found.case
    record = case.row.record()
    explained = ordered(visit.node, case.row.kind, found.explanation) if found.explanation else None
    values = {
        "case": case,
        "name": title(visit.node, record) or case.row.id,
        "party": visit.node.partners.get(case.partner).party,
        "its_page": path_of(visit, case.row),
        "parts": parts(visit, record),
        "asked": {part.name for part in case.parts},
        "goes": found.goes,
        "purposes": found.purposes,
        "checks": checks({"its existence": explained.header, **explained.portions}) if explained else [],
        "holdings": found.holdings,
        "rulings": found.rulings,
        "precedents": found.precedents,
        "dated": 0 < case.due < NEVER,
        "kept": set(visit.form.all("keep")),
        "done": _DONE.get(visit.query.get("done"), ""),
    }
    return Sheet("case.html", f"Case {case.number}", values, labels_of(case.row))


def _rule(visit: Visit) -> Go:
    form, desk, number = visit.form, visit.node.desk, _number(visit)
    because, token, do = form.get("because").strip(), form.get("token"), form.get("do")
    if not because:
        raise InvalidInput("a ruling needs a reason", fix="Say why in a sentence: the ledger keeps it")
    if do == "defer":
        desk.defer(number, midnight(form.get("until")), because, visit.who, if_state=token)
        return Go(Fields.address(f"/desk/{number}", done="deferred"))
    if do == "approve":
        ruled = desk.rule(number, "approved", because, visit.who, keep=form.all("keep"), if_state=token)
    elif do == "deny":
        ruled = desk.rule(number, "denied", because, visit.who, if_state=token)
    else:
        raise InvalidInput("neither approved nor denied", fix="Choose one of the buttons")
    return Go(Fields.address(f"/desk/{number}", done=ruled.case.state))


def _number(visit: Visit) -> int:
    text = visit.segments["number"]
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST:
        raise UnknownTerm(f"no case {text[:20]!r}")
    return int(text)
