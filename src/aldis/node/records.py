"""The node's records at hand: put, find, and show to whom."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aldis.app import Live
from aldis.kernel.errors import Forked, InvalidInput, RefusedByPolicy, TooLarge, UnknownTerm
from aldis.kernel.explain import RecordExplanation
from aldis.kernel.labels import Label, audience
from aldis.kernel.records import Draft, Record, make_record, next_version, tombstone
from aldis.kernel.release import Outcome, node_ceiling
from aldis.node.attachments import Attachments, Reader
from aldis.node.audit import Audit
from aldis.node.authorship import Authorship
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.filters import ALL, Filters, Narrowing, passes
from aldis.node.instruments import KINDS
from aldis.node.meaning import SEARCHED, Meaning
from aldis.node.people import Person, Sight, Sights
from aldis.node.store import Hits, Keep, Numbers, Page, Row, check_text

__all__ = ["Records"]

_STANDING = 50_000
_POLICY_KINDS = frozenset(kind.name for kind in KINDS)


class _Asked(NamedTuple):
    """Which profiles are looked among, what cursors are bound to, what is left of a row, and between which arrivals."""

    visible: NDArray[np.bool_]
    scope: bytes
    keep: Keep
    span: tuple[int, int]


class Records:
    """Puts records into the store and reads them for a viewer.

    A viewer is a person who is signed in, the name of a partner node, or "", the node's own operator.
    """

    def __init__(
        self, core: Core, audit: Audit, epochs: Epochs, sights: Sights, meaning: Meaning, attachments: Attachments
    ) -> None:
        self._attachments = attachments
        self._core = core
        self._meaning = meaning
        self._narrowing = Narrowing(core)
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

    def put_all(
        self, drafts: list[Draft], by: str | Person = "", issued: Collection[str] = frozenset()
    ) -> list[Record]:
        """Store several, all or none; see `put`. `issued` are ids that this node gave out for first versions."""
        now = self._core.clock.now()
        if isinstance(by, Person):
            drafts = [self._authorship.checked(draft, by, issued) for draft in drafts]
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
        """The newest version of a record that this node originated, with the portions that the viewer may see.

        Raises:
            UnknownTerm: there is none that the viewer may know of; whether a partner's has that id is said too.
        """
        if isinstance(viewer, Person):
            seen = self.get(record_id, viewer=viewer)
            if seen.originator != self._core.node:
                raise _not_ours(record_id)
            return seen.record()
        row = self._store.records.get(record_id, originator=self._core.node)
        if row is None:
            if not self._store.records.versions(record_id):
                raise UnknownTerm(f"no record {record_id!r} here", fix="`aldis list` and `aldis search` find what is")
            raise _not_ours(record_id)
        return row.record()

    def derived_label(self, sources: list[bytes], viewer: str | Person = "") -> Label:
        """The label of what is made from these records (digests), as far as the viewer, if a person, sees them.

        It is their roll-up in this node's policy. Whose information it holds stands in its origins: the parties
        of the sources' originators among them.

        Raises:
            UnknownTerm: a source that is not held here.
            NeedsPerson: a label that no equivalence maps.
        """
        labels: list[Label] = []
        parties = self._epochs.parties()
        origins: set[str] = set()
        for digest in sources:
            row = self._store.records.by_digest(digest)
            if row is not None and isinstance(viewer, Person):
                row = self._sights.cut(row, self._sights.of(viewer))
            if row is None:
                raise UnknownTerm(f"no record {digest.hex()} here", fix="Name a source by its full digest")
            record = row.record()
            labels += [record.label, *(portion.label for portion in record.portions)]
            origins |= {parties[row.originator]} if row.originator in parties else set()
        label = self._core.policies.roll_up(labels, self._core.config.policy, self._core.clock.now())
        return label.narrowed(origins=label.origins | (origins - {self._core.party}))

    def get(self, record_id: str, version: int | None = None, viewer: str | Person = "", originator: str = "") -> Row:
        """A version of a record, the newest where none is named, with the portions that the viewer may see.

        Where several nodes use one id, `originator` says whose is meant; else it is this node's own.

        Raises:
            UnknownTerm: there is none, or the viewer may not know of it: the two are told apart by nothing.
            InvalidInput: several partners use this id (said only to who sees the records of several).
        """
        if isinstance(viewer, Person):
            return self._get(record_id, version, self._sights.of(viewer), originator)
        row = self._store.records.get(record_id, version, originator=originator or self._core.node)
        try:
            row = row or (None if originator else self._store.records.get(record_id, version))
        except InvalidInput:
            if not viewer:
                raise
        seen = self.visible(viewer)
        if row is None or not seen[row.profile]:
            raise _unknown(record_id)
        return row.only(seen)

    def read_attachment(
        self,
        record_id: str,
        portion: str,
        name: str,
        viewer: str | Person = "",
        version: int | None = None,
        originator: str = "",
    ) -> Reader:
        """The content of an attachment, by its name or digest, through a portion that the viewer may see; as `get`.

        Raises:
            UnknownTerm: no such record or attachment, or not for this viewer.
            Unavailable, RefusedByPolicy, VerificationFailed: as `Attachments.open`.
        """
        return self._attachments.open(self.get(record_id, version, viewer, originator), portion, name)

    def versions(self, record_id: str, viewer: Person, originator: str = "") -> list[Row]:
        """Every version of a record that a person may see, the oldest first; whose it is, as in `get`.

        Raises:
            UnknownTerm, InvalidInput: as `get`.
        """
        whose, sight = self.get(record_id, None, viewer, originator).originator, self._sights.of(viewer)
        rows = self._store.records.versions(record_id, whose)
        return [cut for row in rows if (cut := self._sights.cut(row, sight)) is not None]

    def by_digest(self, digest: bytes, viewer: Person) -> Row:
        """The version with this digest, with the portions that a person may see.

        Raises:
            UnknownTerm: there is none, or they may not know of it: the two are told apart by nothing.
        """
        row = self._store.records.by_digest(digest)
        cut = self._sights.cut(row, self._sights.of(viewer)) if row else None
        if cut is None:
            raise UnknownTerm(f"no record {digest.hex()} here", fix="Name it by its full digest")
        return cut

    def sees(self, viewer: Person, row: Row) -> bool:
        """Whether a person may know of a row."""
        return self._sights.cut(row, self._sights.of(viewer)) is not None

    def may_see(self, viewer: Person, kind: str, label: Label, project: str, source: str = "") -> bool:
        """Whether a person may see what a node, "" for this one, says of a kind, label and project."""
        return self._sights.may_see(viewer, kind, project, label, source)

    def may_watch(self, live: Live, viewer: Person, only: str = "") -> bool:
        """Whether a person may see a live value; see `watched`."""
        return self.watched(live, viewer, only) is not None

    def watched(self, live: Live, viewer: str | Person, only: str = "") -> Label | None:
        """The label of the existence of a live value's record, where the viewer may see both it and the value.

        A partner's frame does not say it: it is that of the record that is held. With `only`, just of that project.
        """
        existing = self.existing(live)
        return self.shows(live, existing, viewer, only) if existing is not None else None

    def existing(self, live: Live) -> tuple[Label, str] | None:
        """The label of the existence of a live value's record, and its project; None where no such record is held."""
        if not live.source and live.header is not None:
            return live.header, live.project
        row = self._store.records.get(live.update.id, originator=live.source or self._core.node)
        return None if row is None else (self._store.profiles.profile(row.profile).label, row.project)

    def shows(self, live: Live, existing: tuple[Label, str], viewer: str | Person, only: str = "") -> Label | None:
        """As `watched`, of a value whose record exists as `existing` says."""
        header, project = existing
        seen = only in ("", project) and (
            not isinstance(viewer, Person)
            or all(
                self._sights.may_see(viewer, live.update.kind, project, label, live.source)
                for label in (header, live.label)
            )
        )
        return header if seen else None

    def explain(
        self, record_id: str, viewer: Person, version: int | None = None, originator: str = ""
    ) -> RecordExplanation:
        """Why a person may see what they see of a record; of what is withheld it says nothing.

        Raises:
            UnknownTerm, InvalidInput: as `get`.
        """
        return self._sights.explain(self.get(record_id, version, viewer, originator), viewer)

    def page(
        self,
        *,
        kind: str = "",
        project: str = "",
        cursor: str = "",
        limit: int = 50,
        viewer: str | Person = "",
        without: Collection[str] = (),
        filters: Filters = ALL,
        above: int = 0,
    ) -> Page:
        """A page of what the viewer may see, newest first; `without` names kinds to leave out.

        Only arrivals numbered over `above`. A project in `filters` is as one by itself.

        Raises:
            InvalidInput, TooLarge, UnknownTerm: a limit or cursor that cannot be, or filters (`Narrowing.narrow`).
        """
        asked = self._asked(viewer, filters, above, without)
        return self._store.listing.page(
            asked.visible,
            kind=kind or None,
            project=project or filters.project or None,
            after=cursor or None,
            limit=limit,
            scope=asked.scope,
            keep=asked.keep,
            span=asked.span,
        )

    def standing(self, project: str, kinds: Collection[str], viewer: str | Person = "") -> list[Row]:
        """What stands of a project and some kinds, as far as the viewer may see it, oldest arrival first.

        Raises:
            TooLarge: more than 50,000 records.
        """
        sight = self._sights.of(viewer) if isinstance(viewer, Person) else None
        rows = self._store.listing.standing(self.visible(viewer), project=project, kinds=kinds, limit=_STANDING + 1)
        if sight is not None and not sight.exact:
            rows = [cut for row in rows if (cut := self._sights.cut(row, sight)) is not None]
        if len(rows) > _STANDING:
            raise TooLarge(
                f"more than {_STANDING:,} records of {project!r} at once", fix="Look through them with `aldis list`"
            )
        return rows

    def numbers(
        self, viewer: Person, *, kind: str = "", project: str = "", cursor: str = "", limit: int = 50
    ) -> tuple[Numbers, NDArray[np.bool_]] | None:
        """As `page`, just the numbers of its rows, and which profiles the viewer sees.

        None for a foreign national, for whom the content decides.
        """
        sight = self._sights.of(viewer)
        if not sight.exact:
            return None
        found = self._store.listing.numbers(
            sight.profiles,
            kind=kind or None,
            project=project or None,
            after=cursor or None,
            limit=limit,
            scope=sight.scope + repr([]).encode(),
        )
        return found, sight.profiles

    def rows(self, seqs: list[int], seen: NDArray[np.bool_]) -> list[Row]:
        """Rows by number with just the portions whose profiles are seen, those not seen at all left out."""
        return [
            row.only(seen) for row in self._store.records.rows(seqs) if row.profile < len(seen) and seen[row.profile]
        ]

    def search(
        self,
        text: str,
        *,
        kind: str = "",
        project: str = "",
        cursor: str = "",
        limit: int = 50,
        viewer: str | Person = "",
        filters: Filters = ALL,
        above: int = 0,
    ) -> Hits:
        """Records that the viewer may know of, with a portion that they may see and that has all the words.

        Raises:
            InvalidInput, TooLarge, UnknownTerm: see `page`; or a text without words, or too long.
        """
        asked = self._asked(viewer, filters, above)
        return self._store.search.search(
            text,
            asked.visible,
            kind=kind or None,
            project=project or filters.project or None,
            after=cursor or None,
            limit=limit,
            scope=asked.scope,
            keep=asked.keep,
            span=asked.span,
        )

    def alike(
        self,
        text: str,
        *,
        cursor: str = "",
        limit: int = 50,
        viewer: str | Person = "",
        filters: Filters = ALL,
        above: int = 0,
        least: float = SEARCHED,
    ) -> Hits:
        """Records that the viewer may know of, with a portion that they may see and that means much the same.

        The most alike come first; how like they must be is `least`, from 0 to 1.

        Raises:
            Unavailable: there is no embedding model here.
            InvalidInput, TooLarge, UnknownTerm: see `page`; or a text without words, or too long.
        """
        check_text(text)
        asked = self._asked(viewer, filters, above)
        return self._store.nearest.search(
            self._meaning.of(text),
            asked.visible,
            project=filters.project or None,
            after=cursor or None,
            limit=limit,
            scope=asked.scope + b"\x00" + text.encode("utf-8", "replace"),
            keep=asked.keep,
            span=asked.span,
            least=least,
        )

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

    def _get(self, record_id: str, version: int | None, sight: Sight, originator: str) -> Row:
        """As `get`: the version asked for, of the record of the node that is named, or else of this node's own or the
        only other one that the person may see.
        """
        held: dict[str, Row] = {}
        for row in self._store.records.versions(record_id, originator or None):
            if version in (None, row.version):
                held[row.originator] = row
        seen = {originator: cut for originator, row in held.items() if (cut := self._sights.cut(row, sight))}
        if self._core.node in seen:
            return seen[self._core.node]
        if len(seen) > 1:
            names = " and ".join(sorted(seen))
            raise InvalidInput(f"{names} each have a record {record_id!r}", fix="Name the originator that you mean")
        if not seen:
            raise _unknown(record_id)
        return next(iter(seen.values()))

    def _asked(self, viewer: str | Person, filters: Filters, above: int, without: Collection[str] = ()) -> _Asked:
        """For whom to look, and among what."""
        sight = self._sights.of(viewer) if isinstance(viewer, Person) else None
        scope = sight.scope if sight else str(viewer).encode()
        seen = sight.profiles if sight else self.visible(viewer)
        visible = self._narrowing.narrow(seen, filters, without)
        first, end = self._narrowing.span(filters)

        def keep(row: Row) -> Row | None:
            if not (row.profile < len(visible) and visible[row.profile]):
                return None
            if filters.by_row and not passes(filters, row):
                return None
            left = row.only(visible)
            return left if sight is None or sight.exact else self._sights.cut(left, sight)

        bound = b"\x00".join((scope, repr(sorted(without)).encode(), filters.key, str(above).encode()))
        return _Asked(visible, bound, keep, (max(first, above), end))

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


def _not_ours(record_id: str) -> UnknownTerm:
    return UnknownTerm(
        f"this node has written no record {record_id!r}",
        fix="Only its originator writes the next version; put a record of your own with --source",
    )


def _unknown(record_id: str) -> UnknownTerm:
    return UnknownTerm(f"no record {record_id!r} here", fix="`aldis list` and `aldis search` find what is")
