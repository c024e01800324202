"""The sending side of the exchange with one partner, without any I/O: what to call next, and what an answer means.

One call is in flight at a time. After any failure the partner is greeted first: its cursor is the only truth about
what has arrived.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Literal

import msgspec

from aldis.kernel.bundles import Stream
from aldis.kernel.encoding import digest_from_hex, unb64
from aldis.kernel.errors import AldisError, Forked, NotAuthentic, RefusedByPolicy, Stale, Unavailable
from aldis.kernel.ledger import verify_checkpoint
from aldis.kernel.messages import ContentReceipt, Cursor, Greeting, Receipt, Welcome, open_message, sign_message
from aldis.node.attachments import Attachments, Piece
from aldis.node.audit import Audit, own_part
from aldis.node.core import Core
from aldis.node.outbound import Outbound
from aldis.node.partners import Known, Partners
from aldis.node.restored import begin_anew, check_not_restored, restored
from aldis.node.store import Acknowledged, Sealed

__all__ = ["Call", "Exchange", "State"]


class Call(msgspec.Struct, frozen=True):
    """What to call at a partner, and with which body."""

    operation: Literal["greet", "deliver"]
    body: bytes | bytearray
    sealed: Sealed | None = None
    piece: Piece | None = None
    note: bytes = b""


@dataclass(slots=True)
class State:
    """Where the exchange with a partner stands in this process; everything that must last is in the store."""

    greeted: bool = False
    checkpoint_at: int = 0
    cosigned: int = 0
    looked: bool = False
    looked_at: int = 0
    problem: AldisError | None = None
    last_contact: int = 0
    clock: int | None = None


class Exchange:
    """One partner after another, each with its own state."""

    def __init__(
        self, core: Core, audit: Audit, partners: Partners, outbound: Outbound, attachments: Attachments
    ) -> None:
        self._contents = attachments.outgoing
        self._core = core
        self._audit = audit
        self._partners = partners
        self._outbound = outbound
        self._store = core.store
        self._states: dict[str, State] = {}

    def state(self, node: str) -> State:
        """Where the exchange with a partner stands."""
        return self._states.setdefault(node, State())

    @property
    def epoch(self) -> int:
        """The epoch of this node's streams; it grows when a store was restored from a backup."""
        return self._store.meta.number(_EPOCH) or 1

    def next_call(self, node: str) -> Call | None:
        """What to call at a partner now; None where there is nothing to say, or nothing may be said.

        Records go first: a piece of an attachment goes where no bundle waits, and while pieces go it is looked again
        every _LOOK_MS.
        """
        known, state = self._partners.get(node), self.state(node)
        if not known.active or restored(self._store) is not None:
            return None
        now = self._core.clock.now()
        if self._due(state, now):
            return self._greeting(known, state, now)
        looked, state.looked = state.looked, False
        sealed = None if looked else self.next_bundle(node)
        if sealed is not None and sealed.data:
            return Call("deliver", sealed.data, sealed)
        found = self._contents.next(node)
        return Call("deliver", found[0], piece=found[1]) if found else None

    def following(self, node: str, call: Call) -> Call | None:
        """What to call before a piece of an attachment is answered: the piece after it, unless something else waits."""
        known, state = self._partners.get(node), self.state(node)
        if call.piece is None or not known.active or not state.looked or self._due(state, self._core.clock.now()):
            return None
        found = self._contents.following(node, call.piece)
        return Call("deliver", found[0], piece=found[1]) if found else None

    def next_bundle(self, node: str, after: int = 0) -> Sealed | None:
        """The oldest bundle after item `after` that the partner has not acknowledged, sealed now if there was none.

        One whose content may no longer go, or was superseded, is withdrawn with all that follow, and decided again.

        Raises:
            RefusedByPolicy: it may no longer go, and has left in a file already.
            InvalidInput: this store was restored from a backup, and no new epoch has begun.
        """
        check_not_restored(self._store)
        waiting = next(iter(self._store.exchange.sealed(node, 1, after)), None)
        if waiting is not None:
            left = self._store.meta.number(exported_to(node)) >= waiting.first
            if self._outbound.permitted(node, waiting):
                if left or self._outbound.newest(node, waiting):
                    return waiting
            elif left:
                raise RefusedByPolicy(
                    f"items {waiting.first} to {waiting.last} for {node} left in a file, and may no longer go",
                    fix=f"Import {node}'s receipt if it has them, else run `aldis doctor --new-epoch {node}`",
                )
            with self._store.transaction():
                self._store.withdrawals.withdraw(node, waiting.first)
                self._audit.write("release", waiting.digest.hex(), verdict="withdrawn", reasons=[node])
        return self._outbound.fill(node, self.stream(node))

    def left(self, node: str, sealed: Sealed, name: str) -> None:
        """Keep that a bundle has left for a partner in the file of this name."""
        key = exported_to(node)
        with self._store.transaction():
            self._store.meta.set_number(key, max(self._store.meta.number(key), sealed.last))
            self._store.attachments.queue(node, sealed.first, sealed.last, self._core.clock.now())
            self._audit.write("export", sealed.digest.hex(), verdict="written", reasons=[node, name])

    def ahead(self, node: str, call: Call) -> None:
        """While a full bundle is on its way, seal the one that follows it; it is looked at again before it goes.

        While a piece of an attachment is, read the one that follows, and look now and then whether a bundle waits.
        """
        if call.piece is not None:
            self._contents.ahead(node, call.piece)
            state, now = self.state(node), self._core.clock.now()
            if abs(now - state.looked_at) >= _LOOK_MS:
                state.looked_at = now if self.next_bundle(node) is None else 0
            state.looked = state.looked_at > 0
            return
        sealed = call.sealed
        if sealed is None or sealed.last - sealed.first + 1 < self._core.config.batch:
            return
        if self._store.exchange.last(node) == sealed.last:
            self._outbound.fill(node, self.stream(node))

    def stream(self, node: str) -> Stream:
        """What the next bundle to a partner follows."""
        last = self._store.exchange.last_sealed(node)
        first, previous = (last.last + 1, last.digest) if last else (1, b"")
        return Stream(self._core.node, node, self.epoch, first, previous)

    def _due(self, state: State, now: int) -> bool:
        """Whether the partner is to be greeted."""
        return not state.greeted or now - state.checkpoint_at >= self._core.config.checkpoint_s * 1000

    def answered(self, node: str, call: Call, answer: bytes) -> None:
        """Take a partner's answer in.

        Raises:
            NotAuthentic: not signed by the partner, or for another.
            Forked: the partner has admitted what this node did not send: one of the stores was restored.
        """
        known, state = self._partners.get(node), self.state(node)
        if call.operation == "greet":
            welcome = open_message(answer, Welcome, known.sheet.pinned)
            self._addressed(welcome.origin, welcome.audience, node)
            self._note_clock(node, state, welcome.at - self._core.clock.now())
            self.reconcile(node, welcome.cursor, answer)
            if welcome.cosignature and call.note:
                self._audit.accept_cosignature(node, unb64(known.sheet.ledger_key), call.note, welcome.cosignature)
            state.cosigned = welcome.cosigned
            state.greeted = True
        elif call.piece is not None:
            receipt = open_message(answer, ContentReceipt, known.sheet.pinned)
            self._addressed(receipt.origin, receipt.audience, node)
            self._contents.answered(node, call.piece, receipt)
        else:
            self.receipt(answer, known)
        if state.problem is not None or not state.last_contact:
            self._store.meta.set(problem_of(node), b"")
        state.problem = None
        state.last_contact = self._core.clock.now()

    def _note_clock(self, node: str, state: State, ahead: int) -> None:
        """Keep how far a partner's clock is ahead, in ms, where that is more than it takes to answer."""
        ahead = ahead if abs(ahead) >= _SKEW_MS else 0
        if state.clock is None:
            state.clock = int(self._store.meta.get(clock_of(node)) or b"0")
        if abs(ahead - state.clock) >= _SKEW_MS or (not ahead and state.clock):
            self._store.meta.set(clock_of(node), b"%d" % ahead)
            state.clock = ahead

    def receipt(self, data: bytes, known: Known) -> Receipt:
        """Take a receipt in, from the network or a file.

        Raises:
            Stale: a later one was taken in before.
            NotAuthentic, Forked: as `answered`.
        """
        receipt = open_message(data, Receipt, known.sheet.pinned)
        self._addressed(receipt.origin, receipt.audience, known.node)
        acknowledged = self._store.partners.acknowledged(known.node)
        before = (self.epoch, acknowledged.seq if acknowledged else 0)
        if (receipt.cursor.epoch, receipt.cursor.seq) < before:
            raise Stale(
                f"{known.node} gave a receipt for item {before[1]} of epoch {before[0]} after this one",
                fix="There is nothing to do",
            )
        self.reconcile(known.node, receipt.cursor, data)
        return receipt

    def failed(self, node: str, error: AldisError) -> None:
        """Note that a call failed; the partner is greeted again before anything is sent."""
        state = self.state(node)
        before, state.greeted, state.problem = state.problem, False, error
        self._contents.forget(node)
        if before is None or str(before) != str(error):
            with contextlib.suppress(Unavailable):  # the disk may be what failed
                self._store.meta.set(problem_of(node), f"{error.args[0]}\n{error.fix}".encode())

    def reconcile(self, node: str, cursor: Cursor, proof: bytes) -> None:
        """Let a partner's cursor say what has arrived.

        Raises:
            Forked: the cursor names a bundle that this node never sealed, or goes back behind a receipt.
        """
        store, epoch = self._store, self.epoch
        with store.transaction():
            acknowledged = store.partners.acknowledged(node)
            before = acknowledged.seq if acknowledged else 0
            if cursor.epoch < epoch and not before:
                return
            if cursor.epoch != epoch or cursor.seq < before:
                raise Forked(
                    f"{node} is at item {cursor.seq} of epoch {cursor.epoch}, after a receipt for {before} of {epoch}",
                    fix=f"One of the two stores was restored from a backup: run `aldis doctor --new-epoch {node}`",
                )
            if cursor.seq == before:
                return
            digest = digest_from_hex(cursor.digest)
            sealed = store.exchange.sealed_to(node, str(epoch), cursor.seq)
            if sealed is None or sealed.digest != digest:
                sealed = store.withdrawals.reinstate(node, digest)
            if sealed is None:
                raise Forked(
                    f"{node} has admitted item {cursor.seq}, which this store never sealed",
                    fix=f"This store was restored from a backup: run `aldis doctor --new-epoch {node}`",
                )
            store.exchange.acknowledge(node, Acknowledged(str(epoch), cursor.seq, digest, proof))
            store.attachments.queue(node, before + 1, cursor.seq, self._core.clock.now())
            self._audit.write("receipt", digest.hex(), verdict="acknowledged", reasons=[node, str(cursor.seq)])

    def new_epoch(self, because: str) -> int:
        """Begin every stream anew after this store, or a partner's, was restored; what partners hold is not lost.

        Everything is decided again and sent again; a record that a partner holds already is simply acknowledged.
        """
        with self._store.transaction():
            self._store.meta.set_number(_EPOCH, max(self.epoch + 1, self._core.clock.now()))
            begin_anew(self._store)
            for known in self._partners.all():
                self._store.withdrawals.restart(known.node)
                self._store.meta.set_number(exported_to(known.node), 0)
            self._audit.write("epoch", str(self.epoch), verdict="begun", reasons=[because])
        self._states.clear()
        return self.epoch

    def _greeting(self, known: Known, state: State, now: int) -> Call:
        core = self._core
        note = b"" if self._partners.below(known.node) else self._audit.checkpoint()  # its size would tell
        proof: list[str] = []
        if note and 0 < state.cosigned <= verify_checkpoint(note, core.ledger, core.note_signer.public).size:
            proof = self._audit.consistency(state.cosigned, note)
        state.checkpoint_at = now
        greeting = Greeting(core.node, known.node, now, self.epoch, own_part(note), state.cosigned, proof)
        return Call("greet", sign_message(greeting, core.signer), note=note)

    def _addressed(self, origin: str, audience: str, node: str) -> None:
        if (origin, audience) != (node, self._core.node):
            raise NotAuthentic(f"an answer from {origin} to {audience}, expected {node} to {self._core.node}")


def exported_to(node: str) -> str:
    """The store's key for the last item that left for a partner in a file."""
    return f"exported to {node}"


def clock_of(node: str) -> str:
    """The store's key for how far a partner's clock is ahead of this node's, ms in decimal digits."""
    return f"clock of {node}"


def problem_of(node: str) -> str:
    """The store's key for what last went wrong with a partner and, on a line of its own, its fix; else empty."""
    return f"problem with {node}"


_EPOCH = "stream epoch"
_SKEW_MS = 5_000
_LOOK_MS = 250
