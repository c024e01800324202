"""A TakMessage to an event of CoT."""

from __future__ import annotations

from functools import lru_cache
from struct import Struct

from aldis.apps.experiments.gateways.cot.event import Event, inner, table_of
from aldis.apps.experiments.gateways.cot.rows import Table
from aldis.apps.experiments.gateways.cot.scanner import MAX_EVENT, Node, scan
from aldis.apps.experiments.gateways.cot.values import Native
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.tak.fields import DOUBLE, TAK_MESSAGE, WHOLE, XML_DETAIL, Field, Message
from aldis.apps.experiments.gateways.tak.wire import skipped, varint

__all__ = ["read_message"]

_DOUBLE = Struct("<d")
_EMPTY = Node("detail", {}, 0)
_Said = dict[str, Native]
_Wire = list[tuple[str, bytes]]


def read_message(data: bytes) -> tuple[Event, Table]:
    """The event that the TakMessage `data` carries, and the table of its kind.

    Raises:
        Damaged: it is none, carries no event, or nothing here is told of its type.
    """
    if len(data) > MAX_EVENT:
        raise Damaged("too large")
    said: _Said = {}
    wire: _Wire = []
    _parse(data, 0, len(data), TAK_MESSAGE, said, wire)
    if "point@lat" not in said:
        raise Damaged("control")
    xml = said.pop(XML_DETAIL.name, "")
    assert isinstance(xml, str)
    root, text = _detail(xml) if len(xml) <= 1024 else _scanned(xml)
    table = table_of(str(said.get("event@type", "")), root)
    rest = inner(root, "detail/", text, table, said) if root.children else ()
    return Event(tuple(said), list(said.values()), rest, wire, native=True), table


def _parse(data: bytes, place: int, end: int, message: Message, said: _Said, wire: _Wire) -> None:
    """Add the fields of the message between `place` and `end` to `said`, and those that no one knows to `wire`."""
    known = message.fields
    for name, default in message.defaults:
        said.setdefault(name, default)
    while place < end:
        start = place
        tag = data[place]
        place += 1
        if tag >= 0x80:
            tag, place = varint(data, start, end)
        field = known.get(tag)
        if field is None:
            place = skipped(data, tag, place, end)
            wire.append((f"{message.name}#{tag >> 3}", data[start:place]))
            continue
        if field.kind == DOUBLE:
            place += 8
            if place > end:
                raise Damaged("not TAK protobuf")
            said[field.name] = _DOUBLE.unpack_from(data, place - 8)[0]
            continue
        if place < end and (value := data[place]) < 0x80:
            place += 1
        else:
            value, place = varint(data, place, end)
        if field.tag & 7 == 2:
            start, place = place, place + value
            if place > end:
                raise Damaged("not TAK protobuf")
            if field.message is not None:
                _parse(data, start, place, field.message, said, wire)  # as deep as the messages are, four
            elif value:
                said[field.name] = _text(data[start:place])
        else:
            _number(field, value, said)


def _number(field: Field, value: int, said: _Said) -> None:
    if field.kind == WHOLE:
        said[field.name] = value
    elif value:  # a time that is 0 was not set
        said[field.name] = value * 1000


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Damaged("not UTF-8") from error


def _scanned(xml: str) -> tuple[Node, str]:
    text = f"<detail>{xml}</detail>"
    root = scan(text)
    if root.text.strip():
        raise Damaged("not XML")
    return root, text


@lru_cache(256)
def _detail(xml: str) -> tuple[Node, str]:
    """What most senders say the same with every message; the node is not to be changed."""
    return _scanned(xml) if xml else (_EMPTY, "")
