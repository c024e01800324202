"""Node certificates and TLS: version 1.3 only (RFC 8446), trusting exactly the certificates that were paired.

A node's certificate is self-signed and carries no authority: partners know it by its pin, the SHA-256 of its DER.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, Unavailable
from aldis.node.channel import Channel

__all__ = ["Listener", "check_certificate", "client_context", "make_certificate", "pin", "server_context"]

_CLOCK_SKEW = timedelta(days=1)
_NO_EXPIRY = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_CURVES = (ec.SECP256R1, ec.SECP384R1)
_log = structlog.stdlib.get_logger(__name__)


def make_certificate(node_id: str, now: int) -> tuple[bytes, bytes]:
    """A new P-256 key and its self-signed certificate, as `(certificate PEM, key PEM)`.

    The certificate is valid from a day before `now` (ms since the epoch) and does not expire (RFC 5280 section
    4.1.2.5): pairing and suspension, not dates, decide who is a partner.

    Raises:
        InvalidInput: `node_id` does not fit a common name (1 to 64 characters, RFC 5280 appendix A.1).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    try:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, node_id)])
    except ValueError as error:
        raise InvalidInput(f"node id {node_id!r} cannot name a certificate: {error}") from error
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(now / 1000, UTC) - _CLOCK_SKEW)
        .not_valid_after(_NO_EXPIRY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), key_pem


def pin(certificate: bytes) -> bytes:
    """The 32 bytes by which a partner's certificate (DER) is known."""
    return sha256(certificate)


def check_certificate(certificate: bytes) -> None:
    """Check that these bytes are exactly one certificate (DER) that a partner may be pinned to.

    Checks, in this order: 1 one DER certificate and nothing after it; 2 self-signed; 3 it says that it is no
    authority, so that a TLS stack that trusts it trusts nothing it signed; 4 its key is Ed25519, P-256 or P-384.

    Raises:
        InvalidInput: one of these does not hold.
    """
    try:
        parsed = x509.load_der_x509_certificate(certificate)  # 1
        parsed.verify_directly_issued_by(parsed)  # 2
        authority = parsed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca  # 3
        key = parsed.public_key()
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        cause = str(error) or type(error).__name__
        raise InvalidInput(
            f"not a self-signed partner certificate: {cause}", fix="Ask the partner for a new invitation"
        ) from error
    if authority:
        raise InvalidInput("a partner certificate must not be an authority", fix="Ask the partner for a new invitation")
    curve = key.curve if isinstance(key, ec.EllipticCurvePublicKey) else None
    if not isinstance(key, ed25519.Ed25519PublicKey) and not isinstance(curve, _CURVES):  # 4
        raise InvalidInput("a partner's TLS key must be Ed25519, P-256 or P-384", fix="Ask the partner to re-key")


def server_context(certificate: Path, key: Path, partners: Iterable[bytes]) -> ssl.SSLContext:
    """A context for a partner port: the handshake fails for whoever holds none of `partners` (DER).

    No session tickets are issued, so a suspended partner cannot come back by resumption (RFC 8446 section 2.2).

    Raises:
        InvalidInput: unusable certificate or key files (PEM), or a partner certificate that cannot be pinned.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, certificate, key, partners)
    context.num_tickets = 0
    return context


def client_context(certificate: Path, key: Path, partner: bytes) -> ssl.SSLContext:
    """A context for a link to the one node that holds `partner` (DER); host names play no part.

    Raises:
        InvalidInput: unusable certificate or key files (PEM), or a partner certificate that cannot be pinned.
    """
    return _context(ssl.PROTOCOL_TLS_CLIENT, certificate, key, [partner])


def _context(protocol: int, certificate: Path, key: Path, trusted: Iterable[bytes]) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise InvalidInput(
            f"{certificate} and {key} are no usable certificate and key: {error}", fix="Run `aldis doctor`"
        ) from error
    for one in trusted:
        check_certificate(one)
        context.load_verify_locations(cadata=one)
    return context


class Listener:
    """Accepts connections: `serve(peer's certificate in DER, channel)` runs once a handshake has held.

    `context` may be replaced at any time and counts from the next connection on. At most `handshakes` run at once,
    each for at most `handshake_s`; one more ends the oldest, so that strangers never keep partners out.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        serve: Callable[[bytes, Channel], Awaitable[None]],
        *,
        handshakes: int,
        handshake_s: float,
    ) -> None:
        self.context = context
        self._serve = serve
        self._most = handshakes
        self._handshake_s = handshake_s
        self._handshakes: dict[asyncio.Task[None], None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket: socket.socket | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the number of the port (`port`, or a free one for 0).

        Raises:
            Unavailable: the address cannot be bound.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=self._most)
        except OSError as error:
            raise Unavailable(
                f"cannot listen on {host} port {port}: {error.strerror}",
                fix="Choose another address in the configuration, or see `aldis doctor`",
            ) from error
        self._socket.setblocking(False)
        self._spawn(self._accept(self._socket))
        return int(self._socket.getsockname()[1])

    async def stop(self) -> None:
        """Stop listening, and cancel every handshake and every `serve` under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                accepted, address = await asyncio.get_running_loop().sock_accept(listener)
            except OSError as error:
                _log.error("accept failed", cause=error.strerror)
                await asyncio.sleep(1)
                continue
            if len(self._handshakes) >= self._most:
                oldest = next(iter(self._handshakes))
                del self._handshakes[oldest]
                oldest.cancel()
            self._handshakes[self._spawn(self._connect(accepted, address[0]))] = None
            await asyncio.sleep(0)

    async def _connect(self, accepted: socket.socket, address: str) -> None:
        try:
            channel, peer = await self._open(accepted)
        except OSError as error:
            _log.warning("handshake refused", address=address, cause=getattr(error, "reason", type(error).__name__))
            return
        finally:
            self._handshakes.pop(asyncio.current_task(), None)  # type: ignore[arg-type]
        try:
            await self._serve(peer, channel)
        except OSError as error:
            _log.info("connection lost", address=address, cause=type(error).__name__)
        finally:
            channel.abort()

    async def _open(self, accepted: socket.socket) -> tuple[Channel, bytes]:
        channel = Channel(accepted, self.context)
        try:
            async with asyncio.timeout(self._handshake_s):
                return channel, await channel.shake_hands()
        except BaseException:
            channel.abort()
            raise
