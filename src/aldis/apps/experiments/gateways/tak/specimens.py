"""The events of CoT's specimens as TAK messages, with fields besides that no one knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from aldis.apps.experiments.gateways.cot.event import flatten
from aldis.apps.experiments.gateways.cot.scanner import scan
from aldis.apps.experiments.gateways.cot.specimens import EVENTS
from aldis.apps.experiments.gateways.cot.times import micros
from aldis.apps.experiments.gateways.cot.values import Native
from aldis.apps.experiments.gateways.gateway import Specimen
from aldis.apps.experiments.gateways.tak.fields import DOUBLE, MESSAGES, TIME, WHOLE
from aldis.apps.experiments.gateways.tak.framing import framed
from aldis.apps.experiments.gateways.tak.writing import write_message

__all__ = ["mesh_specimens", "specimens"]

# submission and creation time of TAK Server's takmessage.proto; one field of an event, and one of a contact
_WIRE = (
    ("takMessage#3", b"\x18\x95\x9a\xef\x3a"),
    ("takMessage#4", b"\x20\x96\x9a\xef\x3a"),
    ("cotEvent#40", b"\xc2\x02\x03abc"),
    ("contact#9", b"\x4a\x02hi"),
)
_TAKE: dict[str, Callable[[Any], Native]] = {DOUBLE: float, WHOLE: int, TIME: micros}


def _message(text: str) -> bytes:
    event, _ = flatten(scan(text), text)
    kinds = {field.name: field.kind for message in MESSAGES.values() for field in message.fields.values()}
    values: list[Native] = []
    for name, value in zip(event.names, event.values, strict=True):
        take = _TAKE.get(kinds.get(name, ""))
        values.append(take(value) if take else value)
    names = (*event.names, "control@contactUid", "control@minProtoVersion")
    return write_message(replace(event, names=names, values=[*values, "TAK-USV-7", 1], wire=_WIRE))


def specimens() -> Sequence[Specimen]:
    """One message each, in a stream."""
    return [Specimen(name, (framed(_message(text), mesh=False),)) for name, text in _texts().items()]


def mesh_specimens() -> Sequence[Specimen]:
    """One message each, in a datagram."""
    return [Specimen(name, (framed(_message(text), mesh=True),)) for name, text in _texts().items()]


def _texts() -> dict[str, str]:
    """A contact and a track that have nothing besides what protobuf has stand in their own messages."""
    plain = EVENTS["track"]
    for left_out in (' phone="+358 9 5550 0107"', ' email="p7@example.org"', ' xmppUsername="petrel7"', ' slope="2.5"'):
        plain = plain.replace(left_out, "")
    plain = plain.replace(' eSpeed="0.3"', "").replace(' readiness="true"', "")
    return {"track of protobuf alone": plain, **EVENTS}
