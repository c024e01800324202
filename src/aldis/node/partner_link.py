"""The link to one partner's port: the client side of `aldis.node.partner_port`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final, Self

import h11
import httpx2
import msgspec

from aldis.kernel import errors
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, TooLarge, Unavailable, VerificationFailed
from aldis.node.bulk import LARGEST_ANSWER, Bulk
from aldis.node.partner_port import OPERATIONS, PROBLEM, Problem

__all__ = ["LARGEST_ANSWER", "PartnerLink"]

_CHUNK = 256 * 1024
_SLOWEST = 64 * 1024  # bytes per second
_KEEP_ALIVE_S = 60  # less than the idle time of a port
_DOCTOR = "Try again, then run `aldis doctor`"
_ERRORS: Final[dict[str, type[AldisError]]] = {
    kind.code: kind for kind in (getattr(errors, name) for name in errors.__all__) if kind is not AldisError
}


class PartnerLink:
    """Calls one partner's three operations; nothing but `context` (see `client_context`) decides whom it trusts.

    Each call raises the error that the partner answered with (an AldisError, by its code), or:
        TooLarge: the body exceeds what the operation takes; nothing was sent.
        NotAuthentic: TLS failed, for one because the partner's certificate is not the pinned one.
        VerificationFailed: an answer that is not framed, or larger than LARGEST_ANSWER.
        Unavailable: no connection, no answer in time, or no answer of a partner port.
    """

    def __init__(self, partner: str, url: str, context: ssl.SSLContext, *, timeout_s: float = 60) -> None:
        """`url` is `https://host:port`; `timeout_s` bounds each step, and with the time of the body the whole call.

        Raises:
            InvalidInput: another kind of `url`.
        """
        try:
            parsed = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise InvalidInput(f"the address of {partner} is no URL: {error}", fix="Use https://host:port") from error
        if parsed.scheme != "https" or not parsed.host or parsed.userinfo or parsed.raw_path != b"/":
            raise InvalidInput(f"the address of {partner} cannot be {url!r}", fix="Use https://host:port")
        self._partner, self._url, self._timeout_s = partner, parsed, timeout_s
        # The transport alone: a client would add cookies, proxies, redirects and log lines.
        limits = httpx2.Limits(max_connections=len(OPERATIONS), keepalive_expiry=_KEEP_ALIVE_S)
        self._context = context
        self._bulk: Bulk | None = None
        self._transport = httpx2.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)

    async def __aenter__(self) -> Self:
        """The link itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close the connections; the link cannot be used again."""
        self.hang_up()
        await self._transport.aclose()

    async def greet(self, body: bytes) -> bytes:
        """Say who we are and hear where the partner stands."""
        return await self._call("greet", body)

    async def deliver(self, body: bytes) -> bytes:
        """Hand over one bundle; the receipt."""
        return await self._call("deliver", body)

    async def content(self, body: bytes | bytearray) -> bytes | None:
        """Hand over one piece of an attachment; then the answer to the one before it, if that is still to be heard.

        As `deliver`, over a blocking socket of its own: encrypting from memory to the socket, without an event loop
        between, takes a third of the time. One answer at most stays to be heard; `heard` gives it.
        """
        if len(body) > OPERATIONS["deliver"]:
            raise TooLarge(f"deliver takes at most {OPERATIONS['deliver']} bytes, this body has {len(body)}")
        return await self._in_thread(lambda bulk: bulk.post(body), len(body))

    async def heard(self) -> bytes:
        """The answer to the last piece."""
        return await self._in_thread(Bulk.hear, 0) or b""

    def hang_up(self) -> None:
        """Give up the connection of `content`, and the answer that is still to be heard."""
        if self._bulk is not None:
            self._bulk.close()

    async def _in_thread(self, work: Callable[[Bulk], tuple[int, bytes] | None], size: int) -> bytes | None:
        if self._bulk is None or self._bulk.stale:
            self.hang_up()
            address = (self._url.host, self._url.port or 443)
            self._bulk = Bulk(self._partner, address, self._context, self._timeout_s)
        try:
            async with asyncio.timeout(2 * self._timeout_s + size / _SLOWEST):
                found = await asyncio.to_thread(work, self._bulk)
        except (h11.RemoteProtocolError, OSError) as error:
            self.hang_up()
            raise self._failure("deliver", error) from error
        except BaseException:  # cancelled, for one: the thread is not to wait for the socket
            self.hang_up()
            raise
        if found is not None and found[0] != 200:
            raise self._problem("deliver", *found)
        return found[1] if found is not None else None

    async def live(self, body: bytes) -> bytes:
        """Hand over one live frame."""
        return await self._call("live", body)

    async def _call(self, operation: str, body: bytes) -> bytes:
        if len(body) > OPERATIONS[operation]:
            raise TooLarge(f"{operation} takes at most {OPERATIONS[operation]} bytes, this body has {len(body)}")
        timeout = httpx2.Timeout(self._timeout_s, connect=min(self._timeout_s, 10))
        request = httpx2.Request(
            "POST",
            self._url.join(operation),
            content=_pieces(body),
            headers={"content-length": str(len(body))},
            extensions={"timeout": timeout.as_dict()},
        )
        try:
            async with asyncio.timeout(2 * self._timeout_s + len(body) / _SLOWEST):
                response = await self._transport.handle_async_request(request)
                answer = await self._read(response)
        except (httpx2.HTTPError, OSError) as error:
            raise self._failure(operation, error) from error
        if response.status_code != 200:
            raise self._problem(operation, response.status_code, answer)
        return answer

    async def _read(self, response: httpx2.Response) -> bytes:
        answer = bytearray()
        try:
            if "content-length" not in response.headers:  # then its end could not be told from a cut
                raise VerificationFailed(f"{self._partner} sent an answer without its length", fix=_DOCTOR)
            async for piece in response.aiter_raw():
                answer += piece
                if len(answer) > LARGEST_ANSWER:
                    raise VerificationFailed(f"{self._partner} sent more than {LARGEST_ANSWER} bytes", fix=_DOCTOR)
        finally:
            await response.aclose()
        return bytes(answer)

    def _failure(self, operation: str, error: Exception) -> AldisError:
        where = f"{self._partner} at {self._url}"
        for cause in _causes(error):
            # Subclasses but this one tell of a lost connection.
            if isinstance(cause, ssl.SSLCertVerificationError) or type(cause) is ssl.SSLError:
                reason = getattr(cause, "verify_message", cause.reason)
                return NotAuthentic(
                    f"TLS with {where} failed: {reason}", fix="Compare fingerprints with the partner, and pair again"
                )
        fix = _DOCTOR
        cut = (httpx2.RemoteProtocolError, httpx2.ReadError, h11.RemoteProtocolError, ConnectionError)
        if isinstance(error, cut):
            fix += "; a node that is not paired, or is suspended, is cut off like this"
        return Unavailable(f"{where} did not answer {operation}: {str(error) or type(error).__name__}", fix=fix)

    def _problem(self, operation: str, status: int, answer: bytes) -> AldisError:
        try:
            problem = msgspec.json.decode(answer, type=Problem)
        except msgspec.DecodeError:
            problem = Problem(PROBLEM, "not an answer of a partner port", status)
        kind = _ERRORS.get(problem.type.removeprefix(PROBLEM), Unavailable)
        said = "".join(c if c.isprintable() else " " for c in f"{problem.title}: {problem.detail}"[:500])
        return kind(f"{self._partner} answered {operation} with {status}, {said.removesuffix(': ')}")


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
