"""Operations of the release desk: what waits for a release officer, what they rule, and holds."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from aldis.interfaces.api.cases import CasePage, CaseShown, DossierShown, RuledShown, case_shown, dossier_shown
from aldis.interfaces.api.operations import Answer, Call, Operation, said
from aldis.interfaces.api.problems import HttpProblem, problem_of
from aldis.kernel.authority import Act
from aldis.kernel.errors import AldisError
from aldis.node.cases import Case, Filters
from aldis.node.desk import Ruled
from aldis.node.store import PAGE_LIMIT

__all__ = ["OPERATIONS"]

_NUMBER = Annotated[int, msgspec.Meta(ge=1, lt=2**53)]
_TIME = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
_BULK = 1_000


class ListCases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which cases: `like` is the number of one that asks for just the same; `overdue` those whose day is past.

    `mine` are those on which you can rule now, `every` those too that wait no more, the newest first.
    """

    partner: str = ""
    project: str | None = None
    kind: str | None = None
    like: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] = 0
    due_by: _TIME | None = None
    overdue: bool = False
    every: bool = False
    mine: bool = False
    cursor: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)] = 50


class CaseNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case by its number."""

    number: _NUMBER


class ApproveCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The reason, which the ledger keeps. Portions in `keep` are denied; with `only`, the others wait on."""

    number: _NUMBER
    because: str
    keep: list[str] = []
    only: list[str] = []


class DenyCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The reason, which the ledger keeps; with `only` just those portions are denied, and the others wait on."""

    number: _NUMBER
    because: str
    only: list[str] = []


class DeferCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when (ms since 1970 UTC) a case is to be decided, and why so late."""

    number: _NUMBER
    until: _TIME
    because: str


class CaseNamed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case, and its `token` as you looked at it."""

    number: _NUMBER
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class RuleMany(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same ruling on several cases, each of which is ruled whole or not at all."""

    verdict: Literal["approved", "denied"]
    because: str
    cases: Annotated[list[CaseNamed], msgspec.Meta(min_length=1, max_length=_BULK)]


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of one case: it as it stands, or the `type` of the problem, and what to do."""

    number: int
    ruled: bool
    case: CaseShown | None
    problem: str
    detail: str
    fix: str


class Outcomes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of each, in the order asked."""

    outcomes: list[Outcome]


class HoldRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record, and the reason, which the ledger keeps."""

    id: str
    because: str


def cases(call: Call, asked: ListCases) -> Answer:
    """A page of the cases of which the officer may see all that is asked for."""
    due = asked.due_by
    if asked.overdue:
        now = call.node.core.clock.now()
        due = now if due is None else min(due, now)
    filters = Filters(
        partner=asked.partner, project=asked.project, kind=asked.kind, due_by=due, like=asked.like,
        every=asked.every, mine=asked.mine,
    )  # fmt: skip
    page = call.node.desk.cases(call.person, filters, asked.cursor or None, asked.limit)
    after = page.next or ""
    return Answer(CasePage([case_shown(call, one) for one in page.cases], after), headers={"x-next": after})


def case(call: Call, asked: CaseNumber) -> Answer:
    """Everything about a case that the officer may see."""
    found = call.node.desk.case(asked.number, call.person)
    return Answer(dossier_shown(call, found), headers=_tag(found.case))


def approve(call: Call, asked: ApproveCase) -> Answer:
    """A ruling that lets go."""
    token = _token(call)
    desk = call.node.desk
    return _ruled(
        call,
        desk.rule(
            asked.number, "approved", asked.because, call.person, keep=asked.keep, only=asked.only, if_state=token
        ),
    )


def deny(call: Call, asked: DenyCase) -> Answer:
    """A ruling that keeps."""
    token = _token(call)
    desk = call.node.desk
    return _ruled(call, desk.rule(asked.number, "denied", asked.because, call.person, only=asked.only, if_state=token))


def defer(call: Call, asked: DeferCase) -> Answer:
    """Another day to decide by."""
    token = _token(call)
    found = call.node.desk.defer(asked.number, asked.until, asked.because, call.person, if_state=token)
    return Answer(case_shown(call, found), headers=_tag(found))


def rule_many(call: Call, asked: RuleMany) -> Outcomes:
    """The same ruling on several, each by itself."""
    wanted = {one.number: one.token for one in asked.cases}
    done = call.node.desk.rule_many(wanted, asked.verdict, asked.because, call.person)
    return Outcomes([_outcome(call, one.number, one.ruled, one.error) for one in done])


def hold(call: Call, asked: HoldRecord) -> None:
    """Nothing of a record leaves any more."""
    call.node.desk.hold(asked.id, said(asked.because), call.person)


def lift(call: Call, asked: HoldRecord) -> None:
    """The rules alone decide again."""
    call.node.desk.lift(asked.id, said(asked.because), call.person)


def _token(call: Call) -> str:
    """The state of the case as the officer looked at it: they rule on nothing that they have not seen."""
    given = call.headers.get("if-match", "").strip().removeprefix('"').removesuffix('"')
    if not given:
        raise HttpProblem(
            "precondition-required",
            "which state of the case you looked at is not said",
            "Send `If-Match` with the `ETag` of the case",
        )
    return given


def _tag(found: Case) -> dict[str, str]:
    return {"etag": f'"{found.token}"'}


def _ruled(call: Call, ruled: Ruled) -> Answer:
    return Answer(RuledShown(case_shown(call, ruled.case), list(ruled.kept), ruled.rest), headers=_tag(ruled.case))


def _outcome(call: Call, number: int, ruled: Ruled | None, error: AldisError | None) -> Outcome:
    if ruled is not None:
        return Outcome(number, ruled=True, case=case_shown(call, ruled.case), problem="", detail="", fix="")
    problem = problem_of(error or AldisError("not ruled on"), names_something=True)
    return Outcome(number, ruled=False, case=None, problem=problem.type, detail=problem.detail, fix=problem.fix)


_D = "/api/v1/desk/cases"
OPERATIONS = (
    Operation("GET", _D, "List what waits for a release officer, as far as you may see it: overdue first", ListCases,
              CasePage, cases, act=Act.RULE, paged=True),
    Operation("GET", _D + "/{number}", "A case: what it asks, every check, what was said, and what was ruled alike",
              CaseNumber, DossierShown, case, act=Act.RULE),
    Operation("POST", _D + "/{number}/approve", "Let go what a case asks for, whole or in part", ApproveCase,
              RuledShown, approve, act=Act.RULE, if_match=True),
    Operation("POST", _D + "/{number}/deny", "Keep what a case asks for, whole or in part", DenyCase, RuledShown, deny,
              act=Act.RULE, if_match=True),
    Operation("POST", _D + "/{number}/defer", "Put off the day by which a case is to be decided", DeferCase, CaseShown,
              defer, act=Act.RULE, if_match=True),
    Operation("POST", "/api/v1/desk/rulings", "Rule alike on several cases, each as you looked at it", RuleMany,
              Outcomes, rule_many, act=Act.RULE, slow=True),
    Operation("POST", "/api/v1/records/{id}/hold", "Let nothing of a record leave, whatever the rules say", HoldRecord,
              None, hold, act=Act.HOLD),
    Operation("POST", "/api/v1/records/{id}/lift", "Lift the hold on a record", HoldRecord, None, lift, act=Act.LIFT),
)  # fmt: skip
"""What release officers do."""
