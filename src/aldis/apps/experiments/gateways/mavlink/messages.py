"""The messages that map to the entity model, as a table: number, CRC_EXTRA, fields in the order of the wire.

Source: MAVLink message definitions, common.xml, standard.xml and minimal.xml (mavlink.io/en/messages/common.html).
On the wire fields go by size, largest first; extension fields follow in the order of their definition.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

__all__ = ["BY_ID", "BY_NAME", "OPAQUE", "Layout", "Row"]

Row = tuple[Any, ...]
"""The values of a message in wire order: numbers, text, or tuples of numbers; None is what the sender does not know."""

_TOKEN = re.compile(r"(\d*)([a-zA-Z]) (\w+)(?:=(\S+))?")
_LARGEST = 3.4028234663852886e38  # of a float of 32 bits
_LIMITS = {"u16": 65535, "u8": 255, "i16": 32767, "i32": 2147483647, "u32": 4294967295}


@dataclass(frozen=True, slots=True)
class Layout:
    """One message: `base` is its length without extensions, `names` its fields in wire order."""

    name: str
    id: int
    crc_extra: int
    base: int
    names: tuple[str, ...]
    struct: Struct
    spans: tuple[tuple[int, int, str], ...]
    unknown: tuple[tuple[int, int], ...]
    floats: tuple[int, ...]
    flat: bool
    places: Mapping[str, int] = field(repr=False)

    def row(self, payload: bytes) -> tuple[Row, int]:
        """Its values, and a mask (bit n: field n) of those that say 'unknown', which are None.

        What a newer definition appends to it is left out (mavlink.io/en/guide/serialization.html).
        """
        size = self.struct.size
        values: Sequence[Any] = self.struct.unpack(payload.ljust(size, b"\0")[:size])
        if not self.flat:
            values = [_joined(values, start, count, kind) for start, count, kind in self.spans]
        mask = 0
        for place, sentinel in self.unknown:
            if values[place] == sentinel:
                mask |= 1 << place
        for place in self.floats:
            if not math.isfinite(values[place]):
                mask |= 1 << place
        if mask:
            values = [None if mask >> place & 1 else value for place, value in enumerate(values)]
        return tuple(values), mask

    def payload(self, **values: Any) -> bytes:
        """Its payload: fields not named say 'unknown' where the protocol can, else 0; None says 'unknown' too."""
        flat: list[Any] = []
        sentinels = dict(self.unknown)
        for place, (name, (_, count, kind)) in enumerate(zip(self.names, self.spans, strict=True)):
            value = values.pop(name, None)
            if value is None:
                value = b"" if kind == "s" else sentinels.get(place, math.nan if place in self.floats else 0)
            if kind == "s":
                flat.append(value.encode()[:count] if isinstance(value, str) else value)
            elif kind == "f" and count == 1:
                flat.append(value if abs(value) <= _LARGEST else math.nan)
            elif count > 1:
                flat.extend(value if isinstance(value, Sequence) else [value] * count)
            else:
                flat.append(value)
        if values:
            raise TypeError(f"{self.name} has no {', '.join(values)}")
        return self.struct.pack(*flat)


def _joined(values: Sequence[Any], start: int, count: int, kind: str) -> Any:
    if kind == "s":
        return values[start].split(b"\0", 1)[0].decode("utf-8", "replace")
    return values[start] if count == 1 else tuple(values[start : start + count])


def _layout(name: str, number: int, crc_extra: int, base: str, extensions: str = "") -> Layout:
    names, spans, unknown, floats, codes, start = [], [], [], [], "", 0
    for place, found in enumerate(_TOKEN.finditer(f"{base} {extensions}")):
        times, kind, label, sentinel = found.groups()
        count = int(times or 1)
        names.append(label)
        spans.append((start, count, kind))
        if sentinel:
            unknown.append((place, int(_LIMITS.get(sentinel, sentinel))))
        if kind == "f" and count == 1:
            floats.append(place)
        codes += times + kind
        start += 1 if kind == "s" else count
    length = Struct("<" + "".join(times + kind for times, kind, _, _ in _TOKEN.findall(base))).size
    flat = all(count == 1 and kind != "s" for _, count, kind in spans)
    places = {label: place for place, label in enumerate(names)}
    shape = Struct("<" + codes)
    return Layout(
        name, number, crc_extra, length, tuple(names), shape, tuple(spans), tuple(unknown), tuple(floats), flat, places
    )


_TARGET = "B target_system B target_component"
_PRESSURE = ("I time_boot_ms f press_abs f press_diff h temperature", "h temperature_press_diff=0")
_PARAMS = "f param1 f param2 f param3 f param4"

_ALL = (
    _layout("HEARTBEAT", 0, 50, "I custom_mode B type B autopilot B base_mode B system_status B mavlink_version"),
    _layout(
        "SYS_STATUS", 1, 124,
        "I onboard_control_sensors_present I onboard_control_sensors_enabled I onboard_control_sensors_health H load "
        "H voltage_battery=u16 h current_battery=-1 H drop_rate_comm H errors_comm H errors_count1 H errors_count2 "
        "H errors_count3 H errors_count4 b battery_remaining=-1",
        "I onboard_control_sensors_present_extended I onboard_control_sensors_enabled_extended "
        "I onboard_control_sensors_health_extended",
    ),
    _layout("SYSTEM_TIME", 2, 137, "Q time_unix_usec=0 I time_boot_ms"),
    _layout(
        "GPS_RAW_INT", 24, 24,
        "Q time_usec=0 i lat i lon i alt H eph=u16 H epv=u16 H vel=u16 H cog=u16 B fix_type B satellites_visible=u8",
        "i alt_ellipsoid=0 I h_acc=0 I v_acc=0 I vel_acc=0 I hdg_acc=0 H yaw=0",
    ),
    _layout("SCALED_PRESSURE", 29, 115, *_PRESSURE),
    _layout("ATTITUDE", 30, 39, "I time_boot_ms f roll f pitch f yaw f rollspeed f pitchspeed f yawspeed"),
    _layout(
        "ATTITUDE_QUATERNION", 31, 246,
        "I time_boot_ms f q1 f q2 f q3 f q4 f rollspeed f pitchspeed f yawspeed", "4f repr_offset_q",
    ),
    _layout("LOCAL_POSITION_NED", 32, 185, "I time_boot_ms f x f y f z f vx f vy f vz"),
    _layout(
        "GLOBAL_POSITION_INT", 33, 104,
        "I time_boot_ms i lat i lon i alt i relative_alt h vx h vy h vz H hdg=u16",
    ),
    _layout("MISSION_REQUEST", 40, 230, f"H seq {_TARGET}", "B mission_type"),
    _layout("MISSION_CURRENT", 42, 28, "H seq", "H total=u16 B mission_state B mission_mode"),
    _layout("MISSION_REQUEST_LIST", 43, 132, _TARGET, "B mission_type"),
    _layout("MISSION_COUNT", 44, 221, f"H count {_TARGET}", "B mission_type"),
    _layout("MISSION_CLEAR_ALL", 45, 232, _TARGET, "B mission_type"),
    _layout("MISSION_ITEM_REACHED", 46, 11, "H seq"),
    _layout("MISSION_ACK", 47, 153, f"{_TARGET} B type", "B mission_type"),
    _layout("MISSION_REQUEST_INT", 51, 196, f"H seq {_TARGET}", "B mission_type"),
    _layout(
        "MISSION_ITEM_INT", 73, 38,
        f"{_PARAMS} i x i y f z H seq H command {_TARGET} B frame B current B autocontinue", "B mission_type",
    ),
    _layout("VFR_HUD", 74, 20, "f airspeed f groundspeed f alt f climb h heading H throttle"),
    _layout("COMMAND_INT", 75, 158, f"{_PARAMS} i x i y f z H command {_TARGET} B frame B current B autocontinue"),
    _layout("COMMAND_LONG", 76, 152, f"{_PARAMS} f param5 f param6 f param7 H command {_TARGET} B confirmation"),
    _layout("COMMAND_ACK", 77, 143, "H command B result", f"B progress=u8 i result_param2 {_TARGET}"),
    _layout(
        "SET_POSITION_TARGET_GLOBAL_INT", 86, 5,
        "I time_boot_ms i lat_int i lon_int f alt f vx f vy f vz f afx f afy f afz f yaw f yaw_rate H type_mask "
        f"{_TARGET} B coordinate_frame",
    ),
    _layout("TIMESYNC", 111, 34, "q tc1 q ts1"),
    _layout("SCALED_PRESSURE2", 137, 195, *_PRESSURE),
    _layout(
        "BATTERY_STATUS", 147, 154,
        "i current_consumed=-1 i energy_consumed=-1 h temperature=i16 10H voltages h current_battery=-1 B id "
        "B battery_function B type b battery_remaining=-1",
        "i time_remaining=0 B charge_state 4H voltages_ext B mode I fault_bitmask",
    ),
    _layout(
        "AUTOPILOT_VERSION", 148, 178,
        "Q capabilities Q uid I flight_sw_version I middleware_sw_version I os_sw_version I board_version H vendor_id "
        "H product_id 8B flight_custom_version 8B middleware_custom_version 8B os_custom_version", "18B uid2",
    ),
    _layout(
        "WIND_COV", 231, 105,
        "Q time_usec=0 f wind_x f wind_y f wind_z f var_horiz f var_vert f wind_alt f horiz_accuracy f vert_accuracy",
    ),
    _layout(
        "HOME_POSITION", 242, 104,
        "i latitude i longitude i altitude f x f y f z 4f q f approach_x f approach_y f approach_z", "Q time_usec=0",
    ),
    _layout("EXTENDED_SYS_STATE", 245, 130, "B vtol_state B landed_state"),
    _layout(
        "ADSB_VEHICLE", 246, 184,
        "I ICAO_address i lat i lon i altitude H heading H hor_velocity h ver_velocity H flags H squawk "
        "B altitude_type 9s callsign B emitter_type B tslc",
    ),
    _layout("STATUSTEXT", 253, 83, "B severity 50s text", "H id B chunk_seq"),
    _layout(
        "AIS_VESSEL", 301, 243,
        "I MMSI i lat i lon H COG H heading H velocity H dimension_bow H dimension_stern H tslc H flags b turn_rate "
        "B navigational_status B type B dimension_port B dimension_starboard 7s callsign 20s name",
    ),
)  # fmt: skip

_OPAQUE = (
    ("PARAM_VALUE", 22, 220, 25), ("RAW_IMU", 27, 144, 26), ("SERVO_OUTPUT_RAW", 36, 222, 21),
    ("NAV_CONTROLLER_OUTPUT", 62, 183, 26), ("RC_CHANNELS", 65, 118, 42), ("SCALED_IMU2", 116, 76, 22),
    ("POWER_STATUS", 125, 203, 6), ("VIBRATION", 241, 90, 32), ("RADIO_STATUS", 109, 185, 9),
    ("POSITION_TARGET_GLOBAL_INT", 87, 150, 51), ("ESTIMATOR_STATUS", 230, 163, 42), ("ALTITUDE", 141, 47, 32),
    ("HIGHRES_IMU", 105, 93, 62), ("RC_CHANNELS_RAW", 35, 244, 22), ("SCALED_IMU", 26, 170, 22),
    ("GPS_GLOBAL_ORIGIN", 49, 39, 12), ("TERRAIN_REPORT", 136, 1, 22), ("FENCE_STATUS", 162, 189, 8),
)  # fmt: skip
"""What autopilots stream besides, and the model has no place for: name, number, CRC_EXTRA, length."""

OPAQUE = frozenset(number for _, number, _, _ in _OPAQUE)
"""Numbers of messages that are verified, and kept as residue."""

BY_ID: dict[int, Layout] = {layout.id: layout for layout in _ALL} | {
    number: _layout(name, number, crc_extra, f"{length}s data") for name, number, crc_extra, length in _OPAQUE
}
BY_NAME: dict[str, Layout] = {layout.name: layout for layout in BY_ID.values()}
