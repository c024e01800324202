"""Partners: how the exchange with each goes, and letting it rest or go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aldis.app import Go
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.encoding import unb64
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import rung_text
from aldis.node.exchange import problem_of
from aldis.node.partners import Known

__all__ = ["views"]

_STATES = {"suspend": PartnerStatus.SUSPENDED, "resume": PartnerStatus.ACTIVE}


@dataclass(frozen=True, slots=True)
class _Line:
    """A partner with what went to it (`sent`, of that `acknowledged`) and what came (`received`), in items."""

    known: Known
    ceiling: str
    sent: int
    acknowledged: int
    received: int
    contact: int
    problem: str
    ledger: str


def views(_frame: Frame) -> Sequence[View]:
    """The list, and one partner."""
    return [
        View("/partners", _list),
        View("/partners/{partner}", _page, _set, need=None),
    ]


def _resident(visit: Visit) -> None:
    if not visit.resident:
        raise UnknownTerm("no such page")


def _line(visit: Visit, known: Known) -> _Line:
    node, store = visit.node, visit.node.core.store
    last, acknowledged = store.exchange.last_sealed(known.node), store.partners.acknowledged(known.node)
    problem = (store.meta.get(problem_of(known.node)) or b"").decode().partition("\n")[0]
    refused = node.audit.refused(known.node, unb64(known.sheet.ledger_key))
    return _Line(
        known,
        ", ".join(rung_text(policy, rung) for policy, rung in known.sheet.ceiling.items()),
        last.last if last else 0,
        acknowledged.seq if acknowledged else 0,
        node.inbound.cursor(known.node).seq,
        node.exchange.state(known.node).last_contact,
        problem,
        str(refused.args[0]) if refused else "",
    )


def _list(visit: Visit) -> Sheet:
    _resident(visit)
    found = [_line(visit, known) for known in visit.node.partners.all()]
    return Sheet("partners.html", "Partners", {"found": found}, [visit.routine])


def _page(visit: Visit) -> Sheet:
    _resident(visit)
    line = _line(visit, visit.node.partners.get(visit.segments["partner"]))
    values = {"one": line, "acts": visit.may(Act.PARTNERS), "active": line.known.active,
              "departed": line.known.status is PartnerStatus.DEPARTED}  # fmt: skip
    return Sheet("partner.html", line.known.node, values, [visit.routine])


def _set(visit: Visit) -> Go:
    _resident(visit)
    known = visit.node.partners.get(visit.segments["partner"])
    because, state = visit.form.get("because").strip(), _STATES.get(visit.form.get("do"))
    if state is None or known.status is PartnerStatus.DEPARTED:
        raise InvalidInput(f"{known.node} is {known.status.value}", fix="Suspend it or let it go on")
    if not because:
        raise InvalidInput("that needs a reason", fix="Say why: it stands in the ledger")
    visit.node.partners.set_status(known.node, state, because, visit.who)
    return Go(Fields.address(f"/partners/{known.node}"))
