"""What a run showed: cells of the matrix, outcomes of test cases, each with its reasons and its evidence.

Findings are a pure function of test cases and recordings, so that whoever has these comes to the same bytes. The rungs
follow the levels of conceptual interoperability (Tolk and Muguira, 2003) as far as they can be measured; the verdicts
are those of NATO's CWIX.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from aldis.apps.experiments.scoring import Score
from aldis.kernel.encoding import sha256

__all__ = [
    "RUNGS",
    "VERDICTS",
    "Cell",
    "Evidence",
    "Findings",
    "Mark",
    "Measure",
    "Outcome",
    "Reason",
    "Recorded",
    "Rung",
    "Verdict",
]

Rung = Literal["bytes", "decoded", "fidelity", "executed", "state"]
"""What was reached: bytes arrived; they were understood; every permitted field kept its value; what was asked was done,
seen by its motion; and it stayed so over the run."""
RUNGS: tuple[Rung, ...] = ("bytes", "decoded", "fidelity", "executed", "state")

Verdict = Literal["success", "limited success", "interoperability issue", "not tested", "pending"]
"""`pending`: what would tell is not here yet, as the recording of another nation; `not tested`: nobody tried."""
VERDICTS: tuple[Verdict, ...] = ("success", "limited success", "interoperability issue", "not tested", "pending")

Reason = Literal[
    "nothing sent",
    "nothing arrived",
    "not recognised",
    "messages damaged",
    "not sayable",
    "withheld by label",
    "coarsened by instrument",
    "delayed by instrument",
    "field dropped",
    "field changed",
    "field not permitted",
    "too late",
    "too old",
    "incomplete",
    "wrong place",
    "identity switched",
    "not acknowledged",
    "refused",
    "no lease",
    "accepted but did not move",
    "failed",
    "lost and not back",
    "clock wrong",
    "recording incomplete",
    "recording missing",
]
"""Why a mark is less than met; a code of this list and no other, with words beside it."""


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where to look: a message of a recording, by the head of its file's chain and its sequence number there."""

    recording: str
    topic: str
    sequence: int
    at_us: int


class Recorded(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file that was looked at: who recorded and sealed it, its head (hex), and what `verify` said of it."""

    file: str
    node: str
    run: str
    segment: int
    head: str
    signer: str
    state: str
    messages: int
    marking: str


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How a cell stands at one rung; `value` of `limit` where it was measured, in `unit`."""

    rung: Rung
    outcome: Literal["met", "partly", "failed", "unknown"]
    reasons: tuple[Reason, ...] = ()
    text: str = ""
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    evidence: tuple[Evidence, ...] = ()


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An ordered pair of systems (`node/system`) and a class of messages: track, area, tasking, report, environment."""

    source: str
    target: str
    message: str
    protocols: tuple[str, str]
    marks: tuple[Mark, ...]
    verdict: Verdict


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One criterion of a test case: what was measured, what it was held against, and whether it was met.

    `met` is None where nothing could be measured. `step` is the step of the thread that it belongs to.
    """

    criterion: str
    met: bool | None
    step: str = ""
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    reasons: tuple[Reason, ...] = ()
    text: str = ""
    evidence: tuple[Evidence, ...] = ()


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What became of one test case; `case_digest` (hex) is the SHA-256 of its file."""

    case: str
    title: str
    case_digest: str
    measures: tuple[Measure, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()


class Findings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of it. `scores` are by view, as `gbr/tak` or `egress gbr`; `marking` is the banner of everything here."""

    format: Literal["aldis-findings/1"] = "aldis-findings/1"
    experiment: str
    node: str
    party: str
    marking: str
    began_us: int
    ended_us: int
    recordings: tuple[Recorded, ...]
    cells: tuple[Cell, ...]
    outcomes: tuple[Outcome, ...]
    scores: Mapping[str, Score]

    @property
    def canonical(self) -> bytes:
        """JSON with sorted names."""
        return msgspec.json.encode(self, order="sorted")

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, in hex: what a replay must come to."""
        return sha256(self.canonical).hex()
