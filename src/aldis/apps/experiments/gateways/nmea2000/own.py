"""The model to messages of a vessel's own instruments, and to those of what it is like around her."""

from __future__ import annotations

from math import radians, tau

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Environment, Track
from aldis.apps.experiments.entity.geodesy import euler_of
from aldis.apps.experiments.gateways.nmea2000.instruments import KELVIN, METHODS, MODALITIES
from aldis.apps.experiments.gateways.nmea2000.parts import Draft, Said

__all__ = ["environment_messages", "own_messages"]

_LAST_US = 5_600_000_000_000_000  # days count to 65,533
_DAY_US = 86_400_000_000
_POLE = 0.0111319  # m of 1e-7 degrees
_METHOD_CODES = {text: code for code, text in enumerate(METHODS) if code}
_MODALITY_CODES = {text: code for code, text in MODALITIES.items()}
_Messages = tuple[list[tuple[int, bytes]], Said]


def own_messages(track: Track) -> _Messages:
    """PGNs and bytes of what her instruments would say, and what became of the track's fields."""
    said: Said = {}
    drafts: list[Draft] = []
    timing = track.timing
    clock: dict[str, float] = {}
    if timing is not None and timing.source_us is not None and 0 <= timing.source_us < _LAST_US:
        days, since_us = divmod(timing.source_us, _DAY_US)
        clock = {"date": days, "time": since_us / 1_000_000}
        drafts.append(Draft(126992, said, dict(clock)))
        said["timing.source_us"] = Approximated("timing.source_us", "126992.time", 0.00005, "s")
        said["timing.clock"] = Carried("timing.clock", "126992.time")
    if track.position is not None:
        drafts += _place(track, said, clock)
    if track.motion is not None:
        drafts += _moves(track, said)
    return [draft.message() for draft in drafts], said


def _place(track: Track, said: Said, clock: dict[str, float]) -> list[Draft]:
    position, sensor = track.position, track.sensor
    assert position is not None
    exact = Draft(129029, said, {**clock, "gnssType": 15})
    exact.put("position.height_m", "altitude", position.height_m, "m")
    exact.put("position.lat_deg", "latitude", position.lat_deg, "m", 111_319)
    exact.put("position.lon_deg", "longitude", position.lon_deg, "m", 111_319)
    exact.values["method"] = 1
    if sensor is not None:
        exact.put("sensor.hdop", "hdop", sensor.hdop, "1")
        exact.put("sensor.satellites", "numberOfSvs", sensor.satellites, "1")
        if sensor.fix in _METHOD_CODES:
            exact.code("sensor.fix", "method", _METHOD_CODES[sensor.fix])
        elif sensor.fix is not None:
            said["sensor.fix"] = Dropped("sensor.fix", "no code", sensor.fix)
        if sensor.modality in _MODALITY_CODES:
            exact.code("sensor.modality", "gnssType", _MODALITY_CODES[sensor.modality])
        elif sensor.modality is not None:
            said["sensor.modality"] = Dropped("sensor.modality", "no code", sensor.modality)
    if clock and track.timing is not None and position.at == (track.timing.source_us or 0) // 1000:
        said["position.at"] = Carried("position.at", "129029.time")
    quick = Draft(129025, said)
    quick.put("position.lat_deg", "latitude", position.lat_deg, "m", _POLE / 1e-7)
    quick.put("position.lon_deg", "longitude", position.lon_deg, "m", _POLE / 1e-7)
    return [quick, exact]


def _moves(track: Track, said: Said) -> list[Draft]:
    motion = track.motion
    assert motion is not None
    drafts: list[Draft] = []
    if motion.speed_mps is not None or motion.course_deg is not None:
        over = Draft(129026, said)
        over.put("motion.speed_mps", "sog", motion.speed_mps, "m/s")
        over.angle("motion.course_deg", "cog", motion.course_deg)
        if motion.frame == "course":
            said["motion.frame"] = Carried("motion.frame", "129026.cog")
        drafts.append(over)
    if motion.heading_deg is not None:
        heading = Draft(127250, said)
        heading.angle("motion.heading_deg", "heading", motion.heading_deg)
        drafts.append(heading)
    if motion.turn_deg_per_min is not None:
        turn = Draft(127251, said)
        turn.put("motion.turn_deg_per_min", "rate", radians(motion.turn_deg_per_min / 60), "deg/min", 3437.75)
        drafts.append(turn)
    if motion.attitude is not None:
        attitude = Draft(127257, said)
        roll, pitch, yaw = euler_of(motion.attitude)
        for name, angle in (("yaw", yaw), ("pitch", pitch), ("roll", roll)):
            attitude.put("motion.attitude", name, (angle + tau / 2) % tau - tau / 2, "rad")
        drafts.append(attitude)
    if motion.water_speed_mps is not None:
        water = Draft(128259, said)
        water.put("motion.water_speed_mps", "speedWaterReferenced", motion.water_speed_mps, "m/s")
        water.put("motion.speed_mps", "speedGroundReferenced", motion.speed_mps, "m/s")
        drafts.append(water)
    return drafts


def environment_messages(environment: Environment) -> _Messages:
    """PGNs and bytes of wind, water and air, and what became of each."""
    said: Said = {}
    drafts: list[Draft] = []
    if environment.wind_mps is not None or environment.wind_from_deg is not None:
        wind = Draft(130306, said)
        wind.put("environment.wind_mps", "windSpeed", environment.wind_mps, "m/s")
        wind.angle("environment.wind_from_deg", "windAngle", environment.wind_from_deg)
        drafts.append(wind)
    if environment.water_depth_m is not None:
        depth = Draft(128267, said)
        depth.put("environment.water_depth_m", "depth", environment.water_depth_m, "m")
        drafts.append(depth)
    air, water = environment.air_temperature_c, environment.water_temperature_c
    pressure, humidity = environment.pressure_hpa, environment.humidity_percent
    for pgn, value, path, source, name, base, scale, unit in (
        (130316, air, "environment.air_temperature_c", 1, "temperature", KELVIN, 1.0, "c"),
        (130312, water, "environment.water_temperature_c", 0, "actualTemperature", KELVIN, 1.0, "c"),
        (130314, pressure, "environment.pressure_hpa", 0, "pressure", 0.0, 100.0, "hpa"),
        (130313, humidity, "environment.humidity_percent", 1, "actualHumidity", 0.0, 0.01, "%"),
    ):
        if value is not None:
            alone = Draft(pgn, said, {"source": source})
            alone.put(path, name, value * scale + base, unit, 1 / scale)
            drafts.append(alone)
    if air is not None or humidity is not None or pressure is not None or water is not None:
        drafts = [*_together(environment), *drafts]
    return [draft.message() for draft in drafts], said


def _together(environment: Environment) -> list[Draft]:
    """The older messages that hold several measurements; they go first, since those that hold one are finer."""
    said: Said = {}
    air, water = environment.air_temperature_c, environment.water_temperature_c
    pressure, humidity = environment.pressure_hpa, environment.humidity_percent
    pascals = None if pressure is None else pressure * 100
    first = Draft(130310, said)
    second = Draft(130311, said, {"temperatureSource": 1, "humiditySource": 1})
    if water is not None:
        first.put("environment.water_temperature_c", "waterTemperature", water + KELVIN, "c")
    if air is not None:
        first.put("environment.air_temperature_c", "outsideAmbientAirTemperature", air + KELVIN, "c")
        second.put("environment.air_temperature_c", "temperature", air + KELVIN, "c")
    if humidity is not None:
        second.put("environment.humidity_percent", "humidity", humidity / 100, "%", 100)
    first.put("environment.pressure_hpa", "atmosphericPressure", pascals, "hpa", 0.01)
    second.put("environment.pressure_hpa", "atmosphericPressure", pascals, "hpa", 0.01)
    drafts = [first] if first.values else []
    return [*drafts, second] if len(second.values) > 2 else drafts
