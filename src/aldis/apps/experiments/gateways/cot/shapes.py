"""A short cut for events that differ in the values between quotes alone, as those of one sender do.

The text around the values is the event's shape. It is scanned once, with marks in place of the values, so that it is
known which value each mark became; an event of the same shape then needs no scan. A value may hold anything but what
XML gives a meaning (`<`, `&`) and what is not printable: an event with such a value is scanned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aldis.apps.experiments.entity import Decoded
from aldis.apps.experiments.gateways.cot.event import Event, flatten
from aldis.apps.experiments.gateways.cot.framing import declared
from aldis.apps.experiments.gateways.cot.quick import Quick, picker
from aldis.apps.experiments.gateways.cot.reading import Plan, Reader
from aldis.apps.experiments.gateways.cot.rows import TRACK
from aldis.apps.experiments.gateways.cot.scanner import MAX_EVENT, scan
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["Shapes"]

_LIMIT = 256
_LONGEST = 4096  # characters of a shape worth keeping


@dataclass(frozen=True, slots=True)
class _Shape:
    """The declaration, and after it the names, the value of each, and where the type is; how it is read at once."""

    declaration: str
    names: tuple[str, ...]
    pick: Callable[[Sequence[str]], tuple[str, ...]]
    kind: int
    quick: Quick | None
    plan: Plan


class Shapes:
    """Reads events; keeps a limited number of shapes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, _Shape | None] = {}

    def read(self, data: bytes, at_us: int) -> Decoded:
        """What the event says that `data` is, with an XML declaration or without; it came at `at_us`.

        Raises:
            Damaged: it is no event, lacks what it must have, or nothing here is told of its type.
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
                and "\\" not in joined
                and len(text) <= MAX_EVENT
                and text.startswith(shape.declaration)
                and values[shape.kind].startswith("a-")
            ):
                if shape.quick and (track := shape.quick.plain_track(values, at_us)):
                    return self._reader.told(shape.plan, track)
                return self._reader.read(Event(shape.names, shape.pick(values), plain=True), TRACK, at_us)
        start = declared(text)
        event, table = flatten(scan(text[start:]), text[start:])
        if table is TRACK and len(shape_text) <= _LONGEST and shape_text not in self._known:
            if len(self._known) >= _LIMIT:
                self._known.clear()
            self._known[shape_text] = self._shape(text, start)
        return self._reader.read(event, table, at_us)

    def _shape(self, text: str, start: int) -> _Shape | None:
        found = _compared(text, start)
        if found is None:
            return None
        event, slots, kind = found
        plan = self._reader.plan(event.names, ())
        quick = None if plan.spare else plan.quick.moved(slots, text.count('"') // 2)
        return _Shape(text[:start], event.names, picker(slots), kind, quick, plan)


def _compared(text: str, start: int) -> tuple[Event, list[int], int] | None:
    """The event that begins at `start` with marks for values, which value each is, and which the type.

    None where it cannot be told which value is which.
    """
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
    return event, [slot + skipped for slot in slots], kind + skipped
