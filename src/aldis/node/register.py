"""The register of instruments: draft, sign, amend, end; where each stands; and what a draft would newly release."""

from __future__ import annotations

from collections.abc import Iterator

from aldis.kernel.bundles import onward_of
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.instruments import Effect, Instrument, Status, parse_instrument
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.preview import Passed, Preview, preview
from aldis.kernel.records import Draft, Record, next_version
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.instruments import cosignature_draft, instrument_draft, instrument_text, notice_draft
from aldis.node.partners import Partners
from aldis.node.people import Person
from aldis.node.records import Records
from aldis.node.rulings import Candidate, candidate
from aldis.node.store import PAGE_LIMIT

__all__ = ["Register"]


class Register:
    """Works on instruments as this node's party."""

    def __init__(self, core: Core, records: Records, epochs: Epochs, partners: Partners) -> None:
        self._core = core
        self._partners = partners
        self._records = records
        self._epochs = epochs

    def draft(self, text: str, author: str, label: Label | None = None) -> Record:
        """Put a new instrument, not yet signed; it travels to its parties so that they can read and sign it.

        Without a label it is unclassified and releasable to its parties.

        Raises:
            InvalidInput, UnknownTerm: the text breaks the schema of instruments, or the id is taken.
            RefusedByPolicy: this node's party is not a party to it.
        """
        instrument = self._parse(text)
        if self._core.store.records.get(instrument.id) is not None:
            raise InvalidInput(f"there is an instrument {instrument.id!r} already", fix="Amend it, or take another id")
        return self._records.put(self._draft(text, instrument, author, label))

    def amend(self, text: str, author: str) -> Record:
        """Put the next version of an instrument that this node drafted; the one before stands until all have signed."""
        instrument = self._parse(text)
        before = self._record(instrument.id)
        return self._records.put(next_version(before, self._draft(text, instrument, author, None)))

    def sign(self, name: str, author: str) -> Record:
        """Put this party's signature over the newest version held of an instrument.

        Raises:
            UnknownTerm: no such instrument.
            RefusedByPolicy: this node's party is not a party to it.
        """
        core, record = self._core, self._record(name)
        self._must_be_party(parse_instrument(instrument_text(record)))
        draft = cosignature_draft(
            record, party=core.party, node=core.node, author=author, signer=core.signer, at=core.clock.now()
        )
        held = core.store.records.get(draft.id, originator=core.node)
        return held.record() if held is not None else self._records.put(draft)

    def end(self, name: str, effect: Effect, on: int, author: str) -> Record:
        """Put this party's notice that it terminates or leaves an instrument from the instant `on` (ms since 1970)."""
        core, record = self._core, self._record(name)
        self._must_be_party(parse_instrument(instrument_text(record)))
        draft = notice_draft(
            record, effect=effect, on=on, party=core.party, node=core.node, author=author, at=core.clock.now()
        )
        held = core.store.records.get(draft.id, originator=core.node)
        return self._records.put(next_version(held.record(), draft) if held else draft)

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

    def _record(self, name: str) -> Record:
        newest = self._epochs.current().instruments.versions(name)[-1]
        row = self._core.store.records.by_digest(newest.digest)
        if row is None:
            raise UnknownTerm(f"no instrument {name!r} here", fix="`aldis instrument list` names those that are")
        return row.record()

    def _draft(self, text: str, instrument: Instrument, author: str, label: Label | None) -> Draft:
        core = self._core
        policy = core.policies.policy(core.config.policy)
        own = label or Label(policy.name, policy.routine, Releasability.to(*instrument.parties))
        return instrument_draft(
            text, policies=core.policies, label=own, node=core.node, author=author, at=core.clock.now()
        )
