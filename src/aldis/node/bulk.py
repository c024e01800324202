"""The way of attachments to a partner's port: one blocking connection, two pieces on their way."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock
from time import monotonic
from typing import Final

import h11

from aldis.kernel.errors import VerificationFailed

__all__ = ["LARGEST_ANSWER", "Bulk"]

LARGEST_ANSWER: Final = 1024 * 1024  # bytes
_KEEP_ALIVE_S = 60  # less than the idle time of a port
_READ = 64 * 1024
_FIX = "Try again, then run `aldis doctor`"


class Bulk:
    """One connection, made when it is first needed, for one thread at a time; only `close` may come from another.

    Each call raises OSError, h11.RemoteProtocolError, or VerificationFailed for an answer without its length or larger
    than LARGEST_ANSWER; close the connection then.
    """

    def __init__(self, partner: str, address: tuple[str, int], context: ssl.SSLContext, timeout_s: float) -> None:
        self._partner, self._address, self._context, self._timeout_s = partner, address, context, timeout_s
        self._socket: ssl.SSLSocket | None = None
        self._unheard: deque[h11.Connection] = deque()
        self._received = b""
        self._used = monotonic()
        self._lock = Lock()
        self._closed = Event()
        self._busy = False

    @property
    def stale(self) -> bool:
        """Whether it is closed, or was not used for so long that the partner may be about to close it."""
        return self._closed.is_set() or monotonic() - self._used > _KEEP_ALIVE_S

    def post(self, body: bytes | bytearray) -> tuple[int, bytes] | None:
        """Send a body to *deliver*; then status and answer of the one before it, where that was not heard.

        The partner takes a body only once it has answered the one before, so one answer at most waits to be heard.
        """
        with self._work():
            sock = self._socket = self._socket or self._connect()
            self._check_open()
            http = h11.Connection(h11.CLIENT)
            host, size = "{}:{}".format(*self._address), str(len(body))
            headers = [("Host", host), ("Content-Type", "application/octet-stream"), ("Content-Length", size)]
            sock.sendall(http.send(h11.Request(method="POST", target="/deliver", headers=headers)) or b"")
            sock.sendall(body)
            self._unheard.append(http)
            return self._hear(sock) if len(self._unheard) > 1 else None

    def hear(self) -> tuple[int, bytes]:
        """Status and answer of the last body."""
        with self._work():
            if self._socket is None or not self._unheard:
                raise ConnectionAbortedError("there is nothing to be heard")
            return self._hear(self._socket)

    def close(self) -> None:
        """End the connection, and with it what waits for it."""
        with self._lock:
            self._closed.set()
            if self._socket is None:
                return
            with suppress(OSError):  # not the method of SSLSocket: it would have the thread go on without TLS
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            if not self._busy:
                self._socket.close()

    @contextmanager
    def _work(self) -> Iterator[None]:
        """What the block uses is closed by nobody else while it runs."""
        with self._lock:
            self._check_open()
            self._busy = True
        try:
            yield
        finally:
            with self._lock:
                self._busy, self._used = False, monotonic()
                if self._closed.is_set() and self._socket is not None:
                    self._socket.close()

    def _connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(self._address, self._timeout_s)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._context.wrap_socket(plain, server_hostname=self._address[0])
        except BaseException:
            plain.close()
            raise

    def _hear(self, sock: ssl.SSLSocket) -> tuple[int, bytes]:
        http, answer, status = self._unheard.popleft(), bytearray(), 0
        if self._received:
            http.receive_data(self._received)
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                http.receive_data(sock.recv(_READ))
            elif isinstance(event, h11.Response):
                status = event.status_code
                size = dict(event.headers).get(b"content-length")
                if size is None:  # then its end could not be told from a cut
                    raise VerificationFailed(f"{self._partner} sent an answer without its length", fix=_FIX)
                self._check(int(size))
            elif isinstance(event, h11.Data):
                answer += event.data
        self._received = http.trailing_data[0]
        if http.their_state is not h11.DONE:
            self.close()
        return status, bytes(answer)

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise ConnectionAbortedError("the connection was given up")

    def _check(self, size: int) -> None:
        if size > LARGEST_ANSWER:
            raise VerificationFailed(f"{self._partner} sent more than {LARGEST_ANSWER} bytes", fix=_FIX)
