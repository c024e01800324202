"""The register of instruments: draft, sign, amend, end; where each stands; and what a draft would newly release."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aldis.kernel.authority import Act
from aldis.kernel.bundles import onward_of
from aldis.kernel.errors import Changed, InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.instruments import Effect, Entry, Instrument, Notice, Status, parse_instrument
from aldis.kernel.instruments.clauses import DAY_MS
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.preview import Passed, Preview, preview
from aldis.kernel.records import Draft, Record, next_version
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.instruments import (
    INSTRUMENT,
    NOTICE,
    cosignature_draft,
    instrument_draft,
    instrument_text,
    notice_draft,
    notices_among,
)
from aldis.node.partners import Partners
from aldis.node.people import Person, Sights, name_of
from aldis.node.records import Records
from aldis.node.rulings import Candidate, candidate
from aldis.node.store import PAGE_LIMIT

__all__ = ["Register"]

_DIGITS, _BEGINNING = 8, 48
_OPAQUE = re.compile(rf"-[0-9a-f]{{{_DIGITS}}}\Z")


class Register:
    """Works on instruments as this node's party, for its operator, who is named, or for a person who is signed in.

    A person is of the node's own party, has the role for the act, and sees the whole of the instrument.
    """

    def __init__(
        self, core: Core, audit: Audit, records: Records, epochs: Epochs, partners: Partners, sights: Sights
    ) -> None:
        self._core = core
        self._audit = audit
        self._partners = partners
        self._records = records
        self._epochs = epochs
        self._sights = sights

    def draft(self, text: str, author: str | Person, label: Label | None = None) -> Record:
        """Put a new instrument, not yet signed; it travels to its parties so that they can read and sign it.

        Without a label it is unclassified and releasable to its parties. A person's id ends as one that was
        `suggested`: that an id is taken would tell of an instrument that they may not see.

        Raises:
            InvalidInput, UnknownTerm: the text breaks the schema of instruments, or the id is taken.
            RefusedByPolicy: this node's party is not a party to it, or the person may not draft it so.
        """
        name, instrument = self._acting(author, Act.DRAFT), self._parse(text)
        if isinstance(author, Person) and not _OPAQUE.search(instrument.id):
            raise InvalidInput(
                f"id: {instrument.id!r} does not end in eight digits of the node's",
                fix=f"Write for example id = {self.suggested(instrument.id)!r}",
            )
        if self._core.store.records.get(instrument.id) is not None:
            raise InvalidInput(f"there is an instrument {instrument.id!r} already", fix="Amend it, or take another id")
        draft = self._draft(text, name, label or self._usual(instrument))
        self._check_read(author, draft.label)
        return self._records.put(draft)

    def suggested(self, beginning: str) -> str:
        """An id that nobody has and that says nothing of others."""
        return f"{beginning[:_BEGINNING].rstrip('-.')}-{self._core.random(_DIGITS // 2).hex()}"

    def amend(self, text: str, author: str | Person, label: Label | None = None, digest: bytes = b"") -> Record:
        """Put the next version of an instrument that this node drafted; the one before stands until all have signed.

        Without a label it has that of the version before, releasable to those who are parties now. `digest` is that
        of the version that was looked at.

        Raises:
            InvalidInput, UnknownTerm, RefusedByPolicy: as `draft`.
            Changed: there is a newer version than the one looked at.
        """
        name, instrument = self._acting(author, Act.DRAFT), self._parse(text)
        before = self._looked_at(instrument.id, author, digest)
        usual, old = self._usual(instrument), self._usual(parse_instrument(instrument_text(before)))
        kept = usual if before.label == old else before.label
        draft = self._draft(text, name, label or kept)
        self._check_read(author, draft.label)
        return self._records.put(next_version(before, draft))

    def sign(self, name: str, author: str | Person, digest: bytes = b"") -> Record:
        """Put this party's signature over the newest version held of an instrument, once it was looked at (`digest`).

        Raises:
            UnknownTerm: no such instrument.
            RefusedByPolicy: this node's party is not a party to it, or the person may not sign.
            Changed: there is a newer version than the one looked at.
        """
        who, core, record = self._acting(author, Act.SIGN), self._core, self._looked_at(name, author, digest)
        self._must_be_party(parse_instrument(instrument_text(record)))
        draft = cosignature_draft(
            record, party=core.party, node=core.node, author=who, signer=core.signer, at=core.clock.now()
        )
        held = core.store.records.get(draft.id, originator=core.node)
        return held.record() if held is not None else self._records.put(draft)

    def end(
        self, name: str, effect: Effect, on: int, author: str | Person, because: str = "", digest: bytes = b""
    ) -> Record:
        """Put this party's notice that it terminates or leaves an instrument from the instant `on` (ms since 1970).

        A reason stands in this node's ledger and does not travel.

        Raises:
            UnknownTerm, RefusedByPolicy, Changed: as `sign`.
            InvalidInput: a day that has passed.
        """
        who, core, record = self._acting(author, Act.SIGN), self._core, self._looked_at(name, author, digest)
        self._must_be_party(parse_instrument(instrument_text(record)))
        if on + DAY_MS <= core.clock.now():
            raise InvalidInput(
                "that day has passed", fix="Name today or a later day: what was released before stays released"
            )
        draft = notice_draft(
            record, effect=effect, on=on, party=core.party, node=core.node, author=who, at=core.clock.now()
        )
        held = core.store.records.get(draft.id, originator=core.node)
        put = self._records.put(next_version(held.record(), draft) if held else draft)
        if because:
            with core.store.transaction():
                self._audit.write("label", put.digest.hex(), verdict=effect.value, reasons=[because, name], actor=who)
        return put

    def text(self, name: str) -> str:
        """The TOML of the newest version held."""
        return instrument_text(self._record(name))

    def record(self, name: str, viewer: Person) -> Record:
        """The newest version held of an instrument, where a person may see the whole of it.

        Raises:
            UnknownTerm: there is none, or they may not know of it: the two are told apart by nothing.
        """
        try:
            record = self._record(name)
            seen = self._records.by_digest(record.digest, viewer)
        except UnknownTerm:
            seen = None
        if seen is None or len(seen.portions) != len(record.portions):
            raise UnknownTerm(f"no instrument {name!r} here", fix="Ask the operator of this node")
        return record

    def entries(self, name: str, viewer: Person) -> tuple[Entry, ...]:
        """The versions of an instrument that a person may see the whole of, oldest first; raises as `record`."""
        newest = self.record(name, viewer)
        every = self._epochs.current().instruments.versions(name)
        return tuple(one for one in every if one.digest == newest.digest or self._whole(one.digest, viewer))

    def notices(self, name: str, viewer: Person) -> tuple[Notice, ...]:
        """The notices about an instrument, as far as a person may see their records, by day."""
        seen = notices_among(row.record() for row in self._records.standing("", (NOTICE,), viewer))
        return tuple(
            one for one in self._epochs.current().instruments.notices if one.instrument == name and one in seen
        )

    def shown(self, viewer: Person) -> list[str]:
        """The ids of the instruments that a person may see the whole of."""
        return [name for name in self._epochs.current().instruments.ids() if self.shows(name, viewer)]

    def shows(self, name: str, viewer: Person) -> bool:
        """Whether a person may see the whole of an instrument."""
        try:
            self.record(name, viewer)
        except UnknownTerm:
            return False
        return True

    def status(self, name: str) -> Status:
        """Where an instrument stands now, and who has yet to sign."""
        return self._epochs.current().instruments.status(name, self._core.clock.now())

    def all(self) -> list[Status]:
        """Where each instrument stands."""
        instruments = self._epochs.current().instruments
        return [instruments.status(name, self._core.clock.now()) for name in instruments.ids()]

    def preview(self, *texts: str, viewer: str | Person = "") -> Preview:
        """What drafts together would newly release of what this node holds, and to whom, were all signed by all now.

        Its own records by id; others', as NODE/ID, as far as their originators let this node pass them on. Of a
        person's preview, only what they may see is part.

        Raises:
            InvalidInput, UnknownTerm: a text breaks the schema of instruments, or two are of one instrument.
            RefusedByPolicy: this node's party is not a party to one.
        """
        drafts = [self._parse(text) for text in texts]
        return preview(drafts, self._epochs.current(), self._held(viewer), self._core.clock.now())

    def _held(self, viewer: str | Person) -> Iterator[Candidate | Passed]:
        """What stands here of this node's own records, and of others' with a grant, as a release decision sees it."""
        store, node, cursor = self._core.store, self._core.node, ""
        parties = self._partners.originators("")
        while True:
            page = self._records.page(viewer=viewer, cursor=cursor, limit=PAGE_LIMIT)
            grants = store.grants.of([row.seq for row in page.rows if row.originator != node])
            for row in page.rows:
                view = candidate(store.profiles, row, row.record().portions, parties.get(row.originator, ""))
                if row.originator == node:
                    yield view
                elif row.seq in grants:
                    given, known = onward_of(grants[row.seq], node), frozenset({row.originator, row.source})
                    yield Passed(view, f"{row.originator}/{row.id}", given, known)
            if page.next is None:
                return
            cursor = page.next

    def _parse(self, text: str) -> Instrument:
        instrument = parse_instrument(text, self._core.policies)
        self._must_be_party(instrument)
        return instrument

    def _must_be_party(self, instrument: Instrument) -> None:
        if self._core.party not in instrument.parties:
            raise RefusedByPolicy(
                f"{self._core.party} is not a party to {instrument.id!r}", fix="Only its parties draft and sign it"
            )

    def _acting(self, by: str | Person, act: Act) -> str:
        """The name of whoever acts for this node's party."""
        if isinstance(by, Person) and (by.guest or by.account.nationality != self._core.party):
            raise RefusedByPolicy(f"{by.id} does not act for {self._core.party}", fix="Ask one of its own people")
        return name_of(by, act)

    def _check_read(self, by: str | Person, label: Label) -> None:
        """Return if a person could read what they are about to put."""
        if isinstance(by, Person) and not self._sights.may_see(by, INSTRUMENT, "", label):
            raise RefusedByPolicy(
                f"{by.id} could not read it: its marking is beyond them at this level",
                fix="Mark it lower, or work at a higher level",
            )

    def _looked_at(self, name: str, by: str | Person, digest: bytes) -> Record:
        """The newest version, where it is the one that was looked at, and a person sees the whole of it."""
        record = self.record(name, by) if isinstance(by, Person) else self._record(name)
        if digest and record.digest != digest:
            raise Changed(f"there is a newer version of {name!r} than you looked at", fix="Read that one first")
        return record

    def _whole(self, digest: bytes, viewer: Person) -> bool:
        row = self._core.store.records.by_digest(digest)
        try:
            return row is not None and len(self._records.by_digest(digest, viewer).portions) == len(row.portions)
        except UnknownTerm:
            return False

    def _record(self, name: str) -> Record:
        newest = self._epochs.current().instruments.versions(name)[-1]
        row = self._core.store.records.by_digest(newest.digest)
        if row is None:
            raise UnknownTerm(f"no instrument {name!r} here", fix="`aldis instrument list` names those that are")
        return row.record()

    def _usual(self, instrument: Instrument) -> Label:
        """The label that an instrument has where nobody says another: routine, releasable to its parties."""
        policy = self._core.policies.policy(self._core.config.policy)
        return Label(policy.name, policy.routine, Releasability.to(*instrument.parties))

    def _draft(self, text: str, author: str, label: Label) -> Draft:
        core = self._core
        return instrument_draft(
            text, policies=core.policies, label=label, node=core.node, author=author, at=core.clock.now()
        )
