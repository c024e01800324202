"""Sign in at the node's OpenID provider: there and back, after which a session like any other begins.

What the way back needs is in a cookie that only this browser brings, for ten minutes. It is SameSite=Lax, since the
provider's site leads back here; the session's own cookie stays Strict, so the page after the way back leads on from
here and not by a redirect.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from aldis.interfaces.api.limits import Buckets, Limits
from aldis.interfaces.api.visits import visit_of
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.guard import remember, safe_path
from aldis.interfaces.web.headers import FIXED
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.encoding import b64, unb64
from aldis.kernel.errors import AldisError, InvalidInput, Unavailable
from aldis.node.node import Node
from aldis.node.people.oidc import PENDING_MS, OpenId
from aldis.node.people.provider_link import ProviderLink

__all__ = ["PENDING", "oidc_routes"]

PENDING = "__Host-aldis-pending"
_AT_ONCE = 4
"""Sign-ins that wait for the provider at the same time."""


def oidc_routes(node: Node, frame: Frame, limits: Limits) -> list[BaseRoute]:
    """The routes there and back; none where the settings name no provider."""
    if node.core.config.oidc is None:
        return []
    way = _Way(node, frame, limits)
    return [
        Route("/sign-in/oidc", way.there, methods=["GET"]),
        Route("/sign-in/oidc/back", way.back, methods=["GET"]),
    ]


class _Way:
    def __init__(self, node: Node, frame: Frame, limits: Limits) -> None:
        self._node = node
        self._frame = frame
        self._openid = OpenId(node.core, node.people)
        self._strangers = Buckets(limits.stranger_rate, limits.stranger_burst)
        self._waiting = asyncio.Semaphore(_AT_ONCE)

    async def there(self, request: Request) -> Response:
        """To the provider."""
        place = safe_path(request.query_params.get("next", "/"))
        return await self._run(request, lambda: self._sent(place))

    async def back(self, request: Request) -> Response:
        """From the provider, with its answer."""
        response = await self._run(request, lambda: self._finished(request))
        response.delete_cookie(PENDING, path="/", secure=True, httponly=True, samesite="lax")
        return response

    async def _run(self, request: Request, work: Callable[[], Response]) -> Response:
        told = visit_of(request.scope)
        told.template, told.body_read = request.url.path, True
        if self._strangers.take(request.client.host if request.client else "") > 0:
            return self._page(Sheet("problem.html", "Too many requests", {"what": "Too many requests",
                              "fix": "Wait a little and try again."}, status=429))  # fmt: skip
        try:
            async with self._waiting:
                return await run_in_threadpool(work)
        except AldisError as error:
            status = 503 if isinstance(error, Unavailable) else 403
            values = {"what": str(error.args[0]), "fix": error.fix}
            return self._page(Sheet("problem.html", "You are not signed in", values, status=status))

    def _sent(self, place: str) -> Response:
        with ProviderLink(self._openid.provider) as fetch:
            url, pending = self._openid.begin(fetch)
        response = RedirectResponse(url, 303, FIXED)
        kept = f"{pending}.{b64(place.encode())}"
        response.set_cookie(PENDING, kept, PENDING_MS // 1000, path="/", secure=True, httponly=True, samesite="lax")
        return response

    def _finished(self, request: Request) -> Response:
        pending, _, place = request.cookies.get(PENDING, "").partition(".")
        with ProviderLink(self._openid.provider) as fetch:
            token = self._openid.finish(request.url.query, pending, fetch)
        address = Fields.address("/level", next=_place(place))
        response = self._page(Sheet("onward.html", "One moment", {"next": address}))
        remember(response, self._routine(token))
        return response

    def _routine(self, token: str) -> str:
        """The session at the routine level, where it began above it: to work higher is a choice made knowingly."""
        people, core = self._node.people, self._node.core
        rules = core.policies.policy(core.config.policy)
        rung = people.sessions.who(token).level.get(rules.name, rules.routine)
        if rules.rank(rung) <= rules.rank(rules.routine):
            return token
        return people.sessions.change_level(token, {rules.name: rules.routine})

    def _page(self, sheet: Sheet) -> Response:
        return self._frame.page(Visit(self._node, "/sign-in", nonce=secrets.token_urlsafe(16)), sheet)


def _place(text: str) -> str:
    try:
        return safe_path(unb64(text).decode())
    except (InvalidInput, ValueError):
        return "/"
