"""Clauses compiled for one recipient, purpose and instant: checks 2, 4, 5 and 8, which must rest on one of them."""

from __future__ import annotations

from collections.abc import Iterator

from aldis.kernel.epoch import Partner, PolicyEpoch
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.instruments import SHARING, Action, Clause, Entry, State, covers
from aldis.kernel.labels import CategoryType, Label
from aldis.kernel.release.ceilings import clause_ceiling, node_ceiling
from aldis.kernel.release.decisions import Basis, Outcome, Reason

__all__ = ["Candidate", "Offer", "offers"]

_NONE: frozenset[str] = frozenset()
_LIMIT = 4096
"""Classifications, and combinations of categories, kept per clause: no stream of labels grows the tables for ever."""


class Offer:
    """What one clause offers one recipient, whatever the record; `grades` fills as classifications are met.

    `state` says where the instrument stands; without a `clause` nothing is offered, and `own` is a party's own node.
    """

    __slots__ = (
        "_at", "_categories", "_partner", "_policies", "clause", "entry", "grades", "open", "own", "parties", "state",
    )  # fmt: skip

    def __init__(
        self,
        epoch: PolicyEpoch,
        partner: Partner,
        at: int,
        *,
        entry: Entry | None = None,
        clause: Clause | None = None,
        parties: frozenset[str] = frozenset(),
        state: State = State.IN_FORCE,
        own: bool = False,
    ) -> None:
        self._policies, self._partner, self._at = epoch.policies, partner, at
        self.entry, self.clause, self.parties, self.state, self.own = entry, clause, parties, state, own
        self.grades: dict[tuple[str, str], Reason] = {}
        self._categories: dict[tuple[str, tuple[tuple[str, frozenset[str]], ...]], Reason] = {}
        self.open = self._reason(5, Outcome.PASS, "no-categories", "no category restricts it")

    @property
    def order(self) -> tuple[str, int, str]:
        """Where ties between clauses are broken: instrument, version, clause."""
        entry, clause = self.entry, self.clause
        return (entry.instrument.id if entry else "", entry.version if entry else 0, clause.id if clause else "")

    @property
    def pairing(self) -> bool:
        """Whether it is of a pairing agreement."""
        return self.entry is not None and self.entry.instrument.pairing

    @property
    def below(self) -> bool:
        """Whether it would come down, to a node of the same party with a lower ceiling."""
        return self.own and self._partner.below

    @property
    def distance(self) -> int:
        """How far its instrument is from what parties want: one that waits is nearer than one that stands as it is."""
        return 0 if self.state in _WAITS else 1 if self.state is State.IN_FORCE else 2

    def _reason(self, check: int, outcome: Outcome, code: str, text: str) -> Reason:
        name, _, clause = self.order
        return Reason.of(check, outcome, code, text, name, clause)

    def grade(self, label: Label) -> Reason:
        """Check 2: mapped, and within the clause's and the recipient's ceilings."""
        key = (label.policy, label.classification)
        found = self.grades.get(key)
        if found is None:
            if len(self.grades) >= _LIMIT:
                self.grades.clear()
            found = self.grades[key] = self._reason(2, *self._grade(label))
        return found

    def _grade(self, label: Label) -> tuple[Outcome, str, str]:
        node = node_ceiling(self._partner.ceiling, label, self._policies, self._at)
        if self.own:
            return node
        if self.clause is None:
            return Outcome.FAIL, "no-clause", "no clause allows any classification"
        clause = clause_ceiling(self.clause.ceiling, label, self._policies, self._at)
        return node if node[0] > clause[0] else clause

    def allow(self, label: Label) -> Reason:
        """Check 5, for a label that has categories."""
        key = (label.policy, label.categories)
        found = self._categories.get(key)
        if found is None:
            if len(self._categories) >= _LIMIT:
                self._categories.clear()
            found = self._categories[key] = self._reason(5, *self._allow(label))
        return found

    def _allow(self, label: Label) -> tuple[Outcome, str, str]:
        try:
            policy = self._policies.policy(label.policy)
            typed = [(tag, policy.category_type(tag), values) for tag, values in label.categories]
        except UnknownTerm as error:
            return Outcome.FAIL, "unknown-category", f"nobody defined a category of the label: {error}"
        rows = [row for row in typed if row[1] is not CategoryType.INFORMATIVE]
        if not rows:
            return Outcome.PASS, "no-categories", "no category restricts it"
        permitted = dict(self.clause.categories) if self.clause else {}
        for tag, kind, values in rows:
            if kind is CategoryType.PERMISSIVE and not values:
                return Outcome.FAIL, "category-nobody", f"{tag} names nobody"
            if not self.own and not _meets(kind, values, permitted.get(tag, _NONE)):
                return Outcome.FAIL, "category-not-permitted", f"the clause does not permit {_shown(tag, values)}"
        for tag, kind, values in rows:
            held = self._partner.accredited(tag)
            if not _meets(kind, values, held, held if self.own else permitted[tag]):
                return Outcome.FAIL, "category-not-held", f"the recipient is not accredited for {_shown(tag, values)}"
        return Outcome.PASS, "categories-permitted", "every category is permitted and held"

    def mismatches(self, giver: str, purpose: str | None, kind: str, project: str, portion: str) -> list[str]:
        """Check 4: what this clause lacks, as codes; empty where it covers the request."""
        clause = self.clause
        if clause is None:
            return [] if self.own else ["no-instrument"]
        tests = (
            (_STATES.get(self.state, "not-in-force"), self.state is State.IN_FORCE),
            ("direction", giver in clause.givers and self._partner.party in clause.takers),
            ("kind", covers(clause.kinds, kind)),
            ("project", covers(clause.projects, project)),
            ("purpose", purpose is None or purpose in clause.purposes),
            ("portion", not portion or covers(clause.portions, portion)),
        )
        return [code for code, holds in tests if not holds]

    def basis(self, purpose: str | None, portion: str) -> Basis:
        """What a decision that rests on this clause asks and allows."""
        clause, (name, version, _) = self.clause, self.order
        if clause is None:
            return Basis(purposes=() if purpose is None or not self.own else (purpose,))
        mine = [transform for transform in clause.transforms if transform.portion == portion]
        return Basis(
            instrument=name,
            version=version,
            clause=clause.id,
            purposes=tuple(sorted(clause.purposes)) if purpose is None else (purpose,),
            transforms=tuple(transform for transform in mine if transform.action is not Action.DELAY),
            delay_ms=1000 * max((t.seconds for t in mine if t.action is Action.DELAY), default=0),
            onward=tuple(sorted((clause.onward & self.parties) - {self._partner.party})),
            approvals=clause.approvals,
        )


_STATES = {
    State.UNSIGNED: "not-signed",
    State.NOT_YET: "not-begun",
    State.EXPIRED: "expired",
    State.TERMINATED: "terminated",
}
_WAITS = frozenset({State.UNSIGNED, State.NOT_YET, State.EXPIRED, State.ORPHANED})
"""States that end with a signature or a date, its own or that of the instrument above it."""


def _meets(kind: CategoryType, values: frozenset[str], *having: frozenset[str]) -> bool:
    """RESTRICTIVE: every value is in all the sets; PERMISSIVE: at least one is (STANAG 4774, SPIF)."""
    held = (all(covers(allowed, value) for allowed in having) for value in values)
    return any(held) if kind is CategoryType.PERMISSIVE else all(held)


def _shown(tag: str, values: frozenset[str]) -> str:
    return f"{tag} {'/'.join(sorted(values))}"


class Candidate:
    """An offer in one scope (kind, project, portion): checks 4 and 8 are settled, 2 and 5 wait for the label."""

    __slots__ = ("basis", "bits", "instrument", "offer", "review")

    def __init__(self, offer: Offer, basis: Basis, instrument: Reason) -> None:
        self.offer, self.basis, self.instrument = offer, basis, instrument
        name, _, clause = offer.order
        if offer.clause is not None and offer.clause.review:
            asked = offer.clause.approvals
            who = "a release officer" if asked == 1 else f"{asked} release officers"
            text = f"the clause asks {who} to decide each time"
            self.review = Reason.of(8, Outcome.REFER, "review", text, name, clause)
        elif offer.below:
            text = "it would come down to a lower level, which a release officer decides for each version"
            self.review = Reason.of(8, Outcome.REFER, "downward", text)
        else:
            self.review = Reason.of(8, Outcome.PASS, "no-review", "not on hold, and no review is asked", name, clause)
        self.bits = instrument.bits | self.review.bits


def offers(epoch: PolicyEpoch, partner: Partner, at: int) -> tuple[Offer, ...]:
    """The clauses of every agreement and arrangement with both parties, in force or not, by id and version."""
    found = []
    both = {epoch.party, partner.party}
    for entry, parties, state in _sharing(epoch, at):
        if both <= parties:
            found += [
                Offer(epoch, partner, at, entry=entry, clause=clause, parties=parties, state=state)
                for clause in entry.instrument.clauses
            ]
    return tuple(sorted(found, key=lambda offer: offer.order))


def _sharing(epoch: PolicyEpoch, at: int) -> Iterator[tuple[Entry, frozenset[str], State]]:
    """Of each instrument that shares, the version in force, and the newest where that is another one."""
    instruments = epoch.instruments
    for name in instruments.ids():
        standing, newest = instruments.standing(name, at), instruments.versions(name)[-1]
        if standing is not None and standing.instrument.form in SHARING:
            yield standing.entry, standing.parties, State.IN_FORCE
        if (standing is None or standing.entry != newest) and newest.instrument.form in SHARING:
            yield newest, newest.instrument.parties, instruments.state(newest, at)
