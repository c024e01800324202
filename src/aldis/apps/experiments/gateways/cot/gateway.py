"""The gateway of Cursor-on-Target in XML: events in datagrams, or one after another in a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aldis.apps.experiments.entity import Decoded, Encoded, Entity, Track
from aldis.apps.experiments.gateways.cot.event import Event, bare, flatten
from aldis.apps.experiments.gateways.cot.framing import Splitter, declared
from aldis.apps.experiments.gateways.cot.reading import Reader
from aldis.apps.experiments.gateways.cot.rendering import DECLARATION, render
from aldis.apps.experiments.gateways.cot.residue import Room
from aldis.apps.experiments.gateways.cot.rows import Table
from aldis.apps.experiments.gateways.cot.scanner import scan
from aldis.apps.experiments.gateways.cot.shapes import Shapes
from aldis.apps.experiments.gateways.cot.writing import Writer
from aldis.apps.experiments.gateways.gateway import Damaged, Native, Tally

__all__ = ["CotGateway", "familiar", "fields", "listed", "spell"]


def spell(name: str) -> str:
    """A field's own name here."""
    return name


# What they keep depends on names alone, never on values, so all connections share it.
_READER = Reader("cot", spell)
_ROOM = Room(text=lambda name, _: not name.startswith("control@"), wire=lambda _place, _raw: False)
_WRITER = Writer(spell, _ROOM, ms=False)
_SHAPES = Shapes(_READER)


class CotGateway:
    """One connection of CoT; see `Gateway`."""

    protocol = "cot"

    def __init__(self) -> None:
        self.tally = Tally()
        self._splitter = Splitter(self.tally)

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """What the events that `data` completes say."""
        decoded: list[Decoded] = []
        for raw in self._splitter.push(data):
            self.tally.seen += 1
            try:
                decoded.append(_SHAPES.read(raw, at_us))
                self.tally.carried += 1
            except Damaged as reason:
                self._again(raw, str(reason), at_us, decoded)
        return decoded

    def _again(self, raw: bytes, reason: str, at_us: int, decoded: list[Decoded]) -> None:
        """Count what is damaged; where an event broke off and another began, read that."""
        self.tally.drop(reason)
        start = raw.rfind(b"<event")
        if reason != "not XML" or raw.find(b"<event") == start:
            return
        self.tally.seen += 1
        try:
            decoded.append(_SHAPES.read(raw[start:], at_us))
            self.tally.carried += 1
        except Damaged as again:
            self.tally.drop(str(again))

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """The event that says `entity`, behind an XML declaration as TAK wants it."""
        made: str | Event | None
        if isinstance(entity, Track):
            made, ledger = _WRITER.text(entity, at_us)
        else:
            made, ledger = _WRITER.write(entity, at_us)
        if made is None:
            return Encoded((), ledger)
        text = made if isinstance(made, str) else render(made)
        return Encoded((DECLARATION + text.encode(),), ledger)

    def close(self) -> None:
        """Count what was begun."""
        self._splitter.close()


def familiar(data: bytes) -> bool:
    """Whether `data` begins as an event of CoT does."""
    text = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<?xml"):
        text = text.partition(b"?>")[2].lstrip()
    return text.startswith((b"<event ", b"<event\n", b"<event\t", b"<event\r"))


def fields(messages: Sequence[bytes]) -> Mapping[str, Native]:
    """Every field of some events, by its own name; those that are read, as what they mean."""
    found: dict[str, Native] = {}
    for message in messages:
        text = message.decode()
        text = text[declared(text) :]
        event, table = flatten(scan(text), text)
        found |= listed(event, table)
    return found


def listed(event: Event, table: Table) -> dict[str, Native]:
    """The values of an event by name: numbers as numbers, times as microseconds."""
    found: dict[str, Native] = dict(event.rest)
    for name, value in zip(event.names, event.values, strict=True):
        row = table.native.get(bare(name))
        try:
            taken = row.take(value) if row and row.take else value
        except ValueError:
            taken = value
        found[name] = taken if isinstance(taken, bool | int | float) else value
    return found
