"""The door: from a request to a page and back, each check once.

1. the session's cookie says who asks: nobody, unless the session still holds; each may ask so often and no more
2. a form comes from a page of this very host
3. a page that is for people signed in leads others to sign in, and back; of a form nothing is kept or looked at before
4. a page that takes a role is not there for who lacks it
5. a form is read within a limit, and carries what this session's forms do: of one with files, before any file
6. what the node refuses stands beside the form, with all that was typed
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from aldis.app import Go, Handed
from aldis.interfaces.api.limits import Buckets, Limits
from aldis.interfaces.api.visits import visit_of
from aldis.interfaces.web.download import attached, handed_over
from aldis.interfaces.web.forms import CSRF, FORM_BYTES, Fields, pass_over, read_fields, read_form
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.guard import COOKIE, fits, forget, from_elsewhere, ours, place_of, remember, safe_path
from aldis.interfaces.web.headers import FIXED
from aldis.interfaces.web.parts import TYPE, Intake
from aldis.interfaces.web.stream import Feed, Stream
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import (
    AldisError,
    Changed,
    InvalidInput,
    NotAuthentic,
    RefusedByPolicy,
    Stale,
    TooLarge,
    Unavailable,
    UnknownTerm,
)
from aldis.node.attachments import Reader
from aldis.node.logs import fault
from aldis.node.node import Node
from aldis.node.people import Person

__all__ = ["Door", "Session", "View", "status_of"]

_BODY_S = 30.0
_log = structlog.get_logger()
_STATUS: tuple[tuple[type[AldisError], int], ...] = (
    (TooLarge, 413),
    (NotAuthentic, 403),
    (Stale, 409),
    (Changed, 409),
    (InvalidInput, 422),
    (RefusedByPolicy, 403),
    (Unavailable, 503),
)


@dataclass(frozen=True, slots=True)
class Session:
    """Where a form leads that began or ended a session: its token, "" for none."""

    token: str
    path: str


Answer = Sheet | Go | Handed | Session | Reader | Feed


@dataclass(frozen=True, slots=True)
class View:
    """One page: how it is shown and, where it has a form, what the form does.

    `need` is the act that the page is for; `anyone` may see one without a session; without `reads` it is a form alone;
    with `files` the form may carry some; one that `streams` is no page but goes on.
    """

    path: str
    show: Callable[[Visit], Answer]
    act: Callable[[Visit], Answer] | None = None
    need: Act | None = None
    anyone: bool = False
    reads: bool = True
    limit: int = FORM_BYTES
    app: str = ""
    files: bool = False
    streams: bool = False


class Door:
    """Lets people of one node in to its views."""

    def __init__(self, node: Node, frame: Frame, limits: Limits) -> None:
        self._node = node
        self._frame = frame
        self._people = Buckets(limits.person_rate, limits.person_burst)
        self._strangers = Buckets(limits.stranger_rate, limits.stranger_burst)
        self._passwords = asyncio.Semaphore(limits.slow_threads)
        self._streams: Counter[str] = Counter()
        self._most_streams = limits.streams_per_person

    def route(self, view: View) -> Route:
        """The route of a view."""
        methods = [*(["GET"] if view.reads else []), *(["POST"] if view.act else [])]

        async def endpoint(request: Request) -> Response:
            return await self._answer(request, view)

        return Route(view.path, endpoint, methods=methods)

    async def who(self, request: Request) -> tuple[str, Person | None]:
        """The session's token and its person; none where it does not hold."""
        token = request.cookies.get(COOKIE, "")
        return token, await run_in_threadpool(self._who, token)

    def wait(self, request: Request, person: Person | None) -> float:
        """Seconds until they may ask again, a stranger by address; where they may now, this counts."""
        return self._people.take(person.id) if person else self._strangers.take(_address(request))

    async def _answer(self, request: Request, view: View) -> Response:
        token, person = await self.who(request)  # 1
        visit = Visit(
            self._node,
            request.url.path,
            person,
            token if person else "",
            secrets.token_urlsafe(16),
            place_of(request.headers.get("referer", "")),
            segments={name: str(value) for name, value in request.path_params.items()},
        )
        posted = request.method == "POST"
        self._tell(request, view, person)
        wait = self.wait(request, person)
        if wait > 0:
            return self._hurried(visit, wait)
        if posted and not ours(request.headers):  # 2
            return self._problem(visit, 403, "This form did not come from this node",
                                 "Nothing was done. Open the page here and fill it in again.")  # fmt: skip
        if person is None and not view.anyone:  # 3
            if posted and token:
                await pass_over(request, view.limit, _BODY_S)
            return self._outside(visit, request, posted)
        if view.need is not None and not visit.may(view.need):  # 4
            return self._nothing(visit)
        try:
            visit = replace(visit, query=read_fields(request.url.query))
            if posted:  # 5
                visit = await self._form(request, visit, view)
        except AldisError as error:
            return self._refused(visit, error)
        except TimeoutError:
            return self._problem(visit, 408, "The form did not arrive in time", "Send it again.")
        if view.streams and self._streams[visit.who.id] >= self._most_streams:
            return self._hurried(visit, 1)
        if not view.anyone:
            return await run_in_threadpool(self._run, visit, view, posted)
        async with self._passwords:
            return await run_in_threadpool(self._run, visit, view, posted)

    async def _form(self, request: Request, visit: Visit, view: View) -> Visit:
        if view.files and request.headers.get("content-type", "").lower().startswith(TYPE):
            intake = Intake(
                self._node.attachments.uploads, visit.who.id, lambda given: self._check_token(visit, given), view.limit
            )
            form = await intake.read(request)
            return replace(visit, form=form, error=intake.error)
        async with asyncio.timeout(_BODY_S):
            return replace(visit, form=await read_form(request, view.limit))

    @staticmethod
    def _tell(request: Request, view: View, person: Person | None) -> None:
        """For the log: which page and who, never what was asked for."""
        told = visit_of(request.scope)
        told.template, told.person, told.body_read = view.path, person.id if person else "", True

    def _hurried(self, visit: Visit, wait: float) -> Response:
        seconds = math.ceil(wait)
        response = self._problem(visit, 429, "Too many requests", f"Wait {seconds} s and try again.")
        response.headers["retry-after"] = str(seconds)
        return response

    def _who(self, token: str) -> Person | None:
        try:
            return self._node.people.sessions.who(token) if token else None
        except NotAuthentic:
            return None

    def _run(self, visit: Visit, view: View, posted: bool) -> Response:
        try:
            return self._tried(visit, view, posted)
        except Exception as error:
            _log.error("page failed", page=view.path, **fault(error))
            return self._problem(visit, 500, "A fault of the program", "The node's log says more.")

    def _tried(self, visit: Visit, view: View, posted: bool) -> Response:
        try:
            if posted and view.act is not None:
                self._check_token(visit, visit.form.get(CSRF))
                if visit.error is not None:
                    raise visit.error
                return self._response(visit, view.act(visit), view)
            return self._response(visit, view.show(visit), view)
        except UnknownTerm as error:
            return self._beside(visit, view, error) if posted else self._nothing(visit)
        except AldisError as error:
            return self._beside(visit, view, error) if posted else self._refused(visit, error)

    def _check_token(self, visit: Visit, given: str) -> None:
        if visit.person and not fits(self._node.core.secret, visit.token, given):
            raise Stale(
                "this form is of an earlier session, or of another level, and was not sent on",
                fix="Read it through, see at which level you work, and send it again",
            )

    def _beside(self, visit: Visit, view: View, error: AldisError) -> Response:
        """6: the page again with what was typed and why it failed; where there is no such page, none."""
        visit = replace(visit, error=error)
        try:
            answer = view.show(visit)
        except UnknownTerm:
            return self._nothing(visit)
        except AldisError as other:
            return self._refused(visit, other)
        if isinstance(answer, Sheet) and answer.status < 400:
            answer = replace(answer, status=status_of(error))
        return self._response(visit, answer, view)

    def _response(self, visit: Visit, answer: Answer, view: View) -> Response:
        if isinstance(answer, Sheet):
            return self._frame.page(visit, answer, view.app)
        if isinstance(answer, Reader):
            return attached(answer)
        if isinstance(answer, Handed):
            return handed_over(answer)
        if isinstance(answer, Feed):
            return Stream(answer, self._node.people.sessions, visit.token, visit.who.id, self._streams)
        response = RedirectResponse(answer.path, 303, FIXED)
        if isinstance(answer, Session):
            remember(response, answer.token) if answer.token else forget(response)
        return response

    def _outside(self, visit: Visit, request: Request, posted: bool) -> Response:
        """For somebody who is not signed in."""
        path = visit.path + (f"?{request.url.query}" if request.url.query else "")
        if posted:
            return self._frame.page(visit, Sheet("ended.html", "Your session has ended", {}, status=401))
        if from_elsewhere(request.headers) and not request.cookies.get(COOKIE):
            return self._frame.page(visit, Sheet("onward.html", "One moment", {"next": safe_path(path)}))
        return RedirectResponse(Fields.address("/sign-in", next=safe_path(path)), 303, FIXED)

    def _nothing(self, visit: Visit) -> Response:
        """What is not there and what one may not know of are told apart by nothing."""
        visit = replace(visit, path="", query=Fields(), form=Fields(), error=None)
        return self._frame.page(visit, Sheet("nothing.html", "Nothing here", {}, status=404))

    def _refused(self, visit: Visit, error: AldisError) -> Response:
        return self._problem(visit, status_of(error), str(error.args[0]), error.fix)

    def _problem(self, visit: Visit, status: int, what: str, fix: str) -> Response:
        values = {"what": what, "fix": fix}
        visit = replace(visit, form=Fields(), error=None)
        return self._frame.page(visit, Sheet("problem.html", "That did not work", values, status=status))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def status_of(error: AldisError) -> int:
    """The HTTP status that says so."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 409)
