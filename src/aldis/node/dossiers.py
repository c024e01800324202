"""Dossiers: everything about one case that its viewer may see, so that an officer can rule on it from one page."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from aldis.kernel.bundles import onward_of
from aldis.kernel.explain import RecordExplanation, explain_record
from aldis.kernel.instruments import MOST_APPROVALS
from aldis.kernel.release import Permit, Refusal, release
from aldis.kernel.transforms import Transformed, Withheld, apply_transforms, describe
from aldis.node.cases import Case, Cases, Look
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.partners import Known, Partners
from aldis.node.precedents import Precedents, find_precedents
from aldis.node.store import Referral, Row, Ruling

__all__ = ["Dossier", "Dossiers", "Holding"]


class Holding(msgspec.Struct, frozen=True):
    """What a partner was sent of a version: the portions that the viewer may see, and whether it said it has them."""

    version: int
    portions: tuple[str, ...]
    acknowledged: bool


class Dossier(msgspec.Struct, frozen=True):
    """Everything about a case that its viewer may see.

    `goes` are the portions that would go if it were approved, with the words of what is done to each on its way;
    `becomes` is what is made of the value of each that is changed, or why it could not go after all.
    `explanation` has the reasons of every check for the record's existence and each portion that the viewer may see.
    """

    case: Case
    explanation: RecordExplanation | None
    purposes: tuple[str, ...]
    goes: Mapping[str, str]
    becomes: Mapping[str, Transformed | Withheld]
    holdings: tuple[Holding, ...]
    rulings: tuple[Ruling, ...]
    precedents: Precedents


class Dossiers:
    """Gathers dossiers."""

    def __init__(self, core: Core, partners: Partners, epochs: Epochs, cases: Cases) -> None:
        self._core = core
        self._partners = partners
        self._epochs = epochs
        self._cases = cases
        self._store = core.store

    def of(self, number: int, look: Look) -> Dossier:
        """Everything about a case; raises as `Cases.open`."""
        one, case = self._cases.open(number, look)
        versions = self._store.records.versions(case.row.id, case.row.originator)
        result = self._if_approved(one)
        held = case.row.record().portions
        shown = {part.digest: part.name for part in held}
        goes, purposes, becomes = dict[str, str](), tuple[str, ...](), dict[str, Transformed | Withheld]()
        if isinstance(result, Permit):
            purposes = result.purposes
            words = {digest: ", ".join(map(describe, changes)) for digest, changes in result.transforms.items()}
            goes = {shown[digest]: words.get(digest, "") for digest in result.portions if digest in shown}
            secret, partner = self._core.secret, one.partner
            becomes = {
                part.name: apply_transforms(result.transforms[part.digest], part.value, secret=secret, partner=partner)
                for part in held
                if result.transforms.get(part.digest)
            }
        return Dossier(
            case=case, explanation=self._explained(one, case), purposes=purposes, goes=goes, becomes=becomes,
            holdings=tuple(self._holdings(one.partner, versions, look)),
            rulings=tuple(self._store.referrals.rulings(one.id)),
            precedents=find_precedents(self._core, self._cases, one, look),
        )  # fmt: skip

    def explain(self, row: Row, known: Known, purpose: str | None) -> RecordExplanation:
        """Why a version may or may not go to a partner; for this node's own people."""
        grant = self._store.grants.of([row.seq]).get(row.seq)
        approved = self._store.referrals.approvals(known.node, [row.seq]).get(row.seq, ())
        return explain_record(
            self._cases.view(row, known.node),
            known.node,
            purpose,
            self._epochs.current(),
            self._core.clock.now(),
            grants=onward_of(grant, self._core.node),
            approved=approved,
        )

    def _if_approved(self, one: Referral) -> Permit | Refusal | None:
        """What would be decided once enough officers had approved; None where the content was erased."""
        [row] = self._store.records.rows([one.record_seq])
        if self._store.erasure.of(row.digest) is not None:
            return None
        grant = self._store.grants.of([row.seq]).get(row.seq)
        approved = self._store.referrals.approvals(one.partner, [row.seq]).get(row.seq, ())
        return release(
            self._cases.view(row, one.partner),
            one.partner,
            None,
            self._epochs.current(),
            self._core.clock.now(),
            grants=onward_of(grant, self._core.node),
            approved=[*approved, *(digest for digest in one.portions for _ in range(MOST_APPROVALS))],
        )

    def _explained(self, one: Referral, case: Case) -> RecordExplanation | None:
        """The reasons for all that the viewer may see of the record; None where its content was erased."""
        [row] = self._store.records.rows([one.record_seq])
        if self._store.erasure.of(row.digest) is not None:
            return None
        whole, shown = self.explain(row, self._partners.get(one.partner), None), case.row.record().portions
        return RecordExplanation(whole.header, {part.name: whole.portions[part.name] for part in shown})

    def _holdings(self, partner: str, versions: list[Row], look: Look) -> list[Holding]:
        """What a partner was sent of a record's versions, as far as the viewer may see."""
        names = {row.seq: (row.version, self._cases.names(row, look)) for row in versions}
        found = []
        for one in self._store.releases.of([*names]):
            version, seen = names[one.record_seq]
            if one.partner == partner and seen is not None:
                portions = sorted(seen[digest] for digest in one.portions if digest in seen)
                found.append(Holding(version, tuple(portions), one.acknowledged))
        return found
