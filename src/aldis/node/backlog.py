"""What was released to a partner and has not been acknowledged: how much, and since when it waits.

What was not decided yet is not counted: most of it may never go, and its number would tell of records.
"""

from __future__ import annotations

import msgspec

from aldis.kernel.bundles import open_envelope
from aldis.node.core import Core

__all__ = ["Backlog", "backlog"]


class Backlog(msgspec.Struct, frozen=True):
    """Items and contents of attachments that wait; `since` in ms since 1970 UTC, 0 where no item does."""

    items: int
    since: int
    files: int
    size: int


def backlog(core: Core, partner: str) -> Backlog:
    """What waits for a partner; `size` is how many bytes of its `files` have yet to arrive."""
    store = core.store
    last, acknowledged = store.exchange.last_sealed(partner), store.partners.acknowledged(partner)
    items = max(0, (last.last if last else 0) - (acknowledged.seq if acknowledged else 0))
    oldest = next(iter(store.exchange.sealed(partner, 1)), None) if items else None
    since = open_envelope(oldest.data)[0].created if oldest is not None and oldest.data else 0
    waiting = [one for one in store.attachments.outgoing() if one.partner == partner and one.state == "waits"]
    return Backlog(items, since, len(waiting), sum(one.size - one.sent for one in waiting))
