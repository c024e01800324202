"""GeoJSON (RFC 7946), also line by line and as text sequences (RFC 8142), with the model's names as properties."""

from __future__ import annotations

from aldis.apps.experiments.gateways.exemplars import specimens
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.geojson.gateway import GeoJson, familiar, fields

__all__ = ["OFFERED"]

OFFERED = Offered(
    protocol="geojson",
    title="GeoJSON features with the model's field names",
    open=GeoJson,
    familiar=familiar,
    specimens=lambda: specimens(GeoJson),
    fields=fields,
    predicts=True,
)
