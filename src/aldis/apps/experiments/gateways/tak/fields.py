"""The messages of TAK protocol version 1, by field number, and the names of their fields as an event of CoT has them.

Numbers as in takmessage.proto, takcontrol.proto, cotevent.proto and detail.proto (atakmap.commoncommo.protobuf.v1,
published with ATAK-CIV; takproto 3.0.1 has them compiled). `caveat` (16) and `releaseableTo` (17) stand in the
cotevent.proto of TAK Server alone; other readers pass over them.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "DETAIL",
    "DOUBLE",
    "EVENT",
    "MESSAGE",
    "MESSAGES",
    "TAK_MESSAGE",
    "TEXT",
    "TIME",
    "WHOLE",
    "XML_DETAIL",
    "Field",
    "Message",
    "spell",
]

TEXT, DOUBLE, WHOLE, TIME, MESSAGE = "text", "double", "whole", "time", "message"
_WIRE = {TEXT: 2, DOUBLE: 1, WHOLE: 0, TIME: 0, MESSAGE: 2}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its tag as a number, its kind, the name that its value has in an event, or the message it is."""

    tag: int
    kind: str
    name: str
    message: Message | None = None


@dataclass(frozen=True)
class Message:
    """`name` as its place in a ledger shows it; `fields` by tag."""

    name: str
    fields: dict[int, Field]
    defaults: tuple[tuple[str, float], ...] = ()


def _message(name: str, path: str, rows: str, defaults: tuple[str, ...] = ()) -> Message:
    """Rows are `number kind attribute`, joined by commas."""
    fields = {}
    for row in rows.split(","):
        number, kind, attribute = row.split()
        tag = int(number) << 3 | _WIRE[kind]
        fields[tag] = Field(tag, kind, f"{path}@{attribute}")
    return Message(name, fields, tuple((f"{path}@{attribute}", 0.0) for attribute in defaults))


def _part(number: int, message: Message) -> dict[int, Field]:
    tag = number << 3 | _WIRE[MESSAGE]
    return {tag: Field(tag, MESSAGE, message.name, message)}


_CONTACT = _message("contact", "detail/contact", "1 text endpoint,2 text callsign")
_GROUP = _message("group", "detail/__group", "1 text name,2 text role")
_PRECISION = _message("precisionLocation", "detail/precisionlocation", "1 text geopointsrc,2 text altsrc")
_STATUS = _message("status", "detail/status", "1 whole battery", ("battery",))
_TAKV = _message("takv", "detail/takv", "1 text device,2 text platform,3 text os,4 text version")
_TRACK = _message("track", "detail/track", "1 double speed,2 double course", ("speed", "course"))

XML_DETAIL = Field(1 << 3 | 2, TEXT, "xmlDetail")
"""What of the detail has no message of its own: elements of XML, one after another."""
DETAIL = Message(
    "detail",
    {XML_DETAIL.tag: XML_DETAIL}
    | _part(2, _CONTACT)
    | _part(3, _GROUP)
    | _part(4, _PRECISION)
    | _part(5, _STATUS)
    | _part(6, _TAKV)
    | _part(7, _TRACK),
)
_SCALARS = _message(
    "cotEvent",
    "event",
    "1 text type,2 text access,3 text qos,4 text opex,5 text uid,6 time time,7 time start,8 time stale,9 text how,"
    "16 text caveat,17 text releasableTo",
)
_POINT = _message(
    "cotEvent", "point", "10 double lat,11 double lon,12 double hae,13 double ce,14 double le", ("lat", "lon", "hae")
)
EVENT = Message("cotEvent", {**_SCALARS.fields, **_POINT.fields, **_part(15, DETAIL)}, _POINT.defaults)
_CONTROL = _message("takControl", "control", "1 whole minProtoVersion,2 whole maxProtoVersion,3 text contactUid")
TAK_MESSAGE = Message("takMessage", {**_part(1, _CONTROL), **_part(2, EVENT)})
MESSAGES = {
    message.name: message
    for message in (TAK_MESSAGE, _CONTROL, EVENT, DETAIL, _CONTACT, _GROUP, _PRECISION, _STATUS, _TAKV, _TRACK)
}
"""Every message by name."""

_SPELLED = {"event@time": "sendTime", "event@start": "startTime", "event@stale": "staleTime"} | {
    "event@releasableTo": "releaseableTo"
}


def _proto_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for message in MESSAGES.values():
        inside = "" if message.name in ("cotEvent", "takControl") else "cotEvent.detail."
        for field in message.fields.values():
            if "@" in field.name:
                own = _SPELLED.get(field.name, field.name.partition("@")[2])
                names[field.name] = f"{inside}{message.name}.{own}"
    return names


NAMES = _proto_names()


def spell(name: str) -> str:
    """A field's name as TAK protobuf has it; what stands in `xmlDetail` keeps its path there."""
    if name in NAMES or "#" in name:
        return NAMES.get(name, name)
    return f"cotEvent.detail.xmlDetail/{name.removeprefix('detail/')}" if name != "detail" else "cotEvent.detail"
