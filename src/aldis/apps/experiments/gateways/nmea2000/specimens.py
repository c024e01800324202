"""What NMEA 2000 is measured with: messages in which every field tells, and the fields of any message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aldis.apps.experiments.gateways.gateway import Damaged, Native, Specimen, Tally
from aldis.apps.experiments.gateways.nmea2000.frames import LOG_LINE, Assembler, line_of
from aldis.apps.experiments.gateways.nmea2000.pgns import PGNS, Value

__all__ = ["familiar", "fields", "specimens"]

_AT_US = 1_718_106_372_250_000  # 11 June 2024, 11:46:12.25 UTC
_DAY, _TIME = 19_885, 42_372.25
_DEVICE = 43
_HEAD: dict[str, Value] = {"repeatIndicator": 1, "aisTransceiverInformation": 1, "sequenceId": 7}
_PLACE: dict[str, Value] = {
    "longitude": 24.5012667, "latitude": 59.9003417, "positionAccuracy": 1, "raim": 1, "timeStamp": 12,
}  # fmt: skip
_MOVES: dict[str, Value] = {"cog": 1.5, "sog": 6.33, "communicationState": 81_942}
_HULL: dict[str, Value] = {
    "length": 161.0, "beam": 25.0, "positionReferenceFromStarboard": 8.0, "positionReferenceFromBow": 100.0,
}  # fmt: skip
_B: dict[str, Value] = {
    "regionalApplication": 77, "regionalApplicationB": 2, "unitType": 1, "integratedDisplay": 1, "dsc": 1, "band": 1,
    "canHandleMsg22": 1, "aisMode": 1, "aisCommunicationState": 1,
}  # fmt: skip
_SAID: dict[str, Mapping[int, dict[str, Value]]] = {
    "class A vessel": {
        129038: {"messageId": 3, "heading": 1.6, "rateOfTurn": 0.003125, "navStatus": 7,
                 "specialManeuverIndicator": 2, "spare18": 5, **_PLACE, **_MOVES},
        129794: {"messageId": 5, "imoNumber": 9_301_122, "callsign": "OJ1234", "name": "SPECIMEN", "typeOfShip": 71,
                 "etaDate": 19_888, "etaTime": 26_700.0, "draft": 10.2, "destination": "TURKU",
                 "aisVersionIndicator": 2, "gnssType": 3, "dte": 1, **_HULL},
    },
    "class B vessel": {
        129039: {"messageId": 18, "heading": 1.6, **_B, **_PLACE, **_MOVES},
        129040: {"messageId": 19, "regionalApplication": 9, "regionalApplicationB": 5, "typeOfShip": 37,
                 "trueHeading": 1.6, "gnssType": 3, "name": "ADELANTE", "dte": 1, "aisMode": 1, "spare25": 3,
                 **_HULL, **_PLACE, "cog": 1.5, "sog": 6.33},
        129809: {"messageId": 24, "name": "ADELANTE"},
        129810: {"messageId": 24, "typeOfShip": 37, "vendorId": "ABC4711", "callsign": "OJ1",
                 "mothershipUserId": 230_123_456, "spare13": 1, "gnssType": 3, **_HULL},
    },
    "aid to navigation": {
        129041: {"messageId": 21, "userId": 992_301_001, "lengthDiameter": 4.0, "beamDiameter": 3.0,
                 "positionReferenceFromStarboardEdge": 1.0, "positionReferenceFromTrueNorthFacingEdge": 2.0,
                 "atonType": 14, "offPositionIndicator": 1, "virtualAtonFlag": 1, "assignedModeFlag": 1, "spare": 1,
                 "positionFixingDeviceType": 7, "atonStatus": 165, "atonName": "PORKKALA BUOY 7", **_PLACE},
    },
    "base station": {
        129793: {"messageId": 4, "userId": 2_300_001, "positionTime": 42_372.0, "positionDate": _DAY, "gnssType": 7,
                 "communicationState": 33, "spare15": 3, **{k: v for k, v in _PLACE.items() if k != "timeStamp"}},
    },
    "search and rescue aircraft": {
        129798: {"messageId": 9, "userId": 111_230_001, "altitude": 301.25,
                 "reservedForRegionalApplications": 3, "dte": 1, "spare": 2, **_PLACE, **_MOVES, "sog": 63.3},
    },
    "own vessel": {
        126992: {"sid": 1, "source": 3, "date": _DAY, "time": _TIME},
        129029: {"sid": 1, "date": _DAY, "time": _TIME, "latitude": 59.9003417, "longitude": 24.5012667,
                 "altitude": 29.845, "gnssType": 8, "method": 4, "integrity": 1, "numberOfSvs": 9, "hdop": 0.87,
                 "pdop": 1.32, "geoidalSeparation": 17.5, "referenceStations": 1, "referenceStationType": 2,
                 "referenceStationId": 7, "ageOfDgnssCorrections": 1.5},
        129025: {"latitude": 59.9003417, "longitude": 24.5012667},
        129026: {"sid": 1, "cogReference": 0, "cog": 1.5, "sog": 6.33},
        127250: {"sid": 1, "heading": 1.6, "deviation": 0.01, "variation": 0.15, "reference": 0},
        127251: {"sid": 1, "rate": 0.003125},
        127257: {"sid": 1, "yaw": 1.6, "pitch": 0.05, "roll": -0.12},
        127258: {"sid": 1, "source": 4, "ageOfService": 20_000, "variation": 0.15},
        128259: {"sid": 1, "speedWaterReferenced": 6.12, "speedGroundReferenced": 6.33,
                 "speedWaterReferencedType": 1, "speedDirection": 2},
    },
    "surroundings": {
        130306: {"sid": 1, "windSpeed": 8.01, "windAngle": 3.93, "reference": 0},
        128267: {"sid": 1, "depth": 41.5, "offset": -1.5, "range": 100.0},
        130310: {"sid": 1, "waterTemperature": 285.25, "outsideAmbientAirTemperature": 290.45,
                 "atmosphericPressure": 101_300.0},
        130311: {"sid": 1, "temperatureSource": 1, "humiditySource": 1, "temperature": 290.45, "humidity": 0.714,
                 "atmosphericPressure": 101_300.0},
        130312: {"sid": 1, "instance": 2, "source": 0, "actualTemperature": 285.25, "setTemperature": 285.0},
        130313: {"sid": 1, "instance": 2, "source": 1, "actualHumidity": 0.714, "setHumidity": 0.5},
        130314: {"sid": 1, "instance": 2, "source": 0, "pressure": 101_300.0},
        130316: {"sid": 1, "instance": 2, "source": 1, "temperature": 290.45, "setTemperature": 290.0},
    },
}  # fmt: skip


def specimens() -> Sequence[Specimen]:
    """One for each kind of thing that the messages speak of."""
    made = []
    for name, messages in _SAID.items():
        lines = []
        for pgn, values in messages.items():
            ais = (
                _HEAD | {"userId": 230_123_456}
                if pgn in range(129038, 129042) or (pgn > 129792 and pgn < 130000)
                else {}
            )
            lines.append(line_of(pgn, _DEVICE, PGNS[pgn].pack(ais | values), _AT_US))
        made.append(Specimen(name, tuple(lines)))
    return made


def familiar(start: bytes) -> bool:
    """Whether the first line of `start` is one of such a log."""
    line = start.lstrip()[:1024].split(b"\n", 1)[0].strip()
    return bool(LOG_LINE.fullmatch(line)) or (line[:1] == b"(" and b") can" in line)


def fields(messages: Sequence[bytes]) -> Mapping[str, Native]:
    """Every field that says something of all intact messages, in SI units (places in degrees)."""
    found: dict[str, Native] = {}
    assembler = Assembler(Tally())
    for line in b"\n".join(messages).split(b"\n"):
        try:
            message = assembler.push(line.strip()) if line.strip() else None
        except Damaged:
            continue
        if message is not None:
            said = PGNS[message.pgn].unpack(message.data)
            found |= {f"{message.pgn}.{name}": value for name, value in said.items()}
    return found
