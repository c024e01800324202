"""Findings for tests: of three nations, with every verdict in them; and names as strangers may choose them."""

from __future__ import annotations

from typing import Any

import msgspec

from aldis.apps.experiments.cases.findings import Cell, Evidence, Findings, Mark, Measure, Outcome, Recorded
from aldis.apps.experiments.scoring import Score, score
from aldis.kernel.encoding import sha256

START_US = 1_763_820_000_000_000
MARKING = "UNCLASSIFIED//REL TO AUS, GBR, USA"
CASES = (b'title = "Search for a raft"\n', b'title = "Task of a boat"\n')
HOSTILE = (
    "</style><script>alert(1)</script>", "<b>&amp;&#x41;{{ 7*7 }}{% raw %}", "gnp.\u202etfard", "nul\x00esc\x1b[31m",
    'quote"\'onmouseover="x', "Адмирал 海 ש", "z\u0301\u0301\u0301\u0301\u0301", "a" * 10_000, "\u2028line", "]]> -->",
    "<para><font size=99>", "",
)  # fmt: skip


def evidence(number: int, topic: str = "/egress/gbr/track", recording: str = "a" * 64) -> Evidence:
    return Evidence(recording=recording, topic=topic, sequence=number, at_us=START_US + 100_000 * number)


def recorded(node: str = "aus", head: str = "a" * 64, **more: Any) -> Recorded:
    values: dict[str, Any] = {
        "file": f"{node}-20261122-0001.mcap", "node": node, "run": "20261122-141000", "segment": 1, "head": head,
        "signer": "ed25519:" + "K" * 43, "state": "intact", "messages": 4_211, "marking": MARKING,
    }  # fmt: skip
    return Recorded(**(values | more))


def findings(**more: Any) -> Findings:
    """What three nations found."""
    cells = (
        Cell(
            source="aus/usv", target="gbr/tak", message="track", protocols=("mavlink", "cot"), verdict="success",
            marks=(
                Mark(rung="bytes", outcome="met", value=412.0, unit="messages", evidence=(evidence(1), evidence(2))),
                Mark(rung="decoded", outcome="met", value=412.0, unit="messages", evidence=(evidence(3),)),
                Mark(rung="fidelity", outcome="met", value=0.0, limit=0.0, unit="fields", evidence=(evidence(3),)),
            ),
        ),
        Cell(
            source="aus/usv", target="usa/dis", message="track", protocols=("mavlink", "dis"),
            verdict="limited success",
            marks=(
                Mark(rung="bytes", outcome="met", value=409.0, unit="messages", evidence=(evidence(4),)),
                Mark(
                    rung="fidelity", outcome="partly", reasons=("not sayable", "coarsened by instrument"),
                    text="identity.mmsi; position to 1 km", value=2.0, limit=0.0, unit="fields",
                    evidence=tuple(evidence(n) for n in range(5, 15)),
                ),
            ),
        ),
        Cell(
            source="usa/dis", target="gbr/tak", message="track", protocols=("dis", "cot"), verdict="pending",
            marks=(Mark(rung="bytes", outcome="unknown", reasons=("recording missing",)),),
        ),
        Cell(
            source="gbr/tak", target="aus/usv", message="tasking", protocols=("cot", "mavlink"),
            verdict="interoperability issue",
            marks=(
                Mark(rung="decoded", outcome="met", value=1.0, unit="requests", evidence=(evidence(20),)),
                Mark(
                    rung="executed", outcome="failed", reasons=("accepted but did not move",), value=0.4, limit=50.0,
                    unit="m", evidence=(evidence(21), evidence(22)),
                ),
            ),
        ),
        Cell(
            source="usa/dis", target="aus/usv", message="tasking", protocols=("dis", "mavlink"), verdict="not tested",
            marks=(Mark(rung="bytes", outcome="unknown", reasons=("nothing sent",)),),
        ),
    )  # fmt: skip
    outcomes = (
        Outcome(
            case="raft", title="Search for a raft", case_digest=sha256(CASES[0]).hex(), verdict="success",
            measures=(
                Measure(
                    criterion="latency p95", step="share", met=True, value=0.084, limit=2.0, unit="s",
                    evidence=(evidence(30),),
                ),
                Measure(criterion="completeness", step="share", met=True, value=99.2, limit=95.0, unit="%"),
            ),
        ),
        Outcome(
            case="task", title="Task of a boat", case_digest=sha256(CASES[1]).hex(), verdict="interoperability issue",
            reasons=("accepted but did not move",),
            measures=(
                Measure(
                    criterion="handover", step="act", met=False, value=0.4, limit=50.0, unit="m", text="boat-1 stayed",
                    reasons=("accepted but did not move",), evidence=(evidence(21),),
                ),
                Measure(criterion="acknowledged", step="task", met=True, value=1.0, unit="requests"),
                Measure(criterion="confirmed", step="confirm", met=None, reasons=("recording missing",)),
            ),
        ),
    )  # fmt: skip
    values: dict[str, Any] = {
        "experiment": "NORTHERN-WATCH", "node": "aus", "party": "AUS", "marking": MARKING, "began_us": START_US,
        "ended_us": START_US + 600_000_000, "recordings": (recorded(), recorded("gbr", "b" * 64, state="incomplete")),
        "cells": cells, "outcomes": outcomes, "scores": {"gbr/tak": view(), "egress gbr": view(0.5)},
    }  # fmt: skip
    return Findings(**(values | more))


def view(shift: float = 0.0) -> Score:
    """A score with something in every part."""
    empty = score((), ())
    values = {
        "instants": 600, "objects": 3, "gospa_m": 12.345678 + shift, "localisation": 33.1, "missed": 119.0,
        "false": 0.0, "switches": 1, "interruptions": 2, "accuracy": 0.97, "precision_m": 4.25,
        "latency_us": (41_000, 84_000, 91_000), "age_us": (500_000, 1_900_000, 2_100_000), "expected": 600, "seen": 597,
        "complete": 0.995, "fresh": 1.0,
    }  # fmt: skip
    return msgspec.structs.replace(empty, **values)


def hostile(text: str) -> Findings:
    """Findings in which every name is `text`."""
    made = findings()
    place = Evidence(recording="a" * 64, topic=text, sequence=1, at_us=-(2**62))
    mark = Mark(rung="bytes", outcome="met", value=1.0, unit=text, text=text, evidence=(place,))
    cell = Cell(source=text, target=text, message=text, protocols=(text, text), marks=(mark,), verdict="pending")
    measure = Measure(criterion=text, step=text, met=None, value=1e300, unit=text, text=text, evidence=(place,))
    outcome = msgspec.structs.replace(made.outcomes[0], case=text, title=text, measures=(measure,), verdict="pending")
    file = recorded(text, file=text, run=text, signer=text, state=text, marking=text)
    return msgspec.structs.replace(
        made, experiment=text, node=text, party=text, marking=text, recordings=(file,), cells=(cell,),
        outcomes=(outcome,), scores={text: view()},
    )  # fmt: skip
