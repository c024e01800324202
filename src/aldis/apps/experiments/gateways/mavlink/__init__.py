"""MAVLink 2, both ways: vehicles and ground stations with entities, and tasks that are seen through."""

from __future__ import annotations

from aldis.apps.experiments.entity import Area, Task
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.mavlink.gateway import MavlinkGateway
from aldis.apps.experiments.gateways.mavlink.specimens import familiar, fields, specimens

__all__ = ["OFFERED", "MavlinkGateway"]

OFFERED = Offered(
    protocol=MavlinkGateway.protocol,
    title="MAVLink 2",
    open=MavlinkGateway,
    familiar=familiar,
    specimens=specimens,
    fields=fields,
    orders=(Task, Area),  # an area becomes a fence, or the place to come home to
)
"""How to have this protocol, and what measures it."""
