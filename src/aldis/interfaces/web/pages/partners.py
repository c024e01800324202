"""Partners: how the exchange with each goes, how far ledgers are cosigned, what to read aloud, letting one rest.

Counts and sizes tell of every record that was released, and a problem's words may name them: who works below this
node's ceiling is shown neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aldis.app import Go
from aldis.interfaces.cli.cosigning import Cosigned, cosigned
from aldis.interfaces.cli.pairing import accredited
from aldis.interfaces.cli.text import ago, size
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import AldisError, InvalidInput, UnknownTerm
from aldis.kernel.labels import Label, rung_text
from aldis.node.backlog import Backlog, backlog
from aldis.node.checks import Check, partner_checks
from aldis.node.conditions import partner_conditions
from aldis.node.pairing import fingerprint, read_aloud
from aldis.node.partners import Known

__all__ = ["views"]

_STATES = {"suspend": PartnerStatus.SUSPENDED, "resume": PartnerStatus.ACTIVE}
_DONE = {"paired": "Paired. Agree with an instrument what may be shared."}
_AWAY = "unavailable"
_WHERE = "See that it runs, and that this node reaches its address"


@dataclass(frozen=True, slots=True)
class _Counts:
    """What went to a partner (`sent`, of that `acknowledged`), what waits, what came (`received`), in items."""

    sent: int
    acknowledged: int
    received: int
    waits: Backlog
    files: str
    since: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A partner as whoever asks may see it: `counts` and the sizes of `cosigned` at the node's ceiling alone."""

    known: Known
    ceiling: str
    health: str
    wrong: Sequence[Check]
    contact: int
    spoke: str
    cosigned: Cosigned | None
    signed: str
    counts: _Counts | None


def views(_frame: Frame) -> Sequence[View]:
    """The list, and one partner."""
    return [
        View("/partners", _list),
        View("/partners/{partner}", _page, _set),
    ]


def _resident(visit: Visit) -> None:
    if not visit.resident:
        raise UnknownTerm("no such page")


def _whole(visit: Visit) -> bool:
    return visit.node.sights.whole(visit.who)


def _labels(visit: Visit) -> list[Label]:
    return [visit.level if _whole(visit) else visit.routine]


def _line(visit: Visit, known: Known) -> _Line:
    node, whole = visit.node, _whole(visit)
    wrong = [*_wrong(visit, known, whole)]
    try:
        signed: Cosigned | None = cosigned(node, known)
    except AldisError as error:
        wrong.append(Check("cosignature", ok=False, cause=str(error.args[0]), fix="Look with `aldis ledger verify`"))
        signed = None
    contact = node.exchange.state(known.node).last_contact
    return _Line(
        known,
        ", ".join(rung_text(policy, rung) for policy, rung in known.sheet.ceiling.items()),
        _health(visit, known, wrong, contact),
        wrong,
        contact,
        ago(contact, visit.at) if contact else "",
        signed,
        ago(signed.at, visit.at) if signed and signed.size else "",
        _counts(visit, known) if whole else None,
    )


def _counts(visit: Visit, known: Known) -> _Counts:
    node, store = visit.node, visit.node.core.store
    last, acknowledged = store.exchange.last_sealed(known.node), store.partners.acknowledged(known.node)
    waits = backlog(node.core, known.node)
    return _Counts(
        last.last if last else 0,
        acknowledged.seq if acknowledged else 0,
        node.inbound.cursor(known.node).seq,
        waits,
        size(waits.size),
        ago(waits.since, visit.at) if waits.since else "",
    )


def _wrong(visit: Visit, known: Known, whole: bool) -> Iterator[Check]:
    """What `aldis doctor` finds wrong with a partner; its own words where they may be shown."""
    if known.active:
        yield from partner_conditions(visit.node, known.node)
    problem = visit.node.exchange.state(known.node).problem
    for check in partner_checks(visit.node, known):
        if check.ok is not False:
            continue
        if whole:
            yield check
        elif check.name.startswith("ledger"):
            yield Check(check.name, ok=False, cause="its ledger does not continue the one cosigned here", fix=check.fix)
        elif problem is not None and problem.code == _AWAY:
            yield Check(check.name, ok=False, cause="it was not reached, or could not take what was sent", fix=_WHERE)
        else:
            ceiling = visit.node.core.config.ceiling
            yield Check(check.name, ok=False, cause="the exchange with it has a problem", fix=f"Look at {ceiling}")


def _health(visit: Visit, known: Known, wrong: Sequence[Check], contact: int) -> str:
    if not known.active:
        return known.status.value
    if any(check.name.startswith(("ledger", "cosignature")) for check in wrong):
        return "its ledger was refused"
    if wrong:
        return "a problem"
    if known.node in visit.node.core.config.feeds:
        return "fed by files"
    return "in order" if contact else "not met yet"


def _list(visit: Visit) -> Sheet:
    _resident(visit)
    found = [_line(visit, known) for known in visit.node.partners.all()]
    values = {
        "found": found,
        "acts": visit.may(Act.PARTNERS),
        "whole": _whole(visit),
        "ceiling": visit.node.core.config.ceiling,
        "own": read_aloud(visit.node.partners.sheet()),
    }
    return Sheet("partners.html", "Partners", values, _labels(visit))


def _page(visit: Visit) -> Sheet:
    _resident(visit)
    known = visit.node.partners.get(visit.segments["partner"])
    line, acts = _line(visit, known), visit.may(Act.PARTNERS)
    reply = visit.node.partners.reply(known.node) if acts and line.contact < known.paired else b""
    values = {
        "one": line,
        "acts": acts,
        "active": known.active,
        "departed": known.status is PartnerStatus.DEPARTED,
        "accredited": accredited(known.sheet.categories),
        "prints": read_aloud(known.sheet),
        "ceiling": visit.node.core.config.ceiling,
        "reply": fingerprint(reply) if reply else "",
        "done": _DONE.get(visit.query.get("done"), ""),
    }
    return Sheet("partner.html", known.node, values, _labels(visit))


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
