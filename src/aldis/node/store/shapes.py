"""Shapes: what questions to a release officer have in common that decides who may see them, and which are alike.

A shape is the profile of a record's header with the names and profiles of what is asked for. A person may see every
question of a shape or none, so that lists of them cost nothing for those that they may not see.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import apsw
import msgspec

from aldis.kernel.records import read_portion
from aldis.node.store.database import Database
from aldis.node.store.digests import split_digests
from aldis.node.store.profiles import Profiles
from aldis.node.store.rows import Row, rows_of

__all__ = ["NOBODY", "Shape", "Shapes"]

NOBODY = 2**31 - 1
"""In place of the profile of what is not here any more: nobody signed in may see that."""
_parts = msgspec.msgpack.Decoder(list[tuple[str, int]])


class Shape(msgspec.Struct, frozen=True):
    """The header's profile, and name and profile of each part asked for; the name of a record's existence is ""."""

    id: int
    profile: int
    parts: tuple[tuple[str, int], ...]

    @property
    def profiles(self) -> frozenset[int]:
        """Every profile that one must see to see such a question."""
        return frozenset((self.profile, *(profile for _, profile in self.parts)))

    @property
    def names(self) -> frozenset[str]:
        """The names of the parts."""
        return frozenset(name for name, _ in self.parts)


class Shapes:
    """The shapes there are."""

    def __init__(self, database: Database, profiles: Profiles) -> None:
        self._db = database
        self._profiles = profiles

    def all(self) -> Mapping[int, Shape]:
        """Every shape, by its number."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT id, profile, parts FROM shape")
            return {id_: Shape(id_, profile, tuple(_parts.decode(data))) for id_, profile, data in rows}

    def take(self, connection: apsw.Connection, row: Row, asked: Collection[bytes]) -> int:
        """The number of the shape of a question about a row, new or known."""
        held = {row.digest: ("", row.profile)}
        for data, profile in zip(row.portions, row.portion_profiles, strict=True):
            portion = read_portion(data)
            held[portion.digest] = (portion.name, profile)
        parts = sorted(held.get(digest, (digest.hex(), NOBODY)) for digest in asked)
        wanted = (row.profile, msgspec.msgpack.encode(parts))
        connection.execute("INSERT OR IGNORE INTO shape VALUES (NULL, ?, ?)", wanted)
        return int(connection.execute("SELECT id FROM shape WHERE profile = ? AND parts = ?", wanted).get)

    def complete(self) -> None:
        """Give questions that an older release asked their shapes, and the grounds on which they were asked."""
        with self._db.reading() as connection:
            if connection.execute(_LACKING).fetchone() is None:
                return
        with self._db.transaction() as connection:
            rows: list[tuple[Any, ...]] = connection.execute(_LACKING).fetchall()
            for id_, seq, portions, reasons in rows:
                [row] = rows_of(connection, [seq], self._profiles.profile)
                shape = self.take(connection, row, split_digests(portions))
                connection.execute(
                    "UPDATE referral SET shape = ?, grounds = ? WHERE id = ?", (shape, _grounds(reasons), id_)
                )


_LACKING = "SELECT id, record_seq, portions, reasons FROM referral WHERE shape IS NULL"


class _Reason(msgspec.Struct):
    outcome: int
    code: str
    instrument: str = ""
    clause: str = ""


def _grounds(reasons: bytes) -> str:
    """The clause, or else the check, that asked for a person."""
    try:
        found = [one for one in msgspec.json.decode(reasons, type=list[_Reason]) if one.outcome == 1]
    except msgspec.MsgspecError:
        return ""
    named = [f"{one.instrument} clause {one.clause}" for one in found if one.instrument]
    return next(iter([*named, *(one.code for one in found)]), "")
