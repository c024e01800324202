"""The guard around everything served: request ids, headers, problems, log and metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aldis.interfaces.api.gateway import respond
from aldis.interfaces.api.metrics import Metrics
from aldis.interfaces.api.problems import HttpProblem
from aldis.interfaces.api.visits import visit_of
from aldis.node.logs import fault

__all__ = ["STOPPING", "Guard"]

STOPPING = "stopping"

_log = structlog.get_logger()
_ALWAYS = {
    b"x-content-type-options": (b"nosniff",),
    b"referrer-policy": (b"no-referrer", b"same-origin"),
    b"cross-origin-resource-policy": (b"same-origin",),
    b"x-frame-options": (b"DENY",),
}
"""What every answer says, and what it may say instead; anything else that it says is left out."""
_UNLESS_SAID = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_SMALL, _DIGITS, _PASS_OVER_S = 1024 * 1024, 9, 1.0
_TLS = ((b"strict-transport-security", b"max-age=31536000"),)


class Guard:
    """Wraps an ASGI application; whatever it raises becomes a problem, of which a fault tells nothing."""

    def __init__(self, app: ASGIApp, metrics: Metrics, head_bytes: int, stopping: asyncio.Event | None = None) -> None:
        """`stopping` is in the state of every request: once it is set, what goes on ends."""
        self._stopping = stopping
        self._app = app
        self._head_bytes = head_bytes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._stopping is not None:
            scope["state"] = {**scope.get("state", {}), STOPPING: self._stopping}
        visit = visit_of(scope)
        secure = _TLS if scope["scheme"] == "https" else ()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.started, visit.status = True, message["status"]
                ours = [(b"x-request-id", visit.id.encode()), *secure]
                message["headers"] = _guarded(message.get("headers", ()), ours)
            await send(message)

        try:
            self._check_head(scope)
            await self._app(scope, receive, told)
        except HttpProblem as problem:
            await self._problem(problem, scope, receive, told)
        except Exception as error:
            _log.error("request failed", request=visit.id, route=visit.template, **fault(error))
            if visit.started:
                raise
            await self._problem(HttpProblem("fault", "a fault of the program"), scope, receive, told)
        finally:
            seconds = time.perf_counter() - visit.began
            self._metrics.answered(visit.template, scope["method"], visit.status, seconds)
            _log.info(
                "request", request=visit.id, person=visit.person, method=scope["method"][:20], route=visit.template,
                status=visit.status, ms=round(seconds * 1000, 1),
            )  # fmt: skip

    def _check_head(self, scope: Scope) -> None:
        """What came whole in one piece is measured here; what trickles in, h11 measures."""
        parts = (scope["raw_path"], scope["query_string"], *(part for pair in scope["headers"] for part in pair))
        if sum(map(len, parts)) > self._head_bytes:
            raise HttpProblem(
                "head-too-large",
                f"a head of over {self._head_bytes} bytes",
                "Ask for less",
                headers={"connection": "close"},
            )

    async def _problem(self, problem: HttpProblem, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        if visit.started:
            return
        headers = {"content-type": "application/problem+json", **problem.headers}
        names = {name for name, _ in scope["headers"]}
        if not visit.body_read and not names.isdisjoint((b"content-length", b"transfer-encoding")):
            headers["connection"] = "close"
            await _pass_over(scope, receive)
        await respond(send, problem.status, problem.body(visit.id), headers)


async def _pass_over(scope: Scope, receive: Receive) -> None:
    """Let a small body that nobody reads arrive, so that closing the connection does not take the answer along."""
    headers = dict(scope["headers"])
    size = headers.get(b"content-length", b"")
    if b"expect" in headers or not size.isdigit() or len(size) > _DIGITS or int(size) > _SMALL:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(_PASS_OVER_S):
            while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
                pass


def _guarded(given: Iterable[tuple[bytes, bytes]], ours: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, each of the guard's once: what the answer says of `_ALWAYS` where it may say that."""
    said = {name.lower(): value for name, value in given}
    always = [(name, one if (one := said.get(name)) in may else may[0]) for name, may in _ALWAYS.items()]
    taken = {name for name, _ in (*ours, *always)}
    rest = [pair for pair in given if pair[0].lower() not in taken]
    return [*rest, *ours, *always, *(pair for pair in _UNLESS_SAID if pair[0] not in said)]
