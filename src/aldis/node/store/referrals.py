"""Referrals: what waits for a release officer, and every word that officers have said about it; and holds.

A referral is never deleted. A question that is asked again is the one that was asked; a portion that was denied stays
denied, and one that was approved waits again where more officers are asked for than have said yes.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Sequence, Set
from typing import Any, Literal

import apsw
import msgspec

from aldis.kernel.errors import UnknownTerm
from aldis.node.store.database import Database
from aldis.node.store.digests import split_digests
from aldis.node.store.rows import Row
from aldis.node.store.shapes import Shapes

__all__ = ["MINUTE_MS", "NEVER", "Hold", "Referral", "Referrals", "Ruling", "State"]

State = Literal["open", "approved", "denied", "superseded", "withdrawn"]

MINUTE_MS = 60_000
NEVER = (2**27 - 1) * MINUTE_MS
"""The `due` of what has no day; due times are whole minutes before it."""
_FIRST, _LAST, _TRIES = 1_000_000, 10_000_000, 16


class Referral(msgspec.Struct, frozen=True):
    """A question to a release officer: may these portions of a record (by row number) go to a partner?

    `number` is random, so that who sees some of them learns nothing of the others; `id` counts, and stays inside.
    `reasons` is JSON, `grounds` the clause that asks for a person, or the check. `because` are the words of the newest
    ruling. `asked`, `at` (of the newest change) and `due` are in ms since 1970 UTC; `due` may be `NEVER`. `successor`
    is the number of what was asked about the next version, or 0.
    """

    id: int
    number: int
    partner: str
    record_seq: int
    portions: tuple[bytes, ...]
    reasons: bytes
    grounds: str
    shape: int
    state: State
    because: str
    asked: int
    at: int
    due: int
    successor: int


class Ruling(msgspec.Struct, frozen=True):
    """What an officer said, and whether it still stands; `until` is the day that a deferral names, else 0."""

    officer: str
    signed_in: bool
    verdict: Literal["approved", "denied", "deferred"]
    because: str
    at: int
    until: int
    stands: bool


class Hold(msgspec.Struct, frozen=True):
    """A record that nothing of may leave, whatever the rules say."""

    record_id: str
    because: str
    at: int


class Referrals:
    """The questions asked and the rulings given; `random(n)` gives n unguessable bytes."""

    def __init__(self, database: Database, shapes: Shapes, random: Callable[[int], bytes]) -> None:
        self._db = database
        self._shapes = shapes
        self._random = random

    def refer(
        self,
        partner: str,
        row: Row,
        portions: Collection[bytes],
        *,
        goes: Collection[bytes] = (),
        reasons: bytes = b"[]",
        grounds: str = "",
        at: int,
        due: int = NEVER,
    ) -> list[int]:
        """Ask for what waits now of a record, of which `goes` needs nobody any more; the numbers that wait.

        What waits of an earlier version is superseded, and keeps its day where that is the sooner one.
        """
        with self._db.writing() as connection:
            left = set(portions)
            for one in self.of(partner, row.seq):
                if one.state == "open":
                    self._settle(connection, one, row, set(one.portions) & set(goes), at)
                if one.state == "approved" and left.intersection(one.portions):
                    self._reopen(connection, one, row, left.intersection(one.portions))
                if one.state in ("open", "approved", "denied"):
                    left.difference_update(one.portions)
            if left:
                self._ask(connection, partner, row, left, (reasons, grounds, at, due))
            return [one.number for one in self.of(partner, row.seq) if one.state == "open"]

    def open_among(self, partner: str, record_seqs: Collection[int]) -> frozenset[int]:
        """Of which of these records something waits that would go to a partner."""
        if not record_seqs:
            return frozenset()
        with self._db.reading() as connection:
            rows = connection.execute(_OPEN, (apsw.carray(array("q", record_seqs)), partner))
            return frozenset(seq for (seq,) in rows)

    def rule(
        self,
        number: int,
        ruling: Ruling,
        *,
        needed: int = 1,
        keep: Collection[bytes] = (),
        rest: Collection[bytes] = (),
        row: Row,
    ) -> int:
        """Record what an officer said of a referral of `row`; a later ruling takes the place of an earlier one.

        What to `keep` is denied by a referral of its own, and the `rest` goes on as it was by another, whose number is
        given (0: there is none). An approval lets go once `needed` different officers have approved; a denial ends what
        was said before.

        Raises:
            UnknownTerm: no such referral.
        """
        with self._db.writing() as connection:
            one, other = self.get(number), 0
            if rest:
                one, split = self._split(connection, one, row, rest)
                other = split.number
            if keep:
                one, kept = self._split(connection, one, row, keep)
                self._say(connection, kept, msgspec.structs.replace(ruling, verdict="denied"), 0)
            self._say(connection, one, ruling, needed)
            return other

    def defer(self, number: int, ruling: Ruling) -> Referral:
        """Put the day of a referral off to `ruling.until`.

        Raises:
            UnknownTerm: no such referral.
        """
        with self._db.writing() as connection:
            one = self.get(number)
            connection.execute("UPDATE referral SET due = ? WHERE id = ?", (ruling.until, one.id))
            self._note(connection, one.id, ruling)
            return self.get(number)

    def get(self, number: int) -> Referral:
        """The referral with this number.

        Raises:
            UnknownTerm: there is none.
        """
        found = self._find("WHERE number = ?", (number,))
        if not found:
            raise UnknownTerm(f"nothing waits or waited under number {number}", fix="`aldis desk list` shows what does")
        return found[0]

    def all(self, state: State | None = None, partner: str | None = None, limit: int = 500) -> list[Referral]:
        """Referrals, oldest first."""
        where = "WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR partner = ?2) ORDER BY id LIMIT ?3"
        return self._find(where, (state, partner, limit))

    def of(self, partner: str, record_seq: int) -> list[Referral]:
        """The referrals about one record for one partner, oldest first."""
        return self._find("WHERE record_seq = ? AND partner = ? ORDER BY id", (record_seq, partner))

    def rulings(self, id_: int) -> list[Ruling]:
        """What officers said of a referral, by its `id`, oldest first."""
        with self._db.reading() as connection:
            rows = connection.execute(_RULINGS + "WHERE referral = ? ORDER BY id", (id_,))
            return [_ruling(values) for values in rows]

    def moments(self, record_seqs: Collection[int]) -> set[tuple[str, int]]:
        """For whom and when something was said about these records."""
        with self._db.reading() as connection:
            rows = connection.execute(_MOMENTS, (apsw.carray(array("q", record_seqs)),)) if record_seqs else ()
            return {(partner, at) for partner, at in rows}

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
            seq: tuple(portion for portion, said in by_portion.items() for _ in range(officers(said)))
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

    # the steps of a question

    def _settle(self, connection: apsw.Connection, one: Referral, row: Row, goes: Set[bytes], at: int) -> None:
        """Take what needs no officer any more out of what waits."""
        if goes == set(one.portions):
            connection.execute(_WITHDRAW, (at, one.id))
        elif goes:
            self._set_portions(connection, one.id, row, set(one.portions) - goes)

    def _reopen(self, connection: apsw.Connection, one: Referral, row: Row, again: Set[bytes]) -> None:
        """What was approved and is asked for again wants more officers than it had."""
        if again != set(one.portions):
            _, one = self._split(connection, one, row, again)
        connection.execute("UPDATE referral SET state = 'open' WHERE id = ?", (one.id,))

    def _ask(
        self,
        connection: apsw.Connection,
        partner: str,
        row: Row,
        portions: Set[bytes],
        why: tuple[bytes, str, int, int],
    ) -> None:
        """Ask for portions that nothing asks for yet: with what waits and nobody has spoken of, else by itself."""
        reasons, grounds, at, due = why
        waits = [one for one in self.of(partner, row.seq) if one.state == "open" and not self.rulings(one.id)]
        if waits:
            one = waits[0]
            self._set_portions(connection, one.id, row, portions | set(one.portions))
            connection.execute(_AGAIN, (reasons, grounds, due, one.id))
            return
        made = self._insert(connection, (partner, row, portions, reasons, grounds, "open", "", at, at, due, 0))
        before = [value for (value,) in connection.execute(_EARLIER, (row.id, row.originator, row.version, partner))]
        if before:
            connection.execute(_SUPERSEDE, (made.number, at, apsw.carray(array("q", before))))
            connection.execute(_SOONER, (apsw.carray(array("q", before)), made.id))

    def _split(
        self, connection: apsw.Connection, one: Referral, row: Row, off: Collection[bytes]
    ) -> tuple[Referral, Referral]:
        """Two referrals of one, each with all that was said: what stays under its number, and what is split off."""
        self._set_portions(connection, one.id, row, set(one.portions).difference(off))
        values = (one.partner, row, off, one.reasons, one.grounds, one.state, one.because, one.asked, one.at, one.due,
                  one.successor)  # fmt: skip
        made = self._insert(connection, values)
        connection.execute(_COPY, (made.id, one.id))
        return self.get(one.number), made

    def _insert(self, connection: apsw.Connection, values: tuple[Any, ...]) -> Referral:
        partner, row, portions, reasons, grounds, *others = values
        number, shape = self._number(connection), self._shapes.take(connection, row, portions)
        joined = b"".join(sorted(portions))
        connection.execute(_INSERT, (number, partner, row.seq, joined, reasons, grounds, shape, *others))
        return self.get(number)

    def _set_portions(self, connection: apsw.Connection, id_: int, row: Row, portions: Collection[bytes]) -> None:
        shape = self._shapes.take(connection, row, portions)
        joined = b"".join(sorted(portions))
        connection.execute("UPDATE referral SET portions = ?, shape = ? WHERE id = ?", (joined, shape, id_))

    def _number(self, connection: apsw.Connection) -> int:
        """A number that is not in use: of seven digits while there is room, then of more."""
        first, last = _FIRST, _LAST
        while True:
            for _ in range(_TRIES):
                number = first + int.from_bytes(self._random(8)) % (last - first)
                if connection.execute("SELECT 1 FROM referral WHERE number = ?", (number,)).get is None:
                    return number
            first, last = last, last * 100

    def _say(self, connection: apsw.Connection, one: Referral, ruling: Ruling, needed: int) -> None:
        """Note a ruling, and what the referral's state is with it."""
        whose = None if ruling.verdict == "denied" else ruling.officer
        connection.execute(_UNSAY, (one.id, whose, ruling.signed_in))
        self._note(connection, one.id, ruling)
        said = {
            (other.officer, other.signed_in)
            for other in self.rulings(one.id)
            if other.stands and other.verdict == "approved"
        }
        enough = ruling.verdict == "denied" or officers(said) >= needed
        state = ruling.verdict if enough else "open"
        connection.execute(_STATE, (state, ruling.because, ruling.at, one.id))

    @staticmethod
    def _note(connection: apsw.Connection, id_: int, ruling: Ruling) -> None:
        connection.execute(
            "INSERT INTO ruling VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", (id_, *msgspec.structs.astuple(ruling))
        )

    def _find(self, where: str, bindings: tuple[str | int | None, ...]) -> list[Referral]:
        with self._db.reading() as connection:
            return [referral(values) for values in connection.execute(SELECT + where, bindings)]


def referral(values: Sequence[Any]) -> Referral:
    """The referral in a row of `SELECT`."""
    id_, number, partner, seq, portions, *rest = values
    return Referral(id_, number, partner, seq, split_digests(portions), *rest)


def officers(said: Set[tuple[str, bool]]) -> int:
    """How many different officers: those who signed in, or one where nobody did."""
    return max(sum(signed_in for _, signed_in in said), min(len(said), 1))


def _ruling(values: Sequence[Any]) -> Ruling:
    officer, signed_in, verdict, because, at, until, stands = values
    return Ruling(officer, bool(signed_in), verdict, because, at, until, bool(stands))


SELECT = (
    "SELECT referral.id, number, partner, record_seq, referral.portions, reasons, grounds, shape, state, because,"
    " asked, referral.at, due, successor FROM referral "
)
_RULINGS = "SELECT officer, signed_in, verdict, because, at, until, stands FROM ruling "
_INSERT = "INSERT INTO referral VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_STATE = "UPDATE referral SET state = ?, because = ?, at = ? WHERE id = ?"
_AGAIN = "UPDATE referral SET reasons = ?, grounds = ?, due = min(due, ?) WHERE id = ?"
_WITHDRAW = "UPDATE referral SET state = 'withdrawn', because = 'the rules ask for no officer now', at = ? WHERE id = ?"
_OPEN = """
SELECT DISTINCT record_seq FROM carray(?1) AS wanted CROSS JOIN referral
ON record_seq = wanted.value AND partner = ?2 WHERE state = 'open'
"""
_EARLIER = """
SELECT referral.id FROM record CROSS JOIN referral ON record_seq = record.seq
WHERE record.id = ?1 AND originator = ?2 AND version < ?3 AND partner = ?4 AND state = 'open'
"""
_SUPERSEDE = (
    "UPDATE referral SET state = 'superseded', successor = ?1, at = ?2 WHERE id IN (SELECT value FROM carray(?3))"
)
_SOONER = """
UPDATE referral SET due = min(due, (SELECT min(due) FROM referral WHERE id IN (SELECT value FROM carray(?1))))
WHERE id = ?2
"""
_COPY = """
INSERT INTO ruling SELECT NULL, ?1, officer, signed_in, verdict, because, at, until, stands
FROM ruling WHERE referral = ?2 ORDER BY id
"""
_UNSAY = """
UPDATE ruling SET stands = 0 WHERE referral = ?1 AND verdict <> 'deferred'
AND (?2 IS NULL OR verdict = 'denied' OR (officer = ?2 AND signed_in = ?3))
"""
_MOMENTS = """
SELECT partner, ruling.at FROM carray(?1) AS wanted CROSS JOIN referral ON record_seq = wanted.value
JOIN ruling ON ruling.referral = referral.id
"""
_APPROVED = """
SELECT record_seq, portions, officer, signed_in FROM carray(?1) AS wanted CROSS JOIN referral
ON referral.partner = ?2 AND record_seq = wanted.value AND state = 'approved'
JOIN ruling ON ruling.referral = referral.id AND verdict = 'approved' AND stands
"""
