"""The docket: pages of what waits for a release officer, soonest day first, and rulings on questions of a shape.

A viewer is given by the shapes of question that they may see: neither pages nor cursors tell of the others.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection

import apsw
import msgspec

from aldis.node.store.cursors import Cursors
from aldis.node.store.database import Database
from aldis.node.store.listing import check_limit
from aldis.node.store.referrals import MINUTE_MS, SELECT, Referral, referral

__all__ = ["Docket", "DocketPage"]

_ID_BITS = 36
_END = 2**62


class DocketPage(msgspec.Struct, frozen=True):
    """Referrals in order; `next` is the cursor of what follows, if any."""

    referrals: list[Referral]
    next: str | None


class Docket:
    """Reads the referrals of a node."""

    def __init__(self, database: Database, cursors: Cursors) -> None:
        self._db = database
        self._cursors = cursors

    def page(
        self,
        *,
        shapes: Collection[int] | None = None,
        partner: str = "",
        grounds: str = "",
        due_by: int | None = None,
        every: bool = False,
        after: str | None = None,
        limit: int = 50,
        scope: bytes = b"",
    ) -> DocketPage:
        """A page of what waits, by the day it is due and then by age; with `every`, of all that ever did, newest first.

        Only of these `shapes` where they are given, for a `partner`, on these `grounds`, due by then (ms since 1970
        UTC). What was superseded, deleted, erased or recalled waits no more.

        Raises:
            InvalidInput: a limit that is not 1 to 200, or a cursor of another list.
        """
        check_limit(limit)
        bound = (scope, b"docket", repr((partner, grounds, due_by, every)).encode())
        start = _END if every else 0
        at = start if after is None else self._cursors.open(after, *bound)
        wanted = None if shapes is None else apsw.carray(array("q", [*shapes, -1]))
        with self._db.reading() as connection:
            rows = connection.execute(
                (_EVERY if every else _WAITING).format(shapes="" if wanted is None else _OF_SHAPES),
                {
                    "at": at, "due": (at >> _ID_BITS) * MINUTE_MS, "id": at & (2**_ID_BITS - 1), "shapes": wanted,
                    "partner": partner, "grounds": grounds, "by": due_by, "limit": limit + 1,
                },
            )  # fmt: skip
            found = [referral(values) for values in rows]
        more = self._cursors.seal(_place(found[limit - 1], every), *bound) if len(found) > limit else None
        return DocketPage(found[:limit], more)

    def overdue(self, at: int) -> int:
        """How much waits whose day has passed; for the node's operator only, since counts tell of what is withheld."""
        with self._db.reading() as connection:
            return int(connection.execute(_OVERDUE, (at,)).get)

    def ruled(self, shapes: Collection[int], partner: str, each: int) -> list[Referral]:
        """The newest rulings on questions of these shapes: of each shape so many for `partner`, and for anybody.

        Two look-ups in an index for each shape, however many rulings there are.
        """
        if not shapes:
            return []
        wanted = apsw.carray(array("q", shapes))
        with self._db.reading() as connection:
            rows = [*connection.execute(_RULED_FOR, (wanted, partner, each))]
            rows += connection.execute(_RULED, (wanted, each))
        return [*{row[0]: referral(row) for row in rows}.values()]

    def of_record(self, id_: str, originator: str, partner: str) -> list[Referral]:
        """What was ever asked of any version of a record for a partner, the newest 50, newest first."""
        with self._db.reading() as connection:
            return [referral(values) for values in connection.execute(_OF_RECORD, (id_, originator, partner))]


def _place(one: Referral, every: bool) -> int:
    return one.id if every else (one.due // MINUTE_MS << _ID_BITS) | one.id


_OF_SHAPES = "AND shape IN (SELECT value FROM carray(:shapes))"
_STANDS = """
JOIN record ON record.seq = record_seq
AND NOT EXISTS (
    SELECT 1 FROM record AS later
    WHERE later.id = record.id AND later.originator = record.originator AND later.version > record.version
) AND NOT EXISTS (SELECT 1 FROM erased WHERE erased.digest = record.digest) AND NOT EXISTS (
    SELECT 1 FROM recalled JOIN recall_request ON recall_request.id = request
    WHERE recalled.digest = record.digest AND recall_request.state <> 'refused'
    AND asker IN (record.originator, record.source)
) AND NOT EXISTS (
    SELECT 1 FROM recall_asked
    WHERE recall_asked.digest = record.digest AND recall_asked.partner IN (referral.partner, '')
)
"""
_FILTERS = """
AND (:partner = '' OR referral.partner = :partner) AND (:grounds = '' OR grounds = :grounds) {shapes}
"""
_WAITING = f"""
{SELECT} {_STANDS}
WHERE referral.state = 'open' AND (due, referral.id) > (:due, :id) AND (:by IS NULL OR due <= :by) {_FILTERS}
ORDER BY due, referral.id LIMIT :limit
"""
_EVERY = f"""
{SELECT} WHERE referral.id < :at AND (:by IS NULL OR due <= :by) {_FILTERS} ORDER BY referral.id DESC LIMIT :limit
"""
_OVERDUE = f"SELECT count(*) FROM referral {_STANDS} WHERE referral.state = 'open' AND due < ?"  # noqa: S608
_BEST = "SELECT id FROM referral WHERE shape = wanted.value AND state IN ('approved', 'denied')"
_RULED_FOR = f"""
{SELECT.replace("FROM referral", "FROM carray(?1) AS wanted CROSS JOIN referral")}
WHERE referral.id IN ({_BEST} AND partner = ?2 ORDER BY id DESC LIMIT ?3)
"""
_RULED = f"""
{SELECT.replace("FROM referral", "FROM carray(?1) AS wanted CROSS JOIN referral")}
WHERE referral.id IN ({_BEST} ORDER BY id DESC LIMIT ?2)
"""
_OF_RECORD = f"""
{SELECT.replace("FROM referral", "FROM record CROSS JOIN referral ON record_seq = record.seq")}
WHERE record.id = ?1 AND originator = ?2 AND partner = ?3 ORDER BY referral.id DESC LIMIT 50
"""
