"""Cases at the release desk as the API shows them."""

from __future__ import annotations

from typing import Any

import msgspec

from aldis.interfaces.api.explained import ExplanationShown, explained
from aldis.interfaces.api.operations import Call
from aldis.interfaces.cli import cases
from aldis.interfaces.cli.kinds import in_order, title
from aldis.node.cases import Case, Part
from aldis.node.dossiers import Dossier

__all__ = ["CasePage", "CaseShown", "DossierShown", "RuledShown", "case_shown", "dossier_shown"]


class CaseShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question to a release officer, and where it stands.

    `waits` names the portions asked for, the record's existence as "". `grounds` is the clause or check that asks for
    a person, `why` the reason. `approvals` of `needed` officers said yes. `token` is the `ETag`; it changes with all
    that a ruling would rest on. `due` is 0 where there is no day, `successor` where no newer case took its place.
    """

    number: int
    token: str
    state: str
    because: str
    successor: int
    partner: str
    record: str
    version: int
    digest: str
    kind: str
    project: str
    originator: str
    title: str
    banner: str
    waits: list[str]
    grounds: str
    why: str
    since: int
    at: int
    due: int
    overdue: bool
    approvals: int
    needed: int


class CasePage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cases in order; `next` is empty where nothing follows."""

    cases: list[CaseShown]
    next: str


class RuledShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case after a ruling: the portions denied beside it, and the number under which others wait on (0: none)."""

    case: CaseShown
    kept: list[str]
    rest: int


class AskedShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A portion asked for, or with no name the record's existence; empty where its content was erased."""

    name: str
    marking: str
    value: Any
    verdict: str


class GoesShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A portion that would go if the case were approved, and what is done to it on its way."""

    portion: str
    transform: str


class HoldingShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the partner was sent of a version, of what you may see, and whether it said that it has it."""

    version: int
    portions: list[str]
    acknowledged: bool


class RulingShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an officer said; `until` is the day that a deferral names."""

    officer: str
    signed_in: bool
    verdict: str
    because: str
    at: int
    until: int
    stands: bool


class PrecedentShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An earlier ruling, and in what its case was like this one and in what not."""

    number: int
    record: str
    version: int
    partner: str
    state: str
    because: str
    officer: str
    at: int
    alike: list[str]
    differs: list[str]


class PrecedentsShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The best matches of those that you may see, and how many of those looked at were approved and denied."""

    best: list[PrecedentShown]
    approved: int
    denied: int


class DossierShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about a case that you may see; no explanation where the content was erased."""

    case: CaseShown
    asked: list[AskedShown]
    explanation: ExplanationShown | None
    purposes: list[str]
    goes: list[GoesShown]
    holdings: list[HoldingShown]
    rulings: list[RulingShown]
    precedents: PrecedentsShown


def case_shown(call: Call, case: Case) -> CaseShown:
    """A case as JSON."""
    row = case.row
    return CaseShown(
        number=case.number, token=case.token, state=case.state, because=case.because, successor=case.successor,
        partner=case.partner, record=row.id, version=row.version, digest=row.digest.hex(), kind=row.kind,
        project=row.project, originator=row.originator, title=title(call.node, row.record()),
        banner=cases.banner(call.node, case), waits=[part.name for part in case.parts], grounds=case.grounds,
        why=case.why, since=case.since, at=case.at, due=case.due, overdue=case.overdue, approvals=case.approvals,
        needed=case.needed,
    )  # fmt: skip


def dossier_shown(call: Call, found: Dossier) -> DossierShown:
    """A dossier as JSON."""
    precedents, names = found.precedents, in_order(call.node, found.case.row.kind, found.goes)
    return DossierShown(
        case=case_shown(call, found.case),
        asked=[_asked(call, part) for part in found.case.parts],
        explanation=explained(found.explanation) if found.explanation else None,
        purposes=list(found.purposes),
        goes=[GoesShown(name, transform) for name in names for transform in (found.goes[name],)],
        holdings=[HoldingShown(one.version, list(one.portions), one.acknowledged) for one in found.holdings],
        rulings=[
            RulingShown(one.officer, one.signed_in, one.verdict, one.because, one.at, one.until, one.stands)
            for one in found.rulings
        ],
        precedents=PrecedentsShown(
            [
                PrecedentShown(
                    one.number, one.record, one.version, one.partner, one.state, one.because, one.officer, one.at,
                    list(one.alike), list(one.differs),
                )
                for one in precedents.best
            ],
            precedents.approved,
            precedents.denied,
        ),
    )  # fmt: skip


def _asked(call: Call, part: Part) -> AskedShown:
    marking = call.shower.write(part.label) if part.label is not None else ""
    verdict = part.decision.verdict.value if part.decision else ""
    return AskedShown(part.name, marking, part.value, verdict)
