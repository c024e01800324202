"""The uid of a vessel that AIS knows: `MMSI-123456789`, by the custom of the feeds that bring AIS to TAK (aiscot)."""

from __future__ import annotations

import re

__all__ = ["claimed", "vessel_uid"]

_UID = re.compile(r"(?:MMSI-|mmsi:)(\d{9})", re.ASCII)
_KEY = re.compile(r"mmsi:(\d{1,9})", re.ASCII)
_LAST = 999_999_999


def claimed(uid: str) -> int | None:
    """The MMSI that a uid says the thing has."""
    found = _UID.fullmatch(uid)
    return int(found[1]) or None if found else None


def vessel_uid(key: str, mmsi: int | str | None) -> str | None:
    """The uid of what is known by `key` and has the number `mmsi`; None where neither is one that AIS has."""
    if mmsi is None and (found := _KEY.fullmatch(key)):
        mmsi = int(found[1])
    return f"MMSI-{mmsi:09d}" if isinstance(mmsi, int) and 0 < mmsi <= _LAST else None
