"""NMEA 2000 AIS messages to observations, from a log with one message a line as CANboat writes it.

`2014-08-15T19:00:00.443Z,4,129038,43,255,27,c1,…`: time, priority, PGN, source, destination, length, bytes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import degrees, tau
from typing import Any, Literal

from aldis.apps.experiments.gateways.fields import (
    Damaged,
    attempt,
    eta_text,
    hull,
    imo_number,
    nav_status_text,
    place,
    plain_text,
    valid_mmsi,
    within,
)
from aldis.apps.experiments.gateways.observation import (
    Identity,
    Kind,
    Observation,
    Position,
    Source,
    Tally,
    Voyage,
    missing,
)

try:
    from nmea2000 import NMEA2000Decoder  # type: ignore[import-untyped]
    from nmea2000.input_formats import N2KFormat  # type: ignore[import-untyped]
except ImportError as error:
    raise missing("nmea2000") from error

__all__ = ["LOG_LINE", "N2kGateway"]

LOG_LINE = re.compile(
    rb"(?P<day>\d{4}-\d\d-\d\d)[T-](?P<time>\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z?"
    rb"(?P<rest>,\d,(?P<pgn>\d{1,6}),(?P<device>\d{1,3}),\d{1,3},\d{1,3}(?P<data>(?:,[0-9A-Fa-f]{2}){1,223}))"
)
_KINDS: dict[int, Kind | None] = {
    129038: "class A",
    129039: "class B",
    129040: "class B",
    129041: "aid to navigation",
    129793: "base station",
    129794: "class A",
    129798: "aircraft",
    129809: None,  # either class may send its name so
    129810: "class B",
}
_FRAME = 8  # bytes of a CAN frame: a longer line is a whole message
_TURN_LIMIT = 0.2  # rad/s; transceivers write "turning, no rate" as 0.2055 and more
_CHANNELS: dict[int, Literal["A", "B"]] = {0: "A", 1: "B"}


class N2kGateway:
    """One log of one NMEA 2000 network; see `Gateway`. Lines that hold single frames are put together."""

    def __init__(self, tally: Tally | None = None) -> None:
        self.tally = tally or Tally()
        self._decoder = NMEA2000Decoder(bound_format=N2KFormat.BASIC_STRING, units="si")
        self._frames: dict[tuple[bytes, bytes], int] = {}

    def feed(self, line: bytes, arrived_ms: int) -> Observation | None:  # noqa: ARG002  the log has its own time
        """The observation that `line` completes, if any."""
        line = line.strip()
        if not line:
            return None
        self.tally.seen += 1
        try:
            return self._observe(line)
        except Damaged as reason:
            self.tally.drop(str(reason))
            return None

    def close(self) -> None:
        """Count the frames that still wait for others as dropped."""
        self.tally.drop("incomplete", sum(self._frames.values()))
        self._frames.clear()

    def _observe(self, line: bytes) -> Observation | None:
        found = LOG_LINE.fullmatch(line)
        if not found:
            raise Damaged("undecodable")
        if int(found["pgn"]) not in _KINDS:
            raise Damaged("not AIS")
        received_ms = attempt(lambda: _milliseconds(found))
        key: tuple[bytes, bytes] = (found["pgn"], found["device"])
        single = len(found["data"]) // 3 <= _FRAME
        if not single or int(found["data"][1:3], 16) & 0x1F == 0:  # the first frame of a message
            self.tally.drop("incomplete", self._frames.pop(key, 0))
        # the decoder reads only one way of writing the time, and nobody asks it for the time
        message = attempt(lambda: self._decoder.decode("2000-01-01T00:00:00.0Z" + found["rest"].decode("ascii")))
        if message is None and single:
            self._frames[key] = self._frames.get(key, 0) + 1
            return None
        if message is None:
            raise Damaged("undecodable")
        observation = _observation(message, received_ms, found["device"])
        self.tally.carry(1 + self._frames.pop(key, 0))
        return observation


def _observation(message: Any, received_ms: int, device: bytes) -> Observation:
    fields = {field.id: field for field in message.fields}
    transceiver = _code(fields, "aisTransceiverInformation")
    return Observation(
        mmsi=valid_mmsi(_value(fields, "userId")),
        source=Source(
            "nmea2000",
            received_ms,
            station=f"device {int(device)}",
            channel=None if transceiver is None else _CHANNELS.get(transceiver),
            own=transceiver in (2, 3, 4),
        ),
        kind=_KINDS[message.PGN],
        position=_position(fields),
        identity=_identity(message.PGN, fields),
        voyage=_voyage(fields) if message.PGN == 129794 else None,
    )


def _milliseconds(found: re.Match[bytes]) -> int:
    moment = datetime.fromisoformat(f"{found['day'].decode()}T{found['time'].decode()}")
    return round(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _value(fields: dict[str, Any], *names: str) -> Any:
    """The value of the first of `names` that the message has, in SI units (angles of position in degrees)."""
    return next((fields[name].value for name in names if name in fields), None)


def _code(fields: dict[str, Any], name: str) -> int | None:
    code = fields[name].raw_value if name in fields else None
    return code if isinstance(code, int) else None


def _position(fields: dict[str, Any]) -> Position | None:
    if (at := place(_value(fields, "latitude"), _value(fields, "longitude"))) is None:
        return None
    turn = _value(fields, "rateOfTurn")
    return Position(
        *at,
        accurate=_code(fields, "positionAccuracy") == 1,
        altitude_m=within(_value(fields, "altitude"), 4095),
        speed_mps=within(_value(fields, "sog"), 526 if "altitude" in fields else 52.6),
        course_deg=within(_value(fields, "cog"), tau, degrees(1)),
        heading_deg=within(_value(fields, "heading", "trueHeading"), tau, degrees(1)),
        turn_deg_per_min=None if turn is None or abs(turn) > _TURN_LIMIT else round(degrees(turn) * 60, 1),
        nav_status=nav_status_text(_code(fields, "navStatus")),
    )


def _identity(pgn: int, fields: dict[str, Any]) -> Identity | None:
    if pgn not in (129040, 129041, 129794, 129809, 129810):
        return None
    length = _value(fields, "length", "lengthDiameter") or 0.0
    beam = _value(fields, "beam", "beamDiameter") or 0.0
    bow = _value(fields, "positionReferenceFromBow", "positionReferenceFromTrueNorthFacingEdge") or 0.0
    starboard = _value(fields, "positionReferenceFromStarboard", "positionReferenceFromStarboardEdge") or 0.0
    identity = Identity(
        name=plain_text(_value(fields, "name", "atonName")),
        callsign=plain_text(_value(fields, "callsign")),
        imo=imo_number(_value(fields, "imoNumber")),
        ship_type=_code(fields, "typeOfShip") or None,
        **hull(bow, length - bow, beam - starboard, starboard),
    )
    return None if identity == Identity() else identity


def _voyage(fields: dict[str, Any]) -> Voyage | None:
    day, time = _value(fields, "etaDate"), _value(fields, "etaTime")
    eta = None
    # a transceiver that turns month 0, day 0 ("not available") into a date arrives at 30 November, 00:00
    if day and time and (day.month, day.day, time.hour, time.minute) != (11, 30, 0, 0):
        eta = eta_text(day.month, day.day, time.hour, time.minute)
    voyage = Voyage(plain_text(_value(fields, "destination")), eta, within(_value(fields, "draft"), 25.6) or None)
    return None if voyage == Voyage() else voyage
