"""One connection of NMEA 0183: AIS sentences, and those of a vessel's own instruments and radar; both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from aldis.apps.experiments.entity import Area, Carried, Decoded, Encoded, Entity, Environment, Report, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.gateway import Damaged, Tally
from aldis.apps.experiments.gateways.nmea.layouts import LAYOUTS
from aldis.apps.experiments.gateways.nmea.naming import sixbit
from aldis.apps.experiments.gateways.nmea.sending import Sender, mmsi_of
from aldis.apps.experiments.gateways.nmea.sentences import MAX_LINE, PROTOCOL, Assembler, Message
from aldis.apps.experiments.gateways.nmea.shape import ledger_of
from aldis.apps.experiments.gateways.nmea.speaking import Speaker
from aldis.apps.experiments.gateways.nmea.static import decode
from aldis.apps.experiments.gateways.nmea.talking import Instruments
from aldis.apps.experiments.gateways.nmea.weather import weather_values

__all__ = ["NmeaGateway"]

_STARTS = (b"!", b"$", b"\\")
_TEXT = 156  # characters of message 14, 161 of which its spare bits leave so many


class NmeaGateway:
    """One stream of lines, or datagrams of them; see `Gateway`.

    A sentence that is whole up to its checksum is taken at once, for datagrams often end without an end of line; what
    then comes before the next end of line is its suffix. `name` is that of the vessel whose instruments are heard.
    """

    protocol = PROTOCOL

    def __init__(self, name: str = "own") -> None:
        self.tally = Tally()
        self._assembler = Assembler(self.tally)
        self._instruments = Instruments(name)
        self._sender = Sender()
        self._speaker = Speaker()
        self._tail = b""
        self._skip: Literal["", "suffix", "line"] = ""

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """What the sentences that `data` completes say."""
        found: list[Decoded] = []
        for whole in self._lines(data):
            line = whole.strip()
            if line and not (line.startswith(b"$PGHP,") and self._assembler.stamp(line)):
                self._take(line, at_us, found)
        return found

    def _take(self, line: bytes, at_us: int, found: list[Decoded]) -> None:
        self.tally.seen += 1
        total = 1
        try:
            heard = self._assembler.push(line, at_us)
            if heard is None:
                return
            if isinstance(heard, Message):
                total = heard.total
                found.append(decode(heard))
            else:
                found.append(self._instruments.decode(heard))
        except Damaged as reason:
            self.tally.drop(str(reason), total)
        else:
            self.tally.carried += total

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """Sentences that together say `entity`: AIS where it has an MMSI, else those of instruments and radar."""
        if isinstance(entity, Track):
            mmsi = mmsi_of(entity)
            if mmsi is not None:
                return self._sender.track(entity, mmsi, at_us)
            own = entity.key.startswith("nmea:") and ":target:" not in entity.key
            return self._speaker.own(entity) if own else self._speaker.target(entity)
        if isinstance(entity, Report):
            return self._report(entity)
        if isinstance(entity, Environment):
            weather = entity.key.startswith("mmsi:") and entity.key[5:].partition(":")[0].isdigit()
            if not weather:
                return self._speaker.environment(entity)
            values, ledger = weather_values(entity)
            return Encoded((self._sender.bits(*LAYOUTS["weather"].pack(values)),), ledger)
        if isinstance(entity, Area):
            return self._speaker.area(entity)
        return Encoded((), ledger_of(entity, {}))

    def _report(self, report: Report) -> Encoded:
        """Message 14 of an author with an MMSI, 12 where it is for another; else TXT."""
        author = _mmsi(report.author)
        if author is None:
            return self._speaker.report(report)
        text, entry = sixbit("report.text", report.text, _TEXT, "ais.text")
        said: dict[str, Entry] = {"report.text": entry, "report.author": Carried("report.author", "ais.mmsi")}
        values: dict[str, int | str] = {"type": 14, "mmsi": author, "text": text}
        to = _mmsi(report.to[0]) if report.to and len(report.to) == 1 else None
        if to is not None:
            values |= {"type": 12, "destination_mmsi": to}
            said["report.to"] = Carried("report.to", "ais.destination_mmsi")
        bits = LAYOUTS["text" if to is None else "addressed text"].pack(values)
        return Encoded((self._sender.bits(*bits),), ledger_of(report, said))

    def close(self) -> None:
        """Count what still waits as dropped."""
        if self._tail:
            self._tail = b""
            self.tally.seen += 1
            self.tally.drop("incomplete")
        self._assembler.close()

    def _lines(self, data: bytes) -> list[bytes]:
        """Whole lines; of one longer than `MAX_LINE` the rest is skipped, so that it is counted once."""
        if not self._skip and not self._tail and data.endswith(b"\n"):
            return data.splitlines()
        if self._skip == "line" or (self._skip and not data.startswith(_STARTS)):
            _, end, data = data.partition(b"\n")
            if not end:
                return []
        self._skip = ""
        lines = (self._tail + data).split(b"\n")
        tail = lines.pop()
        if _whole(tail):
            lines.append(tail)
            tail, self._skip = b"", "suffix"
        elif len(tail) > MAX_LINE:
            lines.append(tail[: MAX_LINE + 1])
            tail, self._skip = b"", "line"
        self._tail = tail
        return lines


def _whole(tail: bytes) -> bool:
    """Whether it ends with a checksum (of a sentence, not of a tag block)."""
    if not tail.startswith(_STARTS) or tail.rstrip()[-3:-2] != b"*":
        return False
    return not tail.startswith(b"\\") or tail.find(b"\\", 1) > 0


def _mmsi(key: str | None) -> int | None:
    digits = key[5:] if key and key.startswith("mmsi:") else ""
    return int(digits) if digits.isascii() and digits.isdigit() and 0 < int(digits) <= 999_999_999 else None
