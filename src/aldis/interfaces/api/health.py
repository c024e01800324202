"""Health: whether the node lives, whether it is ready, and its metrics for whoever holds the token for them."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from aldis.interfaces.api.gateway import Gateway, address_of, not_signed_in, respond
from aldis.interfaces.api.metrics import Metrics
from aldis.interfaces.api.problems import HttpProblem
from aldis.interfaces.api.visits import visit_of
from aldis.kernel.authority import Act
from aldis.kernel.encoding import b64
from aldis.kernel.errors import AldisError
from aldis.node.core import Core
from aldis.node.keys import read_private, write_private
from aldis.node.restored import restored

__all__ = ["METRICS_TOKEN", "health"]

METRICS_TOKEN = "metrics.token"  # noqa: S105
"""The file in the node's folder with the token that reads /metrics; made where there is none."""
_SIZE = 32
_FRESH_S = 1.0
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def health(gateway: Gateway, metrics: Metrics) -> list[Route]:
    """The routes of health."""
    return [
        Route("/healthz", _Alive()),
        Route("/readyz", _Ready(gateway)),
        Route("/metrics", _Scrape(gateway, metrics)),
    ]


class _Alive:
    """Answers whoever asks."""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        _begin(scope, "/healthz")
        await respond(send, 200, b'{"alive":true}', {}, json=True)


class _Ready:
    """Whether the store can be written and may send; looked up at most once a second, whoever asks, and told barely."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._ready, self._until = False, 0.0

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        _begin(scope, "/readyz")
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + _FRESH_S
            self._ready = await self._gateway.run(_ready, self._gateway.node.core)
        ready = self._ready and not self._gateway.stopping.is_set()
        await respond(send, 200 if ready else 503, msgspec.json.encode({"ready": ready}), {}, json=True)


def _ready(core: Core) -> bool:
    try:
        with core.store.transaction():
            return restored(core.store) is None
    except AldisError:
        return False


class _Scrape:
    """Metrics, for the token in the node's folder or an administrator's session: never for an address alone."""

    def __init__(self, gateway: Gateway, metrics: Metrics) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self._token = _token(gateway.node.core.home.path / METRICS_TOKEN, gateway.node.core.random)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        _begin(scope, "/metrics")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        scheme, _, given = headers.get("authorization", "").partition(" ")
        known = scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), self._token)
        if not known:
            _, person = await self._gateway.who(headers, address_of(scope))
            visit_of(scope).person = person.id
            if not person.may(Act.CONFIGURE):
                raise not_signed_in()
        body = await self._gateway.run(self._metrics.text, self._gateway.node)
        await respond(send, 200, body, {"content-type": _TEXT})


def _token(path: Path, random: Callable[[int], bytes]) -> bytes:
    """The token in a file that its owner alone can read."""
    if not path.exists():
        write_private(path, b64(random(_SIZE)).encode() + b"\n")
    return read_private(path).strip()


def _begin(scope: Scope, template: str) -> None:
    visit_of(scope).template = template
    if scope["method"] not in ("GET", "HEAD"):
        raise HttpProblem("method-not-allowed", "read it with GET", headers={"allow": "GET, HEAD"})
