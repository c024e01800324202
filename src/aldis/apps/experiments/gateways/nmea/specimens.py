"""What NMEA 0183 is measured with: messages in which every field tells, and the fields of any message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aldis.apps.experiments.gateways.gateway import Damaged, Native, Specimen, Tally
from aldis.apps.experiments.gateways.nmea.armour import sentence
from aldis.apps.experiments.gateways.nmea.layouts import LAYOUTS, layout_of
from aldis.apps.experiments.gateways.nmea.sending import Sender
from aldis.apps.experiments.gateways.nmea.sentences import Assembler, Message
from aldis.apps.experiments.gateways.nmea.words import named

__all__ = ["familiar", "fields", "specimens"]

_FAMILIAR = re.compile(rb"\s*(?:\\[^\\\n]{1,90}\\)?[!$][0-9A-Z]{3,8},")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{0,15})?")
_PLACE: dict[str, int | str] = {"lat": 35_940_123, "lon": 14_700_456, "accuracy": 1}
_MOVES: dict[str, int | str] = {"speed": 123, "course": 2345, "heading": 233, "second": 41, "raim": 1}
_HULL: dict[str, int | str] = {"to_bow": 100, "to_stern": 61, "to_port": 17, "to_starboard": 8, "epfd": 3}
_SAID: dict[str, Sequence[tuple[str, Mapping[str, int | str]]]] = {
    "class A vessel": (
        (
            "class A",
            {"type": 3, "repeat": 1, "status": 7, "turn": -25, "manoeuvre": 2, "spare": 5, "radio": 81_942,
             **_PLACE, **_MOVES},
        ),
        (
            "static",
            {"type": 5, "repeat": 1, "version": 2, "imo": 9_301_122, "callsign": "OJ1234", "name": "SPECIMEN",
             "ship_type": 71, "month": 6, "day": 11, "hour": 7, "minute": 25, "draught": 102, "destination": "TURKU",
             "dte": 1, "spare": 1, **_HULL},
        ),
    ),
    "class B vessel": (
        (
            "class B",
            {"type": 18, "repeat": 2, "reserved": 77, "reserved2": 2, "carrier_sense": 1, "display": 1, "dsc": 1,
             "band": 1, "message22": 1, "assigned": 1, "radio": 917_510, **_PLACE, **_MOVES},
        ),
        ("name", {"type": 24, "repeat": 2, "name": "ADELANTE"}),
        (
            "static B",
            {"type": 24, "repeat": 2, "part": 1, "ship_type": 36, "vendor": "ABC", "model": 3, "serial": 4711,
             "callsign": "OJ1", "spare": 2, **_HULL},
        ),
    ),
    "class B vessel, extended": (
        (
            "class B extended",
            {"type": 19, "repeat": 1, "reserved": 9, "reserved2": 5, "name": "ADELANTE", "ship_type": 37, "dte": 1,
             "assigned": 1, "spare": 3, **_PLACE, **_MOVES, **_HULL},
        ),
    ),
    "tender": (
        (
            "static of a tender",
            {"type": 24, "repeat": 1, "part": 1, "mmsi": 982_300_001, "ship_type": 53, "vendor": "ABC", "model": 3,
             "serial": 4711, "callsign": "OJ1A", "mothership": 230_123_456, "epfd": 1, "spare": 1},
        ),
    ),
    "search and rescue aircraft": (
        (
            "aircraft",
            {"type": 9, "repeat": 1, "mmsi": 111_230_001, "altitude": 301, "altitude_sensor": 1, "reserved": 3,
             "dte": 1, "spare": 2, "assigned": 1, "radio": 7, **_PLACE, **_MOVES},
        ),
    ),
    "base station": (
        (
            "base",
            {"type": 4, "repeat": 1, "mmsi": 2_300_001, "year": 2024, "month": 6, "day": 11, "hour": 11, "minute": 46,
             "second": 12, "epfd": 7, "spare": 3, "raim": 1, "radio": 33, **_PLACE},
        ),
    ),
    "aid to navigation": (
        (
            "aid",
            {"type": 21, "repeat": 1, "mmsi": 992_301_001, "aid_type": 14, "name": "PORKKALA BUOY NUMBER",
             "name_extension": " 7 EAST", "second": 13, "off_position": 1, "aid_status": 165, "raim": 1, "virtual": 1,
             "assigned": 1, "spare": 1, **_PLACE, **_HULL},
        ),
    ),
    "vessel far off": (
        (
            "long range",
            {"type": 27, "repeat": 1, "accuracy": 1, "raim": 1, "status": 5, "lat": 35_940, "lon": 14_700, "speed": 12,
             "course": 234, "latency": 1, "spare": 1},
        ),
    ),
    "words to all": (("text", {"type": 14, "repeat": 1, "spare": 1, "text": "DRIFTING RAFT, TWO PERSONS"}),),
    "words to one": (
        (
            "addressed text",
            {"type": 12, "repeat": 1, "sequence": 2, "destination_mmsi": 230_654_321, "retransmit": 1, "spare": 1,
             "text": "RAFT SIGHTED"},
        ),
    ),
    "weather": (
        (
            "weather",
            {"type": 8, "repeat": 1, "spare": 2, "dac": 1, "function": 31, "lon": 1_470_045, "lat": 3_594_012,
             "accuracy": 1, "day": 11, "hour": 7, "minute": 25, "wind_speed": 21, "gust": 31, "wind_from": 225,
             "gust_from": 230, "air_temperature": 173, "humidity": 71, "dew_point": 92, "pressure": 214,
             "pressure_tendency": 1, "visibility_beyond": 1, "visibility": 93, "water_level": 1012, "level_trend": 1,
             "current_speed": 12, "current_to": 45, "current2_speed": 11, "current2_to": 46, "current2_depth": 5,
             "current3_speed": 10, "current3_to": 47, "current3_depth": 9, "wave_height": 14, "wave_period": 5,
             "wave_from": 220, "swell_height": 9, "swell_period": 8, "swell_from": 190, "sea_state": 4,
             "water_temperature": 121, "precipitation": 1, "salinity": 62, "ice": 1, "spare2": 5},
        ),
    ),
}  # fmt: skip
_WORDS = {
    "own vessel": (
        "IIZDA,114612.250,11,06,2024,00,00",
        "IIGGA,114612.250,5954.020500,N,02430.076000,E,4,09,0.87,12.345,M,17.5,M,,",
        "IIGLL,5954.020500,N,02430.076000,E,114612.250,A,A",
        "IIRMC,114612.250,A,5954.020500,N,02430.076000,E,12.3,234.5,110624,,,A",
        "IIVTG,234.5,T,,,12.3,N,22.7796,K,A",
        "IIHDT,233.4,T",
        "IIROT,-2.5,A",
        "IIVHW,233.4,T,,,11.9,N,22.0388,K",
    ),
    "radar contact": (
        "RATTM,11,2.5,123.4,T,7.5,85.6,T,0.4,12.5,N,TGT11,T,R,114612.250,A",
        "RATLL,11,5954.020500,N,02430.076000,E,TGT11,114612.250,T,R",
    ),
    "surroundings": (
        "IIMWD,225.5,T,217.1,M,15.5511,N,8.0002,M",
        "IIMTW,12.1,C",
        "IIDPT,41.5,,",
        "IIDBT,,,41.5,M,,",
        "IIXDR,C,17.3,C,TempAir,P,1.0132,B,Barometer,H,71.5,P,Humidity",
    ),
    "waypoint": ("IIWPL,5954.020500,N,02430.076000,E,RAFT",),
    "words of a system": ("IITXT,01,01,07,ANTENNA OK",),
}


def specimens() -> Sequence[Specimen]:
    """One for each kind of thing that the sentences speak of."""
    made = []
    for name, messages in _SAID.items():
        sender = Sender()
        packed = [LAYOUTS[layout].pack({"mmsi": 230_123_456, **values}) for layout, values in messages]
        made.append(Specimen(name, tuple(sender.bits(*bits) for bits in packed)))
    made += [
        Specimen(name, tuple(sentence(words.encode("ascii")) for words in sentences))
        for name, sentences in _WORDS.items()
    ]
    return made


def familiar(start: bytes) -> bool:
    """Whether `start` looks like a sentence, maybe behind a tag block."""
    return bool(_FAMILIAR.match(start[:200]))


def fields(messages: Sequence[bytes]) -> Mapping[str, Native]:
    """Every field of all intact messages.

    AIS: places and courses in degrees, speeds in knots, all others as the numbers they are. Others as they stand.
    """
    found: dict[str, Native] = {}
    assembler = Assembler(Tally())
    for line in b"\n".join(messages).split(b"\n"):
        if not line.strip() or assembler.stamp(line.strip()):
            continue
        try:
            heard = assembler.push(line.strip(), 0)
        except Damaged:
            continue
        if isinstance(heard, Message):
            layout = layout_of(heard.bits, heard.size)
            if layout is not None:
                values = layout.unpack(heard.bits, heard.size)
                found |= {f"ais.{name}": _native(layout.name, name, value) for name, value in values.items()}
        elif heard is not None:
            said = named(heard.words)
            found |= {k: float(v) if _NUMBER.fullmatch(v) else v for k, v in said.items()}
    return found


def _native(layout: str, name: str, value: int | str) -> Native:
    if isinstance(value, str):
        return value.rstrip("@")
    if name in ("lat", "lon"):
        return round(value / {"long range": 600, "weather": 60_000}.get(layout, 600_000), 7)
    if name in ("speed", "course") and layout != "long range" and (layout, name) != ("aircraft", "speed"):
        return value / 10
    return value
