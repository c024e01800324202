"""AIS messages (ITU-R M.1371-5, Annex 8) in NMEA 0183 sentences to observations."""

from __future__ import annotations

from typing import Any

from aldis.apps.experiments.gateways.fields import (
    KNOT,
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
    Tally,
    Voyage,
    missing,
)
from aldis.apps.experiments.gateways.sentences import Assembler, Message

try:
    from pyais.constants import TurnRate
    from pyais.messages import AISSentence
except ImportError as error:
    raise missing("pyais") from error

__all__ = ["AisGateway"]

_KINDS: dict[int, Kind | None] = {
    **dict.fromkeys((1, 2, 3, 5), "class A"),
    **dict.fromkeys((18, 19), "class B"),
    4: "base station",
    9: "aircraft",
    21: "aid to navigation",
    **dict.fromkeys((24, 27), None),  # sent by more than one kind
}
_MIN_BITS = dict.fromkeys((1, 2, 3, 4, 9, 18), 168) | {5: 420, 19: 312, 21: 272, 24: 160, 27: 96}
_SPEED_LIMIT = {9: 1023, 27: 63}  # knots; 102.3 in all other messages
_SHIP_TYPE_BIT = {5: 232, 19: 263, 24: 40}


class AisGateway:
    """One stream of NMEA 0183 lines; see `Gateway`."""

    def __init__(self, tally: Tally | None = None) -> None:
        self.tally = tally or Tally()
        self._assembler = Assembler(self.tally)

    def feed(self, line: bytes, arrived_ms: int) -> Observation | None:
        """The observation that `line` completes, if any."""
        line = line.strip()
        if not line or self._assembler.stamp(line):
            return None
        self.tally.seen += 1
        message = None
        try:
            message = self._assembler.push(line, arrived_ms)
            if message is None:
                return None
            observation = _observe(message)
        except Damaged as reason:
            self.tally.drop(str(reason), message.total if message else 1)
            return None
        self.tally.carry(message.total)
        return observation

    def close(self) -> None:
        """Count the sentences that still wait for others as dropped."""
        self._assembler.close()


def _observe(message: Message) -> Observation:
    kind_of_message, bits, fields = _decode(message)
    return Observation(
        mmsi=valid_mmsi(fields.mmsi),
        source=message.source,
        kind=_KINDS[kind_of_message],
        position=_position(kind_of_message, fields),
        identity=_identity(kind_of_message, fields, bits),
        voyage=_voyage(fields) if kind_of_message == 5 else None,
    )


def _decode(message: Message) -> tuple[int, Any, Any]:
    """Message type, payload bits and decoded fields."""
    raw = [message.parts[number] for number in sorted(message.parts)]
    sentence = attempt(lambda: AISSentence.assemble_from_iterable([AISSentence(part) for part in raw]))
    if sentence.ais_id not in _MIN_BITS:
        raise Damaged(f"unsupported type {sentence.ais_id}")
    if len(sentence.bv) < _MIN_BITS[sentence.ais_id]:
        raise Damaged("undecodable")
    return sentence.ais_id, sentence.bv, attempt(sentence.decode)


def _position(kind_of_message: int, fields: Any) -> Position | None:
    if kind_of_message in (5, 24) or (at := place(fields.lat, fields.lon)) is None:
        return None
    turn = getattr(fields, "turn", None)
    return Position(
        *at,
        accurate=bool(fields.accuracy),
        altitude_m=within(getattr(fields, "alt", None), 4095),
        speed_mps=within(getattr(fields, "speed", None), _SPEED_LIMIT.get(kind_of_message, 102.3), KNOT),
        course_deg=within(getattr(fields, "course", None), 360),
        heading_deg=within(getattr(fields, "heading", None), 360),
        turn_deg_per_min=None if isinstance(turn, TurnRate) else turn,
        nav_status=nav_status_text(getattr(fields, "status", None)),
    )


def _identity(kind_of_message: int, fields: Any, bits: Any) -> Identity | None:
    if kind_of_message not in (5, 19, 21, 24):
        return None
    has_type = kind_of_message in _SHIP_TYPE_BIT and getattr(fields, "partno", 1) == 1
    known: dict[str, Any] = {}
    if hasattr(fields, "to_bow"):
        known = hull(fields.to_bow, fields.to_stern, fields.to_port, fields.to_starboard)
    identity = Identity(
        name=plain_text(getattr(fields, "full_name", None) or getattr(fields, "shipname", None)),
        callsign=plain_text(getattr(fields, "callsign", None)),
        imo=imo_number(getattr(fields, "imo", None)),
        # from the bits: the decoder's enumeration folds reserved codes into others
        ship_type=(bits.get(_SHIP_TYPE_BIT[kind_of_message], 8) or None) if has_type else None,
        **known,
    )
    return None if identity == Identity() else identity


def _voyage(fields: Any) -> Voyage | None:
    voyage = Voyage(
        destination=plain_text(fields.destination),
        eta=eta_text(fields.month, fields.day, fields.hour, fields.minute),
        draught_m=within(fields.draught, 25.6) or None,
    )
    return None if voyage == Voyage() else voyage
