"""An event of CoT to a TakMessage.

An element of the detail that has a message of its own goes into it only where that message has all of its attributes;
otherwise it stands whole in `xmlDetail` (detail.proto), so that `track@slope` and `contact@phone` are not lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct

from aldis.apps.experiments.gateways.cot.event import Event
from aldis.apps.experiments.gateways.cot.rendering import render_detail
from aldis.apps.experiments.gateways.cot.rows import STAMPS
from aldis.apps.experiments.gateways.cot.saying import NO_POINT
from aldis.apps.experiments.gateways.cot.values import UNKNOWN_M, Native
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.tak.fields import (
    DETAIL,
    DOUBLE,
    EVENT,
    MESSAGES,
    TEXT,
    TIME,
    WHOLE,
    XML_DETAIL,
    Message,
)
from aldis.apps.experiments.gateways.tak.wire import put_varint, skipped, varint

__all__ = ["has_text_room", "has_wire_room", "write_message"]

_DOUBLE = Struct("<d")
_LIMIT = 512
_UNKNOWN_M = 999_999.0  # what cotevent.proto gives for hae, ce and le that are not known
_Pack = Callable[[Native], bytes]


@dataclass(frozen=True, slots=True)
class _Part:
    """A message: its number within that around it as a tag, its fields, each packed from the value of that number."""

    name: str
    tag: bytes
    fields: tuple[tuple[bytes, _Pack, int], ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    control: _Part
    event: _Part
    detail: tuple[_Part, ...]
    xml: tuple[int, ...]
    xml_names: tuple[str, ...]


_plans: dict[tuple[str, ...], _Plan] = {}


def write_message(event: Event) -> bytes:
    """The TakMessage that says `event`."""
    plan = _plans.get(event.names) if event.usual else None
    if plan is None:
        plan = _planned(event)
        if event.usual:
            if len(_plans) >= _LIMIT:
                _plans.clear()
            _plans[event.names] = plan
    values = event.values
    wire: dict[str, bytes] = {}
    for place, raw in event.wire:
        name = place.partition("#")[0]
        wire[name] = wire.get(name, b"") + raw
    detail = b""
    if plan.xml or event.rest:
        said = [values[index] for index in plan.xml]
        detail = _stretch(_XML, render_detail(plan.xml_names, said, event.rest).encode())
    for part in plan.detail:
        detail += _stretch(part.tag, _packed(part, values) + wire.pop(part.name, b""))
    for name in wire.keys() & _DETAIL_TAGS.keys():
        detail += _stretch(_DETAIL_TAGS[name], wire[name])
    inside = _packed(plan.event, values)
    if detail or "detail" in wire:
        inside += _stretch(_DETAIL, detail + wire.get("detail", b""))
    control = _packed(plan.control, values) + wire.get("takControl", b"")
    message = _stretch(plan.control.tag, control) if control else b""
    return message + _stretch(_EVENT, inside + wire.get("cotEvent", b"")) + wire.get("takMessage", b"")


def _packed(part: _Part, values: Sequence[Native]) -> bytes:
    return b"".join([tag + pack(values[index]) for tag, pack, index in part.fields])


def _stretch(tag: bytes, data: bytes) -> bytes:
    return tag + put_varint(len(data)) + data


def _planned(event: Event) -> _Plan:
    index_of = {name: index for index, name in enumerate(event.names) if name not in STAMPS}
    detail: list[_Part] = []
    for tag, field in DETAIL.fields.items():
        if field.message is not None and (part := _part(field.message, tag, index_of, event, whole=True)):
            detail.append(part)
            for name in _names(field.message):
                index_of.pop(name, None)
    control, top = (_part(MESSAGES[name], tag, index_of, event) for name, tag in (("takControl", 10), ("cotEvent", 18)))
    assert control
    assert top
    xml = tuple(index for name, index in index_of.items() if name.startswith("detail/"))
    return _Plan(control, top, tuple(detail), xml, tuple(event.names[index] for index in xml))


def _names(message: Message) -> list[str]:
    return [field.name for field in message.fields.values() if "@" in field.name]


def _part(message: Message, tag: int, index_of: dict[str, int], event: Event, *, whole: bool = False) -> _Part | None:
    """What of an event stands in `message`; if `whole`, None where its element is not there or has more than that."""
    fields = [field for field in message.fields.values() if field.name in index_of]
    if whole:
        path = next(iter(message.fields.values())).name.partition("@")[0]
        here = {name for name in index_of if name == path or name.startswith((f"{path}@", f"{path}/"))}
        here |= {place for place, _ in event.rest if place.startswith(f"{path}/")}
        fits = all(_suits(field.kind, event.values[index_of[field.name]]) for field in fields)
        lacks = any(name not in here for name, _ in message.defaults)
        if not fields or lacks or not fits or here != {field.name for field in fields}:
            return None
    made = tuple(
        (put_varint(field.tag), _pack_known if field.name in NO_POINT else _PACK[field.kind], index_of[field.name])
        for field in fields
    )
    return _Part(message.name, put_varint(tag), made)


def _suits(kind: str, value: Native) -> bool:
    if kind == TEXT:
        return isinstance(value, str)
    if kind == WHOLE:
        return isinstance(value, int)
    return isinstance(value, float | int)


def has_text_room(name: str, text: str) -> bool:
    """Whether protobuf has room for `text` under `name`: anywhere in the detail, elsewhere only in a field."""
    if name.startswith("detail/"):
        return True
    kinds = {field.name: field.kind for message in (EVENT, MESSAGES["takControl"]) for field in message.fields.values()}
    if kinds.get(name) == DOUBLE:
        try:
            float(text)
        except ValueError:
            return False
        return True
    return kinds.get(name) == TEXT


def has_wire_room(place: str, raw: bytes) -> bool:
    """Whether `raw` is one field that the message in `place` has room for, and no one knows."""
    name, _, number = place.partition("#")
    message = MESSAGES.get(name)
    try:
        tag, at = varint(raw, 0, len(raw))
        whole = skipped(raw, tag, at, len(raw)) == len(raw)
    except Damaged:
        return False
    return whole and message is not None and str(tag >> 3) == number and tag not in message.fields


def _pack_text(value: Native) -> bytes:
    data = value.encode() if isinstance(value, str) else str(value).encode()
    return put_varint(len(data)) + data


def _pack_double(value: Native) -> bytes:
    return _DOUBLE.pack(float(value))


def _pack_known(value: Native) -> bytes:
    return _DOUBLE.pack(_UNKNOWN_M if value == UNKNOWN_M else float(value))


def _pack_time(value: Native) -> bytes:
    return put_varint(int(value) // 1000)


def _pack_whole(value: Native) -> bytes:
    return put_varint(int(value))


_PACK: dict[str, _Pack] = {TEXT: _pack_text, DOUBLE: _pack_double, TIME: _pack_time, WHOLE: _pack_whole}
_DETAIL_TAGS = {field.name: put_varint(tag) for tag, field in DETAIL.fields.items() if field.message is not None}
_XML, _DETAIL, _EVENT = (put_varint(tag) for tag in (XML_DETAIL.tag, 15 << 3 | 2, 2 << 3 | 2))
