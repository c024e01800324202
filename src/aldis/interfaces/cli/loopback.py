"""Signing in at an OpenID provider from a command line: the browser comes back to a port of this machine, once.

Source: RFC 8252 section 7.3 and 8.3: a literal loopback address, any free port, closed as soon as the answer is here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from aldis.kernel.errors import InvalidInput, Unavailable
from aldis.node.node import Node

try:
    from aldis.node.people.oidc import PENDING_MS, OpenId
    from aldis.node.people.provider_link import ProviderLink
except ModuleNotFoundError as error:
    raise InvalidInput("signing in by OpenID Connect is not installed here", fix="Install aldis[oidc]") from error

__all__ = ["provider_sign_in"]

_PATH = "/sign-in/oidc/back"
_STEP_S = 0.5
_SLOW_S = 5.0
_LONGEST = 8192
_PAGE = (
    b"<!doctype html><meta charset=utf-8><title>Aldis</title><p>You may close this page and go back to the terminal."
)


def provider_sign_in(node: Node, level: Mapping[str, str], say: Callable[[str], None]) -> str:
    """The token of a new session; `say` is told the address to open in a browser on this machine.

    Raises:
        InvalidInput: the settings name no provider.
        Unavailable: nobody came back within ten minutes, or the provider does not answer.
        NotAuthentic, Stale, RefusedByPolicy, UnknownTerm: see `OpenId.finish`.
    """
    openid = OpenId(node.core, node.people)
    with ProviderLink(openid.provider) as fetch, _Back() as back:
        url, pending = openid.begin(fetch, level, f"http://127.0.0.1:{back.server_port}{_PATH}")
        say(f"Open this in a browser on this machine, and sign in:\n{url}")
        return openid.finish(back.wait(PENDING_MS / 1000), pending, fetch)


class _Back(HTTPServer):
    """Takes one answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.timeout = _STEP_S
        self.query: str | None = None

    def wait(self, seconds: float) -> str:
        """The query of the first request for the path that comes."""
        until = time.monotonic() + seconds
        while self.query is None:
            if time.monotonic() > until:
                raise Unavailable("nobody came back from the provider in time", fix="Begin to sign in again")
            self.handle_request()
        return self.query

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that says nothing sensible is of no interest."""
        del request, client_address


class _Answer(BaseHTTPRequestHandler):
    timeout = _SLOW_S
    server: _Back

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        good = path == _PATH and bool(query) and len(query) <= _LONGEST and self.server.query is None
        self.send_response(200 if good else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-security-policy", "default-src 'none'")
        self.send_header("referrer-policy", "no-referrer")
        self.send_header("cache-control", "no-store")
        self.end_headers()
        if good:
            self.wfile.write(_PAGE)
            self.server.query = query

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that is overridden
        """The code in the address is for no log."""
        del format, args
