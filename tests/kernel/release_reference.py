"""A slow, obvious decide, written from the numbered list of `spec/release.md` and from nothing else.

It compiles nothing and keeps nothing; the real one must agree with it on every input.
"""

from __future__ import annotations

from dataclasses import dataclass

from aldis.kernel.epoch import Partner, PartnerStatus, PolicyEpoch
from aldis.kernel.errors import NeedsPerson, UnknownTerm
from aldis.kernel.instruments import Action, Clause, Effect, Entry, Form, Instrument, Transform
from aldis.kernel.labels import Access, CategoryType, Label
from aldis.kernel.release import Request
from aldis.kernel.rules import rule_at

PASS, REFER, FAIL = 0, 1, 2
SHARES = (Form.AGREEMENT, Form.ARRANGEMENT)
NOT_STANDING = {"not-signed", "not-begun", "expired", "terminated", "not-in-force"}


@dataclass(frozen=True)
class Answer:
    """What the reference says, in plain values."""

    verdict: str
    outcomes: tuple[int, ...]
    codes: tuple[str, ...]
    instrument: str
    clause: str
    purposes: tuple[str, ...]
    transforms: tuple[Transform, ...]
    onward: tuple[str, ...]
    not_before: int


@dataclass(frozen=True)
class Found:
    """A clause with where its instrument stands."""

    entry: Entry
    clause: Clause
    parties: frozenset[str]
    standing: str

    @property
    def order(self) -> tuple[str, int, str]:
        return (self.entry.instrument.id, self.entry.version, self.clause.id)


def covers(allowed: frozenset[str], value: str) -> bool:
    return "*" in allowed or value in allowed


# instruments in force


def notices(epoch: PolicyEpoch, entry: Entry, at: int, effect: Effect) -> list[str]:
    return [
        n.party
        for n in epoch.instruments.notices
        if n.instrument == entry.instrument.id and n.effect is effect and n.on <= at and n.version >= entry.version
        if n.party in entry.instrument.parties
    ]


def parties_of(epoch: PolicyEpoch, entry: Entry, at: int) -> frozenset[str]:
    return entry.instrument.parties - frozenset(notices(epoch, entry, at, Effect.LEAVE))


def governing(epoch: PolicyEpoch, name: str, at: int) -> Entry | None:
    signed = [
        e
        for e in epoch.instruments.entries
        if e.instrument.id == name and e.instrument.parties <= e.signed and e.instrument.start <= at
    ]
    return max(signed, key=lambda e: (e.version, e.digest), default=None)


def standing(epoch: PolicyEpoch, name: str, at: int, seen: tuple[str, ...] = ()) -> Entry | None:
    entry = governing(epoch, name, at)
    if entry is None or name in seen or at >= entry.instrument.end:
        return None
    if notices(epoch, entry, at, Effect.TERMINATE) or len(parties_of(epoch, entry, at)) < 2:
        return None
    under = entry.instrument.under
    if under:
        parent = standing(epoch, under, at, (*seen, name))
        if parent is None or not parties_of(epoch, entry, at) <= parties_of(epoch, parent, at):
            return None
    return entry


def state(epoch: PolicyEpoch, entry: Entry, at: int) -> str:
    instrument = entry.instrument
    if not instrument.parties <= entry.signed:
        return "not-signed"
    if at < instrument.start:
        return "not-begun"
    if governing(epoch, instrument.id, at) != entry:
        return "not-in-force"
    if at >= instrument.end:
        return "expired"
    if notices(epoch, entry, at, Effect.TERMINATE):
        return "terminated"
    return "in-force" if standing(epoch, instrument.id, at) == entry else "not-in-force"


def known_clauses(epoch: PolicyEpoch, at: int) -> list[Found]:
    """Of every instrument: the version in force, and the newest version where that is another one."""
    found = []
    for name in sorted({e.instrument.id for e in epoch.instruments.entries}):
        versions = [e for e in epoch.instruments.entries if e.instrument.id == name]
        newest = max(versions, key=lambda e: (e.version, e.digest))
        here = standing(epoch, name, at)
        if here is not None:
            found += [Found(here, c, parties_of(epoch, here, at), "in-force") for c in here.instrument.clauses]
        if newest != here:
            what = state(epoch, newest, at)
            found += [Found(newest, c, newest.instrument.parties, what) for c in newest.instrument.clauses]
    return found


# the eight checks: each gives (outcome, code)

Said = tuple[int, str]


def check_1(request: Request, epoch: PolicyEpoch, partner: Partner) -> Said:
    if partner.party == epoch.party and not partner.below:
        return PASS, "own-party"
    if request.originator == epoch.party:
        return PASS, "originator"
    try:
        if epoch.policies.policy(request.label.policy).originator_control(request.label):
            return FAIL, "originator-controlled"
    except UnknownTerm:
        return FAIL, "unknown-label"
    if partner.party == request.originator:
        return PASS, "returned"
    if partner.party in request.origin_grants:
        return PASS, "granted"
    return FAIL, "no-grant"


def check_2(request: Request, epoch: PolicyEpoch, partner: Partner, clause: Clause | None, at: int) -> Said:
    own = partner.party == epoch.party
    if clause is None and not own:
        clause_says: Said = (FAIL, "no-clause")
    elif own:
        clause_says = (PASS, "within-ceilings")
    else:
        assert clause is not None
        clause_says = ceiling_of_clause(request.label, clause, epoch, at)
    node_says = ceiling_of_node(request.label, partner, epoch, at)
    return node_says if own or node_says[0] > clause_says[0] else clause_says


def ceiling_of_clause(label: Label, clause: Clause, epoch: PolicyEpoch, at: int) -> Said:
    policies, ceiling, verdicts = epoch.policies, dict(clause.ceiling), []
    try:
        policies.policy(label.policy).rank(label.classification)
        for name in [label.policy] if label.policy in ceiling else sorted(ceiling):
            try:
                bare = Label(label.policy, label.classification)
                mapped = bare if name == label.policy else policies.protect_as(bare, name, at)
            except NeedsPerson:
                continue
            ladder = policies.policy(name)
            verdicts.append(ladder.rank(mapped.classification) <= ladder.rank(ceiling[name]))
    except UnknownTerm:
        return FAIL, "unknown-classification"
    if not verdicts:
        return REFER, "unmapped"
    return (PASS, "within-ceilings") if all(verdicts) else (FAIL, "above-clause-ceiling")


def ceiling_of_node(label: Label, partner: Partner, epoch: PolicyEpoch, at: int) -> Said:
    policies, ceiling, verdicts = epoch.policies, dict(partner.ceiling), []
    try:
        rank = policies.policy(label.policy).rank(label.classification)
        for name in [label.policy] if label.policy in ceiling else sorted(ceiling):
            highest = ceiling[name]
            try:
                if name != label.policy:
                    highest = policies.clearance_counts_as(name, highest, label.policy, at)
                verdicts.append(rank <= policies.policy(label.policy).rank(highest))
            except NeedsPerson:
                try:
                    up = policies.protect_as(Label(label.policy, label.classification), name, at).classification
                except NeedsPerson:
                    continue
                if policies.policy(name).rank(up) > policies.policy(name).rank(highest):
                    verdicts.append(False)
    except UnknownTerm:
        return FAIL, "unknown-classification"
    if not verdicts:
        return REFER, "unmapped"
    return (PASS, "within-ceilings") if any(verdicts) else (FAIL, "above-node-ceiling")


def check_3(request: Request, epoch: PolicyEpoch, partner: Partner) -> Said:
    label, party = request.label, partner.party
    said = label.releasable
    if said.access is Access.LISTED and party in said.parties:
        return PASS, "listed"
    if party == request.originator:
        return PASS, "owner"
    if said.access is Access.REFUSED:
        return FAIL, "refused"
    if said.access is Access.UNMARKED:
        try:
            waits = epoch.policies.policy(label.policy).unmarked(label)
        except UnknownTerm:
            return FAIL, "unknown-label"
        return (REFER, "unmarked") if waits else (PASS, "by-agreement")
    if party in said.display:
        return FAIL, "display-only"
    if label.policy in epoch.policies.names and epoch.policies.policy(label.policy).owner == party:
        return PASS, "owner"
    return FAIL, "not-listed" if said.parties else "nobody"


def check_4_faults(request: Request, epoch: PolicyEpoch, partner: Partner, found: Found) -> list[str]:
    clause, faults = found.clause, []
    if found.standing != "in-force":
        faults.append(found.standing)
    if epoch.party not in clause.givers or partner.party not in clause.takers:
        faults.append("direction")
    if not covers(clause.kinds, request.kind):
        faults.append("kind")
    if not covers(clause.projects, request.project):
        faults.append("project")
    if request.purpose is not None and request.purpose not in clause.purposes:
        faults.append("purpose")
    if request.portion and not covers(clause.portions, request.portion):
        faults.append("portion")
    return faults


def check_4(partner: Partner, project: str, faults: list[str], *, own: bool) -> Said:
    if partner.status is not PartnerStatus.ACTIVE:
        return FAIL, f"recipient-{partner.status.value}"
    if not covers(partner.projects, project):
        return FAIL, "not-a-member"
    if faults:
        return FAIL, faults[0]
    return PASS, "own-party" if own else "in-force"


def check_5(request: Request, epoch: PolicyEpoch, partner: Partner, clause: Clause | None) -> Said:
    own, rows = partner.party == epoch.party, []
    for tag, values in request.label.categories:
        try:
            kind = epoch.policies.policy(request.label.policy).category_type(tag)
        except UnknownTerm:
            return FAIL, "unknown-category"
        if kind is not CategoryType.INFORMATIVE:
            allowed = frozenset(v for name, vs in (clause.categories if clause else ()) if name == tag for v in vs)
            held = frozenset(v for name, vs in partner.categories if name in (tag, "*") for v in vs)
            rows.append((tag, kind, values, frozenset({"*"}) if own else allowed, held))
    for _, kind, values, allowed, _ in sorted(rows, key=lambda row: row[0]):
        enough = any if kind is CategoryType.PERMISSIVE else all
        if kind is CategoryType.PERMISSIVE and not values:
            return FAIL, "category-nobody"
        if not enough(covers(allowed, value) for value in values):
            return FAIL, "category-not-permitted"
    for _, kind, values, allowed, held in rows:
        enough = any if kind is CategoryType.PERMISSIVE else all
        if not enough(covers(allowed, value) and covers(held, value) for value in values):
            return FAIL, "category-not-held"
    return PASS, "categories-permitted" if rows else "no-categories"


def check_6(request: Request, epoch: PolicyEpoch, partner: Partner, known: list[Found], at: int) -> Said:
    if not request.label.control:
        return PASS, "no-tags"
    says = [licence_for(tag, request, epoch, partner, known, at) for tag in sorted(request.label.control)]
    return next((said for said in says if said[0] == FAIL), says[0])


def licence_for(tag: str, request: Request, epoch: PolicyEpoch, partner: Partner, known: list[Found], at: int) -> Said:
    both, near = {epoch.party, partner.party}, False
    if len(both) == 1:
        return PASS, "own-party"
    for found in known:
        instrument, clause = found.entry.instrument, found.clause
        if found.standing != "in-force" or instrument.form not in (Form.LICENCE, Form.EXEMPTION):
            continue
        if not both <= found.parties or tag not in clause.tags:
            continue
        if epoch.party not in clause.givers or partner.party not in clause.takers:
            continue
        if not covers(clause.kinds, request.kind) or not covers(clause.projects, request.project):
            continue
        if instrument.form is Form.LICENCE or evidenced(instrument, both, at):
            return PASS, "licensed"
        near = True
    return FAIL, "evidence-missing" if near else "unlicensed"


def evidenced(instrument: Instrument, both: set[str], at: int) -> bool:
    rule = rule_at(instrument.rule, at)
    if rule is None or not both <= rule.parties:
        return False
    return all(field in instrument.evidence for paragraph in rule.paragraphs for field in paragraph.evidence)


def check_7(
    request: Request, epoch: PolicyEpoch, partner: Partner, known: list[Found]
) -> tuple[Said, frozenset[str] | None]:
    """Also the purposes that the origins leave; None where they limit none."""
    foreign = request.label.origins - {epoch.party, partner.party}
    if not foreign:
        return (PASS, "no-third-party"), None
    if partner.party == epoch.party:
        return (PASS, "own-party"), None
    concealed, left = "FGI" in foreign, None
    granted = partner.party in request.origin_grants
    for origin in sorted(foreign - {"FGI"}):
        if granted:
            continue
        purposes = [
            found.clause.purposes
            for found in known
            if found.standing == "in-force"
            and found.entry.instrument.form in SHARES
            and {epoch.party, partner.party, origin} <= found.parties
            and origin in found.clause.givers
            and epoch.party in found.clause.takers
            and partner.party in found.clause.onward
            and covers(found.clause.kinds, request.kind)
            and covers(found.clause.projects, request.project)
            and (not request.portion or covers(found.clause.portions, request.portion))
            and (request.purpose is None or request.purpose in found.clause.purposes)
        ]
        if not purposes:
            return (FAIL, "origin-not-covered"), None
        union = frozenset().union(*purposes)
        left = union if left is None else left & union
    if concealed:
        return (REFER, "concealed-origin"), left
    return (PASS, "granted" if granted else "onward"), left


def check_8(request: Request, epoch: PolicyEpoch, clause: Clause | None, *, downward: bool = False) -> Said:
    if request.record in epoch.holds:
        return FAIL, "held"
    if downward:
        return REFER, "downward"
    return (REFER, "review") if clause is not None and clause.review else (PASS, "no-review")


# the decision


def reference_decide(request: Request, epoch: PolicyEpoch, at: int, known: list[Found] | None = None) -> Answer:
    """The answer; `known` is `known_clauses(epoch, at)`, for who asks many times."""
    if known is None:
        known = known_clauses(epoch, at)
    partner = next((p for p in epoch.partners if p.node == request.recipient), None)
    if partner is None:
        eighth = check_8(request, epoch, None)
        return answer(request, [(FAIL, "recipient-unknown")] * 7 + [eighth], None, (), ())
    own = partner.party == epoch.party
    found, faults = choose(request, epoch, partner, known, at)
    clause = found.clause if found else None
    seventh, left = check_7(request, epoch, partner, known)
    purposes: tuple[str, ...] = ()
    if request.purpose is not None and (clause is not None or own):
        purposes = (request.purpose,)
    elif clause is not None:
        purposes = tuple(sorted(clause.purposes))
    fourth = check_4(partner, request.project, faults, own=own)
    if left is not None and request.purpose is None and fourth[0] == PASS and seventh[0] != FAIL:
        purposes = tuple(p for p in purposes if p in left)
        if not purposes:
            seventh = (FAIL, "origin-purpose")
    onward: tuple[str, ...] = ()
    if found:
        onward = tuple(sorted(p for p in found.clause.onward if p in found.parties and p != partner.party))
    says = [
        check_1(request, epoch, partner),
        check_2(request, epoch, partner, clause, at),
        check_3(request, epoch, partner),
        fourth,
        check_5(request, epoch, partner, clause),
        check_6(request, epoch, partner, known, at),
        seventh,
        check_8(request, epoch, clause, downward=own and partner.below),
    ]
    return answer(request, says, found, purposes, onward)


def choose(
    request: Request, epoch: PolicyEpoch, partner: Partner, known: list[Found], at: int
) -> tuple[Found | None, list[str]]:
    """The clause that checks 2, 4, 5 and 8 rest on, and what is wrong with it for check 4."""
    if partner.party == epoch.party:
        return None, []
    eligible = [
        (check_4_faults(request, epoch, partner, found), found)
        for found in known
        if found.entry.instrument.form in SHARES and {epoch.party, partner.party} <= found.parties
    ]
    if not eligible:
        return None, ["no-instrument"]
    matching = [found for faults, found in eligible if not faults]
    if not matching:
        near = [row for row in eligible if not row[1].order[0].startswith("pairing-") or set(row[0]) <= NOT_STANDING]
        if not near:
            return None, ["no-instrument"]
        faults, found = min(near, key=lambda row: (len(row[0]), distance(row[1], epoch, at), row[1].order))
        return found, faults

    def rank(found: Found) -> tuple[int, int, int, tuple[str, int, str]]:
        clause = found.clause
        outcomes = [
            check_2(request, epoch, partner, clause, at)[0],
            check_4(partner, request.project, [], own=False)[0],
            check_5(request, epoch, partner, clause)[0],
            REFER if clause.review else PASS,
        ]
        worst = max(outcomes)
        return worst, outcomes.count(FAIL), clause.approvals if worst == REFER else 0, found.order

    return min(matching, key=rank), []


def distance(found: Found, epoch: PolicyEpoch, at: int) -> int:
    alone = len(parties_of(epoch, found.entry, at)) < 2
    if found.standing in ("not-signed", "not-begun", "expired") or (found.standing == "not-in-force" and not alone):
        return 0
    return 1 if found.standing == "in-force" else 2


def answer(
    request: Request, says: list[Said], found: Found | None, purposes: tuple[str, ...], onward: tuple[str, ...]
) -> Answer:
    outcomes = [outcome for outcome, _ in says]
    codes = [code for _, code in says]
    for n, (outcome, _) in enumerate(says):
        asked = found.clause.approvals if found and n == 7 else 1
        if outcome == REFER and request.approved >= asked:
            outcomes[n], codes[n] = PASS, "approved"
    verdict = "refuse" if FAIL in outcomes else "refer" if REFER in outcomes else "permit"
    mine = [t for t in found.clause.transforms if t.portion == request.portion] if found else []
    delay = max([t.seconds for t in mine if t.action is Action.DELAY], default=0)
    return Answer(
        verdict=verdict,
        outcomes=tuple(outcomes),
        codes=tuple(codes),
        instrument=found.entry.instrument.id if found else "",
        clause=found.clause.id if found else "",
        purposes=() if verdict == "refuse" else purposes,
        transforms=() if verdict == "refuse" else tuple(t for t in mine if t.action is not Action.DELAY),
        onward=() if verdict == "refuse" else onward,
        not_before=request.created + 1000 * delay if delay else 0,
    )
