"""What goes: the content of the attachments that delivered portions describe, a piece at a time, or into files.

It is decided again whether a portion may still go before its content goes, and every second while it does: a record
that was superseded, recalled or put on hold, or that the rules no longer let go, stops. The partner says how much it
holds; that is the only truth about where to go on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from aldis.kernel.attachments import CHUNK_LIMIT, chunk_head
from aldis.kernel.errors import NotAuthentic, Unavailable
from aldis.kernel.messages import Content, ContentReceipt, sign_message
from aldis.node.attachments.folder import PIECE, Folder
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.store import Outgoing as Row
from aldis.node.whole import whole_file

__all__ = ["CONTENT_SUFFIX", "Outgoing", "Piece"]

CONTENT_SUFFIX = ".content"
_LEAST, _MOST = 64 * 1024, CHUNK_LIMIT
_FIRST = 1024 * 1024
_QUICK_MS, _SLOW_MS = 250, 2_000
_AGAIN_MS = 1_000
_LATER_MS = 60_000
_STALLED = 2
_TEXT = 500

Permitted = Callable[[str, int, bytes], bool]
"""Whether a portion (its digest) of a row may go to a partner as it is, decided now."""


class Piece(msgspec.Struct, frozen=True):
    """A piece of a content on its way: the row it belongs to, where it begins, how much it is, and when it left."""

    row: Row
    offset: int
    size: int
    at: int


@dataclass(slots=True)
class _State:
    """What is under way to one partner in this process; `held` is None until the partner has said it."""

    row: Row | None = None
    held: int | None = None
    handle: int = -1
    decided: int = 0
    change: int = -1
    stalled: int = 0
    size: int = _FIRST
    read: int = 0
    aside: dict[int, tuple[int, int]] = field(default_factory=dict)
    ready: tuple[int, bytearray] | None = None


class Outgoing:
    """Sends contents to partners, one after the other."""

    def __init__(self, core: Core, audit: Audit, folder: Folder, permitted: Permitted) -> None:
        self._core = core
        self._audit = audit
        self._folder = folder
        self._permitted = permitted
        self._store = core.store.attachments
        self._states: dict[str, _State] = {}

    def next(self, partner: str) -> tuple[bytearray, Piece] | None:
        """The body that carries the next piece for a partner, and what it carries; None where nothing may go now."""
        state = self._states.setdefault(partner, _State())
        row = self._current(partner, state)
        if row is None:
            return None
        now, size = self._core.clock.now(), 0
        if state.held is not None or row.size <= state.size:
            size = min(state.size, row.size - (state.held or 0))
        return self._take(state, row, state.held or 0, size, now)

    def following(self, partner: str, piece: Piece) -> tuple[bytearray, Piece] | None:
        """As `next`, while a piece is not answered yet: the one that follows it, where all before it has arrived."""
        state, offset = self._states.setdefault(partner, _State()), piece.offset + piece.size
        if state.row is None or state.row.id != piece.row.id or not piece.size or offset >= piece.row.size:
            return None
        if state.held is not None and state.held != piece.offset:
            return None
        row = self._current(partner, state)
        if row is None or row.id != piece.row.id:
            return None
        return self._take(state, row, offset, min(state.size, row.size - offset), self._core.clock.now())

    def ahead(self, partner: str, piece: Piece) -> None:
        """While a piece is on its way, read the one that follows it."""
        state, offset = self._states.setdefault(partner, _State()), piece.offset + piece.size
        if state.row is not None and state.row.id == piece.row.id and piece.size > 0 and offset < piece.row.size:
            state.ready = offset, self._read(state, offset, min(state.size, piece.row.size - offset))

    def answered(self, partner: str, piece: Piece, receipt: ContentReceipt) -> None:
        """Take in what a partner says to a piece.

        Raises:
            NotAuthentic: it speaks of another content, or of more than there is.
        """
        row, state = piece.row, self._states.setdefault(partner, _State())
        if receipt.digest != row.digest.hex() or receipt.held > row.size:
            raise NotAuthentic(f"{partner} answers for another content than the one it was sent")
        if state.row is None or state.row.id != row.id:
            return  # the answer to the piece before has settled it
        now = self._core.clock.now()
        self._pace(state, piece, now - piece.at)
        if receipt.state == "partial":
            state.stalled = 0 if state.held is None or receipt.held > state.held else state.stalled + 1
            state.held = receipt.held
            if state.stalled > _STALLED:
                self._set_aside(state, row.id)
        elif receipt.state == "later":
            self._set_aside(state, row.id)
        else:
            self.settle(row, receipt)
            self._let_go(state)

    def settle(self, row: Row, receipt: ContentReceipt) -> None:
        """Keep that a partner has a content, or refuses it, with a leaf."""
        done = receipt.state == "whole"
        said = msgspec.structs.replace(
            row, sent=row.size if done else row.sent, state="done" if done else "refused",
            because=receipt.reason[:_TEXT], at=self._core.clock.now(),
        )  # fmt: skip
        with self._core.store.transaction():
            self._store.set_outgoing(said)
            reasons = [row.partner, f"attachment of {row.size} bytes", *([said.because] if said.because else [])]
            self._audit.write("release", row.digest.hex(), verdict=said.state, reasons=reasons)

    def left(self, row: Row, name: str) -> None:
        """Keep that a content has left one way in the file of this name: nobody will say that it came."""
        with self._core.store.transaction():
            now = self._core.clock.now()
            self._store.set_outgoing(msgspec.structs.replace(row, sent=row.size, state="done", at=now))
            self._audit.write("export", row.digest.hex(), verdict="written", reasons=[row.partner, name])

    def forget(self, partner: str) -> None:
        """After a failure, ask the partner anew how much it has."""
        state = self._states.get(partner)
        if state is not None:
            state.size = max(_LEAST, state.size // 2)
            self._let_go(state)

    def files(self, partner: str, folder: Path) -> Iterator[tuple[Row, Path]]:
        """Write each content that waits for a partner, and may go, to a file; each as it is written.

        Raises:
            Unavailable: the folder cannot be written to.
        """
        after = 0
        while rows := self._store.waiting(partner, after):
            for row in rows:
                if self._permitted(partner, row.record_seq, row.portion):
                    yield row, self._write(row, folder)
            after = rows[-1].id

    def close(self) -> None:
        """Let go of the files."""
        for state in self._states.values():
            self._let_go(state)

    def _write(self, row: Row, folder: Path) -> Path:
        path = folder / f"{self._core.node}-{row.partner}-{row.digest.hex()}{CONTENT_SUFFIX}"
        head = sign_message(Content(self._core.node, row.partner, row.digest.hex(), row.size), self._core.signer)
        handle = self._folder.open(row.digest)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as file:
                file.write(len(head).to_bytes(4, "big") + head)
                while data := os.read(handle, PIECE):
                    file.write(data)
        except OSError as error:
            raise Unavailable(
                f"{path} cannot be written: {error.strerror}", fix="Free space or name another folder"
            ) from error
        finally:
            os.close(handle)
        return path

    def _take(self, state: _State, row: Row, offset: int, size: int, now: int) -> tuple[bytearray, Piece]:
        """The piece that begins there, read ahead or now."""
        ready, state.ready = state.ready, None
        if ready is None or ready[0] != offset or not size:
            return self._read(state, offset, size), Piece(row, offset, size, now)
        return ready[1], Piece(row, offset, state.read, now)

    def _read(self, state: _State, offset: int, size: int) -> bytearray:
        row = state.row
        head = chunk_head(row.digest, offset, size) if row is not None else b""
        body = bytearray(len(head) + size)
        body[: len(head)] = head
        if row is None or os.preadv(state.handle, [memoryview(body)[len(head) :]], offset) != size:
            raise Unavailable("the content of an attachment is shorter than it was", fix="Run `aldis doctor`")
        state.read = size
        return body

    def _current(self, partner: str, state: _State) -> Row | None:
        now, change = self._core.clock.now(), self._core.policy_change()
        if state.row is not None and self._still(partner, state, now, change):
            return state.row
        self._let_go(state)
        after = 0
        while rows := self._store.waiting(partner, after):
            for row in rows:
                if state.aside.get(row.id, (-1, 0)) > (change, now):
                    continue
                if self._permitted(partner, row.record_seq, row.portion):
                    state.row, state.decided, state.change = row, now, change
                    state.handle = self._folder.open(row.digest)
                    return row
                state.aside[row.id] = (change, now + _LATER_MS)
            after = rows[-1].id
        return None

    def _still(self, partner: str, state: _State, now: int, change: int) -> bool:
        row = state.row
        if row is None or (state.change == change and now - state.decided < _AGAIN_MS):
            return row is not None
        if not self._permitted(partner, row.record_seq, row.portion):
            self._set_aside(state, row.id)
            return False
        state.decided, state.change = now, change
        self._store.set_outgoing(msgspec.structs.replace(row, sent=state.held or 0, at=now))
        return True

    def _set_aside(self, state: _State, number: int) -> None:
        """Try this one again in a while, or as soon as the rules change."""
        state.aside[number] = (self._core.policy_change(), self._core.clock.now() + _LATER_MS)
        self._let_go(state)

    def _let_go(self, state: _State) -> None:
        if state.handle >= 0:
            os.close(state.handle)
        state.row, state.held, state.handle, state.stalled, state.ready = None, None, -1, 0, None

    @staticmethod
    def _pace(state: _State, piece: Piece, took: int) -> None:
        """Send more at once where the way is quick, less where it is slow, so that records never wait long."""
        if piece.size == state.size and took < _QUICK_MS:
            state.size = min(_MOST, state.size * 2)
        elif took > _SLOW_MS:
            state.size = max(_LEAST, state.size // 2)
