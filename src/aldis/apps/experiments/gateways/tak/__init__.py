"""TAK protocol version 1: events of Cursor-on-Target in Protocol Buffers, in streams and in datagrams of a mesh."""

from __future__ import annotations

from functools import partial

from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.tak.framing import MESH as _HEADER
from aldis.apps.experiments.gateways.tak.gateway import TakGateway, familiar, fields
from aldis.apps.experiments.gateways.tak.specimens import mesh_specimens, specimens

__all__ = ["MESH", "OFFERED"]

OFFERED = Offered(
    protocol="tak",
    title="TAK protobuf (stream)",
    open=TakGateway,
    familiar=familiar,
    specimens=specimens,
    fields=fields,
    predicts=True,
)
MESH = Offered(
    protocol="tak-mesh",
    title="TAK protobuf (datagrams)",
    open=partial(TakGateway, mesh=True),
    familiar=lambda data: data.startswith(_HEADER),
    specimens=mesh_specimens,
    fields=fields,
    predicts=True,
)
