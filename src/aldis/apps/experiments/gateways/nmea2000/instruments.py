"""Messages of a vessel's own instruments to the model: where she is, how she moves, what it is like around her."""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees, tau
from typing import Any

from aldis.apps.experiments.entity import Decoded, Environment, Motion, Position, Sensor, Timing, Track
from aldis.apps.experiments.entity.geodesy import quaternion_of
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea2000.frames import Message
from aldis.apps.experiments.gateways.nmea2000.pgns import PGNS, Value
from aldis.apps.experiments.gateways.nmea2000.reading import code, degrees_of, number, place_of
from aldis.apps.experiments.gateways.nmea2000.told import told
from aldis.apps.experiments.gateways.nmea2000.vessels import PROTOCOL

__all__ = ["KELVIN", "METHODS", "MODALITIES", "Instruments"]

KELVIN = 273.15
METHODS = ("none", "GPS", "DGPS", "PPS", "RTK", "RTK float", "dead reckoning", "manual", "simulator")
"""How a position was found, PGN 129029."""
MODALITIES = {
    0: "GPS",
    1: "GLONASS",
    2: "combined GPS/GLONASS",
    3: "GPS with SBAS",
    4: "GPS with SBAS and GLONASS",
    5: "Chayka",
    6: "integrated navigation system",
    7: "surveyed",
    8: "Galileo",
}
"""What a position was found with, PGN 129029."""
_FRESH_US = 10_000_000
_TIME_US = 50  # of 0.1 ms, rounded
_Said = dict[str, Value]


@dataclass(slots=True)
class Instruments:
    """What a network has said that later messages are read with: the heading and the magnetic variation."""

    name: str
    heading_rad: float | None = None
    heading_us: int = 0
    variation_rad: float | None = None

    def decode(self, message: Message, at_us: int) -> Decoded:
        """What a message of the vessel's own instruments says.

        Raises:
            Damaged: it says nothing usable.
        """
        said = PGNS[message.pgn].unpack(message.data)
        unknown: list[str] = []
        heard_ms = round(message.heard_us / 1000)
        if message.pgn in _ENVIRONMENT:
            values = self._environment(message, said, unknown)
            if not values:
                raise Damaged("nothing said")
            key, timing = f"n2k:{self.name}:environment", Timing(received_us=at_us)
            return Decoded(
                Environment(key=key, at=heard_ms, timing=timing, **values),
                told(message.pgn, tuple(said), tuple(unknown)),
            )
        sensor = Sensor(protocol=PROTOCOL, received_ms=heard_ms, station=f"device {message.source}")
        groups: dict[str, Any] = {"sensor": sensor, "timing": Timing(received_us=at_us)}
        groups |= getattr(self, f"_read_{message.pgn}")(message, said, unknown, heard_ms, at_us)
        track = Track(key=f"n2k:{self.name}", **groups)
        return Decoded(track, told(message.pgn, tuple(said), tuple(unknown)))

    def _time(self, said: _Said, at_us: int) -> Timing | None:
        day, time = number(said, "date"), number(said, "time")
        if day is None or time is None or time >= 86_401:
            return None
        source_us = round(day) * 86_400_000_000 + round(time * 1_000_000)
        return Timing(source_us=source_us, source_uncertainty_us=_TIME_US, received_us=at_us, clock="utc")

    def _read_126992(self, _: Message, said: _Said, __: list[str], ___: int, at_us: int) -> dict[str, Any]:
        timing = self._time(said, at_us)
        if timing is None:
            raise Damaged("nothing said")
        return {"timing": timing}

    def _read_129025(self, _: Message, said: _Said, __: list[str], heard_ms: int, ___: int) -> dict[str, Any]:
        place = place_of(said)
        if place is None:
            raise Damaged("nothing said")
        return {"position": Position(lat_deg=place[0], lon_deg=place[1], at=heard_ms)}

    def _read_129026(self, _: Message, said: _Said, unknown: list[str], heard_ms: int, __: int) -> dict[str, Any]:
        speed, course = number(said, "sog"), degrees_of(number(said, "cog"))
        if code(said, "cogReference") != 0:
            unknown.extend(("cog!magnetic", "cogReference!magnetic"))
            course = None
        elif course is None:
            unknown.extend(("cog", "cogReference"))
        if speed is None and course is None:
            raise Damaged("nothing said")
        frame = None if speed is None else "course"
        return {"motion": Motion(at=heard_ms, speed_mps=speed, course_deg=course, frame=frame)}  # type: ignore[arg-type]

    def _read_129029(
        self, message: Message, said: _Said, unknown: list[str], heard_ms: int, at_us: int
    ) -> dict[str, Any]:
        place, timing = place_of(said), self._time(said, at_us)
        method, kind = code(said, "method"), code(said, "gnssType")
        if method <= 0 or place is None:
            unknown.extend(("latitude", "longitude", "altitude", "method"))
        elif method >= len(METHODS):
            unknown.append("method!reserved")
        if kind not in MODALITIES:
            unknown.append("gnssType")
        at = timing.source_us // 1000 if timing and timing.source_us is not None else heard_ms
        satellites = number(said, "numberOfSvs")
        groups: dict[str, Any] = {
            "sensor": Sensor(
                protocol=PROTOCOL,
                received_ms=heard_ms,
                station=f"device {message.source}",
                fix=METHODS[method] if 0 < method < len(METHODS) and place else None,
                modality=MODALITIES.get(kind),
                satellites=None if satellites is None else int(satellites),
                hdop=number(said, "hdop"),
            )
        }
        if timing is not None:
            groups["timing"] = timing
        else:
            unknown.extend(("date", "time"))
        if place is not None and method > 0:
            height = number(said, "altitude")
            groups["position"] = Position(lat_deg=place[0], lon_deg=place[1], at=at, height_m=height)
        return groups

    def _read_127250(self, message: Message, said: _Said, unknown: list[str], heard_ms: int, _: int) -> dict[str, Any]:
        """A magnetic heading counts where the variation is known."""
        heading = number(said, "heading")
        if heading is not None and code(said, "reference") == 1:
            variation = number(said, "variation")
            variation = self.variation_rad if variation is None else variation
            unknown.extend(("heading!magnetic", "reference!magnetic"))
            deviation = number(said, "deviation") or 0.0
            heading = None if variation is None else (heading + deviation + variation) % tau
        elif code(said, "reference") != 0:
            heading = None
        bearing = degrees_of(heading)
        if heading is None or bearing is None:
            raise Damaged("nothing said")
        self.heading_rad, self.heading_us = heading, message.heard_us
        return {"motion": Motion(at=heard_ms, heading_deg=bearing)}

    def _read_127251(self, _: Message, said: _Said, __: list[str], heard_ms: int, ___: int) -> dict[str, Any]:
        rate = number(said, "rate")
        if rate is None:
            raise Damaged("nothing said")
        return {"motion": Motion(at=heard_ms, turn_deg_per_min=round(degrees(rate) * 60, 6))}

    def _read_127257(self, _: Message, said: _Said, __: list[str], heard_ms: int, ___: int) -> dict[str, Any]:
        yaw, pitch, roll = (number(said, name) for name in ("yaw", "pitch", "roll"))
        if yaw is None or pitch is None or roll is None:
            raise Damaged("nothing said")
        return {"motion": Motion(at=heard_ms, attitude=quaternion_of(roll, pitch, yaw))}

    def _read_127258(self, _: Message, said: _Said, __: list[str], ___: int, ____: int) -> dict[str, Any]:
        self.variation_rad = number(said, "variation")
        return {}

    def _read_128259(self, _: Message, said: _Said, __: list[str], heard_ms: int, ___: int) -> dict[str, Any]:
        water, ground = number(said, "speedWaterReferenced"), number(said, "speedGroundReferenced")
        if water is None and ground is None:
            raise Damaged("nothing said")
        return {"motion": Motion(at=heard_ms, water_speed_mps=water, speed_mps=ground)}

    def _environment(self, message: Message, said: _Said, unknown: list[str]) -> dict[str, Any]:
        if message.pgn == 130306:
            return self._wind(message, said, unknown)
        return {name: value for name, value in _surroundings(message.pgn, said, unknown).items() if value is not None}

    def _wind(self, message: Message, said: _Said, unknown: list[str]) -> dict[str, Any]:
        """Wind over ground: from true north, or from the bow where the heading is known."""
        speed, angle, reference = number(said, "windSpeed"), number(said, "windAngle"), code(said, "reference")
        if reference not in (0, 3) or speed is None:
            return {}
        if reference == 3:
            unknown.extend(("windAngle!from the bow", "reference!from the bow"))
            fresh = self.heading_rad is not None and abs(message.heard_us - self.heading_us) < _FRESH_US
            angle = (angle + (self.heading_rad or 0)) % tau if angle is not None and fresh else None
        bearing = degrees_of(angle)
        if bearing is None and reference == 0:
            unknown.extend(("windAngle", "reference"))
        return {"wind_mps": speed} | ({} if bearing is None else {"wind_from_deg": bearing})


def _celsius(kelvin: float | None) -> float | None:
    return None if kelvin is None else round(kelvin - KELVIN, 3)


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else round(value * scale, 6)


def _surroundings(pgn: int, said: _Said, unknown: list[str]) -> dict[str, float | None]:
    source = code(said, "source")
    if pgn == 128267:
        depth, offset = number(said, "depth"), number(said, "offset")
        added = depth is not None and offset is not None and offset > 0
        if added:
            unknown.append(f"depth~{offset}")
        return {"water_depth_m": round((depth or 0) + (offset or 0), 3) if added else depth}
    if pgn == 130310:
        return {
            "water_temperature_c": _celsius(number(said, "waterTemperature")),
            "air_temperature_c": _celsius(number(said, "outsideAmbientAirTemperature")),
            "pressure_hpa": _scaled(number(said, "atmosphericPressure"), 0.01),
        }
    if pgn == 130311:
        return _combined(said, unknown)
    if pgn in (130312, 130316):
        field = _TEMPERATURES.get(source)
        value = _celsius(number(said, "actualTemperature", "temperature"))
        name = "actualTemperature" if pgn == 130312 else "temperature"
        if field is None:
            return {}
        unknown.extend((f"{name}>environment.{field}", f"source>environment.{field}"))
        return {field: value}
    if pgn == 130313:
        return {"humidity_percent": _scaled(number(said, "actualHumidity"), 100) if source == 1 else None}
    return {"pressure_hpa": _scaled(number(said, "pressure"), 0.01) if source == 0 else None}


def _combined(said: _Said, unknown: list[str]) -> dict[str, float | None]:
    """Temperature, humidity and pressure in one message, the first two with where they were measured."""
    values: dict[str, float | None] = {"pressure_hpa": _scaled(number(said, "atmosphericPressure"), 0.01)}
    field = _TEMPERATURES.get(code(said, "temperatureSource"))
    if field is None or "temperature" not in said:
        unknown.extend(("temperature!not outside", "temperatureSource!not outside"))
    else:
        values[field] = _celsius(number(said, "temperature"))
        unknown.extend((f"temperature>environment.{field}", f"temperatureSource>environment.{field}"))
    if code(said, "humiditySource") == 1 and "humidity" in said:
        values["humidity_percent"] = _scaled(number(said, "humidity"), 100)
    else:
        unknown.extend(("humidity!not outside", "humiditySource!not outside"))
    return values


_TEMPERATURES = {0: "water_temperature_c", 1: "air_temperature_c"}
_ENVIRONMENT = (128267, 130306, 130310, 130311, 130312, 130313, 130314, 130316)
