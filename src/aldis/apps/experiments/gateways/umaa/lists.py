"""Large lists of UMAA: a command, and its elements that come as samples of their own, put together within bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from aldis.apps.experiments.gateways.gateway import Tally
from aldis.apps.experiments.gateways.umaa.wire import NIL, Flat

__all__ = ["COMMAND", "ELEMENT", "LONGEST", "Lists", "Waypoints"]

COMMAND = "GlobalWaypointCommand"
ELEMENT = "GlobalWaypointCommandWaypointsListElement"
LONGEST = 512
"""Elements of a list."""
_OPEN = 64
_PIECES = 4096


@dataclass(frozen=True, slots=True)
class Waypoints:
    """A command and all elements of its list, in their order."""

    command: Flat
    elements: list[Flat]


@dataclass(slots=True)
class _Half:
    command: Flat | None = None
    elements: dict[str, Flat] = field(default_factory=dict)

    @property
    def pieces(self) -> int:
        return len(self.elements) + (self.command is not None)


class Lists:
    """Lists that are not whole yet: the oldest is given up where there are too many."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._halves: dict[str, _Half] = {}
        self._pieces = 0

    def push(self, topic: str, members: Flat) -> Waypoints | None:
        """The list that this sample completes, if it does."""
        is_command = topic == COMMAND
        name = str(members["waypointsListMetadata.listID" if is_command else "listID"])
        if self._pieces >= _PIECES or (name not in self._halves and len(self._halves) >= _OPEN):
            self._give_up(next(iter(self._halves)))
        half = self._halves.setdefault(name, _Half())
        if is_command:
            self._count(half.command is not None)
            half.command = members
        else:
            own = str(members["elementID"])
            if own not in half.elements and len(half.elements) >= LONGEST:
                self._tally.drop("too long")
                return None
            self._count(own in half.elements)
            half.elements[own] = members
        elements = None if half.command is None else _chain(half.command, half.elements)
        if half.command is None or elements is None:
            return None
        del self._halves[name]
        self._pieces -= half.pieces
        self._tally.drop("not of the list", half.pieces - 1 - len(elements))
        return Waypoints(half.command, elements)

    def close(self) -> None:
        """Give up what is not whole."""
        for name in tuple(self._halves):
            self._give_up(name)

    def _count(self, there: bool) -> None:
        """One piece more, or one in the place of another."""
        self._tally.drop("said again", int(there))
        self._pieces += not there

    def _give_up(self, name: str) -> None:
        pieces = self._halves.pop(name).pieces
        self._pieces -= pieces
        self._tally.drop("incomplete", pieces)


def _chain(command: Flat, elements: dict[str, Flat]) -> list[Flat] | None:
    """The elements from the first to the last, if all that the command counts are there."""
    size = command.get("waypointsListMetadata.size")
    if not isinstance(size, int) or not 0 < size <= len(elements):
        return None
    found: dict[str, Flat] = {}
    here = str(command["waypointsListMetadata.startingElementID"])
    while here in elements and here not in found:
        found[here] = elements[here]
        here = str(elements[here].get("nextElementID", NIL))
    return list(found.values()) if len(found) == size else None
