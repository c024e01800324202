"""What leaves: each record decided for each partner, what is permitted sealed into a bundle, in one transaction.

A partner's stream is filled from the store in order of arrival. When the policy epoch changes, or a date that it
depends on passes, everything is decided again: what is newly permitted goes, what went before is not repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from aldis.kernel.bundles import Grant, Item, Stream, make_item, open_envelope, read_commitment, seal
from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.records import DraftPortion, Portion, Record, make_portion
from aldis.kernel.release import Permit, Refusal, Verdict, compile_terms, release
from aldis.kernel.transforms import Transformed, apply_transforms
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.partners import Partners
from aldis.node.rulings import Candidate, asked, outcome
from aldis.node.store import Position, Release, Row, Sealed

__all__ = ["Outbound"]

_SALT = 16
_SCAN = 2000
"""Rows decided in one transaction at most, so that other work on the store never waits long."""
_BUNDLE_BYTES = 16 * 1024 * 1024
_MAX_APPROVALS = 100_000


@dataclass(frozen=True, slots=True)
class _Ready:
    """A record on its way: its row, the digests of its portions that go, and the item."""

    row: Row
    portions: tuple[bytes, ...]
    item: Item


@dataclass(slots=True)
class _Round:
    """One transaction's worth of deciding for one partner."""

    node: str
    epoch: PolicyEpoch
    policy: bytes
    now: int
    parties: Mapping[str, str]
    gone: Mapping[int, frozenset[bytes]]
    approvals: Mapping[int, frozenset[bytes]]
    grants: Mapping[int, Grant]
    said: set[bytes] = field(default_factory=set)
    deferred: list[tuple[int, int]] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)


class Outbound:
    """Fills the streams to partners."""

    def __init__(self, core: Core, audit: Audit, partners: Partners, epochs: Epochs) -> None:
        self._core = core
        self._audit = audit
        self._partners = partners
        self._epochs = epochs
        self._exchange = core.store.exchange

    def fill(self, node: str, stream: Stream) -> Sealed | None:
        """Decide the next records for a partner and seal what may go; None where nothing more may go now.

        `stream` says what the next bundle follows. Decisions, bundle, position and ledger leaves are one transaction.
        """
        while True:
            with self._core.store.transaction():
                sealed, done = self._step(node, stream)
            if sealed is not None or done:
                return sealed

    def stands(self, node: str, sealed: Sealed) -> bool:
        """Whether all that a sealed bundle holds may still go: decided again, if the rules have changed since."""
        epoch, now = self._epochs.current(), self._core.clock.now()
        manifest = open_envelope(sealed.data or b"")[0]
        terms = compile_terms(epoch, node, None, now)
        if manifest.policy_epoch == epoch.digest.hex() and terms.since <= manifest.created:
            return True
        sent = self._exchange.outbox(node, sealed.first, manifest.count)
        rows = self._core.store.records.rows([one.record_seq for one in sent])
        one_round = self._round(node, epoch, b"", rows)
        for row, one in zip(rows, sent, strict=True):
            result = self._result(row.record(), row, one_round)
            if not isinstance(result, Permit) or not set(one.portions) <= set(result.portions):
                return False
            if {digest for digest in one.portions if digest in result.transforms}:
                return False
        return True

    def _step(self, node: str, stream: Stream) -> tuple[Sealed | None, bool]:
        store, epoch, now = self._core.store, self._epochs.current(), self._core.clock.now()
        policy = self._epochs.keep(epoch)
        terms = compile_terms(epoch, node, None, now)
        stands = sha256(policy + str(terms.since).encode())
        position = self._exchange.position(node)
        start = position.record_seq if position.policy == stands else 0
        due = store.records.rows(self._exchange.due(node, now))
        rows = store.records.since(start, _SCAN)
        at_hand = [*due, *rows]
        one_round = self._round(node, epoch, policy, at_hand)
        ready, decided = self._decide(at_hand, one_round)
        reached = max((row.seq for row in at_hand[:decided][len(due) :]), default=start)
        self._exchange.settle(node, [row.seq for row in due[:decided]])
        self._exchange.defer(node, one_round.deferred)
        self._exchange.set_position(node, Position(reached, stands))
        if not ready:
            return None, len(rows) < _SCAN
        data, digest = seal(
            [one.item for one in ready], stream, policy_epoch=policy, created=now, signer=self._core.signer
        )
        self._exchange.enqueue(node, [Release(one.row.seq, one.portions) for one in ready])
        last = stream.first + len(ready) - 1
        sealed = Sealed(str(stream.epoch), stream.first, last, digest, stream.previous, data)
        self._exchange.add_sealed(node, sealed)
        self._audit.write(
            "release", digest.hex(), verdict="sealed", reasons=[node, f"{stream.first}-{last}"], epoch=policy
        )
        return sealed, False

    def _round(self, node: str, epoch: PolicyEpoch, policy: bytes, rows: Sequence[Row]) -> _Round:
        seqs = [row.seq for row in rows]
        return _Round(
            node=node,
            epoch=epoch,
            policy=policy,
            now=self._core.clock.now(),
            parties={name: party for name, (party, _) in self._partners.keys().items()},
            gone=self._exchange.released(node, seqs),
            approvals=self._approvals(node),
            grants=self._core.store.grants.of(seqs),
        )

    def _approvals(self, node: str) -> dict[int, frozenset[bytes]]:
        """By row, what a release officer said yes to."""
        found: dict[int, frozenset[bytes]] = {}
        for referral in self._core.store.referrals.all("approved", node, _MAX_APPROVALS):
            found[referral.record_seq] = found.get(referral.record_seq, frozenset()) | set(referral.portions)
        return found

    def _decide(self, rows: Sequence[Row], one_round: _Round) -> tuple[list[_Ready], int]:
        """What may go of these rows, until a bundle is full; and how many of the rows were decided."""
        ready: list[_Ready] = []
        size = 0
        for place, row in enumerate(rows):
            if len(ready) >= self._core.config.batch or size > _BUNDLE_BYTES:
                return ready, place
            one = self._decide_row(row, one_round)
            if one is not None:
                ready.append(one)
                size += len(one.item.record) + sum(map(len, one.item.portions))
        return ready, len(rows)

    def _decide_row(self, row: Row, one_round: _Round) -> _Ready | None:
        node = one_round.node
        grant = one_round.grants.get(row.seq)
        if node in (row.originator, row.source) or (grant is None and row.originator != self._core.node):
            return None
        record = row.record()
        result = self._result(record, row, one_round)
        self._wait(row, result, one_round)
        if isinstance(result, Refusal):
            return None
        gone = one_round.gone.get(row.seq)
        if gone is not None and gone >= set(result.portions):
            return None
        substitutes = self._substitutes(record, result, node)
        if substitutes.keys() != result.transforms.keys():
            return None
        item = make_item(
            record, result, recipient=node, policy_epoch=one_round.policy, substitutes=substitutes, grant=grant
        )
        return _Ready(row, result.portions, item)

    def _result(self, record: Record, row: Row, one_round: _Round) -> Permit | Refusal:
        """The decision, with a ledger leaf where the round has not told of one just like it."""
        grant = one_round.grants.get(row.seq)
        grants = read_commitment(grant.commitment).onward if grant else {}
        approved = one_round.approvals.get(row.seq, frozenset())
        view = candidate(record, row, one_round.parties.get(row.originator, ""))
        epoch, now = one_round.epoch, one_round.now
        result = release(view, one_round.node, None, epoch, now, grants=grants, approved=approved)
        if one_round.policy:
            self._tell(view, result, one_round, grants, approved)
        return result

    def _substitutes(self, record: Record, permit: Permit, node: str) -> dict[bytes, tuple[Portion, str]]:
        """The transformed portions, by the digest of the one each stands in for."""
        made = {}
        for portion in record.portions:
            transforms = permit.transforms.get(portion.digest)
            if transforms:
                changed = apply_transforms(transforms, portion.value, secret=self._core.secret, partner=node)
                if isinstance(changed, Transformed):
                    draft = DraftPortion(portion.name, portion.label, changed.value)
                    made[portion.digest] = (make_portion(draft, self._core.random(_SALT)), changed.words)
        return made

    def _wait(self, row: Row, result: Permit | Refusal, one_round: _Round) -> None:
        """Remember what goes later, and what a person must decide."""
        if isinstance(result, Permit):
            if result.delayed:
                one_round.deferred.append((row.seq, min(result.delayed.values())))
            referred: Sequence[bytes] = result.referred
        else:
            referred = [result.digest] if result.verdict is Verdict.REFER else []
        if referred:
            reasons = [
                reason
                for digest in referred
                for reason in (result.decisions[digest] if isinstance(result, Permit) else result.decision).reasons
            ]
            self._core.store.referrals.refer(
                one_round.node, row.seq, referred, msgspec.json.encode(reasons), one_round.now
            )

    def _tell(
        self,
        view: Candidate,
        result: Permit | Refusal,
        one_round: _Round,
        grants: Mapping[str, Collection[bytes]],
        approved: Collection[bytes],
    ) -> None:
        """One ledger leaf for each distinct decision of the round."""
        data = asked(view, one_round.node, None, one_round.epoch, result, grants=grants, approved=approved)
        if data in one_round.said:
            return
        one_round.said.add(data)
        verdict, reasons = outcome(view, result)
        self._audit.write(
            "decision", one_round.node, verdict=verdict, reasons=reasons, decided=data, epoch=one_round.policy
        )


def candidate(record: Record, row: Row, party: str) -> Candidate:
    """A stored record as a release decision sees it."""
    return Candidate(
        digest=record.digest,
        kind=row.kind,
        id=row.id,
        project=row.project,
        originator=party,
        node=row.originator,
        created=row.created,
        label=record.label,
        portions=[(portion.digest, portion.name, portion.label) for portion in record.portions],
    )
