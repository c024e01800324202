"""Retention: what the node's settings say is kept no longer is deleted, or its content erased, each with its leaf."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from aldis.kernel.authority import Act
from aldis.kernel.errors import RefusedByPolicy
from aldis.kernel.records import read_header
from aldis.node.audit import Audit
from aldis.node.config import Rule
from aldis.node.core import Core
from aldis.node.instruments import KINDS
from aldis.node.people import Person, name_of
from aldis.node.recall_records import RECALL_KINDS
from aldis.node.recalls import Recalls
from aldis.node.records import Records
from aldis.node.store import Row

__all__ = ["Due", "Retention"]

DAY = 86_400_000
_STEP = 500
_KEPT = frozenset(kind.name for kind in (*KINDS, *RECALL_KINDS))
"""Kinds that no rule reaches: what was agreed and asked is kept."""
_RUN = "retention run"
_NONE = array("I")


class Due(NamedTuple):
    """A record, without content, whose time is over under a rule; `kept` says why it is kept all the same, if it is."""

    row: Row
    rule: Rule
    kept: str


class Retention:
    """Finds what is due, and deletes or erases it."""

    def __init__(self, core: Core, audit: Audit, records: Records, recalls: Recalls) -> None:
        self._core = core
        self._audit = audit
        self._records = records
        self._recalls = recalls
        self._store = core.store

    def due(self, viewer: str | Person = "") -> Iterator[Due]:
        """What is due now of what the viewer may see, in order of arrival; nothing is changed.

        Raises:
            RefusedByPolicy: a person who is no administrator.
        """
        name_of(viewer, Act.CONFIGURE)
        if not isinstance(viewer, Person):
            return self._due()
        return (one for one in self._due() if self._records.sees(viewer, one.row))

    def _due(self) -> Iterator[Due]:
        rules, now, after = self._core.config.retention, self._core.clock.now(), 0
        holds = self._store.referrals.holds()
        while rules and (rows := self._store.records.since(after, _STEP)):
            superseded = self._store.records.superseded([row.seq for row in rows])
            for row in rows:
                rule = next((rule for rule in rules if self._reaches(rule, row, row.seq in superseded, now)), None)
                if rule is not None:
                    held = holds.get(row.id)
                    yield Due(_bare(row), rule, f"on hold: {held.because}" if held else "")
            after = rows[-1].seq

    def run(self, author: str, told: Callable[[Due], None] = lambda _due: None) -> list[Due]:
        """Delete and erase what is due; what was done. Each is a transaction, so that others never wait long.

        Raises:
            Unavailable: a disk that fails, or a store that could not be written anew; run it again.
        """
        done = []
        for one in self.due():
            if one.kept:
                continue
            try:
                self._act(one, author)
            except RefusedByPolicy:  # it waits in a file: another day
                continue
            told(one)
            done.append(one)
        self._recalls.rewrite()
        self._store.meta.set_number(_RUN, self._core.clock.now())
        return done

    @property
    def wanted(self) -> bool:
        """Whether the daily run is due, or what was erased has yet to leave the file."""
        last = self._store.meta.number(_RUN)
        rules = bool(self._core.config.retention) and self._core.clock.now() - last >= DAY
        return rules or self._store.erasure.due

    def _reaches(self, rule: Rule, row: Row, superseded: bool, now: int) -> bool:
        own = not row.source and row.originator == self._core.node
        if row.kind in _KEPT or own is not (rule.action == "delete"):
            return False
        if (rule.kind or row.kind) != row.kind or (rule.project or row.project) != row.project:
            return False
        since = row.created if own else row.arrived
        if now - since < rule.days * DAY:
            return False
        label = self._store.profiles.profile(row.profile).label
        if rule.classification and label.classification != rule.classification:
            return False
        if own:
            return not superseded and not read_header(row.header).deleted
        return bool(row.portions or row.substitutes) and self._store.erasure.of(row.digest) is None

    def _act(self, one: Due, author: str) -> None:
        row, because = one.row, f"retention: {one.rule}"
        if one.rule.action == "delete":
            self._records.delete(row.id, self._core.node)
        with self._store.transaction():
            if one.rule.action == "erase":
                self._recalls.erase([row], because, author)
            else:
                self._audit.write("erasure", row.digest.hex(), verdict="deleted", reasons=[because], actor=author)


def _bare(row: Row) -> Row:
    """The row without its content, which nobody needs for long lists of what is due."""
    return msgspec.structs.replace(row, portions=[], portion_profiles=_NONE, substitutes=[], substitute_profiles=_NONE)
