"""Leaves of the ledger that concern something, the newest first; so many are looked through at once and no more."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.ledger import Leaf, LeafType, decode_leaf
from aldis.node.core import Core
from aldis.node.inquiry import carries
from aldis.node.people import Person
from aldis.node.people.accounts import PREFIX
from aldis.node.records import Records
from aldis.node.store import Held, Row

__all__ = ["LeafFilter", "LeafPage", "Leaves", "concerns"]

LOOKED = 20_000
_STEP = 500


class LeafFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Only leaves of a type, of a record (its id), a partner (a node), a person, or a time; "" and 0 are open.

    Times are in ms since 1970 UTC, from `since` up to but without `until`.
    """

    type: LeafType | None = None
    record: str = ""
    partner: str = ""
    person: str = ""
    since: int = 0
    until: int = 0


class LeafPage(msgspec.Struct, frozen=True):
    """Leaves by index, the newest first; `before` is where to look on from, 0 where nothing is left."""

    leaves: Sequence[tuple[int, Leaf]]
    before: int
    looked: int


def concerns(leaf: Leaf, asked: LeafFilter, subjects: frozenset[str], carried: Sequence[Held] = ()) -> bool:
    """Whether a leaf is asked for; of a record it is by one of `subjects`, or by a bundle that `carried` it."""
    return (
        asked.type in (None, leaf.type)
        and asked.since <= leaf.at
        and (not asked.until or leaf.at < asked.until)
        and (not asked.partner or asked.partner in (leaf.subject, leaf.actor, *leaf.reasons[:1]))
        and (not asked.person or asked.person in (leaf.subject.removeprefix(PREFIX), leaf.actor))
        and (not asked.record or leaf.subject in subjects or any(carries(leaf, one) for one in carried))
    )


class Leaves:
    """Looks through the ledger for somebody who may read all of it."""

    def __init__(self, core: Core, records: Records) -> None:
        self._core = core
        self._ledger = core.store.ledger
        self._releases = core.store.releases
        self._records = records

    def newest(self, asked: LeafFilter, viewer: str | Person, before: int = 0, limit: int = 50) -> LeafPage:
        """At most `limit` leaves below index `before` (0: from the end), after a look at LOOKED of them at most.

        An operator ("") is told of every record. One that a person may not see is looked for by its id alone, which is
        the subject of some leaves.
        """
        rows = self._versions(asked.record, viewer) if asked.record else []
        subjects = frozenset({asked.record, *(row.digest.hex() for row in rows)})
        carried = self._releases.of([row.seq for row in rows])
        size = self._ledger.size()
        end = min(before, size) if before else size
        if asked.until:
            end = min(end, self._first_at(asked.until, end))
        looked, found = 0, list[tuple[int, Leaf]]()
        while end and looked < LOOKED:
            start = max(0, end - _STEP)
            for row in reversed(self._ledger.leaves(start, end - start)):
                looked, end = looked + 1, row.index
                if asked.since and row.at < asked.since:
                    return LeafPage(found, 0, looked)
                leaf = decode_leaf(row.data)
                if concerns(leaf, asked, subjects, carried):
                    found.append((row.index, leaf))
                    if len(found) == limit:
                        return LeafPage(found, end, looked)
        return LeafPage(found, end, looked)

    def _versions(self, record: str, viewer: str | Person) -> list[Row]:
        if not isinstance(viewer, Person):
            return self._core.store.records.versions(record)
        try:
            return self._records.versions(record, viewer)
        except (UnknownTerm, InvalidInput):
            return []

    def _first_at(self, at: int, end: int) -> int:
        """The index of the first leaf below `end` that was written at `at` or later; `end` where none was."""
        start = 0
        while start < end:
            middle = (start + end) // 2
            if self._ledger.leaf(middle).at < at:
                start = middle + 1
            else:
                end = middle
        return end
