"""TCP and TLS 1.3: streams, to one system or from several."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from itertools import count

from aldis.apps.experiments.links.address import Address
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.links.mailbox import Mailbox
from aldis.kernel.errors import InvalidInput, Unavailable

__all__ = ["TcpLink", "open_tcp"]

_CHUNK = 64 * 1024
_CONNECTIONS = 64
_UNSENT = 1024 * 1024  # bytes that may wait for a slow system before messages to it are shed
_AGAIN_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_WAIT_S = 0.01
_HANDSHAKE_S = 10.0


class TcpLink:
    """Any number of connections up to 64. Whoever sends faster than what is taken is made to wait; nothing is shed.

    What a slow system does not take of what is sent to it is shed, whole messages.
    """

    def __init__(self) -> None:
        self.shed = 0
        """Messages that a slow system did not take."""
        self.port = 0
        self._mailbox = Mailbox()
        self._writers: dict[str, asyncio.StreamWriter] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = count(1)
        self._server: asyncio.Server | None = None

    async def receive(self) -> Piece:
        """See `Link`."""
        return await self._mailbox.take()

    async def send(self, data: bytes) -> None:
        """See `Link`."""
        for writer in list(self._writers.values()):
            if writer.is_closing() or writer.transport.get_write_buffer_size() > _UNSENT:
                self.shed += 1
            else:
                writer.write(data)

    async def close(self) -> None:
        """See `Link`."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
        self._mailbox.close()

    async def listen(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        """Wait for connections.

        Raises:
            Unavailable: the address cannot be listened at.
        """
        try:
            self._server = await asyncio.start_server(
                self._accept,
                host,
                port,
                ssl=context,
                limit=_CHUNK,
                ssl_handshake_timeout=_HANDSHAKE_S if context else None,
            )
        except OSError as error:
            raise Unavailable(
                f"cannot listen at {host}:{port}: {error.strerror or error}", fix="Choose another port"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    def connect(self, host: str, port: int, context: ssl.SSLContext | None, name: str | None) -> None:
        """Connect, and whenever the connection is lost, again."""
        self._start(self._keep_connected(host, port, context, name))

    def _start(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._writers) >= _CONNECTIONS:
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(asyncio.CancelledError):
            await self._read(reader, writer)

    async def _keep_connected(self, host: str, port: int, context: ssl.SSLContext | None, name: str | None) -> None:
        tries = 0
        while True:
            try:
                server = (name or host) if context else None
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=context, server_hostname=server, limit=_CHUNK
                )
            except OSError:
                await asyncio.sleep(_AGAIN_S[min(tries, len(_AGAIN_S) - 1)])
                tries += 1
                continue
            tries = 0
            await self._read(reader, writer)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = f"{(writer.get_extra_info('peername') or ('',))[0]}#{next(self._numbers)}"
        self._writers[peer] = writer
        try:
            while data := await reader.read(_CHUNK):
                while self._mailbox.full:
                    await asyncio.sleep(_WAIT_S)
                self._mailbox.put(Piece(data, peer))
        except OSError:
            pass
        finally:
            del self._writers[peer]
            self._mailbox.put(Piece(b"", peer, ended=True))
            writer.transport.abort()


async def open_tcp(address: Address) -> TcpLink:
    """Connect to an address, or wait at it for others.

    Raises:
        InvalidInput: a certificate or key that cannot be read.
        Unavailable: it cannot be listened at.
    """
    link = TcpLink()
    listens = address.scheme.endswith("-listen")
    context = _trust(address, listens=listens) if address.scheme.startswith("tls") else None
    if listens:
        await link.listen(address.host, address.port, context)
    else:
        link.connect(address.host, address.port, context, address.options.get("name"))
    return link


def _trust(address: Address, *, listens: bool) -> ssl.SSLContext:
    """TLS 1.3 with certificates on both sides, those of one authority alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if listens else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(address.options["ca"])
        context.load_cert_chain(address.options["cert"], address.options["key"])
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(
            f"the certificates of {address.scheme}://{address.host}:{address.port} cannot be read: {error}",
            fix="Give ca, cert and key as files in PEM; the key without a passphrase",
        ) from error
    return context
