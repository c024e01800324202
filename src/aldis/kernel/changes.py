"""Changes that could turn a refusal into a permit, and what a request and an epoch are once each is made.

A change applied here is pretended: every party to an instrument that it touches has signed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import Partner, PartnerStatus, PolicyEpoch
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.instruments import MOST_APPROVALS, Clause, Entry, Instrument, write_instrument
from aldis.kernel.labels import Access, Label, Releasability
from aldis.kernel.release import Request

__all__ = [
    "AccreditCategory",
    "AddLicence",
    "AddReleasability",
    "AdmitToProject",
    "AmendClause",
    "Approve",
    "Change",
    "DraftInstrument",
    "GrantOnward",
    "LiftHold",
    "PermitCategory",
    "ProvideEvidence",
    "RaiseAccreditation",
    "RaiseCeiling",
    "Reinstate",
    "Relabel",
    "RenewInstrument",
    "SignInstrument",
    "adopt",
    "apply",
]

_World = tuple[Request, PolicyEpoch]


@dataclass(frozen=True, slots=True)
class Change(ABC):
    """One change: `who` can make it, and `text` says it in words."""

    who: str
    text: str

    @abstractmethod
    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The request and the epoch once it is made."""


def apply(change: Change, request: Request, epoch: PolicyEpoch) -> _World:
    """The request and the epoch once `change` is made."""
    return change.apply(request, epoch)


# a release officer's


@dataclass(frozen=True, slots=True)
class Approve(Change):
    """Say yes to what was referred, by as many as were asked for."""

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The request, approved."""
        return msgspec.structs.replace(request, approved=MOST_APPROVALS), epoch


@dataclass(frozen=True, slots=True)
class LiftHold(Change):
    """Take a record off hold."""

    record: str

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch without the hold."""
        return request, replace(epoch, holds=epoch.holds - {self.record})


# the originator's


@dataclass(frozen=True, slots=True)
class AddReleasability(Change):
    """List a party among those to whom the label lets it go."""

    party: str

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The request with the party listed."""
        said = request.label.releasable
        listed = said if said.access is Access.LISTED else Releasability.to()
        releasable = Releasability.to(*listed.parties, self.party, display=listed.display)
        return msgspec.structs.replace(request, label=replace(request.label, releasable=releasable)), epoch


@dataclass(frozen=True, slots=True)
class GrantOnward(Change):
    """Let holders pass a record on to a party."""

    party: str

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The request with the grant."""
        return msgspec.structs.replace(request, origin_grants=request.origin_grants | {self.party}), epoch


@dataclass(frozen=True, slots=True)
class Relabel(Change):
    """Write a new version of the record, its classification or a category changed (None: left out)."""

    classification: str = ""
    categories: tuple[tuple[str, frozenset[str] | None], ...] = ()

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The request under the new label."""
        rows = {**dict(request.label.categories), **dict(self.categories)}
        label: Label = replace(
            request.label,
            classification=self.classification or request.label.classification,
            categories=tuple((tag, values) for tag, values in rows.items() if values is not None),
        )
        return msgspec.structs.replace(request, label=label), epoch


# to a recipient, as this node knows it


@dataclass(frozen=True, slots=True)
class _OfRecipient(Change):
    node: str

    def _partner(self, epoch: PolicyEpoch, changed: Partner) -> PolicyEpoch:
        return replace(epoch, partners=tuple(changed if p.node == self.node else p for p in epoch.partners))


@dataclass(frozen=True, slots=True)
class RaiseAccreditation(_OfRecipient):
    """Accredit a recipient for a higher classification."""

    policy: str
    classification: str

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with the higher ceiling."""
        partner = epoch.partner(self.node)
        rows = {**dict(partner.ceiling), self.policy: self.classification}
        return request, self._partner(epoch, replace(partner, ceiling=tuple(rows.items())))


@dataclass(frozen=True, slots=True)
class AccreditCategory(_OfRecipient):
    """Accredit a recipient for values of a category."""

    tag: str
    values: frozenset[str]

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with the accreditation."""
        partner = epoch.partner(self.node)
        rows = _with(partner.categories, self.tag, self.values)
        return request, self._partner(epoch, replace(partner, categories=rows))


@dataclass(frozen=True, slots=True)
class AdmitToProject(_OfRecipient):
    """Make a recipient a member of a project."""

    project: str

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with the membership."""
        partner = epoch.partner(self.node)
        return request, self._partner(epoch, replace(partner, projects=partner.projects | {self.project}))


@dataclass(frozen=True, slots=True)
class Reinstate(_OfRecipient):
    """Make a suspended or departed partner active again."""

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with the partner active."""
        return request, self._partner(epoch, replace(epoch.partner(self.node), status=PartnerStatus.ACTIVE))


# to instruments, by all their parties


@dataclass(frozen=True, slots=True)
class DraftInstrument(Change):
    """Agree a new instrument."""

    instrument: Instrument

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with it, signed by all."""
        return request, adopt(epoch, self.instrument)


@dataclass(frozen=True, slots=True)
class AddLicence(DraftInstrument):
    """Obtain an export licence."""


@dataclass(frozen=True, slots=True)
class _OfInstrument(Change):
    instrument: str

    def _newest(self, epoch: PolicyEpoch) -> Instrument:
        """The newest version that all signed, or else the newest."""
        versions = epoch.instruments.versions(self.instrument)
        return next((entry for entry in reversed(versions) if not entry.missing), versions[-1]).instrument

    def _amend(self, epoch: PolicyEpoch, **changes: object) -> PolicyEpoch:
        return adopt(epoch, replace(self._newest(epoch), **changes))  # type: ignore[arg-type]

    def _amend_clause(self, epoch: PolicyEpoch, name: str, **changes: object) -> PolicyEpoch:
        changed = replace(self._clause(epoch, name), **changes)  # type: ignore[arg-type]
        clauses = self._newest(epoch).clauses
        return self._amend(epoch, clauses=tuple(changed if clause.id == name else clause for clause in clauses))

    def _clause(self, epoch: PolicyEpoch, name: str) -> Clause:
        found = next((clause for clause in self._newest(epoch).clauses if clause.id == name), None)
        if found is None:
            raise UnknownTerm(f"{self.instrument} has no clause {name!r}", fix="Explain again: it was amended")
        return found


@dataclass(frozen=True, slots=True)
class SignInstrument(_OfInstrument):
    """Sign a version that lacks signatures."""

    version: int

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with every signature on it."""
        versions = epoch.instruments.versions(self.instrument)
        entry = next(entry for entry in versions if entry.version == self.version)
        signed = replace(entry, signed=entry.instrument.parties)
        return request, replace(epoch, instruments=epoch.instruments.with_entry(signed))


@dataclass(frozen=True, slots=True)
class RenewInstrument(_OfInstrument):
    """Put an instrument in force again between two instants (ms since 1970 UTC)."""

    start: int
    end: int

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with the new version."""
        return request, self._amend(epoch, start=self.start, end=self.end)


@dataclass(frozen=True, slots=True)
class ProvideEvidence(_OfInstrument):
    """State the evidence that an exemption lacks."""

    fields: frozenset[str]

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with the new version."""
        newest = self._newest(epoch)
        return request, self._amend(epoch, evidence=newest.evidence | self.fields, denied=newest.denied - self.fields)


@dataclass(frozen=True, slots=True)
class RaiseCeiling(_OfInstrument):
    """Raise the ceiling of a clause."""

    clause: str
    policy: str
    classification: str

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with the new version."""
        rows = {**dict(self._clause(epoch, self.clause).ceiling), self.policy: self.classification}
        return request, self._amend_clause(epoch, self.clause, ceiling=tuple(rows.items()))


@dataclass(frozen=True, slots=True)
class PermitCategory(_OfInstrument):
    """Permit values of a category in a clause."""

    clause: str
    tag: str
    values: frozenset[str]

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with the new version."""
        rows = _with(self._clause(epoch, self.clause).categories, self.tag, self.values)
        return request, self._amend_clause(epoch, self.clause, categories=rows)


@dataclass(frozen=True, slots=True)
class AmendClause(_OfInstrument):
    """Widen one list of a clause by some values; `field` is the list's name in `Clause`."""

    clause: str
    field: str
    values: frozenset[str]

    def apply(self, request: Request, epoch: PolicyEpoch) -> _World:
        """The epoch with the new version."""
        widened: frozenset[str] = getattr(self._clause(epoch, self.clause), self.field) | self.values
        return request, self._amend_clause(epoch, self.clause, **{self.field: widened})


def adopt(epoch: PolicyEpoch, instrument: Instrument) -> PolicyEpoch:
    """The epoch in which `instrument` is the newest version of its id, and every party to it has signed."""
    known = instrument.id in epoch.instruments.ids()
    version = epoch.instruments.versions(instrument.id)[-1].version + 1 if known else 1
    entry = Entry(instrument, sha256(write_instrument(instrument).encode()), version, instrument.parties)
    return replace(epoch, instruments=epoch.instruments.with_entry(entry))


def _with(
    rows: Iterable[tuple[str, frozenset[str]]], tag: str, values: frozenset[str]
) -> tuple[tuple[str, frozenset[str]], ...]:
    found = dict(rows)
    found[tag] = found.get(tag, frozenset()) | values
    return tuple(found.items())
