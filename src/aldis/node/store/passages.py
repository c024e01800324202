"""Passages: the words of each text portion, indexed for search, one row a portion.

A row's number is `record seq * 128 + place`: places 0 to 63 are the header's commitments, 64 and up the substitutes.
Beside its words a row has a mark, the word `p<profile>`, so that the index itself can leave out what is not visible.
Only what stands is indexed: a version leaves when a newer one arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apsw

from aldis.kernel.records import Header, Portion, read_header, read_portion
from aldis.node.store.rows import Row

__all__ = ["FIRST_SUBSTITUTE", "PLACES", "Passage", "Passages", "strings"]

PLACES = 128
FIRST_SUBSTITUTE = 64

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

    def drop(self, connection: apsw.Connection, seqs: Iterable[int]) -> None:
        """Take records out of the index."""
        spans = [(seq * PLACES, seq * PLACES + PLACES - 1) for seq in seqs]
        if spans:
            connection.executemany("DELETE FROM passage WHERE rowid BETWEEN ? AND ?", spans)


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
