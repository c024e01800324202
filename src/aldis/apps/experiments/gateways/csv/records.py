"""The records of a stream of comma-separated values: lines, but for line breaks inside quotes (RFC 4180)."""

from __future__ import annotations

import csv

from aldis.apps.experiments.gateways.gateway import Damaged, Tally

__all__ = ["LIMIT", "Records", "cells_of"]

LIMIT = 128 * 1024
"""Most bytes of one record; no cell is longer either."""
_MOST_CELLS = 1024
_BOM = b"\xef\xbb\xbf"


class Records:
    """Cuts a stream into records; whatever is longer than `LIMIT` is dropped up to the next line break."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._rest = bytearray()
        self._scanned = 0
        self._inside = False
        self._skipping = False
        self._waits = False
        self._begun = False

    def feed(self, data: bytes) -> list[bytes]:
        """The records that `data` completes, without their line breaks; blank lines are none."""
        rest, found, start = self._rest, [], 0
        rest += data
        while (end := rest.find(b"\n", self._scanned)) >= 0:
            self._inside ^= rest.count(b'"', self._scanned, end) % 2 == 1
            self._scanned = end + 1
            if self._inside and not self._skipping and end - start <= LIMIT:
                continue
            record = bytes(rest[start:end]).removesuffix(b"\r")
            start, self._inside = end + 1, False
            if self._taken(record):
                found.append(record)
        self._inside ^= rest.count(b'"', self._scanned) % 2 == 1
        del rest[:start]
        self._scanned = len(rest)
        if len(rest) > LIMIT:
            self._skipping = True
            del rest[:]
            self._scanned = 0
            self._wait()
        elif rest:
            self._wait()
        return found

    def _taken(self, record: bytes) -> bool:
        waited, self._waits = self._waits, False
        if not self._begun and record.startswith(_BOM):
            record = record[3:]
        self._begun = True
        if not (record.strip() or waited):
            return False
        self._tally.seen += not waited
        if self._skipping or len(record) > LIMIT:
            self._skipping = False
            self._tally.drop("too long")
            return False
        if not record.strip():
            self._tally.drop("blank")
            return False
        return True

    def _wait(self) -> None:
        if not self._waits:
            self._waits = True
            self._tally.seen += 1

    def close(self) -> None:
        """Count what waits for its line break as dropped."""
        if self._waits:
            self._tally.drop("incomplete")
        self._rest.clear()
        self._scanned, self._waits, self._skipping, self._inside = 0, False, False, False


def cells_of(record: bytes) -> list[str]:
    """The cells of one record.

    Raises:
        Damaged: not UTF-8, a quote where none can be, or too many cells.
    """
    try:
        cells = next(csv.reader([record.removeprefix(_BOM).decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise Damaged("not comma-separated values") from error
    if len(cells) > _MOST_CELLS:
        raise Damaged("too many cells")
    return cells
