"""Where every field of the messages spoken here stands.

The layouts are facts from the CANboat database of NMEA 2000 messages (github.com/canboat/canboat, Apache-2.0), whose
names of fields are kept. An item is `name:kind bits * resolution`; kinds: `u` number, `s` signed number (greatest: not
available), `c` code, `x` bits without a meaning here, `r` reserved (all ones), `t` text of eight-bit characters,
`v` text with its length, `d` days since 1970, `h` time of day in 0.1 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["PGNS", "Pgn", "Value"]

Value = int | float | str
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    kind: str
    start: int
    bits: int
    resolution: float

    def value(self, raw: int) -> Value | None:
        """What `raw` says; None where it says that it is not available."""
        if self.kind in "cx":
            return raw
        full = (1 << self.bits) - 1
        if self.kind == "t":
            return _text(raw.to_bytes(self.bits // 8, "little"))
        if self.kind == "s":
            most = full >> 1
            raw = raw - full - 1 if raw > most else raw
        else:
            most = full
        # the greatest value is "not available", in wide fields the one below it "out of range"
        if raw == most or (self.bits >= 8 and raw == most - 1):
            return None
        if self.kind == "h":
            return raw / 10_000
        return raw if self.resolution == 1 else round(raw * self.resolution, 10 if self.resolution > 1e-9 else 16)

    def raw(self, value: Value | None) -> int:
        """The bits of `value`, in range; of None those which say that it is not available."""
        full = (1 << self.bits) - 1
        if self.kind == "r":
            return full
        if self.kind in "cx":
            return int(value or 0) & full
        if self.kind == "t":
            data = str(value or "").encode("ascii", "replace")[: self.bits // 8]
            return int.from_bytes(data.ljust(self.bits // 8, b"@" if value else b"\xff"), "little")
        most = full >> 1 if self.kind == "s" else full
        if value is None or isinstance(value, str):
            return most
        raw = round(value * 10_000) if self.kind == "h" else round(value / self.resolution)
        least = -most if self.kind == "s" else 0
        return (raw if least <= raw <= most - 2 else most) & full


@dataclass(slots=True)
class Pgn:
    """The fields of one message from its first bit on, least significant first."""

    number: int
    spec: str
    fields: list[_Field] = field(default_factory=list)
    size: int = 0

    def __post_init__(self) -> None:
        for item in self.spec.split():
            name, _, rest = item.partition(":")
            width, _, resolution = rest[1:].partition("*")
            self.fields.append(_Field(name, rest[0], self.size, int(width), float(resolution or 1)))
            self.size += int(width)

    @property
    def fast(self) -> bool:
        """Whether it needs several frames."""
        return self.size > 64

    def unpack(self, data: bytes) -> dict[str, Value]:
        """The value of every field that says something; what `data` is too short for says nothing."""
        bits, have = int.from_bytes(data, "little"), len(data) * 8
        found: dict[str, Value] = {}
        for item in self.fields:
            if item.kind == "v":
                text = _variable(data[item.start // 8 :])
                if text is not None:
                    found[item.name] = text
            elif item.kind != "r" and item.start + item.bits <= have:
                value = item.value(bits >> item.start & ((1 << item.bits) - 1))
                if value is not None and value != "":
                    found[item.name] = value
        return found

    def pack(self, values: Mapping[str, Value | None]) -> bytes:
        """The message; a field without a value is not available, a code without one 0."""
        bits = 0
        tail = b""
        for item in self.fields:
            if item.kind == "v":
                text = str(values.get(item.name) or "").encode("ascii", "replace")[:_MAX_TEXT]
                tail = bytes((len(text) + 2, 1)) + text
            else:
                bits |= item.raw(values.get(item.name)) << item.start
        return bits.to_bytes((self.size + 7) // 8, "little") + tail


def _text(data: bytes) -> str:
    """Text up to its first filler, trimmed; only printable ASCII stays."""
    kept = data.split(b"@", 1)[0].split(b"\0", 1)[0].split(b"\xff", 1)[0]
    return "".join(chr(c) for c in kept if 32 <= c <= 126).strip()


def _variable(data: bytes) -> str | None:
    """Text behind its length (which counts itself) and its encoding: 1 is ASCII, 0 UTF-16."""
    if len(data) < 2 or not 2 <= data[0] <= len(data):
        return None
    body = data[2 : data[0]]
    if data[1] == 0:
        return _text(body.decode("utf-16-le", "replace").encode("ascii", "replace")) or None
    return _text(body) or None


_ALL = (
    Pgn(
        126992,
        "sid:u8 source:c4 reserved:r4 date:d16 time:h32",
    ),
    Pgn(
        127250,
        "sid:u8 heading:u16*0.0001 deviation:s16*0.0001 variation:s16*0.0001 reference:c2 reserved:r6",
    ),
    Pgn(
        127251,
        "sid:u8 rate:s32*3.125e-08 reserved:r24",
    ),
    Pgn(
        127257,
        "sid:u8 yaw:s16*0.0001 pitch:s16*0.0001 roll:s16*0.0001 reserved:r8",
    ),
    Pgn(
        127258,
        "sid:u8 source:c4 reserved:r4 ageOfService:d16 variation:s16*0.0001 reserved6:r16",
    ),
    Pgn(
        128259,
        "sid:u8 speedWaterReferenced:u16*0.01 speedGroundReferenced:u16*0.01 speedWaterReferencedType:c8 "
        "speedDirection:u4 reserved:r12",
    ),
    Pgn(
        128267,
        "sid:u8 depth:u32*0.01 offset:s16*0.001 range:u8*10",
    ),
    Pgn(
        129025,
        "latitude:s32*1e-07 longitude:s32*1e-07",
    ),
    Pgn(
        129026,
        "sid:u8 cogReference:c2 reserved:r6 cog:u16*0.0001 sog:u16*0.01 reserved6:r16",
    ),
    Pgn(
        129029,
        "sid:u8 date:d16 time:h32 latitude:s64*1e-16 longitude:s64*1e-16 altitude:s64*1e-06 gnssType:c4 method:c4 "
        "integrity:c2 reserved:r6 numberOfSvs:u8 hdop:s16*0.01 pdop:s16*0.01 geoidalSeparation:s32*0.01 "
        "referenceStations:u8 referenceStationType:c4 referenceStationId:u12 ageOfDgnssCorrections:u16*0.01",
    ),
    Pgn(
        130306,
        "sid:u8 windSpeed:u16*0.01 windAngle:u16*0.0001 reference:c3 reserved:r21",
    ),
    Pgn(
        130310,
        "sid:u8 waterTemperature:u16*0.01 outsideAmbientAirTemperature:u16*0.01 atmosphericPressure:u16*100 "
        "reserved:r8",
    ),
    Pgn(
        130311,
        "sid:u8 temperatureSource:c6 humiditySource:c2 temperature:u16*0.01 humidity:s16*4e-05 "
        "atmosphericPressure:u16*100",
    ),
    Pgn(
        130312,
        "sid:u8 instance:u8 source:c8 actualTemperature:u16*0.01 setTemperature:u16*0.01 reserved:r8",
    ),
    Pgn(
        130313,
        "sid:u8 instance:u8 source:c8 actualHumidity:s16*4e-05 setHumidity:s16*4e-05 reserved:r8",
    ),
    Pgn(
        130314,
        "sid:u8 instance:u8 source:c8 pressure:s32*0.1 reserved:r8",
    ),
    Pgn(
        130316,
        "sid:u8 instance:u8 source:c8 temperature:u24*0.001 setTemperature:u16*0.1",
    ),
    Pgn(
        129038,
        "messageId:c6 repeatIndicator:c2 userId:u32 longitude:s32*1e-07 latitude:s32*1e-07 positionAccuracy:c1 "
        "raim:c1 timeStamp:c6 cog:u16*0.0001 sog:u16*0.01 communicationState:x19 aisTransceiverInformation:c5 "
        "heading:u16*0.0001 rateOfTurn:s16*3.125e-05 navStatus:c4 specialManeuverIndicator:c2 reserved:r2 "
        "spare18:x3 reserved19:r5 sequenceId:u8",
    ),
    Pgn(
        129039,
        "messageId:c6 repeatIndicator:c2 userId:u32 longitude:s32*1e-07 latitude:s32*1e-07 positionAccuracy:c1 "
        "raim:c1 timeStamp:c6 cog:u16*0.0001 sog:u16*0.01 communicationState:x19 aisTransceiverInformation:c5 "
        "heading:u16*0.0001 regionalApplication:x8 regionalApplicationB:x2 unitType:c1 integratedDisplay:c1 "
        "dsc:c1 band:c1 canHandleMsg22:c1 aisMode:c1 aisCommunicationState:c1 reserved:r7 sequenceId:u8",
    ),
    Pgn(
        129040,
        "messageId:c6 repeatIndicator:c2 userId:u32 longitude:s32*1e-07 latitude:s32*1e-07 positionAccuracy:c1 "
        "raim:c1 timeStamp:c6 cog:u16*0.0001 sog:u16*0.01 regionalApplication:x8 regionalApplicationB:x4 "
        "reserved:r4 typeOfShip:c8 trueHeading:u16*0.0001 reserved16:r4 gnssType:c4 length:u16*0.1 beam:u16*0.1 "
        "positionReferenceFromStarboard:u16*0.1 positionReferenceFromBow:u16*0.1 name:t160 dte:c1 aisMode:c1 "
        "spare25:x4 aisTransceiverInformation:c5 reserved27:r5",
    ),
    Pgn(
        129041,
        "messageId:c6 repeatIndicator:c2 userId:u32 longitude:s32*1e-07 latitude:s32*1e-07 positionAccuracy:c1 "
        "raim:c1 timeStamp:c6 lengthDiameter:u16*0.1 beamDiameter:u16*0.1 "
        "positionReferenceFromStarboardEdge:u16*0.1 positionReferenceFromTrueNorthFacingEdge:u16*0.1 atonType:c5 "
        "offPositionIndicator:c1 virtualAtonFlag:c1 assignedModeFlag:c1 spare:x1 positionFixingDeviceType:c4 "
        "reserved19:r3 atonStatus:x8 aisTransceiverInformation:c5 reserved22:r3 atonName:v0",
    ),
    Pgn(
        129793,
        "messageId:c6 repeatIndicator:c2 userId:u32 longitude:s32*1e-07 latitude:s32*1e-07 positionAccuracy:c1 "
        "raim:c1 reserved:r6 positionTime:h32 communicationState:x19 aisTransceiverInformation:c5 "
        "positionDate:d16 reserved13:r4 gnssType:c4 spare15:x10 reserved16:r6 sequenceId:u8",
    ),
    Pgn(
        129794,
        "messageId:c6 repeatIndicator:c2 userId:u32 imoNumber:u32 callsign:t56 name:t160 typeOfShip:c8 "
        "length:u16*0.1 beam:u16*0.1 positionReferenceFromStarboard:u16*0.1 positionReferenceFromBow:u16*0.1 "
        "etaDate:d16 etaTime:h32 draft:u16*0.01 destination:t160 aisVersionIndicator:c2 gnssType:c4 dte:c1 "
        "reserved:r1 aisTransceiverInformation:c5 reserved21:r3 sequenceId:u8",
    ),
    Pgn(
        129798,
        "messageId:c6 repeatIndicator:c2 userId:u32 longitude:s32*1e-07 latitude:s32*1e-07 positionAccuracy:c1 "
        "raim:c1 timeStamp:c6 cog:u16*0.0001 sog:u16*0.1 communicationState:x19 aisTransceiverInformation:c5 "
        "altitude:s32*0.01 reservedForRegionalApplications:x8 dte:c1 spare:x5 reserved17:r2",
    ),
    Pgn(
        129809,
        "messageId:c6 repeatIndicator:c2 userId:u32 name:t160 aisTransceiverInformation:c5 reserved:r3 sequenceId:u8",
    ),
    Pgn(
        129810,
        "messageId:c6 repeatIndicator:c2 userId:u32 typeOfShip:c8 vendorId:t56 callsign:t56 length:u16*0.1 "
        "beam:u16*0.1 positionReferenceFromStarboard:u16*0.1 positionReferenceFromBow:u16*0.1 "
        "mothershipUserId:u32 reserved:r2 spare13:x2 gnssType:c4 aisTransceiverInformation:c5 reserved16:r3 "
        "sequenceId:u8",
    ),
)
PGNS = {pgn.number: pgn for pgn in _ALL}
"""By their numbers."""
