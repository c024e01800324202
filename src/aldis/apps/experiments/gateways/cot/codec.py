"""An event from its bytes to its own fields and back, without the model: numbers as numbers, times as microseconds.

As `shapes` does, it keeps what it knows of events that differ in the values between quotes alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from aldis.apps.experiments.gateways.cot.event import Event, flatten
from aldis.apps.experiments.gateways.cot.framing import declared
from aldis.apps.experiments.gateways.cot.plainly import Plainly
from aldis.apps.experiments.gateways.cot.quick import picker
from aldis.apps.experiments.gateways.cot.rendering import DECLARATION, render
from aldis.apps.experiments.gateways.cot.rows import TRACK
from aldis.apps.experiments.gateways.cot.scanner import MAX_EVENT, scan
from aldis.apps.experiments.gateways.cot.shapes import compared
from aldis.apps.experiments.gateways.cot.times import micros
from aldis.apps.experiments.gateways.cot.values import BOUNDS, Native, flag, give_number, give_percent, give_text
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["Codec"]

_LIMIT = 256
_LONGEST = 4096  # characters of a shape worth keeping


class _Known(NamedTuple):
    """The declaration and where the type is; the names in order of texts, times and numbers, and where each is."""

    declaration: str
    kind: int
    names: tuple[str, ...]
    texts: Callable[[Sequence[str]], tuple[str, ...]]
    times: Callable[[Sequence[str]], tuple[str, ...]]
    numbers: Callable[[Sequence[str]], tuple[str, ...]]


class Codec:
    """Reads and writes events of tracks; what has no name here is left out."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._written: dict[tuple[str, ...], Plainly] = {}

    def read(self, data: bytes) -> dict[str, Native]:
        """Every field of an event by its name; a value that is not of its field's kind stays text.

        Raises:
            Damaged: it is no event, or nothing here is told of its type.
        """
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise Damaged("not UTF-8") from error
        pieces = text.split('"')
        shape = '"'.join(pieces[::2])
        known = self._known.get(shape)
        if known is not None and len(text) <= MAX_EVENT and text.startswith(known.declaration):
            found = _at_once(known, pieces[1::2])
            if found is not None:
                return found
        start = declared(text)
        event, table = flatten(scan(text[start:]), text[start:])
        if known is None and table is TRACK and len(shape) <= _LONGEST:
            self._keep(shape, text, start)
        return {name: _taken(name, str(value)) for name, value in zip(event.names, event.values, strict=True)}

    def written(self, fields: Mapping[str, Native]) -> bytes:
        """The event of these fields, behind an XML declaration."""
        names = tuple(fields)
        plainly = self._written.get(names)
        if plainly is None:
            if len(self._written) >= _LIMIT:
                self._written.clear()
            sources = [("event", name, _given(name)) for name in names]
            plainly = self._written[names] = Plainly(names, sources, {"event": fields}, {})
        text = plainly.text({"event": fields})
        return DECLARATION + (text or render(Event(names, list(fields.values())))).encode()

    def _keep(self, shape: str, text: str, start: int) -> None:
        found = compared(text, start)
        if found is None:
            return
        event, slots, kind = found
        order: dict[object, list[tuple[str, int]]] = {"": [], "times": [], "numbers": []}
        for name, slot in zip(event.names, slots, strict=True):
            take = _takes.get(name)
            if take is flag:
                return
            order["times" if take is micros else "numbers" if take in BOUNDS else ""].append((name, slot))
        if len(self._known) >= _LIMIT:
            self._known.clear()
        names = tuple(name for part in order.values() for name, _ in part)
        picks = [picker([slot for _, slot in part]) for part in order.values()]
        self._known[shape] = _Known(text[:start], kind, names, *picks)


_takes: dict[str, object] = {row.native: row.take for row in TRACK.rows if row.take is not None}


def _at_once(known: _Known, values: Sequence[str]) -> dict[str, Native] | None:
    """The fields of an event of a known shape; None where a value needs a closer look."""
    joined = "".join(values)
    if not joined.isprintable() or "<" in joined or "&" in joined or not values[known.kind].startswith("a-"):
        return None
    numbers = known.numbers(values)
    try:
        counted = [*map(float, numbers)]
        times = map(micros, known.times(values))
        found: dict[str, Any] = dict(zip(known.names, [*known.texts(values), *times, *counted], strict=True))
    except ValueError:
        return None
    return found if all(map(math.isfinite, counted)) and "_" not in "".join(numbers) else None


def _taken(name: str, value: str) -> Native:
    take = _takes.get(name)
    try:
        if take is micros:
            return micros(value)
        if take is flag:
            return value in ("true", "1") if flag(value) is not None else value
        number = float(value) if take is not None and "_" not in value else math.nan
    except ValueError:
        return value
    return number if math.isfinite(number) else value


def _given(name: str) -> Callable[[Any], Native]:
    row = TRACK.native.get(name)
    if row is None or row.take is None:
        return give_text
    give: Callable[[Any], Native] = give_number if row.take in BOUNDS else row.give
    return _whole if row.give is give_percent else give


def _whole(value: float) -> float:
    """A number, without a fraction where it has none."""
    return int(value) if value == round(value) else value
