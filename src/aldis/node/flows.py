"""Flows: what went to the parties of an instrument that its clauses name, as far as somebody may see it.

Another instrument may have let the same go too: what is counted is what fits, and so what a party would still hold.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from aldis.kernel.instruments import SHARING, Clause, Instrument, covers
from aldis.node.core import Core
from aldis.node.partners import Partners
from aldis.node.people import Person, Sights
from aldis.node.store import Row

__all__ = ["Flow", "Flows"]

_NEWEST = 5_000


class Flow(msgspec.Struct, frozen=True):
    """What one partner was sent that fits an instrument: newest version of each record sent, the newest first.

    `clauses` counts records by the id of the clause that they fit; `acknowledged` are those it said it has. `all` is
    whether everything ever sent was looked at, or just the newest.
    """

    partner: str
    party: str
    rows: tuple[Row, ...]
    acknowledged: int
    clauses: dict[str, int]
    all: bool


class Flows:
    """Looks through what partners were sent."""

    def __init__(self, core: Core, partners: Partners, sights: Sights) -> None:
        self._core = core
        self._partners = partners
        self._sights = sights

    def under(self, instrument: Instrument, viewer: Person) -> list[Flow]:
        """What went to each partner of its parties that one of its clauses names, by partner; none where nothing did.

        A licence or exemption lets nothing go by itself.
        """
        if instrument.form not in SHARING:
            return []
        others = [one for one in self._partners.all() if one.party in instrument.parties]
        found = [self._to(one.node, one.party, instrument, viewer) for one in others]
        return [flow for flow in found if flow.rows]

    def _to(self, node: str, party: str, instrument: Instrument, viewer: Person) -> Flow:
        store, sight, parties = self._core.store, self._sights.of(viewer), self._partners.parties()
        sent = store.releases.to(node)
        seqs = {one.record_seq: one.acknowledged for one in sent[-_NEWEST:]}
        newest: dict[tuple[str, str], Row] = {}
        clauses: dict[str, int] = {}
        for row in store.records.rows(sorted(seqs, reverse=True)):
            if (row.originator, row.id) in newest:
                continue
            fits = _fit(instrument.clauses, row, parties.get(row.originator, ""), party)
            if not fits or (cut := self._sights.cut(row, sight)) is None:
                continue
            newest[row.originator, row.id] = cut
            for name in fits:
                clauses[name] = clauses.get(name, 0) + 1
        sure = sum(seqs[row.seq] for row in newest.values())
        return Flow(node, party, tuple(newest.values()), sure, clauses, len(sent) <= _NEWEST)


def _fit(clauses: Sequence[Clause], row: Row, giver: str, taker: str) -> list[str]:
    """The ids of the clauses under which a record of this kind and project may go from one party to another."""
    return [
        one.id
        for one in clauses
        if giver in one.givers
        and taker in one.takers
        and covers(one.kinds, row.kind)
        and covers(one.projects, row.project)
    ]
