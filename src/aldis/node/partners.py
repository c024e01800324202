"""Partners: paired nodes with their pinned keys, and what their state lets them send and get."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from aldis.kernel.authority import Act
from aldis.kernel.encoding import b64, sha256
from aldis.kernel.epoch import Partner, PartnerStatus
from aldis.kernel.errors import (
    NotAuthentic,
    RefusedByPolicy,
    UnknownTerm,
    VerificationFailed,
)
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.messages import open_message, read_unverified
from aldis.kernel.policies import Policy
from aldis.kernel.records import Record, make_record, next_version, read_record
from aldis.kernel.signatures import Key
from aldis.node import pairing
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.instruments import PAIRING_PREFIX, cosignature_draft, instrument_draft, pairing_text
from aldis.node.levels import covers
from aldis.node.pairing import Invitation, Sheet
from aldis.node.people import Person, name_of
from aldis.node.sheets import SHEET, Vouched, read_vouched, sheet_draft
from aldis.node.store import PAGE_LIMIT, PartnerRow, Row

__all__ = ["Known", "Partners"]

Confirm = Callable[[Sheet, str], bool]
"""Shows a person a sheet and its fingerprint, and answers whether they match what the partner reads out."""


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A paired node as it is kept: its sheet, state, and the last item believed of a compromised key."""

    sheet: Sheet
    status: PartnerStatus = PartnerStatus.ACTIVE
    distrust_after: int | None = None
    paired: int = 0

    @property
    def node(self) -> str:
        """The partner's node name."""
        return self.sheet.node

    @property
    def party(self) -> str:
        """The party it belongs to."""
        return self.sheet.party

    @property
    def active(self) -> bool:
        """Whether anything may pass between us."""
        return self.status is PartnerStatus.ACTIVE


class Partners:
    """Pairs, suspends and resumes."""

    def __init__(self, core: Core, audit: Audit) -> None:
        self._core = core
        self._audit = audit
        self._rows = core.store.partners
        self._change = -1
        self._vouched: dict[str, dict[str, Vouched]] = {}

    def all(self) -> list[Known]:
        """Every partner, by name."""
        return [_known(row.data) for row in self._rows.all()]

    def get(self, node: str) -> Known:
        """The partner with this node name, or the only one of this party.

        Raises:
            UnknownTerm: there is none, or a party with several nodes was named.
        """
        partners = self.all()
        found = [partner for partner in partners if node in (partner.node, partner.party)]
        if len(found) != 1:
            names = ", ".join(partner.node for partner in found or partners)
            what = f"{node!r} has {len(found)} nodes here" if found else f"no partner {node!r}"
            pair = "There is none yet: pair with `aldis invite PARTY`"
            raise UnknownTerm(what, fix=f"Name one of these nodes: {names}" if names else pair)
        return found[0]

    def keys(self) -> dict[str, tuple[str, Key]]:
        """Each node's party and pinned key, this node's own among them."""
        known = {partner.node: (partner.party, partner.sheet.pinned) for partner in self.all()}
        return {**known, self._core.node: (self._core.party, self._core.signer.public)}

    def signers(self) -> dict[str, tuple[str, Key | None]]:
        """As `keys`, without those of nodes below: what opens this node's doors is signed at its own level."""
        below = {known.node for known in self.all() if self._is_below(known)}
        return {node: (party, None if node in below else key) for node, (party, key) in self.keys().items()}

    def parties(self) -> dict[str, str]:
        """Each known node's party: this one's, those it paired with, and those that nodes of its party vouch for."""
        said: dict[str, str] = {}
        for vouched in self.vouched().values():
            for node, one in vouched.items():
                said[node] = one.sheet.party if said.get(node, one.sheet.party) == one.sheet.party else ""
        return said | {node: party for node, (party, _) in self.keys().items()}

    def originators(self, recipient: str) -> dict[str, str]:
        """Each known node's party, as a decision about `recipient` takes the originator of a record.

        Toward another party, another node of this one speaks for itself: its records go on by its own grant.
        """
        core, parties = self._core, self.parties()
        if parties.get(recipient) == core.party:
            return parties
        return {node: node if party == core.party and node != core.node else party for node, party in parties.items()}

    def vouched(self) -> dict[str, dict[str, Vouched]]:
        """Per node of this party, whom it vouches for, by name."""
        change = self._core.policy_change()
        if change != self._change:
            self._vouched, self._change = self._read_vouched(), change
        return self._vouched

    def below(self, node: str) -> bool:
        """Whether a partner is of this party and its ceiling does not cover this node's."""
        return any(known.node == node and self._is_below(known) for known in self.all())

    def above(self) -> list[Known]:
        """The nodes of this party to which everything goes that their ceilings cover."""
        return [known for known in self.all() if known.party == self._core.party and not self._is_below(known)]

    def _is_below(self, known: Known) -> bool:
        core = self._core
        return known.party == core.party and not covers(known.sheet, core.config, core.policies)

    def recipients(self) -> tuple[Partner, ...]:
        """The partners as a release decision sees them."""
        return tuple(
            Partner(
                node=partner.node,
                party=partner.party,
                ceiling=tuple(partner.sheet.ceiling.items()),
                categories=tuple((tag, frozenset(values)) for tag, values in partner.sheet.categories.items()),
                status=partner.status,
                below=self._is_below(partner),
            )
            for partner in self.all()
        )

    def sheet(self) -> Sheet:
        """What this node says of itself."""
        config, core = self._core.config, self._core
        return Sheet(
            node=config.node,
            party=config.party,
            url=config.url or f"https://{config.listen}",
            algorithm=core.signer.public.algorithm.value,
            key=b64(core.signer.public.raw),
            ledger_key=b64(core.note_signer.public),
            certificate=core.home.certificate.read_text("ascii"),
            ceiling=self._ceilings(),
            categories=self._categories(),
        )

    def _ceilings(self) -> dict[str, str]:
        """This node's ceiling; a node for unclassified information says so in every nation's terms."""
        config, policies = self._core.config, self._core.policies
        found = {config.policy: config.ceiling}
        if config.ceiling == policies.policy(config.policy).unclassified:
            owned = (policy for name in policies.names if _rated(policy := policies.policy(name)))
            found |= {policy.name: policy.unclassified for policy in owned}
        return found

    def _categories(self) -> dict[str, list[str]]:
        """What this node is accredited for; UnknownTerm where the settings name what nobody defined."""
        found = self._core.config.categories
        self._core.policies.check_accreditation(found)
        return {tag: sorted(set(values)) for tag, values in sorted(found.items()) if values}

    def invite(self, party: str, by: str | Person = "") -> bytes:
        """An invitation file for a node of `party`, good for a week; the newest one is the one that counts.

        One for another node of this node's own party has no agreement in it.

        Raises:
            RefusedByPolicy: a person who is no security officer.
        """
        actor = name_of(by, Act.PARTNERS)
        return self._invite(party, None if party == self._core.party else self._agreement(party), actor)

    def invitations(self) -> dict[str, bytes]:
        """The invitation file by party, of those that nobody has answered and that are still good."""
        get, now = self._core.store.meta.get, self._core.clock.now()
        made = {party: get(_sent_to(party)) for party in sorted(self._core.policies.parties)}
        return {
            party: data
            for party, data in made.items()
            if data and now <= read_unverified(data, Invitation).created + pairing.LIFETIME
        }

    def reply(self, node: str) -> bytes:
        """The reply that joining a partner's invitation made, as long as it is good; b"" where there is none."""
        data = self._core.store.meta.get(_reply_to(node)) or b""
        good = data and self._core.clock.now() <= read_unverified(data, Invitation).created + pairing.LIFETIME
        return data if good else b""

    def _agreement(self, party: str) -> Record:
        core, now = self._core, self._core.clock.now()
        name = f"{PAIRING_PREFIX}{core.node}-{party.lower()}-{core.random(4).hex()}"
        ceilings = {
            policy: core.policies.policy(policy).unclassified
            for policy in core.policies.names
            if not core.policies.policy(policy).uri
        }
        text = pairing_text(name, (core.party, party), at=now, ceilings=ceilings)
        label = Label(
            core.config.policy, core.policies.policy(core.config.policy).routine, Releasability.to(core.party, party)
        )
        draft = instrument_draft(text, policies=core.policies, label=label, node=core.node, author=core.node, at=now)
        return make_record(draft, core.random)

    def _invite(self, party: str, agreement: Record | None, actor: str) -> bytes:
        core = self._core
        data = self._invitation(agreement, self._cosign(agreement) if agreement else None, answers="")
        with core.store.transaction():
            core.store.meta.set(_sent_to(party), data)
            self._audit.write("partner", party, verdict="invited", reasons=[pairing.fingerprint(data)], actor=actor)
        return data

    def join(
        self, data: bytes, confirm: Confirm, *, own: bool = False, by: str | Person = ""
    ) -> tuple[Known, bytes | None]:
        """Pair with the maker of an invitation or reply; the reply to send back, or None where this was one.

        No instrument stands between two nodes of one party: an invitation by one takes `own`, which says that this is
        meant. A partner that comes back with the same key stays suspended or distrusted if it was.

        Raises:
            NotAuthentic: the fingerprints do not match, or the file is not what it claims.
            Stale, RefusedByPolicy, VerificationFailed, InvalidInput: see `pairing.check_invitation`.
            RefusedByPolicy: also for a person who is no security officer.
        """
        actor = name_of(by, Act.PARTNERS)
        core, now = self._core, self._core.clock.now()
        invitation, agreed = pairing.check_invitation(data, node=core.node, party=core.party, at=now)
        sheet, reply = invitation.sheet, None
        agreement = agreed[0] if agreed else None
        if invitation.answers:
            ours = self._answered(invitation)
        elif sheet.party == core.party and not own:
            raise RefusedByPolicy(
                f"this invitation says that {sheet.node} is of {core.party} itself: all that its ceiling covers would"
                " go to it, and no instrument is asked for",
                fix="If it is a node of your own party, join with --own",
            )
        else:
            ours = self._cosign(agreement) if agreement else None
            reply = self._invitation(agreement, ours, answers=sha256(data).hex())
        if agreement is not None:
            drafter = core.node if invitation.answers else sheet.node
            if agreement.header.originator != drafter:
                raise NotAuthentic(f"{drafter} did not draft the agreement in this file", fix="Ask for a new one")
            core.policies.check(agreement.label)
        held = next((known for known in self.all() if known.node == sheet.node), None)
        if held is not None and held.party != sheet.party:
            raise RefusedByPolicy(
                f"{sheet.node!r} is a node of {held.party} here, and this one is of {sheet.party}",
                fix="Ask its maker to give it a name of its own",
            )
        for other in (*(known.sheet for known in self.all() if known.node != sheet.node), self.sheet()):
            if other.certificate_der == sheet.certificate_der or other.pinned == sheet.pinned:
                raise NotAuthentic(
                    f"{sheet.node} shows the key or certificate of {other.node}", fix="Ask its maker for its own"
                )
        if not confirm(sheet, pairing.fingerprint(data)):
            raise NotAuthentic(
                f"the fingerprints of {sheet.node} do not match; nothing was changed",
                fix="Ask for the file again over another way",
            )
        known = Known(sheet, paired=now)
        if held is not None and held.sheet.pinned == sheet.pinned:
            known = msgspec.structs.replace(held, sheet=sheet, paired=now)
        with core.store.transaction():
            self._put(known, now)
            core.store.meta.set(_sent_to(known.party), b"")
            core.store.meta.set(_reply_to(known.node), reply or b"")
            if agreed is not None and ours is not None:
                core.store.records.put([agreed[0]], now, "" if agreed[0].header.originator == core.node else sheet.node)
                core.store.records.put([ours], now)
                core.store.records.put([agreed[1]], now, sheet.node)
            self._vouch(now)
            reasons = [pairing.fingerprint(data), known.party]
            self._audit.write("partner", known.node, verdict="paired", reasons=reasons, actor=actor)
        return known, reply

    def set_status(self, node: str, status: PartnerStatus, because: str, by: str | Person = "") -> Known:
        """Suspend, resume or see off a partner, at once and in one transaction.

        Raises:
            UnknownTerm: no such partner.
            RefusedByPolicy: a person who is no security officer.
        """
        actor = name_of(by, Act.PARTNERS)
        known = msgspec.structs.replace(self.get(node), status=status)
        self._keep(known, status.value, because, actor)
        return known

    def distrust(self, node: str, after: int, because: str) -> Known:
        """Believe nothing that a partner's key signed after item `after` of its stream."""
        known = msgspec.structs.replace(self.get(node), distrust_after=after)
        self._keep(known, f"distrusted after {after}", because)
        return known

    def accept_ledger(self, node: str, because: str) -> Known:
        """Cosign a partner's ledger anew, once people have compared the two: its store was restored from a backup.

        What was cosigned and refused before is kept as evidence.
        """
        known = self.get(node)
        with self._core.store.transaction():
            self._audit.accept_ledger(known.node)
            self._audit.write("partner", known.node, verdict="ledger accepted anew", reasons=[because])
        return known

    def _keep(self, known: Known, verdict: str, because: str, actor: str = "") -> None:
        now = self._core.clock.now()
        with self._core.store.transaction():
            self._put(known, now)
            self._vouch(now)
            self._audit.write("partner", known.node, verdict=verdict, reasons=[because], actor=actor)

    def _put(self, known: Known, now: int) -> None:
        """Keep a partner; the policy epoch is another one from here on."""
        self._rows.put(PartnerRow(known.node, known.party, known.status.value, msgspec.json.encode(known), now))
        self._core.policy_changed()

    def _cosign(self, agreement: Record) -> Record:
        core = self._core
        draft = cosignature_draft(
            agreement, party=core.party, node=core.node, author=core.node, signer=core.signer, at=core.clock.now()
        )
        held = core.store.records.get(draft.id, originator=core.node)
        return held.record() if held is not None else make_record(draft, core.random)

    def _vouch(self, now: int) -> None:
        """In the transaction that is open, say to the nodes above whom this one is paired with, where that is news."""
        core, above = self._core, self.above()
        if not above:
            return
        policy = core.policies.policy(core.config.policy)
        label = Label(policy.name, policy.routine, Releasability.to(core.party))
        made: list[Record] = []
        for known in self.all():
            vouched = Vouched(known.sheet, distrusted=known.distrust_after is not None)
            draft = sheet_draft(vouched, label=label, node=core.node, at=now)
            held = core.store.records.get(draft.id, originator=core.node)
            before = held.record() if held is not None else None
            if known not in above and (before is None or read_vouched(before) != vouched):
                made.append(make_record(next_version(before, draft) if before else draft, core.random))
        if made:
            core.store.records.put(made, now)
            self._audit.write_put(made)

    def _read_vouched(self) -> dict[str, dict[str, Vouched]]:
        insiders = {known.node for known in self.all() if known.party == self._core.party}
        found: dict[str, dict[str, Vouched]] = {}
        for row in self.sheets() if insiders else ():
            vouched = read_vouched(row.record()) if row.source in insiders else None
            if vouched is not None and vouched.sheet.node != self._core.node:
                found.setdefault(row.source, {}).setdefault(vouched.sheet.node, vouched)
        return found

    def sheets(self) -> Iterator[Row]:
        """The newest version of each sheet held, this node's own among them."""
        store, cursor = self._core.store, None
        everything = np.ones(store.profiles.count(), dtype=np.bool_)
        while True:
            page = store.listing.page(everything, kind=SHEET, after=cursor, limit=PAGE_LIMIT)
            yield from page.rows
            cursor = page.next
            if cursor is None:
                return

    def _invitation(self, agreement: Record | None, cosignature: Record | None, *, answers: str) -> bytes:
        invitation = Invitation(
            sheet=self.sheet(),
            header=agreement.data.decode() if agreement else "",
            text=agreement.portions[0].data.decode() if agreement else "",
            cosignature=[cosignature.data.decode(), cosignature.portions[0].data.decode()] if cosignature else [],
            created=self._core.clock.now(),
            answers=answers,
        )
        return pairing.seal_invitation(invitation, self._core.signer)

    def _answered(self, reply: Invitation) -> Record | None:
        """Our own signature in the invitation that a reply answers; None within one party."""
        core = self._core
        sent = core.store.meta.get(_sent_to(reply.sheet.party))
        if not sent or reply.answers != sha256(sent).hex():
            raise VerificationFailed(
                f"{reply.sheet.node} answers an invitation that this node did not make, not last, or that was answered",
                fix="Make a new one with `aldis invite` and let the partner join that",
            )
        invitation = open_message(sent, Invitation, core.signer.public)
        if (invitation.header, invitation.text) != (reply.header, reply.text):
            raise VerificationFailed(f"{reply.sheet.node} signed another agreement than the one proposed")
        if not invitation.cosignature:
            return None
        header, portion = invitation.cosignature
        return read_record(header.encode(), [portion.encode()])


def _rated(policy: Policy) -> bool:
    """Whether the tables say what of a nation's policy is unclassified; a SPIF does not."""
    return bool(policy.owner) and not policy.uri


def _sent_to(party: str) -> str:
    return f"invitation to {party}"


def _reply_to(node: str) -> str:
    return f"reply to {node}"


def _known(data: bytes) -> Known:
    return msgspec.json.decode(data, type=Known)
