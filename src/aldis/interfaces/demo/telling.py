"""What the demo prints: the story, the three pictures, why, the matrix, the proof, and where the report lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from aldis.apps.experiments.cases import Cell
from aldis.interfaces.demo.ending import Concluded
from aldis.interfaces.demo.nations import NATIONS
from aldis.interfaces.demo.pictures import Fields, count_table, fields_table, seen_of
from aldis.interfaces.demo.proofs import Finding, summed
from aldis.interfaces.demo.scenario import PACKAGE
from aldis.interfaces.demo.search import Event
from aldis.kernel.release import CHECKS, Outcome
from aldis.node.node import Node

__all__ = ["Shown", "footnotes", "matrix", "seen_by", "tell", "tell_end"]

_SHIP = (
    "identity.name", "position.lat_deg", "position.grid_m", "motion.speed_mps", "voyage.destination", "sensor.station",
)  # fmt: skip
_RAFT = ("identity.mmsi", "position.lat_deg", "position.grid_m", "sensor.channel")
_BOAT = ("position.lat_deg", "status.mode", "status.battery_percent", "sensor.protocol")
_COLOURS = {
    "success": "green", "limited success": "yellow", "interoperability issue": "red", "not tested": "dim",
    "pending": "dim",
}  # fmt: skip
_SHORT = {"interoperability issue": "issue", "limited success": "limited"}
_UNTRIED = "not tested"


@dataclass(slots=True)
class Shown:
    """All that there is to show while the nodes stand."""

    counts: Mapping[str, Mapping[str, int]]
    ship: str | None
    proof: Sequence[Finding]
    events: Sequence[Event] = ()
    raft: str = ""
    boat: str = ""
    seen: Mapping[str, Any] = field(default_factory=dict)

    def data(self, concluded: Concluded | None) -> dict[str, Any]:
        """The same as data."""
        found: dict[str, Any] = {
            "nations": {
                node: {"party": NATIONS[node][0], "counts": counts, "vessel": self.seen[node]}
                for node, counts in self.counts.items()
            },
            "vessel": self.ship,
            "proof": [{"text": one.text, "holds": one.holds} for one in self.proof],
        }
        if self.events:
            found["search"] = [msgspec.to_builtins(event) for event in self.events]
        if concluded is not None:
            findings = concluded.findings
            found["matrix"] = [
                {"source": one.source, "target": one.target, "message": one.message, "verdict": one.verdict}
                for one in findings.cells
            ]
            found["cases"] = [{"case": one.case, "verdict": one.verdict} for one in findings.outcomes]
            found["report"] = {
                "folder": str(concluded.report),
                "digest": findings.digest,
                "verdict": concluded.verified.verdict,
                "signed": [one.party for one in concluded.verified.signatures],
            }
        return found


def tell(shown: Shown, nodes: Mapping[str, Node], out: Console) -> None:
    """The story and the pictures."""
    if shown.events:
        out.print("\n[bold]An allied search for a drifting raft[/]")
        out.print("The sea is recorded. The raft, the vessel (USV), the helicopter and the lookout are simulated.")
        out.print(_story(shown.events))
    out.print()
    out.print(count_table(shown.counts))
    fields: list[Fields] = []
    if shown.raft:
        fields.append(("raft", shown.raft, _RAFT))
    if shown.boat:
        fields.append(("USV", shown.boat, _BOAT))
    if shown.ship:
        fields.append(("ship", shown.ship, _SHIP))
    if fields:
        out.print()
        out.print(fields_table(nodes, fields))
    out.print()
    _tell_why(nodes["aus"], out)
    out.print("\n[bold]Proof: what left is what arrived[/]")
    for finding in summed(shown.proof):
        out.print(f"  {'[green]holds[/]' if finding.holds else '[red]FAILS[/]'}  {finding.text}", highlight=False)


def tell_end(concluded: Concluded, out: Console) -> None:
    """The matrix, the cases, and the report."""
    findings = concluded.findings
    out.print()
    out.print(matrix(findings.cells))
    for line in footnotes(findings.cells):
        out.print(f"  {line}", highlight=False)
    for outcome in findings.outcomes:
        met = sum(one.met is True for one in outcome.measures)
        why = f": {', '.join(outcome.reasons)}" if outcome.reasons and outcome.verdict != "success" else ""
        colour = _COLOURS[outcome.verdict]
        out.print(
            f"\n[bold]Test case {outcome.case}[/]: {met} of {len(outcome.measures)} criteria met, "
            f"[{colour}]{outcome.verdict}[/]{why}", highlight=False,
        )  # fmt: skip
        for measure in (one for one in outcome.measures if one.met is not True):
            out.print(
                f"  {measure.step} {measure.criterion}: {measure.text or ', '.join(measure.reasons)}", highlight=False
            )
    verified = concluded.verified
    signed = " and ".join(f"{one.party} ({one.said})" for one in verified.signatures)
    out.print(
        f"\n[bold]Report[/] {concluded.report}/report.html: signed by {signed}; verified offline: {verified.verdict}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    out.print(
        f"  It is marked {findings.marking}, since it rests on the recordings of all three, which lie together here"
        " as at the control of an exercise.", highlight=False, soft_wrap=True,
    )  # fmt: skip


def _story(events: Sequence[Event]) -> Table:
    table = Table()
    for name in ("s", "step", "who", "what"):
        table.add_column(name, justify="right" if name == "s" else "left", no_wrap=name != "what")
    step = ""
    for event in events:
        colour = "" if event.done else "[red]"
        table.add_row(f"{event.at_s:.1f}", event.step if event.step != step else "", event.who, colour + event.text)
        step = event.step
    return table


def matrix(cells: Sequence[Cell]) -> Table:
    """Ordered pairs of systems by class of messages, with the verdict of each; without those that were not tested."""
    tried = [cell for cell in cells if cell.verdict != _UNTRIED]
    targets = sorted({cell.target for cell in tried})
    table = Table(title="Interoperability matrix, verdicts as in NATO's CWIX", title_justify="left")
    table.add_column("from")
    for target in targets:
        table.add_column(f"to {target}")
    verdicts = {(cell.source, cell.message, cell.target): cell.verdict for cell in tried}
    for source, message in dict.fromkeys((cell.source, cell.message) for cell in tried):
        row = [_verdict(verdicts.get((source, message, target))) for target in targets]
        table.add_row(f"{source}: {message}", *row)
    return table


def _verdict(verdict: str | None) -> str:
    return "·" if verdict is None else f"[{_COLOURS[verdict]}]{_SHORT.get(verdict, verdict)}[/]"


def footnotes(cells: Sequence[Cell]) -> list[str]:
    """Why cells are less than a success, the same reasons once; and to what nothing is sent."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        if cell.verdict not in ("success", _UNTRIED):
            reasons = dict.fromkeys(reason for mark in cell.marks if mark.outcome != "met" for reason in mark.reasons)
            found.setdefault(f"{_SHORT.get(cell.verdict, cell.verdict)}, {', '.join(reasons)}", []).append(_pair(cell))
    lines = [f"{why}: {'; '.join(pairs)}" for why, pairs in found.items()]
    tried = [cell for cell in cells if cell.verdict != _UNTRIED]
    if unshown := sorted({cell.source for cell in cells} - {cell.source for cell in tried}):
        says = f"not tested: of what {', '.join(unshown)} says nothing was sent to a system"
        lines.append(f"{says} (what is over a minute old never is)")
    if silent := sorted({cell.target for cell in cells} - {cell.target for cell in tried}):
        lines.append(f"not tested: nothing is sent to {', '.join(silent)}, which have no account")
    return lines


def _pair(cell: Cell) -> str:
    return f"{cell.source} → {cell.target}{'' if cell.message == 'track' else f' ({cell.message})'}"


def _tell_why(node: Node, out: Console) -> None:
    out.print(f"[bold]Why can GBR not see the drawings of {PACKAGE}?[/]   aldis why {PACKAGE} gbr")
    explanation = node.desk.why(PACKAGE, "gbr").portions["parts"]
    for reason in explanation.decision.reasons:
        if reason.outcome is not Outcome.PASS:
            mark = "[yellow]?[/]" if reason.outcome is Outcome.REFER else "[red]✗[/]"
            out.print(f"  {mark} {reason.check} {CHECKS[reason.check - 1]}: {reason.text}", highlight=False)
    for change in explanation.changes:
        out.print(f"  What would change it: {change.text} ({change.who})", highlight=False)
    out.print(f"  What GBR is told: {node.desk.told(PACKAGE, 'gbr').text}", highlight=False)


def seen_by(nodes: Mapping[str, Node], track: str | None) -> dict[str, Any]:
    """What each node has of a track."""
    return {node: seen_of(opened, track) if track else {} for node, opened in nodes.items()}
