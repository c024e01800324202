"""Profiles: all that a release decision about one header or portion depends on, as one small integer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from threading import RLock

import apsw
import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.errors import UnknownTerm
from aldis.kernel.labels import Label, decode_label, encode_label
from aldis.node.store.database import Database

__all__ = ["PARTNER_PROFILES", "Group", "Profile", "Profiles"]

PARTNER_PROFILES = 10_000
"""How many profiles the records of one partner may have: each costs memory, and time in every decision's epoch."""
_SPELLINGS = 65_536  # of labels in bytes other than the canonical ones, remembered
_MASKS = 64


class Profile(msgspec.Struct, frozen=True):
    """Label (canonical JSON), kind, project and originating node."""

    id: int
    raw_label: bytes
    kind: str
    project: str
    originator: str

    @property
    def label(self) -> Label:
        """The label, parsed."""
        return decode_label(self.raw_label)


class Group(dict[bytes, int]):
    """The numbers of profiles that differ in their label alone, by the label's bytes; asking interns what is new."""

    def __init__(self, profiles: Profiles, of: tuple[str, str, str]) -> None:
        super().__init__()
        self.of = of
        self._profiles = profiles

    def __missing__(self, raw_label: bytes) -> int:
        return self._profiles.take(raw_label, self)


class Profiles:
    """The interned profiles, numbered from 0 without gaps, so that a verdict vector is indexed by them.

    A number taken in a transaction that was undone is given out again: `generation` changes when that may have
    happened, and every vector made before is void. A vector shorter than `count()` hides what it does not cover.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._lock = RLock()
        self._rows: list[Profile] = []
        self._taken = Counter[str]()
        self._groups: dict[tuple[str, str, str], Group] = {}
        self._spellings = 0
        self._masks: dict[tuple[str | None, str | None], NDArray[np.bool_]] = {}
        self._generation = 0
        self._settled = 0
        self._serial = -1
        self._rollbacks = database.rollbacks

    @property
    def generation(self) -> int:
        """Changes when numbers given out before may now mean another profile."""
        with self._lock:
            self._forget()
            return self._generation

    def intern(self, raw_label: bytes, kind: str, project: str, originator: str) -> int:
        """The number of a profile, new or known; equal labels in other bytes are the same profile.

        Raises:
            InvalidInput: not a label.
        """
        with self._db.writing():
            return self.group(kind, project, originator)[raw_label]

    def group(self, kind: str, project: str, originator: str) -> Group:
        """The numbers of profiles with that kind, project and originator by label; for this transaction only."""
        with self._db.writing() as connection, self._lock:
            if self._serial != self._db.serial:
                self._refresh(connection)
                self._serial, self._settled = self._db.serial, len(self._rows)
            return self._group(kind, project, originator)

    def profile(self, number: int) -> Profile:
        """The profile with this number.

        Raises:
            UnknownTerm: there is none.
        """
        if self._rollbacks == self._db.rollbacks and 0 <= number < len(self._rows):
            return self._rows[number]
        if not 0 <= number < self.count():
            raise UnknownTerm(f"no profile {number}", fix="Run `aldis doctor`")
        return self._rows[number]

    def count(self) -> int:
        """How many there are, for this thread's transaction or as committed."""
        with self._db.reading() as connection, self._lock:
            return self._refresh(connection)

    def since(self, number: int = 0) -> list[Profile]:
        """Those numbered `number` and above, in order."""
        return self._rows[number : self.count()]

    def taken(self, originator: str) -> int:
        """How many have this originating node."""
        self.count()
        return self._taken[originator]

    def lacking(self, kind: str, project: str, originator: str, labels: Iterable[bytes]) -> set[tuple[str, str, bytes]]:
        """Kind, project and canonical label of those profiles that there are not yet; none is made.

        Raises:
            InvalidInput: not a label.
        """
        group: dict[bytes, int] = self._groups.get((kind, project, originator), {})
        canonical = {encode_label(decode_label(label)) for label in labels if label not in group}
        return {(kind, project, label) for label in canonical if label not in group}

    def where(self, kind: str | None = None, project: str | None = None) -> NDArray[np.bool_]:
        """Which profiles have that kind and project: `count()` booleans (read only)."""
        count = self.count()
        with self._lock:
            mask = self._masks.get((kind, project))
            if mask is None or len(mask) != count:
                mask = np.fromiter(
                    (kind in (None, row.kind) and project in (None, row.project) for row in self._rows[:count]),
                    dtype=np.bool_,
                    count=count,
                )
                mask.flags.writeable = False
                if len(self._masks) >= _MASKS:
                    self._masks.clear()
                self._masks[kind, project] = mask
            return mask

    def take(self, raw_label: bytes, group: Group) -> int:
        """The number of a label that `group` does not know yet."""
        label = encode_label(decode_label(raw_label))
        with self._db.writing() as connection, self._lock:
            number = group.get(label)
            if number is None:
                number = len(self._rows)
                connection.execute("INSERT OR IGNORE INTO label (data) VALUES (?)", (label,))
                connection.execute(
                    "INSERT INTO profile SELECT ?, id, ?, ?, ? FROM label WHERE data = ?", (number, *group.of, label)
                )
                self._add(Profile(number, label, *group.of))
            if self._spellings < _SPELLINGS:
                self._spellings += 1
                group[raw_label] = number
            return number

    def _group(self, kind: str, project: str, originator: str) -> Group:
        group = self._groups.get((kind, project, originator))
        if group is None:
            group = self._groups[kind, project, originator] = Group(self, (kind, project, originator))
        return group

    def _add(self, row: Profile) -> None:
        self._rows.append(row)
        self._taken[row.originator] += 1
        self._group(row.kind, row.project, row.originator)[row.raw_label] = row.id

    def _forget(self) -> None:
        """Drop what an undone transaction may have added."""
        if self._rollbacks == self._db.rollbacks:
            return
        self._rollbacks, self._serial = self._db.rollbacks, -1
        if len(self._rows) > self._settled:
            kept = self._rows[: self._settled]
            self._rows, self._groups, self._masks, self._spellings = [], {}, {}, 0
            self._taken.clear()
            for row in kept:
                self._add(row)
            self._generation += 1

    def _refresh(self, connection: apsw.Connection) -> int:
        self._forget()
        count = int(connection.execute("SELECT coalesce(max(id) + 1, 0) FROM profile").get)
        if count > len(self._rows):
            for row in connection.execute(
                "SELECT profile.id, data, kind, project, originator FROM profile JOIN label ON label.id = label"
                " WHERE profile.id >= ? ORDER BY profile.id",
                (len(self._rows),),
            ):
                self._add(Profile(*row))
        return count
