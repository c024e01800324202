"""Codes and units of AIS as the model has them: what is not available is None.

ITU-R M.1371-5, Annex 8: turn, speed and course in table 48, ship types in table 53; MMSIs in ITU-R M.585-9.
"""

from __future__ import annotations

from typing import Literal

__all__ = [
    "AVAILABLE_TURNS",
    "FIXES",
    "KNOT",
    "NAV_CODES",
    "NAV_STATUS",
    "SPEEDS",
    "TURNS",
    "Station",
    "clean_text",
    "eta_parts",
    "eta_text",
    "hull",
    "hull_parts",
    "nav_status_text",
    "ship_type_text",
    "station_of",
]

Station = Literal[
    "class A", "class B", "base station", "aid to navigation", "aircraft", "AIS-SART", "man overboard", "EPIRB"
]
KNOT = 1852 / 3600  # metres per second

SPEEDS = tuple(round(tenths * KNOT / 10, 3) for tenths in range(1023))
"""m/s of a speed in tenths of a knot."""

TURNS = tuple(
    None if abs(code) > 126 else round((code / 4.733) ** 2, 3) * (1 if code >= 0 else -1) for code in range(-128, 128)
)
"""Degrees in a minute of a rate of turn's code + 128; None for -128 (not available) and ±127 (no sensor)."""
AVAILABLE_TURNS = {rate: code - 128 for code, rate in enumerate(TURNS) if rate is not None}

NAV_STATUS: tuple[str | None, ...] = (
    "under way using engine",
    "at anchor",
    "not under command",
    "restricted manoeuvrability",
    "constrained by her draught",
    "moored",
    "aground",
    "engaged in fishing",
    "under way sailing",
    "reserved for high-speed craft",
    "reserved for wing in ground",
    "power-driven vessel towing astern",
    "power-driven vessel pushing ahead or towing alongside",
    "reserved",
    "AIS-SART, MOB or EPIRB active",
    None,
)
NAV_CODES = {text: code for code, text in enumerate(NAV_STATUS) if text}

FIXES = {
    1: "GPS",
    2: "GLONASS",
    3: "combined GPS/GLONASS",
    4: "Loran-C",
    5: "Chayka",
    6: "integrated navigation system",
    7: "surveyed",
    8: "Galileo",
    15: "internal GNSS",
}
"""Types of electronic position fixing device; the other codes are not used."""

_SHIP_GROUPS = {
    2: "wing in ground",
    4: "high-speed craft",
    6: "passenger ship",
    7: "cargo ship",
    8: "tanker",
    9: "other type of ship",
}
_HAZARDS = {1: "hazard X", 2: "hazard Y", 3: "hazard Z", 4: "hazard OS"}
_SHIP_TYPES = {
    30: "fishing",
    31: "towing",
    32: "towing, long or broad tow",
    33: "dredging or underwater operations",
    34: "diving operations",
    35: "military operations",
    36: "sailing",
    37: "pleasure craft",
    50: "pilot vessel",
    51: "search and rescue",
    52: "tug",
    53: "port tender",
    54: "anti-pollution",
    55: "law enforcement",
    58: "medical transport",
    59: "ship of a State not party to an armed conflict",
}
_PREFIXES: dict[int, Station] = {111: "aircraft", 970: "AIS-SART", 972: "man overboard", 974: "EPIRB"}


def station_of(mmsi: int, kind: Station | None) -> Station | None:
    """`kind`, but for what sends class A's messages under a number of its own (M.585-9): beacons, aircraft."""
    return _PREFIXES.get(mmsi // 1_000_000, kind) if kind == "class A" else kind


def nav_status_text(code: int | None) -> str | None:
    """Navigational status in words; None for 15, not defined."""
    return NAV_STATUS[code] if code is not None and 0 <= code < len(NAV_STATUS) else None


def ship_type_text(code: int | None) -> str | None:
    """Ship and cargo type in words; None for a code without a meaning."""
    if code is None or not 20 <= code <= 99:
        return None
    if group := _SHIP_GROUPS.get(code // 10):
        hazard = _HAZARDS.get(code % 10)
        return f"{group}, {hazard}" if hazard else group
    return _SHIP_TYPES.get(code)


def clean_text(text: str) -> str | None:
    """Six-bit text up to its first `@`, trimmed; None if empty."""
    return "".join(c for c in text.split("@", 1)[0] if " " <= c <= "~").strip() or None


def eta_text(month: int, day: int, hour: int, minute: int) -> str | None:
    """`MM-DDThh:mm`, `MM-DD` where the time is not available, None where the date is not."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    clock = f"T{hour:02}:{minute:02}" if 0 <= hour < 24 and 0 <= minute < 60 else ""
    return f"{month:02}-{day:02}{clock}"


def eta_parts(eta: str) -> tuple[int, int, int, int] | None:
    """Month, day, hour (24: not available) and minute (60) of an `eta_text`; None where it is none."""
    digits = eta.replace("-", "").replace("T", "").replace(":", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) in (4, 8)):
        return None
    month, day = int(digits[:2]), int(digits[2:4])
    hour, minute = (int(digits[4:6]), int(digits[6:])) if len(digits) == 8 else (24, 60)
    return (month, day, hour, minute) if eta_text(month, day, hour, minute) == eta else None


def hull(bow_m: float, stern_m: float, port_m: float, starboard_m: float) -> dict[str, float | None]:
    """Dimensions of a `Type` from the distances between position sensor and bow, stern and sides.

    All 0: no dimensions. Bow and port 0: dimensions, but the sensor's place is unknown (figure 41).
    """
    length, beam, placed = round(bow_m + stern_m, 1), round(port_m + starboard_m, 1), bow_m > 0 or port_m > 0
    return {
        "length_m": float(length) or None,
        "beam_m": float(beam) or None,
        "bow_m": float(bow_m) if placed and length else None,
        "starboard_m": float(starboard_m) if placed and beam else None,
    }


def hull_parts(
    length_m: float | None, beam_m: float | None, bow_m: float | None, starboard_m: float | None
) -> tuple[int, int, int, int]:
    """Distances to bow, stern, port and starboard in whole metres; the inverse of `hull`, 0 where unknown."""
    length, beam = min(1022, round(length_m or 0)), min(126, round(beam_m or 0))
    bow, starboard = round(bow_m or 0), round(starboard_m or 0)
    bow = max(0, min(bow, length, 511)) if bow_m is not None else 0
    starboard = max(0, min(starboard, beam, 63)) if starboard_m is not None else beam
    return bow, min(511, length - bow), min(63, beam - starboard), min(63, starboard)
