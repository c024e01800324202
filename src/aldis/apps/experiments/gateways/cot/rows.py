"""Which field of an event is which field of the model: one table for each kind of thing.

Names are `event@uid` for an attribute of the event, `detail/contact@callsign` for one of an element in its detail, and
`detail/remarks` for an element's text; a second element of a name is `detail/link[2]`. The event and its point are of
CoT 2.0 (MITRE, Event-PUBLIC.xsd, 2005); track, sensor, status, contact, remarks and link of its detail schemas; takv,
__group, precisionlocation, __chat and the drawings of the TAK products (takcot/xsd of ATAK-CIV).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aldis.apps.experiments.gateways.cot import values as v
from aldis.apps.experiments.gateways.cot.times import micros

__all__ = [
    "AFFILIATIONS",
    "ALERT",
    "AREA",
    "CHAT",
    "CIRCLE",
    "OUTLINE",
    "SPOT",
    "STAMPS",
    "TASK",
    "TRACK",
    "Row",
    "Table",
    "kind_of",
]


STAMPS = frozenset({"event@version", "control@minProtoVersion", "control@maxProtoVersion"})
"""What says nothing of the thing, and is made anew with every message."""


AFFILIATIONS = {
    "p": "pending",
    "u": "unknown",
    "a": "assumed friend",
    "f": "friend",
    "n": "neutral",
    "s": "suspect",
    "h": "hostile",
    "x": "other",
}
"""The second letter of an atom's type; `o` says that nobody said, and `j` and `k`, jokers and fakers of exercises, have
no word in the model."""


@dataclass(frozen=True, slots=True)
class Row:
    """`native` is `model`: a field's path in the entity. Without `take` it is text as it stands."""

    native: str
    model: str
    take: Callable[[Any], Any] | None = None
    give: Callable[[Any], Any] = v.give_text


@dataclass(frozen=True)
class Table:
    """All rows of a kind; `elements` are the elements that they reach into, what is in no row of them is kept aside."""

    kind: str
    rows: tuple[Row, ...]

    native: dict[str, Row] = field(init=False)
    model: dict[str, Row] = field(init=False)
    elements: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        paths = [row.native.split("@")[0].split("/") for row in self.rows]
        elements = frozenset("/".join(path[: n + 1]) for path in paths for n in range(len(path)))
        object.__setattr__(self, "native", {row.native: row for row in self.rows})
        object.__setattr__(self, "model", {row.model: row for row in reversed(self.rows)})
        object.__setattr__(self, "elements", elements | {"event", "point", "detail"})


_EVENT = (
    Row("event@time", "timing.source_us", micros, v.give_time),
    Row("event@start", "timing.start_us", micros, v.give_time),
    Row("event@stale", "timing.stale_us", micros, v.give_time),
    Row("event@access", "markings.access"),
    Row("event@caveat", "markings.caveat"),
    Row("event@releasableTo", "markings.releasable_to"),
    Row("event@qos", "markings.qos"),
    Row("event@opex", "markings.opex"),
)
_PLACE = (
    Row("point@lat", "position.lat_deg", v.latitude, v.give_latitude),
    Row("point@lon", "position.lon_deg", v.longitude, v.give_longitude),
    Row("point@hae", "position.height_m", v.height, v.give_metres),
    Row("point@ce", "position.accuracy_m", v.positive, v.give_metres),
    Row("point@le", "position.height_accuracy_m", v.positive, v.give_metres),
)

TRACK = Table(
    "track",
    (
        Row("event@uid", "identity.cot_uid"),
        Row("event@type", "type.cot"),
        Row("event@how", "sensor.how"),
        *_EVENT,
        *_PLACE,
        Row("detail/takv@device", "sensor.device"),
        Row("detail/takv@platform", "sensor.platform"),
        Row("detail/takv@os", "sensor.os"),
        Row("detail/takv@version", "sensor.software"),
        Row("detail/contact@callsign", "identity.callsign"),
        Row("detail/contact@endpoint", "identity.contact"),
        Row("detail/contact@phone", "identity.phone"),
        Row("detail/contact@email", "identity.email"),
        Row("detail/uid@Droid", "identity.name"),
        Row("detail/__group@name", "identity.team"),
        Row("detail/__group@role", "identity.role"),
        Row("detail/precisionlocation@geopointsrc", "sensor.fix"),
        Row("detail/precisionlocation@altsrc", "sensor.altitude_fix"),
        Row("detail/status@battery", "status.battery_percent", v.percent, v.give_percent),
        Row("detail/status@readiness", "status.readiness", v.flag, v.give_flag),
        Row("detail/track@speed", "motion.speed_mps", v.number, v.give_number),
        Row("detail/track@course", "motion.course_deg", v.number, v.give_bearing),
        Row("detail/track@slope", "motion.climb_mps", v.number, v.give_number),
        Row("detail/track@eSpeed", "motion.speed_accuracy_mps", v.number, v.give_number),
        Row("detail/sensor@azimuth", "sensor.azimuth_deg", v.number, v.give_bearing),
        Row("detail/sensor@elevation", "sensor.elevation_deg", v.number, v.give_bearing),
        Row("detail/sensor@fov", "sensor.fov_deg", v.number, v.give_bearing),
        Row("detail/sensor@vfov", "sensor.vertical_fov_deg", v.number, v.give_bearing),
        Row("detail/sensor@range", "sensor.range_m", v.number, v.give_number),
        Row("detail/remarks", "status.remarks"),
    ),
)
_DRAWING = (
    Row("event@uid", "key"),
    Row("event@type", "cot"),
    *_EVENT,
    Row("detail/contact@callsign", "name"),
    Row("detail/remarks", "purpose"),
)
_SPOT = (
    Row("point@lat", "points", v.latitude, v.give_latitude),
    Row("point@lon", "points", v.longitude, v.give_longitude),
    Row("point@hae", "points", v.height, v.give_metres),
)
_LINK = Row("detail/link@point", "points", v.place, v.give_point)
_RADIUS = (
    Row("detail/shape/ellipse@major", "radius_m", v.positive, v.give_metres),
    Row("detail/shape/ellipse@minor", "radius_m", v.positive, v.give_metres),
)

AREA = Table("area", (*_DRAWING, *_SPOT, _LINK, *_RADIUS))
"""All that any of the three next reaches into."""
SPOT = Table("area", (*_DRAWING, *_SPOT))
CIRCLE = Table("area", (*_DRAWING, *_SPOT, *_RADIUS))
OUTLINE = Table("area", (*_DRAWING, _LINK))
CHAT = Table(
    "report",
    (
        Row("event@uid", "key"),
        Row("event@type", "cot"),
        *_EVENT,
        *_PLACE,
        Row("detail/__chat@senderCallsign", "author"),
        Row("detail/__chat@chatroom", "to"),
        Row("detail/remarks", "text"),
    ),
)
ALERT = Table(
    "report",
    (
        Row("event@uid", "key"),
        Row("event@type", "cot"),
        *_EVENT,
        *_PLACE,
        Row("detail/emergency", "author"),
        Row("detail/emergency@type", "text"),
    ),
)
TASK = Table(
    "task",
    (
        Row("event@uid", "key"),
        Row("event@type", "verb"),
        *_EVENT,
        *_SPOT,
        Row("detail/creator@uid", "issued_by"),
        Row("detail/marti/dest@uid", "assignee"),
        Row("detail/remarks", "remarks"),
    ),
)


def kind_of(cot: str) -> Table | str:
    """What a CoT type is about, or why nothing here is told of it.

    `t-x-c-t` and its reply keep a connection alive, `t-x-takp` agrees on a protocol, `t-x-d-d` deletes; `b-m-p-w-GOTO`
    is a place that someone is to go to. Strike and other tasking of weapons (`t-k`) is outside of what is exchanged.
    """
    for start, kind in _KINDS:
        if cot.startswith(start):
            return kind
    return "unsupported type"


_KINDS: tuple[tuple[str, Table | str], ...] = (
    ("a-", TRACK),
    ("b-m-p-w-GOTO", TASK),
    ("b-m-p-", AREA),
    ("b-m-r", AREA),
    ("u-d-", AREA),
    ("b-t-f", CHAT),
    ("b-a-", ALERT),
    ("t-x-c-t", "keepalive"),
    ("t-x-takp", "protocol negotiation"),
    ("t-x-d-d", "deletion"),
)
