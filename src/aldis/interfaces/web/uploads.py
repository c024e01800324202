"""Files that a page's script brings in piece by piece: one sees how far they are, and a cut loses no more than a piece.

Each request goes through these checks before any of its body is read; without scripts, forms carry their files whole:

1. the session's cookie says who asks, and each may ask so often and no more
2. it comes from a page of this very host
3. it carries what this session's forms do
4. a body is a piece, within its limit and time; the upload is one of the person's own
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aldis.interfaces.api.visits import visit_of
from aldis.interfaces.web.door import Door, status_of
from aldis.interfaces.web.forms import pass_over
from aldis.interfaces.web.guard import fits, ours
from aldis.interfaces.web.headers import FIXED
from aldis.kernel.errors import AldisError, InvalidInput, Stale, TooLarge
from aldis.node.attachments import OPEN
from aldis.node.node import Node
from aldis.node.people import Person

__all__ = ["FORM_HEADER", "PIECE_BYTES", "upload_routes"]

FORM_HEADER = "x-aldis-form"
"""The header with what this session's forms carry; no page of another site can set it."""
PIECE_BYTES = 2 * 1024 * 1024
_PIECE_S = 60.0
_DIGITS = 12
_ENDED = {"what": "your session has ended", "fix": "Sign in in another tab, and load the page again"}
_Do = Callable[[Request, str], Awaitable[Mapping[str, Any]]]


def upload_routes(node: Node, door: Door) -> list[BaseRoute]:
    """Begin one, add to it, end it, throw it away; throw away all that are not whole."""
    made = _Sending(node, door)
    return [
        made.route("/uploads", "POST", made.begin),
        made.route("/uploads/drop", "POST", made.drop_all),
        made.route("/uploads/{id}", "PUT", made.append),
        made.route("/uploads/{id}/whole", "POST", made.finish),
        made.route("/uploads/{id}/drop", "POST", made.drop),
    ]


class _MoreError(Exception):
    """An error, and what a script is told beside it."""

    def __init__(self, error: AldisError, **more: Any) -> None:
        super().__init__(str(error))
        self.error = error
        self.more = more


class _Sending:
    """What a script may do with its person's uploads; every answer is JSON."""

    def __init__(self, node: Node, door: Door) -> None:
        self._node = node
        self._door = door
        self._uploads = node.attachments.uploads

    def route(self, path: str, method: str, do: _Do) -> Route:
        """The route of one of them."""

        async def endpoint(request: Request) -> Response:
            visit_of(request.scope).template = path
            token, person = await self._door.who(request)  # 1
            refused = self._refused(request, token, person)
            if person is None or refused is not None:
                if token:  # what is on its way still goes by, so that the browser hears the answer
                    await pass_over(request, PIECE_BYTES, _PIECE_S)
                return refused or _said(_ENDED, 401)
            visit_of(request.scope).person = person.id
            try:
                return _said(await do(request, person.id))
            except TimeoutError:
                return _said({"what": "a piece did not arrive in time", "fix": "Try again"}, 408)
            except AldisError as error:
                return _failed(error)
            except _MoreError as one:
                return _failed(one.error, **one.more)

        return Route(path, endpoint, methods=[method])

    def _refused(self, request: Request, token: str, person: Person | None) -> Response | None:
        if (wait := self._door.wait(request, person)) > 0:
            seconds = math.ceil(wait)
            return _said({"what": "too many requests", "fix": f"Wait {seconds} s"}, 429, seconds)
        if person is None:
            return _said(_ENDED, 401)
        if not ours(request.headers):  # 2
            return _said({"what": "this did not come from a page of this node", "fix": ""}, 403)
        if not fits(self._node.core.secret, token, request.headers.get(FORM_HEADER, "")):  # 3
            return _said({"what": "your session is another one by now", "fix": "Load the page again"}, 409)
        return None

    async def begin(self, request: Request, person: str) -> Mapping[str, Any]:
        """A new upload, of the file that `name` names."""
        try:
            made = await run_in_threadpool(self._uploads.begin, request.query_params.get("name", ""), "", person)
        except TooLarge as error:
            waits = [one for one, _ in await run_in_threadpool(self._uploads.all, person) if one.digest is None]
            raise _MoreError(error, full=len(waits) >= OPEN) from error
        return {"id": made.id, "held": 0}

    async def append(self, request: Request, person: str) -> Mapping[str, Any]:
        """A piece, from where the upload ends; where that is somewhere else, it is said where."""
        offset = request.query_params.get("from", "")
        if not offset.isascii() or not offset.isdecimal() or len(offset) > _DIGITS:
            raise InvalidInput("where these bytes begin is not said", fix="Load the page again")
        id_ = request.path_params["id"]
        held = await run_in_threadpool(self._uploads.held, id_, person)
        data = await _body(request)  # 4
        try:
            held = await run_in_threadpool(self._uploads.append, id_, int(offset), data, person)
        except Stale as error:
            raise _MoreError(error, held=held) from error
        return {"held": held}

    async def finish(self, request: Request, person: str) -> Mapping[str, Any]:
        """All of it, as a form's field says it; what is refused is thrown away."""
        id_ = request.path_params["id"]
        try:
            found = await run_in_threadpool(self._uploads.finish, id_, person)
        except Stale:
            raise
        except AldisError:
            await run_in_threadpool(self._uploads.drop, id_, person)
            raise
        return {"file": msgspec.json.encode(found).decode()}

    async def drop(self, request: Request, person: str) -> Mapping[str, Any]:
        """None of it."""
        await run_in_threadpool(self._uploads.drop, request.path_params["id"], person)
        return {}

    async def drop_all(self, _request: Request, person: str) -> Mapping[str, Any]:
        """None of those that are not whole."""
        for one, _ in await run_in_threadpool(self._uploads.all, person):
            if one.digest is None:
                await run_in_threadpool(self._uploads.drop, one.id, person)
        return {}


async def _body(request: Request) -> bytes:
    """A piece.

    Raises:
        TooLarge: over its limit; reading stops as soon as it is.
        TimeoutError: it did not come in time.
    """
    data = bytearray()
    async with asyncio.timeout(_PIECE_S):
        async for some in request.stream():
            data += some
            if len(data) > PIECE_BYTES:
                raise TooLarge(f"a piece has at most {PIECE_BYTES:,} bytes", fix="Load the page again")
    return bytes(data)


def _failed(error: AldisError, **more: Any) -> Response:
    return _said({"what": str(error.args[0]), "fix": error.fix, **more}, status_of(error))


def _said(what: Mapping[str, Any], status: int = 200, wait: int = 0) -> Response:
    headers = {**FIXED, "content-security-policy": "default-src 'none'", **({"retry-after": str(wait)} if wait else {})}
    return Response(msgspec.json.encode(what), status, headers, "application/json")
