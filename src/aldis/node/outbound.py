"""What leaves: each record decided for each partner, what is permitted sealed into a bundle, in one transaction.

A partner's stream is filled from the store in order of arrival, with what stands: a version that was superseded or
deleted before it left never leaves. When the policy epoch changes, or a date that it
depends on passes, everything is decided again: what is newly permitted goes, what went before is not repeated.
"""

from __future__ import annotations

import hmac
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from aldis.kernel.bundles import Grant, Item, Stream, given_by, make_item, onward_of, open_envelope, seal
from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.records import DraftPortion, Portion, make_portion, read_header, read_portion
from aldis.kernel.release import Permit, Refusal, Round, Verdict, compile_terms
from aldis.kernel.transforms import Transformed, apply_transforms
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.levels import untold
from aldis.node.partners import Partners
from aldis.node.questions import question
from aldis.node.rulings import Candidate, asked, candidate, outcome
from aldis.node.store import Position, Release, Row, Sealed

__all__ = ["Outbound"]

_SALT = 16
_SCAN = 2000
"""Rows decided in one transaction at most, so that other work on the store never waits long."""
_BUNDLE_BYTES = 16 * 1024 * 1024
_NONE: tuple[bytes, ...] = ()


class _Ready(NamedTuple):
    """A record on its way: the number of its row, the digests of its portions that go, the item, and its transforms."""

    seq: int
    portions: tuple[bytes, ...]
    item: Item
    altered: Sequence[tuple[bytes, bytes, str]]


@dataclass(slots=True)
class _Round:
    """One transaction's worth of deciding for one partner."""

    node: str
    epoch: PolicyEpoch
    policy: bytes
    now: int
    parties: Mapping[str, str]
    releases: Round
    batch: int
    restarted: bool = False
    below: bool = False
    inside: bool = False
    closed: bool = False
    ready: list[_Ready] = field(default_factory=list)
    going: set[int] = field(default_factory=set)
    size: int = 0
    said: set[bytes] = field(default_factory=set)
    deferred: list[tuple[int, int]] = field(default_factory=list)
    waits: frozenset[int] = frozenset()

    @property
    def full(self) -> bool:
        """Whether the bundle holds as much as it may."""
        return self.closed or len(self.ready) >= self.batch or self.size > _BUNDLE_BYTES


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

    def newest(self, node: str, sealed: Sealed) -> bool:
        """Whether none of the records in a sealed bundle was superseded or recalled since."""
        count = sealed.last - sealed.first + 1
        sent = [one.record_seq for one in self._exchange.outbox(node, sealed.first, count)]
        return not self._core.store.records.superseded(sent) and not self._core.store.recalls.withheld(node, sent)

    def permitted(self, node: str, sealed: Sealed) -> bool:
        """Whether all that a sealed bundle holds may still go: decided again, if the rules have changed since."""
        epoch, now = self._epochs.current(), self._core.clock.now()
        manifest = open_envelope(sealed.data or b"")[0]
        terms = compile_terms(epoch, node, None, now)
        if (
            manifest.policy_epoch == self._told_epoch(node, epoch, manifest.epoch, manifest.first).hex()
            and terms.since <= manifest.created
        ):
            return True
        sent = {one.record_seq: set(one.portions) for one in self._exchange.outbox(node, sealed.first, manifest.count)}
        grants = self._core.store.grants.of(sent)
        approvals = self._core.store.referrals.approvals(node, sent)
        decide = self._round(node, epoch, b"")
        for held in self._core.store.records.rows(list(sent)):
            grant = grants.get(held.seq)
            row, portions, _ = self._proven(held, grant, decide)
            result = self._result(row, portions, decide, grant, approvals.get(row.seq, _NONE))
            if not isinstance(result, Permit) or not sent[row.seq] <= set(result.portions) - result.transforms.keys():
                return False
        return True

    def lets(self, node: str, record_seq: int, portion: bytes) -> bool:
        """Whether a portion (its digest) of a row may go to a partner as it is, decided now."""
        store = self._core.store
        if store.records.superseded([record_seq]) or store.recalls.withheld(node, [record_seq]):
            return False
        decide = self._round(node, self._epochs.current(), b"")
        grant = store.grants.of([record_seq]).get(record_seq)
        approved = store.referrals.approvals(node, [record_seq]).get(record_seq, _NONE)
        for held in store.records.rows([record_seq]):
            row, portions, _ = self._proven(held, grant, decide)
            result = self._result(row, portions, decide, grant, approved)
            return isinstance(result, Permit) and portion in set(result.portions) - result.transforms.keys()
        return False

    def decided(self, node: str, held: Sequence[Row]) -> Mapping[int, Permit | Refusal | None]:
        """What is decided now of rows for a partner, by number; None for what leaves no more, as once superseded.

        As `fill` decides, but nothing is told, asked or sent.
        """
        store, seqs = self._core.store, [row.seq for row in held]
        gone = store.records.superseded(seqs) | store.recalls.withheld(node, seqs)
        grants = store.grants.of([row.seq for row in held if row.source])
        approvals = store.referrals.approvals(node, seqs)
        decide, found = self._round(node, self._epochs.current(), b""), dict[int, Permit | Refusal | None]()
        for one in held:
            row, portions, _ = self._proven(one, grants.get(one.seq), decide)
            approved = approvals.get(one.seq, _NONE)
            stays = one.seq in gone or (decide.below and bool(untold(store, row, node)))
            result = None if stays else self._result(row, portions, decide, grants.get(one.seq), approved)
            found[one.seq] = result
        return found

    def _step(self, node: str, stream: Stream) -> tuple[Sealed | None, bool]:
        store, epoch, now = self._core.store, self._epochs.current(), self._core.clock.now()
        policy = self._epochs.keep(epoch)
        terms = compile_terms(epoch, node, None, now)
        stands = sha256(policy + str(terms.since).encode())
        position = self._exchange.position(node)
        start = position.record_seq if position.policy == stands else 0
        decide = self._round(node, epoch, policy)
        decide.restarted = stream.epoch > 1
        self._vouch(decide)
        due = store.records.rows(self._exchange.due(node, now, self._core.config.batch))
        taken = self._decide(due, decide)
        self._exchange.settle(node, [row.seq for row in due[:taken]])
        reached, more = start, True
        while more and not decide.full and reached - start < _SCAN:
            rows = store.records.outgoing(node, reached, self._core.config.batch)
            taken = self._decide(rows, decide)
            more = len(rows) == self._core.config.batch or taken < len(rows)
            reached = rows[taken - 1].seq if more and taken else reached if more else store.records.last()
        self._exchange.defer(node, decide.deferred)
        if position != Position(reached, stands):
            self._exchange.set_position(node, Position(reached, stands))
        ready = decide.ready
        if not ready:
            return None, not more
        told = self._told_epoch(node, epoch, stream.epoch, stream.first)
        data, digest = seal(
            [one.item for one in ready], stream, policy_epoch=told, created=now, signer=self._core.signer
        )
        self._exchange.enqueue(node, [Release(one.seq, one.portions) for one in ready])
        for one in ready:
            if one.altered:
                self._core.store.releases.alter(node, one.seq, one.altered)
        last = stream.first + len(ready) - 1
        sealed = Sealed(str(stream.epoch), stream.first, last, digest, stream.previous, data)
        self._exchange.add_sealed(node, sealed)
        self._audit.write(
            "release", digest.hex(), verdict="sealed", reasons=[node, f"{stream.first}-{last}"], epoch=policy
        )
        return sealed, False

    def _told_epoch(self, node: str, epoch: PolicyEpoch, stream: int, first: int) -> bytes:
        """The policy epoch as a manifest names it: to a node below, so that no two places tell of a change."""
        if not epoch.partner(node).below:
            return epoch.digest
        place = f"{node} {stream} {first} ".encode()
        return hmac.digest(self._core.secret, b"aldis/policy-epoch/1\x00" + place + epoch.digest, "sha256")

    def _round(self, node: str, epoch: PolicyEpoch, policy: bytes) -> _Round:
        now = self._core.clock.now()
        batch, recipient = self._core.config.batch, epoch.partner(node)
        made = _Round(node, epoch, policy, now, self._partners.originators(node), Round(node, None, epoch, now), batch)
        made.below, made.inside = recipient.below, recipient.party == epoch.party
        return made

    def _decide(self, rows: Sequence[Row], decide: _Round) -> int:
        """Decide rows until the bundle is full; how many were."""
        seqs = [row.seq for row in rows]
        superseded = self._core.store.records.superseded(seqs) | self._core.store.recalls.withheld(decide.node, seqs)
        gone = self._exchange.released(decide.node, seqs)
        grants = self._core.store.grants.of([row.seq for row in rows if row.source])
        approvals = self._core.store.referrals.approvals(decide.node, seqs)
        decide.waits = self._core.store.referrals.open_among(decide.node, seqs)
        for place, row in enumerate(rows):
            if decide.full:
                return place
            seq = row.seq
            if seq in superseded or seq in decide.going or decide.node in (row.originator, row.source):
                continue
            if not row.portions and not self._concerns(row, decide):
                continue
            one = self._decide_row(row, decide, grants.get(seq), approvals.get(seq, _NONE), gone.get(seq))
            if one is not None:
                decide.ready.append(one)
                decide.going.add(seq)
                decide.size += len(row.header) + sum(map(len, row.portions))
        return len(rows)

    def _decide_row(
        self, held: Row, decide: _Round, grant: Grant | None, approved: Collection[bytes], gone: frozenset[bytes] | None
    ) -> _Ready | None:
        row, portions, passed = self._proven(held, grant, decide)
        result = self._result(row, portions, decide, grant, approved)
        if not decide.below:  # there, nothing is asked for but by `Desk.offer`
            self._wait(row, result, decide)
        if isinstance(result, Refusal) or (gone is not None and gone.issuperset(result.portions)):
            return None
        if decide.below and untold(self._core.store, row, decide.node):
            return None
        substitutes = self._substitutes(portions, result, decide.node) if result.transforms else None
        if substitutes is not None and len(substitutes) != len(result.transforms):
            return None
        item = make_item(
            row.header,
            portions,
            result,
            recipient=decide.node,
            policy_epoch=decide.policy,
            substitutes=substitutes,
            grant=grant,
            passed=passed,
        )
        changed = [(digest, made.digest, words) for digest, (made, words) in (substitutes or {}).items()]
        return _Ready(row.seq, result.portions, item, changed)

    def _proven(self, row: Row, grant: Grant | None, decide: _Round) -> tuple[Row, list[Portion], dict[bytes, str]]:
        """A row as it is decided, its portions, and the words for those among them that stand in for others.

        Within this party, those are all that the originator's grant proves, substitutes too.
        """
        portions = [read_portion(data) for data in row.portions]
        if grant is None or not decide.inside:
            return row, portions, {}
        given = given_by(grant, decide.epoch.party, self._insiders(decide))
        parts = [*portions, *(read_portion(data) for data, _ in row.substitutes)]
        said = [*("" for _ in portions), *(words for _, words in row.substitutes)]
        profiles = (*row.portion_profiles, *row.substitute_profiles)
        kept = [place for place, part in enumerate(parts) if given.get(part.digest) == said[place]]
        cut = msgspec.structs.replace(
            row,
            portions=[parts[place].data for place in kept],
            portion_profiles=array("I", [profiles[place] for place in kept]),
            substitutes=[],
            substitute_profiles=array("I"),
        )
        passed = {parts[place].digest: said[place] for place in kept if place >= len(portions)}
        return cut, [parts[place] for place in kept], passed

    def _vouch(self, decide: _Round) -> None:
        """Let sheets go to a node above before all that is judged by the keys in them, in a bundle of their own."""
        if not decide.inside or decide.below:
            return
        rows = {row.seq: row for row in self._partners.sheets() if not row.source}
        gone = self._exchange.released(decide.node, list(rows))
        self._decide([row for seq, row in rows.items() if seq not in gone], decide)
        decide.closed = bool(decide.ready)

    def _insiders(self, decide: _Round) -> frozenset[str]:
        return frozenset(node for node, party in decide.parties.items() if party == decide.epoch.party)

    def _concerns(self, row: Row, decide: _Round) -> bool:
        """Whether a partner must hear of this version: of a deletion, only if it ever got what was deleted."""
        if not read_header(row.header).deleted or decide.restarted:
            return True
        versions = self._core.store.records.versions(row.id, row.originator)
        return bool(self._exchange.released(decide.node, [one.seq for one in versions]))

    def _result(
        self,
        row: Row,
        portions: Sequence[Portion],
        decide: _Round,
        grant: Grant | None,
        approved: Collection[bytes],
    ) -> Permit | Refusal:
        """The decision, with a ledger leaf where the round has not told of one just like it."""
        alike = (row.profile, row.portion_profiles.tobytes(), *[portion.name for portion in portions])
        grants = onward_of(grant, self._core.node)
        if not grants and not approved:
            known = decide.releases.again(alike, row.id, row.digest, [portion.digest for portion in portions])
            if known is not None:
                return known
        view = candidate(self._core.store.profiles, row, portions, decide.parties.get(row.originator, ""))
        result, told = decide.releases.release(view, grants=grants, approved=approved, alike=alike)
        if decide.policy and not told:
            self._tell(view, result, decide, grants, approved)
        return result

    def _substitutes(self, portions: Sequence[Portion], permit: Permit, node: str) -> dict[bytes, tuple[Portion, str]]:
        """The transformed portions, by the digest of the one each stands in for."""
        made = {}
        for portion in portions:
            transforms = permit.transforms.get(portion.digest)
            if transforms:
                changed = apply_transforms(transforms, portion.value, secret=self._core.secret, partner=node)
                if isinstance(changed, Transformed):
                    draft = DraftPortion(portion.name, portion.label, changed.value)
                    made[portion.digest] = (make_portion(draft, self._core.random(_SALT)), changed.words)
        return made

    def _wait(self, row: Row, result: Permit | Refusal, decide: _Round) -> None:
        """Remember what goes later, and what a person must decide."""
        waits = row.seq in decide.waits
        if isinstance(result, Permit):
            if not result.in_part and not waits:
                return
            if result.delayed:
                decide.deferred.append((row.seq, min(result.delayed.values())))
        referred = result.referred
        if not referred and not waits:
            return
        decisions = result.decisions if isinstance(result, Permit) else {row.digest: result.decision}
        asks = [one for one in decisions.values() if one.verdict is Verdict.REFER]
        asked = question(asks, decide.epoch, decide.now, self._core.config.desk_days)
        self._core.store.referrals.refer(
            decide.node,
            row,
            referred,
            goes=[digest for digest, one in decisions.items() if one.permits],
            reasons=asked.reasons,
            grounds=asked.grounds,
            at=decide.now,
            due=asked.due,
        )

    def _tell(
        self,
        view: Candidate,
        result: Permit | Refusal,
        decide: _Round,
        grants: Mapping[str, Collection[bytes]],
        approved: Collection[bytes],
    ) -> None:
        """One ledger leaf for each distinct decision of the round."""
        data = asked(view, decide.node, None, decide.epoch, result, grants=grants, approved=approved)
        if data in decide.said:
            return
        decide.said.add(data)
        verdict, reasons = outcome(view, result)
        self._audit.write("decision", decide.node, verdict=verdict, reasons=reasons, decided=data, epoch=decide.policy)
