"""Terms: what decides for one recipient and purpose under one policy epoch, compiled until a date changes it."""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.release.candidates import Candidate, Offer, offers
from aldis.kernel.release.decisions import (
    FAILS,
    REFERS,
    Basis,
    Decision,
    Outcome,
    Reason,
    Request,
    Verdict,
)
from aldis.kernel.release.scopes import Clearing, Scope
from aldis.kernel.rules import rule_dates

__all__ = ["Terms", "compile_terms", "decide", "hold"]

_MAX_SCOPES = 65_536
_MAX_TERMS = 4096
_FOREVER = 1 << 62

_PERMIT, _REFER, _REFUSE = Verdict.PERMIT, Verdict.REFER, Verdict.REFUSE
_UNTAGGED = Reason.of(6, Outcome.PASS, "no-tags", "no export-control tag is on it")
_DIRECT = Reason.of(7, Outcome.PASS, "no-third-party", "it holds no third party's information")
_HELD = Reason.of(8, Outcome.FAIL, "held", "the record is on hold")
_NOTHING = Basis()
_FREE = Reason.of(8, Outcome.PASS, "no-review", "not on hold, and no review is asked")


class Terms:
    """Decides for one recipient and purpose from `since` until `valid_until` (ms since 1970 UTC)."""

    __slots__ = ("_clear", "_holds", "_scopes", "_stranger", "_taker", "purpose", "recipient", "since", "valid_until")

    def __init__(self, epoch: PolicyEpoch, recipient: str, purpose: str | None, at: int) -> None:
        self.recipient, self.purpose, self._holds = recipient, purpose, epoch.holds
        dates = _boundaries(epoch)
        nth = bisect_right(dates, at)
        self.since = dates[nth - 1] if nth else -_FOREVER
        self.valid_until = dates[nth] if nth < len(dates) else _FOREVER
        self._scopes: dict[tuple[str, str, str, str], Scope] = {}
        try:
            partner = epoch.partner(recipient)
        except UnknownTerm:
            self._clear, self._taker = None, ""
            text = f"no partner {recipient!r} is known here"
            self._stranger = tuple(Reason.of(n, Outcome.FAIL, "recipient-unknown", text) for n in range(1, 8))
            return
        own = partner.party == epoch.party
        found = (Offer(epoch, partner, at, own=True),) if own else offers(epoch, partner, at)
        self._clear = Clearing(epoch, partner, purpose, at, epoch.instruments.in_force(at), found, {})
        self._taker = partner.party

    def decide(self, request: Request) -> Decision:
        """The decision: all eight checks, in order.

        Raises:
            InvalidInput: the request names another recipient or purpose than these terms are for.
        """
        if request.recipient != self.recipient or request.purpose != self.purpose:
            raise InvalidInput("the request is not for the recipient and purpose of these terms")
        return self._decide(request)

    def _decide(self, request: Request) -> Decision:
        scope = self._scopes.get((request.kind, request.project, request.portion, request.originator))
        if scope is None:
            if self._clear is None:
                return self._strange(request)
            scope = self._scope(self._clear, request)
        label = request.label
        categories = label.categories

        # 1 originator control
        r1 = scope.control or scope.controlled(label, request.origin_grants)
        # 2, 4, 5, 8 classification, instrument, categories, review: on one clause
        chosen = scope.first
        offer = chosen.offer
        r2 = offer.grades.get((label.policy, label.classification)) or offer.grade(label)
        r5 = offer.allow(label) if categories else offer.open
        if scope.candidates and r2.bits | r5.bits | chosen.bits:
            chosen = _best(scope.candidates, label)
            offer = chosen.offer
            r2 = offer.grade(label)
            r5 = offer.allow(label) if categories else offer.open
        r4, basis = chosen.instrument, chosen.basis
        r8 = _HELD if request.record in self._holds else chosen.review
        # 3 releasability
        r3 = scope.listed if self._taker in label.releasable.parties else scope.releasable(label)
        # 6 export control
        r6 = scope.export(label.control) if label.control else _UNTAGGED
        # 7 onward transfer
        if label.origins <= scope.ends:
            r7 = _DIRECT
        else:
            r7, basis = _passed_on(scope, label, request, r4, basis)

        reasons: tuple[Reason, ...] = (r1, r2, r3, r4, r5, r6, r7, r8)
        bits = r1.bits | r2.bits | r3.bits | r4.bits | r5.bits | r6.bits | r7.bits | r8.bits
        not_before = request.created + basis.delay_ms if basis.delay_ms else 0
        if not bits:
            return Decision(_PERMIT, reasons, basis, not_before)
        if request.approved and bits & REFERS:
            enough = request.approved >= chosen.basis.approvals
            reasons = (*map(_approve, reasons[:7]), _approve(r8) if enough else r8)
            bits = bits & FAILS if enough else bits & FAILS | r8.bits
        verdict = _REFUSE if bits & FAILS else _REFER if bits else _PERMIT
        return Decision(verdict, reasons, basis, not_before)

    def _scope(self, clear: Clearing, request: Request) -> Scope:
        if len(self._scopes) >= _MAX_SCOPES:
            self._scopes.clear()
        key = (request.kind, request.project, request.portion, request.originator)
        scope = self._scopes[key] = Scope(clear, *key)
        return scope

    def _strange(self, request: Request) -> Decision:
        """The decision where the recipient is unknown: nothing about it can hold."""
        last = _HELD if request.record in self._holds else _FREE
        return Decision(_REFUSE, (*self._stranger, last), _NOTHING, 0)


def hold(decision: Decision) -> Decision:
    """The decision for the same record on hold."""
    reasons = (*decision.reasons[:-1], _HELD)
    return msgspec.structs.replace(decision, verdict=_REFUSE, reasons=reasons)


def _boundaries(epoch: PolicyEpoch) -> list[int]:
    """Every instant at which an instrument, a rule or an equivalence begins or ends, sorted."""
    rows = epoch.policies.equivalences
    bounds = {bound for row in rows for bound in (row.since, row.until) if bound is not None}
    return sorted(bounds.union(epoch.instruments.boundaries(), rule_dates()))


def _best(candidates: tuple[Candidate, ...], label: Label) -> Candidate:
    """Permit before refer before fail; of those that refer the fewest officers, of those that fail the fewest checks.

    They come in the order that breaks ties.
    """

    def badness(candidate: Candidate) -> tuple[int, bool, int]:
        bits = candidate.bits | candidate.offer.grade(label).bits | candidate.offer.allow(label).bits
        fails = (bits & FAILS).bit_count()
        refers = not fails and bool(bits & REFERS)
        return fails, refers, candidate.basis.approvals if refers else 0

    return min(candidates, key=badness)


def _passed_on(scope: Scope, label: Label, request: Request, instrument: Reason, basis: Basis) -> tuple[Reason, Basis]:
    """Check 7, and the basis with the purposes that every origin leaves."""
    reason, left = scope.onward(label.origins, request.origin_grants)
    if left is None or instrument.outcome or reason.outcome is Outcome.FAIL or request.purpose is not None:
        return reason, basis
    purposes = tuple(purpose for purpose in basis.purposes if purpose in left)
    if not purposes:
        text = "the origins of it allow none of the purposes of the clause"
        return Reason.of(7, Outcome.FAIL, "origin-purpose", text), basis
    return reason, msgspec.structs.replace(basis, purposes=purposes)


def _approve(reason: Reason) -> Reason:
    """What a release officer's yes makes of a reason; a failed check stays failed."""
    if reason.outcome is not Outcome.REFER:
        return reason
    text = f"a release officer approved it: {reason.text}"
    return Reason.of(reason.check, Outcome.PASS, "approved", text, reason.instrument, reason.clause)


def compile_terms(epoch: PolicyEpoch, recipient: str, purpose: str | None, at: int) -> Terms:
    """The terms for a recipient and purpose at an instant; kept with the epoch and compiled once."""
    key = (recipient, purpose)
    terms = epoch.compiled.get(key)
    if not isinstance(terms, Terms) or not terms.since <= at < terms.valid_until:
        if len(epoch.compiled) >= _MAX_TERMS:
            epoch.compiled.clear()
        terms = epoch.compiled[key] = Terms(epoch, recipient, purpose, at)
    return terms


def decide(request: Request, epoch: PolicyEpoch, at: int) -> Decision:
    """May it go? The one place where a release is decided; pure, and what is missing denies.

    All eight checks are evaluated, whatever the first ones say; `spec/release.md` states each.
    """
    terms = epoch.compiled.get((request.recipient, request.purpose))
    if not isinstance(terms, Terms) or not terms.since <= at < terms.valid_until:
        terms = compile_terms(epoch, request.recipient, request.purpose, at)
    return terms._decide(request)
