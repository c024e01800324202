"""The node's records at hand: put, find, and show to whom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aldis.kernel.errors import Forked, InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label, audience
from aldis.kernel.records import Draft, Record, make_record, next_version, tombstone
from aldis.kernel.release import Outcome, node_ceiling
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.instruments import KINDS
from aldis.node.store import Hits, Page, Row

__all__ = ["Records"]

_POLICY_KINDS = frozenset(kind.name for kind in KINDS)


class Records:
    """Puts records into the store and reads them for a viewer; the viewer "" is the node's own operator."""

    def __init__(self, core: Core, audit: Audit, epochs: Epochs) -> None:
        self._core = core
        self._audit = audit
        self._epochs = epochs
        self._store = core.store

    def put(self, draft: Draft) -> Record:
        """Store a record and its ledger leaf in one transaction.

        Raises:
            UnknownTerm: a kind, portion, policy, classification or category that nobody defines.
            InvalidInput: against the rules of records, not this node's to write, or a version that is written already.
            RefusedByPolicy: a label above this node's ceiling, or one that does not let its party have it.
        """
        return self.put_all([draft])[0]

    def put_all(self, drafts: list[Draft]) -> list[Record]:
        """Store several, all or none; see `put`."""
        now = self._core.clock.now()
        records = [self._make(draft) for draft in drafts]
        with self._store.transaction():
            try:
                self._store.records.put(records, now)
            except Forked as error:  # nobody else writes this node's records: one of these ids is in use
                raise self._in_use(records) from error
            self._audit.write_put(records)
            if any(record.header.kind in _POLICY_KINDS for record in records):
                self._core.policy_changed()
        return records

    def revise(self, record_id: str, draft: Draft) -> Record:
        """Store the next version of a record that this node originated."""
        return self.put(next_version(self.own(record_id), draft))

    def delete(self, record_id: str, author: str) -> Record:
        """Store the version that says the record was deleted."""
        return self.put(tombstone(self.own(record_id), author, self._core.clock.now()))

    def own(self, record_id: str) -> Record:
        """The newest version of a record that this node originated.

        Raises:
            UnknownTerm: there is none; whether a partner's record has that id is said, to the operator.
        """
        row = self._store.records.get(record_id, originator=self._core.node)
        if row is None:
            if not self._store.records.versions(record_id):
                raise UnknownTerm(f"no record {record_id!r} here", fix="`aldis list` and `aldis search` find what is")
            raise UnknownTerm(
                f"this node has written no record {record_id!r}",
                fix="Only its originator writes the next version; put a record of your own with --source",
            )
        return row.record()

    def derived_label(self, sources: list[bytes]) -> Label:
        """The label of what is made from these records (digests): their roll-up in this node's policy.

        Whose information it holds stands in its origins: the parties of the sources' originators among them.

        Raises:
            UnknownTerm: a source that is not held here.
            NeedsPerson: a label that no equivalence maps.
        """
        labels: list[Label] = []
        parties = self._epochs.parties()
        origins: set[str] = set()
        for digest in sources:
            row = self._store.records.by_digest(digest)
            if row is None:
                raise UnknownTerm(f"no record {digest.hex()} here", fix="Name a source by its full digest")
            record = row.record()
            labels += [record.label, *(portion.label for portion in record.portions)]
            origins |= {parties[row.originator]} if row.originator in parties else set()
        label = self._core.policies.roll_up(labels, self._core.config.policy, self._core.clock.now())
        return label.narrowed(origins=label.origins | (origins - {self._core.party}))

    def get(self, record_id: str, version: int | None = None, viewer: str = "") -> Row:
        """A version of a record, the newest where none is named, with the portions that the viewer may see.

        Where several nodes use one id, this node's own is meant.

        Raises:
            UnknownTerm: there is none, or the viewer may not know of it: the two are told apart by nothing.
            InvalidInput: several partners use this id (said to the operator only).
        """
        row = self._store.records.get(record_id, version, originator=self._core.node)
        try:
            row = row or self._store.records.get(record_id, version)
        except InvalidInput:
            if not viewer:
                raise
        seen = self.visible(viewer)
        if row is None or not seen[row.profile]:
            raise UnknownTerm(f"no record {record_id!r} here", fix="`aldis list` and `aldis search` find what is")
        return row.only(seen)

    def page(self, *, kind: str = "", project: str = "", cursor: str = "", limit: int = 50, viewer: str = "") -> Page:
        """A page of what the viewer may see, newest first."""
        return self._store.listing.page(
            self.visible(viewer),
            kind=kind or None,
            project=project or None,
            after=cursor or None,
            limit=limit,
            scope=viewer.encode(),
        )

    def search(
        self, text: str, *, kind: str = "", project: str = "", cursor: str = "", limit: int = 50, viewer: str = ""
    ) -> Hits:
        """Records with a portion that the viewer may see and that has all the words."""
        return self._store.search.search(
            text,
            self.visible(viewer),
            kind=kind or None,
            project=project or None,
            after=cursor or None,
            limit=limit,
            scope=viewer.encode(),
        )

    def count(self, *, kind: str = "", viewer: str = "") -> int:
        """How many records a viewer may see; for this node's own people only, since counts tell of what is withheld."""
        return self._store.listing.count_visible(self.visible(viewer), kind=kind or None)

    def visible(self, viewer: str) -> NDArray[np.bool_]:
        """Which profiles the viewer may see; the operator sees all."""
        if not viewer:
            return np.ones(self._store.profiles.count(), dtype=np.bool_)
        return self._epochs.visible(viewer)

    def _in_use(self, records: list[Record]) -> InvalidInput:
        for record in records:
            header = record.header
            row = self._store.records.get(header.id, originator=self._core.node)
            if row is not None and row.version >= header.version:
                return InvalidInput(
                    f"this node has a record {header.id!r} already, its version {row.version} the newest",
                    fix=f"To write the next version use `aldis put --revise {header.id}`; else choose another id",
                )
        return InvalidInput(
            "two of these records have one id, or one does not follow the version before it",
            fix="Give each an id of its own, and revise the newest version",
        )

    def _make(self, draft: Draft) -> Record:
        core = self._core
        if draft.originator != core.node:
            raise InvalidInput(f"{draft.originator!r} is not this node, {core.node!r}", fix="Put it at its own node")
        kind = core.kinds.get(draft.kind)
        if kind is None:
            raise UnknownTerm(f"no kind {draft.kind!r}", fix=f"There are: {', '.join(sorted(core.kinds))}")
        for label in (draft.label, *(portion.label for portion in draft.portions)):
            self._check_label(label)
        record = make_record(draft, core.random)
        for portion in record.portions:
            kind.check(portion)
        return record

    def _check_label(self, label: Label) -> None:
        core = self._core
        core.policies.check(label)
        ours = core.policies.policy(label.policy).owner == core.party or core.party in label.origins
        if not ours and not audience(label, frozenset((core.party,))):
            raise RefusedByPolicy(
                f"its marking in policy {label.policy} does not let {core.party} have it, whose node this is",
                fix=f"Put it at a node that may hold it, or mark it releasable to {core.party}",
            )
        ceiling = ((core.config.policy, core.config.ceiling),)
        outcome, _, text = node_ceiling(ceiling, label, core.policies, core.clock.now())
        if outcome is Outcome.FAIL:
            text = text.replace("the recipient's ceiling", "this node's ceiling")
            raise RefusedByPolicy(text, fix="Put it at a node that is accredited for it")
