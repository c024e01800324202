"""Referrals and holds: what waits for a person."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Literal

import apsw
import msgspec

from aldis.kernel.encoding import DIGEST_SIZE
from aldis.kernel.errors import InvalidInput
from aldis.node.store.database import Database

__all__ = ["Hold", "Referral", "Referrals"]

State = Literal["open", "approved", "denied"]


class Referral(msgspec.Struct, frozen=True):
    """A question to a release officer: may these portions of a record (by row number) go to a partner?

    `reasons` is JSON; `because` the officer's words; `at` when it was asked or ruled on (ms since 1970 UTC).
    """

    id: int
    partner: str
    record_seq: int
    portions: tuple[bytes, ...]
    reasons: bytes
    state: State
    because: str
    at: int


class Hold(msgspec.Struct, frozen=True):
    """A record that nothing of may leave, whatever the rules say."""

    record_id: str
    because: str
    at: int


class Referrals:
    """The questions asked and the rulings given."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def refer(self, partner: str, record_seq: int, portions: Sequence[bytes], reasons: bytes, at: int) -> int:
        """Ask; the referral's id. Asking the same again gives the id it had, and the ruling stands.

        It takes the place of what was asked about the record before and not yet ruled on.
        """
        joined = b"".join(sorted(portions))
        with self._db.writing() as connection:
            connection.execute(_OVERTAKEN, (partner, record_seq, joined))
            return int(
                connection.execute(
                    "INSERT INTO referral VALUES (NULL, ?, ?, ?, ?, 'open', '', ?)"
                    " ON CONFLICT DO UPDATE SET id = id RETURNING id",
                    (partner, record_seq, joined, reasons, at),
                ).get
            )

    def rule(self, id_: int, state: State, because: str, at: int, keep: Collection[bytes] = ()) -> Referral:
        """Record an officer's ruling; a later one takes its place. What to `keep` is denied by a referral of its own.

        Raises:
            InvalidInput: no such referral.
        """
        with self._db.writing() as connection:
            connection.execute(
                "UPDATE referral SET state = ?, because = ?, at = ? WHERE id = ?", (state, because, at, id_)
            )
            found = self.get(id_)
            if found is not None and keep:
                rest = b"".join(digest for digest in found.portions if digest not in keep)
                kept = (found.partner, found.record_seq, b"".join(sorted(keep)), found.reasons, because, at)
                connection.execute("UPDATE referral SET portions = ? WHERE id = ?", (rest, id_))
                connection.execute("INSERT OR REPLACE INTO referral VALUES (NULL, ?, ?, ?, ?, 'denied', ?, ?)", kept)
                found = self.get(id_)
        if found is None:
            raise InvalidInput(f"no referral {id_}", fix="List the open ones")
        return found

    def get(self, id_: int) -> Referral | None:
        """The referral, or None."""
        return next(iter(self._find("WHERE id = ?", (id_,))), None)

    def all(self, state: State | None = None, partner: str | None = None, limit: int = 500) -> list[Referral]:
        """Referrals, oldest first."""
        where = "WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR partner = ?2) ORDER BY id LIMIT ?3"
        return self._find(where, (state, partner, limit))

    def of(self, partner: str, record_seq: int) -> list[Referral]:
        """The referrals about one record for one partner, oldest first."""
        return self._find("WHERE partner = ? AND record_seq = ? ORDER BY id", (partner, record_seq))

    def approvals(self, partner: str, record_seqs: Collection[int]) -> dict[int, frozenset[bytes]]:
        """What officers approved of these records for a partner, by row."""
        found: dict[int, frozenset[bytes]] = {}
        if record_seqs:
            with self._db.reading() as connection:
                rows = connection.execute(_APPROVED, (apsw.carray(array("q", record_seqs)), partner))
                for record_seq, portions in rows:
                    found[record_seq] = found.get(record_seq, frozenset()) | set(_split(portions))
        return found

    def hold(self, record_id: str, because: str, at: int) -> None:
        """Hold a record back from everyone."""
        with self._db.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO hold VALUES (?, ?, ?)", (record_id, because, at))

    def unhold(self, record_id: str) -> bool:
        """Lift a hold; whether there was one."""
        with self._db.writing() as connection:
            return connection.execute("DELETE FROM hold WHERE record_id = ? RETURNING 1", (record_id,)).get is not None

    def holds(self) -> dict[str, Hold]:
        """Every hold, by record id."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT record_id, because, at FROM hold ORDER BY record_id")
            return {row[0]: Hold(*row) for row in rows}

    def _find(self, where: str, bindings: tuple[str | int | None, ...]) -> list[Referral]:
        with self._db.reading() as connection:
            rows = connection.execute(_SELECT + where, bindings)
            return [Referral(id_, partner, seq, _split(portions), *rest) for id_, partner, seq, portions, *rest in rows]


_OVERTAKEN = "DELETE FROM referral WHERE partner = ? AND record_seq = ? AND portions <> ? AND state = 'open'"
_SELECT = "SELECT id, partner, record_seq, portions, reasons, state, because, at FROM referral "


def _split(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[start : start + DIGEST_SIZE] for start in range(0, len(joined), DIGEST_SIZE))


_APPROVED = """
SELECT record_seq, portions FROM carray(?1) AS wanted CROSS JOIN referral
ON referral.partner = ?2 AND record_seq = wanted.value AND state = 'approved'
"""
