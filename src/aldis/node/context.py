"""What an app gets of this node: `aldis.app.Context`."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence

from aldis.app import Live, Query
from aldis.kernel.explain import RecordExplanation
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.kernel.markings import parse
from aldis.kernel.records import Draft, Record
from aldis.node.core import Core
from aldis.node.desk import Desk
from aldis.node.filters import Filters
from aldis.node.live import LiveOut
from aldis.node.partners import Partners
from aldis.node.records import Records

__all__ = ["NodeContext"]

_QUEUE = 4096


class NodeContext:
    """Joins the node's parts behind the one interface that apps see."""

    def __init__(self, core: Core, records: Records, desk: Desk, partners: Partners, live: LiveOut) -> None:
        self._core = core
        self._records = records
        self._desk = desk
        self._partners = partners
        self._live = live
        self._subscribers: set[tuple[str, asyncio.Queue[Live]]] = set()
        self._nodes: Sequence[str] = ()
        self._change = self._looked = -1

    @property
    def node(self) -> str:
        """The name of this node."""
        return self._core.node

    def now(self) -> int:
        """The time by this node's clock, in ms since 1970 UTC."""
        return self._core.clock.now()

    @property
    def pace(self) -> float:
        """How many times faster than it was made a recording is to be played."""
        return self._core.config.pace

    def labels(self, kind: str) -> Mapping[str, Label]:
        """The default labels that the node's settings give a kind, by portion.

        Raises:
            InvalidInput, UnknownTerm: a marking in the settings that cannot be read.
        """
        core = self._core
        markings = core.config.labels.get(kind, {})
        at = core.clock.now()
        return {name: parse(core.config.policy, text, at=at, policies=core.policies) for name, text in markings.items()}

    def default_project(self) -> str:
        """The project that the node's settings give to what gateways put."""
        return self._core.config.project

    def opaque(self, text: str) -> str:
        """HMAC-SHA256 of `text` under this node's secret, 80 bits in hex."""
        return hmac.digest(self._core.secret, b"aldis/opaque/1\x00" + text.encode(), "sha256")[:10].hex()

    def newest(self, record_id: str) -> Record | None:
        """The newest version that this node wrote of a record."""
        row = self._core.store.records.get(record_id, originator=self.node)
        return row.record() if row else None

    def put(self, draft: Draft) -> Record:
        """Store a record and its ledger leaf in one transaction."""
        return self._records.put(draft)

    def find(self, query: Query) -> Sequence[Record]:
        """Records of this node, as its operator sees them."""
        filters = Filters(kinds=query.kinds, originator=query.originator, author=query.author)
        if query.text:
            hits = self._records.search(
                query.text,
                kind=query.kind,
                project=query.project,
                cursor=query.cursor,
                limit=query.limit,
                filters=filters,
            )
            return [hit.row.record() for hit in hits.hits]
        page = self._records.page(
            kind=query.kind, project=query.project, cursor=query.cursor, limit=query.limit, filters=filters
        )
        return [row.record() for row in page.rows]

    def offer(self, record: Record, party: str) -> RecordExplanation:
        """Ask for a release now; a referral goes to a release officer."""
        return self._desk.offer(record.header.id, party)

    def explain(self, record: Record, party: str) -> RecordExplanation:
        """Why a party may or may not have it, and what would change that."""
        return self._desk.why(record.header.id, party)

    def publish(self, header: Label, label: Label, project: str, update: Update) -> None:
        """Give a live value out, to whom its label and the instruments allow, and to subscribers here."""
        self._live.publish(header, label, project, update, self._active())
        self.told(Live("", label, update))

    def _active(self) -> Sequence[str]:
        """The names of the active partners, looked up again where a millisecond has passed and one has changed."""
        now = self._core.clock.now()
        if now != self._looked:
            change, self._looked = self._core.policy_change(), now
            if change != self._change:
                self._change = change
                self._nodes = [known.node for known in self._partners.all() if known.active]
        return self._nodes

    async def subscribe(self, kind: str) -> AsyncIterator[Live]:
        """Live values of a kind; a subscriber that falls behind loses the oldest."""
        queue: asyncio.Queue[Live] = asyncio.Queue(_QUEUE)
        entry = (kind, queue)
        self._subscribers.add(entry)
        try:
            while True:
                yield await queue.get()
        finally:
            self._subscribers.discard(entry)

    def told(self, live: Live) -> None:
        """Hand a live value to whoever subscribed to its kind."""
        for kind, queue in self._subscribers:
            if kind == live.update.kind:
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(live)
