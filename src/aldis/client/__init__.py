"""A client of a node's HTTP API: typed, synchronous, its errors those of the kernel."""

from __future__ import annotations

from aldis.client.answers import Change, Hit, LiveValue, Me, PortionOf, RecordSeen, Written
from aldis.client.client import Client

__all__ = ["Change", "Client", "Hit", "LiveValue", "Me", "PortionOf", "RecordSeen", "Written"]
