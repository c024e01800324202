"""Referrals and holds: what waits for a person."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence, Set
from typing import Literal

import apsw
import msgspec

from aldis.kernel.errors import InvalidInput
from aldis.node.store.database import Database
from aldis.node.store.digests import split_digests

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
        """Ask; the referral's id. Asking the same again gives the id it had, and a denial stands.

        What was approved and is asked again wants more officers than it had: it waits for another.

        It takes the place of what was asked about the record before and not yet ruled on.
        """
        joined = b"".join(sorted(portions))
        with self._db.writing() as connection:
            connection.execute(_OVERTAKEN, (partner, record_seq, joined))
            return int(
                connection.execute(
                    "INSERT INTO referral VALUES (NULL, ?, ?, ?, ?, 'open', '', ?)"
                    " ON CONFLICT DO UPDATE SET state = iif(state = 'approved', 'open', state) RETURNING id",
                    (partner, record_seq, joined, reasons, at),
                ).get
            )

    def approve(self, id_: int, officer: str, because: str, at: int, *, signed_in: bool) -> int:
        """Note an officer's yes; how many different officers have said yes now, all who did not sign in as one."""
        with self._db.writing() as connection:
            yes = (id_, officer, signed_in, because, at)
            connection.execute("INSERT OR REPLACE INTO ruling VALUES (?, ?, ?, ?, ?)", yes)
            rows = connection.execute("SELECT officer, signed_in FROM ruling WHERE referral = ?", (id_,)).fetchall()
        return _count({(str(name), bool(known)) for name, known in rows})

    def rule(self, id_: int, state: State, because: str, at: int, keep: Collection[bytes] = ()) -> Referral:
        """Record an officer's ruling; a later one takes its place. What to `keep` is denied by a referral of its own.

        An approval that nobody is noted for counts for one officer, and a denial ends what was said before.

        Raises:
            InvalidInput: no such referral.
        """
        with self._db.writing() as connection:
            connection.execute(
                "UPDATE referral SET state = ?, because = ?, at = ? WHERE id = ?", (state, because, at, id_)
            )
            if state == "approved":
                connection.execute(_UNSAID, (id_, because, at))
            elif state == "denied":
                connection.execute("DELETE FROM ruling WHERE referral = ?", (id_,))
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

    def approvals(self, partner: str, record_seqs: Collection[int]) -> dict[int, tuple[bytes, ...]]:
        """What was approved of these records for a partner, by row: each digest as often as an officer said yes."""
        found: dict[int, dict[bytes, set[tuple[str, bool]]]] = {}
        if record_seqs:
            with self._db.reading() as connection:
                rows = connection.execute(_APPROVED, (apsw.carray(array("q", record_seqs)), partner))
                for record_seq, portions, officer, signed_in in rows:
                    for portion in split_digests(portions):
                        said = found.setdefault(record_seq, {}).setdefault(portion, set())
                        said.add((officer, bool(signed_in)))
        return {
            seq: tuple(portion for portion, said in by_portion.items() for _ in range(_count(said)))
            for seq, by_portion in found.items()
        }

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
            return [
                Referral(id_, partner, seq, split_digests(portions), *rest)
                for id_, partner, seq, portions, *rest in rows
            ]


_OVERTAKEN = "DELETE FROM referral WHERE partner = ? AND record_seq = ? AND portions <> ? AND state = 'open'"
_SELECT = "SELECT id, partner, record_seq, portions, reasons, state, because, at FROM referral "


_UNSAID = """
INSERT INTO ruling SELECT ?1, '', 0, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM ruling WHERE referral = ?1)
AND EXISTS (SELECT 1 FROM referral WHERE id = ?1)
"""


def _count(officers: Set[tuple[str, bool]]) -> int:
    """How many different officers: those who signed in, or one where nobody did."""
    return max(sum(signed_in for _, signed_in in officers), min(len(officers), 1))


_APPROVED = """
SELECT record_seq, portions, officer, signed_in FROM carray(?1) AS wanted CROSS JOIN referral
ON referral.partner = ?2 AND record_seq = wanted.value AND state = 'approved'
JOIN ruling ON ruling.referral = referral.id
"""
