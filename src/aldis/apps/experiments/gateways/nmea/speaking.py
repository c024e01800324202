"""The model to sentences of a vessel's own instruments, of a radar, and words (IEC 61162-1, 7.3)."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime

from aldis.apps.experiments.entity import (
    Approximated,
    Area,
    Carried,
    Dropped,
    Encoded,
    Environment,
    Motion,
    Report,
    Track,
)
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.nmea.armour import sentence
from aldis.apps.experiments.gateways.nmea.reading import STATES
from aldis.apps.experiments.gateways.nmea.shape import ledger_of
from aldis.apps.experiments.gateways.nmea.talking import FIXES
from aldis.apps.experiments.gateways.nmea.values import KNOT

__all__ = ["Speaker"]

_LAST_US = 253_402_300_800_000_000  # the year 10000
_CODES = {text: code for code, text in enumerate(FIXES) if code}
_STATE_CODES = {text: code for code, text in STATES.items()}
_RESERVED = frozenset("$*,!\\^~\r\n")
_PIECE = 60
_MINUTE_M = 1852.0
_PLACE_M = 0.001


def _place(lat_deg: float, lon_deg: float) -> str:
    """Both in degrees and minutes, with the letters of their halves."""
    parts = []
    for value, width, letters in ((lat_deg, 2, "NS"), (lon_deg, 3, "EW")):
        micro = round(abs(value) * 60_000_000)
        degrees, minutes = divmod(micro, 60_000_000)
        parts.append(f"{degrees:0{width}}{minutes // 1_000_000:02}.{minutes % 1_000_000:06},{letters[value < 0]}")
    return ",".join(parts)


def _escaped(text: str) -> str:
    return "".join(f"^{ord(c):02X}" if c in _RESERVED else c for c in text)


def _plain(number: float | None, digits: int = 4) -> str:
    """A number without needless zeros; nothing where there is none."""
    return "" if number is None else f"{number:.{digits}f}".rstrip("0").rstrip(".")


class Speaker:
    """Sentences of talker `II` (integrated instrumentation), targets under at most a hundred numbers."""

    def __init__(self, talker: str = "II") -> None:
        self._talker = talker
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._texts = 0

    def _line(self, kind: str, body: str) -> bytes:
        return sentence(f"{self._talker}{kind},{body}".encode("ascii"))

    def own(self, track: Track) -> Encoded:
        """What the vessel's own instruments would say of her."""
        said: dict[str, Entry] = {}
        lines: list[bytes] = []
        clock = day = ""
        at_us = track.timing.source_us if track.timing else None
        if at_us is not None and 0 <= at_us < _LAST_US:
            moment = datetime.fromtimestamp(at_us // 1_000_000, UTC)
            clock, day = f"{moment:%H%M%S}.{at_us % 1_000_000 // 1000:03}", f"{moment:%d%m}{moment.year % 100:02}"
            lines.append(self._line("ZDA", f"{clock},{moment:%d,%m},{moment.year:04},00,00"))
            said["timing.source_us"] = Approximated("timing.source_us", "ZDA.time", 0.001, "s")
            said["timing.clock"] = Carried("timing.clock", "ZDA.time")
        self._position(track, clock, day, lines, said)
        if track.motion is not None:
            self._motion(track.motion, lines, said)
        return Encoded(tuple(lines), ledger_of(track, said))

    def _position(self, track: Track, clock: str, day: str, lines: list[bytes], said: dict[str, Entry]) -> None:
        position, sensor, motion = track.position, track.sensor, track.motion
        if position is None:
            return
        place = _place(position.lat_deg, position.lon_deg)
        fix = _CODES.get(sensor.fix or "") if sensor else None
        if fix is not None:
            said["sensor.fix"] = Carried("sensor.fix", "GGA.quality")
        satellites = hdop = None
        if sensor is not None:
            satellites, hdop = sensor.satellites, sensor.hdop
            said["sensor.satellites"] = Carried("sensor.satellites", "GGA.satellites")
            said["sensor.hdop"] = Approximated("sensor.hdop", "GGA.hdop", 0.005, "1")
        heights, original = ",,,", position.original
        if original is not None and original.frame == "msl" and len(original.values) == 3:
            above = original.values[2]
            said["position.original"] = Approximated("position.original", "GGA.altitude", 0.0005, "m")
            apart = None if position.height_m is None else position.height_m - above
            if apart is not None:
                said["position.height_m"] = Approximated("position.height_m", "GGA.separation", 0.001, "m")
            heights = f"{_plain(above, 3)},M,{_plain(apart, 3)},{'' if apart is None else 'M'}"
        count = "" if satellites is None else f"{satellites:02}"
        quality = 1 if fix is None else fix
        lines.append(self._line("GGA", f"{clock},{place},{quality},{count},{_plain(hdop, 2)},{heights},,"))
        lines.append(self._line("GLL", f"{place},{clock},A,A"))
        speed = _plain(motion.speed_mps / KNOT) if motion and motion.speed_mps is not None else ""
        course = _plain(motion.course_deg) if motion and motion.course_deg is not None else ""
        lines.append(self._line("RMC", f"{clock},A,{place},{speed},{course},{day},,,A"))
        for name in ("lat_deg", "lon_deg"):
            said[f"position.{name}"] = Approximated(f"position.{name}", f"GGA.{name[:3]}", _PLACE_M, "m")
        if clock and track.timing is not None and position.at == (track.timing.source_us or 0) // 1000:
            said["position.at"] = Carried("position.at", "GGA.time")

    def _motion(self, motion: Motion, lines: list[bytes], said: dict[str, Entry]) -> None:
        if motion.speed_mps is not None or motion.course_deg is not None:
            knots = None if motion.speed_mps is None else motion.speed_mps / KNOT
            kmh = None if motion.speed_mps is None else motion.speed_mps * 3.6
            course = f"{_plain(motion.course_deg)},{'' if motion.course_deg is None else 'T'}"
            units = ("", "") if knots is None else ("N", "K")
            lines.append(self._line("VTG", f"{course},,,{_plain(knots)},{units[0]},{_plain(kmh)},{units[1]},A"))
            said["motion.speed_mps"] = Approximated("motion.speed_mps", "VTG.speed", 0.00003, "m/s")
            said["motion.course_deg"] = Approximated("motion.course_deg", "VTG.course", 0.00005, "deg")
            if motion.frame == "course":
                said["motion.frame"] = Carried("motion.frame", "VTG.course")
        if motion.heading_deg is not None:
            lines.append(self._line("HDT", f"{_plain(motion.heading_deg)},T"))
            said["motion.heading_deg"] = Approximated("motion.heading_deg", "HDT.heading", 0.00005, "deg")
        if motion.turn_deg_per_min is not None:
            lines.append(self._line("ROT", f"{_plain(motion.turn_deg_per_min)},A"))
            said["motion.turn_deg_per_min"] = Approximated("motion.turn_deg_per_min", "ROT.rate", 0.00005, "deg/min")
        if motion.water_speed_mps is not None:
            heading = f"{_plain(motion.heading_deg)},{'' if motion.heading_deg is None else 'T'}"
            water = motion.water_speed_mps
            lines.append(self._line("VHW", f"{heading},,,{_plain(water / KNOT)},N,{_plain(water * 3.6)},K"))
            said["motion.water_speed_mps"] = Approximated("motion.water_speed_mps", "VHW.speed", 0.00003, "m/s")

    def target(self, track: Track) -> Encoded:
        """A contact, or any other track without an MMSI: TTM where range and bearing are known, TLL with its place."""
        said: dict[str, Entry] = {}
        number = self._number(track)
        identity, sensor, timing, status = track.identity, track.sensor, track.timing, track.status
        name = ""
        if identity is not None and identity.name is not None:
            kept = "".join(c for c in identity.name if " " <= c <= "~")
            name = _escaped(kept[:20])
            carried = kept[:20] == identity.name
            reason: Entry = Dropped("identity.name", "not text of this protocol", f"sent as {kept[:20]}")
            said["identity.name"] = Carried("identity.name", "TLL.name") if carried else reason
        if identity is not None and identity.native_id == str(number):
            said["identity.native_id"] = Carried("identity.native_id", "TLL.number")
        clock = ""
        if timing is not None and timing.source_us is not None and 0 <= timing.source_us < _LAST_US:
            moment = datetime.fromtimestamp(timing.source_us // 1_000_000, UTC)
            clock = f"{moment:%H%M%S}.{timing.source_us % 1_000_000 // 1000:03}"
            said["timing.source_us"] = Approximated("timing.source_us", "TLL.time", 0.001, "s")
        state = _STATE_CODES.get(status.state or "", "T") if status else "T"
        if status is not None and status.state in _STATE_CODES:
            said["status.state"] = Carried("status.state", "TLL.status")
        lines = []
        if sensor is not None and sensor.range_m is not None and sensor.azimuth_deg is not None:
            lines.append(self._tracked(track, number, name, state, clock, said))
        if (position := track.position) is not None:
            place = _place(position.lat_deg, position.lon_deg)
            lines.append(self._line("TLL", f"{number:02},{place},{name},{clock},{state},"))
            for field in ("lat_deg", "lon_deg"):
                said[f"position.{field}"] = Approximated(f"position.{field}", f"TLL.{field[:3]}", _PLACE_M, "m")
        if lines and track.type is not None and track.type.nature == "contact":
            said["type.nature"] = Carried("type.nature", "TLL.number")
        return Encoded(tuple(lines), ledger_of(track, said if lines else {}))

    def _tracked(self, track: Track, number: int, name: str, state: str, clock: str, said: dict[str, Entry]) -> bytes:
        sensor, motion = track.sensor, track.motion
        assert sensor is not None
        said["sensor.range_m"] = Approximated("sensor.range_m", "TTM.distance", 0.1, "m")
        said["sensor.azimuth_deg"] = Approximated("sensor.azimuth_deg", "TTM.bearing", 0.00005, "deg")
        if sensor.modality == "radar":
            said["sensor.modality"] = Carried("sensor.modality", "TTM.number")
        speed = course = None
        if motion is not None:
            speed, course = motion.speed_mps, motion.course_deg
            said["motion.speed_mps"] = Approximated("motion.speed_mps", "TTM.speed", 0.00003, "m/s")
            said["motion.course_deg"] = Approximated("motion.course_deg", "TTM.course", 0.00005, "deg")
        knots = None if speed is None else speed / KNOT
        distance, bearing = _plain((sensor.range_m or 0) / _MINUTE_M), _plain(sensor.azimuth_deg)
        over = f"{_plain(knots)},{_plain(course)},{'' if course is None else 'T'}"
        return self._line("TTM", f"{number:02},{distance},{bearing},T,{over},,,N,{name},{state},,{clock},A")

    def _number(self, track: Track) -> int:
        """The number of a target: that under which it was heard, or the one used least lately."""
        said = track.identity.native_id if track.identity else None
        if said is not None and said.isascii() and said.isdigit() and len(said) <= 2 and ":target:" in track.key:
            return int(said)
        if track.key in self._numbers:
            self._numbers.move_to_end(track.key)
            return self._numbers[track.key]
        number = len(self._numbers) if len(self._numbers) < 100 else self._numbers.popitem(last=False)[1]
        self._numbers[track.key] = number
        return number

    def environment(self, environment: Environment) -> Encoded:
        """Wind, water and air."""
        said: dict[str, Entry] = {}
        lines: list[bytes] = []
        wind, bearing = environment.wind_mps, environment.wind_from_deg
        if wind is not None or bearing is not None:
            knots = None if wind is None else wind / KNOT
            units = ("", "") if wind is None else ("N", "M")
            direction = f"{_plain(bearing)},{'' if bearing is None else 'T'}"
            lines.append(self._line("MWD", f"{direction},,,{_plain(knots)},{units[0]},{_plain(wind)},{units[1]}"))
            _say(said, "wind_mps", "MWD.speed", "m/s")
            _say(said, "wind_from_deg", "MWD.direction", "deg")
        if environment.water_temperature_c is not None:
            lines.append(self._line("MTW", f"{_plain(environment.water_temperature_c)},C"))
            _say(said, "water_temperature_c", "MTW.temperature", "c")
        if (depth := environment.water_depth_m) is not None:
            lines.append(self._line("DPT", f"{_plain(depth)},,"))
            lines.append(self._line("DBT", f",,{_plain(depth)},M,,"))
            _say(said, "water_depth_m", "DPT.depth", "m")
        measured = []
        if environment.air_temperature_c is not None:
            measured.append(f"C,{_plain(environment.air_temperature_c)},C,TempAir")
            _say(said, "air_temperature_c", "XDR.TempAir", "c")
        if environment.pressure_hpa is not None:
            measured.append(f"P,{_plain(environment.pressure_hpa / 1000, 7)},B,Barometer")
            _say(said, "pressure_hpa", "XDR.Barometer", "hpa")
        if environment.humidity_percent is not None:
            measured.append(f"H,{_plain(environment.humidity_percent)},P,Humidity")
            _say(said, "humidity_percent", "XDR.Humidity", "%")
        if measured:
            lines.append(self._line("XDR", ",".join(measured)))
        return Encoded(tuple(lines), ledger_of(environment, said))

    def report(self, report: Report) -> Encoded:
        """Words, in pieces that fit a sentence; a character that no sentence can hold becomes `?`."""
        text = "".join(c if " " <= c <= "~" else "?" for c in report.text)
        pieces: list[str] = [""]
        for sign in _escaped_signs(text):
            if len(pieces[-1]) + len(sign) > _PIECE:
                pieces.append("")
            pieces[-1] += sign
        whole: Entry = Carried("report.text", "TXT.text")
        if text != report.text:
            whole = Dropped("report.text", "not text of this protocol", "other characters were sent as ?")
        elif len(pieces) > 99:
            whole = Dropped("report.text", "too long", f"cut to {99 * _PIECE} characters")
        pieces = pieces[:99]
        self._texts = (self._texts + 1) % 100
        lines = [
            self._line("TXT", f"{len(pieces):02},{number:02},{self._texts:02},{piece}")
            for number, piece in enumerate(pieces, 1)
        ]
        return Encoded(tuple(lines), ledger_of(report, {"report.text": whole}))

    def area(self, area: Area) -> Encoded:
        """A point as a waypoint; there is no sentence for another shape."""
        if area.shape != "point" or len(area.points) != 1:
            return Encoded((), ledger_of(area, {"area.shape": Dropped("area.shape", "no code", area.shape)}))
        point, name = area.points[0], area.name or area.key
        kept = "".join(c for c in name if " " <= c <= "~")[:20]
        said: dict[str, Entry] = {
            "area.points": Approximated("area.points", "WPL.lat", _PLACE_M, "m"),
            "area.shape": Carried("area.shape", "WPL.name"),
            "area.name": Carried("area.name", "WPL.name"),
        }
        if point.height_m is not None or point.depth_m is not None:
            said["area.points"] = Dropped("area.points", "no field", "without height and depth")
        if kept != name:
            said["area.name"] = Dropped("area.name", "not text of this protocol", f"sent as {kept}")
        line = self._line("WPL", f"{_place(point.lat_deg, point.lon_deg)},{_escaped(kept)}")
        return Encoded((line,), ledger_of(area, said))


def _say(said: dict[str, Entry], name: str, native: str, unit: str) -> None:
    said[f"environment.{name}"] = Approximated(f"environment.{name}", native, 0.0001, unit)


def _escaped_signs(text: str) -> list[str]:
    return [_escaped(sign) for sign in text]
