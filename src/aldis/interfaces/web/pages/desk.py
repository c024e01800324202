"""The release desk's lists: what waits for an officer, and several cases ruled on alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aldis.app import Go
from aldis.interfaces.cli.kinds import title
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.markings import Chip
from aldis.interfaces.web.pages.items import labels_of
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.transforms import Withheld
from aldis.node.cases import Case, Filters
from aldis.node.dossiers import Dossier

__all__ = ["Bulk", "bulk", "came", "failures", "number_of", "views"]

_PAGE, _ALIKE = 50, 100
_LONGEST = 9
_MOST = 100
_VERDICTS = {"approve": "approved", "deny": "denied"}
_WHY = {
    "changed": "It had changed since you looked: look at it again",
    "unknown-term": "Nothing waits under this number that you may see",
    "refused": "You may not rule on it: its clause asks for other officers",
    "invalid-input": "It waited no more, or could not be ruled on so",
}


@dataclass(frozen=True, slots=True)
class _Line:
    case: Case
    title: str
    marking: Chip
    asked: str


@dataclass(frozen=True, slots=True)
class _Chosen:
    """One of several cases: what is asked, what would go and how changed, and, once ruled on, what came of it."""

    case: Case
    title: str
    marking: Chip
    asked: str
    goes: str
    outcome: str
    tone: str


@dataclass(frozen=True, slots=True)
class Bulk:
    """What several cases have in common: to whom they go, on which grounds; `alike` where they are just the same."""

    open: int
    partners: tuple[str, ...]
    grounds: tuple[str, ...]

    @property
    def alike(self) -> bool:
        """Whether they go to one partner by one clause."""
        return len(self.partners) == len(self.grounds) == 1


def views(frame: Frame) -> Sequence[View]:
    """What waits, and several of it at once."""

    def listing(visit: Visit) -> Sheet:
        return _listing(visit, frame)

    def several(visit: Visit) -> Sheet:
        return _several(visit, frame)

    return [
        View("/desk", listing, need=Act.RULE),
        View("/desk/several", several, _rule, need=Act.RULE),
    ]


def number_of(text: str) -> int:
    """The number of a case as a path or a form has it.

    Raises:
        UnknownTerm: it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST:
        raise UnknownTerm(f"no case {text[:20]!r}")
    return int(text)


def bulk(cases: Sequence[Case]) -> Bulk:
    """What the cases among several that still wait have in common."""
    waiting = [case for case in cases if case.state == "open"]
    return Bulk(
        len(waiting),
        tuple(dict.fromkeys(case.partner for case in waiting)),
        tuple(dict.fromkeys(case.grounds for case in waiting)),
    )


def failures(text: str) -> dict[int, str]:
    """What was not ruled on, by number, and why, as the address of the answer has it: `NUMBER:CODE` with blanks."""
    found = {}
    for one in text.split():
        number, _, code = one.partition(":")
        if number.isascii() and number.isdigit() and len(number) <= _LONGEST:
            found[int(number)] = _WHY.get(code, _WHY["invalid-input"])
    return found


def came(states: Sequence[str], failed: int) -> str:
    """What came of a ruling on several cases, in a sentence; one that is open still waits for another officer."""
    words = {"approved": "approved", "denied": "denied", "open": "approved by you, waiting for another officer"}
    parts = [f"{states.count(state)} {said}" for state, said in words.items() if state in states]
    other = sum(state not in words for state in states)
    parts += [f"{other} no longer waiting"] if other else []
    parts += [f"{failed} not ruled on: each says why below, and waits as before"] if failed else []
    return ", ".join(parts)


def _listing(visit: Visit, frame: Frame) -> Sheet:
    query, node = visit.query, visit.node
    given = {name: query.get(name).strip() for name in ("partner", "instrument", "rung")}
    mine, every = query.get("mine") == "yes", query.get("all") == "yes"
    like = number_of(query.get("like")) if query.get("like") else 0
    policy = node.core.config.policy
    filters = Filters(
        partner=given["partner"], instrument=given["instrument"], like=like, mine=mine, every=every,
        classification=(policy, given["rung"]) if given["rung"] else None,
    )  # fmt: skip
    page = node.desk.cases(visit.who, filters, query.get("cursor") or None, _ALIKE if like else _PAGE)
    asked = {**given, "mine": "yes" if mine else "", "all": "yes" if every else "", "like": str(like) if like else ""}
    instruments = [
        name for name in node.register.shown(visit.who)
        if any(clause.review for entry in node.register.entries(name, visit.who) for clause in entry.instrument.clauses)
    ]  # fmt: skip
    values = {
        "lines": [_line(visit, frame, case) for case in page.cases],
        "partners": [known.node for known in node.partners.all()],
        "instruments": instruments,
        "rungs": [rung.name for rung in frame.rungs(visit)],
        "given": given,
        "mine": mine,
        "every": every,
        "like": like,
        "more": Fields.address("/desk", **asked, cursor=page.next) if page.next else "",
    }
    entries = [label for name in instruments for label in _instrument_labels(visit, name)]
    labels = [label for case in page.cases for label in labels_of(case.row)]
    return Sheet("desk.html", "Release desk", values, [*labels, *entries])


def _instrument_labels(visit: Visit, name: str) -> list[Label]:
    record = visit.node.register.record(name, visit.who)
    return [record.label]


def _line(visit: Visit, frame: Frame, case: Case) -> _Line:
    return _Line(case, _title(visit, case), frame.markings.record(labels_of(case.row)), _asked(case))


def _title(visit: Visit, case: Case) -> str:
    return title(visit.node, case.row.record()) or case.row.id


def _asked(case: Case) -> str:
    return ", ".join(part.name or "its existence" for part in case.parts)


def _several(visit: Visit, frame: Frame) -> Sheet:
    given = visit.form.all("token") if visit.form else visit.query.all("case")
    numbers = list(dict.fromkeys(number_of(one.partition(":")[0]) for one in given))
    if len(numbers) > _MOST:
        raise TooLarge(f"{len(numbers)} cases; the limit is {_MOST}", fix="Choose fewer at once")
    dossiers, absent = list[Dossier](), list[int]()
    for number in numbers:
        try:
            dossiers.append(visit.node.desk.case(number, visit.who))
        except UnknownTerm:
            absent.append(number)
    failed, done = failures(visit.query.get("failed")), visit.query.get("done")
    chosen = [_chosen(visit, frame, one, failed.get(one.case.number, "")) for one in dossiers]
    values = {
        "chosen": chosen,
        "bulk": bulk([one.case for one in dossiers]),
        "absent": absent,
        "done": done if done in _VERDICTS.values() else "",
        "came": came([one.case.state for one in dossiers if one.case.number not in failed], len(failed)),
        "failed": bool(failed),
    }
    labels = [label for one in dossiers for label in labels_of(one.case.row)]
    return Sheet("desk_several.html", "Several cases", values, labels)


def _chosen(visit: Visit, frame: Frame, found: Dossier, failed: str) -> _Chosen:
    case = found.case
    going = {name: how for name, how in found.goes.items() if not isinstance(found.becomes.get(name), Withheld)}
    goes = ", ".join(f"{name} ({how})" if how else name for name, how in going.items())
    if failed:
        outcome, tone = failed, "fails"
    elif case.state == "open":
        outcome = f"waits: {case.approvals} of {case.needed} officers" if case.needed > 1 else "waits"
        tone = "fails" if case.overdue else "waits"
    else:
        outcome, tone = case.state, "holds"
    marking, goes = frame.markings.record(labels_of(case.row)), goes or "nothing now: the rules refuse it"
    return _Chosen(case, _title(visit, case), marking, _asked(case), goes, outcome, tone)


def _rule(visit: Visit) -> Go:
    form, because = visit.form, visit.form.get("because").strip()
    verdict = _VERDICTS.get(form.get("do"))
    if verdict is None:
        raise InvalidInput("neither approved nor denied", fix="Choose one of the buttons")
    if not because:
        raise InvalidInput("a ruling needs a reason", fix="Say why in a sentence: the ledger keeps it with each case")
    wanted = {number_of(number): token for number, _, token in (one.partition(":") for one in form.all("token"))}
    if not wanted or not all(wanted.values()):
        raise InvalidInput("no case is chosen", fix="Choose them in the list")
    if len(wanted) > _MOST:
        raise TooLarge(f"{len(wanted)} cases; the limit is {_MOST}", fix="Choose fewer at once")
    done = visit.node.desk.rule_many(wanted, "approved" if verdict == "approved" else "denied", because, visit.who)
    failed = " ".join(f"{one.number}:{one.error.code}" for one in done if one.error is not None)
    cases = [("case", str(number)) for number in wanted]
    return Go(_address(cases, verdict, failed))


def _address(cases: Sequence[tuple[str, str]], verdict: str, failed: str) -> str:
    return Fields.address("/desk/several", done=verdict, failed=failed) + "".join(
        f"&{name}={value}" for name, value in cases
    )
