"""A stream of events cut into events: one element after another, each with an XML declaration or without.

As TAK does (commoncommo, protocol.txt, "Traditional Protocol"), but the end of an event is where its own end tag is:
comments and plain sections that speak of `</event>` do not end it, and one may be a single tag, as PyTAK's pong is.
"""

from __future__ import annotations

import re

from aldis.apps.experiments.gateways.cot.scanner import MAX_EVENT
from aldis.apps.experiments.gateways.gateway import Damaged, Tally

__all__ = ["Splitter", "declared"]

_END = re.compile(rb"</event\s*+>|<!--|<!\[CDATA\[|<event(?=[\s/])(?:[^\"'<>/]|/(?!>)|\"[^\"<]*+\"|'[^'<]*+')*+/>")
_LAST = b"</event>"
_CLOSES = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_DECLARATION = re.compile(
    r"\ufeff?[ \t\r\n]*+(?:<\?xml\s++version\s*+=\s*+(?:\"1\.[0-9]\"|'1\.[0-9]')"
    r"(?:\s++encoding\s*+=\s*+(?:\"[A-Za-z][\w.\-]*+\"|'[A-Za-z][\w.\-]*+'))?"
    r"(?:\s++standalone\s*+=\s*+(?:\"(?:yes|no)\"|'(?:yes|no)'))?\s*+\?>[ \t\r\n]*+)?",
    re.ASCII,
)
_ENCODING = re.compile(r"encoding\s*=\s*[\"'](?!(?:utf-?8|(?:us-)?ascii)[\"'])", re.IGNORECASE)
_LIMIT = MAX_EVENT + 256


def declared(text: str) -> int:
    """How long the XML declaration at the start of `text` is, with the blanks around it.

    Raises:
        Damaged: it declares an encoding other than UTF-8.
    """
    found = _DECLARATION.match(text)
    assert found is not None
    if _ENCODING.search(found[0]):
        raise Damaged("not UTF-8")
    return found.end()


class Splitter:
    """Keeps the beginning of an event until its end has come; what grows beyond the limit is dropped up to its end."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._kept = bytearray()
        self._looked = 0
        self._within: bytes | None = None
        self._skipping = False

    def push(self, data: bytes) -> list[bytes]:
        """The events that `data` completes."""
        single = not self._kept and data.endswith(_LAST) and data.count(b"<event") == 1
        if single and (b"!" not in data or b"<!" not in data):
            return [data]  # as a datagram, and most pieces of a stream, are
        self._kept += data
        events = []
        while (stop := self._stop()) is not None:
            event = bytes(self._kept[:stop])
            del self._kept[:stop]
            self._looked = 0
            if self._skipping:
                self._skipping = False
            else:
                events.append(event)
        if len(self._kept) > _LIMIT:
            self._shed()
        if not self._kept.strip():
            self._kept.clear()
            self._looked = 0
        return events

    def close(self) -> None:
        """Count what was begun."""
        if self._kept and not self._skipping:
            self._count("incomplete")
        self._kept.clear()

    def _stop(self) -> int | None:
        """Where the first event ends."""
        while True:
            if self._within:
                found = self._kept.find(self._within, self._looked)
                if found < 0:
                    self._looked = max(self._looked, len(self._kept) - 2)
                    return None
                self._looked, self._within = found + 3, None
            match = _END.search(self._kept, self._looked)
            if match is None:
                self._looked = max(self._looked, self._kept.rfind(b"<"))
                return None
            self._looked = match.end()
            if match[0] in _CLOSES:
                self._within = _CLOSES[match[0]]
            elif match[0].startswith(b"</") or self._kept.find(b"<event", 0, match.start()) < 0:
                return match.end()

    def _shed(self) -> None:
        """Give up what is too long for an event, but for its last bytes, in which an end may begin."""
        if not self._skipping:
            self._skipping = True
            self._count("too large")
        self._within = None
        del self._kept[:-16]
        self._looked = 0

    def _count(self, reason: str) -> None:
        self._tally.seen += 1
        self._tally.drop(reason)
