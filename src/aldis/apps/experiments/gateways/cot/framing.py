"""A stream of events cut into events: one element after another, each with an XML declaration or without.

As TAK does (commoncommo, protocol.txt, "Traditional Protocol"), but the end of an event is where its own end tag is:
comments and plain sections that speak of `</event>` do not end it.
"""

from __future__ import annotations

import re

from aldis.apps.experiments.gateways.cot.scanner import MAX_EVENT
from aldis.apps.experiments.gateways.gateway import Tally

__all__ = ["Splitter", "undeclared"]

_END = re.compile(rb"</event\s*+>|<!--|<!\[CDATA\[")
_CLOSES = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_DECLARATION = re.compile(
    rb"\s*+(?:<\?xml\s++version\s*+=\s*+[\"']1\.[0-9][\"']"
    rb"(?:\s++encoding\s*+=\s*+[\"']([A-Za-z][\w.\-]*+)[\"'])?(?:\s++standalone\s*+=\s*+[\"'](?:yes|no)[\"'])?\s*+\?>\s*+)?"
)
_LIMIT = MAX_EVENT + 256


def undeclared(data: bytes) -> str | None:
    """The text after an XML declaration and blanks; None where it is not in UTF-8."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    found = _DECLARATION.match(data)
    assert found is not None
    if found[1] and found[1].lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        return None
    try:
        return data[found.end() :].rstrip().decode()
    except UnicodeDecodeError:
        return None


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
                self._looked = max(self._looked, len(self._kept) - 16)
                return None
            if match[0].startswith(b"</"):
                return match.end()
            self._looked, self._within = match.end(), _CLOSES[match[0]]

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
