"""Arrivals: how records get into the store, many in one stroke."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import apsw
import msgspec

from aldis.kernel.errors import TooLarge
from aldis.kernel.records import Portion, Record, read_portion
from aldis.node.store.chains import Chains
from aldis.node.store.database import Database
from aldis.node.store.digests import Digests
from aldis.node.store.erasure import Erasure
from aldis.node.store.passages import FIRST_SUBSTITUTE, PLACES, Passage, Passages
from aldis.node.store.profiles import Group, Profiles
from aldis.node.store.rows import Substitute, Substitutes, rows_of

__all__ = ["Arrivals", "Stored", "Substitutes"]

_INSERT = "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LIST = "INSERT INTO listing VALUES (?, ?)"
_UNLIST = "UPDATE listing SET place = place | 1 WHERE seq = ?"
_STANDS = "SELECT place & 1 = 0 FROM listing WHERE seq = ?"
_GROW = "UPDATE record SET portion_profiles = ?, portions = ?, substitute_profiles = ?, substitutes = ? WHERE seq = ?"
_SUBSTITUTE_LIMIT = PLACES - FIRST_SUBSTITUTE

_pack = msgspec.msgpack.Encoder().encode
_by_digest = attrgetter("digest")


@dataclass(frozen=True, slots=True)
class Stored:
    """What `put` did: the number of each record given, in order; which are new; which old ones gained portions."""

    seqs: list[int]
    added: range
    grown: list[int]


class Arrivals:
    """The write side of `Records`."""

    def __init__(self, database: Database, profiles: Profiles, digests: Digests, passages: Passages) -> None:
        self._erasure = Erasure(database, profiles, passages)
        self._db = database
        self._profiles = profiles
        self._digests = digests
        self._passages = passages

    def put(self, records: Sequence[Record], arrived: int, source: str, substitutes: Substitutes) -> Stored:
        """See `Records.put`."""
        with self._db.writing() as connection:
            records, substitutes = self._erasure.without_erased(connection, records, source, substitutes)
            first = int(connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM record").get)
            chains = Chains(connection, records, first)
            added = range(first, first + len(chains.fresh))
            self._insert(connection, added, chains, (arrived, source), substitutes)
            grown = {seq for seq, record in chains.known if self._grow(connection, seq, record, substitutes)}
            self._digests.catch_up(connection, added.stop - 1)
            self._erasure.hide(connection, added)
        return Stored(chains.seqs, added, sorted(seq for seq in grown if seq < first))

    def _insert(
        self,
        connection: apsw.Connection,
        seqs: range,
        chains: Chains,
        origin: tuple[int, str],
        substitutes: Substitutes,
    ) -> None:
        texts = self._passages.texts
        shapes: dict[tuple[object, ...], tuple[Group, int, array[int]]] = {}
        rows: list[tuple[Any, ...]] = []
        places: list[tuple[int, int]] = []
        passages: list[Passage] = []
        for seq, record in zip(seqs, chains.fresh, strict=True):
            header = record.header
            portions = record.portions if len(record.portions) < 2 else sorted(record.portions, key=_by_digest)
            label, labels = bytes(header.label), [portion.raw_label for portion in portions]
            shape = (header.kind, header.project, header.originator, label, *labels)
            known = shapes.get(shape)
            if known is None:
                group = self._profiles.group(header.kind, header.project, header.originator)
                known = shapes[shape] = group, group[label], _numbers(group, labels)
            group, profile, profiles = known
            others = _added((), substitutes.get(record.digest, ())) if substitutes else []
            columns = _columns(group, profiles, portions, others)
            rows.append((
                seq, record.digest, header.id, header.version, header.originator, header.created, profile,
                *columns, record.data, *origin,
            ))  # fmt: skip
            stands = not header.deleted and chains.is_newest(header)
            places.append((seq, 2 * profile + (not stands)))
            names = texts.get(header.kind)
            if stands and names:
                spoken = [portion for portion in portions if portion.name in names]
                if spoken or others:
                    passages += self._passages.of(seq, header, *_profiled(group, spoken, others))
        connection.executemany(_INSERT, rows)
        connection.executemany(_LIST, places)
        old = chains.superseded()
        if old:
            connection.executemany(_UNLIST, [(seq,) for seq in old])
            if texts:
                self._passages.drop(connection, old)
        self._passages.add(connection, passages)

    def _grow(self, connection: apsw.Connection, seq: int, record: Record, substitutes: Substitutes) -> bool:
        """Add the portions and substitutes that a held record lacked; whether there were any."""
        row = rows_of(connection, [seq], self._profiles.profile)[0]
        portions = {portion.data: portion for portion in (*map(read_portion, row.portions), *record.portions)}
        held = [Substitute(read_portion(data), transform) for data, transform in row.substitutes]
        others = _added(held, substitutes.get(record.digest, ()))
        if len(portions) == len(row.portions) and len(others) == len(held):
            return False
        group = self._profiles.group(row.kind, row.project, row.originator)
        parts = sorted(portions.values(), key=_by_digest)
        profiles = _numbers(group, [portion.raw_label for portion in parts])
        connection.execute(_GROW, (*_columns(group, profiles, parts, others), seq))
        if row.kind in self._passages.texts and connection.execute(_STANDS, (seq,)).get:
            passages = self._passages.of(seq, record.header, *_profiled(group, parts, others))
            self._passages.add(connection, [*passages])
        return True


def _numbers(group: Group, labels: Sequence[bytes]) -> array[int]:
    return array("I", [group[label] for label in labels])


def _columns(
    group: Group, profiles: array[int], portions: Sequence[Portion], others: Sequence[Substitute]
) -> tuple[array[int], bytes, array[int] | bytes, bytes]:
    """Profiles and bytes of the portions, profiles and bytes of the substitutes."""
    data = _pack([portion.data for portion in portions])
    if not others:
        return profiles, data, b"", b""
    other_profiles = _numbers(group, [other.portion.raw_label for other in others])
    return profiles, data, other_profiles, _pack([(other.portion.data, other.transform) for other in others])


def _added(held: Sequence[Substitute], more: Sequence[Substitute]) -> list[Substitute]:
    """`held` and those of `more` that are not among them; their order never changes."""
    known = {(other.portion.data, other.transform): other for other in (*held, *more)}
    if len(known) > _SUBSTITUTE_LIMIT:
        raise TooLarge(f"a record with over {_SUBSTITUTE_LIMIT} transformed portions", fix="Refuse the bundle")
    return [*known.values()]


def _profiled(
    group: Group, portions: Sequence[Portion], others: Sequence[Substitute]
) -> tuple[list[tuple[Portion, int]], list[tuple[Portion, int]]]:
    return (
        [(portion, group[portion.raw_label]) for portion in portions],
        [(other.portion, group[other.portion.raw_label]) for other in others],
    )
