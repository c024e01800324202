"""What arrives: greetings, bundles and frames from partners; everything verified before anything is believed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from aldis.kernel.admission import CLOCK_TOLERANCE, Admission, Admitted, Peer, Peers, Refused, read_set_aside, set_aside
from aldis.kernel.attachments import is_chunk
from aldis.kernel.authority import Act
from aldis.kernel.bundles import Grant, grant_of
from aldis.kernel.encoding import sha256, unb64
from aldis.kernel.errors import AldisError, Forked, NotAuthentic, Stale, TooLarge, Unavailable, UnknownTerm
from aldis.kernel.ledger import inclusion_proofs, leaf_hash
from aldis.kernel.messages import Cursor, Greeting, Receipt, Welcome, open_message, sign_message
from aldis.kernel.records import Record
from aldis.node.attachments import Attachments
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.instruments import KINDS
from aldis.node.live import LiveIn
from aldis.node.partners import Known, Partners
from aldis.node.people import Person, name_of
from aldis.node.recall_records import ANSWER, RECALL
from aldis.node.recalls import Recalls
from aldis.node.repetitions import note_cosigning, told_first
from aldis.node.sheets import SHEET
from aldis.node.store import PARTNER_PROFILES, Substitute
from aldis.node.store import Cursor as Place

__all__ = ["Inbound"]

_POLICY_KINDS = frozenset({SHEET, *(kind.name for kind in KINDS)})
_TEXT = 500


class Inbound:
    """Answers the three operations that a partner may call; `told` hears of each record that was admitted."""

    def __init__(
        self,
        core: Core,
        audit: Audit,
        partners: Partners,
        recalls: Recalls,
        attachments: Attachments,
        live: LiveIn,
        told: Callable[[Record, str], None],
    ) -> None:
        self._recalls = recalls
        self._attachments = attachments
        self._core = core
        self._audit = audit
        self._partners = partners
        self._live = live
        self._told = told
        self._store = core.store

    def answer(self, sender: str, operation: str, body: bytes | bytearray) -> bytes:
        """The answer to a call from a partner that the transport authenticated.

        Raises:
            AldisError: the call is refused; nothing was changed, except as `deliver` says.
        """
        if operation == "deliver" and is_chunk(body):
            return self.content(sender, body)
        body = bytes(body)
        if operation == "greet":
            return self.greet(sender, body)
        if operation == "deliver":
            return self.deliver(sender, body)
        if operation == "live":
            self._live.take(sender, self.peers(), body)
            return b""
        raise UnknownTerm(f"no operation {operation[:32]!r}", fix="A partner may greet, deliver and live")

    def greet(self, sender: str, body: bytes) -> bytes:
        """Our cursor in the sender's stream, and our cosignature on its ledger's checkpoint.

        Raises:
            NotAuthentic: not an active partner, not signed by its key, or addressed to another node.
            Stale: a greeting of another time.
            Forked: the sender's ledger does not continue what was cosigned before.
        """
        core, now = self._core, self._core.clock.now()
        known = self._active(sender)
        greeting = open_message(body, Greeting, known.sheet.pinned)
        if (greeting.origin, greeting.audience) != (sender, core.node):
            raise NotAuthentic(
                f"a greeting from {greeting.origin} to {greeting.audience}, expected {sender} to {core.node}"
            )
        if abs(greeting.at - now) > CLOCK_TOLERANCE:
            raise Stale(
                f"{sender} greets with a clock {(greeting.at - now) // 1000:+d} s from this node's",
                fix="Set the clock that is wrong; `aldis doctor` shows this node's",
            )
        size, line = 0, ""
        if greeting.checkpoint:
            key, note = unb64(known.sheet.ledger_key), greeting.checkpoint.encode()
            size, line = self._audit.cosign_partner(sender, key, note, greeting.proof, since=greeting.since)
            note_cosigning(self._store, sender, now, done=bool(line))
        return sign_message(Welcome(core.node, sender, now, self.cursor(sender), size, line), core.signer)

    def deliver(self, sender: str | None, body: bytes) -> bytes:
        """The receipt for a bundle, whose items are admitted or quarantined and the cursor moved, in one transaction.

        `sender` is the partner that the transport authenticated, None for a file.

        Raises:
            VerificationFailed, InvalidInput: the bundle is not believed and nothing of it was stored; the ledger
                keeps that it came, and quarantine keeps one that proves a fork.
            Unavailable: disk or quarantine is full; nothing was stored, and the sender will send again.
        """
        core = self._core
        try:
            with self._store.transaction():
                admission = self.peers().admit(
                    body, sender=sender, history=self._store.records.neighbours, at=core.clock.now()
                )
                admission = self._within_bounds(admission)
                self._keep(admission)
        except Unavailable:
            raise
        except AldisError as error:
            self._refuse(sender, body, error)
            raise
        manifest = admission.bundle.manifest
        for one in admission.admitted:
            self._told(one.record, manifest.origin)
        aside = 0 if self._partners.below(manifest.origin) else len(admission.refused)
        receipt = Receipt(core.node, manifest.origin, core.clock.now(), admission.cursor, aside)
        return sign_message(receipt, core.signer)

    def content(self, sender: str, body: bytes | bytearray) -> bytes:
        """The receipt for a piece of an attachment's content; see `attachments.incoming`.

        A node below is told that all is well, whatever becomes of it here.

        Raises:
            NotAuthentic: not an active partner.
            InvalidInput: not of the closed schema of a chunk.
            Unavailable: a disk that is full or fails.
        """
        self._active(sender)
        receipt = self._attachments.incoming.take(sender, body)
        if self._partners.below(sender) and (receipt.state == "refused" or self._unknown(sender, receipt.digest)):
            receipt = msgspec.structs.replace(receipt, state="whole", reason="")
        return sign_message(receipt, self._core.signer)

    def _unknown(self, sender: str, digest: str) -> bool:
        return self._store.attachments.wanted(sender, bytes.fromhex(digest)) is None

    def retry(self, number: int, by: str | Person = "") -> Record:
        """Admit a quarantined item now, if what stood against it is gone.

        Raises:
            UnknownTerm: no such entry.
            RefusedByPolicy: a person who is no security officer.
            AldisError: it still cannot be admitted, and stays.
        """
        actor = name_of(by, Act.QUARANTINE)
        found = self._store.quarantine.get(number)
        if found is None:
            raise UnknownTerm(f"no entry {number} in quarantine", fix="`aldis quarantine list` names them")
        entry, data = found
        with self._store.transaction():
            one = self.peers().readmit(data, history=self._store.records.neighbours, at=self._core.clock.now())
            problem = self._crowded(one, defaultdict(set))
            if problem is not None:
                raise problem
            self._put([one], entry.source, {one.index: read_set_aside(data).proof})
            self._store.quarantine.drop(number)
            self._audit.write(
                "admission", one.record.digest.hex(), verdict="admitted", reasons=["from quarantine"], actor=actor
            )
        self._told(one.record, entry.source)
        return one.record

    def drop(self, number: int, because: str, by: str | Person = "") -> None:
        """Throw a quarantined entry away; the ledger keeps that it was here, and why it went.

        Raises:
            UnknownTerm: no such entry.
            RefusedByPolicy: a person who is no security officer.
        """
        actor = name_of(by, Act.QUARANTINE)
        found = self._store.quarantine.get(number)
        if found is None:
            raise UnknownTerm(f"no entry {number} in quarantine", fix="`aldis quarantine list` names them")
        with self._store.transaction():
            self._store.quarantine.drop(number)
            self._audit.write(
                "quarantine", sha256(found[1]).hex(), verdict="dropped", reasons=[because[:_TEXT]], actor=actor
            )

    def peers(self) -> Peers:
        """What admission rests on now."""
        core = self._core
        return Peers(
            node=core.node,
            party=core.party,
            ceiling=((core.config.policy, core.config.ceiling),),
            policies=core.policies,
            kinds=core.kinds,
            peers={
                known.node: Peer(
                    node=known.node,
                    party=known.party,
                    key=known.sheet.pinned,
                    cursor=self.cursor(known.node),
                    active=known.active,
                    distrust_after=known.distrust_after,
                )
                for known in self._partners.all()
            },
            vouched={
                voucher: {
                    name: Peer(name, one.sheet.party, one.sheet.pinned, distrust_after=0 if one.distrusted else None)
                    for name, one in vouched.items()
                }
                for voucher, vouched in self._partners.vouched().items()
            },
        )

    def cursor(self, node: str) -> Cursor:
        """How far a partner's stream was admitted."""
        held = self._store.partners.cursor(node)
        return Cursor(int(held.epoch), held.seq, held.digest.hex()) if held else Cursor(0, 0, "")

    def _active(self, sender: str) -> Known:
        known = self._partners.get(sender)
        if not known.active:
            raise NotAuthentic(f"{sender} is {known.status.value} at this node", fix="Ask its operator to resume you")
        return known

    def _within_bounds(self, admission: Admission) -> Admission:
        """The admission, its items set aside that would give a partner more profiles than one may have."""
        most = sum([1 + len(one.record.portions) + len(one.substitutes) for one in admission.admitted])
        origins = {one.record.header.originator for one in admission.admitted}
        if all(self._store.profiles.taken(origin) + most <= PARTNER_PROFILES for origin in origins):
            return admission
        added: dict[str, set[tuple[str, str, bytes]]] = defaultdict(set)
        admitted, refused = list[Admitted](), [*admission.refused]
        for one in admission.admitted:
            problem = self._crowded(one, added)
            if problem is None:
                admitted.append(one)
            else:
                refused.append(Refused(one.item, one.index, problem))
        return replace(admission, admitted=admitted, refused=refused)

    def _crowded(self, one: Admitted, added: dict[str, set[tuple[str, str, bytes]]]) -> TooLarge | None:
        """Whether the profiles of one item are too many beside those `added` by others, to which they are added."""
        header, profiles = one.record.header, self._store.profiles
        parts = [*one.record.portions, *(portion for portion, _ in one.substitutes)]
        labels = [bytes(header.label), *(portion.raw_label for portion in parts)]
        new = profiles.lacking(header.kind, header.project, header.originator, labels)
        both = added[header.originator] | new
        if new and profiles.taken(header.originator) + len(both) > PARTNER_PROFILES:
            return TooLarge(
                f"records of {header.originator} came under {PARTNER_PROFILES:,} combinations of label, kind and"
                " project, and this is one more",
                fix=f"Ask {header.originator} to mark its records more alike; under those in use all are admitted",
            )
        added[header.originator] = both
        return None

    def _keep(self, admission: Admission) -> None:
        """Store what was admitted, quarantine what was not, move the cursor, tell the ledger."""
        manifest, digest = admission.bundle.manifest, admission.bundle.digest
        aside = [one.index for one in admission.refused]
        above = bool(self._partners.above())  # they ask for the originator's own word
        onward = [one.index for one in admission.admitted if above or one.commitment.onward]
        proofs = self._proofs(admission, [*aside, *onward])
        self._put(admission.admitted, manifest.origin, proofs)
        now, below = self._core.clock.now(), self._partners.below(manifest.origin)
        for refused in admission.refused:
            data = set_aside(refused.item, proofs[refused.index])
            text = str(refused.error)[:_TEXT]
            entry = self._store.quarantine.add(manifest.origin, refused.error.code, text, data, now, sha256(data))
            if below:  # it is told that all is well, and sends a file once
                self._attachments.expect(entry, refused.item, manifest.origin)
            self._audit.write("quarantine", sha256(data).hex(), verdict=refused.error.code, reasons=[text])
        cursor = admission.cursor
        self._store.partners.advance(manifest.origin, Place(str(cursor.epoch), cursor.seq, digest))
        counts = f"{len(admission.admitted)} admitted, {len(admission.refused)} quarantined"
        self._audit.write("admission", digest.hex(), verdict="admitted", reasons=[counts], actor=manifest.origin)

    def _put(self, admitted: Sequence[Admitted], source: str, proofs: Mapping[int, Grant]) -> None:
        substitutes = {
            one.record.digest: [Substitute(portion, words) for portion, words in one.substitutes]
            for one in admitted
            if one.substitutes
        }
        now, records = self._core.clock.now(), [one.record for one in admitted]
        stored = self._store.records.put(records, now, source, substitutes)
        self._attachments.describe(records, stored.seqs, source)
        for one in admitted:
            if one.record.header.kind in (RECALL, ANSWER):
                self._recalls.arrived(one.record, source)
        held = self._store.grants.of(stored.seqs) if self._partners.above() else None
        grants = dict[int, Grant]()
        for one, seq in zip(admitted, stored.seqs, strict=True):
            if one.item.grant is None and one.index in proofs and (one.commitment.onward or held is not None):
                grants[seq] = proofs[one.index]
            elif one.item.grant is not None and held is not None and seq not in held:
                grants[seq] = one.item.grant  # its sender's to use, but for the proof to nodes above
        self._store.grants.put(grants)
        more = sorted({*stored.grown, *grants} - {*stored.added})  # held before, and now there is more to pass on
        for known in self._partners.all() if more else ():
            self._store.exchange.defer(known.node, [(seq, now) for seq in more])
        if not _POLICY_KINDS.isdisjoint({one.record.header.kind for one in admitted}):
            self._core.policy_changed()

    @staticmethod
    def _proofs(admission: Admission, indexes: Sequence[int]) -> dict[int, Grant]:
        if not indexes:
            return {}
        paths = inclusion_proofs([leaf_hash(item.commitment) for item in admission.bundle.items])
        return {index: grant_of(admission.bundle, index, paths[index]) for index in indexes}

    def _refuse(self, sender: str | None, body: bytes, error: AldisError) -> None:
        """Write down a bundle that was not believed, once; a mere repetition is not worth a line."""
        if isinstance(error, Stale):
            return
        with self._store.transaction():
            if told_first(self._store, sender or "file", sha256(body), error.code):
                self._alarm(sender or "file", sha256(body), error)
        if isinstance(error, Forked):
            now = self._core.clock.now()
            self._store.quarantine.add(sender or "file", error.code, str(error)[:_TEXT], body, now, sha256(body))

    def _alarm(self, source: str, digest: bytes, error: AldisError) -> None:
        self._audit.write("quarantine", digest.hex(), verdict=error.code, reasons=[str(error)[:_TEXT]], actor=source)
