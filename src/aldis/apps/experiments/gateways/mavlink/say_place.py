"""Where a track is and how it moves and turns, as a vehicle would say it of itself."""

from __future__ import annotations

import math

from aldis.apps.experiments.entity import Motion, Position, Sensor
from aldis.apps.experiments.entity.geodesy import euler_of
from aldis.apps.experiments.gateways.mavlink.messages import BY_NAME
from aldis.apps.experiments.gateways.mavlink.places import FIXES, Undulation
from aldis.apps.experiments.gateways.mavlink.saying import Saying, Told, upwards
from aldis.apps.experiments.gateways.mavlink.scales import fitted, place_e7

__all__ = ["say_attitude", "say_gps", "say_position", "say_velocity"]

_COURSES = tuple(("GLOBAL_POSITION_INT.vx", error, "deg") for error in (180.0, 5.0, 0.5, 0.05))
"""What half a cm/s of both parts of a velocity does to its course, below 0.1 m/s, 1 m/s, 10 m/s and above."""
_GPI = BY_NAME["GLOBAL_POSITION_INT"]
_HDG_DEG, _YAW_DEG = 0.005, 2e-5
"""Half a unit of GLOBAL_POSITION_INT.hdg, and what a float does to ATTITUDE.yaw."""


def say_position(saying: Saying, position: Position, motion: Motion | None, undulation: Undulation | None) -> None:
    """GLOBAL_POSITION_INT."""
    lat, lon = place_e7(position, "GLOBAL_POSITION_INT", saying.told)
    alt_mm = _alt_mm(saying, position, undulation)
    above_mm = fitted(position.above_home_m, 1000, -(1 << 31), (1 << 31) - 1, "position.above_home_m", saying.told)
    vx, vy, vz = _velocity(saying, motion)
    hdg = 65535 if motion is None or motion.heading_deg is None else round(motion.heading_deg % 360 * 100) % 36_000
    boot_ms = saying.stamp(position.at, "position.at", "GLOBAL_POSITION_INT.time_boot_ms")
    payload = _GPI.struct.pack(boot_ms, lat, lon, alt_mm, above_mm or 0, vx, vy, vz, hdg)
    saying.put(_GPI, payload)
    if motion is not None and motion.at is not None:
        there = saying.us // 1000 if position.at is None else position.at
        same = saying.told.get("position.at", "GLOBAL_POSITION_INT.time_boot_ms")
        saying.told["motion.at"] = same if motion.at == there else "-no field: the position's time stands for both"


def _alt_mm(saying: Saying, position: Position, undulation: Undulation | None) -> int:
    """Above mean sea level: as it was said, or by the geoid; else as high as above the ellipsoid."""
    original = position.original
    alt: float | None = None
    here = (position.lat_deg, position.lon_deg)
    if original is not None and (original.frame, original.datum) == ("msl", "WGS-84") and original.values[:2] == here:
        alt = original.values[2] if len(original.values) == 3 else None
        saying.told["position.original"] = ("GLOBAL_POSITION_INT.alt", 0.0005, "m")
    if alt is None and position.height_m is not None:
        alt = position.height_m
        if undulation is not None:
            alt -= undulation(position.lat_deg, position.lon_deg)
    if alt is None and position.depth_m is not None:
        alt = -position.depth_m
        saying.told["position.depth_m"] = "-no field: said as a height below mean sea level"
    return fitted(alt, 1000, -(1 << 31), (1 << 31) - 1, "position.original", saying.told) or 0


def _velocity(saying: Saying, motion: Motion | None) -> tuple[int, int, int]:
    """North, east and down in cm/s; zeros where it is not known, since the protocol cannot say so."""
    told = saying.told
    if motion is None:
        return 0, 0, 0
    climb = fitted(motion.climb_mps, -100, -32767, 32767, "motion.climb_mps", told) or 0
    speed, bearing = motion.speed_mps, motion.course_deg
    if motion.frame is not None:
        told["motion.frame"] = "header.system" if motion.frame == "ned" else "-no field: only north, east, down"
    if speed is None:
        if bearing is not None:
            told["motion.course_deg"] = ("GPS_RAW_INT.cog", 0.005, "deg") if saying.track.position else "-no code"
        return 0, 0, climb
    if bearing is None:
        if speed:
            told["motion.speed_mps"] = ("GPS_RAW_INT.vel", 0.005, "m/s") if saying.track.position else "-no code"
        return 0, 0, climb
    turn = math.radians(bearing)
    north, east = speed * 100 * math.cos(turn), speed * 100 * math.sin(turn)
    if not max(abs(north), abs(east)) <= 32767:
        told["motion.speed_mps"] = told["motion.course_deg"] = "-out of range"
        return 0, 0, climb
    told["motion.course_deg"] = _COURSES[(speed >= 0.1) + (speed >= 1) + (speed >= 10)]
    return round(north), round(east), climb


def say_gps(
    saying: Saying, position: Position, motion: Motion | None, sensor: Sensor | None, undulation: Undulation | None
) -> None:
    """GPS_RAW_INT, where there is something that it alone can say."""
    motion, sensor = motion or Motion(), sensor or Sensor(protocol="", received_ms=0)
    alone = (
        position.height_m, position.accuracy_m, position.height_accuracy_m, sensor.fix, sensor.satellites,
        sensor.hdop, sensor.vdop, motion.speed_accuracy_mps,
    )  # fmt: skip
    half = (motion.speed_mps is None) != (motion.course_deg is None) and motion.speed_mps != 0
    if not half and alone == (None,) * len(alone):
        return
    told, most = saying.told, 0xFFFFFFFF
    fix = FIXES.index(sensor.fix) if sensor.fix in FIXES else None
    if fix is not None:
        told["sensor.fix"] = "GPS_RAW_INT.fix_type"
    if fix is None or fix < 2:  # it has a place, so it has a fix
        if fix is not None:
            told["sensor.fix"] = "-no code: with a place there is a fix"
        fix = 2 if position.height_m is None else 3
    lat, lon = place_e7(position, "GPS_RAW_INT", told)
    height = fitted(position.height_m, 1000, -(1 << 31), (1 << 31) - 1, "position.height_m", told)
    sign = None if height is None or position.height_m is None else -1 if position.height_m < 0 else 1
    saying.say(
        "GPS_RAW_INT",
        time_usec=saying.known_us, fix_type=fix, satellites_visible=_satellites(sensor, told),
        lat=lat, lon=lon,
        alt=_alt_mm(saying, position, undulation), alt_ellipsoid=height or sign,
        h_acc=fitted(position.accuracy_m, 1000, 1, most, "position.accuracy_m", told, clip=True),
        v_acc=fitted(position.height_accuracy_m, 1000, 1, most, "position.height_accuracy_m", told, clip=True),
        vel_acc=fitted(motion.speed_accuracy_mps, 1000, 1, most, "motion.speed_accuracy_mps", told, clip=True),
        eph=fitted(sensor.hdop, 100, 0, 65534, "sensor.hdop", told),
        epv=fitted(sensor.vdop, 100, 0, 65534, "sensor.vdop", told),
        vel=fitted(motion.speed_mps, 100, 0, 65534, "motion.speed_mps", {}),
        cog=None if motion.course_deg is None else round(motion.course_deg % 360 * 100) % 36_000,
    )  # fmt: skip


def _satellites(sensor: Sensor, told: Told) -> int | None:
    return fitted(sensor.satellites, 1, 0, 254, "sensor.satellites", told)


def say_velocity(saying: Saying, motion: Motion | None, sensor: Sensor | None) -> None:
    """What is known of one without a place: its GPS without a fix, its velocity."""
    told = saying.told
    if sensor is not None and (sensor.fix, sensor.satellites, sensor.hdop, sensor.vdop) != (None,) * 4:
        fix = FIXES.index(sensor.fix) if sensor.fix in FIXES else 0
        if sensor.fix in FIXES:
            told["sensor.fix"] = "GPS_RAW_INT.fix_type"
        saying.say(
            "GPS_RAW_INT", time_usec=saying.known_us, fix_type=fix, satellites_visible=_satellites(sensor, told),
            eph=fitted(sensor.hdop, 100, 0, 65534, "sensor.hdop", told),
            epv=fitted(sensor.vdop, 100, 0, 65534, "sensor.vdop", told),
        )  # fmt: skip
    if motion is None:
        return
    told["motion.heading_deg"] = told["motion.speed_accuracy_mps"] = "-other message: only with a place"
    if motion.speed_mps is None and motion.climb_mps is None:
        told["motion.course_deg"] = "-no code: only with a speed"
        if motion.attitude is None and motion.rates_rad_s is None:
            told["motion.at"] = "-other message: only with a place or a velocity"
        if motion.frame is not None:
            told["motion.frame"] = "-other message: only with a velocity"
        return
    told["motion.frame"] = "LOCAL_POSITION_NED.vx" if motion.frame == "ned" else "-no field"
    speed, bearing = motion.speed_mps, motion.course_deg
    north: float | None = None
    east: float | None = None
    if speed == 0:
        north = east = 0.0
    elif speed is not None and bearing is not None:
        north, east = speed * math.cos(math.radians(bearing)), speed * math.sin(math.radians(bearing))
    else:
        told["motion.speed_mps"] = told["motion.course_deg"] = "-no code: only both together"
    told.setdefault("motion.speed_mps", ("LOCAL_POSITION_NED.vx", 1e-4, "m/s"))
    told.setdefault("motion.course_deg", ("LOCAL_POSITION_NED.vx", 1e-3, "deg"))
    down = None if motion.climb_mps is None else -motion.climb_mps
    told["motion.climb_mps"] = ("LOCAL_POSITION_NED.vz", 1e-4, "m/s")
    boot_ms = saying.stamp(motion.at, "motion.at", "LOCAL_POSITION_NED.time_boot_ms")
    saying.say("LOCAL_POSITION_NED", time_boot_ms=boot_ms, vx=north, vy=east, vz=down)


def say_attitude(saying: Saying, motion: Motion) -> None:
    """ATTITUDE; ATTITUDE_QUATERNION of one without a place."""
    if motion.attitude is None and motion.rates_rad_s is None:
        return
    rates = motion.rates_rad_s or (None, None, None)
    named = dict(zip(("rollspeed", "pitchspeed", "yawspeed"), rates, strict=True))
    message = "ATTITUDE_QUATERNION" if saying.track.position is None else "ATTITUDE"
    boot_ms = saying.stamp(motion.at, "motion.at", f"{message}.time_boot_ms")
    if saying.track.position is None:
        saying.told["motion.attitude"] = ("ATTITUDE_QUATERNION.q1", 1e-6, "")
        saying.told["motion.rates_rad_s"] = ("ATTITUDE_QUATERNION.rollspeed", 1e-6, "rad/s")
        q1, q2, q3, q4 = motion.attitude or (None,) * 4
        saying.say(message, time_boot_ms=boot_ms, q1=q1, q2=q2, q3=q3, q4=q4, **named)
        return
    roll, pitch, yaw = euler_of(motion.attitude) if motion.attitude is not None else (None, None, None)
    if yaw is not None and motion.heading_deg is not None:
        off_deg = abs(math.remainder(motion.heading_deg - math.degrees(yaw), 360)) + _YAW_DEG
        if off_deg > _HDG_DEG:  # a reader takes the later message's
            saying.told["motion.heading_deg"] = ("ATTITUDE.yaw", upwards(off_deg, _HDG_DEG), "deg")
    saying.say(message, time_boot_ms=boot_ms, roll=roll, pitch=pitch, yaw=yaw, **named)
