"""Where every field of every AIS message stands: ITU-R M.1371-5, Annex 8; weather as in IMO SN.1/Circ.289.

A width below 0 is that of a two's complement number; a width of text is given in characters, as a string.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aldis.apps.experiments.gateways.nmea.armour import text_bits, text_of

__all__ = ["LAYOUTS", "Layout", "layout_of"]

Value = int | str


@dataclass(slots=True)
class Layout:
    """The fields of one message, from its first bit on; `least` is the fewest bits that say something.

    `tail` is a text that fills what is left.
    """

    name: str
    least: int
    spec: str
    tail: str = ""
    fields: list[tuple[str, int, int, bool]] = field(default_factory=list)
    size: int = 0

    def __post_init__(self) -> None:
        for item in self.spec.split():
            name, _, width = item.partition(":")
            text = width.startswith("t")
            bits = int(width[1:]) * 6 if text else int(width)
            self.fields.append((name, self.size, bits, text))
            self.size += abs(bits)

    def unpack(self, bits: int, size: int) -> dict[str, Value]:
        """Every field's value as it stands there; bits that are missing at the end are 0."""
        found: dict[str, Value] = {}
        have = max(size, self.size)
        bits <<= have - size
        for name, start, width, text in self.fields:
            wide = abs(width)
            value = bits >> (have - start - wide) & ((1 << wide) - 1)
            if width < 0 and value >> (wide - 1):
                value -= 1 << wide
            found[name] = text_of(value, wide) if text else value
        if self.tail:
            left = max(0, size - self.size)
            found[self.tail] = text_of(bits & ((1 << left) - 1), left)
        return found

    def pack(self, values: Mapping[str, Value]) -> tuple[int, int]:
        """The bits of a message and how many they are; fields without a value are 0."""
        bits = 0
        for name, _, width, text in self.fields:
            wide = abs(width)
            value = values.get(name, 0)
            number = text_bits(str(value or ""), wide // 6) if text else int(value) & ((1 << wide) - 1)
            bits = bits << wide | number
        if not self.tail:
            return bits, self.size
        words = str(values.get(self.tail, ""))
        return bits << 6 * len(words) | text_bits(words, len(words)), self.size + 6 * len(words)


_HEAD = "type:6 repeat:2 mmsi:30 "
_PLACE = "accuracy:1 lon:-28 lat:-27 "
_HULL = "to_bow:9 to_stern:9 to_port:6 to_starboard:6 "
_WEATHER = (
    "accuracy:1 day:5 hour:5 minute:6 wind_speed:7 gust:7 wind_from:9 gust_from:9 air_temperature:-11 humidity:7 "
    "dew_point:-10 pressure:9 pressure_tendency:2 visibility_beyond:1 visibility:7 water_level:12 level_trend:2 "
    "current_speed:8 current_to:9 current2_speed:8 current2_to:9 current2_depth:5 current3_speed:8 current3_to:9 "
    "current3_depth:5 wave_height:8 wave_period:6 wave_from:9 swell_height:8 swell_period:6 swell_from:9 sea_state:4 "
    "water_temperature:-10 precipitation:3 salinity:9 ice:2 spare2:10"
)
LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            "class A",
            168,
            _HEAD + "status:4 turn:-8 speed:10 " + _PLACE + "course:12 heading:9 second:6 manoeuvre:2 spare:3 "
            "raim:1 radio:19",
        ),
        Layout(
            "base",
            168,
            _HEAD + "year:14 month:4 day:5 hour:5 minute:6 second:6 " + _PLACE + "epfd:4 spare:10 raim:1 radio:19",
        ),
        Layout(
            "static",
            420,
            _HEAD + "version:2 imo:30 callsign:t7 name:t20 ship_type:8 " + _HULL + "epfd:4 month:4 day:5 hour:5 "
            "minute:6 draught:8 destination:t20 dte:1 spare:1",
        ),
        Layout(
            "aircraft",
            168,
            _HEAD + "altitude:12 speed:10 " + _PLACE + "course:12 second:6 altitude_sensor:1 reserved:7 dte:1 "
            "spare:3 assigned:1 raim:1 radio:20",
        ),
        Layout("addressed text", 72, _HEAD + "sequence:2 destination_mmsi:30 retransmit:1 spare:1", "text"),
        Layout("text", 40, _HEAD + "spare:2", "text"),
        Layout(
            "class B",
            168,
            _HEAD + "reserved:8 speed:10 " + _PLACE + "course:12 heading:9 second:6 reserved2:2 carrier_sense:1 "
            "display:1 dsc:1 band:1 message22:1 assigned:1 raim:1 radio:20",
        ),
        Layout(
            "class B extended",
            312,
            _HEAD
            + "reserved:8 speed:10 "
            + _PLACE
            + "course:12 heading:9 second:6 reserved2:4 name:t20 ship_type:8 "
            + _HULL
            + "epfd:4 raim:1 dte:1 assigned:1 spare:4",
        ),
        Layout(
            "aid",
            272,
            _HEAD + "aid_type:5 name:t20 " + _PLACE + _HULL + "epfd:4 second:6 off_position:1 aid_status:8 raim:1 "
            "virtual:1 assigned:1 spare:1",
            "name_extension",
        ),
        Layout("name", 160, _HEAD + "part:2 name:t20"),
        Layout(
            "static B",
            160,
            _HEAD + "part:2 ship_type:8 vendor:t3 model:4 serial:20 callsign:t7 " + _HULL + "epfd:4 spare:2",
        ),
        Layout(
            "static of a tender",
            160,
            _HEAD + "part:2 ship_type:8 vendor:t3 model:4 serial:20 callsign:t7 mothership:30 epfd:4 spare:2",
        ),
        Layout(
            "long range",
            96,
            _HEAD + "accuracy:1 raim:1 status:4 lon:-18 lat:-17 speed:6 course:9 latency:1 spare:1",
        ),
        Layout("weather", 350, _HEAD + "spare:2 dac:10 function:6 lon:-25 lat:-24 " + _WEATHER),
    )
}
_BY_TYPE = {
    1: "class A", 2: "class A", 3: "class A", 4: "base", 5: "static", 9: "aircraft", 11: "base", 12: "addressed text",
    14: "text", 18: "class B", 19: "class B extended", 21: "aid", 27: "long range",
}  # fmt: skip


def layout_of(bits: int, size: int) -> Layout | None:
    """The layout of a message of `size` bits; None where this gateway has none."""
    kind = bits >> (size - 6) if size >= 6 else 0
    if kind == 24 and size >= 40:
        if bits >> (size - 40) & 3 == 0:
            return LAYOUTS["name"]
        tender = (bits >> (size - 38) & 0x3FFFFFFF) // 10_000_000 == 98
        return LAYOUTS["static of a tender" if tender else "static B"]
    if kind == 8 and size >= 56 and bits >> (size - 56) & 0xFFFF == 1 << 6 | 31:
        return LAYOUTS["weather"]
    return LAYOUTS.get(_BY_TYPE.get(kind, ""))
