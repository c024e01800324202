"""The server for people: one application of Starlette routes over a node, run by uvicorn in the loop of `aldis up`."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvicorn
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from aldis.interfaces.api.gateway import Gateway, Place
from aldis.interfaces.api.guard import Guard
from aldis.interfaces.api.health import health
from aldis.interfaces.api.kas import kas_routes
from aldis.interfaces.api.limits import Limits
from aldis.interfaces.api.metrics import Metrics
from aldis.interfaces.api.openapi import Document, document
from aldis.interfaces.api.operations import Operation
from aldis.interfaces.api.problems import HttpProblem
from aldis.interfaces.api.protocol import bounded
from aldis.interfaces.api.table import operations
from aldis.kernel.errors import InvalidInput, Unavailable
from aldis.node.config import endpoint
from aldis.node.node import Node

__all__ = ["PeoplePort"]

_GRACE_S = 3
_START_S = 10.0
_log = structlog.get_logger()


class PeoplePort:
    """Where people and their programs reach a node."""

    def __init__(self, node: Node, limits: Limits | None = None, pages: Sequence[BaseRoute] = ()) -> None:
        """`pages` are served beside the API, behind the same guard."""
        self._node = node
        self._pages = pages
        self._limits = limits or Limits()
        self._config = node.core.config
        self.url = ""

    async def start(self) -> str:
        """Listen; the URL that people use.

        Raises:
            Unavailable: the address cannot be bound.
            InvalidInput: unusable certificate or key files.
        """
        host, port = endpoint(self._config.http, "http")
        context = _context(self._config.http_certificate, self._config.http_key)
        listener = _listener(host, port)
        self._gateway = Gateway(self._node, self._limits)
        config = uvicorn.Config(
            _app(self._node, self._gateway, self._pages),
            http=bounded(self._limits),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            limit_concurrency=self._limits.connections,
            timeout_keep_alive=int(self._limits.idle_s),
            timeout_graceful_shutdown=_GRACE_S,
            h11_max_incomplete_event_size=self._limits.head_bytes,
            ssl_context_factory=(lambda _config, _default: context) if context else None,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        async with asyncio.timeout(_START_S):
            while not self._server.started and not self._task.done():
                await asyncio.sleep(0.005)
        name = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if context else 'http'}://{name}:{listener.getsockname()[1]}"
        return self.url

    async def stop(self) -> None:
        """Answer what has been asked, end streams, and close."""
        self._gateway.stopping.set()
        self._server.should_exit = True
        await asyncio.gather(self._task, return_exceptions=True)
        self._gateway.close()


class _Server(uvicorn.Server):
    """Signals are for `aldis up` to hear."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _app(node: Node, gateway: Gateway, pages: Sequence[BaseRoute]) -> ASGIApp:
    metrics = Metrics()
    table = operations(node.apps)
    routes: list[BaseRoute] = [
        *_places(gateway, table),
        Route("/api/v1/openapi.json", Document(document(table))),
        *health(gateway, metrics),
        *kas_routes(node, gateway.who),
        *pages,
    ]
    router = Router(routes, redirect_slashes=False, default=_no_such_path)
    return Guard(router, metrics, gateway.limits.head_bytes, gateway.stopping)


def _places(gateway: Gateway, table: Sequence[Operation]) -> Iterator[Route]:
    paths: dict[str, list[Operation]] = {}
    for one in table:
        paths.setdefault(one.path, []).append(one)
    for path, ones in paths.items():
        yield Route(path, Place(gateway, ones))


async def _no_such_path(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise HttpProblem("not-found", "no such path", "GET /api/v1/openapi.json lists the API's")


def _context(certificate: str, key: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(Path(certificate), Path(key))
    except OSError as error:
        raise InvalidInput(
            f"{certificate} and {key} are no usable certificate and key: {error}",
            fix="Name PEM files that go together in `http_certificate` and `http_key`",
        ) from error
    return context


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {host} port {port}: {error.strerror}", fix="Choose another address with --http"
        ) from error
    made.setblocking(False)
    return made
