"""What can be exchanged between two protocols, in short, and the first cell of the matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from aldis.apps.experiments.cases.findings import Cell, Mark, Verdict
from aldis.apps.experiments.gateways.exemplars import EXEMPLARS
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.kinds import kind_of
from aldis.apps.experiments.participants.conformance import Probed
from aldis.apps.experiments.translation import AT_US, FATES, Losses, losses

__all__ = ["Exchanged", "Passage", "exchanged", "first_cell", "sayable_kinds"]


class Passage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One class of messages on its way: how many fields are carried, approximated, and dropped."""

    message: str
    carried: int
    approximated: int
    dropped: int


class Exchanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of one protocol's messages in another; `unsayable` are kinds for which that has no message."""

    source: str
    target: str
    passages: tuple[Passage, ...]
    unsayable: tuple[str, ...]


def sayable_kinds(offered: Offered) -> Sequence[str]:
    """The kinds of entity that a protocol has messages for."""
    gateway = offered.open()
    said = {kind_of(one).name: bool(gateway.encode(one, AT_US).messages) for one in EXEMPLARS}
    return [kind for kind in dict.fromkeys(kind_of(one).name for one in EXEMPLARS) if said[kind]]


def exchanged(a: Offered, b: Offered) -> Exchanged:
    """Every class of A's messages through B."""
    found = losses(a, b)
    says = sayable_kinds(b)
    passages = []
    for crossing in found.crossings:
        fates = Counter(loss.fate for loss in crossing.losses)
        lost = fates["dropped"] + fates["unexplained"]
        passages.append(
            Passage(
                message=crossing.specimen, carried=fates["carried"], approximated=fates["approximated"], dropped=lost
            )
        )
    unsayable = tuple(kind for kind in sayable_kinds(a) if kind not in says)
    return Exchanged(source=a.protocol, target=b.protocol, passages=tuple(passages), unsayable=unsayable)


def first_cell(probe: Probed, crossing: Losses, source: str, target: str) -> Cell:
    """The cell of a system and a partner that its probe fills: bytes, decoded, and fidelity through their protocol."""
    kind = max(probe.kinds, key=lambda one: probe.kinds[one], default="track")
    marks = [_bytes(probe)]
    if probe.messages:
        marks.append(_decoded(probe))
    if probe.decoded:
        marks.append(_fidelity(crossing))
    return Cell(
        source=source,
        target=target,
        message=kind,
        protocols=(probe.protocol, crossing.b),
        marks=tuple(marks),
        verdict=_verdict(marks),
    )


def _bytes(probe: Probed) -> Mark:
    if not probe.pieces:
        return Mark(rung="bytes", outcome="failed", reasons=("nothing arrived",))
    return Mark(rung="bytes", outcome="met", value=probe.pieces, unit="pieces")


def _decoded(probe: Probed) -> Mark:
    share = (probe.messages - probe.damaged) / probe.messages
    outcome: Literal["met", "partly", "failed"] = "failed" if not probe.decoded else "partly" if share < 0.99 else "met"
    if outcome == "met":
        return Mark(rung="decoded", outcome=outcome, value=round(share, 6))
    return Mark(rung="decoded", outcome=outcome, reasons=("messages damaged",), value=round(share, 6))


def _fidelity(crossing: Losses) -> Mark:
    counts = crossing.counts()
    total = sum(counts.values())
    if not total:
        return Mark(rung="fidelity", outcome="unknown", text="no whole messages about one thing alone")
    share = round((counts["carried"] + counts["approximated"]) / total, 6)
    text = ", ".join(f"{counts[fate]} {fate}" for fate in FATES if counts[fate])
    if counts["unexplained"]:
        return Mark(rung="fidelity", outcome="partly", reasons=("field changed",), text=text, value=share)
    if counts["dropped"]:
        return Mark(rung="fidelity", outcome="partly", reasons=("field dropped",), text=text, value=share)
    return Mark(rung="fidelity", outcome="met", text=text, value=share)


def _verdict(marks: Sequence[Mark]) -> Verdict:
    outcomes = {mark.outcome for mark in marks}
    if "failed" in outcomes:
        return "interoperability issue"
    return "success" if outcomes == {"met"} else "limited success"
