"""Cursor-on-Target 2.0, XML: events over TCP, TLS and UDP (MITRE, Event-PUBLIC.xsd, 2005; detail as TAK has it)."""

from __future__ import annotations

from aldis.apps.experiments.gateways.cot.gateway import CotGateway, familiar, fields
from aldis.apps.experiments.gateways.cot.specimens import specimens
from aldis.apps.experiments.gateways.gateway import Offered

__all__ = ["OFFERED"]

OFFERED = Offered(
    protocol="cot",
    title="Cursor-on-Target (XML)",
    open=CotGateway,
    familiar=familiar,
    specimens=specimens,
    fields=fields,
    predicts=True,
)
