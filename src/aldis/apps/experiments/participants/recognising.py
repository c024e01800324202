"""Which protocol some first bytes are of, how surely, and what else they look like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.participants.roll import damage_of
from aldis.kernel.errors import Unavailable

__all__ = ["Guess", "guesses", "looks_like", "sure"]

_START = 4096
_CLEAR = 0.25
"""By how much the first guess must be surer than the second."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A protocol, and the share (0 to 1) of what came that is of it: of the peers that begin so, what could be read.

    `lacks` says which library would be needed to tell.
    """

    offered: Offered | None
    protocol: str
    confidence: float
    messages: int
    lacks: str = ""


def guesses(pieces: Sequence[Piece], at_us: int, names: Iterable[str] = PROTOCOLS) -> list[Guess]:
    """Every protocol that it may be, the surest first, and those that cannot be told for want of a library."""
    found = []
    for name in names:
        try:
            made = _guess(offered(name), pieces, at_us)
        except Unavailable as error:
            made = Guess(None, name, 0.0, 0, str(error.args[0]))
        if made is not None:
            found.append(made)
    return sorted(found, key=lambda one: -one.confidence)


def sure(found: Sequence[Guess]) -> Guess | None:
    """The one that it is, where no other is about as likely."""
    likely = [one for one in found if one.offered is not None and one.confidence > 0]
    if not likely or (len(likely) > 1 and likely[0].confidence - likely[1].confidence < _CLEAR):
        return None
    return likely[0]


def _guess(speaks: Offered, pieces: Sequence[Piece], at_us: int) -> Guess | None:
    by_peer: dict[str, list[bytes]] = {}
    for piece in pieces:
        by_peer.setdefault(piece.peer, []).append(piece.data)
    familiar = [peer for peer, said in by_peer.items() if _familiar(speaks, said)]
    if not familiar:
        return None
    seen = whole = 0
    for peer in familiar:
        gateway = speaks.open()
        for data in by_peer[peer]:
            gateway.feed(data, at_us)
        tally = gateway.tally
        seen += tally.seen
        whole += tally.seen - tally.waiting - damage_of(tally)
    share = whole / seen if seen else 0.0
    return Guess(speaks, speaks.protocol, share * len(familiar) / len(by_peer), whole)


def _familiar(speaks: Offered, said: Sequence[bytes]) -> bool:
    start = b"".join(said[:8])[:_START]
    return any(data and speaks.familiar(data) for data in (said[0], start, *said[1:8]))


_LOOKS: Mapping[str, re.Pattern[bytes]] = {
    "HTTP: this is a web client or server": re.compile(rb"(GET|POST|PUT|HEAD|OPTIONS|CONNECT|PRI) \S+ HTTP/|HTTP/\d"),
    "TLS: give the address as tls-listen:// or tls:// with its certificates": re.compile(rb"\x16\x03[\x00-\x04]"),
    "SSH": re.compile(rb"SSH-\d"),
    "DDS (RTPS): give the address as dds://DOMAIN": re.compile(rb"RTPS"),
    "MQTT": re.compile(rb"\x10.{1,4}\x00\x04MQTT", re.DOTALL),
    "STUN or WebRTC": re.compile(rb"[\x00\x01].{3}\x21\x12\xa4\x42", re.DOTALL),
    "ADS-B of a receiver (Beast)": re.compile(rb"\x1a[1-4]"),
    "ADS-B of a receiver (BaseStation): a mapping file can describe it": re.compile(rb"(MSG|AIR|SEL|ID|STA),\d?,"),
    "MAVLink 1: set its system to version 2": re.compile(rb"\xfe.{5}", re.DOTALL),
    "MAVLink 2, with a wrong checksum or of messages unknown here": re.compile(rb"\xfd.{9}", re.DOTALL),
    "a capture (pcap): play its packets to this port": re.compile(
        rb"\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\x0a\x0d\x0d\x0a"
    ),
    "XML, and no event of CoT: a mapping file can describe it": re.compile(rb"\s*<[?A-Za-z]"),
    "JSON, and no GeoJSON: a mapping file can describe it": re.compile(rb"\s*[{\[]"),
}
_TEXT = re.compile(rb"[\t\r\n -~\x80-\xff]+")


def looks_like(data: bytes) -> str:
    """What bytes that are of no protocol known here look like, in words."""
    for words, pattern in _LOOKS.items():
        if pattern.match(data):
            return words
    if data and _TEXT.fullmatch(data):
        line = data.split(b"\n", 1)[0].strip()[:60].decode("utf-8", "replace")
        return f"text, beginning {line!r}: a mapping file can describe it"
    return f"bytes, beginning {data[:12].hex(' ')}: a mapping file can describe them" if data else "nothing"
