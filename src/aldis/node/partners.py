"""Partners: paired nodes with their pinned keys, and what their state lets them send and get."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from aldis.kernel.encoding import b64, sha256
from aldis.kernel.epoch import Partner, PartnerStatus
from aldis.kernel.errors import (
    InvalidInput,
    NotAuthentic,
    RefusedByPolicy,
    UnknownTerm,
    VerificationFailed,
)
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.messages import open_message
from aldis.kernel.policies import Policy
from aldis.kernel.records import Record, make_record, read_record
from aldis.kernel.signatures import Key
from aldis.node import pairing
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.instruments import PAIRING_PREFIX, cosignature_draft, instrument_draft, pairing_text
from aldis.node.pairing import Invitation, Sheet
from aldis.node.store import PartnerRow

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

    def recipients(self) -> tuple[Partner, ...]:
        """The partners as a release decision sees them."""
        return tuple(
            Partner(
                node=partner.node,
                party=partner.party,
                ceiling=tuple(partner.sheet.ceiling.items()),
                categories=tuple((tag, frozenset(values)) for tag, values in partner.sheet.categories.items()),
                status=partner.status,
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
        )

    def _ceilings(self) -> dict[str, str]:
        """This node's ceiling; a node for unclassified information says so in every nation's terms."""
        config, policies = self._core.config, self._core.policies
        found = {config.policy: config.ceiling}
        if config.ceiling == policies.policy(config.policy).unclassified:
            owned = (policy for name in policies.names if _rated(policy := policies.policy(name)))
            found |= {policy.name: policy.unclassified for policy in owned}
        return found

    def invite(self, party: str) -> bytes:
        """An invitation file for a node of `party`, good for a week; the newest one is the one that counts."""
        core, now = self._core, self._core.clock.now()
        if party == core.party:
            raise InvalidInput(f"this node is of {party} itself", fix="Name the party that you share with")
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
        agreement = make_record(draft, core.random)
        data = self._invitation(agreement, self._cosign(agreement), answers="")
        with core.store.transaction():
            core.store.meta.set(_sent_to(party), data)
            self._audit.write("partner", party, verdict="invited", reasons=[pairing.fingerprint(data)])
        return data

    def join(self, data: bytes, confirm: Confirm) -> tuple[Known, bytes | None]:
        """Pair with the maker of an invitation or reply; the reply to send back, or None where this was one.

        A partner that comes back with the same key stays suspended or distrusted if it was.

        Raises:
            NotAuthentic: the fingerprints do not match, or the file is not what it claims.
            Stale, RefusedByPolicy, VerificationFailed, InvalidInput: see `pairing.check_invitation`.
        """
        core, now = self._core, self._core.clock.now()
        invitation, agreement, theirs = pairing.check_invitation(data, node=core.node, party=core.party, at=now)
        sheet, reply = invitation.sheet, None
        if invitation.answers:
            drafter, ours = core.node, self._answered(invitation, agreement)
        else:
            drafter, ours = sheet.node, self._cosign(agreement)
            reply = self._invitation(agreement, ours, answers=sha256(data).hex())
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
            core.store.records.put([agreement], now, "" if drafter == core.node else sheet.node)
            core.store.records.put([ours], now)
            core.store.records.put([theirs], now, sheet.node)
            self._audit.write("partner", known.node, verdict="paired", reasons=[pairing.fingerprint(data), known.party])
        return known, reply

    def set_status(self, node: str, status: PartnerStatus, because: str) -> Known:
        """Suspend, resume or see off a partner, at once and in one transaction."""
        known = msgspec.structs.replace(self.get(node), status=status)
        self._keep(known, status.value, because)
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

    def _keep(self, known: Known, verdict: str, because: str) -> None:
        now = self._core.clock.now()
        with self._core.store.transaction():
            self._put(known, now)
            self._audit.write("partner", known.node, verdict=verdict, reasons=[because])

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

    def _invitation(self, agreement: Record, cosignature: Record, *, answers: str) -> bytes:
        invitation = Invitation(
            sheet=self.sheet(),
            header=agreement.data.decode(),
            text=agreement.portions[0].data.decode(),
            cosignature=[cosignature.data.decode(), cosignature.portions[0].data.decode()],
            created=self._core.clock.now(),
            answers=answers,
        )
        return pairing.seal_invitation(invitation, self._core.signer)

    def _answered(self, reply: Invitation, agreement: Record) -> Record:
        """Our own signature in the invitation that a reply answers."""
        core = self._core
        sent = core.store.meta.get(_sent_to(reply.sheet.party))
        if not sent or reply.answers != sha256(sent).hex():
            raise VerificationFailed(
                f"{reply.sheet.node} answers an invitation that this node did not make, not last, or that was answered",
                fix="Make a new one with `aldis invite` and let the partner join that",
            )
        invitation = open_message(sent, Invitation, core.signer.public)
        if invitation.header != agreement.data.decode() or invitation.text != agreement.portions[0].data.decode():
            raise VerificationFailed(f"{reply.sheet.node} signed another agreement than the one proposed")
        header, portion = invitation.cosignature
        return read_record(header.encode(), [portion.encode()])


def _rated(policy: Policy) -> bool:
    """Whether the tables say what of a nation's policy is unclassified; a SPIF does not."""
    return bool(policy.owner) and not policy.uri


def _sent_to(party: str) -> str:
    return f"invitation to {party}"


def _known(data: bytes) -> Known:
    return msgspec.json.decode(data, type=Known)
