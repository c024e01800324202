"""The policy epoch in force at this node, rebuilt whenever an instrument, a partner or a hold changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.instruments import Instruments
from aldis.kernel.records import Record
from aldis.kernel.release import Request, compile_terms
from aldis.node.core import Core
from aldis.node.instruments import KINDS, gather
from aldis.node.partners import Partners
from aldis.node.store import PAGE_LIMIT

__all__ = ["Epochs"]


class Epochs:
    """Holds the newest epoch, and which profiles each recipient may see under it."""

    def __init__(self, core: Core, partners: Partners) -> None:
        self._core = core
        self._partners = partners
        self._change = -1
        self._epoch: PolicyEpoch | None = None

    def current(self) -> PolicyEpoch:
        """The epoch of what the store holds now."""
        change = self._core.policy_change()
        if self._epoch is None or change != self._change:
            self._epoch, self._change = self.build(), change
        return self._epoch

    def build(self) -> PolicyEpoch:
        """The epoch from scratch."""
        core = self._core
        return PolicyEpoch(
            party=core.party,
            node=core.node,
            ceiling=((core.config.policy, core.config.ceiling),),
            policies=core.policies,
            instruments=self.instruments(),
            partners=self._partners.recipients(),
            holds=frozenset(core.store.referrals.holds()),
        )

    def parties(self) -> dict[str, str]:
        """Each known node's party."""
        return self._partners.parties()

    def instruments(self) -> Instruments:
        """Every instrument held here, with the signatures that verify."""
        return gather((record for kind in KINDS for record in self._all(kind.name)), self._partners.signers())

    def _all(self, kind: str) -> Iterator[Record]:
        """Every version held of every record of a kind."""
        store, cursor = self._core.store, None
        everything = np.ones(store.profiles.count(), dtype=np.bool_)
        while True:
            page = store.listing.page(everything, kind=kind, latest_only=False, after=cursor, limit=PAGE_LIMIT)
            yield from (row.record() for row in page.rows)
            cursor = page.next
            if cursor is None:
                return

    def keep(self, epoch: PolicyEpoch) -> bytes:
        """The digest of an epoch that is about to be relied on, its bytes kept for `replay`."""
        return self._core.store.ledger.add_snapshot(epoch.to_bytes())

    def visible(self, recipient: str) -> NDArray[np.bool_]:
        """Which profiles of the store a recipient may see, for listings and searches."""
        epoch, at = self.current(), self._core.clock.now()
        terms = compile_terms(epoch, recipient, None, at)
        parties = self._partners.originators(recipient)
        profiles = self._core.store.profiles.since(0)
        seen = np.zeros(len(profiles), dtype=np.bool_)
        for profile in profiles:
            request = Request(
                label=profile.label,
                kind=profile.kind,
                recipient=recipient,
                originator=parties.get(profile.originator, ""),
                project=profile.project,
            )
            seen[profile.id] = terms.decide(request).permits
        return seen
