"""The newest live values that came to this node or went out from it, for whoever looks later than they came.

They are kept in memory alone and by what decides who sees them, so that no flood of values that somebody may not see
pushes out those that they may.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from operator import attrgetter, itemgetter

from aldis.app import Live
from aldis.kernel.labels import Label

__all__ = ["Newest"]

SLOTS = 8_192
"""Entities' portions of one source, label and project that are kept: those that were heard of last."""
_GROUPS = 256
_MOST = 65_536
"""Values in all: beyond them the largest group gives up what it heard of first."""
_NEW = 8_192
"""Values that are put in their places together, so that those that come again and again are put there once."""
_place = attrgetter("source", "update.id", "update.portion")
_Slot = tuple[str, str]


class _Group:
    """The values of one source, label, project and kind."""

    __slots__ = ("alike", "values")

    def __init__(self, alike: tuple[str, Label | None, Label, str, str]) -> None:
        self.alike = alike
        self.values: OrderedDict[_Slot, Live] = OrderedDict()

    def takes(self, live: Live) -> bool:
        """Whether a value surely belongs here: labels are compared as objects, which is quick."""
        source, header, label, project, kind = self.alike
        same = label is live.label and header is live.header
        return same and source == live.source and project == live.project and kind == live.update.kind


class Newest:
    """Keeps of each entity's portion the value that came last; `moves` counts what came."""

    def __init__(self) -> None:
        self._alike: dict[tuple[str, Label | None, Label, str, str], _Group] = {}
        self._groups: OrderedDict[_Group, None] = OrderedDict()
        self._where: dict[tuple[str, str, str], _Group] = {}
        self._new: list[Live] = []
        self._lock = threading.Lock()  # pages look from threads of their own
        self.moves = 0

    def take(self, values: Sequence[Live]) -> None:
        """Keep each value in the place of the one before."""
        with self._lock:
            self._new += values
            self.moves += len(values)
            if len(self._new) >= _NEW:
                self._settle()

    def _settle(self) -> None:
        new, self._new = self._new, []
        last = {place: at for at, place in enumerate(map(_place, new))}
        for place, at in sorted(last.items(), key=itemgetter(1)):
            self._put(place, new[at])

    def _put(self, place: tuple[str, str, str], live: Live) -> None:
        slot = place[1:]
        group = self._where.get(place)
        if group is None or not group.takes(live):
            before, group = group, self._group(live)
            if before is not None and before is not group:
                before.values.pop(slot, None)
            self._where[place] = group
        held = group.values
        held[slot] = live
        held.move_to_end(slot)
        self._groups.move_to_end(group)
        if len(held) > SLOTS:
            self._forget(group, next(iter(held)))
        if len(self._where) > _MOST:
            largest = max(self._groups, key=lambda one: len(one.values))
            self._forget(largest, next(iter(largest.values)))
        if len(self._groups) > _GROUPS:
            oldest = next(iter(self._groups))
            for gone in list(oldest.values):
                self._forget(oldest, gone)
            del self._groups[oldest], self._alike[oldest.alike]

    def all(self) -> list[Live]:
        """Every value that is kept, of each group the oldest first."""
        with self._lock:
            self._settle()
            return [live for held in self._groups for live in held.values.values()]

    def _group(self, live: Live) -> _Group:
        alike = (live.source, live.header, live.label, live.project, live.update.kind)
        found = self._alike.get(alike)
        if found is None:
            found = self._alike[alike] = _Group(alike)
            self._groups[found] = None
        return found

    def _forget(self, group: _Group, slot: _Slot) -> None:
        group.values.pop(slot, None)
        self._where.pop((group.alike[0], *slot), None)
