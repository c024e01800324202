"""Listing: pages of what a viewer may see, newest first, in time that does not grow with what it may not.

Two ways lead to a page. Walking back through all rows is quick for a viewer who sees many; taking the newest of each
visible profile (an index on profile, then row) is quick for one who sees few. The walk goes on only while it promises
to cost less than the merge would, so a page costs at most about twice the better way, wherever the visible rows lie.
Where the first rows show hardly any that are visible, there may be so few of them in all that they are simply sorted.
Pages are always full but the last: neither their length nor their cursor tells of withheld rows in between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.errors import InvalidInput
from aldis.node.store.cursors import Cursors
from aldis.node.store.database import Database
from aldis.node.store.profiles import Profiles
from aldis.node.store.rows import Row, rows_of

__all__ = ["EVERYTHING", "LOOKED_AT", "PAGE_LIMIT", "Keep", "Listing", "Numbers", "Page", "check_limit"]

PAGE_LIMIT = 200
LOOKED_AT = 1_000
"""Rows that are read at most in one go, before others get a turn."""
EVERYTHING = (0, 2**62)
"""Every arrival: the numbers after the first and before the second."""

Keep = Callable[[Row], Row | None]
"""What is left of a row for who asks; None where they may not know of it, or did not ask for it."""

_STEP = 128
_MERGE_COST = 300  # of a merge, in rows walked: once, and for each place
_PLACE_COST = 4
_FEW = 64  # places that are merged however few rows they have
_RARE = 2_000  # rows in sight in all, that are taken at once and sorted
_DEPTH = 4  # pages' worth of rows that are read at first to make one

_CHANGES = "SELECT count FROM changes"
_WALK = "SELECT seq, place FROM listing WHERE seq < ? ORDER BY seq DESC LIMIT ?"
_ALL = """
WITH few AS MATERIALIZED (
    SELECT seq FROM listing WHERE place IN (SELECT value FROM carray(?1)) AND seq < ?2 LIMIT ?3
)
SELECT seq, (SELECT count(*) FROM few) FROM few ORDER BY seq DESC LIMIT ?4
"""
_TIPS = """
SELECT wanted.value, (SELECT seq FROM listing WHERE place = wanted.value AND seq < ?2 ORDER BY seq DESC LIMIT 1) AS tip
FROM carray(?1) AS wanted ORDER BY tip DESC LIMIT ?3
"""
_HEADS = """
SELECT wanted.value, (
    SELECT group_concat(seq)
    FROM (SELECT seq FROM listing WHERE place = wanted.value AND seq < ?2 ORDER BY seq DESC LIMIT ?3)
) FROM carray(?1) AS wanted
"""
_STANDING = "SELECT seq FROM listing WHERE place IN (SELECT value FROM carray(?)) ORDER BY seq LIMIT ?"
_PLACE = "SELECT seq FROM listing WHERE place = ? AND seq < ? AND seq > ? ORDER BY seq DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest arrival first, with just their visible portions; `next` is the cursor of what follows, if any."""

    rows: list[Row]
    next: str | None


class Numbers(NamedTuple):
    """A page without its rows: their numbers, and `next` as in `Page`.

    As long as `changes` is the same, nothing that was read under a number before has become anything else.
    """

    seqs: list[int]
    next: str | None
    changes: int


class Listing:
    """Pages over the records of a node."""

    def __init__(self, database: Database, profiles: Profiles, cursors: Cursors) -> None:
        self._db = database
        self._profiles = profiles
        self._cursors = cursors

    def page(
        self,
        visible: NDArray[np.bool_],
        *,
        kind: str | None = None,
        project: str | None = None,
        latest_only: bool = True,
        after: str | None = None,
        limit: int = 50,
        scope: bytes = b"",
        keep: Keep = lambda row: row,
        span: tuple[int, int] = EVERYTHING,
    ) -> Page:
        """One page of the rows whose profile is `visible` (booleans by profile number; what it lacks is not).

        With `latest_only`, what stands: each record's newest version, unless it is a tombstone. `after` is the `next`
        of the page before; it is good for the same `scope` (the viewer, say) and the same other arguments only. `span`
        bounds the arrivals; `keep` has the last word on each row, and a page is filled up with others.

        Raises:
            InvalidInput: a limit that is not 1 to 200, or a cursor of another list.
        """
        check_limit(limit)
        bound = (scope, b"listing", repr((kind, project, latest_only)).encode())
        floor, before = span
        if after is not None:
            before = min(before, self._cursors.open(after, *bound))
        allowed, seen = self._places(visible, kind, project, latest_only), visible.tobytes()
        kept, count = list[Row](), limit + 1
        while True:
            with self._db.reading() as connection:
                found = _newest(connection, allowed, before, count)
                seqs = [seq for seq in found if seq > floor]
                rows = rows_of(connection, seqs, self._profiles.profile, seen)
            kept += [left for row in rows if (left := keep(row)) is not None]
            if len(kept) > limit or len(seqs) < count:
                break
            before, count = seqs[-1], min(2 * count, LOOKED_AT)
        more = self._cursors.seal(kept[limit - 1].seq, *bound) if len(kept) > limit else None
        return Page(kept[:limit], more)

    def numbers(
        self,
        visible: NDArray[np.bool_],
        *,
        kind: str | None = None,
        project: str | None = None,
        after: str | None = None,
        limit: int = 50,
        scope: bytes = b"",
    ) -> Numbers:
        """As `page`, just the numbers of its rows."""
        check_limit(limit)
        bound = (scope, b"listing", repr((kind, project, True)).encode())
        before = EVERYTHING[1] if after is None else self._cursors.open(after, *bound)
        allowed = self._places(visible, kind, project, latest_only=True)
        with self._db.reading() as connection:
            changes = int(connection.execute(_CHANGES).get)
            seqs = _newest(connection, allowed, before, limit + 1)
        more = self._cursors.seal(seqs[limit - 1], *bound) if len(seqs) > limit else None
        return Numbers(seqs[:limit], more, changes)

    def standing(self, visible: NDArray[np.bool_], *, project: str, kinds: Collection[str], limit: int) -> list[Row]:
        """What stands of a project and some kinds and is visible, oldest arrival first, with just its visible portions.

        At most `limit` rows, the oldest.
        """
        with self._db.reading() as connection:
            every = [np.flatnonzero(self._places(visible, kind, project, latest_only=True)) for kind in {*kinds}]
            places = np.concatenate(every) if every else np.zeros(0, dtype=np.int64)
            seqs = (
                [seq for (seq,) in connection.execute(_STANDING, (apsw.carray(places), limit))] if len(places) else []
            )
            return rows_of(connection, seqs, self._profiles.profile, visible.tobytes())

    def count_visible(self, visible: NDArray[np.bool_], *, kind: str | None = None, project: str | None = None) -> int:
        """How many standing records are visible: for the node's own people only, since counts tell of what is withheld.

        Reads the whole index.
        """
        with self._db.reading() as connection:
            allowed = self._places(visible, kind, project, latest_only=True)
            counts = connection.execute("SELECT place, count(*) FROM listing GROUP BY place")
            return sum(count for place, count in counts if allowed[place])

    def _places(
        self, visible: NDArray[np.bool_], kind: str | None, project: str | None, latest_only: bool
    ) -> NDArray[np.bool_]:
        """Which places may be shown: place 2p holds what stands of profile p, place 2p + 1 what does not."""
        profiles = self._profiles.where(kind, project)
        known = min(len(visible), len(profiles))
        places = np.zeros((len(profiles), 2), dtype=np.bool_)
        places[:known, 0] = visible[:known] & profiles[:known]
        if not latest_only:
            places[:, 1] = places[:, 0]
        return places.ravel()


def check_limit(limit: int) -> None:
    """Return if a page may have that many rows.

    Raises:
        InvalidInput: it is not 1 to 200.
    """
    if not 1 <= limit <= PAGE_LIMIT:
        raise InvalidInput(f"a page of {limit} rows", fix=f"Ask for 1 to {PAGE_LIMIT}")


def _newest(connection: apsw.Connection, allowed: NDArray[np.bool_], before: int, count: int) -> list[int]:
    """The `count` greatest row numbers below `before` in the allowed places, greatest first."""
    places = np.flatnonzero(allowed)
    if not len(places):
        return []
    merge_cost = _MERGE_COST + _PLACE_COST * len(places)
    look_up = allowed.tobytes()
    found: list[int] = []
    walked, left = 0, count
    while left <= merge_cost and walked < 2 * merge_cost:
        step = max(left, _STEP)
        rows = [*connection.execute(_WALK, (before, step))]
        found += [seq for seq, place in rows if look_up[place]]
        if len(found) >= count or len(rows) < step:
            return found[:count]
        before, walked = rows[-1][0], walked + step
        left = walked * (count - len(found)) // max(len(found), 1)
    if len(places) > _FEW and len(found) < 2:
        few = [*connection.execute(_ALL, (apsw.carray(places), before, _RARE, count - len(found)))]
        if not few or few[0][1] < _RARE:
            return found + [seq for seq, _ in few]
    return found + _merge(connection, places, before, count - len(found))


def _merge(connection: apsw.Connection, places: NDArray[np.int64], before: int, count: int) -> list[int]:
    """As `_newest`: the newest few of each place fix a floor, above which only some places have more."""
    if len(places) > 2 * count:
        tips = connection.execute(_TIPS, (apsw.carray(places), before, count))
        places = np.array([place for place, tip in tips if tip], dtype=np.int64)
        if not len(places):
            return []
    depth = _DEPTH * count // len(places) + 1
    found: list[int] = []
    more: list[tuple[int, int]] = []
    for place, joined in connection.execute(_HEADS, (apsw.carray(places), before, depth)):
        if joined is not None:
            seqs = [int(seq) for seq in joined.split(",")]
            found += seqs
            if len(seqs) == depth:
                more.append((seqs[-1], place))
    found = sorted(found, reverse=True)[:count]
    for lowest, place in sorted(more, reverse=True):
        floor = found[-1] if len(found) == count else 0
        if lowest <= floor:
            break
        rows = connection.execute(_PLACE, (place, lowest, floor, count))
        found = sorted([*found, *(seq for (seq,) in rows)], reverse=True)[:count]
    return found
