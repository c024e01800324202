"""Which AIS messages together say a track, and the ledger of sending them."""

from __future__ import annotations

from datetime import UTC, datetime

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Encoded, Ledger, Track
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.nmea.armour import MAX_PART, armour, checksum, sentence, whole_sentence
from aldis.apps.experiments.gateways.nmea.encoding import DYNAMIC, TIMES, class_a, dynamic, second_of
from aldis.apps.experiments.gateways.nmea.layouts import LAYOUTS
from aldis.apps.experiments.gateways.nmea.naming import IDENTIFIED, described, hull_of, sixbit, statics
from aldis.apps.experiments.gateways.nmea.shape import keep, ledger_of, shape_of

__all__ = ["Sender", "kind_of_track", "mmsi_of"]

_LAST_US = 253_402_300_800_000_000  # the year 10000
_KINDS = {
    "class A": "class A",
    "AIS-SART": "class A",
    "man overboard": "class A",
    "EPIRB": "class A",
    "class B": "class B",
    "aircraft": "aircraft",
    "base station": "base",
    "aid to navigation": "aid",
}
_AID_WORDS = {"off_position": ("on position", "off position"), "virtual": ("physical aid", "virtual aid")}


def mmsi_of(track: Track) -> int | None:
    """The number under which AIS can speak of it; None where it has none."""
    said = track.identity.mmsi if track.identity else None
    if said is None and track.key.startswith("mmsi:"):
        said = track.key[5:]
    try:
        mmsi = int(said) if said is not None else 0
    except ValueError:
        return None
    return mmsi if 0 < mmsi <= 999_999_999 else None


class Sender:
    """Sentences out; it counts the messages of several sentences, so that their parts find each other."""

    def __init__(self, talker: bytes = b"AI") -> None:
        self._talker = talker
        self._sequence = 0
        self._heads: dict[tuple[str, bool], tuple[bytes, int]] = {}
        for channel in ("A", "B"):
            for own in (True, False):
                head = b"%sVD%s,1,1,,%s," % (talker, b"O" if own else b"M", channel.encode())
                self._heads[channel, own] = (b"!" + head, checksum(head + b",0"))
        self._accounts: dict[object, Ledger] = {}

    def track(self, track: Track, mmsi: int, at_us: int) -> Encoded:
        """The messages that say `track`; none where it says nothing that AIS has."""
        second, times = second_of(track, at_us)
        odd = _unsaid(track)
        kind = kind_of_track(track)
        many = described(track, kind)
        if kind == "class A" and not many:
            message = self._alone(track, class_a(track, mmsi, second, odd))
            if odd:
                return Encoded((message,), ledger_of(track, DYNAMIC[kind] | TIMES[times] | odd))
            key: object = (times, second if second > 59 else 0, shape_of(track))
            ledger = self._accounts.get(key)
            if ledger is None:
                ledger = ledger_of(track, DYNAMIC[kind] | TIMES[times])
                keep(self._accounts, key, ledger)
            return Encoded((message,), ledger)
        return self._several(track, kind, mmsi, second, times, many)

    def _several(self, track: Track, kind: str, mmsi: int, second: int, times: int, many: bool) -> Encoded:
        odd = _unsaid(track)
        extra: dict[str, Entry] = {}
        messages: list[bytes] = []
        if kind == "class A":
            if track.position is not None or track.motion is not None or track.status is not None:
                messages.append(self._alone(track, class_a(track, mmsi, second, odd)))
        elif kind != "static alone":
            values = _REPORTS[kind](track, mmsi, second, odd)
            messages.append(self._wrap(track, *LAYOUTS[kind].pack(values)))
        placed = bool(messages)
        if many:
            for layout, values in statics(track, kind, mmsi, extra, odd):
                messages.append(self._wrap(track, *LAYOUTS[layout].pack(values)))

        key = None if odd else (kind, placed, len(messages), times, second if second > 59 else 0, shape_of(track))
        ledger = self._accounts.get(key)
        if ledger is None:
            usual = DYNAMIC[kind] | TIMES[times] if placed else IDENTIFIED if messages else {}
            ledger = ledger_of(track, usual | extra | odd)
            if key is not None:
                keep(self._accounts, key, ledger)
        return Encoded(tuple(messages), ledger)

    def bits(self, bits: int, size: int, channel: bytes = b"A", own: bool = False) -> bytes:
        """The sentences of one AIS message, each with its end of line."""
        payload, fill = armour(bits, size)
        kind = self._talker + (b"VDO" if own else b"VDM")
        if len(payload) <= MAX_PART:
            return sentence(b"%s,1,1,,%s,%s,%d" % (kind, channel, payload, fill), b"!")
        self._sequence = (self._sequence + 1) % 10
        pieces = [payload[at : at + MAX_PART] for at in range(0, len(payload), MAX_PART)]
        total = len(pieces)
        return b"".join(
            sentence(
                b"%s,%d,%d,%d,%s,%s,%d"
                % (kind, total, number, self._sequence, channel, piece, fill if number == total else 0),
                b"!",
            )
            for number, piece in enumerate(pieces, 1)
        )

    def _alone(self, track: Track, bits: int) -> bytes:
        """The sentence of a message of 168 bits."""
        sensor = track.sensor
        if sensor is None:
            head, before = self._heads["A", False]
        else:
            head, before = self._heads["B" if sensor.channel == "B" else "A", sensor.own is True]
        return whole_sentence(head, before, bits)

    def _wrap(self, track: Track, bits: int, size: int) -> bytes:
        sensor = track.sensor
        if sensor is None:
            return self.bits(bits, size)
        return self.bits(bits, size, b"B" if sensor.channel == "B" else b"A", sensor.own is True)


def _unsaid(track: Track) -> dict[str, Entry]:
    """What no message says: that a thing is not the sender's own ship, and to which side it turns beside how fast."""
    found: dict[str, Entry] = {}
    motion, sensor = track.motion, track.sensor
    if sensor is not None and sensor.own is False:
        found["sensor.own"] = Dropped("sensor.own", "no code")
    if motion is not None and motion.turning is not None and motion.turn_deg_per_min is not None:
        found["motion.turning"] = Dropped("motion.turning", "no field")
    return found


def kind_of_track(track: Track) -> str:
    """As what AIS speaks of it: `class A`, `class B`, `aircraft`, `base`, `aid`, or `static alone`."""
    station = track.type.station if track.type is not None else None
    if station is None:
        voyage = track.voyage is not None or (track.identity is not None and track.identity.imo is not None)
        return "class A" if track.position or track.motion or track.status or voyage else "static alone"
    return _KINDS[station]


def _class_b(track: Track, mmsi: int, second: int, odd: dict[str, Entry]) -> dict[str, int | str]:
    return dynamic("class B", track, mmsi, second, odd) | {"type": 18}


def _aircraft(track: Track, mmsi: int, second: int, odd: dict[str, Entry]) -> dict[str, int | str]:
    return dynamic("aircraft", track, mmsi, second, odd) | {"type": 9}


def _base(track: Track, mmsi: int, second: int, odd: dict[str, Entry]) -> dict[str, int | str]:
    """Message 4; its time is that of the source's clock, whole seconds."""
    values = dynamic("base", track, mmsi, second, odd) | {"type": 4}
    stamps = {"year": 0, "month": 0, "day": 0, "hour": 24, "minute": 60, "second": 60}
    timing = track.timing
    odd.update({name: Dropped(name, "no field") for name in ("position.at", "motion.at")})
    odd.pop("timing.source_us", None)
    if timing is not None and timing.source_us is not None and 0 <= timing.source_us < _LAST_US:
        said = datetime.fromtimestamp(timing.source_us // 1_000_000, UTC)
        stamps = {name: getattr(said, name) for name in stamps}
        odd["timing.source_us"] = Approximated("timing.source_us", "ais.second", 1.0, "s")
        odd["timing.clock"] = Carried("timing.clock", "ais.second")
        if track.position is not None and track.position.at == timing.source_us // 1000:
            odd["position.at"] = Carried("position.at", "ais.second")
    return values | stamps


def _aid(track: Track, mmsi: int, second: int, odd: dict[str, Entry]) -> dict[str, int | str]:
    """Message 21; its name goes on behind the fields."""
    values = dynamic("aid", track, mmsi, second, odd) | {"type": 21}
    kind, status = track.type, track.status
    if kind is not None and kind.aid_type is not None and 0 <= kind.aid_type <= 31:
        values["aid_type"] = kind.aid_type
        odd["type.aid_type"] = Carried("type.aid_type", "ais.aid_type")
    hull_of(track, values, odd)
    if track.identity is not None and track.identity.name is not None:
        name, odd["identity.name"] = sixbit("identity.name", track.identity.name, 34, "ais.name")
        values |= {"name": name[:20], "name_extension": name[20:]}
    for field, native, word in (("state", "off_position", "position"), ("mode", "virtual", "aid")):
        text, path = (getattr(status, field) if status else None), f"status.{field}"
        if text in _AID_WORDS[native]:
            values[native] = _AID_WORDS[native].index(text)
            odd[path] = Carried(path, f"ais.{native}")
        elif text is not None:
            odd[path] = Dropped(path, "no code", f"no {word}: {text}")
    return values


_REPORTS = {"class B": _class_b, "aircraft": _aircraft, "base": _base, "aid": _aid}
