"""Where sea reports come from: a file, or UDP datagrams. NMEA 0183 and NMEA 2000 logs are told apart by line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from aldis.apps.experiments.gateways.ais import AisGateway
from aldis.apps.experiments.gateways.n2k import LOG_LINE, N2kGateway
from aldis.apps.experiments.gateways.observation import Observation, Tally
from aldis.apps.experiments.gateways.sentences import MAX_LINE
from aldis.kernel.errors import InvalidInput, TooLarge, Unavailable

__all__ = ["MAX_FILE", "Receiver", "datagrams", "endpoint", "read_file"]

MAX_FILE = 4 << 30
_LOOK_AT = 50  # lines to look at before a file counts as neither format
_FORMATS = (
    "Give a file of NMEA 0183 sentences (!AIVDM,1,1,,A,…*hh) or of NMEA 2000 messages as CANboat logs them "
    "(2014-08-15T19:00:00.443Z,4,129038,43,255,27,c1,…)"
)


class Receiver:
    """Both gateways behind one tally: a line that begins with a digit is NMEA 2000, any other NMEA 0183."""

    def __init__(self, tally: Tally | None = None) -> None:
        self.tally = tally or Tally()
        self._ais = AisGateway(self.tally)
        self._n2k = N2kGateway(self.tally)

    def feed(self, line: bytes, arrived_ms: int) -> Observation | None:
        """The observation that `line` completes, if any; see `Gateway`."""
        return (self._n2k if line[:1].isdigit() else self._ais).feed(line, arrived_ms)

    def close(self) -> None:
        """Count what still waits as dropped."""
        self._ais.close()
        self._n2k.close()


def read_file(path: Path, *, arrived_ms: int, tally: Tally | None = None) -> Iterator[Observation]:
    """Observations of a recording, in its order; `arrived_ms` dates sentences without any time stamp.

    Raises:
        InvalidInput: there is no such file, or its first lines are in neither format.
        TooLarge: more than `MAX_FILE` bytes.
    """
    try:
        with path.open("rb") as file:
            if path.stat().st_size > MAX_FILE:
                raise TooLarge(f"{path} is larger than {MAX_FILE} bytes", fix="Split it")
            yield from _read(path, file, arrived_ms, tally)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", fix=_FORMATS) from error


def _read(path: Path, file: BinaryIO, arrived_ms: int, tally: Tally | None) -> Iterator[Observation]:
    receiver = Receiver(tally)
    lines = _lines(file)
    head = list(islice(lines, _LOOK_AT))
    if not any(_familiar(line) for line in head):
        first = next((line.strip() for line in head if line.strip()), b"")
        raise InvalidInput(
            f"{path} holds neither AIS sentences nor an NMEA 2000 log; it begins {_shown(first)}", fix=_FORMATS
        )
    for part in (head, lines):
        for line in part:
            if observation := receiver.feed(line, arrived_ms):
                yield observation
    receiver.close()


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of at most `MAX_LINE` + 1 bytes: of a longer one the rest is skipped, so the gateway drops it."""
    while line := file.readline(MAX_LINE + 1):
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE + 1)
        yield line


def _familiar(line: bytes) -> bool:
    line = line.strip()
    return bool(LOG_LINE.fullmatch(line)) or line[3:6] in (b"VDM", b"VDO") or line.startswith((b"$PGHP,", b"\\"))


def _shown(line: bytes) -> str:
    return repr(line[:60].decode("ascii", "replace")) if line else "with nothing"


def endpoint(url: str) -> tuple[str, int]:
    """Host and port of `udp://host:port`; without a host it is the loopback address.

    Raises:
        InvalidInput: another scheme, no port, or more than a host and a port.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "udp" or port is None or parts.path or parts.query or "@" in parts.netloc:
        raise InvalidInput(f"not a place to listen at: {url!r}", fix="Write udp://127.0.0.1:10110 or udp://:10110")
    return parts.hostname or "127.0.0.1", port


class _Inbox(asyncio.DatagramProtocol):
    """The last `limit` datagrams; older ones are dropped and counted."""

    def __init__(self, limit: int, tally: Tally) -> None:
        self.waiting: deque[bytes] = deque()
        self.arrived = asyncio.Event()
        self._limit = limit
        self._tally = tally

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  asyncio's signature
        if len(self.waiting) >= self._limit:
            lost = len(self.waiting.popleft().splitlines())
            self._tally.seen += lost
            self._tally.drop("overrun", lost)
        self.waiting.append(data)
        self.arrived.set()


async def datagrams(
    url: str, *, clock: Callable[[], int], tally: Tally | None = None, limit: int = 4096
) -> AsyncGenerator[Observation, None]:
    """Observations from the lines in the datagrams sent to `udp://host:port`, for as long as they are asked for.

    `clock` gives the arrival time (ms) of sentences without a stamp; at most `limit` datagrams are kept, the
    oldest are dropped and counted as `overrun`. Close it (`contextlib.aclosing`) to free the port.

    Raises:
        InvalidInput: `url` is not such an address.
        Unavailable: the address cannot be listened at.
    """
    host, port = endpoint(url)
    receiver = Receiver(tally)
    inbox = _Inbox(limit, receiver.tally)
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: inbox, local_addr=(host, port))
    except OSError as error:
        raise Unavailable(f"cannot listen at {url}: {error.strerror}", fix="Choose another port") from error
    try:
        while True:
            while inbox.waiting:
                for line in inbox.waiting.popleft().splitlines():
                    if observation := receiver.feed(line, clock()):
                        yield observation
            inbox.arrived.clear()
            await inbox.arrived.wait()
    finally:
        transport.close()
        receiver.close()
