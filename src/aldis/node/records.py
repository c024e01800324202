"""The node's records at hand: put, find, and show to whom."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from aldis.kernel.bundles import onward_of
from aldis.kernel.errors import Forked, InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.explain import RecordExplanation, explain_record
from aldis.kernel.labels import Label, audience
from aldis.kernel.records import Draft, Record, make_record, next_version, read_portion, tombstone
from aldis.kernel.release import Outcome, node_ceiling
from aldis.node.attachments import Attachments, Reader
from aldis.node.audit import Audit
from aldis.node.authorship import Authorship
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.instruments import KINDS
from aldis.node.people import Person, Sight, Sights
from aldis.node.rulings import candidate
from aldis.node.store import Hit, Hits, Page, Row

__all__ = ["Records"]

_One = TypeVar("_One", Row, Hit)
_POLICY_KINDS = frozenset(kind.name for kind in KINDS)


class Records:
    """Puts records into the store and reads them for a viewer.

    A viewer is a person who is signed in, the name of a partner node, or "", the node's own operator.
    """

    def __init__(self, core: Core, audit: Audit, epochs: Epochs, sights: Sights, attachments: Attachments) -> None:
        self._attachments = attachments
        self._core = core
        self._audit = audit
        self._epochs = epochs
        self._sights = sights
        self._store = core.store
        self._authorship = Authorship(core, sights)

    def put(self, draft: Draft, by: str | Person = "") -> Record:
        """Store a record and its ledger leaf in one transaction; a person who puts it is its author.

        Raises:
            UnknownTerm: a kind, portion, policy, classification or category that nobody defines.
            InvalidInput: against the rules of records, not this node's to write, or a version that is written already.
            RefusedByPolicy: a label above this node's ceiling, or one that does not let its party have it; or the
                person may not write this (see `Authorship`).
        """
        return self.put_all([draft], by)[0]

    def put_all(self, drafts: list[Draft], by: str | Person = "") -> list[Record]:
        """Store several, all or none; see `put`."""
        now = self._core.clock.now()
        if isinstance(by, Person):
            drafts = [self._authorship.checked(draft, by) for draft in drafts]
        records = [self._make(draft) for draft in drafts]
        if isinstance(by, Person):
            self._attachments.check_named(records, by.id, lambda record: self._seen(record, by))
        with self._store.transaction():
            try:
                stored = self._store.records.put(records, now)
            except Forked as error:  # nobody else writes this node's records: one of these ids is in use
                raise self._in_use(records) from error
            self._attachments.check_put(records)
            self._attachments.describe(records, stored.seqs, "")
            self._audit.write_put(records)
            if any(record.header.kind in _POLICY_KINDS for record in records):
                self._core.policy_changed()
        return records

    def _seen(self, record: Record, person: Person) -> list[Row]:
        """A record's sources and the version before it, as far as a person may see them."""
        sight, header = self._sights.of(person), record.header
        digests = [bytes.fromhex(digest) for digest in (*header.sources, header.previous) if digest]
        rows = [row for digest in digests if (row := self._store.records.by_digest(digest))]
        return [cut for row in rows if (cut := self._sights.cut(row, sight))]

    def revise(self, record_id: str, draft: Draft, by: str | Person = "") -> Record:
        """Store the next version of a record that this node originated."""
        return self.put(next_version(self.own(record_id, by), draft), by)

    def delete(self, record_id: str, author: str, by: str | Person = "") -> Record:
        """Store the version that says the record was deleted."""
        return self.put(tombstone(self.own(record_id, by), author, self._core.clock.now()), by)

    def own(self, record_id: str, viewer: str | Person = "") -> Record:
        """The newest version of a record that this node originated.

        Raises:
            UnknownTerm: there is none that the viewer may know of; whether a partner's has that id is said too.
        """
        if isinstance(viewer, Person) and self.get(record_id, viewer=viewer).originator != self._core.node:
            raise _not_ours(record_id)
        row = self._store.records.get(record_id, originator=self._core.node)
        if row is None:
            if not self._store.records.versions(record_id):
                raise UnknownTerm(f"no record {record_id!r} here", fix="`aldis list` and `aldis search` find what is")
            raise _not_ours(record_id)
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

    def get(self, record_id: str, version: int | None = None, viewer: str | Person = "") -> Row:
        """A version of a record, the newest where none is named, with the portions that the viewer may see.

        Where several nodes use one id, this node's own is meant.

        Raises:
            UnknownTerm: there is none, or the viewer may not know of it: the two are told apart by nothing.
            InvalidInput: several partners use this id (said only to who sees the records of several).
        """
        if isinstance(viewer, Person):
            return self._get(record_id, version, self._sights.of(viewer))
        row = self._store.records.get(record_id, version, originator=self._core.node)
        try:
            row = row or self._store.records.get(record_id, version)
        except InvalidInput:
            if not viewer:
                raise
        seen = self.visible(viewer)
        if row is None or not seen[row.profile]:
            raise _unknown(record_id)
        return row.only(seen)

    def read_attachment(
        self, record_id: str, portion: str, name: str, viewer: str | Person = "", version: int | None = None
    ) -> Reader:
        """The content of an attachment, by its name or digest, through a portion that the viewer may see.

        Raises:
            UnknownTerm: no such record or attachment, or not for this viewer.
            Unavailable, RefusedByPolicy, VerificationFailed: as `Attachments.open`.
        """
        return self._attachments.open(self.get(record_id, version, viewer), portion, name)

    def explain(self, record_id: str, viewer: Person, version: int | None = None) -> RecordExplanation:
        """Why a person may see what they see of a record; of what is withheld it says nothing.

        Raises:
            UnknownTerm, InvalidInput: as `get`.
        """
        row, sight = self.get(record_id, version, viewer), self._sights.of(viewer)
        grant = self._store.grants.of([row.seq]).get(row.seq)
        party = self._sights.party(row.originator)
        return explain_record(
            candidate(self._store.profiles, row, [read_portion(data) for data in row.portions], party),
            sight.name,
            None,
            sight.epoch,
            self._core.clock.now(),
            grants=onward_of(grant, self._core.node),
        )

    def page(
        self,
        *,
        kind: str = "",
        project: str = "",
        cursor: str = "",
        limit: int = 50,
        viewer: str | Person = "",
        without: Collection[str] = (),
    ) -> Page:
        """A page of what the viewer may see, newest first; `without` names kinds to leave out."""
        sight = self._sights.of(viewer) if isinstance(viewer, Person) else None
        visible, scope = self.visible(viewer), sight.scope if sight else str(viewer).encode()
        if without:
            visible = visible.copy()
            hidden = [one.id for one in self._store.profiles.since()[: len(visible)] if one.kind in without]
            visible[hidden] = False

        def step(after: str | None, count: int) -> tuple[list[Row], str | None]:
            page = self._store.listing.page(
                visible,
                kind=kind or None,
                project=project or None,
                after=after,
                limit=count,
                scope=scope + repr(sorted(without)).encode(),
            )
            return page.rows, page.next

        if sight is None or sight.exact:
            return Page(*step(cursor or None, limit))
        return Page(*_filled(step, lambda row: self._sights.cut(row, sight), cursor or None, limit))

    def search(
        self,
        text: str,
        *,
        kind: str = "",
        project: str = "",
        cursor: str = "",
        limit: int = 50,
        viewer: str | Person = "",
    ) -> Hits:
        """Records that the viewer may know of, with a portion that they may see and that has all the words."""
        sight = self._sights.of(viewer) if isinstance(viewer, Person) else None
        visible = sight.profiles if sight else self.visible(viewer)

        def step(after: str | None, count: int) -> tuple[list[Hit], str | None]:
            hits = self._store.search.search(
                text,
                visible,
                kind=kind or None,
                project=project or None,
                after=after,
                limit=count,
                scope=sight.scope if sight else str(viewer).encode(),
            )
            return hits.hits, hits.next

        def cut(hit: Hit) -> Hit | None:
            if not (hit.row.profile < len(visible) and visible[hit.row.profile]):
                return None
            return hit if sight is None or sight.exact else self._cut(hit, sight)

        return Hits(*_filled(step, cut, cursor or None, limit))

    def count(self, *, kind: str = "", viewer: str | Person = "") -> int:
        """How many records a viewer may see; for this node's own people only, since counts tell of what is withheld.

        Raises:
            RefusedByPolicy: the viewer is a guest, or a national of another party.
        """
        if isinstance(viewer, Person):
            sight = self._sights.of(viewer)
            if viewer.guest or not sight.exact:
                raise RefusedByPolicy("counts are for this node's own people", fix="List the records instead")
            return self._store.listing.count_visible(sight.profiles, kind=kind or None)
        return self._store.listing.count_visible(self.visible(viewer), kind=kind or None)

    def visible(self, viewer: str | Person) -> NDArray[np.bool_]:
        """Which profiles the viewer may see, and of a foreign national at most those; the operator sees all."""
        if isinstance(viewer, Person):
            return self._sights.of(viewer).profiles
        if not viewer:
            return np.ones(self._store.profiles.count(), dtype=np.bool_)
        return self._epochs.visible(viewer)

    def _get(self, record_id: str, version: int | None, sight: Sight) -> Row:
        """As `get`: the version asked for, of this node's own record or the only other one that the person may see."""
        held: dict[str, Row] = {}
        for row in self._store.records.versions(record_id):
            if version in (None, row.version):
                held[row.originator] = row
        seen = {originator: cut for originator, row in held.items() if (cut := self._sights.cut(row, sight))}
        if self._core.node in seen:
            return seen[self._core.node]
        if len(seen) > 1:
            names = " and ".join(sorted(seen))
            raise InvalidInput(f"{names} each have a record {record_id!r}", fix="Find it with `aldis list`")
        if not seen:
            raise _unknown(record_id)
        return next(iter(seen.values()))

    def _cut(self, hit: Hit, sight: Sight) -> Hit | None:
        """The hit as a foreign national may see it; None where its words are not for them."""
        row = self._sights.cut(hit.row, sight)
        names = {read_portion(data).name for data in row.portions} if row else set()
        others = {read_portion(data).name for data, _ in hit.row.substitutes}
        if row is None or hit.portion not in names or hit.portion in others:
            return None
        return Hit(row, hit.portion, hit.snippet)

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


def _filled(
    step: Callable[[str | None, int], tuple[list[_One], str | None]],
    cut: Callable[[_One], _One | None],
    after: str | None,
    limit: int,
) -> tuple[list[_One], str | None]:
    """A page that `cut` takes from, filled up again, so that its length does not tell what was taken."""
    found: list[_One] = []
    while True:
        some, after = step(after, limit - len(found))
        found += [kept for one in some if (kept := cut(one)) is not None]
        if after is None or len(found) == limit:
            return found, after


def _not_ours(record_id: str) -> UnknownTerm:
    return UnknownTerm(
        f"this node has written no record {record_id!r}",
        fix="Only its originator writes the next version; put a record of your own with --source",
    )


def _unknown(record_id: str) -> UnknownTerm:
    return UnknownTerm(f"no record {record_id!r} here", fix="`aldis list` and `aldis search` find what is")
