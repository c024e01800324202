"""A short cut for events that differ in the values between quotes alone, as those of one sender do.

The text around the values is the event's shape. It is scanned once, with marks in place of the values, so that it is
known which value each mark became; an event of the same shape then needs no scan. A value may hold anything but what
XML gives a meaning (`<`, `&`) and what is not printable: an event with such a value is scanned.
"""

from __future__ import annotations

from dataclasses import dataclass

from aldis.apps.experiments.gateways.cot.event import Event, flatten
from aldis.apps.experiments.gateways.cot.rows import TRACK, Table, kind_of
from aldis.apps.experiments.gateways.cot.scanner import MAX_EVENT, scan
from aldis.apps.experiments.gateways.cot.values import Native
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["Shapes"]

_LIMIT = 256
_LONGEST = 4096  # characters of a shape worth keeping


@dataclass(frozen=True, slots=True)
class _Shape:
    """The names, each with the number of its value, or with a text that is part of the shape."""

    names: tuple[str, ...]
    slots: tuple[int, ...]
    kind: int


class Shapes:
    """Turns the text of events into events; keeps a limited number of shapes."""

    def __init__(self) -> None:
        self._known: dict[str, _Shape | None] = {}

    def event(self, text: str) -> tuple[Event, Table]:
        """The event that `text` is, and the table of its kind.

        Raises:
            Damaged: it is no event, or nothing here is told of its type.
        """
        pieces = text.split('"')
        values = pieces[1::2]
        shape_text = '"'.join(pieces[::2])
        shape = self._known.get(shape_text)
        if shape is not None:
            joined = "".join(values)
            if (
                joined.isprintable()
                and "<" not in joined
                and "&" not in joined
                and len(text) <= MAX_EVENT
                and kind_of(values[shape.kind]) is TRACK
            ):
                return Event(shape.names, [values[slot] for slot in shape.slots]), TRACK
        event, table = flatten(scan(text), text)
        if shape is None and table is TRACK and len(shape_text) <= _LONGEST and shape_text not in self._known:
            if len(self._known) >= _LIMIT:
                self._known.clear()
            self._known[shape_text] = _shape(pieces)
        return event, table


def _shape(pieces: list[str]) -> _Shape | None:
    """The shape of an event cut at its double quotes; None where it cannot be told which value is which."""
    marks = {f"\ue000{number}\ue000": number for number in range(len(pieces) // 2)}
    marked = list(pieces)
    marked[1::2] = marks
    typed = [number for number in marks.values() if pieces[2 * number].endswith(" type=")]
    if not typed or any("\ue000" in piece for piece in pieces):
        return None
    kind = typed[0]
    marked[2 * kind + 1] = pieces[2 * kind + 1]
    try:
        event, _ = flatten(scan(text := '"'.join(marked)), text)
    except Damaged:
        return None
    marks[pieces[2 * kind + 1]] = kind
    if event.rest or any(value not in marks for value in event.values) or event.names.count("event@type") != 1:
        return None
    slots = [marks[str(value)] for value in event.values]
    if sorted(slots) != list(range(len(slots))) or event.names[slots.index(kind)] != "event@type":
        return None
    return _Shape(event.names, tuple(slots), kind)
