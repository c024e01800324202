"""`aldis why`: all eight reasons, and what would change the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click
from rich.text import Text

from aldis.interfaces.cli.kinds import ordered
from aldis.interfaces.cli.output import grid, unbroken
from aldis.interfaces.cli.remedy import next_step
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.standing import standing
from aldis.interfaces.cli.text import listed, moment
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.explain import Explanation, RecordExplanation, Redacted
from aldis.kernel.release import CHECKS, Outcome, Reason
from aldis.kernel.transforms import describe

__all__ = ["reasons", "why"]

_HEADER = "its existence"
_OUTCOMES = {Outcome.PASS: "✓ holds", Outcome.REFER: "? officer", Outcome.FAIL: "✗ fails"}
_STYLES = {Outcome.PASS: "green", Outcome.REFER: "yellow", Outcome.FAIL: "bold red"}


@click.command("why")
@click.argument("id_", metavar="ID")
@click.argument("node_name", metavar="NODE")
@click.option("--portion", metavar="NAME", help="Only this portion.")
@click.option("--purpose", metavar="P", help="For this purpose.  [default: any that an instrument names]")
@click.option("--version", type=int, metavar="N", help="An earlier version.")
@click.option("--originator", metavar="NODE", default="", help="Whose, where several nodes use this id.")
@click.option("--for-partner", is_flag=True, help="What NODE itself may be told: nothing above its own level.")
@pass_session
def why(
    session: Session,
    id_: str,
    node_name: str,
    portion: str | None,
    purpose: str | None,
    version: int | None,
    originator: str,
    for_partner: bool,
) -> None:
    """Why NODE may or may not have record ID: eight reasons for the record and for each portion.

    For this node's own people; --for-partner writes what may be passed on.
    """
    node = session.node
    if for_partner:
        told = node.desk.told(id_, node_name, originator)
        session.out.data({"text": told.text, "instruments": [*told.instruments]}, *_told(told))
        return
    known, row = node.partners.get(node_name), node.records.get(id_, version, originator=originator)
    explanation = ordered(node, row.kind, node.desk.why(id_, known.node, purpose, version, row.originator))
    parts = {_HEADER: explanation.header, **explanation.portions}
    if portion is not None:
        if portion not in explanation.portions:
            raise UnknownTerm(f"record {id_!r} has no portion {portion!r} here",
                              fix=f"It has: {listed(explanation.portions)}")  # fmt: skip
        parts = {portion: explanation.portions[portion]}
    shown = _shown(id_, known.node, parts, explanation, session.hint)
    session.out.data(_data(id_, known.node, purpose, parts, explanation), *shown)


def _shown(
    record_id: str,
    node: str,
    parts: Mapping[str, Explanation],
    whole: RecordExplanation,
    hint: Callable[[str], str],
) -> list[Any]:
    shown: list[Any] = [Text(f"{record_id}: {standing(node, whole).text}.", style="bold")]
    shown += [f"{name} {note}." for name, one in parts.items() if (note := _on_its_way(one))]
    clauses = {(reason.instrument, reason.clause) for one in parts.values() for reason in one.decision.reasons}
    clauses.discard(("", ""))
    if len(clauses) == 1:
        shown.append("Judged by {} clause {}.".format(*clauses.pop()))
        return [*shown, "", grid(reasons(parts, rests=False)), *_changes(record_id, node, parts, hint)]
    return [*shown, "", grid(reasons(parts, rests=True)), *_changes(record_id, node, parts, hint)]


def _on_its_way(one: Explanation) -> str:
    """What happens to a part that goes, where it does not go whole and at once."""
    decision = one.decision
    notes = [f"goes changed: {listed(map(describe, decision.transforms))}"] if decision.transforms else []
    if decision.permits and decision.basis.delay_ms:
        notes.append(f"goes not before {moment(decision.not_before)}")
    return " and ".join(notes) if decision.permits else ""


def reasons(parts: Mapping[str, Explanation], *, rests: bool) -> Iterator[tuple[str, str, Text, str, str]]:
    """A row for each distinct reason of each check, with the parts that it is about; `rests` names clauses."""
    for number, check in enumerate(CHECKS, 1):
        held: dict[Reason, list[str]] = {}
        for name, one in parts.items():
            held.setdefault(one.decision.reasons[number - 1], []).append(name)
        for place, (reason, names) in enumerate(held.items()):
            first = ("", "") if place else (str(number), check)
            outcome = Text(_OUTCOMES[reason.outcome], style=_STYLES[reason.outcome])
            place_in = f" ({reason.instrument} clause {reason.clause})" if reason.clause and rests else ""
            yield (*first, outcome, _parts(names, parts), f"{reason.text}{place_in}")


def _changes(record_id: str, node: str, parts: Mapping[str, Explanation], hint: Callable[[str], str]) -> list[Any]:
    rows: dict[tuple[str, str, str], list[str]] = {}
    for name, one in parts.items():
        for change in one.changes:
            rows.setdefault((change.who, change.text, next_step(change, record_id)), []).append(name)
    nothing = [name for name, one in parts.items() if not one.enough]
    shown: list[Any] = ["", Text("What would change it", style="bold")] if rows or nothing else []
    for (who, text, step), names in rows.items():
        shown.append(f"{_parts(names, parts)}: {who}: {text}")
        if step:
            shown.append(unbroken(f"    {hint(step)}", "dim"))
    if nothing:
        unknown = f"a term of its label, or {node}, is one that nobody defined"
        shown.append(f"{_parts(nothing, parts)}: nothing that can be agreed: {unknown}")
    return shown


def _parts(names: Sequence[str], parts: Mapping[str, Explanation]) -> str:
    return "all of it" if len(names) == len(parts) > 1 else listed(names)


def _told(told: Redacted) -> list[Any]:
    shared = f"Instruments in force between us: {listed(told.instruments)}." if told.instruments else ""
    return [told.text, *([shared] if shared else [])]


def _data(
    record_id: str, node: str, purpose: str | None, parts: Mapping[str, Explanation], whole: RecordExplanation
) -> dict[str, Any]:
    return {
        "record": record_id,
        **standing(node, whole).data(),
        "purpose": purpose,
        "parts": [
            {
                "part": "" if name == _HEADER else name,
                "verdict": one.decision.verdict.value,
                "transforms": [describe(transform) for transform in one.decision.transforms],
                "not_before": one.decision.not_before,
                "reasons": [
                    {
                        "check": reason.check, "name": CHECKS[reason.check - 1],
                        "outcome": reason.outcome.name.lower(), "code": reason.code, "text": reason.text,
                        "instrument": reason.instrument, "clause": reason.clause,
                    }
                    for reason in one.decision.reasons
                ],
                "enough": one.enough,
                "changes": [
                    {"who": change.who, "text": change.text, "next": next_step(change, record_id)}
                    for change in one.changes
                ],
            }
            for name, one in parts.items()
        ],
    }  # fmt: skip
