"""A short cut for events that differ in the values between quotes alone, as those of one sender do.

The text around the values is the event's shape. It is scanned once, with marks in place of the values, so that it is
known which value each mark became; an event of the same shape then needs no scan. A value may hold anything but what
XML gives a meaning (`<`, `&`) and what is not printable: an event with such a value is scanned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aldis.apps.experiments.gateways.cot.event import Event, flatten
from aldis.apps.experiments.gateways.cot.framing import declared
from aldis.apps.experiments.gateways.cot.quick import picker
from aldis.apps.experiments.gateways.cot.rows import TRACK, Table
from aldis.apps.experiments.gateways.cot.scanner import MAX_EVENT, scan
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["Shapes"]

_LIMIT = 256
_LONGEST = 4096  # characters of a shape worth keeping


@dataclass(frozen=True, slots=True)
class _Shape:
    """The declaration, and after it the names, the value of each, and where the type is."""

    declaration: str
    names: tuple[str, ...]
    pick: Callable[[Sequence[str]], tuple[str, ...]]
    kind: int


class Shapes:
    """Turns the text of events into events; keeps a limited number of shapes."""

    def __init__(self) -> None:
        self._known: dict[str, _Shape | None] = {}

    def event(self, data: bytes) -> tuple[Event, Table]:
        """The event that `data` is, with an XML declaration or without, and the table of its kind.

        Raises:
            Damaged: it is no event, or nothing here is told of its type.
        """
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise Damaged("not UTF-8") from error
        pieces = text.split('"')
        shape_text = '"'.join(pieces[::2])
        shape = self._known.get(shape_text)
        if shape is not None:
            values = pieces[1::2]
            joined = "".join(values)
            if (
                joined.isprintable()
                and "<" not in joined
                and "&" not in joined
                and len(text) <= MAX_EVENT
                and text.startswith(shape.declaration)
                and values[shape.kind].startswith("a-")
            ):
                return Event(shape.names, shape.pick(values)), TRACK
        start = declared(text)
        event, table = flatten(scan(text[start:]), text[start:])
        if table is TRACK and len(shape_text) <= _LONGEST and shape_text not in self._known:
            if len(self._known) >= _LIMIT:
                self._known.clear()
            self._known[shape_text] = _shape(text, start)
        return event, table


def _shape(text: str, start: int) -> _Shape | None:
    """The shape of an event that begins at `start`; None where it cannot be told which value is which."""
    before = text[:start].count('"')
    pieces = text[start:].split('"')
    if before % 2 or any("\ue000" in piece for piece in pieces):
        return None
    marks = {f"\ue000{number}\ue000": number for number in range(len(pieces) // 2)}
    typed = [number for number in marks.values() if pieces[2 * number].endswith(" type=")]
    if not typed:
        return None
    kind = typed[0]
    marked = list(pieces)
    marked[1::2] = marks
    marked[2 * kind + 1] = pieces[2 * kind + 1]
    try:
        event, _ = flatten(scan(shown := '"'.join(marked)), shown)
    except Damaged:
        return None
    marks[pieces[2 * kind + 1]] = kind
    if event.rest or any(value not in marks for value in event.values):
        return None
    slots = [marks[str(value)] for value in event.values]
    if sorted(slots) != list(range(len(slots))) or len(slots) != len(pieces) // 2:
        return None
    if event.names[slots.index(kind)] != "event@type":
        return None
    skipped = before // 2
    return _Shape(text[:start], event.names, picker([slot + skipped for slot in slots]), kind + skipped)
