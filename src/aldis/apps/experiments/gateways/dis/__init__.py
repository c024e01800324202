"""DIS, Distributed Interactive Simulation (IEEE 1278.1-2012): Entity State and Comment PDUs, both ways.

Every other PDU is counted by its number as not decoded.
"""

from __future__ import annotations

from aldis.apps.experiments.gateways.dis.gateway import DisGateway
from aldis.apps.experiments.gateways.dis.specimens import fields, specimens
from aldis.apps.experiments.gateways.dis.wire import PROTOCOL, familiar
from aldis.apps.experiments.gateways.gateway import Offered

__all__ = ["OFFERED", "DisGateway"]

OFFERED = Offered(
    protocol=PROTOCOL,
    title="DIS 7 (IEEE 1278.1-2012)",
    open=DisGateway,
    familiar=familiar,
    specimens=specimens,
    fields=fields,
)
