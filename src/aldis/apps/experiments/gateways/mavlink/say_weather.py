"""Environment as SCALED_PRESSURE and WIND_COV."""

from __future__ import annotations

import math

from aldis.apps.experiments.entity import Encoded, Environment
from aldis.apps.experiments.gateways.mavlink.fates import writing
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox, Source
from aldis.apps.experiments.gateways.mavlink.saying import Starts, Told
from aldis.apps.experiments.gateways.mavlink.scales import fitted

__all__ = ["say_environment"]

_FATES = writing(
    {
        "environment.key": "-made anew", "environment.at": "SYSTEM_TIME.time_unix_usec",
        "timing.source_us": "SYSTEM_TIME.time_unix_usec", "timing.received_us": "-made anew",
        "timing.clock": "-made anew", "timing.offset_us": "-made anew: counts from when it was first shown",
        "environment.pressure_hpa": ("SCALED_PRESSURE.press_abs", 1e-4, "hPa"),
        "environment.air_temperature_c": ("SCALED_PRESSURE.temperature", 0.005, "degrees C"),
        "environment.wind_from_deg": ("WIND_COV.wind_x", 1e-3, "deg"),
        "environment.wind_mps": ("WIND_COV.wind_x", 1e-4, "m/s"),
    }
)  # fmt: skip
_NO_TEMPERATURE = -32_768
"""-327.68 degrees: common.xml has nothing for 'unknown' here, and nobody takes this for a temperature."""


def say_environment(environment: Environment, source: Source, outbox: Outbox, starts: Starts, at_us: int) -> Encoded:
    """What of it has a message: pressure, temperature of the air, wind."""
    told: Told = {}
    if environment.key.removesuffix("/pressure 2") == f"mavlink:{source[0]}/{source[1]}":
        told["environment.key"] = "header.system"
    frames: list[bytes] = []
    timing = environment.timing
    us = _known_us(environment, told)
    offset = starts.offset_us(source, timing, at_us if us is None else us, {} if us is None else told)
    boot_ms = ((at_us if us is None else us) - offset + 500) // 1000
    if us is not None:
        frames.append(outbox.frame("SYSTEM_TIME", source, at_us, time_unix_usec=us, time_boot_ms=boot_ms))
    second = environment.key.endswith("/pressure 2")
    if environment.pressure_hpa is not None or environment.air_temperature_c is not None:
        warmth = fitted(environment.air_temperature_c, 100, -27_315, 32_767, "environment.air_temperature_c", told)
        frames.append(
            outbox.frame(
                "SCALED_PRESSURE2" if second else "SCALED_PRESSURE", source, at_us, time_boot_ms=boot_ms,
                press_abs=environment.pressure_hpa, temperature=_NO_TEMPERATURE if warmth is None else warmth,
            )
        )  # fmt: skip
    speed, bearing = environment.wind_mps, environment.wind_from_deg
    if speed is not None and (bearing is not None or speed == 0):
        to = math.radians((bearing or 0.0) + 180)
        frames.append(
            outbox.frame(
                "WIND_COV", source, at_us, time_usec=us, wind_x=speed * math.cos(to), wind_y=speed * math.sin(to)
            )
        )
    else:
        told["environment.wind_mps"] = told["environment.wind_from_deg"] = "-no code: only both together"
    return Encoded(tuple(frames), _FATES.ledger(environment, tuple(told.items())))


def _known_us(environment: Environment, told: Told) -> int | None:
    """When it was so, where that is known and can be said."""
    us = environment.timing.source_us if environment.timing is not None else None
    at = environment.at
    if us is None:
        us = None if at is None else at * 1000
    elif at != us // 1000:
        told["environment.at"] = "-no field: the source's time stands for both"
    if us is None or 0 < us < 1 << 62:
        return us
    told["timing.source_us"] = told["environment.at"] = "-out of range"
    return None
