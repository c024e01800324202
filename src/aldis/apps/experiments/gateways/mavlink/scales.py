"""Values of the model as the integers of the protocol."""

from __future__ import annotations

import math

from aldis.apps.experiments.entity import Position
from aldis.apps.experiments.gateways.mavlink.fates import Fate

__all__ = ["fitted", "place_e7"]


def place_e7(position: Position, message: str, told: dict[str, Fate]) -> tuple[int, int]:
    """Units of 1e-7 degrees, at most half a unit off: 5.6 mm on a meridian, so 7.9 mm with both coordinates.

    At 0/0, which is what a vehicle without a fix sends, it is one unit more.
    """
    lat, lon = round(position.lat_deg * 1e7), round(position.lon_deg * 1e7)
    if lat == lon == 0:
        told["position.lat_deg"] = (f"{message}.lat", 1.5e-7, "deg")
        return 1, 0
    return lat, lon


def fitted(
    value: float | None, scale: float, least: int, most: int, path: str, told: dict[str, Fate], *, clip: bool = False
) -> int | None:
    """`value` in units of 1/scale; None where it is unknown or out of range, which `told` then says of `path`.

    With `clip` what is below the least code becomes it.
    """
    if value is None:
        return None
    scaled = value * scale
    if clip and scaled < least:
        return least
    if not math.isfinite(scaled) or not least - 0.5 <= scaled <= most + 0.5:
        told[path] = "-out of range"
        return None
    return max(least, min(most, round(scaled)))
