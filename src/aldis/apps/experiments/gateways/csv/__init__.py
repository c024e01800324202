"""Comma-separated values (RFC 4180) with the model's field names as columns."""

from __future__ import annotations

from aldis.apps.experiments.gateways.csv.gateway import Csv, familiar, fields
from aldis.apps.experiments.gateways.exemplars import specimens
from aldis.apps.experiments.gateways.gateway import Offered

__all__ = ["OFFERED"]

OFFERED = Offered(
    protocol="csv",
    title="comma-separated values with the model's field names",
    open=Csv,
    familiar=familiar,
    specimens=lambda: specimens(Csv),
    fields=fields,
    predicts=True,
)
