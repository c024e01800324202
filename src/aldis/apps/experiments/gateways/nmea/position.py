"""A position report of AIS (ITU-R M.1371-5, Annex 8, messages 1 to 3), from a sentence to its own fields and back."""

from __future__ import annotations

import re
from operator import le
from typing import NamedTuple

from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.armour import checksum, unarmour, whole_sentence
from aldis.apps.experiments.gateways.nmea.values import AVAILABLE_TURNS, TURNS

__all__ = ["PositionReport"]

_SENTENCE = re.compile(
    rb"!([!-~]{2}VD[MO],1,1,\d?,[AB12]?,([0-W`-w]{28}),0)\*([0-9A-Fa-f]{2})[ \t\r\n]*+",
)
_TURNS = tuple(float(code) if (rate := TURNS[code + 128]) is None else rate for code in range(-128, 128))
_CODES = AVAILABLE_TURNS | {-128.0: -128, 127.0: 127, -127.0: -127}
_WIDTHS = (6, 2, 30, 4, 8, 10, 1, 28, 27, 12, 9, 6, 2, 3, 1, 19)
_MOST = tuple((1 << width) - 1 for width in _WIDTHS)


class PositionReport(NamedTuple):
    """Every field of messages 1 to 3, degrees, knots and degrees in a minute; else as it stands there.

    A turn of -128, 127 or -127 is what those codes say: not available, or to starboard or port, but not how fast.
    """

    type: int
    repeat: int
    mmsi: int
    status: int
    turn: float
    speed: float
    accuracy: bool
    lon: float
    lat: float
    course: float
    heading: int
    second: int
    manoeuvre: int
    spare: int
    raim: bool
    radio: int

    @classmethod
    def read(cls, sentence: bytes) -> PositionReport:
        """The report that a sentence is.

        Raises:
            Damaged: it is no intact sentence of such a report.
        """
        found = _SENTENCE.fullmatch(sentence)
        if found is None:
            raise Damaged("undecodable")
        body, payload, check = found.groups()
        if checksum(body) != int(check, 16):
            raise Damaged("checksum")
        bits, _ = unarmour(payload, 0)
        first, last = bits >> 107, bits & 0xFFFFFFFFFFFFF  # small numbers are quicker taken apart
        kind = first >> 55
        if not 0 < kind < 4:
            raise Damaged("undecodable")
        return cls(
            kind,
            first >> 53 & 3,
            first >> 23 & 0x3FFFFFFF,
            first >> 19 & 15,
            _TURNS[(first >> 11 & 255) ^ 128],
            (first >> 1 & 1023) / 10,
            first & 1 == 1,
            ((bits >> 79 & 0xFFFFFFF ^ 0x8000000) - 0x8000000) / 600_000,
            ((bits >> 52 & 0x7FFFFFF ^ 0x4000000) - 0x4000000) / 600_000,
            (last >> 40) / 10,
            last >> 31 & 511,
            last >> 25 & 63,
            last >> 23 & 3,
            last >> 20 & 7,
            last >> 19 & 1 == 1,
            last & 0x7FFFF,
        )

    def written(self, head: bytes = b"AIVDM,1,1,,A,") -> bytes:
        """The sentence, behind `head`: sender and form, parts, channel.

        Raises:
            ValueError: a value is not one that the message has room for.
        """
        kind, repeat, mmsi, status, rate, knots, accuracy, lon, lat, degrees, heading, second, manoeuvre, *rest = self
        code = _CODES.get(rate)
        if code is None:
            raise ValueError("no rate of turn that AIS has")
        turn, speed, course = code + 128, round(knots * 10), round(degrees * 10)
        east, north = round(lon * 600_000) + 0x8000000, round(lat * 600_000) + 0x4000000
        spare, raim, radio = rest
        said = (
            kind, repeat, mmsi, status, turn, speed, accuracy, east, north, course, heading, second, manoeuvre, spare,
            raim, radio,
        )  # fmt: skip
        if min(said) < 0 or not all(map(le, said, _MOST)):
            raise ValueError("more than AIS has room for")
        first = kind << 55 | repeat << 53 | mmsi << 23 | status << 19 | (turn ^ 128) << 11 | speed << 1 | accuracy
        last = course << 40 | heading << 31 | second << 25 | manoeuvre << 23 | spare << 20 | raim << 19 | radio
        bits = first << 107 | (east ^ 0x8000000) << 79 | (north ^ 0x4000000) << 52 | last
        return whole_sentence(b"!" + head, checksum(head + b",0"), bits)
