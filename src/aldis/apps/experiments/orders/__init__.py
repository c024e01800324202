"""Tasks and leases between nations: asked for, accepted, seen through, taken back."""

from __future__ import annotations

from aldis.apps.experiments.orders.kinds import ORDER_KINDS

__all__ = ["ORDER_KINDS"]
