"""What a system that acts as an account is sent of live values: what that account may see, at its whole clearance."""

from __future__ import annotations

from aldis.app import Live
from aldis.node.core import Core
from aldis.node.people import People
from aldis.node.records import Records

__all__ = ["KEPT_MS", "Showing"]

KEPT_MS = 500
"""How long an answer is kept: what changes at an account or an instrument holds for systems within a second."""


class Showing:
    """Answers for accounts; one that is suspended, or that nobody has, is shown nothing."""

    def __init__(self, core: Core, people: People, records: Records) -> None:
        self._core = core
        self._people = people
        self._records = records
        self._known: dict[tuple[object, ...], tuple[bool, Live]] = {}
        self._at = 0

    def may_show(self, live: Live, account: str) -> bool:
        """Whether an account may be shown a live value."""
        now = self._core.clock.now()
        if not 0 <= now - self._at < KEPT_MS:
            self._known.clear()
            self._at = now
        one = live.update.id if live.source else ""
        key = (account, live.source, id(live.header), id(live.label), live.project, live.update.kind, one)
        known = self._known.get(key)
        if known is None:  # the value is kept beside the answer, so that its labels' ids stay theirs
            person = self._people.standing(account)
            known = self._known[key] = (person is not None and self._records.may_watch(live, person), live)
        return known[0]
