"""What is said of many things, each at most so often: at once where it was silent, and otherwise once it may again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from typing import Generic, TypeVar

__all__ = ["Cadence"]

_Name = TypeVar("_Name", bound=Hashable)


class Cadence(Generic[_Name]):
    """Keeps what changed until it may be said; `every` is the least time between saying one thing twice.

    Times are in whatever unit `every` is, of a clock that does not go back. Only what changed, and what was said less
    than `every` ago, is kept.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self._ready: dict[_Name, None] = {}
        self._said: OrderedDict[_Name, float] = OrderedDict()
        self._again: set[_Name] = set()
        self._some = asyncio.Event()

    def change(self, name: _Name) -> None:
        """Something of this name has changed."""
        if name in self._said:
            if not self._again:
                self._some.set()  # whoever waits knows of nothing that will be due
            self._again.add(name)
        elif name not in self._ready:
            self._ready[name] = None
            self._some.set()

    def __contains__(self, name: _Name) -> bool:
        """Whether it will be said again in any case."""
        return name in self._ready or name in self._again

    def forget(self, name: _Name) -> None:
        """Nothing is to be said of it any more."""
        self._ready.pop(name, None)
        self._again.discard(name)

    def due(self, now: float) -> list[_Name]:
        """What is to be said now, what changed first at the beginning; it then counts as said."""
        while self._said:
            name, at = next(iter(self._said.items()))
            if now - at < self._every:
                break
            del self._said[name]
            if name in self._again:
                self._again.remove(name)
                self._ready[name] = None
        found, self._ready = list(self._ready), {}
        for name in found:
            self._said[name] = now
        return found

    def pause(self, now: float) -> float:
        """How long there will be nothing to say, unless something changes."""
        if self._ready:
            return 0.0
        if not self._again:
            return self._every
        return max(0.0, next(iter(self._said.values())) + self._every - now)

    async def wait(self, seconds: float) -> None:
        """Return once something changed, or after that time."""
        self._some.clear()
        if not self._ready:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._some.wait()
