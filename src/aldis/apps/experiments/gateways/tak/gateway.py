"""The gateway of TAK protocol version 1: events of CoT in protobuf, in streams and in datagrams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aldis.apps.experiments.entity import Decoded, Encoded, Entity
from aldis.apps.experiments.gateways.cot.gateway import listed
from aldis.apps.experiments.gateways.cot.reading import Reader
from aldis.apps.experiments.gateways.cot.residue import Room
from aldis.apps.experiments.gateways.cot.writing import Writer
from aldis.apps.experiments.gateways.gateway import Damaged, Native, Tally
from aldis.apps.experiments.gateways.tak.fields import spell
from aldis.apps.experiments.gateways.tak.framing import MESH, Framing, framed
from aldis.apps.experiments.gateways.tak.reading import read_message
from aldis.apps.experiments.gateways.tak.writing import has_text_room, has_wire_room, write_message

__all__ = ["TakGateway", "familiar", "fields"]

# What they keep depends on names alone, never on values, so all connections share it.
_READER = Reader("tak", spell)
_WRITER = Writer(spell, Room(text=has_text_room, wire=has_wire_room), ms=True)


class TakGateway:
    """One connection of TAK protobuf; see `Gateway`. It hears both framings, and speaks the one it was opened for."""

    def __init__(self, *, mesh: bool = False) -> None:
        self.protocol = "tak-mesh" if mesh else "tak"
        self.tally = Tally()
        self._mesh = mesh
        self._framing = Framing(self.tally)

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """What the messages that `data` completes say."""
        decoded: list[Decoded] = []
        for message in self._framing.push(data):
            self.tally.seen += 1
            try:
                event, table = read_message(message)
                decoded.append(_READER.read(event, table, at_us))
                self.tally.carried += 1
            except Damaged as reason:
                self.tally.drop(str(reason))
        return decoded

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """The message that says `entity`."""
        event, ledger = _WRITER.write(entity, at_us)
        return Encoded((framed(write_message(event), mesh=self._mesh),) if event else (), ledger)

    def close(self) -> None:
        """Count what was begun."""
        self._framing.close()


def familiar(data: bytes) -> bool:
    """Whether `data` begins as a stream of TAK messages does."""
    if not data.startswith(b"\xbf") or data.startswith(MESH):
        return False
    # a TakMessage begins with its control or its event
    header = 1 + next((n for n, byte in enumerate(data[1:4], 1) if byte < 0x80), len(data))
    return data[header : header + 1] in (b"\x0a", b"\x12")


def fields(messages: Sequence[bytes]) -> Mapping[str, Native]:
    """Every field of some messages, by its own name."""
    found: dict[str, Native] = {}
    for message in messages:
        for data in Framing(Tally()).push(message):
            event, table = read_message(data)
            found |= {spell(name): value for name, value in listed(event, table).items()}
            found |= {place: raw.hex() for place, raw in event.wire}
    return found
