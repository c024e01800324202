"""NMEA 0183: the sentences of ships' instruments, and AIS, which travels in them (IEC 61162-1, ITU-R M.1371-5)."""

from __future__ import annotations

from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.nmea.gateway import NmeaGateway
from aldis.apps.experiments.gateways.nmea.sentences import MAX_LINE, PROTOCOL
from aldis.apps.experiments.gateways.nmea.specimens import familiar, fields, specimens

__all__ = ["MAX_LINE", "OFFERED", "NmeaGateway"]

OFFERED = Offered(
    protocol=PROTOCOL,
    title="AIS and NMEA 0183",
    open=NmeaGateway,
    familiar=familiar,
    specimens=specimens,
    fields=fields,
    predicts=True,
)
