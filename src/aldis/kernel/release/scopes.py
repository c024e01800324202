"""Everything about a request but its label, compiled: kind, project, portion and originator, toward one recipient.

The checks are numbered as in `spec/release.md`: 1, 3, 6 and 7 are here, and 2, 4, 5 and 8, which rest on one clause,
in `candidates`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aldis.kernel.epoch import Partner, PartnerStatus, PolicyEpoch
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.instruments import Clause, Form, Standing, covers
from aldis.kernel.labels import CONCEALED, Access, Label
from aldis.kernel.policies import Policies
from aldis.kernel.release.candidates import Candidate, Offer
from aldis.kernel.release.decisions import Outcome, Reason
from aldis.kernel.rules import rule_at

__all__ = ["Clearing", "Scope"]

_LIMIT = 4096
"""Combinations of tags or origins kept per scope; a label stream cannot grow the tables without bound."""

_LACKS = {
    "no-instrument": "no agreement or arrangement, pairing apart, has both {giver} and {taker} as parties",
    "not-signed": "{instrument} is not signed by every party to it",
    "not-begun": "{instrument} has not begun",
    "expired": "{instrument} has expired",
    "terminated": "{instrument} was terminated",
    "not-in-force": "{instrument} is not in force",
    "direction": "{instrument} clause {clause} does not run from {giver} to {taker}",
    "kind": "{instrument} clause {clause} does not cover the kind {kind!r}",
    "project": "{instrument} clause {clause} does not cover the project {project!r}",
    "purpose": "{instrument} clause {clause} does not allow the purpose {purpose!r}",
    "portion": "{instrument} clause {clause} does not cover the portion {portion!r}",
}


@dataclass(frozen=True, slots=True)
class Clearing:
    """The parts of an epoch that bear on one recipient, purpose and instant."""

    epoch: PolicyEpoch
    partner: Partner
    purpose: str | None
    at: int
    standing: tuple[Standing, ...]
    offers: tuple[Offer, ...]
    kept: dict[tuple[str, str, tuple[tuple[str, frozenset[str]], ...]], tuple[str, str]]
    """Labels met so far that only their originator may release, by policy, classification and categories."""

    @property
    def policies(self) -> Policies:
        """The policies of the epoch."""
        return self.epoch.policies


class Scope:
    """One kind, project, portion and originator under a `Clearing`; tables fill as labels are met."""

    __slots__ = (
        "_clear", "_export", "_granted", "_kind", "_onward", "_originator", "_portion", "_project", "_said", "_theirs",
        "candidates", "control", "ends", "first", "listed", "owner", "taker",
    )  # fmt: skip

    def __init__(self, clear: Clearing, kind: str, project: str, portion: str, originator: str) -> None:
        self._clear, self._kind, self._project, self._portion = clear, kind, project, portion
        self._originator = originator
        giver, taker = clear.epoch.party, clear.partner.party
        self.taker = taker
        self.ends = frozenset({giver, taker})
        self.control = self._settled_control(giver, taker, below=clear.partner.below)
        self._theirs = Reason.of(
            1, Outcome.FAIL, "no-grant", f"{originator}, its originator, has not granted it to {taker}"
        )
        self._granted = Reason.of(1, Outcome.PASS, "granted", f"{originator} granted it to {taker}")
        if taker == originator:
            self._theirs = self._granted = Reason.of(1, Outcome.PASS, "returned", f"{taker} gets back what is its own")
        self.owner = taker == originator
        self.listed = Reason.of(3, Outcome.PASS, "listed", f"it is releasable to {taker}")
        self.first, *others = self._candidates()
        self.candidates = (self.first, *others) if others else ()
        self._said: dict[tuple[int, str], Reason] = {}
        self._export: dict[frozenset[str], Reason] = {}
        self._onward: dict[frozenset[str], tuple[Reason, frozenset[str] | None]] = {}

    # 1 originator control

    def _settled_control(self, giver: str, taker: str, *, below: bool) -> Reason | None:
        """The reason where it depends neither on the label nor on grants."""
        if giver == taker and not below:
            return Reason.of(1, Outcome.PASS, "own-party", f"{giver} keeps it within its own nodes and people")
        if giver == self._originator:
            return Reason.of(1, Outcome.PASS, "originator", f"{giver} is its originator")
        return None

    def controlled(self, label: Label, grants: frozenset[str]) -> Reason:
        """Check 1, for a record of another party's."""
        key = (label.policy, label.classification, label.categories)
        kept = self._clear.kept.get(key)
        if kept is None:
            if len(self._clear.kept) >= _LIMIT:
                self._clear.kept.clear()
            kept = self._clear.kept[key] = self._kept(label)
        if kept[0]:
            return self._say(1, Outcome.FAIL, *kept)
        return self._granted if self.taker in grants else self._theirs

    def _kept(self, label: Label) -> tuple[str, str]:
        """Code and text where only its originator may release what bears this label; empty where others may too."""
        try:
            if self._clear.policies.originator_control(label):
                return "originator-controlled", "it is marked so that only its originator may release it"
        except UnknownTerm as error:
            return "unknown-label", f"nobody defined a term of the label: {error}"
        return "", ""

    # 3 releasability

    def releasable(self, label: Label) -> Reason:
        """Check 3, where the label does not simply list the recipient's party."""
        said, taker = label.releasable, self.taker
        if taker in said.parties:
            return self.listed
        if self.owner:
            return self._say(3, Outcome.PASS, "owner", f"{taker} is its owner")
        if said.access is Access.REFUSED:
            return self._say(3, Outcome.FAIL, "refused", "it is marked for no foreign party")
        if said.access is Access.UNMARKED:
            return self._unmarked(label)
        if taker in said.display:
            return self._say(3, Outcome.FAIL, "display-only", f"{taker} may be shown it, not given it")
        if self._clear.policies.beyond(label, taker):
            return self._say(3, Outcome.PASS, "owner", f"{taker} owns the policy of its label: a list is beyond it")
        if not said.parties:
            return self._say(3, Outcome.FAIL, "nobody", "it is releasable to nobody beyond its owner")
        return self._say(3, Outcome.FAIL, "not-listed", f"it is not releasable to {taker}")

    def _unmarked(self, label: Label) -> Reason:
        try:
            waits = self._clear.policies.policy(label.policy).unmarked(label)
        except UnknownTerm as error:
            return self._say(3, Outcome.FAIL, "unknown-label", f"nobody defined a term of the label: {error}")
        if waits:
            text = "nobody has said to whom it is releasable, and its policy leaves that to a person"
            return self._say(3, Outcome.REFER, "unmarked", text)
        return self._say(3, Outcome.PASS, "by-agreement", "its policy leaves releasability to the agreements")

    def _say(self, check: int, outcome: Outcome, code: str, text: str) -> Reason:
        found = self._said.get((check, text))
        if found is None:
            if len(self._said) >= _LIMIT:
                self._said.clear()
            found = self._said[check, text] = Reason.of(check, outcome, code, text)
        return found

    # 4 an instrument in force

    def _candidates(self) -> tuple[Candidate, ...]:
        """The clauses that cover this scope, or else the nearest one."""
        clear = self._clear
        scope = (clear.epoch.party, clear.purpose, self._kind, self._project, self._portion)
        lacking = [(offer.mismatches(*scope), offer) for offer in clear.offers]
        chosen = [row for row in lacking if not row[0]]
        if not chosen:
            near = (row for row in lacking if not row[1].pairing or _NOT_STANDING.issuperset(row[0]))
            chosen = sorted(near, key=lambda row: (len(row[0]), row[1].distance, row[1].order))[:1]
        if not chosen:
            chosen = [(["no-instrument"], Offer(clear.epoch, clear.partner, clear.at))]
        return tuple(
            Candidate(offer, offer.basis(clear.purpose, self._portion), self._instrument(offer, codes))
            for codes, offer in chosen
        )

    def _instrument(self, offer: Offer, lacks: list[str]) -> Reason:
        clear, (name, _, clause) = self._clear, offer.order
        partner = clear.partner
        if partner.status is not PartnerStatus.ACTIVE:
            code = f"recipient-{partner.status.value}"
            return Reason.of(4, Outcome.FAIL, code, f"{partner.node} is {partner.status.value}")
        if not covers(partner.projects, self._project):
            text = f"{partner.node} is not a member of the project {self._project!r}"
            return Reason.of(4, Outcome.FAIL, "not-a-member", text)
        if lacks:
            text = _LACKS[lacks[0]].format(
                giver=clear.epoch.party, taker=partner.party, instrument=name, clause=clause,
                kind=self._kind, project=self._project, purpose=clear.purpose, portion=self._portion,
            )  # fmt: skip
            return Reason.of(4, Outcome.FAIL, lacks[0], text, name, clause)
        if offer.own:
            return Reason.of(4, Outcome.PASS, "own-party", "no instrument is needed within one party")
        return Reason.of(4, Outcome.PASS, "in-force", f"{name} clause {clause} covers it", name, clause)

    # 6 export control

    def export(self, tags: frozenset[str]) -> Reason:
        """Check 6, for a label that has control tags."""
        found = self._export.get(tags)
        if found is None:
            if len(self._export) >= _LIMIT:
                self._export.clear()
            reasons = [self._licence(tag) for tag in sorted(tags)]
            found = self._export[tags] = max(reasons, key=lambda reason: reason.outcome)
        return found

    def _licence(self, tag: str) -> Reason:
        giver, taker = self._clear.epoch.party, self.taker
        if giver == taker:
            return Reason.of(6, Outcome.PASS, "own-party", f"{tag} stays within {giver}")
        text = f"no licence or exemption covers {tag} from {giver} to {taker}"
        lacking = Reason.of(6, Outcome.FAIL, "unlicensed", text)
        for standing, clause in self._clauses(Form.LICENCE, Form.EXEMPTION):
            instrument = standing.instrument
            if tag not in clause.tags or giver not in clause.givers or taker not in clause.takers:
                continue
            short = self._short(standing) if instrument.form is Form.EXEMPTION else ""
            if not short:
                text = f"{instrument.id} clause {clause.id} covers {tag}"
                return Reason.of(6, Outcome.PASS, "licensed", text, instrument.id, clause.id)
            if lacking.code == "unlicensed":
                text = f"{instrument.id} does not cover {tag}: {short}"
                lacking = Reason.of(6, Outcome.FAIL, "evidence-missing", text, instrument.id, clause.id)
        return lacking

    def _short(self, standing: Standing) -> str:
        """What an exemption lacks of the rule it claims, as the rule stands at this instant."""
        instrument = standing.instrument
        rule = rule_at(instrument.rule, self._clear.at)
        if rule is None:
            return f"{instrument.rule} is not yet in force"
        if not self.ends <= rule.parties:
            return f"{rule.name} is for {', '.join(sorted(rule.parties))}"
        unmet = rule.unmet(instrument.evidence)
        return f"no evidence for {rule.name} paragraph {unmet.id}: {unmet.text}" if unmet else ""

    def _clauses(self, *forms: Form) -> Iterable[tuple[Standing, Clause]]:
        """The clauses in force of these forms, of instruments with both parties, that cover kind and project."""
        for standing in self._clear.standing:
            if standing.instrument.form in forms and self.ends <= standing.parties:
                for clause in standing.instrument.clauses:
                    if covers(clause.kinds, self._kind) and covers(clause.projects, self._project):
                        yield standing, clause

    # 7 onward transfer

    def onward(self, origins: frozenset[str], grants: frozenset[str]) -> tuple[Reason, frozenset[str] | None]:
        """Check 7, for a label with origins beyond giver and taker; the purposes it leaves, None for any."""
        if len(self.ends) == 1:
            return Reason.of(7, Outcome.PASS, "own-party", f"it stays within {self.taker}"), None
        foreign = origins - self.ends
        if self.taker in grants:
            foreign &= {CONCEALED}
        found = self._onward.get(foreign)
        if found is None:
            if len(self._onward) >= _LIMIT:
                self._onward.clear()
            found = self._onward[foreign] = self._passed_on(foreign)
        return found

    def _passed_on(self, foreign: frozenset[str]) -> tuple[Reason, frozenset[str] | None]:
        first, left = None, None
        for origin in sorted(foreign - {CONCEALED}):
            clauses = list(self._onward_clauses(origin))
            if not clauses:
                text = f"{origin}, whose information is in it, has not let {self._clear.epoch.party} pass it on"
                return Reason.of(7, Outcome.FAIL, "origin-not-covered", f"{text} to {self.taker}"), None
            purposes = frozenset().union(*(clause.purposes for _, clause in clauses))
            left = purposes if left is None else left & purposes
            standing, clause = clauses[0]
            text = f"{standing.instrument.id} clause {clause.id} lets it go on to {self.taker}"
            first = first or Reason.of(7, Outcome.PASS, "onward", text, standing.instrument.id, clause.id)
        if CONCEALED in foreign:
            text = "it holds foreign information whose source must not be named"
            return Reason.of(7, Outcome.REFER, "concealed-origin", text), left
        return first or Reason.of(7, Outcome.PASS, "granted", f"its originator granted it to {self.taker}"), left

    def _onward_clauses(self, origin: str) -> Iterable[tuple[Standing, Clause]]:
        giver, purpose = self._clear.epoch.party, self._clear.purpose
        for standing, clause in self._clauses(Form.AGREEMENT, Form.ARRANGEMENT):
            if (
                origin in clause.givers & standing.parties
                and giver in clause.takers
                and self.taker in clause.onward
                and (not self._portion or covers(clause.portions, self._portion))
                and (purpose is None or purpose in clause.purposes)
            ):
                yield standing, clause


_NOT_STANDING = frozenset({"not-signed", "not-begun", "expired", "terminated", "not-in-force"})
