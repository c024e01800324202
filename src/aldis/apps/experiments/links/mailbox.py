"""What has arrived and was not taken yet: bounded, the oldest shed and counted; any thread may leave pieces."""

from __future__ import annotations

import asyncio
from collections import deque
from threading import Lock

from aldis.apps.experiments.links.link import Piece

__all__ = ["WAITING", "Mailbox"]

WAITING = 4096
"""Pieces that may wait."""
_MOST_BYTES = 16 * 1024 * 1024


class Mailbox:
    """Filled from any thread, emptied by one task of the loop in which it was made."""

    def __init__(self, limit: int = WAITING, most_bytes: int = _MOST_BYTES) -> None:
        self.shed = 0
        self._limit, self._most_bytes = limit, most_bytes
        self._bytes = 0
        self._pieces: deque[Piece] = deque()
        self._lock = Lock()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._told = False
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether the next piece would shed another; a link that can make the other side wait does."""
        return len(self._pieces) >= self._limit or self._bytes >= self._most_bytes

    def put(self, piece: Piece) -> None:
        """Leave a piece, and wake who waits: once for all that come before it looks. An end sheds nothing."""
        with self._lock:
            if self._closed:
                return
            while self.full and not piece.ended:
                self._bytes -= len(self._pieces.popleft().data)
                self.shed += 1
            self._pieces.append(piece)
            self._bytes += len(piece.data)
            told, self._told = self._told, True
        if not told:
            self._wake()

    async def take(self) -> Piece:
        """The oldest piece, as soon as there is one.

        Raises:
            EOFError: it was closed, and is empty.
        """
        while True:
            with self._lock:
                if self._pieces:
                    piece = self._pieces.popleft()
                    self._bytes -= len(piece.data)
                    return piece
                if self._closed:
                    raise EOFError
                self._told = False
                self._news.clear()
            await self._news.wait()

    def close(self) -> None:
        """Take no more; what waits can still be taken."""
        with self._lock:
            self._closed = True
        self._wake()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop ended first: nobody waits
            return
