"""Real AIS sentences of ships that do not exist, off Porkkala.

For tests and benchmarks, and for where no recording can be had.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Any

from aldis.apps.experiments.gateways.nmea.values import KNOT
from aldis.apps.experiments.gateways.gateway import missing

try:
    from pyais import encode_dict
except ImportError as error:
    raise missing("pyais") from error

__all__ = ["generate"]

_CENTRE = (59.85, 24.45)  # degrees, off Porkkala
_SPREAD_M = 25_000.0
_METRES_PER_DEGREE = 111_195.0
_STATION = b"GENERATED"
_COUNTRIES = (230, 265, 276, 211, 219, 244)  # maritime identification digits, ITU-R M.585
_NO_ETA = {"month": 0, "day": 0, "hour": 24, "minute": 60}
_PORTS = ("HELSINKI", "TALLINN", "STOCKHOLM", "HANKO", "KOTKA", "PALDISKI")


@dataclass(slots=True)
class _Ship:
    mmsi: int
    number: int
    class_a: bool
    ship_type: int
    length_m: int
    north_m: float
    east_m: float
    speed_kn: float
    course_deg: float
    turn_deg_per_s: float
    port: str
    phase: int

    def sail(self) -> None:
        """One second on; a ship that leaves the area turns back."""
        step = self.speed_kn * KNOT
        self.north_m += step * math.cos(math.radians(self.course_deg))
        self.east_m += step * math.sin(math.radians(self.course_deg))
        self.course_deg = (self.course_deg + self.turn_deg_per_s) % 360
        if math.hypot(self.north_m, self.east_m) > _SPREAD_M:
            self.course_deg = math.degrees(math.atan2(-self.east_m, -self.north_m)) % 360

    def position(self, second: int) -> dict[str, Any]:
        """Message 1 or 18."""
        lat = _CENTRE[0] + self.north_m / _METRES_PER_DEGREE
        lon = _CENTRE[1] + self.east_m / (_METRES_PER_DEGREE * math.cos(math.radians(_CENTRE[0])))
        moving = {"status": 0 if self.speed_kn else 1, "turn": 60 * self.turn_deg_per_s} if self.class_a else {}
        return {
            "msg_type": 1 if self.class_a else 18,
            "mmsi": self.mmsi,
            "accuracy": 1,
            "lat": lat,
            "lon": lon,
            "speed": round(self.speed_kn, 1),
            "course": round(self.course_deg, 1),
            "heading": int(self.course_deg),
            "second": second % 60,
            **moving,
        }

    def static(self) -> Iterator[dict[str, Any]]:
        """Message 5, or 24 in its two parts."""
        name, callsign = f"GENERATED {self.number:04}", f"GEN{self.number:04}"
        hull = {"to_bow": self.length_m // 2, "to_stern": self.length_m // 2, "to_port": 4, "to_starboard": 4}
        common = {"mmsi": self.mmsi, "shipname": name, "callsign": callsign, "ship_type": self.ship_type, **hull}
        if self.class_a:
            yield common | {"msg_type": 5, "destination": self.port, "draught": self.length_m / 25, **_NO_ETA}
        else:
            yield common | {"msg_type": 24, "partno": 0}
            yield common | {"msg_type": 24, "partno": 1}


def generate(seed: int, vessels: int, seconds: int, start_ms: int) -> Iterator[bytes]:
    """Lines of `!AIVDM` sentences with a tag block that holds the time; the same arguments give the same bytes.

    One ship in five is class B. Class A reports its position every 5 s, class B every 15 s; who a ship is
    it says in the first 15 s of every minute.
    """
    chance = random.Random(seed)  # noqa: S311  a reproducible scene, no secret
    ships = [_ship(chance, number) for number in range(1, vessels + 1)]
    sequence = 0
    for second in range(seconds):
        at_ms = start_ms + 1000 * second
        for ship in ships:
            ship.sail()
            said: list[dict[str, Any]] = []
            if (second - ship.phase) % (5 if ship.class_a else 15) == 0:
                said.append(ship.position(second))
            if second % 60 == ship.phase:
                said.extend(ship.static())
            for message in said:
                sequence = (sequence + 1) % 10
                channel = "AB"[sequence % 2]
                for sentence in encode_dict(message, "AI", "VDM", channel, sequence):
                    yield _tagged(at_ms + ship.number % 1000, sentence.encode())


def _ship(chance: random.Random, number: int) -> _Ship:
    class_a = number % 5 != 0
    bearing, distance = chance.uniform(0, math.tau), _SPREAD_M * math.sqrt(chance.random())
    return _Ship(
        mmsi=chance.choice(_COUNTRIES) * 1_000_000 + number,
        number=number,
        class_a=class_a,
        ship_type=chance.choice((60, 70, 71, 80, 52, 50)) if class_a else chance.choice((36, 37, 30)),
        length_m=chance.randrange(60, 240, 2) if class_a else chance.randrange(8, 20, 2),
        north_m=distance * math.cos(bearing),
        east_m=distance * math.sin(bearing),
        speed_kn=chance.choice((0.0, chance.uniform(4, 20))) if number % 4 == 0 else chance.uniform(4, 20),
        course_deg=chance.uniform(0, 360),
        turn_deg_per_s=chance.choice((0.0, 0.0, 0.0, chance.uniform(-0.3, 0.3))),
        port=chance.choice(_PORTS),
        phase=chance.randrange(15),
    )


def _tagged(at_ms: int, sentence: bytes) -> bytes:
    """`sentence` behind a tag block (NMEA 4.10) with station and time in milliseconds, as a line."""
    block = b"s:%s,c:%d" % (_STATION, at_ms)
    return b"\\%s*%02X\\%s\r\n" % (block, reduce(xor, block), sentence)
