"""The JSON documents of a stream: one after another, one a line, or as a text sequence (RFC 8142, RFC 7464)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from aldis.apps.experiments.gateways.gateway import Tally

__all__ = ["LIMIT", "Documents"]

LIMIT = 16 * 1024 * 1024
"""Most bytes of one document; a longer collection is to come feature by feature, a line each."""
_RS = b"\x1e"
_MOST_DEPTH = 64
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')
_BLANK = b" \t\r\n\xef\xbb\xbf"


class Documents:
    """Cuts a stream into documents and reads them; what is cut short or damaged is dropped up to the next one.

    Once a document filled a line of its own, each later line is one too; before, they may run over many lines.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._rest = bytearray()
        self._lines = False
        self._scanned = 0
        self._stack = bytearray()
        self._quoted = False

    def feed(self, data: bytes) -> list[Any]:
        """The documents that `data` completes, each counted as seen."""
        found: list[Any] = []
        for place, piece in enumerate(data.split(_RS)):
            if place:
                self._cut("cut short")
            self._piece(piece, found)
        return found

    def close(self) -> None:
        """Count what is not complete as dropped."""
        self._cut("incomplete")

    def _piece(self, data: bytes, found: list[Any]) -> None:
        if data[:1] == b"{" and data.rstrip(_BLANK)[-1:] == b"}" and self._restarts(data, found):
            return
        if not self._lines and not self._rest:
            data = self._first_lines(data, found)
        self._rest += data
        if self._lines:
            *lines, last = self._rest.split(b"\n")
            for line in lines:
                self._line(bytes(line), found)
            self._rest = last
        else:
            self._scan(found)
        if len(self._rest) > LIMIT:
            self._cut("too long")

    def _restarts(self, data: bytes, found: list[Any]) -> bool:
        """Whether `data` is a document by itself, as a datagram is; what waited before it was then cut short."""
        if self._lines or not self._rest or self._stack == b"{[":
            return False
        document = _read(data)
        if document is None:
            return False
        self._cut("cut short")
        self._found(document, found)
        return True

    def _first_lines(self, data: bytes, found: list[Any]) -> bytes:
        """Takes lines that are documents, which then all are; what remains."""
        line, end, rest = data.partition(b"\n")
        document = _read(line) if end and line.strip(_BLANK) else None
        if document is None:
            return data
        self._found(document, found)
        self._lines = True
        return rest

    def _line(self, line: bytes, found: list[Any]) -> None:
        if line.strip(_BLANK):
            document = _read(line)
            if document is None:
                self._drop("not JSON")
            else:
                self._found(document, found)

    def _scan(self, found: list[Any]) -> None:
        rest, at, start = self._rest, self._scanned, 0
        while token := (_INSIDE if self._quoted else _OUTSIDE).search(rest, at):
            sign, at = token.group(), token.end()
            if sign == b"\\":
                if at == len(rest):
                    at -= 1
                    break
                at += 1
            elif sign == b'"':
                self._quoted = not self._quoted and bool(self._stack)
            elif sign in b"{[":
                if not self._stack:
                    self._noise(rest[start : at - 1])
                    start = at - 1
                if len(self._stack) < _MOST_DEPTH:
                    self._stack += sign
                else:
                    self._drop("too deep")
                    self._stack.clear()
                    start = at
            elif self._stack:
                self._stack.pop()
                if not self._stack:
                    self._line(bytes(rest[start:at]), found)
                    start = at
        else:
            at = len(rest)
        if not self._stack:
            self._noise(rest[start:at])
            start = at
        del rest[:start]
        self._scanned = max(0, at - start)

    def _noise(self, data: bytes | bytearray) -> None:
        if data.strip(_BLANK + b","):
            self._drop("not JSON")

    def _found(self, document: Any, found: list[Any]) -> None:
        self._tally.seen += 1
        found.append(document)

    def _drop(self, reason: str) -> None:
        self._tally.seen += 1
        self._tally.drop(reason)

    def _cut(self, reason: str) -> None:
        if self._rest.strip(_BLANK):
            self._drop(reason)
        self._rest = bytearray()
        self._stack.clear()
        self._scanned, self._quoted = 0, False


def _read(data: bytes) -> Any:
    """The document; None where it is none, or null."""
    try:
        return msgspec.json.decode(data.strip(_BLANK))
    except (ValueError, RecursionError):
        return None
