"""What of a record goes to each partner, in a word and by portion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aldis.interfaces.cli.kinds import ordered
from aldis.interfaces.cli.text import listed
from aldis.kernel.explain import RecordExplanation
from aldis.kernel.release import Verdict
from aldis.node.node import Node

__all__ = ["Standing", "standing", "standings"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The portions of a record that go to a node, wait for a release officer, and stay."""

    node: str
    verdict: str
    goes: tuple[str, ...]
    waits: tuple[str, ...]
    stays: tuple[str, ...]

    @property
    def text(self) -> str:
        """It in words."""
        if self.verdict == "refuse":
            return f"{self.node} gets nothing of it, and is not told that it exists"
        if self.verdict == "refer":
            return f"{self.node} gets nothing of it until a release officer approves"
        whole = not self.waits and not self.stays
        parts = [f"{self.node} gets {'all of it' if whole else listed(self.goes) or 'no portion'}"]
        if self.waits:
            parts.append(f"{listed(self.waits)} for a release officer to decide")
        if self.stays:
            parts.append(f"not {listed(self.stays)}")
        return "; ".join(parts)

    def data(self) -> dict[str, Any]:
        """It as JSON."""
        return {
            "node": self.node, "verdict": self.verdict,
            "goes": [*self.goes], "waits": [*self.waits], "stays": [*self.stays],
        }  # fmt: skip


def standing(node: str, explanation: RecordExplanation) -> Standing:
    """Where a record stands with a node; no portion goes further than the record itself."""
    header = explanation.header.decision.verdict
    found: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
    for name, part in explanation.portions.items():
        verdict = part.decision.verdict
        found[header if header is not Verdict.PERMIT and verdict is Verdict.PERMIT else verdict].append(name)
    if header is Verdict.REFUSE:
        found = {Verdict.PERMIT: [], Verdict.REFER: [], Verdict.REFUSE: list(explanation.portions)}
    goes, waits, stays = (tuple(found[verdict]) for verdict in (Verdict.PERMIT, Verdict.REFER, Verdict.REFUSE))
    word = "permit in part" if header is Verdict.PERMIT and (waits or stays) else header.value
    return Standing(node, word, goes, waits, stays)


def standings(node: Node, record_id: str) -> list[Standing]:
    """Where the newest version of a record stands with every active partner."""
    kind = node.records.get(record_id).kind
    partners = [known.node for known in node.partners.all() if known.active]
    return [standing(partner, ordered(node, kind, node.desk.why(record_id, partner))) for partner in partners]
