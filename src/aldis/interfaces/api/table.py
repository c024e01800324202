"""The table of all operations: those of the node, and those of its apps at `/api/v1/APP`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aldis.app import App, Route
from aldis.interfaces.api import (
    attachments,
    desk,
    ledger,
    partners,
    people,
    reading,
    recalls,
    releases,
    saved,
    sessions,
    streams,
    terms,
    uploads,
    writing,
)
from aldis.interfaces.api.operations import Call, Operation

__all__ = ["NODE", "operations"]

NODE: tuple[Operation, ...] = (
    *sessions.OPERATIONS,
    *reading.OPERATIONS,
    *writing.OPERATIONS,
    *attachments.OPERATIONS,
    *uploads.OPERATIONS,
    *saved.OPERATIONS,
    *releases.OPERATIONS,
    *desk.OPERATIONS,
    *streams.OPERATIONS,
    *terms.OPERATIONS,
    *people.OPERATIONS,
    *partners.OPERATIONS,
    *recalls.OPERATIONS,
    *ledger.OPERATIONS,
)
"""The node's own."""


def operations(apps: Mapping[str, App]) -> tuple[Operation, ...]:
    """Every operation of a node with these apps."""
    return (*NODE, *_of_apps(apps))


def _of_apps(apps: Mapping[str, App]) -> Iterator[Operation]:
    for name, app in apps.items():
        for route in app.routes():
            path = f"/api/v1/{name}{route.path}"
            yield Operation(
                route.method, path, route.summary, route.asks, route.answers, _bound(route), size=route.size
            )


def _bound(route: Route) -> Any:
    def handler(call: Call, asked: Any) -> Any:
        return route.handler(call.context, asked)

    return handler
