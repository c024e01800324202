"""Where a vehicle is and how it moves: positions, attitudes and speeds, as a track."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from aldis.apps.experiments.entity import Entity, Ledger, Motion, Original, Position, Sensor, Track
from aldis.apps.experiments.entity.geodesy import course, quaternion_of
from aldis.apps.experiments.gateways.mavlink.fates import Changes, reading
from aldis.apps.experiments.gateways.mavlink.messages import Row
from aldis.apps.experiments.gateways.mavlink.sender import PROTOCOL, Sender
from aldis.apps.experiments.gateways.mavlink.vehicles import HEADER, Read

__all__ = ["FIXES", "Undulation", "place", "place_readers"]

Undulation = Callable[[float, float], float]
"""Height of mean sea level above the ellipsoid, in metres, at a latitude and longitude in degrees."""

FIXES = ("no GPS", "no fix", "2D", "3D", "DGPS", "RTK float", "RTK fixed", "static", "PPP")
"""GPS_FIX_TYPE."""

_MM = 1000.0
_HDG, _COG = 1 << 8, 1 << 7  # their bits in the mask: above 360 degrees is no direction
_UNTOLD = "-no field: counts from the start, and the system has not told UTC"
_GPI = reading(
    33,
    {
        "time_boot_ms": "timing.source_us", "lat": "position.lat_deg", "lon": "position.lon_deg",
        "alt": "position.original", "relative_alt": "position.above_home_m", "vx": "motion.speed_mps",
        "vy": "motion.speed_mps", "vz": "motion.climb_mps", "hdg": "motion.heading_deg",
    },
    HEADER,
)  # fmt: skip
_BOOT: tuple[str, str] = ("time_boot_ms", _UNTOLD)
_NOWHERE = tuple((field, "-unknown value") for field in ("lat", "lon", "alt", "relative_alt"))
_GPI_CHANGES: dict[tuple[bool, bool], Changes] = {
    (timed, placed): (() if timed else (_BOOT,)) + (() if placed else _NOWHERE)
    for timed in (True, False)
    for placed in (True, False)
}


def place(lat: int, lon: int) -> bool:
    """Whether degE7 coordinates are a place: 0/0 to the last digit is what a vehicle without a fix sends."""
    return (lat != 0 or lon != 0) and -900_000_000 <= lat <= 900_000_000 and -1_800_000_000 <= lon <= 1_800_000_000


def place_readers(undulation: Undulation | None) -> dict[int, Read]:
    """How each message is read; `undulation` makes heights above the ellipsoid of those above mean sea level."""

    def position(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
        boot_ms, lat, lon, alt, above, vx, vy, vz, hdg = row
        if hdg is not None and hdg > 36_000:
            hdg, mask = None, mask | _HDG
        source_us = sender.clock.utc(boot_ms * 1000)
        at = (at_us if source_us is None else source_us) // 1000
        where = None
        if place(lat, lon):
            lat_deg, lon_deg = lat / 1e7, lon / 1e7
            sender.above_home_m = above / 1000
            separation = sender.separation_m
            if separation is None and undulation is not None:
                separation = undulation(lat_deg, lon_deg)
            where = Position(
                lat_deg=lat_deg,
                lon_deg=lon_deg,
                at=at,
                height_m=None if separation is None else round(alt / 1000 + separation, 6),
                above_home_m=above / 1000,
                original=Original(frame="msl", datum="WGS-84", values=(lat_deg, lon_deg, alt / 1000)),
            )
        speed, bearing = course(vx / 100, vy / 100)
        motion = Motion(
            at=at,
            speed_mps=speed,
            course_deg=bearing,
            climb_mps=-vz / 100 if vz else 0.0,
            heading_deg=None if hdg is None else hdg % 36_000 / 100,
            frame="ned",
        )
        track = Track(
            key=sender.key,
            position=where,
            motion=motion,
            identity=sender.identity,
            sensor=Sensor(protocol=PROTOCOL, received_ms=at_us // 1000),
            timing=sender.timing(source_us, at_us),
        )
        return track, _GPI.ledger(mask, _GPI_CHANGES[source_us is not None, where is not None])

    return {24: _gps, 30: _attitude, 31: _quaternion, 32: _local, 33: position, 74: _hud}


_GPS = reading(
    24,
    {
        "time_usec": "timing.source_us", "lat": "position.lat_deg", "lon": "position.lon_deg",
        "alt": "position.original", "eph": "sensor.hdop", "epv": "sensor.vdop", "vel": "motion.speed_mps",
        "cog": "motion.course_deg", "fix_type": "sensor.fix", "satellites_visible": "sensor.satellites",
        "alt_ellipsoid": "position.height_m", "h_acc": "position.accuracy_m", "v_acc": "position.height_accuracy_m",
        "vel_acc": "motion.speed_accuracy_mps", "yaw": "-no field: the GPS's own; the vehicle's is in other messages",
    },
    HEADER,
)  # fmt: skip
_NO_FIX: Changes = tuple(
    (field, "-unknown value: no fix")
    for field in ("lat", "lon", "alt", "vel", "cog", "alt_ellipsoid", "h_acc", "v_acc", "vel_acc")
)


def _gps(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    stamp, lat, lon, alt, eph, epv, vel, cog, fix, satellites, ellipsoid, h_acc, v_acc, vel_acc, _, _ = row
    if cog is not None and cog > 36_000:
        cog, mask = None, mask | _COG
    source_us = None if stamp is None else sender.clock.utc_of_either(stamp)
    at = (at_us if source_us is None else source_us) // 1000
    fixed = fix >= 2 and place(lat, lon)
    where = motion = None
    if fixed:
        if ellipsoid is not None:
            sender.separation_m = (ellipsoid - alt) / 1000
        where = Position(
            lat_deg=lat / 1e7,
            lon_deg=lon / 1e7,
            at=at,
            height_m=_over(ellipsoid, _MM),
            accuracy_m=_over(h_acc, _MM),
            height_accuracy_m=_over(v_acc, _MM),
            original=Original(frame="msl", datum="WGS-84", values=(lat / 1e7, lon / 1e7, alt / 1000)),
        )
        motion = Motion(
            at=at, speed_mps=_over(vel, 100), course_deg=_over(cog, 100), speed_accuracy_mps=_over(vel_acc, _MM)
        )
    track = Track(
        key=sender.key,
        position=where,
        motion=motion,
        identity=sender.identity,
        sensor=Sensor(
            protocol=PROTOCOL,
            received_ms=at_us // 1000,
            fix=FIXES[fix] if fix < len(FIXES) else None,
            satellites=satellites,
            hdop=_over(eph, 100),
            vdop=_over(epv, 100),
        ),
        timing=sender.timing(source_us, at_us),
    )
    changes = () if fixed else _NO_FIX
    if source_us is None and stamp is not None:
        changes += (("time_usec", _UNTOLD),)
    if fix >= len(FIXES):
        changes += (("fix_type", "-no code"),)
    return track, _GPS.ledger(mask, changes)


def _over(value: int | None, scale: float) -> float | None:
    return None if value is None else value / scale


_RATES = {"rollspeed": "motion.rates_rad_s", "pitchspeed": "motion.rates_rad_s", "yawspeed": "motion.rates_rad_s"}
_TURNED = ("motion.attitude", 1e-6, "rad")
_ATTITUDE = reading(
    30,
    {"time_boot_ms": "timing.source_us", "roll": _TURNED, "pitch": _TURNED, "yaw": _TURNED, **_RATES},
    HEADER,
)
_PARTS = ("motion.attitude", 1e-6, "")
_QUATERNION = reading(
    31,
    {"time_boot_ms": "timing.source_us", "q1": _PARTS, "q2": _PARTS, "q3": _PARTS, "q4": _PARTS, **_RATES},
    HEADER,
)
_NO_ATTITUDE = "-unknown value: only whole attitudes are taken"


def _attitude(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    boot_ms, roll, pitch, yaw, *rates = row
    angles = (roll, pitch, yaw)
    attitude = None if None in angles else quaternion_of(roll, pitch, yaw)
    changes: Changes = () if attitude else tuple((name, _NO_ATTITUDE) for name in ("roll", "pitch", "yaw"))
    heading = None if yaw is None else math.degrees(yaw) % 360 % 360
    motion, changes = _turning(attitude, heading, rates, changes)
    track, told = _moving(sender, boot_ms, at_us, motion)
    return track, _ATTITUDE.ledger(mask, changes + told)


def _quaternion(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    boot_ms, q1, q2, q3, q4, *rates = row[:8]
    parts = (q1, q2, q3, q4)
    norm = 0.0 if None in parts else math.hypot(*parts)
    changes: Changes = ()
    attitude = None
    if abs(norm - 1) < 0.01:
        attitude = (q1 / norm, q2 / norm, q3 / norm, q4 / norm)
    else:
        changes = tuple((name, _NO_ATTITUDE) for name in ("q1", "q2", "q3", "q4"))
    motion, changes = _turning(attitude, None, rates, changes)
    track, told = _moving(sender, boot_ms, at_us, motion)
    return track, _QUATERNION.ledger(mask, changes + told)


def _turning(
    attitude: tuple[float, float, float, float] | None,
    heading: float | None,
    rates: list[float | None],
    changes: Changes,
) -> tuple[Motion, Changes]:
    known = [rate for rate in rates if rate is not None]
    if len(known) < 3:
        changes += tuple((name, "-unknown value: only whole turns are taken") for name in _RATES)
        return Motion(attitude=attitude, heading_deg=heading), changes
    return Motion(attitude=attitude, heading_deg=heading, rates_rad_s=(known[0], known[1], known[2])), changes


_LOCAL = reading(
    32,
    {
        "time_boot_ms": "timing.source_us", "x": "-no field: of an origin that it does not say",
        "y": "-no field: of an origin that it does not say", "z": "-no field: of an origin that it does not say",
        "vx": ("motion.speed_mps", 1e-5, "m/s"), "vy": ("motion.speed_mps", 1e-5, "m/s"), "vz": "motion.climb_mps",
    },
    HEADER,
)  # fmt: skip


def _local(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    boot_ms, _, _, _, vx, vy, vz = row
    changes: Changes = ()
    speed = bearing = None
    if vx is None or vy is None:
        changes = (("vx", "-unknown value: only with vy"), ("vy", "-unknown value: only with vx"))
    else:
        speed, bearing = course(vx, vy)
    climb = None if vz is None else -vz
    frame: Literal["ned"] | None = None if speed is None and climb is None else "ned"
    motion = Motion(speed_mps=speed, course_deg=bearing, climb_mps=climb, frame=frame)
    track, told = _moving(sender, boot_ms, at_us, motion)
    return track, _LOCAL.ledger(mask, changes + told)


_HUD = reading(
    74,
    {"airspeed": "motion.water_speed_mps"}
    | dict.fromkeys(("groundspeed", "alt", "climb", "heading"), "-other message: GLOBAL_POSITION_INT says it finer"),
    HEADER,
)


def _hud(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    motion = Motion(water_speed_mps=row[0])
    track = Track(
        key=sender.key, motion=motion, identity=sender.identity, sensor=sender.sensor(at_us),
        timing=sender.timing(None, at_us),
    )  # fmt: skip
    return track, _HUD.ledger(mask)


def _moving(sender: Sender, boot_ms: int, at_us: int, motion: Motion | None) -> tuple[Track, Changes]:
    """A track that moves so, at a time since its start; and what becomes of that time."""
    source_us = sender.clock.utc(boot_ms * 1000)
    track = Track(
        key=sender.key,
        motion=motion and _at(motion, (at_us if source_us is None else source_us) // 1000),
        identity=sender.identity,
        sensor=sender.sensor(at_us),
        timing=sender.timing(source_us, at_us),
    )
    return track, () if source_us is not None else (_BOOT,)


def _at(motion: Motion, at: int) -> Motion:
    return Motion(
        at=at, speed_mps=motion.speed_mps, course_deg=motion.course_deg, climb_mps=motion.climb_mps,
        heading_deg=motion.heading_deg, attitude=motion.attitude, rates_rad_s=motion.rates_rad_s, frame=motion.frame,
    )  # fmt: skip
