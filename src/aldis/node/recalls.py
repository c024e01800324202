"""Recalls: asking partners to delete what they were sent, following it where it was passed on, and answering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from aldis.kernel.admission import read_set_aside
from aldis.kernel.authority import Act
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import AldisError, InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, Record, make_record, next_version, read_header
from aldis.node.attachments import Attachments
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.exchange import exported_to
from aldis.node.partners import Known, Partners
from aldis.node.people import Person, Sights, name_of
from aldis.node.recall_records import MOST, Answer, Recall, answer_draft, read_value, recall_draft
from aldis.node.store import Held, Request, Row

__all__ = ["Asked", "Recalls"]

_TEXT = 500


class Asked(NamedTuple):
    """How a recall stands with one partner: what it was sent, when it was asked (0: not), and what it answered."""

    node: str
    status: str
    releases: list[Held]
    asked: int
    got: bool
    answer: Answer | None


class Recalls:
    """Both sides of recalls. A person asks and is told as far as they see the record; see also `requests`."""

    def __init__(self, core: Core, audit: Audit, partners: Partners, attachments: Attachments, sights: Sights) -> None:
        self._attachments = attachments
        self._sights = sights
        self._core = core
        self._audit = audit
        self._partners = partners
        self._store = core.store

    # asking

    def ask(self, record_id: str, because: str, by: str | Person, partner: str = "") -> list[str]:
        """Ask those who were sent a record of this node's to delete it; the nodes that are asked.

        From now on no version that there is goes to them, nor, without `partner`, to anybody else. A person asks those
        who were sent a version that the person sees.

        Raises:
            UnknownTerm: no such record of this node's, none that the person may see, or no such partner.
            InvalidInput: it was sent to nobody, or they were asked already.
            RefusedByPolicy: a person who is no release officer.
        """
        author = name_of(by, Act.RECALL)
        only = self._partners.get(partner).node if partner else ""
        rows = self._own(record_id)
        with self._store.transaction():
            holders = self._holders(self._seen(rows, by))
            wanted = [name for name in holders if not only or name == only]
            if not wanted:
                whom = only or "any partner"
                raise InvalidInput(
                    f"{record_id!r} was never released to {whom}", fix=f"`aldis delete {record_id}` is enough"
                )
            digests = [row.digest for row in rows]
            before = self._store.recalls.asked(digests[-1:])
            new = [name for name in wanted if not before.get(name, (b"", 0))[0]]
            if not new:
                raise InvalidInput(
                    f"they were asked for {record_id!r} already",
                    fix=f"`aldis recall show {record_id}` says who answered",
                )
            for name in new:
                self._ask(name, digests, because, author)
            if not only:
                self._store.recalls.ask(digests, "", b"", self._core.clock.now())
            self._audit.write("recall", rows[-1].digest.hex(), verdict="asked", reasons=[because, *new], actor=author)
        return new

    def show(self, record_id: str, viewer: str | Person = "") -> list[Asked]:
        """Who was ever sent a record of this node's, who was asked for it, and what they answered.

        A person is told of the versions that they see.

        Raises:
            UnknownTerm: no such record of this node's, or none that the person may see.
            RefusedByPolicy: a person who is no release officer.
        """
        name_of(viewer, Act.RECALL)
        rows = self._seen(self._own(record_id), viewer)
        asked = self._store.recalls.asked([row.digest for row in rows])
        found = []
        for name, releases in self._holders(rows).items():
            recall, at = asked.get(name, (b"", 0))
            found.append(Asked(name, self._status(name), releases, at, self._acknowledged(name, recall),
                               self._answer_of(name, recall)))  # fmt: skip
        return found

    def _seen(self, rows: Sequence[Row], viewer: str | Person) -> list[Row]:
        """The versions of a record that a viewer sees; UnknownTerm where they do not see the newest."""
        if not isinstance(viewer, Person):
            return [*rows]
        sight = self._sights.of(viewer)
        seen = [row for row in rows if self._sights.cut(row, sight) is not None]
        if not seen or seen[-1] is not rows[-1]:
            raise _unwritten(rows[-1].id)
        return seen

    def _own(self, record_id: str) -> list[Row]:
        rows = self._store.records.versions(record_id, self._core.node)
        if not rows:
            raise _unwritten(record_id)
        return [row for row in rows if not read_header(row.header).deleted][-MOST:]

    def _holders(self, rows: Sequence[Row]) -> dict[str, list[Held]]:
        holders: dict[str, list[Held]] = {}
        for one in self._store.releases.of([row.seq for row in rows]):
            holders.setdefault(one.partner, []).append(one)
        return dict(sorted(holders.items()))

    def _ask(self, name: str, digests: Sequence[bytes], because: str, author: str) -> None:
        """Write the recall for one partner, in the open transaction."""
        core, now = self._core, self._core.clock.now()
        draft = recall_draft(
            digests, because, label=self._label(name), node=core.node, partner=name, author=author, at=now
        )
        self._store.recalls.ask(digests, name, self._put(draft).digest, now)

    def _label(self, partner: str) -> Label:
        core = self._core
        policy = core.policies.policy(core.config.policy)
        return Label(policy.name, policy.routine, Releasability.to(core.party, self._partners.get(partner).party))

    def _put(self, draft: Draft) -> Record:
        """Store a record of this node's, the next version where there is one, in the open transaction."""
        held = self._store.records.get(draft.id, originator=self._core.node)
        record = make_record(next_version(held.record(), draft) if held else draft, self._core.random)
        self._store.records.put([record], self._core.clock.now())
        self._audit.write_put([record])
        return record

    def _status(self, name: str) -> str:
        found = next((known for known in self._partners.all() if known.node == name), None)
        return found.status.value if found else "unknown"

    def _acknowledged(self, name: str, recall: bytes) -> bool:
        row = self._store.records.by_digest(recall) if recall else None
        sent = self._store.releases.of([row.seq]) if row else []
        return any(one.acknowledged for one in sent if one.partner == name)

    def _answer_of(self, name: str, recall: bytes) -> Answer | None:
        row = self._store.records.get(f"answer-{recall.hex()[:24]}-{name}", originator=name) if recall else None
        value = read_value(row.record()) if row else None
        return value if isinstance(value, Answer) and value.recall == recall.hex() else None

    # being asked

    def arrived(self, record: Record, source: str) -> None:
        """Take in a recall or an answer, in the transaction in which it is admitted."""
        value = read_value(record)
        if value is None or record.header.originator != source:
            return
        if isinstance(value, Answer):
            self._audit.write("recall", value.recall, verdict=value.effect, reasons=[value.because], actor=source)
            return
        now = self._core.clock.now()
        request = self._store.recalls.add(record.digest, source, value.because, now, value.wanted())
        rows = self.covered(request)
        self._audit.write("recall", record.digest.hex(), verdict="came in", reasons=[value.because], actor=source)
        self._store.recalls.answer(request.id, "waits" if rows else "none", "", now)
        self._store.erasure.judge([row.seq for row in rows])
        passed_on = self._pass_on(rows, value)
        if rows and self._core.config.comply and not self._obstacle(rows):
            self._settle(request, "done", "as this node is set to", self._core.node, passed_on)
        else:
            self._tell(request, "waits" if rows else "none", "", self._core.node, passed_on)

    def requests(self, by: str | Person) -> list[Request]:
        """What partners asked this node to delete, oldest first.

        It may be any record here, so of persons it is for release officers of this node's own nation at its ceiling.

        Raises:
            RefusedByPolicy: a person who is no such officer.
        """
        self._answerer(by)
        return self._store.recalls.all()

    def request(self, number: int, by: str | Person) -> Request:
        """One of them; UnknownTerm where there is none, RefusedByPolicy as `requests`."""
        self._answerer(by)
        return self._store.recalls.get(number)

    def _answerer(self, by: str | Person) -> str:
        """The name of whoever answers recalls."""
        author = name_of(by, Act.RECALL)
        self._sights.check_whole(
            by,
            "what partners recall may be any record here",
            "Answer them as a national of this node's party who works at its ceiling",
        )
        return author

    def covered(self, request: Request) -> list[Row]:
        """The rows held here that a recall names and its asker may ask for: it wrote them, or they came from it."""
        held = self._store.records.find(self._store.recalls.digests(request.id))
        rows = self._store.records.rows(sorted(held.values()))
        return [row for row in rows if request.asker in (row.originator, row.source)]

    def comply(self, number: int, because: str, by: str | Person) -> list[Row]:
        """Erase the content of what a recall names, and say so to whoever asked; the rows. Then `rewrite` the store.

        Raises:
            UnknownTerm: no such recall.
            InvalidInput: it was complied with already.
            RefusedByPolicy: it is on hold, waits in a file for a partner, or as `requests`.
        """
        author, request = self._answerer(by), self._store.recalls.get(number)
        rows = self.covered(request)
        if request.state == "done":
            raise InvalidInput(f"recall {number} was complied with already", fix="There is nothing to do")
        obstacle = self._obstacle(rows)
        if obstacle is not None:
            raise obstacle
        with self._store.transaction():
            self._settle(request, "done", because, author, self._passed_on(rows, request))
        return rows

    def refuse(self, number: int, because: str, by: str | Person) -> list[Row]:
        """Keep what a recall names, and say why; it is listed and found again.

        Raises:
            UnknownTerm: no such recall.
            InvalidInput: it was complied with already.
            RefusedByPolicy: as `requests`.
        """
        author, request = self._answerer(by), self._store.recalls.get(number)
        if request.state == "done":
            raise InvalidInput(f"recall {number} was complied with; its content is gone", fix="There is nothing to do")
        rows = self.covered(request)
        with self._store.transaction():
            self._store.recalls.answer(number, "refused", because[:_TEXT], self._core.clock.now())
            self._store.erasure.judge([row.seq for row in rows])
            self._audit.write("recall", request.recall.hex(), verdict="refused", reasons=[because], actor=author)
            self._tell(request, "refused", because, author, self._passed_on(rows, request))
        return rows

    def erase(self, rows: Sequence[Row], because: str, author: str) -> None:
        """Take the content of rows out of the store, with a leaf for each, in the open transaction.

        Raises:
            RefusedByPolicy: one is on hold, or waits in a file for a partner.
        """
        obstacle = self._obstacle(rows)
        if obstacle is not None:
            raise obstacle
        self._store.erasure.erase([row.seq for row in rows], because[:_TEXT], self._core.clock.now())
        self._drop_set_aside({row.digest for row in rows})
        for row in rows:
            self._audit.write("erasure", row.digest.hex(), verdict="erased", reasons=[because], actor=author)

    def rewrite(self) -> None:
        """Remove the attachments and write the store anew where something was erased; see `Erasure.rewrite`.

        Raises:
            Unavailable: a backup is being made, or the store is busy; it stays due.
        """
        if self._store.erasure.due:
            self._attachments.tidy(must=True)
            self._store.erasure.rewrite()

    def _settle(self, request: Request, state: Literal["done"], because: str, author: str, to: list[str]) -> None:
        rows = self.covered(request)
        self.erase(rows, f"recalled by {request.asker}: {request.because}", author)
        self._store.recalls.answer(request.id, state, because[:_TEXT], self._core.clock.now())
        self._audit.write("recall", request.recall.hex(), verdict="done", reasons=[because], actor=author)
        self._tell(request, state, because, author, to)

    def _obstacle(self, rows: Sequence[Row]) -> AldisError | None:
        holds = self._store.referrals.holds()
        for row in rows:
            if row.id in holds:
                return RefusedByPolicy(
                    f"{row.id!r} is on hold: {holds[row.id].because}", fix=f"`aldis lift {row.id} --because TEXT` first"
                )
        for partner, first in self._store.erasure.waiting([row.seq for row in rows]):
            if self._store.meta.number(exported_to(partner)) >= first:
                return RefusedByPolicy(
                    f"it left for {partner} in a file whose receipt is not in yet",
                    fix=f"Import {partner}'s receipt, or run `aldis doctor --new-epoch {partner}`, and do this again",
                )
        return None

    def _tell(
        self,
        request: Request,
        effect: Literal["none", "waits", "done", "refused"],
        because: str,
        author: str,
        passed_on: list[str],
    ) -> None:
        core = self._core
        answer = Answer(request.recall.hex(), effect, because[:_TEXT], passed_on)
        label = self._label(request.asker)
        self._put(answer_draft(answer, label=label, node=core.node, author=author, at=core.clock.now()))

    def _pass_on(self, rows: Sequence[Row], value: Recall) -> list[str]:
        """Ask those in turn to whom this node passed it on; their names."""
        digests = [row.digest for row in rows]
        names = [name for name in self._holders(rows) if self._known(name)] if rows else []
        asked = self._store.recalls.asked(digests[-1:])
        for name in names:
            if not asked.get(name, (b"", 0))[0]:
                self._ask(name, digests, value.because, self._core.node)
        return names

    def _passed_on(self, rows: Sequence[Row], request: Request) -> list[str]:
        return [name for name in self._holders(rows) if self._known(name) and name != request.asker]

    def _known(self, name: str) -> Known | None:
        return next((known for known in self._partners.all() if known.node == name), None)

    def _drop_set_aside(self, digests: set[bytes]) -> None:
        """Throw away what was set aside of these records."""
        quarantine, after = self._store.quarantine, 0
        while entries := quarantine.all(after):
            for entry in entries:
                found = quarantine.get(entry.id)
                if found is not None and _digest(found[1]) in digests:
                    quarantine.drop(entry.id)
                    self._audit.write("quarantine", sha256(found[1]).hex(), verdict="dropped", reasons=["erased"])
            after = entries[-1].id


def _unwritten(record_id: str) -> UnknownTerm:
    return UnknownTerm(f"this node has written no record {record_id!r}", fix="Only its originator recalls a record")


def _digest(data: bytes) -> bytes:
    """The digest of the record in an item that was set aside; b"" for a bundle kept whole."""
    try:
        return sha256(read_set_aside(data).item.record)
    except AldisError:
        return b""
