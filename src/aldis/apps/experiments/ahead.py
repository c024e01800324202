"""When a system is sent predictions: between reports, of what it was sent itself, and for no longer than the bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from aldis.apps.experiments.entity import Entity, Track
from aldis.apps.experiments.entity.reckoning import bound_ms

__all__ = ["EVERY_MS", "Ahead"]

EVERY_MS = 1_000
"""A prediction is sent this long after the last report or prediction of the same thing."""
_LIMIT = 20_000


class Ahead:
    """What one system was sent last of each track; nothing else decides when a prediction is due.

    So neither how many there are nor when they come tells anything of what the system was not sent.
    """

    def __init__(self, every_ms: int = EVERY_MS) -> None:
        self._every = every_ms
        self._next: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def sent(self, slot: tuple[str, str], entity: Entity, now: int) -> None:
        """A report of this was sent at `now`."""
        self._next.pop(slot, None)
        if isinstance(entity, Track) and entity.position is not None and entity.position.at is not None:
            self._next[slot] = (now + self._every, entity.position.at + bound_ms(entity))
            if len(self._next) > _LIMIT:
                self._next.popitem(last=False)

    def due(self, now: int) -> Sequence[tuple[str, str]]:
        """The tracks of which a prediction is to be sent at `now`, those sent first before others."""
        found = [slot for slot, (when, _) in self._next.items() if when <= now]
        for slot in found:
            _, end = self._next.pop(slot)
            if now + self._every <= end:
                self._next[slot] = (now + self._every, end)
        return found
