"""Permits: the only proof that a record may go. Sealing a bundle takes one, and only `release` makes one.

This stops mistakes, not malice: Python has no real privacy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import InitVar, dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.errors import RefusedByPolicy
from aldis.kernel.instruments import Transform
from aldis.kernel.release.decisions import Decision, Outcome, Reason, Request, Verdict
from aldis.kernel.release.terms import compile_terms
from aldis.kernel.release.view import NO_GRANTS, View, requests_for

__all__ = ["Permit", "Refusal", "Round", "release"]

_MAKER = object()
_EMPTY: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Permit:
    """This record may go to this node, with these portions, under this epoch, and with nothing else.

    Portions are named by their digests. `transforms` says what must be done first; `delayed` portions may not go
    before the instant given, and are not among `portions` until then. `purposes` hold for all that goes, and are
    empty within one party. `onward` names, per party, the portions that the recipient may pass on to it with the
    header; only an originator's permit has any. `decisions` holds every decision made, the header's under the
    record's digest.
    """

    digest: bytes
    recipient: str
    portions: tuple[bytes, ...]
    transforms: Mapping[bytes, tuple[Transform, ...]]
    purposes: tuple[str, ...]
    delayed: Mapping[bytes, int]
    onward: Mapping[str, tuple[bytes, ...]]
    referred: tuple[bytes, ...]
    refused: tuple[bytes, ...]
    decisions: Mapping[bytes, Decision]
    epoch: bytes
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Only `release` makes a permit."""
        if maker is not _MAKER:
            raise TypeError("a Permit is made by aldis.kernel.release.release() and by nothing else")

    @property
    def in_part(self) -> bool:
        """Whether some portion is withheld, for now or for good."""
        return bool(self.referred or self.refused or self.delayed)

    def check(self, digest: bytes, recipient: str, epoch_digest: bytes, portions: Iterable[bytes]) -> None:
        """Return if this permit binds exactly this record, recipient, policy epoch and set of portions.

        Raises:
            RefusedByPolicy: it does not.
        """
        given = (digest, recipient, epoch_digest, frozenset(portions))
        bound = (self.digest, self.recipient, self.epoch, frozenset(self.portions))
        if given != bound:
            names = ("record", "recipient", "policy epoch", "set of portions")
            what = next(name for name, one, other in zip(names, given, bound, strict=True) if one != other)
            raise RefusedByPolicy(
                f"the permit for record {self.digest.hex()[:16]} to {self.recipient} is for another {what}",
                fix="Decide again: a permit holds for one record, recipient, set of portions and policy epoch",
            )


@dataclass(frozen=True, slots=True)
class Refusal:
    """This record may not go to this node: refused, or referred to a release officer. All reasons are given."""

    digest: bytes
    recipient: str
    verdict: Verdict
    decision: Decision
    epoch: bytes

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The eight reasons for the header."""
        return self.decision.reasons


def release(
    view: View,
    recipient: str,
    purpose: str | None,
    epoch: PolicyEpoch,
    at: int,
    *,
    grants: Mapping[str, Collection[bytes]] = NO_GRANTS,
    approved: Collection[bytes] = (),
) -> Permit | Refusal:
    """Whether a record may go to a node: in whole, in part, or not at all.

    Args:
        view: the record.
        recipient: the node it would go to.
        purpose: what it is for; None for any purpose that the clauses name.
        epoch: what decides.
        at: the instant, in ms since 1970 UTC.
        grants: for a record of another party's, its originator's signed grant: per party, the portions it may have
            with the header.
        approved: the digests (the record's own for its header) that a release officer said yes to.
    """
    asked = dict(requests_for(view, recipient, purpose, grants=grants, approved=approved))
    terms = compile_terms(epoch, recipient, purpose, at)
    header = terms.decide(asked[view.digest])
    if not header.permits:
        return Refusal(view.digest, recipient, header.verdict, header, epoch.digest)
    own, purposes = view.originator == epoch.party, header.purposes
    decisions, ready = {view.digest: header}, {view.digest: header}
    delayed: dict[bytes, int] = {}
    waiting: dict[Verdict, list[bytes]] = {Verdict.REFER: [], Verdict.REFUSE: []}
    for digest, _, _ in view.portions:
        decision = decisions[digest] = _fitting(terms.decide(asked[digest]), purposes, own=own)
        if not decision.permits:
            waiting[decision.verdict].append(digest)
        elif decision.not_before > at:
            delayed[digest] = decision.not_before
        else:
            ready[digest] = decision
            purposes = _shared(purposes, decision)
    portions = tuple(ready)[1:]
    return Permit(
        digest=view.digest,
        recipient=recipient,
        portions=portions,
        transforms=MappingProxyType({d: ready[d].transforms for d in portions if ready[d].transforms}),
        purposes=purposes,
        delayed=MappingProxyType(delayed),
        onward=MappingProxyType(_onward(view, ready, asked, epoch, at)),
        referred=tuple(waiting[Verdict.REFER]),
        refused=tuple(waiting[Verdict.REFUSE]),
        decisions=MappingProxyType(decisions),
        epoch=epoch.digest,
        maker=_MAKER,
    )


class Round:
    """Releases of many records to one node at one instant; records alike in all that decides are decided once.

    It answers what `release` would, for each record by itself.
    """

    def __init__(self, recipient: str, purpose: str | None, epoch: PolicyEpoch, at: int) -> None:
        self._recipient, self._purpose, self._epoch, self._at = recipient, purpose, epoch, at
        self._known: dict[object, tuple[View, Permit | Refusal]] = {}

    def release(
        self,
        view: View,
        *,
        grants: Mapping[str, Collection[bytes]] = NO_GRANTS,
        approved: Collection[bytes] = (),
    ) -> tuple[Permit | Refusal, bool]:
        """As `release`; and whether an earlier record of the round decided it."""
        alone = bool(grants or approved or view.id in self._epoch.holds)
        alike = (view.kind, view.project, view.originator, view.label, tuple([part[1:] for part in view.portions]))
        known = None if alone else self._known.get(alike)
        if known is not None:
            return _rebind(*known, view), True
        result = release(view, self._recipient, self._purpose, self._epoch, self._at, grants=grants, approved=approved)
        decisions = result.decisions.values() if isinstance(result, Permit) else [result.decision]
        if not alone and not any(decision.basis.delay_ms for decision in decisions):
            self._known[alike] = (view, result)
        return result, False


def _rebind(model: View, result: Permit | Refusal, view: View) -> Permit | Refusal:
    """The result for `view`, which differs from `model` in nothing that decides: the same portions, place by place."""
    if isinstance(result, Refusal):
        return Refusal(view.digest, result.recipient, result.verdict, result.decision, result.epoch)
    here = {old[0]: new[0] for old, new in zip(model.portions, view.portions, strict=True)}
    here[model.digest] = view.digest
    return Permit(
        view.digest,
        result.recipient,
        tuple([here[d] for d in result.portions]),
        {here[d]: transforms for d, transforms in result.transforms.items()} if result.transforms else _EMPTY,
        result.purposes,
        result.delayed,
        {party: tuple([here[d] for d in given]) for party, given in result.onward.items()} if result.onward else _EMPTY,
        tuple([here[d] for d in result.referred]) if result.referred else (),
        tuple([here[d] for d in result.refused]) if result.refused else (),
        {here[d]: decision for d, decision in result.decisions.items()},
        result.epoch,
        _MAKER,
    )


def _onward(
    view: View, ready: Mapping[bytes, Decision], asked: Mapping[bytes, Request], epoch: PolicyEpoch, at: int
) -> dict[str, tuple[bytes, ...]]:
    """Per party, what the recipient may pass on: only what would go to that party from here as well.

    Only the originator grants; and nothing that would go to that party only transformed in another way, only later,
    or only once a person had approved.
    """
    first = ready[view.digest].onward
    if not first or view.originator != epoch.party:
        return {}

    def goes(digest: bytes, party: str) -> bool:
        given = ready[digest]
        if party not in given.onward:
            return False
        for node in (partner.node for partner in epoch.partners if partner.party == party):
            request = msgspec.structs.replace(asked[digest], recipient=node, approved=False)
            there = compile_terms(epoch, node, request.purpose, at).decide(request)
            if there.permits and there.not_before <= at and set(there.transforms) <= set(given.transforms):
                return True
        return False

    return {
        party: tuple(digest for digest in ready if digest != view.digest and goes(digest, party))
        for party in first
        if goes(view.digest, party)
    }


def _shared(purposes: tuple[str, ...], decision: Decision) -> tuple[str, ...]:
    return tuple(purpose for purpose in purposes if purpose in decision.purposes)


def _fitting(decision: Decision, purposes: tuple[str, ...], *, own: bool) -> Decision:
    """A portion's decision, refused where it cannot go with what already goes or needs a transform not ours to make."""
    if not decision.permits:
        return decision
    if decision.transforms and not own:
        text = "the clause asks for a transform, which only its originator can make and sign"
        return _refuse(decision, Reason.of(1, Outcome.FAIL, "not-ours-to-transform", text))
    if purposes and not _shared(purposes, decision):
        text = "it may be used for none of the purposes for which the rest goes"
        return _refuse(decision, Reason.of(4, Outcome.FAIL, "purpose-differs", text))
    return decision


def _refuse(decision: Decision, reason: Reason) -> Decision:
    reasons = tuple(reason if old.check == reason.check else old for old in decision.reasons)
    return msgspec.structs.replace(decision, verdict=Verdict.REFUSE, reasons=reasons)
