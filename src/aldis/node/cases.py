"""Cases: what waits for a release officer, as somebody may see it.

A viewer is a release officer who is signed in, who sees the cases of which they may see all that is asked for, or None,
the node's own operator, who sees every one. A case that a viewer may not see is one that there is not.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from aldis.kernel.authority import Act
from aldis.kernel.bundles import onward_of
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Record, read_portion
from aldis.kernel.release import Decision, Outcome, decide, requests_for
from aldis.node.core import Core
from aldis.node.epochs import Epochs
from aldis.node.partners import Partners
from aldis.node.people import Person, Sight, Sights, name_of
from aldis.node.rulings import Candidate, candidate
from aldis.node.store import NEVER, Referral, Row, Shape
from aldis.node.store.listing import check_limit
from aldis.node.store.referrals import State, officers
from aldis.node.store.shapes import NOBODY

__all__ = ["Case", "CasePage", "Cases", "Filters", "Look", "Part"]

_TOKEN = 10


class Part(msgspec.Struct, frozen=True):
    """A portion that is asked for, or with no name the record's existence; its label, value and decision now.

    Of what was erased there is no value and no decision.
    """

    name: str
    label: Label | None
    value: object
    decision: Decision | None


class Case(msgspec.Struct, frozen=True):
    """A question to a release officer and where it stands.

    `grounds` is the clause that asks for a person, or the check, and `why` the reason in words. `since`, `at` (of the
    newest change) and `due` (0: no day) are in ms since 1970 UTC. `approvals` of `needed` officers said yes. `because`
    are the words of the newest ruling, or why it waits no more; `successor` the number under which the newer version
    is asked for, if any. `token` changes with all that a ruling would rest on. `row` is the version asked about, with
    just the portions that the viewer may see.
    """

    number: int
    partner: str
    row: Row
    parts: tuple[Part, ...]
    grounds: str
    why: str
    since: int
    at: int
    due: int
    overdue: bool
    approvals: int
    needed: int
    state: State
    because: str
    successor: int
    token: str


class CasePage(msgspec.Struct, frozen=True):
    """Cases in order; `next` is the cursor of what follows, if any."""

    cases: list[Case]
    next: str | None


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases: for a partner, of a project or kind, due by then (ms since 1970 UTC), or like that of a number.

    `instrument` is that of the clause which asks for a person, `classification` the highest of what is asked for, as
    policy and rung. `every` has those too that wait no more; `mine` only those on which the viewer can rule now.
    """

    partner: str = ""
    project: str | None = None
    kind: str | None = None
    due_by: int | None = None
    like: int = 0
    instrument: str = ""
    classification: tuple[str, str] | None = None
    every: bool = False
    mine: bool = False


class Look(NamedTuple):
    """A viewer, and the shapes of question that they may see: of a foreign national at most those."""

    viewer: Person | None
    sight: Sight | None
    shapes: Mapping[int, Shape]


class Cases:
    """Reads cases for a viewer."""

    def __init__(self, core: Core, partners: Partners, epochs: Epochs, sights: Sights) -> None:
        self._core = core
        self._partners = partners
        self._epochs = epochs
        self._sights = sights
        self._store = core.store

    def page(self, viewer: Person | None, filters: Filters, cursor: str | None = None, limit: int = 50) -> CasePage:
        """A page of what waits, overdue first, then by day and age; with `every`, of all there was, newest first.

        Raises:
            RefusedByPolicy: the viewer is no release officer.
            InvalidInput: a limit that is not 1 to 200, a cursor of another list, or `mine` for no person.
            UnknownTerm: no such partner, or nothing under the number that it is to be like.
        """
        check_limit(limit)
        look = self.look(viewer)
        if filters.mine and viewer is None:
            raise InvalidInput("nobody is named whose cases these are", fix="Sign in, and say who with --as person:ID")
        partner = self._partners.get(filters.partner).node if filters.partner else ""
        right, grounds = self._store.profiles.where(filters.kind, filters.project), ""
        shapes = {id_ for id_, shape in look.shapes.items() if right[shape.profile]}
        if filters.classification:
            shapes &= {id_ for id_ in shapes if self._highest(look.shapes[id_]) == filters.classification}
        if filters.like:
            one = self.referral(filters.like, look)
            shapes &= {one.shape} if partner in ("", one.partner) else set()
            partner, grounds = one.partner, one.grounds
        narrowed = filters.like or filters.classification or filters.kind is not None or filters.project is not None
        everything = viewer is None and not narrowed
        scope = msgspec.json.encode([look.sight.name if look.sight else "", repr(filters)])
        found: list[Case] = []
        while True:
            page = self._store.docket.page(
                shapes=None if everything else shapes, partner=partner, grounds=grounds, due_by=filters.due_by,
                every=filters.every, after=cursor, limit=limit - len(found), scope=scope,
            )  # fmt: skip
            for one in page.referrals:
                if filters.instrument and not one.grounds.startswith(f"{filters.instrument} clause "):
                    continue
                case = self.of(one, look)
                if case is not None and not (filters.mine and viewer and self._done(case, one, viewer)):
                    found.append(case)
            cursor = page.next
            if cursor is None or len(found) == limit:
                return CasePage(found, cursor)

    def look(self, viewer: Person | None) -> Look:
        """What a viewer may see of cases now.

        Raises:
            RefusedByPolicy: they are no release officer.
        """
        every = self._store.shapes.all()
        if viewer is None:
            return Look(None, None, every)
        name_of(viewer, Act.RULE)
        sight = self._sights.of(viewer)
        seen = set(np.flatnonzero(sight.profiles).tolist())
        return Look(viewer, sight, {id_: shape for id_, shape in every.items() if shape.profiles <= seen})

    def open(self, number: int, look: Look) -> tuple[Referral, Case]:
        """What the store keeps of the case with this number, and the case; raises as `referral`."""
        one = self.referral(number, look)
        case = self.of(one, look)
        if case is None:
            raise _nothing(number)
        return one, case

    def referral(self, number: int, look: Look) -> Referral:
        """What the store keeps of the case with this number.

        Raises:
            UnknownTerm: there is none, or the viewer may not see all of it: the two are told apart by nothing.
        """
        try:
            one = self._store.referrals.get(number)
        except UnknownTerm:
            raise _nothing(number) from None
        if self.seen(one, look) is None:
            raise _nothing(number)
        return one

    def seen(self, one: Referral, look: Look) -> Row | None:
        """The version asked about with what the viewer may see of it; None where that is not all that is asked for."""
        if one.shape not in look.shapes:
            return None
        [row] = self._store.records.rows([one.record_seq])
        if look.sight is None:
            return row
        if look.sight.exact:
            return row.only(look.sight.profiles)
        cut = self._sights.cut(row, look.sight)
        shown = {cut.digest, *(read_portion(data).digest for data in cut.portions)} if cut else set()
        return cut if shown.issuperset(one.portions) else None

    def names(self, row: Row, look: Look) -> dict[bytes, str] | None:
        """The portions of a row that the viewer may see, by digest; None where they may not know of it."""
        cut = row if look.sight is None else self._sights.cut(row, look.sight)
        return {part.digest: part.name for part in cut.record().portions} if cut else None

    def of(self, one: Referral, look: Look) -> Case | None:
        """The case of a referral as a viewer may see it, or None."""
        seen = self.seen(one, look)
        if seen is None:
            return None
        decisions = self.decisions(one)
        parts = self._parts(one, look.shapes[one.shape], seen.record(), decisions)
        asked = [part.decision for part in parts if part.decision is not None]
        state, because, successor = self._stands(one, look)
        said = self._store.referrals.rulings(one.id)
        yes = {(ruling.officer, ruling.signed_in) for ruling in said if ruling.stands and ruling.verdict == "approved"}
        return Case(
            number=one.number, partner=one.partner, row=seen, parts=parts, grounds=one.grounds, why=_why(asked),
            since=one.asked, at=one.at, due=0 if one.due == NEVER else one.due,
            overdue=state == "open" and one.due < self._core.clock.now(), approvals=officers(yes),
            needed=max((decision.basis.approvals for decision in asked), default=0), state=state, because=because,
            successor=successor, token=self._token(one, state, decisions, sorted(yes)),
        )  # fmt: skip

    def decisions(self, one: Referral) -> Mapping[bytes, Decision]:
        """What is decided now of the version asked about, by digest; empty where it was erased."""
        [row] = self._store.records.rows([one.record_seq])
        if self._store.erasure.of(row.digest) is not None:
            return {}
        grant = self._store.grants.of([row.seq]).get(row.seq)
        approved = self._store.referrals.approvals(one.partner, [row.seq]).get(row.seq, ())
        asked = requests_for(
            self.view(row, one.partner), one.partner, None, grants=onward_of(grant, self._core.node), approved=approved
        )
        epoch, now = self._epochs.current(), self._core.clock.now()
        return {digest: decide(request, epoch, now) for digest, request in asked}

    def view(self, row: Row, partner: str) -> Candidate:
        """A stored record as a decision about a partner sees it."""
        party = self._partners.originators(partner).get(row.originator, "")
        return candidate(self._store.profiles, row, row.record().portions, party)

    def wrote(self, row: Row, person: str) -> bool:
        """Whether a person wrote any version of a record."""
        versions = self._store.records.versions(row.id, row.originator)
        return any(one.record().header.author == person for one in versions)

    def _done(self, case: Case, one: Referral, viewer: Person) -> bool:
        """Whether there is nothing for an officer to say to a case: it waits no more, or is theirs, or they did."""
        said = self._store.referrals.rulings(one.id)
        spoke = any(one.officer == viewer.id and one.stands and one.verdict == "approved" for one in said)
        return case.state != "open" or spoke or (case.needed > 1 and self.wrote(case.row, viewer.id))

    def _highest(self, shape: Shape) -> tuple[str, str] | None:
        """Policy and classification of the highest label that a question of a shape is about, header or part.

        None where its labels are of several policies.
        """
        profiles, rules = self._store.profiles, self._core.policies
        labels = [profiles.profile(one).label for one in shape.profiles - {NOBODY}]
        if len({label.policy for label in labels}) != 1:
            return None
        return max(
            ((label.policy, label.classification) for label in labels),
            key=lambda one: rules.policy(one[0]).rank(one[1]),
        )

    def _parts(
        self, one: Referral, shape: Shape, record: Record, decisions: Mapping[bytes, Decision]
    ) -> tuple[Part, ...]:
        profiles = self._store.profiles
        held = {portion.name: portion for portion in record.portions if portion.digest in one.portions}
        found = []
        for name, profile in shape.parts:
            portion = held.get(name)
            digest = portion.digest if portion else record.digest if not name else b""
            label = profiles.profile(profile).label if profile != NOBODY else None
            found.append(Part(name, label, portion.value if portion else None, decisions.get(digest)))
        return tuple(found)

    def _stands(self, one: Referral, look: Look) -> tuple[State, str, int]:
        """The state of a referral as the record has it now, why, and what has taken its place."""
        if one.state == "superseded":
            return one.state, "a newer version is here", self._visible(one.successor, look)
        if one.state != "open":
            return one.state, one.because, 0
        [row] = self._store.records.rows([one.record_seq])
        erased, newest = self._store.erasure.of(row.digest), self._store.records.get(row.id, None, row.originator)
        if erased is not None:
            return "withdrawn", f"its content was erased: {erased.because}", 0
        if newest is not None and newest.version > row.version:
            if newest.record().header.deleted:
                return "withdrawn", "the record was deleted", 0
            later = self._store.referrals.of(one.partner, newest.seq)
            return "superseded", "a newer version is here", self._visible(later[-1].number if later else 0, look)
        if self._store.records.superseded([row.seq]) or self._store.recalls.withheld(one.partner, [row.seq]):
            return "withdrawn", "the record was recalled", 0
        return "open", one.because, 0

    def _visible(self, number: int, look: Look) -> int:
        """A number, where the viewer may see its case; else 0."""
        if not number:
            return 0
        return number if self.seen(self._store.referrals.get(number), look) is not None else 0

    def _token(
        self, one: Referral, state: State, decisions: Mapping[bytes, Decision], yes: Sequence[tuple[str, bool]]
    ) -> str:
        """A digest of all that a ruling on the case rests on, keyed, so that it tells nothing."""
        asked = [(digest.hex(), decisions.get(digest)) for digest in sorted(one.portions)]
        said = msgspec.json.encode(
            [
                one.number, one.partner, state, list(yes),
                [(digest, _basis(decision)) for digest, decision in asked],
            ]
        )  # fmt: skip
        return hmac.digest(self._core.secret, b"aldis/case/1\x00" + said, "sha256")[:_TOKEN].hex()


def _basis(decision: Decision | None) -> object:
    """What of a decision an officer relies on."""
    if decision is None:
        return None
    reasons = [(reason.outcome, reason.code, reason.instrument, reason.clause) for reason in decision.reasons]
    return decision.verdict.value, reasons, repr(decision.basis)


def _why(asked: Sequence[Decision]) -> str:
    """The first reason for a person, in words."""
    reasons = [reason for decision in asked for reason in decision.reasons if reason.outcome is Outcome.REFER]
    return reasons[0].text if reasons else ""


def _nothing(number: int) -> UnknownTerm:
    return UnknownTerm(f"nothing waits under number {number}", fix="`aldis desk list` shows what does")
