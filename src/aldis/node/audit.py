"""The node's ledger at work: leaves written beside what they tell of, checkpoints, proofs, and what partners cosign."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import Forked, NotAuthentic, VerificationFailed
from aldis.kernel.ledger import (
    Checkpoint,
    Frontier,
    Leaf,
    LeafType,
    add_signature,
    consistency_proof,
    cosign,
    encode_leaf,
    inclusion_proof,
    leaf_hash,
    parse_note,
    sign_checkpoint,
    verify_checkpoint,
    verify_consistency,
    verify_cosignature,
    verify_inclusion,
)
from aldis.kernel.records import Record
from aldis.node.core import Core, ledger_name

__all__ = ["Audit", "Proof", "check_proof", "cosigners", "own_part"]

_TEXT = 500
_REASONS = 32


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That one leaf stands in a node's ledger: the leaf, its path (hex), and the checkpoint with its cosignatures."""

    node: str
    index: int
    leaf: str
    path: list[str]
    checkpoint: str


class Audit:
    """Writes and proves the ledger."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ledger = core.store.ledger

    def write(
        self,
        leaf_type: LeafType,
        subject: str,
        *,
        verdict: str = "",
        reasons: Sequence[str] = (),
        decided: bytes = b"",
        epoch: bytes = b"",
        actor: str = "",
    ) -> None:
        """One leaf, in the transaction that is open; `decided` is the input, kept so that `replay` can decide again."""
        if decided:
            self._ledger.add_snapshot(decided)
        self._ledger.append([self._leaf(leaf_type, subject, verdict, reasons, sha256(decided), epoch, actor)])

    def write_put(self, records: Iterable[Record]) -> None:
        """One leaf for each record that was labelled and put here, in the transaction that is open."""
        nothing = sha256(b"")
        self._ledger.append(
            [
                self._leaf(
                    "label", record.digest.hex(), "put", [record.header.kind], nothing, b"", record.header.author
                )
                for record in records
            ]
        )

    def _leaf(
        self,
        leaf_type: LeafType,
        subject: str,
        verdict: str,
        reasons: Sequence[str],
        decided: bytes,
        epoch: bytes,
        actor: str,
    ) -> bytes:
        leaf = Leaf(
            at=self._core.clock.now(),
            type=leaf_type,
            input=decided.hex(),
            epoch=epoch.hex(),
            verdict=verdict,
            reasons=tuple(reason[:_TEXT] for reason in reasons[:_REASONS]),
            subject=subject[:_TEXT],
            actor=(actor or self._core.node)[:_TEXT],
        )
        return encode_leaf(leaf)

    def checkpoint(self) -> bytes:
        """The signed checkpoint of the ledger as it stands, new or as signed before; b"" while it is empty."""
        with self._core.store.transaction():
            size, root = self._ledger.root()
            held = self._ledger.checkpoint(size=size) if size else None
            if held is not None or not size:
                return held[1] if held else b""
            signer = self._core.note_signer
            note = sign_checkpoint(Checkpoint(self._core.ledger, size, root), signer.public, signer.sign)
            self._ledger.add_checkpoint(size, note)
            return note

    def consistency(self, old_size: int, note: bytes) -> list[str]:
        """The proof, digests in hex, that the ledger at `note` continues the ledger of `old_size` leaves."""
        signer = self._core.note_signer
        checkpoint = verify_checkpoint(note, self._core.ledger, signer.public)
        return [digest.hex() for digest in consistency_proof(self._ledger.reader(), old_size, checkpoint.size)]

    def cosign_partner(
        self, partner: str, ledger_key: bytes, note: bytes, proof: Iterable[str], *, since: int
    ) -> tuple[int, str]:
        """Cosign a partner's checkpoint if it continues the one cosigned before: its size and the signature line.

        Raises:
            Forked: it does not; the checkpoint is kept as evidence, and the ledger tells of it once for each one
                cosigned that is not continued, however often the partner tries.
            NotAuthentic: the partner's ledger key did not sign it.
        """
        name = ledger_name(partner)
        checkpoint = verify_checkpoint(note, name, ledger_key)
        with self._core.store.transaction():
            held = self._latest(name, partner, ledger_key)
            before = verify_checkpoint(held, name, ledger_key) if held else None
            if before is not None and since != before.size:
                return before.size, ""
            if before is None or _continues(before, checkpoint, proof):
                signer = self._core.note_signer
                line = cosign(note, self._core.ledger, signer.public, signer.sign, self._core.clock.now() // 1000)
                if before is None or checkpoint.size > before.size:
                    self._ledger.add_checkpoint(checkpoint.size, add_signature(note, line), name)
                return checkpoint.size, line.decode()
            forked = self._forked(partner, before.size)
            if self._ledger.checkpoint(_refused(partner), before.size) is None:
                self._ledger.add_checkpoint(before.size, note, _refused(partner))
                self.write("quarantine", sha256(note).hex(), verdict=forked.code, reasons=[str(forked)], actor=partner)
        raise forked

    def refused(self, partner: str, ledger_key: bytes) -> Forked | None:
        """Why a partner's ledger was refused, until `accept_ledger`; None where it was not."""
        if self._latest(_refused(partner), partner, ledger_key) is None:
            return None
        size, _ = self._ledger.checkpoint(_refused(partner)) or (0, b"")
        return self._forked(partner, size)

    def accept_ledger(self, partner: str) -> None:
        """Keep what was cosigned and refused of a partner's ledger as mere evidence, in the open transaction."""
        for kept in (ledger_name(partner), _refused(partner)):
            self._ledger.rename_checkpoints(kept, f"{kept} until {self._core.clock.now()}")

    def _latest(self, origin: str, partner: str, ledger_key: bytes) -> bytes | None:
        """The last checkpoint kept of a partner's ledger; one by the key before a new pairing is of another ledger."""
        held = self._ledger.checkpoint(origin)
        try:
            if held is not None:
                verify_checkpoint(held[1], ledger_name(partner), ledger_key)
        except NotAuthentic:
            return None
        return held[1] if held else None

    def _forked(self, partner: str, size: int) -> Forked:
        return Forked(
            f"the ledger of {partner} does not continue the one cosigned at {size} leaves",
            fix="Its store was restored or its ledger rewritten: ask its operator which, then run"
            f" `aldis partner accept-ledger {partner} --because TEXT` at {self._core.node}",
        )

    def accept_cosignature(self, partner: str, ledger_key: bytes, note: bytes, line: str) -> None:
        """Keep a partner's cosignature beside our checkpoint, once it verifies."""
        signed = add_signature(note, line.encode())
        verify_cosignature(signed, ledger_name(partner), ledger_key)
        size = verify_checkpoint(note, self._core.ledger, self._core.note_signer.public).size
        with self._core.store.transaction():
            held = self._ledger.checkpoint(size=size)
            self._ledger.add_checkpoint(size, add_signature(held[1] if held else note, line.encode()))

    def prove(self, index: int) -> Proof:
        """That leaf `index` stands in the ledger, under the checkpoint over it that most partners have cosigned.

        Of several the newest; where nobody has cosigned one, the ledger as it stands (`cosigners` says which it is).

        Raises:
            InvalidInput: there is no such leaf.
        """
        leaf, own = self._ledger.leaf(index).data.decode(), self._core.ledger
        over = [(len(cosigners(note, own)), size, note) for size, note in self._ledger.checkpoints() if size > index]
        most, _, held = max(over, default=(0, 0, b""))
        note = held if most else self.checkpoint()
        size = verify_checkpoint(note, self._core.ledger, self._core.note_signer.public).size
        path = inclusion_proof(self._ledger.reader(), index, size)
        return Proof(self._core.node, index, leaf, [digest.hex() for digest in path], note.decode())

    def prove_all(self, indexes: Sequence[int]) -> list[Proof]:
        """As `prove`, of several leaves under one checkpoint: that over the last of them."""
        if not indexes:
            return []
        note = self.prove(max(indexes)).checkpoint
        size = verify_checkpoint(note.encode(), self._core.ledger, self._core.note_signer.public).size
        reader = self._ledger.reader()
        return [
            Proof(
                self._core.node,
                index,
                self._ledger.leaf(index).data.decode(),
                [digest.hex() for digest in inclusion_proof(reader, index, size)],
                note,
            )
            for index in indexes
        ]

    def verify(self) -> tuple[int, int]:
        """Recompute the whole ledger and every checkpoint of it: how many leaves, and how many checkpoints, hold.

        Raises:
            VerificationFailed: a leaf or node was altered or is missing, or a signed checkpoint says otherwise.
        """
        size, _ = self._ledger.verify()
        notes = self._ledger.checkpoints()
        for count, note in notes:
            checkpoint = verify_checkpoint(note, self._core.ledger, self._core.note_signer.public)
            if count > size or Frontier.load(self._ledger.reader(), count).root() != checkpoint.root:
                raise VerificationFailed(
                    f"the ledger is not the one that was signed at {count} leaves",
                    fix="Its store was restored or altered: `aldis doctor` says how to go on",
                )
        return size, len(notes)


def own_part(note: bytes) -> str:
    """A checkpoint of this node's with its own signature alone: who else cosigned is for nobody else to know."""
    text, _, signatures = note.decode().partition("\n\n")
    return f"{text}\n\n{signatures.partition(chr(10))[0]}\n" if note else ""


def cosigners(note: bytes, ledger: str) -> list[str]:
    """The ledgers whose keys cosigned a checkpoint of `ledger`, by name; nothing is verified."""
    return sorted({signature.name for signature in parse_note(note).signatures} - {ledger})


def _refused(partner: str) -> str:
    """The name under which the checkpoints of a partner that were not cosigned are kept, by the size last cosigned."""
    return f"{ledger_name(partner)} refused"


def _continues(before: Checkpoint, after: Checkpoint, proof: Iterable[str]) -> bool:
    try:
        verify_consistency(before.size, before.root, after.size, after.root, [bytes.fromhex(d) for d in proof])
    except VerificationFailed:
        return False
    return True


def check_proof(proof: Proof, ledger_key: bytes) -> Checkpoint:
    """Return the checkpoint under which the leaf verifiably stands.

    Raises:
        VerificationFailed, NotAuthentic: it does not, or the ledger's key did not sign the checkpoint.
    """
    checkpoint = verify_checkpoint(proof.checkpoint.encode(), ledger_name(proof.node), ledger_key)
    path = [bytes.fromhex(digest) for digest in proof.path]
    verify_inclusion(leaf_hash(proof.leaf.encode()), proof.index, checkpoint.size, path, checkpoint.root)
    return checkpoint
