"""NMEA 2000: messages of a vessel's network, among them those of AIS."""

from __future__ import annotations

from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.nmea2000.frames import LOG_LINE, MAX_LINE
from aldis.apps.experiments.gateways.nmea2000.gateway import N2kGateway
from aldis.apps.experiments.gateways.nmea2000.specimens import familiar, fields, specimens
from aldis.apps.experiments.gateways.nmea2000.vessels import PROTOCOL

__all__ = ["LOG_LINE", "MAX_LINE", "OFFERED", "N2kGateway"]

OFFERED = Offered(
    protocol=PROTOCOL,
    title="NMEA 2000",
    open=N2kGateway,
    familiar=familiar,
    specimens=specimens,
    fields=fields,
    predicts=True,
)
