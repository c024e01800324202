"""Permits: the only proof that a record may go. Sealing a bundle takes one, and only `release` makes one.

This stops mistakes, not malice: Python has no real privacy.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, replace
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
class _Ruling:
    """What was decided, by place: 0 is the header, then the portions. It holds for all records alike in what decides.

    `going` are the places of the portions that go, and `delayed` says when those may that wait. A `timed` ruling rests
    on when the record was made, for the recipient or for whom it may pass it on to.
    """

    recipient: str
    epoch: bytes
    decisions: tuple[Decision, ...]
    going: tuple[int, ...]
    purposes: tuple[str, ...]
    delayed: Mapping[int, int]
    onward: Mapping[str, tuple[int, ...]]
    changed: bool
    timed: bool

    def stopped(self, verdict: Verdict) -> Iterator[int]:
        """The places of the portions with this verdict."""
        return (place for place, decision in enumerate(self.decisions) if decision.verdict is verdict)


@dataclass(frozen=True)
class Permit:
    """This record may go to this node, with these portions, under this epoch, and with nothing else.

    `held` are the digests of all its portions that were decided, and portions are named by their digests.
    """

    digest: bytes
    held: tuple[bytes, ...]
    ruling: _Ruling
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Only `release` makes a permit."""
        if maker is not _MAKER:
            raise TypeError("a Permit is made by aldis.kernel.release.release() and by nothing else")

    @property
    def recipient(self) -> str:
        """The node that it may go to."""
        return self.ruling.recipient

    @property
    def epoch(self) -> bytes:
        """The digest of the policy epoch that decided."""
        return self.ruling.epoch

    @property
    def portions(self) -> tuple[bytes, ...]:
        """The portions that go."""
        going = self.ruling.going
        return self.held if len(going) == len(self.held) else tuple([self.held[place - 1] for place in going])

    @property
    def transforms(self) -> Mapping[bytes, tuple[Transform, ...]]:
        """What must be done first, by portion that goes."""
        if not self.ruling.changed:
            return _EMPTY
        every = {self.held[place - 1]: self.ruling.decisions[place].transforms for place in self.ruling.going}
        return MappingProxyType({digest: transforms for digest, transforms in every.items() if transforms})

    @property
    def purposes(self) -> tuple[str, ...]:
        """What all that goes may be used for; empty within one party."""
        return self.ruling.purposes

    @property
    def delayed(self) -> Mapping[bytes, int]:
        """The portions that may go later, each with the first instant; they are not among `portions` until then."""
        delayed = self.ruling.delayed
        return MappingProxyType({self.held[place - 1]: at for place, at in delayed.items()}) if delayed else _EMPTY

    @property
    def onward(self) -> Mapping[str, tuple[bytes, ...]]:
        """Per party, what the recipient may pass on to it with the header; only an originator's permit has any."""
        onward = self.ruling.onward
        if not onward:
            return _EMPTY
        return MappingProxyType({party: tuple([self.held[i - 1] for i in given]) for party, given in onward.items()})

    @property
    def referred(self) -> tuple[bytes, ...]:
        """The portions that a person must decide."""
        return tuple([self.held[place - 1] for place in self.ruling.stopped(Verdict.REFER)])

    @property
    def refused(self) -> tuple[bytes, ...]:
        """The portions that may not go."""
        return tuple([self.held[place - 1] for place in self.ruling.stopped(Verdict.REFUSE)])

    @property
    def decisions(self) -> Mapping[bytes, Decision]:
        """Every decision made, the header's under the record's digest."""
        return MappingProxyType(dict(zip((self.digest, *self.held), self.ruling.decisions, strict=True)))

    @property
    def in_part(self) -> bool:
        """Whether some portion is withheld, for now or for good."""
        return len(self.ruling.going) < len(self.held)

    def check(self, digest: bytes, recipient: str, epoch_digest: bytes, portions: Iterable[bytes]) -> None:
        """Return if this permit binds exactly this record, recipient, policy epoch and set of portions.

        Raises:
            RefusedByPolicy: it does not.
        """
        ruling = self.ruling
        given = (digest, recipient, epoch_digest, frozenset(portions))
        bound = (self.digest, ruling.recipient, ruling.epoch, frozenset(self.portions))
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
    held: tuple[bytes, ...] = ()
    waiting: tuple[int, ...] = ()
    """The places of the parts of a referred record that a person must decide: 0 is the header, then the portions."""

    @property
    def referred(self) -> tuple[bytes, ...]:
        """What a person must decide, the record's own digest for its header; nothing where the record is refused."""
        every = (self.digest, *self.held)
        return tuple([every[place] for place in self.waiting])

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
        approved: the digests (the record's own for its header) that release officers said yes to, each as often as
            one did.
    """
    asked = [request for _, request in requests_for(view, recipient, purpose, grants=grants, approved=approved)]
    terms = compile_terms(epoch, recipient, purpose, at)
    header = terms.decide(asked[0])
    held = tuple([digest for digest, _, _ in view.portions])
    if header.verdict is Verdict.REFUSE:
        return Refusal(view.digest, recipient, header.verdict, header, epoch.digest, held)
    if header.verdict is Verdict.REFER:
        verdicts = [terms.decide(request).verdict for request in asked]
        waiting = tuple([place for place, verdict in enumerate(verdicts) if verdict is Verdict.REFER])
        return Refusal(view.digest, recipient, header.verdict, header, epoch.digest, held, waiting)
    own, purposes = view.originator == epoch.party, header.purposes
    decisions, ready, delayed = [header], {0: header}, {}
    for place, request in enumerate(asked[1:], 1):
        decision = _fitting(terms.decide(request), purposes, own=own)
        decisions.append(decision)
        if decision.permits and decision.not_before > at:
            delayed[place] = decision.not_before
        elif decision.permits:
            ready[place] = decision
            purposes = _shared(purposes, decision)
    going = tuple(ready)[1:]
    onward, timed = _onward(ready, asked, epoch, at) if own else ({}, False)
    ruling = _Ruling(
        recipient=recipient,
        epoch=epoch.digest,
        decisions=tuple(decisions),
        going=going,
        purposes=purposes,
        delayed=delayed,
        onward=onward,
        changed=any(ready[place].transforms for place in going),
        timed=timed or any(decision.basis.delay_ms for decision in decisions),
    )
    return Permit(view.digest, held, ruling, _MAKER)


class Round:
    """Releases of many records to one node at one instant; records alike in all that decides are decided once.

    It answers what `release` would, for each record by itself.
    """

    def __init__(self, recipient: str, purpose: str | None, epoch: PolicyEpoch, at: int) -> None:
        self._recipient, self._purpose, self._epoch, self._at = recipient, purpose, epoch, at
        self._known: dict[Hashable, Permit | Refusal] = {}

    def release(
        self,
        view: View,
        *,
        grants: Mapping[str, Collection[bytes]] = NO_GRANTS,
        approved: Collection[bytes] = (),
        alike: Hashable = None,
    ) -> tuple[Permit | Refusal, bool]:
        """As `release`; and whether an earlier record of the round decided it.

        `alike` names all records that have this one's kind, project, originator, label, and names and labels of
        portions, in their order; without it, those themselves do.
        """
        alone = bool(grants or approved or view.id in self._epoch.holds)
        if alike is None:
            alike = (view.kind, view.project, view.originator, view.label, tuple([part[1:] for part in view.portions]))
        known = None if alone else self.again(alike, view.id, view.digest, [part[0] for part in view.portions])
        if known is not None:
            return known, True
        result = release(view, self._recipient, self._purpose, self._epoch, self._at, grants=grants, approved=approved)
        timed = result.ruling.timed if isinstance(result, Permit) else result.decision.basis.delay_ms
        if not alone and not timed:
            self._known[alike] = result
        return result, False

    def again(self, alike: Hashable, id_: str, digest: bytes, portions: Sequence[bytes]) -> Permit | Refusal | None:
        """The result for a record without grants or approvals, if one `alike` was decided before it.

        It holds by itself: None where the record is on hold.
        """
        known = self._known.get(alike)
        if known is None or id_ in self._epoch.holds:
            return None
        if isinstance(known, Refusal):
            return replace(known, digest=digest, held=tuple(portions))
        return Permit(digest, tuple(portions), known.ruling, _MAKER)


def _onward(
    ready: Mapping[int, Decision], asked: Sequence[Request], epoch: PolicyEpoch, at: int
) -> tuple[dict[str, tuple[int, ...]], bool]:
    """Per party, what the recipient may pass on: only what would go there from here as well. And whether time decides.

    Only the originator grants; and nothing that would go to that party only transformed in another way, only later,
    or only once a person had approved.
    """

    timed = False

    def goes(place: int, party: str) -> bool:
        nonlocal timed
        given = ready[place]
        if party not in given.onward:
            return False
        for node in (partner.node for partner in epoch.partners if partner.party == party):
            request = msgspec.structs.replace(asked[place], recipient=node, approved=0)
            there = compile_terms(epoch, node, request.purpose, at).decide(request)
            timed = timed or bool(there.basis.delay_ms)
            if there.permits and there.not_before <= at and set(there.transforms) <= set(given.transforms):
                return True
        return False

    onward = {
        party: tuple(place for place in ready if place and goes(place, party))
        for party in ready[0].onward
        if goes(0, party)
    }
    return onward, timed


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
