"""The partner port: three operations over HTTP/1.1 (RFC 9112) on TLS 1.3 with pinned client certificates.

Checks, in this order: 1 the TLS handshake, against the active partners' certificates; 2 the pin, again before every
byte that is parsed; 3 the number of connections; 4 size and time of the head; 5 path and method; 6 the declared size,
before the body is read; 7 time of the body; 8 the pin, before the body is handed over. Signatures inside the body
are for `handle` to verify.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Final

import h11
import msgspec
import structlog

from aldis.kernel.errors import AldisError, InvalidInput, RefusedByPolicy, TooLarge, VerificationFailed
from aldis.node.channel import Channel
from aldis.node.logs import fault
from aldis.node.tls import Listener, pin, server_context

__all__ = ["OPERATIONS", "PROBLEM", "Handle", "Limits", "Partner", "PartnerPort", "Problem"]

OPERATIONS: Final = {"greet": 256 * 1024, "live": 1024 * 1024, "deliver": 64 * 1024 * 1024}  # largest body, bytes
PROBLEM: Final = "urn:aldis:problem:"  # the `type` of a problem is this and the code of an AldisError
Handle = Callable[[str, str, bytes | bytearray], Awaitable[bytes]]

_CHUNK = 256 * 1024
_STATUS: Final = ((TooLarge, 413), (InvalidInput, 400), (RefusedByPolicy, 403), (VerificationFailed, 422))
_LATER: Final = "This node cannot take it now; send it again later"
_log = structlog.stdlib.get_logger(__name__)


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of every answer but 200, `application/problem+json` (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Partner:
    """Who may call: the name given to `handle`, and the certificate (DER) pinned at pairing."""

    name: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What one port bears: counts, bytes, seconds, and bytes per second for a body that takes longer than `body_s`."""

    connections: int = 64
    connections_per_partner: int = 4
    handshakes: int = 64
    head_bytes: int = 8 * 1024
    handshake_s: float = 10
    head_s: float = 10
    body_s: float = 60
    body_rate: int = 64 * 1024
    answer_s: float = 60
    idle_s: float = 90
    linger_s: float = 1


class _Refusal(Exception):
    """Ends the connection with a problem."""

    def __init__(self, status: int, code: str, detail: str, *headers: tuple[str, str]) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


@dataclass(eq=False, slots=True)
class _Connection:
    pin: bytes
    partner: Partner
    channel: Channel
    http: h11.Connection
    idle: bool = False


_STEP_S = 0.02


class PartnerPort:
    """The server side of a link: moves bytes between active partners and `handle`.

    `handle(partner name, operation, body)` gives the answer's body. An AldisError that it raises is answered as a
    problem whose detail is the error's message, so the message must tell nothing that the partner may not know.
    What is this node's own trouble (Unavailable, any other exception) is logged, and answered without detail.
    """

    def __init__(self, handle: Handle, certificate: Path, key: Path, *, limits: Limits | None = None) -> None:
        """Files in PEM; nobody may call before `set_partners`.

        Raises:
            InvalidInput: unusable files.
        """
        self._handle = handle
        self._files = certificate, key
        self._limits = limits or Limits()
        self._partners: dict[bytes, Partner] = {}
        self._connections: dict[_Connection, None] = {}
        self._ending = False
        self._listener = Listener(
            server_context(certificate, key, ()),
            self._serve,
            handshakes=self._limits.handshakes,
            handshake_s=self._limits.handshake_s,
        )

    def set_partners(self, partners: Mapping[bytes, Partner]) -> None:
        """From now on these, by pin, are the active partners; connections of all others are closed at once.

        Raises:
            InvalidInput: a certificate that has another pin or cannot be pinned, or unusable files. Whoever is no
                longer named is out all the same, and nobody new is let in.
        """
        self._partners = {known: one for known, one in partners.items() if known == pin(one.certificate)}
        for connection in list(self._connections):
            if self._partners.get(connection.pin) != connection.partner:
                self._drop(connection)
        for wrong in partners.keys() - self._partners.keys():
            raise InvalidInput(f"the pin of {partners[wrong].name} is not that of its certificate")
        certificates = [partner.certificate for partner in partners.values()]
        self._listener.context = server_context(*self._files, certificates)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the number of the port (`port`, or a free one for 0).

        Raises:
            Unavailable: the address cannot be bound.
        """
        return await self._listener.start(host, port)

    async def stop(self, grace_s: float = 0.0) -> None:
        """Take no more requests, let those under way be answered for at most `grace_s`, then stop."""
        self._ending = True
        for connection in [one for one in self._connections if one.idle]:
            self._drop(connection)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while self._connections:
                    await asyncio.sleep(_STEP_S)
        await self._listener.stop()

    async def _serve(self, peer: bytes, channel: Channel) -> None:
        connection = _Connection(pin(peer), self._active(pin(peer)), channel, self._cycle(b""))
        try:
            try:
                self._count(connection)
                while not self._ending and (more := await self._exchange(connection)) is not None:
                    connection.http = self._cycle(more)
            except _Refusal as refusal:
                await self._refuse(connection, refusal)
            except h11.RemoteProtocolError as error:
                detail = "not an HTTP/1.1 request within the limits"
                await self._refuse(connection, _Refusal(error.error_status_hint, "invalid-input", detail))
            connection.idle = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.answer_s):
                    await channel.end()
        finally:
            self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        self._connections.pop(connection, None)
        connection.channel.abort()

    def _active(self, presented: bytes) -> Partner:
        for known, partner in self._partners.items():
            if hmac.compare_digest(known, presented):
                return partner
        raise ConnectionAbortedError("no active partner holds this certificate")

    def _count(self, connection: _Connection) -> None:
        own = [one for one in self._connections if one.pin == connection.pin]
        self._make_room(own, self._limits.connections_per_partner)
        self._make_room(list(self._connections), self._limits.connections)
        self._connections[connection] = None

    def _make_room(self, crowd: list[_Connection], most: int) -> None:
        # A link that was cut leaves connections behind that only look alive: they give way to a new one.
        if len(crowd) >= most:
            idle = next((one for one in crowd if one.idle), None)
            if idle is None:
                raise _Refusal(503, "unavailable", "too many connections")
            self._drop(idle)

    def _cycle(self, received: bytes) -> h11.Connection:
        """The parser of the next request, of which so much was received."""
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.head_bytes - 1)
        if received:
            http.receive_data(received)
        return http

    async def _exchange(self, connection: _Connection) -> bytes | None:
        """Answer one request; what was received of the next, or None where the connection can carry no other."""
        request = await self._head(connection)
        if request is None:
            return None
        operation, size = request
        body, more = await self._body(connection, size)
        status, answer = await self._answer(connection.partner.name, operation, body)
        await self._send(connection, status, answer)
        return more if connection.http.our_state is h11.DONE else None

    async def _head(self, connection: _Connection) -> tuple[str, int] | None:
        limits, http = self._limits, connection.http
        if not http.trailing_data[0]:
            connection.idle = True
            try:
                async with asyncio.timeout(limits.idle_s):
                    http.receive_data(await connection.channel.read(limits.head_bytes))
            except TimeoutError:
                return None
            finally:
                connection.idle = False
        async with _within(limits.head_s, "the head"):
            request = await self._next(connection, limits.head_bytes)
        if not isinstance(request, h11.Request):
            return None
        operation, headers = request.target.decode("latin-1").removeprefix("/"), dict(request.headers)
        if operation not in OPERATIONS:
            raise _Refusal(404, "invalid-input", "a partner port has only " + ", ".join(OPERATIONS))
        if request.method != b"POST":
            raise _Refusal(405, "invalid-input", "every operation is a POST", ("allow", "POST"))
        if b"transfer-encoding" in headers or b"content-length" not in headers:
            raise _Refusal(411, "invalid-input", "a body needs its Content-Length")
        size, most = int(headers[b"content-length"]), OPERATIONS[operation]
        if size > most:
            raise _Refusal(413, "too-large", f"the body of {operation} has at most {most} bytes")
        return operation, size

    async def _body(self, connection: _Connection, size: int) -> tuple[bytearray, bytes]:
        """The body and what was received after it; its bytes are what was declared, so nothing need parse them."""
        if connection.http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await self._write(connection, connection.http.send(go_on) or b"")
        received = connection.http.trailing_data[0]
        body = bytearray(size)
        start = min(size, len(received))
        body[:start] = received[:start]
        async with _within(max(self._limits.body_s, size / self._limits.body_rate), "the body"):
            if not await connection.channel.fill(memoryview(body)[start:]):
                raise h11.RemoteProtocolError("the body was cut short")
        self._active(connection.pin)
        return body, received[size:]

    async def _next(self, connection: _Connection, most: int) -> h11.Event | type[h11.PAUSED]:
        """The next event, with at most `most` bytes waiting to be parsed, so that h11's own limit is exact."""
        while True:
            self._active(connection.pin)
            event = connection.http.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            waiting = len(connection.http.trailing_data[0])
            connection.http.receive_data(await connection.channel.read(most - waiting))

    async def _answer(self, partner: str, operation: str, body: bytearray) -> tuple[int, bytes]:
        try:
            return 200, await self._handle(partner, operation, body)
        except AldisError as error:
            status = next((status for kind, status in _STATUS if isinstance(error, kind)), 503)
            if status == 503:  # the trouble is this node's own, and so is what there is to tell of it
                _log.error("request failed", partner=partner, operation=operation, code=error.code, cause=str(error))
                return status, _problem(status, error.code, _LATER)
            _log.warning("request refused", partner=partner, operation=operation, code=error.code)
            return status, _problem(status, error.code, str(error))
        except Exception as error:
            _log.error("request failed", partner=partner, operation=operation, **fault(error))
            return 500, _problem(500, "unavailable", "")

    async def _refuse(self, connection: _Connection, refusal: _Refusal) -> None:
        _log.warning("request refused", partner=connection.partner.name, status=refusal.status)
        problem = _problem(refusal.status, refusal.code, refusal.detail)
        await self._send(connection, refusal.status, problem, ("connection", "close"), *refusal.headers)
        # Reading on keeps a reset from destroying the answer (RFC 9112 section 9.6).
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.linger_s):
                while await connection.channel.read(_CHUNK):
                    pass

    async def _send(self, connection: _Connection, status: int, body: bytes, *more: tuple[str, str]) -> None:
        kind = "application/octet-stream" if status == 200 else "application/problem+json"
        fixed = [("date", formatdate(usegmt=True)), ("content-type", kind), ("content-length", str(len(body)))]
        http = connection.http
        data = http.send(h11.Response(status_code=status, headers=[*fixed, *more])) or b""
        with contextlib.suppress(h11.LocalProtocolError):  # the answer to HEAD has no body
            data += (http.send(h11.Data(data=body)) or b"") + (http.send(h11.EndOfMessage()) or b"")
        await self._write(connection, data)

    async def _write(self, connection: _Connection, data: bytes) -> None:
        async with asyncio.timeout(self._limits.answer_s):
            await connection.channel.write(data)


@contextlib.asynccontextmanager
async def _within(seconds: float, what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise _Refusal(408, "unavailable", f"{what} took longer than {seconds:g} s") from None


def _problem(status: int, code: str, detail: str) -> bytes:
    return msgspec.json.encode(Problem(PROBLEM + code, code.replace("-", " ").capitalize(), status, detail))
