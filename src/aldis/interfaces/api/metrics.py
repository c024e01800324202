"""Metrics in Prometheus's text format: how the node fares, nothing of what it holds for whom."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from aldis.node.node import Node

__all__ = ["Metrics"]

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


class Metrics:
    """Counts requests by route template and status, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "aldis_http_requests", "Requests answered.", ("route", "method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "aldis_http_request_seconds", "Seconds to the end of an answer.", ("route",), buckets=_BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self._records = self._gauge("records", "Versions of records that have arrived here.")
        self._leaves = self._gauge("ledger_leaves", "Leaves of the ledger.")
        self._aside = self._gauge("quarantine_entries", "What was set aside and not yet looked through.")
        self._aside_bytes = self._gauge("quarantine_bytes", "How many bytes of it there are.")
        self._sessions = self._gauge("sessions", "Sessions that hold.")
        self._lag = self._gauge(
            "partner_behind", "Items sent or to be sent that a partner has yet to receipt.", "partner"
        )

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"aldis_{name}", what, labels, registry=self.registry)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self, node: Node) -> bytes:
        """All of it now, as Prometheus reads it; reads the store."""
        store = node.core.store
        self._records.set(store.records.last())
        self._leaves.set(store.ledger.size())
        self._aside.set(store.quarantine.count())
        self._aside_bytes.set(store.quarantine.size())
        self._sessions.set(len(node.people.sessions.of()))
        self._lag.clear()
        for known in node.partners.all():
            if known.active:
                acknowledged = store.partners.acknowledged(known.node)
                behind = store.exchange.last(known.node) - (acknowledged.seq if acknowledged else 0)
                self._lag.labels(known.node).set(behind)
        return generate_latest(self.registry)
