"""One DIS connection, both ways: datagrams of PDUs to entities, and entities to PDUs of version 7."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from aldis.apps.experiments.entity import Decoded, Encoded, Entity, Report, Track
from aldis.apps.experiments.gateways.dis.comments import commented, uncommented, unsaid
from aldis.apps.experiments.gateways.dis.decoding import decoded
from aldis.apps.experiments.gateways.dis.encoding import encoded
from aldis.apps.experiments.gateways.dis.names import packed_id
from aldis.apps.experiments.gateways.dis.wire import (
    COMMENT,
    ENTITY_STATE_LENGTH,
    FAMILIES,
    HEADER,
    PARAMETER_LENGTH,
    PROTOCOL,
    VERSIONS,
    pdus,
)
from aldis.apps.experiments.gateways.gateway import Damaged, Tally

__all__ = ["DisGateway"]

_NUMBERS = 65533  # entity numbers 1 to 65533: 0 is none, 65534 and 65535 are requests and all (6.2.28)


class DisGateway:
    """DIS over datagrams, one or several PDUs in each.

    Entities without a DIS id get one of `site`:`application`, which must be this gateway's alone in the exercise: the
    number follows from the track's key, so that it is the same after a restart, unless two keys meet at one number.
    PDUs are sent in `exercise`; where `only` is set those of other exercises are passed over, and counted.
    """

    protocol = PROTOCOL

    def __init__(self, *, site: int = 1, application: int = 3000, exercise: int = 1, only: bool = False) -> None:
        self.tally = Tally()
        self._site, self._application, self._exercise, self._only = site, application, exercise, only
        self._numbers: dict[str, bytes] = {}
        self._taken: set[int] = set()

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """What the PDUs of one datagram say."""
        tally = self.tally
        tally.seen += 1
        try:
            if len(data) >= HEADER.size and data[8] << 8 | data[9] == len(data):
                found = [self._decoded(data, 0, len(data), at_us)]
                tally.carried += 1
                return found
        except Damaged as damaged:
            tally.drop(str(damaged))
            return []
        tally.seen -= 1
        return self._bundle(data, at_us)

    def _bundle(self, data: bytes, at_us: int) -> list[Decoded]:
        found: list[Decoded] = []
        tally = self.tally
        try:
            for start, end in pdus(data):
                tally.seen += 1
                try:
                    found.append(self._decoded(data, start, end, at_us))
                except Damaged as damaged:
                    tally.drop(str(damaged))
                else:
                    tally.carried += 1
        except Damaged as damaged:
            tally.seen += 1
            tally.drop(str(damaged))
        return found

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """An Entity State PDU of a track, or a Comment PDU of a report."""
        if isinstance(entity, Track):
            return encoded(entity, at_us, self._number, 7, self._exercise)
        if isinstance(entity, Report):
            return commented(entity, at_us, self._site, self._application, self._exercise)
        return Encoded((), unsaid(entity))

    def close(self) -> None:
        """Nothing waits: a PDU is whole or damaged."""

    def _decoded(self, data: bytes, start: int, end: int, at_us: int) -> Decoded:
        version, exercise, kind, family = data[start : start + 4]
        if version not in VERSIONS:
            raise Damaged(f"version {version}")
        if self._only and exercise != self._exercise:
            raise Damaged("another exercise")
        if FAMILIES.get(kind) != family:
            raise Damaged(f"not decoded: PDU type {kind}" if kind not in FAMILIES else "another family")
        if kind == COMMENT:
            return uncommented(data, start, end, at_us)
        over = end - start - ENTITY_STATE_LENGTH
        if over < 0 or over != data[start + 19] * PARAMETER_LENGTH:
            raise Damaged("bad length")
        return decoded(data, start, end, at_us)

    def _number(self, key: str) -> bytes | None:
        """The entity id that stands for `key` as long as this gateway is open; None once all numbers are taken."""
        found = self._numbers.get(key)
        if found is None and len(self._taken) < _NUMBERS:
            number = crc32(key.encode()) % _NUMBERS
            while number in self._taken:
                number = (number + 1) % _NUMBERS
            self._taken.add(number)
            found = self._numbers[key] = packed_id(self._site, self._application, number + 1)
        return found
