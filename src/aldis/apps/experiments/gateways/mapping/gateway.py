"""A gateway of a mapped protocol: what its file says, both ways."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from aldis.apps.experiments.entity import Decoded, Dropped, Encoded, Entity, Ledger
from aldis.apps.experiments.gateways.gateway import Damaged, Tally
from aldis.apps.experiments.gateways.layout import flat, kind_of, sayable
from aldis.apps.experiments.gateways.mapping.compiled import Protocol
from aldis.apps.experiments.gateways.mapping.framing import Frames
from aldis.apps.experiments.gateways.mapping.reading import Reader
from aldis.apps.experiments.gateways.mapping.writing import Writer

__all__ = ["Mapped"]


class Mapped:
    """One connection of a mapped protocol."""

    def __init__(self, protocol: Protocol, reader: Reader, writer: Writer) -> None:
        self.protocol = protocol.spec.protocol
        self.tally = Tally()
        self._frames = Frames(protocol.spec.framing, self.tally)
        self._messages = protocol.messages
        self._reader = reader
        self._writer = writer

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """The entities of the messages that `data` completes."""
        found = []
        for frame in self._frames.feed(data):
            try:
                found.append(self._reader.read(frame, at_us))
            except Damaged as damage:
                self.tally.drop(str(damage))
            else:
                self.tally.carried += 1
        return found

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """One message of each kind that can say something of `entity`."""
        del at_us
        kind = kind_of(entity)
        values, unsaid = sayable(kind, flat(entity))
        kept = _kept(values, self.protocol)
        messages: list[bytes] = []
        fate: dict[str, Any] = {}
        for message in self._messages:
            if message.kind == kind and values:
                said, entries = self._writer.write(message, values, kept)
                messages += [said] if said is not None else []
                for path, entry in entries.items():
                    if path not in fate or isinstance(fate[path], Dropped):
                        fate[path] = entry
        return Encoded(tuple(messages), self._writer.ledger(values, fate) + Ledger(unsaid))

    def close(self) -> None:
        """Count what is not complete as dropped."""
        self._frames.close()


def _kept(values: Mapping[str, Any], protocol: str) -> dict[str, str]:
    """What this protocol said before and nothing here understood, by its field."""
    found = {}
    for part in values.get("residue.parts", ()):
        if part.protocol == protocol:
            try:
                found[part.field] = base64.b64decode(part.data, validate=True).decode()
            except ValueError:
                continue
    return found
