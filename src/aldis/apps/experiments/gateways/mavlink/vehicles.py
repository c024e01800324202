"""What a vehicle says of itself, as a track: HEARTBEAT, state, batteries, identity, and its clock."""

from __future__ import annotations

from collections.abc import Callable

from aldis.apps.experiments.entity import Entity, Identity, Ledger, Status, Timing, Track, Type
from aldis.apps.experiments.gateways.mavlink.fates import Changes, reading
from aldis.apps.experiments.gateways.mavlink.messages import Row
from aldis.apps.experiments.gateways.mavlink.modes import mode_text
from aldis.apps.experiments.gateways.mavlink.sender import Sender

__all__ = ["ARMED", "CUSTOM", "HEADER", "LANDED", "STATES", "VEHICLES", "VEHICLE_READERS", "Read"]

Read = Callable[[Row, int, Sender, int], tuple[Entity | None, Ledger]]
"""A message's row, its mask of unknown fields, who sent it and when: what it says, and its ledger."""

HEADER = {"header.system": "identity.mavlink_id", "header.component": "identity.mavlink_id"}

ARMED, CUSTOM = 0x80, 0x01
"""Bits of MAV_MODE_FLAG: motors may run; `custom_mode` holds the mode."""

STATES = (
    None, "boot", "calibrating", "standby", "active", "critical", "emergency", "poweroff", "flight termination",
)  # fmt: skip
"""MAV_STATE; 0 is 'uninitialized, state is unknown'."""

LANDED = (None, "on ground", "in air", "taking off", "landing")
"""MAV_LANDED_STATE."""

VEHICLES = frozenset({1, 2, 3, 4, *range(7, 18), *range(19, 26), 28, 29, 35, 43, 45, 46})
"""Values of MAV_TYPE that are a craft; the others are stations and parts."""

_SENSORS = (
    "gyro", "accelerometer", "magnetometer", "absolute pressure", "differential pressure", "gps", "optical flow",
    "vision position", "laser position", "external ground truth", "rate control", "attitude stabilisation",
    "yaw position", "altitude control", "position control", "motor outputs", "rc receiver", "gyro 2",
    "accelerometer 2", "magnetometer 2", "geofence", "ahrs", "terrain", "reverse motor", "logging", "battery",
    "proximity", "satellite communication", "pre-arm check", "obstacle avoidance", "propulsion",
)  # fmt: skip
"""MAV_SYS_STATUS_SENSOR, bits 0 to 30."""

_HEARTBEAT = reading(
    0,
    {
        "custom_mode": "status.mode_code", "type": "type.mav_type", "autopilot": "type.mav_autopilot",
        "base_mode": "status.armed", "system_status": "status.state", "mavlink_version": "-made anew",
    },
    HEADER,
)  # fmt: skip
_MORE_FLAGS: tuple[str, str] = ("base_mode", "-no field: but for 'armed', which is status.armed")
_NO_CUSTOM: tuple[str, str] = ("custom_mode", "-unknown value: base_mode says that it is not in use")
_NO_STATE: tuple[str, str] = ("system_status", "-unknown value")


def _heartbeat(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    custom, mav_type, autopilot, base, state, _ = row
    sender.autopilot, sender.mav_type = autopilot, mav_type
    in_use = bool(base & CUSTOM)
    changes: list[tuple[str, str]] = []
    if base & ~(ARMED | CUSTOM):
        changes.append(_MORE_FLAGS)
    if not in_use:
        changes.append(_NO_CUSTOM)
    told = STATES[state] if state < len(STATES) else None
    if told is None:
        changes.append(_NO_STATE)
    status = Status(
        at=at_us // 1000,
        mode=mode_text(autopilot, mav_type, custom) if in_use else None,
        mode_code=custom if in_use else None,
        armed=bool(base & ARMED),
        state=told,
    )
    kind = Type(nature="vehicle" if mav_type in VEHICLES else None, mav_type=mav_type, mav_autopilot=autopilot)
    return _track(sender, at_us, kind=kind, status=status), _HEARTBEAT.ledger(mask, tuple(changes))


_SYS_STATUS = reading(
    1,
    {
        "onboard_control_sensors_health": "-no field: status.health tells which of those enabled fail",
        "voltage_battery": "status.battery_v", "current_battery": "status.battery_a",
        "battery_remaining": "status.battery_percent",
    },
    HEADER,
)  # fmt: skip


def _sys_status(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    present, enabled, health, _, volts, amperes, *_, left = row[:13]
    failing = present & enabled & ~health
    names = [name for bit, name in enumerate(_SENSORS) if failing >> bit & 1]
    status = Status(
        at=at_us // 1000,
        health=None if not present else f"failing: {', '.join(names)}" if names else "ok",
        battery_percent=left,
        battery_v=None if volts is None else volts / 1000,
        battery_a=None if amperes is None else amperes / 100,
    )
    return _track(sender, at_us, status=status), _SYS_STATUS.ledger(mask)


_BATTERY = reading(
    147,
    {
        "voltages": "status.battery_v", "current_battery": "status.battery_a", "id": "-made anew",
        "battery_remaining": "status.battery_percent",
    },
    HEADER,
)  # fmt: skip
_CELLS: Changes = (("voltages", "-no field: their sum is status.battery_v"),)
_NO_CELLS: Changes = (("voltages", "-unknown value"),)
_SECOND: Changes = tuple(
    (field, "-no field: not the vehicle's first battery")
    for field in ("voltages", "current_battery", "battery_remaining", "id")
)


def _battery(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    _, _, _, cells, amperes, number, _, _, left, _, _, more, *_ = row
    if number:
        return None, _BATTERY.ledger(mask, _SECOND)
    known = [cell for cell in cells if cell != 65535] + [cell for cell in more if cell]
    status = Status(
        at=at_us // 1000,
        battery_percent=left,
        battery_v=sum(known) / 1000 if known else None,
        battery_a=None if amperes is None else amperes / 100,
    )
    changes = () if len(known) == 1 else _CELLS if known else _NO_CELLS
    return _track(sender, at_us, status=status), _BATTERY.ledger(mask, changes)


_LANDED = reading(245, {"landed_state": "status.landed"}, HEADER)
_NOT_LANDED: Changes = (("landed_state", "-unknown value"),)


def _extended(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    landed = LANDED[row[1]] if row[1] < len(LANDED) else None
    status = Status(at=at_us // 1000, landed=landed)  # type: ignore[arg-type]  # its words are those of LANDED
    return _track(sender, at_us, status=status), _LANDED.ledger(mask, () if landed else _NOT_LANDED)


_VERSION = reading(148, {"uid": "identity.native_id", "uid2": "identity.native_id"}, HEADER)
_UID: Changes = (("uid2", "-unknown value"),)
_UID2: Changes = (("uid", "-other message: uid2 supersedes it"),)
_NO_UID: Changes = (("uid", "-unknown value"), ("uid2", "-unknown value"))


def _version(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    uid, longer = row[1], bytes(row[-1])
    changes = _UID2 if any(longer) else _UID if uid else _NO_UID
    native = f"uid2:{longer.hex()}" if any(longer) else f"uid:{uid:016x}" if uid else None
    identity = Identity(mavlink_id=sender.name, native_id=native)
    return _track(sender, at_us, identity=identity), _VERSION.ledger(mask, changes)


_TIME = reading(2, {"time_unix_usec": "timing.source_us", "time_boot_ms": "timing.offset_us"}, HEADER)
_NO_TIME: Changes = (("time_unix_usec", "-unknown value"), ("time_boot_ms", "-no field: counts from the start"))


def _time(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    unix_us, boot_ms = row
    if unix_us is None or not sender.clock.told(unix_us, boot_ms * 1000):
        return None, _TIME.ledger(mask & ~1, _NO_TIME)
    timing = Timing(
        source_us=unix_us,
        source_uncertainty_us=sender.clock.uncertainty_us,
        received_us=at_us,
        clock="boot",
        offset_us=unix_us - boot_ms * 1000,
    )
    return _track(sender, at_us, timing=timing), _TIME.ledger(mask)


_SYNC = reading(111, {"tc1": "timing.offset_us", "ts1": "-made anew: our own stamp"}, HEADER)


def _sync(row: Row, mask: int, sender: Sender, at_us: int) -> tuple[Entity | None, Ledger]:
    remote_ns, sent_ns = row
    if not remote_ns or not sender.clock.synced(remote_ns // 1000, sent_ns // 1000, at_us):
        return None, _SYNC.ledger(mask)
    timing = sender.timing(sender.clock.utc(remote_ns // 1000), at_us)
    return _track(sender, at_us, timing=timing), _SYNC.ledger(mask)


def _track(
    sender: Sender,
    at_us: int,
    *,
    kind: Type | None = None,
    status: Status | None = None,
    identity: Identity | None = None,
    timing: Timing | None = None,
) -> Track:
    return Track(
        key=sender.key,
        identity=identity or sender.identity,
        type=kind,
        status=status,
        sensor=sender.sensor(at_us),
        timing=timing or Timing(received_us=at_us),
    )


VEHICLE_READERS: dict[int, Read] = {
    0: _heartbeat, 1: _sys_status, 2: _time, 111: _sync, 147: _battery, 148: _version, 245: _extended,
}  # fmt: skip
