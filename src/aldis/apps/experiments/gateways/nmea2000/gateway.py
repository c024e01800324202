"""One connection of NMEA 2000, as lines of logged messages or frames; both ways."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aldis.apps.experiments.entity import Carried, Decoded, Encoded, Entity, Environment, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.gateway import Damaged, Tally
from aldis.apps.experiments.gateways.nmea.sending import mmsi_of
from aldis.apps.experiments.gateways.nmea.shape import ledger_of
from aldis.apps.experiments.gateways.nmea2000.encoding import vessel_messages
from aldis.apps.experiments.gateways.nmea2000.frames import LOG_LINE, MAX_LINE, Assembler, frames_of, line_of
from aldis.apps.experiments.gateways.nmea2000.instruments import Instruments
from aldis.apps.experiments.gateways.nmea2000.own import environment_messages, own_messages
from aldis.apps.experiments.gateways.nmea2000.vessels import KINDS, PROTOCOL, vessel

__all__ = ["N2kGateway"]

_DEVICE = re.compile(r"device (\d{1,3})")
_NOBODY = 254  # the address of a device that has none


class N2kGateway:
    """One stream of lines, or datagrams of them; see `Gateway`.

    `name` is that of the vessel whose network it is. With `frames`, messages go out as frames, as candump prints them.
    """

    protocol = PROTOCOL

    def __init__(self, name: str = "own", *, frames: bool = False) -> None:
        self.tally = Tally()
        self._assembler = Assembler(self.tally)
        self._instruments = Instruments(name)
        self._frames = frames
        self._sequence = 0
        self._tail = b""
        self._skip = False

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """What the messages that `data` completes say."""
        found: list[Decoded] = []
        for line in self._lines(data):
            if line:
                self._take(line, at_us, found)
        return found

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """Messages that together say `entity`: those of AIS where it has an MMSI, else those of own instruments."""
        source = _NOBODY
        said: dict[str, Entry] = {}
        messages: list[tuple[int, bytes]] = []
        if isinstance(entity, Track):
            mmsi = mmsi_of(entity)
            if mmsi is not None:
                messages, said = vessel_messages(entity, mmsi, at_us)
            elif entity.key.startswith(("n2k:", "nmea:")) and ":target:" not in entity.key:
                messages, said = own_messages(entity)
            found = _DEVICE.fullmatch(entity.sensor.station or "") if entity.sensor else None
            if found and int(found[1]) < _NOBODY and messages:
                source = int(found[1])
                said["sensor.station"] = Carried("sensor.station", "source")
        elif isinstance(entity, Environment):
            messages, said = environment_messages(entity)
        lines = [self._line(pgn, source, data, at_us) for pgn, data in messages]
        return Encoded(tuple(lines), ledger_of(entity, said))

    def close(self) -> None:
        """Count what still waits as dropped."""
        if self._tail:
            self._tail = b""
            self.tally.seen += 1
            self.tally.drop("incomplete")
        self._assembler.close()

    def _take(self, line: bytes, at_us: int, found: list[Decoded]) -> None:
        self.tally.seen += 1
        total = 1
        try:
            message = self._assembler.push(line)
            if message is None:
                return
            total = message.frames
            decode = vessel if message.pgn in KINDS else self._instruments.decode
            found.append(decode(message, at_us))
        except Damaged as reason:
            self.tally.drop(str(reason), total)
        else:
            self.tally.carried += total

    def _line(self, pgn: int, source: int, data: bytes, at_us: int) -> bytes:
        if not self._frames:
            return line_of(pgn, source, data, at_us)
        self._sequence = (self._sequence + 1) % 8
        return b"".join(frames_of(pgn, source, data, at_us, self._sequence))

    def _lines(self, data: bytes) -> list[bytes]:
        """Whole lines, stripped; a last one without an end of line is taken where it has all the bytes it announces."""
        if self._skip:
            _, end, data = data.partition(b"\n")
            if not end:
                return []
            self._skip = False
        lines = (self._tail + data).split(b"\n")
        tail = lines.pop()
        if _whole(tail):
            lines.append(tail)
            tail = b""
        elif len(tail) > MAX_LINE:
            lines.append(tail[: MAX_LINE + 1])
            tail, self._skip = b"", True
        self._tail = tail
        return [line.strip() for line in lines]


def _whole(tail: bytes) -> bool:
    found = LOG_LINE.fullmatch(tail.strip())
    return bool(found and len(found["data"]) == 3 * int(found["length"]))
