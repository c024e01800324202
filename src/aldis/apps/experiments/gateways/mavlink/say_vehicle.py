"""A track as a MAVLink vehicle of its own: HEARTBEAT and whatever else it takes to say what is known of it."""

from __future__ import annotations

from aldis.apps.experiments.entity import Encoded, Status, Track, Type
from aldis.apps.experiments.gateways.mavlink.fates import writing
from aldis.apps.experiments.gateways.mavlink.messages import BY_NAME
from aldis.apps.experiments.gateways.mavlink.modes import code_of, mode_text
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox, Source
from aldis.apps.experiments.gateways.mavlink.places import Undulation
from aldis.apps.experiments.gateways.mavlink.say_place import say_attitude, say_gps, say_position, say_velocity
from aldis.apps.experiments.gateways.mavlink.saying import Saying, Starts, Told
from aldis.apps.experiments.gateways.mavlink.scales import fitted
from aldis.apps.experiments.gateways.mavlink.vehicles import ARMED, CUSTOM, LANDED, STATES, VEHICLES

__all__ = ["say_vehicle"]

_HEARTBEAT, _TIME = BY_NAME["HEARTBEAT"], BY_NAME["SYSTEM_TIME"]

_FATES = writing(
    {
        "position.lat_deg": ("GLOBAL_POSITION_INT.lat", 5e-8, "deg"),
        "position.lon_deg": ("GLOBAL_POSITION_INT.lon", 5e-8, "deg"),
        "position.height_m": ("GPS_RAW_INT.alt_ellipsoid", 0.001, "m"),
        "position.above_home_m": ("GLOBAL_POSITION_INT.relative_alt", 0.0005, "m"),
        "position.accuracy_m": ("GPS_RAW_INT.h_acc", 0.001, "m"),
        "position.height_accuracy_m": ("GPS_RAW_INT.v_acc", 0.001, "m"),
        "motion.speed_mps": ("GLOBAL_POSITION_INT.vx", 0.0075, "m/s"),
        "motion.climb_mps": ("GLOBAL_POSITION_INT.vz", 0.005, "m/s"),
        "motion.heading_deg": ("GLOBAL_POSITION_INT.hdg", 0.005, "deg"),
        "motion.speed_accuracy_mps": ("GPS_RAW_INT.vel_acc", 0.001, "m/s"),
        "motion.water_speed_mps": ("VFR_HUD.airspeed", 1e-5, "m/s"),
        "motion.rates_rad_s": ("ATTITUDE.rollspeed", 1e-6, "rad/s"),
        "motion.attitude": ("ATTITUDE.roll", 1e-6, "rad"),
        "identity.mavlink_id": "header.system",
        "type.mav_type": "HEARTBEAT.type", "type.mav_autopilot": "HEARTBEAT.autopilot",
        "type.nature": "-no code: only as MAV_TYPE",
        "status.armed": "HEARTBEAT.base_mode", "status.mode_code": "HEARTBEAT.custom_mode",
        "status.mode": "-no code: of no autopilot known here", "status.state": "-no code",
        "status.health": "-no code", "status.landed": "EXTENDED_SYS_STATE.landed_state",
        "status.battery_percent": ("SYS_STATUS.battery_remaining", 0.5, "%"),
        "status.battery_v": ("SYS_STATUS.voltage_battery", 0.0005, "V"),
        "status.battery_a": ("SYS_STATUS.current_battery", 0.015, "A"),
        "sensor.protocol": "-made anew", "sensor.received_ms": "-made anew",
        "sensor.hdop": ("GPS_RAW_INT.eph", 0.005, ""), "sensor.vdop": ("GPS_RAW_INT.epv", 0.005, ""),
        "sensor.satellites": "GPS_RAW_INT.satellites_visible", "sensor.fix": "-no code",
        "timing.source_us": "SYSTEM_TIME.time_unix_usec", "timing.received_us": "-made anew",
        "timing.clock": "-made anew", "timing.offset_us": "-made anew: counts from when it was first shown",
        "identity.native_id": "-not text of this protocol",
    }
)  # fmt: skip


def say_vehicle(
    track: Track, source: Source, outbox: Outbox, starts: Starts, undulation: Undulation | None, at_us: int, told: Told
) -> Encoded:
    """All messages that together say `track` under `source`; `told` is what the caller knows of its fields."""
    saying = Saying(track, source, outbox, starts, at_us)
    saying.told |= told
    _heartbeat(saying, track.type, track.status)
    if saying.known_us is not None:
        saying.put(_TIME, _TIME.struct.pack(saying.known_us, saying.boot_ms()))
    if track.position is not None:
        say_gps(saying, track.position, track.motion, track.sensor, undulation)
        say_position(saying, track.position, track.motion, undulation)
    elif track.motion is not None or track.sensor is not None:
        say_velocity(saying, track.motion, track.sensor)
    if track.motion is not None:
        say_attitude(saying, track.motion)
        if track.motion.water_speed_mps is not None:
            motion = track.motion
            saying.say("VFR_HUD", airspeed=motion.water_speed_mps, groundspeed=motion.speed_mps, climb=motion.climb_mps)
    if track.status is not None:
        _status(saying, track.status)
    if track.identity is not None and track.identity.native_id is not None:
        _uid(saying, track.identity.native_id)
    return Encoded(tuple(saying.messages), _FATES.ledger(track, saying.changes()))


def _heartbeat(saying: Saying, kind: Type | None, status: Status | None) -> None:
    told = saying.told
    kind, status = kind or Type(), status or Status()
    mav_type, autopilot = kind.mav_type, kind.mav_autopilot or 0
    if mav_type is None and kind.mapped:
        named = [mapped for mapped in kind.mapped if mapped.scheme == "mav_type" and mapped.code.isdigit()]
        if named:
            mav_type = int(max(named, key=lambda mapped: mapped.confidence).code)
            if len(kind.mapped) == 1:
                told["type.mapped"] = "HEARTBEAT.type"
    if mav_type is not None and not 0 <= mav_type <= 255:
        told["type.mav_type"] = "-out of range"
        mav_type = None
    if not 0 <= autopilot <= 255:
        told["type.mav_autopilot"] = "-out of range"
        autopilot = 0
    if kind.nature == "vehicle" and mav_type in VEHICLES:
        told["type.nature"] = "HEARTBEAT.type"
    code = status.mode_code
    if code is not None and not 0 <= code <= 0xFFFFFFFF:
        told["status.mode_code"] = "-out of range"
        code = None
    if status.mode is not None:
        if code is None:
            code = code_of(autopilot, mav_type or 0, status.mode)
        if code is not None and mode_text(autopilot, mav_type or 0, code) == status.mode:
            told["status.mode"] = "HEARTBEAT.custom_mode"
    state = STATES.index(status.state) if status.state in STATES else 0
    if state:
        told["status.state"] = "HEARTBEAT.system_status"
    base = (ARMED if status.armed else 0) | (CUSTOM if code is not None else 0)
    saying.put(_HEARTBEAT, _HEARTBEAT.struct.pack(code or 0, mav_type or 0, autopilot, base, state, 3))


def _status(saying: Saying, status: Status) -> None:
    told = saying.told
    if (status.battery_percent, status.battery_v, status.battery_a) != (None, None, None):
        percent = fitted(status.battery_percent, 1, 0, 100, "status.battery_percent", told)
        volts = fitted(status.battery_v, 1000, 0, 65534, "status.battery_v", told)
        amperes = fitted(status.battery_a, 100, -32768, 32767, "status.battery_a", told)
        amperes = -2 if amperes == -1 else amperes  # -1 says 'unknown'
        saying.say("SYS_STATUS", voltage_battery=volts, current_battery=amperes, battery_remaining=percent)
        saying.say(
            "BATTERY_STATUS", voltages=[65535 if volts is None else volts] + [65535] * 9, current_battery=amperes,
            battery_remaining=percent,
        )  # fmt: skip
    if status.landed is not None:
        saying.say("EXTENDED_SYS_STATE", landed_state=LANDED.index(status.landed))


def _uid(saying: Saying, native: str) -> None:
    scheme, _, digits = native.partition(":")
    if (scheme, len(digits)) not in (("uid", 16), ("uid2", 36)) or any(c not in "0123456789abcdef" for c in digits):
        return
    if scheme == "uid":
        saying.say("AUTOPILOT_VERSION", uid=int(digits, 16))
    else:
        saying.say("AUTOPILOT_VERSION", uid2=list(bytes.fromhex(digits)))
    saying.told["identity.native_id"] = f"AUTOPILOT_VERSION.{scheme}"
