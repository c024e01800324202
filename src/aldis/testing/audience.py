"""The invariant of release: whatever left a node was permitted to its recipient, then, by its label and instruments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aldis.kernel.bundles import Item, onward_of, read_commitment
from aldis.kernel.encoding import digest_from_hex, sha256, unb64
from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.errors import AldisError
from aldis.kernel.instruments import COSIGN_CONTEXT, cosign_message
from aldis.kernel.labels import Access, Label, audience
from aldis.kernel.policies import builtin
from aldis.kernel.records import Record, read_portion, read_record
from aldis.kernel.release import Request, decide, requests_for
from aldis.testing.archive import Broken, Occasion, Sent
from aldis.testing.coalition import Coalition
from aldis.testing.streams import rows

__all__ = ["Decide", "Ruling", "View", "check_audience", "kernel_decide", "party_of"]


class Ruling(Protocol):
    """What is asked of a decision, whoever made it."""

    @property
    def permits(self) -> bool:
        """Whether it may go."""

    @property
    def not_before(self) -> int:
        """The first instant at which it may."""

    @property
    def transforms(self) -> Sequence[Any]:
        """What must be done to it first."""

    @property
    def purposes(self) -> Sequence[str]:
        """What it may be used for."""


Decide = Callable[[Request, PolicyEpoch, int], Ruling]
"""A release decision: of a request, under a policy epoch, at a time in milliseconds since 1970 UTC."""


def kernel_decide(request: Request, epoch: PolicyEpoch, at: int) -> Ruling:
    """The kernel's own decision."""
    return decide(request, epoch, at)


@dataclass(frozen=True, slots=True)
class View:
    """A record as a release decision sees it; `originator` is a party."""

    digest: bytes
    kind: str
    id: str
    project: str
    originator: str
    created: int
    label: Label
    portions: Sequence[tuple[bytes, str, Label]]

    @classmethod
    def of(cls, record: Record, party: str) -> View:
        """The view of a record that a node of `party` originated."""
        header = record.header
        portions = [(portion.digest, portion.name, portion.label) for portion in record.portions]
        return cls(record.digest, header.kind, header.id, header.project, party, header.created, record.label, portions)


def party_of(coalition: Coalition, node: str) -> str:
    """The party of a node."""
    return coalition[node].core.party if node in coalition.sites else ""


def check_audience(coalition: Coalition, honest: Collection[str] | None = None, decide: Decide = kernel_decide) -> None:
    """Decide again all that honest nodes ever sent, and look at what every node holds and every live frame had.

    1. Each item was permitted to its recipient, portion by portion, when it was sealed and whenever it left.
    2. Each signature of an honest party that was counted then is one that a node of the party really made.
    3. Each portion held anywhere has a label that lets its holder have it, and was sent to a node of its holder's party
       by its originator, or granted by it to that party.
    4. Each live value went to a party that its label names.

    `decide` may be another implementation, to hold the kernel's against.

    Raises:
        Broken: one of these does not hold.
    """
    auditor = _Auditor(coalition, set(coalition if honest is None else honest), decide)
    for sent in coalition.archive.bundles.values():
        if sent.sender in auditor.honest:
            auditor.check_sent(sent)
    for name in coalition:
        auditor.check_held(name)
    for frame in coalition.archive.frames:
        party = party_of(coalition, frame.receiver)
        for label in [label for label, _ in frame.frame.groups] + [label for _, label, _ in frame.frame.passed]:
            if frame.sender in auditor.honest and not _for(label, party):
                raise Broken(f"{frame.sender} sent {frame.receiver} a live value that is not for {party}")


def _for(label: Label, party: str) -> bool:
    """Whether a label lets a party have it: named, or the owner of the label's policy, beyond whom a list goes."""
    said = label.releasable
    owned = said.access is Access.LISTED and builtin().policy(label.policy).owner == party and party not in said.display
    return owned or bool(audience(label, frozenset({party})))


class _Auditor:
    def __init__(self, coalition: Coalition, honest: set[str], decide: Decide) -> None:
        self.honest = honest
        self._coalition, self._decide = coalition, decide
        self._epochs: dict[bytes, PolicyEpoch] = {}
        self._signed: set[tuple[bytes, str]] | None = None
        self._sent: dict[tuple[str, bytes], set[bytes]] = {}
        self._granted: dict[tuple[str, bytes], set[bytes]] = {}

    def check_sent(self, sent: Sent) -> None:
        told = sha256(sent.occasions[0].epoch).hex() == sent.bundle.manifest.policy_epoch
        if told == self._coalition[sent.sender].partners.below(sent.receiver):
            raise Broken(f"{sent.sender} sealed under another policy epoch than the manifest says")
        for item in sent.bundle.items:
            self._note(sent, item)
            for occasion in sent.occasions:
                self._check_item(sent, item, occasion)

    def check_held(self, name: str) -> None:
        party = party_of(self._coalition, name)
        for row in rows(self._coalition[name]):
            if row.originator == name or row.originator not in self.honest:
                continue
            record = row.record()
            given = self._granted.get((party, row.digest), set()).union(
                *(self._sent.get((one, row.digest), set()) for one in self._coalition if self._inside(one, party))
            )
            for label, data in ((record.label, row.header), *((p.label, p.data) for p in record.portions)):
                if not _for(label, party) and party not in label.origins:
                    raise Broken(f"{name} holds part of {row.id!r} by {row.originator}, which is not for {party}")
                if data not in given and record.header.kind not in _PAIRING:
                    raise Broken(f"{name} holds part of {row.id!r}, which {row.originator} gave neither it nor {party}")

    def _inside(self, name: str, party: str) -> bool:
        return party_of(self._coalition, name) == party

    def _note(self, sent: Sent, item: Item) -> None:
        """Who was given what, and granted what, of a record by the node that originated it."""
        digest, commitment = sha256(item.record), read_commitment(item.commitment)
        if item.grant is None:
            given = self._sent.setdefault((sent.receiver, digest), set())
            given.update((item.record, *item.portions, *(one.portion for one in item.substitutes)))
            by_digest = {sha256(data): data for data in (*item.portions, *(one.portion for one in item.substitutes))}
            for party, digests in commitment.onward.items():
                granted = self._granted.setdefault((party, digest), set())
                granted.update((item.record, *(by_digest[one] for one in digests)))

    def _check_item(self, sent: Sent, item: Item, occasion: Occasion) -> None:
        record = read_record(item.record, item.portions)
        changed = {portion.digest: portion for portion in (read_portion(one.portion) for one in item.substitutes)}
        whole = Record(record.data, record.digest, record.header, (*record.portions, *changed.values()))
        grants = onward_of(item.grant, sent.sender)
        approved = occasion.approved | (changed.keys() if occasion.approved else set())
        view = View.of(whole, party_of(self._coalition, record.header.originator))
        epoch = self._epoch(sent, occasion.epoch)
        for digest, request in requests_for(view, sent.receiver, None, grants=grants, approved=approved):
            ruling = self._decide(request, epoch, occasion.at)
            late = digest != record.digest and ruling.not_before > occasion.at
            if not ruling.permits or late or (ruling.transforms and digest not in changed):
                what = f"portion {request.portion!r}" if request.portion else "the header"
                raise Broken(f"{sent.sender} sent {sent.receiver} {what} of {record.header.id!r} against the rules")

    def _epoch(self, sent: Sent, data: bytes) -> PolicyEpoch:
        if data not in self._epochs:
            epoch = self._epochs[data] = PolicyEpoch.from_bytes(data, builtin())
            parties = {party_of(self._coalition, name) for name in self.honest}
            for entry in epoch.instruments:
                for party in entry.signed & parties:
                    if (entry.digest, party) not in self._signatures():
                        raise Broken(f"{sent.sender} counts a signature of {party} that it never gave")
        return self._epochs[data]

    def _signatures(self) -> set[tuple[bytes, str]]:
        """Every signature under an instrument that is to be found anywhere: digest and party."""
        if self._signed is None:
            self._signed = set()
            sent = (item for one in self._coalition.archive.bundles.values() for item in one.bundle.items)
            for header, portions in {
                **{item.record: tuple(item.portions) for item in sent},
                **{row.header: tuple(row.portions) for name in self._coalition for row in rows(self._coalition[name])},
            }.items():
                self._take_signature(header, portions)
        return self._signed

    def _take_signature(self, header: bytes, portions: Sequence[bytes]) -> None:
        record = read_record(header, portions)
        portion = record.portion("signature")
        if record.header.kind != "cosignature" or portion is None or self._signed is None:
            return
        value, core = portion.value, self._coalition[record.header.originator].core
        digest, party = digest_from_hex(value["digest"]), value["party"]
        try:
            message = cosign_message(digest, party)
            core.signer.public.verify(COSIGN_CONTEXT, message, unb64(value["signature"]))
        except AldisError:
            return
        if party == core.party:
            self._signed.add((digest, party))


_PAIRING = frozenset({"instrument", "cosignature"})
"""Kinds that may have come with an invitation, before any bundle."""
