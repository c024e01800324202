"""`aldis why`: all eight reasons, and what would change the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.remedy import next_step
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.standing import standing
from aldis.interfaces.cli.text import listed, moment
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.explain import Explanation, RecordExplanation, Redacted
from aldis.kernel.release import CHECKS, Outcome, Reason, Verdict
from aldis.kernel.transforms import describe

__all__ = ["why"]

_HEADER = "the record itself"
_OUTCOMES = {Outcome.PASS: "✓ holds", Outcome.REFER: "? officer", Outcome.FAIL: "✗ fails"}
_STYLES = {Outcome.PASS: "green", Outcome.REFER: "yellow", Outcome.FAIL: "bold red"}
_VERDICTS = {Verdict.PERMIT: "goes", Verdict.REFER: "waits for a release officer", Verdict.REFUSE: "stays"}


@dataclass(frozen=True, slots=True)
class _Alike:
    """Parts of a record that are decided alike, for the same reasons."""

    names: tuple[str, ...]
    explanation: Explanation


@click.command("why")
@click.argument("id_", metavar="ID")
@click.argument("node_name", metavar="NODE")
@click.option("--portion", metavar="NAME", help="Only this portion.")
@click.option("--purpose", metavar="P", help="For this purpose.  [default: any that an instrument names]")
@click.option("--version", type=int, metavar="N", help="An earlier version.")
@click.option("--for-partner", is_flag=True, help="What NODE itself may be told: nothing above its own level.")
@pass_session
def why(
    session: Session,
    id_: str,
    node_name: str,
    portion: str | None,
    purpose: str | None,
    version: int | None,
    for_partner: bool,
) -> None:
    """Why NODE may or may not have record ID: eight reasons for the record and for each portion.

    For this node's own people; --for-partner writes what may be passed on.
    """
    node = session.node
    if for_partner:
        told = node.desk.told(id_, node_name)
        session.out.data({"text": told.text, "instruments": [*told.instruments]}, *_told(told))
        return
    known = node.partners.get(node_name)
    explanation = node.desk.why(id_, known.node, purpose, version)
    parts = {_HEADER: explanation.header, **explanation.portions}
    if portion is not None:
        if portion not in explanation.portions:
            raise UnknownTerm(f"record {id_!r} has no portion {portion!r} here",
                              fix=f"It has: {listed(explanation.portions)}")  # fmt: skip
        parts = {portion: explanation.portions[portion]}
    session.out.data(_data(id_, known.node, purpose, parts, explanation), *_shown(id_, known.node, parts, explanation))


def _shown(record_id: str, node: str, parts: Mapping[str, Explanation], whole: RecordExplanation) -> list[Any]:
    shown: list[Any] = [Text(f"{record_id}: {standing(node, whole).text}.", style="bold")]
    for alike in _alike(parts):
        decision = alike.explanation.decision
        notes = [describe(transform) for transform in decision.transforms]
        if decision.permits and decision.basis.delay_ms:
            notes.append(f"not before {moment(decision.not_before)}")
        note = f" ({listed(notes)})" if notes else ""
        shown += ["", Text(f"{listed(alike.names)}: {_VERDICTS[decision.verdict]}{note}", style="bold")]
        shown.append(_reasons(decision.reasons))
    return [*shown, *_changes(record_id, node, parts)]


def _reasons(reasons: Sequence[Reason]) -> Table:
    return grid(
        (
            str(reason.check),
            CHECKS[reason.check - 1],
            Text(_OUTCOMES[reason.outcome], style=_STYLES[reason.outcome]),
            _because(reason),
        )
        for reason in reasons
    )


def _because(reason: Reason) -> str:
    rests = f" ({reason.instrument} clause {reason.clause})" if reason.clause else ""
    return f"{reason.text}{rests}"


def _changes(record_id: str, node: str, parts: Mapping[str, Explanation]) -> list[Any]:
    rows: dict[tuple[str, str, str], list[str]] = {}
    nothing: list[str] = []
    for name, one in parts.items():
        if not one.enough:
            nothing.append(name)
        for change in one.changes:
            rows.setdefault((change.who, change.text, next_step(change, record_id)), []).append(name)
    shown: list[Any] = ["", Text("What would change it", style="bold")] if rows or nothing else []
    for (who, text, step), names in rows.items():
        shown.append(Text(f"- {listed(names)}: {who}: {text}"))
        if step:
            shown.append(Text(f"    {step}", style="dim"))
    if nothing:
        shown.append(
            f"- {listed(nothing)}: nothing that can be agreed; a term of its label, or {node}, is unknown here"
        )
    return shown


def _alike(parts: Mapping[str, Explanation]) -> list[_Alike]:
    groups: dict[Any, list[str]] = {}
    for name, one in parts.items():
        key = (one.decision.verdict, one.decision.reasons, one.decision.transforms, one.decision.not_before)
        groups.setdefault(key, []).append(name)
    return [_Alike(tuple(names), parts[names[0]]) for names in groups.values()]


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
