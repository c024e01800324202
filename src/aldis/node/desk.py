"""The release desk: why a record may or may not go, asking for it to go now, and a release officer's rulings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

from aldis.kernel.authority import Act
from aldis.kernel.bundles import onward_of
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.explain import RecordExplanation, Redacted, explain_record, redact
from aldis.kernel.records import read_portion
from aldis.kernel.release import Verdict
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.levels import untold
from aldis.node.partners import Known, Partners
from aldis.node.people import Person, Sights
from aldis.node.rulings import candidate
from aldis.node.store import Referral, Row
from aldis.node.store.referrals import State

__all__ = ["Desk"]


class Desk:
    """Explains decisions and takes rulings."""

    def __init__(self, core: Core, audit: Audit, partners: Partners, epochs: Epochs, sights: Sights) -> None:
        self._core = core
        self._audit = audit
        self._partners = partners
        self._epochs = epochs
        self._sights = sights
        self._store = core.store

    def why(
        self,
        record_id: str,
        node: str,
        purpose: str | None = None,
        version: int | None = None,
        originator: str | None = None,
    ) -> RecordExplanation:
        """Why a record's header and each portion may or may not go to a partner, and what would change that.

        `originator` says whose record, where several nodes use the id; else this node's own is meant.

        Raises:
            UnknownTerm: no such record or partner.
        """
        row, known = self._row(record_id, version, originator), self._partners.get(node)
        return self._explain(row, known, purpose)

    def told(self, record_id: str, node: str, originator: str | None = None) -> Redacted:
        """What the partner itself may be told about not getting the record."""
        known = self._partners.get(node)
        explanation = self._explain(self._row(record_id, None, originator), known, None)
        return redact(explanation, known.party, self._epochs.current(), self._core.clock.now())

    def offer(
        self, record_id: str, node: str, purpose: str | None = None, originator: str | None = None
    ) -> RecordExplanation:
        """Decide a record for a partner now, ahead of its turn; what needs a person is referred.

        What is permitted leaves with the next bundle. To a node below, each version is asked for here, or stays.

        Raises:
            UnknownTerm: no such record or partner.
            RefusedByPolicy: the header would tell a node below of records that it does not hold.
        """
        row, known = self._row(record_id, None, originator), self._partners.get(node)
        if self._partners.below(known.node) and (named := untold(self._store, row, known.node)):
            raise RefusedByPolicy(
                f"the header of {record_id!r} names {len(named)} versions or sources that {known.node} does not hold",
                fix="Put what may come down as a record of its own, with another id and without --source",
            )
        explanation, now = self._explain(row, known, purpose), self._core.clock.now()
        record = row.record()
        parts = [(record.digest, explanation.header)]
        if explanation.header.decision.verdict is not Verdict.REFUSE:
            parts += [(portion.digest, explanation.portions[portion.name]) for portion in record.portions]
        waiting = [(digest, part.decision) for digest, part in parts if part.decision.verdict is Verdict.REFER]
        with self._store.transaction():
            self._store.exchange.defer(known.node, [(row.seq, now)])
            if waiting:
                reasons = [reason for _, decision in waiting for reason in decision.reasons]
                digests = [digest for digest, _ in waiting]
                self._store.referrals.refer(known.node, row.seq, digests, msgspec.json.encode(reasons), now)
        return explanation

    def rule(
        self,
        number: int,
        state: Literal["approved", "denied"],
        because: str,
        officer: str | Person,
        *,
        keep: Collection[str] = (),
    ) -> Referral:
        """A release officer's ruling on all that a referral asks for; what is approved leaves with the next bundle.

        The portions named in `keep` are denied by themselves. Where the clause asks for several officers, it stays open
        until as many different persons have approved, none of whom wrote the record; an officer who is not signed in
        (their name) rules on what one alone may.

        Raises:
            InvalidInput: no such referral, no reason given, or a portion to keep that does not wait.
            RefusedByPolicy: the officer may not rule on it.
        """
        if not because.strip():
            raise InvalidInput("a ruling needs a reason", fix="Say why with --because")
        now, name = self._core.clock.now(), officer.id if isinstance(officer, Person) else officer
        with self._store.transaction():
            asked = self._store.referrals.get(number)
            needed = 0 if asked is None else self._needed(asked, officer, state)
            kept = self._waiting(number, keep) if keep else []
            verdict: State = state
            if asked is not None and state == "approved":
                person = isinstance(officer, Person)
                count = self._store.referrals.approve(number, name, because, now, signed_in=person)
                verdict = state if count >= needed else "open"
            ruled = self._store.referrals.rule(number, verdict, because, now, kept)
            self._store.exchange.defer(ruled.partner, [(ruled.record_seq, now)])
            reasons = [because[:500], *(f"{portion}:denied" for portion in sorted(keep))]
            if verdict == "open":
                reasons.append(f"{count} of {needed} officers")
            self._audit.write("decision", ruled.partner, verdict=state, reasons=reasons, actor=name)
        return ruled

    def _needed(self, asked: Referral, officer: str | Person, state: State) -> int:
        """How many officers must approve a referral, once this one may rule on it."""
        row = self._store.records.rows([asked.record_seq])[0]
        if isinstance(officer, Person):
            if not officer.may(Act.RULE):
                raise RefusedByPolicy(f"{officer.id} is no release officer", fix="Ask one to rule on it")
            cut = self._sights.cut(row, self._sights.of(officer))
            seen = {row.digest, *(read_portion(data).digest for data in cut.portions)} if cut else set()
            if not seen.issuperset(asked.portions):
                raise RefusedByPolicy(
                    f"{officer.id} may not see all that number {asked.id} asks for",
                    fix="Work at a higher level, or ask an officer who may see it",
                )
        told = self._explain(row, self._partners.get(asked.partner), None)
        digests = {row.digest: told.header, **{p.digest: told.portions[p.name] for p in row.record().portions}}
        needed = max((digests[one].decision.basis.approvals for one in asked.portions if one in digests), default=0)
        if state == "denied" or needed < 2:
            return needed
        if not isinstance(officer, Person):
            raise RefusedByPolicy(
                f"the clause asks for {needed} release officers who are signed in",
                fix="`aldis sign-in PERSON`, then --as",
            )
        versions = self._store.records.versions(row.id, row.originator)
        if any(one.record().header.author == officer.id for one in versions):
            raise RefusedByPolicy(f"{officer.id} wrote the record", fix=f"{needed} others must approve it")
        return needed

    def _waiting(self, number: int, names: Collection[str]) -> list[bytes]:
        """The digests of these portions, which a referral asks for."""
        asked, found = self._store.referrals.get(number), dict[str, bytes]()
        if asked is not None:
            portions = self._store.records.rows([asked.record_seq])[0].record().portions
            found = {one.name: one.digest for one in portions if one.digest in asked.portions}
        for name in names:
            if name not in found:
                raise InvalidInput(f"portion {name!r} does not wait under number {number}",
                                   fix="`aldis offer --waiting` lists what does")  # fmt: skip
        return [found[name] for name in names]

    def referrals(self, *, waiting: bool = True) -> list[tuple[Referral, Row]]:
        """What waits for a release officer, oldest first, each with its record; or all that ever did."""
        found = self._store.referrals.all("open" if waiting else None)
        rows = {row.seq: row for row in self._store.records.rows([one.record_seq for one in found])}
        return [(one, rows[one.record_seq]) for one in found]

    def hold(self, record_id: str, because: str) -> None:
        """Let nothing of a record leave, whatever the rules say, until `release`d."""
        self._row(record_id, None)
        with self._store.transaction():
            self._store.referrals.hold(record_id, because, self._core.clock.now())
            self._core.policy_changed()
            self._audit.write("hold", record_id, verdict="held", reasons=[because[:500]])

    def lift(self, record_id: str, because: str) -> None:
        """Lift a hold.

        Raises:
            InvalidInput: there is none.
        """
        with self._store.transaction():
            if not self._store.referrals.unhold(record_id):
                raise InvalidInput(f"record {record_id!r} is not on hold")
            self._core.policy_changed()
            self._audit.write("hold", record_id, verdict="lifted", reasons=[because[:500]])

    def _explain(self, row: Row, known: Known, purpose: str | None) -> RecordExplanation:
        parties = self._partners.originators(known.node)
        grant = self._store.grants.of([row.seq]).get(row.seq)
        approved = self._store.referrals.approvals(known.node, [row.seq]).get(row.seq, ())
        return explain_record(
            candidate(self._store.profiles, row, row.record().portions, parties.get(row.originator, "")),
            known.node,
            purpose,
            self._epochs.current(),
            self._core.clock.now(),
            grants=onward_of(grant, self._core.node),
            approved=approved,
        )

    def _row(self, record_id: str, version: int | None, originator: str | None = None) -> Row:
        named = originator and self._store.records.get(record_id, version, originator=originator)
        own = named or self._store.records.get(record_id, version, originator=self._core.node)
        row = own or self._store.records.get(record_id, version)
        if row is None:
            raise UnknownTerm(f"no record {record_id!r} here", fix="`aldis list` and `aldis search` find what is")
        return row
