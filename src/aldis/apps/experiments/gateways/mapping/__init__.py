"""A protocol from a mapping file: an engineer's description of a text or binary format, without a line of code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aldis.apps.experiments.gateways.exemplars import EXEMPLARS
from aldis.apps.experiments.gateways.gateway import Damaged, Native, Offered, Specimen, Tally
from aldis.apps.experiments.gateways.layout import flat, kind_of
from aldis.apps.experiments.gateways.mapping.compiled import Protocol, compiled
from aldis.apps.experiments.gateways.mapping.framing import Frames
from aldis.apps.experiments.gateways.mapping.gateway import Mapped
from aldis.apps.experiments.gateways.mapping.reading import Reader, fields
from aldis.apps.experiments.gateways.mapping.writing import Writer

__all__ = ["offered_from"]


def offered_from(path: Path) -> Offered:
    """The protocol that a mapping file describes.

    Raises:
        InvalidInput, UnknownTerm: the file cannot be used; the message says where, and what to do.
    """
    protocol = compiled(path)
    reader, writer = Reader(protocol), Writer(protocol)

    def frames(data: Sequence[bytes]) -> list[bytes]:
        cutter = Frames(protocol.spec.framing, Tally())
        return [frame for message in data for frame in cutter.feed(message)]

    def natives(messages: Sequence[bytes]) -> Mapping[str, Native]:
        return fields(reader, frames(messages))

    def familiar(data: bytes) -> bool:
        for frame in frames([data])[:1]:
            try:
                reader.natives(frame)
            except Damaged:
                return False
            return True
        return False

    return Offered(
        protocol=protocol.spec.protocol,
        title=protocol.spec.title,
        open=lambda: Mapped(protocol, reader, writer),
        familiar=familiar,
        specimens=lambda: _specimens(protocol),
        fields=natives,
    )


def _specimens(protocol: Protocol) -> Sequence[Specimen]:
    """A message of each kind, all about one thing of a sort."""
    writer = Writer(protocol, filling=True)
    found: dict[str, list[bytes]] = {}
    for message in protocol.messages:
        values = next(flat(one) for one in EXEMPLARS if kind_of(one) == message.kind)
        said, _ = writer.write(message, values, {})
        if said is not None:
            found.setdefault(message.kind, []).append(said)
    return [Specimen(kind, tuple(messages)) for kind, messages in found.items()]
