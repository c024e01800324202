"""A link over zenoh: what is said below one key prefix is received, what is sent is said below another.

    zenoh://HOST:PORT/PREFIX?…        a peer that connects there, and tries again for as long as nobody is there
    zenoh-listen://HOST:PORT/PREFIX?… a peer that others connect to

| option | meaning |
|---|---|
| `mode=client` | a client: of one router or peer, which must be there; `mode=peer` is the default |
| `publish=PREFIX` | say below another prefix than the one that is heard |
| `ca=FILE` | TLS: whose certificates are believed; without `cert` and `key` only who connects needs no certificate |
| `cert=FILE&key=FILE` | TLS: one's own; whoever has them asks the other side for a certificate of `ca`, too |

Nothing is found but what the URL names: no multicast, no gossip, no shared memory, no plugin, no other port. Without a
host it is the loopback address. The options of zenoh: https://zenoh.io/docs/manual/configuration and …/tls (1.x).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from aldis.apps.experiments.envelope import MAX_KEY, MAX_PAYLOAD, opened, sealed
from aldis.apps.experiments.gateways.gateway import missing
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.links.mailbox import WAITING, Mailbox
from aldis.kernel.errors import InvalidInput, Unavailable

try:
    import zenoh
except ImportError as error:
    raise missing("eclipse-zenoh") from error

__all__ = ["Place", "ZenohLink", "place_of"]

_FIX = "Write zenoh://127.0.0.1:7447/PREFIX, or zenoh-listen://… where others connect to you"
_OPTIONS = frozenset({"mode", "publish", "ca", "cert", "key"})
_LARGEST_MESSAGE = 2 * MAX_PAYLOAD
_NOT_IN_PREFIX = frozenset("*$?#")


@dataclass(frozen=True, slots=True)
class Place:
    """A URL understood; files are in PEM."""

    host: str
    port: int
    hear: str
    say: str
    listen: bool = False
    mode: str = "peer"
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def endpoint(self) -> str:
        """As zenoh writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.ca else 'tcp'}/{host}:{self.port}"

    def settings(self) -> dict[str, Any]:
        """Whatever zenoh is told, by the path of its configuration."""
        ends = [self.endpoint]
        told: dict[str, Any] = {
            "mode": self.mode,
            "listen/endpoints": ends if self.listen else [],
            "connect/endpoints": [] if self.listen else ends,
            "scouting/multicast/enabled": False,
            "scouting/gossip/enabled": False,
            "transport/shared_memory/enabled": False,
            "transport/link/protocols": ["tls" if self.ca else "tcp"],
            "transport/link/rx/max_message_size": _LARGEST_MESSAGE,
        }
        if self.ca:
            told["transport/link/tls"] = {
                "root_ca_certificate": str(self.ca),
                "enable_mtls": self.cert is not None,
                "listen_certificate": _text(self.cert),
                "listen_private_key": _text(self.key),
                "connect_certificate": _text(self.cert),
                "connect_private_key": _text(self.key),
                "verify_name_on_connect": True,
                "close_link_on_expiration": True,
            }
        return told


def place_of(url: str) -> Place:
    """Where and what a URL says.

    Raises:
        InvalidInput: it is not such a URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        said = dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=8))
    except ValueError as error:
        raise InvalidInput(f"not a place of zenoh: {url!r}", fix=_FIX) from error
    if (
        parts.scheme not in ("zenoh", "zenoh-listen")
        or port is None
        or "@" in parts.netloc
        or not said.keys() <= _OPTIONS
    ):
        raise InvalidInput(f"not a place of zenoh: {url!r}", fix=_FIX)
    mode, listen = said.get("mode", "peer"), parts.scheme == "zenoh-listen"
    if mode not in ("peer", "client") or (mode == "client" and listen):
        raise InvalidInput(f"mode {mode!r} cannot be had here", fix="mode=peer, or mode=client where you connect")
    files = {name: Path(said[name]) for name in ("ca", "cert", "key") if said.get(name)}
    if ("cert" in files) != ("key" in files) or (files and "ca" not in files) or (listen and files and len(files) < 3):
        raise InvalidInput("TLS wants ca, and cert with key", fix="ca=FILE&cert=FILE&key=FILE; a listener needs all")
    hear = _prefix(unquote(parts.path))
    say = _prefix(said["publish"]) if "publish" in said else hear
    return Place(parts.hostname or "127.0.0.1", port, hear, say, listen, mode, **files)


def _prefix(text: str) -> str:
    prefix = text.strip("/")
    if not prefix or "//" in prefix or len(prefix) > MAX_KEY // 4 or not _NOT_IN_PREFIX.isdisjoint(prefix):
        raise InvalidInput(f"{text!r} is no prefix of keys", fix="Write words joined by /, without * $ ? #")
    return prefix


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


class ZenohLink:
    """A session of its own; see `Link`. Pieces are envelopes whose key stands below the prefix.

    `refused` counts samples with a key or payload that is too large, and withdrawals, which say nothing here.
    """

    def __init__(self, place: Place, limit: int = WAITING) -> None:
        self.refused = 0
        self._place = place
        self._mailbox = Mailbox(limit)
        self._session: Any = None
        self._subscriber: Any = None

    @classmethod
    async def open(cls, url: str, limit: int = WAITING) -> ZenohLink:
        """Connect, or listen, and subscribe.

        Raises:
            InvalidInput: not a URL of zenoh.
            Unavailable: the address is taken, the certificates are not right, or (a client) nobody is there.
        """
        link = cls(place_of(url), limit)
        try:
            await asyncio.to_thread(link._start)
        except zenoh.ZError as error:
            await link.close()
            raise link._unavailable(error, "Is it there, is the port free, do the certificates fit?") from error
        return link

    @property
    def shed(self) -> int:
        """Pieces that nobody took in time."""
        return self._mailbox.shed

    async def receive(self) -> Piece:
        """The next envelope; `EOFError` once it is closed."""
        return await self._mailbox.take()

    async def send(self, data: bytes) -> None:
        """Say an envelope's payload below the prefix; zenoh drops it for whoever does not keep up.

        Raises:
            Unavailable: the session is closed.
            InvalidInput: no envelope.
        """
        if self._session is None:
            raise Unavailable(f"zenoh at {self._place.endpoint} is closed", fix="Open it again")
        try:
            envelope = opened(data)
        except ValueError as error:
            raise InvalidInput("these bytes are no envelope", fix="Send what the gateway encoded") from error
        try:
            self._session.put(
                f"{self._place.say}/{envelope.key}",
                envelope.payload,
                congestion_control=zenoh.CongestionControl.DROP,
            )
        except zenoh.ZError as error:
            raise self._unavailable(error, "Is its key in order?") from error

    async def close(self) -> None:
        """End the session, and wait until its threads and port are free."""
        self._mailbox.close()
        session, self._session = self._session, None
        if session is not None:
            await asyncio.to_thread(self._end, session)

    def _start(self) -> None:
        config = zenoh.Config()
        for name, value in self._place.settings().items():
            config.insert_json5(name, json.dumps(value))
        self._session = zenoh.open(config)
        self._subscriber = self._session.declare_subscriber(
            f"{self._place.hear}/**", self._heard, allowed_origin=zenoh.Locality.REMOTE
        )

    def _end(self, session: Any) -> None:
        if self._subscriber is not None:
            self._subscriber.undeclare()
        session.close()

    def _heard(self, sample: Any) -> None:
        """In a thread of zenoh."""
        key = str(sample.key_expr)[len(self._place.hear) + 1 :]
        if sample.kind != zenoh.SampleKind.PUT or not 0 < len(key) <= MAX_KEY or len(sample.payload) > MAX_PAYLOAD:
            self.refused += 1
            return
        self._mailbox.put(Piece(sealed(key, sample.payload.to_bytes()), self._place.endpoint))

    def _unavailable(self, error: Exception, fix: str) -> Unavailable:
        """In zenoh's words, without the place in its source."""
        return Unavailable(f"zenoh at {self._place.endpoint}: {str(error).split(' at /', 1)[0].strip()}", fix=fix)
