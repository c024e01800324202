"""Why a decision came out as it did, what would change it, and what a party that was refused may be told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from aldis.kernel.changes import Approve, Change, apply
from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.errors import AldisError
from aldis.kernel.release import CHECKS, Decision, Outcome, Reason, Request, Verdict, View, decide, requests_for
from aldis.kernel.remedies import draft_instrument, remedies

__all__ = ["Explanation", "RecordExplanation", "Redacted", "explain", "explain_record", "redact"]

_ROUNDS = 12
_WORDS = {Outcome.PASS: "holds", Outcome.REFER: "is for a release officer", Outcome.FAIL: "fails"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, a sentence for each check, and the smallest set of changes found that would permit.

    Dropping any one of `changes` no longer permits. Where `enough` is false nothing that can be agreed would help
    (a label or a recipient that nobody defined), and `changes` is empty.
    """

    decision: Decision
    sentences: tuple[str, ...]
    changes: tuple[Change, ...]
    enough: bool


@dataclass(frozen=True, slots=True)
class RecordExplanation:
    """The explanations of a record's header and, by name, of its portions."""

    header: Explanation
    portions: Mapping[str, Explanation]


@dataclass(frozen=True, slots=True)
class Redacted:
    """What a party that was refused may be told; `instruments` are those in force that it signed itself."""

    text: str
    instruments: tuple[str, ...]


def explain(request: Request, epoch: PolicyEpoch, at: int) -> Explanation:
    """Why `decide` answers as it does, and what would make it permit; for the releasing party's own people."""
    decision = decide(request, epoch, at)
    sentences = tuple(_sentence(reason) for reason in decision.reasons)
    if decision.permits:
        return Explanation(decision, sentences, (), enough=True)
    plan = _plan(request, epoch, at, ())
    if plan is None:
        draft = draft_instrument(request, epoch, at)
        plan = _plan(request, epoch, at, (draft,)) if draft else None
    changes = _least(plan or (), request, epoch, at)
    return Explanation(decision, sentences, changes, enough=plan is not None)


def explain_record(
    view: View,
    recipient: str,
    purpose: str | None,
    epoch: PolicyEpoch,
    at: int,
    *,
    grants: Mapping[str, Collection[bytes]] = MappingProxyType({}),
    approved: Collection[bytes] = (),
) -> RecordExplanation:
    """`explain` for a header and every portion; the arguments are those of `release`."""
    asked = requests_for(view, recipient, purpose, grants=grants, approved=approved)
    header, *portions = [(request.portion, explain(request, epoch, at)) for _, request in asked]
    return RecordExplanation(header[1], MappingProxyType(dict(portions)))


def redact(explanation: RecordExplanation, party: str, epoch: PolicyEpoch, at: int) -> Redacted:
    """What `party` may be told of a record that it did not get whole.

    Nothing here depends on the record beyond whether its header may go to that party: no label, no reason, no
    name, no count; where even the header may not go, the answer is the one for a record that does not exist.
    """
    if explanation.header.decision.permits:
        text = f"{epoch.party} has not released all of this record to {party}. Ask its release officer for more."
    else:
        text = f"{epoch.party} has released no such record to {party}. Ask its release officer if you expected one."
    both = {party, epoch.party}
    shared = (standing for standing in epoch.instruments.in_force(at) if both <= standing.parties)
    return Redacted(text, tuple(standing.instrument.id for standing in shared))


def _sentence(reason: Reason) -> str:
    rests = f" ({reason.instrument} clause {reason.clause})" if reason.clause else ""
    return f"{reason.check} {CHECKS[reason.check - 1]} {_WORDS[reason.outcome]}: {reason.text}{rests}."


# the search: mend what fails until it permits, then leave out what was not needed


def _plan(request: Request, epoch: PolicyEpoch, at: int, first: Iterable[Change]) -> tuple[Change, ...] | None:
    changes = list(first)
    for _ in range(_ROUNDS):
        now = _after(changes, request, epoch)
        if now is None:
            return None
        decision = decide(*now, at)
        if decision.permits:
            return tuple(changes)
        if decision.verdict is Verdict.REFER:
            found: Sequence[Change] = [
                Approve(f"{_officers(decision)} of {epoch.party}", "approve what is referred to a person")
            ]
        else:
            failed = (reason for reason in decision.reasons if reason.outcome is Outcome.FAIL)
            found = [change for reason in failed for change in remedies(reason, decision, *now, at)]
        new = [change for change in found if change not in changes]
        if not new:
            return None
        changes += new
    return None


def _officers(decision: Decision) -> str:
    asked = decision.basis.approvals
    return f"{asked} release officers" if asked > 1 else "a release officer"


def _after(changes: Iterable[Change], request: Request, epoch: PolicyEpoch) -> tuple[Request, PolicyEpoch] | None:
    """The request and epoch after all the changes, or None where they do not go together."""
    try:
        for change in changes:
            request, epoch = apply(change, request, epoch)
    except AldisError:
        return None
    return request, epoch


def _least(changes: tuple[Change, ...], request: Request, epoch: PolicyEpoch, at: int) -> tuple[Change, ...]:
    """The changes without those that are not needed, so that dropping one more no longer permits."""
    for change in changes:
        fewer = tuple(other for other in changes if other is not change)
        now = _after(fewer, request, epoch)
        if now is not None and decide(*now, at).permits:
            return _least(fewer, request, epoch, at)
    return changes
