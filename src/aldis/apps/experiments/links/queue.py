"""What has arrived and was not taken yet: bounded, the oldest shed and counted."""

from __future__ import annotations

import asyncio
from collections import deque

from aldis.apps.experiments.links.link import Piece

__all__ = ["Arrivals"]


class Arrivals:
    """Pieces in the order in which they came; of more than `most`, or `most_bytes`, the oldest are shed."""

    def __init__(self, most: int = 4_096, most_bytes: int = 16 * 1024 * 1024) -> None:
        self.shed = 0
        self._most, self._most_bytes = most, most_bytes
        self._pieces: deque[Piece] = deque()
        self._bytes = 0
        self._ended = False
        self._news = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether the next piece would shed another; a link that can make the other side wait does."""
        return len(self._pieces) >= self._most or self._bytes >= self._most_bytes

    def put(self, piece: Piece) -> None:
        """Let a piece wait; that a connection has ended sheds nothing."""
        while self.full and not piece.ended:
            self._bytes -= len(self._pieces.popleft().data)
            self.shed += 1
        self._pieces.append(piece)
        self._bytes += len(piece.data)
        self._news.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._news.set()

    async def take(self) -> Piece:
        """The oldest piece, as soon as there is one.

        Raises:
            EOFError: none waits and none will come.
        """
        while not self._pieces:
            if self._ended:
                raise EOFError
            self._news.clear()
            await self._news.wait()
        piece = self._pieces.popleft()
        self._bytes -= len(piece.data)
        return piece
