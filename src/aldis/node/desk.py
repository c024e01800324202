"""The release desk: why a record may or may not go, asking for it to go now, and what release officers rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

import msgspec

from aldis.kernel.authority import Act
from aldis.kernel.errors import AldisError, Changed, InvalidInput, RefusedByPolicy, TooLarge, UnknownTerm
from aldis.kernel.explain import RecordExplanation, Redacted, redact
from aldis.kernel.instruments import MOST_DAYS
from aldis.kernel.instruments.clauses import DAY_MS
from aldis.kernel.records import read_portion
from aldis.kernel.release import Verdict
from aldis.node.audit import Audit
from aldis.node.cases import Case, CasePage, Cases, Filters
from aldis.node.core import Core
from aldis.node.dossiers import Dossier, Dossiers
from aldis.node.epochs import Epochs
from aldis.node.levels import untold
from aldis.node.partners import Partners
from aldis.node.people import Person, Sights, name_of
from aldis.node.questions import question, whole_minutes
from aldis.node.store import Referral, Row, Ruling

__all__ = ["Desk", "Done", "Ruled"]

_TEXT = 2000
_MOST = 1000
_ALL = Filters()


class Ruled(msgspec.Struct, frozen=True):
    """A case after a ruling; `kept` are portions denied beside it, `rest` the number under which others still wait."""

    case: Case
    kept: tuple[str, ...]
    rest: int


class Done(msgspec.Struct, frozen=True):
    """What came of one of several rulings: the ruling, or why there is none."""

    number: int
    ruled: Ruled | None
    error: AldisError | None


class Desk:
    """Explains decisions, shows cases and takes rulings."""

    def __init__(self, core: Core, audit: Audit, partners: Partners, epochs: Epochs, sights: Sights) -> None:
        self._core = core
        self._audit = audit
        self._partners = partners
        self._epochs = epochs
        self._sights = sights
        self._cases = Cases(core, partners, epochs, sights)
        self._dossiers = Dossiers(core, partners, epochs, self._cases)
        self._store = core.store

    def why(
        self,
        record_id: str,
        node: str,
        purpose: str | None = None,
        version: int | None = None,
        originator: str | None = None,
    ) -> RecordExplanation:
        """Why a record's header and each portion may or may not go to a partner, and what would change that.

        `originator` says whose record, where several nodes use the id; else this node's own is meant.

        Raises:
            UnknownTerm: no such record or partner.
        """
        row, known = self._row(record_id, version, originator), self._partners.get(node)
        return self._dossiers.explain(row, known, purpose)

    def told(self, record_id: str, node: str, originator: str | None = None) -> Redacted:
        """What the partner itself may be told about not getting the record."""
        known = self._partners.get(node)
        explanation = self._dossiers.explain(self._row(record_id, None, originator), known, None)
        return redact(explanation, known.party, self._epochs.current(), self._core.clock.now())

    def offer(
        self, record_id: str, node: str, purpose: str | None = None, originator: str | None = None
    ) -> RecordExplanation:
        """Decide a record for a partner now, ahead of its turn; what needs a person is referred.

        What is permitted leaves with the next bundle. To a node below, each version is asked for here, or stays.

        Raises:
            UnknownTerm: no such record or partner.
            RefusedByPolicy: the header would tell a node below of records that it does not hold.
        """
        row, known = self._row(record_id, None, originator), self._partners.get(node)
        if self._partners.below(known.node) and (named := untold(self._store, row, known.node)):
            raise RefusedByPolicy(
                f"the header of {record_id!r} names {len(named)} versions or sources that {known.node} does not hold",
                fix="Put what may come down as a record of its own, with another id and without --source",
            )
        explanation, now = self._dossiers.explain(row, known, purpose), self._core.clock.now()
        record = row.record()
        parts = [(record.digest, explanation.header)]
        if explanation.header.decision.verdict is not Verdict.REFUSE:
            parts += [(portion.digest, explanation.portions[portion.name]) for portion in record.portions]
        waiting = {digest: part.decision for digest, part in parts if part.decision.verdict is Verdict.REFER}
        with self._store.transaction():
            self._store.exchange.defer(known.node, [(row.seq, now)])
            if waiting:
                asks = question([*waiting.values()], self._epochs.current(), now, self._core.config.desk_days)
                self._store.referrals.refer(
                    known.node, row, [*waiting], reasons=asks.reasons, grounds=asks.grounds, at=now, due=asks.due
                )
        return explanation

    def cases(
        self, viewer: Person | None = None, filters: Filters = _ALL, cursor: str | None = None, limit: int = 50
    ) -> CasePage:
        """A page of what waits, as a viewer (None: the operator) may see it; see `Cases.page`."""
        return self._cases.page(viewer, filters, cursor, limit)

    def case(self, number: int, viewer: Person | None = None) -> Dossier:
        """Everything about a case that a viewer may see.

        Raises:
            RefusedByPolicy: the viewer is no release officer.
            UnknownTerm: there is none, or they may not see all that it asks for: the two are told apart by nothing.
        """
        return self._dossiers.of(number, self._cases.look(viewer))

    def rule(
        self,
        number: int,
        verdict: Literal["approved", "denied"],
        because: str,
        officer: str | Person,
        *,
        keep: Collection[str] = (),
        only: Collection[str] = (),
        if_state: str = "",
    ) -> Ruled:
        """A release officer's ruling on all that a case asks for; what is approved leaves with the next bundle.

        With an approval, the portions named in `keep` are denied. With `only`, just those portions are ruled on, and
        what else was asked waits on under another number; an approval has the record's existence with it. `if_state`
        is the `token` of the case as the officer looked at it.

        Where the clause asks for several officers, it stays open until as many different persons have approved, none
        of whom wrote the record; an officer who is not signed in (their name) rules on what one alone may.

        Raises:
            UnknownTerm: no such case, or none that the officer may see.
            InvalidInput: it waits no more, no reason given, or a portion that does not wait.
            RefusedByPolicy: the officer may not rule on it.
            Changed: it is not what it was at `if_state`.
        """
        reason, now = _reason(because), self._core.clock.now()
        viewer, name = _who(officer)
        with self._store.transaction():
            one, case = self._cases.open(number, self._cases.look(viewer))
            self._check(case, if_state)
            self._may_rule(case, officer, verdict)
            kept, rest = _parts(case, verdict, keep, only)
            row, digests = self._named(one)
            said = Ruling(name, viewer is not None, verdict, reason, now, 0, True)
            other = self._store.referrals.rule(
                number,
                said,
                needed=case.needed,
                keep=[digests[part] for part in kept],
                rest=[digests[part] for part in rest],
                row=row,
            )
            self._store.exchange.defer(one.partner, [(row.seq, now)])
            ruled = self._cases.open(number, self._cases.look(viewer))[1]
            told = [reason, f"number {number}", f"record {row.digest.hex()}", *(f"{part}:denied" for part in kept)]
            told += [f"{part or 'its existence'}:waits on" for part in rest]
            if ruled.state == "open":
                told.append(f"{ruled.approvals} of {ruled.needed} officers")
            self._audit.write("decision", one.partner, verdict=verdict, reasons=told, actor=name)
        return Ruled(ruled, kept, other)

    def rule_many(
        self, wanted: Mapping[int, str], verdict: Literal["approved", "denied"], because: str, officer: str | Person
    ) -> list[Done]:
        """The same ruling on several cases, by number with the `token` of each ("" for any); each is ruled whole or
        not at all, and one that cannot be ruled keeps no other back.

        Raises:
            InvalidInput: no reason given, or over 1,000 cases.
            RefusedByPolicy: the officer is no release officer.
        """
        _reason(because)
        self._cases.look(_who(officer)[0])
        if len(wanted) > _MOST:
            raise TooLarge(f"{len(wanted)} cases; the limit is {_MOST}", fix="Rule on fewer at once")
        found = []
        for number, token in wanted.items():
            try:
                found.append(Done(number, self.rule(number, verdict, because, officer, if_state=token), None))
            except (InvalidInput, RefusedByPolicy) as error:
                found.append(Done(number, None, error))
        return found

    def defer(self, number: int, until: int, because: str, officer: str | Person, *, if_state: str = "") -> Case:
        """Put the day by which a case is to be decided off to `until` (ms since 1970 UTC), rounded up to the minute.

        Raises:
            UnknownTerm, Changed: as `rule`.
            InvalidInput: it waits no more, no reason given, or a day that is past or over 366 days away.
            RefusedByPolicy: the officer is no release officer.
        """
        reason, now = _reason(because), self._core.clock.now()
        viewer, name = _who(officer)
        with self._store.transaction():
            one, case = self._cases.open(number, self._cases.look(viewer))
            self._check(case, if_state)
            if case.state != "open":
                raise InvalidInput(f"number {number} was {case.state}", fix="`aldis desk list` shows what waits")
            if not now < until <= now + MOST_DAYS * DAY_MS:
                raise InvalidInput("that day is not ahead", fix=f"Name one within {MOST_DAYS} days")
            said = Ruling(name, viewer is not None, "deferred", reason, now, whole_minutes(until), True)
            self._store.referrals.defer(number, said)
            told = [reason, f"number {number}", f"record {case.row.digest.hex()}", f"until {said.until}"]
            self._audit.write("decision", one.partner, verdict="deferred", reasons=told, actor=name)
            return self._cases.open(number, self._cases.look(viewer))[1]

    def overdue(self) -> int:
        """How many cases wait whose day has passed; for the operator."""
        return self._store.docket.overdue(self._core.clock.now())

    def hold(self, record_id: str, because: str, by: str | Person = "") -> None:
        """Let nothing of a record leave, whatever the rules say, until `lift`ed.

        Raises:
            RefusedByPolicy: a person none of whose roles allows it.
            UnknownTerm: no such record, or none that the person may see: the two are told apart by nothing.
        """
        actor = name_of(by, Act.HOLD)
        self._check_seen(record_id, by, any)
        with self._store.transaction():
            self._store.referrals.hold(record_id, because, self._core.clock.now())
            self._core.policy_changed()
            self._audit.write("hold", record_id, verdict="held", reasons=[because[:500]], actor=actor)

    def lift(self, record_id: str, because: str, by: str | Person = "") -> None:
        """Lift a hold; where several nodes use the id, a person lifts it who may see the record of each.

        Raises:
            RefusedByPolicy, UnknownTerm: as `hold`.
            InvalidInput: there is none.
        """
        actor = name_of(by, Act.LIFT)
        self._check_seen(record_id, by, all)
        with self._store.transaction():
            if not self._store.referrals.unhold(record_id):
                raise InvalidInput(f"record {record_id!r} is not on hold", fix="There is nothing to lift")
            self._core.policy_changed()
            self._audit.write("hold", record_id, verdict="lifted", reasons=[because[:500]], actor=actor)

    @staticmethod
    def _check(case: Case, if_state: str) -> None:
        """Return if a case is what the officer looked at, and can be ruled on."""
        if case.state in ("superseded", "withdrawn"):
            other = f"; see number {case.successor}" if case.successor else ""
            raise Changed(f"number {case.number} was {case.state}: {case.because}{other}",
                          fix="`aldis desk list` shows what waits")  # fmt: skip
        if if_state and if_state != case.token:
            raise Changed(f"number {case.number} is not what it was when you looked at it",
                          fix=f"`aldis desk show {case.number}`, and decide again")  # fmt: skip

    def _may_rule(self, case: Case, officer: str | Person, verdict: str) -> None:
        """Return if an officer may rule on a case that they see."""
        if verdict == "denied" or case.needed < 2:
            return
        if not isinstance(officer, Person):
            raise RefusedByPolicy(
                f"the clause asks for {case.needed} release officers who are signed in",
                fix="`aldis sign-in PERSON`, then --as",
            )
        if self._cases.wrote(case.row, officer.id):
            raise RefusedByPolicy(f"{officer.id} wrote the record", fix=f"{case.needed} others must approve it")

    def _named(self, one: Referral) -> tuple[Row, dict[str, bytes]]:
        """The whole row asked about, and the digests of what is asked for by name."""
        [row] = self._store.records.rows([one.record_seq])
        held = {read_portion(data).name: read_portion(data).digest for data in row.portions}
        return row, {name: digest for name, digest in {"": row.digest, **held}.items() if digest in one.portions}

    def _check_seen(self, record_id: str, by: str | Person, enough: Callable[[Iterable[bool]], bool]) -> None:
        """Return if there is such a record, and a person may see the newest version from any, or all, of its nodes."""
        newest = {row.originator: row for row in self._store.records.versions(record_id)}
        if isinstance(by, Person):
            sight = self._sights.of(by)
            seen = [self._sights.cut(row, sight) is not None for row in newest.values()]
        else:
            seen = [True] * len(newest)
        if not any(seen) or not enough(seen):
            raise _no_record(record_id)

    def _row(self, record_id: str, version: int | None, originator: str | None = None) -> Row:
        named = originator and self._store.records.get(record_id, version, originator=originator)
        own = named or self._store.records.get(record_id, version, originator=self._core.node)
        row = own or self._store.records.get(record_id, version)
        if row is None:
            raise _no_record(record_id)
        return row


def _no_record(record_id: str) -> UnknownTerm:
    return UnknownTerm(f"no record {record_id!r} here", fix="`aldis list` and `aldis search` find what is")


def _who(officer: str | Person) -> tuple[Person | None, str]:
    """The person who is signed in, if any, and the name for the ledger."""
    return (officer, officer.id) if isinstance(officer, Person) else (None, officer)


def _reason(because: str) -> str:
    """The words of a ruling, as they are kept.

    Raises:
        InvalidInput: there are none.
        TooLarge: over 2,000 characters.
    """
    if not because.strip():
        raise InvalidInput("a ruling needs a reason", fix="Say why with --because")
    if len(because) > _TEXT:
        raise TooLarge(f"a reason of {len(because)} characters; the limit is {_TEXT}", fix="Say it in fewer")
    return because


def _parts(
    case: Case, verdict: str, keep: Collection[str], only: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The portions to be denied beside an approval, and those that go on waiting."""
    asked = [part.name for part in case.parts]
    for name in (*keep, *only):
        if not name or name not in asked:
            waits = ", ".join(part for part in asked if part) or "its existence alone"
            raise InvalidInput(
                f"portion {name!r} does not wait under number {case.number}", fix=f"There waits: {waits}"
            )
    if keep and (only or verdict == "denied"):
        raise InvalidInput("what is kept goes with an approval of all else", fix="Name with --only what is denied")
    if keep and set(asked) <= set(keep):
        raise InvalidInput("an approval that keeps all is none", fix="`aldis desk deny` says no to all of it")
    ruled = set(only) | ({""} if verdict == "approved" else set())
    rest = [name for name in asked if name not in ruled] if only else []
    return tuple(name for name in asked if name in keep), tuple(rest)
