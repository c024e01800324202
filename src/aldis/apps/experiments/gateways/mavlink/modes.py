"""What the mode of an autopilot is called, by its make and by what it steers; and the mode that holds a vehicle still.

Sources: ArduPilot's mode numbers as its documentation lists them (ardupilot.org: rover/docs/parameters.html MODE1,
copter/docs/parameters.html FLTMODE1, plane/docs/parameters.html FLTMODE1, sub/docs/parameters.html); PX4's custom mode
(docs.px4.io, "Flight Modes", and px4_custom_mode.h: main mode in bits 16 to 23, sub mode in bits 24 to 31).
"""

from __future__ import annotations

__all__ = ["ARDUPILOT", "PX4", "code_of", "family", "hold_mode", "mode_text"]

ARDUPILOT, PX4 = 3, 12
"""MAV_AUTOPILOT."""

_NAMES: dict[str, dict[int, str]] = {
    "rover": {
        0: "MANUAL", 1: "ACRO", 2: "LEARNING", 3: "STEERING", 4: "HOLD", 5: "LOITER", 6: "FOLLOW", 7: "SIMPLE",
        8: "DOCK", 9: "CIRCLE", 10: "AUTO", 11: "RTL", 12: "SMART_RTL", 15: "GUIDED", 16: "INITIALISING",
    },
    "copter": {
        0: "STABILIZE", 1: "ACRO", 2: "ALT_HOLD", 3: "AUTO", 4: "GUIDED", 5: "LOITER", 6: "RTL", 7: "CIRCLE",
        8: "POSITION", 9: "LAND", 10: "OF_LOITER", 11: "DRIFT", 13: "SPORT", 14: "FLIP", 15: "AUTOTUNE",
        16: "POSHOLD", 17: "BRAKE", 18: "THROW", 19: "AVOID_ADSB", 20: "GUIDED_NOGPS", 21: "SMART_RTL",
        22: "FLOWHOLD", 23: "FOLLOW", 24: "ZIGZAG", 25: "SYSTEMID", 26: "AUTOROTATE", 27: "AUTO_RTL", 28: "TURTLE",
        29: "RATE_ACRO",
    },
    "plane": {
        0: "MANUAL", 1: "CIRCLE", 2: "STABILIZE", 3: "TRAINING", 4: "ACRO", 5: "FBWA", 6: "FBWB", 7: "CRUISE",
        8: "AUTOTUNE", 10: "AUTO", 11: "RTL", 12: "LOITER", 13: "TAKEOFF", 14: "AVOID_ADSB", 15: "GUIDED",
        16: "INITIALISING", 17: "QSTABILIZE", 18: "QHOVER", 19: "QLOITER", 20: "QLAND", 21: "QRTL", 22: "QAUTOTUNE",
        23: "QACRO", 24: "THERMAL", 25: "LOITERALTQLAND", 26: "AUTOLAND",
    },
    "sub": {
        0: "STABILIZE", 1: "ACRO", 2: "ALT_HOLD", 3: "AUTO", 4: "GUIDED", 7: "CIRCLE", 9: "SURFACE", 16: "POSHOLD",
        19: "MANUAL",
    },
}  # fmt: skip

_PX4 = {
    (1, 0): "MANUAL", (2, 0): "ALTCTL", (3, 0): "POSCTL", (5, 0): "ACRO", (6, 0): "OFFBOARD", (7, 0): "STABILIZED",
    (4, 1): "AUTO.READY", (4, 2): "AUTO.TAKEOFF", (4, 3): "AUTO.LOITER", (4, 4): "AUTO.MISSION", (4, 5): "AUTO.RTL",
    (4, 6): "AUTO.LAND", (4, 8): "AUTO.FOLLOW_TARGET", (4, 9): "AUTO.PRECLAND",
}  # fmt: skip

_FAMILIES = {
    1: "plane", 2: "copter", 3: "copter", 4: "copter", 10: "rover", 11: "rover", 12: "sub", 13: "copter",
    14: "copter", 15: "copter", 19: "plane", 20: "plane", 21: "plane", 22: "plane", 23: "plane", 24: "plane",
    25: "plane", 29: "copter", 35: "copter",
}  # fmt: skip

_STILL = {"rover": 4, "copter": 5, "plane": 12, "sub": 16}


def family(mav_type: int | None) -> str | None:
    """Which of ArduPilot's programs steers a thing of this MAV_TYPE; boats are rovers to it."""
    return _FAMILIES.get(mav_type) if mav_type is not None else None


def mode_text(autopilot: int, mav_type: int, custom_mode: int) -> str | None:
    """The mode's name, or None where none is known."""
    if autopilot == ARDUPILOT:
        return _NAMES.get(_FAMILIES.get(mav_type, ""), {}).get(custom_mode)
    if autopilot == PX4:
        main, sub = custom_mode >> 16 & 0xFF, custom_mode >> 24 & 0xFF
        return _PX4.get((main, sub)) or _PX4.get((main, 0))
    return None


def code_of(autopilot: int, mav_type: int, text: str) -> int | None:
    """The custom mode of that name, or None."""
    if autopilot == ARDUPILOT:
        names = _NAMES.get(_FAMILIES.get(mav_type, ""), {})
        return next((code for code, name in names.items() if name == text), None)
    if autopilot == PX4:
        return next((main << 16 | sub << 24 for (main, sub), name in _PX4.items() if name == text), None)
    return None


def hold_mode(autopilot: int, mav_type: int) -> tuple[int, int] | None:
    """Main and sub mode, as MAV_CMD_DO_SET_MODE takes them, in which the vehicle stays where it is."""
    if autopilot == PX4:
        return 4, 3
    still = _STILL.get(_FAMILIES.get(mav_type, "")) if autopilot == ARDUPILOT else None
    return None if still is None else (still, 0)
