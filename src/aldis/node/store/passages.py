"""Passages: the words of each text portion, indexed for search, one row a portion.

A row's number is `record seq * 128 + place`: places 0 to 63 are the header's commitments, 64 and up the substitutes.
Beside its words a row has a mark, the word `p<profile>`, so that the index itself can leave out what is not visible.
Only what stands is indexed: a version leaves when a newer one arrives, and its vectors (`meanings`) leave with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apsw

from aldis.kernel.records import Header, Portion, read_header, read_portion
from aldis.node.store.rows import Row
from aldis.node.store.windows import WINDOWS

__all__ = ["FIRST_SUBSTITUTE", "MODEL", "PLACES", "REMOVED", "Passage", "Passages", "strings"]

PLACES = 128
FIRST_SUBSTITUTE = 64
MODEL = "meaning model"
"""The store's key for the digest of the model whose vectors are kept; there is none before an index was begun."""
REMOVED = "meanings removed"
"""The store's key for a number that grows whenever vectors leave."""

Passage = tuple[int, str, str, int]
"""Row number, words, mark, profile."""

Parts = Iterable[tuple[Portion, int]]
"""Portions, each with its profile."""


class Passages:
    """What is indexed; `texts` names the text portions of each kind."""

    def __init__(self) -> None:
        self.texts: Mapping[str, frozenset[str]] = {}

    def choose(self, texts: Mapping[str, Sequence[str]]) -> None:
        """Index these portions from now on."""
        self.texts = {kind: frozenset(names) for kind, names in texts.items()}

    def of(self, seq: int, header: Header, portions: Parts, substitutes: Parts) -> Iterator[Passage]:
        """The passages of one record."""
        names = self.texts.get(header.kind, frozenset())
        places = {digest: place for place, digest in enumerate(header.portions)}
        placed = [(places[portion.digest.hex()], portion, profile) for portion, profile in portions]
        placed += [(place, *part) for place, part in enumerate(substitutes, FIRST_SUBSTITUTE)]
        for place, portion, profile in placed:
            if portion.name in names:
                yield seq * PLACES + place, "\n".join(strings(portion.value)), f"p{profile}", profile

    def of_row(self, row: Row) -> Iterator[Passage]:
        """The passages of a stored record."""
        portions = zip(map(read_portion, row.portions), row.portion_profiles, strict=True)
        substitutes = zip((read_portion(data) for data, _ in row.substitutes), row.substitute_profiles, strict=True)
        return self.of(row.seq, read_header(row.header), portions, substitutes)

    def add(self, connection: apsw.Connection, passages: Sequence[Passage]) -> None:
        """Index passages, in place of those with the same numbers."""
        if passages:
            connection.executemany(
                "INSERT OR REPLACE INTO passage (rowid, words, mark, profile) VALUES (?, ?, ?, ?)", passages
            )
            seqs = array("q", sorted({place // PLACES for place, *_ in passages}))
            connection.execute(_DUE, (apsw.carray(seqs), MODEL))

    def drop(self, connection: apsw.Connection, seqs: Iterable[int]) -> None:
        """Take records out of the index."""
        spans = [(seq * PLACES, seq * PLACES + PLACES - 1) for seq in seqs]
        if spans:
            connection.executemany("DELETE FROM passage WHERE rowid BETWEEN ? AND ?", spans)
            self.forget(connection, [first // PLACES for first, _ in spans])

    def forget(self, connection: apsw.Connection, seqs: Iterable[int]) -> None:
        """Take the vectors of records out of the store, and records out of the queue."""
        spans = [(seq, seq * PLACES * WINDOWS, (seq + 1) * PLACES * WINDOWS - 1) for seq in seqs]
        connection.executemany("DELETE FROM meaning_due WHERE seq = ?", [(seq,) for seq, _, _ in spans])
        before = connection.total_changes()
        connection.executemany("DELETE FROM meaning WHERE place BETWEEN ? AND ?", [span[1:] for span in spans])
        if connection.total_changes() != before:
            _count_removal(connection)

    def clear(self, connection: apsw.Connection) -> None:
        """Take everything out."""
        connection.execute("INSERT INTO passage (passage) VALUES ('delete-all')")
        connection.execute("DELETE FROM meaning_due")
        connection.execute("DELETE FROM meaning")
        _count_removal(connection)


_DUE = """
INSERT OR REPLACE INTO meaning_due (seq) SELECT value FROM carray(?1)
WHERE EXISTS (SELECT 1 FROM meta WHERE key = ?2) ORDER BY value
"""


def _count_removal(connection: apsw.Connection) -> None:
    before = connection.execute("SELECT value FROM meta WHERE key = ?", (REMOVED,)).get or b""
    number = int.from_bytes(before, "big") + 1
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (REMOVED, number.to_bytes(8, "big")))


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, in order; names of fields are not content."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from strings(child)
