"""What would mend one reason of a decision. More than is needed may be offered; `explain` leaves the rest out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from aldis.kernel.changes import (
    AccreditCategory,
    AddLicence,
    AddReleasability,
    AdmitToProject,
    AmendClause,
    Change,
    DraftInstrument,
    GrantOnward,
    LiftHold,
    PermitCategory,
    ProvideEvidence,
    RaiseAccreditation,
    RaiseCeiling,
    Reinstate,
    Relabel,
    RenewInstrument,
    SignInstrument,
)
from aldis.kernel.epoch import Partner, PolicyEpoch
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.instruments import ANY, Clause, Form, Instrument, State
from aldis.kernel.labels import CONCEALED, CategoryType, rung_text
from aldis.kernel.release import Decision, Reason, Request
from aldis.kernel.rules import rule_at

__all__ = ["draft_instrument", "remedies"]

_DAY_MS = 86_400_000
_YEAR_MS = 365 * _DAY_MS
_AS_AGREED = frozenset({"as-agreed"})
"""The purpose of a draft where none was asked for."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One reason of one decision, and everything that it came from."""

    reason: Reason
    decision: Decision
    request: Request
    epoch: PolicyEpoch
    at: int
    partner: Partner

    @property
    def officer(self) -> str:
        return f"a release officer of {self.epoch.party}"

    @property
    def originator(self) -> str:
        return f"{self.request.originator}, its originator"

    @property
    def accreditor(self) -> str:
        return f"whoever accredits {self.partner.node}, and {self.epoch.node}, which records it"

    @property
    def signatories(self) -> str:
        return f"the parties to {self.reason.instrument}"

    @property
    def place(self) -> str:
        return f"{self.reason.instrument} clause {self.reason.clause}"

    def restricting(self) -> Iterator[tuple[str, CategoryType, frozenset[str]]]:
        """The categories of the label that restrict access."""
        policy = self.epoch.policies.policy(self.request.label.policy)
        for tag, values in self.request.label.categories:
            kind = policy.category_type(tag)
            if kind is not CategoryType.INFORMATIVE:
                yield tag, kind, values


def remedies(reason: Reason, decision: Decision, request: Request, epoch: PolicyEpoch, at: int) -> Iterator[Change]:
    """The changes that would mend a failed check; none where a label or a recipient is one that nobody defined."""
    try:
        partner = epoch.partner(request.recipient)
        yield from _MENDS[reason.check](_Case(reason, decision, request, epoch, at, partner))
    except UnknownTerm:
        return


def _control(case: _Case) -> Iterator[Change]:
    label, party = case.request.label, case.partner.party
    policy = case.epoch.policies.policy(label.policy)
    if case.reason.code == "no-grant":
        yield GrantOnward(case.originator, f"grant its onward transfer to {party}", party)
        return
    kept = [
        (tag, frozenset(value for value in values if not policy.category(tag).value(value).originator) or None)
        for tag, values in label.categories
    ]
    rung = ""
    if policy.rung(label.classification).originator:
        lower = (r.name for r in policy.ladder if not r.originator and r.rank < policy.rank(label.classification))
        rung = next(reversed(tuple(lower)), "")
    yield Relabel(case.originator, "write a new version that others may release", rung, tuple(kept))


def _classification(case: _Case) -> Iterator[Change]:
    label, node = case.request.label, case.partner.node
    name = rung_text(label.policy, label.classification)
    case.epoch.policies.policy(label.policy).rank(label.classification)
    if case.reason.code == "above-clause-ceiling":
        text = f"raise the ceiling of {case.place} to {name}"
        yield RaiseCeiling(
            case.signatories, text, case.reason.instrument, case.reason.clause, label.policy, label.classification
        )
    elif case.reason.code == "above-node-ceiling":
        yield RaiseAccreditation(
            case.accreditor, f"accredit {node} for {name}", node, label.policy, label.classification
        )


def _releasability(case: _Case) -> Iterator[Change]:
    case.epoch.policies.policy(case.request.label.policy).rank(case.request.label.classification)
    yield AddReleasability(case.originator, f"make it releasable to {case.partner.party}", case.partner.party)


def _instrument(case: _Case) -> Iterator[Change]:
    reason, request, node = case.reason, case.request, case.partner.node
    if reason.code in ("recipient-suspended", "recipient-departed"):
        yield Reinstate(case.accreditor, f"reinstate {node}", node)
    elif reason.code == "not-a-member":
        text = f"admit {node} to the project {request.project!r}"
        yield AdmitToProject(case.accreditor, text, node, request.project)
    elif reason.code in ("not-signed", "not-begun", "expired", "terminated", "not-in-force"):
        yield from _stand(case, reason.instrument)
    elif reason.code == "no-instrument":
        draft = draft_instrument(request, case.epoch, case.at)
        if draft is not None:
            yield draft
    else:
        yield from _widen(case)


def _stand(case: _Case, name: str) -> Iterator[Change]:
    """What puts the newest version of an instrument in force, or where it waits for the one above it, that one."""
    instruments, today = case.epoch.instruments, case.at - case.at % _DAY_MS
    entry = instruments.versions(name)[-1]
    said, state = entry.instrument, instruments.state(entry, case.at)
    if state is State.UNSIGNED:
        text = f"sign {name} version {entry.version}"
        yield SignInstrument(" and ".join(sorted(entry.missing)), text, name, entry.version)
    elif state is State.ORPHANED:
        above = instruments.versions(said.under)[-1].instrument
        if instruments.standing(above.id, case.at) is None and above.under != name:
            yield from _stand(case, above.id)
    else:
        start, end = min(said.start, today), max(said.end, today + _YEAR_MS)
        text = {
            State.NOT_YET: f"bring {name} forward to {_date(start)}",
            State.EXPIRED: f"extend {name} to {_date(end)}",
        }.get(state, f"renew {name}")
        yield RenewInstrument(f"the parties to {name}", text, name, start, end)


def _date(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def _widen(case: _Case) -> Iterator[Change]:
    """The clause is in force but does not cover the request."""
    request, reason = case.request, case.reason
    wanted = {
        "kind": (("kinds", request.kind),),
        "project": (("projects", request.project),),
        "purpose": (("purposes", request.purpose or ""),),
        "portion": (("portions", request.portion),),
        "direction": (("givers", case.epoch.party), ("takers", case.partner.party)),
    }.get(reason.code, ())
    for field, value in wanted:
        words = {"givers": "from", "takers": "to"}.get(field, field)
        text = f"add {value!r} to {words!r} of {case.place}"
        yield AmendClause(case.signatories, text, reason.instrument, reason.clause, field, frozenset({value}))


def _categories(case: _Case) -> Iterator[Change]:
    policy = case.epoch.policies.policy(case.request.label.policy)
    for tag, kind, values in case.restricting():
        if not values:
            some = frozenset(sorted(policy.category(tag).values)[:1])
            text = f"write a new version for {tag} {'/'.join(some)}"
            yield Relabel(case.originator, text, "", ((tag, some),))
            continue
        needed = values if kind is CategoryType.RESTRICTIVE else frozenset({min(values)})
        shown = f"{tag} {'/'.join(sorted(needed))}"
        if case.reason.clause and case.reason.code == "category-not-permitted":
            text = f"permit {shown} in {case.place}"
            yield PermitCategory(case.signatories, text, case.reason.instrument, case.reason.clause, tag, needed)
        elif case.reason.code != "category-nobody":
            yield AccreditCategory(
                case.accreditor, f"accredit {case.partner.node} for {shown}", case.partner.node, tag, needed
            )


def _export(case: _Case) -> Iterator[Change]:
    giver, taker = case.epoch.party, case.partner.party
    authority = f"the export-control authority of {giver}"
    if case.reason.code == "evidence-missing":
        instrument = case.epoch.instruments.versions(case.reason.instrument)[-1].instrument
        rule = rule_at(instrument.rule, case.at)
        if rule is not None and {giver, taker} <= rule.parties:
            fields = frozenset(f for p in rule.paragraphs for f in p.evidence) - instrument.evidence
            if fields:
                text = f"show for {instrument.id}: {', '.join(sorted(fields))}"
                yield ProvideEvidence(authority, text, instrument.id, fields)
                return
    for tag in sorted(case.request.label.control):
        clause = Clause("1", frozenset({giver}), frozenset({taker}), tags=frozenset({tag}))
        stem = "licence-" + re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-")
        licence = _drafted(case.epoch, Form.LICENCE, stem, {giver, taker}, clause, case.at)
        yield AddLicence(authority, f"license {tag} to {taker}", licence)


def _onward(case: _Case) -> Iterator[Change]:
    request, giver, taker = case.request, case.epoch.party, case.partner.party
    if request.originator != giver:
        yield GrantOnward(case.originator, f"grant its onward transfer to {taker}", taker)
        return
    for origin in sorted(request.label.origins - {giver, taker, CONCEALED}):
        clause = Clause(
            id="1",
            givers=frozenset({origin}),
            takers=frozenset({giver}),
            kinds=frozenset({request.kind}),
            projects=frozenset({request.project}),
            purposes=_purposes(request) if request.purpose else frozenset(case.decision.basis.purposes) or _AS_AGREED,
            onward=frozenset({taker}),
        )
        drafted = _drafted(case.epoch, Form.ARRANGEMENT, "onward", {origin, giver, taker}, clause, case.at)
        who = " and ".join(sorted(drafted.parties))
        yield DraftInstrument(who, f"agree that {giver} may pass {origin}'s information on to {taker}", drafted)


def _holds(case: _Case) -> Iterator[Change]:
    yield LiftHold(case.officer, f"lift the hold on {case.request.record}", case.request.record)


_MENDS: dict[int, Callable[[_Case], Iterator[Change]]] = {
    1: _control,
    2: _classification,
    3: _releasability,
    4: _instrument,
    5: _categories,
    6: _export,
    7: _onward,
    8: _holds,
}


def draft_instrument(request: Request, epoch: PolicyEpoch, at: int) -> DraftInstrument | None:
    """A new arrangement with the one clause that a request needs; None where nobody could sign it."""
    try:
        taker = epoch.partner(request.recipient).party
    except UnknownTerm:
        return None
    label, giver = request.label, epoch.party
    if giver == taker:
        return None
    clause = Clause(
        id="1",
        givers=frozenset({giver}),
        takers=frozenset({taker}),
        kinds=frozenset({request.kind}),
        projects=frozenset({request.project}),
        purposes=_purposes(request),
        portions=frozenset({request.portion or ANY}),
        ceiling=((label.policy, label.classification),),
        categories=tuple((tag, values) for tag, values in label.categories if values),
    )
    drafted = _drafted(epoch, Form.ARRANGEMENT, "share", {giver, taker}, clause, at)
    who = " and ".join(sorted(drafted.parties))
    return DraftInstrument(
        who, f"agree {drafted.id}: {request.kind}, up to {rung_text(label.policy, label.classification)}", drafted
    )


def _purposes(request: Request) -> frozenset[str]:
    return _AS_AGREED if request.purpose is None else frozenset({request.purpose})


def _drafted(epoch: PolicyEpoch, form: Form, stem: str, parties: set[str], clause: Clause, at: int) -> Instrument:
    """An instrument of one clause under an id that nothing has yet, in force for a year from the day of `at`."""
    name = "-".join(["draft", stem, *sorted(party.lower() for party in parties)])
    number = 1 + sum(known.startswith(name) for known in epoch.instruments.ids())
    start = at - at % _DAY_MS
    return Instrument(form, f"{name}-{number}", "Draft", frozenset(parties), start, start + _YEAR_MS, (clause,))
