"""Filters: what a list or a search is narrowed to, by what the viewer sees of a record and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from threading import RLock

import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.errors import InvalidInput, TooLarge
from aldis.kernel.release import Outcome, node_ceiling
from aldis.node.core import Core
from aldis.node.store import Row

__all__ = ["ALL", "Filters", "Narrowing", "passes"]

_DAY = 86_400_000
_KINDS = 32
_TEXT = 200
_RUNGS = 16


class Filters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Only records of one of these kinds, of a project, by an originating node, with an author, of a time.

    Empty fields do not restrict. Times are in ms since 1970 UTC, from `_from` up to but without `_until`; 0 is open.
    `at_most` is a policy and a rung of it: what is higher, record or portion, is left out as at a lower level.
    """

    kinds: tuple[str, ...] = ()
    project: str = ""
    originator: str = ""
    author: str = ""
    created_from: int = 0
    created_until: int = 0
    arrived_from: int = 0
    arrived_until: int = 0
    at_most: tuple[str, str] | None = None

    @property
    def by_row(self) -> bool:
        """Whether single records have to be looked at, beyond their profiles."""
        times = self.created_from, self.created_until, self.arrived_from, self.arrived_until
        return bool(self.author) or any(times)

    @property
    def key(self) -> bytes:
        """What cursors are bound to."""
        return msgspec.json.encode(self)

    def check(self) -> None:
        """Return if these can be looked for.

        Raises:
            InvalidInput: a time before 1970, or one that ends before it begins.
            TooLarge: over 32 kinds, or a name of over 200 characters.
        """
        if len(self.kinds) > _KINDS:
            raise TooLarge(f"{len(self.kinds)} kinds to look for; the limit is {_KINDS}", fix="Ask in several steps")
        if any(len(text) > _TEXT for text in (*self.kinds, self.project, self.originator, self.author)):
            raise TooLarge(f"a name to look for has over {_TEXT} characters", fix="Shorten it")
        for what in ("created", "arrived"):
            first, end = getattr(self, f"{what}_from"), getattr(self, f"{what}_until")
            if min(first, end) < 0 or (end and first >= end):
                raise InvalidInput(f"the time in which it {_DID[what]} ends before it begins", fix="Swap the two")


ALL = Filters()
_DID = {"created": "was written", "arrived": "arrived"}


class _Author(msgspec.Struct, frozen=True):
    author: str


_author = msgspec.json.Decoder(_Author)


def passes(filters: Filters, row: Row) -> bool:
    """Whether a row has the author and the times asked for."""
    return (
        filters.created_from <= row.created < (filters.created_until or row.created + 1)
        and filters.arrived_from <= row.arrived < (filters.arrived_until or row.arrived + 1)
        and (not filters.author or _author.decode(row.header).author == filters.author)
    )


class Narrowing:
    """What a node's profiles have to do with filters; what was found out of a rung is kept."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = RLock()
        self._rungs: dict[tuple[str, str], tuple[tuple[int, int], NDArray[np.bool_]]] = {}

    def narrow(self, visible: NDArray[np.bool_], filters: Filters, without: Collection[str] = ()) -> NDArray[np.bool_]:
        """Which of the visible profiles are asked for, less the kinds in `without`.

        Raises:
            UnknownTerm: `at_most` names a policy or a rung that nobody defined.
            InvalidInput, TooLarge: see `Filters.check`.
        """
        filters.check()
        if filters.at_most is not None:
            known = self._at_most(filters.at_most)
            count = min(len(known), len(visible))
            visible = visible[:count] & known[:count]
        if not (filters.kinds or filters.originator or without):
            return visible
        kinds, wanted = frozenset(filters.kinds), visible.copy()
        for one in self._core.store.profiles.since()[: len(visible)]:
            other = filters.originator not in ("", one.originator)
            if other or (kinds and one.kind not in kinds) or one.kind in without:
                wanted[one.id] = False
        return wanted

    def span(self, filters: Filters) -> tuple[int, int]:
        """The arrivals among which to look: numbers after the first and before the second.

        A day is allowed for on both sides, for a clock that was set back.
        """
        records, first, end = self._core.store.records, 0, 2**48
        if filters.arrived_from:
            first = records.first_since(filters.arrived_from - _DAY) - 1
        if filters.arrived_until:
            end = records.first_since(filters.arrived_until + _DAY)
        return first, end

    def _at_most(self, rung: tuple[str, str]) -> NDArray[np.bool_]:
        """Which profiles have a classification that is at most this; what is not mapped to the policy is not."""
        core = self._core
        core.policies.policy(rung[0]).rank(rung[1])
        profiles, now = core.store.profiles, core.clock.now()
        with self._lock:
            state = profiles.generation, now // _DAY
            before, seen = self._rungs.get(rung, (state, np.zeros(0, dtype=np.bool_)))
            if before != state:
                seen = np.zeros(0, dtype=np.bool_)
            more = [
                node_ceiling((rung,), one.label, core.policies, now)[0] is Outcome.PASS
                for one in profiles.since(len(seen))
            ]
            if more:
                seen = np.concatenate([seen, np.array(more, dtype=np.bool_)])
            if len(self._rungs) >= _RUNGS:
                self._rungs.clear()
            self._rungs[rung] = state, seen
            return seen
