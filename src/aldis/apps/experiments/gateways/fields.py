"""Field values as AIS defines them: unknown becomes None, nonsense raises `Damaged`, codes become words.

Ranges and codes: Recommendation ITU-R M.1371-5, Annex 8 (messages 1 to 27; ship types in its table 53).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = [
    "KNOT",
    "Damaged",
    "attempt",
    "eta_text",
    "hull",
    "imo_number",
    "nav_status_text",
    "place",
    "plain_text",
    "ship_type_text",
    "valid_mmsi",
    "within",
]

T = TypeVar("T")
KNOT = 1852 / 3600  # metres per second

_NAV_STATUS = (
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
)
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


class Damaged(Exception):
    """A line that says nothing usable; the message is the reason to count. Never leaves a gateway."""


def attempt(step: Callable[[], T]) -> T:
    """`step()`; the bytes are a stranger's, so whatever a decoder trips over in them is damage."""
    try:
        return step()
    except Exception as error:
        raise Damaged("undecodable") from error


def valid_mmsi(value: Any) -> int:
    """`value` as an MMSI of at most nine digits, or raise `Damaged`."""
    if not isinstance(value, int) or not 0 < value <= 999_999_999:
        raise Damaged("invalid mmsi")
    return value


def place(lat_deg: float | None, lon_deg: float | None) -> tuple[float, float] | None:
    """Latitude and longitude; None where either is not available (91, 181); `Damaged` where there is no such place."""
    if lat_deg is None or lon_deg is None or round(lat_deg, 3) == 91 or round(lon_deg, 3) == 181:
        return None
    if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
        raise Damaged("out of range")
    return round(lat_deg, 7), round(lon_deg, 7)


def within(value: float | None, limit: float, scale: float = 1.0) -> float | None:
    """`value * scale`, or None where `value` is unknown or not in [0, limit)."""
    return None if value is None or not 0 <= value < limit else round(float(value) * scale, 3)


def plain_text(text: str | None) -> str | None:
    """Six-bit text up to its first `@`, printable ASCII, at most 34 characters, trimmed; None if empty."""
    kept = "".join(c for c in (text or "").split("@", 1)[0][:34] if " " <= c <= "~").strip()
    return kept or None


def imo_number(value: int | None) -> int | None:
    """The seven-digit IMO number; None for 0 and for the other numbers that the field may hold."""
    return value if value is not None and 1_000_000 <= value <= 9_999_999 else None


def eta_text(month: int, day: int, hour: int, minute: int) -> str | None:
    """`MM-DDThh:mm`, `MM-DD` where the time is not available, None where the date is not."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    clock = f"T{hour:02}:{minute:02}" if 0 <= hour < 24 and 0 <= minute < 60 else ""
    return f"{month:02}-{day:02}{clock}"


def hull(bow_m: float, stern_m: float, port_m: float, starboard_m: float) -> dict[str, float | None]:
    """Hull fields of an `Identity` from the distances between position sensor and bow, stern and sides.

    All 0: no dimensions. Bow and port 0: dimensions, but the sensor's place is unknown (figure 41).
    """
    length, beam, placed = round(bow_m + stern_m, 1), round(port_m + starboard_m, 1), bow_m > 0 or port_m > 0
    return {
        "length_m": float(length) or None,
        "beam_m": float(beam) or None,
        "bow_m": float(bow_m) if placed and length else None,
        "starboard_m": float(starboard_m) if placed and beam else None,
    }


def nav_status_text(code: int | None) -> str | None:
    """Navigational status in words; None for 15, not defined."""
    return _NAV_STATUS[code] if code is not None and 0 <= code < len(_NAV_STATUS) else None


def ship_type_text(code: int | None) -> str | None:
    """Ship and cargo type in words; None for a code without a meaning."""
    if code is None or not 20 <= code <= 99:
        return None
    if group := _SHIP_GROUPS.get(code // 10):
        hazard = _HAZARDS.get(code % 10)
        return f"{group}, {hazard}" if hazard else group
    return _SHIP_TYPES.get(code)
