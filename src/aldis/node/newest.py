"""The newest live values that came to this node or went out from it, for whoever looks later than they came.

They are kept in memory alone and by what decides who sees them, so that no flood of values that somebody may not see
pushes out those that they may.
"""

from __future__ import annotations

from collections import OrderedDict

from aldis.app import Live
from aldis.kernel.labels import Label

__all__ = ["Newest"]

SLOTS = 500
"""Entities' portions of one source, label and project that are kept: those that were heard of last."""
_GROUPS = 256
_Group = tuple[str, Label | None, Label, str, str]
_Slot = tuple[str, str]


class Newest:
    """Keeps of each entity's portion the value that came last; `moves` counts what came."""

    def __init__(self) -> None:
        self._groups: OrderedDict[_Group, OrderedDict[_Slot, Live]] = OrderedDict()
        self._where: dict[tuple[str, str, str], _Group] = {}
        self.moves = 0

    def take(self, live: Live) -> None:
        """Keep a value in the place of the one before."""
        update = live.update
        group = (live.source, live.header, live.label, live.project, update.kind)
        slot, place = (update.id, update.portion), (live.source, update.id, update.portion)
        before = self._where.get(place)
        if before is not None and before != group:
            self._groups[before].pop(slot, None)
        held = self._groups.get(group)
        if held is None:
            held = self._groups[group] = OrderedDict()
        held[slot] = live
        held.move_to_end(slot)
        self._groups.move_to_end(group)
        self._where[place] = group
        if len(held) > SLOTS:
            self._forget(group, next(iter(held)))
        if len(self._groups) > _GROUPS:
            oldest = next(iter(self._groups))
            for gone in list(self._groups[oldest]):
                self._forget(oldest, gone)
            del self._groups[oldest]
        self.moves += 1

    def all(self) -> list[Live]:
        """Every value that is kept, of each group the oldest first."""
        return [live for held in list(self._groups.values()) for live in list(held.values())]

    def _forget(self, group: _Group, slot: _Slot) -> None:
        self._groups[group].pop(slot, None)
        self._where.pop((group[0], *slot), None)
