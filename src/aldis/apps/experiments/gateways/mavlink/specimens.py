"""Messages in which every field has a value that tells, and their fields by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from aldis.apps.experiments.gateways.gateway import Native, Specimen
from aldis.apps.experiments.gateways.mavlink.frames import Frame, Parser
from aldis.apps.experiments.gateways.mavlink.messages import BY_ID, OPAQUE
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox, Source

__all__ = ["familiar", "fields", "specimens"]

_AT_US = 1_700_000_000_000_000
_UNIX_US, _BOOT_MS = 1_699_999_999_123_456, 754_321
_BOAT: Source = (7, 1)
_GROUND: Source = (252, 190)
_ROLL, _PITCH, _YAW = 0.125, -0.0625, 2.0


def familiar(data: bytes) -> bool:
    """Whether these bytes begin with a whole MAVLink message that is known here and bears the right checksum."""
    frames, _ = Parser().feed(data[:4096])
    return bool(frames) and data.startswith(frames[0].raw)


def fields(messages: Sequence[bytes]) -> Mapping[str, Native]:
    """Every field that says something, as `MESSAGE.field`; items of a mission are told apart by their number.

    Arrays are text of numbers separated by commas.
    """
    found: dict[str, Native] = {}
    parser = Parser()
    for message in messages:
        for frame in parser.feed(message)[0]:
            found |= _fields_of(frame)
    return found


def _fields_of(frame: Frame) -> dict[str, Native]:
    layout = BY_ID[frame.message]
    found: dict[str, Native] = {
        "header.system": frame.system, "header.component": frame.component, "header.sequence": frame.sequence,
    }  # fmt: skip
    if frame.message in OPAQUE:
        return found | {f"{layout.name}.data": frame.payload.hex()}
    row, _ = layout.row(frame.payload)
    prefix = layout.name
    if frame.message == 73:
        prefix = f"{prefix} {row[layout.places['seq']]}"
    for name, value in zip(layout.names, row, strict=True):
        if value is not None:
            found[f"{prefix}.{name}"] = ",".join(map(str, value)) if isinstance(value, tuple) else value
    if frame.message == 253:
        found[f"{prefix}.text"] = str(row[1])
    return found


def specimens() -> Sequence[Specimen]:
    """One for each thing that MAVLink speaks of."""
    speakers = (
        ("a vehicle", _vehicle), ("a vehicle without a place", _placeless), ("a vessel", _vessel),
        ("an aircraft", _aircraft), ("weather", _weather), ("words", _words), ("home", _home), ("go there", _go_there),
        ("come home", _come_home), ("a mission", _mission), ("a fence", _fence), ("a parameter", _opaque),
    )  # fmt: skip
    return [Specimen(name, tuple(_say(Outbox(), said) for said in speak())) for name, speak in speakers]


_Said = tuple[str, Source, dict[str, Any]]


def _say(outbox: Outbox, said: _Said) -> bytes:
    name, source, values = said
    return outbox.frame(name, source, _AT_US, **values)


def _vehicle() -> list[_Said]:
    lat, lon, alt = 601_234_567, 241_234_567, 12_345
    told: dict[str, dict[str, Any]] = {
        "HEARTBEAT": {
            "type": 11, "autopilot": 3, "base_mode": 0x81, "custom_mode": 10, "system_status": 4, "mavlink_version": 3,
        },
        "SYSTEM_TIME": {"time_unix_usec": _UNIX_US, "time_boot_ms": _BOOT_MS},
        "GPS_RAW_INT": {
            "time_usec": _UNIX_US, "lat": lat, "lon": lon, "alt": alt, "eph": 121, "epv": 232, "vel": 500, "cog": 5313,
            "fix_type": 5, "satellites_visible": 17, "alt_ellipsoid": 29_456, "h_acc": 512, "v_acc": 1024,
            "vel_acc": 256, "hdg_acc": 123_456, "yaw": 11_459,
        },
        "GLOBAL_POSITION_INT": {
            "time_boot_ms": _BOOT_MS, "lat": lat, "lon": lon, "alt": alt, "relative_alt": 2_345, "vx": 300, "vy": 400,
            "vz": -25, "hdg": round(math.degrees(_YAW) * 100),
        },
        "ATTITUDE": {
            "time_boot_ms": _BOOT_MS, "roll": _ROLL, "pitch": _PITCH, "yaw": _YAW, "rollspeed": 0.5,
            "pitchspeed": -0.25, "yawspeed": 0.03125,
        },
        "VFR_HUD": {
            "airspeed": 5.5, "groundspeed": 5.0, "alt": 12.345, "climb": 0.25, "heading": 115, "throttle": 42,
        },
        "SYS_STATUS": {
            "onboard_control_sensors_present": 0x2000_012F, "onboard_control_sensors_enabled": 0x2000_002F,
            "onboard_control_sensors_health": 0x2000_000F, "load": 421, "voltage_battery": 24_123,
            "current_battery": 1_234, "drop_rate_comm": 3, "errors_comm": 4, "errors_count1": 5, "errors_count2": 6,
            "errors_count3": 7, "errors_count4": 8, "battery_remaining": 87,
            "onboard_control_sensors_present_extended": 1,
            "onboard_control_sensors_enabled_extended": 2, "onboard_control_sensors_health_extended": 3,
        },
        "BATTERY_STATUS": {
            "current_consumed": 1_111, "energy_consumed": 2_222, "temperature": 2_345,
            "voltages": (24_123, *(65535,) * 9), "current_battery": 1_234, "battery_function": 1, "type": 1,
            "battery_remaining": 87, "time_remaining": 3_600, "charge_state": 1, "voltages_ext": (0, 0, 0, 0),
            "mode": 1, "fault_bitmask": 2,
        },
        "EXTENDED_SYS_STATE": {"vtol_state": 3, "landed_state": 2},
        "AUTOPILOT_VERSION": {
            "capabilities": 0x1234, "uid": 0x0123_4567_89AB_CDEF, "flight_sw_version": 11, "middleware_sw_version": 12,
            "os_sw_version": 13, "board_version": 14, "vendor_id": 15, "product_id": 16,
            "flight_custom_version": range(1, 9), "middleware_custom_version": range(2, 10),
            "os_custom_version": range(3, 11),
        },
    }  # fmt: skip
    return [(name, _BOAT, values) for name, values in told.items()]


def _placeless() -> list[_Said]:
    rates = {"rollspeed": 0.5, "pitchspeed": -0.25, "yawspeed": 0.03125}
    speeds = {"vx": 3.0, "vy": 4.0, "vz": 0.5}
    turn = {"time_boot_ms": _BOOT_MS, "q1": 0.5, "q2": -0.5, "q3": 0.5, "q4": 0.5, "repr_offset_q": (1, 0, 0, 0)}
    return [
        ("HEARTBEAT", _BOAT, {"type": 12, "autopilot": 12, "base_mode": 1, "custom_mode": 3 << 16, "system_status": 3}),
        ("SYSTEM_TIME", _BOAT, {"time_unix_usec": _UNIX_US, "time_boot_ms": _BOOT_MS}),
        ("LOCAL_POSITION_NED", _BOAT, {"time_boot_ms": _BOOT_MS, "x": 1, "y": 2, "z": 3, **speeds}),
        ("ATTITUDE_QUATERNION", _BOAT, turn | rates),
    ]  # fmt: skip


def _vessel() -> list[_Said]:
    return [(
        "AIS_VESSEL", _BOAT,
        {
            "MMSI": 230_123_456, "lat": 599_876_543, "lon": 249_876_543, "COG": 12_345, "heading": 12_300,
            "velocity": 876, "dimension_bow": 120, "dimension_stern": 45, "tslc": 7, "turn_rate": -5,
            "navigational_status": 8, "type": 36, "dimension_port": 11, "dimension_starboard": 9, "callsign": "OH1234",
            "name": "SUURSAARI", "flags": 1 | 2 | 4 | 16 | 64 | 2048 | 4096,
        },
    )]  # fmt: skip


def _aircraft() -> list[_Said]:
    return [(
        "ADSB_VEHICLE", _BOAT,
        {
            "ICAO_address": 0x461F2A, "lat": 603_172_222, "lon": 249_633_333, "altitude": 1_234_567, "heading": 4_321,
            "hor_velocity": 7_654, "ver_velocity": -321, "flags": 0xBF, "squawk": 7_000, "altitude_type": 1,
            "callsign": "OHABC", "emitter_type": 7, "tslc": 3,
        },
    )]  # fmt: skip


def _weather() -> list[_Said]:
    pressure = {
        "time_boot_ms": _BOOT_MS, "press_abs": 1013.25, "press_diff": 0.5, "temperature": 1_234,
        "temperature_press_diff": 1_111,
    }  # fmt: skip
    wind = {
        "time_usec": _UNIX_US, "wind_x": -3.0, "wind_y": 4.0, "wind_z": 0.5, "var_horiz": 1.5, "var_vert": 0.25,
        "wind_alt": 10.0, "horiz_accuracy": 0.75, "vert_accuracy": 0.125,
    }  # fmt: skip
    time = {"time_unix_usec": _UNIX_US, "time_boot_ms": _BOOT_MS}
    return [("SYSTEM_TIME", _BOAT, time), ("SCALED_PRESSURE", _BOAT, pressure), ("WIND_COV", _BOAT, wind)]


def _words() -> list[_Said]:
    return [("STATUSTEXT", _BOAT, {"severity": 4, "text": "Radio failsafe on, homeward"})]


def _home() -> list[_Said]:
    return [(
        "HOME_POSITION", _BOAT,
        {
            "latitude": 600_000_001, "longitude": 240_000_001, "altitude": 5_432, "x": 1.5, "y": 2.5, "z": 3.5,
            "q": (1.0, 0.0, 0.0, 0.0), "approach_x": 4.5, "approach_y": 5.5, "approach_z": 6.5, "time_usec": _UNIX_US,
        },
    )]  # fmt: skip


def _go_there() -> list[_Said]:
    return [(
        "COMMAND_INT", _GROUND,
        {
            "param1": 3.5, "param2": 1.0, "param3": 2.0, "param4": 0.75, "x": 601_111_111, "y": 242_222_222, "z": 12.5,
            "command": 192, "target_system": 7, "target_component": 1, "frame": 6, "current": 1, "autocontinue": 1,
        },
    )]  # fmt: skip


def _come_home() -> list[_Said]:
    params = {f"param{number}": 0.5 * number for number in range(1, 8)}
    to = {"target_system": 7, "target_component": 1, "confirmation": 2}
    return [("COMMAND_LONG", _GROUND, {"command": 20, **params, **to})]


def _items(kind: int, items: Sequence[dict[str, Any]]) -> list[_Said]:
    to = {"target_system": 7, "target_component": 1, "mission_type": kind}
    said: list[_Said] = [("MISSION_COUNT", _GROUND, {"count": len(items), **to})]
    for seq, item in enumerate(items):
        said.append(("MISSION_ITEM_INT", _GROUND, {"seq": seq, "frame": 6, "autocontinue": 1, **to, **item}))
    return said


def _mission() -> list[_Said]:
    way = [
        {
            "command": 16,
            "param1": 5.0,
            "param2": 2.0,
            "param3": 0.25,
            "param4": 0.5,
            "x": 601_000_001 + n,
            "y": 241_000_001 - n,
            "z": 1.5,
        }
        for n in range(3)
    ]
    speed = {"command": 178, "param1": 1.0, "param2": 2.5, "param3": -1.0, "param4": 0.75, "z": 2.0}
    return _items(0, [speed, *way])


def _fence() -> list[_Said]:
    places = ((600_000_001, 240_000_001), (600_100_002, 240_000_003), (600_050_004, 240_200_005))
    corner = {"command": 5001, "param1": 3.0, "param2": 1.0, "param3": 0.25, "param4": 0.5, "z": 1.5}
    return _items(1, [corner | {"x": x, "y": y} for x, y in places])


def _opaque() -> list[_Said]:
    return [("PARAM_VALUE", _BOAT, {"data": bytes(range(1, 26))})]
