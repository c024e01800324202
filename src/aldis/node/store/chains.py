"""Chains: each id has one writer and one line of versions, so two versions with one number are a fork."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import apsw

from aldis.kernel.errors import Forked
from aldis.kernel.records import Header, Record, read_header

__all__ = ["Chains"]

_HEADS = """
SELECT wanted.value, record.seq, version FROM carray(?1) AS wanted CROSS JOIN record ON record.seq = (
    SELECT seq FROM record WHERE id = wanted.value AND originator = ?2 ORDER BY version DESC LIMIT 1
)
"""
_NEAR = "SELECT version, seq, digest, header FROM record WHERE id = ? AND originator = ? AND version BETWEEN ? AND ?"
_FIX = "Keep both, trust neither, and ask the originator which one is its own"


class _Head(NamedTuple):
    """The newest stored version of one id."""

    seq: int
    version: int


class _Link(NamedTuple):
    seq: int
    digest: bytes
    previous: str


class Chains:
    """Records that arrive together, told apart: `fresh` ones take the numbers from `first` on, `known` ones have one.

    Raises:
        Forked: a record contradicts one that is held or that arrived with it.
    """

    def __init__(self, connection: apsw.Connection, records: Sequence[Record], first: int) -> None:
        self._connection = connection
        self._heads: dict[tuple[str, str], _Head] = {}
        self._links: dict[tuple[str, str], dict[int, _Link]] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self.known: list[tuple[int, Record]] = []
        ids = self._find_heads(records)
        self._all_new = not self._heads and ids == len(records)
        if self._all_new:
            self.fresh = records
            self.seqs = [*range(first, first + len(records))]
        else:
            self._sort(records, first)

    def is_newest(self, header: Header) -> bool:
        """Whether no later version is stored or arriving."""
        if self._all_new:
            return True
        key = header.originator, header.id
        head = self._heads.get(key)
        return header.version == self._newest[key] and (head is None or head.version < header.version)

    def superseded(self) -> list[int]:
        """The numbers of stored versions that an arriving one takes the place of."""
        return [head.seq for key, head in self._heads.items() if self._newest.get(key, 0) > head.version]

    def _find_heads(self, records: Sequence[Record]) -> int:
        """Look up the newest stored version of each id; how many ids there are."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for record in records:
            wanted[record.header.originator].add(record.header.id)
        for originator, ids in wanted.items():
            for id_, *head in self._connection.execute(_HEADS, (apsw.carray(tuple(ids)), originator)):
                self._heads[originator, id_] = _Head(*head)
        return sum(map(len, wanted.values()))

    def _sort(self, records: Sequence[Record], first: int) -> None:
        fresh: list[Record] = []
        self.seqs = []
        for record in records:
            seq = self._admit(record, first + len(fresh))
            self.seqs.append(seq)
            if seq == first + len(fresh):
                fresh.append(record)
            else:
                self.known.append((seq, record))
        self.fresh = fresh

    def _admit(self, record: Record, seq: int) -> int:
        """The number under which this record is held: its old one, or `seq` where it is new."""
        header = record.header
        key, version = (header.originator, header.id), header.version
        links = self._links.setdefault(key, {})
        if key in self._heads:
            self._load(header, links)
        held = links.get(version)
        if held is None:
            _check_links(record, links)
            links[version] = _Link(seq, record.digest, header.previous)
            self._newest[key] = max(version, self._newest.get(key, 0))
            return seq
        if held.digest != record.digest:
            raise Forked(f"{_name(header)} is both {held.digest.hex()} and {record.digest.hex()}", fix=_FIX)
        return held.seq

    def _load(self, header: Header, links: dict[int, _Link]) -> None:
        near = (header.id, header.originator, header.version - 1, header.version + 1)
        for version, seq, digest, data in self._connection.execute(_NEAR, near):
            links[version] = _Link(seq, digest, read_header(data).previous)


def _check_links(record: Record, links: dict[int, _Link]) -> None:
    header = record.header
    before, after = links.get(header.version - 1), links.get(header.version + 1)
    if before is not None and before.digest.hex() != header.previous:
        raise Forked(
            f"{_name(header)} follows {header.previous}, but version {header.version - 1} is {before.digest.hex()}",
            fix=_FIX,
        )
    if after is not None and after.previous != record.digest.hex():
        raise Forked(
            f"{_name(header)} is {record.digest.hex()}, but version {header.version + 1} follows {after.previous}",
            fix=_FIX,
        )


def _name(header: Header) -> str:
    return f"version {header.version} of {header.originator}'s record {header.id!r}"
