"""The gateway: takes one request through its checks to its operation, and the answer back.

In this order: 1 path and method; 2 the address's rate, for whoever names no session; 3 the session; 4 the person's
rate; 5 the role; 6 the declared size, then size and time of the body; 7 its fields; 8 the `Idempotency-Key`; 9 the
operation, which decides for the person. Nothing of a body is read before 1 to 5 hold, and nothing parsed before 6.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from aldis.interfaces.api.kept import KeptAnswers
from aldis.interfaces.api.limits import Buckets, Limits
from aldis.interfaces.api.operations import Answer, Call, Operation
from aldis.interfaces.api.problems import HttpProblem, problem_of
from aldis.interfaces.api.shown import Shower
from aldis.interfaces.api.visits import Visit, visit_of
from aldis.kernel.authority import Act
from aldis.kernel.errors import AldisError, NotAuthentic, TooLarge
from aldis.node.node import Node
from aldis.node.people import Person, name_of

__all__ = ["STREAM", "Gateway", "Place", "address_of", "check_act", "matches", "not_signed_in", "read_body", "respond"]

_T = TypeVar("_T")
_TOKEN = 128
_QUERY = 8_192
STREAM = b"text/event-stream"
_CHALLENGE = {"www-authenticate": 'Bearer realm="aldis"'}
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
_log = structlog.get_logger()


class Gateway:
    """What all operations share: the node, its limits, and threads for what blocks."""

    def __init__(self, node: Node, limits: Limits) -> None:
        self.node = node
        self.limits = limits
        self.people = Buckets(limits.person_rate, limits.person_burst)
        self.strangers = Buckets(limits.stranger_rate, limits.stranger_burst)
        self.kept = KeptAnswers(node.core)
        self.shower = Shower(node.core)
        self.stopping = asyncio.Event()
        self._open: Counter[tuple[str, str]] = Counter()
        self._quick = ThreadPoolExecutor(limits.threads, "http")
        self._slow = ThreadPoolExecutor(limits.slow_threads, "http-slow")

    async def run(self, work: Callable[..., _T], *given: Any, slow: bool = False) -> _T:
        """Let a thread do what blocks; what takes long waits for its like alone."""
        return await asyncio.get_running_loop().run_in_executor(self._slow if slow else self._quick, work, *given)

    def close(self) -> None:
        """End the threads."""
        self._quick.shutdown(cancel_futures=True)
        self._slow.shutdown(cancel_futures=True)

    async def who(self, headers: Mapping[str, str], address: str) -> tuple[str, Person]:
        """The token and the person of a request; raises as `token` and `known`."""
        token = self.token(headers, address)
        return token, await self.run(self.known, token, address)

    def token(self, headers: Mapping[str, str], address: str) -> str:
        """The token that a request names.

        Raises:
            HttpProblem: it names none, or too many have tried from that address.
        """
        self.slow_down(self.strangers.wait(address))
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= _TOKEN:
            self.strangers.take(address)
            raise not_signed_in()
        return token

    def known(self, token: str, address: str) -> Person:
        """Whose token it is; reads the store, and so is for a thread.

        Raises:
            HttpProblem: nobody is signed in with it, or they have asked too much.
        """
        try:
            person = self.node.people.sessions.who(token)
        except NotAuthentic as error:
            self.strangers.take(address)
            raise not_signed_in() from error
        self.slow_down(self.people.take(person.id))
        return person

    @contextmanager
    def counted(self, what: str, person: str, most: int) -> Iterator[None]:
        """One of what a person may have `most` of at once.

        Raises:
            HttpProblem: they have as many.
        """
        if self._open[what, person] >= most:
            raise HttpProblem("too-many-requests", f"{most} {what} are open already", "End one first",
                              headers={"retry-after": "1"})  # fmt: skip
        self._open[what, person] += 1
        try:
            yield
        finally:
            self._open[what, person] -= 1
            if not self._open[what, person]:
                del self._open[what, person]

    def slow_down(self, wait: float) -> None:
        """Return, unless there is something to wait for (seconds).

        Raises:
            HttpProblem: too many requests.
        """
        if wait > 0:
            seconds = math.ceil(wait)
            raise HttpProblem(
                "too-many-requests", "too many requests", f"Wait {seconds} s", headers={"retry-after": str(seconds)}
            )


def check_act(person: Person, act: Act | tuple[Act, ...] | None) -> None:
    """Return if a role of the person allows the act, or one of several.

    Raises:
        RefusedByPolicy: none does.
    """
    acts = act if isinstance(act, tuple) else () if act is None else (act,)
    if acts and not any(person.may(one) for one in acts):
        name_of(person, acts[0])


def not_signed_in() -> HttpProblem:
    """The one answer to whoever is not signed in, for whatever reason."""
    return HttpProblem(
        "not-signed-in",
        "nobody is signed in with that, or no longer",
        "POST /api/v1/sign-in gives a token; send it as `Authorization: Bearer TOKEN`",
        headers=_CHALLENGE,
    )


class Place:
    """One path with its operations by method: an ASGI application."""

    def __init__(self, gateway: Gateway, operations: Sequence[Operation]) -> None:
        self._gateway = gateway
        self._path = operations[0].path
        self._operations = {one.method: one for one in operations}
        allowed = {*self._operations, *(["HEAD"] if "GET" in self._operations else []), "OPTIONS"}
        self._allow = ", ".join(method for method in _METHODS if method in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a problem is the guard's to write."""
        visit = visit_of(scope)
        visit.template = self._path
        method = scope["method"]
        if method == "OPTIONS":
            await respond(send, 204, b"", {"allow": self._allow})
            return
        operation = self._operations.get("GET" if method == "HEAD" else method)  # 1
        if operation is None:
            raise HttpProblem(
                "method-not-allowed", f"no {method[:20]} here", f"Use {self._allow}", headers={"allow": self._allow}
            )
        try:
            await self._answer(operation, visit, scope, receive, send)
        except AldisError as error:
            if error.code == "unavailable":
                _log.error("request failed", request=visit.id, route=self._path, code=error.code, cause=str(error))
            if isinstance(error, NotAuthentic) and operation.session:
                self._gateway.strangers.take(address_of(scope))
                raise HttpProblem("not-signed-in", str(error.args[0]), error.fix, headers=_CHALLENGE) from error
            raise problem_of(error, names_something=bool(operation.path_names)) from error

    async def _answer(self, operation: Operation, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        gateway = self._gateway
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        address, head, token = address_of(scope), scope["method"] == "HEAD", ""
        if operation.open_:
            gateway.slow_down(gateway.strangers.take(address))  # 2
        else:
            token = gateway.token(headers, address)  # 2

        def admitted() -> Call:
            person = None if operation.open_ else gateway.known(token, address)  # 3, 4
            if person is not None:
                visit.person = person.id
                check_act(person, operation.act)  # 5
            return Call(gateway.node, gateway.shower, person, token, headers, address, head)

        early = None if operation.at_once else await gateway.run(admitted) if token else admitted()
        body = b""
        if operation.has_body and not operation.raw:
            body = await read_body(receive, headers, operation.size, gateway.limits.body_s)  # 6
        visit.body_read = early is not None and not operation.raw
        if operation.streams and head:
            await respond(send, 200, b"", {"content-type": STREAM.decode()})
            return
        if early is not None and (operation.streams or operation.raw or operation.file):
            asked = operation.read(scope["path_params"], _query(scope["query_string"]), body)
            await operation.handler(early, asked)(gateway, receive, send)
            visit.body_read = True
            return

        def work() -> Answer:
            call = early or admitted()
            visit.body_read = True
            asked = operation.read(scope["path_params"], _query(scope["query_string"]), body)  # 7
            key, person = headers.get("idempotency-key"), call.signed_in
            if key is None or operation.method != "POST" or person is None:
                return _encoded(operation.handler(call, asked), operation)
            request = (operation.method, scope["path"], body, *(headers.get("if-match", ""),) * operation.if_match)
            return gateway.kept.once(
                key, person, request, operation, lambda: _encoded(operation.handler(call, asked), operation)
            )  # 8, 9

        answer = await gateway.run(work, slow=operation.slow)
        more = dict(answer.headers)
        if operation.paged and (cursor := more.pop("x-next", "")):
            more["link"] = _link(scope["path"], _query(scope["query_string"]), cursor)
        if operation.etag and answer.status == 200 and matches(headers.get("if-none-match"), more.get("etag", "")):
            answer = Answer(b"", 304)
        await respond(send, answer.status, answer.body, more, json=bool(answer.body))


def address_of(scope: Scope) -> str:
    """Whence a request came."""
    return str(scope["client"][0]) if scope["client"] else ""


def _encoded(found: Any, operation: Operation) -> Answer:
    """The answer with its body as bytes."""
    answer = found if isinstance(found, Answer) else Answer(found, operation.status)
    headers = dict(answer.headers)
    if answer.body is None:
        return Answer(b"", 204 if answer.status == 200 else answer.status, headers)
    body = answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)
    return Answer(body, answer.status, headers)


async def respond(send: Send, status: int, body: bytes, headers: Mapping[str, str], *, json: bool = False) -> None:
    """Send an answer whole."""
    given = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if json and "content-type" not in headers:
        given.append((b"content-type", b"application/json"))
    if status not in (204, 304):
        given.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive, headers: Mapping[str, str], most: int, seconds: float) -> bytes:
    """The body of a request.

    Raises:
        HttpProblem: no JSON, or it takes too long.
        TooLarge: more than `most` bytes, declared or sent.
    """
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > most:
        raise _too_large(most)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    held = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HttpProblem("invalid-input", "the connection was closed before the body was whole")
                held += message.get("body", b"")
                if len(held) > most:
                    raise _too_large(most)
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise HttpProblem("request-timeout", f"the body took longer than {seconds:g} s", "Send it again") from None
    if held and kind != "application/json":
        raise HttpProblem(
            "unsupported-media-type", "the body is not declared as JSON", "Send `Content-Type: application/json`"
        )
    return bytes(held)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the body of this operation has at most {most:,} bytes", fix="Send it in parts")


def _query(raw: bytes) -> list[tuple[str, str]]:
    if len(raw) > _QUERY:
        raise TooLarge(f"a query of {len(raw)} bytes; the limit is {_QUERY}", fix="Ask for less at once")
    try:
        return parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, strict_parsing=raw != b"", errors="strict", max_num_fields=64
        )
    except ValueError as error:
        raise HttpProblem("invalid-input", "the query cannot be read", "Write it as name=value&name=value") from error


def _link(path: str, query: Sequence[tuple[str, str]], cursor: str) -> str:
    asked = [(name, value) for name, value in query if name != "cursor"]
    return f'<{path}?{urlencode([*asked, ("cursor", cursor)])}>; rel="next"'


def matches(given: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names this tag (RFC 9110 section 13.1.2)."""
    if not given or not tag:
        return False
    return given.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in given.split(","))
