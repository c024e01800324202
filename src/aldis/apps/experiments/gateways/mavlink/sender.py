"""One component of one MAVLink system, as far as it has been heard."""

from __future__ import annotations

from aldis.apps.experiments.entity import Identity, Sensor, Timing
from aldis.apps.experiments.gateways.mavlink.clock import Clock

__all__ = ["PROTOCOL", "Sender"]

PROTOCOL = "mavlink"


class Sender:
    """Who says a message: its names, its system's clock, and what later messages need of earlier ones."""

    def __init__(self, system: int, component: int, clock: Clock) -> None:
        self.system, self.component = system, component
        self.name = f"{system}/{component}"
        self.key = f"{PROTOCOL}:{self.name}"
        self.identity = Identity(mavlink_id=self.name)
        self.clock = clock
        self.autopilot: int | None = None
        self.mav_type: int | None = None
        self.above_home_m: float | None = None
        self.separation_m: float | None = None
        """Height of mean sea level above the ellipsoid here, as its GPS takes it to be."""

    def sensor(self, at_us: int) -> Sensor:
        """That it came by this protocol, now."""
        return Sensor(protocol=PROTOCOL, received_ms=at_us // 1000)

    def timing(self, source_us: int | None, at_us: int) -> Timing:
        """When it was so, and when that came here."""
        if source_us is None:
            return Timing(received_us=at_us, clock="boot")
        clock = self.clock
        return Timing(
            source_us=source_us,
            source_uncertainty_us=clock.uncertainty_us,
            received_us=at_us,
            clock="boot",
            offset_us=clock.offset_us,
        )
