"""Cases at the release desk as people and programs read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.padding import Padding
from rich.text import Text

from aldis.interfaces.cli.kinds import in_order, title
from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.output import grid, unbroken
from aldis.interfaces.cli.text import day, listed, moment, words
from aldis.interfaces.cli.why import reasons
from aldis.kernel.explain import Explanation
from aldis.node.cases import Case, Part
from aldis.node.dossiers import Dossier
from aldis.node.node import Node
from aldis.node.precedents import Precedent
from aldis.node.store import Ruling

__all__ = ["HEADINGS", "OPTIONAL", "banner", "data", "dossier_data", "dossier_shown", "parts", "row"]

HEADINGS = ("number", "due", "to", "record", "v", "waits", "title", "marking", "asked by", "since", "approved")
OPTIONAL = ("v", "since", "marking", "title")
_EXISTENCE = "its existence"
_VERDICTS = {"approved": "approved", "denied": "denied", "deferred": "put off"}


def parts(node: Node, case: Case) -> list[str]:
    """The names of what waits, in the order of the kind."""
    held = {part.name for part in case.parts}
    return [_EXISTENCE] * ("" in held) + in_order(node, case.row.kind, held - {""})


def data(node: Node, case: Case) -> dict[str, Any]:
    """A case as JSON."""
    header = case.row
    return {
        "number": case.number, "token": case.token, "state": case.state, "because": case.because,
        "superseded_by": case.successor or None, "node": case.partner, "record": header.id, "version": header.version,
        "kind": header.kind, "project": header.project, "originator": header.originator,
        "title": title(node, header.record()), "banner": banner(node, case), "waits": parts(node, case),
        "asked_by": case.grounds, "why": case.why, "since": case.since, "due": case.due or None,
        "overdue": case.overdue, "approvals": case.approvals, "needed": case.needed,
    }  # fmt: skip


def row(node: Node, case: Case) -> tuple[str, ...]:
    """A case as a line of a table, under `HEADINGS`."""
    due = f"OVERDUE {day(case.due)}" if case.overdue else day(case.due) if case.due else "-"
    return (
        str(case.number), due if case.state == "open" else case.state, case.partner, case.row.id,
        str(case.row.version), listed(parts(node, case)), title(node, case.row.record()), banner(node, case),
        case.grounds, day(case.since), _count(case),
    )  # fmt: skip


def dossier_data(node: Node, dossier: Dossier) -> dict[str, Any]:
    """A dossier as JSON."""
    marks, case = Marks.of(node), dossier.case
    explained = _explained(node, dossier)
    return {
        **data(node, case),
        "purposes": [*dossier.purposes],
        "parts": [
            {
                "part": part.name, "mark": _mark(marks, part, case), "value": part.value,
                "verdict": part.decision.verdict.value if part.decision else None,
            }
            for part in _ordered(node, case)
        ],
        "goes": [
            {"portion": name, "transform": dossier.goes[name]}
            for name in in_order(node, case.row.kind, dossier.goes)
        ],
        "holds": [
            {"version": one.version, "portions": [*one.portions], "acknowledged": one.acknowledged}
            for one in dossier.holdings
        ],
        "reasons": [
            {"part": name, "sentences": [*one.sentences]} for name, one in explained.items()
        ],
        "rulings": [
            {
                "officer": one.officer, "signed_in": one.signed_in, "verdict": one.verdict, "because": one.because,
                "at": one.at, "until": one.until or None, "stands": one.stands,
            }
            for one in dossier.rulings
        ],
        "precedents": {
            "approved": dossier.precedents.approved, "denied": dossier.precedents.denied,
            "best": [
                {
                    "number": one.number, "record": one.record, "version": one.version, "node": one.partner,
                    "verdict": one.state, "because": one.because, "officer": one.officer, "at": one.at,
                    "same": [*one.alike], "other": [*one.differs],
                }
                for one in dossier.precedents.best
            ],
        },
    }  # fmt: skip


def dossier_shown(node: Node, dossier: Dossier, *, on_terminal: bool) -> list[Any]:
    """A dossier as an officer reads it: what is asked, what it says, what has been said, and what was ruled alike."""
    marks, case = Marks.of(node), dossier.case
    heading = Text(banner(node, case), style="bold")
    shown: list[Any] = [heading, "", grid(_head(node, dossier)), ""]
    for part in _ordered(node, case):
        if part.name:
            shown.append(Text(f"{_mark(marks, part, case)} {part.name}", style="bold"))
            value = words(part.value) if part.decision else "its content was erased"
            shown.append(Padding(Text(value) if on_terminal else unbroken(value), (0, 0, 1, 2)))
    if dossier.explanation is not None:
        shown += [Text("Every check", style="bold"), grid(reasons(_explained(node, dossier), rests=True)), ""]
    if dossier.rulings:
        shown += [Text("Said so far", style="bold"), *(_ruling(one) for one in dossier.rulings), ""]
    found = dossier.precedents
    shown.append(Text("Decided alike", style="bold"))
    shown += [_precedent(one) for one in found.best] or ["Nothing that you may see."]
    if found.best:
        shown.append(f"Of those alike: {found.approved} approved, {found.denied} denied. They bind nobody.")
    return [*shown, "", heading]


def _head(node: Node, dossier: Dossier) -> list[tuple[str, str]]:
    case, record = dossier.case, dossier.case.row
    party = node.partners.parties().get(case.partner) or "unknown party"
    names = in_order(node, record.kind, dossier.goes)
    goes = [f"{name} ({dossier.goes[name]})" if dossier.goes[name] else name for name in names]
    due = f"{moment(case.due)}{', OVERDUE' if case.overdue else ''}" if case.due else "no day"
    after = f", see number {case.successor}" if case.successor else ""
    state = "waits" if case.state == "open" else f"{case.state}: {case.because}{after}"
    return [
        ("number", f"{case.number}, {state}"),
        ("asks", f"{listed(parts(node, case))} to {case.partner} ({party})"),
        ("record", f"{record.id}, version {record.version}, {title(node, record.record())}"),
        ("kind", f"{record.kind}{f', project {record.project}' if record.project else ''}, from {record.originator}"),
        ("purpose", listed(dossier.purposes) or "-"),
        ("asked by", f"{case.grounds}: {case.why}" if case.why else case.grounds),
        ("if approved", f"{listed(goes)} would go" if goes else "nothing would go now: see what fails below"),
        ("it has", "; ".join(_holding(one) for one in dossier.holdings) or "nothing of this record"),
        ("since", moment(case.since)),
        ("due", due),
        ("approved", _count(case)),
        ("token", case.token),
    ]  # fmt: skip


def _holding(one: Any) -> str:
    sure = "" if one.acknowledged else ", no receipt yet"
    return f"version {one.version}: {listed(one.portions) or 'its existence'}{sure}"


def _explained(node: Node, dossier: Dossier) -> Mapping[str, Explanation]:
    if dossier.explanation is None:
        return {}
    found = dossier.explanation.portions
    names = in_order(node, dossier.case.row.kind, found)
    return {_EXISTENCE: dossier.explanation.header, **{name: found[name] for name in names}}


def _ruling(one: Ruling) -> str:
    until = f" until {moment(one.until)}" if one.until else ""
    over = "" if one.stands else " (no longer stands)"
    return f"{moment(one.at)} {one.officer or 'an officer'} {_VERDICTS[one.verdict]}{until}{over}: {one.because}"


def _precedent(one: Precedent) -> str:
    differs = f"; other {listed(one.differs)}" if one.differs else ""
    same = f"same {listed(one.alike)}" if one.alike else "same kind"
    by = f" by {one.officer}" if one.officer else ""
    return (
        f"{one.number} {one.record} to {one.partner}: {one.state}{by}, {day(one.at)}: {one.because} ({same}{differs})"
    )


def _count(case: Case) -> str:
    return f"{case.approvals} of {max(case.needed, 1)}"


def banner(node: Node, case: Case) -> str:
    """The marking of all that is said of a case: the record's existence, what is asked for, and its title."""
    record, kind = case.row.record(), node.core.kinds.get(case.row.kind)
    named = record.portion(kind.title) if kind and kind.title else None
    labels = [record.label, *(part.label for part in case.parts if part.label is not None)]
    return Marks.of(node).banner([*labels, named.label] if named else labels, case.row.created)


def _ordered(node: Node, case: Case) -> list[Part]:
    """What is asked for, in the order of the kind."""
    held = {part.name: part for part in case.parts}
    return [held[name] for name in ([""] if "" in held else []) + in_order(node, case.row.kind, held.keys() - {""})]


def _mark(marks: Marks, part: Part, case: Case) -> str:
    return marks.write(part.label, case.row.created, portion=True) if part.label else ""
